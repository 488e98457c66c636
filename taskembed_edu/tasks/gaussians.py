"""Gaussian classes: the simplest classification tasks; their truth is the means of the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_number, check_whole
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily, TruthKind, split_slices, uniform
from taskembed_edu.tasks.classes import labels_in_order
from taskembed_edu.tasks.sketch import TaskSketch

MOST_CLASSES, MOST_COORDINATES = 1000, 10_000


@dataclass(frozen=True)
class Gaussians(TaskFamily):
    r"""N-way classification of points drawn from Gaussians with means of their own.

    Class k of a task: x ~ N(mean_k, spread^2 I) in `dim` dimensions, mean_k uniform in [-box, box]^dim. Truth: all
    means, flattened, n_way * dim numbers. True geometry: Euclidean between the flattened means. The order of the
    labels matters: which class is where defines the task.

    Shapes: x (n_tasks, n_way * n_shot, dim); y (n_tasks, n_way * n_shot), int64 labels, class by class.

    >>> tasks = Gaussians(n_way=2).sample(4, n_shot=5, rng=torch.Generator().manual_seed(0))
    >>> tasks.support_x.shape, tasks.truth.shape
    (torch.Size([4, 10, 2]), torch.Size([4, 4]))
    """

    n_way: int = 2
    dim: int = 2
    box: float = 3.0
    spread: float = 0.5
    part: tuple[int, ...] = ()

    name: ClassVar[str] = "gaussians"
    label: ClassVar[str] = "Gaussian classes"
    kind: ClassVar[str] = "points"
    classification: ClassVar[bool] = True
    default_shot: ClassVar[int] = 8

    def __post_init__(self) -> None:
        check_whole("n_way", self.n_way, 2, MOST_CLASSES, "A classification task has at least two classes.")
        check_whole("dim", self.dim, 1, MOST_COORDINATES)
        check_number("box", self.box, 0, 1e6, "The means of the classes lie between -box and box.")
        check_number("spread", self.spread, 0, 1e6, "It is the standard deviation of a class.")

    @property
    def truth_names(self) -> tuple[str, ...]:
        axes = "xyz" if self.dim <= 3 else None
        names = [axes[i] if axes else f"x{i}" for i in range(self.dim)]
        return tuple(f"mean of class {k}, {axis}" for k in range(self.n_way) for axis in names)

    @property
    def truth_kinds(self) -> tuple[TruthKind, ...]:
        quantity: TruthKind = "quantity"
        return (quantity,) * (self.n_way * self.dim)

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (self.dim,)

    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        unit = torch.rand(n_tasks, self.n_way * self.dim, generator=rng)
        # The split uses the first coordinate of the first mean: one coordinate is enough to separate the tasks.
        unit[:, 0] = uniform(n_tasks, rng, self.part)
        return self.box * (2 * unit - 1)

    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        means = truth.reshape(len(truth), self.n_way, 1, self.dim)
        noise = torch.randn(len(truth), self.n_way, n_shot, self.dim, generator=rng)
        return (means + self.spread * noise).flatten(1, 2), labels_in_order(len(truth), self.n_way, n_shot)

    def coordinates(self, truth: Tensor) -> Tensor:
        return truth

    def task_name(self, truth: Tensor) -> str:
        means = truth.reshape(self.n_way, self.dim)
        return ", ".join(f"class {k} at ({', '.join(f'{v:.1f}' for v in mean)})" for k, mean in enumerate(means))

    def sketch(self, batch: TaskBatch) -> TaskSketch:
        """Each task's support points by class: the first two coordinates (with one dimension, on a line)."""
        self._check_mine(batch)
        points = torch.nn.functional.pad(batch.support_x.cpu(), (0, max(0, 2 - self.dim)))[..., :2]
        # Almost no point is more than three standard deviations beyond the outermost mean.
        end = self.box + 3 * self.spread
        ends = (-end, end)
        return TaskSketch("scatter", x=ends, y=ends, points=points.clamp(*ends), classes=batch.support_y.cpu())

    def split(self, rng: torch.Generator) -> Split:
        """The first mean's first coordinate is cut into thin slices; each slice belongs to one part."""
        self._check_split(rng)
        return Split(*(self.with_part(part) for part in split_slices(rng)))
