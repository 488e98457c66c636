"""What is measured of each task of a family: a number a task, so that an interval can be said over tasks.

A judge is a function of a family and a generator. It draws tasks, and gives (n_tasks,) numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.base.checks import check_whole
from taskembed_edu.embedders import FittedEmbedder
from taskembed_edu.evaluation.geometry import all_distances, pair_rank_correlation
from taskembed_edu.evaluation.solvers import Solver
from taskembed_edu.evaluation.transfer import transfer
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.tasks.base import TaskBatch, TaskFamily

Judge = Callable[[TaskFamily, torch.Generator], Tensor]


def solved(
    solver: Solver, step: int = 5, measure: str = "loss", *, n_tasks: int = 100, n_shot: int | None = None
) -> Judge:
    """How well a solver does on new tasks after `step` inner steps: "loss", or "accuracy" where there are classes.

    Errors: as `transfer`. Worked number: networks of output 0 on waves of amplitude 2: a loss of about 2.
    """
    check_whole("step", step, 0, None)

    def judge(family: TaskFamily, rng: torch.Generator) -> Tensor:
        return transfer({"": solver}, _tasks(family, n_tasks, n_shot, rng), (step,)).of("", measure)[0]

    return judge


def found_again(
    fitted: FittedEmbedder, *, n_tasks: int = 100, n_shot: int | None = None, metric: str = "euclidean"
) -> Judge:
    """Whether each task's second support set finds its first: 1 or 0, and a share of 1 among equals (`recall_at_k`).

    Worked number: the mean over tasks is recall@1.
    """

    def judge(family: TaskFamily, rng: torch.Generator) -> Tensor:
        tasks = _tasks(family, n_tasks, n_shot, rng)
        again = fitted.embed(family.redraw(tasks, rng, n_shot))
        distances = pairwise_distances(again, fitted.embed(tasks), metric)
        own = distances.diagonal().unsqueeze(1)
        nearer, equal = (distances < own).sum(1), (distances == own).sum(1)
        return torch.where(nearer == 0, 1.0 / equal, 0.0)

    return judge


def order_kept(
    fitted: FittedEmbedder, *, n_tasks: int = 100, n_shot: int | None = None, metric: str = "euclidean"
) -> Judge:
    """For each task the rank correlation of its distances to all others with the true ones (Spearman 1904).

    Errors: ValueError for a family that knows no true distance.
    Worked number: vectors that are the true coordinates: 1.
    """

    def judge(family: TaskFamily, rng: torch.Generator) -> Tensor:
        tasks = _tasks(family, n_tasks, n_shot, rng)
        true, found = family.true_distance(tasks).numpy(), all_distances(fitted.embed(tasks), metric).numpy()
        rows = [pair_rank_correlation(np.delete(found[k], k), np.delete(true[k], k)) for k in range(len(tasks))]
        return torch.tensor(rows)

    return judge


def _tasks(family: TaskFamily, n_tasks: int, n_shot: int | None, rng: torch.Generator) -> TaskBatch:
    return family.sample(family.at_most(n_tasks), n_shot, rng=rng)
