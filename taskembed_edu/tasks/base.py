"""The basic types of the course: a task, a batch of tasks, and the interface of a task family.

A *task* is a small data set with a question: points of one curve, pictures of a few classes. A learner trains on its
*support set* and is evaluated on its *query set*. A *task family* samples tasks and knows their truth, so that the
course can say how good an embedding of tasks is.

Shapes: support_x (n_tasks, n_support, *x_shape), support_y (n_tasks, n_support, *y_shape), query likewise,
truth (n_tasks, n_truth). n_support is n_shot in regression and n_way * n_shot in classification (n_shot per class).

`truth` holds the parameters that generate the task, so that its samples can be drawn again. `truth_names` names its
first columns: people see these, and tasks are coloured by them. If nothing but the data is known, there are no names.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self, overload

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.base.devices import moved
from taskembed_edu.base.settings import as_python
from taskembed_edu.base.spelling import constructor
from taskembed_edu.tasks.drawn import check_coordinates, check_declared, check_names, check_samples, check_truth
from taskembed_edu.tasks.sketch import TaskFit, TaskSketch

TruthKind = Literal["quantity", "angle", "category"]

# The range of a continuous task parameter is cut into this many slices, and each slice belongs to one part of the
# split. The slices are thin, so every part covers the whole range, and no task of one part can occur in another.
N_SLICES = 1000


@compared_by_value
class Episode(NamedTuple):
    """The data of one task: train on the support set, evaluate on the query set (Vinyals 2016)."""

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor


@compared_by_value
@dataclass(frozen=True)
class Task:
    """One task: its episode, the truth that generated it, and a readable name."""

    episode: Episode
    truth: Tensor
    truth_names: tuple[str, ...]
    name: str

    def __repr__(self) -> str:
        return f"Task({self.name}: {self.episode.support_x.shape[0]} support, {self.episode.query_x.shape[0]} query)"


@compared_by_value
@dataclass(frozen=True)
class TaskBatch:
    """Tasks stacked into tensors. `batch[i]` is one `Task`; `batch[2:5]` and `batch[indices]` are smaller batches.

    Masks are True for real samples and False for padding; None means that all samples are real.
    """

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    truth: Tensor
    truth_names: tuple[str, ...]
    names: tuple[str, ...]
    support_mask: Tensor | None = None
    query_mask: Tensor | None = None

    def __post_init__(self) -> None:
        for field in ("support_x", "support_y", "query_x", "query_y", "truth"):
            if not isinstance(getattr(self, field), Tensor):
                cause = "torch.from_numpy makes one of an array; OwnTasks makes tasks of two arrays."
                came = f"a {type(getattr(self, field)).__name__}"
                raise TypeError(problem(field, came, "a tensor, one row a task", cause))
        n_tasks = self.support_x.shape[0]
        for field in ("support_y", "query_x", "query_y", "truth"):
            came = getattr(self, field)
            if came.shape[0] != n_tasks:
                cause = "Every tensor of a TaskBatch has one row a task; is one task's set standing for a batch?"
                raise ValueError(problem(field, came, f"{n_tasks} tasks in its first dimension", cause))
        for mask, samples in ((self.support_mask, self.support_x), (self.query_mask, self.query_x)):
            if mask is not None and mask.shape != samples.shape[:2]:
                raise ValueError(problem("mask", mask, f"shape {tuple(samples.shape[:2])}: one entry a sample"))

    def __len__(self) -> int:
        return self.support_x.shape[0]

    def __iter__(self) -> Iterator[Task]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, which: int | np.integer[Any]) -> Task: ...
    @overload
    def __getitem__(self, which: slice | Sequence[int] | Tensor) -> TaskBatch: ...
    def __getitem__(self, which: int | np.integer[Any] | slice | Sequence[int] | Tensor) -> Task | TaskBatch:
        one = _one_index(which)
        if one is not None:
            return self._task(one)
        indices = torch.arange(len(self))[which.cpu() if isinstance(which, Tensor) else which]
        tensors: dict[str, Any] = {name: value[indices] for name, value in self._tensors().items()}
        return dataclasses.replace(self, names=tuple(self.names[i] for i in indices.tolist()), **tensors)

    def to(self, device: torch.device | str) -> TaskBatch:
        """The same tasks with every tensor on `device`; the way to a GPU is not waited for."""
        tensors: dict[str, Any] = {n: moved(value, torch.device(device)) for n, value in self._tensors().items()}
        return dataclasses.replace(self, **tensors)

    def with_support(self, x: Tensor, y: Tensor) -> TaskBatch:
        """The same tasks with another support set (no mask)."""
        return dataclasses.replace(self, support_x=x, support_y=y, support_mask=None)

    def _tensors(self) -> dict[str, Tensor]:
        return {f.name: v for f in dataclasses.fields(self) if isinstance(v := getattr(self, f.name), Tensor)}

    def _task(self, i: int) -> Task:
        support = slice(None) if self.support_mask is None else self.support_mask[i]
        query = slice(None) if self.query_mask is None else self.query_mask[i]
        episode = Episode(
            self.support_x[i][support], self.support_y[i][support], self.query_x[i][query], self.query_y[i][query]
        )
        return Task(episode, self.truth[i], self.truth_names, self.names[i])

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.support_x.shape[2:]))
        return f"TaskBatch({len(self)} tasks, {self.support_x.shape[1]} support samples of shape {shape})"


def _python_numbers(value: Any) -> Any:
    """Numpy's numbers as Python's, in tuples too: code, recordings and pages are made of the fields of a family."""
    if isinstance(value, tuple):
        return as_python(value) if any(isinstance(entry, np.generic) for entry in value) else value
    return as_python(value) if isinstance(value, np.generic) else value


def _one_index(which: Any) -> int | None:
    """The position of one task, in whatever integer type it comes (numpy's, a tensor's); None for several tasks."""
    if getattr(which, "ndim", 0) or not hasattr(which, "__index__"):
        return None
    return operator.index(which)


class Split(NamedTuple):
    """One family in three parts that share no task: for training, for validation while training, and never seen."""

    train: TaskFamily
    validation: TaskFamily
    unseen: TaskFamily


# More names than this would hide the points that they label.
MOST_LABELS = 64


@dataclass(frozen=True)
class TaskFamily(ABC):
    """A source of tasks. Subclasses are frozen dataclasses, one file each.

    A subclass defines the kind of its samples, how truth is drawn, how samples are drawn given the truth, and
    coordinates whose Euclidean distance is the true distance between tasks. This class derives everything else.

    A family that does not know how far apart its tasks are sets `has_geometry = False` instead of defining
    `coordinates`. It is shown and mapped like any other, but has no scores that compare with true distances.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    # A kind of tasks/kinds.py or of your own. Default: "points" in classification, else "numbers".
    kind: ClassVar[str]
    classification: ClassVar[bool]
    default_shot: ClassVar[int]
    label_points: ClassVar[bool] = False  # whether a task's name is a useful label for its point
    has_geometry: ClassVar[bool] = True  # whether the true distance between two tasks is known

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not hasattr(cls, "kind") and hasattr(cls, "classification"):
            cls.kind = "points" if cls.classification else "numbers"
        if "__post_init__" in cls.__dict__:  # a subclass's own check need not think of numpy's numbers
            check = cls.__post_init__

            @functools.wraps(check)
            def checked(self: TaskFamily) -> None:
                TaskFamily.__post_init__(self)
                check(self)

            cls.__post_init__ = checked  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        check_declared(self)
        for field in (field for field in dataclasses.fields(self) if field.init):  # others are not there yet
            object.__setattr__(self, field.name, _python_numbers(getattr(self, field.name)))

    @property
    def truth_names(self) -> tuple[str, ...]:
        """The names of the first columns of the truth; () if none of them means anything to people."""
        return ()

    @property
    def truth_kinds(self) -> tuple[TruthKind, ...]:
        """Whether each named column is a quantity, an angle in radians or a category: it decides the colours."""
        return ()

    @property
    @abstractmethod
    def x_shape(self) -> tuple[int, ...]:
        """The shape of one sample's x."""

    @property
    def part(self) -> tuple[Any, ...]:
        """The part of the tasks to sample from; (): all. A family that can be split has a field of this name."""
        return ()

    @property
    def n_way(self) -> int:
        """Classes in a task; 1 in regression, where n_support is n_shot."""
        return 1

    @property
    def n_distinct(self) -> int | None:
        """The number of different tasks; None if it is unlimited."""
        return None

    def at_most(self, n_tasks: int) -> int:
        """This number of tasks, or that of all different ones if there are fewer."""
        return min(n_tasks, self.n_distinct or n_tasks)

    @property
    def group(self) -> str | None:
        """The column of the truth by which similar tasks are grouped; None if there is none."""
        return None

    def category_names(self, column: str) -> tuple[str, ...]:
        """Readable names of the values 0, 1, ... of a category; () if the number itself is the name."""
        return ()

    @abstractmethod
    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        """Truth of new tasks, shape (n_tasks, n_truth)."""

    @abstractmethod
    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Samples x, y of the tasks with this truth, n_shot (per class); within one call no image occurs twice."""

    def coordinates(self, truth: Tensor) -> Tensor:
        """The true geometry: task distance is Euclidean distance between these, shape (n_tasks, any).

        Errors: ValueError if the family does not define it.
        """
        cause = "Define coordinates(truth), or say has_geometry = False where nobody knows how far apart tasks are."
        raise ValueError(problem("coordinates", f"none of {self.label.lower()}", "the family's true geometry", cause))

    @abstractmethod
    def task_name(self, truth: Tensor) -> str:
        """The readable name of one task, from its row of truth."""

    @abstractmethod
    def split(self, rng: torch.Generator) -> Split:
        """Three families that share no task (and no image)."""

    def sample(
        self, n_tasks: int, n_shot: int | None = None, *, rng: torch.Generator, n_query: int | None = None
    ) -> TaskBatch:
        """Sample tasks, each with a support set of n_shot samples (per class) and a query set of n_query.

        Support and query of one task share no image. Errors: n_tasks or n_shot below 1; TypeError or ValueError that
        names the method of a family of your own that draws something else than it should.
        """
        n_shot = self.default_shot if n_shot is None else n_shot
        n_query = n_shot if n_query is None else n_query
        for argument, value in (("n_tasks", n_tasks), ("n_shot", n_shot), ("n_query", n_query)):
            check_number(argument, value, 1, None, "A task needs at least one sample to be a task.")
        truth = check_truth(self, self.draw_truth(n_tasks, rng), n_tasks)
        x, y = check_samples(self, self.draw_samples(truth, n_shot + n_query, rng), n_tasks, n_shot + n_query)
        support_x, query_x = self._support_and_query(x, n_shot, n_query)
        support_y, query_y = self._support_and_query(y, n_shot, n_query)
        names = check_names(self, tuple(self.task_name(row) for row in truth))
        return TaskBatch(support_x, support_y, query_x, query_y, truth, self.truth_names, names)

    def redraw(self, batch: TaskBatch, rng: torch.Generator, n_shot: int | None = None) -> TaskBatch:
        """The same tasks with a support set drawn anew, independently of the old one."""
        n_shot = batch.support_x.shape[1] // self.n_way if n_shot is None else n_shot
        drawn = self.draw_samples(batch.truth.cpu(), n_shot, rng)
        return batch.with_support(*check_samples(self, drawn, len(batch), n_shot))

    def true_distance(self, batch: TaskBatch) -> Tensor:
        """The distance between every two tasks of the batch, from their truth: shape (n_tasks, n_tasks).

        Errors: ValueError for another family's tasks, and if the family knows no true distance (`has_geometry`).
        """
        self._check_mine(batch)
        coordinates = check_coordinates(self, self.coordinates(batch.truth.double()), len(batch))
        # Subtract entry by entry: with a matrix product the distance of a task to itself would be 1e-7, not 0.
        exact = torch.cdist(coordinates, coordinates, compute_mode="donot_use_mm_for_euclid_dist")
        return exact.to(batch.truth.dtype) if batch.truth.is_floating_point() else exact  # whole numbers would cut it

    def sketch(self, batch: TaskBatch) -> TaskSketch:
        """The data of a picture of each task, for a card beside the map; by default there is no picture."""
        self._check_mine(batch)
        return TaskSketch()

    def probe(self, batch: TaskBatch) -> Tensor:
        """Inputs at which each task's own network is evaluated, (n_tasks, n_probe, *x_shape).

        They are the inputs of the sketch, so that the outputs can be drawn over it (see `fit`).
        """
        return batch.support_x

    def fit(self, outputs: Tensor) -> TaskFit | None:
        """The outputs (n_tasks, n_probe, n_out) of networks at the probe, in the form that the sketch draws.

        None if they cannot be drawn: only the family itself knows what more than one number per sample means.
        """
        if self.classification:
            return TaskFit(classes=outputs.argmax(-1).to("cpu", torch.uint8).numpy())
        if outputs.ndim != 3 or outputs.shape[-1] != 1:
            return None
        return TaskFit(values=outputs.squeeze(-1).detach().cpu().float().numpy())

    def _check_mine(self, batch: TaskBatch) -> None:
        if batch.truth_names != self.truth_names:
            came, mine = (", ".join(names) or "without names" for names in (batch.truth_names, self.truth_names))
            raise ValueError(problem("batch", f"tasks with truth {came}", f"truth {mine}", "Is it another family's?"))

    def _support_and_query(self, samples: Tensor, n_shot: int, n_query: int) -> tuple[Tensor, Tensor]:
        # draw_samples orders a classification task by class, so the first n_shot of each class are its support set.
        by_class = samples.unflatten(1, (self.n_way, n_shot + n_query))
        return by_class[:, :, :n_shot].flatten(1, 2), by_class[:, :, n_shot:].flatten(1, 2)

    def _check_whole(self) -> None:
        # Splitting a part would split the whole family again, and held-out tasks would come back.
        if self.part:
            raise ValueError(problem("split", f"a part of {self.label.lower()}", "the whole family", "Split it once."))

    def describe(self) -> dict[str, Any]:
        """Name and fields, as a recording stores them."""
        fields = {f.name: as_python(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "part"}
        return {"name": self.name, **fields}

    def in_code(self) -> tuple[str, str]:
        """How lines of Python write this family, and a line that has to come before; "": its import is enough."""
        return constructor(self), ""

    def with_part(self, part: tuple[Any, ...]) -> Self:
        """The same family, drawing from this part only. Errors: TypeError for a part of a family that has none."""
        if "part" not in (field.name for field in dataclasses.fields(self)):
            if not part:
                return self
            cause = "A family with parts is a @dataclass(frozen=True) with a field: part: tuple[int, ...] = ()."
            raise TypeError(
                problem("part", f"one of {type(self).__name__}", "a family with a field of this name", cause)
            )
        changes: dict[str, Any] = {"part": part}
        return dataclasses.replace(self, **changes)


def uniform(n: int, rng: torch.Generator, part: tuple[int, ...] = ()) -> Tensor:
    """n numbers in [0, 1), uniform over all slices or over those of `part` only."""
    inside = torch.rand(n, generator=rng)
    if not part:
        return inside
    slices = torch.tensor(part)[torch.randint(len(part), (n,), generator=rng)]
    # A hundredth of each slice stays unused at both ends: rounding must not move a task into another part's slice.
    return (slices + 0.01 + 0.98 * inside) / N_SLICES


def split_slices(rng: torch.Generator) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """A random split of the slices of [0, 1): 80 % for training, 10 % for validation and 10 % never seen."""
    order = torch.randperm(N_SLICES, generator=rng).tolist()
    first, second = N_SLICES * 8 // 10, N_SLICES * 9 // 10
    return tuple(sorted(order[:first])), tuple(sorted(order[first:second])), tuple(sorted(order[second:]))
