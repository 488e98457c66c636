"""Spelling numbers in a language never seen, from ten examples: what is each start worth, with its own best rate?"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch

from benchmarks.table import Row
from taskembed_edu.course.artefacts import spelling
from taskembed_edu.evaluation.rates import best_rate
from taskembed_edu.evaluation.solvers import FromStart, Start
from taskembed_edu.evaluation.transfer import Transfer, transfer
from taskembed_edu.networks.learners import Learner, Parameters
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from taskembed_edu.tasks.number_words import NumberWords

SEEDS = (0, 1, 2)
N_EXAMPLES, STEPS, JUDGED = 10, (0, 5, 20, 100), 20
# So many draws of the examples: nine languages alone are few.
DRAWS = 3
RATES = {"sgd": (0.3, 0.6, 1.0, 2.0, 3.0, 5.0), "adam": (0.003, 0.01, 0.03, 0.1, 0.3)}
ASKED = 20

Found = dict[str, tuple[float, list[Transfer]]]


def rows() -> Iterator[Row]:
    """Letters and whole words right after `JUDGED` steps, plain and of Adam; means over seeds, languages and draws."""
    runs = [_judged(seed, optimiser) for optimiser in RATES for seed in SEEDS]
    for k, optimiser in enumerate(RATES):
        yield from _rows(optimiser, runs[k * len(SEEDS) : (k + 1) * len(SEEDS)])


def _judged(seed: int, optimiser: str) -> Found:
    """Each start's best rate, and what it reached with it on languages never seen."""
    train, validation, unseen = spelling.split(seed)
    net, found = spelling.learner(train), {}
    tuning = _few_shot(validation, 100 + seed)
    for name, start in spelling.starts(_weights(seed), train).items():
        rate = best_rate(
            lambda rate, start=start: _solver(net, start, rate, optimiser),  # type: ignore[misc]
            tuning,
            RATES[optimiser],
            JUDGED,
            "letters right",
        )
        solver = {name: _solver(net, start, rate, optimiser)}
        draws = (_few_shot(unseen, 1000 + DRAWS * seed + draw) for draw in range(DRAWS))
        found[name] = rate, [transfer(solver, tasks, STEPS) for tasks in draws]
    return found


@functools.cache
def _weights(seed: int) -> dict[str, Parameters]:
    """Trained once for both optimisers."""
    return spelling.trained(seed)


def _few_shot(part: TaskFamily, seed: int) -> TaskBatch:
    assert isinstance(part, NumberWords)
    return part.few_shot(N_EXAMPLES, rng=torch.Generator().manual_seed(seed))


def _solver(net: Learner, start: Start, rate: float, optimiser: str) -> FromStart:
    return FromStart(net, start, rate, optimiser)


def _rows(optimiser: str, runs: list[Found]) -> Iterator[Row]:
    random = _mean(runs, "random", "letters right", JUDGED)
    for name in runs[0]:
        reached, words = (_mean(runs, name, measure, JUDGED) for measure in ("letters right", "words right"))
        by_seed = ", ".join(f"{_mean([run], name, 'letters right', JUDGED):.1f}" for run in runs)
        along = " / ".join(f"{_mean(runs, name, 'letters right', step):.1f}" for step in STEPS)
        rates = ", ".join(f"{run[name][0]:g}" for run in runs)
        what = f"numbers in languages never seen, {N_EXAMPLES} examples, letters right after {JUDGED} steps of "
        what += f"{optimiser.upper() if optimiser == 'sgd' else 'Adam'}: {name}; by seed {by_seed}; after "
        what += f"{' / '.join(map(str, STEPS))} steps {along}; rates {rates}; whole words {words:.1f}"
        is_asked = (name, optimiser) == ("meta-learned", "sgd")
        asked, is_reached = (f"{ASKED} points above random", reached >= random + ASKED) if is_asked else ("", None)
        yield Row(what, reached, "%", "random", random, asked, is_reached, larger_is_better=True)


def _mean(runs: list[Found], name: str, measure: str, step: int) -> float:
    """Percent."""
    values = [found.mean(name, measure, step) for run in runs for found in run[name][1]]
    return 100 * sum(values) / len(values)
