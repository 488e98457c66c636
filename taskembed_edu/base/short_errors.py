"""Short errors at the front doors: where an argument is wrong, the sentence counts, and not the checks that it failed.

Floor 0: it handles functions and errors and imports nothing else of the package but the form of a message.
"""

from __future__ import annotations

import difflib
import dis
import functools
import inspect
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from taskembed_edu.base.checks import problem

Given = ParamSpec("Given")
Result = TypeVar("Result")

_PACKAGE = str(Path(__file__).parents[1])
# Where code lives that no learner wrote: Python's own, and installed packages.
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


# What the package raises for a learner. A KeyError or an AttributeError is for whoever mends the package.
_FOR_LEARNERS = (ValueError, TypeError, IndexError, RuntimeError, FloatingPointError, MemoryError, OSError, ImportError)


def short_errors(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """A decorator for what learners call: an error that the package raises on purpose has no frames of its inside.

    Every other error keeps its whole traceback: one that Python or torch raised, since it may be a fault of this
    package, and one that passed through the learner's own code (a family, a loss), since the mistake is there.
    An unknown argument is answered with the nearest known one.
    """

    @functools.wraps(function)
    def front_door(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except _FOR_LEARNERS as error:
            inside = error.__traceback__.tb_next if error.__traceback__ else None
            if inside is None and isinstance(error, TypeError):
                raise _about_arguments(function, kwargs, error) from None
            if inside is None or not _on_purpose(inside):
                raise
            cause = error.__cause__  # it stays where it tells of the learner's own code
            raise error.with_traceback(None) from (cause if cause and _of_a_learner(cause.__traceback__) else None)

    return front_door


def _on_purpose(inside: TracebackType) -> bool:
    """Whether a `raise` of the package ended this way in, and no code of the learner's lies on it."""
    if _of_a_learner(inside):
        return False
    frame = inside
    while frame.tb_next is not None:
        frame = frame.tb_next
    # The last line is the package's own, and it is a `raise`: what a library raised was not meant for the learner.
    code, last = frame.tb_frame.f_code, frame.tb_lasti
    return code.co_filename.startswith(_PACKAGE) and dis.opname[code.co_code[last]] == "RAISE_VARARGS"


def _of_a_learner(lines: TracebackType | None) -> bool:
    """Whether one of these lines is neither the package's nor Python's nor a library's."""
    while lines is not None:
        if not _is_installed(lines):
            return True
        lines = lines.tb_next
    return False


def _is_installed(frame: TracebackType) -> bool:
    # The `__init__` of a dataclass has no file: its module says whose it is.
    module = frame.tb_frame.f_globals.get("__name__", "")
    mine = module.partition(".")[0] == __name__.partition(".")[0]
    return mine or frame.tb_frame.f_code.co_filename.startswith(_INSTALLED)


def _about_arguments(function: Callable[..., Any], given: dict[str, Any], error: TypeError) -> TypeError:
    """The error for a call that does not fit the function; Python's own, where no argument is unknown."""
    known = [name for name in inspect.signature(function).parameters if name != "self"]
    unknown = [name for name in given if name not in known]
    if not unknown:
        return error.with_traceback(None)
    called = function.__qualname__.removesuffix(".__init__")
    near = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]!r}?" if near else ""
    return TypeError(problem(called, f"an argument {unknown[0]!r}", f"one of {', '.join(known)}", hint))
