"""Colours that everyone can tell apart: Okabe-Ito with shapes, cividis for quantities, a cyclic map for angles."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskembed_edu.tasks.base import TruthKind

# Okabe and Ito's palette, which people with any colour vision can tell apart (2008).
BLUE, ORANGE, SKY, PURPLE, YELLOW = "#0072b2", "#e69f00", "#56b4e9", "#cc79a7", "#f0e442"
GREEN, VERMILLION, GREY = "#009e73", "#d55e00", "#808080"

# For small points on either theme: black and yellow are too dark and too light there.
OKABE_ITO = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
N_SHAPES = 4

_STOPS = 9


class Colouring(NamedTuple):
    """A colour and a shape for each task, and the legend that explains them."""

    rgb: NDArray[np.uint8]
    shapes: NDArray[np.uint8]
    legend: dict[str, Any]


def colour_tasks(values: NDArray[np.floating], name: str, kind: TruthKind) -> Colouring:
    """Colours of n tasks by one column of their truth, shape (n,) -> rgb (n, 3), shapes (n,), legend.

    Angles over more than half a circle take a cyclic map, since 0 and 360 degrees are one; others are quantities.
    """
    if kind == "category":
        return _by_category(values, name)
    from matplotlib import colormaps

    low, high = float(values.min()), float(values.max())
    circle = kind == "angle" and high - low > math.pi
    if circle:
        low, high, values = 0.0, 2 * math.pi, values % (2 * math.pi)
    colours = colormaps["twilight_shifted" if circle else "cividis"]
    rgb = (colours((values - low) / (high - low or 1.0))[:, :3] * 255).round().astype(np.uint8)
    stops = [_hex(colours(k / (_STOPS - 1))) for k in range(_STOPS)]
    ends = [f"{math.degrees(end):.0f}°" if kind == "angle" else f"{end:.2g}" for end in (low, high)]
    legend = {"title": name, "kind": kind, "stops": stops, "entries": [{"label": end} for end in ends]}
    return Colouring(rgb, np.zeros(len(values), np.uint8), legend)


def _by_category(values: NDArray[np.floating], name: str) -> Colouring:
    kinds, index = np.unique(values, return_inverse=True)
    palette = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in OKABE_ITO], dtype=np.uint8)
    words = {0.0: "no", 1.0: "yes"} if set(kinds) <= {0.0, 1.0} else {}
    entries = [
        {"label": words.get(float(v), f"{v:g}"), "colour": OKABE_ITO[k % len(OKABE_ITO)], "shape": k % N_SHAPES}
        for k, v in enumerate(kinds)
    ]
    legend = {"title": name, "kind": "category", "stops": [], "entries": entries}
    return Colouring(palette[index % len(OKABE_ITO)], (index % N_SHAPES).astype(np.uint8), legend)


def _hex(colour: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour[:3])
