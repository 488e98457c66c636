"""The panel of a session: controls, map, curves, and the player that moves them.

Thin glue: settings become controls, clicks become wishes of the player, frames become packets for the page. What is
computed is computed by the session; what is drawn is drawn by the page.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from taskembed_edu.colours import colour_tasks
from taskembed_edu.embedders.base import chosen_device, device_name
from taskembed_edu.history import Frame
from taskembed_edu.live.controls import Control
from taskembed_edu.live.curves import Curves, curve_marks
from taskembed_edu.live.player import Player, running_cell, stop_replaced
from taskembed_edu.live.task_map import LOOK, LatestOnly, TaskMap, encode_frame
from taskembed_edu.live.warming import warm_in_background
from taskembed_edu.recordings import free_path, save_recording
from taskembed_edu.session import Session

_HERE = Path(__file__).parent
_TITLES = {"umap": "Task space, UMAP", "pca": "Task space, PCA"}


class SessionPanel:
    """Controls on the left, the live map in the middle, curves on the right, the transport above.

    `main` names the settings that are always in sight; the rest stand behind a fold. With `umap_when_ready` the map
    goes over to UMAP once that is compiled.
    """

    def __init__(self, session: Session, title: str, main: Sequence[str], *, umap_when_ready: bool = False) -> None:
        self.session = session
        self._wishes: dict[str, Any] = {}
        self._dressed: object = None
        self._saved = ""
        self._showing = threading.RLock()
        self._warming, self._warming_begun = umap_when_ready, False
        if umap_when_ready:
            session.named.discard("projection")  # PCA was put there to wait for UMAP: nobody asked for it
        self.map, self.curves = TaskMap(), Curves()
        self.slot = LatestOnly(self._send)
        self._make_transport()
        self._make_controls(main)
        self.root = self._arrange(title)
        self.map.observe(self._page_has_taken, names="shown")
        self.player = Player(session, self.slot.offer, self.refresh)
        stop_replaced(running_cell(), self.player)
        self.slot.offer(session.frame, now=True)
        self.refresh()

    # ---- building --------------------------------------------------------------------------------------------------

    def _make_transport(self) -> None:
        self.play = _button("Play", "play", "Train until paused", self._play_or_pause, "te-play")
        self.step = _button("Step", "step-forward", "Train up to the next picture", lambda: self.player.step(), "")
        self.reset = _button(
            "Reset",
            "undo",
            "Begin again from the same initial weights; the run so far is kept",
            self._reset,
            "te-reset",
        )
        self.save = _button(
            "Save", "save", "Write the recording of this run beside the notebook: it can be replayed", self._save, ""
        )
        self.status = widgets.HTML()
        self.status.add_class("te-status")
        self.device = widgets.HTML()
        self.device.add_class("te-device")

    def _make_controls(self, main: Sequence[str]) -> None:
        values = self.session.values()
        self.controls = {
            name: Control(name, declared, values[name], self._on_control)
            for name, declared in self.session.declared().items()
        }
        self.colour = widgets.Dropdown(
            options=self.session.tasks.truth_names,
            tooltip="Which true parameter of the tasks gives the colours. Training never sees it.",
            layout=widgets.Layout(width="auto"),
        )
        self.colour.add_class("te-set-colour")
        self.colour.observe(lambda _change: self._dress(), names="value")
        colour_label = widgets.Label("Colour by")
        colour_label.add_class("te-control-label")
        colour = widgets.VBox([colour_label, self.colour])
        colour.add_class("te-control")
        shown = [self.controls[name].box for name in main]
        folded = [control.box for name, control in self.controls.items() if name not in main]
        more = widgets.Accordion([widgets.VBox(folded)], titles=("More settings",), selected_index=None)
        self.control_column = widgets.VBox([*shown, colour, more])
        self.control_column.add_class("te-controls")

    def _arrange(self, title: str) -> widgets.Box:
        heading = widgets.HTML(f'<div class="te-title">{title}</div>')
        bar = widgets.HBox([heading, self.play, self.step, self.reset, self.save])
        told = widgets.HBox([self.status, self.device])
        told.add_class("te-told")
        bar.add_class("te-bar")
        body = widgets.Box([self.control_column, self.map, self.curves])
        body.add_class("te-body")
        style = widgets.HTML(f"<style>{LOOK}{(_HERE / 'panel.css').read_text(encoding='utf-8')}</style>")
        style.layout.display = "none"
        root = widgets.VBox([style, bar, told, body])
        root.add_class("te-lab")
        root.add_class("te-panel")
        return root

    # ---- the learner's wishes --------------------------------------------------------------------------------------

    def _play_or_pause(self) -> None:
        if self.player.playing:
            self.player.pause()
        else:
            self.player.play()

    def _reset(self) -> None:
        wishes, self._wishes = self._wishes, {}
        self.player.reset(**wishes)

    def _save(self) -> None:
        session = self.session
        path = free_path(Path(f"{session.embedder.name}-{session.setup.family}-step-{session.steps}.json"))
        try:
            save_recording(session.recording(), path)
            self._saved = f'Saved. It runs again with <code>lab.replay("{path}")</code> in a fresh lab.'
        except OSError as error:
            self._saved = f'<span class="te-failure">Not saved: {escape(str(error))}</span>'
        self.refresh()
        self._saved = ""

    def _on_control(self, name: str, value: Any) -> None:
        declared = self.session.declared()[name]
        if declared.live:
            if name == "projection":
                self._warming = False
            self.player.set(**{name: value})
        else:
            self._wishes[name] = value
            if value == self.session.values()[name]:
                del self._wishes[name]
            self.refresh()

    def _page_has_taken(self, change: dict[str, Any]) -> None:
        self.slot.taken(change["new"])
        if self._warming and not self._warming_begun:
            # Only now: a lab that no page shows (a script, a test) has no use for two seconds of work behind its back.
            self._warming_begun = True
            warm_in_background(self._umap_is_ready)

    def _umap_is_ready(self) -> None:
        # Who asked for PCA meanwhile, here or in a cell, keeps it.
        wanted = self._warming and "projection" not in self.session.named
        self._warming = False
        if wanted:
            self.player.set(projection="umap")
        else:
            self.refresh()

    # ---- showing ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring buttons, controls and words up to date with the session."""
        with self._showing:
            self._refresh()

    def _refresh(self) -> None:
        player = getattr(self, "player", None)
        playing = bool(player and player.playing)
        self.play.description, self.play.icon = ("Pause", "pause") if playing else ("Play", "play")
        self.play.tooltip = "Pause training" if playing else "Train until paused"
        self.reset.button_style = "warning" if self._wishes else ""
        values = {**self.session.values(), **self._wishes}
        if player and player.settled:
            for control in self.controls.values():
                control.forget()
        for name, control in self.controls.items():
            owner = self.session.setup if hasattr(self.session.setup, name) else self.session.settings
            control.show(values[name], owner)
        self.status.value = f'<span role="status">{self._status(playing)}</span>'
        self.device.value = f"<span>{self._device()}</span>"
        if player and not playing:
            self.slot.flush()

    def _status(self, playing: bool) -> str:
        player = getattr(self, "player", None)
        if player and player.failure is not None:
            return f'<span class="te-failure">{escape(str(player.failure))}</span>'
        if self._saved:
            return self._saved
        if self._wishes:
            words = ", ".join(self.session.declared()[name].label for name in self._wishes)
            return f"Press Reset to apply: {words}."
        until = " The map shows PCA until UMAP is ready." if self._warming else ""
        if playing:
            return "Training. Move the margin and watch." + until
        begun = "Paused." if self.session.steps else "Press Play: the tasks find their places."
        return begun + until

    def _device(self) -> str:
        name = device_name(chosen_device(getattr(self.session.settings, "device", "cpu")))
        player = getattr(self, "player", None)
        rate = player.steps_a_second if player else 0.0
        return f"{name} · {rate:.0f} steps/s" if rate else name

    def _send(self, frame: Frame, number: int) -> None:
        if self._dressed is not self.session.tasks:
            self._dress()
        self.map.title = _TITLES[frame.projection]
        self.map.frame = encode_frame(frame.layout, number, frame.step)
        self.curves.marks = curve_marks(self.session.events)
        self.curves.show(self.session.history)
        self.device.value = f"<span>{self._device()}</span>"

    def _dress(self) -> None:
        """Names and colours of the watched tasks; they change only with the tasks or the colour menu."""
        tasks, family = self.session.tasks, self.session.split.validation
        if self._dressed is not tasks:
            self._dressed = tasks
            if tuple(self.colour.options) != tasks.truth_names:
                self.colour.options = tasks.truth_names
            self.map.names = list(tasks.names)
        column = tasks.truth_names.index(self.colour.value)
        colouring = colour_tasks(tasks.truth[:, column].numpy(), self.colour.value, family.truth_kinds[column])
        self.map.colours, self.map.shapes = colouring.rgb.tobytes(), colouring.shapes.tobytes()
        self.map.legend = colouring.legend


def _button(text: str, icon: str, tooltip: str, action: Any, css: str) -> widgets.Button:
    button = widgets.Button(description=text, icon=icon, tooltip=tooltip, layout=widgets.Layout(width="auto"))
    button.on_click(lambda _button: action())
    button.add_class("te-button")
    if css:
        button.add_class(css)
    return button
