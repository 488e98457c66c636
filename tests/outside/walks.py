"""Walkers in the plane: a family with a kind of sample of its own, whose true distances nobody knows.

A task is a walker with habits: how far it strides, which way it leans, how wildly it turns. A sample is one walk of 12
strides, the question is where the walk will be when it has gone on for as long again. `register_kind` says how such
samples are read: by an encoder, a learner and a summary.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

import taskembed_edu as te

N_STRIDES = 12
N_SEEN = 2 * (N_STRIDES - 2) + 1  # numbers of `strides`
REACH = 12.0  # a card shows the plane up to here


@dataclass(frozen=True)
class Walkers(te.TaskFamily):
    """Walkers numbered 0 to 299; their habits follow from the number alone, and are told to nobody."""

    part: tuple[int, ...] = ()

    name = "walkers"
    label = "Walkers in the plane"
    kind = "trajectory"
    classification = False
    default_shot = 8
    has_geometry = False

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (N_STRIDES, 2)

    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        numbers = torch.tensor(self.part or range(300))
        return numbers[torch.randint(len(numbers), (n_tasks,), generator=rng)].unsqueeze(1).float()

    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        stride, lean, wild = (habit[:, None, None] for habit in habits(truth[:, 0]))
        turns = lean + wild * torch.randn(len(truth), n_shot, 2 * N_STRIDES, generator=rng)
        steps = stride[..., None] * torch.stack((turns.cumsum(-1).cos(), turns.cumsum(-1).sin()), dim=-1)
        return steps.cumsum(-2)[:, :, :N_STRIDES], steps.sum(-2)

    def task_name(self, truth: Tensor) -> str:
        return f"walker {int(truth[0])}"

    def split(self, rng: torch.Generator) -> te.Split:
        order = torch.randperm(300, generator=rng).tolist()
        return te.Split(*(self.with_part(tuple(part)) for part in (order[:180], order[180:240], order[240:])))

    def sketch(self, batch: te.TaskBatch) -> te.TaskSketch:
        cards = tuple(map(card, batch.support_x[:, :3], batch.support_y[:, :3]))
        return te.TaskSketch("drawing", x=(-REACH, REACH), y=(-REACH, REACH), drawings=cards)

    def fit(self, outputs: Tensor) -> te.TaskFit:
        return te.TaskFit(paths=outputs[:, :3].float().cpu().numpy())  # where it says that the three walks end


def habits(number: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A walker's stride, lean in radians, and how wildly it turns."""
    return 0.3 + 0.5 * (number * 0.618 % 1), 0.6 * (number * 0.414 % 1) - 0.3, 0.05 + 0.4 * (number * 0.732 % 1)


def card(walks: Tensor, ends: Tensor) -> te.Drawing:
    """Three walks from the middle of the plane, and a line through the places where they end."""
    lines = [te.Line([(0.0, 0.0), *walk.tolist()], "truth") for walk in walks]
    words = f"three walks, {walks[:, -1].norm(dim=-1).mean():.1f} away after {N_STRIDES} strides"
    label = te.Label(-REACH, -REACH + 1, "3 walks", "soft")
    return te.Drawing((te.Line([(0.0, 0.0)], "soft"), *lines, te.Line(ends.tolist())), (label,), words)


def strides(x: Tensor) -> Tensor:
    """Each stride of walks (..., 12, 2) in the frame of the one before: forwards and to the left, (..., N_SEEN)."""
    steps = torch.diff(x, dim=-2)
    before, after = steps[..., :-1, :], steps[..., 1:, :]
    forwards = (before * after).sum(-1)
    left = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
    return torch.cat((forwards, left, steps.norm(dim=-1).mean(-1, keepdim=True)), dim=-1)


class Strides(nn.Module):
    """The encoder of one walk: a network over its strides."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Linear(N_SEEN, hidden), nn.ReLU())

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.network(strides(x))


class Forecaster(te.MLP):
    """A perceptron that sees where the walk is and its strides, and says where it will end."""

    name = "forecaster"

    def reads(self, x_shape: tuple[int, ...]) -> bool:
        return x_shape == (N_STRIDES, 2)

    def apply(self, parameters: dict[str, Tensor], x: Tensor) -> Tensor:
        return super().apply(parameters, torch.cat((x[..., -1, :], strides(x)), dim=-1))


def summary(family: te.TaskFamily, tasks: te.TaskBatch) -> Tensor:
    """The means of what the strides say, over each walker's walks."""
    return strides(tasks.support_x).double().mean(1)


te.register_kind(
    "trajectory",
    encoder=lambda family, hidden, features: te.SampleEncoder(Strides(hidden), hidden),
    learners={"forecaster": lambda _, hidden, activation: Forecaster(N_SEEN + 2, 2, (hidden,), activation=activation)},
    summary=summary,
)
