"""The arrays of `OwnTasks`, checked and as the networks read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_finite, check_whole, problem
from taskembed_edu.formulas._vectors import Vectors, as_tensor


def as_data(x: Vectors, y: Vectors) -> tuple[Tensor, Tensor]:
    """Copies of x and y as the networks read them. Errors: ValueError for arrays that do not belong together."""
    _check_equal_rows(x, y)
    x, y = (as_tensor(name, values).detach().cpu() for name, values in (("x", x), ("y", y)))
    for name, tensor in (("x", x), ("y", y)):
        if tensor.is_complex():
            raise ValueError(problem(name, tensor, "real numbers"))
    if x.ndim not in (3, 5) or 0 in x.shape:
        expected = "shape (n_tasks, n_rows, entries), or (n_tasks, n_rows, channels, height, width)"
        more = {
            2: "One number a row? Write x[..., None]. The rows of one task alone? Tasks come first: x[i] is task i.",
            4: "Grey pictures? Write x[:, :, None].",
        }
        cause = more.get(x.ndim, "")
        raise ValueError(problem("x", x, expected, cause))
    y = y.squeeze(-1) if y.ndim == 3 and y.shape[2] == 1 else y
    if y.shape != x.shape[:2]:
        one_hot = y.ndim == 3 and y.shape[:2] == x.shape[:2] and not y.is_floating_point()
        cause = "One-hot classes become numbers by y.argmax(-1)." if one_hot else ""
        raise ValueError(problem("y", y, f"shape {tuple(x.shape[:2])}: an answer for every row of x", cause))
    if not y.is_floating_point():
        return _single("x", x), y.to(torch.long, copy=True)
    if x.ndim == 5:
        raise ValueError(
            problem("y", y, "whole numbers: the classes of the pictures", "Are they? Write y.astype(int).")
        )
    return _single("x", x), _single("y", y).unsqueeze(-1)


def _check_equal_rows(x: Vectors, y: Vectors) -> None:
    """Raise where tasks come as a list and have different numbers of rows: say how to cut them."""
    for name, tasks in (("x", x), ("y", y)):
        if not isinstance(tasks, (list, tuple)) or not all(hasattr(task, "__len__") for task in tasks):
            continue
        rows = {len(task) for task in tasks}
        if len(rows) > 1 and min(rows) > 1:
            came = f"tasks of {min(rows)} to {max(rows)} rows"
            cause = f"Cut all to the shortest: x = [task[:{min(rows)}] for task in x], and y in the same way."
            raise ValueError(problem(name, came, "as many rows in every task", cause))


def _single(name: str, tensor: Tensor) -> Tensor:
    """A copy in the default dtype, checked: a number may be finite in double precision and not in single."""
    made = tensor.to(torch.get_default_dtype(), copy=True)
    return check_finite(
        name, made, "Leave out rows that are not known, or fill them; bring very large numbers nearer 1."
    )


def as_columns(truth: Mapping[str, Vectors] | None, n_tasks: int) -> Tensor:
    if truth is None or not len(truth):
        return torch.zeros(n_tasks, 0, dtype=torch.float64)
    if not hasattr(truth, "items"):
        expected = 'one number a task for each name: {"size": sizes}'
        raise ValueError(problem("truth", f"a {type(truth).__name__}", expected))
    columns = []
    for name, values in truth.items():
        column = as_tensor(f"truth {name!r}", values).detach().cpu().double().reshape(-1)
        if len(column) != n_tasks:
            raise ValueError(problem(f"truth {name!r}", column, f"{n_tasks} numbers, one a task"))
        columns.append(check_finite(f"truth {name!r}", column, "Leave out what you do not know of every task."))
    return torch.stack(columns, dim=1)


def as_names(names: Sequence[str] | None, n_tasks: int) -> tuple[str, ...]:
    if names is None or not len(names):
        return ()
    if isinstance(names, str) or len(names) != n_tasks:
        came = repr(names) if isinstance(names, str) else f"{len(names)} names"
        raise ValueError(problem("names", came, f"{n_tasks}, one a task"))
    return tuple(map(str, names))


def checked_shots(n_shot: int | None, rows: int) -> int:
    if n_shot is None:
        return max(1, rows // 4)
    cause = f"The smallest set has {rows} rows (of a class), and a support and a query set are drawn from it."
    return int(check_whole("n_shot", n_shot, 1, rows // 2, cause))


def check_classes(y: Tensor) -> int:
    """How many classes there are. Errors: ValueError for a class that a task lacks, or has only one row of."""
    lowest, n_way = int(y.min()), int(y.max()) + 1
    numbers = "Are they numbers, and no classes? Write y.astype(float)."
    if lowest < 0 or not 2 <= n_way <= y.shape[1] // 2:
        came, most = f"classes {lowest} to {n_way - 1}", y.shape[1] // 2 - 1
        expected = f"classes from 0 to {max(1, most)} at most, two rows of each in every task"
        raise ValueError(problem("y", came, expected, numbers))
    counts = (y.unsqueeze(-1) == torch.arange(n_way)).sum(1)
    if int(counts.min()) < 2:
        task, k = divmod(int(counts.argmin()), n_way)
        came = f"{int(counts.min())} rows of class {k} in task {task}"
        cause = "The first class is 0: write y - 1." if not bool((y == 0).any()) else numbers
        raise ValueError(problem("y", came, "at least two rows of every class in every task", cause))
    return n_way


def rows_of_class(y: Tensor, n_way: int) -> int:
    """The rows of the smallest class of any task; in regression, the rows of a task. Errors: ValueError for one row."""
    rows = y.shape[1] if n_way == 1 else int((y.unsqueeze(-1) == torch.arange(n_way)).sum(1).min())
    if rows < 2:
        raise ValueError(problem("x", "one row a task", "at least two: one for the support set, one for the query set"))
    return rows
