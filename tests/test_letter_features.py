"""The kept features of letters: made by their recipe, better than a random network on scripts never seen."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from taskembed_edu import Alphabets, Prototypes, transfer
from taskembed_edu.adaptation.features import EpisodeTraining
from taskembed_edu.course import artefacts
from taskembed_edu.course.artefacts.letters import SEEDS, Way, letter_features, letter_network, train_letters
from taskembed_edu.networks.conv_blocks import conv_blocks
from taskembed_edu.tasks.alphabets import NEVER_SEEN
from tests.runs import generator

WAYS: tuple[Way, ...] = ("episodes", "classes")


@pytest.mark.parametrize("by", WAYS)
def test_the_same_seed_trains_the_same_network(by: Way) -> None:
    one, again, other = (train_letters(by, seed, n_steps=2).network.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["blocks.0.weight"], other["blocks.0.weight"])


@pytest.mark.parametrize("by", WAYS)
def test_what_is_kept_knows_scripts_that_it_has_never_seen(by: Way) -> None:
    """A band, and not a number: a test of the lesson's figures is the lesson."""
    tasks = Alphabets(part=NEVER_SEEN).sample(60, 1, rng=generator(0), n_query=3)
    untrained = EpisodeTraining(conv_blocks(generator(0))).features
    found = transfer({"kept": Prototypes(letter_features(by)), "random": Prototypes(untrained)}, tasks, (0,))
    assert found.mean("kept", "accuracy", 0) > max(0.8, found.mean("random", "accuracy", 0) + 0.1)


def test_every_seed_is_kept_and_judges_by_the_statistics_of_training() -> None:
    pictures = Alphabets().sample(1, 1, rng=generator(0)).support_x[0]
    for by in WAYS:
        networks = [letter_network(by, seed) for seed in SEEDS]
        assert not any(network.training for network in networks)
        made = [network(pictures) for network in networks]
        assert not torch.equal(made[0], made[1])
        alone = letter_features(by)(pictures[:1])
        torch.testing.assert_close(alone[0], made[0][0].detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("episode",), ValueError, "by: got 'episode', expected one of episodes, classes. Did you mean 'episodes'"),
        ((None,), ValueError, "by: got None"),
        (("episodes", 3), ValueError, "seed: got 3, expected a number from 0 to 2"),
        (("episodes", "0"), TypeError, "seed: got '0'"),
    ],
)
def test_what_is_not_kept_is_said(arguments: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        letter_features(*arguments)


def test_a_training_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="by: got 'names'"):
        train_letters("names")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n_steps: got 0"):
        train_letters("episodes", n_steps=0)


def test_the_recipes_see_as_many_pictures() -> None:
    episodes, classes = (dict(artefacts.recipe(name).settings) for name in ("letters", "letters_supervised"))
    assert (episodes.pop("by"), classes.pop("by")) == WAYS
    assert episodes == classes
