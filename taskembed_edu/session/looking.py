"""The read-only half of a session: its run, and what is computed from it. Nothing here changes a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.former import Former
from taskembed_edu.base.settings import Setting
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders.base import Embedder, sample_tasks
from taskembed_edu.embedders.begun import check_vectors
from taskembed_edu.evaluation.geometry import NeighbourChanges, TrueGeometry, all_distances
from taskembed_edu.evaluation.registry import ScoreContext, measured
from taskembed_edu.session.alarms import last_stable_frame
from taskembed_edu.session.events import Event, undo_values
from taskembed_edu.session.history import Checkpoint, Frame, History, metric_of
from taskembed_edu.session.parsing import declared_settings
from taskembed_edu.session.recovery import Recovery, recovery
from taskembed_edu.session.run import Run, readable_families
from taskembed_edu.session.setup import Setup
from taskembed_edu.session.validation import ValidationSet, groups_of, true_geometry
from taskembed_edu.tasks import FAMILIES, task_family
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily


class RunView:
    """The read-only half of a session. `_run` is the current run; slow reads hold `lock`, so it does not change."""

    embedder: Embedder[Any, Any]
    lock: Callable[[str], AbstractContextManager[None]]
    own_families: dict[str, TaskFamily]
    _run: Run

    @property
    def family(self) -> TaskFamily | None:
        """The family of tasks that was given as an object; None: the package's family, with its default values."""
        return self._run.family

    def named_family(self) -> TaskFamily | str:
        """The family's name where that suffices, because all its fields have their defaults; else the family."""
        family = self.family
        if family is None or (family.name in FAMILIES and family == task_family(family.name)):
            return self.setup.family
        return family

    @property
    def split(self) -> Split:
        """The family's parts: training, validation and never-seen tasks."""
        return self._run.split

    @property
    def validation_set(self) -> ValidationSet:
        """The validation tasks and their true parameters."""
        return self._run.validation_set

    @property
    def events(self) -> list[Event]:
        """Every change of settings so far, with the step that it precedes."""
        return self._run.events

    @property
    def history(self) -> History:
        """Every frame so far."""
        return self._run.history

    @property
    def past(self) -> list[dict[str, Any]]:
        """Recordings of the runs that this session ended."""
        return self._run.past

    @property
    def _now(self) -> Checkpoint:
        return self._run.now

    @property
    def settings(self) -> Any:
        """The embedder's settings now."""
        return self._now.settings

    @property
    def setup(self) -> Setup:
        """The session's own settings now."""
        return self._now.setup

    @property
    def tasks(self) -> TaskBatch:
        """The validation tasks, in the order of every frame."""
        return self.validation_set.tasks

    @property
    def geometry(self) -> TrueGeometry | None:
        """The true distances of the validation tasks; None where they are unknown (`TaskFamily.has_geometry`)."""
        return self.validation_set.geometry

    @property
    def steps(self) -> int:
        """How many training steps the run has had."""
        return self._now.state.step

    @property
    def at_stop(self) -> bool:
        """Whether the run is at the step where its settings ask playing to pause (`stop_at`; 0: nowhere)."""
        return self.steps > 0 and self.steps == getattr(self.settings, "stop_at", 0)

    @property
    def frame(self) -> Frame:
        """The latest frame."""
        return self.history[-1]

    def values(self) -> dict[str, Any]:
        """All settings by name."""
        return {**self.setup.as_dict(), **self.settings.as_dict()}

    def values_at(self, frame: Frame) -> dict[str, Any]:
        """All settings by name, as they were when this frame was recorded: a later change has not drawn it."""
        values = dict(self._run.initial)
        mine = frame.index < len(self.history) and self.history[frame.index].step == frame.step
        before = [event for event in self.events if event.step < frame.step]  # a frame of a run that has ended since
        for event in self.events[: self.history.n_events(frame.index)] if mine else before:
            values.update(event.changes)
        return values

    def families(self) -> list[str]:
        """The names of the package's families that this embedder can read."""
        return readable_families(self.embedder)

    def most_tasks(self) -> int | None:
        """How many tasks the map of this run can show, because there are no more; None: as many as one likes."""
        return self.embedder.watched_family(self.split).n_distinct

    def declared(self) -> dict[str, Setting]:
        """All declarations by name: what a page or a command line builds its controls from."""
        declared = declared_settings(self.embedder)
        if self.own_families:  # a menu and a mark name them by their labels too
            choices = {**FAMILIES, **self.own_families}
            declared["family"] = dataclasses.replace(declared["family"], choices=choices)
        return declared

    @short_errors
    def nearest(self, frame: Frame, task: int, k: int = 5) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The k tasks nearest to this one, in the frame's embedding (under its distance) and in truth, nearest first.

        In truth there may be fewer: tasks at the largest distance are not counted as near (unrelated languages). There
        are none where the true distances are unknown.
        Errors: ValueError for a task that is not in the validation set, or k outside 1..n_tasks - 1.
        """
        return self.validation_set.nearest(frame, task, k)

    @short_errors
    def neighbour_changes(self, frame: Frame, metric: str, k: int = 5) -> NeighbourChanges:
        """Which of each task's k nearest change when the frame's vectors are compared by `metric` instead.

        Nothing is trained: the vectors stay as they are, only what "near" means changes.
        """
        return NeighbourChanges(frame.neighbours(k), frame.neighbours(k, metric))

    @short_errors
    def closing_scores(self, n_tasks: int = 200) -> dict[str, float]:
        """Scores on never-seen tasks: report these, since the validation tasks were viewed during the whole run.

        Where the validation set holds all existing tasks (languages), these are some of them, trained anew.
        """
        rng = torch.Generator().manual_seed(self.setup.seed + 2)
        tasks = sample_tasks(self.split.unseen, n_tasks, rng, self.embedder.shots(self.settings))
        again = self.split.unseen.redraw(tasks, rng) if self.embedder.embeds_resampled_support else None
        geometry = true_geometry(self.split.unseen, tasks)
        with self.lock("read"):
            first = self._vectors_of(tasks)
            second = None if again is None else self._vectors_of(again)
        metric = metric_of(self.settings)
        context = ScoreContext(
            vectors=first,
            distances=all_distances(first, metric),
            metric=metric,
            settings=self.settings,
            resampled=second,
            geometry=geometry,
            groups=groups_of(self.split.unseen, tasks),
        )
        return measured((score for score in self.validation_set.scores if score.closing), context)

    def _vectors_of(self, tasks: TaskBatch) -> Tensor:
        return check_vectors(self.embedder, self.embedder.view(self._now.state, self.settings, tasks), len(tasks))

    def undoable(self) -> dict[str, Any]:
        """What `undo` would set: names and values; {} if there is nothing to undo."""
        run = self._run
        if self.recovered_from is not None and run.recovered == len(run.events):
            return {}  # the last change is the recovery: `undo_reset` takes it back as a whole
        return undo_values(run.initial, run.events, self.settings.declared(), self.setup.frame_every)

    @property
    def ended_at(self) -> int | None:
        """The last step of the run that a reset or recovery ended, as long as `undo_reset` restores it; else None."""
        ended = self._run.ended
        return None if ended is None else ended.steps

    @property
    def recovered_from(self) -> int | None:
        """The step of the collapsed run that `recover` left, as long as `undo_reset` can restore it; else None."""
        return self.ended_at if self._run.recovered is not None else None

    def recovery(self) -> Recovery | None:
        """Where `recover` would go back to, and what it would change; None if the tasks have not collapsed."""
        return recovery(self.history, self.settings, self.embedder.same_loss) if self.frame.alarm else None

    @short_errors
    def last_stable_frame(self, at: int = -1) -> Frame:
        """The last frame, up to frame `at`, before tasks diverged or the loss grew: see `alarms.last_stable_frame`."""
        return last_stable_frame(self.history[: self.history.position(at) + 1], self.embedder.same_loss)

    watched = Former("validation_set")
    last_sound = Former("last_stable_frame")

    def __repr__(self) -> str:
        scores = ", ".join(self.validation_set.scores_in_words(self.frame))
        return f"Session({self.embedder.name} on {self.setup.family}, step {self.steps}: {scores})"
