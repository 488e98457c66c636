r"""The Fisher embedder, Task2Vec's (Achille 2019): which weights of one shared network matter to a task?

A probe network is a body that all tasks share and a head, its last layer, of each task's own. The body is trained so
that heads that are refitted on support sets answer the query sets (the gradient goes through the refit, as in R2-D2,
Bertinetto 2019). A task's vector is the diagonal of the Fisher information of the body's weights, once its own head has
been refitted on its support set:

    F = E_x E_{y ~ p(y|x)} [ (d log p(y|x) / d w)^2 ]

with labels y from the network's own prediction and not from the data (Achille 2019, section 2; Martens 2014 tells the
two apart). The square is of each sample's gradient: squaring the mean gradient of a batch would give nearly nothing,
for the expected gradient is zero. Worked number: p(y = 1|x) = sigmoid(w x) with w = 0, x = 2: F = x^2 p (1 - p) = 1.

The vector says which weights matter, not how they are used: a curve and its mirror image -y have the same vector, and
so have two tasks that differ only in the names of their classes.

The published distance between two such vectors is `taskembed_edu.formulas.task2vec.task2vec_distance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.base.copies import copy_generator, copy_moments
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.embedders.base import (
    Embedder,
    StepRecord,
    chosen_device,
    device_setting,
    metric_setting,
    shots_setting,
)
from taskembed_edu.embedders.probing import (
    AVERAGES,
    LABELS,
    averaged,
    check_head,
    check_labels,
    diagonal_fisher,
    head_losses,
    own_fisher,
    refitted_heads,
    rows_of,
    tasks_at_once,
)
from taskembed_edu.networks.factory import LEARNERS, LEARNERS_OF, task_learner
from taskembed_edu.networks.learners import Learner, Parameters, layer_of
from taskembed_edu.tasks.base import TaskBatch, TaskFamily


@dataclass(frozen=True)
class FisherSettings(Settings):
    """Every hyperparameter of the Fisher embedder, declared once."""

    metric: str = metric_setting("cosine", "Cosine ignores a Fisher vector's length, which is how difficult a task is.")
    learning_rate: float = setting(
        3e-3, label="Learning rate", help="How far one step moves the body (Adam).", low=1e-5, high=1e-1, log=True
    )
    batch: int = setting(
        16,
        label="Tasks in each step",
        help="How many tasks train their heads in one step. If there are fewer tasks: all of them.",
        low=1,
        high=512,
        step=1,
        advanced=True,
    )
    average: str = setting(
        "filter",
        label="Averaged by",
        help="What one number of the vector is for: a unit or filter (the mean over the weights that lead into it), or "
        "a single weight.",
        choices=AVERAGES,
        live=False,
    )
    labels: str = setting(
        "drawn",
        label="Labels",
        help="Drawn from the network's prediction, as in the paper, or all of them, weighted by their probabilities.",
        choices=LABELS,
        live=False,
    )
    draws: int = setting(
        4,
        label="Draws a sample",
        help="How many labels are drawn for each sample. With more labels the vector depends less on chance.",
        low=1,
        high=64,
        step=1,
        live=False,
        advanced=True,
        applies=lambda settings: settings.labels == "drawn",
    )
    learner: str = setting(
        "auto",
        label="Probe network",
        help="The network whose weights are measured. Automatic takes the one that suits the tasks.",
        choices=LEARNERS,
        live=False,
        advanced=True,
    )
    n_shot: int = shots_setting("on which a head is refitted, in training and on the map")
    hidden: int = setting(
        32, label="Width", help="Units in each hidden layer.", low=4, high=512, step=4, live=False, advanced=True
    )
    device: str = device_setting()


# Memory of a copy's optimiser, generator and dictionaries besides their tensors.
_OBJECTS = 40 * 1024


@compared_by_value
@dataclass
class FisherState:
    """A run of the Fisher embedder at one step; `settings` are those it began with, `seed` decides `embed`'s draws."""

    learner: Learner
    body: Parameters
    optimiser: torch.optim.Adam
    family: TaskFamily
    tasks: TaskBatch
    rng: torch.Generator
    device: torch.device
    settings: FisherSettings
    seed: int
    step: int = 0

    def copy(self) -> FisherState:
        """The same run at the same step, sharing no memory with this one (family, tasks and learner never change)."""
        body = {name: value.detach().clone().requires_grad_() for name, value in self.body.items()}
        optimiser = _optimiser(body)
        copy_moments(self.optimiser, optimiser, zip(self.body.values(), body.values(), strict=True))
        same = (self.family, self.tasks, copy_generator(self.rng), self.device, self.settings, self.seed, self.step)
        return FisherState(self.learner, body, optimiser, *same)

    def n_bytes(self) -> int:
        """Memory of a copy: the body and two moments of Adam for each weight, and Python's objects around them."""
        return _OBJECTS + 3 * sum(p.numel() * p.element_size() for p in self.body.values())


class FisherEmbedder(Embedder[FisherState, FisherSettings]):
    """Trains a probe network's body on many tasks, and embeds a task as the Fisher information of the body's weights.

    `embed` changes nothing and draws from a generator of its own: the same state and tasks give the same vectors. The
    draws are the same for every task, so that a task's vector does not depend on the tasks beside it.
    Errors: ValueError for labels "expected" on words, whose letters have too many outcomes to sum over.
    """

    name = "fisher"
    about = "how much each part of one shared network matters to a task (Task2Vec)"
    settings_class = FisherSettings
    view_settings: ClassVar[frozenset[str]] = frozenset({"n_shot"})

    def takes(self, family: TaskFamily) -> bool:
        """Kinds of samples that a network of the package, or one of your own, can read."""
        return family.kind in LEARNERS_OF

    def begin(
        self, family: TaskFamily, tasks: TaskBatch, settings: FisherSettings, rng: torch.Generator
    ) -> FisherState:
        device = chosen_device(settings.device)
        learner = task_learner(family, settings.learner, settings.hidden)
        check_head(learner)
        check_labels(learner, settings.labels)
        initial = learner.init(rng)
        body = {name: initial[name].to(device).requires_grad_() for name in initial if layer_of(name) != "output"}
        seed = int(torch.randint(2**31 - 1, (), generator=rng))
        return FisherState(learner, body, _optimiser(body), family, tasks, rng, device, settings, seed)

    def step(self, state: FisherState, settings: FisherSettings) -> tuple[FisherState, StepRecord]:
        """One step of the body; the loss is the mean over tasks of their query sets' loss, with heads refitted."""
        n_tasks = state.family.at_most(settings.batch)
        family = state.family  # the query sets stay as they are: they judge the heads, and few samples judge badly
        tasks = family.sample(n_tasks, settings.n_shot or None, rng=state.rng, n_query=family.default_shot)
        for group in state.optimiser.param_groups:
            group["lr"] = settings.learning_rate
        state.optimiser.zero_grad(set_to_none=True)
        support = rows_of(state.learner, state.body, tasks.support_x, tasks.support_y, tasks.support_mask)
        query = rows_of(state.learner, state.body, tasks.query_x, tasks.query_y, tasks.query_mask)
        loss = head_losses(state.learner, refitted_heads(state.learner, support), query).mean()
        if not bool(torch.isfinite(loss)):
            cause = f"Training has diverged. Lower the learning rate ({settings.learning_rate:g} now) and begin again."
            raise FloatingPointError(
                problem("loss", f"{float(loss.detach())} after step {state.step}", "a finite number", cause)
            )
        loss.backward()
        state.optimiser.step()
        state.step += 1
        return state, StepRecord(loss.detach())

    @torch.no_grad()
    def embed(self, state: FisherState, tasks: TaskBatch | None = None) -> Tensor:
        tasks = state.tasks if tasks is None else tasks
        body = {name: value.detach() for name, value in state.body.items()}
        chosen, learner = state.settings, state.learner
        a_task = tasks.support_x.shape[1] * sum(value.numel() for value in body.values())
        sets = [tasks.support_x, tasks.support_y, *([] if tasks.support_mask is None else [tasks.support_mask])]
        vectors = []
        for block in zip(*(part.split(tasks_at_once(a_task)) for part in sets), strict=True):
            heads = refitted_heads(learner, rows_of(learner, body, *block))
            fisher = diagonal_fisher(
                learner, body, heads, *block, labels=chosen.labels, draws=chosen.draws, seed=state.seed
            )
            vectors.append(averaged(fisher, chosen.average).cpu())
        return torch.cat(vectors)


def _optimiser(body: Parameters) -> torch.optim.Adam:
    return torch.optim.Adam(body.values(), fused=True)


__all__ = ["FisherEmbedder", "FisherSettings", "FisherState", "own_fisher"]
