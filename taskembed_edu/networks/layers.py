"""The arithmetic of learners: layers and errors of one task, or of a stack of tasks with a leading dimension."""

from __future__ import annotations

import torch
from torch import Tensor

from taskembed_edu.base.checks import problem


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x W + b for one task, x (n, i) and W (i, o), or for a stack of them in one batched product.

    Errors: ValueError for samples of another dtype than the weights.
    """
    if x.dtype != weight.dtype:
        wanted = str(weight.dtype).removeprefix("torch.")
        raise ValueError(problem("x", x, f"the dtype of the weights, {wanted}", f"x.to(torch.{wanted}) makes it so."))
    return torch.baddbmm(bias, x, weight) if x.ndim == 3 and weight.ndim == 3 else x @ weight + bias


def mean_over(values: Tensor, mask: Tensor | None) -> Tensor:
    """The mean over the last dimension of the values where the mask is True; 0 if there are none."""
    if mask is None:
        return values.mean(-1)
    return torch.where(mask, values, 0.0).sum(-1) / mask.sum(-1).clamp(min=1)


def squared_error(answers: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean squared error over samples and outputs: (..., n, d), (..., n, d) -> (...).

    Errors: ValueError for y of another shape, which would be compared with the wrong answers.
    Worked number: answers 1 and 2 where y is 0 and 0: 2.5.
    """
    if y.shape != answers.shape:
        raise ValueError(problem("y", y, f"shape {tuple(answers.shape)}: a number for each of the network's outputs"))
    return mean_over((answers - y).square().mean(-1), mask)


def cross_entropy(logits: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean of -log softmax(logits)[y] over samples: (..., n, n_way), (..., n) -> (...).

    Errors: ValueError for y that are no labels, or not one for each sample.
    Worked number: two equal logits: log 2 = 0.6931.
    """
    if y.is_floating_point() or y.shape != logits.shape[:-1]:
        raise ValueError(problem("y", y, f"whole numbers of shape {tuple(logits.shape[:-1])}: a label for each sample"))
    chosen = logits.log_softmax(-1).gather(-1, y.unsqueeze(-1)).squeeze(-1)
    return mean_over(-chosen, mask)


def one_hot(ids: Tensor, n: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """One-hot vectors of the ids: (...) -> (..., n). Worked number: 1 of 3 is (0, 1, 0)."""
    # By comparison, because torch.nn.functional.one_hot reads the values, which is impossible under vmap.
    return (ids.unsqueeze(-1) == torch.arange(n, device=ids.device)).to(dtype)


ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}
