"""Recurrent learners: a number in, a word out, letter by letter.

The number (its tens and units digits) becomes the first hidden state. Each step reads the previous letter and outputs
how likely each next letter is; the first step reads the end-of-word letter, which also means "begin". The cells are
written as matrix products, so the networks of all tasks run in one batched product per step.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.weak import WeakTensorKeyDictionary

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.networks.gru_steps import GRUSteps
from taskembed_edu.networks.learners import Answers, Learner, Parameters, affine, cross_entropy, one_hot

State = tuple[Tensor, ...]


@dataclass(frozen=True)
class _Speller(Learner):
    """What both cells share. `n_letters` includes the last letter, the end of a word; `length` is the most steps."""

    n_letters: int
    length: int
    hidden: int = 48

    n_gates: ClassVar[int]
    compiles: ClassVar[bool] = False  # 34 unrolled steps and a hand-written gradient

    @property
    def answers(self) -> Answers:
        return "letters"

    def reads(self, x_shape: tuple[int, ...]) -> bool:
        return x_shape == (2,)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        gates = self.n_gates * self.hidden
        return {
            "number.tens": (10, self.hidden),
            "number.units": (10, self.hidden),
            "number.bias": (1, self.hidden),
            "input.weight": (self.n_letters, gates),
            "input.bias": (1, gates),
            "recurrent.weight": (self.hidden, gates),
            "recurrent.bias": (1, gates),
            "output.weight": (self.hidden, self.n_letters),
            "output.bias": (1, self.n_letters),
        }

    def fan_in(self, layer: str) -> int:
        return self.hidden

    @abstractmethod
    def cell(self, gates: Tensor, state: State, parameters: Parameters) -> State:
        """One step: the next state, from the letter's contribution to the gates and from the previous state."""

    def begin(self, parameters: Parameters, x: Tensor) -> State:
        """The first state: the number, as its two digits (..., n, 2), in `hidden` numbers."""
        tens, units = (one_hot(x[..., k], 10, parameters["number.tens"].dtype) for k in (0, 1))
        return (torch.tanh(tens @ parameters["number.tens"] + affine_of(parameters, "number", units, "units")),)

    def teacher_forced(self, parameters: Parameters, x: Tensor, y: Tensor) -> Tensor:
        """Logits of each letter, given the correct letters before it: (..., n, length, n_letters)."""
        state, outputs = self.begin(parameters, x), []
        gates = one_hot(self.before(y), self.n_letters, state[0].dtype) @ _for_steps(parameters["input.weight"])
        for step in range(y.shape[-1]):
            state = self.cell(gates[..., step, :] + parameters["input.bias"], state, parameters)
            outputs.append(affine_of(parameters, "output", state[0]))
        return torch.stack(outputs, dim=-2)

    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        """Logits as `teacher_forced`, but each step reads the network's own most likely letter of the step before."""
        state, outputs = self.begin(parameters, x), []
        letters = one_hot(torch.full_like(x[..., 0], self.n_letters - 1), self.n_letters, state[0].dtype)
        for _ in range(self.length):
            state = self.cell(affine_of(parameters, "input", letters), state, parameters)
            outputs.append(affine_of(parameters, "output", state[0]))
            letters = one_hot(outputs[-1].argmax(-1), self.n_letters, state[0].dtype)
        return torch.stack(outputs, dim=-2)

    def before(self, y: Tensor) -> Tensor:
        """The letter before each letter of y; for the first letter, and after padding, the end of a word."""
        end = torch.full_like(y[..., :1], self.n_letters - 1)
        return torch.cat((end, torch.where(y < 0, self.n_letters - 1, y)[..., :-1]), dim=-1)

    def loss(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        """Mean cross-entropy over the letters, END included; y below 0 is padding."""
        there = y >= 0 if mask is None else (y >= 0) & mask.unsqueeze(-1)
        logits = self.teacher_forced(parameters, x, y)
        return cross_entropy(logits.flatten(-3, -2), y.clamp(min=0).flatten(-2), there.flatten(-2))

    def losses(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        """As `loss`, of all tasks, but without computing the padding: a word's row ends when the word ends."""
        sizes = _known_sizes(y, mask)
        if mask is not None:
            y = torch.where(mask.unsqueeze(-1), y, -1)
        words = Packed.of(x, y, self, sizes)
        logits = affine_of(parameters, "output", self.run(words, parameters))
        return cross_entropy(logits, words.y.clamp(min=0), words.y >= 0)

    def order(self, y: Tensor) -> Tensor | None:
        """Languages with short words first: so a chunk of tasks is padded only to its own longest words."""
        return (y >= 0).sum((1, 2)).argsort(stable=True)

    def run(self, words: Packed, parameters: Parameters) -> Tensor:
        """The hidden states of all steps, concatenated step by step: (n_tasks, total, hidden)."""
        state, outputs = self.begin(parameters, words.x), []
        gates = affine_of(parameters, "input", one_hot(words.letters, self.n_letters, state[0].dtype))
        for here, count in _steps(words.sizes):
            state = self.cell(gates[:, here], tuple(part[:, :count] for part in state), parameters)
            outputs.append(state[0])
        return torch.cat(outputs, dim=1)


@dataclass(frozen=True)
class GRU(_Speller):
    r"""Gated recurrent units (Cho 2014, eq. 5 to 8; gates in torch.nn.GRU's order r, z, n and with its two biases).

    .. math::
        r = \sigma(x W_r + b_r + h U_r + c_r), \quad z = \sigma(x W_z + b_z + h U_z + c_z), \quad
        n = \tanh(x W_n + b_n + r (h U_n + c_n)), \quad h' = (1 - z) n + z h

    Shapes: x (n, 2), y (n, length) -> logits (n, length, n_letters).
    Worked number: with 29 letters and hidden 48 it has 13,805 parameters.
    """

    name: ClassVar[str] = "gru"
    n_gates: ClassVar[int] = 3
    has_second_derivative: ClassVar[bool] = False  # its steps bring their own first derivative

    def cell(self, gates: Tensor, state: State, parameters: Parameters) -> State:
        (h,) = state
        own = affine_of(parameters, "recurrent", h)
        reset, update = torch.sigmoid(gates[..., : 2 * self.hidden] + own[..., : 2 * self.hidden]).chunk(2, dim=-1)
        new = torch.tanh(gates[..., 2 * self.hidden :] + reset * own[..., 2 * self.hidden :])
        return (torch.lerp(new, h, update),)

    def run(self, words: Packed, parameters: Parameters) -> Tensor:
        (number,) = self.begin(parameters, words.x)
        known, own = parameters["recurrent.bias"].split((2 * self.hidden, self.hidden), dim=-1)
        # What each letter adds to the gates, together with the biases, which are the same for every letter.
        table = parameters["input.weight"] + parameters["input.bias"] + F.pad(known, (0, self.hidden))
        hidden: Tensor = GRUSteps.apply(words.letters, number, table, parameters["recurrent.weight"], own, words.sizes)
        return hidden


@dataclass(frozen=True)
class LSTM(_Speller):
    r"""Long short-term memory (Hochreiter and Schmidhuber 1997; gates in torch.nn.LSTM's order i, f, g, o).

    .. math::
        c' = \sigma(f) c + \sigma(i) \tanh(g), \quad h' = \sigma(o) \tanh(c'), \quad
        (i, f, g, o) = x W + b + h U + c_0

    The number is both the first hidden state and the first memory. Shapes: as `GRU`.
    Worked number: with 29 letters and hidden 48 it has 17,597 parameters.
    """

    name: ClassVar[str] = "lstm"
    n_gates: ClassVar[int] = 4

    def begin(self, parameters: Parameters, x: Tensor) -> State:
        (number,) = super().begin(parameters, x)
        return number, number

    def cell(self, gates: Tensor, state: State, parameters: Parameters) -> State:
        h, memory = state
        i, f, g, o = (gates + affine_of(parameters, "recurrent", h)).chunk(4, dim=-1)
        memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(memory), memory


def affine_of(parameters: Parameters, layer: str, x: Tensor, weight: str = "weight") -> Tensor:
    """x times this layer's weight, plus its bias."""
    return affine(x, parameters[f"{layer}.{weight}"], parameters[f"{layer}.bias"])


def _for_steps(weight: Tensor) -> Tensor:
    # Words and steps are two sample dimensions, so a stack of weights gets the shape (n_tasks, 1, i, o).
    return weight.unsqueeze(-3) if weight.ndim == 3 else weight


@compared_by_value
@dataclass(frozen=True)
class Packed:
    """Words sorted by length, the longest first, and stored step by step: step t holds the first sizes[t] words.

    `x` (n_tasks, n, 2); `letters` (n_tasks, total), the previous letters; `y` (n_tasks, total), -1 where a task has
    fewer words of this length than the task with the most.
    """

    x: Tensor
    letters: Tensor
    y: Tensor
    sizes: tuple[int, ...]

    @staticmethod
    def of(x: Tensor, y: Tensor, learner: _Speller, sizes: tuple[int, ...] | None = None) -> Packed:
        """The words y (n_tasks, n, length), padded with numbers below 0, of the numbers x (n_tasks, n, 2).

        `sizes` are read from y if they are not known.
        """
        order = (y >= 0).sum(-1).argsort(dim=1, descending=True, stable=True).unsqueeze(-1)
        x, y = x.gather(1, order.expand_as(x)), y.gather(1, order.expand_as(y))
        sizes = _sizes(y) if sizes is None else sizes
        letters, targets = (
            torch.cat([ids[:, :size, step] for step, size in enumerate(sizes)], dim=1) for ids in (learner.before(y), y)
        )
        return Packed(x[:, : max(sizes)], letters, targets, sizes)


def _sizes(y: Tensor) -> tuple[int, ...]:
    """How many words of a task reach each step, at most; one empty step if there is no word at all."""
    return tuple(size for size in (y >= 0).sum(1).amax(0).tolist() if size) or (0,)


# What was read of words on a GPU, where a read waits for the device: a training gives the same tensors at every step.
_READ: WeakTensorKeyDictionary = WeakTensorKeyDictionary()


def _known_sizes(y: Tensor, mask: Tensor | None) -> tuple[int, ...] | None:
    """The sizes of words on a GPU, read once as long as neither tensor is changed; None on a CPU."""
    if not y.is_cuda or y.is_inference():
        return None
    version = (y._version, None if mask is None else mask._version)
    came, mask_then, sizes = _READ.get(y, (None, None, ()))
    if came != version or mask_then is not mask:
        sizes = _sizes(y if mask is None else torch.where(mask.unsqueeze(-1), y, -1))
        _READ[y] = (version, mask, sizes)
    return sizes


def _steps(sizes: tuple[int, ...]) -> list[tuple[slice, int]]:
    """The slice of each step's rows, and their number."""
    ends = itertools.accumulate(sizes)
    return [(slice(end - count, end), count) for end, count in zip(ends, sizes, strict=True)]


__all__ = ["GRU", "LSTM", "Packed"]
