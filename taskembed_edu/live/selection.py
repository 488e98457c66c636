"""What only the kernel knows of a lasso's tasks: how far apart they are, beside all tasks.

The page has the tasks' true parameters (`packets.tasks_packet`), and computes their means itself, without a kernel too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.evaluation.geometry import all_distances
from taskembed_edu.evaluation.scores import mean_distance
from taskembed_edu.live.numbers import rounded
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session


def selection_packet(session: Session, frame: Frame, selected: Sequence[int]) -> dict[str, Any] | None:
    """Mean distances over all pairs of the selected tasks (`apart`, `truth`), and of all tasks (`apart_all`, ...).

        mean = sum over i < j of d_ij / (m (m - 1) / 2)

    Distances in the embedding are those of the frame's own metric; diverged tasks do not count. `n` is how many tasks
    were asked for, so that the page knows an answer to an older question. A number that does not exist is None: fewer
    than two tasks have no pair, and some families know no true distance. None where nothing is selected.
    Worked number: of tasks at 0, 1 and 3 on a line the first two are 1 apart, all three 2 on average.
    """
    chosen = sorted({task for task in selected if task < len(frame.embedding)})
    if not chosen:
        return None
    every = np.delete(np.arange(len(frame.embedding)), frame.diverged_tasks)
    some = np.setdiff1d(chosen, frame.diverged_tasks)
    told = {"n": len(chosen), "apart": _apart(frame, some), "apart_all": _apart(frame, every)}
    if session.geometry is not None:
        truth = session.geometry.true_distance
        told |= {"truth": _mean(truth[some][:, some]), "truth_all": _mean(truth[every][:, every])}
    return told


def _apart(frame: Frame, tasks: Any) -> float | None:
    return _mean(all_distances(torch.tensor(frame.embedding[tasks]), frame.metric)) if len(tasks) > 1 else None


def _mean(distances: Tensor) -> float | None:
    return rounded(mean_distance(distances)) if len(distances) > 1 else None
