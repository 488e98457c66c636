"""The confusion picture: rows and columns are the classes as they look, legible from the last seat at 1280x720."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.evaluation.confusions import Confusions
from taskembed_edu.figures.captions import as_written
from taskembed_edu.figures.colours import BLUE, DARK, VERMILLION
from taskembed_edu.figures.pictures import pictures_of
from taskembed_edu.figures.plots import Still
from taskembed_edu.figures.rows import FONT, PROJECTED, TITLE

# So many pairs are drawn beside the table.
_PAIRS = 5
_RIGHT = LinearSegmentedColormap.from_list("right", ["white", BLUE])
_WRONG = LinearSegmentedColormap.from_list("wrong", ["white", VERMILLION])
# A share of mistakes as large as this has the full colour: most are small, and they are what one looks for.
_FULL = 0.4


@short_errors
def confusion_figure(counts: Confusions, pictures: Tensor, *, most: int = 12, title: str = "") -> Still:
    """How often the class of a row is taken for that of a column, in percent of the queries whose task has both.

    `pictures` (n_classes, height, width), or with one channel, in [0, 1] and in the order of `counts.classes`: what a
    class looks like. Drawn are the `most` classes that are confused most often, those of one pair side by side; beside
    the table are the five pairs that are confused most often. Errors: ValueError for as many pictures as no class.
    """
    if not isinstance(counts, Confusions):
        raise TypeError(problem("counts", counts, "what confusions(solver, tasks, classes) gives"))
    drawn = pictures_of("pictures", pictures)
    if len(drawn) != len(counts.classes):
        raise ValueError(problem("pictures", pictures, f"({len(counts.classes)}, height, width): one of each class"))
    chosen = _most_confused(counts, check_whole("most", most, 2, None))
    figure = Still(figsize=PROJECTED, layout="constrained")
    table, pairs = figure.subplots(1, 2, width_ratios=(2.2, 1))
    _draw_table(table, counts.of(chosen).shares.numpy(), drawn[chosen])
    _draw_pairs(pairs, counts, drawn)
    if title:
        figure.suptitle(as_written(title), fontsize=TITLE + 2)
    return figure


def _most_confused(counts: Confusions, most: int) -> list[int]:
    """Places of classes: those of the pairs confused most often, then the others as long as there is room."""
    in_pairs = [place for pair in counts.pairs() for place in pair]
    return list(dict.fromkeys([*in_pairs, *range(len(counts.classes))]))[:most]


def _draw_table(panel: Axes, shares: NDArray[np.float32], pictures: NDArray[np.float32]) -> None:
    n = len(shares)
    for row, column in np.ndindex(n, n):
        share, right = float(shares[row, column]), row == column
        if np.isnan(share):
            continue
        colour = _RIGHT(share) if right else _WRONG(share / _FULL)
        panel.fill([column, column + 1, column + 1, column], [row, row, row + 1, row + 1], color=colour)
        if share >= 0.005:
            dark = share > (0.6 if right else 0.6 * _FULL)
            middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": FONT}
            panel.text(column + 0.5, row + 0.5, f"{100 * share:.0f}", color="white" if dark else DARK, **middle)
    for k, picture in enumerate(pictures):
        _put(panel, picture, -1.15, k)
        _put(panel, picture, k, -1.15)
    panel.set(xlim=(-1.3, n), ylim=(n, -1.3), aspect="equal")
    panel.set_title("taken for ... (%)", fontsize=TITLE)
    panel.set_ylabel("a letter of this row is ...", fontsize=TITLE)
    _bare(panel)


def _draw_pairs(panel: Axes, counts: Confusions, pictures: NDArray[np.float32]) -> None:
    pairs = counts.pairs()[:_PAIRS]
    for row, (of, taken_for) in enumerate(pairs):
        _put(panel, pictures[of], 0, 1.3 * row)
        _put(panel, pictures[taken_for], 2, 1.3 * row)
        panel.annotate("", (1.9, 1.3 * row + 0.5), (1.1, 1.3 * row + 0.5), arrowprops={"arrowstyle": "->", "lw": 2})
        share = float(counts.shares[of, taken_for])
        panel.text(3.2, 1.3 * row + 0.5, f"{100 * share:.0f} %", va="center", fontsize=TITLE + 4)
    panel.set(xlim=(0, 4.6), ylim=(1.3 * _PAIRS, -0.1), aspect="equal")
    panel.set_title("most often confused" if pairs else "nothing was confused", fontsize=TITLE)
    _bare(panel)


def _put(panel: Axes, picture: NDArray[np.float32], left: float, top: float) -> None:
    """A picture in a square of one unit; ink is 1."""
    air = 0.06
    extent = (left + air, left + 1 - air, top + 1 - air, top + air)
    panel.imshow(picture, cmap="gray_r", vmin=0, vmax=1, extent=extent, interpolation="nearest")


def _bare(panel: Axes) -> None:
    panel.set_xticks([])
    panel.set_yticks([])
    for side in panel.spines.values():
        side.set_visible(False)
