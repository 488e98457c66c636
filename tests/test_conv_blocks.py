"""Blocks of convolution against plain loops, and what judges by them: a query's feature knows of no other query."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from taskembed_edu.networks.conv_blocks import ConvBlocks, conv_blocks
from tests.runs import generator

SHAPE = (2, 6, 7)


def trained_a_little(channels: tuple[int, ...] = (3, 4)) -> ConvBlocks:
    """Blocks whose normalisation has seen pictures: its statistics, scales and shifts are no longer 0 and 1."""
    network, rng = conv_blocks(generator(0), SHAPE, channels), generator(1)
    for _ in range(3):
        network(torch.randn(5, *SHAPE, generator=rng))
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 2, generator=rng)
                module.bias.uniform_(-1, 1, generator=rng)
    return network


@torch.no_grad()
def plain_block(picture: list[Any], convolution: Any, mean: Tensor, variance: Tensor, norm: Any) -> Any:
    """One block on one picture [channel][row][column], entry by entry."""
    height, width = len(picture[0]), len(picture[0][0])
    made = []
    for after in range(convolution.out_channels):
        plane = [[0.0] * width for _ in range(height)]
        for row, column in itertools.product(range(height), range(width)):
            total = float(convolution.bias[after])
            for before, i, j in itertools.product(range(len(picture)), range(3), range(3)):
                r, c = row + i - 1, column + j - 1
                if 0 <= r < height and 0 <= c < width:
                    total += float(convolution.weight[after, before, i, j]) * picture[before][r][c]
            scaled = (total - float(mean[after])) / (float(variance[after]) + norm.eps) ** 0.5
            plane[row][column] = max(0.0, scaled * float(norm.weight[after]) + float(norm.bias[after]))
        pooled = [
            [max(plane[2 * r + i][2 * c + j] for i in (0, 1) for j in (0, 1)) for c in range(width // 2)]
            for r in range(height // 2)
        ]
        made.append(pooled)
    return made


def test_judging_it_is_a_plain_loop_of_each_picture_alone() -> None:
    network = trained_a_little().eval().requires_grad_(False)
    pictures = torch.randn(3, *SHAPE, generator=generator(2))
    found = network(pictures)
    layers: list[Any] = list(network.blocks)
    for picture, feature in zip(pictures, found, strict=True):
        made: Any = picture.tolist()
        for k in (0, 4):
            norm: Any = layers[k + 1]
            made = plain_block(made, layers[k], norm.running_mean, norm.running_var, norm)
        torch.testing.assert_close(feature, torch.tensor(made).flatten(), rtol=1e-4, atol=1e-5)


def test_training_it_normalises_by_its_batch() -> None:
    network = trained_a_little((3,)).train().requires_grad_(False)
    pictures = torch.randn(4, *SHAPE, generator=generator(2))
    convolution: Any = network.blocks[0]
    norm: Any = network.blocks[1]
    planes = convolution(pictures)
    mean, variance = planes.mean((0, 2, 3)), planes.var((0, 2, 3), unbiased=False)
    for picture, feature in zip(pictures, network(pictures), strict=True):
        made = plain_block(picture.tolist(), convolution, mean, variance, norm)
        torch.testing.assert_close(feature, torch.tensor(made).flatten(), rtol=1e-4, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 6), st.integers(0, 5), st.integers(0, 99))
def test_a_querys_feature_does_not_depend_on_the_others(others: int, place: int, seed: int) -> None:
    network, rng = trained_a_little().eval(), generator(seed)
    query, company = torch.randn(1, *SHAPE, generator=rng), 9 * torch.randn(others, *SHAPE, generator=rng)
    place = min(place, others)
    together = network(torch.cat((company[:place], query, company[place:])))
    torch.testing.assert_close(together[place], network(query)[0], rtol=1e-4, atol=1e-6)


def test_in_training_mode_it_peeks() -> None:
    network, rng = trained_a_little().train(), generator(3)
    query, company = torch.randn(1, *SHAPE, generator=rng), torch.randn(2, 4, *SHAPE, generator=rng)
    one, other = (network(torch.cat((query, beside)))[0] for beside in company)
    assert float((one - other).detach().abs().max()) > 0.01


@pytest.mark.parametrize(
    ("shape", "channels", "width"), [((1, 28, 28), (32, 32, 32), 288), ((1, 8, 8), (4,), 64), ((3, 4, 9), (2, 5), 10)]
)
def test_its_width_is_known_before_it_runs(shape: tuple[int, ...], channels: tuple[int, ...], width: int) -> None:
    network = conv_blocks(generator(0), shape, channels).eval()
    assert network.width == width
    assert network(torch.zeros(2, *shape)).shape == (2, width)


def test_the_same_seed_gives_the_same_weights_and_nothing_draws_from_the_global_generator() -> None:
    before = torch.random.get_rng_state()
    one, again, other = (conv_blocks(generator(seed)).state_dict() for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["blocks.0.weight"], other["blocks.0.weight"])


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"x_shape": None}, TypeError, "x_shape: got None, expected whole numbers"),
        ({"x_shape": (28, 28)}, ValueError, r"x_shape: got \(28, 28\), expected \(channels, height, width\)"),
        ({"x_shape": (1, 28, 28.5)}, TypeError, "x_shape: got 28.5, expected a whole number"),
        ({"x_shape": (1, 0, 28)}, ValueError, "x_shape: got 0, expected a number of at least 1"),
        ({"channels": ()}, ValueError, "channels: got none"),
        ({"channels": 32}, TypeError, "channels: got 32, expected whole numbers in a row"),
        ({"channels": "32"}, TypeError, "channels: got '32'"),
        ({"channels": (32, -1)}, ValueError, "channels: got -1"),
        ({"channels": (8,) * 5}, ValueError, "channels: got 5 blocks for 28x28, expected fewer blocks"),
    ],
)
def test_blocks_that_cannot_be_are_refused(arguments: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        conv_blocks(generator(0), **arguments)


@pytest.mark.parametrize(
    "x", [None, [[0.0]], torch.zeros(28, 28), torch.zeros(2, 5, 1, 28, 28), torch.zeros(2, 1, 8, 8)]
)
def test_pictures_of_another_shape_are_refused(x: Any) -> None:
    with pytest.raises(ValueError, match=r"x: got .* expected pictures, \(n, 1, 28, 28\)"):
        conv_blocks(generator(0))(x)
