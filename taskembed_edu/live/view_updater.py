"""Sets the traits of the page's widget, on the player's worker, as often as the page can keep up.

A picture waits until the page has acknowledged the one before. Only new rows of the curves are sent; controls and
texts are sent when they change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taskembed_edu.live import packets
from taskembed_edu.live.controls import control_specs
from taskembed_edu.live.judging import scorecards_packet
from taskembed_edu.live.lab_view import LabView, PictureGate
from taskembed_edu.live.player import Player
from taskembed_edu.live.progress import Progress, shown_progress
from taskembed_edu.live.status import StatusMessage, run_name, transport
from taskembed_edu.live.surface import surface_packet
from taskembed_edu.live.words import beside_words, help_packet, map_words
from taskembed_edu.session.by_pca import by_pca
from taskembed_edu.session.history import Frame, History
from taskembed_edu.session.session import Session
from taskembed_edu.session.side_by_side import Judged, same_tasks
from taskembed_edu.tasks.base import TaskBatch

# Seconds between two updates while training runs: of controls and status, and of the map's text summary.
_REFRESH_APART, _WORDS_APART = 1 / 20, 1.0
# How long a message stays in the status line while training runs.
_MESSAGE_SECONDS = 4.0

# Entries of the transport that change with every frame: they are sent with a picture.
_EVER_NEW = ("rate", "runs", "progress")


@dataclass
class UiState:
    """The state of the page that is not in the sessions.

    The settings that wait for a reset, the last status message, the viewed step (None: now), the metric to compare with
    the run's own, whether a PCA map stands beside the run's UMAP map, whether UMAP is being compiled, how far the
    worker's job is (None: it does none, or a short one), and the scorecards that were made last.
    """

    # Replaced, never changed in place: the worker may read it while the kernel's thread handles a message.
    pending: Mapping[str, Any] = field(default_factory=dict)
    said: StatusMessage | None = None
    viewed_step: int | None = None
    compare: str = ""
    both: bool = False
    precompiling: bool = False
    job: Progress | None = None
    judged: Judged | None = None
    said_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set_pending(self, name: str, value: Any) -> None:
        """Give this setting this value at the next reset."""
        with self._lock:
            self.pending = {**self.pending, name: value}

    def discard_pending(self, done: Mapping[str, Any]) -> None:
        """Remove these settings, except one that has been given another value meanwhile."""
        with self._lock:
            self.pending = {n: value for n, value in self.pending.items() if n not in done or done[n] != value}

    def say(self, said: StatusMessage | None) -> None:
        """Put this in the status line, or nothing."""
        self.said, self.said_at = said, time.monotonic()

    def fade(self, playing: bool) -> None:
        """While training runs, remove an old message, so that the training status shows; an alarm stays."""
        old = time.monotonic() - self.said_at > _MESSAGE_SECONDS
        if playing and old and self.said is not None and self.said.tone != "alarm":
            self.said = None


class ViewUpdater:
    """A `LabView` and what was sent to it. Only the player's worker calls methods other than `__init__` and `close`."""

    def __init__(
        self, player: Player, ui: UiState, title: str, main: Sequence[str], families: Sequence[str] = ()
    ) -> None:
        self._player, self._ui, self._main, self._families = player, ui, main, families
        self._gate = PictureGate(self._send)
        self._offered: list[Frame] = []  # the newest frames that the gate knows of
        self._sent: list[tuple[History, int]] = []
        self._last_packet: tuple[Any, dict[str, Any]] = ((), {})
        # The frame shown last on two maps, and as PCA draws it: the next one is mirrored as it is.
        self._pca: tuple[Frame, Frame] | None = None
        self._words, self._words_at, self._words_for = "", -float("inf"), ()  # type: tuple[str, float, Any]
        self._refreshed_at = -float("inf")
        session = player.session
        self._sent_tasks = session.tasks
        self.view = LabView(
            title=title,
            help=help_packet(*player.sessions),
            colour=first_colour(session),
            tasks=packets.tasks_packet(*player.sessions),
            controls=self._controls(),
            transport=self._transport(),
            marks=packets.marks_packet(player.sessions),
        )
        self.redraw()

    def frame_at(self, session: Session) -> Frame:
        """The session's frame at the viewed step."""
        return packets.frames_at((session,), self.moment)[0]

    @property
    def tasks(self) -> TaskBatch:
        """The tasks that the page has."""
        return self._sent_tasks

    @property
    def moment(self) -> int:
        """The viewed step; by default the newest that every run has reached, or if they train apart, that one has."""
        if self._ui.viewed_step is not None:
            return self._ui.viewed_step
        sessions = self._player.sessions
        return max(each.frame.step for each in sessions) if self._player.apart else packets.live_step(sessions)

    @property
    def both(self) -> bool:
        """Whether two maps of the one run stand side by side: UMAP and PCA."""
        return self._ui.both and len(self._player.sessions) == 1

    def beside(self, frame: Frame) -> Frame | None:
        """The frame as the PCA map beside it shows it; None where there is one map a run."""
        if not self.both:
            return None
        known = self._pca
        if known is None or known[0] is not frame:
            signs = None if known is None else known[1].layout
            known = self._pca = frame, by_pca(frame, signs, self._player.session.values_at(frame)["n_neighbors"])
        return known[1]

    # ---- when to send ----------------------------------------------------------------------------------------------

    def offer_new_frames(self) -> None:
        """If a run has a newer frame than last time, send a picture as soon as the page is ready."""
        if list(map(id, self._newest())) != list(map(id, self._offered)):
            self._offered = self._newest()
            self._gate.changed()

    def taken(self, number: int) -> None:
        """The page has drawn this picture."""
        self._gate.taken(number)

    def redraw(self) -> None:
        """Send a new picture at once: the viewed step or the chosen task has changed."""
        self._gate.changed(now=True)

    def _newest(self) -> list[Frame]:
        return [session.frame for session in self._player.sessions]

    def send_rows(self) -> None:
        """Send all rows again: the page has missed some of them."""
        self._sent = []
        self.view.put(rows=self._rows())
        self.view.send_again("rows")

    def send_all(self) -> None:
        """Send everything again: the page is new, or has lost what it had."""
        self._sent = []
        self.refresh(now=True)
        self._gate.again()
        self.view.send_again()

    def refresh(self, now: bool = False) -> None:
        """Update controls and texts; while training runs at most 20 times a second, unless `now`."""
        clock = time.monotonic()
        playing = self._player.playing
        if playing and not now and clock - self._refreshed_at < _REFRESH_APART:
            return
        self._refreshed_at = clock
        self._update_tasks()
        pending = self._ui.pending  # read once: controls and transport must agree
        values: dict[str, Any] = {
            "controls": self._controls(pending),
            "marks": packets.marks_packet(self._player.sessions),
        }
        values["surface"] = self._surface()
        sent = self._transport(pending)
        if not playing or _settled(sent) != _settled(self.view.transport):
            values["transport"] = sent
        self.view.put(**values)
        if not playing:
            if self._words_for != self._last_packet[0]:
                self._gate.changed()
            self._gate.flush()

    def send_controls_again(self) -> None:
        """Send the controls again after a value was refused or clamped: the page still shows its own value."""
        self.view.put(controls=self._controls())
        self.view.send_again("controls")

    # ---- what is sent ----------------------------------------------------------------------------------------------

    def _send(self, number: int) -> None:
        self._offered = self._newest()
        self._update_tasks()
        picture = {**self._picture(), "number": number}
        marks = packets.marks_packet(self._player.sessions)
        surface = self._surface()
        self.view.put(picture=picture, rows=self._rows(), marks=marks, transport=self._transport(), surface=surface)

    def _picture(self) -> dict[str, Any]:
        sessions, ui, chosen = self._player.sessions, self._ui, self.view.chosen
        frames = packets.frames_at(sessions, self.moment)
        selected = tuple(self.view.selected)
        key = (tuple(map(id, frames)), chosen, selected, self.both, ui.compare, self.moment, ui.viewed_step)
        if key != self._last_packet[0]:
            packet = self._packet()
            # Keep the frames too: while they live, no other frame can get the same id.
            self._last_packet = (key, {**packet, "frames": frames, "live": ui.viewed_step is None})
        words = self._summary(key, frames, chosen)
        return {**{name: value for name, value in self._last_packet[1].items() if name != "frames"}, "words": words}

    def _surface(self) -> dict[str, Any]:
        """The loss over the start of the active run: under the settings of now, or of the frame looked at."""
        session = self._player.session
        live = self._ui.viewed_step is None
        return surface_packet(session, session.settings if live else self.frame_at(session).settings)

    def _packet(self) -> dict[str, Any]:
        ui, sessions = self._ui, self._player.sessions
        if ui.compare == packets.OTHER_RUN and len(sessions) < 2:
            ui.compare = ""  # the run that it was compared with has left the screen
        beside = self.beside(packets.frames_at(sessions, self.moment)[0])
        if beside is None:
            self._pca = None
        about = {"chosen": self.view.chosen, "selected": self.view.selected, "beside": beside}
        try:
            return packets.picture_packet(sessions, self.moment, compare=ui.compare, **about)
        except ValueError as error:
            if not ui.compare:
                raise
            # This metric cannot measure these vectors (a zero vector has no cosine): stop comparing.
            ui.compare = ""
            ui.say(StatusMessage(str(error), "alarm"))
            return packets.picture_packet(sessions, self.moment, **about)

    def _summary(self, key: Any, frames: Sequence[Frame], chosen: int) -> str:
        clock = time.monotonic()
        if key != self._words_for and (not self._player.playing or clock - self._words_at >= _WORDS_APART):
            sessions = self._player.sessions
            said = [map_words(session, frame, chosen) for session, frame in zip(sessions, frames, strict=True)]
            if (beside := self.beside(frames[0])) is not None and beside is not frames[0]:
                said[0] = f"{said[0]} {beside_words(sessions[0], beside)}"
            named = [f"{run_name(self._player, run)}: {words}" for run, words in enumerate(said)]
            named = named if len(said) > 1 else said
            self._words, self._words_at, self._words_for = " ".join(named), clock, key
        return self._words

    def _rows(self) -> dict[str, Any]:
        """The new rows; the last sent one again, since its frame may have been computed again."""
        histories = [session.history for session in self._player.sessions]
        known = [*self._sent, *[(None, 0)] * len(histories)]
        first = [
            min(sent, len(history)) if history is before else 0
            for history, (before, sent) in zip(histories, known, strict=False)
        ]
        self._sent = [(history, max(0, len(history) - 1)) for history in histories]
        return packets.rows_packet(self._player.sessions, first)

    def _update_tasks(self) -> None:
        """Send names, colours and cards of the validation tasks if the tasks have changed."""
        session = self._player.sessions[0]
        if self._sent_tasks is not session.tasks:
            # A reset may sample the same tasks again: then the chosen tasks and the colouring stay.
            same, before, self._sent_tasks = (
                same_tasks(self._sent_tasks, session.tasks),
                self._sent_tasks,
                session.tasks,
            )
            anew: dict[str, Any] = {} if same else {"chosen": -1, "selected": []}
            if before.truth_names != session.tasks.truth_names:
                anew["colour"] = first_colour(session)
            # Send the help too: a score may have been registered since.
            sessions = self._player.sessions
            self.view.put(tasks=packets.tasks_packet(*sessions), help=help_packet(*sessions), **anew)

    def _controls(self, pending: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        waiting = dict(self._ui.pending if pending is None else pending)
        return control_specs(self._player.session, self._main, waiting, self._families)

    def send_scorecards(self) -> None:
        """Send the scorecards that were made last."""
        if self._ui.judged is not None:
            self.view.put(scorecards=scorecards_packet(self._ui.judged, self._player.sessions))

    def outdate_scorecards(self) -> None:
        """A run has begun again, or gone back: the scorecards are those of a run before."""
        if self.view.scorecards:
            self.view.put(scorecards={**self.view.scorecards, "earlier": True})

    def tell_progress(self, job: Progress | None) -> None:
        """Show at once how far the worker's job is: until the job has ended, nothing else is sent."""
        self._ui.job = job
        self.view.put(transport={**self.view.transport, "progress": self._progress()})

    def _progress(self) -> dict[str, Any] | None:
        shown = shown_progress(self._player, self._ui.job, self._ui.precompiling)
        return None if shown is None else shown._asdict()

    def _transport(self, pending: Mapping[str, Any] | None = None) -> dict[str, Any]:
        ui = self._ui
        told = transport(
            self._player,
            said=ui.said,
            pending=ui.pending if pending is None else pending,
            viewed_step=ui.viewed_step,
            precompiling=ui.precompiling,
            compare=ui.compare,
            both=self.both,
        )
        return {**told, "progress": self._progress()}

    def close(self) -> None:
        """Show on the page that this lab was replaced, then close the widget and release what it holds."""
        self.view.put(transport=self._transport())
        self.view.unobserve_all()
        self.view.close()


def first_colour(session: Session) -> int:
    """The index of the true parameter that colours the tasks at first: the one that groups them, else the first."""
    group = session.split.validation.group
    return 0 if group is None else session.tasks.truth_names.index(group)


def _settled(sent: dict[str, Any]) -> dict[str, Any]:
    about = [(run["name"], run["about"]) for run in sent["runs"]]
    bar = (sent["progress"] or {}).get("button")  # a bar that comes or goes is sent at once; it grows with pictures
    return {**{name: value for name, value in sent.items() if name not in _EVER_NEW}, "about": about, "bar": bar}
