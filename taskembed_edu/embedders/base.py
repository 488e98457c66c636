"""The interface of every embedder: tasks go in, vectors come out, and training runs one step at a time.

    state = embedder.begin(family, tasks, settings, rng)
    state, record = embedder.step(state, settings)
    vectors = embedder.embed(state)

`state` holds everything: parameters, optimiser, generator, step count. `state.copy()` shares nothing with its original,
so branches and checkpoints are possible. `step` prints nothing, displays nothing and starts no process. It changes the
given state in place by one step and returns it: to keep the old state, copy it first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.readings import LOSS_PANEL, Reading
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily
from taskembed_edu.tasks.sketch import TaskFit

LOSS = Reading(
    name="loss",
    label="Loss",
    help="The number that training makes small: the mean over the steps since the last picture.",
    panel=LOSS_PANEL,
    colour="blue",
)


@compared_by_value
@dataclass(frozen=True)
class StepRecord:
    """What one step reports about its batch. The tensors stay on their device: reading them would wait for it.

    `readings` are numbers by the names that the embedder declares (`Embedder.readings`): a frame keeps the mean of each
    over the steps since the previous frame. A step without a value reports NaN, or omits the name.
    Errors: TypeError if `readings` is not a mapping.
    """

    loss: Tensor
    readings: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.readings, Mapping):
            cause = 'For example StepRecord(loss, {"active_pairs": share}).'
            raise TypeError(problem("readings", self.readings, "numbers by name, as Embedder.readings declares", cause))


class EmbedderState(Protocol):
    """The complete state of a run at one step."""

    step: int
    tasks: TaskBatch

    def copy(self) -> Self:
        """The same run at the same step, sharing no memory with this one."""
        ...

    def n_bytes(self) -> int:
        """About how much memory a copy takes."""
        ...


State = TypeVar("State", bound=EmbedderState)
Chosen = TypeVar("Chosen", bound=Settings)


class Embedder(ABC, Generic[State, Chosen]):
    """Turns tasks into vectors by training. Stateless itself: one embedder object can drive any number of runs."""

    name: str
    about: ClassVar[str] = ""  # in one line, for a list of methods
    settings_class: type[Chosen]

    # Settings that change only the view of what was learnt, not the learning itself: see `view`.
    view_settings: ClassVar[frozenset[str]] = frozenset()
    # Whether the trained state can embed a second support set of a task: recall, which searches for the same task,
    # needs this.
    embeds_resampled_support: ClassVar[bool] = True
    # Whether training compares pairs of tasks, of which some are no longer active.
    has_pairs: ClassVar[bool] = True
    # What a step reports, the loss first. Each is a curve, and a key of `StepRecord.readings` (except the loss).
    readings: ClassVar[tuple[Reading, ...]] = (LOSS,)
    # Settings that do not change what the loss measures. If any other setting differs, losses cannot be compared.
    same_loss: ClassVar[frozenset[str]] = frozenset({"learning_rate"})
    # Whether a task's vector is a model, or a part of one, that answers the task.
    makes_models: ClassVar[bool] = False
    # Whether each task's vector moves away from a start, so that its path has a meaning.
    leaves_trails: ClassVar[bool] = False

    @abstractmethod
    def begin(self, family: TaskFamily, tasks: TaskBatch, settings: Chosen, rng: torch.Generator) -> State:
        """A run at step 0: it trains on `family`, is shown on `tasks`, and takes all randomness from `rng`."""

    @abstractmethod
    def step(self, state: State, settings: Chosen) -> tuple[State, StepRecord]:
        """One step with these settings, which may differ from the last step's."""

    @abstractmethod
    def embed(self, state: State, tasks: TaskBatch | None = None) -> Tensor:
        """The tasks' vectors, shape (n_tasks, dim), on the CPU; None: the validation tasks."""

    def takes(self, family: TaskFamily) -> bool:
        """Whether this embedder can read the samples of such tasks."""
        return True

    def watched_family(self, split: Split) -> TaskFamily:
        """What the validation tasks are drawn from: the validation part, so that training uses none of them."""
        return split.validation

    def watches(self, split: Split, n_tasks: int, rng: torch.Generator) -> TaskBatch:
        """The validation tasks: `n_tasks` of the `watched_family`, or all of it if there are fewer."""
        return sample_tasks(self.watched_family(split), n_tasks, rng)

    def shots(self, settings: Chosen) -> int:
        """How many samples (of each class) a support set should have; 0: as many as the tasks come with.

        It is the setting `n_shot`, where an embedder declares it: see `shots_setting`.
        """
        return getattr(settings, "n_shot", 0)

    def view(self, state: State, settings: Chosen, tasks: TaskBatch | None = None) -> Tensor:
        """The tasks' vectors under these view settings; `embed(state, tasks)` for an embedder without view settings."""
        return self.embed(state, tasks)

    def offers(self, family: TaskFamily, settings: Chosen, name: str) -> tuple[str, ...] | None:
        """The choices of this setting that make sense on these tasks with these settings; None: all that are declared.

        The first choice always makes sense. This method must not raise: the settings may not fit the tasks yet.
        """
        return None

    def remark(self, settings: Chosen, n_tasks: int) -> str:
        """One sentence on what a run with these settings shows at first, if that is unexpected; or ""."""
        return ""

    def steady(self, settings: Chosen) -> bool:
        """Whether an entry of a vector means the same at every step: only then can one map show two steps."""
        return True

    def diverged_tasks(self, state: State) -> tuple[int, ...]:
        """Validation tasks whose training has diverged: they are reported, and no map or score includes them."""
        return ()

    def start(self, state: State) -> Tensor | None:
        """The point (dim,) from which an inner loop takes every task to its vector; None where there is none."""
        return None

    def answers(self, state: State) -> TaskFit | None:
        """The current outputs of each validation task's own network; None if tasks have no networks of their own."""
        return None

    def tasks_a_step(self, family: TaskFamily, settings: Chosen) -> int:
        """How many tasks one training step draws: the setting `batch`, or 0 where there is none."""
        return family.at_most(getattr(settings, "batch", 0))

    @short_errors
    def fit(
        self,
        family: TaskFamily,
        steps: int,
        settings: Chosen | None = None,
        *,
        rng: torch.Generator | None = None,
    ) -> FittedEmbedder:
        """Train in one line: `MetricEmbedder().fit(Sinusoids(), steps=3000).embed(tasks)`."""
        settings = self.settings_class() if settings is None else settings
        rng = torch.Generator().manual_seed(0) if rng is None else rng
        state = self.begin(family, family.sample(1, rng=rng), settings, rng)
        for _ in range(steps):
            state, _record = self.step(state, settings)
        return FittedEmbedder(self, state)


def sample_tasks(family: TaskFamily, n_tasks: int, rng: torch.Generator, n_shot: int = 0) -> TaskBatch:
    """`n_tasks` tasks of this family, or all of them if there are fewer; `n_shot` 0: the family's own number."""
    return family.sample(family.at_most(n_tasks), n_shot or None, rng=rng)


@compared_by_value
@dataclass(frozen=True)
class FittedEmbedder:
    """A trained embedder: `embed(tasks)` gives their vectors."""

    embedder: Embedder[Any, Any]
    state: Any

    def embed(self, tasks: TaskBatch) -> Tensor:
        """The tasks' vectors, shape (n_tasks, dim)."""
        return self.embedder.embed(self.state, tasks)


DEVICES = {"auto": "Automatic", "cpu": "CPU", "cuda": "CUDA GPU"}


def metric_setting(default: str = "euclidean", more: str = "") -> Any:
    """The setting that every embedder has: the distance between its vectors. `more` adds to the help text."""
    told = "How the distance of two task vectors is measured. It decides the neighbours on the map and all scores."
    return setting(
        default, label="Distance", help=f"{told} {more}".rstrip(), choices=METRICS, projected=True, value_first=True
    )


def shots_setting(where: str, **declaration: Any) -> Any:
    """The setting `n_shot`: how many samples a support set has. `where` completes the sentence of the help."""
    told = f"How many samples a support set has (of each class), {where}. With few, tasks are hard to tell apart."
    limits: dict[str, Any] = {"low": 0, "high": 64, "step": 1, "zero": "as the tasks come"}
    return setting(0, label="Shots", help=told, **limits, **declaration)


def stop_at_setting(default: int, by_then: str) -> Any:
    """The setting `stop_at`: where Play pauses. `by_then` says why there."""
    told = f"Play pauses at this step. After it, {by_then}. 0: no pause."
    return setting(default, label="Stop at step", help=told, low=0, high=100_000, step=50)


def device_setting() -> Any:
    """The setting of every embedder that trains: the device."""
    return setting(
        "auto",
        label="Device",
        help="Where training runs. Automatic takes a CUDA GPU if there is one, else the CPU.",
        choices=DEVICES,
        live=False,
    )


def chosen_device(name: str | torch.device) -> torch.device:
    """The device of this name: "auto" takes a CUDA device if there is one, "cuda" raises if there is none.

    "cuda:1" is the second of several. Errors: RuntimeError for "cuda" without a CUDA device; ValueError for an unknown
    name.
    """
    kind, _, index = str(name).partition(":")
    check_choice("device", kind, DEVICES)
    present = torch.cuda.is_available()
    if kind == "cuda" and not present:
        raise RuntimeError(
            "device: got 'cuda', expected a machine with a CUDA device and a CUDA build of PyTorch. "
            f"This PyTorch is {torch.__version__} and sees none; choose Automatic (device='auto') or CPU "
            "(device='cpu')."
        )
    if index:
        return torch.device(str(name))
    return torch.device("cuda" if present and kind != "cpu" else "cpu")


def devices_here() -> tuple[str, ...]:
    """The devices that this machine has: without a CUDA device only "auto" and "cpu"."""
    return tuple(name for name in DEVICES if name != "cuda" or torch.cuda.is_available())


def device_name(device: torch.device) -> str:
    """A readable name of the device: the GPU's name, or the CPU with its number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads != 1 else ''}"
