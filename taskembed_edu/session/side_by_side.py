"""Two runs on the same tasks: whether they are the same, which neighbours differ, and a scorecard for each.

The runs may be of one embedder or of two. Nothing here changes a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from taskembed_edu.base.checks import problem
from taskembed_edu.base.progress import counted
from taskembed_edu.embedders.base import Embedder
from taskembed_edu.evaluation.geometry import NeighbourChanges
from taskembed_edu.evaluation.known_tasks import KNOWN_STEPS, TOLD_EVERY, KnownTasks, known_tasks
from taskembed_edu.evaluation.scorecard import N_PARTS, Scorecard, scorecard_of
from taskembed_edu.networks.factory import LEARNERS_OF
from taskembed_edu.session.history import Frame
from taskembed_edu.session.looking import RunView
from taskembed_edu.session.run import readable_families
from taskembed_edu.tasks import task_family
from taskembed_edu.tasks.base import TaskBatch, TaskFamily

# The generator of the networks of known tasks: far from those of new tasks (see `scorecard_of`).
_KNOWN_SEED = 2**31


class Judged(NamedTuple):
    """Scorecards of runs side by side, and the step of each at which it was judged."""

    cards: tuple[Scorecard, ...]
    steps: tuple[int, ...]


def run_names(runs: Sequence[RunView]) -> tuple[str, ...]:
    """What the runs are called side by side: by their embedders where those differ, else Run A and Run B."""
    embedders = [run.embedder.name for run in runs]
    if len(set(embedders)) < len(embedders) or len(embedders) < 2:
        return tuple(f"Run {letter}" for letter in "AB"[: len(embedders)])
    return tuple(name.replace("_", " ").capitalize() for name in embedders)


def same_tasks(one: TaskBatch, other: TaskBatch) -> bool:
    """Whether these are the same tasks in the same order, even if they were sampled again."""
    if one is other:
        return True
    # Tasks without true parameters are compared by their names.
    same_names = one.truth_names == other.truth_names and one.names == other.names
    return same_names and torch.equal(one.truth, other.truth)


def watch_the_same(embedders: Sequence[Embedder[Any, Any]], family: TaskFamily) -> bool:
    """Whether all of them read such tasks, and draw those of the map from the same part of the family."""
    if not all(each.takes(family) for each in embedders):
        return False
    split = family.split(torch.Generator().manual_seed(0))
    first, *others = (each.watched_family(split) for each in embedders)
    return all(other == first for other in others)


def common_families(embedders: Sequence[Embedder[Any, Any]]) -> list[str]:
    """The names of the package's families on which maps of all these embedders show the same tasks."""
    return [name for name in readable_families(embedders[0]) if watch_the_same(embedders, task_family(name))]


def changed_neighbours(one: Frame, other: Frame, k: int = 5) -> NeighbourChanges:
    """Which of each task's k nearest are others in the second frame: `before` is the first one's, `after` the second's.

    Where there are fewer tasks than that, k is as many as a task has near it in both. Each frame's neighbours are those
    under its own distance. A task that has diverged in one of them has no neighbours there, and counts as unchanged.
    Errors: ValueError for frames of different numbers of tasks, or k below 1.
    Worked number: a task whose 5 nearest are 2 the same and 3 others has 3 lost and 3 gained.
    """
    if len(one.embedding) != len(other.embedding):
        came = f"{len(one.embedding)} and {len(other.embedding)} tasks"
        raise ValueError(problem("frames", came, "the same tasks in both", "Give both runs the same seed and n_tasks."))
    k = min(k, *(len(frame.embedding) - len(frame.diverged_tasks) - 1 for frame in (one, other)))
    before, after = one.neighbours(k), other.neighbours(k)
    lost = sorted({*one.diverged_tasks, *other.diverged_tasks})
    after[lost] = before[lost]
    return NeighbourChanges(before, after)


def scorecards(
    runs: Sequence[RunView],
    *,
    n_tasks: int = 200,
    seed: int = 0,
    transfer_to: int = 60,
    cancelled: Callable[[], None] = lambda: None,
) -> Judged:
    """A scorecard of each run's present state, on the same never-seen tasks; see `scorecard_of`.

    Where the tasks have a network of the package, all runs take the same known tasks with the same networks. Training
    may go on meanwhile: a copy of each state is judged. `cancelled` is called often, and ends the work by raising.
    Errors: ValueError for runs of other tasks, or fewer than 10 tasks.
    """
    first = runs[0]
    for other in runs[1:]:
        if not same_tasks(first.tasks, other.tasks):
            raise ValueError(problem("runs", "runs on different tasks", "one family, seed and number of tasks"))
    if first.split.train.kind not in LEARNERS_OF:
        transfer_to = 0  # no network of the package learns such tasks
    now = [_present(run) for run in runs]
    shots = [run.embedder.shots(settings) or None for run, (_state, settings) in zip(runs, now, strict=True)]
    n_known = len(set(shots)) if transfer_to else 0
    parts = iter(counted(len(runs) * N_PARTS + n_known * (KNOWN_STEPS // TOLD_EVERY), "part"))

    def told() -> None:
        next(parts, None)
        cancelled()

    told()
    known: dict[int | None, KnownTasks] = {}
    if transfer_to:
        for n_shot in dict.fromkeys(shots):
            rng = torch.Generator().manual_seed(_KNOWN_SEED + seed)
            known[n_shot] = known_tasks(first.split.train, n_shot, rng, told)
    cards = tuple(
        scorecard_of(
            run.embedder,
            state,
            settings,
            run.split,
            n_tasks=n_tasks,
            seed=seed,
            transfer_to=transfer_to,
            known=known.get(n_shot),
            told=told,
        )
        for run, (state, settings), n_shot in zip(runs, now, shots, strict=True)
    )
    return Judged(cards, tuple(int(state.step) for state, _settings in now))


def _present(run: RunView) -> tuple[Any, Any]:
    """A copy of the run's state, and its settings."""
    with run.lock("read"):
        return run._now.state.copy(), run.settings


def same_step(runs: Sequence[RunView]) -> list[Frame]:
    """Each run's frame at the newest step that all of them have reached."""
    step = min(run.frame.step for run in runs)
    return [run.history.at_step(step) for run in runs]
