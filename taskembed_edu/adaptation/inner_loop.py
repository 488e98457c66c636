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

from taskembed_edu.base.checks import check_choice, check_number, check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.networks.learners import Learner, Parameters, check_stack
from taskembed_edu.tasks.batch import check_mask


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
    fewer than 0 steps, a rate below 0, names of no parameters, or samples that the learner cannot read.
    Worked number: w = 1, loss w^2, inner_lr 0.1, one step: w = 0.8.
    """
    check_whole("steps", steps, 0, None)
    check_number("inner_lr", inner_lr, 0, None)
    _check_samples(learner, x, y)
    check_mask(mask, x)
    fast = shared_start(learner, start, len(x))
    names = list(fast) if adapted is None else _checked_names(adapted, fast)
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


def _check_samples(learner: Learner, x: Tensor, y: Tensor) -> None:
    """Whether these are as many tasks' inputs and answers, and the learner reads such inputs."""
    check_learner(learner)
    for name, given in (("x", x), ("y", y)):
        if not isinstance(given, Tensor):
            raise TypeError(problem(name, f"a {type(given).__name__}", "a tensor (n_tasks, n, ...)"))
    if x.dim() < 2 or not learner.reads(tuple(x.shape[2:])):
        cause = f"This {learner.name} cannot read such samples; of one task, x[None] makes a stack."
        raise ValueError(problem("x", x, "a tensor (n_tasks, n, *x_shape)", cause))
    if y.shape[:2] != x.shape[:2]:
        raise ValueError(problem("y", y, f"{x.shape[0]} tasks with {x.shape[1]} answers each, as x has"))


def _checked_names(adapted: Sequence[str], known: Parameters) -> list[str]:
    """The names of the parameters that move, each once. Errors: TypeError, ValueError."""
    if isinstance(adapted, str) or not isinstance(adapted, Sequence):
        cause = "One is a list of one." if isinstance(adapted, str) else ""
        raise TypeError(problem("adapted", repr(adapted), "names of parameters in a list", cause))
    if not adapted:
        raise ValueError(problem("adapted", "no name", "at least one parameter to move, or None for all"))
    return list(dict.fromkeys(check_choice("adapted", name, known) for name in adapted))


def check_learner(learner: Learner, name: str = "learner") -> Learner:
    """`learner` if it is one. Errors: TypeError."""
    if not isinstance(learner, Learner):
        cause = "task_learner(family) makes the one that suits a family."
        raise TypeError(problem(name, repr(learner), "a learner such as MLP(1, 1, (40, 40))", cause))
    return learner


def shared_start(learner: Learner, start: Parameters, n_tasks: int) -> Parameters:
    """The start of each task, (n_tasks, *shape): one start is seen by all, and a gradient of it is the sum of theirs.

    Errors: ValueError for other networks, or for neither one nor n_tasks of them.
    """
    if isinstance(start, dict) and all(isinstance(one, Tensor) and one.shape[:1] == (1,) for one in start.values()):
        start = check_stack(learner, start, "start", 1)
        return {name: value.expand(n_tasks, *value.shape[1:]) for name, value in start.items()}
    return dict(check_stack(learner, start, "start", n_tasks))


def twice_differentiable(learner: Learner) -> Callable[..., Tensor]:
    """The learner's losses as a function that has a second derivative.

    Where the quick one has none (`Learner.has_second_derivative`), it is the one of a single task under vmap.
    """
    return learner.losses if learner.has_second_derivative else lambda *given: Learner.losses(learner, *given)
