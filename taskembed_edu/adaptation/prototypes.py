"""Prototypical networks: a feature is learned so that the mean of a class's few samples stands for the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.adaptation.feature_functions import Features, features_of
from taskembed_edu.adaptation.inner_loop import shared_start
from taskembed_edu.adaptation.methods import MetaLearner
from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.networks.layers import cross_entropy, one_hot
from taskembed_edu.networks.learners import Parameters, check_stack, device_of
from taskembed_edu.tasks.base import TaskBatch
from taskembed_edu.tasks.batch import check_tasks


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


def prototype_losses(features: Features, tasks: TaskBatch, metric: str = "squared_euclidean") -> Tensor:
    r"""Each episode's mean query loss, (n_tasks,): the cross-entropy over the distances to the prototypes.

    .. math:: -\log \frac{\exp(-d(f(x), c_y))}{\sum_k \exp(-d(f(x), c_k))}

    `features` maps samples (n, *x_shape) to (n, dim); support and query samples of all tasks go through it in one call.
    Source: Snell 2017, equation 2 and algorithm 1. Errors: ValueError for tasks without classes. Worked number:
    prototypes at 0 and 2, a query of the first class at 0.5: log(1 + exp(-2)) = 0.127 by the squared distance.
    """
    check_tasks(tasks)
    check_choice("metric", metric, METRICS)
    if tasks.support_y.is_floating_point():
        cause = "A prototype is the mean of a class, and these tasks have none."
        raise ValueError(problem("support_y", tasks.support_y, "labels of classes", cause))
    found = _features_of(features, tasks)
    seen, asked = found.split((tasks.support_x.shape[1], tasks.query_x.shape[1]), dim=1)
    means = class_means(seen, tasks.support_y, tasks.n_way, tasks.support_mask)
    apart = METRICS[metric].between(asked.unsqueeze(2), means.unsqueeze(1))
    return cross_entropy(-apart, tasks.query_y, tasks.query_mask)


def _features_of(features: Features, tasks: TaskBatch) -> Tensor:
    """The features (n_tasks, n, dim) of support and query samples, made in one call."""
    both = torch.cat((tasks.support_x, tasks.query_x), dim=1)
    return features_of(features, both.flatten(0, 1)).unflatten(0, both.shape[:2])


def one_shot_losses(features: Features, tasks: TaskBatch, metric: str = "squared_euclidean") -> Tensor:
    r"""Each episode's mean loss, (n_tasks,), where one sample of each class after another is the support set.

    With m samples of each class, one-shot episodes can be made of them in m (m - 1) ways: any sample of each class is
    the prototype, any other one of each class is asked. All of them cost no more features than one:

    .. math:: \frac{1}{m (m - 1)} \sum_{i \ne j} \frac{1}{n} \sum_k
        -\log \frac{\exp(-d(f(x_k^j), f(x_k^i)))}{\sum_l \exp(-d(f(x_k^j), f(x_l^i)))}

    x_k^i is the i-th sample of class k: support and query samples are taken together, in their order. Errors:
    ValueError for tasks without classes, with padding, or whose classes have not as many samples each. Worked number:
    one support and three query samples of each class are twelve one-shot episodes instead of three.
    """
    check_tasks(tasks)
    check_choice("metric", metric, METRICS)
    labels = torch.cat((tasks.support_y, tasks.query_y), dim=1)
    counts = None if labels.is_floating_point() else one_hot(labels, tasks.n_way, torch.get_default_dtype()).sum(1)
    masked = tasks.support_mask is not None or tasks.query_mask is not None
    if counts is None or masked or counts.min() != counts.max() or counts.max() < 2:
        expected = "classes with as many samples each, at least two"
        raise ValueError(problem("tasks", tasks.support_y, expected, "family.sample(4, n_shot=1, rng=rng) draws some."))
    found = _features_of(features, tasks)
    order = labels.argsort(dim=1, stable=True)
    by_class = found.gather(1, order.unsqueeze(-1).expand_as(found)).unflatten(1, (tasks.n_way, -1))
    rows = by_class.transpose(1, 2).flatten(1, 2)  # (n_tasks, m * n_way, dim): first samples, then second ones
    matrix = METRICS[metric].matrix
    m = by_class.shape[2]
    apart = torch.stack([matrix(row, row) for row in rows]).view(len(tasks), m, tasks.n_way, m, tasks.n_way)
    others = ~torch.eye(m, dtype=torch.bool, device=apart.device)
    logits = -apart.transpose(2, 3)[:, others]  # (n_tasks, m * (m - 1), n_way asked, n_way prototypes)
    own = torch.arange(tasks.n_way, device=apart.device)
    return -logits.log_softmax(-1)[..., own, own].flatten(1).mean(1)


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
        return prototype_losses(partial(self.features, start), tasks, self.metric)

    def adapt(self, start: Parameters, tasks: TaskBatch, steps: int | None = None) -> Parameters:
        """The start for each task: a prototypical network moves no weight."""
        return {name: value.detach() for name, value in shared_start(self.network, start, len(tasks)).items()}

    @torch.no_grad()
    def losses_along(self, start: Parameters, tasks: TaskBatch, steps: Sequence[int]) -> Tensor:
        """The query losses, the same for each number of steps: (len(steps), n_tasks)."""
        return self._losses(start, tasks.to(device_of(start))).expand(len(steps), -1)
