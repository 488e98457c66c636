"""The parameter-based embedder: train a small network a task, and take its weights as the task's vector.

The document's second method. No network is shared and nothing is compared while training runs: each task teaches its
own network, all of them at once. Where they began from the same weights, similar tasks end at similar weights. Where
each began from weights of its own they do not: a network has many equal forms (its hidden units can change places), and
which of them a task ends at is an accident of its start. See `networks.symmetries`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.checks import problem
from taskembed_edu.distances import METRICS
from taskembed_edu.embedders.base import DEVICES, Embedder, StepRecord, chosen_device, drawn
from taskembed_edu.embedders.batched import OPTIMISERS, BatchedTraining, check_memory, start_networks, train_tasks
from taskembed_edu.embedders.probing import own_fisher
from taskembed_edu.embedders.weights import FORMS, check_layer, weight_vectors
from taskembed_edu.networks.functions import outputs_at
from taskembed_edu.networks.learners import ACTIVATIONS, LEARNERS, Learner, Parameters, task_learner
from taskembed_edu.settings import Settings, setting
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily
from taskembed_edu.tasks.sketch import TaskFit

VECTORS = ("weights", "outputs", "fisher")
STARTS = ("shared", "own")
# The layers of every learner; which of them a learner has is checked where it is known.
LAYERS = ("all", "hidden_1", "hidden_2", "convolution_1", "convolution_2", "number", "input", "recurrent", "output")


@dataclass(frozen=True)
class ParameterSettings(Settings):
    """Every hyperparameter of the parameter-based embedder, declared once."""

    learner: str = setting(
        "auto",
        label="Network",
        help="What every task trains: a perceptron for curves and points, a convolutional network for pictures, a "
        "recurrent one for words. Automatic takes the one that suits the tasks.",
        choices=LEARNERS,
        live=False,
    )
    start: str = setting(
        "shared",
        label="Start",
        help="Shared: all networks begin from the same weights, and their ways can be compared. Own: each begins from "
        "weights of its own, and the map shows where they began more than what they learnt.",
        choices=STARTS,
        live=False,
    )
    optimiser: str = setting(
        "sgd",
        label="Optimiser",
        help="SGD goes as far as the gradient says: tasks that differ more go farther apart. Adam scales every "
        "weight's step by its own gradients: it learns sooner, and blurs that geometry.",
        choices=OPTIMISERS,
        live=False,
    )
    learning_rate: float = setting(
        0.01, label="Learning rate", help="How far one step moves the weights.", low=1e-5, high=1.0, log=True
    )
    stop_at: int = setting(
        500,
        label="Stop at step",
        help="Play pauses here: networks that have learnt their tasks only wander on. 0: never.",
        low=0,
        high=100_000,
        step=50,
    )
    vector: str = setting(
        "weights",
        label="Task vector",
        help="What stands for a task: its network's weights; its outputs at the same inputs, whatever the weights; or "
        "how much each weight matters to it (the diagonal of its Fisher information).",
        choices=VECTORS,
    )
    layer: str = setting(
        "all",
        label="Layer",
        help="Whose weights count: all, or one layer's. Which layers there are depends on the network.",
        choices=LAYERS,
        open=True,
        applies=lambda settings: settings.vector != "outputs",
    )
    form: str = setting(
        "raw",
        label="Weights as",
        help="As they are; their difference from the start; their main directions (PCA); or those, all of one size.",
        choices=FORMS,
        applies=lambda settings: settings.vector == "weights",
    )
    metric: str = setting(
        "euclidean",
        label="Distance",
        help="How far apart two task vectors are. Neighbours on the map and all scores follow it.",
        choices=tuple(METRICS),
    )
    hidden: int = setting(
        32, label="Width", help="Units in each hidden layer.", low=2, high=512, step=2, live=False, advanced=True
    )
    activation: str = setting(
        "tanh",
        label="Activation",
        help="What a perceptron's hidden units do with their sum. Networks of tanh change smoothly with their weights, "
        "and lie better sorted.",
        choices=tuple(ACTIVATIONS),
        live=False,
        advanced=True,
    )
    batch: int = setting(
        0,
        label="Samples a step",
        help="How many samples of its support set each network sees in one step. 0: all of them.",
        low=0,
        high=1000,
        step=1,
        advanced=True,
    )
    frozen: str = setting(
        "none",
        label="Frozen layer",
        help="A layer that stays as it began: only the others learn, and only they can tell tasks apart.",
        choices=("none", *LAYERS[1:]),
        live=False,
        advanced=True,
    )
    components: int = setting(
        8,
        label="Directions kept",
        help="How many main directions PCA and whitening keep.",
        low=2,
        high=128,
        step=1,
        advanced=True,
        applies=lambda settings: settings.vector == "weights" and settings.form in ("pca", "whitened"),
    )
    chunk: int = setting(
        0,
        label="Tasks at once",
        help="How many networks run in one call: less memory, the same result. 0: as many as fit.",
        low=0,
        high=100_000,
        step=1,
        live=False,
        advanced=True,
    )
    device: str = setting(
        "auto",
        label="Device",
        help="Where training runs: auto takes a CUDA GPU where there is one.",
        choices=DEVICES,
        live=False,
    )


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
        rng = torch.Generator()
        rng.set_state(self.rng.get_state())
        return ParameterState(
            self.training.copy(),
            self.start,
            self.settings,
            self.family,
            self.tasks,
            self.given,
            rng,
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
    settings_class = ParameterSettings
    seen_by: ClassVar[frozenset[str]] = frozenset({"vector", "layer", "form", "components"})
    embeds_second_sets = False
    has_pairs = False
    leaves_trails = True

    def watches(self, split: Split, n_tasks: int, rng: torch.Generator) -> TaskBatch:
        if split.validation.n_distinct is None:
            return drawn(split.validation, n_tasks, rng)
        return drawn(split.validation.with_part(()), n_tasks, rng)

    def begin(
        self, family: TaskFamily, tasks: TaskBatch, settings: ParameterSettings, rng: torch.Generator
    ) -> ParameterState:
        device = chosen_device(settings.device)
        learner = task_learner(family, settings.learner, settings.hidden, settings.activation)
        check_layer(learner, settings.layer)
        check_memory(learner, len(tasks), settings.optimiser, device)
        if family.classification:
            warn_of_missing_classes(tasks, family.n_way)
        seed = int(torch.randint(2**31, (), generator=rng))
        start = start_networks(learner, len(tasks), rng, shared=settings.start == "shared")
        start = {name: value.to(device) for name, value in start.items()}
        training = BatchedTraining(
            learner, start, settings.optimiser, frozen=frozen_layers(settings), chunk=settings.chunk or None
        )
        return ParameterState(training, start, settings, family, tasks, tasks.to(device), rng, seed)

    def step(self, state: ParameterState, settings: ParameterSettings) -> tuple[ParameterState, StepRecord]:
        losses = state.training.step(*_samples(state, settings.batch), learning_rate=settings.learning_rate)
        state.step += 1
        state.settings = settings
        mean = losses[~state.training.diverged].mean() if bool(state.training.diverged.any()) else losses.mean()
        return state, StepRecord(mean, mean.new_full((), torch.nan))

    def embed(self, state: ParameterState, tasks: TaskBatch | None = None) -> Tensor:
        """The tasks' vectors; tasks that are not watched are trained from the start, for as many steps as the run's.

        With the run's latest settings: it does not know which ones it had before.
        """
        if tasks is None:
            return self.look(state, state.settings)
        settings, learner = state.settings, state.learner
        start = start_like(state, len(tasks))
        trained = train_tasks(
            learner,
            tasks,
            state.step,
            start=start,
            optimiser=settings.optimiser,
            learning_rate=settings.learning_rate,
            frozen=frozen_layers(settings),
            chunk=settings.chunk or None,
            device=state.training.diverged.device,
        )
        there = tasks.to(state.training.diverged.device)
        return task_vectors(learner, trained.parameters, start, there, settings).cpu()

    @torch.no_grad()
    def look(self, state: ParameterState, settings: ParameterSettings) -> Tensor:
        parameters, lost = state.training.parameters, state.training.diverged
        if bool(lost.any()):
            # What diverged has no place: its start's is finite, and nobody counts it.
            parameters = {
                name: torch.where(lost.view(-1, *[1] * (value.ndim - 1)), state.start[name], value)
                for name, value in parameters.items()
            }
        vectors = task_vectors(state.learner, parameters, state.start, state.given, settings).cpu()
        if not bool(vectors.any()):
            # Before the first step nobody has moved. One place for all that is not zero is as true, and has a cosine;
            # with one entry only their distance is exactly 0.
            vectors[:, 0] = 1e-3
        return vectors

    def steady(self, settings: ParameterSettings) -> bool:
        """Not by main directions: they are found anew at every step."""
        return settings.vector != "weights" or settings.form in ("raw", "difference")

    def left_out(self, state: ParameterState) -> tuple[int, ...]:
        return tuple(state.training.diverged.nonzero().flatten().tolist())

    @torch.no_grad()
    def answers(self, state: ParameterState) -> TaskFit | None:
        outputs = state.learner.apply(state.training.parameters, state.family.probe(state.given))
        return state.family.fit(outputs.cpu())


def task_vectors(
    learner: Learner, parameters: Parameters, start: Parameters, tasks: TaskBatch, settings: ParameterSettings
) -> Tensor:
    """What stands for each task by these settings, (n_tasks, dim)."""
    if settings.vector == "outputs":
        return outputs_at(learner, parameters, shared_probe(tasks))
    layer = settings.layer
    if settings.vector == "fisher":
        few = slice(None) if tasks.support_x.is_floating_point() else slice(_PROBE_WORDS)
        mask = None if tasks.support_mask is None else tasks.support_mask[:, few]
        fisher = own_fisher(learner, parameters, tasks.support_x[:, few], tasks.support_y[:, few], mask)
        return weight_vectors(learner, fisher, layer=layer)
    form, components = settings.form, settings.components
    return weight_vectors(learner, parameters, layer=layer, form=form, start=start, components=components)


# So many inputs tell two functions apart well enough for a map; outputs of words are long.
_PROBE, _PROBE_WORDS = 64, 16


def shared_probe(tasks: TaskBatch) -> Tensor:
    """Inputs at which all networks are asked, the same for every task: some of each task's, evenly. (n, *x_shape)."""
    if not tasks.support_x.is_floating_point():
        return tasks.support_x[0, :_PROBE_WORDS]
    pool = tasks.support_x.flatten(0, 1)
    return pool[torch.linspace(0, len(pool) - 1, min(_PROBE, len(pool))).long()]


def start_like(state: ParameterState, n_tasks: int) -> Parameters:
    """A start for n further tasks as the run's own: its shared one, or draws that follow from the run's seed."""
    if state.settings.start == "shared":
        return {name: value[:1].expand(n_tasks, *value.shape[1:]).clone() for name, value in state.start.items()}
    rng = torch.Generator().manual_seed(state.seed)
    return start_networks(state.learner, n_tasks, rng, shared=False)


def frozen_layers(settings: ParameterSettings) -> tuple[str, ...]:
    """The layers that stay as they began."""
    return () if settings.frozen == "none" else (settings.frozen,)


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


def _samples(state: ParameterState, batch: int) -> tuple[Tensor, Tensor, Tensor | None]:
    x, y, mask = state.given.support_x, state.given.support_y, state.given.support_mask
    if not 0 < batch < x.shape[1]:
        return x, y, mask
    chosen = torch.randperm(x.shape[1], generator=state.rng)[:batch].to(x.device)
    return x[:, chosen], y[:, chosen], None if mask is None else mask[:, chosen]
