"""What weights say of tasks: languages find their branches, sine waves their places; from one start and from many."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import torch
from torch.func import grad_and_value, vmap

from benchmarks.parameters import all_cores
from benchmarks.table import Row, measure
from taskembed_edu.embedders.batched import start_networks
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.embedders.weights import weight_vectors
from taskembed_edu.evaluation.geometry import TrueGeometry, all_distances
from taskembed_edu.evaluation.scores import neighbour_purity, purity_by_chance
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.networks.recurrent import GRU
from taskembed_edu.tasks import NumberWords, Sinusoids
from taskembed_edu.tasks.base import TaskBatch

SEEDS = range(5)
N_LANGUAGES, N_NUMBERS, LANGUAGE_STEPS = 41, 99, 300
_OWN_SEEDS = 2  # nothing is asked of them, and they take a quarter of a minute each
N_WAVES, N_POINTS, WAVE_STEPS = 60, 16, 500


def rows() -> Iterator[Row]:
    """Languages, then sine waves, on all cores."""
    with all_cores():
        yield from _languages()
        yield from _waves()


def _languages() -> Iterator[Row]:
    family = NumberWords()
    found: dict[bool, list[float]] = {True: [], False: []}
    seconds = []
    for seed in SEEDS:
        rng = torch.Generator().manual_seed(seed)
        tasks = family.sample(N_LANGUAGES, N_NUMBERS, rng=rng, n_query=1)
        learner = GRU(len(family.alphabet), family.length, hidden=48)
        for shared, purities in found.items():
            if shared or seed < _OWN_SEEDS:
                purity, took = _train_languages(learner, tasks, rng, shared)
                purities.append(purity)
                seconds.append(took)
    plain = LANGUAGE_STEPS * _step_of_vmap(learner, tasks, rng)
    what = f"{N_LANGUAGES} languages, {N_NUMBERS} numbers each, GRU of 48 units, {LANGUAGE_STEPS} Adam steps"
    took = statistics.median(seconds)
    yield Row(what, took, "s", "vmap of the same cells, from 3 steps", plain, "at most 15 s", took <= 15)
    chance = purity_by_chance(tasks.truth[:, 1])
    for shared, asked in ((True, 0.85), (False, 0.0)):
        start = "one start for all" if shared else "a start each"
        median = f"median of {len(found[shared])} seeds"
        yield _score(f"languages whose nearest is of their own branch, {start}, {median}", found[shared], chance, asked)


def _train_languages(learner: GRU, tasks: TaskBatch, rng: torch.Generator, shared: bool) -> tuple[float, float]:
    start = start_networks(learner, len(tasks), rng, shared=shared)
    trained = train_tasks(learner, tasks, LANGUAGE_STEPS, start=start, learning_rate=0.01, compiled="off")
    vectors = weight_vectors(learner, trained.parameters, form="difference", start=start)
    return neighbour_purity(all_distances(vectors, "cosine"), tasks.truth[:, 1]), trained.seconds


def _step_of_vmap(learner: GRU, tasks: TaskBatch, rng: torch.Generator) -> float:
    parameters = start_networks(learner, len(tasks), rng)
    step = vmap(grad_and_value(learner.loss))
    optimiser = torch.optim.Adam(list(parameters.values()), lr=0.01)

    def one() -> None:
        grads, _losses = step(parameters, tasks.support_x, tasks.support_y)
        for name, grad in grads.items():
            parameters[name].grad = grad
        optimiser.step()

    return measure({"vmap": one}, repeats=3, warm_up=1)["vmap"]


def _waves() -> Iterator[Row]:
    about = f"{N_WAVES} unseen sinusoids of {N_POINTS} points, {WAVE_STEPS} SGD steps"
    for shared, asked in ((True, 0.9), (False, 0.0)):
        start = "one start for all" if shared else "a start each"
        scores = [_spearman(seed, shared) for seed in SEEDS]
        yield _score(f"Spearman of weight distance and true distance, {about}, {start}, {_MEDIAN}", scores, 0.0, asked)


def _spearman(seed: int, shared: bool) -> float:
    rng = torch.Generator().manual_seed(seed)
    unseen = Sinusoids().split(rng).unseen
    tasks = unseen.sample(N_WAVES, N_POINTS, rng=rng)
    learner = task_learner(unseen, hidden=32, activation="tanh")
    start = start_networks(learner, N_WAVES, rng, shared=shared)
    trained = train_tasks(learner, tasks, WAVE_STEPS, start=start, optimiser="sgd", learning_rate=0.01)
    return TrueGeometry(unseen.true_distance(tasks)).spearman(weight_vectors(learner, trained.parameters))


_MEDIAN = f"median of {len(SEEDS)} seeds"


def _score(what: str, scores: list[float], chance: float, asked: float) -> Row:
    ours = statistics.median(scores)
    words = f"at least {asked:g}" if asked else ""
    reached = ours >= asked if asked else None
    return Row(what, ours, "", "chance", chance, words, reached, larger_is_better=True)
