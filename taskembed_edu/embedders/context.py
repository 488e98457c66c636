"""The context embedder: a task's vector is what an inner loop makes of a few context numbers (CAVIA).

One network is shared by all tasks. Beside its input stand a few numbers, the context, which begin at 0. The inner loop
fits them, and nothing else, to a task's support set; the outer loop changes the network so that the query set is then
answered well. So the vector is short, as the document wants it, and it *works*: put into the network, it makes the
model of its task. It is learnt as parameters are, and it is read in a few gradient steps.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from torch import Tensor

from taskembed_edu.adaptation.context import VALUES
from taskembed_edu.adaptation.methods import CAVIA, MetaLearner
from taskembed_edu.base.checks import problem
from taskembed_edu.base.settings import setting
from taskembed_edu.embedders.base import device_setting, metric_setting, shots_setting
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
from taskembed_edu.networks.learners import Parameters
from taskembed_edu.networks.wave import Wave
from taskembed_edu.tasks.base import TaskFamily


@dataclass(frozen=True)
class ContextSettings(MetaSettings):
    """Every hyperparameter of the context embedder, declared once."""

    metric: str = metric_setting()
    inner_lr: float = inner_lr_setting(
        1.0,
        "How far one inner step moves a task's context. Too small: the task is not learnt. Too large: it is lost.",
        low=1e-3,
        high=10.0,
    )
    inner_steps: int = inner_steps_setting(2, "a task's context")
    learning_rate: float = outer_lr_setting("the network that all tasks share")
    n_shot: int = shots_setting("to which a context is fitted, in training and on the map")
    n_context: int = setting(
        5,
        label="Context numbers",
        help="Numbers in a task's vector.",
        low=1,
        high=64,
        step=1,
        live=False,
        advanced=True,
    )
    batch: int = batch_setting()
    learner: str = learner_setting(advanced=True)
    hidden: int = width_setting()
    device: str = device_setting()


class ContextEmbedder(MetaEmbedder[ContextSettings]):
    """Meta-learns a network with context parameters; a task's vector is its context after the inner loop.

    Source: Zintgraf, Shiarlis, Kurin, Hofmann and Whiteson 2019, *Fast Context Adaptation via Meta-Learning*.
    Worked number: 200 unseen sine waves after 5,000 steps: Spearman with the true distance about 0.96 (`make bench
    ARGS=adaptation`).
    Errors: FloatingPointError where the outer loss is no longer finite, with the rate to lower.
    """

    name = "context"
    about = "a shared network with a few context numbers, which an inner loop fits to a task (CAVIA)"
    settings_class = ContextSettings

    def offers(self, family: TaskFamily, settings: ContextSettings, name: str) -> tuple[str, ...] | None:
        offered = super().offers(family, settings, name)
        return offered and tuple(choice for choice in offered if choice != Wave.name)  # it has no bias to shift

    def first_method(self, family: TaskFamily, settings: ContextSettings) -> MetaLearner:
        if settings.learner == Wave.name:
            cause = "A context shifts the units of a network, and a wave has none."
            raise ValueError(problem("learner", repr(Wave.name), "auto, mlp or another network with units", cause))
        learner = task_learner(family, settings.learner, settings.hidden)
        # A recurrent network's second derivative takes far longer: its curvature is dropped.
        first_order = not learner.has_second_derivative
        return CAVIA(learner, settings.inner_lr, settings.inner_steps, first_order, settings.n_context)

    def method_of(self, state: MetaState, settings: ContextSettings) -> MetaLearner:
        return dataclasses.replace(state.loop.method, inner_lr=settings.inner_lr, inner_steps=settings.inner_steps)

    def vectors_of(self, method: MetaLearner, adapted: Parameters) -> Tensor:
        return adapted[VALUES].flatten(1)
