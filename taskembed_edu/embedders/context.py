"""The context embedder: a task's vector is what an inner loop makes of a few context numbers (CAVIA).

One network is shared by all tasks. Beside its input stand a few numbers, the context, which begin at 0. The inner loop
fits them, and nothing else, to a task's support set; the outer loop changes the network so that the query set is then
answered well. So the vector is short, as the document wants it, and it *works*: put into the network, it makes the
model of its task. It is learnt as parameters are, and it is read in a few gradient steps.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.adaptation.context import VALUES
from taskembed_edu.adaptation.methods import CAVIA
from taskembed_edu.adaptation.outer_loop import OuterLoop
from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.base.copies import copy_generator
from taskembed_edu.base.devices import moved
from taskembed_edu.base.readings import LOSS_PANEL, Reading
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.embedders.base import (
    LOSS,
    Embedder,
    StepRecord,
    chosen_device,
    device_setting,
    metric_setting,
    shots_setting,
)
from taskembed_edu.embedders.batched import BEYOND
from taskembed_edu.networks.factory import LEARNERS, LEARNERS_OF, task_learner
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from taskembed_edu.tasks.sketch import TaskFit


@dataclass(frozen=True)
class ContextSettings(Settings):
    """Every hyperparameter of the context embedder, declared once."""

    metric: str = metric_setting()
    inner_lr: float = setting(
        1.0,
        label="Inner rate",
        help="How far one inner step moves a task's context. Too small: the task is not learnt. Too large: it is lost.",
        low=1e-3,
        high=10.0,
        log=True,
        projected=True,
    )
    inner_steps: int = setting(
        2,
        label="Inner steps",
        help="How many gradient steps a task's context is given, in training and on the map.",
        low=1,
        high=20,
        step=1,
        projected=True,
    )
    learning_rate: float = setting(
        1e-3,
        label="Outer rate",
        help="How far one outer step moves the network that all tasks share (Adam).",
        low=1e-5,
        high=1e-1,
        log=True,
        projected=True,
    )
    n_shot: int = shots_setting("to which a context is fitted, in training and on the map")
    n_context: int = setting(
        5,
        label="Context numbers",
        help="Numbers in a task's vector.",
        low=1,
        high=64,
        step=1,
        live=False,
        advanced=True,
    )
    batch: int = setting(
        25,
        label="Tasks in each step",
        help="How many tasks an outer step hears. If there are fewer tasks: all of them.",
        low=1,
        high=512,
        step=1,
        advanced=True,
    )
    learner: str = setting(
        "auto",
        label="Network",
        help="The network that all tasks share. Automatic takes the one that suits the tasks.",
        choices=LEARNERS,
        live=False,
        advanced=True,
    )
    hidden: int = setting(
        40, label="Width", help="Units in each hidden layer.", low=4, high=512, step=4, live=False, advanced=True
    )
    device: str = device_setting()


BEFORE = Reading(
    name="loss_before",
    label="Loss before",
    help="The query loss before the inner loop, with the context at 0. Its distance to the loss is what an inner loop "
    "is worth.",
    panel=LOSS_PANEL,
    colour="vermillion",
    dash="--",
    closing=True,
)

# Memory of a copy's optimiser, generator and dictionaries besides their tensors.
_OBJECTS = 40 * 1024


@compared_by_value
@dataclass(frozen=True)
class Watched:
    """The validation tasks at one step, by this method: contexts (n_tasks, n_context), and outputs at their probe."""

    step: int
    method: CAVIA
    tasks: TaskBatch
    vectors: Tensor
    outputs: Tensor


@compared_by_value
@dataclass
class ContextState:
    """A run of the context embedder at one step; `settings` are those of the last step, `watched` what it last saw."""

    loop: OuterLoop
    family: TaskFamily
    tasks: TaskBatch
    rng: torch.Generator
    device: torch.device
    settings: ContextSettings
    step: int = 0
    watched: Watched | None = None

    def copy(self) -> ContextState:
        """The same run at the same step, sharing no memory that changes with this one."""
        return dataclasses.replace(self, loop=self.loop.copy(), rng=copy_generator(self.rng))

    def n_bytes(self) -> int:
        """Memory of a copy: the network and two moments of Adam for each weight, and Python's objects around them."""
        return _OBJECTS + 3 * sum(value.numel() * value.element_size() for value in self.loop.start.values())


class ContextEmbedder(Embedder[ContextState, ContextSettings]):
    """Meta-learns a network with context parameters; a task's vector is its context after the inner loop.

    Source: Zintgraf, Shiarlis, Kurin, Hofmann and Whiteson 2019, *Fast Context Adaptation via Meta-Learning*.
    Worked number: 200 unseen sine waves after 5,000 steps: Spearman with the true distance about 0.96 (`make bench
    ARGS=adaptation`).
    Errors: FloatingPointError where the outer loss is no longer finite, with the rate to lower.
    """

    name = "context"
    about = "a shared network with a few context numbers, which an inner loop fits to a task (CAVIA)"
    settings_class = ContextSettings
    view_settings: ClassVar[frozenset[str]] = frozenset({"n_shot"})
    has_pairs = False
    readings: ClassVar[tuple[Reading, ...]] = (LOSS, BEFORE)

    def takes(self, family: TaskFamily) -> bool:
        """Kinds of samples that a network of the package, or one of your own, can read."""
        return family.kind in LEARNERS_OF

    def begin(
        self, family: TaskFamily, tasks: TaskBatch, settings: ContextSettings, rng: torch.Generator
    ) -> ContextState:
        device = chosen_device(settings.device)
        learner = task_learner(family, settings.learner, settings.hidden)
        # A recurrent network's second derivative takes far longer: its curvature is dropped.
        first_order = not learner.has_second_derivative
        method = CAVIA(learner, settings.inner_lr, settings.inner_steps, first_order, settings.n_context)
        return ContextState(OuterLoop(method, rng, device=device), family, tasks, rng, device, settings)

    def step(self, state: ContextState, settings: ContextSettings) -> tuple[ContextState, StepRecord]:
        """One outer step; the loss is the mean over tasks of their query sets' loss after the inner loop."""
        n_tasks, family = state.family.at_most(settings.batch), state.family
        tasks = family.sample(n_tasks, settings.n_shot or None, rng=state.rng, n_query=family.default_shot)
        loop = state.loop
        loop.method = method_of(state, settings)
        before = loop.method.losses_along(loop.start, tasks, (0,)).mean()
        loss = loop.step(tasks, settings.learning_rate)
        if not bool(loss < BEYOND * (1 + before)):  # NaN compares as not below
            raise FloatingPointError(_lost("loss", f"{float(loss):g} after step {state.step}", settings))
        state.step += 1
        state.settings = settings
        return state, StepRecord(loss, {BEFORE.name: before})

    def embed(self, state: ContextState, tasks: TaskBatch | None = None) -> Tensor:
        return self.view(state, state.settings, tasks)

    def view(self, state: ContextState, settings: ContextSettings, tasks: TaskBatch | None = None) -> Tensor:
        """The tasks' contexts after the inner loop; a task whose context is lost gets that of one which is not."""
        if tasks is None:
            vectors = self._watched(state, settings).vectors.clone()
        else:
            vectors = method_of(state, settings).adapt(state.loop.start, tasks)[VALUES].flatten(1).cpu()
        lost = is_lost(vectors)
        if bool(lost.all()):
            raise FloatingPointError(_lost("context", f"none that is finite after step {state.step}", settings))
        vectors[lost] = vectors[~lost][0]
        return vectors

    def diverged_tasks(self, state: ContextState) -> tuple[int, ...]:
        return tuple(is_lost(self._watched(state, state.settings).vectors).nonzero().flatten().tolist())

    def answers(self, state: ContextState) -> TaskFit | None:
        return state.family.fit(self._watched(state, state.settings).outputs)

    @torch.no_grad()
    def _watched(self, state: ContextState, settings: ContextSettings) -> Watched:
        """The validation tasks after the inner loop, computed once a step: on a GPU a read waits for the device."""
        method = method_of(state, settings)
        seen = state.watched
        if seen is None or seen.tasks is not state.tasks or (seen.step, seen.method) != (state.step, method):
            adapted = method.adapt(state.loop.start, state.tasks)
            outputs = method.network.apply(adapted, moved(state.family.probe(state.tasks), state.device))
            vectors = adapted[VALUES].flatten(1)
            both = torch.cat((vectors, outputs.nan_to_num(0.0, 0.0, 0.0).flatten(1)), dim=1).cpu()
            own, answers = both.split((vectors.shape[1], both.shape[1] - vectors.shape[1]), dim=1)
            seen = state.watched = Watched(state.step, method, state.tasks, own, answers.view(outputs.shape))
        return seen


def is_lost(vectors: Tensor) -> Tensor:
    """Whether a task's context has run away in its inner loop, (n_tasks,)."""
    return ~(vectors.abs().amax(dim=1) < BEYOND)


def _lost(what: str, came: str, settings: ContextSettings) -> str:
    cause = f"The inner loop has diverged. Lower the inner rate ({settings.inner_lr:g} now) and begin again."
    return problem(what, came, "a finite number", cause)


def method_of(state: ContextState, settings: ContextSettings) -> CAVIA:
    """The method with the settings that may change while it runs."""
    assert isinstance(state.loop.method, CAVIA)
    return dataclasses.replace(state.loop.method, inner_lr=settings.inner_lr, inner_steps=settings.inner_steps)
