"""A leaderboard as a figure: one panel a score, one row an embedder, legible from the last seat at 1280x720."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.evaluation.benchmark import Summary, columns_of, smaller_is_better
from taskembed_edu.figures.captions import as_written
from taskembed_edu.figures.colours import GREY, OKABE_ITO
from taskembed_edu.figures.plots import Still
from taskembed_edu.figures.rows import FONT, PROJECTED, TITLE

# With it `PROJECTED` is 1280x720.
DPI = 1280 / PROJECTED[0]
# An embedder has a colour and a shape, the same in every panel and for every family of a board.
_SHAPES = "osD^vP"
_A_ROW = 4


@short_errors
def leaderboard_figure(board: Mapping[str, Mapping[str, Mapping[str, Summary]]], family: str) -> Still:
    """A family's leaderboard: a point is the mean over seeds, the line through it the standard deviation to each side.

    `board` is what `leaderboard(outcomes)` gives. An arrow says which way is better. A mean that is not finite is named
    instead of drawn; a score that an embedder does not have is left empty.
    Errors: ValueError for a family that is not on the board.
    """
    if not board:
        raise ValueError(problem("board", "no family", "a leaderboard with at least one scorecard"))
    by = board[check_choice("family", family, board)]
    scores = columns_of(by)
    looks = {
        embedder: {"color": OKABE_ITO[k % len(OKABE_ITO)], "marker": _SHAPES[k % len(_SHAPES)]}
        for k, embedder in enumerate(sorted({embedder for of in board.values() for embedder in of}))
    }
    n_rows = -(-len(scores) // _A_ROW)
    figure = Still(figsize=PROJECTED, layout="constrained")
    panels = figure.subplots(n_rows, -(-len(scores) // n_rows), squeeze=False, sharey=True)
    for panel, score in zip(panels.flat, scores, strict=False):
        _draw(panel, score, {embedder: of.get(score) for embedder, of in by.items()}, looks)
    for panel in panels.flat[len(scores) :]:
        panel.set_visible(False)
    seeds = sorted({summary[2] for of in by.values() for summary in of.values()})
    n_seeds = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    title = f"{family}: mean and standard deviation, {n_seeds} {'seed' if seeds == [1] else 'seeds'}"
    figure.suptitle(as_written(title), fontsize=TITLE + 2)
    return figure


def _draw(panel: Axes, score: str, means: Mapping[str, Summary | None], looks: Mapping[str, Mapping[str, str]]) -> None:
    """One score: a point and a line for each embedder that has it, the first one at the top."""
    for row, (embedder, summary) in enumerate(means.items()):
        if summary is not None and math.isfinite(summary[0]):
            spread = summary[1] if math.isfinite(summary[1]) else 0.0
            look: dict[str, Any] = {**looks[embedder], "markersize": 10, "linewidth": 3, "capsize": 5}
            panel.errorbar(summary[0], row, xerr=spread, **look)
        elif summary is not None:
            place = panel.get_yaxis_transform()
            panel.text(0.5, row, "not finite", transform=place, ha="center", va="center", fontsize=FONT, color=GREY)
    panel.set_yticks(range(len(means)), [as_written(embedder) for embedder in means], fontsize=FONT)
    panel.set_ylim(len(means) - 0.5, -0.5)
    panel.set_title(as_written(score), fontsize=TITLE)
    _say_the_scale(panel, score)
    panel.grid(axis="x", color="#e0e0e0")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _say_the_scale(panel: Axes, score: str) -> None:
    better = "\N{LEFTWARDS ARROW} better" if smaller_is_better(score) else "better \N{RIGHTWARDS ARROW}"
    panel.set_xlabel(better, fontsize=FONT)
    panel.tick_params(axis="x", labelsize=FONT - 2)
    if score.startswith("ms "):
        panel.set_xscale("log")  # an inner loop takes a thousand times longer than a mean
    else:
        panel.locator_params(axis="x", nbins=4)
