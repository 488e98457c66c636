"""How far a map may be trusted: trustworthiness, and how far its points jump from frame to frame."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.formulas._vectors import Vectors, as_batch
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.projection.umap_steps import Layout


def jitter(layout: Layout, previous: Layout) -> float:
    """How far points moved from one frame to the next, in units of the layout's size.

        jitter = mean_i |layout_i - previous_i| / sqrt(mean_i |layout_i - mean|^2)

    Range: [0, inf); 0 if no point moved. Worked number: two points at -1 and 1, both shifted by 0.1: 0.1.
    """
    moved = np.linalg.norm(layout - previous, axis=1).mean()
    size = np.sqrt(((layout - layout.mean(axis=0)) ** 2).sum(axis=1).mean())
    return float(moved / size) if size > 0 else 0.0


def trustworthiness(embedding: Vectors, layout: Vectors, n_neighbors: int = 15, metric: str = "euclidean") -> float:
    r"""How far neighbours on the map are neighbours in the embedding (Venna and Kaski 2001, eq. 2).

    .. math::
        T = 1 - \frac{2}{n k (2 n - 3 k - 1)} \sum_i \sum_{j \in U_k(i)} \max(0, r(i, j) - k)

    U_k(i) are the k points nearest to i on the map, r(i, j) is the rank of j among i's neighbours in the embedding.

    Shapes: (n, dim), (n, 2) -> a number. Range: [0, 1]; 1 when every near point on the map is near in the embedding. It
    measures neither neighbours that the map separated, nor distances. n_neighbors is lowered if n is small: it must be
    below n / 2. Of two tasks, each is the other's only neighbour: T is 1. Worked number: of four points on a line at 0,
    1, 2 and 10, drawn at 0, 1, 10 and 3, with k = 1: 0.625.
    Errors: ValueError for no rows, another number of points than of vectors, NaN, n_neighbors below 1.
    """
    check_whole("n_neighbors", n_neighbors, 1, None, "It is how many near points of the map are asked.")
    (embedding,) = as_batch(embedding=embedding)
    (layout,) = as_batch(layout=layout)
    if len(layout) != len(embedding):
        cause = "Row i of both is one task: its vector, and its place on the map."
        raise ValueError(problem("layout", layout, f"{len(embedding)} rows, as embedding has", cause))
    distances = pairwise_distances(embedding.detach(), metric=metric)
    return map_trust(distances, layout.detach().cpu().numpy(), n_neighbors)


def map_trust(distances: Tensor, layout: Layout, n_neighbors: int = 15) -> float:
    """As `trustworthiness`, from distances (n, n) that have been computed already.

    scikit-learn's function sorts every row twice by index, which takes a third of a frame's time. Here values are
    sorted once, and a neighbour's rank is found by binary search. The results differ only with ties, whose order
    scikit-learn leaves to the sort.
    """
    n = len(layout)
    if n < 3:
        return 1.0
    k = max(1, min(n_neighbors, (n - 1) // 2))
    # The tree also finds the point itself, at any position among points in the same place: drop it, and k others stay.
    found: NDArray[np.intp] = np.asarray(cKDTree(layout).query(layout, k + 1)[1])
    itself = found == np.arange(n)[:, None]
    itself[~itself.any(axis=1), -1] = True
    near, distances = torch.from_numpy(found[~itself].reshape(n, k)), distances.cpu()
    ascending = torch.from_numpy(np.sort(distances.numpy(), axis=1))
    # The point itself is first in its row, at distance 0, so the number of smaller distances is a rank from 1.
    ranks = torch.searchsorted(ascending, distances.gather(1, near)).clamp_(min=1)
    beyond = int((ranks - k).clamp_(min=0).sum())
    return 1.0 - beyond * 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0))
