"""The interface of a task family: what draws tasks (`batch.py`) and knows their truth.

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
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.base.checks import check_rng, check_whole, problem
from taskembed_edu.base.settings import as_python
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.base.spelling import as_json, can_be_spelt, constructor
from taskembed_edu.tasks.batch import Episode as Episode
from taskembed_edu.tasks.batch import Task as Task
from taskembed_edu.tasks.batch import TaskBatch as TaskBatch
from taskembed_edu.tasks.drawn import check_coordinates, check_declared, check_names, check_samples, check_truth
from taskembed_edu.tasks.sketch import TaskFit, TaskSketch
from taskembed_edu.tasks.slices import N_SLICES as N_SLICES
from taskembed_edu.tasks.slices import split_slices as split_slices
from taskembed_edu.tasks.slices import uniform as uniform

TruthKind = Literal["quantity", "angle", "category"]


def _python_numbers(value: Any) -> Any:
    """Numpy's numbers as Python's, in tuples too: code, recordings and pages are made of the fields of a family."""
    if isinstance(value, tuple):
        return as_python(value) if any(isinstance(entry, np.generic) for entry in value) else value
    return as_python(value) if isinstance(value, np.generic) else value


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
    fetched: ClassVar[bool] = False  # whether its data do not come with the package, and are fetched when needed
    has_geometry: ClassVar[bool] = True  # whether the true distance between two tasks is known

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not hasattr(cls, "kind") and hasattr(cls, "classification"):
            cls.kind = "points" if cls.classification else "numbers"
        if "__post_init__" in cls.__dict__:  # a subclass's own check need not think of numpy's numbers
            check = cls.__post_init__

            @short_errors
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

    @classmethod
    def is_at_hand(cls) -> bool:
        """Whether the data of the family, as it is by default, are on this machine: nothing would be fetched."""
        return True

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

    @short_errors
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
            check_whole(argument, value, 1, None, "A task needs at least one sample to be a task.")
        check_rng(rng)
        return self._with_truth(self.draw_truth(n_tasks, rng), n_tasks, n_shot, n_query, rng)

    def _with_truth(self, truth: Tensor, n_tasks: int, n_shot: int, n_query: int, rng: torch.Generator) -> TaskBatch:
        """The tasks with this truth, their samples drawn now."""
        truth = check_truth(self, truth, n_tasks)
        x, y = check_samples(self, self.draw_samples(truth, n_shot + n_query, rng), n_tasks, n_shot + n_query)
        support_x, query_x = self._support_and_query(x, n_shot, n_query)
        support_y, query_y = self._support_and_query(y, n_shot, n_query)
        names = check_names(self, tuple(self.task_name(row) for row in truth))
        return TaskBatch(support_x, support_y, query_x, query_y, truth, self.truth_names, names)

    @short_errors
    def redraw(self, batch: TaskBatch, rng: torch.Generator, n_shot: int | None = None) -> TaskBatch:
        """The same tasks with a support set drawn anew, independently of the old one."""
        self._check_mine(batch)
        n_shot = batch.support_x.shape[1] // self.n_way if n_shot is None else n_shot
        check_whole("n_shot", n_shot, 1, None)
        drawn = self.draw_samples(batch.truth.cpu(), n_shot, check_rng(rng))
        return batch.with_support(*check_samples(self, drawn, len(batch), n_shot))

    @short_errors
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
        if not isinstance(batch, TaskBatch):
            cause = "family.sample(4, rng=rng) draws some."
            raise TypeError(problem("batch", f"a {type(batch).__name__}", "tasks of this family", cause))
        if batch.truth_names != self.truth_names:
            came, mine = (", ".join(names) or "without names" for names in (batch.truth_names, self.truth_names))
            raise ValueError(problem("batch", f"tasks with truth {came}", f"truth {mine}", "Is it another family's?"))

    def _check_ways(self, n_way: int) -> None:
        if n_way != self.n_way:
            cause = "Distances between them are shares of the classes: make a family of as many."
            raise ValueError(problem("batch", f"tasks of {n_way} classes", f"tasks of {self.n_way}", cause))

    def _support_and_query(self, samples: Tensor, n_shot: int, n_query: int) -> tuple[Tensor, Tensor]:
        # draw_samples orders a classification task by class, so the first n_shot of each class are its support set.
        by_class = samples.unflatten(1, (self.n_way, n_shot + n_query))
        return by_class[:, :, :n_shot].flatten(1, 2), by_class[:, :, n_shot:].flatten(1, 2)

    def _check_split(self, rng: torch.Generator) -> None:
        check_rng(rng)
        # Splitting a part would split the whole family again, and held-out tasks would come back.
        if self.part:
            raise ValueError(problem("split", f"a part of {self.label.lower()}", "the whole family", "Split it once."))

    def describe(self) -> dict[str, Any]:
        """Name and fields, as a recording stores them."""
        fields = {f.name: as_json(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "part"}
        return {"name": self.name, **fields}

    def in_code(self) -> tuple[str, str]:
        """How lines of Python write this family, and a line that has to come before; "": its import is enough."""
        if not can_be_spelt(self):
            made = f"a {type(self).__name__} with fields that a line of code cannot hold"
            return "tasks", f"# Make `tasks` first: {made}."
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
