r"""Networks that are generated from a task's vector instead of trained, and measures of how good such networks are.

generator = fit_generator(learner, trained.parameters, vectors, rng=rng)
networks = generator.generate(new_vectors)

best_fit(learner, networks, tasks)          # do they work?
novelty(networks, trained.parameters)       # are they new?
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_finite, check_number, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders.batched import BatchedTraining, start_networks
from taskembed_edu.embedders.distributions import PrincipalSpace, principal_space, weights_of
from taskembed_edu.formulas._vectors import Vectors, as_tensor
from taskembed_edu.networks.learners import MLP, Learner, Parameters, device_of, flatten
from taskembed_edu.tasks.base import TaskBatch

# ---- from a task's vector to its network ----------------------------------------------------------------------------


@compared_by_value
@dataclass(frozen=True)
class ConditionalGenerator:
    r"""A small perceptron g from a task's vector to its network's principal coordinates.

    .. math:: w = \mu + U^\top (s \odot g((v - \bar v) / s_v))

    mu, U: centre and directions of `space`; s: the coordinates' standard deviations; v-bar and s_v: the vectors' means
    and standard deviations. `losses` (steps,) are those of its training: mean squared errors of coordinates of variance
    1, so that an answer of 0 for every task, the mean network, has 1.

    Source: Ha, Dai and Le 2017, HyperNetworks: a network that makes another's weights.
    """

    space: PrincipalSpace
    net: MLP
    parameters: Parameters
    centre: Tensor
    scale: Tensor
    losses: Tensor

    @torch.no_grad()
    def generate(self, vectors: Vectors) -> Parameters:
        """A network for each task vector: (n, d) -> (n, *shape).

        Errors: ValueError for vectors of another width than those of training, or that are not finite.
        """
        vectors = _task_vectors(vectors, width=self.net.n_in)
        inputs = ((vectors - self.centre) / self.scale).unsqueeze(0)
        answers = self.net.apply(self.parameters, inputs).squeeze(0)
        return self.space.networks(answers.double() * self.space.variances.sqrt())


@short_errors
def fit_generator(
    learner: Learner,
    parameters: Parameters,
    vectors: Vectors,
    *,
    components: int = 8,
    hidden: int = 64,
    steps: int = 1000,
    learning_rate: float = 3e-4,
    rng: torch.Generator,
) -> ConditionalGenerator:
    """Train a generator on tasks' vectors (n_tasks, d) and their networks (n_tasks, *shape), by Adam on all at once.

    The vectors may be any: the truth's coordinates, an embedding. A column that is the same for all is left as it is.
    More steps, or longer ones, fit the training tasks better and unseen ones worse: there are few of them.
    Errors: those of `fit_gaussian`; ValueError for vectors that are not one a network, or not finite.
    """
    for name, value, low in (("hidden", hidden, 1), ("steps", steps, 1), ("learning_rate", learning_rate, 0)):
        check_number(name, value, low, None)
    space = principal_space(learner, parameters, components)
    vectors = _task_vectors(vectors, count=len(next(iter(parameters.values()))))
    centre, scale = vectors.mean(dim=0), vectors.std(dim=0, correction=0)
    scale = torch.where(scale > 0, scale, 1.0)
    inputs = ((vectors - centre) / scale).unsqueeze(0)
    targets = (space.coordinates(parameters) / space.variances.sqrt()).float().unsqueeze(0)
    net = MLP(vectors.shape[1], components, (hidden, hidden), activation="tanh")
    training = BatchedTraining(net, start_networks(net, 1, rng), "adam")
    losses = torch.cat([training.step(inputs, targets, learning_rate=learning_rate) for _ in range(steps)])
    return ConditionalGenerator(space, net, training.parameters, centre, scale, losses)


def _task_vectors(vectors: Vectors, *, count: int | None = None, width: int | None = None) -> Tensor:
    vectors = as_tensor("vectors", vectors)
    expected = (count or "n", width or "d")
    fits = (
        vectors.ndim == 2
        and (count or len(vectors)) == len(vectors)
        and (width or vectors.shape[1]) == vectors.shape[1]
    )
    if not fits:
        cause = "One row is one task's vector, as in training."
        raise ValueError(problem("vectors", vectors, f"shape ({expected[0]}, {expected[1]})", cause))
    return check_finite("vectors", vectors.detach().float().cpu(), "Has a task of this embedding diverged?")


# ---- do they work, are they new, do they help? ----------------------------------------------------------------------


@torch.no_grad()
def pair_losses(learner: Learner, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """The loss of every network on every task's samples: (n, *shape) and (n_tasks, ...) -> (n, n_tasks).

    One task at a time, by all networks: the memory taken does not grow with the number of tasks.
    """
    n = len(next(iter(parameters.values())))

    def of_task(task: int) -> Tensor:
        own = None if mask is None else mask[task].expand(n, *mask.shape[1:])
        return learner.losses(parameters, x[task].expand(n, *x.shape[1:]), y[task].expand(n, *y.shape[1:]), own)

    return torch.stack([of_task(task) for task in range(len(x))], dim=1)


@torch.no_grad()
def best_fit(
    learner: Learner, parameters: Parameters, tasks: TaskBatch, *, relative: bool = True
) -> tuple[Tensor, Tensor]:
    r"""How well each network does on the task of `tasks` that suits it best: losses (n,), and which task (n,).

    .. math:: \frac{\text{the network's loss on the task}}{\text{the loss of the best constant answer}} \ge 0

    0: perfect; 1: no better than the mean of y (in classification: than the classes' shares). In regression it is
    1 - R^2. The loss as it is (`relative=False`) favours networks that answer next to nothing: they suit a flat task.
    The task is chosen by its support set, the loss is that of its query set: the samples that chose do not judge.

    Shapes: parameters (n, *shape). The tasks may be on another device than the networks.
    Errors: ValueError for diverged networks, and those of other shapes.
    Worked number: y = -2 and 2, answers -1 and 1: a loss of 1, where the constant 0 has 4: 0.25.
    """
    weights_of(learner, parameters)
    tasks = tasks.to(device_of(parameters))
    losses = pair_losses(learner, parameters, tasks.support_x, tasks.support_y, tasks.support_mask)
    if relative:
        losses = losses / _constant_losses(tasks.support_y, tasks.support_mask)
    which = losses.argmin(dim=1)
    chosen = tasks[which]
    left = learner.losses(parameters, chosen.query_x, chosen.query_y, chosen.query_mask)
    return left / _constant_losses(chosen.query_y, chosen.query_mask) if relative else left, which


def _constant_losses(y: Tensor, mask: Tensor | None) -> Tensor:
    """Each task's loss under the best constant answer, (n_tasks,): the variance of numbers, the entropy of labels."""
    there = torch.ones(y.shape[:2], dtype=torch.bool, device=y.device) if mask is None else mask
    there = there.view(*there.shape, *[1] * (y.ndim - 2)).expand(y.shape)
    if y.is_floating_point():
        count = there.sum(dim=1, keepdim=True).clamp(min=1)
        spread = torch.where(there, y - torch.where(there, y, 0.0).sum(dim=1, keepdim=True) / count, 0.0)
        losses = (spread.square() / count).sum(dim=1).flatten(1).mean(dim=1)
    else:
        there, labels = (there & (y >= 0)).flatten(1), y.flatten(1).clamp(min=0)
        counts = torch.zeros(len(y), int(labels.max()) + 1, device=y.device).scatter_add_(1, labels, there.float())
        losses = torch.special.entr(counts / there.sum(dim=1, keepdim=True).clamp(min=1)).sum(dim=1)
    return losses.clamp(min=torch.finfo(losses.dtype).tiny)


def novelty(parameters: Parameters, train_parameters: Parameters) -> Tensor:
    r"""How far each network is from the nearest training network; 1 is how far apart those are themselves.

    .. math:: \frac{\min_i \lVert w - w_i \rVert}{\frac1n \sum_j \min_{i \ne j} \lVert w_j - w_i \rVert} \ge 0

    Shapes: (n, *shape) and (n_train, *shape) -> (n,). 0 for a copy.
    Errors: ValueError for fewer than two training networks, or where all of them have a copy.
    Worked number: training networks at 0, 2 and 6: the mean of 2, 2 and 4 is 2.6667, so one at 4 is 0.75 away.
    """
    known = flatten(train_parameters).double().to(device_of(parameters))
    if len(known) < 2:
        raise ValueError(problem("train_parameters", f"{len(known)} networks", "at least 2, to tell what far is"))
    vectors = flatten({name: parameters[name] for name in train_parameters}).double()
    between = _distances(known, known).fill_diagonal_(math.inf).amin(dim=1).mean()
    if not bool(between > 0):
        raise ValueError(
            problem("train_parameters", "copies only", "networks that differ", "Nothing tells what far is.")
        )
    return _distances(vectors, known).amin(dim=1) / between


def _distances(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
