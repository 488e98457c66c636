"""How far a long loop is: one line under a notebook's cell, or a function that hears of it.

It reads a clock, but decides nothing: frames still fall by count. A short call shows nothing. Nothing is shown in a
script, on a player's thread that nobody hears, or in a check of lessons (`TASKEMBED_PROGRESS=off`).
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

# A call that takes less than this, in seconds, shows nothing; after that the line changes this often.
PATIENCE, APART = 2.0, 0.5


# Who hears of the loops on a thread. Each thread has its own: a cell's loop is not the player's.
_HEARING = threading.local()


@contextlib.contextmanager
def heard_by(listener: Callable[[int, int], None]) -> Iterator[None]:
    """Until the block ends, `counted` on this thread calls `listener(done, of)` after each turn, and writes no line."""
    before = getattr(_HEARING, "listener", None)
    _HEARING.listener = listener
    try:
        yield
    finally:
        _HEARING.listener = before


def counted(n: int, what: str = "step") -> Iterator[int]:
    """0 ... n - 1, with a line of progress if the caller takes long; `what` is counted."""
    listener = getattr(_HEARING, "listener", None)
    if listener is not None:
        for done in range(n):
            yield done
            listener(done + 1, n)
        return
    show = _display() if n > 1 and threading.current_thread() is threading.main_thread() else None
    if show is None:
        yield from range(n)
        return
    line: Any = None
    begun = shown_at = time.monotonic()
    for done in range(n):
        yield done
        now = time.monotonic()
        if now - begun > PATIENCE and now - shown_at > APART:
            line, shown_at = _put(show, line, f"{what} {done + 1} of {n}, {time_left(now - begun, done + 1, n)}"), now
    if line is not None:
        _put(show, line, f"{n} {what}s in {time.monotonic() - begun:.0f} s")


def time_left(seconds: float, done: int, of: int) -> str:
    """How long the rest takes if it goes on as fast: `done` of `of` took these seconds.

    >>> time_left(10, 200, 1000), time_left(60, 100, 1000)
    ('about 40 s left', 'about 9 min left')
    """
    left = seconds / done * (of - done)
    return f"about {left:.0f} s left" if left < 100 else f"about {left / 60:.0f} min left"


def _put(show: Any, line: Any, text: str) -> Any:
    """Write this line, or write it in place of the one before; returns the line."""
    data = {"text/plain": text}
    if line is None:
        return show(data, raw=True, display_id=True)
    line.update(data, raw=True)
    return line


def _display() -> Any:
    """IPython's function that shows an output; None outside a notebook's kernel, or where progress is turned off."""
    ipython: Any = sys.modules.get("IPython")  # not imported for this: without it there is no notebook
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None or os.environ.get("TASKEMBED_PROGRESS") == "off":
        return None
    return ipython.display.display
