"""The module faces: they hold settings, call the functions, and train."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from taskembed_edu.formulas.losses import (
    BalancedContrastiveLoss,
    BatchTripletLoss,
    ContrastiveLoss,
    InfoNCELoss,
    PairwiseContrastiveLoss,
    PrototypicalLoss,
    TripletLoss,
    balanced_contrastive_loss,
    batch_triplet_loss,
    contrastive_loss,
    info_nce_loss,
    pairwise_contrastive_loss,
    prototypical_loss,
    triplet_loss,
)
from tests.test_distances import random_rows

ROWS = [random_rows(12, 3, seed, torch.float32) for seed in range(3)]
LABELS = torch.arange(12) % 4
MARGINS = {"margin": 1.5, "metric": "manhattan", "reduction": "none"}
FACES: list[tuple[type[nn.Module], Any, tuple[Any, ...], dict[str, Any]]] = [
    (ContrastiveLoss, contrastive_loss, (ROWS[0], ROWS[1], LABELS % 2), {**MARGINS, "squared": True}),
    (PairwiseContrastiveLoss, pairwise_contrastive_loss, (ROWS[0], LABELS), {**MARGINS, "squared": True}),
    (PairwiseContrastiveLoss, pairwise_contrastive_loss, (ROWS[0], LABELS), {**MARGINS, "mining": "hard"}),
    (
        BalancedContrastiveLoss,
        balanced_contrastive_loss,
        (ROWS[0], LABELS),
        {"margin": 1.5, "metric": "manhattan", "squared": True, "mining": "hard"},
    ),
    (TripletLoss, triplet_loss, tuple(ROWS), MARGINS),
    (BatchTripletLoss, batch_triplet_loss, (ROWS[0], LABELS), {**MARGINS, "mining": "semi-hard"}),
    (InfoNCELoss, info_nce_loss, (ROWS[0], LABELS), {"temperature": 0.5, "metric": "manhattan", "reduction": "none"}),
    (
        PrototypicalLoss,
        prototypical_loss,
        (ROWS[0], LABELS, ROWS[1], LABELS),
        {"metric": "manhattan", "reduction": "none"},
    ),
]


@pytest.mark.parametrize(("module", "function", "arguments", "settings"), FACES)
def test_the_module_is_the_function(
    module: type[nn.Module], function: Any, arguments: tuple[Any, ...], settings: dict[str, Any]
) -> None:
    assert torch.equal(module()(*arguments), function(*arguments))
    assert torch.equal(module(**settings)(*arguments), function(*arguments, **settings))
    assert not torch.equal(module()(*arguments), module(**settings)(*arguments).sum())


@pytest.mark.parametrize(("module", "function", "arguments", "settings"), FACES)
def test_each_setting_is_held_and_shown(
    module: type[nn.Module], function: Any, arguments: tuple[Any, ...], settings: dict[str, Any]
) -> None:
    made = module(**settings)
    for name, value in settings.items():
        assert getattr(made, name) == value
        assert f"{name}={value!r}" in repr(made)
    assert not list(made.parameters())


@pytest.mark.parametrize("module", list(dict.fromkeys(face[0] for face in FACES)))
def test_settings_are_checked_when_made_and_when_changed(module: type[nn.Module]) -> None:
    bad = {
        "metric": ("euclidian", "Did you mean 'euclidean'"),
        "reduction": ("average", "expected one of sum, mean, none"),
        "margin": (-1.0, "expected a number of at least 0"),
        "mining": ("harder", "Did you mean 'hard'"),
        "temperature": (0.0, "expected a number above 0"),
    }
    arguments = next(face[2] for face in FACES if face[0] is module)
    tried = 0
    for name, (value, message) in bad.items():
        if hasattr(module(), name):
            with pytest.raises(ValueError, match=f"{name}: got .*{message}"):
                module(**{name: value})
            later = module()
            setattr(later, name, value)
            with pytest.raises(ValueError, match=f"{name}: got .*{message}"):
                later(*arguments)
            tried += 1
    assert tried >= 2


def test_a_margin_that_the_new_metric_does_not_have_is_refused() -> None:
    criterion = TripletLoss(margin=3.0)
    criterion.metric = "cosine"
    with pytest.raises(ValueError, match=r"margin: got 3\.0, expected a number from 0 to 2"):
        criterion(*ROWS)


def test_the_course_s_loop_trains_to_a_falling_loss() -> None:
    rng = torch.Generator().manual_seed(0)
    network = nn.Linear(3, 2)
    with torch.no_grad():
        network.weight.copy_(torch.randn(2, 3, generator=rng))
        network.bias.zero_()
    criterion = ContrastiveLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    x1, noise = torch.randn(64, 3, generator=rng), torch.randn(64, 3, generator=rng)
    label = torch.arange(64) % 2
    x2 = torch.where(label[:, None] == 1, x1 + torch.tensor([0.0, 0.0, 3.0]), noise)  # similar: only the third differs
    losses = []
    for _ in range(100):
        loss = criterion(network(x1), network(x2), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
