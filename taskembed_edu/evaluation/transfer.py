"""Transfer: what is a way of learning worth on tasks that it has never seen?

    found = transfer({"random": ..., "learned": learned(loop)}, unseen.sample(100, rng=rng), steps=(0, 1, 5, 20))
    print(found.table("loss"))
    found.interval("learned", "loss", step=1)
    found.p_value("learned", "random", "loss", step=1)

The support sets alone are given to a solver; the query sets alone judge it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, check_steps, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders.batched import BEYOND, OPTIMISERS, start_networks
from taskembed_edu.embedders.distributions import WeightDistribution, weights_of
from taskembed_edu.embedders.generators import pair_losses
from taskembed_edu.evaluation.solvers import FromStart, Solver, given_start
from taskembed_edu.networks.layers import cross_entropy, squared_error
from taskembed_edu.networks.learners import Answers, Learner, Parameters, device_of
from taskembed_edu.tasks.base import TaskBatch


@compared_by_value
@dataclass(frozen=True)
class Transfer:
    """What each solver reached: `measured[solver][measure]` is (len(steps), n_tasks).

    `remarks` says which solver has diverged on which share of the tasks, and what to do; the table ends with them.
    """

    steps: tuple[int, ...]
    measured: Mapping[str, Mapping[str, Tensor]]
    remarks: tuple[str, ...] = ()

    def of(self, solver: str, measure: str) -> Tensor:
        """The numbers of each task after each number of steps. Errors: ValueError with the nearest name."""
        measures = self.measured[check_choice("solver", solver, self.measured)]
        return measures[check_choice("measure", measure, measures)]

    def mean(self, solver: str, measure: str, step: int) -> float:
        """The mean over tasks after this number of steps."""
        return float(self.of(solver, measure)[self._row(step)].mean())

    def interval(self, solver: str, measure: str, step: int, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
        """The bootstrap interval of the mean over tasks (percentiles of 2,000 draws of as many tasks).

        Source: Efron 1979. Worked number: where all tasks have the same number, both ends are that number.
        """
        values = self.of(solver, measure)[self._row(step)].double().numpy()
        if not np.isfinite(values).all() or np.ptp(values) == 0:
            return float(values.mean()), float(values.mean())
        rng = np.random.default_rng(seed)
        drawn = stats.bootstrap(
            (values,), np.mean, n_resamples=2000, confidence_level=level, method="percentile", rng=rng
        )
        return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)

    def p_value(self, solver: str, baseline: str, measure: str, step: int) -> float:
        """How often chance alone would part two solvers so far, task by task (Wilcoxon's signed-rank test, 1945).

        Both solved the same tasks, so it is the differences that are tested. 1 where there are none.
        """
        row = self._row(step)
        apart = (self.of(solver, measure)[row] - self.of(baseline, measure)[row]).double().numpy()
        return 1.0 if not apart.any() else float(stats.wilcoxon(apart).pvalue)

    def table(self, measure: str) -> str:
        """The means over tasks as a table of text: a row for each solver, a column for each number of steps."""
        width = max(len("steps"), *map(len, self.measured))
        rows = [f"{'steps':{width}} " + " ".join(f"{step:>8}" for step in self.steps)]
        for solver in self.measured:
            means = self.of(solver, measure).mean(dim=1).tolist()
            rows.append(f"{solver:{width}} " + " ".join(f"{value:8.3f}" for value in means))
        return "\n".join([*rows, *self.remarks])

    def _row(self, step: int) -> int:
        if step not in self.steps:
            raise ValueError(
                problem("step", step, f"one of {', '.join(map(str, self.steps))}", "Only these were kept.")
            )
        return self.steps.index(step)


@short_errors
def transfer(solvers: Mapping[str, Solver], tasks: TaskBatch, steps: Sequence[int] = (0, 1, 5, 20)) -> Transfer:
    """Solve each of these tasks by each solver, and judge it by the query set after so many steps.

    Measured are the loss (squared error, or cross-entropy), and where there are classes the accuracy and the macro-F1
    (the mean over classes of F1, a class that is never met left out); where there are letters, the share that is right,
    with the letters before it given, and the share of words that are right from the first letter to the last.
    Errors: ValueError for steps that are not in order, no solver, and for a task that a solver has known before: that
    would be a leak.
    """
    counts = tuple(check_steps(steps))
    if not solvers:
        raise ValueError(problem("solvers", "none", "at least one, by its name"))
    check_asked({f"solvers[{name!r}]": solver for name, solver in solvers.items()}, tasks)
    for name, solver in solvers.items():
        check_no_leak(name, solver, tasks)
    measured = {name: _measured(solver, tasks, counts) for name, solver in solvers.items()}
    remarks = [_remark(name, solver, tasks, counts, measured[name]["loss"]) for name, solver in solvers.items()]
    return Transfer(counts, measured, tuple(filter(None, remarks)))


def check_asked(solvers: Mapping[str, Solver], tasks: TaskBatch) -> None:
    """Errors: TypeError for what is no solver, `solvers` by the names of arguments; ValueError for no task."""
    for argument, solver in solvers.items():
        if not isinstance(solver, Solver):
            cause = "learned(loop) makes one of an outer loop."
            raise TypeError(problem(argument, solver, "a solver, such as FromStart or Prototypes", cause))
    if not isinstance(tasks, TaskBatch) or not len(tasks):
        raise ValueError(problem("tasks", repr(tasks), "at least one new task: family.sample(60, 10, rng=rng)"))


def _remark(name: str, solver: Solver, tasks: TaskBatch, steps: tuple[int, ...], losses: Tensor) -> str:
    """What is to be said of a solver that has diverged: its losses are not finite, or beyond all bounds. Else ""."""
    diverged = ~(losses < BEYOND)  # NaN compares as not below
    if not bool(diverged.any()):
        return ""
    first = int(diverged.any(dim=1).nonzero()[0])
    where = f"{int(diverged.any(dim=0).sum())} of {len(tasks)} tasks, first after {steps[first]} steps"
    # What is lost before the first step is lost at every rate.
    advice = solver.advice(support_only(tasks), steps[-1]) if steps[first] else ""
    return f"{name}: has diverged on {where}. {advice}".rstrip()


@short_errors
def compare_starts(
    learner: Learner,
    train_parameters: Parameters,
    train_tasks: TaskBatch,
    new_tasks: TaskBatch,
    *,
    steps: Sequence[int] = (0, 1, 5, 20),
    learning_rate: float = 0.002,
    optimiser: str = "sgd",
    rng: torch.Generator,
    distribution: WeightDistribution | None = None,
) -> dict[str, list[float]]:
    """The mean query loss of new tasks after so many steps on their support sets, from three starts: a `transfer`.

    - "mean of the distribution": one network for all (without a distribution: the mean of the trained ones);
    - "nearest neighbour": for each new task the trained network with the lowest loss on its support set;
    - "random": for each new task a network drawn anew from `rng`.

    No start sees a task's truth or its query set. Where a network diverges, its start's numbers are NaN or infinite:
    a trained network is in a narrow minimum, and a step size that suits a new one may be too large for it.
    Shapes: train_parameters (n_tasks, *shape), one network for each of `train_tasks`.
    Errors: ValueError for an unknown optimiser, steps that are not in order, as many networks as no training task,
    diverged ones. Worked number: at step 0 the mean network has the loss of that network itself.
    """
    check_choice("optimiser", optimiser, OPTIMISERS)
    if (count := len(weights_of(learner, train_parameters))) != len(train_tasks):
        cause = "Each training task has one network, in the same order."
        raise ValueError(problem("train_parameters", f"{count} networks", f"{len(train_tasks)}", cause))
    device = device_of(train_parameters)
    new = new_tasks.to(device)
    nearest = pair_losses(learner, train_parameters, new.support_x, new.support_y, new.support_mask).argmin(dim=0)
    of_all = {name: value.mean(0, keepdim=True) for name, value in train_parameters.items()}
    starts = {
        "mean of the distribution": of_all if distribution is None else distribution.mean(),
        "nearest neighbour": {name: value[nearest] for name, value in train_parameters.items()},
        "random": start_networks(learner, len(new), rng, shared=False),
    }
    here = {start: {name: value.to(device) for name, value in of.items()} for start, of in starts.items()}
    solvers = {start: FromStart(learner, given_start(of), learning_rate, optimiser) for start, of in here.items()}
    found = transfer(solvers, new, steps)
    return {start: found.of(start, "loss").mean(dim=1).tolist() for start in solvers}


def check_no_leak(name: str, solver: Solver, tasks: TaskBatch) -> None:
    """Errors: ValueError for a new task that is among those the solver knows, by its truth or by its support set."""
    if solver.known is None:
        return
    for new, known in zip(_fingerprints(tasks), _fingerprints(solver.known), strict=True):
        if new.shape[1:] != known.shape[1:] or not new.shape[1]:
            continue
        same = (new[:, None] == known[None]).all(dim=2).nonzero()
        if len(same):
            task, twin = same[0].tolist()
            came = f"{tasks.names[task]!r}, which is task {twin} of those that {name!r} knows"
            raise ValueError(problem("tasks", came, "tasks that no solver knows", "Split the family once: split(rng)."))


def _fingerprints(tasks: TaskBatch) -> tuple[Tensor, Tensor]:
    """What makes a task the same task: its truth, or all samples of its support set with their answers."""
    samples = torch.cat((tasks.support_x.flatten(1), tasks.support_y.flatten(1).to(tasks.support_x.dtype)), dim=1)
    return tasks.truth.flatten(1).cpu(), samples.cpu()


def support_only(tasks: TaskBatch) -> TaskBatch:
    """The tasks without query sets, truth and names: nothing by which they will be judged."""
    return dataclasses.replace(
        tasks,
        query_x=tasks.query_x[:, :0],
        query_y=tasks.query_y[:, :0],
        query_mask=None,
        truth=torch.full_like(tasks.truth, torch.nan) if tasks.truth.is_floating_point() else 0 * tasks.truth,
        names=tuple(f"task {k}" for k in range(len(tasks))),
    )


@torch.no_grad()
def _measured(solver: Solver, tasks: TaskBatch, steps: tuple[int, ...]) -> dict[str, Tensor]:
    with torch.enable_grad():
        solutions = solver.solve(support_only(tasks), steps)
    rows = []
    for solution in solutions:
        outputs = solution(tasks.query_x, tasks.query_y)
        there = tasks.to(outputs.device)
        rows.append(measures(solver.answers, outputs, there.query_y, there.query_mask))
    return {name: torch.stack([row[name] for row in rows]).cpu() for name in rows[0]}


def measures(answers: Answers, outputs: Tensor, y: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
    """How good outputs are on each task, (n_tasks,), by what they are (see `transfer`)."""
    if answers == "numbers":
        return {"loss": squared_error(outputs, y, mask)}
    if answers == "letters":
        return _of_letters(outputs, y, mask)
    there = y >= 0 if mask is None else (y >= 0) & mask
    loss = cross_entropy(outputs, y.clamp(min=0), there)
    chosen = outputs.argmax(-1)
    right = ((chosen == y) & there).sum(1) / there.sum(1).clamp(min=1)
    return {"loss": loss, "accuracy": right, "macro-F1": macro_f1(chosen, y, outputs.shape[-1], there)}


def _of_letters(outputs: Tensor, y: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    """Letters (n_tasks, n, length, n_letters) beside the words y (n_tasks, n, length), padded with numbers below 0.

    A letter is chosen with the right ones before it given. A word of which all letters are right is the one that the
    network spells on its own too: it has then read the same letters.
    """
    there = y >= 0 if mask is None else (y >= 0) & mask.unsqueeze(-1)
    loss = cross_entropy(outputs.flatten(1, 2), y.clamp(min=0).flatten(1), there.flatten(1))
    hits, words = (outputs.argmax(-1) == y) & there, there.any(-1)
    whole = words & (hits == there).all(-1)
    letters, spelt = (
        got.sum(1) / of.sum(1).clamp(min=1) for got, of in ((hits.flatten(1), there.flatten(1)), (whole, words))
    )
    return {"loss": loss, "letters right": letters, "words right": spelt}


def macro_f1(chosen: Tensor, y: Tensor, n_way: int, there: Tensor) -> Tensor:
    r"""The mean over classes of F1 on each task, (n_tasks,); a class that is neither chosen nor right is left out.

    .. math:: F_1 = \frac{2\, TP}{2\, TP + FP + FN}

    Source: van Rijsbergen 1979. Worked number: labels 0 0 1, answers 0 1 1: F1 is 2/3 and 2/3.
    """
    classes = torch.arange(n_way, device=y.device)
    says, is_ = (each.unsqueeze(-1) == classes for each in (chosen, y))
    counted = there.unsqueeze(-1)
    hits = (says & is_ & counted).sum(1)
    all_of = (says & counted).sum(1) + (is_ & counted).sum(1)
    met = all_of > 0
    return torch.where(met, 2 * hits / all_of.clamp(min=1), 0.0).sum(1) / met.sum(1).clamp(min=1)
