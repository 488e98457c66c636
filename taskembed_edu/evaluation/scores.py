"""How good is an embedding? Retrieval, and agreement with the true distance between tasks.

Retrieval asks for identity: does a task find itself among others? Rank correlation asks for geometry: are similar
tasks near and different ones far? They are different questions: a run can gain on one while it loses on the other.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.checks import check_choice, check_finite, check_number, problem
from taskembed_edu.formulas._pairwise import SMALL
from taskembed_edu.formulas._vectors import as_vectors, check_rows
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts


def recall_at_k(
    queries: Tensor, gallery: Tensor, ks: Sequence[int] = (1, 5), metric: str = "euclidean"
) -> dict[int, float]:
    r"""The share of tasks whose second support set finds its first one among the k nearest.

    .. math::
        \text{recall@}k = \frac{1}{n} \sum_i \min\Big(1, \max\Big(0, \frac{k - b_i}{t_i}\Big)\Big), \qquad
        b_i = \#\{j : d(q_i, g_j) < d(q_i, g_i)\}, \quad t_i = \#\{j : d(q_i, g_j) = d(q_i, g_i)\}

    Row i of `queries` and row i of `gallery` are two support sets of one task. Without ties each task counts 1 or 0:
    are fewer than k others nearer? Among t rows equally far each is as likely to come first, so that a gallery whose
    rows are all equal scores what chance does, k / n, and a collapsed embedding does not pass for a perfect one.

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
    found = dict.fromkeys(ks, 0.0)
    for rows, distances in distance_blocks(queries, gallery, metric):
        own = distances.diagonal(rows.start).unsqueeze(1)
        nearer, tied = (distances < own).sum(dim=1), (distances == own).sum(dim=1)
        for k in ks:
            found[k] += float(((k - nearer).double() / tied).clamp(0, 1).sum())
    return {k: count / len(queries) for k, count in found.items()}


def distance_blocks(x: Tensor, y: Tensor, metric: str = "euclidean") -> Iterator[tuple[slice, Tensor]]:
    """The distances of x's rows to all of y's, as `pairwise_distances`, a block of rows at a time: (rows, block).

    Blocks are so small that they are subtracted entry by entry and stay in the processor's cache: of 200 tasks twice
    as quick as the whole at once, and of 5,000 without gigabytes in double precision.
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


def all_distances(embedding: Tensor, metric: str = "euclidean") -> Tensor:
    """The distances between all tasks of one embedding, (n, n), the diagonal exactly zero: made block by block."""
    distances = embedding.new_empty(len(embedding), len(embedding))
    for rows, block in distance_blocks(embedding, embedding, metric):
        distances[rows] = block
    return distances.fill_diagonal_(0.0)


# The fewest rows of a block: fewer, and Python's own time is what it takes.
_ROWS = 32


def mean_distance(distances: Tensor) -> float:
    """The mean over all pairs of different tasks, from their distances (n, n); n at least 2.

    Worked number: points at 0, 1 and 3 on a line are 1, 3 and 2 apart: 2.
    """
    n = len(distances)
    return float(distances.sum(dtype=torch.float64)) / (n * (n - 1))


def neighbour_purity(distances: Tensor, groups: Tensor) -> float:
    r"""The share of tasks whose nearest other task is of their own group, over those that have a mate in it.

    .. math::
        \text{purity} = \frac{1}{|M|} \sum_{i \in M} [g(\text{nearest}(i)) = g(i)], \qquad
        M = \{i : \exists j \neq i, g(j) = g(i)\}

    Shapes: (n, n), (n,) -> a number. Range: [0, 1]; NaN where no task has a mate. By chance: `purity_by_chance`.
    Source: purity at one neighbour (Manning 2008, section 16.3, for clusters). Tied neighbours: the first one counts.

    >>> import torch
    >>> line = torch.tensor([[0.0], [1.0], [3.0], [9.0]])
    >>> neighbour_purity(torch.cdist(line, line), torch.tensor([0, 0, 1, 2]))  # the third and fourth have no mate
    1.0
    """
    same, itself = _mates(groups), torch.eye(len(groups), dtype=torch.bool)
    nearest = distances.masked_fill(itself, torch.inf).argmin(dim=1, keepdim=True)
    found = same.gather(1, nearest).squeeze(1)
    with_mate = same.any(dim=1)
    return float(found[with_mate].double().mean()) if bool(with_mate.any()) else float("nan")


def purity_by_chance(groups: Tensor) -> float:
    """The purity that a random neighbour would have: the mean share of mates among the others, over tasks with a mate.

    Worked number: of two pairs, each task has one mate among three others: 1/3.
    """
    mates = _mates(groups).sum(dim=1)
    with_mate = mates > 0
    shares = mates[with_mate].double() / (len(groups) - 1)
    return float(shares.mean()) if bool(with_mate.any()) else float("nan")


def _mates(groups: Tensor) -> Tensor:
    """(n, n): whether two different tasks are of one group."""
    return (groups.unsqueeze(0) == groups.unsqueeze(1)).fill_diagonal_(False)


# Above this many tasks Spearman's correlation is taken over this many pairs, drawn once: a million ranks cost a third
# of a second at every frame, and the correlation's standard error over so many pairs is below 0.001.
_ALL_PAIRS_UP_TO = 1500
_N_PAIRS = 2**19


class TrueGeometry:
    """The true distances of a fixed set of tasks, ranked once, to be compared with embedding after embedding.

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

    def __init__(self, true_distance: Tensor) -> None:
        if true_distance.ndim != 2 or true_distance.shape[0] != true_distance.shape[1]:
            raise ValueError(problem("true_distance", true_distance, "a square matrix, one row and column a task"))
        self.n_tasks = len(true_distance)
        self.true_distance = true_distance
        self._pairs = _pairs(self.n_tasks)
        self._ranks = _standardised_ranks(true_distance.numpy().ravel()[self._pairs])

    def spearman(self, embedding: Tensor, metric: str = "euclidean") -> float:
        """Rank correlation of the embedding's distances, shape (n_tasks, dim), with the true ones."""
        if len(embedding) != self.n_tasks:
            raise ValueError(problem("embedding", embedding, f"{self.n_tasks} rows, one a task"))
        return self.agreement(all_distances(embedding, metric))

    def agreement(self, distances: Tensor) -> float:
        """As `spearman`, of distances (n_tasks, n_tasks) that have been computed already."""
        return float(round(np.dot(self._ranks, _standardised_ranks(distances.numpy().ravel()[self._pairs])), 12))

    def nearest(self, task: int, k: int = 5, without: Collection[int] = ()) -> NDArray[np.intp]:
        """The k tasks that are in truth nearest to this one, nearest first, itself and those `without` left out.

        Strangers are no neighbours: where several tasks are as far away as the farthest, none of them is near, and
        there may be fewer than k, or none. Languages are so: their tree has three levels.
        Errors: ValueError for a task that is not there, or k outside 1..n - 1.
        """
        distances = self.true_distance[task]
        check_number("k", k, 1, len(distances) - 1, "A task has every other task to be near to.")
        near = nearest_of_row(distances, task, len(distances) - 1)
        near = near[~np.isin(near, list(without))]
        away = distances.numpy()[near]
        strangers = away == away.max(initial=-np.inf)
        return near[~strangers][:k] if strangers.sum() > 1 else near[:k]

    def nearest_of_all(self, k: int = 5) -> NDArray[np.intp]:
        """As `nearest`, of every task at once: (n_tasks, k), nearest first; where there are fewer, the task itself."""
        check_number("k", k, 1, self.n_tasks - 1, "A task has every other task to be near to.")
        distances = self.true_distance.clone().fill_diagonal_(math.inf)
        away, near = distances.topk(k, largest=False)
        farthest = distances.fill_diagonal_(-math.inf).amax(dim=1, keepdim=True)
        strangers = (distances == farthest).sum(dim=1, keepdim=True)
        itself = torch.arange(self.n_tasks).unsqueeze(1)
        return torch.where((strangers > 1) & (away == farthest), itself, near).numpy()


def nearest_of_row(distances: Tensor, itself: int, k: int) -> NDArray[np.intp]:
    """The k nearest of one task, by its distances to all (n,), nearest first, itself left out; of equals, the first.

    Errors: ValueError for a task that is not there, or k outside 1..n - 1.
    Worked number: for distances (0, 3, 1), task 0 and k = 2 they are tasks 2 and 1.
    """
    check_number("k", k, 1, len(distances) - 1, "A task has every other task to be near to.")
    order = torch.argsort(distances, stable=True).numpy()
    return order[order != itself][:k]


def _pairs(n: int) -> NDArray[np.intp]:
    """Positions of the pairs i < j in a matrix (n, n) laid out in one row: all of them, or a fixed draw of many."""
    if n <= _ALL_PAIRS_UP_TO:
        rows, columns = np.triu_indices(n, k=1)
    else:
        rng = np.random.Generator(np.random.PCG64(n))
        rows = rng.integers(0, n, _N_PAIRS)
        columns = (rows + rng.integers(1, n, _N_PAIRS)) % n
    return rows * n + columns


def _standardised_ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks with mean 0 and length 1, equal values sharing their mean rank; NaN where all are equal."""
    order = np.argsort(values)  # scipy's rankdata sorts stably, which takes twice as long and alters nothing
    ascending = values[order]
    firsts = np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))
    n_equal = np.diff(firsts, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(firsts + (n_equal - 1) / 2, n_equal)
    ranks -= (len(values) - 1) / 2
    length = np.linalg.norm(ranks)
    return ranks / length if length > 0 else np.full_like(ranks, np.nan)


def effective_dimension(embedding: Tensor) -> float:
    r"""How many directions the vectors fill: the participation ratio of their variances.

    .. math::
        D = \frac{(\sum_k \lambda_k)^2}{\sum_k \lambda_k^2}, \qquad
        \lambda_1, \dots, \lambda_\mathrm{dim} \text{ the eigenvalues of the covariance matrix}

    Equal variances in m directions and none in the others give m; a direction that holds little adds little. It is the
    inverse of the share that two random draws of variance fall into one direction.

    Shapes: (n, dim) -> a number. Range: [1, min(dim, n - 1)]; 0 where all vectors are equal. It changes neither under
    rotation nor under scaling. No eigenvalue is computed: both sums are traces, of C and of C C.

    A low number is not yet a fault: sine waves have two true parameters and fill about two directions when they are
    embedded well. It is to be read beside the loss and the recall.

    Source: Gao et al. 2017, "A theory of multineuronal dimensionality, dynamics and measurement"; in physics Bell and
    Dean 1970.
    Errors: ValueError for NaN or infinite vectors, or a tensor that is not (n, dim).

    >>> effective_dimension(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    2.0
    >>> effective_dimension(torch.tensor([[3.0, 4.0], [-3.0, -4.0]]))  # a line, whichever way it lies
    1.0
    """
    if embedding.ndim != 2 or not len(embedding):
        raise ValueError(problem("embedding", embedding, "shape (n, dim), one row a task"))
    centred = check_finite("embedding", embedding.detach().double())
    centred = centred - centred.mean(dim=0)
    scatter = centred.T @ centred
    squares = float(scatter.square().sum())
    # Below this, what varies is the rounding of the vectors themselves (float32, relative to their length).
    if float(scatter.trace()) <= 1e-12 * float(embedding.double().square().sum()):
        return 0.0
    return round(float(scatter.trace()) ** 2 / squares, 12)


@dataclass(frozen=True)
class NeighbourChanges:
    """Who is near whom under one distance, and who under another: the same vectors, each task's k nearest.

    `before` and `after` are (n, k) arrays of indices, nearest first, no task among its own. Two neighbourhoods are
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
