"""Distances between all tasks of an embedding, compared with the true distances between them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, check_whole, problem
from taskembed_edu.base.former import Former
from taskembed_edu.formulas._pairwise import SMALL
from taskembed_edu.formulas._vectors import Vectors, as_batch, as_distances, as_vectors, check_rows
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts


def distance_blocks(x: Vectors, y: Vectors, metric: str = "euclidean") -> Iterator[tuple[slice, Tensor]]:
    """The distances of x's rows to all of y's, as `pairwise_distances`, a block of rows at a time: (rows, block).

    A block is small enough to be subtracted entry by entry and to stay in the processor's cache: for 200 tasks this is
    twice as fast as the whole matrix at once, and for 5,000 it avoids gigabytes in double precision.
    Errors: as `pairwise_distances`. Worked number: 200 rows of 8 numbers come as 163 and 37.
    """
    check_choice("metric", metric, METRICS)
    x, y = as_vectors(x=x, y=y)
    check_rows(x=x, y=y)
    check_metric_accepts(metric, x=x, y=y)
    step = max(_ROWS, SMALL // max(1, y.numel()))
    for start in range(0, len(x), step):
        rows = slice(start, min(start + step, len(x)))
        yield rows, METRICS[metric].matrix(x[rows], y)


def all_distances(embedding: Vectors, metric: str = "euclidean") -> Tensor:
    """The distances between all tasks of one embedding, (n, n), the diagonal exactly zero; computed in blocks."""
    (embedding,) = as_vectors(embedding=embedding)
    distances = embedding.new_empty(len(embedding), len(embedding))
    for rows, block in distance_blocks(embedding, embedding, metric):
        distances[rows] = block
    return distances.fill_diagonal_(0.0)


# The fewest rows of a block: with fewer, most of the time would be Python's own overhead.
_ROWS = 32


# With more than _ALL_PAIRS_UP_TO tasks, Spearman's correlation is computed over _N_PAIRS pairs, sampled once: a million
# ranks take a third of a second at every frame, and over _N_PAIRS pairs the standard error is below 0.001.
_ALL_PAIRS_UP_TO = 1500


_N_PAIRS = 2**19


class TrueGeometry:
    """The true distances of a fixed set of tasks, ranked once, to be compared with many embeddings.

    `spearman(embedding, metric)` is the rank correlation of the embedding's distances with the true ones, over all
    pairs (Spearman 1904): the Pearson correlation of the two rankings, ties sharing their mean rank. Beyond 1,500 tasks
    it is taken over half a million pairs, always the same ones.

    Range: [-1, 1]; 1 when every pair is in the right order; NaN when all distances of one side are equal.
    Errors: ValueError where true_distance is not square or the embedding has another number of tasks.

    >>> import torch
    >>> line = torch.tensor([[0.0], [1.0], [3.0]])
    >>> geometry = TrueGeometry(torch.cdist(line, line))
    >>> geometry.spearman(10 * line), geometry.nearest(0, k=2).tolist()
    (1.0, [1, 2])
    """

    def __init__(self, true_distance: Vectors) -> None:
        true_distance = as_distances("true_distance", true_distance).detach().cpu()
        self.n_tasks = len(true_distance)
        self.true_distance = true_distance
        self._pairs = pairs_of(self.n_tasks)
        self._ranks = _standardised_ranks(true_distance.numpy().ravel()[self._pairs])

    def spearman(self, embedding: Vectors, metric: str = "euclidean") -> float:
        """Rank correlation of the embedding's distances, shape (n_tasks, dim), with the true ones."""
        (embedding,) = as_batch(embedding=embedding)
        if len(embedding) != self.n_tasks:
            raise ValueError(problem("embedding", embedding, f"{self.n_tasks} rows, one a task"))
        return self.rank_correlation(all_distances(embedding, metric))

    def rank_correlation(self, distances: Vectors) -> float:
        """As `spearman`, of distances (n_tasks, n_tasks) that have been computed already."""
        distances = as_distances("distances", distances).detach()
        if len(distances) != self.n_tasks:
            raise ValueError(problem("distances", distances, f"{self.n_tasks} rows and columns, one a task"))
        return float(round(np.dot(self._ranks, _standardised_ranks(distances.cpu().numpy().ravel()[self._pairs])), 12))

    agreement = Former("rank_correlation")

    def nearest(self, task: int, k: int = 5, without: Collection[int] = ()) -> NDArray[np.intp]:
        """The k tasks nearest to this one in true distance, nearest first, without itself and those in `without`.

        Unrelated tasks are no neighbours: if several tasks are at the largest distance, none of them counts as near, so
        there may be fewer than k, or none. This happens with languages: their tree has three levels.
        Errors: IndexError for an unknown task; ValueError for k outside 1..n - 1.
        """
        if not -self.n_tasks <= task < self.n_tasks:
            raise IndexError(problem("task", task, f"one of 0 to {self.n_tasks - 1}"))
        distances = self.true_distance[task]
        check_whole("k", k, 1, len(distances) - 1, "A task has every other task to be near to.")
        near = nearest_of_row(distances, task, len(distances) - 1)
        near = near[~np.isin(near, list(without))]
        away = distances.numpy()[near]
        unrelated = away == away.max(initial=-np.inf)
        return near[~unrelated][:k] if unrelated.sum() > 1 else near[:k]

    def nearest_of_all(self, k: int = 5) -> NDArray[np.intp]:
        """As `nearest`, for all tasks at once: (n_tasks, k), nearest first; missing ones are the task itself."""
        check_whole("k", k, 1, self.n_tasks - 1, "A task has every other task to be near to.")
        distances = self.true_distance.clone().fill_diagonal_(math.inf)
        return nearest_related(distances, torch.arange(self.n_tasks), k).numpy()


def nearest_related(distances: Tensor, itself: Tensor, k: int) -> Tensor:
    """The k nearest of each row's task, (rows, k), by its distances (rows, n), which are infinite to `itself` (rows,).

    Tasks at the largest distance are none, where there are several of them: the task itself stands for each.
    Worked number: row 0 with distances (inf, 1, 3, 3) and k = 2: 1 and 0.
    """
    away, near = distances.topk(k, largest=False)
    itself = itself.unsqueeze(1)
    farthest = distances.scatter(1, itself, -math.inf).amax(dim=1, keepdim=True)
    unrelated = (distances == farthest).sum(dim=1, keepdim=True)
    return torch.where((unrelated > 1) & (away == farthest), itself, near)


def nearest_of_row(distances: Tensor, itself: int, k: int) -> NDArray[np.intp]:
    """One task's k nearest others, by its distances to all (n,), nearest first; of equals, the lower index first.

    Errors: ValueError for k outside 1..n - 1.
    Worked number: for distances (0, 3, 1), task 0 and k = 2 they are tasks 2 and 1.
    """
    check_whole("k", k, 1, len(distances) - 1, "A task has every other task to be near to.")
    order = torch.argsort(distances, stable=True).cpu().numpy()
    return order[order != itself][:k]


def pair_rank_correlation(distances: NDArray[Any], true: NDArray[Any]) -> float:
    """Spearman's rank correlation of the distances of some pairs with the true ones; NaN where either are all equal.

    Source: Spearman 1904. Worked number: distances 1, 2, 3 and true ones 2, 4, 9: 1.
    """
    return float(round(np.dot(_standardised_ranks(true), _standardised_ranks(distances)), 12))


def pairs_of(n: int) -> NDArray[np.intp]:
    """Positions of the pairs i < j in a flattened matrix (n, n): all of them, or a fixed random sample."""
    if n <= _ALL_PAIRS_UP_TO:
        rows, columns = np.triu_indices(n, k=1)
    else:
        rng = np.random.Generator(np.random.PCG64(n))
        rows = rng.integers(0, n, _N_PAIRS)
        columns = (rows + rng.integers(1, n, _N_PAIRS)) % n
    return rows * n + columns


def _standardised_ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks with mean 0 and length 1, equal values sharing their mean rank; NaN where all are equal."""
    order = np.argsort(values)  # scipy's rankdata uses a stable sort: twice as slow, with the same ranks
    ascending = values[order]
    firsts = np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))
    n_equal = np.diff(firsts, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(firsts + (n_equal - 1) / 2, n_equal)
    ranks -= (len(values) - 1) / 2
    length = np.linalg.norm(ranks)
    return ranks / length if length > 0 else np.full_like(ranks, np.nan)


@compared_by_value
@dataclass(frozen=True)
class NeighbourChanges:
    """Each task's k nearest neighbours under one distance and under another, for the same vectors.

    `before` and `after` are (n, k) arrays of indices, nearest first, without the task itself. Two neighbourhoods are
    compared as sets: a neighbour that only moved from second to third place is not lost.

    >>> changes = NeighbourChanges(np.array([[1, 2], [0, 2], [1, 0]]), np.array([[1, 3], [2, 0], [1, 0]]))
    >>> changes.lost(0).tolist(), changes.gained(0).tolist(), changes.counts.tolist(), round(changes.share, 3)
    ([2], [3], [1, 0, 0], 0.167)
    """

    before: NDArray[np.intp]
    after: NDArray[np.intp]

    def __post_init__(self) -> None:
        if self.before.shape != self.after.shape or self.before.ndim != 2:
            came = f"{self.before.shape} and {self.after.shape}"
            raise ValueError(problem("neighbours", came, "two arrays of one shape (n, k)"))

    def lost(self, task: int) -> NDArray[np.intp]:
        """The neighbours that this task no longer has, nearest first."""
        return self.before[task][~np.isin(self.before[task], self.after[task])]

    def gained(self, task: int) -> NDArray[np.intp]:
        """The neighbours that this task did not have before, nearest first."""
        return self.after[task][~np.isin(self.after[task], self.before[task])]

    @property
    def counts(self) -> NDArray[np.uint8]:
        """How many of each task's k neighbours changed, shape (n,)."""
        kept = (self.before[:, :, None] == self.after[:, None, :]).any(axis=2)
        return (~kept).sum(axis=1).astype(np.uint8)

    @property
    def share(self) -> float:
        """The share of all neighbours that changed: 0 where none did, 1 where all did."""
        return float(self.counts.sum()) / self.before.size
