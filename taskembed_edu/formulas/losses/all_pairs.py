r"""The contrastive loss of all Euclidean pairs of a batch: value and gradient in one pass over blocks of rows.

Autograd over an (n, n) matrix writes and reads a dozen such matrices. Here the distances, terms and slopes of one block
of rows are computed while the block is still in the processor's cache. Only the gradient (n, dim) itself is kept for
the backward pass:

.. math:: \frac{\partial L}{\partial x_i} = \sum_j \ell'(d_{ij})\, \frac{x_i - x_j}{d_{ij}}

If that gradient is differentiated again, the backward pass uses the plain formula instead. Similar and different pairs
may have different weights: that is all that a balanced mean needs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from taskembed_edu.formulas._pairwise import distances_and_inverses, euclidean_matrix

ROWS = 128
"""Rows of a block: a block of a batch of 1,024 then fits the cache of one core."""


def pair_terms(distances: torch.Tensor, similar: torch.Tensor, margin: float, squared: bool) -> torch.Tensor:
    """y d + (1 - y) max(0, m - d), or with squares and halves; elementwise."""
    short = (margin - distances).relu()
    chosen = torch.where(similar > 0, distances, short)  # no weighted sum: 0 times an infinite distance is no number
    return chosen.square() / 2 if squared else chosen


class PairLoss(NamedTuple):
    """What defines the terms of all pairs: the margin, the form, and the weights of similar and different pairs."""

    margin: float
    squared: bool
    similar_weight: float = 1.0
    different_weight: float = 1.0

    def weights(self, similar: torch.Tensor) -> torch.Tensor | None:
        """Each pair's weight; None if all weights are 1."""
        if self.similar_weight == self.different_weight == 1.0:
            return None
        return similar * (self.similar_weight - self.different_weight) + self.different_weight


def all_pairs_sum(embeddings: torch.Tensor, labels: torch.Tensor, loss: PairLoss) -> torch.Tensor:
    """The weighted sum of the terms of all pairs i < j of the batch (n, dim) with classes (n,)."""
    if not (embeddings.requires_grad and torch.is_grad_enabled()):
        return _value_and_gradient(embeddings, labels, loss, with_gradient=False)[0]
    total: torch.Tensor = _AllPairsSum.apply(embeddings, labels, loss)
    return total


class _AllPairsSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, labels: torch.Tensor, loss: PairLoss) -> torch.Tensor:
        total, gradient = _value_and_gradient(x, labels, loss, with_gradient=True)
        ctx.save_for_backward(x, labels, gradient)
        ctx.loss = loss
        return total

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        x, labels, gradient = ctx.saved_tensors
        if torch.is_grad_enabled():  # the caller set create_graph=True
            total = _plainly(x, labels, ctx.loss)
            (gradient,) = torch.autograd.grad(total, x, grad, create_graph=True)
            return gradient, None, None
        return grad * gradient, None, None


def _plainly(x: torch.Tensor, labels: torch.Tensor, loss: PairLoss) -> torch.Tensor:
    distances = euclidean_matrix(x, x)
    similar = (labels[:, None] == labels[None, :]).to(distances)
    terms, weights = pair_terms(distances, similar, loss.margin, loss.squared), loss.weights(similar)
    return (terms if weights is None else terms * weights).triu(1).sum()


def _value_and_gradient(
    x: torch.Tensor, labels: torch.Tensor, loss: PairLoss, with_gradient: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    exact = x if x.dtype == torch.float64 else x.float()
    wide = torch.cat([x.double().T, x.new_ones(1, len(x), dtype=torch.float64)])  # transposed: the products are faster
    total, sums = wide.new_zeros(()), torch.zeros_like(wide)
    for start in range(0, len(x), ROWS):
        rows, after = slice(start, start + ROWS), slice(start, None)  # pairs i < j are right of the block's diagonal
        distances, inverses = distances_and_inverses(exact[rows], exact[after])
        similar = (labels[rows, None] == labels[None, after]).to(exact.dtype)
        terms, slopes = _terms_and_slopes(distances, similar, loss)
        total += _above_diagonal(terms).sum()
        if with_gradient:  # the last row of `wide`, all ones: the products then sum the weights too
            weights = _above_diagonal(slopes.mul_(inverses)).double()
            sums[:, rows] += wide[:, after] @ weights.T
            sums[:, after] += wide[:, rows] @ weights
    gradient = sums[-1] * wide[:-1] - sums[:-1]
    return total.to(x.dtype), gradient.T.to(x.dtype, memory_format=torch.contiguous_format)


def _terms_and_slopes(
    distances: torch.Tensor, similar: torch.Tensor, loss: PairLoss
) -> tuple[torch.Tensor, torch.Tensor]:
    """The weighted `pair_terms` and their derivatives with respect to the distance."""
    terms, slopes = _plain_terms_and_slopes(distances, similar, loss.margin, loss.squared)
    weights = loss.weights(similar)
    return (terms, slopes) if weights is None else (terms.mul_(weights), slopes.mul_(weights))


def _plain_terms_and_slopes(
    distances: torch.Tensor, similar: torch.Tensor, margin: float, squared: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """As above, without weights. `lerp(a, b, y)` computes (1 - y) a + y b in one pass."""
    short = (margin - distances).relu_()
    terms = torch.lerp(short, distances, similar)
    if squared:
        return terms.square_() / 2, torch.lerp(-short, distances, similar)
    inside = short.sign_()
    return terms, torch.addcmul(similar, similar, inside).sub_(inside)


def _above_diagonal(block: torch.Tensor) -> torch.Tensor:
    """The block with i >= j set to zero, in place; its first columns are the square on the diagonal."""
    block[:, : len(block)].triu_(1)
    return block
