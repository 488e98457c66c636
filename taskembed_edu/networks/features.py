"""Features of one sample: what a set encoder reads of (x, y) before it averages over the set."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@runtime_checkable
class Initialises(Protocol):
    """A module that draws its own weights and buffers, all of them from `rng`."""

    def initialise(self, rng: torch.Generator) -> None:
        """Draw the weights and buffers, in place."""


class FourierFeatures(nn.Module):
    r"""Fixed random waves of the input: x -> (cos(2 pi x W), sin(2 pi x W)), W ~ N(0, scale^2).

    A network of ReLUs on raw coordinates learns low frequencies first and high ones hardly at all. With waves of the
    input as features it can learn high frequencies too (Rahimi and Recht 2007; Tancik 2020, section 4).

    Shapes: (..., in_features) -> (..., n_features); n_features even. Range: [-1, 1].
    Worked number: with W = 0.25, x = 1 gives (cos(pi/2), sin(pi/2)) = (0, 1).
    """

    frequencies: Tensor

    def __init__(self, in_features: int, n_features: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("frequencies", torch.empty(in_features, n_features // 2))

    def initialise(self, rng: torch.Generator) -> None:
        """Draw the frequencies."""
        self.frequencies.normal_(0.0, self.scale, generator=rng)

    def forward(self, x: Tensor) -> Tensor:
        waves = (2 * math.pi) * (x @ self.frequencies)
        return torch.cat((waves.cos(), waves.sin()), dim=-1)


class ImageFeatures(nn.Module):
    """Two convolutions with a stride for small grey pictures: (n, 1, 8, 8) -> (n, n_features)."""

    def __init__(self, x_shape: tuple[int, ...], n_features: int) -> None:
        super().__init__()
        channels, height, width = x_shape
        half = ((height + 1) // 2 + 1) // 2 * (((width + 1) // 2 + 1) // 2)
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, 16, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(32 * half, n_features),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.convolutions(x.flatten(0, -4)).unflatten(0, x.shape[:-3])


class CurveFeatures(nn.Module):
    r"""A point (x, y) of a curve: (w(x), y w(x)), with w the Fourier features of x.

    Averaged over the points, the second half is the curve's correlation with each wave. It distinguishes one curve from
    another.

    Shapes: x (..., d), y (..., 1) -> (..., 2 n_features).
    Worked number: with w(x) = (0, 1) and y = 3, the point becomes (0, 1, 0, 3).
    """

    def __init__(self, waves: FourierFeatures) -> None:
        super().__init__()
        self.waves = waves

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        waves = self.waves(x)
        return torch.cat((waves, y * waves), dim=-1)


class PlainFeatures(nn.Module):
    """A point (x, y) of a curve, its coordinates concatenated and nothing else: the baseline for other features.

    Shapes: x (..., d), y (..., 1) -> (..., d + 1). Worked number: x = 2 and y = 3 become (2, 3).
    """

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.cat((x, y), dim=-1)


class LabelledFeatures(nn.Module):
    """A labelled sample: features of x, and its label as a one-hot vector of length n_way.

    Shapes: x (..., *x_shape), y (...) -> (..., n_features + n_way).
    Worked number: label 1 of 3 becomes (0, 1, 0).
    """

    def __init__(self, features: nn.Module, n_way: int) -> None:
        super().__init__()
        self.features = features
        self.n_way = n_way

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        features = self.features(x)
        return torch.cat((features, F.one_hot(y, self.n_way).to(features.dtype)), dim=-1)


class Standardise(nn.Module):
    """(x - mean) / deviation, with both fixed before training, from a first sample of data.

    Averages over sets differ little from task to task: without this, training first collapses all tasks onto a line.
    (Data-dependent initialisation: Mishkin and Matas 2016.)

    Shapes: (..., n) -> (..., n). Worked number: fitted to 1 and 3 (mean 2, deviation 1), it turns 5 into 3.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, n: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.empty(n))
        self.register_buffer("deviation", torch.empty(n))

    def leave_alone(self) -> None:
        """Change nothing until fitted."""
        self.mean.zero_()
        self.deviation.fill_(1.0)

    def fit(self, x: Tensor) -> None:
        """Take mean and deviation from these rows, shape (m, n); a constant column keeps its scale."""
        deviation = x.std(dim=0, correction=0)
        self.mean.copy_(x.mean(dim=0))
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.deviation
