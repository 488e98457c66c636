r"""Contrastive losses: similar pairs together, different pairs at least a margin apart.

`pairwise_contrastive_loss` is the loss of the papers and of the lessons: every pair of a batch counts the same.
`balanced_contrastive_loss` is the loss that the metric-based embedder trains with: similar pairs and different pairs
are averaged separately.
"""

from __future__ import annotations

from functools import partial

import torch

from taskembed_edu.formulas._vectors import (
    Vectors,
    as_matching_vectors,
    as_similarity,
    is_transformed,
    values_readable,
)
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts
from taskembed_edu.formulas.known_batch import is_known
from taskembed_edu.formulas.losses.all_pairs import PairLoss, all_pairs_sum, pair_terms
from taskembed_edu.formulas.losses.records import Loss
from taskembed_edu.formulas.losses.terms import as_labelled_batch, check_margin, check_settings, reduce_terms
from taskembed_edu.formulas.mining import PAIR_MINING, check_pair_mining, select_pairs


def contrastive_loss(
    x1: Vectors,
    x2: Vectors,
    label: Vectors | float,
    margin: float = 1.0,
    metric: str = "euclidean",
    squared: bool = False,
    reduction: str = "sum",
) -> torch.Tensor:
    r"""Contrastive loss of labelled pairs. Label 1 means similar, 0 different.

    .. math::
        L = \sum_i \big[ y_i\, d_i + (1 - y_i) \max(0,\, m - d_i) \big], \qquad d_i = d(x^1_i, x^2_i)

    With `squared=True`, Hadsell's form, halves included:

    .. math::
        L = \sum_i \big[ y_i\, \tfrac12 d_i^2 + (1 - y_i)\, \tfrac12 \max(0,\, m - d_i)^2 \big]

    Shapes: x1 and x2 (..., dim), label (...) or a single number for all pairs. "mean" divides by the number of pairs.
    Units: those of the distance (squared: that unit squared). Range: 0 to infinity; 0 exactly when similar pairs
    coincide and different ones are at least the margin apart.

    Gradient with respect to the distance: 1 for a similar pair at any distance, -1 for a different pair inside
    the margin, 0 at the margin and beyond. Squared: d, and -(m - d). Two coincident points of a different pair have no
    direction in which to separate: their gradient is zero, and they stay until another pair moves them.

    Raises for a label that is neither 0 nor 1, a margin that is negative or beyond the metric's largest distance (2 for
    cosine), an unknown metric or reduction, and for what the distances raise.

    Source: Hadsell, Chopra and LeCun 2006, equations 2 to 4. There Y = 0 means similar; here 1 does, as in the course,
    whose linear form is the default.

    >>> x, similar, different = [1, 2, 3], [2, 3, 4], [4, 5, 6]
    >>> contrastive_loss([x, x], [similar, different], [1, 0])  # the square root of 3, and nothing: beyond the margin
    tensor(1.7321)
    >>> contrastive_loss([x, x], [similar, different], [1, 0], squared=True)
    tensor(1.5000)
    """
    check_settings(metric, reduction)
    check_margin(margin, metric)
    x1, x2 = as_matching_vectors(x1=x1, x2=x2)
    check_metric_accepts(metric, x1=x1, x2=x2)
    distances = METRICS[metric].between(x1, x2)
    similar = as_similarity("label", label, distances)
    return reduce_terms(pair_terms(distances, similar, margin, squared), reduction)


def pairwise_contrastive_loss(
    embeddings: Vectors,
    labels: Vectors,
    margin: float = 1.0,
    metric: str = "euclidean",
    squared: bool = False,
    mining: str = "all",
    reduction: str = "sum",
) -> torch.Tensor:
    r"""Contrastive loss of the pairs within a batch: two points of one class are similar, all others different.

    .. math::
        L = \sum_{i < j} \big[ y_{ij}\, d_{ij} + (1 - y_{ij}) \max(0,\, m - d_{ij}) \big],
        \qquad y_{ij} = [\text{label}_i = \text{label}_j]

    and Hadsell's squared form with `squared=True`. Each unordered pair counts once. `mining="all"` takes every pair,
    "hard" each point's farthest positive and nearest negative (see `taskembed_edu.formulas.mining.hard_pairs`).

    Shapes: embeddings (n, dim), labels (n,), any numbers that compare equal within a class. "none" gives one term for
    each pair that counts, in the order (0, 1), (0, 2), ..., (1, 2), ...; "mean" divides by the number of pairs that
    count: n (n - 1) / 2 with mining "all". A batch without positive pairs only pushes, a batch without
    negative pairs only pulls, and with fewer than two points the loss is 0.

    Units, range, gradient, errors and source: as `contrastive_loss`. With the Euclidean distance and all pairs, value
    and gradient are computed together, in blocks that never hold the whole (n, n) matrix.

    >>> pairwise_contrastive_loss([[1, 2, 3], [2, 3, 4], [4, 5, 6]], [0, 0, 1])
    tensor(1.7321)
    """
    check_settings(metric, reduction)
    check_margin(margin, metric)
    check_pair_mining(mining)
    embeddings, labels = as_labelled_batch(embeddings, labels, metric)
    if reduction != "none" and _in_blocks(metric, mining):
        total = all_pairs_sum(embeddings, labels, PairLoss(margin, squared))
        n_pairs = len(labels) * (len(labels) - 1) // 2
        return total if reduction == "sum" else total / max(n_pairs, 1)
    distances = METRICS[metric].matrix(embeddings, embeddings)
    positives, negatives = select_pairs(mining, distances, labels)
    terms = pair_terms(distances, positives.to(distances), margin, squared)
    return reduce_terms(terms, reduction, positives | negatives)


def balanced_contrastive_loss(
    embeddings: Vectors,
    labels: Vectors,
    margin: float = 1.0,
    metric: str = "euclidean",
    squared: bool = False,
    mining: str = "all",
) -> torch.Tensor:
    r"""Contrastive loss with similar and different pairs in balance: the mean of either kind, added.

    .. math::
        L = \frac{1}{|S|} \sum_{(i, j) \in S} d_{ij} + \frac{1}{|D|} \sum_{(i, j) \in D} \max(0,\, m - d_{ij})

    S are the similar pairs i < j of the batch and D the different ones, of those that `mining` chooses. `squared=True`
    uses Hadsell's terms instead, halves included. The loss is always a mean, so it takes no `reduction`.

    Why balanced: two sets of each of n tasks make n similar pairs and 2 n (n - 1) different ones, so one pair in
    2 n - 1 is similar. In the plain mean (`pairwise_contrastive_loss` with reduction "mean"), pulling then has the
    weight 1 / (2 n - 1), less than a hundredth with 64 tasks. Here pulling has the same weight as pushing. The plain
    mean is half of the balanced one if there are as many similar pairs as different ones.

    Shapes: embeddings (n, dim), labels (n,). If the batch has no pair of one kind, that kind adds 0. Units, range,
    gradient and errors: as `contrastive_loss`. With the Euclidean distance and all pairs, value and gradient are
    computed together, in blocks that never hold the whole (n, n) matrix.

    Source: the terms are those of Hadsell, Chopra and LeCun 2006, equations 2 to 4; the two means are those of
    pytorch-metric-learning's ContrastiveLoss (Musgrave, Belongie and Lim 2020), which ignores terms that are zero; here
    they count.

    >>> points, labels = [[1, 2, 3], [2, 3, 4], [4, 5, 6]], [0, 0, 1]
    >>> balanced_contrastive_loss(points, labels, margin=4.0)  # sqrt(3) + (4 - 2 sqrt(3)) / 2
    tensor(2.)
    >>> pairwise_contrastive_loss(points, labels, margin=4.0, reduction="mean")  # (sqrt(3) + 4 - 2 sqrt(3)) / 3
    tensor(0.7560)
    """
    check_settings(metric, "mean")
    check_margin(margin, metric)
    check_pair_mining(mining)
    embeddings, labels = as_labelled_batch(embeddings, labels, metric)
    if _in_blocks(metric, mining):
        n_similar, n_different = _counted_pairs(labels)
        return all_pairs_sum(
            embeddings, labels, PairLoss(margin, squared, 1 / max(n_similar, 1), 1 / max(n_different, 1))
        )
    distances = METRICS[metric].matrix(embeddings, embeddings)
    positives, negatives = select_pairs(mining, distances, labels)
    terms = pair_terms(distances, positives.to(distances), margin, squared)
    return reduce_terms(terms, "mean", positives) + reduce_terms(terms, "mean", negatives)


def _in_blocks(metric: str, mining: str) -> bool:
    return metric == "euclidean" and mining == "all" and values_readable() and not is_transformed()


def _counted_pairs(labels: torch.Tensor) -> tuple[int, int]:
    """How many unordered pairs are similar, and how many different."""
    if is_known(labels):
        n_similar = len(labels) // 2
    else:
        sizes: torch.Tensor = labels.unique(return_counts=True)[1]
        n_similar = int((sizes * (sizes - 1)).sum()) // 2
    return n_similar, len(labels) * (len(labels) - 1) // 2 - n_similar


RECORDS = (
    Loss(
        name="contrastive",
        label="Contrastive",
        help="Pulls two sets of one task together and pushes others out to the margin, both with the same force "
        "however far apart they are.",
        of_batch=balanced_contrastive_loss,
        needs_margin=True,
        minings=PAIR_MINING,
        terms="pairs",
    ),
    Loss(
        name="contrastive_squared",
        label="Contrastive, squared (Hadsell)",
        help="Contrastive with half the squares: it pulls the harder, the farther apart two sets of one task are, and "
        "pushes the harder, the nearer two tasks are.",
        of_batch=partial(balanced_contrastive_loss, squared=True),
        needs_margin=True,
        minings=PAIR_MINING,
        terms="pairs",
    ),
)
