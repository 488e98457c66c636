"""How large a step may be: the largest inner rate at which an inner loop does not run away."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from taskembed_edu.adaptation.inner_loop import check_learner, inner_loop, shared_start
from taskembed_edu.adaptation.methods import MetaLearner
from taskembed_edu.base.checks import check_number, check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.networks.learners import Learner, Parameters, device_of
from taskembed_edu.tasks.base import TaskBatch
from taskembed_edu.tasks.batch import check_tasks

# Each halves the range of the rate's logarithm: from 1e-5 to 100 it ends within 1 %.
_HALVINGS = 11
LOWEST = 1e-5


@short_errors
def largest_stable_rate(
    method: MetaLearner | Learner,
    start: Parameters,
    tasks: TaskBatch,
    steps: int | None = None,
    *,
    adapted: Sequence[str] | None = None,
    low: float = LOWEST,
    high: float = 100.0,
) -> float:
    r"""The largest inner rate at which the support loss after `steps` steps is below its first, by bisection.

    For a quadratic loss gradient descent converges below the rate 2 / (largest curvature), and runs away above it. The
    loss is the mean over the tasks: one that runs away is enough. Where units die or saturate, a far larger rate may be
    stable again: `high` bounds the search.

    `start` (1, *shape) or (n_tasks, *shape). A method says how many steps there are, and which parameters move; of a
    learner one step moves those named by `adapted` (None: all). Returns `high` where even that is stable, and 0 where
    `low` is not. Errors: ValueError for a start that is not finite, no step, or low above high.
    Source: LeCun, Simard and Pearlmutter 1993, section 2.
    Worked number: the loss w^2 has the curvature 2: just below 1.
    """
    network, said = (method.network, method.inner_steps) if isinstance(method, MetaLearner) else (method, 1)
    adapted = method.adapted if isinstance(method, MetaLearner) and adapted is None else adapted
    check_learner(network, "method")
    steps = check_whole("steps", max(1, said) if steps is None else steps, 1, None)
    check_number("low", low, 1e-12, None)
    check_number("high", high, low, None)
    check_tasks(tasks)
    if not len(tasks):
        raise ValueError(problem("tasks", "no task", "at least one: the rate is stable for all of them"))
    if not is_finite(shared_start(network, start, len(tasks))):
        raise ValueError(problem("start", "weights that are not finite", "a start that has not diverged itself"))
    tasks = tasks.to(device_of(start))
    samples = (tasks.support_x, tasks.support_y)

    def loss_after(rate: float, steps: int) -> Tensor:
        fast = inner_loop(network, start, *samples, steps, rate, mask=tasks.support_mask, adapted=adapted)
        with torch.no_grad():
            return network.losses(fast, *samples, tasks.support_mask).mean()

    first = loss_after(0.0, 0)
    return _last_that_holds(lambda rate: bool(loss_after(rate, steps) <= first), low, high)  # NaN is not below


def _last_that_holds(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The largest number up to which `holds` is true, by bisection of its logarithm; 0 where it never is."""
    if holds(high):
        return high
    if not holds(low):
        return 0.0
    below, above = math.log(low), math.log(high)
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        below, above = (middle, above) if holds(math.exp(middle)) else (below, middle)
    return math.exp(below)


def is_finite(parameters: Parameters) -> bool:
    """Whether all weights are finite."""
    return all(bool(value.isfinite().all()) for value in parameters.values())


def advice(method: MetaLearner, start: Parameters, tasks: TaskBatch) -> str:
    """What to do about an inner loop that has diverged, with the largest stable rate found.

    Worked number: at the rate 5, where 0.4 is stable: "Lower the inner rate (5 now): the largest that is stable here is
    0.4."
    """
    if not is_finite(start):
        came = f"The last outer step made a start that is not finite, at the inner rate {method.inner_lr:g}"
        return f"{came}: lower the inner rate, or the outer one, and begin again."
    rate = largest_stable_rate(method, start, tasks, high=max(method.inner_lr, LOWEST))
    if rate >= method.inner_lr:
        return f"At the inner rate {method.inner_lr:g} the inner loop is stable here: lower the outer rate."
    if rate == 0:
        return f"No inner rate is stable here ({method.inner_lr:g} now): lower it, and begin again."
    return f"Lower the inner rate ({method.inner_lr:g} now): the largest that is stable here is {said(rate)}."


def said(rate: float) -> str:
    """A rate in two figures, never rounded up: what is said to be stable is.

    >>> said(0.0479), said(2.0)
    ('0.047', '2')
    """
    unit = 10.0 ** (math.floor(math.log10(rate)) - 1) if rate > 0 else 1.0
    return f"{math.floor(rate / unit + 1e-9) * unit:.2g}"
