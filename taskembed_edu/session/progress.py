"""One line of progress under a notebook's cell while a long `session.step(n)` runs.

It reads a clock, but decides nothing: frames still fall by count. A short call shows nothing. Nothing is shown in a
script, on a player's thread, or in a check of lessons (`TASKEMBED_PROGRESS=off`).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

# A call that takes less than this, in seconds, shows nothing; after that the line changes this often.
PATIENCE, APART = 2.0, 0.5


def counted(n: int) -> Iterator[int]:
    """0 ... n - 1, with a line of progress if the caller takes long."""
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
            line, shown_at = _put(show, line, f"step {done + 1} of {n}, about {_left(now - begun, done + 1, n)}"), now
    if line is not None:
        _put(show, line, f"{n} steps in {time.monotonic() - begun:.0f} s")


def _left(seconds: float, done: int, n: int) -> str:
    return f"{seconds / done * (n - done):.0f} s left"


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
