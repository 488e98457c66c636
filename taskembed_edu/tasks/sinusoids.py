"""Sine waves: the regression tasks of the MAML paper, whose true geometry has a formula."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_range
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily, TruthKind, split_slices, uniform
from taskembed_edu.tasks.sketch import TaskSketch

# With this many straight segments, a wave of three half periods looks smooth.
_CURVE_POINTS = 64
# Half as many for a network's outputs: every frame of the map sends those of every task.
_FIT_POINTS = 32


@dataclass(frozen=True)
class Sinusoids(TaskFamily):
    r"""Curves y = A sin(x - phase), the tasks of Finn 2017 (MAML), section 5.1.

    A is uniform in `amplitude`, phase in `phase`, x in `x_range`. Truth: (amplitude, phase). True geometry: Euclidean
    in (A cos phase, A sin phase), because A sin(x - phase) = (A cos phase) sin x - (A sin phase) cos x. Two waves whose
    vectors are close are close as functions, whatever their phase: near A = 0 all phases are one task.

    Shapes: x and y are (n_tasks, n_shot, 1).

    >>> tasks = Sinusoids().sample(3, n_shot=16, rng=torch.Generator().manual_seed(0))
    >>> tasks.support_x.shape, tasks.truth_names
    (torch.Size([3, 16, 1]), ('amplitude', 'phase'))
    """

    amplitude: tuple[float, float] = (0.1, 5.0)
    phase: tuple[float, float] = (0.0, math.pi)
    x_range: tuple[float, float] = (-5.0, 5.0)
    part: tuple[int, ...] = ()

    name: ClassVar[str] = "sinusoids"
    label: ClassVar[str] = "Sine waves"
    kind: ClassVar[str] = "numbers"
    classification: ClassVar[bool] = False
    default_shot: ClassVar[int] = 16

    def __post_init__(self) -> None:
        for name in ("amplitude", "phase", "x_range"):
            check_range(name, getattr(self, name))

    @property
    def truth_names(self) -> tuple[str, ...]:
        return ("amplitude", "phase")

    @property
    def truth_kinds(self) -> tuple[TruthKind, ...]:
        return ("quantity", "quantity")

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (1,)

    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        amplitude = _scale(uniform(n_tasks, rng, self.part), self.amplitude)
        phase = _scale(uniform(n_tasks, rng), self.phase)
        return torch.stack((amplitude, phase), dim=1)

    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        x = _scale(torch.rand(len(truth), n_shot, 1, generator=rng), self.x_range)
        return x, self.curve(truth, x)

    def curve(self, truth: Tensor, x: Tensor) -> Tensor:
        """The tasks' noiseless values at x, shape (n_tasks, n, 1)."""
        amplitude, phase = truth[:, 0, None, None], truth[:, 1, None, None]
        return amplitude * torch.sin(x - phase)

    def coordinates(self, truth: Tensor) -> Tensor:
        amplitude, phase = truth.unbind(1)
        return torch.stack((amplitude * phase.cos(), amplitude * phase.sin()), dim=1)

    def task_name(self, truth: Tensor) -> str:
        return f"{truth[0]:.2f} sin(x - {truth[1]:.2f})"

    def sketch(self, batch: TaskBatch) -> TaskSketch:
        """Each task's support points and its true curve, all on the same axes."""
        self._check_mine(batch)
        truth = batch.truth.cpu()
        x = torch.linspace(*self.x_range, _CURVE_POINTS).expand(len(batch), -1).unsqueeze(-1)
        points = torch.cat((batch.support_x, batch.support_y), dim=-1).cpu()
        highest = max(map(abs, self.amplitude))
        curve = self.curve(truth, x).squeeze(-1)
        return TaskSketch("curve", x=self.x_range, y=(-highest, highest), points=points, curve=curve)

    def probe(self, batch: TaskBatch) -> Tensor:
        """Evenly spaced points over the whole axis."""
        x = torch.linspace(*self.x_range, _FIT_POINTS, device=batch.support_x.device)
        return x.unsqueeze(-1).expand(len(batch), -1, -1)

    def split(self, rng: torch.Generator) -> Split:
        """Amplitudes are cut into thin slices; each slice belongs to one part, so no wave is in two parts."""
        self._check_split(rng)
        return Split(*(self.with_part(part) for part in split_slices(rng)))


def _scale(unit: Tensor, ends: tuple[float, float]) -> Tensor:
    return ends[0] + (ends[1] - ends[0]) * unit
