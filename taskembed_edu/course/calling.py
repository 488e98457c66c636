"""Call a function that a learner wrote: whatever it does, the course goes on, and says what happened.

Exceptions become sentences, what it prints is held back after some lines, and after 5 s a line says how to interrupt.
"""

from __future__ import annotations

import contextlib
import copy
import io
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

PATIENCE = 5.0
MOST_PRINTED = 2_000  # characters

STILL_RUNNING = (
    "Your function is still running after {seconds:.0f} s. If it never ends, interrupt it: the square in the tool bar, "
    "or the key I twice. A loop whose condition never becomes false is the usual cause."
)


@dataclass(frozen=True)
class Came:
    """What a call gave: a value, or the sentence that says why there is none."""

    value: Any = None
    trouble: str = ""


class _Bounded(io.TextIOBase):
    """A place for what is printed: the first characters are kept, the rest is counted."""

    def __init__(self) -> None:
        self.kept, self.size = "", 0

    def write(self, text: str) -> int:
        self.kept += text[: max(0, MOST_PRINTED - len(self.kept))]
        self.size += len(text)
        return len(text)


def call(function: Callable[..., Any], arguments: Sequence[Any], notify: Callable[[str], None] | None = None) -> Came:
    """Call it with copies of these arguments, so that a function that changes them changes nothing of the exercise.

    `notify` is given a sentence if the call takes longer than PATIENCE seconds; by default it is printed.
    """
    printed, stdout, begun = _Bounded(), sys.stdout, time.monotonic()
    words = STILL_RUNNING.format(seconds=PATIENCE)
    timer = threading.Timer(PATIENCE, notify or (lambda said: print(said, file=stdout, flush=True)), (words,))
    timer.daemon = True
    timer.start()
    try:
        with contextlib.redirect_stdout(printed):
            came = Came(function(*copy.deepcopy(tuple(arguments))))
    except KeyboardInterrupt:
        came = Came(trouble=f"it was interrupted after {time.monotonic() - begun:.0f} s. Does its loop ever end?")
    except RecursionError:
        came = Came(trouble="it calls itself without end (RecursionError).")
    except BaseException as error:  # a learner's sys.exit() must not end the kernel either
        came = Came(trouble=_raised(error))
    finally:
        timer.cancel()
    if printed.size:
        more = "" if printed.size <= MOST_PRINTED else f"\n... and {printed.size - MOST_PRINTED:,} more characters."
        stdout.write(f"{printed.kept.rstrip()}{more}\n")
    return came


def _raised(error: BaseException) -> str:
    """The error in one line, with the line of the learner's code that raised it."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is the call above
    line = f" in the line `{frames[0].line}`" if frames and frames[0].line else ""
    try:
        said = f": {str(error)[:200]}"
    except Exception:  # an error of the learner's own may not be able to say what it is
        said = ""
    return f"it raised {type(error).__name__}{said}{line}."
