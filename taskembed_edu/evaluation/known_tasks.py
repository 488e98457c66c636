"""Known tasks: of each there is a trained network, from which a new task may begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.embedders.batched import start_networks
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.networks.learners import Learner, Parameters
from taskembed_edu.tasks.base import TaskBatch, TaskFamily

# Hears that a part of a longer work is done; what it raises ends the work.
Told = Callable[[], None]

# How many steps the networks are trained, and after how many of them `told` hears.
KNOWN_STEPS, TOLD_EVERY = 500, 50


def nobody() -> None:
    """Hears of a part, and does nothing."""


@compared_by_value
class KnownTasks(NamedTuple):
    """Tasks of the training part, each with a network that was trained on its support set."""

    learner: Learner
    tasks: TaskBatch
    networks: Parameters


def known_tasks(
    train: TaskFamily, n_shot: int | None, rng: torch.Generator, told: Told = nobody, steps: int = KNOWN_STEPS
) -> KnownTasks:
    """At most 200 known tasks, with networks of this many steps; `told` hears of every fiftieth step.

    Errors: as `train_tasks`. Worked number: of the 25 languages for training, 25 networks.
    """
    learner = task_learner(train, activation="tanh")
    tasks = train.sample(train.at_most(200), n_shot, rng=rng)
    start = start_networks(learner, len(tasks), rng)
    trained = train_tasks(
        learner,
        tasks,
        steps,
        start=start,
        device="cpu",
        compiled="off",
        progress=lambda step: told() if step % TOLD_EVERY == 0 else None,
    )
    return KnownTasks(learner, tasks, trained.parameters)
