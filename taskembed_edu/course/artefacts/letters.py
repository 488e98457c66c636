"""Features of letters, learned on five writing systems by episodes, or by naming all of their letters (lesson 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from taskembed_edu.adaptation.feature_functions import Features, frozen_features
from taskembed_edu.adaptation.features import ClassTraining, EpisodeTraining
from taskembed_edu.base.checks import check_choice, check_whole
from taskembed_edu.course.artefacts import Recipe, below, kept
from taskembed_edu.networks.conv_blocks import ConvBlocks, conv_blocks
from taskembed_edu.tasks.alphabets import TRAINED, Alphabets

# An episode: the letters of one script. 20 letters are harder to tell apart than the 5 of a test, which helps (Snell
# 2017, section 3.1). Both ways see so many pictures: STEPS times N_WAY (1 + N_QUERY).
N_WAY, N_SHOT, N_QUERY = 20, 1, 3
STEPS, RATE, CHANNELS = 1200, 3e-3, (32, 32, 32)
SEEDS = (0, 1, 2)

Way = Literal["episodes", "classes"]
_KEPT: Mapping[str, str] = {"episodes": "letters", "classes": "letters_supervised"}


def train_letters(by: Way, seed: int = 0, n_steps: int = STEPS) -> EpisodeTraining | ClassTraining:
    """Three blocks of 32 channels, trained on the scripts for training; about a minute on one core.

    Worked number: at random, an episode of 20 letters has a loss of about log(20) = 3.
    """
    check_choice("by", by, _KEPT)
    check_whole("seed", seed, 0, None)
    rng = torch.Generator().manual_seed(seed)
    letters = Alphabets(part=TRAINED)
    network = conv_blocks(rng, channels=CHANNELS)
    if by == "episodes":
        family = Alphabets(n_way=N_WAY, part=TRAINED)
        episodes = EpisodeTraining(network)
        episodes.fit(lambda: family.sample(1, N_SHOT, n_query=N_QUERY, rng=rng), n_steps, RATE)
        return episodes
    every = torch.tensor([letter for script in letters.in_part() for letter in letters.letters_of(script)])
    classes = ClassTraining(network, network.width, len(every), rng)

    def draw() -> tuple[Tensor, Tensor]:
        y = torch.randint(len(every), (N_WAY * (N_SHOT + N_QUERY),), generator=rng)
        return letters.draw_letters(every[y], 1, rng).squeeze(1), y

    classes.fit(draw, n_steps, RATE)
    return classes


def letter_network(by: Way = "episodes", seed: int = 0) -> ConvBlocks:
    """The kept network of this way and seed (0, 1 or 2), ready to judge. Errors: ValueError for another; as `kept`."""
    check_choice("by", by, _KEPT)
    check_whole("seed", seed, 0, max(SEEDS))
    network = conv_blocks(torch.Generator(), channels=CHANNELS)
    network.load_state_dict(below(f"{seed}.", kept(_KEPT[by])))
    return network.eval()


def letter_features(by: Way = "episodes", seed: int = 0) -> Features:
    """What `Prototypes` needs: pictures (n, 1, 28, 28) to features (n, 288), by the kept network."""
    return frozen_features(letter_network(by, seed))


def recipe_of(by: Way, about: str) -> Recipe:
    """How features are learned in this way, by each of the seeds."""

    def train() -> dict[str, Tensor]:
        networks = {seed: train_letters(by, seed).network.state_dict() for seed in SEEDS}
        return {f"{seed}.{name}": value for seed, of in networks.items() for name, value in of.items()}

    settings = {"by": by, "way": N_WAY, "shot": N_SHOT, "query": N_QUERY, "steps": STEPS, "rate": RATE}
    return Recipe(about, train, {**settings, "channels": CHANNELS, "seeds": SEEDS})


RECIPE = recipe_of("episodes", "features of letters, learned by episodes")
