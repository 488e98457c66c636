"""All steps of many GRUs at once, with little memory traffic and a hand-written gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.checks import problem
from taskembed_edu.networks.learners import one_hot

aten = torch.ops.aten


class GRUSteps(torch.autograd.Function):
    """All steps of GRU cells with a hand-written gradient: autograd would store and add up slices of every step.

    `table` (n_tasks, n_letters, 3 hidden) is what a letter adds to the gates. `bias` (n_tasks, 1, hidden) is the
    recurrent bias of the new state. The gradient of the weights does not need a loop over the steps: it is one product
    at the end. The result can be differentiated once. For second derivatives use `Learner.losses(learner, ...)`, which
    computes step by step.
    """

    @staticmethod
    def forward(
        ctx: Any, letters: Tensor, h: Tensor, table: Tensor, weight: Tensor, bias: Tensor, sizes: tuple[int, ...]
    ) -> Tensor:
        size = h.shape[-1]
        places = _places(letters, table.shape[1])
        sigmoids, new = (F.embedding(places, part.flatten(0, 1)) for part in table.split((2 * size, size), dim=-1))
        before, hidden, own = (torch.empty_like(new) for _ in range(3))
        steps = zip(*(whole.split(sizes, dim=1) for whole in (before, hidden, own, new, sigmoids)), strict=True)
        for h_before, h_after, own_new, fresh, both in steps:
            h_before.copy_(h[:, : h_before.shape[1]])
            to_both, to_own = torch.bmm(h_before, weight).split((2 * size, size), dim=-1)
            reset, update = both.add_(to_both).sigmoid_().split(size, dim=-1)
            torch.add(to_own, bias, out=own_new)
            _tanh_(fresh.addcmul_(reset, own_new))
            h = torch.lerp(fresh, h_before, update, out=h_after)
        ctx.save_for_backward(letters, weight, before, new, own, sigmoids)
        ctx.sizes, ctx.n_letters = sizes, table.shape[1]
        return hidden

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # torch's once_differentiable lets autograd.grad pass, with a wrong result
            cause = "For second derivatives take Learner.losses(learner, ...), which goes step by step."
            raise RuntimeError(problem("create_graph", True, "one derivative of the packed GRU steps", cause))
        letters, weight, before, new, own, sigmoids = ctx.saved_tensors
        size = weight.shape[1]
        # A copy: the loop adds to it, and a backward pass must not change its input.
        grad_hidden = grads[0].clone(memory_format=torch.contiguous_format)
        # The local derivative of each gate, for all steps at once; each step then multiplies it by its gradient.
        passing = _passing(before, new, own, sigmoids)
        gates = passing.flatten(2)
        parts = (grad_hidden, passing, gates[..., : 3 * size], sigmoids[..., size:])
        steps = list(zip(*(whole.split(ctx.sizes, dim=1) for whole in parts), strict=True))
        for at, (grad, slopes, to_state, update) in reversed(list(enumerate(steps))):
            slopes *= grad.unsqueeze(2)
            passed = torch.bmm(to_state, weight.mT).addcmul_(grad, update)
            if at:
                steps[at - 1][0][:, : passed.shape[1]] += passed
        by_letter = sum_by_letter(gates, letters, ctx.n_letters)
        of_reset, of_update, of_own, of_new = by_letter.split(size, dim=-1)
        grad_table = torch.cat((of_reset, of_update, of_new), dim=-1)
        return None, passed, grad_table, before.mT @ gates[..., : 3 * size], of_own.sum(1, True), None


def _passing(before: Tensor, new: Tensor, own: Tensor, sigmoids: Tensor) -> Tensor:
    """The slopes h' / (r, z, h U_n + c_n, x W_n + b_n) in every state: (n_tasks, total, 4, size)."""
    reset, update = sigmoids.split(new.shape[-1], dim=-1)
    slopes = new.new_empty(*new.shape[:2], 4, new.shape[-1])
    by_reset, by_update, by_own, by_new = slopes.unbind(2)
    torch.sub(1, update, out=by_new)
    aten.tanh_backward.grad_input(by_new, new, grad_input=by_new)
    torch.mul(by_new, reset, out=by_own)
    torch.mul(by_new, own, out=by_reset)
    aten.sigmoid_backward.grad_input(by_reset, reset, grad_input=by_reset)
    torch.sub(before, new, out=by_update)
    aten.sigmoid_backward.grad_input(by_update, update, grad_input=by_update)
    return slopes


def _tanh_(x: Tensor) -> Tensor:
    # tanh(x) = 2 sigmoid(2 x) - 1, in place: on a CPU it takes a third of the time of tanh.
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


def sum_by_letter(gates: Tensor, letters: Tensor, n_letters: int, *, by_product: bool | None = None) -> Tensor:
    """Each task's rows (n_tasks, total, size), added up by their letter: (n_tasks, n_letters, size).

    `by_product` (None: only on a GPU) uses a matrix product: on a GPU, adding by index has no fixed order, so two runs
    would round differently.
    """
    if letters.is_cuda if by_product is None else by_product:
        return one_hot(letters, n_letters, gates.dtype).mT @ gates
    sums = gates.new_zeros(len(letters) * n_letters, gates.shape[-1])
    return sums.index_add_(0, _places(letters, n_letters).flatten(), gates.flatten(0, 1)).unflatten(0, (-1, n_letters))


def _places(letters: Tensor, n_letters: int) -> Tensor:
    """Indices of the letters into the rows of all tasks' tables, stacked."""
    return letters + n_letters * torch.arange(len(letters), device=letters.device).unsqueeze(1)


__all__ = ["GRUSteps", "sum_by_letter"]
