"""Colours that everyone can tell apart: Okabe-Ito with shapes, cividis for quantities, a cyclic map for angles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.tasks.base import TruthKind

# Okabe and Ito's palette, which people with any colour vision can tell apart (2008).
BLUE, ORANGE, SKY, PURPLE, YELLOW = "#0072b2", "#e69f00", "#56b4e9", "#cc79a7", "#f0e442"
GREEN, VERMILLION, GREY = "#009e73", "#d55e00", "#808080"
# Small writing on white.
DARK = "#444444"

# The palette for small points on the light and the dark theme: without black (too dark) and yellow (too light).
OKABE_ITO = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
N_SHAPES = 4
# The shapes as matplotlib calls them.
MARKERS = ("o", "s", "^", "D")

# The colours of readings (base/readings.py), on a light and on a dark background, where blue would be too dark.
LINE_COLOURS = {
    "blue": (BLUE, SKY),
    "vermillion": (VERMILLION, VERMILLION),
    "green": (GREEN, GREEN),
    "purple": (PURPLE, PURPLE),
    "orange": (ORANGE, ORANGE),
    "sky": (SKY, SKY),
}

# The loss over a start, from low to high: even steps in CIELAB, in lightness above all, so that every eye sees them.
SURFACE = ("#f8f9fb", "#dcdfe6", "#c0c5d1", "#a4acbd", "#8994a9", "#6f7c95", "#556582", "#3b4f6f", "#1e3a5d")
# The ways of methods of meta-learning on it.
WAYS = {"maml": VERMILLION, "first_order": PURPLE, "reptile": GREEN}

# Six colours in four shapes; further categories are one grey group.
_MOST_CATEGORIES = len(OKABE_ITO) * N_SHAPES
_STOPS = 9
_MOST_BINS = 6
# Round widths for a legend's bins: for plain numbers (times a power of ten) and for degrees.
_ROUND = (1.0, 2.0, 2.5, 5.0)
_ROUND_DEGREES = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0, 60.0)


@compared_by_value
@dataclass(frozen=True)
class Colouring:
    """A colour, a shape and a legend entry for each of n tasks, by one of their true parameters.

    rgb (n, 3), shapes (n,) and groups (n,) are uint8; task i belongs to `entries[groups[i]]`, which has a label, a
    colour and a shape. `stops` are colours at even distances along the scale; categories have none. `labels` are the
    categories of the tasks where there are more than entries, so that some share the entry "others"; else empty.
    """

    name: str
    kind: Literal["category", "quantity", "angle"]
    stops: tuple[str, ...]
    entries: tuple[dict[str, Any], ...]
    rgb: NDArray[np.uint8]
    shapes: NDArray[np.uint8]
    groups: NDArray[np.uint8]
    labels: tuple[str, ...] = ()


def colour_tasks(values: NDArray[np.floating[Any]], name: str, kind: TruthKind, names: Sequence[str] = ()) -> Colouring:
    """Colours of n tasks by the values of one true parameter, shape (n,).

    `names` are the names of the values 0, 1, ... of a category; a value without a name is shown as its number.

    Categories use Okabe-Ito's colours and shapes, quantities cividis. Angles over more than half a circle use a cyclic
    colour map, since 0 and 360 degrees are the same (kind "angle"); over a smaller range an angle is a quantity. The
    legend cuts a scale into at most six bins with round ends.
    """
    return _by_category(values, name, names) if kind == "category" else _by_scale(values, name, angle=kind == "angle")


def plain_colours(n_tasks: int) -> Colouring:
    """One colour for all, and no legend: for tasks without true parameters."""
    blue = np.array([int(BLUE[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)
    none = np.zeros(n_tasks, np.uint8)
    return Colouring("", "category", (), (), np.tile(blue, (n_tasks, 1)), none, none)


def _by_scale(values: NDArray[np.floating[Any]], name: str, angle: bool) -> Colouring:
    from matplotlib import colormaps

    low, high = float(values.min()), float(values.max())
    circle = angle and high - low > math.pi
    if circle:
        low, high, values = 0.0, 2 * math.pi, values % (2 * math.pi)
    colours = colormaps["twilight_shifted" if circle else "cividis"]
    # The legend is in degrees; the scale itself stays in radians.
    unit = math.degrees(1.0) if angle else 1.0
    edges, labels = _bins(low * unit, high * unit, angle)
    middles = np.clip((edges[:-1] + edges[1:]) / 2 / unit, low, high)
    span = high - low or 1.0
    entries = tuple(
        {"label": label, "colour": _hex(colours((middle - low) / span)), "shape": 0}
        for label, middle in zip(labels, middles, strict=True)
    )
    return Colouring(
        name,
        "angle" if circle else "quantity",
        tuple(_hex(colours(k / (_STOPS - 1))) for k in range(_STOPS)),
        entries,
        (colours((values - low) / span)[:, :3] * 255).round().astype(np.uint8),
        np.zeros(len(values), np.uint8),
        (np.searchsorted(edges[1:-1], values * unit, side="right")).astype(np.uint8),
    )


def _bins(low: float, high: float, degrees: bool) -> tuple[NDArray[np.floating[Any]], list[str]]:
    """Edges with round distances, at most six bins, and a label for each bin."""
    sign = "°" if degrees else ""
    if not high > low:
        return np.array([low, low]), [f"{low:.3g}{sign}"]
    power = 10.0 ** math.floor(math.log10((high - low) / _MOST_BINS))
    widths = [power * k for k in (*_ROUND, 10.0, 20.0)]
    if degrees and high - low >= 1.0:
        widths = list(_ROUND_DEGREES)

    def ends(width: float) -> tuple[int, int]:
        # A tolerance of a billionth, because of rounding: 0.3 / 0.1 is slightly less than 3.
        return math.floor(low / width + 1e-9), math.ceil(high / width - 1e-9)

    width = next(width for width in widths if ends(width)[1] - ends(width)[0] <= _MOST_BINS)
    first, last = ends(width)
    edges = np.arange(first, max(last, first + 1) + 1, dtype=np.float64) * width
    decimals = max(0, 1 - math.floor(math.log10(width)))
    said = [np.format_float_positional(round(edge, decimals), trim="-") for edge in edges.tolist()]
    return edges, [f"{a} to {b}{sign}" for a, b in itertools.pairwise(said)]


def _by_category(values: NDArray[np.floating[Any]], name: str, names: Sequence[str]) -> Colouring:
    kinds, index = np.unique(values, return_inverse=True)
    words = {float(k): said for k, said in enumerate(names)}
    if not words and set(kinds) <= {0.0, 1.0}:
        words = {0.0: "no", 1.0: "yes"}
    labels = [words.get(float(kind), f"{kind:g}") for kind in kinds]
    entries = [_category(k, label) for k, label in enumerate(labels[:_MOST_CATEGORIES])]
    own = tuple(labels[k] for k in index) if len(kinds) > _MOST_CATEGORIES else ()
    if own:
        entries.append({"label": "others", "colour": GREY, "shape": 0})
        index = np.minimum(index, _MOST_CATEGORIES)
    palette = np.array([[int(e["colour"][i : i + 2], 16) for i in (1, 3, 5)] for e in entries], dtype=np.uint8)
    shapes = np.array([entry["shape"] for entry in entries], dtype=np.uint8)
    return Colouring(name, "category", (), tuple(entries), palette[index], shapes[index], index.astype(np.uint8), own)


def _category(k: int, label: str) -> dict[str, Any]:
    # After each cycle of colours the shapes shift by one, so 24 categories have 24 different symbols.
    shape = (k + k // len(OKABE_ITO)) % N_SHAPES
    return {"label": label, "colour": OKABE_ITO[k % len(OKABE_ITO)], "shape": shape}


def _hex(colour: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour[:3])
