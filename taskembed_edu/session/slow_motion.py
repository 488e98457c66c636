"""The inner loop in slow motion, for any frame of a run: one task from several starts side by side. No screen.

    motion = SlowMotion()
    seen = motion.at(session, session.frame, Asked(task=3, steps=10))
    seen.ways["meta-learned"].query_losses

The starts are a random network, the frame's own start under the frame's method, and the network of the known task that
is nearest by the vectors of that start. Known tasks are training tasks, trained once for a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.adaptation.methods import MetaLearner
from taskembed_edu.adaptation.stability import LOWEST, largest_stable_rate
from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.embedders.adapted import AdaptedEmbedder
from taskembed_edu.evaluation.inner_loops import InnerLoop, NamedStart, inner_loops, prototype_measures
from taskembed_edu.evaluation.neighbour_networks import NeighbourNetworks, adapted_vectors
from taskembed_edu.networks.learners import Parameters, flatten, unflatten
from taskembed_edu.session.history import Frame, metric_of
from taskembed_edu.session.session import Session
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from taskembed_edu.tasks.sketch import TaskFit, TaskSketch

RANDOM, LEARNED, NEAREST, PROTOTYPES = "random", "meta-learned", "nearest task", "prototypes"
STARTS = (RANDOM, LEARNED, NEAREST, PROTOTYPES)
MOST_STEPS, MOST_POINTS = 100, 200

# Places along a curve: with these a wave of one and a half periods looks smooth.
_CURVE_POINTS = 64
# A rate is searched over so many steps at most: one that is too large shows it soon.
_SEARCHED = 10
_NO_CLASSES = "A prototype is the mean of a class, and these tasks have no classes."
_LOST = "The inner loop from this start diverges, so no known task is near."
_NO_POINTS = "No point yet: there is nothing to learn from."
# Seeds of their own, apart from those of a run.
_KNOWN_SEED, _RANDOM_SEED = 3, 4

Points = tuple[tuple[float, float], ...]


@compared_by_value
@dataclass(frozen=True)
class Asked:
    """What is to be seen: a task of the map, its support points as somebody has moved them (None: as they came).

    With `own` the points are a curve of the learner's own, of which nobody knows the truth.
    """

    task: int = 0
    points: Points | None = None
    own: bool = False
    steps: int = 10


@compared_by_value
@dataclass(frozen=True)
class Seen:
    """One task, the ways of all starts, and one line for each start that has none (`missing`).

    `task` is a batch of one; `sketch` its picture. `nearest` names the known task whose network begins, and
    `prototypes` are the measures of prototypes, which take no step. `starts` are those of the method's own run.
    """

    asked: Asked
    family: TaskFamily
    task: TaskBatch
    sketch: TaskSketch
    ways: Mapping[str, InnerLoop]
    missing: Mapping[str, str]
    method: MetaLearner
    starts: tuple[NamedStart, ...]
    nearest: str = ""
    prototypes: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_curve(self) -> bool:
        """Whether the task is a curve of one number by another, whose points can be moved."""
        return is_curve(self.sketch, self.task)

    def fit(self, way: InnerLoop) -> TaskFit | None:
        """A way's answers over the sketch after each step; None where the family draws none."""
        return self.family.fit(way.outputs.nan_to_num(0.0, 0.0, 0.0))

    def stable_rates(self) -> dict[str, float]:
        """For each start that diverged the largest inner rate that is stable on this task; 0 where none is.

        It takes a search: for a perceptron about 0.02 s each, on one thread.
        """
        steps = max(1, min(self.asked.steps, _SEARCHED))
        return {
            start.name: largest_stable_rate(
                self.method.network,
                start.network,
                self.task,
                steps,
                adapted=start.adapted,
                high=max(self.method.inner_lr, LOWEST),
            )
            for start in self.starts
            if self.ways[start.name].diverged_at is not None
        }

    @property
    def measures(self) -> tuple[str, ...]:
        """What the query set was judged by; () where nobody knows the truth."""
        return tuple(self.ways[LEARNED].query) if LEARNED in self.ways else ()

    @property
    def x(self) -> Tensor:
        """The places at which a curve's outputs are, (n,)."""
        return torch.linspace(*self.sketch.x, _CURVE_POINTS)


class SlowMotion:
    """Computes what is seen, and keeps what a run needs once: its known tasks' networks and their vectors."""

    def __init__(self) -> None:
        self._known: list[tuple[tuple[object, ...], NeighbourNetworks]] = []
        self._known_of: tuple[Frame, NeighbourNetworks] | None = None  # by a run's first frame: asked at every picture
        self._vectors: tuple[Frame, MetaLearner, NeighbourNetworks, Tensor] | None = None

    def at(
        self, session: Session, frame: Frame, asked: Asked, beside: Sequence[tuple[str, Session, Frame]] = ()
    ) -> Seen:
        """This task's inner loops from the starts of this frame; `beside` are other runs' frames by their names.

        The nearest task is missing until `known` has been trained. Errors: ValueError for a task that the map does not
        have, or points of tasks that have none.
        """
        method, family = method_at(session, frame), session.split.validation
        whole = _task(session, frame, asked)
        sketch = family.sketch(whole)
        task = _with_points(whole, sketch, asked)
        starts, missing, named = self._starts(session, frame, method, task)
        curve = is_curve(sketch, task)
        probe = torch.linspace(*sketch.x, _CURVE_POINTS).view(1, -1, 1) if curve else family.probe(whole)
        ways = inner_loops(method.network, starts, task, inner_lr=method.inner_lr, steps=asked.steps, probe=probe)
        for name, other, shown in beside:
            theirs = method_at(other, shown)
            one = [NamedStart(name, start_of(theirs, shown), tuple(theirs.adapted))]
            ways |= inner_loops(theirs.network, one, task, inner_lr=theirs.inner_lr, steps=asked.steps, probe=probe)
        prototypes = prototype_measures(task) if family.classification else {}
        if not family.classification:
            missing[PROTOTYPES] = _NO_CLASSES
        return Seen(asked, family, task, sketch, ways, missing, method, tuple(starts), named, prototypes)

    def _starts(
        self, session: Session, frame: Frame, method: MetaLearner, task: TaskBatch
    ) -> tuple[list[NamedStart], dict[str, str], str]:
        """The starts there are, why another one is missing, and the name of the nearest known task."""
        seed = session.setup.seed + _RANDOM_SEED
        drawn = method.network.init(torch.Generator().manual_seed(seed))
        start = start_of(method, frame)
        starts = [
            NamedStart(RANDOM, {name: value[None] for name, value in drawn.items()}),
            NamedStart(LEARNED, start, tuple(method.adapted)),
        ]
        known = self.known(session)
        if not known.finished:
            return starts, {NEAREST: f"Its networks are being trained: {known.share:.0%}."}, ""
        nearest = None
        if task.support_x.shape[1]:
            vector = adapted_vectors(method, start, task)
            nearest = known.nearest(vector, self._vectors_at(frame, method, start, known), metric_of(frame.settings))
        if nearest is None:
            return starts, {NEAREST: _LOST if task.support_x.shape[1] else _NO_POINTS}, ""
        return [*starts, NamedStart(NEAREST, known.network(nearest))], {}, known.tasks.names[nearest]

    def known(self, session: Session) -> NeighbourNetworks:
        """The run's known tasks; who wants the nearest of them calls `advance` until they are `finished`."""
        first = session.history[0]
        if self._known_of is None or self._known_of[0] is not first:
            self._known_of = first, self._known_from(session, first)
        return self._known_of[1]

    def _known_from(self, session: Session, first: Frame) -> NeighbourNetworks:
        """Those of a run that begins at this frame; two runs that begin alike have the same."""
        method, seed = method_at(session, first), session.setup.seed + _KNOWN_SEED
        start = start_of(method, first)
        key = (method.network, session.split.train, seed, flatten(start).numpy().tobytes())
        for of, known in self._known:
            if of == key:
                return known
        known = NeighbourNetworks(method.network, session.split.train, start, seed)
        self._known = [(key, known), *self._known[:1]]  # those of two runs, at most
        return known

    def _vectors_at(self, frame: Frame, method: MetaLearner, start: Parameters, known: NeighbourNetworks) -> Tensor:
        """The known tasks' vectors by this frame's start, computed once a frame: a drag asks again and again."""
        kept = self._vectors
        if kept is None or kept[0] is not frame or kept[1] != method or kept[2] is not known:
            kept = self._vectors = frame, method, known, known.vectors(method, start)
        return kept[3]


def adapts(session: Session) -> bool:
    """Whether the run learns a start, whose inner loop can be shown."""
    return isinstance(session.embedder, AdaptedEmbedder)


def method_at(session: Session, frame: Frame) -> MetaLearner:
    """The method of this run at this frame: of the newest, with the settings of now."""
    assert isinstance(session.embedder, AdaptedEmbedder)
    settings: Any = session.settings if frame is session.frame else frame.settings
    return session.embedder.first_method(session.split.train, settings)


def is_curve(sketch: TaskSketch, task: TaskBatch) -> bool:
    """Whether this is one number by another: a point of its support set is a point of the plane."""
    return sketch.kind == "curve" and task.support_x.shape[2:] == (1,) and task.support_y.shape[2:] == (1,)


def shows_curves(session: Session) -> bool:
    """Whether the tasks on this run's map are curves, whose points can be moved."""
    one = session.tasks[:1].to("cpu")
    return is_curve(session.split.validation.sketch(one), one)


def start_of(method: MetaLearner, frame: Frame) -> Parameters:
    """The frame's start as a network, (1, *shape)."""
    assert frame.start is not None
    return unflatten(method.network, torch.tensor(frame.start)[None])


def _task(session: Session, frame: Frame, asked: Asked) -> TaskBatch:
    """The task as this frame saw it, on the CPU: with so many shots."""
    tasks = session.tasks
    if frame is not session.frame:
        shots = session.embedder.shots(frame.settings)
        tasks = session.validation_set.with_shots(session.split.validation, shots).tasks
    check_whole("task", asked.task, 0, len(tasks) - 1, "Tasks are counted from 0, in the order of `session.tasks`.")
    return tasks[[asked.task]].to("cpu")


def _with_points(task: TaskBatch, sketch: TaskSketch, asked: Asked) -> TaskBatch:
    """The task with the learner's points as its support set; without a query set where the curve is the learner's."""
    if asked.points is None and not asked.own:
        return task
    if not is_curve(sketch, task):
        raise ValueError(problem("points", "some", "none: these tasks are no curves", "Choose a task by its number."))
    places = torch.tensor(asked.points or (), dtype=torch.float32).view(1, -1, 2)
    moved = task.with_support(places[..., :1], places[..., 1:])
    if not asked.own:
        return moved
    return replace(moved, query_x=task.query_x[:, :0], query_y=task.query_y[:, :0], query_mask=None)


def checked_points(points: object) -> Points:
    """Points of the plane as tuples of two numbers. Errors: ValueError for anything else, or too many."""
    try:
        found = np.array([tuple(point) for point in (() if points is None else points)], dtype=np.float64)  # type: ignore[attr-defined]
    except (TypeError, ValueError):  # not iterable, no numbers, or pairs of several lengths
        found = np.zeros(1)
    found = found if found.size or found.ndim > 1 else np.zeros((0, 2))
    if found.ndim != 2 or found.shape[1] != 2 or not np.isfinite(found).all():
        raise ValueError(problem("points", repr(points)[:60], "pairs of finite numbers: [(-2.0, 1.5), (0.5, 3.0)]"))
    if len(found) > MOST_POINTS:
        raise ValueError(problem("points", f"{len(found)}", f"at most {MOST_POINTS}"))
    return tuple((float(x), float(y)) for x, y in found)
