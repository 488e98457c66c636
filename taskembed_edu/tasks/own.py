"""Your own data as tasks: one data set a task, in two arrays."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.formulas._vectors import Vectors
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily, TruthKind
from taskembed_edu.tasks.own_arrays import as_columns, as_data, as_names, check_classes, checked_shots, rows_of_class
from taskembed_edu.tasks.sketch import TaskSketch
from taskembed_edu.tasks.slices import deal

# Parts for training, validation and never-seen tasks, so that each has at least this many.
_FEWEST = 5
_CURVE_POINTS = 32


@compared_by_value
@dataclass(frozen=True, init=False)
class OwnTasks(TaskFamily):
    """Tasks from arrays: `x[i]` are the inputs of task i, `y[i]` its answers; a support set is a draw of its rows.

        tasks = OwnTasks(x, y, truth={"slope": slope}, label="My lines")
        MetricLab(tasks)

    Shapes: x (n_tasks, n_rows, entries), or (n_tasks, n_rows, channels, height, width) for pictures. Regression: y
    (n_tasks, n_rows) or (n_tasks, n_rows, 1), any numbers. Classification: y (n_tasks, n_rows), whole numbers from 0;
    every task has every class, and at least two rows of each.

    `truth`, if you know it, gives one number a task for each name: tasks are coloured by it, and distances between them
    are compared with the Euclidean distance of the standardised numbers. Without it nothing is compared. `names` gives
    each task a name. About 60, 20 and 20 % of the tasks go to training, validation and never-seen tasks.

    `n_shot` rows make a support set; default: a quarter of a task's rows (of each class), so that support and query
    sets, drawn twice, differ. The arrays are kept on the CPU, where rows are drawn.

    Errors: ValueError for arrays that do not belong together, fewer than 25 tasks, a class that a task lacks, or a
    draw of more rows than a task has, numbers as the answers to pictures.

    >>> x = torch.linspace(0, 1, 20).expand(30, 20).unsqueeze(-1)
    >>> slope = torch.linspace(-1, 1, 30)
    >>> tasks = OwnTasks(x, slope[:, None] * x.squeeze(-1), truth={"slope": slope}, label="My lines")
    >>> batch = tasks.sample(3, rng=torch.Generator().manual_seed(0))
    >>> batch.support_x.shape, batch.truth_names, len(tasks)
    (torch.Size([3, 5, 1]), ('slope',), 30)
    """

    x: Tensor
    y: Tensor
    known: Tensor  # (n_tasks, n_truth), double precision
    known_names: tuple[str, ...]
    names: tuple[str, ...]
    title: str
    n_classes: int
    n_shot: int
    part: tuple[int, ...] = ()

    name: ClassVar[str] = "own_tasks"
    label_points: ClassVar[bool] = False

    @short_errors
    def __init__(
        self,
        x: Vectors,
        y: Vectors,
        *,
        truth: Mapping[str, Vectors] | None = None,
        names: Sequence[str] | None = None,
        label: str = "My tasks",
        n_shot: int | None = None,
    ) -> None:
        x, y = as_data(x, y)
        classification = not y.is_floating_point()
        n_classes = check_classes(y) if classification else 1
        rows = rows_of_class(y, n_classes)
        fields = {
            "x": x,
            "y": y,
            "known": as_columns(truth, len(x)),
            "known_names": tuple(map(str, {} if truth is None else truth)),
            "names": as_names(names, len(x)),
            "title": str(label),
            "n_classes": n_classes,
            "n_shot": checked_shots(n_shot, rows),
            "part": (),
        }
        # What a family of one kind declares with its class depends on the data here.
        declared = {
            "label": fields["title"],
            "classification": classification,
            "kind": "image" if x.ndim == 5 else "points" if classification else "numbers",
            "has_geometry": bool(fields["known_names"]),
            "default_shot": fields["n_shot"],
        }
        for field, value in (fields | declared).items():
            object.__setattr__(self, field, value)

    def __len__(self) -> int:
        return len(self.part or self.x)

    def __repr__(self) -> str:
        return f"OwnTasks({self.label}: {len(self)} tasks of {self.x.shape[1]} rows)"

    @property
    def truth_names(self) -> tuple[str, ...]:
        return self.known_names

    @property
    def truth_kinds(self) -> tuple[TruthKind, ...]:
        quantity: TruthKind = "quantity"
        return (quantity,) * len(self.known_names)

    @property
    def x_shape(self) -> tuple[int, ...]:
        return tuple(self.x.shape[2:])

    @property
    def n_way(self) -> int:
        return self.n_classes

    @property
    def n_distinct(self) -> int:
        return len(self)

    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        mine = torch.tensor(self.part or range(len(self.x)))
        if n_tasks > len(mine):
            cause = "No task is drawn twice."
            raise ValueError(problem("n_tasks", n_tasks, f"at most {len(mine)}: so many tasks there are", cause))
        which = mine[torch.randperm(len(mine), generator=rng)[:n_tasks]]
        return torch.cat((self.known[which], which[:, None].double()), dim=1)

    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        which = truth[:, -1].long()
        order = torch.rand(len(which), self.x.shape[1], generator=rng)
        if self.classification:
            rows = [self._drawn(order.masked_fill(self.y[which] != k, 2.0), n_shot) for k in range(self.n_way)]
        else:
            rows = [self._drawn(order, n_shot)]
        chosen = torch.cat(rows, dim=1)
        return self.x[which[:, None], chosen], self.y[which[:, None], chosen]

    def _drawn(self, order: Tensor, n_shot: int) -> Tensor:
        """The rows with the `n_shot` smallest numbers; 2 marks rows that are not to be drawn."""
        fewest = int((order < 2).sum(dim=1).min())
        if n_shot > fewest:
            of = "rows of a class" if self.classification else "rows"
            cause = "Support and query sets take n_shot + n_query rows together, and share none."
            raise ValueError(problem("n_shot", n_shot, f"at most {fewest} {of}, as many as the smallest has", cause))
        return order.argsort(dim=1)[:, :n_shot]

    def coordinates(self, truth: Tensor) -> Tensor:
        spread = self.known.std(0, correction=0)
        return truth[:, :-1].double() / torch.where(spread > 0, spread, 1.0)

    def task_name(self, truth: Tensor) -> str:
        number = int(truth[-1])
        if self.names:
            return self.names[number]
        said = ", ".join(f"{name} {value:.6g}" for name, value in zip(self.known_names, truth.tolist(), strict=False))
        return said or f"task {number}"

    def sketch(self, batch: TaskBatch) -> TaskSketch:
        """The support set: over the curve through all rows of the task, as points of two coordinates, or as pictures.

        Inputs of three coordinates or more have no picture.
        """
        self._check_mine(batch)
        points, answers = batch.support_x.cpu(), batch.support_y.cpu()
        if self.kind == "image":
            low, high = float(self.x.min()), float(self.x.max())
            pictures = (points.mean(2) - low) / max(high - low, 1e-12)
            return TaskSketch("images", images=pictures, classes=answers)
        if self._is_curve:
            pairs = torch.cat((points, answers), dim=-1)
            return TaskSketch("curve", x=_ends(self.x), y=_ends(self.y), points=pairs, curve=self._curves(batch))
        if self.classification and self.x_shape[0] <= 2:
            points = torch.nn.functional.pad(points, (0, 2 - points.shape[-1]))
            ends = _ends(self.x[..., 0]), _ends(self.x[..., -1])
            return TaskSketch("scatter", x=ends[0], y=ends[1], points=points, classes=answers)
        return super().sketch(batch)

    @property
    def _is_curve(self) -> bool:
        return not self.classification and self.x_shape == (1,)

    def _curves(self, batch: TaskBatch) -> Tensor:
        """Through all rows of each task, in the order of x: (n_tasks, _CURVE_POINTS)."""
        places = np.linspace(*_ends(self.x), _CURVE_POINTS)
        which = batch.truth[:, -1].long().cpu()
        of_x, of_y = self.x[which, :, 0].numpy(), self.y[which, :, 0].numpy()
        orders = np.argsort(of_x, axis=1)
        curves = [np.interp(places, x[order], y[order]) for x, y, order in zip(of_x, of_y, orders, strict=True)]
        return torch.from_numpy(np.stack(curves)).to(self.y)

    def probe(self, batch: TaskBatch) -> Tensor:
        """Evenly spaced inputs under a curve; else the support set."""
        if not self._is_curve:
            return super().probe(batch)
        x = torch.linspace(*_ends(self.x), _CURVE_POINTS, dtype=self.x.dtype, device=batch.support_x.device)
        return x[:, None].expand(len(batch), -1, -1)

    def split(self, rng: torch.Generator) -> Split:
        """Whole tasks are held out: about 60, 20 and 20 %."""
        self._check_split(rng)
        n = len(self.x)
        if n < 5 * _FEWEST:
            cause = "A fifth of them are watched, and another fifth are never seen."
            raise ValueError(problem("x", f"{n} tasks", f"at least {5 * _FEWEST}", cause))
        return Split(*map(self.with_part, deal(torch.randperm(n, generator=rng).tolist())))

    def with_part(self, part: tuple[Any, ...]) -> OwnTasks:
        """The same tasks, of which only those with these numbers are drawn."""
        twin = copy.copy(self)  # the data are checked already, and all parts share them
        object.__setattr__(twin, "part", tuple(part))
        return twin

    def in_code(self) -> tuple[str, str]:
        return "tasks", f"# Make `tasks` first: they are your own, {len(self)} of them (OwnTasks)."

    def describe(self) -> dict[str, Any]:
        """Name, sizes and a checksum, as a recording stores them: the data are yours to keep."""
        data = zlib.crc32(b"".join(part.contiguous().numpy().tobytes() for part in (self.x, self.y, self.known)))
        return {"name": self.name, "label": self.title, "n_tasks": len(self.x), "n_rows": self.x.shape[1], "data": data}


def _ends(values: Tensor) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low - 1.0, high + 1.0)
