"""The panel of a session: the cable between one run, or two side by side, and the page that shows them.

The page's wishes come in here as messages. What moves a session is left with the player, whose worker also puts
together what goes out (see `showing`), so that a message costs the kernel's own thread next to nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.live import runs
from taskembed_edu.live.controls import page_value
from taskembed_edu.live.defaults_for import Suits, comes_along, nothing_special, words_for
from taskembed_edu.live.lab_view import LabView
from taskembed_edu.live.player import Player, running_cell, stop_replaced
from taskembed_edu.live.precompile import warm_in_background
from taskembed_edu.live.saving import save
from taskembed_edu.live.status import Said, other_metrics
from taskembed_edu.live.still import Still
from taskembed_edu.live.view_updater import Screen, Wanted
from taskembed_edu.projection.umap_steps import is_loaded
from taskembed_edu.session.history import Frame, History
from taskembed_edu.session.session import Session

Message = dict[str, Any]

# These say nothing about what the learner does: what the status line says stays.
_OF_THE_PAGE = ("shown", "rows", "all")

# While nothing happens the worker looks up once a second.
_QUIET_ROUNDS = 3

# How long two runs may have other tasks, until the second is reset too.
_PATIENCE_SECONDS = 1.0


class SessionPanel:
    """A session on a page: `view` is the widget, `player` moves the sessions, `sessions` are the runs shown.

    `main` names the settings that are always in sight. With `umap_when_ready` the map goes over to UMAP once that is
    compiled. `suits` says which settings suit the tasks of a family: they are wished along with it. `stop()` ends the
    panel for good; the sessions stay as they are.
    """

    def __init__(
        self,
        session: Session,
        title: str,
        main: Sequence[str],
        *,
        umap_when_ready: bool = False,
        suits: Suits = nothing_special,
    ) -> None:
        self.title = title
        self._suits = suits
        # Of the wishes, those that nobody uttered: they came along with another one.
        self._along: dict[str, Any] = {}
        self._wanted = Wanted(warming=umap_when_ready)
        self._warming_begun = self._umap_is_here = False
        self._acknowledged = 0
        self._histories: dict[Session, History] = {}
        self._new = False  # whether there is a frame that the screen has not heard of
        self._differ_since = math.inf  # since when two runs stand side by side that have other tasks
        # What the page asked for and the worker has not yet seen to: "look", "rows", "all", "controls".
        self._asked: set[str] = set()
        self.still = Still()
        # For how many rounds nothing has happened: the page was drawn, and nobody moves or asks for anything.
        self._quiet = 0
        self._screen: Screen | None = None
        if umap_when_ready:
            session.named.discard("projection")  # PCA was put there to wait for UMAP: nobody asked for it
        self.player = Player(session, self._new_frame, self._tend)
        self._screen = Screen(self.player, self._wanted, title, main)
        self.view.on_msg(self._hear)
        self.view.observe(lambda _change: self._ask("look"), names="chosen")
        stop_replaced(running_cell(), self)

    @property
    def view(self) -> LabView:
        """The widget on the page."""
        assert self._screen is not None
        return self._screen.view

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The runs on screen: run A and, when branched, run B."""
        return self.player.sessions

    def stop(self) -> None:
        """End the player's thread and close the view. The sessions stay, with everything in them."""
        self.player.stop()
        if self._screen is not None:
            self.view.on_msg(self._hear, remove=True)
            self._screen.close()

    # ---- the page's wishes, on the kernel's thread -----------------------------------------------------------------

    def _hear(self, _view: Any, message: Any, _buffers: Any) -> None:
        """One message of a page. Whatever it holds, no error reaches the kernel's log: it is said in the status."""
        do = message.get("do") if isinstance(message, dict) else None
        wish = _WISHES.get(do) if isinstance(do, str) else None
        if wish is None or self.player.stopped:
            return
        if do not in _OF_THE_PAGE:
            self._wanted.say(None)
            if self.player.failed is None:
                self.player.failure = None  # a wish that failed is over; a run that failed stays so until it is mended
        try:
            wish(self, message)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            self._say(Said(str(error), "alarm"))
            self._ask("controls")

    def _ask(self, *what: str) -> None:
        self._asked.update(what)
        self.player.nudge()

    def _say(self, said: Said | None) -> None:
        self._wanted.say(said)
        self._ask()

    def _play(self, message: Message) -> None:
        self._back_to_now()
        (self.player.play if message["do"] == "play" else self.player.step)()
        self._ask()

    def _pause(self, _message: Message) -> None:
        self.player.pause(wait=False)
        self._ask()

    def _back_to_now(self) -> None:
        if self._wanted.looking is not None:
            self._wanted.say(
                Said("Back to now: the newest picture goes on. To go on from the past, press Branch there.")
            )
            self._wanted.looking = None
            self._ask("look")

    def _set(self, message: Message) -> None:
        changes = message["changes"]
        if not isinstance(changes, dict):
            raise TypeError(problem("changes", changes, "names and values of settings"))
        session = self.player.session
        asked = {str(name): value for name, value in changes.items()}
        changes = {}
        for name in sorted(asked, key=lambda name: name != "family"):  # the tasks first: the others must suit them
            changes[name] = page_value(session, name, asked[name], {**self._wanted.wishes, **changes})
        declared = session.declared()
        live = {name: value for name, value in changes.items() if declared[name].live}
        session.named.update(changes)  # who chooses a map, say, is not given another one
        self._take_wishes(session, changes)
        if "projection" in live:
            self._wanted.warming = False
        if live.get("metric") == self._wanted.compare:
            self._wanted.compare = ""  # it is the run's own now: there is nothing to compare
        if live.get("projection") == "umap" and not is_loaded():
            self._job_for_the_active_run(lambda session: self._load_umap(session, live))
        elif live:
            self.player.set(**live)
        if asked != changes:
            self._ask("controls")
        self._ask()

    def _load_umap(self, session: Session, changes: Message) -> None:
        """Have UMAP draw the map for the first time in this kernel: say so before, since nothing moves meanwhile."""
        self._wanted.say(Said("UMAP is made ready. The first time on a computer this takes about half a minute."))
        self._shown().refresh(now=True)
        session.set_within_range(**changes)

    def _take_wishes(self, session: Session, changes: Message) -> None:
        """Note what must wait for a reset, and what comes along with it; what is back at its value waits no more."""
        declared, values, wanted = session.declared(), session.values(), self._wanted
        waiting = wanted.wishes  # what came along and waits no more was of another run, or of before a reset
        before = {n: v for n, v in self._along.items() if n not in changes and waiting.get(n) == v}
        for name, value in changes.items():
            if declared[name].live or value == values[name]:  # it applies at once, or there is nothing to apply
                wanted.unwish({name: wanted.wishes.get(name)})
            else:
                wanted.wish(name, value)
        own = {n: value for n, value in wanted.wishes.items() if n not in before or before[n] != value}
        moved = {name: value for name, value in changes.items() if declared[name].live}
        self._along = comes_along(session, own, self._suits, moved)
        wanted.unwish({name: value for name, value in before.items() if name not in self._along})
        for name, value in self._along.items():
            wanted.wish(name, value)
        if self._along:
            wanted.say(Said(words_for(session, wanted.wishes, self._along)))

    def _look(self, message: Message) -> None:
        step = message.get("step")
        newest = max(session.frame.step for session in self.sessions)
        self._wanted.looking = None if step is None else min(_whole("step", step), newest)
        self._ask("look")

    def _compare_with(self, message: Message) -> None:
        metric = message.get("metric") or ""
        if metric:
            check_choice("metric", metric, [other["value"] for other in other_metrics(self.player.session)])
        self._wanted.compare = metric
        self._ask("look")

    def _make_active(self, message: Message) -> None:
        before = self.player.session
        self.player.active = min(_whole("run", message["run"]), len(self.sessions) - 1)
        if self.player.session is not before:
            self._wanted.unwish(self._wanted.wishes)  # they were wished for the other run
        self._ask("controls")

    def _has_shown(self, message: Message) -> None:
        number = _whole("number", message["number"])
        if number > self.view.picture["number"]:
            return  # of a lab before this one: to believe it would be to wait for nobody's answer any more
        self._acknowledged = max(self._acknowledged, number)
        self.player.nudge()
        if self._wanted.warming and not self._warming_begun:
            # Only now: a lab that no page shows (a script, a test) has no use for two seconds of work behind its back.
            self._warming_begun = True
            warm_in_background(self._umap_is_ready, self._umap_is_not_ready)

    def _send_again(self, message: Message) -> None:
        self._ask(message["do"])

    # ---- wishes that the worker fulfils ----------------------------------------------------------------------------

    def _job(self, job: Callable[[], Said | None], pausing: bool = False) -> None:
        def do_and_say() -> None:
            before = self.sessions
            said = job()
            if self.sessions != before:
                self._wanted.unwish(self._wanted.wishes)  # they were wished for what is not active, or not here, now
            self._say(said)
            self._ask("look")

        self.player.do(do_and_say, pausing=pausing)

    def _job_for_the_active_run(self, job: Callable[[Session], Said | None], pausing: bool = False) -> None:
        """A job for the run that is active now: until the worker comes to it, another one may be."""
        session = self.player.session
        gone = Said("The run that this was meant for has left the screen: nothing was changed.")
        self._job(lambda: job(session) if session in self.sessions else gone, pausing=pausing)

    def _branch(self, message: Message) -> None:
        step = _whole("step", message["step"]) if message.get("step") is not None else None

        def go_on_from_there() -> Said:
            moment = step if step is not None else self._shown().moment
            self._wanted.looking = None
            return runs.branch(self.player, moment)

        self._job(go_on_from_there)

    def _keep(self, message: Message) -> None:
        run = _whole("run", message["run"])
        self._job(lambda: runs.keep(self.player, run))

    def _reset(self, message: Message) -> None:
        another = message["do"] == "new seed"

        wishes = self._wanted.wishes
        along = tuple(name for name, value in self._along.items() if wishes.get(name) == value)

        def begin_again(session: Session) -> Said:
            seed = {"seed": session.setup.seed + 1} if another else {}
            said = runs.reset(self.player, session, {**wishes, **seed}, along, self._suits)
            self._wanted.unwish(wishes)  # but not what was wished meanwhile: that waits for the next reset
            self._wanted.looking = None
            return said

        self._job_for_the_active_run(begin_again, pausing=True)

    def _rewind(self, _message: Message) -> None:
        self._wanted.looking = None
        self._job(lambda: runs.rewind(self.player), pausing=True)

    def _undo(self, _message: Message) -> None:
        self._job_for_the_active_run(lambda session: runs.undo(self.player, session))

    def _embed_again(self, _message: Message) -> None:
        self._job_for_the_active_run(runs.embed_again)

    def _code(self, _message: Message) -> None:
        self.player.do(lambda: self.view.send({"tell": "code", "text": self.player.session.code()}))

    def _export(self, message: Message) -> None:
        what = str(message["what"])
        self.player.do(lambda: self._save(what))

    def _save(self, what: str) -> None:
        session = self.player.session
        try:
            frame = self._shown().frame_at(session)
            path, words = save(what, self.sessions, self.player.active, frame, self._colour(), self.title)
        except (OSError, ValueError, TypeError, ImportError) as error:
            self.view.send({"tell": "not saved", "text": f"Not saved: {error}"})
        else:
            self.view.send({"tell": "saved", "path": str(path), "text": words})

    def _colour(self) -> int:
        return min(self.view.colour, len(self.player.session.tasks.truth_names) - 1)

    # ---- the worker ------------------------------------------------------------------------------------------------

    def _shown(self) -> Screen:
        assert self._screen is not None
        return self._screen

    def _new_frame(self, _frame: Frame) -> None:
        self._new = True

    def _tend(self) -> None:
        """See to what was asked for, in an order in which nothing is sent twice."""
        screen = self._screen
        if screen is None:
            return
        if self._waits_for_the_other_run():
            return
        # Who asked for PCA, here or in a cell, keeps it. A run that has failed cannot be drawn anew.
        if self._umap_is_here and self.player.failure is None and runs.go_over_to_umap(self.player):
            self.player.nudge()
        self._leave_a_past_that_is_gone()
        screen.taken(self._acknowledged)
        if self._new:
            self._new = False
            screen.new_frame()
        asked = {self._asked.pop() for _ in range(len(self._asked))}
        if "all" in asked:
            screen.send_all()
        elif "rows" in asked:
            screen.send_rows()
        if "look" in asked:
            screen.look()
        if "controls" in asked:
            screen.send_controls_again()
        self._wanted.fade(self.player.playing)
        screen.refresh()
        self._tend_still(screen, bool(asked))

    def _waits_for_the_other_run(self) -> bool:
        """Two runs with other tasks make no picture. A cell that resets both does so one by one: wait a little."""
        if not runs.tasks_differ(self.player):
            self._differ_since = math.inf
            return False
        now = time.monotonic()
        self._differ_since = min(self._differ_since, now)
        if now - self._differ_since < _PATIENCE_SECONDS and not self.player.playing:
            return True
        self._wanted.say(runs.part(self.player))
        return False

    def _leave_a_past_that_is_gone(self) -> None:
        """Show now again, where a cell has reset or rewound what was looked at."""
        before, self._histories = self._histories, {session: session.history for session in self.sessions}
        looking = self._wanted.looking
        made_anew = any(before.get(session, history) is not history for session, history in self._histories.items())
        if looking is not None and (made_anew or looking > max(session.frame.step for session in self.sessions)):
            self._wanted.looking = None
            self._asked.add("look")

    def _tend_still(self, screen: Screen, asked: bool) -> None:
        """Leave a still picture in the notebook, once nothing has happened for some seconds."""
        if not self._acknowledged:
            return
        self.still.fill()
        self._quiet = 0 if asked or self.player.playing else self._quiet + 1
        if self._quiet >= _QUIET_ROUNDS:
            session = self.player.session
            self.still.draw(session, screen.frame_at(session), screen.view.picture["words"])

    # ---- UMAP ------------------------------------------------------------------------------------------------------

    def _umap_is_ready(self) -> None:
        self._umap_is_here, self._wanted.warming = True, False
        self.player.nudge()

    def _umap_is_not_ready(self, error: Exception) -> None:
        self._wanted.warming = False
        self._say(
            Said(f"UMAP cannot be used here ({error}). The map stays with PCA, and everything else works.", "alarm")
        )


def _whole(name: str, value: Any) -> int:
    number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    if not number or isinstance(value, bool) or value < 0 or value != int(value):
        raise ValueError(problem(name, value, "a whole number from 0"))
    return int(value)


# What the page may say; anything else is passed over.
_WISHES: dict[str, Callable[[SessionPanel, Message], None]] = {
    "play": SessionPanel._play,
    "step": SessionPanel._play,
    "pause": SessionPanel._pause,
    "set": SessionPanel._set,
    "reset": SessionPanel._reset,
    "new seed": SessionPanel._reset,
    "undo": SessionPanel._undo,
    "branch": SessionPanel._branch,
    "keep": SessionPanel._keep,
    "active": SessionPanel._make_active,
    "rewind": SessionPanel._rewind,
    "embed again": SessionPanel._embed_again,
    "compare": SessionPanel._compare_with,
    "look": SessionPanel._look,
    "shown": SessionPanel._has_shown,
    "rows": SessionPanel._send_again,
    "all": SessionPanel._send_again,
    "code": SessionPanel._code,
    "export": SessionPanel._export,
}
