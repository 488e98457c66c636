"""The learner's own number beside the band in which it lies on the machines seen.

A training run ends in slightly different numbers on every machine. So the learner sees their own number, and what is
compared from machine to machine is only whether it lies in its band.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from taskembed_edu.base.checks import problem
from taskembed_edu.course.shown import Shown, box, escaped

# What is measured, the learner's number, and the two ends of its band.
Row = tuple[str, float, float, float]

_OUTSIDE = (
    "Outside its band. A setting that was changed, or a run that had begun before, is the usual cause: reset the lab, "
    "or restart the kernel and run all cells. Is it still outside? Then this machine differs: please report it."
)


def expected(*rows: Row) -> Shown:
    """Each number beside its band: `expected(("recall@1", value, 0.60, 0.86), ...)`; end the cell with it.

    The ends belong to the band. What nbval compares is the label, the band, and whether the number lies in it; a band
    is as wide as what was seen on several machines and seeds, and no wider. A number that is not finite lies in none.
    Errors: ValueError for a band whose ends are not finite or not in order, or no row; TypeError for what is no number.

    Worked: `str(expected(("recall@1", 0.75, 0.6, 0.86)))` is `recall@1: yours 0.75, expected 0.6 to 0.86`.
    """
    if not rows:
        raise ValueError(problem("rows", "none", "one or more of (label, number, low, high)"))
    return bands([(label, [value], low, high) for label, value, low, high in map(checked_band, rows)])


def bands(rows: Sequence[tuple[str, Sequence[float], float, float]], heads: Sequence[str] = ("yours",)) -> Shown:
    """Rows of a label, its numbers (one for each head), and the band in which all of them should lie."""
    compared, said, cells, all_inside = [], [], [], True
    for label, values, low, high in rows:
        inside = all(math.isfinite(value) and low <= value <= high for value in values)
        all_inside = all_inside and inside
        band, shown = f"{low:g} to {high:g}", [_short(value, low, high) for value in values]
        told = ", ".join(f"{head} {value}" for head, value in zip(heads, shown, strict=True))
        compared.append(f"{label}: {'in' if inside else 'NOT IN'} the band {band}")
        said.append(f"{label}: {told}, expected {band}" + ("" if inside else " (outside)"))
        cells.append(_row(label, shown, band, inside))
    page = _table(heads, cells) + ("" if all_inside else box("Not as expected", _OUTSIDE, tone="bad"))
    return Shown("\n".join(compared), page, "\n".join(said))


def checked_band(row: Any) -> Row:
    """The row with its numbers as floats. Errors: TypeError, ValueError for what is no row, or no band."""
    if isinstance(row, str) or not isinstance(row, Sequence) or len(row) != 4:
        cause = "One row is a tuple of its own: expected((label, number, low, high))."
        raise ValueError(problem("row", repr(row), "(label, number, low, high)", cause))
    label, *numbers = row
    try:
        value, low, high = map(float, numbers)
    except (TypeError, ValueError):
        raise TypeError(problem(f"row of {label}", repr(row), "three numbers after the label")) from None
    if not (low <= high and math.isfinite(high - low)):
        raise ValueError(problem(f"band of {label}", f"{low} to {high}", "two finite numbers, the lower end first"))
    return label, value, low, high


def _short(value: float, low: float, high: float) -> str:
    """As many digits as the band has, one more where it is narrow, and more where it lies just outside an end."""
    if not math.isfinite(value):
        return str(value)
    width = high - low or abs(high) or 1.0
    digits = min(max(0, 2 - math.floor(math.log10(width)) - 1), 8)
    inside = low <= value <= high
    while digits < 8 and (low <= float(f"{value:.{digits}f}") <= high) != inside:
        digits += 1
    return f"{value:.{digits}f}"


def _row(label: str, values: Sequence[str], band: str, inside: bool) -> str:
    mark = "&#10003; as expected" if inside else "&#10007; outside"
    cells = [escaped(label), *(f"<b>{escaped(value)}</b>" for value in values), escaped(band), mark]
    return "<tr>" + "".join(f"<td style='padding: 2px 14px; text-align: left'>{cell}</td>" for cell in cells) + "</tr>"


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    shown = "".join(
        f"<th scope='col' style='padding: 2px 14px; text-align: left'>{head}</th>"
        for head in ("", *heads, "on the machines seen", "")
    )
    return f"<table><thead><tr>{shown}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
