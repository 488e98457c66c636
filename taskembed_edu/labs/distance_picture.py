"""A static picture of the DistanceLab: the plane (or the coordinates) and the numbers, for readers without a kernel."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Arc, Circle, Patch, Polygon, Wedge

from taskembed_edu.figures import colours, plots
from taskembed_edu.labs import distance_readings as read
from taskembed_edu.labs.distance_state import DistanceSettings, State

Point = tuple[float, float]

COLOURS = {"x": colours.BLUE, "y": colours.VERMILLION, "z": colours.GREEN}
SHAPES = {"x": "o", "y": "s", "z": "^"}
ROWS_SHOWN = 12


def picture(state: State) -> plots.Still:
    """What the panel shows now: vectors, ball and path on the left, the distances on the right."""
    figure = plots.Still(figsize=(9, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    names = ("x", "y", "z") if state.settings.triangle else ("x", "y")
    vectors = {name: list(getattr(state, name)) for name in names}
    if len(state.x) == 2:
        _plane(left, vectors, state.settings)
    else:
        _coordinates(left, vectors)
    _numbers(right, state)
    return figure


def _plane(axes: Axes, vectors: dict[str, list[float]], settings: DistanceSettings) -> None:
    points: dict[str, Point] = {name: (v[0], v[1]) for name, v in vectors.items()}
    reach = max(1.0, *(abs(entry) for point in points.values() for entry in point))
    axes.set(xlim=(-1.6 * reach, 1.6 * reach), ylim=(-1.35 * reach, 1.35 * reach), aspect="equal")
    axes.axhline(0, color=colours.GREY, lw=1)
    axes.axvline(0, color=colours.GREY, lw=1)
    axes.grid(color="#e4e4e4")
    axes.set_axisbelow(True)
    ball = None if settings.triangle else _ball(points["x"], settings, reach)
    if ball is not None:
        axes.add_patch(ball)
        axes.set_xlabel(f"dashed: at distance {read.tidy(settings.radius)} from x", color=colours.BLUE)
    sides = [("x", "z", "black", 5), ("x", "y", colours.PURPLE, 2.5), ("y", "z", colours.PURPLE, 2.5)]
    for a, b, colour, width in sides if settings.triangle else [("x", "y", "black", 2)]:
        _way(axes, points[a], points[b], settings.metric, reach, colour, width)
    for name, (right, up) in points.items():
        axes.annotate("", (right, up), (0, 0), arrowprops={"color": COLOURS[name], "arrowstyle": "-|>", "lw": 2})
        axes.plot(right, up, SHAPES[name], ms=9, color=COLOURS[name], mec="white")
        words = f"{name} ({read.tidy(right, 2)}, {read.tidy(up, 2)})"
        above = (6, 9) if up >= 0 else (6, -18)
        axes.annotate(words, (right, up), above, textcoords="offset points", color=COLOURS[name], weight="bold")


def _ball(centre: Point, settings: DistanceSettings, reach: float) -> Patch | None:
    """All points nearer to x than the radius, with a dashed edge; under the cosine a wedge of directions."""
    x, y = centre
    radius = settings.radius
    look: dict[str, Any] = {"facecolor": colours.BLUE + "14", "edgecolor": colours.BLUE, "linestyle": "--"}
    if settings.metric == "cosine":
        if x == y == 0.0:
            return None
        middle, half = math.degrees(math.atan2(y, x)), math.degrees(math.acos(1.0 - radius))
        return Wedge((0, 0), 10 * reach, middle - half, middle + half, **look)
    if settings.metric == "manhattan":
        return Polygon([(x + radius, y), (x, y + radius), (x - radius, y), (x, y - radius)], **look)
    return Circle(centre, math.sqrt(radius) if settings.metric == "squared_euclidean" else radius, **look)


def _way(axes: Axes, a: Point, b: Point, metric: str, reach: float, colour: str, width: float) -> None:
    """What the metric measures: the line, the square on it, the staircase, or the angle."""
    look: dict[str, Any] = {"color": colour, "lw": width, "alpha": 0.7}
    if metric == "manhattan":
        axes.plot([a[0], b[0], b[0]], [a[1], a[1], b[1]], **look)
    elif metric == "cosine":
        if any(a) and any(b):
            start, end = (math.degrees(math.atan2(p[1], p[0])) for p in (a, b))
            if (end - start) % 360 > 180:
                start, end = end, start
            size = (0.9 if width > 4 else 0.6) * reach
            axes.add_patch(Arc((0, 0), size, size, theta1=start, theta2=end, **look))
    else:
        axes.plot([a[0], b[0]], [a[1], b[1]], **look)
    if metric == "squared_euclidean":
        dx, dy = b[0] - a[0], b[1] - a[1]
        turn = 1 if (dx * a[1] - dy * a[0]) >= 0 else -1  # away from the origin
        corners = [a, b, (b[0] - turn * dy, b[1] + turn * dx), (a[0] - turn * dy, a[1] + turn * dx)]
        axes.add_patch(Polygon(corners, facecolor=colour, alpha=0.15))


def _coordinates(axes: Axes, vectors: dict[str, list[float]]) -> None:
    """One line a coordinate: x and y as dots, the difference as the bar between them."""
    x, y = (vectors[name][:ROWS_SHOWN] for name in ("x", "y"))
    rows = range(1, len(x) + 1)
    axes.hlines(rows, x, y, color="black", lw=3)
    for name, vector in vectors.items():
        axes.plot(vector[:ROWS_SHOWN], rows, SHAPES[name], ms=10, color=COLOURS[name], mec="white", label=name)
    axes.axvline(0, color=colours.GREY, lw=1)
    axes.set(ylim=(len(x) + 0.6, 0.4), yticks=list(rows), ylabel="coordinate", xlabel="value")
    axes.grid(axis="x", color="#e4e4e4")
    axes.set_axisbelow(True)
    axes.legend(loc="upper right", ncols=len(vectors))


def _numbers(axes: Axes, state: State) -> None:
    axes.set_axis_off()
    for row, (key, value) in enumerate(read.distances(state.x, state.y).items()):
        chosen = key == state.settings.metric
        weight = "bold" if chosen else "normal"
        height = 0.94 - 0.125 * row
        number = "undefined" if math.isnan(value) else f"{value + 0.0:.4f}"
        axes.text(0.0, height, read.ROWS[key][0], fontsize=12, weight=weight, color=colours.BLUE if chosen else "black")
        axes.text(
            1.0, height, number, fontsize=13, weight=weight, ha="right", color=colours.BLUE if chosen else "black"
        )
    metric = state.settings.metric
    below = [read.worked(metric, state.x, state.y)]
    if state.settings.triangle:
        side = read.triangle(metric, state.x, state.y, state.z)
        sign = {True: "<=", False: ">", None: "?"}[side.holds]
        below.append(f"d(x,z) = {read.tidy(side.direct)} {sign} {read.tidy(side.detour)} = d(x,y) + d(y,z)")
    axes.text(0.0, 0.24, "\n\n".join(below), fontsize=10.5, va="top", wrap=True)
