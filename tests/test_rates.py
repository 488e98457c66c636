"""The rate of a way of learning, searched on validation tasks."""

from __future__ import annotations

import math

import pytest
import torch

from taskembed_edu import MLP, NumberWords, Sinusoids, TaskBatch, best_rate, transfer
from taskembed_edu.evaluation.solvers import FromStart, given_start, random_start
from tests.runs import generator

NET = MLP(1, 1, (8,), activation="tanh")


def waves(n_tasks: int = 6) -> TaskBatch:
    return Sinusoids().sample(n_tasks, 5, rng=generator())


def from_random(rate: float) -> FromStart:
    return FromStart(NET, random_start(NET), rate)


def test_the_worked_number() -> None:
    """One weight, y = 0 at x = 1: a step of 0.5 leads to 0."""
    line = MLP(1, 1, ())
    one = torch.ones(1, 1, 1)
    zero = torch.zeros(1, 1, 1)
    tasks = TaskBatch(one, zero, one, zero, torch.zeros(1, 1), ("nothing",), ("zero",))
    start = given_start({"output.weight": one, "output.bias": zero})

    def steps(rate: float) -> FromStart:
        return FromStart(line, start, rate, adapted=())

    losses = {rate: transfer({"": steps(rate)}, tasks, (1,)).mean("", "loss", 1) for rate in (0.1, 0.25, 0.5, 1.0)}
    assert losses[0.25] == pytest.approx(0, abs=1e-12)  # weight and bias both move: twice as far
    assert best_rate(steps, tasks, (0.1, 0.25, 0.5, 1.0), step=1) == 0.25


def test_it_is_the_one_that_a_loop_over_transfers_finds() -> None:
    tasks, rates = waves(), (0.001, 0.01, 0.05, 0.2, 2.0)
    losses = {rate: transfer({"": from_random(rate)}, tasks, (10,)).mean("", "loss", 10) for rate in rates}
    assert best_rate(from_random, tasks, rates, 10) == min(losses, key=losses.__getitem__)
    assert best_rate(from_random, tasks, rates[::-1], 10) == min(losses, key=losses.__getitem__)


def test_a_share_that_is_right_is_best_where_it_is_largest() -> None:
    family = NumberWords(part=("es", "pt", "fi"))
    tasks = family.few_shot(10, rng=generator())
    from taskembed_edu import task_learner

    net = task_learner(family, hidden=8)

    def steps(rate: float) -> FromStart:
        return FromStart(net, random_start(net), rate)

    rates = (0.001, 3.0)
    right = {rate: transfer({"": steps(rate)}, tasks, (20,)).mean("", "letters right", 20) for rate in rates}
    assert right[3.0] > right[0.001] + 0.05
    assert best_rate(steps, tasks, rates, 20, "letters right") == 3.0


def test_a_rate_that_diverges_is_never_the_best() -> None:
    tasks = waves()
    assert best_rate(from_random, tasks, (1e6, 0.01), 10) == 0.01
    with pytest.raises(ValueError, match=r"got 1e\+06, 1e\+07, expected one that is stable.*add smaller"):
        best_rate(from_random, tasks, (1e6, 1e7), 10)


def test_of_equal_ones_the_first_counts() -> None:
    assert best_rate(from_random, waves(), (0.3, 0.1), step=0) == 0.3


@pytest.mark.parametrize("rates", [(), "0.1", None, 0.1])
def test_no_list_of_rates(rates: object) -> None:
    with pytest.raises(ValueError, match="at least one rate in a list"):
        best_rate(from_random, waves(), rates, 5)  # type: ignore[arg-type]


def test_what_is_no_rate_no_function_and_no_measure_is_said() -> None:
    for wrong in (-1.0, math.nan):
        with pytest.raises(ValueError, match="rate: got"):
            best_rate(from_random, waves(), (wrong,), 5)
    with pytest.raises(TypeError, match="rate: got 'fast'"):
        best_rate(from_random, waves(), ("fast",), 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a function of a rate"):
        best_rate(from_random(0.1), waves(), (0.1,), 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a solver, such as FromStart"):
        best_rate(lambda rate: rate, waves(), (0.1,), 5)  # type: ignore[arg-type, return-value]
    with pytest.raises(ValueError, match=r"measure: got 'accuracy'.*loss"):
        best_rate(from_random, waves(), (0.1,), 5, "accuracy")
    with pytest.raises(ValueError, match="at least one new task"):
        best_rate(from_random, None, (0.1,), 5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="step: got -1"):
        best_rate(from_random, waves(), (0.1,), -1)
