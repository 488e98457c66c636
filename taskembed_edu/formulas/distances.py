r"""How far apart two vectors are: Euclidean, squared Euclidean, Manhattan and cosine, and all pairs of a batch at once.

Every distance takes two tensors (lists and arrays are converted) of shape (..., dim), whose leading dimensions
broadcast, and returns the tensor (...). It is zero for equal vectors, never negative, and symmetric. Its unit is that
of the vectors' entries (squared Euclidean: that unit squared; cosine: none). Its gradient is finite everywhere: where
two vectors coincide a distance has a corner, and the gradient is taken as zero there.

`METRICS` holds a record of each distance, by name: every `metric=` argument of the package is one of its keys.

All of them raise an error that names the argument: for vectors of two widths or of shapes that do not broadcast, for
NaN and infinite entries, and for anything that is not an array of real numbers; cosine also for the zero vector, naming
its row.

Floor 0: tensors in, tensors out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import torch

from taskembed_edu.base.checks import check_choice
from taskembed_edu.formulas._pairwise import (
    euclidean_between,
    euclidean_matrix,
    manhattan_between,
    manhattan_matrix,
    squared_euclidean_between,
    squared_euclidean_matrix,
)
from taskembed_edu.formulas._vectors import Vectors, as_matching_vectors, as_vectors, check_directions, check_rows

Formula = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def euclidean_distance(x: Vectors, y: Vectors) -> torch.Tensor:
    r"""The length of the straight line from x to y.

    .. math:: d(x, y) = \lVert x - y \rVert_2 = \sqrt{\sum_i (x_i - y_i)^2}, \qquad 0 \le d < \infty

    Shapes: (..., dim) and (..., dim) to (...). A metric: d(x, z) <= d(x, y) + d(y, z). It does not change when both
    vectors are shifted or rotated together. Gradient with respect to x: (x - y) / d, of length 1; zero where x = y.
    (A plain square root of the sum of squares gives NaN there, and so does `torch.linalg.norm` differentiated twice.)

    Source: Euclid, Elements I.47, by Descartes' coordinates.

    >>> euclidean_distance([1, 2, 3], [2, 3, 4])  # the square root of 3
    tensor(1.7321)
    """
    return euclidean_between(*as_matching_vectors(x=x, y=y))


def squared_euclidean_distance(x: Vectors, y: Vectors) -> torch.Tensor:
    r"""The Euclidean distance squared: no square root, hence no corner.

    .. math:: d(x, y) = \lVert x - y \rVert_2^2 = \sum_i (x_i - y_i)^2, \qquad 0 \le d < \infty

    Shapes: (..., dim) and (..., dim) to (...). It orders pairs as the Euclidean distance does, but is no metric: on a
    line, 0 and 2 are 4 apart, by way of 1 only 1 + 1. Gradient with respect to x: 2 (x - y).

    Source: the distance of prototypical networks (Snell, Swersky and Zemel 2017, section 2.3) and of FaceNet (Schroff,
    Kalenichenko and Philbin 2015, section 3.1).

    >>> squared_euclidean_distance([1, 2, 3], [2, 3, 4])
    tensor(3.)
    """
    return squared_euclidean_between(*as_matching_vectors(x=x, y=y))


def manhattan_distance(x: Vectors, y: Vectors) -> torch.Tensor:
    r"""The way from x to y along the axes, as in a city of square blocks.

    .. math:: d(x, y) = \lVert x - y \rVert_1 = \sum_i \lvert x_i - y_i \rvert, \qquad 0 \le d < \infty

    Shapes: (..., dim) and (..., dim) to (...). A metric. Shifting both vectors changes nothing, rotating them does.
    Gradient with respect to x: the sign of x - y, entry by entry; zero in entries that agree.

    Source: Minkowski 1910, the case p = 1 of his distances.

    >>> manhattan_distance([1, 2, 3], [2, 3, 4])
    tensor(3.)
    """
    return manhattan_between(*as_matching_vectors(x=x, y=y))


def cosine_similarity(x: Vectors, y: Vectors) -> torch.Tensor:
    r"""The cosine of the angle between x and y. A similarity: larger is closer, so it is *not* a distance.

    .. math:: \cos(x, y) = \frac{x \cdot y}{\lVert x \rVert_2 \, \lVert y \rVert_2}, \qquad -1 \le \cos \le 1

    Shapes: (..., dim) and (..., dim) to (...). 1 for one direction, 0 for a right angle, -1 for opposite directions;
    lengths do not count. Rounding is cut off at -1 and 1. As a distance use `cosine_distance`.

    Source: Salton, Wong and Yang 1975, the vector space model.

    >>> cosine_similarity([1, 2, 3], [2, 3, 4])  # 20 / (sqrt(14) sqrt(29))
    tensor(0.9926)
    """
    x, y = as_matching_vectors(x=x, y=y)
    check_directions(x=x, y=y)
    return (_unit(x) * _unit(y)).sum(-1).clamp(-1.0, 1.0)


def cosine_distance(x: Vectors, y: Vectors) -> torch.Tensor:
    r"""One minus the cosine of the angle between x and y: 0 for one direction, 1 at a right angle, 2 for opposite ones.

    .. math::
        d(x, y) = 1 - \frac{x \cdot y}{\lVert x \rVert_2 \, \lVert y \rVert_2}
                = \frac12 \left\lVert \frac{x}{\lVert x \rVert_2} - \frac{y}{\lVert y \rVert_2} \right\rVert_2^2,
        \qquad 0 \le d \le 2

    Shapes: (..., dim) and (..., dim) to (...). Computed by its second form, which keeps its digits at small angles.
    It is no metric: directions at 0, 45 and 90 degrees are 1 apart, by way of the middle only 0.29 + 0.29. Scaling or
    rotating changes nothing, shifting does. The gradient is zero where the directions agree, and where they are
    opposite.

    >>> cosine_distance([1, 2, 3], [2, 3, 4])
    tensor(0.0074)
    """
    x, y = as_matching_vectors(x=x, y=y)
    check_directions(x=x, y=y)
    return _cosine(x, y)


def pairwise_distances(x: Vectors, y: Vectors | None = None, metric: str = "euclidean") -> torch.Tensor:
    r"""The distance of every row of x to every row of y; without y, within x.

    .. math:: D_{ij} = d(x_i, y_j)

    Shapes: (n, dim) and (m, dim) to (n, m). Within x the diagonal is exactly zero. Near points keep their digits; two
    points nearer than 1e-7 of their length (float32; 1e-12 in float64) count as coincident: their gradient is zero.
    The gradient can be differentiated again, except for "manhattan". `formulas/_pairwise.py` explains how.

    >>> pairwise_distances([[0, 0], [3, 4]], metric="euclidean")
    tensor([[0., 5.],
            [5., 0.]])
    """
    check_choice("metric", metric, METRICS)
    given = as_vectors(x=x) if y is None else as_vectors(x=x, y=y)
    named = dict(zip(("x", "y"), given, strict=False))
    check_rows(**named)
    check_metric_accepts(metric, **named)
    return METRICS[metric].matrix(given[0], given[-1])


def check_metric_accepts(metric: str, **given: torch.Tensor) -> None:
    """Raise, naming the row, if the metric is undefined for one of these vectors (cosine: the zero vector)."""
    if METRICS[metric].needs_direction:
        check_directions(**given)


@dataclass(frozen=True)
class Metric:
    """The record of a distance: its name, its functions and its properties.

    `largest` is the largest possible distance, and so the largest useful margin. `slider_max` is the upper end of a
    slider for the margin. `why_not` says in a sentence why the distance is not a metric; it is empty for a metric.
    `distance` checks its arguments. `between` (row with row) and `matrix` (every row with every row) do not: they are
    for formulas that have checked theirs already. `menu_label` replaces the label in a menu that does not say that its
    entries are distances ("Cosine" alone could be the similarity); it is empty if the label is clear enough.
    """

    name: str
    label: str
    formula: str
    distance: Callable[[Vectors, Vectors], torch.Tensor]
    largest: float
    slider_max: float
    is_metric: bool
    why_not: str
    between: Formula
    matrix: Formula
    needs_direction: bool = False
    menu_label: str = ""


def _cosine(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (squared_euclidean_between(_unit(x), _unit(y)) / 2).clamp(max=2.0)


def _cosine_matrix(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    unit = _unit(x)
    return (squared_euclidean_matrix(unit, unit if y is x else _unit(y)) / 2).clamp(max=2.0)


def _unit(x: torch.Tensor) -> torch.Tensor:
    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)


METRICS: dict[str, Metric] = {
    "euclidean": Metric(
        name="euclidean",
        label="Euclidean",
        formula=r"\lVert x - y \rVert_2",
        distance=euclidean_distance,
        largest=inf,
        slider_max=6.0,
        is_metric=True,
        why_not="",
        between=euclidean_between,
        matrix=euclidean_matrix,
    ),
    "squared_euclidean": Metric(
        name="squared_euclidean",
        label="Squared Euclidean",
        formula=r"\lVert x - y \rVert_2^2",
        distance=squared_euclidean_distance,
        largest=inf,
        slider_max=36.0,
        is_metric=False,
        why_not="It breaks the triangle inequality: on a line, from 0 to 2 it is 4, but through 1 it is only 1 + 1.",
        between=squared_euclidean_between,
        matrix=squared_euclidean_matrix,
    ),
    "manhattan": Metric(
        name="manhattan",
        label="Manhattan",
        formula=r"\lVert x - y \rVert_1",
        distance=manhattan_distance,
        largest=inf,
        slider_max=6.0,
        is_metric=True,
        why_not="",
        between=manhattan_between,
        matrix=manhattan_matrix,
    ),
    "cosine": Metric(
        name="cosine",
        label="Cosine",
        formula=r"1 - \frac{x \cdot y}{\lVert x \rVert_2 \, \lVert y \rVert_2}",
        distance=cosine_distance,
        largest=2.0,
        slider_max=2.0,
        is_metric=False,
        why_not="It breaks the triangle inequality: from 0 to 90 degrees it is 1, but through 45 degrees only 0.59.",
        between=_cosine,
        matrix=_cosine_matrix,
        needs_direction=True,
        menu_label="Cosine distance",
    ),
}
