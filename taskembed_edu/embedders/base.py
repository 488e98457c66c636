"""The contract of every embedder: whatever is inside, tasks go in and vectors come out, one step at a time.

    state = embedder.begin(family, tasks, settings, rng)
    state, record = embedder.step(state, settings)
    vectors = embedder.embed(state)

`state` holds everything: parameters, optimiser, generator, step count. `state.copy()` shares nothing with its original,
which is what makes branches and checkpoints possible. `step` prints nothing, draws nothing and starts nothing. It moves
the state it was given on by one step and returns it; who wants to keep the old one copies it first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.readings import LOSS_PANEL, Reading
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily
from taskembed_edu.tasks.sketch import TaskFit

LOSS = Reading(
    name="loss",
    label="Loss",
    help="What training makes small, averaged over the steps since the last picture.",
    panel=LOSS_PANEL,
    colour="blue",
)


@dataclass(frozen=True)
class StepRecord:
    """What one step tells of its batch, still on its device so that reading it is the reader's choice.

    `readings` are numbers by the names under which the embedder declares them (`Embedder.readings`): a frame keeps the
    mean of each over the steps since the frame before. NaN, or none, where a step has nothing to tell.
    Errors: TypeError where `readings` is not a mapping.
    """

    loss: Tensor
    readings: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.readings, Mapping):
            cause = 'For example StepRecord(loss, {"active_pairs": share}).'
            raise TypeError(problem("readings", self.readings, "numbers by name, as Embedder.readings declares", cause))


class EmbedderState(Protocol):
    """Everything that a run is, at one step."""

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
    settings_class: type[Chosen]

    # Settings that change how what was learnt is looked at, and nothing of what is learnt: see `view`.
    view_settings: ClassVar[frozenset[str]] = frozenset()
    # Whether a second support set of a task can be embedded by what was learnt so far: only then can a task be asked to
    # find itself again (recall).
    embeds_resampled_support: ClassVar[bool] = True
    # Whether training compares pairs of tasks, some of which no longer push.
    has_pairs: ClassVar[bool] = True
    # What a step reports, the loss first: each is a curve, and a column of `StepRecord.readings` (but for the loss).
    readings: ClassVar[tuple[Reading, ...]] = (LOSS,)
    # Settings that do not change what the loss measures: under others, two losses cannot be compared.
    same_loss: ClassVar[frozenset[str]] = frozenset({"learning_rate"})
    # Whether the tasks travel from a start, so that the way they came means something.
    leaves_trails: ClassVar[bool] = False

    @abstractmethod
    def begin(self, family: TaskFamily, tasks: TaskBatch, settings: Chosen, rng: torch.Generator) -> State:
        """A run at step 0: trains on `family`, is watched on `tasks`, draws everything from `rng`."""

    @abstractmethod
    def step(self, state: State, settings: Chosen) -> tuple[State, StepRecord]:
        """One step with these settings, which may differ from the last step's."""

    @abstractmethod
    def embed(self, state: State, tasks: TaskBatch | None = None) -> Tensor:
        """The tasks' vectors, shape (n_tasks, dim), on the CPU; None: the tasks being watched."""

    def takes(self, family: TaskFamily) -> bool:
        """Whether this embedder can read the samples of such tasks."""
        return True

    def watches(self, split: Split, n_tasks: int, rng: torch.Generator) -> TaskBatch:
        """The tasks to be watched: drawn from the validation part, so that none of them is trained on."""
        return sample_tasks(split.validation, n_tasks, rng)

    def view(self, state: State, settings: Chosen, tasks: TaskBatch | None = None) -> Tensor:
        """The tasks' vectors as these settings want them seen: `embed(state, tasks)`, unless there is a choice."""
        return self.embed(state, tasks)

    def offers(self, family: TaskFamily, settings: Chosen, name: str) -> tuple[str, ...] | None:
        """The choices of this setting that make sense on these tasks with these settings; None: all that are declared.

        The first of them always makes sense. It must not fail: the settings may not fit the tasks yet.
        """
        return None

    def remark(self, settings: Chosen, n_tasks: int) -> str:
        """One sentence on what a run with these settings shows at first, where it is not what one looks for; or ""."""
        return ""

    def steady(self, settings: Chosen) -> bool:
        """Whether an entry of a vector means the same at every step: only then can two steps be seen on one map."""
        return True

    def diverged_tasks(self, state: State) -> tuple[int, ...]:
        """ValidationSet tasks whose training has diverged: they are named, and no map or score counts them."""
        return ()

    def answers(self, state: State) -> TaskFit | None:
        """What each watched task's own network answers just now, where tasks have networks of their own."""
        return None

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


def sample_tasks(family: TaskFamily, n_tasks: int, rng: torch.Generator) -> TaskBatch:
    """So many tasks of this family, or all that there are."""
    return family.sample(min(n_tasks, family.n_distinct or n_tasks), rng=rng)


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
    """The setting that every embedder has: by what distance its vectors are compared. `more` is what is its own."""
    told = "How far apart two task vectors are. Neighbours on the map and all scores follow it."
    return setting(default, label="Distance", help=f"{told} {more}".rstrip(), choices=METRICS, projected=True)


def device_setting() -> Any:
    """The setting that every embedder with something to train has: where it trains."""
    return setting(
        "auto",
        label="Device",
        help="Where training runs: auto takes a CUDA GPU where there is one.",
        choices=DEVICES,
        live=False,
    )


def chosen_device(name: str) -> torch.device:
    """The device of this name: "auto" takes CUDA where there is one, "cuda" raises where there is none.

    Errors: RuntimeError for "cuda" without a CUDA device; ValueError for an unknown name.
    """
    check_choice("device", name, DEVICES)
    present = torch.cuda.is_available()
    if name == "cuda" and not present:
        raise RuntimeError(
            "device: got 'cuda', expected a machine with a CUDA device and a CUDA build of PyTorch. "
            f"This PyTorch is {torch.__version__} and sees none; choose device='auto' or 'cpu'."
        )
    return torch.device("cuda" if present and name != "cpu" else "cpu")


def device_name(device: torch.device) -> str:
    """What a person calls the device: the GPU's name, or the CPU with its number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads != 1 else ''}"
