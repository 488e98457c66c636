"""The player: the only thread. It moves one session, or two side by side, while a page watches, and stops when told.

Callbacks never touch a session. They leave wishes (settings, a reset, any other job) in a queue, and the worker fulfils
them: settings between two steps, the rest between two pictures. Code in a cell may still use a session at any time:
its calls pause the player first.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session, unlocked


class _SettingsChange(NamedTuple):
    """Settings wished for, and the run that they are for: which run is active may change before they apply."""

    session: Session
    values: dict[str, Any]


# What is wished: settings, or anything else that the worker shall do (a job).
Command = _SettingsChange | Callable[[], None]


class Player:
    """Plays on a daemon thread: `play()`, `pause()`, `step()`, `set(...)`, `reset(...)`, `do(job)`, `stop()`.

    With two sessions, those that have had the fewest steps go on first, by one frame: a fresh branch catches up, then
    both go on level. What each makes is what it would make alone. `active` says which of them settings move.

    `on_frame(frame)` is called for every new or redrawn frame. `update()` is called whenever playing, failing or the
    settings may have changed, when someone calls `wake()`, and once a second while nothing happens. Both are called
    from the worker only, with no session moving meanwhile, and must be quick. A failure ends playing; it is kept in
    `failure`, and the session whose step failed in `failed`.
    """

    def __init__(self, session: Session, on_frame: Callable[[Frame], None], update: Callable[[], None]) -> None:
        self.failure: Exception | None = None
        self.failed: Session | None = None
        self.steps_a_second = 0.0
        self.active = 0
        self._on_frame, self._update = on_frame, update
        self._condition = threading.Condition()
        self._session_turns = threading.RLock()
        # The thread that has the turn from within a cell's call, and how often playing was ended for good.
        self._holder: int | None = None
        self._pauses = 0
        self._commands: deque[Command] = deque()
        self._frames_left = 0.0
        self._frames_made = 0
        self._woken = False
        self._busy = False
        self._stopped = False
        self._sessions: tuple[Session, ...] = ()
        self._shown: dict[Session, Frame] = {}
        # The thread must not keep the player alive: a lab that nobody holds any more ends its worker.
        self._thread = threading.Thread(
            target=_work, args=(weakref.ref(self), self._condition), name="taskembed-player", daemon=True
        )
        self.set_sessions(session)
        self._thread.start()

    # ---- who plays -------------------------------------------------------------------------------------------------

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions that are moved: run A and, when branched, run B."""
        return self._sessions

    @property
    def session(self) -> Session:
        """The active one: settings, reset and undo are for it."""
        return self._sessions[min(self.active, len(self._sessions) - 1)]

    def set_sessions(self, *sessions: Session) -> None:
        """Let these sessions be the ones that are moved; one that leaves goes on by itself, guarded by nobody."""
        for leaving in set(self._sessions) - set(sessions):
            self._let_go(leaving)
        if self.failed is not None and self.failed not in sessions:
            self.failure = self.failed = None  # it left, and took its failure along
        for session in sessions:
            session.lock = functools.partial(self._session_lock, session)
            if session not in self._sessions:
                self._shown[session] = session.frame
        self._sessions, self.active = sessions, min(self.active, len(sessions) - 1)

    def _let_go(self, session: Session) -> None:
        self._shown.pop(session, None)
        if getattr(session.lock, "func", None) == self._session_lock:
            session.lock = unlocked

    # ---- wishes, from any thread -----------------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        """Whether steps are being made, or will be as soon as the worker wakes."""
        return self._frames_left > 0

    @property
    def stopped(self) -> bool:
        """Whether the player was ended for good."""
        return self._stopped

    @property
    def alive(self) -> bool:
        """Whether the worker thread still runs."""
        return self._thread.is_alive()

    def play(self) -> None:
        """Go on until paused. Playing already: nothing changes."""
        self._request_frames(frames=float("inf"))

    def step(self, frames: int = 1) -> None:
        """Go on by so many more pictures and pause: one frame of each session that has had the fewest steps."""
        with self._condition:
            self._request_frames(frames=max(0.0, self._frames_left) + frames)

    def pause(self, wait: bool = True) -> None:
        """Stop at the end of the picture being made, and wait for it; at once where nothing runs."""
        with self._condition:
            self._pauses += 1
            self._hold(wait)

    def _hold(self, wait: bool = True) -> float:
        """Make no further picture, and wait for the one being made; how many were left to make."""
        with self._condition:
            left, self._frames_left = self._frames_left, 0.0
            self._woken = True
            self._condition.notify_all()
            if wait and threading.current_thread() is not self._thread:
                self._condition.wait_for(lambda: not self._busy or not self._thread.is_alive(), timeout=30)
            return left

    def set(self, **changes: Any) -> None:
        """Settings of the active session, before its next step and within their ranges; the latest value counts."""
        with self._condition:
            session, last = self.session, self._commands[-1] if self._commands else None
            if isinstance(last, _SettingsChange) and last.session is session:
                last.values.update(changes)
            else:
                self._commands.append(_SettingsChange(session, dict(changes)))
            self._condition.notify_all()

    def reset(self, **changes: Any) -> None:
        """Begin the active session again, with these settings changed; playing stops."""

        session = self.session

        # Settings wished for just before, and not yet applied, count: they stand before this in the queue.
        def begin_again() -> None:
            if session in self._sessions:
                self.failure = self.failed = None
                session.reset(**changes)

        self.do(begin_again, pausing=True)

    def do(self, job: Callable[[], None], *, pausing: bool = False) -> None:
        """Have the worker do this between two pictures, after all that was wished for before; `pausing` ends playing.

        What the job raises becomes `failure`.
        """
        with self._condition:
            if pausing:
                self._pauses += 1
                self._frames_left = 0.0
            self._commands.append(job)
            self._condition.notify_all()

    def wake(self) -> None:
        """Have `update` called soon: between two steps at the latest."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def wait(self, timeout: float = 60) -> bool:
        """Wait until every wish is fulfilled and nothing runs; False where that took longer than `timeout` seconds."""
        with self._condition:
            return self._condition.wait_for(lambda: self._idle() and not self._busy, timeout=timeout)

    def stop(self) -> None:
        """End the thread for good. The sessions stay, with everything in them, and may be used by anyone."""
        with self._condition:
            self._stopped = True
            self._frames_left, self._woken = 0.0, False
            self._commands.clear()
            self._condition.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=30)
        for session in self._sessions:
            self._let_go(session)

    # ---- the worker ------------------------------------------------------------------------------------------------

    def _request_frames(self, frames: float) -> None:
        with self._condition:
            if not (self._stopped or (self.playing and frames < self._frames_left)):
                self._frames_left = frames
                self.failure = self.failed = None
            self._condition.notify_all()

    def _idle(self) -> bool:
        return self._stopped or not (self._commands or self._woken or self._frames_left > 0)

    def _once(self) -> bool:
        """One round of the worker: wishes, then one picture. False: there is nothing more to do, ever."""
        with self._condition:
            if self._stopped:
                return False
            if self._idle():
                return True
            self._busy = True
        try:
            with self._session_turns:
                try:
                    self._run_commands()
                    if self._frames_left > 0:
                        self._one_picture()
                except Exception as failure:  # whatever it is, the page must say it and the worker must live on
                    self._fail(failure)
                self._tell()
        finally:
            with self._condition:
                self._busy = False
                self._condition.notify_all()
        return True

    def _run_commands(self, only_settings: bool = False) -> None:
        while True:
            with self._condition:
                if not self._commands or (only_settings and not isinstance(self._commands[0], _SettingsChange)):
                    return
                command = self._commands.popleft()
                self._woken = True
            if not isinstance(command, _SettingsChange):
                command()
            elif command.session in self._sessions:  # a run that has left the screen is moved by nobody here
                command.session.set_clamped(**command.values)

    def _one_picture(self) -> None:
        """One frame of each session that has had the fewest steps."""
        least = min(session.steps for session in self._sessions)
        moved = [session for session in self._sessions if session.steps == least]
        for session in moved:
            self._one_frame(session)
        with self._condition:
            self._frames_left -= 1
            self._frames_made += 1
            if any(session.at_stop for session in moved):
                self._frames_left = 0.0

    def _one_frame(self, session: Session) -> None:
        """Steps up to the next frame; settings are applied, and the page is tended, between two of them."""
        begun, done = time.perf_counter(), 0
        while not self._stopped:
            self.failed = session
            session.step(1)
            self.failed = None
            done += 1
            if session.steps % session.setup.frame_every == 0 or session.at_stop:
                break
            self._run_commands(only_settings=True)
            if self._woken:
                self._tell()
        rate = done / max(1e-9, time.perf_counter() - begun)
        self.steps_a_second = rate if not self.steps_a_second else 0.8 * self.steps_a_second + 0.2 * rate

    def _tell(self) -> None:
        """Show what is new, and update. A page that fails is said where it can be, and ends nothing but playing."""
        self._woken = False
        try:
            for session in self._sessions:
                if session.frame is not self._shown.get(session):
                    self._shown[session] = session.frame
                    self._on_frame(session.frame)
            self._update()
        except Exception as failure:
            self._fail(failure)

    def _fail(self, failure: Exception) -> None:
        self.failure, self._frames_left = failure, 0.0

    @contextlib.contextmanager
    def _session_lock(self, session: Session, verb: str) -> Iterator[None]:
        """A session's calls from a cell take turns with the worker: they pause it; after a `set` or a look it plays on.

        Not if somebody pressed Pause or Reset meanwhile, or the picture being made failed. A run that had failed and
        was begun again, or stepped on, from a cell is mended.
        """
        me = threading.get_ident()
        # A call within a call (`rewind` branches) has the turn already: to wait for the worker, which waits for this
        # very turn, would be to wait for ever.
        if threading.current_thread() is self._thread or self._holder == me:
            yield
            return
        plays_on = verb in ("set", "read")
        with self._condition:
            self._pauses += not plays_on
            made, pauses = self._frames_made, self._pauses
            left = self._hold()
        try:
            with self._session_turns:
                self._holder = me
                try:
                    yield
                finally:
                    self._holder = None
                if not plays_on and session is self.failed:
                    self.failure = self.failed = None
        finally:
            with self._condition:
                left -= self._frames_made - made  # the picture that was being made has been finished meanwhile
                if plays_on and left > 0 and self._pauses == pauses and self.failure is None:
                    self._request_frames(frames=left)
            self.wake()


def _work(player: weakref.ref[Player], condition: threading.Condition) -> None:
    quiet = False
    while True:
        alive = player()
        if alive is None:
            return
        if quiet:
            alive.wake()
        if not alive._once():
            return
        quiet = False
        with condition:
            waiting = alive._idle() and not alive._stopped
            del alive  # while it waits, the worker holds nobody: only so can a dropped player go
            if waiting:
                quiet = not condition.wait(timeout=1.0)


class CellRun(NamedTuple):
    """A notebook's cell, and which run of it: the message that asked for it."""

    cell: str
    run: str


_BY_CELL: dict[str, tuple[str, weakref.WeakSet[Any]]] = {}


def stop_replaced(made_by: CellRun | None, newer: Any) -> None:
    """Note which run of a cell made this player (or whatever holds one), and stop what earlier runs of it made.

    What the same run made before stays: a cell may show two labs.
    """
    if made_by is None:
        return
    run, made = _BY_CELL.get(made_by.cell, (made_by.run, weakref.WeakSet()))
    if run != made_by.run:
        for older in set(made) - {newer}:
            older.stop()
        made = weakref.WeakSet()
    made.add(newer)
    _BY_CELL[made_by.cell] = (made_by.run, made)


def running_cell() -> CellRun | None:
    """The run of a notebook's cell that is going on; None outside a notebook."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    parent: dict[str, Any] = getattr(shell, "get_parent", dict)() if shell is not None else {}
    cell = parent.get("metadata", {}).get("cellId")
    return None if cell is None else CellRun(str(cell), str(parent.get("header", {}).get("msg_id", "")))
