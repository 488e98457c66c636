"""The player: the only thread. It moves a session on while a page watches, and stops when told.

Callbacks never touch the session. They leave wishes (settings, a reset) in a locked dictionary, and the worker reads it
between two steps. Code in a cell may still use the session: its calls pause the player first.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from taskembed_edu.history import Frame
from taskembed_edu.session import Session

_REPLACED = "This lab was replaced by a newer one: run its cell again."


class Player:
    """Plays a session on a daemon thread: `play()`, `pause()`, `step()`, `set(...)`, `reset(...)`, `stop()`.

    `on_frame(frame)` is called from the worker for every new or redrawn frame, `on_change()` whenever playing, failing
    or the settings may have changed. Both must be quick. A failure ends playing and is kept in `failure`.
    """

    def __init__(self, session: Session, on_frame: Callable[[Frame], None], on_change: Callable[[], None]) -> None:
        self.session = session
        self.failure: Exception | None = None
        self.steps_a_second = 0.0
        self._on_frame, self._on_change = on_frame, on_change
        self._condition = threading.Condition()
        self._turn = threading.RLock()
        self._pending: dict[str, Any] = {}
        self._reset: dict[str, Any] | None = None
        self._frames_left = 0.0
        self._frames_made = 0
        self._busy = False
        self._stopped = False
        self._shown: Frame | None = session.frame
        # The thread must not keep the player alive: a lab that nobody holds any more ends its worker.
        self._thread = threading.Thread(
            target=_work, args=(weakref.ref(self), self._condition), name="taskembed-player", daemon=True
        )
        session.guard = self._guard
        self._thread.start()

    # ---- wishes, from any thread -----------------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        """Whether steps are being made, or will be as soon as the worker wakes."""
        return self._frames_left > 0

    @property
    def settled(self) -> bool:
        """Whether every wish has been taken up: nothing waits to be applied."""
        with self._condition:
            return not self._pending and self._reset is None and not self._busy

    @property
    def alive(self) -> bool:
        """Whether the worker thread still runs."""
        return self._thread.is_alive()

    def play(self) -> None:
        """Go on until paused. Playing already: nothing changes."""
        self._wish(frames=float("inf"))

    def step(self, frames: int = 1) -> None:
        """Go on for one frame (or several) and pause."""
        self._wish(frames=float(frames))

    def pause(self) -> None:
        """Stop at the end of the frame being made, and wait for it; at once where nothing runs."""
        with self._condition:
            self._frames_left = 0.0
            self._condition.notify_all()
            if threading.current_thread() is not self._thread:
                self._condition.wait_for(lambda: not self._busy or not self._thread.is_alive(), timeout=30)
        self._on_change()

    def set(self, **changes: Any) -> None:
        """Settings to apply before the next step, brought into their ranges; the latest wish for a name counts."""
        self._wish(changes=changes)

    def reset(self, **changes: Any) -> None:
        """Begin again, with these settings changed; playing stops."""
        with self._condition:
            if self._stopped:
                self.failure = RuntimeError(_REPLACED)
            else:
                # Settings moved just before, and not yet applied, count: the new run begins with them.
                self._frames_left, self._reset = 0.0, changes
            self._condition.notify_all()
        self._on_change()

    def wait(self, timeout: float = 60) -> bool:
        """Wait until every wish is fulfilled and nothing runs; False where that took longer than `timeout` seconds."""
        with self._condition:
            return self._condition.wait_for(self._idle, timeout=timeout)

    def stop(self) -> None:
        """End the thread for good. The session stays, with everything in it."""
        with self._condition:
            self._stopped = True
            self._frames_left = 0.0
            self._condition.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=30)

    # ---- the worker ------------------------------------------------------------------------------------------------

    def _wish(self, frames: float | None = None, changes: dict[str, Any] | None = None) -> None:
        with self._condition:
            if self._stopped:
                self.failure = RuntimeError(_REPLACED)
                frames = changes = None
            if frames is not None and not (self.playing and frames < self._frames_left):
                self._frames_left = frames
                self.failure = None
            self._pending.update(changes or {})
            self._condition.notify_all()
        self._on_change()

    def _idle(self) -> bool:
        return not (self._busy or self._pending or self._reset is not None or self._frames_left > 0)

    def _once(self) -> bool:
        """One round of the worker: wishes, then one frame. False: there is nothing more to do, ever."""
        with self._condition:
            if self._stopped:
                return False
            if self._idle():
                return True
            changes, self._pending = self._pending, {}
            reset, self._reset = self._reset, None
            self._busy = True
        news = True
        try:
            with self._turn:
                self._fulfil(changes, reset)
                news = bool(changes) or reset is not None
                if self._frames_left > 0:
                    news = self._one_frame() or news
        except Exception as failure:  # whatever it is, the page must say it and the worker must live on
            self.failure, self._frames_left = failure, 0.0
        finally:
            with self._condition:
                self._busy = False
                self._condition.notify_all()
        if self._frames_left <= 0 or news:
            try:
                self._on_change()
            except Exception as failure:  # as above: words that could not be shown must not end the worker
                self.failure, self._frames_left = failure, 0.0
        return True

    def _fulfil(self, changes: dict[str, Any], reset: dict[str, Any] | None) -> None:
        if changes:
            self.session.set_within_range(**changes)
        if reset is not None:
            self.failure = None
            self.session.reset(**reset)
        self._show_if_new()

    def _one_frame(self) -> bool:
        """Steps up to the next frame; wishes are fulfilled between two of them. Whether there were any."""
        session, begun, done, news = self.session, time.perf_counter(), 0, False
        while not self._stopped:
            session.step(1)
            done += 1
            if session.steps % session.setup.frame_every == 0:
                break
            with self._condition:
                changes, self._pending = self._pending, {}
            if changes:
                news = True
                session.set_within_range(**changes)
        rate = done / max(1e-9, time.perf_counter() - begun)
        self.steps_a_second = rate if not self.steps_a_second else 0.8 * self.steps_a_second + 0.2 * rate
        with self._condition:
            self._frames_left -= 1
            self._frames_made += 1
        self._show_if_new()
        return news

    def _show_if_new(self) -> None:
        if self.session.frame is not self._shown:
            self._shown = self.session.frame
            self._on_frame(self._shown)

    @contextlib.contextmanager
    def _guard(self, verb: str) -> Iterator[None]:
        """Calls from a cell take turns with the worker: they pause it; after a `set` or a look it plays on."""
        if threading.current_thread() is self._thread:
            yield
            return
        with self._condition:
            left, made = self._frames_left, self._frames_made
        self.pause()
        try:
            with self._turn:
                yield
                self._show_if_new()
        finally:
            left -= self._frames_made - made  # the frame that was being made has been finished meanwhile
            if verb in ("set", "look") and left > 0:
                self._wish(frames=left)


def _work(player: weakref.ref[Player], condition: threading.Condition) -> None:
    while True:
        alive = player()
        if alive is None or not alive._once():
            return
        with condition:
            waiting = alive._idle() and not alive._stopped
            del alive  # while it waits, the worker holds nobody: only so can a dropped player go
            if waiting:
                condition.wait(timeout=1.0)


_BY_CELL: weakref.WeakValueDictionary[str, Player] = weakref.WeakValueDictionary()


def stop_replaced(cell: str | None, player: Player) -> None:
    """Note which cell made this player, and stop the one that an earlier run of the same cell made."""
    if cell is None:
        return
    older = _BY_CELL.get(cell)
    if older is not None and older is not player:
        older.stop()
    _BY_CELL[cell] = player


def running_cell() -> str | None:
    """The id of the notebook cell that is being run; None outside a notebook."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    parent: dict[str, Any] = getattr(shell, "get_parent", dict)() if shell is not None else {}
    return parent.get("metadata", {}).get("cellId")
