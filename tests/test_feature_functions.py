"""Functions from samples to features: what is checked of a given one, and that a network's learns nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from taskembed_edu.adaptation.feature_functions import checked_features, frozen_features
from taskembed_edu.networks.conv_blocks import conv_blocks
from tests.runs import generator

PICTURES = torch.rand(5, 1, 8, 8, generator=generator())


def test_a_checked_function_gives_what_it_gave_without_gradients() -> None:
    weight = torch.ones(64, 2, requires_grad=True)
    found = checked_features(lambda x: x.flatten(1) @ weight)(PICTURES)
    assert torch.equal(found, (PICTURES.flatten(1) @ weight).detach())
    assert not found.requires_grad


@pytest.mark.parametrize("bad", [None, 3, "features", PICTURES])
def test_what_is_no_function_is_explained(bad: Any) -> None:
    with pytest.raises(TypeError, match=r"embed: got .*expected a function from samples.*is one\."):
        checked_features(bad, "embed")


@pytest.mark.parametrize("wrong", [lambda x: None, lambda x: x, lambda x: x[:3].flatten(1)])
def test_features_of_another_form_are_explained(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"features: got .*each sample, \(5, dim\)"):
        checked_features(wrong)(PICTURES)
    with pytest.raises(ValueError, match="features: got 320 NaN or infinite"):
        checked_features(lambda x: x.flatten(1) / 0)(PICTURES + 1)


def test_frozen_features_do_not_hang_on_what_stands_beside_a_picture() -> None:
    network = conv_blocks(generator(), (1, 8, 8), (4, 4)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    features = frozen_features(network)
    together = features(PICTURES)
    for picture, found in zip(PICTURES, together, strict=True):
        torch.testing.assert_close(features(picture[None])[0], found, rtol=1e-4, atol=1e-5)
    assert not together.requires_grad
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_module_without_weights_has_frozen_features_too() -> None:
    features = frozen_features(nn.Flatten())
    assert torch.equal(features(PICTURES), PICTURES.flatten(1))
    given: Any = [1.0]
    with pytest.raises(TypeError, match="x: got a list, expected samples in a tensor"):
        features(given)


def test_names_go_through_as_whole_numbers() -> None:
    class Kind(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.full((len(x), 1), float(x.dtype == torch.long))

    assert frozen_features(Kind())(torch.zeros(2, 32, dtype=torch.long)).tolist() == [[1.0], [1.0]]
