"""A perceptron's symmetries: other weights, the same function; and weight matching, which undoes them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from taskembed_edu.networks import (
    MLP,
    ConvNet,
    Parameters,
    flatten,
    flip_signs,
    match_all,
    match_weights,
    permute_units,
    rescale_units,
    stack,
)
from tests.runs import generator

SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)
ACTIVATIONS = st.sampled_from(["relu", "tanh"])
SEEDS = st.integers(0, 10_000)


def scrambled(learner: MLP, parameters: Parameters, rng: torch.Generator) -> Parameters:
    """The same network with every hidden layer's units in a random order, under tanh also with random signs."""
    for layer, size in zip(learner.layers, learner.hidden, strict=False):
        parameters = permute_units(learner, parameters, layer, torch.randperm(size, generator=rng))
        if learner.activation == "tanh":
            parameters = flip_signs(learner, parameters, layer, random_signs(size, rng))
    return parameters


def random_signs(size: int, rng: torch.Generator) -> Tensor:
    return 2 * torch.randint(0, 2, (size,), generator=rng) - 1


def apart(one: Parameters, other: Parameters) -> float:
    return math.sqrt(sum(float((one[name].double() - other[name].double()).square().sum()) for name in one))


def assert_same_function(learner: MLP, one: Parameters, other: Parameters, rng: torch.Generator) -> None:
    x = 3 * torch.randn(20, learner.n_in, generator=rng)
    torch.testing.assert_close(learner.apply(other, x), learner.apply(one, x), atol=1e-5, rtol=1e-4)


# ---- one function, many weights -----------------------------------------------------------------------------------


@given(hidden=SIZES, activation=ACTIVATIONS, seed=SEEDS, n_in=st.integers(1, 4), data=st.data())
@settings(max_examples=60, deadline=None)
def test_reordered_units_compute_the_same(hidden, activation, seed, n_in, data) -> None:
    learner = MLP(n_in, 2, hidden, activation=activation)
    parameters = learner.init(generator(seed))
    at = data.draw(st.integers(0, len(hidden) - 1))
    order = torch.tensor(data.draw(st.permutations(range(hidden[at]))))
    changed = permute_units(learner, parameters, learner.layers[at], order)
    assert_same_function(learner, parameters, changed, generator(seed + 1))
    is_moved = order.tolist() != sorted(order.tolist())
    assert (apart(parameters, changed) > 0) == is_moved
    back = permute_units(learner, changed, learner.layers[at], order.argsort())
    assert all(torch.equal(back[name], parameters[name]) for name in parameters)


@given(hidden=SIZES, seed=SEEDS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_turned_signs_compute_the_same_under_tanh(hidden, seed, data) -> None:
    learner = MLP(2, 2, hidden, activation="tanh")
    parameters = learner.init(generator(seed))
    at = data.draw(st.integers(0, len(hidden) - 1))
    signs = data.draw(st.lists(st.sampled_from([1, -1]), min_size=hidden[at], max_size=hidden[at]))
    changed = flip_signs(learner, parameters, learner.layers[at], torch.tensor(signs))
    assert_same_function(learner, parameters, changed, generator(seed + 1))
    assert (apart(parameters, changed) > 0) == (-1 in signs)


@given(hidden=SIZES, seed=SEEDS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_rescaled_units_compute_the_same_under_relu(hidden, seed, data) -> None:
    learner = MLP(2, 2, hidden)
    parameters = learner.init(generator(seed))
    at = data.draw(st.integers(0, len(hidden) - 1))
    factors = data.draw(st.lists(st.floats(0.125, 8.0), min_size=hidden[at], max_size=hidden[at]))
    changed = rescale_units(learner, parameters, learner.layers[at], torch.tensor(factors))
    assert_same_function(learner, parameters, changed, generator(seed + 1))
    assert apart(parameters, rescale_units(learner, parameters, learner.layers[at], torch.full((hidden[at],), 2.0))) > 0


def test_a_stack_is_changed_network_by_network() -> None:
    learner = MLP(2, 1, (4, 3), activation="tanh")
    networks = [learner.init(generator(seed)) for seed in range(3)]
    order, signs = torch.tensor([2, 0, 3, 1]), torch.tensor([1, -1, -1, 1])
    together = flip_signs(learner, permute_units(learner, stack(networks), "hidden_1", order), "hidden_1", signs)
    alone = [
        flip_signs(learner, permute_units(learner, network, "hidden_1", order), "hidden_1", signs)
        for network in networks
    ]
    assert torch.equal(flatten(together), flatten(stack(alone)))


def test_what_is_given_is_left_as_it_was() -> None:
    learner = MLP(1, 1, (3,))
    parameters = learner.init(generator())
    copy = {name: value.clone() for name, value in parameters.items()}
    permute_units(learner, parameters, "hidden_1", torch.tensor([1, 2, 0]))
    match_weights(learner, learner.init(generator(1)), parameters, generator())
    assert all(torch.equal(parameters[name], copy[name]) for name in copy)


def test_worked_numbers() -> None:
    curve = MLP(1, 1, (1,), activation="tanh")
    network = {"hidden_1.weight": [[2.0]], "hidden_1.bias": [[1.0]], "output.weight": [[3.0]], "output.bias": [[0.0]]}
    parameters = {name: torch.tensor(value) for name, value in network.items()}
    turned = flip_signs(curve, parameters, "hidden_1", torch.tensor([-1]))
    assert flatten({n: v[None] for n, v in turned.items()}).tolist() == [[-2.0, -1.0, -3.0, 0.0]]
    larger = rescale_units(MLP(1, 1, (1,)), parameters, "hidden_1", torch.tensor([6]))
    assert flatten({n: v[None] for n, v in larger.items()}).tolist() == [[12.0, 6.0, 0.5, 0.0]]
    wide = {"hidden_1.bias": torch.tensor([[5.0, 6.0, 7.0]])}
    wide |= {"hidden_1.weight": torch.zeros(1, 3), "output.weight": torch.zeros(3, 1), "output.bias": torch.zeros(1, 1)}
    reordered = permute_units(MLP(1, 1, (3,)), wide, "hidden_1", torch.tensor([2, 0, 1]))
    assert reordered["hidden_1.bias"].tolist() == [[7.0, 5.0, 6.0]]
    two = {"hidden_1.weight": torch.tensor([[1.0, 2.0]]), "hidden_1.bias": torch.zeros(1, 2)}
    two |= {"output.weight": torch.ones(2, 1), "output.bias": torch.zeros(1, 1)}
    reference = two | {"hidden_1.weight": torch.tensor([[2.0, 1.0]])}
    matched = match_weights(MLP(1, 1, (2,)), reference, two, generator())
    assert matched.before == pytest.approx(math.sqrt(2))
    assert matched.distance == 0


# ---- what cannot be done ------------------------------------------------------------------------------------------


def test_each_activation_has_its_own_symmetry() -> None:
    relu, tanh = MLP(1, 1, (2,)), MLP(1, 1, (2,), activation="tanh")
    parameters = relu.init(generator())
    with pytest.raises(ValueError, match=r"^learner: got a perceptron of relu, .*rescale_units"):
        flip_signs(relu, parameters, "hidden_1", torch.tensor([1, -1]))
    with pytest.raises(ValueError, match=r"^learner: got a perceptron of tanh, .*flip_signs"):
        rescale_units(tanh, parameters, "hidden_1", torch.tensor([1.0, 2.0]))
    # And rightly so: a turned sign is another function under relu.
    turned = {**parameters, "hidden_1.weight": -parameters["hidden_1.weight"]}
    turned |= {"hidden_1.bias": -parameters["hidden_1.bias"], "output.weight": -parameters["output.weight"]}
    x = torch.linspace(-2, 2, 5)[:, None]
    assert not torch.allclose(relu.apply(turned, x), relu.apply(parameters, x))
    torch.testing.assert_close(tanh.apply(turned, x), tanh.apply(parameters, x))


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [1, 2, 3], [-1, 0, 1], [[0, 1, 1]]])
def test_what_is_no_permutation(order: list[int]) -> None:
    learner = MLP(1, 1, (3,))
    with pytest.raises(ValueError, match=r"^permutation: got .* the numbers 0 to 2, each of them once"):
        permute_units(learner, learner.init(generator()), "hidden_1", torch.tensor(order))


def test_layers_signs_and_factors_are_checked() -> None:
    learner, tanh = MLP(1, 1, (3,)), MLP(1, 1, (3,), activation="tanh")
    parameters = learner.init(generator())
    for layer in ("output", "hidden_2"):
        with pytest.raises(ValueError, match=f"^layer: got '{layer}', expected one of hidden_1"):
            permute_units(learner, parameters, layer, torch.arange(3))
    with pytest.raises(ValueError, match=r"^signs: got \[1.0, 0.5, 1.0\], expected 1 or -1"):
        flip_signs(tanh, parameters, "hidden_1", torch.tensor([1, 0.5, 1]))
    with pytest.raises(ValueError, match=r"^signs: .* one for each of the 3 units"):
        flip_signs(tanh, parameters, "hidden_1", torch.tensor([1, -1]))
    for bad in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match=r"^factors: .* above 0"):
            rescale_units(learner, parameters, "hidden_1", torch.tensor([1.0, bad, 1.0]))


def test_other_learners_and_other_weights_are_refused() -> None:
    pictures = ConvNet((1, 8, 8), 3)
    kernels = pictures.init(generator())
    with pytest.raises(TypeError, match=r"^learner: got ConvNet, expected a perceptron"):
        permute_units(pictures, kernels, "convolution_1", torch.arange(8))
    with pytest.raises(TypeError, match=r"^learner: got ConvNet"):
        match_weights(pictures, kernels, kernels, generator())
    learner = MLP(1, 1, (3,))
    one = learner.init(generator())
    with pytest.raises(ValueError, match=r"^parameters: .* use match_all"):
        match_weights(learner, one, stack([one, one]), generator())
    with pytest.raises(ValueError, match=r"^reference: got 1 NaN"):
        match_weights(learner, one | {"output.bias": torch.tensor([[math.nan]])}, one, generator())
    with pytest.raises(ValueError, match=r"^sweeps: got 0"):
        match_weights(learner, one, one, generator(), sweeps=0)
    with pytest.raises(ValueError, match=r"^reference: got 2, expected a number from 0 to 1"):
        match_all(learner, stack([one, one]), 2, rng=generator())
    diverged = stack([one, one | {"output.bias": torch.tensor([[math.inf]])}])
    with pytest.raises(ValueError, match=r"^output.bias: got 1 NaN or infinite .* at \(1, 0, 0\)"):
        match_all(learner, diverged, rng=generator())


# ---- matching -----------------------------------------------------------------------------------------------------


@given(hidden=SIZES, activation=ACTIVATIONS, seed=SEEDS)
@settings(max_examples=80, deadline=None)
def test_a_hidden_permutation_is_found_exactly(hidden, activation, seed) -> None:
    learner, rng = MLP(2, 1, hidden, activation=activation), generator(seed)
    reference = learner.init(rng)
    matched = match_weights(learner, reference, scrambled(learner, reference, rng), rng)
    assert matched.distance == 0
    assert all(torch.equal(matched.parameters[name], reference[name]) for name in reference)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_it_is_found_in_networks_of_the_usual_size(activation: str) -> None:
    learner = MLP(1, 1, (32, 32, 32), activation=activation)
    for seed in range(5):
        reference = learner.init(generator(seed))
        assert (
            match_weights(learner, reference, scrambled(learner, reference, generator(seed)), generator()).distance == 0
        )


@given(hidden=SIZES, activation=ACTIVATIONS, seed=SEEDS)
@settings(max_examples=80, deadline=None)
def test_the_distance_never_grows_and_the_function_stays(hidden, activation, seed) -> None:
    learner, rng = MLP(2, 2, hidden, activation=activation), generator(seed)
    reference, parameters = learner.init(rng), learner.init(rng)
    matched = match_weights(learner, reference, parameters, rng)
    assert matched.before == pytest.approx(apart(reference, parameters))
    assert matched.distance == pytest.approx(apart(reference, matched.parameters))
    assert matched.distance <= matched.before
    assert_same_function(learner, parameters, matched.parameters, rng)
    again = match_weights(learner, reference, matched.parameters, rng)
    assert again.distance <= matched.distance
    for layer in learner.layers[:-1]:
        parameters = permute_units(learner, parameters, layer, matched.permutations[layer])
        if activation == "tanh":
            parameters = flip_signs(learner, parameters, layer, matched.signs[layer])
    assert all(torch.equal(parameters[name], matched.parameters[name]) for name in parameters)


def test_a_sweep_that_changes_nothing_is_the_last() -> None:
    learner, rng, expected = MLP(1, 1, (6, 5)), generator(3), generator(3)
    parameters = learner.init(generator())
    match_weights(learner, parameters, parameters, rng)
    for _ in range(2):  # one sweep from each start draws the order of the two layers
        torch.randperm(2, generator=expected)
    assert torch.equal(rng.get_state(), expected.get_state())


def every_form(learner: MLP, parameters: Parameters, at: int = 0) -> Iterator[Parameters]:
    """The network with its units in every order, under tanh with every choice of signs."""
    if at == len(learner.hidden):
        yield parameters
        return
    layer, size = learner.layers[at], learner.hidden[at]
    for order in itertools.permutations(range(size)):
        moved = permute_units(learner, parameters, layer, torch.tensor(order))
        for signs in itertools.product((1, -1), repeat=size if learner.activation == "tanh" else 0):
            turned = flip_signs(learner, moved, layer, torch.tensor(signs)) if signs else moved
            yield from every_form(learner, turned, at + 1)


@given(seed=SEEDS, activation=ACTIVATIONS, size=st.integers(1, 4), n_in=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_one_hidden_layer_is_matched_as_well_as_can_be(seed, activation, size, n_in) -> None:
    learner = MLP(n_in, 2, (size if activation == "relu" else min(size, 3),), activation=activation)
    reference, parameters = learner.init(generator(seed)), learner.init(generator(seed + 1))
    least = min(apart(reference, form) for form in every_form(learner, parameters))
    assert match_weights(learner, reference, parameters, generator()).distance == pytest.approx(least)


def test_two_hidden_layers_are_matched_nearly_as_well_as_can_be() -> None:
    learner, ratios = MLP(1, 1, (3, 3)), []
    for seed in range(40):
        reference, parameters = learner.init(generator(seed)), learner.init(generator(1000 + seed))
        least = min(apart(reference, form) for form in every_form(learner, parameters))
        ratios.append(match_weights(learner, reference, parameters, generator(seed)).distance / least)
    assert min(ratios) == pytest.approx(1)
    assert max(ratios) < 1.2
    assert sum(ratio < 1 + 1e-6 for ratio in ratios) >= 30


def test_a_stack_is_matched_to_one_of_its_tasks() -> None:
    learner = MLP(1, 1, (5, 4), activation="tanh")
    base, other = learner.init(generator()), learner.init(generator(7))
    networks = stack([other, base, scrambled(learner, base, generator(1))])
    matched = match_all(learner, networks, 1, rng=generator())
    assert matched.distance[1:].tolist() == [0, 0]
    assert 0 < matched.distance[0] < matched.before[0]
    assert torch.equal(flatten(matched.parameters)[1], flatten(matched.parameters)[2])
    assert matched.permutations["hidden_2"].shape == matched.signs["hidden_2"].shape == (3, 4)
    assert matched.permutations["hidden_1"][1].tolist() == [0, 1, 2, 3, 4]
    repeated = match_all(learner, networks, 1, rng=generator())
    assert torch.equal(flatten(repeated.parameters), flatten(matched.parameters))


def test_a_network_without_a_hidden_layer_has_nothing_to_reorder() -> None:
    learner = MLP(2, 1, ())
    matched = match_weights(learner, learner.init(generator()), learner.init(generator(1)), generator())
    assert matched.distance == matched.before > 0
    assert matched.permutations == {}
