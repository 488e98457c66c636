"""Prototypical networks: a feature is learned so that the mean of a class's few samples stands for the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.adaptation.inner_loop import shared_start
from taskembed_edu.adaptation.methods import MetaLearner
from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.networks.layers import cross_entropy, one_hot
from taskembed_edu.networks.learners import Parameters, check_stack, device_of
from taskembed_edu.tasks.base import TaskBatch


def class_means(features: Tensor, labels: Tensor, n_way: int, mask: Tensor | None = None) -> Tensor:
    r"""The prototype of each class of each task: the mean feature of its samples (0 for a class that has none).

    .. math:: c_k = \frac{1}{|S_k|} \sum_{i \in S_k} f(x_i)

    Shapes: features (n_tasks, n, dim), labels and mask (n_tasks, n) -> (n_tasks, n_way, dim). Source: Snell, Swersky
    and Zemel 2017, equation 1. Worked number: features 0, 2, 5 of the classes 0, 0, 1: the means are 1 and 5.
    """
    belongs = one_hot(labels, n_way, features.dtype)
    if mask is not None:
        belongs = belongs * mask.unsqueeze(-1)
    belongs = belongs.transpose(1, 2)
    return belongs @ features / belongs.sum(2, keepdim=True).clamp(min=1)


@dataclass(frozen=True)
class PrototypicalNetwork(MetaLearner):
    r"""Learns features by episodes: a query sample should be nearest to the mean of its class's support samples.

    .. math:: p(y = k \mid x) \propto \exp(-d(f_\theta(x), c_k))

    d is squared Euclidean as in the paper, whose section 2.3 says why: then this is a linear classifier on the
    features. There is no inner loop: a task is learned by taking means. The learner's outputs are the features, so
    `n_out` is their number, and no class of training has an output of its own.

    Source: Snell, Swersky and Zemel 2017, equation 2 and algorithm 1. Errors: ValueError for an unknown metric, and
    for inner steps. Worked number: prototypes at 0 and 2, a query of the first class at 0.5: the loss is
    log(1 + exp(-2)) = 0.127.
    """

    inner_lr: float = 0.0
    inner_steps: int = 0
    metric: str = "squared_euclidean"

    name: ClassVar[str] = "prototypes"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("metric", self.metric, METRICS)
        if self.inner_steps or self.inner_lr:
            came = f"{self.inner_steps} at the rate {self.inner_lr:g}"
            raise ValueError(problem("inner_steps", came, "none", "It takes the mean of each class: there is no loop."))

    def features(self, start: Parameters, x: Tensor) -> Tensor:
        """The features (n, dim) of samples (n, *x_shape) under the start (1, *shape), on its device."""
        start = check_stack(self.network, start, "start", 1)
        return self.network.apply(start, x.to(device_of(start)).unsqueeze(0)).squeeze(0)

    def outer_loss(self, start: Parameters, tasks: TaskBatch) -> Tensor:
        return self._losses(start, tasks).mean()

    def _losses(self, start: Parameters, tasks: TaskBatch) -> Tensor:
        """The query losses, (n_tasks,)."""
        if tasks.support_y.is_floating_point():
            cause = "A prototype is the mean of a class, and these tasks have none."
            raise ValueError(problem("support_y", tasks.support_y, "labels of classes", cause))
        sets = (tasks.support_x, tasks.query_x)
        seen, asked = (self.features(start, x.flatten(0, 1)).unflatten(0, x.shape[:2]) for x in sets)
        means = class_means(seen, tasks.support_y, tasks.n_way, tasks.support_mask)
        apart = METRICS[self.metric].between(asked.unsqueeze(2), means.unsqueeze(1))
        return cross_entropy(-apart, tasks.query_y, tasks.query_mask)

    def adapt(self, start: Parameters, tasks: TaskBatch, steps: int | None = None) -> Parameters:
        """The start for each task: a prototypical network moves no weight."""
        return {name: value.detach() for name, value in shared_start(self.network, start, len(tasks)).items()}

    @torch.no_grad()
    def losses_along(self, start: Parameters, tasks: TaskBatch, steps: Sequence[int]) -> Tensor:
        """The query losses, the same for each number of steps: (len(steps), n_tasks)."""
        return self._losses(start, tasks.to(device_of(start))).expand(len(steps), -1)
