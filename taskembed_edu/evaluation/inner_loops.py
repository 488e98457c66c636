r"""One task learned from several starts, step by step: the inner loop in slow motion.

    ways = inner_loops(learner, [NamedStart("random", one), NamedStart("learned", other)], task, inner_lr=0.01, steps=3)
    ways["learned"].losses                     # on the support set after 0, 1, ..., 3 steps

All starts are one batched call: a stack of networks, one for each start, on the same samples. The support set alone is
trained on; the query set only judges.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from taskembed_edu.adaptation.inner_loop import inner_loop
from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.evaluation.solvers import Prototypes
from taskembed_edu.evaluation.transfer import measures, support_only
from taskembed_edu.networks.learners import Learner, Parameters, check_stack
from taskembed_edu.tasks.base import TaskBatch

# A loss that has grown by this factor is lost. Sooner than in a training: a picture has ten steps, not a thousand.
_LOST = 1e3


@compared_by_value
@dataclass(frozen=True)
class NamedStart:
    """Where an inner loop begins: its name, one network (1, *shape), and which parameters move (None: all)."""

    name: str
    network: Parameters
    adapted: tuple[str, ...] | None = None


@compared_by_value
@dataclass(frozen=True)
class InnerLoop:
    """What one start makes of one task: entry k of everything is after k steps.

    `losses` are on the support set; `query` are the measures on the query set by name ("loss"; "accuracy" of classes,
    "letters right" of words), empty where nobody knows the truth. `outputs` (steps + 1, n, ...) are at the probe.
    `diverged_at` is the step after which the loss was no longer finite, or a thousand times the first: from there on
    all numbers are NaN.
    """

    start: str
    losses: tuple[float, ...]
    query: Mapping[str, tuple[float, ...]]
    outputs: Tensor
    diverged_at: int | None = None

    @property
    def steps(self) -> int:
        """How many inner steps were made."""
        return len(self.losses) - 1

    @property
    def query_losses(self) -> tuple[float, ...]:
        """The losses on the query set; () where there is none."""
        return self.query.get("loss", ())

    def __repr__(self) -> str:
        said = f"InnerLoop({self.start}, {self.steps} steps: support loss {self.losses[0]:.3g} -> {self.losses[-1]:.3g}"
        if self.query_losses:
            said += f", query loss {self.query_losses[0]:.3g} -> {self.query_losses[-1]:.3g}"
        return said + (")" if self.diverged_at is None else f", diverged at step {self.diverged_at})")


@short_errors
def inner_loops(
    learner: Learner,
    starts: Sequence[NamedStart],
    task: TaskBatch,
    *,
    inner_lr: float,
    steps: int,
    probe: Tensor | None = None,
) -> dict[str, InnerLoop]:
    r"""The inner loop of one task from each start: its losses, and its outputs at `probe`, after 0, 1, ..., `steps`.

    .. math:: \theta^{(k+1)} = \theta^{(k)} - \alpha \nabla L^{support}(\theta^{(k)})

    Shapes: `task` is a batch of one; probe (1, n, *x_shape), None: the query set's x. A task with no query sample has
    no query measures, and one with no support sample learns nothing: its losses are NaN.
    Source: Finn, Abbeel and Levine 2017, algorithm 2. Errors: ValueError for more than one task, two starts of one
    name, none, or fewer than 0 steps. Worked number: w = 1, loss w^2, alpha 0.1: losses 1, 0.64, 0.41.
    """
    check_whole("steps", steps, 0, None)
    if len(task) != 1:
        raise ValueError(problem("task", f"{len(task)} tasks", "a batch of one", "tasks[[3]] is one task."))
    names = [start.name for start in starts]
    if not names or len(set(names)) < len(names):
        raise ValueError(problem("starts", ", ".join(names) or "none", "at least one, each with a name of its own"))
    stacks = [check_stack(learner, start.network, f"start {start.name!r}", 1) for start in starts]
    fast = {name: torch.cat([one[name].detach() for one in stacks]) for name in stacks[0]}
    still = _still(starts, fast)
    tasks = task[[0] * len(starts)]
    probe = tasks.query_x if probe is None else probe.expand(len(starts), *probe.shape[1:])
    seen = []
    for step in range(steps + 1):
        if step and tasks.support_x.shape[1]:
            moved = inner_loop(learner, fast, tasks.support_x, tasks.support_y, 1, inner_lr, mask=tasks.support_mask)
            fast = {name: torch.where(still[name], fast[name], value) for name, value in moved.items()}
        seen.append(_measured(learner, fast, tasks, probe))
    return {
        name: _way(name, [(s[k], {n: v[k] for n, v in q.items()}, o[k]) for s, q, o in seen])
        for k, name in enumerate(names)
    }


def _still(starts: Sequence[NamedStart], fast: Parameters) -> dict[str, Tensor]:
    """For each parameter which of the starts keep it as it began, (n_starts, 1, ...)."""

    def keeps(name: str) -> list[bool]:
        return [start.adapted is not None and name not in start.adapted for start in starts]

    return {name: torch.tensor(keeps(name)).view(-1, *[1] * (value.ndim - 1)) for name, value in fast.items()}


@torch.no_grad()
def _measured(
    learner: Learner, fast: Parameters, tasks: TaskBatch, probe: Tensor
) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """Support losses (n_starts,), the query set's measures, and the outputs at the probe."""
    support = torch.full((len(tasks),), math.nan)
    if tasks.support_x.shape[1]:
        support = learner.losses(fast, tasks.support_x, tasks.support_y, tasks.support_mask)
    query: dict[str, Tensor] = {}
    if tasks.query_x.shape[1]:
        outputs = learner.teacher_forced(fast, tasks.query_x, tasks.query_y)
        query = measures(learner.answers, outputs, tasks.query_y, tasks.query_mask)
    return support, query, learner.apply(fast, probe)


def _way(name: str, seen: Sequence[tuple[Tensor, dict[str, Tensor], Tensor]]) -> InnerLoop:
    losses = torch.stack([support for support, _query, _outputs in seen])
    outputs = torch.stack([outputs for _support, _query, outputs in seen])
    query = {measure: torch.stack([each[measure] for _s, each, _o in seen]) for measure in seen[0][1]}
    lost = _lost_at(losses, outputs)
    if lost is not None:
        for values in (losses, outputs, *query.values()):
            values[lost:] = math.nan
    return InnerLoop(
        name, tuple(losses.tolist()), {name: tuple(v.tolist()) for name, v in query.items()}, outputs, lost
    )


def _lost_at(losses: Tensor, outputs: Tensor) -> int | None:
    """The first step after which the network is lost; without a support set nothing moves, and nothing is lost."""
    sound = torch.isfinite(outputs.flatten(1)).all(dim=1)
    if not bool(losses.isnan().all()):
        sound &= losses <= _LOST * (1 + losses[0])  # NaN compares as not below
    gone = (~sound).nonzero().flatten().tolist()
    return gone[0] if gone else None


def prototype_measures(task: TaskBatch) -> dict[str, float]:
    """What prototypes of the raw samples reach on one task's query set, with no step at all: "loss", "accuracy".

    The task is a batch of one, of classes. Errors: ValueError where there are none. Source: Snell, Swersky and Zemel
    2017. Worked number: two classes far apart: accuracy 1.
    """
    solver = Prototypes(lambda x: x.flatten(1))
    (solution,) = solver.solve(support_only(task), (0,))
    found = measures(solver.answers, solution(task.query_x, task.query_y), task.query_y, task.query_mask)
    return {name: float(value[0]) for name, value in found.items()}
