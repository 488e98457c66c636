"""Each task's nearest neighbours by distances in the embedding: the edges of a neighbour graph."""

from __future__ import annotations

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_choice, check_number
from taskembed_edu.formulas._vectors import as_vectors
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts


def nearest_by(distances: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Each task's k nearest by distances (n, n), itself first at distance 0: (distances, indices), nearest first.

    Worked number: of tasks 0, 1 and 3 apart from the first, its two nearest are itself, at 0, and the second, at 1.
    """
    # A task is its own nearest neighbour in umap-learn's graph; -1 keeps it first if another has the same vector.
    near, indices = distances.clone().fill_diagonal_(-1.0).topk(k, largest=False)
    near[:, 0] = 0.0
    return near, indices


def nearest_tasks(embedding: Tensor, k: int, metric: str = "euclidean") -> tuple[Tensor, Tensor]:
    """Each task's k nearest, itself first at distance 0: (distances, indices), both (n, k), nearest first.

    One matrix product ranks all pairs, in double precision, so that tight clusters far apart are ranked correctly. Only
    the distances of the k nearest are then computed in the embedding's own precision.

    Errors: ValueError for an unknown metric, k outside 1..n, or a zero vector under cosine.
    Worked number: of points 0, 1 and 3 on a line with k = 2, the nearest to 3 is 1, at distance 2.
    """
    check_choice("metric", metric, METRICS)
    (embedding,) = as_vectors(embedding=embedding)
    check_number("k", k, 1, len(embedding), "A task has itself and the others to be near to.")
    check_metric_accepts(metric, embedding=embedding)
    # On the unit sphere Euclidean distance ranks as cosine distance does; centring vectors reduces rounding errors.
    exact = embedding.double()
    points = torch.nn.functional.normalize(exact) if metric == "cosine" else exact - exact.mean(dim=0)
    ranking = torch.cdist(
        points, points, p=1.0 if metric == "manhattan" else 2.0, compute_mode="use_mm_for_euclid_dist"
    )
    # A task is its own nearest neighbour in umap-learn's graph; -1 keeps it first if another has the same vector.
    ranking.fill_diagonal_(-1.0)
    indices = ranking.topk(k, largest=False).indices
    distances = METRICS[metric].between(embedding.unsqueeze(1), embedding[indices])
    distances[:, 0] = 0.0
    distances, order = distances.sort(dim=1, stable=True)
    return distances, indices.gather(1, order)
