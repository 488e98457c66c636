"""The panel of a session: it connects one run, or two side by side, with the page that shows them.

The page's messages arrive here on the kernel's thread, and each goes to its handler. Only the player's worker changes a
session, and it also builds what is sent (see `view_updater`): so a message takes the kernel almost no time.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.files import reason
from taskembed_edu.live import packets, runs
from taskembed_edu.live.bench import Bench
from taskembed_edu.live.cells import running_cell, stop_replaced
from taskembed_edu.live.controls import page_value
from taskembed_edu.live.defaults_for import DefaultsFor, implied_changes, no_defaults, out_of_range_words, words_for
from taskembed_edu.live.judging import Judging, JudgingCancelledError
from taskembed_edu.live.lab_view import LabView
from taskembed_edu.live.player import Player
from taskembed_edu.live.precompile import precompile_in_background
from taskembed_edu.live.progress import CANCEL, UMAP_COMES, reported
from taskembed_edu.live.saving import Pair, save
from taskembed_edu.live.status import TWO_RUNS, StatusMessage, comparisons, run_name
from taskembed_edu.live.still import Still
from taskembed_edu.live.surface import compare_methods
from taskembed_edu.live.view_updater import UiState, ViewUpdater
from taskembed_edu.projection.umap_steps import is_loaded
from taskembed_edu.session.history import Frame, History
from taskembed_edu.session.session import Session
from taskembed_edu.session.setup import MAP_SETTINGS, Setup
from taskembed_edu.session.side_by_side import Judged, common_families
from taskembed_edu.session.slow_motion import adapts

Message = dict[str, Any]

# The line of code that opens a lab on the tasks of these runs with these settings: one run, or both of a pair.
OpenedBy = Callable[..., str]

# Messages that the page sends by itself: the learner did nothing, so the status line does not change.
_OF_THE_PAGE = ("shown", "bench shown", "rows", "all")

# The still picture is drawn after so many rounds without a change; an idle worker makes one round a second.
_QUIET_ROUNDS = 3

# What stands beside the bar while the worker is at it.
_GOING_BACK = "The run goes back"
_JUDGING = "Scorecards"
_MADE = {"gif": "The film is made", "html": "The page is written"}

# How long two runs may have different tasks before one is removed: a cell may reset them one after the other.
_PATIENCE_SECONDS = 1.0


class SessionPanel:
    """A session on a page: `view` is the widget, `player` trains the sessions, `sessions` are the runs shown.

    `main` names the settings that are always visible. With `umap_when_ready` the map changes from PCA to UMAP once that
    is compiled. `defaults_for` gives the default settings for a family: they change together with the family.
    `opened_by((session, values))` gives the line of code that opens the lab of a session with given settings.
    `other` is a second session that stays beside the first: another embedder on the same tasks, with its own
    `other_defaults`. Tasks and map are then set for both, and both can be judged. `stop()` ends the panel for good; the
    sessions stay as they are.
    """

    def __init__(
        self,
        session: Session,
        title: str,
        main: Sequence[str],
        *,
        umap_when_ready: bool = False,
        defaults_for: DefaultsFor = no_defaults,
        opened_by: OpenedBy | None = None,
        other: Session | None = None,
        other_defaults: DefaultsFor = no_defaults,
    ) -> None:
        self.title = title
        self._opened_by = opened_by
        self._usual = {session: defaults_for, **({} if other is None else {other: other_defaults})}
        self._judging = Judging()
        # The pending settings that nobody chose: another pending setting implied them.
        self._implied: dict[str, Any] = {}
        self._ui = UiState(precompiling=umap_when_ready)
        self._precompile_started = self._umap_ready = False
        self._map_moves = threading.Event()
        self._acknowledged = 0  # the number of the last picture that the page has drawn
        self._histories: dict[Session, History] = {}
        self._drawn_by = ""  # the projection of the first run, as last seen
        self._differ_since = math.inf  # when two runs side by side began to have different tasks
        # What the worker must send again: "look" (a picture), "rows", "all", "controls".
        self._requested: set[str] = set()
        self.still = Still()
        self._quiet = 0  # how many rounds have passed without a change
        self._updater: ViewUpdater | None = None
        self.bench: Bench | None = None
        if umap_when_ready:
            for each in self._usual:
                each.user_set.discard("projection")  # PCA is shown until UMAP is ready: the user did not choose it
        self.player = Player(session, self._update, other)
        # On these families both maps of a pair show the same tasks; without a pair none is left out.
        self._families = () if other is None else common_families([session.embedder, other.embedder])
        self._updater = ViewUpdater(self.player, self._ui, title, main, self._families)
        if other is None and adapts(session):
            self.bench = Bench(self.player, self.view)
            self.player.wake()
        self.view.on_msg(self._on_message)
        self.view.observe(lambda _change: self._request("look"), names=("chosen", "selected"))
        self.view.observe(self._choose_for_bench, names="chosen")
        stop_replaced(running_cell(), self)

    @property
    def view(self) -> LabView:
        """The widget on the page."""
        assert self._updater is not None
        return self._updater.view

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The runs on screen: run A and, when branched, run B."""
        return self.player.sessions

    @property
    def judged(self) -> Judged | None:
        """The scorecards of a pair that were made last, on screen or in a cell; None: none yet."""
        return self._ui.judged

    @judged.setter
    def judged(self, judged: Judged | None) -> None:
        self._ui.judged = judged
        self._request("scorecards")

    def _defaults_of(self, session: Session) -> DefaultsFor:
        # A branch begins as the run that it was taken from.
        return self._usual.get(session, next(iter(self._usual.values())))

    def beside(self, frame: Frame) -> Frame | None:
        """The frame as the PCA map beside the run's UMAP map shows it; None where one map is shown a run."""
        return self._view_updater().beside(frame)

    def stop(self) -> None:
        """End the player's thread and close the view. The sessions stay, with everything in them."""
        self.player.stop()
        if self._updater is not None:
            self.view.on_msg(self._on_message, remove=True)
            self._updater.close()

    def left_the_page(self) -> None:
        """The cell that showed the lab was run again without it: training pauses, and says so where it is shown next.

        Nobody would see it train. The run stays, and goes on with Play.
        """
        if self.player.playing and not self.player.stopped:
            self.player.pause(wait=False)
            self._say(
                StatusMessage(f"Paused at step {self.player.session.steps}: its cell was run again without the lab.")
            )

    # ---- messages from the page, on the kernel's thread ------------------------------------------------------------

    def _on_message(self, _view: Any, message: Any, _buffers: Any) -> None:
        """Handle one message of a page. An error goes to the status line, never to the kernel's log."""
        do = message.get("do") if isinstance(message, dict) else None
        handler = _HANDLERS.get(do) if isinstance(do, str) else None
        if handler is None or self.player.stopped:
            return
        if do not in _OF_THE_PAGE:
            self._ui.say(None)
            if self.player.failed is None:
                self.player.failure = None  # forget a message's failure; a run's stays until it is rewound or reset
        try:
            handler(self, message)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            self._say(StatusMessage(str(error), "alarm"))
            self._request("controls")

    def _request(self, *what: str) -> None:
        self._requested.update(what)
        self.player.wake()

    def _say(self, said: StatusMessage | None) -> None:
        self._ui.say(said)
        self._request()

    def _play(self, message: Message) -> None:
        self._back_to_now()
        (self.player.play if message["do"] == "play" else self.player.step)()
        self._request()

    def _pause(self, _message: Message) -> None:
        self.player.pause(wait=False)
        self._request()

    def _back_to_now(self) -> None:
        if self._ui.viewed_step is not None:
            self._ui.say(
                StatusMessage("Back to now: the newest picture goes on. To go on from the past, press Branch there.")
            )
            self._ui.viewed_step = None
            self._request("look")

    def _set(self, message: Message) -> None:
        changes = message["changes"]
        if not isinstance(changes, dict):
            raise TypeError(problem("changes", changes, "names and values of settings"))
        session = self.player.session
        asked = {str(name): value for name, value in changes.items()}
        if self._families and "family" in asked:
            check_choice("family", asked["family"], [*self._families, *session.own_families])
        changes = {}
        for name in sorted(asked, key=lambda name: name != "family"):  # the tasks first: the others must fit them
            changes[name] = page_value(session, name, asked[name], {**self._ui.pending, **changes})
        declared = session.declared()
        live = {name: value for name, value in changes.items() if declared[name].live}
        session.user_set.update(changes)  # another setting never changes what the user chose
        self._note_pending(session, changes)
        if "projection" in live:
            self._ui.precompiling = False
            self._one_map()
        if live.get("metric") == self._ui.compare:
            self._ui.compare = ""  # the run uses this metric now: nothing to compare
        if live.get("projection") == "umap" and not is_loaded():
            self._job_for_the_active_run(lambda session: self._load_umap(session, live), UMAP_COMES)
        elif live:
            moved_along = out_of_range_words(session, live)
            if moved_along:
                self._ui.say(StatusMessage(moved_along))
            self.player.set(**live)
            self._move_the_other_map(live)
        if asked != changes:
            self._request("controls")
        self._request()

    def _move_the_other_map(self, live: Message) -> None:
        """How the map is drawn is set for both of a pair."""
        drawn = {name: value for name, value in live.items() if name in MAP_SETTINGS}
        for other in self.player.moved_with(self.player.session):
            other.user_set.update(drawn)
            if drawn:
                self.player.set_of(other, **drawn)

    def _show_both(self, _message: Message) -> None:
        """Two maps of the one run: UMAP is the run's own, as if it had been chosen, and PCA is only looked at."""
        if len(self.sessions) > 1:
            raise ValueError(TWO_RUNS)
        self._set({"changes": {"projection": "umap"}})
        self._ui.both = True
        self._request("look")

    def _one_map(self) -> None:
        if self._ui.both:
            self._ui.both = False
            self._requested.add("look")

    def _catch_up(self, message: Message) -> None:
        on = message["on"]
        if not isinstance(on, bool):
            raise TypeError(problem("on", on, "true or false"))
        self.player.catch_up(on)
        if not self.player.gap:
            return  # the runs have met since the page drew the button
        alone = "The run that is behind trains alone until it is where the other one is."
        apart = "Nobody waits: each run goes on from its own step, and its map shows that step."
        self._say(StatusMessage(alone if on else apart))
        self._request("look")

    def _speed(self, message: Message) -> None:
        rate = message["rate"]
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < math.inf:
            raise ValueError(problem("speed", rate, "steps a second, or 0 for as fast as it goes"))
        self.player.limit(rate or math.inf)
        self._request()

    def _defaults(self, _message: Message) -> None:
        """All settings but the tasks, the seed and the map back to this lab's defaults, as one change."""
        session = self.player.session
        usual = {**session.embedder.settings_class().as_dict(), "n_tasks": Setup().n_tasks}
        usual |= {n: v for n, v in self._defaults_of(session)(session.setup.family).items() if n != "projection"}
        now = {**session.values(), **self._ui.pending}
        changes = {name: value for name, value in usual.items() if now[name] != value}
        chosen = session.user_set - changes.keys()
        self._set({"changes": changes})
        session.user_set.intersection_update(chosen)  # the learner has chosen none of these
        labels = ", ".join(session.declared()[name].label for name in changes)
        waits = " Press Reset for those that apply at reset." if self._ui.pending else ""
        self._say(
            StatusMessage(f"Back to defaults: {labels}.{waits}" if changes else "All settings are at their defaults.")
        )

    def _load_umap(self, session: Session, changes: Message) -> None:
        """Compute UMAP's first map in this kernel; tell the page before, since training waits meanwhile."""
        self._ui.say(StatusMessage(f"{UMAP_COMES}. The first time on a computer this takes about half a minute."))
        self._view_updater().refresh(now=True)
        session.set_clamped(**changes)
        self._move_the_other_map(changes)

    def _note_pending(self, session: Session, changes: Message) -> None:
        """Make settings pending that need a reset, and those they imply; a value that is set back is removed."""
        declared, values, ui = session.declared(), session.values(), self._ui
        waiting = ui.pending  # implied settings no longer pending are from another run, or from before a reset
        before = {n: v for n, v in self._implied.items() if n not in changes and waiting.get(n) == v}
        for name, value in changes.items():
            if declared[name].live or value == values[name]:  # it applies at once, or there is nothing to apply
                ui.discard_pending({name: ui.pending.get(name)})
            else:
                ui.set_pending(name, value)
        own = {n: value for n, value in ui.pending.items() if n not in before or before[n] != value}
        moved = {name: value for name, value in changes.items() if declared[name].live}
        self._implied = implied_changes(session, own, self._defaults_of(session), moved)
        ui.discard_pending({name: value for name, value in before.items() if name not in self._implied})
        for name, value in self._implied.items():
            ui.set_pending(name, value)
        if self._implied:
            ui.say(StatusMessage(words_for(session, ui.pending, self._implied)))

    def _look(self, message: Message) -> None:
        step = message.get("step")
        newest = max(session.frame.step for session in self.sessions)
        self._ui.viewed_step = None if step is None else min(_whole("step", step), newest)
        self._request("look")

    def _compare_with(self, message: Message) -> None:
        metric = message.get("metric") or ""
        if metric:
            check_choice("metric", metric, [other["value"] for other in comparisons(self.player)])
        self._ui.compare = metric
        self._request("look")

    def _make_active(self, message: Message) -> None:
        before = self.player.session
        self.player.active = min(_whole("run", message["run"]), len(self.sessions) - 1)
        if self.player.session is not before:
            waiting = self._ui.pending
            self._ui.discard_pending(waiting)  # they were set for the other run
            if self.player.paired:  # the tasks are those of both
                self._note_pending(self.player.session, {n: v for n, v in waiting.items() if n in Setup.declared()})
        self._request("controls")

    def _has_shown(self, message: Message) -> None:
        number = _whole("number", message["number"])
        if number > self.view.picture["number"]:
            return  # it acknowledges an earlier lab's picture: counting it would let this lab flood the page
        self._acknowledged = max(self._acknowledged, number)
        self.player.wake()
        if self._ui.precompiling and not self._precompile_started:
            # Only when a page shows the lab: a script or a test should not spend two seconds on compiling.
            self._precompile_started = True
            precompile_in_background(self._on_umap_ready, self._on_umap_failed, self._map_moves)
        if number > 1:
            self._map_moves.set()

    def _send_again(self, message: Message) -> None:
        self._request(message["do"])

    # ---- the bench: see bench.py -----------------------------------------------------------------------------------

    def _hear_bench(self, message: Message) -> None:
        if self.bench is not None:
            self.bench.hear(message)
            self.player.wake()

    def _bench_shown(self, message: Message) -> None:
        if self.bench is not None:
            self.bench.taken(_whole("number", message["number"]))
            self.player.wake()

    def _choose_for_bench(self, change: Any) -> None:
        if self.bench is not None and change["new"] < len(self.player.session.tasks):
            self.bench.show_task(change["new"])

    # ---- messages that become jobs of the worker ---------------------------------------------------------------------

    def _job(
        self, job: Callable[[], StatusMessage | None], words: str = "", pausing: bool = False, button: str = ""
    ) -> None:
        """Have the worker do this; `words` stand beside a bar meanwhile ("": it takes no time), and a button."""

        def do_and_say() -> None:
            before = self.sessions
            with reported(words, self._view_updater().tell_progress, button) if words else nullcontext():
                said = job()
            if self.sessions != before:
                self._ui.discard_pending(self._ui.pending)  # they were for the run that was active
            self._say(said)
            self._request("look")

        self.player.do(do_and_say, pausing=pausing)

    def _job_for_the_active_run(
        self, job: Callable[[Session], StatusMessage | None], words: str = "", pausing: bool = False
    ) -> None:
        """A job for the run that is active now: when the worker does it, another run may be active."""
        session = self.player.session
        gone = StatusMessage("The run that this was meant for has left the screen: nothing was changed.")
        self._job(lambda: job(session) if session in self.sessions else gone, words, pausing)

    def _branch(self, message: Message) -> None:
        step = _whole("step", message["step"]) if message.get("step") is not None else None

        def go_on_from_there() -> StatusMessage:
            moment = step if step is not None else self._view_updater().moment
            self._ui.viewed_step = None
            self._ui.both = False  # two runs have a map each
            return runs.branch(self.player, moment)

        self._job(go_on_from_there, "Run B is made")

    def _keep(self, message: Message) -> None:
        run = _whole("run", message["run"])
        self._job(lambda: runs.keep(self.player, run))

    def _reset(self, message: Message) -> None:
        another = message["do"] == "new seed"

        pending = self._ui.pending
        along = tuple(name for name, value in self._implied.items() if pending.get(name) == value)

        def begin_again(session: Session) -> StatusMessage:
            seed = {"seed": session.setup.seed + 1} if another else {}
            said = runs.reset(self.player, session, {**pending, **seed}, along, self._defaults_of)
            self._ui.discard_pending(pending)  # settings changed meanwhile wait for the next reset
            self._ui.viewed_step = None
            return said

        self._job_for_the_active_run(begin_again, "The run begins again", pausing=True)

    def _rewind(self, _message: Message) -> None:
        self._ui.viewed_step = None
        self._job(lambda: runs.rewind(self.player), _GOING_BACK, pausing=True)

    def _recover(self, message: Message) -> None:
        run = _whole("run", message.get("run", 0))
        self._ui.viewed_step = None
        self._job(lambda: runs.recover(self.player, run), _GOING_BACK, pausing=True)

    def _undo(self, _message: Message) -> None:
        self._job_for_the_active_run(lambda session: runs.undo(self.player, session))

    def _embed_again(self, _message: Message) -> None:
        self._job_for_the_active_run(lambda session: runs.embed_again(self.player, session), "The map is made again")

    def _judge(self, _message: Message) -> None:
        if not self.player.paired:
            raise ValueError(problem("judge", "one embedder", "two side by side: EvaluationLab(...)"))
        self._job(self._make_scorecards, _JUDGING, button=CANCEL)

    def _make_scorecards(self) -> StatusMessage:
        try:
            self.judged = judged = self._judging.judge(self.sessions)
        except JudgingCancelledError:
            return StatusMessage("Cancelled: no scorecards were made.")
        steps = " and ".join(map(str, sorted(set(judged.steps))))
        return StatusMessage(f"Both were judged at step {steps}: see the scorecards below.", "good")

    def _cancel(self, _message: Message) -> None:
        self._judging.cancel()

    def _compare_methods(self, _message: Message) -> None:
        """Compute the ways of the methods from the run's first start, and draw them over the loss."""

        def compare(session: Session) -> StatusMessage:
            if not compare_methods(session):
                return StatusMessage("The network of this run has more than two numbers: no plane shows its starts.")
            return StatusMessage("The ways of three methods from the first start of this run, on the same tasks.")

        self._job_for_the_active_run(compare, "The methods are compared")

    def _code(self, _message: Message) -> None:
        self.player.do(self._tell_code)

    def _tell_code(self) -> None:
        session = self.player.session
        shown = self.sessions if self.player.paired else (session,)
        past, frame_at = self._ui.viewed_step is not None, self._view_updater().frame_at
        values = [each.values_at(frame_at(each)) if past else each.values() for each in shown]
        line = "" if self._opened_by is None else self._opened_by(*zip(shown, values, strict=True))
        whose = run_name(self.player, self.player.active) if len(self.sessions) > 1 else ""
        self.view.send({"tell": "code", "text": session.code(), "line": line, "run": whose})

    def _export(self, message: Message) -> None:
        what = str(message["what"])
        only_selected = bool(message.get("selected"))
        if only_selected:
            self._selected()  # refused at once if there is none
        self.player.do(lambda: self._save(what, only_selected))

    def _selected(self) -> list[int]:
        n_tasks = len(self.player.session.tasks)
        tasks = [task for task in self.view.selected if task < n_tasks]
        if not tasks:
            raise ValueError(problem("selected", "no task", "one task or more", "Draw round some with the lasso."))
        return tasks

    def _save(self, what: str, only_selected: bool) -> None:
        session = self.player.session
        try:
            tasks = self._selected() if only_selected else ()  # now: a reset may have left fewer tasks
            frame = self._view_updater().frame_at(session)
            shown = self.sessions, self.player.active, frame, self._colour(), self.title
            pair = Pair(self._view_updater().moment, self.judged, self.view.scorecards) if self.player.paired else None
            with reported(_MADE.get(what, "The file is written"), self._view_updater().tell_progress):
                more: dict[str, Any] = {}
                if what == "html" and self.bench is not None:
                    more["benches"] = self.bench.recorded()
                if pair is not None and pair.packet:
                    more["scorecards"] = dict(pair.packet)
                path, words = save(what, *shown, beside=self.beside(frame), tasks=tasks, more=more, pair=pair)
        except (OSError, ValueError, TypeError, ImportError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            self.view.send({"tell": "not saved", "text": f"Not saved: {why}"})
        else:
            self.view.send({"tell": "saved", "path": str(path), "text": words})

    def _colour(self) -> int:
        return max(0, min(self.view.colour, len(self.player.session.tasks.truth_names) - 1))

    # ---- the worker ------------------------------------------------------------------------------------------------

    def _view_updater(self) -> ViewUpdater:
        assert self._updater is not None
        return self._updater

    def _update(self) -> None:
        """Send the page what has changed and what was requested, in an order that sends nothing twice."""
        updater = self._updater
        if updater is None:
            return
        if self._waits_for_the_other_run():
            return
        # If the user chose PCA, on the page or in a cell, it stays. The map of a failed run cannot be computed again.
        if self._umap_ready and self.player.failure is None and runs.go_over_to_umap(self.player):
            self.player.wake()
        self._leave_a_past_that_is_gone()
        self._end_both_with_umap()
        updater.taken(self._acknowledged)
        if self.bench is not None:  # first: somebody may be dragging a point
            self.bench.update(tuple(packets.frames_at(self.sessions, updater.moment)))
        requested = {self._requested.pop() for _ in range(len(self._requested))}
        if "all" in requested:
            updater.send_all()
            if self.bench is not None:
                self.bench.send_again()
        elif "rows" in requested:
            updater.send_rows()
        if "look" in requested:
            updater.redraw()
        updater.offer_new_frames()
        if "controls" in requested:
            updater.send_controls_again()
        if "scorecards" in requested:
            updater.send_scorecards()
        self._ui.fade(self.player.playing)
        updater.refresh()
        self._update_still(updater, bool(requested))

    def _waits_for_the_other_run(self) -> bool:
        """Whether to draw nothing yet: two runs have different tasks. A cell may be resetting both: wait a little."""
        if not runs.tasks_differ(self.player):
            self._differ_since = math.inf
            return False
        now = time.monotonic()
        self._differ_since = min(self._differ_since, now)
        if now - self._differ_since < _PATIENCE_SECONDS and not self.player.playing:
            return True
        updater = self._view_updater()
        self._ui.say(runs.bring_together(self.player, updater.tasks) if self.player.paired else runs.part(self.player))
        return False

    def _leave_a_past_that_is_gone(self) -> None:
        """Return to the present if a cell has reset or rewound the run, so that the viewed step no longer exists."""
        before, self._histories = self._histories, {session: session.history for session in self.sessions}
        viewed_step = self._ui.viewed_step
        made_anew = any(before.get(session, history) is not history for session, history in self._histories.items())
        if made_anew:
            self._view_updater().outdate_scorecards()
        if viewed_step is not None and (
            made_anew or viewed_step > max(session.frame.step for session in self.sessions)
        ):
            self._ui.viewed_step = None
            self._requested.add("look")

    def _end_both_with_umap(self) -> None:
        """One map again if a cell has chosen PCA: a run that UMAP does not draw has no second map."""
        before, self._drawn_by = self._drawn_by, self.sessions[0].setup.projection
        if (before, self._drawn_by) == ("umap", "pca"):
            self._one_map()

    def _update_still(self, updater: ViewUpdater, requested: bool) -> None:
        """Put a still picture into the notebook once nothing has changed for some seconds."""
        if not self._acknowledged:
            return
        self.still.fill()
        self._quiet = 0 if requested or self.player.playing else self._quiet + 1
        if self._quiet >= _QUIET_ROUNDS:
            session = self.player.session
            frame = updater.frame_at(session)
            pair = [(each, updater.frame_at(each)) for each in self.sessions] if self.player.paired else []
            self.still.draw(session, frame, updater.view.picture["words"], updater.beside(frame), pair)

    # ---- UMAP ------------------------------------------------------------------------------------------------------

    def _on_umap_ready(self) -> None:
        self._umap_ready, self._ui.precompiling = True, False
        self.player.wake()

    def _on_umap_failed(self, error: Exception) -> None:
        self._ui.precompiling = False
        self._say(
            StatusMessage(
                f"UMAP cannot be used here ({error}). The map stays with PCA, and everything else works.", "alarm"
            )
        )


def _whole(name: str, value: Any) -> int:
    number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    if not number or isinstance(value, bool) or value < 0 or value != int(value):
        raise ValueError(problem(name, value, "a whole number from 0"))
    return int(value)


# The messages that a page may send; any other is ignored.
_HANDLERS: dict[str, Callable[[SessionPanel, Message], None]] = {
    "play": SessionPanel._play,
    "step": SessionPanel._play,
    "pause": SessionPanel._pause,
    "set": SessionPanel._set,
    "both": SessionPanel._show_both,
    "defaults": SessionPanel._defaults,
    "speed": SessionPanel._speed,
    "catch up": SessionPanel._catch_up,
    "reset": SessionPanel._reset,
    "new seed": SessionPanel._reset,
    "undo": SessionPanel._undo,
    "branch": SessionPanel._branch,
    "keep": SessionPanel._keep,
    "active": SessionPanel._make_active,
    "rewind": SessionPanel._rewind,
    "recover": SessionPanel._recover,
    "embed again": SessionPanel._embed_again,
    "compare": SessionPanel._compare_with,
    "look": SessionPanel._look,
    "compare methods": SessionPanel._compare_methods,
    "shown": SessionPanel._has_shown,
    "bench": SessionPanel._hear_bench,
    "bench shown": SessionPanel._bench_shown,
    "rows": SessionPanel._send_again,
    "all": SessionPanel._send_again,
    "judge": SessionPanel._judge,
    "cancel": SessionPanel._cancel,
    "code": SessionPanel._code,
    "export": SessionPanel._export,
}
