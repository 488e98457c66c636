"""The parameter-based embedder: train a small network a task, and take its weights as the task's vector.

The document's second method. Tasks share no network and training compares nothing: each task trains its own network,
all at once. If all networks start from the same weights, similar tasks end at similar weights. If each starts from its
own weights, they do not: the same function has many sets of weights (hidden units can be permuted), and which of them a
task reaches depends on its random start. See `networks.symmetries`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.copies import copy_generator
from taskembed_edu.base.devices import moved
from taskembed_edu.embedders.base import Embedder, StepRecord, chosen_device
from taskembed_edu.embedders.batched import (
    BatchedTraining,
    check_memory,
    some_samples,
    start_networks,
)
from taskembed_edu.embedders.parameter_settings import ParameterSettings
from taskembed_edu.embedders.probing import own_fisher
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.embedders.weights import check_layer, weight_vectors
from taskembed_edu.networks.factory import LEARNERS_OF, readers, task_learner
from taskembed_edu.networks.functions import outputs_at
from taskembed_edu.networks.learners import Answers, Learner, Parameters
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily
from taskembed_edu.tasks.sketch import TaskFit

# Numbers that a run stores for each weight besides its training: the start, one checkpoint with Adam's moments, the
# frame, and the double precision of a PCA map.
_BESIDE = 7


@compared_by_value
@dataclass
class ParameterState:
    """A run at one step: every watched task's network, and where they began."""

    training: BatchedTraining
    start: Parameters
    settings: ParameterSettings
    family: TaskFamily
    tasks: TaskBatch
    given: TaskBatch  # the tasks on the device that trains
    rng: torch.Generator
    seed: int
    step: int = 0

    def copy(self) -> ParameterState:
        """The same run at the same step, sharing no memory that will change (start and tasks never do)."""
        return ParameterState(
            self.training.copy(),
            self.start,
            self.settings,
            self.family,
            self.tasks,
            self.given,
            copy_generator(self.rng),
            self.seed,
            self.step,
        )

    def n_bytes(self) -> int:
        """Memory of a copy."""
        return 40 * 1024 + self.training.n_bytes()

    @property
    def learner(self) -> Learner:
        """What every task trains."""
        return self.training.learner


class ParameterEmbedder(Embedder[ParameterState, ParameterSettings]):
    """One small network a task, trained all at once; its weights, outputs or Fisher information are the task's vector.

    Watches tasks of the validation part; where there are only so many tasks (languages), all of them, since no network
    of one task ever sees another task.
    """

    name = "parameters"
    about = "a network is trained for each task, and its weights are the task's vector"
    settings_class = ParameterSettings
    view_settings: ClassVar[frozenset[str]] = frozenset({"vector", "layer", "form", "components"})
    same_loss: ClassVar[frozenset[str]] = view_settings | {"learning_rate", "batch", "stop_at", "metric"}
    embeds_resampled_support = False
    has_pairs = False
    makes_models = True
    leaves_trails = True

    def takes(self, family: TaskFamily) -> bool:
        """Kinds of samples that a network of the package, or one of your own, can read."""
        return family.kind in LEARNERS_OF

    def watched_family(self, split: Split) -> TaskFamily:
        part = split.validation
        return part if part.n_distinct is None else part.with_part(())

    def tasks_a_step(self, family: TaskFamily, settings: ParameterSettings) -> int:
        return 0  # a step trains the networks of the tasks at hand: its `batch` are samples

    def begin(
        self, family: TaskFamily, tasks: TaskBatch, settings: ParameterSettings, rng: torch.Generator
    ) -> ParameterState:
        device = chosen_device(settings.device)
        learner = task_learner(family, settings.learner, settings.hidden, settings.activation)
        check_layer(learner, settings.layer)
        check_choice("frozen", settings.frozen, ("none", *learner.layers))
        check_memory(learner, len(tasks), settings.optimiser, device, beside=_BESIDE)
        if family.classification:
            warn_of_missing_classes(tasks, family.n_way)
        seed = int(torch.randint(2**31, (), generator=rng))
        start = start_networks(learner, len(tasks), rng, shared=settings.start == "shared")
        start, given = {name: value.to(device) for name, value in start.items()}, tasks.to(device)
        training = BatchedTraining(
            learner, start, settings.optimiser, frozen=settings.frozen_layers(), chunk=settings.chunk or None
        )
        training.plan(given.support_x, given.support_y)
        return ParameterState(training, start, settings, family, tasks, given, rng, seed)

    def step(self, state: ParameterState, settings: ParameterSettings) -> tuple[ParameterState, StepRecord]:
        given, training = state.given, state.training
        sets = some_samples(given.support_x, given.support_y, given.support_mask, settings.batch, state.rng)
        losses = training.step(*sets, learning_rate=settings.learning_rate)
        state.step += 1
        state.settings = settings
        mean = losses.masked_fill(training.diverged, 0).sum() / (~training.diverged).sum()  # no wait for the GPU
        return state, StepRecord(mean)

    def embed(self, state: ParameterState, tasks: TaskBatch | None = None) -> Tensor:
        return self.view(state, state.settings, tasks)

    def view(self, state: ParameterState, settings: ParameterSettings, tasks: TaskBatch | None = None) -> Tensor:
        """The tasks' vectors. Tasks that are not watched are trained from the start, for as many steps as the run's.

        This training uses the current settings for all steps, because earlier settings are not stored. It draws the
        samples of each step again, so with `batch` even a validation task gets a different network than its own.
        """
        if tasks is None:
            return self._watched(state, settings)
        start, device = start_like(state, len(tasks)), state.training.diverged.device
        trained = train_tasks(
            state.learner,
            tasks,
            state.step,
            start=start,
            optimiser=settings.optimiser,
            learning_rate=settings.learning_rate,
            frozen=settings.frozen_layers(),
            chunk=settings.chunk or None,
            device=device,
            compiled="off",  # "auto" depends on the clock; vectors must not
            batch=settings.batch,
            rng=torch.Generator().manual_seed(state.seed),
        )
        there = tasks.to(device)
        return task_vectors(
            state.learner, trained.parameters, start, there, settings, shared_probe(there, state.learner.answers)
        ).cpu()

    @torch.no_grad()
    def _watched(self, state: ParameterState, settings: ParameterSettings) -> Tensor:
        """The validation tasks' vectors. Diverged tasks do not affect the others; they get any finite vector."""
        training, given = state.training, state.given
        probe = shared_probe(given, state.learner.answers)
        vectors = None
        if training.diverged.is_cuda and self.steady(settings):  # no task's vector depends on another's: ask afterwards
            found = task_vectors(state.learner, training.parameters, state.start, given, settings, probe)
            vectors = training.with_diverged(found)
        kept = (~training.diverged_tasks()).nonzero().flatten()
        if vectors is None or len(kept) < len(given):
            vectors = _vectors_of(state, settings, kept, probe)
        if not bool(vectors.any()):
            # Before the first step all differences are zero, and the cosine of a zero vector is undefined. So all tasks
            # get the same vector that is not zero. It has only one non-zero entry, so that all distances are exactly 0.
            vectors[:, 0] = 1e-3
        return vectors

    def offers(self, family: TaskFamily, settings: ParameterSettings, name: str) -> tuple[str, ...] | None:
        if name == "learner":
            return ("auto", *readers(family))
        first = {"layer": "all", "frozen": "none"}.get(name)
        if first is None:
            return None
        # After a change of tasks the chosen network may be one that cannot read them.
        chosen = settings.learner if settings.learner in readers(family) else "auto"
        return (first, *task_learner(family, chosen, settings.hidden, settings.activation).layers)

    def remark(self, settings: ParameterSettings, n_tasks: int) -> str:
        if settings.start != "own" or settings.vector != "weights" or settings.form != "difference":
            return ""
        return f"Every way begins at zero here; choose Weights as: As they are, to see the {n_tasks} starts."

    def steady(self, settings: ParameterSettings) -> bool:
        """Not with principal directions: they are computed again at every step."""
        return settings.vector != "weights" or settings.form in ("raw", "difference")

    def diverged_tasks(self, state: ParameterState) -> tuple[int, ...]:
        return tuple(state.training.diverged_tasks().nonzero().flatten().tolist())

    @torch.no_grad()
    def answers(self, state: ParameterState) -> TaskFit | None:
        outputs = state.learner.apply(state.training.parameters, state.family.probe(state.given))
        return state.family.fit(outputs.nan_to_num(0.0, 0.0, 0.0).cpu())


def _vectors_of(state: ParameterState, settings: ParameterSettings, kept: Tensor, probe: Tensor) -> Tensor:
    """The vectors of the tasks `kept` in their rows, as they are without the others; the others get any finite one."""
    parameters, start, given = state.training.parameters, state.start, state.given
    if len(kept) == len(given):
        return task_vectors(state.learner, parameters, start, given, settings, probe).cpu()
    mine, began = ({name: value[kept] for name, value in of.items()} for of in (parameters, start))
    found = task_vectors(state.learner, mine, began, given[kept], settings, probe).cpu()
    vectors = found[:1].repeat(len(given), 1) if len(found) else torch.ones(len(given), 1)
    vectors[kept] = found
    return vectors


def task_vectors(
    learner: Learner,
    parameters: Parameters,
    start: Parameters,
    tasks: TaskBatch,
    settings: ParameterSettings,
    probe: Tensor,
) -> Tensor:
    """What stands for each task by these settings, (n_tasks, dim); `probe` is where outputs are compared."""
    if settings.vector == "outputs":
        return outputs_at(learner, parameters, probe)
    layer = settings.layer
    if settings.vector == "fisher":
        few = slice(_PROBE_WORDS) if learner.answers == "letters" else slice(None)
        mask = None if tasks.support_mask is None else tasks.support_mask[:, few]
        fisher = own_fisher(learner, parameters, tasks.support_x[:, few], tasks.support_y[:, few], mask)
        return weight_vectors(learner, fisher, layer=layer)
    form, components = settings.form, settings.components
    return weight_vectors(learner, parameters, layer=layer, form=form, start=start, components=components)


# This many inputs distinguish two functions well enough for a map; fewer for words, whose outputs are long.
_PROBE, _PROBE_WORDS = 64, 16


def shared_probe(tasks: TaskBatch, answers: Answers = "numbers") -> Tensor:
    """Inputs at which all networks are evaluated, evenly chosen from the inputs of all tasks: (n, *x_shape).

    For networks that spell words, inputs of the first task.
    """
    if answers == "letters":
        return tasks.support_x[0, :_PROBE_WORDS]
    pool = tasks.support_x.flatten(0, 1)
    return pool[moved(torch.linspace(0, len(pool) - 1, min(_PROBE, len(pool))).long(), pool.device)]


def start_like(state: ParameterState, n_tasks: int) -> Parameters:
    """A start for n further tasks as the run's own: its shared one, or draws that follow from the run's seed."""
    if state.settings.start == "shared":
        return {name: value[:1].expand(n_tasks, *value.shape[1:]).clone() for name, value in state.start.items()}
    start = start_networks(state.learner, n_tasks, torch.Generator().manual_seed(state.seed), shared=False)
    return {name: value.to(state.given.support_x.device) for name, value in start.items()}


def warn_of_missing_classes(tasks: TaskBatch, n_way: int) -> None:
    """Warn of tasks whose support set has no sample of some class: their networks will never answer with it."""
    there = torch.nn.functional.one_hot(tasks.support_y, n_way).bool()
    if tasks.support_mask is not None:
        there &= tasks.support_mask.unsqueeze(-1)
    missing = (~there.any(dim=1)).nonzero().tolist()
    if missing:
        task, label = missing[0]
        came = f"task {task} ({tasks.names[task]}) with no sample of class {label}"
        more = f" There are {len(missing) - 1} more such." if len(missing) > 1 else ""
        cause = f"Its network cannot learn that class; the others go on.{more}"
        warnings.warn(problem("support_y", came, "a sample of every class", cause), UserWarning, stacklevel=3)
