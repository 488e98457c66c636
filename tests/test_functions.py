"""The distance of two networks as functions: it sees answers, and nothing of the weights behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from taskembed_edu.networks import (
    GRU,
    LSTM,
    MLP,
    ConvNet,
    Learner,
    Parameters,
    flatten,
    flip_signs,
    function_distance,
    functions,
    match_all,
    outputs_at,
    permute_units,
    rescale_units,
    stack,
)
from tests.runs import generator

NUMBERS = torch.tensor([[0, 7], [4, 2], [9, 9]])
PICTURES = torch.rand(5, 1, 8, 8, generator=generator())
CASES = [
    (MLP(1, 1, (6,)), torch.linspace(-2, 2, 7)[:, None]),
    (MLP(2, 3, (6, 5), classification=True), torch.randn(4, 2, generator=generator())),
    (MLP(64, 3, (6,), classification=True), PICTURES),
    (ConvNet((1, 8, 8), 3, (2, 3)), PICTURES),
    (GRU(5, 4, 6), NUMBERS),
    (LSTM(5, 4, 6), NUMBERS),
]
IDS = [f"{learner.name} at {tuple(probe.shape)}" for learner, probe in CASES]


def several(learner: Learner, n: int = 4) -> Parameters:
    return stack(learner.init(generator(seed)) for seed in range(n))


def one_of(parameters: Parameters, task: int) -> Parameters:
    return {name: value[task] for name, value in parameters.items()}


def expected_answers(learner: Learner, network: Parameters, probe: Tensor) -> Tensor:
    out = learner.apply(network, probe)
    return out if learner == CASES[0][0] else out.exp() / out.exp().sum(-1, keepdim=True)


# ---- answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("learner, probe", CASES, ids=IDS)
@pytest.mark.parametrize("at_a_time", [1, functions._AT_A_TIME])
def test_answers_network_by_network(learner, probe, at_a_time, monkeypatch) -> None:
    monkeypatch.setattr(functions, "_AT_A_TIME", at_a_time)
    parameters = several(learner)
    expected = torch.stack([expected_answers(learner, one_of(parameters, i), probe).flatten() for i in range(4)])
    torch.testing.assert_close(outputs_at(learner, parameters, probe), expected)
    own = torch.stack([probe, probe.flip(0), probe, probe])
    answers = outputs_at(learner, parameters, own)
    torch.testing.assert_close(answers[[0, 2, 3]], expected[[0, 2, 3]])
    turned = expected_answers(learner, one_of(parameters, 1), probe.flip(0)).flatten()
    torch.testing.assert_close(answers[1], turned)


def test_a_classifier_that_knows_nothing_answers_evenly() -> None:
    learner = MLP(2, 3, (4,), classification=True)
    nothing = {name: torch.zeros_like(value) for name, value in several(learner).items()}
    assert outputs_at(learner, nothing, torch.randn(5, 2, generator=generator())) == pytest.approx(
        torch.full((4, 15), 1 / 3)
    )


def test_answers_can_be_differentiated() -> None:
    learner, probe = CASES[1]
    parameters = {name: value.requires_grad_() for name, value in several(learner).items()}
    outputs_at(learner, parameters, probe)[:, 0].sum().backward()
    for value in parameters.values():
        assert value.grad is not None
        assert bool(torch.isfinite(value.grad).all())


@dataclass(frozen=True)
class Line(Learner):
    """A learner that knows one task only: y = slope * x."""

    name: ClassVar[str] = "line"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"line.slope": (1,)}

    def fan_in(self, layer: str) -> int:
        return 1

    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        assert parameters["line.slope"].shape == (1,)
        return x * parameters["line.slope"]

    def loss(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        return (self.apply(parameters, x) - y).square().mean()


def test_worked_number_and_a_learner_of_ones_own() -> None:
    lines = {"line.slope": torch.tensor([[1.0], [-1.0], [1.0]])}
    distance = function_distance(Line(), lines, torch.tensor([[1.0], [2.0]]))
    away = math.sqrt((2**2 + 4**2) / 2)
    assert distance == pytest.approx(torch.tensor([[0, away, 0], [away, 0, away], [0, away, 0]]))
    assert away == pytest.approx(3.1623, abs=1e-4)


# ---- distances ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("learner, probe", CASES, ids=IDS)
@pytest.mark.parametrize("columns", [3, functions._COLUMNS])
def test_distance_against_plain_loops(learner, probe, columns, monkeypatch) -> None:
    monkeypatch.setattr(functions, "_COLUMNS", columns)
    parameters = several(learner)
    distance = function_distance(learner, parameters, probe)
    answers = [expected_answers(learner, one_of(parameters, task), probe).double() for task in range(4)]
    for i, f in enumerate(answers):
        for j, g in enumerate(answers):
            mean = sum(float((a - b).square().sum()) for a, b in zip(f, g, strict=True)) / len(probe)
            assert float(distance[i, j]) == pytest.approx(math.sqrt(mean), rel=1e-4)
    assert torch.equal(distance, distance.T)
    assert distance.diagonal().tolist() == [0] * 4
    most = math.inf if learner == CASES[0][0] else math.sqrt(2 * getattr(learner, "length", 1))
    assert float(distance.max()) <= most
    assert torch.equal(function_distance(learner, parameters, probe.expand(4, *probe.shape)), distance)


@given(
    seed=st.integers(0, 1000),
    activation=st.sampled_from(["relu", "tanh"]),
    classification=st.booleans(),
    hidden=st.lists(st.integers(1, 8), min_size=1, max_size=3).map(tuple),
)
@settings(max_examples=40, deadline=None)
def test_a_symmetry_moves_the_weights_and_not_the_function(seed, activation, classification, hidden) -> None:
    learner, rng = MLP(2, 3, hidden, classification, activation), generator(seed)
    original, other = learner.init(rng), learner.init(rng)
    changed = original
    for layer, size in zip(learner.layers, hidden, strict=False):
        changed = permute_units(learner, changed, layer, torch.randperm(size, generator=rng))
        signs = 2 * torch.randint(0, 2, (size,), generator=rng) - 1
        change = rescale_units if activation == "relu" else flip_signs
        changed = change(learner, changed, layer, signs.exp() if activation == "relu" else signs)
    networks = stack([original, changed, other])
    distance = function_distance(learner, networks, torch.randn(10, 2, generator=rng))
    assert float(distance[0, 1]) < 1e-5
    assert torch.allclose(distance[0, 2], distance[1, 2], atol=1e-5)
    assert float(distance[0, 2]) > 1e-3
    matched = match_all(learner, networks, rng=rng)
    after = function_distance(learner, matched.parameters, torch.randn(10, 2, generator=rng))
    assert float(after[0, 1]) < 1e-5


def test_weights_and_functions_disagree() -> None:
    """The same network in another order is as far away, by its weights, as a stranger; as a function it is at 0."""
    learner = MLP(1, 1)
    original, stranger = learner.init(generator(0)), learner.init(generator(1))
    changed = original
    for layer in ("hidden_1", "hidden_2"):
        changed = permute_units(learner, changed, layer, torch.randperm(32, generator=generator(2)))
    networks = stack([original, changed, stranger])
    by_weights = torch.cdist(flatten(networks), flatten(networks))
    by_function = function_distance(learner, networks, torch.linspace(-5, 5, 50)[:, None])
    assert float(by_weights[0, 1]) == pytest.approx(float(by_weights[0, 2]), rel=0.2)
    assert float(by_function[0, 1]) < 1e-5
    assert float(by_function[0, 2]) > 0.1


def test_a_network_that_has_diverged_is_told_and_harms_no_other() -> None:
    learner, probe = CASES[0]
    parameters = several(learner)
    parameters["output.bias"][2] = math.nan
    distance = function_distance(learner, parameters, probe)
    assert bool(distance[2].isnan().all())
    assert bool(distance[:, 2].isnan().all())
    others = distance[[0, 1, 3]][:, [0, 1, 3]]
    assert bool(others.isfinite().all())


def test_the_judge_has_no_gradient() -> None:
    learner, probe = CASES[0]
    parameters = {name: value.requires_grad_() for name, value in several(learner).items()}
    assert not function_distance(learner, parameters, probe).requires_grad


# ---- probes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("learner, probe", CASES, ids=IDS)
def test_a_probe_that_does_not_fit_is_named(learner, probe) -> None:
    parameters = several(learner)
    three = stack([one_of(parameters, 0)] * 3)
    for wrong in (
        probe[0, ..., :0],
        probe[:0],
        probe.expand(4, *probe.shape)[:, :, :0],
        probe.repeat_interleave(3, -1),
    ):
        with pytest.raises(ValueError, match=rf"^probe: got a tensor .*inputs of a {learner.name}"):
            outputs_at(learner, parameters, wrong)
    with pytest.raises(ValueError, match=r"^probe: .* or \(3, n_probe, \*x_shape\)"):
        outputs_at(learner, three, probe.expand(4, *probe.shape))


def test_functions_are_compared_at_the_same_inputs() -> None:
    learner, probe = CASES[1]
    own = torch.stack([probe, probe, probe, probe + 1])
    with pytest.raises(ValueError, match=r"^probe: got other inputs for each task, expected the same"):
        function_distance(learner, several(learner), own)


def test_pictures_may_be_laid_out_flat() -> None:
    learner = MLP(64, 3, (4,), classification=True)
    parameters = several(learner)
    torch.testing.assert_close(
        function_distance(learner, parameters, PICTURES.flatten(1)), function_distance(learner, parameters, PICTURES)
    )
