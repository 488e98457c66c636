"""Scores of so many tasks that a matrix of all their distances would not fit.

Neighbours are found a block of rows at a time, and the rank correlation is taken over a sample of pairs. With as few
tasks as a lesson has, the numbers are those of `TrueGeometry` and of `scores.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.evaluation.geometry import (
    distance_blocks,
    nearest_related,
    pair_rank_correlation,
    pairs_of,
)
from taskembed_edu.evaluation.scores import recall_at_k
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.tasks.base import TaskBatch, TaskFamily

# From so many tasks on: a matrix of float32 has 36 MB then, that of 10,000 tasks 400 MB, and several are needed.
MANY = 3000


# The closing scores that need no matrix.
KNOWN = ("recall@1", "recall@5", "spearman", "purity")


def scores_of_many(
    family: TaskFamily, tasks: TaskBatch, vectors: Tensor, again: Tensor, metric: str, groups: Tensor | None, k: int
) -> dict[str, float]:
    """The scores of a card by name, NaN where one is undefined; `k` neighbours are compared with the true ones.

    `again` (n, dim) are the vectors of second support sets, `groups` (n,) each task's group.
    Worked number: a card of 10,000 waves takes 0.74 GB above import (`make bench ARGS=scorecard`).
    """
    found = {f"recall@{at}": share for at, share in recall_at_k(again, vectors, ks=(1, 5), metric=metric).items()}
    near = nearest_tasks(vectors, metric, k)
    if family.has_geometry:
        places = family.coordinates(tasks.truth.double())
        found["spearman"] = sampled_spearman(vectors, places, metric)
        found["neighbours kept"] = share_kept(near, truly_nearest(places, k))
    if groups is not None:
        found["purity"] = math.nan if _is_one_point(vectors) else purity_of(near[:, 0], groups)
    return found


def share_kept(near: Tensor, true: NDArray[np.intp]) -> float:
    """The mean share of true neighbours (n, k) that are among the found ones (n, k): see `neighbours_kept`."""
    shares = [
        len(set(mine) & known) / len(known)
        for task, (mine, row) in enumerate(zip(near.tolist(), true.tolist(), strict=True))
        if (known := set(row) - {task})
    ]
    return float(np.mean(shares)) if shares else math.nan


def sampled_spearman(vectors: Tensor, coordinates: Tensor, metric: str) -> float:
    """The rank correlation of distances with the true ones over a fixed sample of pairs, as `TrueGeometry.spearman`.

    NaN where all vectors are one. Worked number: vectors that are the coordinates: 1.
    """
    if _is_one_point(vectors):
        return math.nan
    i, j = np.divmod(pairs_of(len(vectors)), len(vectors))
    true = METRICS["euclidean"].between(coordinates[i], coordinates[j])
    return pair_rank_correlation(METRICS[metric].between(vectors[i], vectors[j]).numpy(), _rounded(true).numpy())


def nearest_tasks(vectors: Tensor, metric: str, k: int) -> Tensor:
    """Each task's k nearest others, (n, k), nearest first."""
    return torch.cat([block.topk(k, largest=False).indices for _rows, block in _without_itself(vectors, metric)])


def truly_nearest(coordinates: Tensor, k: int) -> NDArray[np.intp]:
    """As `TrueGeometry.nearest_of_all`: (n, k), nearest first; missing ones are the task itself."""
    near = [
        nearest_related(_rounded(block), torch.arange(len(coordinates))[rows], k)
        for rows, block in _without_itself(coordinates, "euclidean")
    ]
    return torch.cat(near).numpy()


def _rounded(distances: Tensor) -> Tensor:
    """As `TaskFamily.true_distance` rounds them: two that differ by the last bit of a root alone are equal."""
    return distances.float()


def _is_one_point(vectors: Tensor) -> bool:
    return bool((vectors == vectors[:1]).all())


def _without_itself(vectors: Tensor, metric: str) -> Iterator[tuple[slice, Tensor]]:
    """Blocks of distances to all tasks, that of a task to itself infinite."""
    for rows, block in distance_blocks(vectors, vectors, metric):
        block.diagonal(rows.start).fill_(math.inf)
        yield rows, block


def purity_of(nearest: Tensor, groups: Tensor) -> float:
    """As `neighbour_purity`, of the nearest other task of each, (n,). NaN where no task has another of its group."""
    _values, place, sizes = groups.unique(return_inverse=True, return_counts=True)
    with_mate = sizes[place] > 1
    same = (groups[nearest] == groups)[with_mate]
    return float(same.double().mean()) if len(same) else math.nan
