"""How good is an embedding? Retrieval, and agreement with the true distance between tasks.

Retrieval asks for identity: does a task find itself among others? Rank correlation asks for geometry: are similar
tasks near and different ones far? They are different questions: a run can gain on one while it loses on the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata
from torch import Tensor

from taskembed_edu.checks import check_number, problem
from taskembed_edu.distances import pairwise_distances


def recall_at_k(
    queries: Tensor, gallery: Tensor, ks: Sequence[int] = (1, 5), metric: str = "euclidean"
) -> dict[int, float]:
    """The share of tasks whose second support set finds its first one among the k nearest.

        recall@k = 1/n * #{ i : fewer than k rows j have d(query_i, gallery_j) < d(query_i, gallery_i) }

    Row i of `queries` and row i of `gallery` are two support sets of one task. Ties count for the query: a gallery
    whose rows are all equal scores 1, so look at the spread of the embedding too.

    Shapes: (n, dim), (n, dim) -> {k: share}. Range: [0, 1]; by chance k / n. Source: Musgrave 2020, section 2.2
    (precision at 1; with one right answer a query it is recall at 1).
    Errors: ValueError for different shapes, k outside 1..n, an unknown metric.

    >>> import torch
    >>> points = torch.tensor([[0.0], [1.0], [2.0]])
    >>> recall_at_k(points + 0.6, points, ks=(1, 2))  # 0.6 is nearer to 1, 1.6 to 2; 2.6 is nearest to 2
    {1: 0.3333333333333333, 2: 1.0}
    """
    if queries.shape != gallery.shape:
        cause = "Row i of both is one task, seen through two support sets."
        raise ValueError(problem("gallery", gallery, f"the queries' shape {tuple(queries.shape)}", cause))
    for k in ks:
        check_number("k", k, 1, len(gallery), "A query can be given at most every task of the gallery.")
    distances = pairwise_distances(queries, gallery, metric=metric)
    nearer = (distances < distances.diagonal().unsqueeze(1)).sum(dim=1)
    return {k: int((nearer < k).sum()) / len(nearer) for k in ks}


class TrueGeometry:
    """The true distances of a fixed set of tasks, ranked once, to be compared with embedding after embedding.

    `spearman(embedding, metric)` is the rank correlation of the embedding's distances with the true ones, over all
    pairs (Spearman 1904): the Pearson correlation of the two rankings, ties sharing their mean rank.

    Range: [-1, 1]; 1 when every pair is in the right order; NaN when all distances of one side are equal.
    Errors: ValueError where true_distance is not square or the embedding has another number of tasks.

    >>> import torch
    >>> line = torch.tensor([[0.0], [1.0], [3.0]])
    >>> TrueGeometry(torch.cdist(line, line)).spearman(10 * line)
    1.0
    """

    def __init__(self, true_distance: Tensor) -> None:
        if true_distance.ndim != 2 or true_distance.shape[0] != true_distance.shape[1]:
            raise ValueError(problem("true_distance", true_distance, "a square matrix, one row and column a task"))
        self.n_tasks = len(true_distance)
        self._above = np.triu_indices(self.n_tasks, k=1)
        self._ranks = _standardised_ranks(true_distance.numpy()[self._above])

    def spearman(self, embedding: Tensor, metric: str = "euclidean") -> float:
        """Rank correlation of the embedding's distances, shape (n_tasks, dim), with the true ones."""
        if len(embedding) != self.n_tasks:
            raise ValueError(problem("embedding", embedding, f"{self.n_tasks} rows, one a task"))
        distances = pairwise_distances(embedding, metric=metric).numpy()[self._above]
        return float(round(np.dot(self._ranks, _standardised_ranks(distances)), 12))


def _standardised_ranks(values: np.ndarray) -> np.ndarray:
    ranks = rankdata(values)
    ranks -= ranks.mean()
    length = np.linalg.norm(ranks)
    return ranks / length if length > 0 else np.full_like(ranks, np.nan)
