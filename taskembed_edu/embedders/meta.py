"""What the embedders that learn a start share: an outer loop that trains, an inner loop that gives a task's vector."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor

from taskembed_edu.adaptation.methods import MetaLearner
from taskembed_edu.adaptation.outer_loop import OuterLoop
from taskembed_edu.adaptation.stability import advice
from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.base.copies import copy_generator
from taskembed_edu.base.devices import moved
from taskembed_edu.base.readings import LOSS_PANEL, Reading
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.embedders.base import LOSS, Embedder, StepRecord, chosen_device
from taskembed_edu.embedders.batched import BEYOND
from taskembed_edu.networks.factory import LEARNERS, LEARNERS_OF, readers
from taskembed_edu.networks.learners import Parameters
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from taskembed_edu.tasks.sketch import TaskFit

BEFORE = Reading(
    name="loss_before",
    label="Loss before",
    help="The query loss at the start, before the inner loop. Its distance to the loss after it is what an inner loop "
    "is worth.",
    panel=LOSS_PANEL,
    colour="vermillion",
    dash="--",
    closing=True,
)

# Memory of a copy's optimiser, generator and dictionaries besides their tensors.
_OBJECTS = 40 * 1024


# ---- settings --------------------------------------------------------------------------------------------------------


def inner_lr_setting(default: float, help: str, **declaration: Any) -> Any:
    """The setting `inner_lr`: how far one inner step goes."""
    limits = {"log": True, "projected": True, **declaration}
    return setting(default, label="Inner rate", help=help, **limits)


def inner_steps_setting(default: int, of: str) -> Any:
    """The setting `inner_steps`; `of` says what is given the steps."""
    told = f"How many gradient steps {of} is given, in training and on the map."
    return setting(default, label="Inner steps", help=told, low=1, high=20, step=1, projected=True)


def outer_lr_setting(what: str) -> Any:
    """The setting `learning_rate` of an outer loop; `what` it moves."""
    told = f"How far one outer step moves {what} (Adam)."
    limits: dict[str, Any] = {"low": 1e-5, "high": 1e-1, "log": True, "projected": True}
    return setting(1e-3, label="Outer rate", help=told, **limits)


def batch_setting() -> Any:
    """The setting `batch`: tasks in an outer step."""
    told = "How many tasks an outer step hears. If there are fewer tasks: all of them."
    return setting(25, label="Tasks in each step", help=told, low=1, high=512, step=1, advanced=True)


def learner_setting(**declaration: Any) -> Any:
    """The setting `learner`: the network whose start is learned."""
    told = "The network that all tasks share. Automatic takes the one that suits the tasks."
    return setting("auto", label="Network", help=told, choices=LEARNERS, live=False, **declaration)


def width_setting() -> Any:
    """The setting `hidden`: units of a hidden layer."""
    told = "Units in each hidden layer."
    return setting(40, label="Width", help=told, low=4, high=512, step=4, live=False, advanced=True)


# ---- the run ---------------------------------------------------------------------------------------------------------


@compared_by_value
@dataclass(frozen=True)
class Watched:
    """The start (dim,) at one step and, by this method, the validation tasks: vectors, and outputs at their probe."""

    step: int
    method: MetaLearner
    tasks: TaskBatch
    start: Tensor
    vectors: Tensor
    outputs: Tensor


@compared_by_value
@dataclass
class MetaState:
    """A run of such an embedder at one step; `settings` are those of the last step, `watched` what it last saw."""

    loop: OuterLoop
    family: TaskFamily
    tasks: TaskBatch
    rng: torch.Generator
    device: torch.device
    settings: Any
    step: int = 0
    watched: Watched | None = None

    def copy(self) -> MetaState:
        """The same run at the same step, sharing no memory that changes with this one.

        What was last seen is not copied: of all tasks' weights it is a hundred times as large, and soon found again.
        """
        return dataclasses.replace(self, loop=self.loop.copy(), rng=copy_generator(self.rng), watched=None)

    def n_bytes(self) -> int:
        """Memory of a copy: the network and two moments of Adam for each weight, and Python's objects around them."""
        return _OBJECTS + 3 * sum(value.numel() * value.element_size() for value in self.loop.start.values())


class MetaSettings(Settings):
    """What the settings of every such embedder declare, each with defaults of its own."""

    learning_rate: float
    batch: int
    device: str


Chosen = TypeVar("Chosen", bound=MetaSettings)


class MetaEmbedder(Embedder[MetaState, Chosen]):
    """An outer loop learns a start; a task's vector is what the inner loop has made of it.

    Subclasses say by which method (`first_method`, `method_of`) and which numbers are the vector (`vectors_of`).
    Errors: FloatingPointError where the outer loss or all vectors are no longer finite, with the rate to lower.
    """

    view_settings: ClassVar[frozenset[str]] = frozenset({"n_shot"})
    has_pairs = False
    makes_models = True
    readings: ClassVar[tuple[Reading, ...]] = (LOSS, BEFORE)

    @abstractmethod
    def first_method(self, family: TaskFamily, settings: Chosen) -> MetaLearner:
        """The method that a run begins with, its learner made for these tasks."""

    @abstractmethod
    def method_of(self, state: MetaState, settings: Chosen) -> MetaLearner:
        """The method of a run under the settings of now."""

    @abstractmethod
    def vectors_of(self, method: MetaLearner, adapted: Parameters) -> Tensor:
        """The vectors (n_tasks, dim) of tasks whose networks are these, (n_tasks, *shape)."""

    def first_start(self, method: MetaLearner, settings: Chosen) -> Parameters | None:
        """Where the start begins, (1, *shape); None: at random."""
        return None

    def takes(self, family: TaskFamily) -> bool:
        """Kinds of samples that a network of the package, or one of your own, can read."""
        return family.kind in LEARNERS_OF

    def offers(self, family: TaskFamily, settings: Chosen, name: str) -> tuple[str, ...] | None:
        return ("auto", *readers(family)) if name == "learner" else None

    def begin(self, family: TaskFamily, tasks: TaskBatch, settings: Chosen, rng: torch.Generator) -> MetaState:
        method, device = self.first_method(family, settings), chosen_device(settings.device)
        start = self.first_start(method, settings)
        loop = OuterLoop(method, rng, start=start, device=device)
        return MetaState(loop, family, tasks, rng, device, settings)

    def step(self, state: MetaState, settings: Chosen) -> tuple[MetaState, StepRecord]:
        """One outer step; beside the outer loss it reports the query loss before the inner loop."""
        n_tasks, family = state.family.at_most(settings.batch), state.family
        tasks = family.sample(n_tasks, self.shots(settings) or None, rng=state.rng, n_query=family.default_shot)
        tasks = tasks.to(state.device)  # once, and not for each of the losses below
        loop = state.loop
        loop.method = self.method_of(state, settings)
        before = loop.method.losses_along(loop.start, tasks, (0,)).mean()
        began = {name: value.detach().clone() for name, value in loop.start.items()}
        loss = self.step_loss(loop, tasks, settings)
        if not bool(loss < BEYOND * (1 + before)):  # NaN compares as not below
            came = f"{float(loss):g} after step {state.step}"
            raise FloatingPointError(lost("loss", came, loop.method, began, tasks))
        state.step += 1
        state.settings = settings
        return state, StepRecord(loss, {BEFORE.name: before})

    def step_loss(self, loop: OuterLoop, tasks: TaskBatch, settings: Chosen) -> Tensor:
        """Make the outer step, and give the loss to report."""
        return loop.step(tasks, settings.learning_rate)

    def start(self, state: MetaState) -> Tensor:
        return self._watched(state, state.settings).start

    def embed(self, state: MetaState, tasks: TaskBatch | None = None) -> Tensor:
        return self.view(state, state.settings, tasks)

    def view(self, state: MetaState, settings: Chosen, tasks: TaskBatch | None = None) -> Tensor:
        """The tasks' vectors after the inner loop; a task that is lost gets the vector of one which is not."""
        method = self.method_of(state, settings)
        if tasks is None:
            vectors = self._watched(state, settings).vectors.clone()
        else:
            vectors = self.vectors_of(method, method.adapt(state.loop.start, tasks)).cpu()
        gone = is_lost(vectors)
        if bool(gone.all()):
            came = f"none that is finite after step {state.step}"
            raise FloatingPointError(lost("vectors", came, method, state.loop.start, tasks or state.tasks))
        vectors[gone] = vectors[~gone][0]
        return vectors

    def diverged_tasks(self, state: MetaState) -> tuple[int, ...]:
        return tuple(is_lost(self._watched(state, state.settings).vectors).nonzero().flatten().tolist())

    def answers(self, state: MetaState) -> TaskFit | None:
        return state.family.fit(self._watched(state, state.settings).outputs)

    @torch.no_grad()
    def _watched(self, state: MetaState, settings: Chosen) -> Watched:
        """The validation tasks after the inner loop, computed once a step: on a GPU a read waits for the device."""
        method = self.method_of(state, settings)
        seen = state.watched
        if seen is None or seen.tasks is not state.tasks or (seen.step, seen.method) != (state.step, method):
            adapted = method.adapt(state.loop.start, state.tasks)
            outputs = method.network.apply(adapted, moved(state.family.probe(state.tasks), state.device))
            vectors, start = self.vectors_of(method, adapted), self.vectors_of(method, state.loop.start)[0]
            read = read_together(start, vectors, outputs.nan_to_num(0.0, 0.0, 0.0))
            seen = state.watched = Watched(state.step, method, state.tasks, *read)
        return seen


def read_together(*tensors: Tensor) -> list[Tensor]:
    """The same tensors on the CPU, by one copy."""
    flat = torch.cat([tensor.flatten() for tensor in tensors]).cpu()
    parts = flat.split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def is_lost(vectors: Tensor) -> Tensor:
    """Whether a task's vector has run away in its inner loop, (n_tasks,)."""
    return ~(vectors.abs().amax(dim=1) < BEYOND)


def lost(what: str, came: str, method: MetaLearner, start: Parameters, tasks: TaskBatch) -> str:
    """The message of a run that has diverged from this start on these tasks, with the rate that is stable there."""
    return problem(what, came, "a finite number", f"It has diverged. {advice(method, start, tasks)}")
