"""Compiled steps: what torch.compile takes, what it saves, and whether a training is long enough for it."""

from __future__ import annotations

import os
import shutil

import torch
from torch import Tensor

from taskembed_edu.base.checks import problem
from taskembed_edu.embedders.batched import BatchedTraining
from taskembed_edu.networks.learners import Parameters

# The cost of compiling (8 to 20 s on two cores), and the share of a step that it saves (36 to 40 %);
# `make bench ARGS=parameters` measures both.
_COMPILE_SECONDS, _SAVED = 20.0, 0.4


def has_compiler() -> bool:
    """Whether there is a C++ compiler, which torch.compile needs on a CPU."""
    return shutil.which(os.environ.get("CXX", "g++")) is not None or shutil.which("clang++") is not None


def compiling_pays(seconds_a_step: float, steps_left: int) -> bool:
    """Whether compiled steps would save more time than compiling costs.

    Worked number: at 1.5 ms a step it pays from 33,334 steps on.
    """
    return seconds_a_step * steps_left * _SAVED > _COMPILE_SECONDS


def compile_training(training: BatchedTraining) -> None:
    """Have the losses and gradients of this training compiled at its next step (torch.compile).

    Errors: RuntimeError on a CPU without a C++ compiler.
    """
    if not training.learner.compiles:
        cause = "Train without compiling: the results are the same."
        raise RuntimeError(problem("compiled", f"a {training.learner.name}", "a network without steps in time", cause))
    if training.diverged.device.type == "cpu" and not has_compiler():
        cause = "Install one (g++ or clang++), or train without compiling: the results are the same."
        raise RuntimeError(problem("compiled", "no C++ compiler on this machine", "one for torch.compile", cause))
    learner, trained = training.learner, training.trained

    def losses_and_gradients(
        moving: list[Tensor], parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, ...]:
        def total(moved: list[Tensor]) -> tuple[Tensor, Tensor]:
            losses = learner.losses({**parameters, **dict(zip(trained, moved, strict=True))}, x, y, mask)
            return losses.sum(), losses

        grads, losses = torch.func.grad(total, has_aux=True)(moving)
        return (losses, *grads)

    training.compiled_losses = torch.compile(losses_and_gradients)
