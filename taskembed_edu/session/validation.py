"""What a session watches: a fixed set of tasks and their truth, and the frame that they give at one moment of a run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.embedders.base import Embedder
from taskembed_edu.evaluation.geometry import TrueGeometry, all_distances, nearest_of_row
from taskembed_edu.evaluation.scores import mean_distance, neighbour_purity, recall_at_k
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts
from taskembed_edu.projection.pca import pca
from taskembed_edu.projection.quality import jitter, map_trust
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.alarms import collapse_alarm
from taskembed_edu.session.history import Checkpoint, Frame, metric_of
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily

# With fewer tasks there is no map to speak of.
_FEWEST = 6


@dataclass(frozen=True)
class ValidationSet:
    """The tasks on the map. `resampled_support` are the same tasks with support sets drawn anew, where the embedder
    reads such; `groups` gives each task's group, where the family has groups.
    """

    embedder: Embedder[Any, Any]
    tasks: TaskBatch
    resampled_support: TaskBatch | None
    geometry: TrueGeometry
    groups: Tensor | None

    @staticmethod
    def of(embedder: Embedder[Any, Any], split: Split, n_tasks: int, rng: torch.Generator) -> ValidationSet:
        """The tasks that this embedder watches, drawn from the validation part of a family."""
        family = split.validation
        tasks = embedder.watches(split, n_tasks, rng)
        resampled_support = family.redraw(tasks, rng) if embedder.embeds_resampled_support else None
        return ValidationSet(
            embedder, tasks, resampled_support, TrueGeometry(family.true_distance(tasks)), groups_of(family, tasks)
        )

    def frame(self, now: Checkpoint, before: Sequence[Frame], index: int, loss: float, active: float) -> Frame:
        """What is seen now, after the frames `before`.

        Errors: FloatingPointError where vectors or distances are not finite, or too few tasks are left.
        """
        first, second = self._vectors(now)
        diverged_tasks = self.embedder.diverged_tasks(now.state)
        kept = [task for task in range(len(first)) if task not in diverged_tasks] if diverged_tasks else slice(None)
        distances = all_distances(first[kept], metric_of(now.settings))
        if not torch.isfinite(distances).all():
            raise diverged(now, "distance", math.inf)
        layout, axes = _layout(now, first, distances, kept)
        told = scores(now, first, second, distances, *self._truth_of(now, diverged_tasks, kept))
        told["trustworthiness"] = map_trust(distances, layout[kept], now.setup.n_neighbors)
        told["jitter"] = _jitter(now, layout, before[index - 1] if index else None, diverged_tasks)
        told["mean_distance"] = mean_distance(distances)
        if bool((first[kept] == first[kept][:1]).all()):
            # All tasks are one point: any map is as true as any other, and whoever is nearest is so by rounding.
            told |= {"trustworthiness": math.nan, "mean_distance": 0.0}
            told |= dict.fromkeys(told.keys() & {"spearman", "purity"}, math.nan)
        told["active_pairs"] = active
        frame = Frame(
            index,
            now.state.step,
            loss,
            first.numpy(),
            layout,
            now.setup.projection,
            told,
            now.settings,
            refits=now.setup.refits,
            axes=axes,
            fit=self.embedder.answers(now.state),
            diverged_tasks=diverged_tasks,
        )
        for array in frame.arrays():
            array.setflags(write=False)  # a frame is a record: who draws on it must copy it first
        return dataclasses.replace(frame, alarm=collapse_alarm(frame, before[:index]))

    def nearest(self, frame: Frame, task: int, k: int = 5) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The k tasks nearest to this one, in the frame's embedding (under its distance) and in truth, nearest first.

        In truth there may be fewer (see `TrueGeometry.nearest`): unrelated are not counted as near.
        Errors: ValueError for a task that is not watched, or k outside 1..n_tasks - 1.
        """
        check_number("task", task, 0, len(self.tasks) - 1, "Tasks are counted from 0, in the order of `session.tasks`.")
        vectors, lost = torch.tensor(frame.embedding), list(frame.diverged_tasks)
        kept = torch.tensor([i for i in range(len(vectors)) if i == task or i not in lost])
        check_metric_accepts(frame.metric, embedding=vectors[kept])
        check_number("k", k, 1, len(vectors) - 1, "A task has every other task to be near to.")
        distances = torch.full((len(vectors),), torch.inf)
        distances[kept] = METRICS[frame.metric].between(vectors[task], vectors[kept])
        embedding = nearest_of_row(distances, task, len(vectors) - 1)
        return embedding[~np.isin(embedding, lost)][:k], self.geometry.nearest(task, k, without=lost)

    def _vectors(self, now: Checkpoint) -> tuple[Tensor, Tensor | None]:
        """The watched tasks' vectors, and those of their second support sets where the embedder has such."""
        first = self.embedder.view(now.state, now.settings)
        second = None if self.resampled_support is None else self.embedder.embed(now.state, self.resampled_support)
        if not all(bool(torch.isfinite(vectors).all()) for vectors in (first, second) if vectors is not None):
            raise diverged(now, "embedding", math.nan)
        return first, second

    def _truth_of(
        self, now: Checkpoint, diverged_tasks: tuple[int, ...], kept: Any
    ) -> tuple[TrueGeometry, Tensor | None]:
        """The true geometry and the groups of the tasks that count."""
        if not diverged_tasks:
            return self.geometry, self.groups
        left = len(self.tasks) - len(diverged_tasks)
        if left < _FEWEST:
            raise diverged(now, f"tasks left ({left} of {len(self.tasks)})", math.nan)
        geometry = TrueGeometry(self.geometry.true_distance[kept][:, kept])
        return geometry, None if self.groups is None else self.groups[kept]


def groups_of(family: TaskFamily, tasks: TaskBatch) -> Tensor | None:
    """Which tasks are mates, by the column of the truth that groups them; None where the family has none."""
    return None if family.group is None else tasks.truth[:, tasks.truth_names.index(family.group)]


def scores(
    now: Checkpoint,
    first: Tensor,
    second: Tensor | None,
    distances: Tensor,
    geometry: TrueGeometry,
    groups: Tensor | None,
) -> dict[str, float]:
    """How well these vectors tell what is true: recall, Spearman, and purity where tasks have mates."""
    told = {}
    if second is not None:
        recall = recall_at_k(second, first, ks=(1, 5), metric=metric_of(now.settings))
        told = {"recall@1": recall[1], "recall@5": recall[5]}
    told["spearman"] = geometry.rank_correlation(distances)
    if groups is not None:
        told["purity"] = neighbour_purity(distances, groups)
    return told


def diverged(now: Checkpoint, what: str, came: float) -> FloatingPointError:
    """The error of a run that has no numbers any more."""
    rate = getattr(now.settings, "learning_rate", math.nan)
    cause = f"Lower the learning rate ({rate:g} now) and reset; all frames so far are kept."
    return FloatingPointError(problem(what, f"{came} at step {now.state.step}", "a finite number", cause))


def _jitter(now: Checkpoint, layout: Layout, before: Frame | None, diverged_tasks: tuple[int, ...]) -> float:
    """How far the map moved since the frame before; NaN where that was another map."""
    if before is None:
        return math.nan
    same = before.projection == now.setup.projection
    same = same and (before.refits == now.setup.refits or now.setup.projection == "pca")
    same = same and before.diverged_tasks == diverged_tasks  # another number: begun anew
    return jitter(layout, before.layout) if same else math.nan


def _layout(now: Checkpoint, embedding: Tensor, distances: Tensor, kept: Any) -> tuple[Layout, Layout | None]:
    """The map of these vectors, and the directions of a PCA map; a task that is left out stands in the middle."""
    earlier = None if now.pca is None else now.pca[kept]
    if now.setup.projection == "pca":
        layout, axes = pca(embedding[kept], earlier)
        now.pca = _placed(layout, len(embedding), kept)
        return now.pca, axes
    now.umap.metric = metric_of(now.settings)
    now.umap.n_neighbors = now.setup.n_neighbors
    return _placed(now.umap.update(embedding[kept], earlier, distances), len(embedding), kept), None


def _placed(layout: Layout, n_tasks: int, kept: Any) -> Layout:
    if len(layout) == n_tasks:
        return layout
    whole = np.tile(layout.mean(axis=0), (n_tasks, 1))
    whole[kept] = layout
    return whole
