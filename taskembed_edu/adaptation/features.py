"""Two ways to learn features by a module of PyTorch: by episodes (prototypes), and by naming all classes of training.

episodes = EpisodeTraining(conv_blocks(rng))
episodes.fit(lambda: family.sample(1, n_shot=1, n_query=3, rng=rng), n_steps=1000)
Prototypes(episodes.features)               # a solver of new tasks, see evaluation/solvers.py
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from taskembed_edu.adaptation.feature_functions import frozen_features
from taskembed_edu.adaptation.prototypes import one_shot_losses, prototype_losses
from taskembed_edu.base.checks import check_choice, check_number, check_whole, problem
from taskembed_edu.base.progress import counted
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.networks.encoders import init_weights
from taskembed_edu.tasks.base import TaskBatch
from taskembed_edu.tasks.batch import check_tasks

# What a step learns from.
Batch = TypeVar("Batch")


def falling_rate(lr: float, step: int, n_steps: int) -> float:
    r"""The learning rate of this step: it falls from `lr` to nearly nothing, as half a period of a cosine.

    .. math:: \tfrac12\, lr\, (1 + \cos(\pi\, step / n_{steps}))

    Source: Loshchilov and Hutter 2017, equation 5 (without restarts). Worked number: halfway it is lr / 2.
    """
    return lr * (1 + math.cos(math.pi * step / n_steps)) / 2


class FeatureTraining(ABC, Generic[Batch]):
    """A network that makes features, and an optimiser (Adam) that moves it, on the network's device.

    `features` is for judging: it learns nothing, and normalises by the statistics of training. Errors: TypeError for
    what is no module, ValueError for a module without weights.
    """

    def __init__(self, network: nn.Module, *more: nn.Module) -> None:
        if not isinstance(network, nn.Module):
            cause = "conv_blocks(rng) makes one for pictures."
            raise TypeError(problem("network", f"a {type(network).__name__}", "a module of PyTorch", cause))
        if not any(weight.requires_grad for weight in network.parameters()):
            cause = "Weights learn that have requires_grad."
            raise ValueError(problem("network", "no weights that learn", "a module that can learn", cause))
        self.network = network
        self.steps = 0
        self._device = next(network.parameters()).device
        # Before the optimiser is made: it holds the weights that it is given.
        self._modules = (network, *(module.to(self._device) for module in more))
        self._optimiser = torch.optim.Adam([weight for module in self._modules for weight in module.parameters()])

    @abstractmethod
    def _step_on(self, batch: Batch, lr: float) -> Tensor:
        """One step on what `fit` was given."""

    def fit(self, draw: Callable[[], Batch], n_steps: int, lr: float = 1e-3) -> Tensor:
        """So many steps on what `draw()` gives, with a falling rate (`falling_rate`) and a line of progress.

        Returns the losses (n_steps,), each before its step. Errors: as `step`.
        """
        if not callable(draw):
            cause = "lambda: family.sample(1, n_shot=1, rng=rng) is one."
            raise TypeError(problem("draw", f"a {type(draw).__name__}", "a function without arguments", cause))
        check_whole("n_steps", n_steps, 1, None)
        check_number("lr", lr, 0, None)
        losses = [self._step_on(draw(), falling_rate(lr, k, n_steps)) for k in counted(n_steps, "step")]
        return torch.stack(losses).cpu()

    def features(self, x: Tensor) -> Tensor:
        """The features (n, dim) of samples (n, *x_shape), by the statistics of training (`frozen_features`)."""
        return frozen_features(self.network)(x)

    def _move(self, loss: Tensor, lr: float) -> Tensor:
        """One step down this loss; the loss. Errors: ValueError for one that is not finite: it would spoil them."""
        if not bool(torch.isfinite(loss)):
            cause = "Samples that are not finite, or a learning rate that is too high, are the usual causes."
            raise ValueError(problem("loss", f"{loss.item()}", "a finite number", cause))
        for module in self._modules:
            module.zero_grad(set_to_none=True)
        loss.backward()
        for group in self._optimiser.param_groups:
            group["lr"] = lr
        self._optimiser.step()
        self.steps += 1
        return loss.detach()

    def _learning(self, lr: float) -> None:
        """From here on blocks normalise by their batch."""
        check_number("lr", lr, 0, None)
        for module in self._modules:
            module.train()


class EpisodeTraining(FeatureTraining[TaskBatch]):
    """Prototypical networks: each step makes a query nearest to its class's prototype (`prototype_losses`).

    Source: Snell, Swersky and Zemel 2017, algorithm 1. Errors: ValueError for an unknown metric. Worked number: the
    loss of n classes at random is about log(n).
    """

    def __init__(self, network: nn.Module, metric: str = "squared_euclidean") -> None:
        super().__init__(network)
        self.metric = check_choice("metric", metric, METRICS)

    @short_errors
    def step(self, tasks: TaskBatch, lr: float = 1e-3) -> Tensor:
        """One step on these episodes; their mean loss before it.

        Errors: TypeError for what is no batch of tasks, ValueError for tasks without classes.
        """
        check_tasks(tasks)
        self._learning(lr)
        return self._move(self._losses(tasks.to(self._device)).mean(), lr)

    def _losses(self, tasks: TaskBatch) -> Tensor:
        return prototype_losses(self.network, tasks, self.metric)

    def _step_on(self, batch: TaskBatch, lr: float) -> Tensor:
        return self.step(batch, lr)


class OneShotTraining(EpisodeTraining):
    """Prototypical networks for one shot, where each sample of an episode is the prototype once (`one_shot_losses`).

    Errors: as `EpisodeTraining`. Worked number: the loss of n classes at random is about log(n).
    """

    def _losses(self, tasks: TaskBatch) -> Tensor:
        return one_shot_losses(self.network, tasks, self.metric)


class ClassTraining(FeatureTraining[tuple[Tensor, Tensor]]):
    """Plain supervised learning: a linear layer over the features names all classes of training, and is thrown away.

    Source: Chen, Liu, Kira, Wang and Huang 2019, section 3.2 (the baseline). Worked number: the loss of n classes at
    random is about log(n).
    """

    def __init__(self, network: nn.Module, n_features: int, n_classes: int, rng: torch.Generator) -> None:
        check_whole("n_features", n_features, 1, None)
        check_whole("n_classes", n_classes, 2, None, "A single class needs no naming.")
        self.last = init_weights(lambda: nn.Linear(n_features, n_classes), rng)
        super().__init__(network, self.last)

    @short_errors
    def step(self, x: Tensor, y: Tensor, lr: float = 1e-3) -> Tensor:
        """One step on samples (n, *x_shape) of the classes y (n,); their mean loss before it.

        Errors: ValueError for labels that name no class, or as many as no sample.
        """
        self._check_labels(x, y)
        self._learning(lr)
        logits = self.last(self._checked(self.network(x.to(self._device))))
        return self._move(nn.functional.cross_entropy(logits, y.to(self._device)), lr)

    def _step_on(self, batch: tuple[Tensor, Tensor], lr: float) -> Tensor:
        if not isinstance(batch, tuple) or len(batch) != 2:
            raise TypeError(problem("draw", f"a {type(batch).__name__}", "a function that returns a pair: x, y"))
        return self.step(*batch, lr=lr)

    def _checked(self, found: Tensor) -> Tensor:
        if found.ndim != 2 or found.shape[1] != self.last.in_features:
            expected = f"{self.last.in_features} numbers of each sample, as n_features says"
            raise ValueError(problem("network", found, expected, "network.width of conv_blocks is their number."))
        return found

    def _check_labels(self, x: Tensor, y: Tensor) -> None:
        for argument, value in (("x", x), ("y", y)):
            if not isinstance(value, Tensor):
                raise TypeError(problem(argument, f"a {type(value).__name__}", "a tensor, one row a sample"))
        n_classes = self.last.out_features
        expected = f"one of the labels 0 to {n_classes - 1} for each of {len(x)} samples"
        if y.dtype != torch.long or y.shape != x.shape[:1] or not len(y):
            raise ValueError(problem("y", y, expected))
        if int(y.min()) < 0 or int(y.max()) >= n_classes:
            raise ValueError(problem("y", f"labels from {int(y.min())} to {int(y.max())}", expected))
