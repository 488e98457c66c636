"""Which classes are taken for which: answers on many tasks, counted by what each task's classes stand for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.evaluation.solvers import Solver
from taskembed_edu.evaluation.transfer import check_asked, check_no_leak, support_only
from taskembed_edu.tasks.base import TaskBatch


@compared_by_value
@dataclass(frozen=True)
class Confusions:
    """`taken[i, j]`: how many queries of `classes[i]` were answered `classes[j]`; `met[i, j]`: how many could be.

    A query can be taken for a class only where its task has that class too, so that a share is `taken / met`.
    Shapes: classes (n,), ascending; taken and met (n, n).
    """

    classes: Tensor
    taken: Tensor
    met: Tensor

    @property
    def shares(self) -> Tensor:
        """The share of queries of each class (row) that were taken for each other one; NaN where the two never met."""
        return self.taken / self.met

    def pairs(self) -> list[tuple[int, int]]:
        """Different classes, as places in `classes`: (of which, taken for which), the most often confused first."""
        shares = self.shares.nan_to_num(-1.0).fill_diagonal_(-1.0)
        order = shares.flatten().argsort(descending=True, stable=True).tolist()
        return [divmod(place, len(self.classes)) for place in order if shares.flatten()[place] > 0]

    def of(self, places: list[int]) -> Confusions:
        """The same counts of these classes alone, in this order."""
        return Confusions(self.classes[places], self.taken[places][:, places], self.met[places][:, places])


@short_errors
def confusions(solver: Solver, tasks: TaskBatch, classes: Tensor, step: int = 0) -> Confusions:
    """Count a solver's answers on new tasks, after `step` steps, by what the tasks' classes stand for.

    `classes` (n_tasks, n_way), whole numbers: what label k of a task stands for, such as its letter
    (`family.letters(tasks.truth)`). Errors: as `transfer`; ValueError for tasks without classes, or as many rows as no
    task. Worked number: a query of class 7 in a task of the classes 3 and 7 counts once in met[7, 3] and met[7, 7].
    """
    _check(solver, tasks, classes)
    check_no_leak("solver", solver, tasks)
    known, places = classes.cpu().unique(return_inverse=True)
    solution = solver.solve(support_only(tasks), [check_whole("step", step, 0, None)])[0]
    with torch.no_grad():
        answers = solution(tasks.query_x, tasks.query_y).argmax(-1).cpu()
    labels = tasks.query_y.cpu()
    there = torch.ones_like(labels, dtype=torch.bool) if tasks.query_mask is None else tasks.query_mask.cpu()
    n, shape = len(known), (*labels.shape, classes.shape[1])
    is_, says = places.gather(1, labels), places.gather(1, answers)
    taken = torch.bincount((is_ * n + says)[there], minlength=n * n)
    together = is_.unsqueeze(2).expand(shape) * n + places.unsqueeze(1).expand(shape)
    met = torch.bincount(together[there].flatten(), minlength=n * n)
    return Confusions(known, taken.view(n, n), met.view(n, n))


def _check(solver: Solver, tasks: TaskBatch, classes: Tensor) -> None:
    check_asked({"solver": solver}, tasks)
    if tasks.query_y.is_floating_point() or tasks.query_y.ndim != 2:
        cause = "Only a class can be taken for another one."
        raise ValueError(problem("query_y", tasks.query_y, "labels of classes, (n_tasks, n_query)", cause))
    expected = f"whole numbers, ({len(tasks)}, {tasks.n_way}): what each task's labels stand for"
    if not isinstance(classes, Tensor):
        raise TypeError(problem("classes", f"a {type(classes).__name__}", expected))
    if classes.is_floating_point() or classes.dtype == torch.bool or classes.shape != (len(tasks), tasks.n_way):
        raise ValueError(problem("classes", classes, expected))
