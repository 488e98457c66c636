"""Colours that everyone can tell apart: Okabe-Ito with shapes, cividis for quantities, a cyclic map for angles."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskembed_edu.tasks.base import TruthKind

# Okabe and Ito 2008, "Color Universal Design"; black and yellow are left out: too dark and too light for small points.
OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
N_SHAPES = 4

_MAPS = {"quantity": "cividis", "angle": "twilight_shifted"}
_STOPS = 9


class Colouring(NamedTuple):
    """A colour and a shape for each task, and the legend that explains them."""

    rgb: NDArray[np.uint8]
    shapes: NDArray[np.uint8]
    legend: dict[str, Any]


def colour_tasks(values: NDArray[np.floating], name: str, kind: TruthKind) -> Colouring:
    """Colours of n tasks by one column of their truth, shape (n,) -> rgb (n, 3), shapes (n,), legend."""
    if kind == "category":
        return _by_category(values, name)
    from matplotlib import colormaps

    colours = colormaps[_MAPS[kind]]
    low, high = (0.0, 2 * math.pi) if kind == "angle" else (float(values.min()), float(values.max()))
    share = (values - low) / (high - low or 1.0)
    rgb = (colours(share)[:, :3] * 255).round().astype(np.uint8)
    stops = [_hex(colours(k / (_STOPS - 1))) for k in range(_STOPS)]
    ends = ("0°", "360°") if kind == "angle" else (f"{low:.2g}", f"{high:.2g}")
    entries = [{"label": ends[0]}, {"label": ends[1]}]
    return Colouring(
        rgb, np.zeros(len(values), np.uint8), {"title": name, "kind": kind, "stops": stops, "entries": entries}
    )


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
