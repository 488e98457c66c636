"""The validation set: a fixed set of tasks with their true parameters, and how a frame is computed from them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.base.devices import moved
from taskembed_edu.base.readings import Reading, check_names_differ
from taskembed_edu.embedders.base import LOSS, Embedder, StepRecord
from taskembed_edu.embedders.begun import check_vectors
from taskembed_edu.evaluation.geometry import TrueGeometry, all_distances, nearest_of_row
from taskembed_edu.evaluation.registry import SCORES, Score, ScoreContext, measured
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts
from taskembed_edu.projection.pca import pca
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.alarms import collapse_alarm
from taskembed_edu.session.history import Checkpoint, Frame, metric_of
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily

# With fewer tasks than this, a map shows nothing.
_FEWEST = 6


@compared_by_value
@dataclass(frozen=True)
class ValidationSet:
    """The tasks on the map.

    `resampled_support` are the same tasks with newly sampled support sets, where the embedder reads such. `geometry`
    and `groups` are None where the family has no true distance and no groups. `scores` are computed for every frame: a
    score that is registered later takes effect with the next run, so that all frames of one run have the same scores.

    Errors: ValueError if a score and a reading of the embedder have the same name.
    """

    embedder: Embedder[Any, Any]
    tasks: TaskBatch
    resampled_support: TaskBatch | None
    geometry: TrueGeometry | None
    groups: Tensor | None
    scores: tuple[Score, ...] = field(default_factory=lambda: tuple(SCORES.values()))
    # The set whose support sets were drawn first, and by their number of samples those that were drawn since.
    first: ValidationSet | None = field(default=None, compare=False, repr=False)
    redrawn: dict[int, ValidationSet] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_names_differ(self.readings)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What a frame of this embedder reports, in order: the loss, the scores, the other readings of a step."""
        reported = self.embedder.readings
        absent = {"resampled": not self.embedder.embeds_resampled_support, "geometry": self.geometry is None}
        scores = [score for score in self.scores if not any(absent.get(need) for need in score.needs)]
        return (*(r for r in reported if r.name == LOSS.name), *scores, *(r for r in reported if r.name != LOSS.name))

    @staticmethod
    def of(embedder: Embedder[Any, Any], split: Split, n_tasks: int, rng: torch.Generator) -> ValidationSet:
        """The validation set of this embedder, sampled from the validation part of a family."""
        family = split.validation
        tasks = embedder.watches(split, n_tasks, rng)
        resampled_support = family.redraw(tasks, rng) if embedder.embeds_resampled_support else None
        return ValidationSet(embedder, tasks, resampled_support, true_geometry(family, tasks), groups_of(family, tasks))

    def with_shots(self, family: TaskFamily, n_shot: int) -> ValidationSet:
        """The same tasks with support sets of `n_shot` samples (of each class); 0: those that were drawn first.

        A draw depends on the number alone, so a replay, an undo and a branch find the same sets again.
        Errors: ValueError for more samples than a task has.
        """
        first = self.first or self
        if n_shot == 0:
            return first
        if n_shot not in first.redrawn:
            rng = torch.Generator().manual_seed(n_shot)
            tasks = family.redraw(first.tasks, rng, n_shot)
            again = None if first.resampled_support is None else family.redraw(first.tasks, rng, n_shot)
            first.redrawn[n_shot] = dataclasses.replace(first, tasks=tasks, resampled_support=again, first=first)
        return first.redrawn[n_shot]

    def frame(
        self, now: Checkpoint, before: Sequence[Frame], index: int, loss: float, reported: Mapping[str, float]
    ) -> Frame:
        """The frame at this moment, after the frames `before`; `reported`: means over the steps since the last frame.

        See `step_means` for them. Errors: FloatingPointError if vectors or distances are not finite, or if too many
        tasks have diverged.
        """
        first, second = self._vectors(now)
        diverged_tasks = self.embedder.diverged_tasks(now.state)
        kept = [task for task in range(len(first)) if task not in diverged_tasks] if diverged_tasks else slice(None)
        distances = all_distances(first[kept], metric_of(now.settings))
        if not torch.isfinite(distances).all():
            raise diverged(now, "distance", math.inf)
        layout, axes = _layout(now, first, distances, kept)
        geometry, groups = self._truth_of(now, diverged_tasks, kept)
        earlier = _same_map(now, before[index - 1] if index else None, diverged_tasks)
        context = ScoreContext(
            vectors=first[kept].clone(),  # a score of one's own may write into it: the frame keeps what it was
            distances=distances,
            metric=metric_of(now.settings),
            settings=now.settings,
            resampled=None if second is None else second[kept],
            geometry=geometry,
            groups=groups,
            layout=layout[kept],
            previous_layout=None if earlier is None else earlier[kept],
            n_neighbors=now.setup.n_neighbors,
        )
        start = self.embedder.start(now.state)
        own = (reading.name for reading in self.embedder.readings if reading.name != LOSS.name)
        diagnostics = {**measured(self.scores, context), **{name: reported.get(name, math.nan) for name in own}}
        frame = Frame(
            index,
            now.state.step,
            loss,
            first.numpy(),
            layout,
            now.setup.projection,
            diagnostics,
            now.settings,
            umap_restarts=now.setup.umap_restarts,
            axes=axes,
            fit=self.embedder.answers(now.state),
            diverged_tasks=diverged_tasks,
            start=None if start is None else start.numpy(),
        )
        for array in frame.arrays():
            array.setflags(write=False)  # a frame is a record: copy an array before you change it
        return dataclasses.replace(frame, alarm=collapse_alarm(frame, before[:index]))

    def nearest(self, frame: Frame, task: int, k: int = 5) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The k tasks nearest to this one, in the frame's embedding (under its distance) and in truth, nearest first.

        In truth there may be fewer (see `TrueGeometry.nearest`): unrelated tasks are not counted as near. There are
        none where the true distances are unknown.
        Errors: ValueError for a task that is not in the validation set, or k outside 1..n_tasks - 1.
        """
        check_number("task", task, 0, len(self.tasks) - 1, "Tasks are counted from 0, in the order of `session.tasks`.")
        vectors, lost = torch.tensor(frame.embedding), list(frame.diverged_tasks)
        kept = torch.tensor([i for i in range(len(vectors)) if i == task or i not in lost])
        check_metric_accepts(frame.metric, embedding=vectors[kept])
        check_number("k", k, 1, len(vectors) - 1, "A task has every other task to be near to.")
        distances = torch.full((len(vectors),), torch.inf)
        distances[kept] = METRICS[frame.metric].between(vectors[task], vectors[kept])
        embedding = nearest_of_row(distances, task, len(vectors) - 1)
        truth = np.zeros(0, np.intp) if self.geometry is None else self.geometry.nearest(task, k, without=lost)
        return embedding[~np.isin(embedding, lost)][:k], truth

    def scores_in_words(self, frame: Frame) -> list[str]:
        """A frame's main scores, as "name 0.12": those of the closing report that also have a curve."""
        named = (score.name for score in self.scores if score.closing and score.panel is not None)
        return [f"{name} {frame.diagnostics[name]:.2f}" for name in named if name in frame.diagnostics]

    def _vectors(self, now: Checkpoint) -> tuple[Tensor, Tensor | None]:
        """The validation tasks' vectors, and those of their second support sets where the embedder uses such."""
        n_tasks, again = len(self.tasks), self.resampled_support
        first = check_vectors(self.embedder, self.embedder.view(now.state, now.settings), n_tasks)
        second = None
        if again is not None:
            second = check_vectors(self.embedder, self.embedder.view(now.state, now.settings, again), n_tasks)
        if not all(bool(torch.isfinite(vectors).all()) for vectors in (first, second) if vectors is not None):
            raise diverged(now, "embedding", math.nan)
        return first, second

    def _truth_of(
        self, now: Checkpoint, diverged_tasks: tuple[int, ...], kept: Any
    ) -> tuple[TrueGeometry | None, Tensor | None]:
        """The true geometry and the groups of the tasks that have not diverged."""
        if not diverged_tasks:
            return self.geometry, self.groups
        left = len(self.tasks) - len(diverged_tasks)
        if left < _FEWEST:
            raise diverged(now, f"tasks left ({left} of {len(self.tasks)})", math.nan)
        geometry = None if self.geometry is None else TrueGeometry(self.geometry.true_distance[kept][:, kept])
        return geometry, None if self.groups is None else self.groups[kept]


def true_geometry(family: TaskFamily, tasks: TaskBatch) -> TrueGeometry | None:
    """The true distances of these tasks; None where the family has none."""
    return TrueGeometry(family.true_distance(tasks)) if family.has_geometry else None


def groups_of(family: TaskFamily, tasks: TaskBatch) -> Tensor | None:
    """Each task's group, from the column of the true parameters that defines groups; None where there are none."""
    return None if family.group is None else tasks.truth[:, tasks.truth_names.index(family.group)]


def step_means(now: Checkpoint, readings: Sequence[Reading]) -> tuple[float, dict[str, float]]:
    """The mean loss of the steps since the last frame, and the means of their other readings, NaN omitted.

    The readings of steps stay on their device until a frame is due: reading them at every step would stall a GPU.
    Errors: FloatingPointError if the loss is not finite; ValueError for a reading that is not declared.
    """
    names = [reading.name for reading in readings if reading.name != LOSS.name]
    means = {name: mean for name in names if (mean := _mean(name, now.records)) is not None}
    loss, *told = _read([torch.stack([record.loss for record in now.records]).mean(), *means.values()])
    if not math.isfinite(loss):
        raise diverged(now, "loss", loss)
    for name in {name for record in now.records for name in record.readings}.difference(names):
        cause = "Add a Reading of this name to the embedder's `readings`."
        raise ValueError(problem("StepRecord.readings", repr(name), f"declared names ({', '.join(names)})", cause))
    return loss, {**dict.fromkeys(names, math.nan), **dict(zip(means, told, strict=True))}


def _mean(name: str, records: Sequence[StepRecord]) -> Tensor | None:
    values = [record.readings[name] for record in records if name in record.readings]
    return torch.stack(values).nanmean() if values else None


def _read(values: Sequence[Tensor]) -> list[float]:
    """Single numbers as Python's, by one read: on a GPU each read waits for the device."""
    device = values[0].device
    numbers: list[float] = torch.stack([moved(value.double(), device) for value in values]).tolist()
    return numbers


def diverged(now: Checkpoint, what: str, came: float) -> FloatingPointError:
    """The error of a run whose numbers are no longer finite."""
    rate = getattr(now.settings, "learning_rate", math.nan)
    cause = f"Lower the learning rate ({rate:g} now) and reset; all frames so far are kept."
    return FloatingPointError(problem(what, f"{came} at step {now.state.step}", "a finite number", cause))


def _same_map(now: Checkpoint, before: Frame | None, diverged_tasks: tuple[int, ...]) -> Layout | None:
    """The layout of the frame before; None if that was another map, which cannot be compared with this one."""
    if before is None:
        return None
    same = before.projection == now.setup.projection
    same = same and (before.umap_restarts == now.setup.umap_restarts or now.setup.projection == "pca")
    same = same and before.diverged_tasks == diverged_tasks  # other tasks on the map: UMAP begins anew
    return before.layout if same else None


def _layout(now: Checkpoint, embedding: Tensor, distances: Tensor, kept: Any) -> tuple[Layout, Layout | None]:
    """The map of these vectors, and the directions of a PCA map; a diverged task is placed in the middle."""
    earlier = None if now.pca is None else now.pca[kept]
    if now.setup.projection == "pca":
        layout, axes = pca(embedding[kept], earlier)
        now.pca = placed_with_diverged(layout, len(embedding), kept)
        return now.pca, axes
    now.umap.metric = metric_of(now.settings)
    now.umap.n_neighbors, now.umap.min_dist = now.setup.n_neighbors, now.setup.min_dist
    return placed_with_diverged(now.umap.update(embedding[kept], earlier, distances), len(embedding), kept), None


def placed_with_diverged(layout: Layout, n_tasks: int, kept: Any) -> Layout:
    """The places of the tasks `kept` among all n_tasks, (n_tasks, 2); each other task stands in their middle."""
    if len(layout) == n_tasks:
        return layout
    whole = np.tile(layout.mean(axis=0), (n_tasks, 1))
    whole[kept] = layout
    return whole
