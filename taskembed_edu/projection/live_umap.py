"""A stream of UMAP frames, each aligned with the one before.

UMAP is made for one picture, not for a film: if it is fitted anew for every frame, the map jumps, is mirrored, and
takes half a second. `LiveUMAP` keeps the last frame's positions, moves them a few epochs towards the new neighbours and
aligns the result with the last frame. It calls umap-learn's own graph and optimiser. It omits umap-learn's approximate
search for neighbours (an exact one is fast at this size), the rescaling of the starting positions, and the refit.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, check_finite, check_number, problem
from taskembed_edu.formulas._vectors import Vectors, as_distances, as_vectors
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.projection.neighbours import nearest_by, nearest_tasks
from taskembed_edu.projection.pca import align, pca_layout
from taskembed_edu.projection.umap_steps import Layout, optimise

# Below this, umap-learn's own default for the epochs of a full fit (500) is more than a map of tasks needs.
_FIRST_EPOCHS = 200
_WARM_RATE = 0.1
_FIRST_RATE = 1.0


@compared_by_value
@dataclass
class LiveUMAP:
    """A stream of UMAP layouts, each a small step from the last (McInnes 2018; warm start and alignment are ours).

        live = LiveUMAP(n_neighbors=15, metric="euclidean", seed=0)
        layout = live.update(embedding)            # (n, dim) -> (n, 2); the first call fits, later calls follow

    The state is the last layout and a count; the random numbers of frame k depend only on (seed, k), so the same
    vectors give the same frames. `metric` may change between frames. With too few tasks, n_neighbors is lowered to
    n - 1, with a warning. `epochs` limits how far one frame may move; the first frame takes 200. A frame with another
    number of tasks starts anew.

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
        check_number("min_dist", self.min_dist, 0, 1, "It is a distance on the map, in units of UMAP's spread.")
        check_number("n_neighbors", self.n_neighbors, 2, None, "One neighbour gives no picture of a neighbourhood.")

    def update(self, embedding: Vectors, shown: Layout | None = None, distances: Vectors | None = None) -> Layout:
        """The next frame: the layout of these vectors, (n, dim) -> (n, 2) float32.

        `shown` is the PCA map that was on screen before the first frame, if any: the fit starts like it, not mirrored.
        `distances` (n, n) are the distances between all vectors, under `metric`; pass them if they are known already.
        """
        (embedding,) = as_vectors(embedding=embedding)
        if embedding.ndim != 2 or len(embedding) < 3:
            raise ValueError(problem("embedding", embedding, "shape (n, dim) with at least 3 tasks to map"))
        embedding = check_finite("embedding", embedding.detach().cpu().float())
        known = None if distances is None else as_distances("distances", distances)
        if known is not None and len(known) != len(embedding):
            raise ValueError(problem("distances", known, f"{len(embedding)} rows and columns, one a task"))
        neighbours, near = self._neighbours(embedding, known)
        previous = self.layout if self.layout is not None and len(self.layout) == len(embedding) else None
        start = _starting_layout(embedding, shown) if previous is None else previous
        random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence((self.seed, self.count))))
        epochs, rate = (_FIRST_EPOCHS, _FIRST_RATE) if previous is None else (self.epochs, _WARM_RATE)
        layout = optimise(start, neighbours, near, epochs, rate, self.min_dist, random)
        self.layout = layout if previous is None else align(layout, previous)
        self.count += 1
        return self.layout

    def forget(self) -> None:
        """Begin from scratch with the next frame; its random numbers differ from the first frame's (another count)."""
        self.layout = None

    def copy(self) -> LiveUMAP:
        """An independent copy of the stream, at the same frame."""
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
        distances, indices = nearest_tasks(embedding, k, self.metric) if known is None else nearest_by(known.cpu(), k)
        return indices.numpy().astype(np.int32), distances.numpy()


def _starting_layout(embedding: Tensor, shown: Layout | None) -> Layout:
    # Starting from PCA keeps the map similar to the one that the learner saw until UMAP was ready.
    layout = pca_layout(embedding, shown)
    size = float(np.abs(layout).max()) or 1.0
    # UMAP's optimiser cannot separate points that start in one place, so a fixed tiny spiral is added.
    turn = np.arange(len(layout), dtype=np.float32) * np.float32(2.4)
    spiral = np.float32(1e-3) * np.stack((np.cos(turn), np.sin(turn)), axis=1)
    return (layout * np.float32(10 / size) + spiral).astype(np.float32)
