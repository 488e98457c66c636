"""The static picture of the inner loop in slow motion: one task from several starts, and their losses by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from taskembed_edu.figures.captions import as_written
from taskembed_edu.figures.colours import BLUE, DARK, GREEN, GREY, VERMILLION
from taskembed_edu.session.slow_motion import LEARNED, NEAREST, PROTOTYPES, RANDOM, Seen

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

# The same colours as on the page.
START_COLOURS = {RANDOM: VERMILLION, LEARNED: BLUE, NEAREST: GREEN, PROTOTYPES: GREY}
# The curve may leave the axes by this share of their height; what lies beyond is not drawn.
_AIR = 0.3


def draw_slow_motion(figure: FigureBase, seen: Seen) -> None:
    """Draw the task with each start's answer after the last step, and the losses by step, into a part of a figure.

    Of tasks that are no curves, accuracies stand in the place of the curves, where there are any.
    """
    left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
    if seen.is_curve:
        _curves(left, seen)
    else:
        _measure(left, seen, next((name for name in ("accuracy", "letters right") if name in seen.measures), "loss"))
    _losses(right, seen)
    left.set_title(as_written(_title(seen)), fontsize=10)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)


def _title(seen: Seen) -> str:
    what = "a curve of one's own" if seen.asked.own else seen.task.names[0]
    steps = seen.asked.steps
    return f"{what}, after {steps} inner step{'s' if steps != 1 else ''}"


def _curves(axes: Axes, seen: Seen) -> None:
    low, high = seen.sketch.y
    if seen.sketch.curve is not None and not seen.asked.own:
        curve = seen.sketch.curve[0].numpy()
        axes.plot(np.linspace(*seen.sketch.x, len(curve)), curve, color=DARK, linewidth=1, label="true curve")
    for name, way in seen.ways.items():
        last = way.outputs[-1, :, 0].numpy()
        if np.isfinite(last).all():
            axes.plot(seen.x.numpy(), last, color=_colour(name), label=name)
    x, y = (values[0, :, 0].numpy() for values in (seen.task.support_x, seen.task.support_y))
    axes.scatter(x, y, color=DARK, s=22, zorder=3, label="support")
    if seen.task.query_x.shape[1]:
        x, y = (values[0, :, 0].numpy() for values in (seen.task.query_x, seen.task.query_y))
        axes.scatter(x, y, facecolors="none", edgecolors=GREY, s=22, zorder=2, label="query")
    air = _AIR * (high - low) / 2
    axes.set(xlim=seen.sketch.x, ylim=(low - air, high + air))
    axes.legend(frameon=False, fontsize=7, ncols=3, loc="lower left")


def _measure(axes: Axes, seen: Seen, measure: str) -> None:
    for name, way in seen.ways.items():
        if measure in way.query:
            axes.plot(way.query[measure], color=_colour(name), label=name)
    if measure in seen.prototypes:
        axes.axhline(seen.prototypes[measure], color=START_COLOURS[PROTOTYPES], linestyle=":", label=PROTOTYPES)
    axes.set(xlabel="inner step", ylabel=f"{measure} on the query set")
    axes.legend(frameon=False, fontsize=8)


def _losses(axes: Axes, seen: Seen) -> None:
    for name, way in seen.ways.items():
        if way.query_losses:
            axes.plot(way.query_losses, color=_colour(name), label=name)
        axes.plot(way.losses, color=_colour(name), linestyle="--", label=None if way.query_losses else name)
    axes.set_yscale("log")
    axes.set(xlabel="inner step", title="loss: query (solid), support (dashed)")
    axes.title.set_fontsize(10)


def _colour(start: str) -> str:
    return next((colour for name, colour in START_COLOURS.items() if start.startswith(name)), BLUE)
