"""The twenty official runs of the Omniglot challenge, as tasks: which of twenty letters is this one?"""

from __future__ import annotations

import functools
import re

import torch
from torch import Tensor

from taskembed_edu.base.checks import problem
from taskembed_edu.tasks.batch import TaskBatch
from taskembed_edu.tasks.omniglot import small
from taskembed_edu.tasks.omniglot_files import entries, ink, published

N_RUNS, N_LETTERS = 20, 20

_RUN = re.compile(r"(run\d\d)/(?:training/class\d\d\.png|test/item\d\d\.png|class_labels\.txt)")


def official_runs() -> TaskBatch:
    """The official runs as twenty tasks of 20 classes, one shot, and 20 query pictures.

    All letters of a run are of one alphabet of the evaluation set. One person drew its support set, another its query
    set, one drawing of each letter. The file is fetched once (`omniglot_files.py`).

    Shapes: support_x and query_x (20, 20, 1, 28, 28), support_y and query_y (20, 20). Source: Lake, Salakhutdinov and
    Tenenbaum 2015; the folder one-shot-classification of their repository. Errors: OSError where the file is not here
    and cannot be fetched, ValueError for a file of another form. Worked number: 400 pictures have to be named.
    """
    support, query, answers = drawn_runs()
    labels = torch.arange(N_LETTERS).expand(N_RUNS, -1).contiguous()
    names = tuple(f"run {k + 1}" for k in range(N_RUNS))
    truth = torch.arange(float(N_RUNS)).unsqueeze(1)
    return TaskBatch(small(support), labels, small(query), answers, truth, ("run",), names)


@functools.cache
def drawn_runs() -> tuple[Tensor, Tensor, Tensor]:
    """As they were published: support and query pictures (20, 20, 105, 105) of ink 0 or 1, and the answers (20, 20)."""
    found: dict[str, dict[str, bytes]] = {}
    for name, content in entries(published("runs")):
        if not (match := _RUN.fullmatch(name)):
            raise ValueError(problem("archive", repr(name), "run01/training/class01.png and the like"))
        found.setdefault(match[1], {})[name.removeprefix(f"{match[1]}/")] = content
    if sorted(found) != [f"run{k:02d}" for k in range(1, N_RUNS + 1)]:
        raise ValueError(problem("archive", f"{', '.join(found)}", f"{N_RUNS} runs"))
    runs = [_run(name, files) for name, files in sorted(found.items())]
    support, query, answers = (torch.stack(parts) for parts in zip(*runs, strict=True))
    return support, query, answers


def _run(name: str, files: dict[str, bytes]) -> tuple[Tensor, Tensor, Tensor]:
    classes, items = ([f for f in files if f.startswith(folder)] for folder in ("training/", "test/"))
    # Each line: the picture that is asked for, and the class that it belongs to.
    lines = dict(line.split() for line in files.get("class_labels.txt", b"").decode().splitlines())
    of_item = [lines.get(f"{name}/{item}", "").removeprefix(f"{name}/") for item in items]
    if not (len(classes) == len(items) == N_LETTERS and set(of_item) == set(classes)):
        raise ValueError(problem("archive", f"{name} with gaps", f"{N_LETTERS} letters, and an answer for each"))
    support, query = (torch.stack([ink(f, files[f]) for f in which]) for which in (classes, items))
    return support, query, torch.tensor([classes.index(item) for item in of_item])
