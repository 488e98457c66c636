"""Ways to solve a new task from its support set: from a start by gradient steps, or by prototypes.

A solver sees support sets alone. What it gives is a function from inputs to outputs, for each number of steps.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from taskembed_edu.adaptation.feature_functions import Features
from taskembed_edu.adaptation.outer_loop import OuterLoop
from taskembed_edu.adaptation.prototypes import PrototypicalNetwork, class_means
from taskembed_edu.adaptation.stability import LOWEST, is_finite, largest_stable_rate, said
from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.embedders.batched import BatchedTraining, start_networks
from taskembed_edu.embedders.generators import ConditionalGenerator
from taskembed_edu.formulas.distances import METRICS, pairwise_distances
from taskembed_edu.networks.learners import Answers, ConvNet, Learner, Parameters, check_stack, device_of, layer_of
from taskembed_edu.tasks.base import TaskBatch

# The outputs of all tasks' solutions for inputs x (n_tasks, n, *x_shape); y is read only by networks that spell, which
# are given the letters before each one.
Solution = Callable[[Tensor, Tensor], Tensor]
# The vectors of tasks, (n_tasks, dim): an embedder's.
Embedding = Callable[[TaskBatch], Tensor]
# The weights from which each task begins, (n_tasks, *shape).
Start = Callable[[TaskBatch], Parameters]


class Solver(ABC):
    """One way to solve a new task. `known` are tasks of which it has seen everything: none may be a new one."""

    known: TaskBatch | None = None

    @property
    @abstractmethod
    def answers(self) -> Answers:
        """What its outputs are: numbers, logits of classes, or logits of letters."""

    @abstractmethod
    def solve(self, support: TaskBatch, steps: Sequence[int]) -> list[Solution]:
        """A solution for each number of steps, in their order. The tasks have no query set and no truth."""

    def advice(self, support: TaskBatch, steps: int) -> str:
        """What to do where the losses after so many steps have diverged; "" where nothing is known."""
        return ""


@compared_by_value
@dataclass(frozen=True)
class FromStart(Solver):
    """Gradient steps on the support set, each task from its start. `adapted` names the layers that move ((): all).

    Errors: ValueError for an unknown layer, or a start of other networks. Worked number: after 0 steps it is the start.
    """

    learner: Learner
    start: Start
    learning_rate: float = 0.01
    optimiser: str = "sgd"
    adapted: tuple[str, ...] = ()
    known: TaskBatch | None = None

    @property
    def answers(self) -> Answers:
        return self.learner.answers

    def solve(self, support: TaskBatch, steps: Sequence[int]) -> list[Solution]:
        if not self.learner.reads(tuple(support.support_x.shape[2:])):
            expected = f"tasks whose samples this {self.learner.name} can read"
            raise ValueError(problem("tasks", support.support_x, expected, "task_learner(family) makes one that can."))
        start = check_stack(self.learner, self.start(support), "start", len(support))
        moving = set(self.adapted or self.learner.layers)
        for layer in self.adapted:
            check_choice("adapted", layer, self.learner.layers)
        frozen = [layer for layer in self.learner.layers if layer not in moving]
        training = BatchedTraining(self.learner, start, self.optimiser, frozen=frozen)
        support = support.to(device_of(start))
        made, found = 0, []
        for count in steps:
            for _ in range(count - made):
                training.step(
                    support.support_x, support.support_y, support.support_mask, learning_rate=self.learning_rate
                )
            made = count
            found.append(self._solution({name: value.detach().clone() for name, value in training.parameters.items()}))
        return found

    def advice(self, support: TaskBatch, steps: int) -> str:
        start = self.start(support)
        if self.optimiser != "sgd" or not is_finite(start):
            return ""
        moved = self.learner.of_layers(self.adapted or self.learner.layers)
        high = max(self.learning_rate, LOWEST)
        rate = largest_stable_rate(self.learner, start, support, steps, adapted=moved, high=high)
        return f"The largest rate that is stable for {steps} steps is {said(rate)}; it is {self.learning_rate:g}."

    def _solution(self, parameters: Parameters) -> Solution:
        device = device_of(parameters)
        return lambda x, y: self.learner.teacher_forced(parameters, x.to(device), y.to(device))


@dataclass(frozen=True)
class Prototypes(Solver):
    r"""A class is the mean feature of its support samples; a query sample belongs to the nearest (Snell 2017, eq. 2).

    .. math:: p(y = k \mid x) \propto \exp(-d(f(x), c_k)), \qquad c_k = \text{mean of } f \text{ over class } k

    d is squared Euclidean as in the paper, or any other metric. There are no steps: each gives the same.
    `features` maps samples (n, *x_shape) to (n, dim). Worked number: classes at 0 and 2, a query at 0.5: logits -0.25
    and -2.25.
    """

    features: Features
    metric: str = "squared_euclidean"

    answers: ClassVar[Answers] = "classes"

    def __post_init__(self) -> None:
        check_choice("metric", self.metric, METRICS)

    def solve(self, support: TaskBatch, steps: Sequence[int]) -> list[Solution]:
        if support.support_y.is_floating_point():
            cause = "A prototype is the mean of a class, and these tasks have none."
            raise ValueError(problem("support_y", support.support_y, "labels of classes", cause))
        n_way = int(support.support_y.max()) + 1
        seen = self._features_of(support.support_x)
        there = support.to(seen.device)
        prototypes = class_means(seen, there.support_y, n_way, there.support_mask)
        matrix = METRICS[self.metric].matrix

        def solution(x: Tensor, y: Tensor) -> Tensor:
            return -torch.stack([matrix(*both) for both in zip(self._features_of(x), prototypes, strict=True)])

        return [solution for _ in steps]

    @torch.no_grad()
    def _features_of(self, x: Tensor) -> Tensor:
        return self.features(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def features_of(network: ConvNet, start: Parameters) -> Features:
    """What a trained network's last layer reads, as `features` of `Prototypes`: (n, *x_shape) to (n, dim).

    So a network that learned to name some classes can tell others apart (Chen and others 2019). `start` (1, *shape).
    Worked number: of ConvNet((1, 8, 8), 5, (16, 32)) they are 32 maps of 2 x 2: 128 numbers.
    """
    start = check_stack(network, start, "start", 1)
    n_below, device = start["output.weight"].shape[1], device_of(start)
    # The same network, with a last layer that passes on what it reads.
    passes = dataclasses.replace(network, n_out=n_below)
    last = {"output.weight": torch.eye(n_below)[None], "output.bias": torch.zeros(1, 1, n_below)}
    own = {name: value.to(device) for name, value in last.items()}
    body = {name: value.detach() for name, value in start.items()} | own
    return lambda x: passes.apply(body, x.to(device).unsqueeze(0)).squeeze(0)


# ---- starts ----------------------------------------------------------------------------------------------------------


def given_start(networks: Parameters) -> Start:
    """These networks, (n_tasks, *shape), one for each task in order; or one, (1, *shape), for all of them."""
    return lambda tasks: {name: value.expand(len(tasks), *value.shape[1:]) for name, value in networks.items()}


def random_start(learner: Learner, seed: int = 0) -> Start:
    """Weights drawn anew for each task: what a task is worth without any other."""
    return lambda tasks: start_networks(learner, len(tasks), torch.Generator().manual_seed(seed), shared=False)


def learned(loop: OuterLoop) -> Solver:
    """What an outer loop has learned, as a solver: its start, its inner rate, and what its inner loop moves; or its
    features, where a prototypical network learned them."""
    if not isinstance(loop, OuterLoop):
        raise TypeError(problem("loop", loop, "an outer loop, OuterLoop(method), that was trained"))
    network = loop.method.network
    start = {name: value.detach() for name, value in loop.start.items()}
    if isinstance(loop.method, PrototypicalNetwork):
        return Prototypes(partial(loop.method.features, start), loop.method.metric)
    adapted = tuple(dict.fromkeys(map(layer_of, loop.method.adapted)))
    return FromStart(network, given_start(start), loop.method.inner_lr, adapted=adapted)


def nearest_network(
    learner: Learner, embed: Embedding, known: TaskBatch, networks: Parameters, metric: str = "euclidean", **chosen: Any
) -> FromStart:
    """For each new task the network of the known task that is nearest by an embedding.

    `embed` gives vectors of tasks by their support sets; `networks` (n_known, *shape) are those of the known tasks.
    More arguments are `FromStart`'s. Errors: ValueError for as many networks as no known task.
    """
    networks = check_stack(learner, networks, "networks", len(known))
    vectors = embed(known)

    def start(tasks: TaskBatch) -> Parameters:
        nearest = pairwise_distances(embed(tasks), vectors, metric).argmin(dim=1)
        return {name: value[nearest.to(value.device)] for name, value in networks.items()}

    return FromStart(learner, start, known=known, **chosen)


def generated(learner: Learner, embed: Embedding, generator: ConditionalGenerator, **chosen: Any) -> FromStart:
    """For each new task the network that a generator makes of its vector: a start that the embedding conditions."""
    return FromStart(learner, lambda tasks: generator.generate(embed(tasks)), **chosen)
