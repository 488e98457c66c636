"""Which cell of a notebook is running: a cell that is run again stops the players of its earlier run.

A cell may also be run again with other code, so that its lab is no longer on the page: that lab pauses.
"""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

from IPython.core.getipython import get_ipython


class CellRun(NamedTuple):
    """A notebook's cell, and one run of it, identified by its execute message."""

    cell: str
    run: str


_BY_CELL: dict[str, tuple[str, weakref.WeakSet[Any]]] = {}
# What each cell shows: by cell, and by its run.
_SHOWN: dict[str, dict[str, weakref.WeakSet[Any]]] = {}


def stop_replaced(made_by: CellRun | None, newer: Any) -> None:
    """Record which run of a cell made this player (or its owner), and stop those that earlier runs of the cell made.

    Others of the same run stay: a cell may show two labs.
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


def note_shown(shown_by: CellRun | None, panel: Any) -> None:
    """This run of a cell shows the panel. When the cell is run again without it, `panel.left_the_page()` is called."""
    if shown_by is None:
        return
    if not _SHOWN:
        shell = get_ipython()
        if shell is not None:
            shell.events.register("post_run_cell", lambda *_result: forget_overwritten(running_cell()))
    _SHOWN.setdefault(shown_by.cell, {}).setdefault(shown_by.run, weakref.WeakSet()).add(panel)


def forget_overwritten(run: CellRun | None) -> None:
    """Tell the panels that earlier runs of this cell showed, and this run does not, that they have left the page."""
    if run is None or run.cell not in _SHOWN:
        return
    by_run = _SHOWN[run.cell]
    now = set(by_run.get(run.run, ()))
    for earlier in [name for name in by_run if name != run.run]:
        for panel in set(by_run.pop(earlier)) - now:
            panel.left_the_page()


def running_cell() -> CellRun | None:
    """The cell run that is executing now; None outside a notebook."""
    shell = get_ipython()
    if shell is None or not hasattr(shell, "get_parent"):
        return None  # a terminal has no cells
    parent: dict[str, Any] = shell.get_parent()
    cell = parent.get("metadata", {}).get("cellId")
    return None if cell is None else CellRun(str(cell), str(parent.get("header", {}).get("msg_id", "")))
