"""What a learner drew outlives its cell: a pad that the same cell makes again begins with what was on the old one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskembed_edu.labs.drawing_pad import DrawingPad

# Of each cell: its last run, the pads that it made, in order, and those of the run before.
_BY_CELL: dict[str, tuple[str, list[DrawingPad], list[DrawingPad]]] = {}


def pad_before(pad: DrawingPad) -> DrawingPad | None:
    """The pad in whose place this one is made: of the same cell, run before; None where there is none."""
    if "IPython" not in sys.modules:
        return None  # a script has no cells
    from taskembed_edu.live.cells import running_cell

    made_by = running_cell()
    if made_by is None:
        return None
    run, now, before = _BY_CELL.get(made_by.cell, (made_by.run, [], []))
    if run != made_by.run:
        now, before = [], now
    _BY_CELL[made_by.cell] = (made_by.run, [*now, pad], before)
    return before[len(now)] if len(now) < len(before) else None
