"""The player: it trains one session, or two side by side, on a worker thread of its own, the only such thread.

Callbacks of a page never change a session. They put commands (settings, a reset, any other job) into a queue, and the
worker executes them: settings between two steps, the others between two frames. Code in a cell may still use a session
at any time: its calls pause the player first.
"""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from taskembed_edu.base.checks import problem
from taskembed_edu.session.session import Session, unlocked


class _SettingsChange(NamedTuple):
    """Settings to change, and in which run: another run may be active by the time they apply."""

    session: Session
    values: dict[str, Any]


# What the queue holds: a change of settings, or a function for the worker to call (a job).
Command = _SettingsChange | Callable[[], None]


class Player:
    """Plays on a daemon thread: `play()`, `pause()`, `step()`, `set(...)`, `reset(...)`, `do(job)`, `stop()`.

    `other` is a second session that stays beside the first for good (`paired`): two embedders on the same tasks. With
    two sessions, the one with fewer steps trains first, one frame at a time: a new branch catches up, then both
    train together; with `catch_up(False)` both train from where they are. Each computes what it would compute alone.
    `active` is the index of the one that settings change.

    `changed()` is called whenever a frame, the settings, playing or a failure may have changed, after `wake()`, and
    once a second while nothing happens. Only the worker's thread calls it, while no session trains, so it must be
    quick. A failure ends playing; it is kept in `failure`, and the session whose step failed in `failed`.
    """

    def __init__(self, session: Session, changed: Callable[[], None], other: Session | None = None) -> None:
        self.paired = other is not None
        self.failure: Exception | None = None
        self.failed: Session | None = None
        self.steps_a_second = 0.0
        self.most_steps_a_second = math.inf
        self.active = 0
        self._catches_up = True
        self._changed = changed
        # Protects the fields below, which other threads set; never held while a session trains.
        self._condition = threading.Condition()
        # Held while a session is changed: by the worker for one round, or by a cell's call.
        self._session_lock = threading.RLock()
        self._lock_holder: int | None = None  # the thread whose call from a cell holds it
        self._locks: dict[Session, Callable[[str], Any]] = {}  # what was put into each session's `lock`
        self._pauses = 0  # how often someone asked to end playing
        self._commands: deque[Command] = deque()
        self._frames_left = 0.0
        self._frames_made = 0
        self._next_at = 0.0  # when the next frame may begin
        self._woken = False  # whether `changed` is to be called
        self._busy = False
        self._stopped = False
        self._sessions: tuple[Session, ...] = ()
        # The thread has only a weak reference to the player: an unused lab is collected and its worker ends.
        self._thread = threading.Thread(
            target=_work, args=(weakref.ref(self), self._condition), name="taskembed-player", daemon=True
        )
        self.set_sessions(session, *(() if other is None else (other,)))
        self._thread.start()

    # ---- the sessions ----------------------------------------------------------------------------------------------

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions that are trained: run A and, when branched, run B."""
        return self._sessions

    @property
    def session(self) -> Session:
        """The active session: settings, reset and undo apply to it."""
        return self._sessions[min(self.active, len(self._sessions) - 1)]

    def set_sessions(self, *sessions: Session) -> None:
        """Train these sessions from now on; a session that is removed is no longer locked by this player."""
        for leaving in set(self._sessions) - set(sessions):
            self._release(leaving)
        if self.failed is not None and self.failed not in sessions:
            self.failure = self.failed = None  # its failure goes with it
        for session in sessions:
            session.lock = self._locks.setdefault(session, functools.partial(self._locked, session))
        self._catches_up = True
        self._sessions, self.active = sessions, min(self.active, len(sessions) - 1)

    def _release(self, session: Session) -> None:
        # A newer player may have replaced the lock with its own: that one stays.
        if session.lock is self._locks.pop(session, None):
            session.lock = unlocked

    # ---- commands, from any thread ---------------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        """Whether steps are being made, or will be as soon as the worker wakes."""
        return self._frames_left > 0

    @property
    def apart(self) -> bool:
        """Whether the runs train from different steps, each from its own: see `catch_up`."""
        return not self._catches_up and self.gap > 0

    @property
    def gap(self) -> int:
        """How many steps one run is behind the other; 0 if that is less than from one frame to the next."""
        steps = [session.steps for session in self._sessions]
        gap = max(steps) - min(steps)
        return gap if gap > self._sessions[0].setup.frame_every else 0

    @property
    def stopped(self) -> bool:
        """Whether `stop` has ended the player for good."""
        return self._stopped

    @property
    def alive(self) -> bool:
        """Whether the worker thread still runs."""
        return self._thread.is_alive()

    def moved_with(self, session: Session) -> tuple[Session, ...]:
        """The sessions whose tasks and map are set together with this one's: the other one of a pair."""
        return tuple(each for each in self._sessions if self.paired and each is not session)

    def play(self) -> None:
        """Train until paused. No effect if it plays already."""
        self._request_frames(float("inf"))

    def step(self, frames: int = 1) -> None:
        """Train this many more frames, then pause. A frame is one of each session that has the fewest steps."""
        with self._condition:
            self._request_frames(max(0.0, self._frames_left) + frames)

    def pause(self, wait: bool = True) -> None:
        """Stop at the end of the frame being computed, and wait for it; return at once if nothing runs."""
        with self._condition:
            self._pauses += 1
            self._hold(wait)

    def _hold(self, wait: bool = True) -> float:
        """Begin no further frame, and wait for the one being computed. Returns how many were left."""
        with self._condition:
            left, self._frames_left = self._frames_left, 0.0
            self._woken = True
            self._condition.notify_all()
            if wait and threading.current_thread() is not self._thread:
                self._condition.wait_for(lambda: not self._busy or not self._thread.is_alive(), timeout=30)
            return left

    def set(self, **changes: Any) -> None:
        """Set settings of the active session before its next step, clamped to their ranges; the latest value counts."""
        self.set_of(self.session, **changes)

    def set_of(self, session: Session, **changes: Any) -> None:
        """As `set`, for this session."""
        with self._condition:
            last = self._commands[-1] if self._commands else None
            if isinstance(last, _SettingsChange) and last.session is session:
                last.values.update(changes)
            else:
                self._commands.append(_SettingsChange(session, dict(changes)))
            self._condition.notify_all()

    def reset(self, **changes: Any) -> None:
        """Begin the active session again, with these settings changed; playing stops.

        Settings that were set just before and are not yet applied are applied first: they come first in the queue.
        """
        session = self.session

        def begin_again() -> None:
            if session in self._sessions:
                self.failure = self.failed = None
                session.reset(**changes)

        self.do(begin_again, pausing=True)

    def do(self, job: Callable[[], None], *, pausing: bool = False) -> None:
        """Have the worker call `job` between two frames, after all earlier commands; `pausing` ends playing.

        An exception of the job becomes `failure`.
        """
        with self._condition:
            if pausing:
                self._pauses += 1
                self._frames_left = 0.0
            self._commands.append(job)
            self._condition.notify_all()

    def catch_up(self, on: bool) -> None:
        """Whether a run that is behind trains alone until it is where the other one is; if not, both train from there.

        It changes only whose turn it is, and no run depends on that: frames, recordings and replays stay as they are.
        It is on again as soon as the runs have met.
        """
        with self._condition:
            self._catches_up = on
            self._condition.notify_all()

    def limit(self, steps_a_second: float) -> None:
        """Train at most so many steps a second (math.inf: as fast as it goes), frame by frame.

        Errors: ValueError unless it is above 0.
        """
        if not steps_a_second > 0:
            raise ValueError(problem("steps_a_second", steps_a_second, "a number above 0", "Pause stops training."))
        with self._condition:
            self.most_steps_a_second, self._next_at = steps_a_second, 0.0
            self._condition.notify_all()

    def wake(self) -> None:
        """Have `changed` called soon: at the latest before the next step."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def wait(self, timeout: float = 60) -> bool:
        """Wait until every command is done and nothing runs; False if that takes longer than `timeout` seconds."""
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
            self._release(session)

    # ---- the worker ------------------------------------------------------------------------------------------------

    def _request_frames(self, frames: float) -> None:
        with self._condition:
            if not (self._stopped or (self.playing and frames < self._frames_left)):
                self._next_at = self._next_at if self.playing else 0.0  # a press of Step or Play acts at once
                self._frames_left = frames
                self.failure = self.failed = None
            self._condition.notify_all()

    def _idle(self) -> bool:
        return self._stopped or not (self._commands or self._woken or self._frames_left > 0)

    def _round(self) -> bool:
        """One round of the worker: commands, then one frame. False: the player was stopped, and the worker ends."""
        with self._condition:
            if self._stopped:
                return False
            if self._idle():
                return True
            too_soon = self._next_at - time.perf_counter()
            if too_soon > 0 and not (self._commands or self._woken):
                self._condition.wait(timeout=min(too_soon, 1.0))
                return True
            self._busy = True
        try:
            with self._session_lock:
                try:
                    self._run_commands()
                    if self._frames_left > 0 and time.perf_counter() >= self._next_at:
                        self._advance()
                except Exception as failure:  # any error: the page must report it, and the worker must go on
                    self._fail(failure)
                self._notify()
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
            elif command.session in self._sessions:  # a removed run is no longer this player's
                command.session.set_clamped(**command.values)

    def _advance(self) -> None:
        """One frame of each session that has had the fewest steps; of all, if nobody catches up."""
        begun, least = time.perf_counter(), min(session.steps for session in self._sessions)
        if not self.gap:  # not `apart`: a Skip that comes at this moment would be lost
            self._catches_up = True
        apart = self.apart
        moved = [session for session in self._sessions if apart or session.steps == least]
        before = moved[0].steps
        for session in moved:
            self._make_frame(session)
        with self._condition:
            self._frames_left -= 1
            self._frames_made += 1
            self._next_at = begun + (moved[0].steps - before) / self.most_steps_a_second
            if any(session.at_stop for session in moved):
                self._frames_left = 0.0

    def _make_frame(self, session: Session) -> None:
        """Train up to the next frame; between two steps apply settings and answer the page."""
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
                self._notify()
        rate = done / max(1e-9, time.perf_counter() - begun)
        self.steps_a_second = rate if not self.steps_a_second else 0.8 * self.steps_a_second + 0.2 * rate

    def _notify(self) -> None:
        """Call `changed`. An error in it is a failure like any other: playing ends, and the worker goes on."""
        self._woken = False
        try:
            self._changed()
        except Exception as failure:
            self._fail(failure)

    def _fail(self, failure: Exception) -> None:
        self.failure, self._frames_left = failure, 0.0

    @contextlib.contextmanager
    def _locked(self, session: Session, verb: str) -> Iterator[None]:
        """The value of `session.lock`: a call from a cell pauses the worker and then holds the lock.

        After "set" and "read" the worker goes on playing, unless the user pressed Pause or Reset meanwhile, or the
        frame being computed failed. After a step or a reset it stays paused, and a failure of this session is cleared.
        """
        me = threading.get_ident()
        if threading.current_thread() is self._thread or self._lock_holder == me:
            # This thread holds the lock already (a call within a call): waiting would deadlock.
            yield
            return
        plays_on = verb in ("set", "read")
        with self._condition:
            self._pauses += not plays_on
            made, pauses = self._frames_made, self._pauses
            left = self._hold()
        try:
            with self._session_lock:
                self._lock_holder = me
                try:
                    yield
                finally:
                    self._lock_holder = None
                if not plays_on and session is self.failed:
                    self.failure = self.failed = None
        finally:
            with self._condition:
                left -= self._frames_made - made  # the frame being computed is finished by now
                if plays_on and left > 0 and self._pauses == pauses and self.failure is None:
                    self._request_frames(left)
            self.wake()


def _work(player: weakref.ref[Player], condition: threading.Condition) -> None:
    quiet = False
    while True:
        alive = player()
        if alive is None:
            return
        if quiet:
            alive.wake()
        if not alive._round():
            return
        quiet = False
        with condition:
            waiting = alive._idle() and not alive._stopped
            del alive  # a waiting worker keeps no reference to the player, so an unused player can be collected
            if waiting:
                quiet = not condition.wait(timeout=1.0)
