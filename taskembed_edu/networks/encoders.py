"""Encoders: a whole task in, one vector out.

A support set has no order, so the result must not depend on the order of the samples. Every sample goes through the
same small network, the results are averaged over the set, and a second network maps the average to the vector
(Zaheer 2017, theorem 2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from taskembed_edu.base.checks import check_choice, check_rng, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.networks.features import CurveFeatures as CurveFeatures
from taskembed_edu.networks.features import FourierFeatures as FourierFeatures
from taskembed_edu.networks.features import ImageFeatures as ImageFeatures
from taskembed_edu.networks.features import Initialises as Initialises
from taskembed_edu.networks.features import LabelledFeatures as LabelledFeatures
from taskembed_edu.networks.features import PlainFeatures as PlainFeatures
from taskembed_edu.networks.features import Standardise as Standardise
from taskembed_edu.networks.ngrams import NgramVectors
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from taskembed_edu.tasks.kinds import KindRegistry, picture_shape, vector_size


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


# So many buckets tell the names of 200 languages apart, and are read by one matrix product.
_BUCKETS = 1024


def _of_texts(family: TaskFamily, hidden: int, features: str) -> SampleEncoder:
    return SampleEncoder(LabelledFeatures(NgramVectors(_BUCKETS), family.n_way), _BUCKETS + family.n_way)


# The encoder of each kind of sample; there is none for words yet.
ENCODERS: KindRegistry[EncoderFactory] = KindRegistry(
    "an encoder", "encoder", {"numbers": _of_numbers, "points": _of_points, "image": _of_images, "text": _of_texts}
)


@short_errors
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
    check_rng(rng)
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
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()  # draws nothing: scale 1, shift 0
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
