r"""All distances between two sets of vectors, (n, dim) and (m, dim) to (n, m): fast, and exact for near pairs too.

The fast way to all squared distances is one matrix product, |x|^2 + |y|^2 - 2 x.y. In single precision it is wrong for
near pairs: for points at distance 1 from the origin, distances below 0.0003 are lost in rounding. Double precision has
twice the digits and costs little more; the error is then no larger than the rounding of the points themselves. So
single-precision batches go through a double-precision product. Batches that are in double precision already have no
wider type, and small batches gain nothing: for both, vectors are subtracted entry by entry.

The gradients are explicit matrix products too, so no (n, m, dim) tensor is ever made. They can be differentiated again,
and `torch.func` transforms work on them. Nothing here checks its arguments: `pairwise_distances` does.

Floor 0: tensors in, tensors out.
"""

from __future__ import annotations

from typing import Any

import torch

SMALL = 2**18
"""n * m * dim up to which subtracting is quicker than the product (measured on two CPU cores)."""


def euclidean_matrix(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    r"""Euclidean distances. Gradient: sum_j G_ij (x_i - y_j) / D_ij, to which a coincident pair adds nothing."""
    distances: torch.Tensor = _EuclideanMatrix.apply(x, y.view_as(y))  # a view: torch.compile needs two tensors
    return distances


def squared_euclidean_matrix(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    r"""Squared Euclidean distances. Gradient: 2 sum_j G_ij (x_i - y_j)."""
    distances: torch.Tensor = _SquaredEuclideanMatrix.apply(x, y.view_as(y))
    return distances


def manhattan_matrix(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    r"""Manhattan distances. Gradient: sum_j G_ij sign(x_i - y_j); PyTorch cannot differentiate it again."""
    return torch.cdist(x, y, p=1.0)


def distances_without_gradient(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Euclidean distances, by subtraction or by a matrix product, depending on dtype and size (see the module)."""
    if x.dtype == torch.float64 or (x.dtype == torch.float32 and x.shape[0] * y.shape[0] * x.shape[1] <= SMALL):
        return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return _squares_by_product(x, y).to(x.dtype).sqrt_()


def inverse_distances(distances: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """1 / d, and zero for coincident pairs: those whose distance is below the rounding of their coordinates."""
    least = _rounding(x.dtype) ** 2 * _sums_of_squares(x, y)
    apart = (distances.detach().square() > least).to(distances.dtype)
    return apart / (distances + (1 - apart))  # torch.where would be many times slower on a CPU


def distances_and_inverses(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """d and 1 / d (zero for coincident pairs) without gradient, for callers that sum in double precision.

    Unlike `inverse_distances`, it does not set distances below the rounding to zero. The distance of a coincident pair
    is then at most the rounding, so in double precision its weighted difference adds next to nothing to a sum.
    """
    if x.dtype == torch.float64:
        distances = distances_without_gradient(x, y)
        return distances, inverse_distances(distances, x, y)
    squares = _product(x, y).clamp_(min=0).to(x.dtype)
    inverses = (squares + torch.finfo(x.dtype).tiny).rsqrt_()
    distances = squares.mul_(inverses)
    return distances, inverses * (inverses * distances)  # the bracket is 1; it is 0 where the distance is 0


def sums_of_differences(weights: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """sum_j w_ij (x_i - y_j) for every i, and sum_i w_ij (y_j - x_i) for every j: (n, dim) and (m, dim)."""
    wide, from_x, from_y = weights.double(), x.double(), y.double()
    for_x = wide.sum(1, keepdim=True) * from_x - wide @ from_y
    for_y = wide.sum(0)[:, None] * from_y - wide.T @ from_x
    return for_x.to(x.dtype), for_y.to(y.dtype)


class _EuclideanMatrix(torch.autograd.Function):
    generate_vmap_rule = True

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
    generate_vmap_rule = True

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
    """|x_i|^2 + |y_j|^2, shape (n, m)."""
    return x.detach().square().sum(1)[:, None] + y.detach().square().sum(1)[None, :]


def _rounding(dtype: torch.dtype) -> float:
    """A distance below this share of the points' length cannot be distinguished from rounding error."""
    return {torch.float64: 1e-12, torch.float32: 1e-7}.get(dtype, torch.finfo(dtype).eps)
