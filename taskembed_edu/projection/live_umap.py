"""From vectors of many numbers to points on a map: PCA, a stream of aligned UMAP frames, and how far to trust them.

UMAP made for one picture is not made for a film: fitted anew for every frame it jumps, turns over and takes half a
second. `LiveUMAP` keeps the last frame's positions, moves them a few epochs towards the new neighbours and turns the
result back onto the last frame. It calls umap-learn's own graph and its own optimiser; what it leaves out is the search
for neighbours (exact and fast at this size), the rescaling of the starting positions, and the refit.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from taskembed_edu.base.checks import check_choice, check_finite, check_number, problem
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts, pairwise_distances
from taskembed_edu.projection.umap_steps import Layout as Layout
from taskembed_edu.projection.umap_steps import optimise

# Below this, umap-learn's own default for the epochs of a full fit (500) is more than a map of tasks needs.
_FIRST_EPOCHS = 200
_WARM_RATE = 0.1
_FIRST_RATE = 1.0


def pca_layout(embedding: Tensor, previous: Layout | None = None) -> Layout:
    """The two directions of largest variance (Pearson 1901), signs as in the previous layout where there is one.

        layout = (X - mean) V,   X - mean = U S V^T, the first two columns of V

    Shapes: (n, dim) -> (n, 2) float32; a second column of zeros where dim or n is 1.
    Worked number: the points (0, 0) and (3, 4) lie at -2.5 and 2.5 on the first axis.
    """
    return pca(embedding, previous)[0]


def pca(embedding: Tensor, previous: Layout | None = None) -> tuple[Layout, Layout]:
    """As `pca_layout`, and the directions V, (dim, 2): other vectors of the same kind can be seen along them too."""
    centred = check_finite("embedding", embedding.detach().cpu().double())
    centred = centred - centred.mean(dim=0)
    directions = _main_directions(centred)
    layout = np.zeros((len(centred), 2), dtype=np.float32)
    axes = np.zeros((centred.shape[1], 2), dtype=np.float32)
    axes[:, : directions.shape[1]] = directions.numpy()
    layout[:, : directions.shape[1]] = (centred @ directions).numpy()
    if previous is not None and previous.shape == layout.shape:
        signs = np.where((layout * previous).sum(axis=0) < 0, -1, 1).astype(np.float32)
    else:
        # Without a past, the largest entry of each axis points to the right or upwards: the same on every machine.
        signs = np.where(layout[np.abs(layout).argmax(axis=0), range(2)] < 0, -1, 1).astype(np.float32)
    return layout * signs, axes * signs


def _main_directions(centred: Tensor) -> Tensor:
    """The two directions of largest variance of centred vectors (n, dim): (dim, at most 2)."""
    n, dim = centred.shape
    if dim <= n:
        return torch.linalg.svd(centred, full_matrices=False)[2][:2].T
    # Weights are many more than tasks: then the tasks' products, (n, n), tell the same, and are far smaller.
    variances, sides = torch.linalg.eigh(centred @ centred.T)
    directions = centred.T @ sides[:, -2:].flip(1)
    sizes = directions.norm(dim=0)
    # Where the tasks fill no second direction, what is left of one is rounding.
    there = variances[-2:].flip(0) > 1e-12 * variances[-1].clamp(min=1e-300)
    return torch.where(there, directions / sizes.clamp(min=1e-300), 0.0)


def align(layout: Layout, previous: Layout) -> Layout:
    """The layout turned, mirrored and shifted onto the previous one; its scale is left alone (Schoenemann 1966).

        argmin over R with R^T R = I of || (layout - mean) R - (previous - mean) ||_F = U V^T,
        U S V^T = (layout - mean)^T (previous - mean)

    Shapes: (n, 2), (n, 2) -> (n, 2). Worked number: a layout turned by 90 degrees comes back exactly.
    """
    mine, theirs = layout - layout.mean(axis=0), previous - previous.mean(axis=0)
    u, _s, vt = np.linalg.svd(mine.T.astype(np.float64) @ theirs)
    return (mine @ (u @ vt) + previous.mean(axis=0)).astype(np.float32)


def jitter(layout: Layout, previous: Layout) -> float:
    """How far points moved from one frame to the next, in units of the layout's size.

        jitter = mean_i |layout_i - previous_i| / sqrt(mean_i |layout_i - mean|^2)

    Range: [0, inf); 0 stands still. Worked number: two points at -1 and 1, both shifted by 0.1: 0.1.
    """
    moved = np.linalg.norm(layout - previous, axis=1).mean()
    size = np.sqrt(((layout - layout.mean(axis=0)) ** 2).sum(axis=1).mean())
    return float(moved / size) if size > 0 else 0.0


def trustworthiness(embedding: Tensor, layout: Layout, n_neighbors: int = 15, metric: str = "euclidean") -> float:
    r"""How far neighbours on the map are neighbours in truth (Venna and Kaski 2001, eq. 2).

    .. math::
        T = 1 - \frac{2}{n k (2 n - 3 k - 1)} \sum_i \sum_{j \in U_k(i)} \max(0, r(i, j) - k)

    U_k(i) are the k points nearest to i on the map, r(i, j) is the rank of j among i's neighbours in the embedding.

    Shapes: (n, dim), (n, 2) -> a number. Range: [0, 1]; 1 when every near point on the map is near in the embedding. It
    says nothing of what the map tore apart, and nothing of distances. n_neighbors is lowered to what n tasks allow:
    below n / 2. Worked number: of four points on a line at 0, 1, 2 and 10, drawn at 0, 1, 10 and 3, with k = 1: 0.625.
    """
    return map_trust(pairwise_distances(embedding, metric=metric), layout, n_neighbors)


def map_trust(distances: Tensor, layout: Layout, n_neighbors: int = 15) -> float:
    """As `trustworthiness`, of distances (n, n) that have been computed already.

    scikit-learn's own sorts every row twice by index, a third of a frame's time; here values are sorted once, and a
    neighbour's rank is looked up. The two agree but for ties, which scikit-learn leaves to the sort.
    """
    n = len(layout)
    k = max(1, min(n_neighbors, (n - 1) // 2))
    # The tree finds a point itself too, among its twins in any place: k of the others are left.
    found: NDArray[np.intp] = np.asarray(cKDTree(layout).query(layout, k + 1)[1])
    itself = found == np.arange(n)[:, None]
    itself[~itself.any(axis=1), -1] = True
    near = torch.from_numpy(found[~itself].reshape(n, k))
    ascending = torch.from_numpy(np.sort(distances.numpy(), axis=1))
    # The point itself is the first of its row, at distance 0, so that counting who is nearer gives ranks from 1.
    ranks = torch.searchsorted(ascending, distances.gather(1, near)).clamp_(min=1)
    beyond = int((ranks - k).clamp_(min=0).sum())
    return 1.0 - beyond * 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0))


@dataclass
class LiveUMAP:
    """A stream of UMAP layouts, each a small step from the last (McInnes 2018; warm start and alignment are ours).

        live = LiveUMAP(n_neighbors=15, metric="euclidean", seed=0)
        layout = live.update(embedding)            # (n, dim) -> (n, 2); the first call fits, later calls follow

    The state is the last layout and a count; frame k draws from (seed, k) alone, so that the same vectors give the same
    frames. `metric` may change between frames. Fewer tasks than neighbours: lowered to n - 1, with a warning.
    `epochs` is how far one frame may move; the first frame takes 200. A frame of another number of tasks starts anew.

    Errors: ValueError for fewer than 3 tasks, NaN or infinite vectors, an unknown metric, n_neighbors below 2.
    Worked number: 1,000 tasks of 8 numbers give a float32 array of shape (1000, 2), 8,000 bytes.
    """

    n_neighbors: int = 15
    metric: str = "euclidean"
    seed: int = 0
    min_dist: float = 0.1
    epochs: int = 6
    layout: Layout | None = None
    count: int = 0
    _warned: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        check_choice("metric", self.metric, METRICS)
        check_number("n_neighbors", self.n_neighbors, 2, None, "One neighbour gives no picture of a neighbourhood.")

    def update(self, embedding: Tensor, shown: Layout | None = None, distances: Tensor | None = None) -> Layout:
        """The next frame: the layout of these vectors, (n, dim) -> (n, 2) float32.

        `shown` is the PCA map that was on screen before the first frame, if any: the fit starts from it, unmirrored.
        `distances` (n, n) are those between all the vectors, under `metric`, for who has them already.
        """
        if embedding.ndim != 2 or len(embedding) < 3:
            raise ValueError(problem("embedding", embedding, "shape (n, dim) with at least 3 tasks to map"))
        embedding = check_finite("embedding", embedding.detach().cpu().float())
        neighbours, near = self._neighbours(embedding, distances)
        previous = self.layout if self.layout is not None and len(self.layout) == len(embedding) else None
        start = _starting_layout(embedding, shown) if previous is None else previous
        random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence((self.seed, self.count))))
        epochs, rate = (_FIRST_EPOCHS, _FIRST_RATE) if previous is None else (self.epochs, _WARM_RATE)
        layout = optimise(start, neighbours, near, epochs, rate, self.min_dist, random)
        self.layout = layout if previous is None else align(layout, previous)
        self.count += 1
        return self.layout

    def forget(self) -> None:
        """Begin from scratch with the next frame; its draws differ from the first frame's, as the count goes on."""
        self.layout = None

    def copy(self) -> LiveUMAP:
        """The same stream at the same frame, free to go its own way."""
        layout = None if self.layout is None else self.layout.copy()
        return LiveUMAP(
            self.n_neighbors, self.metric, self.seed, self.min_dist, self.epochs, layout, self.count, self._warned
        )

    def _neighbours(self, embedding: Tensor, known: Tensor | None) -> tuple[NDArray[np.int32], Layout]:
        asked, possible = self.n_neighbors, len(embedding) - 1
        if asked > possible and not self._warned:
            self._warned = True
            message = problem("n_neighbors", asked, f"fewer than the {len(embedding)} tasks", f"Lowered to {possible}.")
            warnings.warn(message, UserWarning, stacklevel=3)
        k = min(asked, possible)
        distances, indices = nearest_tasks(embedding, k, self.metric) if known is None else nearest_by(known, k)
        return indices.numpy().astype(np.int32), distances.numpy()


def nearest_by(distances: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Each task's k nearest by distances (n, n), itself first at distance 0: (distances, indices), nearest first.

    Worked number: of tasks 0, 1 and 3 apart from the first, its two nearest are itself, at 0, and the second, at 1.
    """
    # A task is its own nearest neighbour in umap-learn's graph; a twin must not push it out.
    near, indices = distances.clone().fill_diagonal_(-1.0).topk(k, largest=False)
    near[:, 0] = 0.0
    return near, indices


def nearest_tasks(embedding: Tensor, k: int, metric: str = "euclidean") -> tuple[Tensor, Tensor]:
    """Each task's k nearest, itself first at distance 0: (distances, indices), both (n, k), nearest first.

    One matrix product, in double precision, ranks all pairs: tight clusters far apart lose no neighbour. The chosen
    few are then measured in the embedding's own precision.

    Errors: ValueError for an unknown metric, k outside 1..n, or a zero vector under cosine.
    Worked number: of points 0, 1 and 3 on a line with k = 2, the nearest to 3 is 1, at distance 2.
    """
    check_choice("metric", metric, METRICS)
    check_number("k", k, 1, len(embedding), "A task has itself and the others to be near to.")
    check_metric_accepts(metric, embedding=embedding)
    # On the unit sphere Euclidean distance ranks as cosine does; centred vectors lose the fewest digits.
    exact = embedding.double()
    points = torch.nn.functional.normalize(exact) if metric == "cosine" else exact - exact.mean(dim=0)
    ranking = torch.cdist(
        points, points, p=1.0 if metric == "manhattan" else 2.0, compute_mode="use_mm_for_euclid_dist"
    )
    # A task is its own nearest neighbour in umap-learn's graph; a twin must not push it out.
    ranking.fill_diagonal_(-1.0)
    indices = ranking.topk(k, largest=False).indices
    distances = METRICS[metric].between(embedding.unsqueeze(1), embedding[indices])
    distances[:, 0] = 0.0
    distances, order = distances.sort(dim=1, stable=True)
    return distances, indices.gather(1, order)


def _starting_layout(embedding: Tensor, shown: Layout | None) -> Layout:
    # A fit that starts from PCA keeps the map that a learner has been looking at until UMAP was ready.
    layout = pca_layout(embedding, shown)
    size = float(np.abs(layout).max()) or 1.0
    # UMAP's optimiser cannot part points that start in one place; a fixed spiral of thousandths does it for it.
    turn = np.arange(len(layout), dtype=np.float32) * np.float32(2.4)
    spiral = np.float32(1e-3) * np.stack((np.cos(turn), np.sin(turn)), axis=1)
    return (layout * np.float32(10 / size) + spiral).astype(np.float32)
