"""A static picture of the LossLab: points, margin, forces and the loss, for readers without a kernel."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, Patch, Polygon, Wedge

from taskembed_edu.figures import colours, plots
from taskembed_edu.labs.loss_readings import readings
from taskembed_edu.labs.loss_state import State
from taskembed_edu.labs.loss_steps import Point

CLASS_COLOURS = (
    colours.BLUE,
    colours.ORANGE,
    colours.PURPLE,
    colours.SKY,
    colours.YELLOW,
    "#4d4d4d",
    "#a6a6a6",
    "#7a5195",
)
CLASS_SHAPES = ("o", "s", "^", "D", "v", "P", "X", "*")
SOME_ROWS = 10  # with more pairs or triplets only the total forces are drawn, as in the panel
ASIDE = 0.015  # how far arrows are shifted sideways, as a share of the picture's height
WIDE = 2.2  # width of the plane over its height


def picture(state: State, caption: str) -> plots.Still:
    """The plane as the panel shows it: each term's forces in colour or, if there are many, total forces in black."""
    seen = readings(state)
    points: list[Point] = seen["points"]
    figure = plots.Still(figsize=(9, 4.6), layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    how = seen["arithmetic"] if seen["arithmetic"].startswith("=") else f"({seen['arithmetic']})".replace("()", "")
    figure.suptitle(f"loss {seen['loss']} {how}", x=0.01, ha="left", fontsize=15, fontweight="bold")
    if seen["marks"]:
        axes.tick_params(labelbottom=False, labelleft=False, length=0)
    for mark in seen["marks"]:
        axes.annotate(mark["text"], mark["at"], (0, -24), textcoords="offset points", ha="center", fontsize=11)
    axes.grid(color="#e4e4e4")
    axes.set_axisbelow(True)
    for region in [region for region in seen["regions"] if region["anchor"] == seen["regions"][0]["anchor"]]:
        axes.add_patch(_region_patch(region, points[region["anchor"]]))
    for row in seen["rows"]:
        ends = [points[i] for i in row["members"]]
        for other in ends[1:]:
            axes.plot(*zip(ends[0], other, strict=True), color=colours.GREY, lw=1, ls="-" if row["active"] else ":")
    height = _frame(axes, points, seen["regions"])
    arrows = _arrows(seen)
    scale = _scale(max((math.hypot(*force) for _, force, _ in arrows), default=0.0), height)
    for start, force, colour in arrows:
        axes.add_patch(_arrow(start, (scale * force[0], scale * force[1]), colour, ASIDE * height))
    for point, name, label in zip(points, seen["names"], seen["labels"], strict=True):
        axes.plot(*point, CLASS_SHAPES[label], ms=13, mec="white", mew=1.5, color=CLASS_COLOURS[label], zorder=5)
        axes.annotate(name, point, (0, 11), textcoords="offset points", ha="center", fontsize=11, zorder=6)
    remarks = [caption, seen["undefined"] or seen["caution"]]
    if scale != 1.0:
        remarks.append(f"forces drawn at {scale:g} of their size")
    axes.set_xlabel("\n".join(filter(None, remarks)), fontsize=10)
    return figure


def _scale(longest: float, height: float) -> float:
    """How long a force of 1 is drawn: one unit, or less if the longest arrow would leave the picture."""
    return next((s for s in (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01) if s * longest <= 0.3 * height), 0.005)


def _arrows(seen: dict[str, Any]) -> list[tuple[Point, Point, str]]:
    """(from, force, colour) of every force that is not 0."""
    points = seen["points"]
    arrows = [
        (points[i], force, _colour(row["kind"], place))
        for row in seen["rows"]
        for place, (i, force) in enumerate(zip(row["members"], row["forces"], strict=True))
    ]
    if len(seen["rows"]) > SOME_ROWS:
        arrows = [(point, force, "black") for point, force in zip(points, seen["total"], strict=True)]
    return [arrow for arrow in arrows if math.hypot(*arrow[1]) > 1e-6]


def _colour(kind: str, place: int) -> str:
    """Green pulls and red pushes; in a triplet green is for the positive, red the negative, blue the anchor."""
    if kind == "triplet":
        return (colours.BLUE, colours.GREEN, colours.VERMILLION)[place]
    return colours.GREEN if kind == "similar" else colours.VERMILLION


def _arrow(start: Point, force: Point, colour: str, aside: float) -> FancyArrowPatch:
    """An arrow beside the line of its force, so that arrows in opposite directions do not hide each other."""
    size = math.hypot(*force)
    start = (start[0] + aside * force[1] / size, start[1] - aside * force[0] / size)
    end = (start[0] + force[0], start[1] + force[1])
    return FancyArrowPatch(
        start, end, color=colour, arrowstyle="-|>", lw=2.4, mutation_scale=18, shrinkA=0, shrinkB=0, zorder=4
    )


def _region_patch(region: dict[str, Any], centre: Point) -> Patch:
    """The region within the margin, with a dashed edge."""
    size, (x, y) = region["size"], centre
    look: dict[str, Any] = {"facecolor": colours.BLUE + "14", "edgecolor": colours.BLUE, "linestyle": "--"}
    if region["shape"] == "wedge":
        middle, half = math.degrees(math.atan2(y, x)), math.degrees(size)
        return Wedge((0, 0), 1e3, middle - half, middle + half, **look)
    if region["shape"] == "diamond":
        return Polygon([(x + size, y), (x, y + size), (x - size, y), (x, y - size)], **look)
    return Circle(centre, size, **look)


def _frame(axes: Axes, points: list[Point], regions: list[dict[str, Any]]) -> float:
    """Fit the axes to the points, the first anchor's circle, and under the cosine the origin. Returns the height."""
    wedge = any(region["shape"] == "wedge" for region in regions)
    xs, ys = ([p[k] for p in points] + [0.0] * wedge for k in (0, 1))
    reach = 0.0 if wedge else min(max((region["size"] for region in regions[:1]), default=0.0), 3.0)
    room = 0.5 + 0.8 * reach
    middle = [(max(v) + min(v)) / 2 for v in (xs, ys)]
    half_x, half_y = ((max(v) - min(v)) / 2 + room for v in (xs, ys))
    half_x, half_y = max(half_x, WIDE * half_y), max(half_y, half_x / WIDE)  # fills the picture, one unit a square
    axes.set_xlim(middle[0] - half_x, middle[0] + half_x)
    axes.set_ylim(middle[1] - half_y, middle[1] + half_y)
    if wedge:
        axes.plot(0, 0, "+", color="black", ms=10)
    return 2 * half_y
