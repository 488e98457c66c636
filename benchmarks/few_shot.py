"""Few-shot digits, of which 5 to 9 are never trained on: prototypes and adaptation beside what needs neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch

from benchmarks.table import Row
from taskembed_edu.adaptation import ANIL, MAML, JointTraining, MetaLearner, OuterLoop, PrototypicalNetwork
from taskembed_edu.evaluation.solvers import FromStart, Prototypes, Solver, features_of, learned
from taskembed_edu.evaluation.transfer import Transfer, transfer
from taskembed_edu.networks.learners import ConvNet
from taskembed_edu.tasks.base import Split, TaskBatch
from taskembed_edu.tasks.digits import Digits
from taskembed_edu.tasks.pictures import turned_classes

N_WAY, N_SHOT, N_QUERY = 5, 5, 5
# Every network sees so many pictures: batches of tasks, each with N_WAY (N_SHOT + N_QUERY) of them.
STEPS, N_TASKS, RATE = 400, 16, 1e-3
CHANNELS, N_FEATURES = (16, 32), 64
INNER_RATE, INNER_STEPS, AFTER = 0.1, 3, 10
EPISODES = 600


def rows() -> Iterator[Row]:
    """Accuracy on 600 episodes with its bootstrap interval, after one and after five shots."""
    rng = torch.Generator().manual_seed(0)
    parts = Digits(n_way=N_WAY, angle=(-0.26, 0.26)).split_by_digit(rng)
    solvers = dict(_solvers(parts))
    for n_shot in (1, 5):
        new = parts.unseen.sample(EPISODES, n_shot, rng=torch.Generator().manual_seed(1000), n_query=10)
        found = transfer(solvers, new, (0, AFTER))
        raw = 100 * found.mean("raw pixels", "accuracy", 0)
        for name, solver in solvers.items():
            yield _row(found, name, AFTER if isinstance(solver, FromStart) else 0, n_shot, raw)


def _row(found: Transfer, name: str, step: int, n_shot: int, raw: float) -> Row:
    low, high = (100 * end for end in found.interval(name, "accuracy", step))
    what = f"{N_WAY}-way {n_shot}-shot, digits 5 to 9 never trained on, {EPISODES} episodes: {name}"
    what += f"; 95 % [{low:.1f}, {high:.1f}], macro-F1 {100 * found.mean(name, 'macro-F1', step):.1f}"
    return Row(what, 100 * found.mean(name, "accuracy", step), "%", "raw pixels", raw, larger_is_better=True)


def _solvers(parts: Split) -> Iterator[tuple[str, Solver]]:
    features, classes = (ConvNet((1, 8, 8), n_out, CHANNELS) for n_out in (N_FEATURES, N_WAY))
    yield "raw pixels", Prototypes(partial(torch.flatten, start_dim=1))
    yield "random convolutions", learned(OuterLoop(PrototypicalNetwork(features), torch.Generator().manual_seed(0)))
    squared, plain = (PrototypicalNetwork(features, metric=metric) for metric in ("squared_euclidean", "euclidean"))
    yield "prototypes", learned(_trained(squared, parts, _as_they_are))
    yield "prototypes, classes turned", learned(_trained(squared, parts, turned_classes))
    yield "prototypes by the unsquared distance, classes turned", learned(_trained(plain, parts, turned_classes))
    yield "plain supervised features", _supervised(classes, parts)
    for method in (ANIL(classes, INNER_RATE, INNER_STEPS), MAML(classes, INNER_RATE, INNER_STEPS)):
        yield f"{method.name.upper()}, classes turned", learned(_trained(method, parts, _numbered_anew))


def _as_they_are(tasks: TaskBatch, rng: torch.Generator) -> TaskBatch:
    return tasks


def _numbered_anew(tasks: TaskBatch, rng: torch.Generator) -> TaskBatch:
    """A start must not learn which number a digit always has."""
    return turned_classes(tasks, rng).relabelled(rng)


def _trained(
    method: MetaLearner, parts: Split, seen_as: Callable[[TaskBatch, torch.Generator], TaskBatch]
) -> OuterLoop:
    rng = torch.Generator().manual_seed(0)
    loop = OuterLoop(method, rng)
    for _ in range(STEPS):
        loop.step(seen_as(parts.train.sample(N_TASKS, N_SHOT, rng=rng, n_query=N_QUERY), rng), RATE)
    return loop


def _supervised(classes: ConvNet, parts: Split) -> Prototypes:
    """What the last layer reads in a network that was trained to name the digits 0 to 4."""
    return Prototypes(features_of(classes, _trained(JointTraining(classes), parts, _as_they_are).start))
