r"""The inner loop: from one start, a few gradient steps on each task's support set, all tasks in one batched call.

    fast = start
    for _ in range(steps):
        losses = learner.losses(fast, support_x, support_y)                  # one for each task
        slopes = torch.autograd.grad(losses.sum(), fast, create_graph=second_order)
        fast = fast - inner_lr * slopes

No task shares a parameter of `fast` with another, so the gradient of the sum is each task's own gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_choice, check_number, check_whole
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.networks.learners import Learner, Parameters, check_stack


@short_errors
def inner_loop(
    learner: Learner,
    start: Parameters,
    x: Tensor,
    y: Tensor,
    steps: int,
    inner_lr: float,
    *,
    mask: Tensor | None = None,
    adapted: Sequence[str] | None = None,
    second_order: bool = False,
) -> Parameters:
    r"""The networks after `steps` gradient steps on their own samples; none is changed in place.

    .. math:: \theta_i^{(k+1)} = \theta_i^{(k)} - \alpha \nabla_{\theta_i^{(k)}} L_i(\theta_i^{(k)})

    Shapes: `start` is a stack of n_tasks networks, or of one, from which all tasks begin: (1 or n_tasks, *shape);
    x (n_tasks, n, *x_shape), y (n_tasks, n, ...). `inner_lr` is alpha; `adapted` names the parameters that move (None:
    all). Where `start` requires gradients, the result depends on it: with `second_order` exactly, and otherwise with
    the curvature dropped, as if each step's slope were a constant (first-order MAML).

    Source: Finn, Abbeel and Levine 2017, algorithm 1, lines 5 to 7. Errors: ValueError for a start of other networks,
    fewer than 0 steps, a rate below 0, or an unknown parameter in `adapted`. Worked number: w = 1, loss w^2, inner_lr
    0.1, one step: w = 0.8.
    """
    check_whole("steps", steps, 0, None)
    check_number("inner_lr", inner_lr, 0, None)
    fast = shared_start(learner, start, len(x))
    names = list(fast) if adapted is None else [check_choice("adapted", name, fast) for name in adapted]
    is_asked_later = any(value.requires_grad for value in fast.values())
    losses_of = twice_differentiable(learner) if second_order else learner.losses
    with torch.enable_grad():
        for _ in range(steps):
            # Detached first: the caller's own tensors do not begin to require gradients.
            moving = [w if (w := fast[name]).requires_grad else w.detach().requires_grad_() for name in names]
            losses = losses_of({**fast, **dict(zip(names, moving, strict=True))}, x, y, mask)
            slopes = torch.autograd.grad(losses.sum(), moving, create_graph=second_order)
            moved = (w - inner_lr * slope for w, slope in zip(moving, slopes, strict=True))
            fast = {**fast, **dict(zip(names, moved, strict=True))}
            if not is_asked_later:
                fast = {name: value.detach() for name, value in fast.items()}
    return fast


def shared_start(learner: Learner, start: Parameters, n_tasks: int) -> Parameters:
    """The start of each task, (n_tasks, *shape): one start is seen by all, and a gradient of it is the sum of theirs.

    Errors: ValueError for other networks, or for neither one nor n_tasks of them.
    """
    if all(isinstance(value, Tensor) and len(value) == 1 for value in start.values()):
        start = check_stack(learner, start, "start", 1)
        return {name: value.expand(n_tasks, *value.shape[1:]) for name, value in start.items()}
    return dict(check_stack(learner, start, "start", n_tasks))


def twice_differentiable(learner: Learner) -> Callable[..., Tensor]:
    """The learner's losses as a function that has a second derivative.

    Where the quick one has none (`Learner.has_second_derivative`), it is the one of a single task under vmap.
    """
    return learner.losses if learner.has_second_derivative else lambda *given: Learner.losses(learner, *given)
