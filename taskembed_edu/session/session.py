"""Time: a run of an embedder, step by step, with its whole history. No thread, no widget, no clock.

A session ties together an embedder, a family of tasks and a projection. It watches a fixed set of validation tasks and
keeps a frame of them every few steps, by count and never by the clock. Whoever looks (a page, a script, a test) sees
the same frames, and the event log is enough to make them again.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from taskembed_edu.base.checks import check_choice, check_number, problem
from taskembed_edu.base.memory import trim_heap, tune_malloc
from taskembed_edu.base.settings import Setting, Settings
from taskembed_edu.embedders import task_embedder
from taskembed_edu.embedders.base import Embedder, sample_tasks
from taskembed_edu.evaluation.geometry import NeighbourChanges, TrueGeometry, all_distances
from taskembed_edu.projection.live_umap import LiveUMAP
from taskembed_edu.session.alarms import last_stable_frame
from taskembed_edu.session.codegen import run_code
from taskembed_edu.session.history import Checkpoint, Event, Frame, History, metric_of, undo_values
from taskembed_edu.session.recordings import FORMAT, check_recording
from taskembed_edu.session.setup import Setup as Setup
from taskembed_edu.session.validation import ValidationSet, diverged, groups_of, scores
from taskembed_edu.tasks import FAMILIES, task_family
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily


def unlocked(verb: str) -> AbstractContextManager[None]:
    return nullcontext()


# Frames between two tidyings of memory, which take some milliseconds.
_TIDY_EVERY = 20

# Settings that change what the map shows of the same vectors; an embedder may have more (`view_settings`).
_VIEW_SETTINGS = {"metric", "projection", "n_neighbors", "refits"}


def _written(event: Event) -> dict[str, Any]:
    """An event as a recording stores it."""
    return {"step": event.step, "changes": dict(event.changes), **({"undo": True} if event.undo else {})}


def split_settings(values: dict[str, Any], known: dict[str, Setting]) -> tuple[dict[str, Any], dict[str, Any]]:
    for name in values:
        check_choice("setting", name, known)
    mine = {name: value for name, value in values.items() if name in Setup.declared()}
    return mine, {name: value for name, value in values.items() if name not in mine}


class Session:
    """A run with its history: `step(n)`, `set(margin=0.5)`, `reset()`, `history[k]`, `branch(at=k)`, `events`.

    Settings of the embedder and of the session (see `Setup`) are set by the same names everywhere. Those that may
    change while training runs apply before the next step; the others need `reset(name=value)`.

    >>> session = Session("metric", family="gaussians", n_tasks=20, projection="pca")
    >>> session.step(20).step, len(session.history)
    (20, 3)
    """

    family: TaskFamily | None
    split: Split
    validation_set: ValidationSet
    events: list[Event]
    history: History
    _initial: dict[str, Any]
    _now: Checkpoint

    def __init__(
        self, embedder: Embedder[Any, Any] | str = "metric", family: TaskFamily | str | None = None, **values: Any
    ):
        self.embedder = task_embedder(embedder) if isinstance(embedder, str) else embedder
        if family is not None:
            values["family"] = family
        tune_malloc()
        self.past: list[dict[str, Any]] = []
        # The run that the last reset ended, as long as the new one has made no step.
        self._ended: dict[str, Any] | None = None
        self.user_set: set[str] = set(values)
        # Families of one's own, by name: a reset may name them again. The package's names mean its own as they come.
        self.own_families: dict[str, TaskFamily] = {}
        # A player that drives the session from its thread puts itself in here; without one, nothing is guarded.
        self.lock: Callable[[str], AbstractContextManager[None]] = unlocked
        self._begin(*self.parse_settings(self.embedder, values), family if isinstance(family, TaskFamily) else None)

    @staticmethod
    def parse_settings(embedder: Embedder[Any, Any] | str, values: dict[str, Any]) -> tuple[Setup, Any]:
        """Checked settings from names and values: the session's own, and the embedder's.

        The family may be a name or a family of tasks; a ValueError names the nearest known name.
        """
        embedder = task_embedder(embedder) if isinstance(embedder, str) else embedder
        if "family" in values:
            family = values["family"]
            name = family.name if isinstance(family, TaskFamily) else check_choice("family", family, FAMILIES)
            values = {**values, "family": name}
        mine, theirs = split_settings(values, {**Setup.declared(), **embedder.settings_class.declared()})
        return Setup(**mine), embedder.settings_class(**theirs)

    # ---- moving on -------------------------------------------------------------------------------------------------

    def step(self, n: int = 1) -> Frame:
        """n training steps; the latest frame. A frame falls every `frame_every` steps."""
        check_number("n", n, 0, None, "Time runs forwards; `branch(at=k)` goes back.")
        if not isinstance(n, numbers.Integral):
            raise TypeError(problem("n", n, "a whole number of steps"))
        with self.lock("step"):
            try:
                for _ in range(n):
                    self._one_step()
            except BaseException as failure:
                # It may have come in the middle of a step, and what goes on from half a step could not be replayed. A
                # run that diverged stays where it is, to be looked at; an interrupt, or an error of a family's own,
                # is over.
                self._now.inconsistent = True
                if not isinstance(failure, FloatingPointError):
                    self._back_to_last_frame()
                raise
        return self.history[-1]

    def set(self, **changes: Any) -> None:
        """Change settings before the next step, logged as one event.

        Changing the distance clamps the margin into its range, within the same event. Errors: ValueError for an
        unknown name, a value beyond its range, or a setting that only applies at reset.
        """
        self._check_live(changes)
        with self.lock("set"):
            self._apply(*self._changed(changes))
            self.user_set |= set(changes)

    def set_clamped(self, **changes: Any) -> None:
        """As `set`, but a value beyond its range is brought into it: for sliders, which learn of a new range late."""
        self._check_live(changes)
        with self.lock("set"):
            mine, theirs = self._split_settings(changes)
            self._apply(self.setup.clamped(**mine), self.settings.clamped(**theirs))

    def embed_again(self) -> Frame:
        """Have UMAP forget its map and embed from scratch, as a first frame is: an event like any other.

        A map embedded again differs though no vector has moved: what both show may be trusted. PCA has one answer
        only: no effect.
        """
        if self.setup.projection == "umap":
            self.set(refits=self.setup.refits + 1)
        return self.history[-1]

    def undoable(self) -> dict[str, Any]:
        """What `undo` would set: names and values; {} where there is nothing to take back."""
        return undo_values(self._initial, self.events, self.settings.declared(), self.setup.frame_every)

    def undo(self) -> dict[str, Any]:
        """Set back what the last change of the embedder's settings changed; what was set, {} where there was nothing.

        Again, and the change before it is set back. Steps are not taken back (see `rewind`), only settings, and that
        is an event too. The session's own (the map's) are left alone: they change the picture and not the vectors.
        """
        with self.lock("set"):
            values = self.undoable()
            if values:
                self._apply(self.setup, self.settings.changed(**values), undo=True)
        return values

    def _check_live(self, changes: dict[str, Any]) -> None:
        declared = self.declared()
        fixed = [name for name in changes if name in declared and not declared[name].live]
        if fixed:
            listed = ", ".join(f"{name}={changes[name]!r}" for name in fixed)
            cause = f"Use reset({listed}): it begins again with the new value."
            raise ValueError(problem("set", listed, "settings that may change while training runs", cause))
        for name, value in changes.items():
            offered = self.offers(name) if name != "family" else None
            if offered is not None:
                check_choice(name, value, offered)

    def _apply(self, setup: Setup, settings: Settings, undo: bool = False) -> None:
        applied = {**self.setup.difference(setup), **self.settings.difference(settings)}
        if not applied:
            return
        now, n_before = self._now, len(self.events)
        before = dataclasses.replace(now, umap=now.umap.copy())
        try:
            now.setup, now.settings = setup, settings
            self.events.append(Event(self.steps, applied, undo))
            if "refits" in applied:
                now.umap.forget()
            if applied.keys() & (_VIEW_SETTINGS | self.embedder.view_settings) and self.frame.step == self.steps:
                # What is on the map changes without a step: the newest frame is drawn again under the new settings.
                frame = self.frame
                self._keep_frame(frame.loss, frame.diagnostics["active_pairs"], frame.index)
        except BaseException:
            # A change that fails, or is interrupted, half made could not be replayed: it has not been.
            self._now = before
            del self.events[n_before:]
            raise

    def reset(self, **changes: Any) -> Frame:
        """Begin again from the same initial weights, with these settings changed; the old run goes to `past`."""
        with self.lock("reset"):
            family = changes.get("family")
            given = family if isinstance(family, TaskFamily) else None
            setup, settings = self._changed(changes if given is None else {**changes, "family": given.name}, given)
            self.user_set |= set(changes)
            ended = self.recording() if self.steps else None
            old = {**self.__dict__, "_ended": None}
            try:
                self._begin(setup, settings, given)
            except BaseException:
                self.__dict__.update(old)  # a reset that fails, or is interrupted, leaves the old run as it was
                raise
            self._ended = None
            if ended is not None:
                self.past.append(ended)
                self._ended = old
        return self.history[-1]

    @property
    def ended_at(self) -> int | None:
        """The step at which the last reset ended a run, while `undo_reset` can bring it back; else None."""
        return None if self._ended is None else int(self._ended["_now"].state.step)

    def undo_reset(self) -> Frame:
        """Bring back the run that the last reset ended, whole, as long as the new one has made no step.

        Errors: RuntimeError where there is no such run; its recording is then in `past`, if it had made a step.
        """
        with self.lock("reset"):
            if self._ended is None:
                cause = "Replay its recording: Session.replay(session.past[-1])."
                raise RuntimeError(
                    problem("undo_reset", f"{self.steps} steps since", "a reset and no step since", cause)
                )
            own = {name: self.__dict__[name] for name in ("lock", "user_set", "own_families")}
            self.__dict__.update({**self._ended, **own, "past": self.past[:-1], "_ended": None})
        return self.history[-1]

    def rewind(self, at: int | None = None) -> Frame:
        """Take this very run back to frame `at`, exactly; the recording of what came after goes to `past`.

        Settings go back too. Without `at` it goes back to the last stable frame (see `last_stable_frame`): the way
        back after a step that failed. With at=-1 it ends where the last frame was kept, whatever that is worth.
        """
        with self.lock("reset"):
            at = self.last_stable_frame().index if at is None else self.history.position(at)
            if (self.steps, len(self.events)) != (self.history[at].step, self.history.n_events(at)):
                twin = self.branch(at)
                past = [*self.past, self.recording()]
                # In one go: an interrupt finds the run either before or after.
                self.__dict__.update(history=twin.history, _now=twin._now, events=twin.events, past=past)
        return self.history[-1]

    def last_stable_frame(self, at: int = -1) -> Frame:
        """The last frame up to this one before tasks diverged, or the loss grew: see `alarms.last_stable_frame`."""
        return last_stable_frame(self.history[: self.history.position(at) + 1], self.embedder.same_loss)

    def branch(self, at: int = -1) -> Session:
        """A session of its own that goes on from frame `at`, sharing nothing that changes with this one.

        It starts from the nearest checkpoint before and repeats the steps between, so it is exact.
        """
        with self.lock("read"):
            at = self.history.position(at)
            twin = object.__new__(Session)
            twin.__dict__.update(self.__dict__)
            twin.past, twin.lock, twin.user_set, twin._ended = [], unlocked, set(self.user_set), None
            twin.own_families = dict(self.own_families)
            n_events, until = self.history.n_events(at), self.history[at].step
            here = (at, until, n_events) == (len(self.history) - 1, self.steps, len(self.events))
            if here and not self._now.inconsistent:
                # The run stands right there: nothing need be repeated, however far its checkpoints lie apart.
                twin.history, twin._now, n_before = self.history.whole(), self._now.copy(), n_events
            else:
                twin.history, twin._now, n_before = self.history.until(at)
            twin.events = self.events[:n_before]
            left = self.events[n_before:n_events]
        twin._follow(left, until)
        return twin

    # ---- looking ---------------------------------------------------------------------------------------------------

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
        """The watched tasks, in the order of every frame."""
        return self.validation_set.tasks

    @property
    def geometry(self) -> TrueGeometry:
        """How far apart the watched tasks truly are."""
        return self.validation_set.geometry

    @property
    def steps(self) -> int:
        """How many training steps the run has had."""
        return self._now.state.step

    @property
    def at_stop(self) -> bool:
        """Whether the run stands where its settings ask playing to pause (`stop_at`; 0 asks for no such place)."""
        return self.steps > 0 and self.steps == getattr(self.settings, "stop_at", 0)

    @property
    def frame(self) -> Frame:
        """The latest frame."""
        return self.history[-1]

    def values(self) -> dict[str, Any]:
        """All settings by name."""
        return {**self.setup.as_dict(), **self.settings.as_dict()}

    def families(self) -> list[str]:
        """The package's families that this embedder can read."""
        return [name for name in FAMILIES if self.embedder.takes(task_family(name))]

    def offers(self, name: str, pending: Mapping[str, Any] | None = None) -> tuple[str, ...] | None:
        """The choices of this setting that make sense for this run; None: all that are declared.

        With `pending`: for the run that a reset with these settings would begin.
        """
        if name == "family":
            return tuple(self.families())
        mine, theirs = self._split_settings(dict(pending or {}))
        family = self._family_of(mine.get("family", self.setup.family))
        return self.embedder.offers(family, self.settings.clamped(**theirs), name)

    def declared(self) -> dict[str, Setting]:
        """All declarations by name: what a page or a command line builds its controls from."""
        return {**Setup.declared(), **self.embedder.settings_class.declared()}

    def nearest(self, frame: Frame, task: int, k: int = 5) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The k tasks nearest to this one, in the frame's embedding (under its distance) and in truth, nearest first.

        In truth there may be fewer: tasks that are as far as can be are not counted as near (languages of no family).
        Errors: ValueError for a task that is not watched, or k outside 1..n_tasks - 1.
        """
        return self.validation_set.nearest(frame, task, k)

    def neighbour_changes(self, frame: Frame, metric: str, k: int = 5) -> NeighbourChanges:
        """Which of each task's k nearest change when the frame's vectors are compared by `metric` instead.

        Nothing is trained: the vectors stay as they are, only what "near" means changes.
        """
        return NeighbourChanges(frame.neighbours(k), frame.neighbours(k, metric))

    def closing_scores(self, n_tasks: int = 200) -> dict[str, float]:
        """Scores on never-seen tasks: what to report, since the watched ones were looked at all along.

        Where an embedder watches all tasks that there are (languages), these are some of them, trained anew.
        """
        rng = torch.Generator().manual_seed(self.setup.seed + 2)
        tasks = sample_tasks(self.split.unseen, n_tasks, rng)
        again = self.split.unseen.redraw(tasks, rng) if self.embedder.embeds_resampled_support else None
        geometry = TrueGeometry(self.split.unseen.true_distance(tasks))
        with self.lock("read"):
            first = self.embedder.view(self._now.state, self.settings, tasks)
            second = None if again is None else self.embedder.view(self._now.state, self.settings, again)
        distances = all_distances(first, metric_of(self.settings))
        return scores(self._now, first, second, distances, geometry, groups_of(self.split.unseen, tasks))

    # ---- recording -------------------------------------------------------------------------------------------------

    def recording(self) -> dict[str, Any]:
        """Everything needed to make this run again, ready for JSON: see `recordings.save_recording`."""
        with self.lock("read"):
            made = self._steps_made()
            return {
                "format": FORMAT,
                "version": version("taskembed_edu"),
                "embedder": self.embedder.name,
                "family": self._family_now().describe(),
                "initial": dict(self._initial),
                "events": [_written(event) for event in self.events if event.step <= made],
                "steps": made,
                # JSON has no NaN: what this frame could not tell is left out.
                "scores": {n: round(v, 4) for n, v in self.frame.diagnostics.items() if math.isfinite(v)},
            }

    def code(self) -> str:
        """The few lines of Python that make this run: run them, and the frames are the same, bit for bit."""
        with self.lock("read"):
            family = self.family
            if family is not None and family.name in FAMILIES and family == task_family(family.name):
                family = None  # it has no field of its own: its name says it all
            setup, settings = self.parse_settings(self.embedder, {**self._initial, "family": self._family_now()})
            return run_code(self.embedder.name, family or self.setup.family, (setup, settings), self.events, self.steps)

    @staticmethod
    def replay(recording: dict[str, Any], family: TaskFamily | None = None) -> Session:
        """The recorded run, made again step by step: the same frames on the same machine.

        A run on a family of one's own needs that `family`. Errors: ValueError for an outdated or broken recording (see
        `recordings.check_recording`).
        """
        recording = check_recording(recording, None if family is None else family.name, known=family is not None)
        if family is None:
            described = dict(recording["family"])
            family_class = FAMILIES[described.pop("name")]
            family = family_class(**{k: tuple(v) if isinstance(v, list) else v for k, v in described.items()})
        initial = {name: value for name, value in recording["initial"].items() if name != "family"}
        session = Session(recording["embedder"], family, **initial)
        session._follow(
            [Event(e["step"], e["changes"], e.get("undo", False)) for e in recording["events"]], recording["steps"]
        )
        return session

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _begin(self, setup: Setup, settings: Settings, given: TaskFamily | None = None) -> None:
        given = given or self._own_family(setup.family)
        rng = torch.Generator().manual_seed(setup.seed)
        whole = given or task_family(setup.family)
        if not self.embedder.takes(whole):
            cause = f"The {self.embedder.name} embedder cannot read {whole.label.lower()}; ParameterLab can."
            raise ValueError(problem("family", whole.name, f"one of {', '.join(self.families())}", cause))
        split = whole.split(rng)
        watched = ValidationSet.of(self.embedder, split, setup.n_tasks, rng)
        state = self.embedder.begin(split.train, watched.tasks, settings, rng)
        now = Checkpoint(state, LiveUMAP(setup.n_neighbors, seed=setup.seed), None, settings, setup, [])
        history = History()
        history.keep(watched.frame(now, history, 0, math.nan, math.nan), 0, now)
        # In one go: who looks meanwhile sees the old run or the new one, and a reset that fails (no CUDA, say) or is
        # interrupted leaves the old one as it was. `family` is None for the family of this name as it comes.
        initial = {**setup.as_dict(), **settings.as_dict()}
        begun = {"family": given, "split": split, "validation_set": watched, "_initial": initial}
        self.__dict__.update(begun, _now=now, events=[], history=history)
        if given is not None and given.name not in FAMILIES:
            self.own_families[given.name] = given
        trim_heap()

    def _one_step(self) -> None:
        now, self._ended = self._now, None
        now.state, record = self.embedder.step(now.state, now.settings)
        now.records.append(record)
        if now.state.step % now.setup.frame_every == 0:
            loss, active = self._means()
            now.records.clear()  # before the frame: its checkpoint begins the next mean afresh
            self._keep_frame(loss, active)

    def _back_to_last_frame(self) -> None:
        setup, settings = self.setup, self.settings
        twin = self.branch(-1)
        self.history, self._now, self.events = twin.history, twin._now, twin.events
        self._apply(setup, settings)

    def _means(self) -> tuple[float, float]:
        # They stay on their device until a frame falls: reading them at every step would hold a GPU up.
        loss = float(torch.stack([record.loss for record in self._now.records]).mean())
        if not math.isfinite(loss):
            raise diverged(self._now, "loss", loss)
        return loss, float(torch.stack([record.active for record in self._now.records]).nanmean())

    def _steps_made(self) -> int:
        """The steps that can be made again: a step that brought no frame, where one was due, ended in a failure."""
        due = self.steps % self.setup.frame_every == 0
        return self.steps - 1 if due and self.frame.step != self.steps else self.steps

    def _keep_frame(self, loss: float, active: float, index: int | None = None) -> None:
        index = len(self.history) if index is None else index
        frame = self.validation_set.frame(self._now, self.history, index, loss, active)
        if index % _TIDY_EVERY == 0:
            trim_heap()
        self.history.keep(frame, len(self.events), self._now)  # last: what an interrupt cuts short has not been

    def _family_now(self) -> TaskFamily:
        return self._family_of(self.setup.family)

    def _own_family(self, name: str) -> TaskFamily | None:
        """The family that somebody brought under this name; None: the package's, as it comes."""
        mine: TaskFamily | None = getattr(self, "family", None)
        return mine if mine is not None and mine.name == name else self.own_families.get(name)

    def _family_of(self, name: str) -> TaskFamily:
        return self._own_family(name) or task_family(name)

    def _follow(self, events: list[Event], until: int) -> None:
        """Repeat the logged changes, each before its step, up to and including step `until`."""
        for event in events:
            if event.step > until:
                break
            self.step(event.step - self.steps)
            self._check_live(event.changes)
            self._apply(*self._changed(event.changes), undo=event.undo)
        self.step(max(0, until - self.steps))

    def _changed(self, changes: dict[str, Any], given: TaskFamily | None = None) -> tuple[Setup, Settings]:
        mine, theirs = self._split_settings(changes)
        if "family" in mine and given is None:
            check_choice("family", mine["family"], [*FAMILIES, *self.own_families])
        return self.setup.changed(**mine), self.settings.changed(**theirs)

    def _split_settings(self, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Names and values, parted into the session's own and the embedder's; an unknown name raises."""
        return split_settings(values, self.declared())

    def __repr__(self) -> str:
        told = self.frame.diagnostics
        scores = ", ".join(f"{name} {told[name]:.2f}" for name in ("recall@1", "spearman", "purity") if name in told)
        return f"Session({self.embedder.name} on {self.setup.family}, step {self.steps}: {scores})"
