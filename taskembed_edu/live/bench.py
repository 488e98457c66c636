"""The bench: the inner loop in slow motion on the page, with points that the learner moves.

What lies on it (`Desk`) is the learner's and lives here, in the kernel: a page that is loaded again finds it as it was.
A message changes the desk and wakes the worker; the worker computes what is seen and sends it, also between two steps
of training. As with the map, the next one goes out when the page has drawn the one before.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.base.progress import counted
from taskembed_edu.live import packets
from taskembed_edu.live.bench_packet import bench_packet, size_of
from taskembed_edu.live.lab_view import LabView, PictureGate
from taskembed_edu.live.player import Player
from taskembed_edu.session.history import Frame
from taskembed_edu.session.on_the_map import evenly
from taskembed_edu.session.session import Session
from taskembed_edu.session.side_by_side import run_names, same_tasks
from taskembed_edu.session.slow_motion import (
    LEARNED,
    MOST_STEPS,
    Asked,
    Points,
    Seen,
    SlowMotion,
    checked_points,
    shows_curves,
)

# The known tasks' networks are trained a little at a time, so that a page is never kept waiting: seconds at once, and
# how many steps between two looks at the clock.
_AT_ONCE, _STEPS = 0.03, 2
# While training runs, the bench takes at most this share of the worker's time; what the learner does is shown at once.
_SHARE = 0.25
_AT_REST = 0.5  # seconds without a change, after which there is time for a search
_MOST_UNDONE = 100
# An exported page holds the bench at so many frames, and in so many bytes before they are compressed.
_MOST_RECORDED, _RECORDED_BYTES = 30, 500_000


@dataclass(frozen=True)
class Desk:
    """What lies on the bench: a task of the map, or the learner's own points (`own`), and how many steps are shown.

    `moved` are the points of tasks that the learner has changed. Nothing is lost by looking at another task.
    """

    task: int = 0
    own: bool = False
    drawn: Points = ()
    moved: Mapping[int, Points] = field(default_factory=dict)
    steps: int = 10

    @property
    def points(self) -> Points | None:
        """The points as the learner has put them; None: as the task came."""
        return self.drawn if self.own else self.moved.get(self.task)

    def with_points(self, points: Points | None) -> Desk:
        """The same desk with these points of the task, or of the learner's own; None: as the task came."""
        if self.own:
            return replace(self, drawn=points or ())
        others = {task: kept for task, kept in self.moved.items() if task != self.task}
        return replace(self, moved=others if points is None else {**others, self.task: points})


class Bench:
    """The bench of a panel: `hear` is called on the kernel's thread, everything else by the player's worker."""

    def __init__(self, player: Player, view: LabView) -> None:
        self.motion = SlowMotion()
        self.desk = Desk()
        self._player, self._view = player, view
        self._gate = PictureGate(self._send)
        self._undone: list[tuple[Any, Desk]] = []  # desks before a change, with the gesture that changed them
        self._tasks = player.session.tasks
        self._frames: tuple[Frame, ...] = ()
        self._offered: tuple[Any, ...] = ()
        self._asked_now = True
        self._stable: dict[str, float] | None = {}  # the largest stable rates of what was sent; None: not searched yet
        self._sent_at = 0.0
        self._next_at = 0.0  # when the bench may follow the training again
        self._acknowledged = 0

    # ---- messages, on the kernel's thread ---------------------------------------------------------------------------

    def hear(self, message: Mapping[str, Any]) -> None:
        """One message of the page. Errors: ValueError, TypeError or KeyError for one that makes no sense."""
        what, desk = message["what"], self.desk
        n_tasks = len(self._player.session.tasks)
        if what == "undo":
            if self._undone:
                self._put(self._undone.pop()[1], None, undoable=False)
        elif what == "points":
            self._put(desk.with_points(checked_points(message["points"])), message.get("gesture"))
        elif what == "own":
            self._put(replace(desk, own=True, drawn=()), None)
        elif what == "mine":
            self._put(replace(desk, own=True), None, undoable=False)
        elif what == "back":
            self._put(replace(desk, own=False).with_points(None) if not desk.own else replace(desk, own=False), None)
        elif what == "task":
            task = int(check_whole("task", message["task"], 0, n_tasks - 1))
            self._put(replace(desk, own=False, task=task), None, undoable=False)
        elif what == "steps":
            self._put(replace(desk, steps=int(check_whole("steps", message["steps"], 1, MOST_STEPS))), None, False)
        else:
            raise ValueError(problem("bench", repr(what), "points, own, mine, back, task, steps or undo"))

    def show_task(self, task: int) -> None:
        """The task that was chosen on the map lies on the bench."""
        if task >= 0:
            self._put(replace(self.desk, own=False, task=task), None, undoable=False)

    def taken(self, number: int) -> None:
        """The page has drawn the bench with this number."""
        self._acknowledged = max(self._acknowledged, number)

    def _put(self, desk: Desk, gesture: Any, undoable: bool = True) -> None:
        if desk == self.desk:
            return
        last = self._undone[-1][0] if self._undone else None
        if undoable and (gesture is None or gesture != last):  # one drag is one change
            self._undone = [*self._undone[-_MOST_UNDONE:], (gesture, self.desk)]
        self.desk, self._asked_now = desk, True

    # ---- the worker -------------------------------------------------------------------------------------------------

    def update(self, frames: tuple[Frame, ...]) -> None:
        """Send what has changed: frames shown, the desk, the settings, or the training of the known tasks."""
        self._frames = frames
        self._follow_tasks()
        self._train_known()
        self._gate.taken(self._acknowledged)
        now, asked = self._key(), self._asked_now
        playing = self._player.playing
        if _differ(now, self._offered) and (asked or not playing or time.monotonic() >= self._next_at):
            self._asked_now, self._stable = False, None
            self._gate.changed(now=asked)
        elif not playing:
            self._search_rates()
        if not playing:
            self._gate.flush()

    def _search_rates(self) -> None:
        """Where a start diverged, search the rate that it would bear: once nobody is dragging any more."""
        known = self.motion.known(self._player.session)
        if self._stable is not None or not known.finished or time.monotonic() - self._sent_at < _AT_REST:
            return
        self._stable = self.seen(self._frames).stable_rates()
        if self._stable:
            self._gate.changed()

    def send_again(self) -> None:
        """The page is new, or has lost what it had."""
        self._offered = ()
        self._gate.again()

    def _key(self) -> tuple[Any, ...]:
        session = self._player.session
        settings = [each.settings for each in self._player.sessions]
        known = self.motion.known(session)
        return (*self._frames, self.desk, known, known.done, self._player.active, *settings, bool(self._undone))

    def _follow_tasks(self) -> None:
        """After a reset to other tasks the points of the old ones have no meaning; the learner's own stay."""
        tasks = self._player.session.tasks
        if tasks is not self._tasks:
            if not same_tasks(tasks, self._tasks):
                self._undone = []
                self.desk = replace(self.desk, task=min(self.desk.task, len(tasks) - 1), moved={})
            self._tasks = tasks

    def _train_known(self) -> None:
        """Train the known tasks' networks a little, once a page shows the bench."""
        known = self.motion.known(self._player.session)
        if known.finished or not self._acknowledged:
            return
        begun = time.monotonic()
        while not known.finished and time.monotonic() - begun < _AT_ONCE:
            known.advance(_STEPS)
        self._player.wake()

    def _send(self, number: int) -> None:
        begun = time.monotonic()
        self._offered = self._key()
        step = self._frames[min(self._player.active, len(self._frames) - 1)].step
        self._view.put(bench={**self._packet(self._frames), "step": step, "number": number})
        self._sent_at = time.monotonic()
        self._next_at = self._sent_at + (self._sent_at - begun) * (1 / _SHARE - 1)

    def recorded(self) -> list[dict[str, Any]]:
        """The bench as it lies, for an exported page: at frames evenly spaced over the runs, the first and the last."""
        longest = max(self._player.sessions, key=lambda each: each.steps)
        self.motion.known(self._player.session).advance()  # a file is not filled in later
        first = self._packet(tuple(packets.frames_at(self._player.sessions, 0)))
        most = max(2, min(_MOST_RECORDED, _RECORDED_BYTES // max(1, size_of(first))))
        frames = [longest.history[k] for k in evenly(len(longest.history), most)]
        found = []
        for k in counted(len(frames)):
            shown = tuple(packets.frames_at(self._player.sessions, frames[k].step))
            found.append({**self._packet(shown), "step": frames[k].step, "number": k + 1, "undo": False})
        return found

    def _packet(self, frames: tuple[Frame, ...]) -> dict[str, Any]:
        packet = bench_packet(self.seen(frames), self._named(), bool(self._undone), self._stable or {})
        return {**packet, "moved": self.desk.points is not None, "mine": bool(self.desk.drawn)}

    def seen(self, frames: tuple[Frame, ...]) -> Seen:
        """What lies on the bench at these frames of the runs."""
        sessions, active = self._player.sessions, min(self._player.active, len(frames) - 1)
        session = sessions[active]
        asked, names = self.asked(session), run_names(sessions)
        beside = [
            (_learned(names[run]), other, frame)
            for run, (other, frame) in enumerate(zip(sessions, frames, strict=True))
            if run != active
        ]
        return self.motion.at(session, frames[active], asked, beside)

    def asked(self, session: Session) -> Asked:
        """What is asked of this run: points only where its tasks are curves."""
        desk = self.desk
        if not shows_curves(session):
            return Asked(desk.task, steps=desk.steps)
        return Asked(desk.task, desk.points, desk.own, desk.steps)

    def _named(self) -> dict[str, str]:
        """How the learned starts are called on the page, by their names."""
        sessions, active = self._player.sessions, self._player.active
        method = {run: _method(each) for run, each in enumerate(sessions)}
        if len(sessions) == 1:
            return {LEARNED: method[0]}
        names = run_names(sessions)
        named = {run: LEARNED if run == active else _learned(names[run]) for run in method}
        return {named[run]: f"{names[run]}: {words}" for run, words in method.items()}


def _learned(run: str) -> str:
    return f"{LEARNED}, {run}"


def _method(session: Session) -> str:
    method = str(session.declared()["method"].label_of(session.settings.method))
    return method if session.settings.method == "joint" else f"{LEARNED} ({method})"


def _differ(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two keys differ: frames and runs as objects, all else by value."""
    if len(one) != len(other):
        return True
    return any(a is not b and (isinstance(a, Frame) or a != b) for a, b in zip(one, other, strict=True))
