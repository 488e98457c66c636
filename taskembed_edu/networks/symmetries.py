r"""Symmetries: changes of a perceptron's hidden layer that do not change the function it computes.

    permute_units   any order of the units           (any activation: Hecht-Nielsen 1990)
    flip_signs      a unit's sign, in and out        (tanh, which is odd: Chen, Lu and Hecht-Nielsen 1993)
    rescale_units   times c > 0 in, divided by c out (relu: Neyshabur, Salakhutdinov and Srebro 2015)

A layer of 32 units has 32! = 2.6e35 orders, so two networks with the same function can be far apart weight by weight.
`match_weights` searches for the order in which they are nearest.

The first three take one network, weights (in, out), or a stack (n_tasks, in, out), and change all its networks alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, check_finite, check_number, problem
from taskembed_edu.formulas._vectors import Vectors, as_tensor
from taskembed_edu.networks.learners import MLP, Learner, Parameters, stack

if TYPE_CHECKING:
    import numpy as np

    Weights = dict[str, np.ndarray]


def permute_units(learner: Learner, parameters: Parameters, layer: str, permutation: Vectors) -> Parameters:
    r"""The same network with a hidden layer's units in another order: new unit k is old unit permutation[k].

    .. math:: W'_l = W_l P, \quad b'_l = b_l P, \quad W'_{l+1} = P^\top W_{l+1}

    Shapes: permutation (units,), each of 0, ..., units - 1 once. Errors: ValueError if it is not a permutation, or the
    layer is not hidden; TypeError for a learner that is not a perceptron.
    Worked number: units (5, 6, 7) under the permutation (2, 0, 1) become (7, 5, 6).
    """
    following = _next_layer(learner, layer)
    units = parameters[f"{layer}.bias"].shape[-1]
    order = as_tensor("permutation", permutation).to(parameters[f"{layer}.bias"].device).flatten()
    if sorted(order.tolist()) != list(range(units)):
        raise ValueError(problem("permutation", permutation, f"the numbers 0 to {units - 1}, each of them once"))
    order = order.long()
    return parameters | {
        f"{layer}.weight": parameters[f"{layer}.weight"][..., order],
        f"{layer}.bias": parameters[f"{layer}.bias"][..., order],
        f"{following}.weight": parameters[f"{following}.weight"][..., order, :],
    }


def flip_signs(learner: Learner, parameters: Parameters, layer: str, signs: Vectors) -> Parameters:
    r"""The same network with the signs of some units flipped, in and out: tanh(-a) = -tanh(a).

    .. math:: W'_l = W_l S, \quad b'_l = b_l S, \quad W'_{l+1} = S W_{l+1}, \quad S = \mathrm{diag}(\pm 1)

    Shapes: signs (units,), 1 or -1. Errors: ValueError for other numbers, or under relu, which is not odd.
    Worked number: a unit tanh(2 x + 1) read with weight 3 becomes tanh(-2 x - 1) read with weight -3.
    """
    _check_activation(learner, "tanh", "relu(-a) is not -relu(a): relu's units can be rescaled (rescale_units)")
    signs = _one_a_unit(learner, parameters, layer, "signs", signs)
    if not bool((signs.abs() == 1).all()):
        raise ValueError(problem("signs", f"{signs.tolist()}", "1 or -1 for each unit"))
    return _scaled(learner, parameters, layer, signs)


def rescale_units(learner: Learner, parameters: Parameters, layer: str, factors: Vectors) -> Parameters:
    r"""The same network with units scaled by c and their output weights by 1 / c: relu(c a) = c relu(a) for c > 0.

    .. math:: W'_l = W_l C, \quad b'_l = b_l C, \quad W'_{l+1} = C^{-1} W_{l+1}, \quad C = \mathrm{diag}(c), c > 0

    Shapes: factors (units,). Errors: ValueError for a factor that is not above 0, or under tanh, which is not
    homogeneous.
    Worked number: a unit relu(2 x + 1) read with weight 3 becomes, by 6, relu(12 x + 6) read with weight 0.5.
    """
    _check_activation(learner, "relu", "tanh(2 a) is not 2 tanh(a): tanh's units can change sign (flip_signs)")
    factors = _one_a_unit(learner, parameters, layer, "factors", factors)
    if not bool(((factors > 0) & factors.isfinite()).all()):
        raise ValueError(problem("factors", f"{factors.tolist()}", "a finite number above 0 for each unit"))
    return _scaled(learner, parameters, layer, factors)


@compared_by_value
@dataclass(frozen=True)
class Matched:
    """A network in the order in which it is nearest to a reference, and what was done to it.

    `parameters` is `permute_units` by `permutations`, and then `flip_signs` by `signs`, layer by layer: the same
    function. `distance` is its distance from the reference, weight by weight (Euclidean); `before` is that distance
    before matching. All signs are 1 under relu.
    """

    parameters: Parameters
    permutations: dict[str, Tensor]
    distance: float
    before: float
    signs: dict[str, Tensor]


@compared_by_value
@dataclass(frozen=True)
class MatchedStack:
    """As `Matched`, of every task: parameters (n_tasks, *shape), permutations and signs (n_tasks, units), distances."""

    parameters: Parameters
    permutations: dict[str, Tensor]
    distance: Tensor
    before: Tensor
    signs: dict[str, Tensor]


def match_weights(
    learner: Learner, reference: Parameters, parameters: Parameters, rng: torch.Generator, sweeps: int = 100
) -> Matched:
    r"""A network with its units in the order that brings it nearest to the reference, weight by weight.

    .. math:: \min_\pi \lVert \theta_A - \pi(\theta_B) \rVert \iff \max_\pi \; \theta_A \cdot \pi(\theta_B)

    Layer by layer, in random order: with the other layers fixed, the best order is a linear assignment by the inner
    products of the units' weights (in, bias and out), and is found exactly. A sweep goes over all layers; sweeps end
    when one changes nothing, or after `sweeps` of them. The distance never grows. For one hidden layer the result is
    optimal. For more, the problem is NP-hard, and the result is a local optimum: no single layer can improve it.

    Source: Ainsworth, Hayase and Srinivasa 2022 (Git Re-Basin), algorithm 1. Two additions of ours: under tanh a unit
    may change sign too (the assignment is by absolute inner products); and a second start first matches the layers once
    from input to output, by their incoming weights alone, which undoes a pure permutation exactly. The nearer of the
    two results is kept.

    Range: 0 <= distance <= before. Errors: ValueError for parameters that are not this learner's, or not finite.
    Worked number: units with weights (1, 2) in and (1, 1) out, matched to (2, 1) and (1, 1): before 1.4142, then 0.
    """
    _check_perceptron(learner)
    check_number("sweeps", sweeps, 1, None)
    target, start = _numbers(learner, "reference", reference), _numbers(learner, "parameters", parameters)
    starts = (_Match(learner, target, start), _Match(learner, target, start).by_inputs())
    best = min((match.descend(rng, sweeps) for match in starts), key=_Match.distance)
    changed = parameters
    for layer in learner.layers[:-1]:
        changed = permute_units(learner, changed, layer, best.permutations[layer])
        if best.signed:
            changed = flip_signs(learner, changed, layer, best.signs[layer])
    before = _Match(learner, target, start).distance()
    return Matched(changed, best.permutations, best.distance(), before, best.signs)


def match_all(learner: Learner, parameters: Parameters, reference: int = 0, *, rng: torch.Generator) -> MatchedStack:
    """Every network of a stack matched to the one at `reference`, as `match_weights` does.

    Shapes: parameters (n_tasks, *shape) -> the same. Errors: ValueError for a reference outside the stack, and
    for weights that are not finite, with their position.
    Worked number: the reference itself stays as it is, at distance 0.
    """
    n_tasks = len(next(iter(parameters.values())))
    check_number("reference", reference, 0, n_tasks - 1, "It is the place of a task in the stack.")
    for name, value in parameters.items():
        check_finite(name, value)
    networks = [{name: value[task] for name, value in parameters.items()} for task in range(n_tasks)]
    matches = [match_weights(learner, networks[reference], network, rng) for network in networks]
    return MatchedStack(
        stack(match.parameters for match in matches),
        stack(match.permutations for match in matches),
        torch.tensor([match.distance for match in matches]),
        torch.tensor([match.before for match in matches]),
        stack(match.signs for match in matches),
    )


class _Match:
    """Weights that are being matched to the reference, in double precision, with the changes of their units so far."""

    def __init__(self, learner: Learner, target: Weights, start: Weights) -> None:
        self.target, self.moved = target, dict(start)
        self.layers = learner.layers
        self.signed = isinstance(learner, MLP) and learner.activation == "tanh"
        sizes = {layer: start[f"{layer}.bias"].shape[-1] for layer in self.layers[:-1]}
        self.permutations = {layer: torch.arange(size) for layer, size in sizes.items()}
        self.signs = {layer: torch.ones(size, dtype=torch.int64) for layer, size in sizes.items()}

    def distance(self) -> float:
        return math.sqrt(sum(float(((self.target[n] - self.moved[n]) ** 2).sum()) for n in self.target))

    def by_inputs(self) -> _Match:
        for at in range(len(self.layers) - 1):
            self._assign(at, self._likeness(at, out=False))
        return self

    def descend(self, rng: torch.Generator, sweeps: int) -> _Match:
        n = len(self.layers) - 1
        for _ in range(sweeps):
            order = torch.randperm(n, generator=rng).tolist()
            if not any([self._assign(at, self._likeness(at, out=True)) for at in order]):
                break
        return self

    def _likeness(self, at: int, out: bool) -> np.ndarray:
        """Inner products of each of the reference's units (rows) with each of ours (columns)."""
        layer, following = self.layers[at], self.layers[at + 1]
        weight, bias, after = f"{layer}.weight", f"{layer}.bias", f"{following}.weight"
        of_inputs = self.target[weight].T @ self.moved[weight] + self.target[bias].T @ self.moved[bias]
        return of_inputs + self.target[after] @ self.moved[after].T if out else of_inputs

    def _assign(self, at: int, likeness: np.ndarray) -> bool:
        """Apply the best order (and signs) of this layer's units by these inner products; True if it improves."""
        import numpy as np
        from scipy.optimize import linear_sum_assignment

        score = abs(likeness) if self.signed else likeness
        rows, order = linear_sum_assignment(score, maximize=True)
        # The gain must exceed the rounding of a sum; otherwise two equal orders could alternate for ever.
        if score[rows, order].sum() <= likeness.trace() + 1e-12 * abs(likeness).sum():
            return False
        signs = np.where(likeness[rows, order] < 0, -1, 1) if self.signed else np.ones_like(order)
        layer, after = self.layers[at], f"{self.layers[at + 1]}.weight"
        for name in (f"{layer}.weight", f"{layer}.bias"):
            self.moved[name] = self.moved[name][:, order] * signs
        self.moved[after] = self.moved[after][order] * signs[:, None]
        self.permutations[layer] = self.permutations[layer][order]
        self.signs[layer] = self.signs[layer][order] * torch.from_numpy(signs)
        return True


def _check_perceptron(learner: Learner) -> None:
    if not isinstance(learner, MLP):
        raise TypeError(problem("learner", type(learner).__name__, "a perceptron (MLP): its units can be told apart"))


def _check_activation(learner: Learner, wanted: str, cause: str) -> None:
    _check_perceptron(learner)
    if isinstance(learner, MLP) and learner.activation != wanted:
        raise ValueError(problem("learner", f"a perceptron of {learner.activation}", f"one of {wanted}", f"{cause}."))


def _next_layer(learner: Learner, layer: str) -> str:
    _check_perceptron(learner)
    check_choice("layer", layer, learner.layers[:-1])
    return learner.layers[learner.layers.index(layer) + 1]


def _one_a_unit(learner: Learner, parameters: Parameters, layer: str, argument: str, values: Vectors) -> Tensor:
    _next_layer(learner, layer)
    bias = parameters[f"{layer}.bias"]
    values = as_tensor(argument, values).to(bias)
    if values.shape != bias.shape[-1:]:
        raise ValueError(problem(argument, values, f"one for each of the {bias.shape[-1]} units"))
    return values


def _scaled(learner: Learner, parameters: Parameters, layer: str, factors: Tensor) -> Parameters:
    following = _next_layer(learner, layer)
    return parameters | {
        f"{layer}.weight": parameters[f"{layer}.weight"] * factors,
        f"{layer}.bias": parameters[f"{layer}.bias"] * factors,
        f"{following}.weight": parameters[f"{following}.weight"] / factors.unsqueeze(-1),
    }


def _numbers(learner: Learner, argument: str, parameters: Parameters) -> Weights:
    """One network's weights as arrays in double precision."""
    shapes = {name: tuple(value.shape) for name, value in parameters.items()}
    if shapes != learner.shapes():
        cause = "For a stack of networks use match_all." if "output.bias" in shapes else ""
        raise ValueError(problem(argument, f"{shapes}", f"one network's parameters, {learner.shapes()}", cause))
    return {name: check_finite(argument, value.detach()).cpu().double().numpy() for name, value in parameters.items()}


__all__ = ["Matched", "MatchedStack", "flip_signs", "match_all", "match_weights", "permute_units", "rescale_units"]
