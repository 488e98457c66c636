"""One update of a loss, step by step: its pairs or triplets, their distances, violations, terms and forces.

Numbers only: no widget, no figure, no state. Distances, losses and mining come from `formulas/`; a force is minus the
gradient of one term with respect to one of its points, by autograd on that same loss.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.formulas.distances import METRICS, pairwise_distances
from taskembed_edu.formulas.losses import LOSSES, contrastive_loss, triplet_loss
from taskembed_edu.formulas.mining import PAIR_MINING, select_pairs, select_triplets
from taskembed_edu.labs.distance_words import tidy

Point = tuple[float, float]
Kind = Literal["similar", "different", "triplet"]

PHASES = ("explore", "pairs", "distances", "violations", "forces", "move")

ANCHORS = {"first": "The first point only", "every": "Every point"}
STILL = 1e-9  # a force below this moves a point too little to be seen
NEAR_ORIGIN = 1e-6  # the direction of a point this near the origin is not reliable


def _largest_margin(settings: Any) -> float:
    """The end of the margin's slider; the metric may not have been checked yet."""
    return METRICS[check_choice("metric", settings.metric, METRICS)].slider_max


@dataclass(frozen=True)
class LossSettings(Settings):
    """What can be chosen in the lab, beside the points' places."""

    loss: str = setting(
        "contrastive",
        choices={
            "contrastive": "Contrastive, linear",
            "contrastive_squared": "Contrastive, squared",
            "triplet": "Triplet",
        },
        renamed={"hadsell": "contrastive_squared"},
        label="Loss",
        help="What a pair or a triplet adds to the loss. The linear form stands in the document (a short Chinese "
        "text on task embeddings; this course checks what it claims). The squared form is the original of 2006. "
        "The triplet loss compares two distances.",
    )
    metric: str = setting(
        "euclidean",
        choices={name: metric.label for name, metric in METRICS.items()},
        label="Distance",
        help="How the distance of two points is measured. It also sets the range of the margin: the cosine distance "
        "ends at 2.",
    )
    margin: float = setting(
        1.0,
        low=0.0,
        high=_largest_margin,
        step=0.05,
        label="Margin",
        help="How far apart different points should be. In the triplet loss: how much farther than the positive the "
        "negative should be.",
    )
    mining: str = setting(
        "all",
        choices={"all": "All", "hard": "Hard", "semi-hard": "Semi-hard"},
        label="Mining",
        help="Which pairs or triplets count. All: every one. Hard: for each anchor its farthest positive and its "
        "nearest negative. Semi-hard (triplets only): the negative is farther than the positive, but inside the "
        "margin.",
    )
    anchors: str = setting(
        "every",
        choices=ANCHORS,
        label="Anchors",
        help="Which points are compared with the others: every point, or only the first one, as in the example of the "
        "document (see Loss).",
    )
    learning_rate: float = setting(
        0.2,
        low=0.01,
        high=1.0,
        step=0.01,
        label="Learning rate",
        help="One update moves each point by its summed force times this number.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mining not in self.minings:
            cause = "Semi-hard compares a negative with a positive, so it is for triplets."
            raise ValueError(problem("mining", repr(self.mining), f"one of {', '.join(self.minings)}", cause))

    @property
    def minings(self) -> tuple[str, ...]:
        """The minings that the chosen loss supports."""
        return LOSSES[self.loss].minings

    def changed(self, **changes: Any) -> Self:
        """As `Settings.changed`; a mining that the new loss does not support becomes "all", unless `changes` set it."""
        pairs_only = changes.get("loss", self.loss) != "triplet"
        if pairs_only and self.mining not in PAIR_MINING and "mining" not in changes:
            changes["mining"] = "all"
        return super().changed(**changes)


class Term(NamedTuple):
    """What one pair or triplet adds to the loss.

    `members` are the names of its points: (one, other), or (anchor, positive, negative). `distance` is one number for a
    pair and (d(a, p), d(a, n)) for a triplet. `violation` is by how much the constraint is violated, never below 0:

        similar pair     d                     should be 0
        different pair   max(0, margin - d)    should be at least the margin apart
        triplet          max(0, d(a, p) - d(a, n) + margin)

    `term` is the violation itself, or half its square in the squared contrastive loss (Hadsell).
    """

    kind: Kind
    members: tuple[str, ...]
    distance: float | tuple[float, float]
    violation: float
    term: float

    def __str__(self) -> str:
        """The row as a lesson prints it, rounded."""
        distances = self.distance if isinstance(self.distance, tuple) else (self.distance,)
        numbers = " and ".join(tidy(d) for d in distances)
        return (
            f"{', '.join(self.members)} ({self.kind}): distance {numbers}, "
            f"violation {tidy(self.violation)}, term {tidy(self.term)}"
        )


class Region(NamedTuple):
    """The margin round an anchor: all points nearer than `radius`. `positive` is p in d(a, p), None for a pair loss."""

    anchor: int
    positive: int | None
    radius: float
    inner: float  # d(a, p), the part of the radius that is not margin


@dataclass(frozen=True)
class Reading:
    """All numbers of one update, before it is made. Row k of `members`, `forces` and `terms` belongs to term k.

    `members` holds point numbers; `forces[k][j]` acts on the point `members[k][j]`; `total[i]` is the sum on point i.
    """

    terms: tuple[Term, ...]
    members: tuple[tuple[int, ...], ...]
    forces: tuple[tuple[Point, ...], ...]
    total: tuple[Point, ...]
    regions: tuple[Region, ...]

    @property
    def loss(self) -> float:
        """The sum of the terms."""
        return math.fsum(term.term for term in self.terms)

    @property
    def still(self) -> bool:
        """Whether an update would move no point: there is no force, or the forces cancel."""
        return all(math.hypot(*force) < STILL for force in self.total)


def read(points: Sequence[Point], labels: Sequence[int], names: Sequence[str], settings: LossSettings) -> Reading:
    """The sub-steps of one update: choose, measure, compare with the margin, and differentiate.

    Raises if a point lies on the origin under the cosine distance.

    >>> line = [(0.0, 0.0), (3**0.5, 0.0), (3 * 3**0.5, 0.0)]
    >>> reading = read(line, [0, 0, 1], ["anchor", "positive", "negative"], LossSettings(anchors="first"))
    >>> for term in reading.terms:
    ...     print(term)
    anchor, positive (similar): distance 1.7321, violation 1.7321, term 1.7321
    anchor, negative (different): distance 5.1962, violation 0, term 0
    >>> reading.total[0]
    (1.0, 0.0)
    """
    if settings.metric == "cosine":
        _check_directions(points, names)
    at, classes = torch.tensor(points, dtype=torch.float64), torch.tensor(labels)
    chosen = choose(at, classes, settings)
    leaves = [at[column].requires_grad_() for column in chosen.T]  # each term's own copy of its points
    values, terms = (_triplets if settings.loss == "triplet" else _pairs)(leaves, classes[chosen], settings)
    gradients = torch.autograd.grad(terms.sum(), leaves)
    forces = -torch.stack(gradients, dim=1)
    total = torch.zeros_like(at).index_add(0, chosen.flatten(), forces.flatten(0, 1))
    members = tuple(tuple(row) for row in chosen.tolist())
    return Reading(
        terms=tuple(Term(v[0], tuple(names[i] for i in row), *v[1:]) for v, row in zip(values, members, strict=True)),
        members=members,
        forces=tuple(tuple(_plain(force) for force in row) for row in forces.tolist()),
        total=tuple(_plain(force) for force in total.tolist()),
        regions=_regions(values, members, settings, len(points)),
    )


def choose(points: Tensor, labels: Tensor, settings: LossSettings) -> Tensor:
    """Sub-step 1, the numbers of the chosen points: (n_pairs, 2), smaller number first, or (n_triplets, 3)."""
    distances = pairwise_distances(points, metric=settings.metric)
    if settings.loss == "triplet":
        chosen = torch.stack(select_triplets(settings.mining, distances, labels, settings.margin), dim=1)
    elif settings.mining == "hard" and settings.anchors == "first":
        chosen = _hard_pairs_of_first(distances, labels)
    else:
        positives, negatives = select_pairs(settings.mining, distances, labels)
        chosen = (positives | negatives).nonzero()
    return chosen[chosen[:, 0] == 0] if settings.anchors == "first" else chosen


def _hard_pairs_of_first(distances: Tensor, labels: Tensor) -> Tensor:
    """The first point's farthest positive and nearest negative; a pair hard only for the other point does not count."""
    similar = (labels == labels[0]).nonzero()[1:, 0]
    different = (labels != labels[0]).nonzero()[:, 0]
    farthest = similar[distances[0, similar].argsort(descending=True, stable=True)[:1]]
    nearest = different[distances[0, different].argsort(stable=True)[:1]]
    others = torch.cat((farthest, nearest)).sort().values
    return torch.stack((torch.zeros_like(others), others), dim=1)


def _pairs(leaves: list[Tensor], labels: Tensor, settings: LossSettings) -> tuple[list[Any], Tensor]:
    """(kind, distance, violation, term) of each pair as numbers, and the terms as a tensor for autograd."""
    similar = labels[:, 0] == labels[:, 1]
    one, other = leaves
    squared = settings.loss == "contrastive_squared"
    terms = contrastive_loss(one, other, similar.to(one), settings.margin, settings.metric, squared, "none")
    distances = METRICS[settings.metric].distance(one, other)
    violations = torch.where(similar, distances, (settings.margin - distances).clamp(min=0.0))
    kinds = ["similar" if s else "different" for s in similar.tolist()]
    return list(zip(kinds, distances.tolist(), violations.tolist(), terms.tolist(), strict=True)), terms


def _triplets(leaves: list[Tensor], labels: Tensor, settings: LossSettings) -> tuple[list[Any], Tensor]:
    """As `_pairs`, for triplets; the violation of a triplet is its term."""
    anchor, positive, negative = leaves
    distance = METRICS[settings.metric].distance
    near, far = distance(anchor, positive).tolist(), distance(anchor, negative).tolist()
    terms = triplet_loss(anchor, positive, negative, settings.margin, settings.metric, "none")
    rows = zip(near, far, terms.tolist(), strict=True)
    return [("triplet", (to_positive, to_negative), term, term) for to_positive, to_negative, term in rows], terms


def _regions(
    values: list[Any], members: Sequence[tuple[int, ...]], settings: LossSettings, n_points: int
) -> tuple[Region, ...]:
    """Where a negative violates: within the margin of an anchor, or d(a, p) + margin in the triplet loss."""
    if settings.loss != "triplet":
        anchors = range(1 if settings.anchors == "first" else n_points)
        return tuple(Region(anchor, None, settings.margin, 0.0) for anchor in anchors)
    near = {of[:2]: value[1][0] for value, of in zip(values, members, strict=True)}
    return tuple(Region(a, p, distance + settings.margin, distance) for (a, p), distance in near.items())


def moved(points: Sequence[Point], reading: Reading, learning_rate: float) -> tuple[Point, ...]:
    """Sub-step 5, one step of gradient descent: each point moves by the learning rate times the total force on it."""
    return tuple(
        (x + learning_rate * fx, y + learning_rate * fy) for (x, y), (fx, fy) in zip(points, reading.total, strict=True)
    )


def _check_directions(points: Sequence[Point], names: Sequence[str]) -> None:
    for (x, y), name in zip(points, names, strict=True):
        if math.hypot(x, y) < NEAR_ORIGIN:
            cause = "The zero vector has no direction, so its cosine distance is undefined."
            raise ValueError(problem(name, "a point on the origin", "a point away from the origin", cause))


def _plain(force: Sequence[float]) -> Point:
    """The force with -0.0 replaced by 0.0: "-0" would be shown."""
    return force[0] + 0.0, force[1] + 0.0
