"""Learners: small networks from x to y, as pure functions of their parameters, so that hundreds train in one call.

    learner = MLP(n_in=1, n_out=1)
    parameters = learner.init(rng)              # {"hidden_1.weight": (1, 32), "hidden_1.bias": (1, 32), ...}
    y = learner.apply(parameters, x)            # (n, n_in) -> (n, n_out)

No state is hidden in a module: parameters go in, outputs come out. Every operation here is a matrix product or
elementwise, so the same formulas work on a stack of tasks, one network each, with a leading dimension: parameters
(n_tasks, *shape) and x (n_tasks, n, n_in) give (n_tasks, n, n_out), with one batched product per layer. A learner of
your own only has to define the computation for one task: `losses` falls back on torch.func.vmap.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.networks.layers import ACTIVATIONS as ACTIVATIONS
from taskembed_edu.networks.layers import affine as affine
from taskembed_edu.networks.layers import cross_entropy as cross_entropy
from taskembed_edu.networks.layers import mean_over as mean_over
from taskembed_edu.networks.layers import one_hot as one_hot
from taskembed_edu.networks.layers import squared_error as squared_error

Parameters = dict[str, Tensor]

# The output of a network for a sample: numbers, logits of classes, or logits of every letter at every place.
Answers = Literal["numbers", "classes", "letters"]


class Learner(ABC):
    """A network as a function of its parameters. Subclasses are frozen dataclasses of sizes.

    A parameter is named "layer.part": "hidden_1.weight". The order of `shapes()` is also the order in which weights are
    drawn, and their order in a task's vector.
    """

    name: ClassVar[str]
    # Whether torch.compile can compile its gradient.
    compiles: ClassVar[bool] = True
    # Whether `losses` can be differentiated twice, as an outer loop through an inner one needs.
    has_second_derivative: ClassVar[bool] = True

    @property
    def answers(self) -> Answers:
        """What `apply` returns for a sample; numbers by default."""
        return "numbers"

    def reads(self, x_shape: tuple[int, ...]) -> bool:
        """Whether it can read samples of this shape; by default any shape."""
        return True

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Each parameter's shape, for one task."""

    @abstractmethod
    def fan_in(self, layer: str) -> int:
        """The number of inputs of each unit of this layer: its initial weights are drawn within 1 / sqrt(fan_in)."""

    @abstractmethod
    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        """The network's outputs: (n, *x_shape) -> (n, *out)."""

    def teacher_forced(self, parameters: Parameters, x: Tensor, y: Tensor) -> Tensor:
        """The outputs if y is known: a network that spells gets the correct letters before each one as its input."""
        return self.apply(parameters, x)

    @abstractmethod
    def loss(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        """One task's mean loss over its samples where `mask` (n,) is True; a number."""

    def losses(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        """Every task's loss, (n_tasks,), each with its own parameters: stacked along dimension 0, like x and y."""
        if mask is None:
            mask = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        return torch.func.vmap(self.loss)(parameters, x, y, mask)

    def order(self, y: Tensor) -> Tensor | None:
        """The best order of the tasks for running them in chunks, (n_tasks,); None: the given order."""
        return None

    def init(self, rng: torch.Generator) -> Parameters:
        """Initial parameters of one network, uniform within 1 / sqrt(fan_in), as torch.nn.Linear draws them."""
        parameters = {}
        for name, shape in self.shapes().items():
            bound = 1 / math.sqrt(self.fan_in(layer_of(name)))
            parameters[name] = torch.empty(shape).uniform_(-bound, bound, generator=rng)
        return parameters

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers' names, from input to output."""
        return tuple(dict.fromkeys(map(layer_of, self.shapes())))

    @property
    def n_parameters(self) -> int:
        """Numbers in one network: the length of a task's vector of weights."""
        return sum(map(math.prod, self.shapes().values()))

    def of_layers(self, layers: Iterable[str]) -> list[str]:
        """The parameters of these layers; a ValueError names the known ones."""
        wanted = {check_choice("layer", layer, self.layers) for layer in layers}
        return [name for name in self.shapes() if layer_of(name) in wanted]


def layer_of(parameter: str) -> str:
    """The layer of a parameter: "hidden_1" of "hidden_1.weight"."""
    return parameter.split(".")[0]


def stack(networks: Iterable[Parameters]) -> Parameters:
    """Networks of one kind as one stack, parameters (n_tasks, *shape).

    Errors: ValueError if they are not of one kind: other names, or other shapes.
    """
    networks = list(networks)
    first = networks[0]
    for task, network in enumerate(networks):
        if {n: v.shape for n, v in network.items()} != {n: v.shape for n, v in first.items()}:
            cause = "Networks of different sizes cannot be compared weight by weight: give every task the same learner."
            came = f"task {task} with {_sizes(network)}"
            raise ValueError(problem("networks", came, f"the parameters of task 0, {_sizes(first)}", cause))
    return {name: torch.stack([network[name] for network in networks]) for name in first}


def check_stack(
    learner: Learner, parameters: Parameters, name: str = "parameters", n_tasks: int | None = None
) -> Parameters:
    """The parameters in the learner's order, if they are a stack of its networks, (n_tasks, *shape) each.

    Errors: ValueError for other names or shapes, or another number of networks.
    """
    if not isinstance(parameters, dict) or not all(isinstance(value, Tensor) for value in parameters.values()):
        cause = "Those of trained networks are trained.parameters; torch.from_numpy makes a tensor of an array."
        named = f"a {type(parameters).__name__}"
        raise TypeError(problem(name, named, "a dict of tensors by name, (n_tasks, *shape) each", cause))
    expected = {name: tuple(shape) for name, shape in learner.shapes().items()}
    came = {name: tuple(value.shape[1:]) for name, value in parameters.items()}
    if came != expected:
        wrong = next(part for part in {**expected, **came} if came.get(part) != expected.get(part))
        there = f"{wrong} of shape {came[wrong]} each" if wrong in came else f"no {wrong}"
        wanted = f"shape (n_tasks, {str(expected[wrong])[1:]}" if wrong in expected else f"only {', '.join(expected)}"
        cause = (
            f"These are not a stack of this {learner.name}'s networks; is it one network without its first dimension?"
        )
        raise ValueError(problem(name, there, wanted, cause))
    n_tasks = len(next(iter(parameters.values()))) if n_tasks is None else n_tasks
    for part, value in parameters.items():
        if len(value) != n_tasks:
            cause = "Each task has its own: start_networks(learner, n_tasks, rng) makes so many."
            raise ValueError(problem(name, f"{len(value)} networks in {part}", f"{n_tasks}, one for each task", cause))
    return {part: parameters[part] for part in expected}


def _sizes(network: Parameters) -> str:
    return ", ".join(f"{name} {tuple(value.shape)}" for name, value in network.items())


def flatten(parameters: Parameters) -> Tensor:
    """A stack of networks as vectors, one a task: (n_tasks, n_parameters), in the order of the names.

    Worked number: a weight of shape (2, 1, 3) and a bias of shape (2, 1, 3) give (2, 6).
    """
    return torch.cat([value.flatten(1) for value in parameters.values()], dim=1)


def device_of(parameters: Parameters) -> torch.device:
    """The device that a stack of networks is on: what goes through them has to be there too."""
    return next(iter(parameters.values())).device


def unflatten(learner: Learner, vectors: Tensor) -> Parameters:
    """Vectors (n_tasks, n_parameters) as a stack of networks: the inverse of `flatten`.

    Errors: ValueError if the vectors do not have as many entries as this learner has parameters.
    """
    if vectors.ndim != 2 or vectors.shape[1] != learner.n_parameters:
        cause = "Only whole weights, as they are, can be put back into a network."
        raise ValueError(problem("vectors", vectors, f"shape (n_tasks, {learner.n_parameters})", cause))
    shapes = learner.shapes()
    parts = vectors.split([math.prod(shape) for shape in shapes.values()], dim=1)
    return {name: part.unflatten(1, shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


class FromSamples(Learner):
    """The common part of networks that read each sample by itself: samples in, numbers or logits out."""

    classification: bool

    @property
    def answers(self) -> Answers:
        return "classes" if self.classification else "numbers"

    def loss(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        return (cross_entropy if self.classification else squared_error)(self.apply(parameters, x), y, mask)

    def losses(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.loss(parameters, x, y, mask)


@dataclass(frozen=True)
class MLP(FromSamples):
    r"""A multi-layer perceptron: h_k = activation(h_{k-1} W_k + b_k), and a last layer without activation.

    Shapes: x (n, n_in), or pictures, which are flattened -> (n, n_out). Errors: an unknown activation.
    Worked number: MLP(n_in=1, n_out=1) has 32 + 32 + 1024 + 32 + 32 + 1 = 1,153 parameters.
    """

    n_in: int
    n_out: int
    hidden: tuple[int, ...] = (32, 32)
    classification: bool = False
    activation: str = "relu"

    name: ClassVar[str] = "mlp"

    def __post_init__(self) -> None:
        check_choice("activation", self.activation, ACTIVATIONS)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        sizes = (self.n_in, *self.hidden, self.n_out)
        names = [*(f"hidden_{k + 1}" for k in range(len(self.hidden))), "output"]
        shapes: dict[str, tuple[int, ...]] = {}
        for name, before, after in zip(names, sizes[:-1], sizes[1:], strict=True):
            shapes |= {f"{name}.weight": (before, after), f"{name}.bias": (1, after)}
        return shapes

    def fan_in(self, layer: str) -> int:
        return self.shapes()[f"{layer}.weight"][0]

    def reads(self, x_shape: tuple[int, ...]) -> bool:
        return len(x_shape) > 0 and math.prod(x_shape) == self.n_in

    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        activate = ACTIVATIONS[self.activation]
        out = x.flatten(parameters["output.weight"].ndim - 1)
        for k in range(len(self.hidden)):
            out = activate(affine(out, parameters[f"hidden_{k + 1}.weight"], parameters[f"hidden_{k + 1}.bias"]))
        return affine(out, parameters["output.weight"], parameters["output.bias"])


@dataclass(frozen=True)
class ConvNet(FromSamples):
    """Two 3x3 convolutions with a stride of 2, and a last layer: small grey pictures to classes.

    A convolution is computed as a matrix product: every 3x3 patch is a row (Chellapilla 2006). So one batched product
    runs the networks of all tasks.

    Shapes: x (n, channels, height, width) -> (n, n_out).
    Worked number: for pictures of 8x8 and 3 classes 80 + 1,168 + 195 = 1,443 parameters.
    """

    x_shape: tuple[int, int, int]
    n_out: int
    channels: tuple[int, int] = (8, 16)
    classification: bool = True

    name: ClassVar[str] = "conv"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        first, second = self.channels
        return {
            "convolution_1.weight": (9 * self.x_shape[0], first),
            "convolution_1.bias": (1, first),
            "convolution_2.weight": (9 * first, second),
            "convolution_2.bias": (1, second),
            "output.weight": (second * self._places(), self.n_out),
            "output.bias": (1, self.n_out),
        }

    def fan_in(self, layer: str) -> int:
        return self.shapes()[f"{layer}.weight"][0]

    def reads(self, x_shape: tuple[int, ...]) -> bool:
        return x_shape == self.x_shape

    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        for k, channels in enumerate(self.channels, start=1):
            patches = _patches(x)
            rows = patches.flatten(-4, -2)  # every sample's patches, one below the other
            maps = torch.relu(affine(rows, parameters[f"convolution_{k}.weight"], parameters[f"convolution_{k}.bias"]))
            x = maps.unflatten(-2, patches.shape[-4:-1]).movedim(-1, -3)
            assert x.shape[-3] == channels
        return affine(x.flatten(-3), parameters["output.weight"], parameters["output.bias"])

    def _places(self) -> int:
        height, width = self.x_shape[1:]
        return ((height + 1) // 2 + 1) // 2 * (((width + 1) // 2 + 1) // 2)


def _patches(x: Tensor) -> Tensor:
    """The 3x3 patches at every second place, zeros outside: (..., c, h, w) -> (..., h / 2, w / 2, 9 c)."""
    patches = F.pad(x, (1, 1, 1, 1)).unfold(-2, 3, 2).unfold(-2, 3, 2)
    return patches.movedim(-5, -3).flatten(-3)
