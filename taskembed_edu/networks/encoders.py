"""Encoders: a whole task in, one vector out.

A support set has no order, so the result must not depend on the order of the samples. Every sample goes through the
same small network, the results are averaged over the set, and a second network maps the average to the vector
(Zaheer 2017, theorem 2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from taskembed_edu.tasks.kinds import KindRegistry, picture_shape, vector_size


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
        labels = F.one_hot(y, self.n_way).to(x.dtype)
        return torch.cat((self.features(x), labels), dim=-1)


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


class SetEncoder(nn.Module):
    r"""A task's support set in, the task's vector out; the order of the samples does not matter.

        embedding = rho( mean_i phi(features(x_i, y_i)) )        (Zaheer 2017, eq. 2, with a mean for the sum)

    `features` turns a sample (x, y) into n_inputs numbers; phi and rho are small networks. A mask excludes padding
    from the mean.

    Shapes: support_x (n_tasks, n_support, *x_shape), support_y (n_tasks, n_support[, 1]) -> (n_tasks, dim).
    Errors: ValueError if x and y are not one batch of tasks.
    """

    def __init__(self, features: nn.Module, n_inputs: int, hidden: int, dim: int) -> None:
        super().__init__()
        self.features = features
        self.dim = dim
        self.phi = nn.Sequential(nn.Linear(n_inputs, hidden), nn.ReLU(inplace=True))
        self.standardise = Standardise(hidden)
        self.rho = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, dim))

    def forward(self, support_x: Tensor, support_y: Tensor, mask: Tensor | None = None) -> Tensor:
        if support_x.ndim < 3 or support_x.shape[:2] != support_y.shape[:2]:
            cause = "Is this one task's set instead of a batch's? Add a first dimension: x[None], y[None]."
            came = f"x of shape {tuple(support_x.shape)} with y of shape {tuple(support_y.shape)}"
            raise ValueError(problem("support", came, "x (n_tasks, n_support, ...) and y (n_tasks, n_support)", cause))
        return self.read(self.pooled(support_x, support_y, mask))

    def pooled(self, support_x: Tensor, support_y: Tensor, mask: Tensor | None = None) -> Tensor:
        """The average over each set, (n_tasks, hidden): what rho reads."""
        samples = self.phi(self.features(support_x, support_y))
        if mask is None:
            return samples.mean(dim=1)
        weights = mask.to(samples.dtype).unsqueeze(-1)
        return (samples * weights).sum(dim=1) / weights.sum(dim=1).clamp_min(1.0)

    def read(self, pooled: Tensor) -> Tensor:
        """The vectors of the sets with these averages: (n_tasks, hidden) -> (n_tasks, dim)."""
        return self.rho(self.standardise(pooled))


FEATURES = {"fourier": "Fourier features", "plain": "Plain coordinates"}

# Standard deviation of the random frequencies, in periods per unit of x: one period is about the spread of the inputs.
FOURIER_SCALE = 0.3


class SampleEncoder(NamedTuple):
    """The network that a set encoder first applies to every sample: it maps (x, y) to `width` numbers.

    x (n_tasks, n, *x_shape) and y (n_tasks, n, ...) -> (n_tasks, n, width).
    """

    network: nn.Module
    width: int


# Makes a sample encoder from a family, the number of hidden units and the name of one of `FEATURES`.
EncoderFactory = Callable[[TaskFamily, int, str], SampleEncoder]


def _of_numbers(family: TaskFamily, hidden: int, features: str) -> SampleEncoder:
    coordinates = vector_size(family.x_shape)
    if features == "plain":
        return SampleEncoder(PlainFeatures(), coordinates + 1)
    waves, n_waves = _waves(coordinates, hidden)
    return SampleEncoder(CurveFeatures(waves), 2 * n_waves)


def _of_points(family: TaskFamily, hidden: int, features: str) -> SampleEncoder:
    coordinates = vector_size(family.x_shape)
    if features == "plain":
        return SampleEncoder(LabelledFeatures(nn.Identity(), family.n_way), coordinates + family.n_way)
    waves, n_waves = _waves(coordinates, hidden)
    return SampleEncoder(LabelledFeatures(waves, family.n_way), n_waves + family.n_way)


def _of_images(family: TaskFamily, hidden: int, features: str) -> SampleEncoder:
    pictures = ImageFeatures(picture_shape(family.x_shape), hidden)
    return SampleEncoder(LabelledFeatures(pictures, family.n_way), hidden + family.n_way)


def _waves(coordinates: int, hidden: int) -> tuple[FourierFeatures, int]:
    n_waves = hidden // 4 * 2  # a cosine and a sine of each frequency
    return FourierFeatures(coordinates, n_waves, FOURIER_SCALE), n_waves


# The encoder of each kind of sample; there is none for words yet.
ENCODERS: KindRegistry[EncoderFactory] = KindRegistry(
    "an encoder", "encoder", {"numbers": _of_numbers, "points": _of_points, "image": _of_images}
)


def set_encoder(
    family: TaskFamily, rng: torch.Generator, *, hidden: int = 128, dim: int = 8, features: str = "fourier"
) -> SetEncoder:
    """The encoder for a family, its weights drawn from `rng` (uniform within 1 / sqrt(inputs), as in PyTorch).

    Curves are encoded by `CurveFeatures`, labelled points by Fourier features and labels, pictures by convolutions.
    With features="plain" the same network gets the coordinates themselves, for comparison with Fourier features.
    Samples of a kind of your own are encoded by the encoder that was registered for it (`register_kind`).

    Errors: ValueError for unknown features, a kind without an encoder, or an encoder whose output has another width
    than declared.
    """
    check_choice("features", features, FEATURES)
    width = 0

    def make() -> SetEncoder:
        nonlocal width
        made = ENCODERS[family.kind](family, hidden, features)
        if not isinstance(made, SampleEncoder):
            cause = "SampleEncoder(network, width) holds a network and how many numbers it makes of a sample."
            raise TypeError(problem("encoder", f"a {type(made).__name__}", "a SampleEncoder", cause))
        width = made.width
        return SetEncoder(made.network, width, hidden, dim)

    encoder = init_weights(make, rng)
    first_look = family.sample(family.at_most(_FIRST_LOOK), rng=rng)
    with torch.no_grad():
        _check_width(encoder, first_look[:1], width)
        encoder.standardise.fit(encoder.pooled(first_look.support_x, first_look.support_y))
    return encoder


def _check_width(encoder: SetEncoder, task: TaskBatch, width: int) -> None:
    x, y = task.support_x, task.support_y
    try:
        came = tuple(encoder.features(x, y).shape)
    except RuntimeError as error:
        expected = f"one that reads x of shape {tuple(x.shape)} and y of shape {tuple(y.shape)}"
        cause = "A family of numbers has one number as its answer." if y.ndim == 3 and y.shape[-1] > 1 else ""
        raise ValueError(problem("encoder", f"{type(error).__name__}: {error}", expected, cause)) from error
    if came != (wanted := (*task.support_x.shape[:2], width)):
        cause = "Tasks, samples, and as many numbers as the factory said: SampleEncoder(network, width)."
        raise ValueError(problem("encoder", f"samples as {came}", f"{wanted}", cause))


Network = TypeVar("Network", bound=nn.Module)

# The number of tasks whose averages fix the scale of the second network's inputs.
_FIRST_LOOK = 256


def init_weights(make: Callable[[], Network], rng: torch.Generator) -> Network:
    """A network whose weights come from `rng` alone; the global generator is not used."""
    with torch.device("meta"):
        network = make()
    network.to_empty(device="cpu")
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                bound = 1 / math.sqrt(module.weight[0].numel())
                for parameter in module.parameters(recurse=False):
                    parameter.uniform_(-bound, bound, generator=rng)
            elif isinstance(module, Initialises):
                module.initialise(rng)
            elif isinstance(module, Standardise):
                module.leave_alone()
            elif next(module.parameters(recurse=False), None) is not None:
                cause = (
                    "nn.Linear and nn.Conv2d are; a module of your own draws its weights in a method initialise(rng)."
                )
                raise TypeError(
                    problem("make", type(module).__name__, "layers whose initialisation is known here", cause)
                )
    return network
