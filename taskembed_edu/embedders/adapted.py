"""The adapted embedder: a task's vector is the network that an inner loop makes of a learned start (MAML, Reptile)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from taskembed_edu.adaptation.methods import ANIL, MAML, JointTraining, MetaLearner, Reptile
from taskembed_edu.adaptation.outer_loop import OuterLoop
from taskembed_edu.base.settings import setting
from taskembed_edu.embedders.base import device_setting, metric_setting, shots_setting, stop_at_setting
from taskembed_edu.embedders.meta import (
    MetaEmbedder,
    MetaSettings,
    MetaState,
    batch_setting,
    inner_lr_setting,
    inner_steps_setting,
    learner_setting,
    outer_lr_setting,
    width_setting,
)
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.networks.learners import Learner, Parameters, flatten
from taskembed_edu.networks.wave import AMPLITUDE, PHASE, Wave
from taskembed_edu.tasks.base import TaskBatch, TaskFamily

# The setting `method` with its labels.
METHODS = {
    "maml": "MAML",
    "first_order": "First-order MAML",
    "anil": "ANIL",
    "reptile": "Reptile",
    "joint": "Joint training",
}


def _by_hand(name: str, other: str, **ends: float) -> Any:
    """One of the two numbers of a wave's first start, where the learner chooses it."""
    told = f"Where the start of a wave of two numbers begins. With {other} 0 as well: at random."
    declared: dict[str, Any] = {"step": 0.05, "live": False, "advanced": True, **ends}
    return setting(
        0.0, label=f"First {name}", help=told, applies=lambda settings: settings.learner == "wave", **declared
    )


@dataclass(frozen=True)
class AdaptedSettings(MetaSettings):
    """Every hyperparameter of the adapted embedder, declared once."""

    method: str = setting(
        "maml",
        label="Method",
        help="How the outer loop moves the start. Joint training has no inner loop: one network for all tasks at once.",
        choices=METHODS,
        projected=True,
        value_first=True,
    )
    inner_lr: float = inner_lr_setting(
        0.01,
        "How far one inner step moves a task's weights. Too small: the task is not learnt. Too large: it is lost.",
        low=1e-4,
        high=2.0,
    )
    inner_steps: int = inner_steps_setting(1, "a task's network")
    learning_rate: float = outer_lr_setting("the start")
    n_shot: int = shots_setting("on which a network is adapted, in training and on the map", projected=True)
    stop_at: int = stop_at_setting(300, "the start gets better more slowly")
    metric: str = metric_setting()
    learner: str = learner_setting()
    start_amplitude: float = _by_hand("amplitude", "phase", low=-6.0, high=6.0)
    start_phase: float = _by_hand("phase", "amplitude", low=-3.5, high=6.5)
    batch: int = batch_setting()
    hidden: int = width_setting()
    device: str = device_setting()


class AdaptedEmbedder(MetaEmbedder[AdaptedSettings]):
    """Meta-learns a start; a task's vector is its network's weights after the inner loop, all beginning there.

    Source: Finn, Abbeel and Levine 2017 (MAML); Raghu and others 2020 (ANIL); Nichol, Achiam and Schulman 2018
    (Reptile). Worked number: an MLP(1, 1, (40, 40)) gives vectors of 1,761 numbers, a `Wave` gives 2.
    Errors: FloatingPointError where the inner or the outer loop diverges, with the rate to lower.
    """

    name = "adapted"
    about = "a learned start, and the weights that an inner loop makes of it (MAML, ANIL, Reptile)"
    settings_class = AdaptedSettings
    # The loss after the inner loop, whatever moved the start.
    same_loss: ClassVar[frozenset[str]] = frozenset({"learning_rate", "method", "batch", "stop_at", "metric"})

    def first_method(self, family: TaskFamily, settings: AdaptedSettings) -> MetaLearner:
        return _method(task_learner(family, settings.learner, settings.hidden), settings)

    def method_of(self, state: MetaState, settings: AdaptedSettings) -> MetaLearner:
        return _method(state.loop.method.learner, settings)

    def vectors_of(self, method: MetaLearner, adapted: Parameters) -> Tensor:
        # Not `weights_of`: a task that diverged is named by `diverged_tasks`, and is no error here.
        return flatten(adapted)

    def first_start(self, method: MetaLearner, settings: AdaptedSettings) -> Parameters | None:
        by_hand = (settings.start_amplitude, settings.start_phase)
        if by_hand == (0, 0) or not isinstance(method.learner, Wave):
            return None
        return {name: torch.full((1, 1, 1), value) for name, value in zip((AMPLITUDE, PHASE), by_hand, strict=True)}

    def step_loss(self, loop: OuterLoop, tasks: TaskBatch, settings: AdaptedSettings) -> Tensor:
        """What the reading `loss` means is the same for each method: the query loss after the inner loop."""
        if isinstance(loop.method, MAML):
            return loop.step(tasks, settings.learning_rate)  # its outer loss is this number
        after = loop.method.losses_along(loop.start, tasks, (settings.inner_steps,)).mean()
        loop.step(tasks, settings.learning_rate)
        return after


def _method(learner: Learner, settings: AdaptedSettings) -> MetaLearner:
    first_order = not learner.has_second_derivative
    made: dict[str, Callable[[], MetaLearner]] = {
        "maml": lambda: MAML(learner, settings.inner_lr, settings.inner_steps, first_order),
        "first_order": lambda: MAML(learner, settings.inner_lr, settings.inner_steps, True),
        "anil": lambda: ANIL(learner, settings.inner_lr, settings.inner_steps, first_order),
        "reptile": lambda: Reptile(learner, settings.inner_lr, settings.inner_steps),
        "joint": lambda: JointTraining(learner, settings.inner_lr, settings.inner_steps),
    }
    return made[settings.method]()
