r"""Which pairs and triplets of a labelled batch count: all of them, the hard ones, or the semi-hard ones.

A batch of n points has n (n - 1) / 2 pairs and up to n^3 triplets. Most of them are soon satisfied: their loss is zero
and the network learns nothing from them. Mining chooses those that it can learn from. Every function takes the class
labels (n,) and, if the choice depends on the distances, their matrix (n, n). It returns masks or indices, and no
gradient flows through the choice.

Floor 0: tensors in, tensors out.
"""

from __future__ import annotations

from math import inf

import torch

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.formulas._vectors import Vectors, as_labels, as_vectors
from taskembed_edu.formulas.known_batch import is_known, twins

PAIR_MINING = ("all", "hard")
TRIPLET_MINING = ("all", "hard", "semi-hard")

Pairs = tuple[torch.Tensor, torch.Tensor]
"""Masks (n, n) of the positive and of the negative pairs, each pair once, as i < j."""

Triplets = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Indices of anchors, positives and negatives, each (n_triplets,)."""


def all_pairs(labels: Vectors) -> Pairs:
    r"""Masks (n, n) of all positive pairs (one class) and of all negative ones; each unordered pair once, as i < j.

    >>> positives, negatives = all_pairs([0, 0, 1])
    >>> positives.nonzero().tolist(), negatives.nonzero().tolist()
    ([[0, 1]], [[0, 2], [1, 2]])
    """
    positive, negative = positive_and_negative(as_labels("labels", labels))
    return positive.triu(1), negative.triu(1)


def hard_pairs(distances: Vectors, labels: Vectors) -> Pairs:
    r"""Masks (n, n) of the pairs that are the hardest for one of their two points; each unordered pair once, as i < j.

    A positive pair is chosen if one of the two is the other's farthest positive, a negative pair if one of the two is
    the other's nearest negative; among equal distances, the first. This is the batch-hard choice of Hermans, Beyer and
    Leibe 2017, applied to pairs instead of triplets.

    >>> distances = (torch.tensor([0.0, 1.0, 3.0, 4.0])[:, None] - torch.tensor([0.0, 1.0, 3.0, 4.0])).abs()
    >>> positives, negatives = hard_pairs(distances, [0, 0, 0, 1])
    >>> positives.nonzero().tolist(), negatives.nonzero().tolist()
    ([[0, 2], [1, 2]], [[0, 3], [1, 3], [2, 3]])
    """
    distances, labels = _as_measured_batch(distances, labels)
    positive, negative = _hardest(distances, labels)
    return (positive | positive.T).triu(1), (negative | negative.T).triu(1)


def all_triplets(labels: Vectors) -> Triplets:
    r"""Indices of every triplet: an anchor, another point of its class, a point of any other class.

    Their number is the sum over anchors of (positives of a) x (negatives of a).

    >>> [i.tolist() for i in all_triplets([0, 0, 1])]
    [[0, 1], [1, 0], [2, 2]]
    """
    positive, negative = positive_and_negative(as_labels("labels", labels))
    anchors, positives = positive.nonzero(as_tuple=True)
    row, negatives = negative[anchors].nonzero(as_tuple=True)
    return anchors[row], positives[row], negatives


def hard_triplets(distances: Vectors, labels: Vectors) -> Triplets:
    r"""Batch-hard: for each anchor its farthest positive and its nearest negative; among equal distances, the first.

    .. math:: p^*(a) = \arg\max_p d(a, p), \qquad n^*(a) = \arg\min_n d(a, n)

    One triplet for each anchor that has both. Source: Hermans, Beyer and Leibe 2017, section 2.

    >>> distances = (torch.tensor([0.0, 1.0, 3.0, 4.0])[:, None] - torch.tensor([0.0, 1.0, 3.0, 4.0])).abs()
    >>> [i.tolist() for i in hard_triplets(distances, [0, 0, 0, 1])]
    [[0, 1, 2], [2, 2, 0], [3, 3, 3]]
    """
    distances, labels = _as_measured_batch(distances, labels)
    if is_known(labels) and len(labels) > 2:  # each has one positive and some negative
        return torch.arange(len(labels), device=labels.device), twins(labels), _nearest_negatives(distances, labels)
    positive, negative = _hardest(distances, labels)
    anchors = (positive.any(1) & negative.any(1)).nonzero()[:, 0]
    return anchors, positive[anchors].nonzero()[:, 1], negative[anchors].nonzero()[:, 1]  # one to a row


def semi_hard_triplets(distances: Vectors, labels: Vectors, margin: float) -> Triplets:
    r"""For each anchor and positive, the nearest negative that is farther than the positive, yet within the margin.

    .. math:: n^*(a, p) = \arg\min_n \{ d(a, n) : d(a, p) < d(a, n) < d(a, p) + m \}

    If there is no such negative, the anchor and positive are skipped; among equal distances, the first counts. Source:
    Schroff, Kalenichenko and Philbin 2015 (FaceNet), section 3.2, where the distances are squared Euclidean.

    >>> distances = (torch.tensor([0.0, 1.0, 1.5, 9.0])[:, None] - torch.tensor([0.0, 1.0, 1.5, 9.0])).abs()
    >>> [i.tolist() for i in semi_hard_triplets(distances, [0, 0, 1, 1], margin=1.0)]
    [[0, 3], [1, 2], [2, 1]]
    """
    anchors, positives, nearest, kept = semi_hard_choice(distances, labels, margin)
    return anchors[kept], positives[kept], nearest[kept]


def semi_hard_choice(
    distances: Vectors, labels: Vectors, margin: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """As `semi_hard_triplets`, of every anchor and positive, and a mask of those that have such a negative."""
    distances, labels = _as_measured_batch(distances, labels)
    anchors, positives = positive_pairs(labels)
    if not len(anchors):
        return anchors, positives, positives, positives.bool()
    negative = positive_and_negative(labels)[1]
    to_positive = distances[anchors, positives][:, None]
    to_negative = distances[anchors]
    semi_hard = negative[anchors] & (to_negative > to_positive) & (to_negative < to_positive + margin)
    nearest = to_negative.masked_fill(~semi_hard, inf).argmin(1)
    return anchors, positives, nearest, semi_hard.any(1)


def select_pairs(mining: str, distances: torch.Tensor, labels: torch.Tensor) -> Pairs:
    """The pairs that the named mining chooses: "all" or "hard"."""
    check_pair_mining(mining)
    return all_pairs(labels) if mining == "all" else hard_pairs(distances.detach(), labels)


def select_triplets(mining: str, distances: torch.Tensor, labels: torch.Tensor, margin: float) -> Triplets:
    """The triplets that the named mining chooses: "all", "hard" or "semi-hard"."""
    check_triplet_mining(mining)
    if mining == "all":
        return all_triplets(labels)
    if mining == "hard":
        return hard_triplets(distances.detach(), labels)
    return semi_hard_triplets(distances.detach(), labels, margin)


def check_pair_mining(mining: str) -> None:
    """Raise, naming the nearest known one, for an unknown mining of pairs."""
    check_choice("mining", mining, PAIR_MINING)


def check_triplet_mining(mining: str) -> None:
    """Raise, naming the nearest known one, for an unknown mining of triplets."""
    check_choice("mining", mining, TRIPLET_MINING)


def positive_and_negative(labels: torch.Tensor) -> Pairs:
    """Masks (n, n), each pair in both orders: another point of the same class, and a point of another class."""
    same = labels[:, None] == labels[None, :]
    return same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device), ~same


def positive_pairs(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Indices of each anchor and each of its positives, in the order of the anchors."""
    if is_known(labels):
        return torch.arange(len(labels), device=labels.device), twins(labels)
    anchors, positives = positive_and_negative(labels)[0].nonzero(as_tuple=True)
    return anchors, positives


def _nearest_negatives(distances: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Each point's nearest negative, (n,); among equal distances, the first."""
    return distances.masked_fill(~positive_and_negative(labels)[1], inf).argmin(1)


def _hardest(distances: torch.Tensor, labels: torch.Tensor) -> Pairs:
    """Masks (n, n): row i marks i's farthest positive, and i's nearest negative; if i has none, the row is empty."""
    positive, negative = positive_and_negative(labels)
    if not len(labels):
        return positive, negative
    farthest = distances.masked_fill(~positive, -inf).argmax(1, keepdim=True)
    nearest = _nearest_negatives(distances, labels).unsqueeze(1)
    nothing = torch.zeros_like(positive)
    return nothing.scatter(1, farthest, True) & positive, nothing.scatter(1, nearest, True) & negative


def _as_measured_batch(distances: Vectors, labels: Vectors) -> tuple[torch.Tensor, torch.Tensor]:
    if isinstance(distances, torch.Tensor) and isinstance(labels, torch.Tensor) and is_known(labels):
        return distances.detach(), labels  # a trainer's: made from its embeddings
    (matrix,) = as_vectors(distances=distances)
    if matrix.dim() != 2 or matrix.shape[0] != matrix.shape[1]:
        cause = "pairwise_distances(embeddings) makes it."
        raise ValueError(problem("distances", matrix, "a square matrix (n, n)", cause))
    return matrix.detach(), as_labels("labels", labels, matrix, "distances")
