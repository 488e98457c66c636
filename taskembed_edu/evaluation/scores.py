"""How good is an embedding? Retrieval, and agreement with the true distance between tasks.

Retrieval tests identity: does a second support set find its own task among others? Rank correlation tests geometry: are
similar tasks near and different ones far? A run can improve in one while it gets worse in the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.evaluation.geometry import distance_blocks
from taskembed_edu.formulas._vectors import Vectors, as_batch, as_distances, as_labels


def recall_at_k(
    queries: Vectors, gallery: Vectors, ks: Sequence[int] = (1, 5), metric: str = "euclidean"
) -> dict[int, float]:
    r"""The share of tasks whose second support set finds its first one among the k nearest.

    .. math::
        \text{recall@}k = \frac{1}{n} \sum_i \min\Big(1, \max\Big(0, \frac{k - b_i}{t_i}\Big)\Big), \qquad
        b_i = \#\{j : d(q_i, g_j) < d(q_i, g_i)\}, \quad t_i = \#\{j : d(q_i, g_j) = d(q_i, g_i)\}

    Row i of `queries` and row i of `gallery` are two support sets of one task. Without ties each task counts 1 if fewer
    than k others are nearer, else 0. Of t rows at the same distance, each is equally likely to come first. So a
    gallery with equal rows scores as chance does, k / n, and a collapsed embedding is not mistaken for a perfect one.

    Shapes: (n, dim), (n, dim) -> {k: share}. Range: [0, 1]; by chance k / n. Source: Musgrave 2020, section 2.2
    (precision at 1; with one right answer a query it is recall at 1).
    Errors: ValueError for different shapes, no rows, k outside 1..n, an unknown metric.

    >>> import torch
    >>> points = torch.tensor([[0.0], [1.0], [2.0]])
    >>> recall_at_k(points + 0.6, points, ks=(1, 2))  # 0.6 is nearer to 1, 1.6 to 2; 2.6 is nearest to 2
    {1: 0.3333333333333333, 2: 1.0}
    """
    queries, gallery = as_batch(queries=queries, gallery=gallery)
    if queries.shape != gallery.shape:
        cause = "Row i of both is one task, seen through two support sets."
        raise ValueError(problem("gallery", gallery, f"the queries' shape {tuple(queries.shape)}", cause))
    if not isinstance(ks, Sequence) or isinstance(ks, str):
        raise TypeError(problem("ks", ks, "a list of whole numbers", "One is a list of one: ks=[1]."))
    for k in ks:
        check_whole("k", k, 1, len(gallery), "A query can be given at most every task of the gallery.")
    found = dict.fromkeys(ks, 0.0)
    for rows, distances in distance_blocks(queries, gallery, metric):
        own = distances.diagonal(rows.start).unsqueeze(1)
        nearer, tied = (distances < own).sum(dim=1), (distances == own).sum(dim=1)
        for k in ks:
            found[k] += float(((k - nearer).double() / tied).clamp(0, 1).sum())
    return {k: count / len(queries) for k, count in found.items()}


def mean_distance(distances: Tensor) -> float:
    """The mean over all pairs of different tasks, from their distances (n, n); n at least 2.

    Worked number: points at 0, 1 and 3 on a line are 1, 3 and 2 apart: 2.
    """
    n = len(distances)
    return float(distances.sum(dtype=torch.float64)) / (n * (n - 1))


def neighbour_purity(distances: Vectors, groups: Vectors) -> float:
    r"""The share of tasks whose nearest other task is of their own group; only tasks with another one in it count.

    .. math::
        \text{purity} = \frac{1}{|M|} \sum_{i \in M} [g(\text{nearest}(i)) = g(i)], \qquad
        M = \{i : \exists j \neq i, g(j) = g(i)\}

    Shapes: (n, n), (n,) -> a number. Range: [0, 1]; NaN if every group has one task. By chance: `purity_by_chance`.
    Source: purity at one neighbour (Manning 2008, section 16.3, for clusters). Tied neighbours: the first one counts.
    Errors: ValueError for distances that are not square, or NaN, and for another number of groups.

    >>> import torch
    >>> line = torch.tensor([[0.0], [1.0], [3.0], [9.0]])
    >>> neighbour_purity(torch.cdist(line, line), torch.tensor([0, 0, 1, 2]))  # the third and fourth have no mate
    1.0
    """
    distances = as_distances("distances", distances)
    groups = as_labels("groups", groups, distances, "distances")
    same = _same_group(groups)
    itself = torch.eye(len(groups), dtype=torch.bool, device=distances.device)
    nearest = distances.masked_fill(itself, torch.inf).argmin(dim=1, keepdim=True)
    found = same.gather(1, nearest).squeeze(1)
    with_mate = same.any(dim=1)
    return float(found[with_mate].double().mean()) if bool(with_mate.any()) else float("nan")


def purity_by_chance(groups: Vectors) -> float:
    """The purity of a random neighbour: the mean share of same-group tasks among the others, where there are any.

    Worked number: in two groups of two tasks, each task has one of its group among three others: 1/3.
    """
    groups = as_labels("groups", groups)
    mates = _same_group(groups).sum(dim=1)
    with_mate = mates > 0
    shares = mates[with_mate].double() / (len(groups) - 1)
    return float(shares.mean()) if bool(with_mate.any()) else float("nan")


def _same_group(groups: Tensor) -> Tensor:
    """(n, n): whether two different tasks are of one group."""
    return (groups.unsqueeze(0) == groups.unsqueeze(1)).fill_diagonal_(False)


def effective_dimension(embedding: Vectors) -> float:
    r"""How many directions the vectors fill: the participation ratio of their variances.

    .. math::
        D = \frac{(\sum_k \lambda_k)^2}{\sum_k \lambda_k^2}, \qquad
        \lambda_1, \dots, \lambda_\mathrm{dim} \text{ the eigenvalues of the covariance matrix}

    Equal variances in m directions and none in the others give m; a direction of small variance adds little. It is the
    inverse of the probability that two random draws, weighted by variance, choose the same direction.

    Shapes: (n, dim) -> a number. Range: [1, min(dim, n - 1)]; 0 where all vectors are equal. It is invariant to
    rotation and to scaling. No eigenvalue is computed: both sums are traces, of C and of C C.

    A low number alone is no fault: sine waves have two true parameters and fill about two directions when they are
    embedded well. Read it together with the loss and the recall.

    Source: Gao et al. 2017, "A theory of multineuronal dimensionality, dynamics and measurement"; in physics Bell and
    Dean 1970.
    Errors: ValueError for NaN or infinite vectors, or a tensor that is not (n, dim).

    >>> effective_dimension(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    2.0
    >>> effective_dimension(torch.tensor([[3.0, 4.0], [-3.0, -4.0]]))  # a line, whichever way it lies
    1.0
    """
    (embedding,) = as_batch(embedding=embedding)
    centred = embedding.detach().double()
    centred = centred - centred.mean(dim=0)
    scatter = centred.T @ centred
    squares = float(scatter.square().sum())
    # Below this, the variance is only rounding error of the vectors (float32, relative to their length).
    if float(scatter.trace()) <= 1e-12 * float(embedding.detach().double().square().sum()):
        return 0.0
    return round(float(scatter.trace()) ** 2 / squares, 12)
