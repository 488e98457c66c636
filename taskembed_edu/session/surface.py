"""The loss over the start of a run: its surface at a frame, the tasks' optima, and the ways that methods would take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from taskembed_edu.adaptation.methods import MetaLearner
from taskembed_edu.adaptation.surface import LossSurface, has_surface, loss_surface, optima, ways
from taskembed_edu.base.progress import counted
from taskembed_edu.base.settings import Settings
from taskembed_edu.embedders.adapted import METHODS, AdaptedEmbedder, AdaptedSettings
from taskembed_edu.session.looking import RunView
from taskembed_edu.tasks.base import TaskBatch

# The numbers of inner steps that a surface is computed for, beside the run's own.
STEPS = (0, 1, 2, 5, 10)
# The methods whose ways are compared.
COMPARED = ("maml", "first_order", "reptile")

# A surface is the mean over some of the tasks: with more it looks the same, and takes longer.
_MOST_TASKS = 32
# Outer steps of a way: enough to cross the plane at this outer rate, but a few seconds at most.
_ACROSS, _FEWEST, _MOST = 6.0, 200, 1000


def method_under(run: RunView, settings: Settings) -> MetaLearner | None:
    """The method of the run under these settings, if a plane shows all its starts; else None."""
    if not isinstance(run.embedder, AdaptedEmbedder) or not isinstance(settings, AdaptedSettings):
        return None
    method = run.embedder.method_of(run._now.state, settings)
    return method if has_surface(method.network) else None


def has_plane(run: RunView) -> bool:
    """Whether a plane shows all starts of this run: its learner has two parameters."""
    return method_under(run, run.settings) is not None


def surface_steps(settings: Any) -> tuple[int, ...]:
    """The numbers of inner steps that a surface is computed for: the usual ones, and those of the settings."""
    return tuple(sorted({*STEPS, settings.inner_steps}))


def surface_tasks(run: RunView, settings: Settings) -> TaskBatch:
    """The tasks whose mean loss a surface is: some of the validation tasks, with the shots of these settings."""
    shots = run.embedder.shots(settings)
    tasks = run.validation_set.with_shots(run.split.validation, shots).tasks
    return tasks[np.linspace(0, len(tasks) - 1, min(_MOST_TASKS, len(tasks))).round().astype(int).tolist()]


def surface_of(run: RunView, settings: Settings, steps: Sequence[int] = ()) -> LossSurface | None:
    """The loss over the start after these numbers of inner steps, under these settings; None: the run has no plane.

    Errors: ValueError for steps out of order.
    """
    method = method_under(run, settings)
    if method is None:
        return None
    return loss_surface(method, surface_tasks(run, settings), tuple(steps) or surface_steps(settings))


def optima_of(run: RunView) -> NDArray[np.float32] | None:
    """Each validation task's best start, (n_tasks, 2), in the order of the frames; None where there is no plane."""
    method = method_under(run, run.settings)
    return None if method is None else optima(method.learner, run.tasks).numpy()


def ways_of(
    run: RunView, n_steps: int | None = None, methods: Iterable[str] = COMPARED
) -> dict[str, NDArray[np.float32]] | None:
    """How these methods would move the run's first start on the same tasks, under the settings of now.

    By method its places, (n_steps + 1, 2), the start first; None where there is no plane. The tasks are training tasks,
    drawn with the run's seed; the run itself does not change. Errors: ValueError for an unknown method.
    """
    if not has_plane(run):
        return None
    first, settings = run.history[0].start, run.settings
    found = {name: method_under(run, settings.changed(method=name)) for name in methods}
    made = {name: method for name, method in found.items() if method is not None}
    if first is None or not made:
        return None
    n_steps = ways_steps(run) if n_steps is None else n_steps
    progress = iter(counted(len(made) * n_steps))

    def batches() -> Iterator[TaskBatch]:
        rng = torch.Generator().manual_seed(run.setup.seed)
        family = run.split.train
        for _ in range(n_steps):
            next(progress)
            n_tasks = family.at_most(settings.batch)
            yield family.sample(n_tasks, run.embedder.shots(settings) or None, rng=rng, n_query=family.default_shot)

    places = ways(made, first.tolist(), batches, settings.learning_rate)
    return {name: way.numpy() for name, way in places.items()}


def ways_steps(run: RunView) -> int:
    """How many outer steps a way has at the run's outer rate.

    Worked number: at a rate of 0.02, 300 steps.
    """
    return int(np.clip(round(_ACROSS / run.settings.learning_rate), _FEWEST, _MOST))


def way_label(method: str) -> str:
    """A method as it is named beside its way."""
    return METHODS[method]
