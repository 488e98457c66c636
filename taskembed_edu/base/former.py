"""Former names: they go on working, with a word that names the present one."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Any


class Former:
    """A former name of an attribute or method: gives what stands under the present one.

    >>> class Task:
    ...     name = "a task"
    ...     title = Former("name")
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     print(Task().title, "|", said[0].message)
    a task | The attribute 'title' of Task is now called 'name'.
    """

    def __init__(self, present: str) -> None:
        self.present = present

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, thing: Any, owner: type) -> Any:
        if thing is None:
            return self
        warn_renamed(f"attribute {self.name!r} of {owner.__name__}", repr(self.present))
        return getattr(thing, self.present)


def warn_renamed(old: str, new: str) -> None:
    """A DeprecationWarning that points at the line outside this package that used the former name."""
    # A notebook shows a DeprecationWarning only if the warning points into a cell.
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_internal(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(f"The {old} is now called {new}.", DeprecationWarning, stacklevel=level)


def _is_internal(frame: FrameType) -> bool:
    """Whether this is code of the package, or the `__init__` that `dataclass` generated for a settings class."""
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    return package == __name__.partition(".")[0] or frame.f_code.co_filename == "<string>"
