"""Features of Omniglot's letters, learned from a minimal background set, and their errors on the official runs."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from taskembed_edu.adaptation.augmentation import augmented
from taskembed_edu.adaptation.feature_functions import Features, frozen_features
from taskembed_edu.adaptation.features import OneShotTraining
from taskembed_edu.base.checks import check_choice, check_whole
from taskembed_edu.course.artefacts import Recipe, below, kept
from taskembed_edu.evaluation.omniglot import ChallengeErrors, omniglot_challenge
from taskembed_edu.networks.conv_blocks import conv_blocks
from taskembed_edu.tasks.batch import TaskBatch
from taskembed_edu.tasks.hand import drawn_anew
from taskembed_edu.tasks.omniglot import Omniglot
from taskembed_edu.tasks.pictures import turned_tasks

# The minimal sets that are learned from: five alphabets, or eight. Never the evaluation set, which judges.
SOURCES = ("small1", "small1+small2")

# An episode: letters of one alphabet (the smallest of a source has 22, and 17), four drawings of each. What is
# drawn anew and how often it is looked at were compared on alphabets of small2, after training on small1, and never on
# the official runs; width, steps and rate were not searched.
N_DRAWINGS, STEPS, RATE, CHANNELS = 4, 4000, 2e-3, (24, 48, 96)
N_WAY = {"small1": 20, "small1+small2": 17}
N_LOOKS = 16
SEEDS = (0, 1, 2)


def train_omniglot(source: str = "small1+small2", seed: int = 0, n_steps: int = STEPS) -> OneShotTraining:
    """Three blocks of convolution, trained on all alphabets of a minimal set; at most two minutes on two cores.

    Every episode's alphabet is turned or mirrored as a whole, and every drawing is drawn anew by another hand.
    Errors: ValueError for another source; OSError where its files are not here and cannot be fetched. Worked number: at
    random, an episode of 20 letters has a loss of about log(20) = 3.
    """
    check_choice("source", source, SOURCES)
    check_whole("seed", seed, 0, None)
    rng = torch.Generator().manual_seed(seed)
    family = Omniglot(n_way=N_WAY[source], source=source)
    training = OneShotTraining(conv_blocks(rng, channels=CHANNELS))
    training.fit(lambda: _episode(family, rng), n_steps, RATE)
    return training


def _episode(family: Omniglot, rng: torch.Generator) -> TaskBatch:
    tasks = turned_tasks(family.sample(1, 1, n_query=N_DRAWINGS - 1, rng=rng), rng)
    support_x, query_x = (drawn_anew(x.flatten(0, 1), rng).view(x.shape) for x in (tasks.support_x, tasks.query_x))
    return dataclasses.replace(tasks, support_x=support_x, query_x=query_x)


def omniglot_features(source: str = "small1+small2", seed: int = 0) -> Features:
    """What the challenge and `Prototypes` need, by the kept network of this source and seed (0, 1 or 2).

    Pictures (n, 1, 28, 28) to features (n, 864), each the mean over `N_LOOKS` looks (`augmented`). Errors: ValueError
    for another source or seed; as `kept`.
    """
    check_choice("source", source, SOURCES)
    check_whole("seed", seed, 0, max(SEEDS))
    network = conv_blocks(torch.Generator(), channels=CHANNELS)
    network.load_state_dict(below(f"{source}.{seed}.", kept("omniglot")))
    return judged(network)


def judged(network: nn.Module) -> Features:
    """The features by which a trained network is judged."""
    return augmented(frozen_features(network), N_LOOKS)


def recorded_errors(source: str = "small1+small2") -> list[ChallengeErrors]:
    """The errors of the kept networks on the official runs, a seed each, as they were measured when they were made.

    They need no file of Omniglot. Errors: ValueError for another source; as `kept`.
    """
    check_choice("source", source, SOURCES)
    return [ChallengeErrors(tuple(row)) for row in kept("omniglot")[f"{source}.errors"].tolist()]


def _train() -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for source in SOURCES:
        errors = []
        for seed in SEEDS:
            training = train_omniglot(source, seed)
            found |= {f"{source}.{seed}.{name}": value for name, value in training.network.state_dict().items()}
            errors.append(omniglot_challenge(judged(training.network)).errors)
        found[f"{source}.errors"] = torch.tensor(errors)
    return found


RECIPE = Recipe(
    "features of Omniglot's letters, learned from the minimal sets, and their errors on the official runs",
    _train,
    {
        "sources": SOURCES,
        "drawings": N_DRAWINGS,
        "steps": STEPS,
        "rate": RATE,
        "channels": CHANNELS,
        "way": N_WAY,
        "looks": N_LOOKS,
        "seeds": SEEDS,
    },
)
