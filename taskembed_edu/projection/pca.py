"""Principal components: high-dimensional vectors as points on a map, with signs as on the map before."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.formulas._vectors import Vectors, as_batch, as_tensor
from taskembed_edu.projection.umap_steps import Layout


def pca_layout(embedding: Vectors, previous: Layout | None = None) -> Layout:
    """The two directions of largest variance (Pearson 1901), signs as in the previous layout where there is one.

        layout = (X - mean) V,   X - mean = U S V^T, the first two columns of V

    Shapes: (n, dim) -> (n, 2) float32; a second column of zeros where dim or n is 1.
    Errors: ValueError for no rows, vectors that are not (n, dim), or NaN.
    Worked number: the points (0, 0) and (3, 4) lie at -2.5 and 2.5 on the first axis.
    """
    return pca(embedding, previous)[0]


def pca(embedding: Vectors, previous: Layout | None = None) -> tuple[Layout, Layout]:
    """As `pca_layout`, and the directions V, (dim, 2): other vectors can be projected onto them too."""
    (embedding,) = as_batch(embedding=embedding)
    centred = embedding.detach().cpu().double()
    previous = None if previous is None else as_tensor("previous", previous).detach().cpu().numpy()
    centred = centred - centred.mean(dim=0)
    directions = _main_directions(centred)
    layout = np.zeros((len(centred), 2), dtype=np.float32)
    axes = np.zeros((centred.shape[1], 2), dtype=np.float32)
    axes[:, : directions.shape[1]] = directions.numpy()
    layout[:, : directions.shape[1]] = (centred @ directions).numpy()
    if previous is not None and previous.shape == layout.shape:
        signs = np.where((layout * previous).sum(axis=0) < 0, -1, 1).astype(np.float32)
    else:
        # Without a previous layout, the largest entry of each axis is positive: the same signs on every machine.
        signs = np.where(layout[np.abs(layout).argmax(axis=0), range(2)] < 0, -1, 1).astype(np.float32)
    return layout * signs, axes * signs


def _main_directions(centred: Tensor) -> Tensor:
    """The two directions of largest variance of centred vectors (n, dim): (dim, at most 2)."""
    n, dim = centred.shape
    if dim <= n:
        return torch.linalg.svd(centred, full_matrices=False)[2][:2].T
    # Networks have many more weights than there are tasks: the Gram matrix, (n, n), gives the same directions and is
    # far smaller.
    variances, sides = torch.linalg.eigh(centred @ centred.T)
    directions = centred.T @ sides[:, -2:].flip(1)
    sizes = directions.norm(dim=0)
    # If the tasks vary in one direction only, the second one is just rounding error: set it to zero.
    there = variances[-2:].flip(0) > 1e-12 * variances[-1].clamp(min=1e-300)
    return torch.where(there, directions / sizes.clamp(min=1e-300), 0.0)


def align(layout: Layout, previous: Layout) -> Layout:
    """The layout rotated, mirrored and shifted onto the previous one; its scale does not change (Schoenemann 1966).

        argmin over R with R^T R = I of || (layout - mean) R - (previous - mean) ||_F = U V^T,
        U S V^T = (layout - mean)^T (previous - mean)

    Shapes: (n, 2), (n, 2) -> (n, 2). Worked number: a layout turned by 90 degrees comes back exactly.
    """
    mine, theirs = layout - layout.mean(axis=0), previous - previous.mean(axis=0)
    u, _s, vt = np.linalg.svd(mine.T.astype(np.float64) @ theirs)
    return (mine @ (u @ vt) + previous.mean(axis=0)).astype(np.float32)
