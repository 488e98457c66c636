r"""Triplet losses: the negative should be farther from the anchor than the positive, by a margin."""

from __future__ import annotations

from functools import partial

import torch

from taskembed_edu.formulas._vectors import Vectors, as_matching_vectors
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts
from taskembed_edu.formulas.known_batch import is_known
from taskembed_edu.formulas.losses.records import Loss
from taskembed_edu.formulas.losses.terms import as_labelled_batch, check_margin, check_settings, reduce_terms
from taskembed_edu.formulas.mining import (
    TRIPLET_MINING,
    check_triplet_mining,
    positive_and_negative,
    positive_pairs,
    select_triplets,
    semi_hard_choice,
)


def triplet_loss(
    anchor: Vectors,
    positive: Vectors,
    negative: Vectors,
    margin: float = 1.0,
    metric: str = "euclidean",
    reduction: str = "sum",
) -> torch.Tensor:
    r"""Triplet loss: each negative should be farther from its anchor than the positive is, by the margin.

    .. math:: L = \sum_i \max\big(0,\, d(a_i, p_i) - d(a_i, n_i) + m\big)

    Shapes: three times (..., dim). "mean" divides by the number of triplets, satisfied ones included. Units: those of
    the distance. Range: 0 to infinity; a term is 0 exactly when the negative is farther than the positive by the
    margin or more. Gradient: a violated triplet pulls the positive and pushes the negative with force 1 each (times
    the gradient of the distance); a satisfied triplet, or one exactly at the margin, has no gradient. If the anchor
    coincides with its positive or its negative, the gradient of that distance is zero.

    Raises for a margin that is negative or beyond the metric's largest distance (2 for cosine), an unknown metric or
    reduction, and for what the distances raise.

    Source: Schroff, Kalenichenko and Philbin 2015 (FaceNet), section 3.1, with squared Euclidean distances; with plain
    distances, as the default here, Hermans, Beyer and Leibe 2017, section 2.

    >>> triplet_loss([1, 2, 3], [2, 3, 4], [4, 5, 6])  # the negative is already 2 sqrt(3) farther
    tensor(0.)
    >>> triplet_loss([1, 2, 3], [2, 3, 4], [4, 5, 6], margin=4.0)  # 4 - 2 sqrt(3)
    tensor(0.5359)
    """
    check_settings(metric, reduction)
    check_margin(margin, metric)
    anchor, positive, negative = as_matching_vectors(anchor=anchor, positive=positive, negative=negative)
    check_metric_accepts(metric, anchor=anchor, positive=positive, negative=negative)
    between = METRICS[metric].between
    return reduce_terms((between(anchor, positive) - between(anchor, negative) + margin).relu(), reduction)


def batch_triplet_loss(
    embeddings: Vectors,
    labels: Vectors,
    margin: float = 1.0,
    metric: str = "euclidean",
    mining: str = "all",
    reduction: str = "sum",
) -> torch.Tensor:
    r"""Triplet loss of the triplets within a batch.

    .. math:: L = \sum_{(a, p, n)} \max\big(0,\, d(x_a, x_p) - d(x_a, x_n) + m\big)

    over triplets where p is another point of the anchor's class and n a point of any other. `mining` chooses them:

    - "all": every triplet. Two points of a class make two triplets with each negative, one anchored at each of them.
    - "hard": for each anchor its farthest positive and its nearest negative (Hermans et al. 2017, section 2).
    - "semi-hard": for each anchor and positive, the nearest negative that is farther than the positive yet within the
      margin (Schroff et al. 2015, section 3.2); if there is none, the anchor and positive are skipped.

    Shapes: embeddings (n, dim), labels (n,). "none" gives one term for each chosen triplet, in the order of the index
    functions of `formulas/mining.py`; "mean" divides by their number, satisfied ones included. A batch with no positive
    or no negative pair has no triplet: the loss is 0. "all" makes a matrix of (positive pairs, n) numbers.

    Units, range, gradient, errors and source: as `triplet_loss`.

    >>> batch_triplet_loss([[0.0], [1.0], [1.5]], [0, 0, 1])  # anchored at 0: 1 - 1.5 + 1; at 1: 1 - 0.5 + 1
    tensor(2.)
    """
    check_settings(metric, reduction)
    check_margin(margin, metric)
    check_triplet_mining(mining)
    embeddings, labels = as_labelled_batch(embeddings, labels, metric)
    distances = METRICS[metric].matrix(embeddings, embeddings)
    if mining == "all":
        return _all_triplets_loss(distances, labels, margin, reduction)
    if mining == "semi-hard" and is_known(labels) and reduction != "none":  # a mask: how many there are is not known
        a, p, n, kept = semi_hard_choice(distances.detach(), labels, margin)
        return reduce_terms((distances[a, p] - distances[a, n] + margin).relu(), reduction, kept)
    a, p, n = select_triplets(mining, distances, labels, margin)
    return reduce_terms((distances[a, p] - distances[a, n] + margin).relu(), reduction)


def _all_triplets_loss(distances: torch.Tensor, labels: torch.Tensor, margin: float, reduction: str) -> torch.Tensor:
    """One row for each anchor and positive, one column for each point of the batch as a negative."""
    anchors, positives = positive_pairs(labels)
    to_positive = distances[anchors, positives][:, None]
    terms = (to_positive - distances.index_select(0, anchors) + margin).relu()
    return reduce_terms(terms, reduction, positive_and_negative(labels)[1].index_select(0, anchors))


RECORDS = (
    Loss(
        name="triplet",
        label="Triplet",
        help="Asks only that a set of another task be farther away than the second set of one's own, by the margin.",
        of_batch=partial(batch_triplet_loss, reduction="mean"),
        needs_margin=True,
        minings=TRIPLET_MINING,
        terms="triplets",
    ),
)
