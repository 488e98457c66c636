"""What the DistanceLab computes from three vectors: distances, their arithmetic, the triangle, the similarity.

Numbers and text only: no widget, no figure. Every distance comes from `taskembed_edu.formulas.distances`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from taskembed_edu.base.checks import describe, problem
from taskembed_edu.formulas._vectors import as_tensor
from taskembed_edu.formulas.distances import METRICS, cosine_similarity
from taskembed_edu.labs.distance_words import ROUNDING as ROUNDING
from taskembed_edu.labs.distance_words import ROWS as ROWS
from taskembed_edu.labs.distance_words import SHORT as SHORT
from taskembed_edu.labs.distance_words import UNDEFINED as UNDEFINED
from taskembed_edu.labs.distance_words import Vector as Vector
from taskembed_edu.labs.distance_words import listed as listed
from taskembed_edu.labs.distance_words import tidy as tidy


def numbers_of(name: str, given: Any, expected: str) -> torch.Tensor:
    """What a user gave as numbers in double precision: a tensor, an array of any kind, or lists. `expected`: in words.

    Errors: TypeError for what holds no real numbers; ValueError for one of which some are masked, or that is sparse.
    """
    try:
        tensor = as_tensor(name, given)
        if tensor.is_complex():
            raise TypeError
    except TypeError:
        raise TypeError(problem(name, describe(given), expected)) from None
    return tensor.detach().cpu().double()


def distance(key: str, x: Vector, y: Vector) -> float:
    """One row of the table; NaN for a cosine with the zero vector, which has no direction."""
    if key in ("cosine", "cosine_similarity") and not (_has_direction(x) and _has_direction(y)):
        return math.nan
    function = cosine_similarity if key == "cosine_similarity" else METRICS[key].distance
    return float(function(_tensor(x), _tensor(y)))


def _tensor(vector: Vector) -> torch.Tensor:
    return torch.tensor(vector, dtype=torch.float64)


def _has_direction(vector: Vector) -> bool:
    return float(torch.linalg.vector_norm(_tensor(vector))) > 0.0  # squares of tiny coordinates are zero too


def distances(x: Vector, y: Vector) -> dict[str, float]:
    """All five rows, by name.

    >>> {name: round(value, 4) for name, value in distances((1.0, 2.0, 3.0), (2.0, 3.0, 4.0)).items()}
    {'euclidean': 1.7321, 'squared_euclidean': 3.0, 'manhattan': 3.0, 'cosine_similarity': 0.9926, 'cosine': 0.0074}
    """
    return {key: distance(key, x, y) for key in ROWS}


@dataclass(frozen=True)
class Triangle:
    """The direct path from x to z compared with the path through y, under one distance.

    A metric in the strict sense satisfies d(x, z) <= d(x, y) + d(y, z) for every three points (Frechet, 1906).
    """

    metric: str
    direct: float
    first: float
    second: float

    @property
    def detour(self) -> float:
        """d(x, y) + d(y, z)."""
        return self.first + self.second

    @property
    def holds(self) -> bool | None:
        """Whether the direct way is no longer than the detour, up to rounding; None where a distance is undefined."""
        if math.isnan(self.direct + self.detour):
            return None
        # Differences of coordinates are rounded relative to themselves, directions relative to the unit circle.
        rounding = ROUNDING * self.detour + (1e-15 * math.sqrt(self.detour) if self.metric == "cosine" else 0.0)
        return self.direct <= self.detour + rounding

    def __repr__(self) -> str:
        verdict = {True: "holds", False: "broken", None: UNDEFINED}[self.holds]
        sign = ">" if self.holds is False else "<="
        legs = f"{tidy(self.first)} + {tidy(self.second)} = {tidy(self.detour)}"
        return f"Triangle({self.metric}: d(x,z) = {tidy(self.direct)} {sign} d(x,y) + d(y,z) = {legs}, {verdict})"


def triangle(metric: str, x: Vector, y: Vector, z: Vector) -> Triangle:
    """The three sides of x, y, z under `metric`.

    >>> triangle("cosine", (3.0, 0.0), (1.5, 1.5), (0.0, 3.0))
    Triangle(cosine: d(x,z) = 1 > d(x,y) + d(y,z) = 0.2929 + 0.2929 = 0.5858, broken)
    """
    return Triangle(metric, distance(metric, x, z), distance(metric, x, y), distance(metric, y, z))


def worked(key: str, x: Vector, y: Vector) -> str:
    """The arithmetic of a row, with its numbers.

    >>> print(worked("euclidean", (1.0, 2.0, 3.0), (2.0, 3.0, 4.0)))
    √((1 - 2)² + (2 - 3)² + (3 - 4)²) = √3 = 1.7321
    """
    value = distance(key, x, y)
    if math.isnan(value):
        return UNDEFINED
    if key == "cosine":
        return f"1 - {_signed(distance('cosine_similarity', x, y))} = {tidy(value)}"
    if key == "cosine_similarity":
        return _worked_cosine(x, y, value)
    pairs = [f"{_signed(a)} - {_signed(b)}" for a, b in zip(x, y, strict=True)]
    if key == "manhattan":
        return f"{_sum([f'|{p}|' for p in pairs])} = {tidy(value)}"
    squares = _sum([f"({p})²" for p in pairs])
    if key == "squared_euclidean":
        return f"{squares} = {tidy(value)}"
    return f"√({squares}) = √{tidy(distance('squared_euclidean', x, y))} = {tidy(value)}"


def _worked_cosine(x: Vector, y: Vector, value: float) -> str:
    products = _sum([f"{_signed(a)}·{_signed(b)}" for a, b in zip(x, y, strict=True)])
    origin = tuple(0.0 for _ in x)
    lengths = "·".join(f"√{tidy(distance('squared_euclidean', v, origin))}" for v in (x, y))
    return f"({products}) / ({lengths}) = {tidy(value)}"


def _signed(value: float) -> str:
    return f"({tidy(value)})" if value < 0 else tidy(value)


def _sum(terms: Sequence[str]) -> str:
    if len(terms) > 4:
        terms = [*terms[:2], "...", terms[-1]]
    return " + ".join(terms)


def parts(metric: str, x: Vector, y: Vector) -> list[float]:
    """What each coordinate adds: squared or plain difference, and for the cosine its product x_i y_i."""
    if metric == "cosine":
        return [a * b for a, b in zip(x, y, strict=True)]
    one = METRICS["manhattan" if metric == "manhattan" else "squared_euclidean"].distance
    each: list[float] = one(_tensor(x)[:, None], _tensor(y)[:, None]).tolist()  # every coordinate a vector of one
    return each


def total(metric: str, x: Vector, y: Vector) -> str:
    """The sum of the parts, and for the Euclidean distance its root."""
    added = f"sum {tidy(sum(parts(metric, x, y)))}"
    value = distance(metric, x, y)
    if metric == "euclidean":
        return f"{added}, its root {tidy(value)}"
    return added


def why_not_a_distance(x: Vector, y: Vector) -> dict[str, Any] | None:
    """The numbers behind the three reasons; None where x or y is the zero vector."""
    if not (_has_direction(x) and _has_direction(y)):
        return None
    tenfold = tuple(10.0 * v for v in x)
    return {
        "self": tidy(distance("cosine_similarity", x, x)),
        "pair": tidy(distance("cosine_similarity", x, y)),
        "scaled": tidy(distance("cosine_similarity", tenfold, y)),
        "euclidean": tidy(distance("euclidean", x, y)),
        "euclidean_scaled": tidy(distance("euclidean", tenfold, y)),
    }


def _reasons(why: dict[str, Any] | None) -> list[list[str]]:
    """The three reasons and the conclusion, each as a list in which text and numbers alternate."""
    if why is None:
        return [[UNDEFINED]]
    return [
        ["sim(x, x) = ", why["self"], ". The distance of a point to itself must be 0."],
        ["A larger value means closer: sim(x, y) = ", why["pair"], ". No value is above ", why["self"], "."],
        [
            "Make x ten times as long: sim(10x, y) = ",
            why["scaled"],
            ". Nothing changes. The Euclidean distance goes from ",
            why["euclidean"],
            " to ",
            why["euclidean_scaled"],
            ".",
        ],
        ["1 − sim does not have the first two problems. But it breaks the triangle inequality: see that preset."],
    ]


def _says(side: Triangle) -> dict[str, Any]:
    """The two paths with their lengths, whether the inequality holds, and whether it holds for all points."""
    if side.holds is None:
        return {"direct": "", "detour": "", "holds": None, "verdict": "", "rest": UNDEFINED}
    metric = METRICS[side.metric]
    if side.holds:
        verdict = "The direct way is not longer than the way through y."
        rest = " With this distance it never is, for any three points." if metric.is_metric else ""
    else:
        verdict = "The way through y is shorter than the direct way. This breaks the triangle inequality."
        rest = f" {metric.why_not}" if metric.why_not else ""
    detour = f"{tidy(side.first)} + {tidy(side.second)} = {tidy(side.detour)}"
    return {"direct": tidy(side.direct), "detour": detour, "holds": side.holds, "verdict": verdict, "rest": rest}


def ball(x: Vector, metric: str, radius: float) -> dict[str, Any] | None:
    """The ball of this radius round x, as drawn in the plane: a circle, a diamond, or a wedge from the origin.

    `size` is the half width, or the wedge's half angle. None if x is the zero vector under the cosine.
    """
    if metric == "cosine" and not _has_direction(x):
        return None
    what = "directions" if metric == "cosine" else "points"
    sizes = {"squared_euclidean": math.sqrt(radius), "cosine": math.acos(1.0 - min(radius, 2.0))}
    return {
        "shape": {"manhattan": "diamond", "cosine": "wedge"}.get(metric, "circle"),
        "size": sizes.get(metric, radius),
        "words": f"dashed: all {what} at distance {tidy(radius, 2)} from x",
    }


def sides(x: Vector, y: Vector, z: Vector, metric: str, with_z: bool) -> list[dict[str, Any]]:
    """The measured sides, each with its texts: from x to y, or the three sides of the triangle x, y, z."""
    vectors = {"x": x, "y": y, "z": z}
    if with_z:
        kinds = {("x", "z"): "direct", ("x", "y"): "detour", ("y", "z"): "detour"}
        lengths = {ends: distance(metric, vectors[ends[0]], vectors[ends[1]]) for ends in kinds}
        texts = {ends: ["" if math.isnan(length) else tidy(length, 2)] for ends, length in lengths.items()}
        return [{"ends": list(ends), "kind": kind, "texts": texts[ends]} for ends, kind in kinds.items()]
    if metric == "manhattan":
        texts_of_one = [tidy(part, 2) for part in parts(metric, x, y)]
    elif metric == "cosine":
        degrees = _angle(distance("cosine_similarity", x, y))
        texts_of_one = ["" if degrees is None else f"{tidy(degrees, 1)}°"]
    else:
        texts_of_one = [tidy(distance(metric, x, y), 2)]
    return [{"ends": ["x", "y"], "kind": "", "texts": texts_of_one}]


def _angle(similarity: float) -> float | None:
    return None if math.isnan(similarity) else math.degrees(math.acos(max(-1.0, min(1.0, similarity))))


def _in_table(value: float) -> str:
    small = tidy(value)
    return small if "e" in small else f"{value + 0.0:.4f}"


def panel(x: Vector, y: Vector, z: Vector, metric: str) -> dict[str, Any]:
    """Everything that the page shows as a number, ready to print."""
    values = distances(x, y)
    sides = {key: triangle(key, x, y, z) for key in METRICS}
    chosen = sides[metric]
    similarity = values["cosine_similarity"]
    return {
        "values": {key: None if math.isnan(v) else _in_table(v) for key, v in values.items()},
        "triangles": {key: side.holds for key, side in sides.items()},
        "triangle": {
            name: None if math.isnan(getattr(chosen, name)) else getattr(chosen, name)
            for name in ("direct", "first", "second", "detour")
        },
        "legs": {name: tidy(getattr(chosen, name)) for name in ("direct", "first", "second", "detour")},
        "angle": _angle(similarity),
        "worked": {key: worked(key, x, y) for key in ROWS},
        "part": {"manhattan": "|difference|", "cosine": "product"}.get(metric, "difference²"),
        "parts": parts(metric, x, y),
        "count": "1 coordinate" if len(x) == 1 else f"{len(x)} coordinates",
        "total": total(metric, x, y),
        "says": _says(chosen),
        "why": why_not_a_distance(x, y),
        "reasons": _reasons(why_not_a_distance(x, y)),
    }
