"""Time: a run of an embedder, step by step, with its whole history. No thread, no widget, no clock.

A session ties together an embedder, a family of tasks and a projection. It watches a fixed set of validation tasks and
keeps a frame of them every few steps, by count and never by the clock. Whoever looks (a page, a script, a test) sees
the same frames, and the event log is enough to make them again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from taskembed_edu.checks import check_choice, check_number, problem
from taskembed_edu.embedders import task_embedder
from taskembed_edu.embedders.base import Embedder
from taskembed_edu.evaluation import TrueGeometry, recall_at_k
from taskembed_edu.history import Event, Frame, History, Moment
from taskembed_edu.memory import keep_memory_steady
from taskembed_edu.projection import Layout, LiveUMAP, pca_layout, trustworthiness
from taskembed_edu.recordings import FORMAT, check_recording
from taskembed_edu.settings import Setting, Settings, setting
from taskembed_edu.tasks import FAMILIES, task_family
from taskembed_edu.tasks.base import TaskFamily


@dataclass(frozen=True)
class Setup(Settings):
    """What a session itself can be told, beside the embedder's hyperparameters."""

    family: str = setting(
        "sinusoids", label="Tasks", help="Which family the tasks come from.", choices=tuple(FAMILIES), live=False
    )
    seed: int = setting(
        0,
        label="Seed",
        help="Decides every random draw: the same seed gives the same run.",
        low=0,
        high=2**31 - 1,
        step=1,
        live=False,
    )
    n_tasks: int = setting(
        200,
        label="Tasks on the map",
        help="How many validation tasks are watched. They are never trained on.",
        low=5,
        high=5000,
        step=1,
        live=False,
        advanced=True,
    )
    frame_every: int = setting(
        10,
        label="Steps a frame",
        help="A picture is kept every so many steps.",
        low=1,
        high=1000,
        step=1,
        live=False,
        advanced=True,
    )
    projection: str = setting(
        "umap",
        label="Map",
        help="UMAP keeps neighbours together; its distances and sizes mean little. PCA keeps the two directions of "
        "largest variance, to scale.",
        choices=("umap", "pca"),
    )
    n_neighbors: int = setting(
        15,
        label="Neighbours",
        help="How many nearest tasks UMAP tries to keep near.",
        low=2,
        high=100,
        step=1,
        advanced=True,
    )


def _unguarded(verb: str) -> AbstractContextManager[None]:
    return nullcontext()


def _parted(values: dict[str, Any], known: dict[str, Setting]) -> tuple[dict[str, Any], dict[str, Any]]:
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

    def __init__(
        self, embedder: Embedder[Any, Any] | str = "metric", family: TaskFamily | str | None = None, **values: Any
    ):
        self.embedder = task_embedder(embedder) if isinstance(embedder, str) else embedder
        self.family = family if isinstance(family, TaskFamily) else None  # None: the family of this name, as it comes
        if family is not None:
            values["family"] = family if isinstance(family, str) else family.name
        keep_memory_steady()
        self.past: list[dict[str, Any]] = []
        self.named: set[str] = set(values)
        # A player that drives the session from its thread puts itself in here; without one, nothing is guarded.
        self.guard: Callable[[str], AbstractContextManager[None]] = _unguarded
        self._begin(*self.dealt(self.embedder, values))

    @staticmethod
    def dealt(embedder: Embedder[Any, Any] | str, values: dict[str, Any]) -> tuple[Setup, Any]:
        """Checked settings from names and values: the session's own, and the embedder's."""
        embedder = task_embedder(embedder) if isinstance(embedder, str) else embedder
        mine, theirs = _parted(values, {**Setup.declared(), **embedder.settings_class.declared()})
        return Setup(**mine), embedder.settings_class(**theirs)

    # ---- moving on -------------------------------------------------------------------------------------------------

    def step(self, n: int = 1) -> Frame:
        """n training steps; the latest frame. A frame falls every `frame_every` steps."""
        check_number("n", n, 0, None, "Time runs forwards; `branch(at=k)` goes back.")
        with self.guard("step"):
            try:
                for _ in range(int(n)):
                    self._one_step()
            except KeyboardInterrupt:
                # It may have come in the middle of a step; what goes on from half a step could not be replayed.
                self._back_to_last_frame()
                raise
        return self.history[-1]

    def set(self, **changes: Any) -> None:
        """Change settings before the next step, logged as one event.

        Changing the distance clamps the margin into its range, within the same event. Errors: ValueError for an
        unknown name, a value beyond its range, or a setting that only applies at reset.
        """
        self._check_live(changes)
        with self.guard("set"):
            self._apply(*self._changed(changes))
            self.named |= set(changes)

    def set_within_range(self, **changes: Any) -> None:
        """As `set`, but a value beyond its range is brought into it: for sliders, which learn of a new range late."""
        self._check_live(changes)
        with self.guard("set"):
            mine, theirs = self._owners(changes)
            self._apply(self.setup.brought_into_range(**mine), self.settings.brought_into_range(**theirs))

    def _check_live(self, changes: dict[str, Any]) -> None:
        declared = self.declared()
        fixed = [name for name in changes if name in declared and not declared[name].live]
        if fixed:
            listed = ", ".join(f"{name}={changes[name]!r}" for name in fixed)
            cause = f"Use reset({listed}): it begins again with the new value."
            raise ValueError(problem("set", listed, "settings that may change while training runs", cause))

    def _apply(self, setup: Setup, settings: Settings) -> None:
        applied = {**self.setup.difference(setup), **self.settings.difference(settings)}
        if not applied:
            return
        self._now.setup, self._now.settings = setup, settings
        self.events.append(Event(self.steps, applied))
        if applied.keys() & {"metric", "projection", "n_neighbors"} and self.frame.step == self.steps:
            # What is on the map changes without a step: the newest frame is drawn again under the new settings.
            self._keep_frame(self.frame.loss, self.frame.index)

    def reset(self, **changes: Any) -> Frame:
        """Begin again from the same initial weights, with these settings changed; the old run goes to `past`."""
        with self.guard("reset"):
            setup, settings = self._changed(changes)
            self.named |= set(changes)
            ended = self.recording() if self.steps else None
            old = dict(self.__dict__)
            try:
                self._begin(setup, settings)
            except BaseException:
                self.__dict__.update(old)  # a reset that fails, or is interrupted, leaves the old run as it was
                raise
            if ended is not None:
                self.past.append(ended)
        return self.history[-1]

    def branch(self, at: int = -1) -> Session:
        """A session of its own that goes on from frame `at`, sharing nothing that changes with this one.

        It starts from the nearest checkpoint before and repeats the steps between, so it is exact.
        """
        with self.guard("look"):
            at = self.history.position(at)
            twin = object.__new__(Session)
            twin.__dict__.update(self.__dict__)
            twin.past, twin.guard, twin.named = [], _unguarded, set(self.named)
            twin.history, twin._now, n_before = self.history.until(at)
            twin.events = self.events[:n_before]
            left, until = self.events[n_before : self.history.n_events(at)], self.history[at].step
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
    def steps(self) -> int:
        """How many training steps the run has had."""
        return self._now.state.step

    @property
    def frame(self) -> Frame:
        """The latest frame."""
        return self.history[-1]

    def values(self) -> dict[str, Any]:
        """All settings by name."""
        return {**self.setup.as_dict(), **self.settings.as_dict()}

    def declared(self) -> dict[str, Setting]:
        """All declarations by name: what a page or a command line builds its controls from."""
        return {**Setup.declared(), **self.embedder.settings_class.declared()}

    def closing_scores(self, n_tasks: int = 200) -> dict[str, float]:
        """Scores on never-seen tasks: what to report, since the watched ones were looked at all along."""
        rng = torch.Generator().manual_seed(self.setup.seed + 2)
        tasks = self.split.unseen.sample(n_tasks, rng=rng)
        again = self.split.unseen.redraw(tasks, rng)
        geometry = TrueGeometry(self.split.unseen.true_distance(tasks))
        with self.guard("look"):
            first, second = (self.embedder.embed(self._now.state, batch) for batch in (tasks, again))
        return self._scores(first, second, geometry)

    # ---- recording -------------------------------------------------------------------------------------------------

    def recording(self) -> dict[str, Any]:
        """Everything needed to make this run again, ready for JSON: see `recordings.save_recording`."""
        with self.guard("look"):
            return {
                "format": FORMAT,
                "version": version("taskembed_edu"),
                "embedder": self.embedder.name,
                "family": self._family_now().describe(),
                "initial": dict(self._initial),
                "events": [{"step": event.step, "changes": dict(event.changes)} for event in self.events],
                "steps": self.steps,
                "scores": {name: round(value, 4) for name, value in self.frame.diagnostics.items()},
            }

    @staticmethod
    def replay(recording: dict[str, Any]) -> Session:
        """The recorded run, made again step by step: the same frames on the same machine.

        Errors: ValueError for an outdated or broken recording (see `recordings.check_recording`).
        """
        recording = check_recording(recording)
        described = dict(recording["family"])
        family_class = FAMILIES[described.pop("name")]
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in described.items()}
        initial = {name: value for name, value in recording["initial"].items() if name != "family"}
        session = Session(recording["embedder"], family_class(**fields), **initial)
        session._follow([Event(e["step"], e["changes"]) for e in recording["events"]], recording["steps"])
        return session

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _begin(self, setup: Setup, settings: Settings) -> None:
        given = self.family if self.family is not None and self.family.name == setup.family else None
        rng = torch.Generator().manual_seed(setup.seed)
        split = (given or task_family(setup.family)).split(rng)
        tasks = split.validation.sample(setup.n_tasks, rng=rng)
        second_sets = split.validation.redraw(tasks, rng)
        state = self.embedder.begin(split.train, tasks, settings, rng)
        # Nothing of the old run is touched before this line: a reset that fails (no CUDA, say) leaves it as it was.
        self.family, self.split, self.tasks, self._second_sets = given, split, tasks, second_sets
        self._geometry = TrueGeometry(split.validation.true_distance(tasks))
        umap = LiveUMAP(setup.n_neighbors, seed=setup.seed)
        self._now = Moment(state, umap, None, settings, setup, [])
        self._initial = {**setup.as_dict(), **settings.as_dict()}
        self.events: list[Event] = []
        self.history = History()
        self._keep_frame(math.nan)

    def _one_step(self) -> None:
        now = self._now
        now.state, record = self.embedder.step(now.state, now.settings)
        now.losses.append(record.loss)
        if now.state.step % now.setup.frame_every == 0:
            loss = self._mean_loss()
            now.losses.clear()  # before the frame: its checkpoint begins the next mean afresh
            self._keep_frame(loss)

    def _back_to_last_frame(self) -> None:
        setup, settings = self.setup, self.settings
        twin = self.branch(-1)
        self.history, self._now, self.events = twin.history, twin._now, twin.events
        self._apply(setup, settings)

    def _mean_loss(self) -> float:
        # The loss stays on its device until a frame falls: reading it at every step would hold a GPU up.
        loss = float(torch.stack(self._now.losses).mean())
        if not math.isfinite(loss):
            raise self._diverged("loss", loss)
        return loss

    def _diverged(self, what: str, came: float) -> FloatingPointError:
        rate = getattr(self.settings, "learning_rate", math.nan)
        cause = f"Lower the learning rate ({rate:g} now) and reset; all frames so far are kept."
        return FloatingPointError(problem(what, f"{came} at step {self.steps}", "a finite number", cause))

    def _keep_frame(self, loss: float, index: int | None = None) -> None:
        now = self._now
        first, second = self.embedder.embed(now.state), self.embedder.embed(now.state, self._second_sets)
        if not (torch.isfinite(first).all() and torch.isfinite(second).all()):
            raise self._diverged("embedding", math.nan)
        layout = self._layout(first)
        scores = self._scores(first, second, self._geometry)
        scores["trustworthiness"] = trustworthiness(first, layout, now.setup.n_neighbors, self._metric())
        index = len(self.history) if index is None else index
        projection = now.setup.projection
        seen = first.numpy()
        for array in (seen, layout):
            array.setflags(write=False)  # a frame is a record: who draws on it must copy it first
        frame = Frame(index, self.steps, loss, seen, layout, projection, scores, now.settings)
        self.history.keep(frame, len(self.events), now)

    def _scores(self, first: Tensor, second: Tensor, geometry: TrueGeometry) -> dict[str, float]:
        metric = self._metric()
        recall = recall_at_k(second, first, ks=(1, 5), metric=metric)
        return {
            "recall@1": recall[1],
            "recall@5": recall[5],
            "spearman": geometry.spearman(first, metric),
        }

    def _layout(self, embedding: Tensor) -> Layout:
        now = self._now
        if now.setup.projection == "pca":
            now.pca = pca_layout(embedding, now.pca)
            return now.pca
        now.umap.metric = self._metric()
        now.umap.n_neighbors = now.setup.n_neighbors
        return now.umap.update(embedding, shown=now.pca)

    def _metric(self) -> str:
        return getattr(self.settings, "metric", "euclidean")

    def _family_now(self) -> TaskFamily:
        return self.family or task_family(self.setup.family)

    def _follow(self, events: list[Event], until: int) -> None:
        """Repeat the logged changes, each before its step, up to and including step `until`."""
        for event in events:
            if event.step > until:
                break
            self.step(event.step - self.steps)
            self.set(**event.changes)
        self.step(max(0, until - self.steps))

    def _changed(self, changes: dict[str, Any]) -> tuple[Setup, Settings]:
        mine, theirs = self._owners(changes)
        return self.setup.changed(**mine), self.settings.changed(**theirs)

    def _owners(self, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Names and values, parted into the session's own and the embedder's; an unknown name raises."""
        return _parted(values, self.declared())

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {self.frame.diagnostics[name]:.2f}" for name in ("recall@1", "spearman"))
        return f"Session({self.embedder.name} on {self.setup.family}, step {self.steps}: {scores})"
