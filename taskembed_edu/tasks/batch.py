"""One task, and a batch of tasks: the currency of the course.

Shapes: support_x (n_tasks, n_support, *x_shape), support_y (n_tasks, n_support, *y_shape), query likewise,
truth (n_tasks, n_truth). n_support is n_shot in regression and n_way * n_shot in classification (n_shot per class).
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.base.devices import moved


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
            check_mask(mask, samples)

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

    @property
    def n_way(self) -> int:
        """How many classes the labels of support and query sets name: the largest label, and one."""
        return int(torch.maximum(self.support_y.max(), self.query_y.max())) + 1

    def relabelled(self, rng: torch.Generator) -> TaskBatch:
        """The same tasks with the classes of each numbered in an order of its own.

        Without it a network may learn which number a class always has, and needs no support set (Yin and others 2020,
        "Meta-learning without memorization"). Errors: ValueError for tasks without classes.
        Worked number: of two classes, half of all tasks keep their numbers.
        """
        if self.support_y.is_floating_point() or self.support_y.ndim != 2:
            raise ValueError(problem("support_y", self.support_y, "labels of classes, (n_tasks, n_support)"))
        order = torch.rand(len(self), self.n_way, generator=rng).argsort(dim=1).to(self.support_y.device)
        return dataclasses.replace(
            self, support_y=order.gather(1, self.support_y), query_y=order.gather(1, self.query_y)
        )

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


def check_mask(mask: Tensor | None, samples: Tensor) -> None:
    """Raise unless `mask` is None or says of each sample (n_tasks, n, ...) whether it is real."""
    if mask is None:
        return
    expected = f"a tensor of booleans of shape {tuple(samples.shape[:2])}: one a sample"
    if not isinstance(mask, Tensor):
        raise TypeError(problem("mask", f"a {type(mask).__name__}", expected))
    if mask.dtype != torch.bool or mask.shape != samples.shape[:2]:
        raise ValueError(problem("mask", mask, expected, "True: the sample is real. False: it is padding."))


def _one_index(which: Any) -> int | None:
    """The position of one task, in whatever integer type it comes (numpy's, a tensor's); None for several tasks."""
    if getattr(which, "ndim", 0) or not hasattr(which, "__index__"):
        return None
    return operator.index(which)


def check_tasks(tasks: object) -> None:
    """Raise unless these are tasks with samples."""
    if not isinstance(tasks, TaskBatch):
        came = repr(tasks) if isinstance(tasks, str) else tasks
        raise TypeError(problem("tasks", came, "tasks with samples: family.sample(25, 10, rng=rng)"))
