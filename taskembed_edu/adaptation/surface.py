r"""The loss over the start, for a learner of two numbers: what an inner loop makes of every start, as a surface.

Without an inner loop the best start is the model that is least wrong for all tasks at once. With one it is the start
from which each task is soon reached, and that is another point: the surface shows which. MAML descends it, first-order
MAML and Reptile nearly do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.adaptation.inner_loop import check_learner, inner_loop
from taskembed_edu.adaptation.methods import MetaLearner, all_samples
from taskembed_edu.adaptation.outer_loop import OuterLoop
from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_number, check_whole, problem
from taskembed_edu.networks.learners import Learner, Parameters, flatten, layer_of, unflatten
from taskembed_edu.tasks.base import TaskBatch

Ends = tuple[float, float]

# Where the starts of a wave of two numbers are looked at: phase, then amplitude. A phase of 2 pi more is the same wave.
RANGES: tuple[Ends, Ends] = ((-math.pi, 2 * math.pi), (-6.0, 6.0))

# Networks in one batched call: with ten samples each, about 3 MB a tensor.
_MOST_NETWORKS = 2**16
# How a task's optimum is fitted, where no truth names it: from the best of a grid, by gradient steps.
_FITTING_GRID, _FITTING_STEPS, _FITTING_RATE = 13, 200, 0.05


@compared_by_value
@dataclass(frozen=True)
class LossSurface:
    """The mean query loss after some numbers of inner steps, for every start of a grid.

    `names` are the two parameters, along x and along y; `x` (n,) and `y` (n,) their values; `losses` (len(steps), n, n)
    has a row for each y and a column for each x. A start from which a task diverges has a loss that is not finite.
    """

    names: tuple[str, str]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    steps: tuple[int, ...]
    losses: NDArray[np.float32]

    def after(self, steps: int) -> NDArray[np.float32]:
        """The surface (n, n) after so many inner steps. Errors: ValueError for a number that was not computed."""
        if steps not in self.steps:
            raise ValueError(problem("steps", steps, f"one of {', '.join(map(str, self.steps))}"))
        return self.losses[self.steps.index(steps)]

    def best(self, steps: int) -> tuple[float, float, float]:
        """The best start of the grid after so many inner steps: x, y and its loss."""
        surface = self.after(steps)
        row, column = np.unravel_index(np.argmin(np.where(np.isfinite(surface), surface, np.inf)), surface.shape)
        return float(self.x[column]), float(self.y[row]), float(surface[row, column])

    def at(self, x: float, y: float, steps: int) -> float:
        """The loss of a start between the points of the grid, by bilinear interpolation; outside, that of the edge."""
        surface = self.after(steps)
        for name, value in zip(self.names, (x, y), strict=True):
            check_number(name, value, None, None)
        (column, across), (row, up) = _cell(self.x, x), _cell(self.y, y)
        below, above = (row_ @ (1 - across, across) for row_ in surface[row : row + 2, column : column + 2])
        return float((1 - up) * below + up * above)


def _cell(values: NDArray[np.float32], value: float) -> tuple[int, float]:
    """The cell of the grid that a value lies in, and how far through it is."""
    place = float(np.clip((value - values[0]) / (values[-1] - values[0]), 0, 1)) * (len(values) - 1)
    cell = min(int(place), len(values) - 2)
    return cell, place - cell


def loss_surface(
    method: MetaLearner,
    tasks: TaskBatch,
    steps: Sequence[int] = (0, 1),
    ranges: tuple[Ends, Ends] = RANGES,
    n: int = 41,
) -> LossSurface:
    r"""The mean query loss after an inner loop, for every start on a grid of n times n.

    .. math:: L_k(\theta) = \frac{1}{m} \sum_i L_i^{query}\big(\theta_i^{(k)}\big), \qquad \theta_i^{(0)} = \theta

    All starts and tasks are one batched call, in parts of some thousand networks. `method` gives the learner, the inner
    rate and which parameters move (ANIL: the last layer alone); `ranges` are those of the learner's two parameters, in
    the order of `learner.shapes()`. Source: Finn, Abbeel and Levine 2017, equation 1, as a picture.
    Errors: ValueError for a learner that has not two parameters, for ranges without length, or steps out of order.
    Worked number: 41 times 41 starts and 32 waves are 53,792 networks of two numbers.
    """
    names = _two_names(method.learner)
    check_whole("n", n, 2, None, "A surface needs two values along each side.")
    for name, ends in zip(names, ranges, strict=True):
        if not ends[1] > ends[0]:
            raise ValueError(problem(f"range of {name}", ends, "a low end below the high one"))
    x, y = (torch.linspace(low, high, n) for low, high in ranges)
    starts = torch.cartesian_prod(y, x).flip(1)
    parts = starts.split(max(1, _MOST_NETWORKS // len(tasks)))
    losses = torch.cat([_after(method, part, tasks, steps) for part in parts], dim=1)
    return LossSurface(names, x.numpy(), y.numpy(), tuple(steps), losses.view(len(steps), n, n).numpy())


def _after(method: MetaLearner, starts: Tensor, tasks: TaskBatch, steps: Sequence[int]) -> Tensor:
    """The mean query losses (len(steps), n_starts) of these starts (n_starts, 2), each on all tasks."""
    every = torch.arange(len(tasks)).repeat(len(starts))
    networks = unflatten(method.learner, starts.repeat_interleave(len(tasks), dim=0))
    losses = method.losses_along(networks, tasks[every], steps)
    return losses.view(len(steps), len(starts), len(tasks)).mean(dim=2)


def has_surface(learner: Learner) -> bool:
    """Whether a plane shows all networks of this learner: it has two parameters."""
    return learner.n_parameters == 2 and len(learner.shapes()) == 2


def _two_names(learner: Learner) -> tuple[str, str]:
    check_learner(learner)
    if not has_surface(learner):
        came = f"{learner.name} with {learner.n_parameters:,} parameters"
        raise ValueError(problem("learner", came, "a learner of two numbers: a plane shows no more", "Wave() is one."))
    first, second = map(layer_of, learner.shapes())
    return first, second


def optima(learner: Learner, tasks: TaskBatch, ranges: tuple[Ends, Ends] = RANGES) -> Tensor:
    """Each task's best network, (n_tasks, 2): from its truth, where that names both parameters, else fitted.

    It is fitted to support and query together, by gradient steps from the best start of a coarse grid. Errors:
    ValueError for a learner that has not two parameters. Worked number: 2 sin(x - 1) has its optimum at (1, 2).
    """
    names = _two_names(learner)
    if set(names) <= set(tasks.truth_names):
        return tasks.truth[:, [tasks.truth_names.index(name) for name in names]]
    x, y, mask = all_samples(tasks)
    starts = torch.cartesian_prod(*(torch.linspace(*ends, _FITTING_GRID) for ends in ranges))
    with torch.no_grad():
        rows = [learner.losses(unflatten(learner, at.expand(len(tasks), -1)), x, y, mask) for at in starts]
    nearest = unflatten(learner, starts[torch.stack(rows).argmin(dim=0)])
    fitted = inner_loop(learner, nearest, x, y, _FITTING_STEPS, _FITTING_RATE, mask=mask)
    return flatten({name: value.detach() for name, value in fitted.items()})


def ways(
    methods: Mapping[str, MetaLearner],
    start: Sequence[float],
    batches: Callable[[], Iterable[TaskBatch]],
    outer_lr: float = 1e-2,
) -> dict[str, Tensor]:
    """How each method moves one start: its places (n_steps + 1, 2), the start itself first.

    `batches()` gives the tasks of the outer steps, and is called once for each method: it has to give the same tasks
    each time (draw them with a generator of the same seed), so that nothing but the method differs. Errors: ValueError
    for a learner that has not two parameters. Worked number: three methods of one start begin at one point.
    """
    check_number("outer_lr", outer_lr, 0, None)
    return {name: _way(method, start, batches(), outer_lr) for name, method in methods.items()}


def _way(method: MetaLearner, start: Sequence[float], batches: Iterable[TaskBatch], outer_lr: float) -> Tensor:
    _two_names(method.learner)
    loop = OuterLoop(method, start=_network(method.learner, start))
    places = [flatten(loop.start).detach().clone()]
    for tasks in batches:
        loop.step(tasks, outer_lr)
        places.append(flatten(loop.start).detach().clone())
    return torch.cat(places)


def _network(learner: Learner, start: Sequence[float]) -> Parameters:
    return unflatten(learner, torch.as_tensor(start, dtype=torch.float32)[None])
