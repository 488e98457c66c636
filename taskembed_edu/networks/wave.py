"""The smallest learner of the course: a sine wave with two numbers, so that its whole loss can be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.networks.layers import squared_error
from taskembed_edu.networks.learners import Learner, Parameters

PHASE, AMPLITUDE = "phase.value", "amplitude.value"


@dataclass(frozen=True)
class Wave(Learner):
    r"""A wave with an amplitude a and a phase p, both learned: f(x) = a sin(x - p).

    A point of the plane is a whole model, so a start, the tasks' optima and the loss between them fit into one picture.
    It is not linear in p: how the loss over the start looks depends on the number of inner steps. The amplitude is the
    last layer, which ANIL moves alone.
    Shapes: x (n, 1) -> (n, 1). Worked number: a = 2, p = 0, x = pi / 2: 2.
    """

    name: ClassVar[str] = "wave"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {PHASE: (1, 1), AMPLITUDE: (1, 1)}

    def fan_in(self, layer: str) -> int:
        return 1

    def reads(self, x_shape: tuple[int, ...]) -> bool:
        return x_shape == (1,)

    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        return parameters[AMPLITUDE] * torch.sin(x - parameters[PHASE])

    def loss(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        return squared_error(self.apply(parameters, x), y, mask)

    def losses(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.loss(parameters, x, y, mask)
