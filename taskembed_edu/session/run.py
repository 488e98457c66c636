"""One run: tasks, settings, events, frames and the state that training changes. No thread, no widget, no clock.

A session holds one `Run` and replaces it as a whole. Another thread that reads meanwhile sees either the old run or the
new one, and so it is after an interrupt: never a mixture.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from taskembed_edu.base.checks import problem
from taskembed_edu.base.memory import trim_heap
from taskembed_edu.base.progress import counted
from taskembed_edu.base.settings import Settings
from taskembed_edu.embedders.base import Embedder
from taskembed_edu.embedders.begun import check_first_step, check_state
from taskembed_edu.projection.live_umap import LiveUMAP
from taskembed_edu.session.events import Event
from taskembed_edu.session.history import Checkpoint, Frame, History
from taskembed_edu.session.parsing import check_live, declared_settings, split_settings
from taskembed_edu.session.recovery import Recovery
from taskembed_edu.session.setup import MAP_SETTINGS, Setup
from taskembed_edu.session.validation import ValidationSet, step_means
from taskembed_edu.tasks import FAMILIES, task_family
from taskembed_edu.tasks.base import Split, TaskFamily
from taskembed_edu.tasks.drawn import check_family, check_split
from taskembed_edu.tasks.kinds import KINDS

# Frames between two calls of `trim_heap`, each of which takes some milliseconds.
_TRIM_EVERY = 20

# Settings that change how the map shows the same vectors; an embedder may have more (`view_settings`).
_VIEW_SETTINGS = {"metric", *MAP_SETTINGS, "umap_restarts"}


@dataclass
class Run:
    """A run of an embedder, from its beginning to now.

    `family` is None for the package's family of that name with its default values. `initial` are the settings that
    the run began with; they and `events` are enough to replay it. `now` is everything that training changes. `past` are
    recordings of runs that this session ended, and `ended` is the run that a reset or a recovery ended to begin this
    one: it can be restored until this one makes a step. `recovered` is how many events a recovery left (None: there was
    none): changes after these are the learner's.
    """

    embedder: Embedder[Any, Any]
    family: TaskFamily | None
    split: Split
    validation_set: ValidationSet
    initial: dict[str, Any]
    events: list[Event]
    history: History
    now: Checkpoint
    past: list[dict[str, Any]] = field(default_factory=list)
    ended: Run | None = None
    recovered: int | None = None

    @staticmethod
    def begin(embedder: Embedder[Any, Any], setup: Setup, settings: Settings, family: TaskFamily | None = None) -> Run:
        """A run at step 0, with its first frame; `family`: one that is not the package's with its default values.

        Errors: ValueError for a family that the embedder cannot read; what the embedder's `begin` raises; TypeError or
        ValueError for a family or an embedder of one's own that does not keep to its contract.
        """
        rng = torch.Generator().manual_seed(setup.seed)
        whole = family or task_family(setup.family)
        if not embedder.takes(whole):
            way = "ParameterLab can" if whole.kind in KINDS else f"register_kind({whole.kind!r}, ...) says how it is to"
            cause = f"The {embedder.name} embedder cannot read {whole.label.lower()}; {way}."
            raise ValueError(problem("family", whole.name, f"one of {', '.join(readable_families(embedder))}", cause))
        check_family(whole)
        split = check_split(whole, whole.split(rng))
        watched = ValidationSet.of(embedder, split, setup.n_tasks, rng)
        watched = watched.with_shots(split.validation, embedder.shots(settings))
        state = embedder.begin(split.train, watched.tasks, settings, rng)
        check_state(embedder, state)
        now = Checkpoint(
            state, LiveUMAP(setup.n_neighbors, seed=setup.seed, min_dist=setup.min_dist), None, settings, setup, []
        )
        history = History()
        history.keep(watched.frame(now, history, 0, math.nan, {}), 0, now)
        trim_heap()
        return Run(embedder, family, split, watched, {**setup.as_dict(), **settings.as_dict()}, [], history, now)

    @property
    def steps(self) -> int:
        """How many training steps the run has had."""
        return int(self.now.state.step)

    @property
    def whole_family(self) -> TaskFamily:
        """The family of tasks, before it was split into parts."""
        return self.family or task_family(self.now.setup.family)

    def steps_replayable(self) -> int:
        """How many steps a replay can repeat: the last one failed, and does not count, if its frame is missing."""
        due = self.steps % self.now.setup.frame_every == 0
        return self.steps - 1 if due and self.history[-1].step != self.steps else self.steps

    # ---- training and changes --------------------------------------------------------------------------------------

    def step(self) -> None:
        """One training step, and a frame if one is due."""
        now, self.ended = self.now, None
        before = now.state.step
        given = self.embedder.step(now.state, now.settings)
        if before == 0:
            check_first_step(self.embedder, given, before)
        now.state, record = given
        now.records.append(record)
        if now.state.step % now.setup.frame_every == 0:
            loss, reported = step_means(now, self.embedder.readings)
            now.records.clear()  # before the frame: its checkpoint must start the next mean without them
            self._keep_frame(loss, reported)

    def apply(self, setup: Setup, settings: Settings, undo: bool = False) -> None:
        """Change to these settings before the next step, as one event; the newest frame is computed again if needed.

        A change that fails, or is interrupted, is rolled back, so a replay stays exact.
        """
        now, n_before = self.now, len(self.events)
        changes = {**now.setup.difference(setup), **now.settings.difference(settings)}
        if not changes:
            return
        before = dataclasses.replace(now, umap=now.umap.copy())
        try:
            now.setup, now.settings = setup, settings
            self._take_support_sets()
            self.events.append(Event(self.steps, changes, undo))
            if "umap_restarts" in changes:
                now.umap.forget()
            frame = self.history[-1]
            if changes.keys() & (_VIEW_SETTINGS | self.embedder.view_settings) and frame.step == self.steps:
                self._keep_frame(frame.loss, frame.diagnostics, frame.index)
        except BaseException:
            self.now = before
            self._take_support_sets()
            del self.events[n_before:]
            raise

    def follow(self, events: Iterable[Event], until: int) -> None:
        """Repeat logged changes, each before its step, up to and including step `until`."""
        left = deque(event for event in events if event.step <= until)
        self._follow_due(left)
        for _ in counted(until - self.steps):
            self.step()
            self._follow_due(left)

    def offers(self, name: str) -> tuple[str, ...] | None:
        """The choices of this setting that make sense for this run; None: all that are declared."""
        return self.embedder.offers(self.whole_family, self.now.settings, name)

    # ---- going back ------------------------------------------------------------------------------------------------

    def until(self, at: int) -> tuple[Run, list[Event]]:
        """An independent copy of this run, before frame `at`, and the events from there to that frame.

        The copy shares no changing state with this run. It is at the nearest checkpoint before the frame:
        `follow(events, step of the frame)` then reproduces that frame exactly.
        """
        n_events, step = self.history.n_events(at), self.history[at].step
        is_now = (at, step, n_events) == (len(self.history) - 1, self.steps, len(self.events))
        if is_now and not self.now.inconsistent:
            # The frame is the present: a copy suffices, and no step must be repeated from a checkpoint.
            history, now, n_before = self.history.whole(), self.now.copy(), n_events
        else:
            history, now, n_before = self.history.until(at)
        twin = dataclasses.replace(self, history=history, now=now, events=self.events[:n_before], past=[], ended=None)
        twin._take_support_sets()
        return twin, self.events[n_before:n_events]

    def at_frame(self, at: int) -> Run:
        """The run exactly as it was at frame `at`, sharing no changing state with this one."""
        twin, events = self.until(at)
        twin.follow(events, self.history[at].step)
        return twin

    def before_collapse(self, way: Recovery) -> Run:
        """The run at the frame that this recovery leads to, under the settings of now with the cause changed.

        The settings that show the map stay as they are too.
        """
        twin = self.at_frame(way.frame.index)
        now = self.now.setup
        drawn_by = {name: getattr(now, name) for name in MAP_SETTINGS}
        twin.apply(twin.now.setup.clamped(**drawn_by), self.now.settings.changed(**way.changes))
        return dataclasses.replace(twin, past=self.past, ended=self, recovered=len(twin.events))

    def with_last_step(self) -> Run:
        """This run, if its last frame shows its last step; else a copy to look at, with one more frame, of that step.

        Do not train the copy: its frames would no longer fall where those of a replay do.
        A run of which no exact copy can be made, because a step failed half-way, is returned as it is.
        """
        if self.history[-1].step == self.steps or self.now.inconsistent:
            return self
        now = self.now.copy()
        twin = dataclasses.replace(
            self, history=self.history.whole(), now=now, events=list(self.events), past=[], ended=None
        )
        twin._keep_frame(*step_means(now, self.embedder.readings))
        return twin

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _take_support_sets(self) -> None:
        """The validation tasks with as many samples as the settings ask for."""
        n_shot = self.embedder.shots(self.now.settings)
        self.validation_set = self.validation_set.with_shots(self.split.validation, n_shot)
        if self.now.state.tasks is not self.validation_set.tasks:
            self.now.state.tasks = self.validation_set.tasks

    def _follow_due(self, left: deque[Event]) -> None:
        """Take from these events those that come before the next step, and repeat them."""
        declared = declared_settings(self.embedder)
        while left and left[0].step <= self.steps:
            event = left.popleft()
            check_live(event.changes, declared, self.offers)
            mine, theirs = split_settings(event.changes, declared)
            self.apply(self.now.setup.changed(**mine), self.now.settings.changed(**theirs), undo=event.undo)

    def _keep_frame(self, loss: float, reported: Mapping[str, float], index: int | None = None) -> None:
        index = len(self.history) if index is None else index
        frame: Frame = self.validation_set.frame(self.now, self.history, index, loss, reported)
        if index % _TRIM_EVERY == 0:
            trim_heap()
        self.history.keep(frame, len(self.events), self.now)  # last: an interrupt before it leaves no trace


def readable_families(embedder: Embedder[Any, Any]) -> list[str]:
    """The names of the package's families that this embedder can read."""
    return [name for name in FAMILIES if embedder.takes(task_family(name))]
