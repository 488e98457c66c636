"""Methods of meta-learning: what the outer loop learns, and by which gradient.

All of them train one start. They differ in what an inner loop may change, and in how the start hears of its end:

| method | the inner loop moves | the start moves |
|---|---|---|
| MAML | all weights | against the slope of the query loss after the inner loop, through all of its steps |
| first-order MAML | all weights | against the slope at the inner loop's end |
| ANIL | the last layer | as MAML |
| CAVIA | a task's context, which begins at 0 | as MAML; the context itself has no start to learn |
| Reptile | all weights | towards the inner loop's end |
| prototypical networks (`prototypes.py`) | nothing: a class is a mean | against the slope of the query loss |
| joint training | all weights, afterwards | against the slope of the loss at the start: there is no inner loop yet |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.adaptation.context import VALUES, ContextLearner
from taskembed_edu.adaptation.inner_loop import check_learner, inner_loop
from taskembed_edu.base.checks import check_number, check_whole, problem
from taskembed_edu.networks.learners import Learner, Parameters, device_of
from taskembed_edu.tasks.base import TaskBatch
from taskembed_edu.tasks.batch import check_tasks


@dataclass(frozen=True)
class MetaLearner(ABC):
    """A method: its learner, and how the inner loop steps. Stateless: the start is an argument (see `OuterLoop`)."""

    learner: Learner
    inner_lr: float = 0.01
    inner_steps: int = 1

    name: ClassVar[str]

    def __post_init__(self) -> None:
        check_learner(self.learner)
        check_number("inner_lr", self.inner_lr, 0, None)
        check_whole("inner_steps", self.inner_steps, 0, None)

    @property
    def network(self) -> Learner:
        """The network whose parameters are trained: the learner, or one made of it."""
        return self.learner

    @property
    def adapted(self) -> list[str]:
        """The parameters that an inner loop moves."""
        return list(self.network.shapes())

    @property
    def learned(self) -> list[str]:
        """The parameters of the start that the outer loop learns."""
        return list(self.network.shapes())

    @abstractmethod
    def outer_loss(self, start: Parameters, tasks: TaskBatch) -> Tensor:
        """A number whose gradient in `start` (1, *shape) is the outer loop's."""

    def adapt(self, start: Parameters, tasks: TaskBatch, steps: int | None = None) -> Parameters:
        """The networks (n_tasks, *shape) after `steps` inner steps on the support sets; None: `inner_steps`."""
        steps = self.inner_steps if steps is None else steps
        check_tasks(tasks)
        still = {name: value.detach() for name, value in start.items()}
        tasks = tasks.to(device_of(start))
        fast = self._inner(still, tasks.support_x, tasks.support_y, tasks.support_mask, steps)
        return {name: value.detach() for name, value in fast.items()}

    def losses_along(self, start: Parameters, tasks: TaskBatch, steps: Sequence[int]) -> Tensor:
        """The query losses after these numbers of inner steps, (len(steps), n_tasks), without a gradient.

        The support sets alone are trained on. Errors: ValueError for no steps, or steps that are not in order.
        """
        if isinstance(steps, str) or not isinstance(steps, Sequence):
            raise ValueError(problem("steps", repr(steps), "numbers of steps in order", "One is a list of one: [5]."))
        counts = [int(check_whole("steps", count, 0, None)) for count in steps]
        if not counts or sorted(counts) != counts:
            cause = "They are made one after the other."
            raise ValueError(problem("steps", f"{counts}", "numbers of steps in order", cause))
        tasks, fast, rows = tasks.to(device_of(start)), start, []
        for made, count in pairwise([0, *counts]):
            fast = self.adapt(fast, tasks, count - made)
            with torch.no_grad():
                rows.append(self.network.losses(fast, tasks.query_x, tasks.query_y, tasks.query_mask))
        return torch.stack(rows)

    def _inner(
        self, start: Parameters, x: Tensor, y: Tensor, mask: Tensor | None, steps: int, second_order: bool = False
    ) -> Parameters:
        return inner_loop(
            self.network, start, x, y, steps, self.inner_lr, mask=mask, adapted=self.adapted, second_order=second_order
        )


@dataclass(frozen=True)
class MAML(MetaLearner):
    r"""Model-agnostic meta-learning: the start from which few steps suffice.

    .. math:: \min_\theta \; \frac{1}{n} \sum_i L_i^{query}\big(\theta - \alpha \nabla L_i^{support}(\theta)\big)

    With `first_order` the curvature is dropped. Source: Finn, Abbeel and Levine 2017, equation 1 and section 5.2.
    Errors: ValueError for a rate below 0, or fewer than 0 steps.
    Worked number: one weight, support loss w^2, query loss (w - 1)^2, alpha 0.1, w = 1: the outer slope is
    2 (0.8 - 1) (1 - 0.2) = -0.32, and -0.4 in first order.
    """

    first_order: bool = False

    name: ClassVar[str] = "maml"

    def outer_loss(self, start: Parameters, tasks: TaskBatch) -> Tensor:
        fast = self._inner(
            start, tasks.support_x, tasks.support_y, tasks.support_mask, self.inner_steps, not self.first_order
        )
        return self.network.losses(fast, tasks.query_x, tasks.query_y, tasks.query_mask).mean()


@dataclass(frozen=True)
class ANIL(MAML):
    """Almost no inner loop: as MAML, but the inner loop moves the last layer alone.

    Source: Raghu, Raghu, Bengio and Vinyals 2020. Errors: ValueError for a learner of one layer, where nothing is left
    to freeze. Worked number: of MLP(1, 1, (40, 40)) it moves 41 of 1,761 parameters.
    """

    name: ClassVar[str] = "anil"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.learner.layers) < 2:
            came = f"{self.learner.name} with the layer {self.learner.layers[0]} alone"
            raise ValueError(problem("learner", came, "at least two layers: ANIL freezes all but the last"))

    @property
    def adapted(self) -> list[str]:
        return self.learner.of_layers(self.learner.layers[-1:])


@dataclass(frozen=True)
class CAVIA(MAML):
    r"""Context adaptation: a task moves its own few context parameters, which begin at 0; all else is shared.

    .. math:: c_i = 0 - \alpha \nabla_c L_i^{support}(c, \theta) \big|_{c = 0}, \qquad
        \min_\theta \; \frac{1}{n} \sum_i L_i^{query}(c_i, \theta)

    The context after the inner loop is the task's vector: `context` gives (n_tasks, n_context). Source: Zintgraf and
    others 2019, algorithm 1. Errors: ValueError for fewer than 1 number, or a learner without a bias; as MAML's for the
    rest. Worked number: with `n_context` 5 a task's vector has 5 numbers, however large the network.
    """

    inner_lr: float = 1.0
    n_context: int = 5
    _network: ContextLearner = field(init=False, repr=False, compare=False)

    name: ClassVar[str] = "cavia"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_network", ContextLearner(self.learner, self.n_context))

    @property
    def network(self) -> ContextLearner:
        return self._network

    @property
    def adapted(self) -> list[str]:
        return [VALUES]

    @property
    def learned(self) -> list[str]:
        return [name for name in self.network.shapes() if name != VALUES]

    def context(self, start: Parameters, tasks: TaskBatch, steps: int | None = None) -> Tensor:
        """The tasks' vectors, (n_tasks, n_context): their contexts after the inner loop."""
        return self.adapt(start, tasks, steps)[VALUES].flatten(1)


@dataclass(frozen=True)
class Reptile(MetaLearner):
    r"""Reptile: train on each task, and move the start towards where the training ended.

    .. math:: \theta \leftarrow \theta + \beta \frac{1}{n} \sum_i (\theta_i - \theta)

    It has no query set: support and query are both trained on. The outer loss is half the mean squared distance to the
    ends, whose gradient is theta - mean(theta_i). Source: Nichol, Achiam and Schulman 2018, algorithm 2.
    Errors: ValueError for a rate below 0, or fewer than 0 steps. Worked number: start 0, ends 1 and 3: the gradient is
    -2.
    """

    inner_lr: float = 0.02
    inner_steps: int = 5

    name: ClassVar[str] = "reptile"

    def outer_loss(self, start: Parameters, tasks: TaskBatch) -> Tensor:
        x, y, mask = all_samples(tasks)
        still = {name: value.detach() for name, value in start.items()}
        ends = self._inner(still, x, y, mask, self.inner_steps)
        halves = ((start[name] - end.detach()).square().sum() / (2 * len(tasks)) for name, end in ends.items())
        return torch.stack(list(halves)).sum()


@dataclass(frozen=True)
class JointTraining(MetaLearner):
    r"""One network for all tasks at once, as one trains before fine-tuning: the inner loop comes afterwards.

    .. math:: \min_\theta \; \frac{1}{n} \sum_i L_i(\theta)

    Of sine waves it learns their mean wave: the start that MAML is compared with. Source: Finn, Abbeel and Levine 2017,
    section 5.1 ("pretrained"). Errors: ValueError for a rate below 0, or fewer than 0 steps.
    Worked number: one weight, losses (w - 1)^2 and (w - 3)^2, w = 1: the gradient is -2.
    """

    name: ClassVar[str] = "joint"

    def outer_loss(self, start: Parameters, tasks: TaskBatch) -> Tensor:
        x, y, mask = all_samples(tasks)
        return self.network.losses(self._inner(start, x, y, mask, 0), x, y, mask).mean()


def all_samples(tasks: TaskBatch) -> tuple[Tensor, Tensor, Tensor | None]:
    """Support and query of each task together: x, y, and a mask where one of them has one."""
    x = torch.cat((tasks.support_x, tasks.query_x), dim=1)
    y = torch.cat((tasks.support_y, tasks.query_y), dim=1)
    masks = (tasks.support_mask, tasks.query_mask)
    if masks == (None, None):
        return x, y, None
    sets = (tasks.support_x, tasks.query_x)
    full = [
        torch.ones(samples.shape[:2], dtype=torch.bool, device=samples.device) if mask is None else mask
        for mask, samples in zip(masks, sets, strict=True)
    ]
    return x, y, torch.cat(full, dim=1)
