r"""All distances between two sets of vectors, (n, dim) and (m, dim) to (n, m): fast, and exact for near pairs too.

The fast way to all squared distances is one matrix product, |x|^2 + |y|^2 - 2 x.y. In single precision it is wrong for
near pairs: for points at distance 1 from the origin, distances below 0.0003 are lost in rounding. Double precision has
twice the digits and costs little more; the error is then no larger than the rounding of the points themselves. So
single-precision batches go through a double-precision product. Batches that are in double precision already have no
wider type, and small batches gain nothing: for both, vectors are subtracted entry by entry.

The gradients are explicit matrix products too, so no (n, m, dim) tensor is ever made. They can be differentiated again.
`torch.func` and forward mode cannot see through gradients that are written by hand: for them, too, vectors are
subtracted entry by entry. Nothing here checks its arguments: `pairwise_distances` does.

Floor 0: tensors in, tensors out.
"""

from __future__ import annotations

from typing import Any

import torch

from taskembed_edu.formulas._vectors import is_transformed

SMALL = 2**18
"""n * m * dim up to which subtracting is quicker than the product."""


def euclidean_matrix(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    r"""Euclidean distances. Gradient: sum_j G_ij (x_i - y_j) / D_ij, to which a coincident pair adds nothing."""
    if is_transformed():
        return euclidean_between(x[:, None], y[None])
    distances: torch.Tensor = _EuclideanMatrix.apply(x, y.view_as(y))  # a view: torch.compile needs two tensors
    return distances


def squared_euclidean_matrix(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    r"""Squared Euclidean distances. Gradient: 2 sum_j G_ij (x_i - y_j)."""
    if is_transformed():
        return squared_euclidean_between(x[:, None], y[None])
    distances: torch.Tensor = _SquaredEuclideanMatrix.apply(x, y.view_as(y))
    return distances


def manhattan_matrix(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    r"""Manhattan distances. Gradient: sum_j G_ij sign(x_i - y_j); PyTorch's `cdist` cannot be differentiated again."""
    return manhattan_between(x[:, None], y[None]) if is_transformed() else torch.cdist(x, y, p=1.0)


def euclidean_between(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Euclidean distances of row and row, differentiable as often as you like."""
    squares = (x.double() - y.double()).square().sum(-1)  # single precision ends where a square does: at 3e38
    apart = squares > 0  # for coincident vectors, take the root of 1: the slope at 0 is infinite
    return (torch.where(apart, squares, 1).sqrt() * apart).to(x.dtype)


def squared_euclidean_between(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Squared Euclidean distances of row and row."""
    return (x - y).square().sum(-1)


def manhattan_between(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Manhattan distances of row and row."""
    return (x - y).abs().sum(-1)


def distances_without_gradient(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Euclidean distances, by subtraction or by a matrix product, depending on dtype and size (see the module)."""
    if x.dtype == torch.float64 or x.shape[0] * y.shape[0] * x.shape[1] <= SMALL:
        # In double precision, too, for single: its squares end at 3e38, and below 1e-38 they are zero.
        return torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist").to(x.dtype)
    return _squares_by_product(x, y).sqrt_().to(x.dtype)


def inverse_distances(distances: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """1 / d, and zero for coincident pairs: those whose distance is below the rounding of their coordinates."""
    # |x| + |y| over the root of 2 is the root of |x|^2 + |y|^2 where the two are as long, as coincident vectors are.
    lengths = (torch.linalg.vector_norm(vectors.detach().double(), dim=1) / 2**0.5 for vectors in (x, y))
    of_x, of_y = ((_rounding(x.dtype) * length).to(x.dtype) for length in lengths)
    apart = (distances.detach() > of_x[:, None] + of_y[None, :]).to(distances.dtype)
    return apart / (distances + (1 - apart))  # torch.where would be many times slower on a CPU


def distances_and_inverses(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """d and 1 / d (zero for coincident pairs) without gradient, for callers that sum in double precision.

    Unlike `inverse_distances`, it does not set distances below the rounding to zero. The distance of a coincident pair
    is then at most the rounding, so in double precision its weighted difference adds next to nothing to a sum.
    """
    if x.dtype == torch.float64:
        # A distance beyond the largest number stays at it: infinity times the weight 0 would be no number.
        distances = distances_without_gradient(x, y).clamp_(max=torch.finfo(x.dtype).max)
        return distances, inverse_distances(distances, x, y)
    distances = _product(x, y).clamp_(min=0).sqrt_().to(x.dtype)  # the root in double precision: squares end at 3e38
    inverses = (distances + torch.finfo(x.dtype).tiny).reciprocal_()
    return distances, inverses * (inverses * distances)  # the bracket is 1; it is 0 where the distance is 0


def sums_of_differences(weights: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """sum_j w_ij (x_i - y_j) for every i, and sum_i w_ij (y_j - x_i) for every j: (n, dim) and (m, dim)."""
    wide, from_x, from_y = weights.double(), x.double(), y.double()
    for_x = wide.sum(1, keepdim=True) * from_x - wide @ from_y
    for_y = wide.sum(0)[:, None] * from_y - wide.T @ from_x
    return for_x.to(x.dtype), for_y.to(y.dtype)


class _EuclideanMatrix(torch.autograd.Function):
    @staticmethod
    def forward(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return distances_without_gradient(x, y)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, y, distances = ctx.saved_tensors
        return sums_of_differences(grad * inverse_distances(distances, x, y), x, y)


class _SquaredEuclideanMatrix(torch.autograd.Function):
    @staticmethod
    def forward(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.float64:
            return distances_without_gradient(x, y).square()
        return _squares_by_product(x, y).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = ctx.saved_tensors
        return sums_of_differences(2 * grad, x, y)


def _squares_by_product(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Squared distances in double precision; those below the rounding of the coordinates are exactly zero."""
    squares = _product(x, y)
    return squares * (squares > _rounding(x.dtype) ** 2 * _sums_of_squares(x, y))


def _product(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """|x|^2 + |y|^2 - 2 x.y in double precision, as the single product (-2 x, |x|^2, 1) . (y, 1, |y|^2)."""
    x, y = x.double(), y.double()
    x_squares, y_squares = x.square().sum(1, keepdim=True), y.square().sum(1, keepdim=True)
    left = torch.cat([-2 * x, x_squares, torch.ones_like(x_squares)], 1)
    right = torch.cat([y, torch.ones_like(y_squares), y_squares], 1)
    return left @ right.T


def _sums_of_squares(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """|x_i|^2 + |y_j|^2 in double precision, shape (n, m): in single precision it ends at 3e38."""
    return x.detach().double().square().sum(1)[:, None] + y.detach().double().square().sum(1)[None, :]


def _rounding(dtype: torch.dtype) -> float:
    """A distance below this share of the points' length cannot be distinguished from rounding error."""
    return 1e-12 if dtype == torch.float64 else 1e-7
