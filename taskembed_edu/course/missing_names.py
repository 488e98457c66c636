"""A lesson's cell that was run before the cells above it: the name that is missing, and what to do about it.

Python says `NameError: name 'lab' is not defined`. In a lesson that nearly always means that a cell above was not run
in this kernel. `install` lets the notebook say so below the error.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

WHAT_TO_DO = (
    "{name!r} is not there yet. In a lesson it is usually made by a cell above that was not run in this kernel: choose "
    "Run, Run All Above Selected Cell, then run this cell again.\n"
    'Is it a word, such as the answer to an exercise? Then write it with quotation marks: "{name}".'
)


def install() -> bool:
    """Say what is missing after each NameError of a cell. Returns whether there is a notebook to say it in."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None:
        return False
    if not getattr(shell, "custom_exceptions", ()):  # else another package explains errors here: it goes on
        shell.set_custom_exc((NameError,), _explain)
    return True


def _explain(shell: Any, kind: type[Exception], error: Exception, trace: TracebackType, tb_offset: Any = None) -> None:
    """IPython's own traceback, with a note below it where the name was asked for in a cell itself."""
    # Other extensions may have asked for other kinds of errors: they come here as well.
    if isinstance(error, NameError) and error.name and is_of_a_cell(trace):
        error.add_note(WHAT_TO_DO.format(name=error.name))
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def is_of_a_cell(trace: TracebackType) -> bool:
    """Whether the error was raised by a line of a cell, and not in a function of some package."""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_globals.get("__name__") == "__main__"
