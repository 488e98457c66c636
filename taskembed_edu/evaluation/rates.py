"""The rate of each way of learning, found on validation tasks: a baseline with a poor rate is no baseline.

rate = best_rate(lambda rate: FromStart(network, start, rate), validation_tasks, (0.1, 0.3, 1, 3), step=20)
found = transfer({"tuned": FromStart(network, start, rate)}, new_tasks, (0, 5, 20))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from taskembed_edu.base.checks import check_choice, check_number, check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.evaluation.solvers import Solver
from taskembed_edu.evaluation.transfer import transfer
from taskembed_edu.tasks.batch import TaskBatch


@short_errors
def best_rate(
    solver: Callable[[float], Solver], tasks: TaskBatch, rates: Sequence[float], step: int, measure: str = "loss"
) -> float:
    """The rate whose solver is best on these tasks after `step` steps, by the mean over tasks.

    `tasks` are those of the validation part: the new tasks that judge in the end must not choose. The loss is best
    where it is smallest, every other measure of `transfer` where it is largest. Of equal ones the first counts, and a
    rate at which a task diverges never does. Each start deserves its own search: a rate that suits a trained start
    may be too small for random weights.

    Errors: ValueError for no rate, one below 0, a measure that these tasks do not have, or where all rates diverge;
    TypeError for a `solver` that is no function of a rate. Worked number: one weight w = 1, loss w^2, one step: of the
    rates 0.1, 0.5 and 1 it is 0.5, which leads to 0.
    """
    if not callable(solver):
        cause = "Such as lambda rate: FromStart(network, start, rate)."
        raise TypeError(problem("solver", solver, "a function of a rate that gives a solver", cause))
    check_whole("step", step, 0, None)
    reached = {rate: _reached(solver(rate), tasks, step, measure) for rate in _checked(rates)}
    sound = {rate: value for rate, value in reached.items() if math.isfinite(value)}
    if not sound:
        cause = "All of these diverge: add smaller ones."
        raise ValueError(problem("rates", ", ".join(f"{rate:g}" for rate in reached), "one that is stable", cause))
    return min(sound, key=sound.__getitem__) if measure == "loss" else max(sound, key=sound.__getitem__)


def _checked(rates: Sequence[float]) -> list[float]:
    if isinstance(rates, str) or not isinstance(rates, Sequence) or not len(rates):
        raise ValueError(problem("rates", repr(rates), "at least one rate in a list", "One is a list of one: [0.1]."))
    return [float(check_number("rate", rate, 0, None)) for rate in rates]


def _reached(solver: Solver, tasks: TaskBatch, step: int, measure: str) -> float:
    """The mean over tasks; NaN where one of them has diverged."""
    found = transfer({"solver": solver}, tasks, (step,))
    check_choice("measure", measure, found.measured["solver"])
    return math.nan if found.remarks else found.mean("solver", measure, step)
