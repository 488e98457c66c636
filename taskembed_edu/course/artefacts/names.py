"""Features of names, learned on the languages of training by episodes, or by naming all of them (lesson 12)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor

from taskembed_edu.adaptation.feature_functions import Features, frozen_features
from taskembed_edu.adaptation.features import ClassTraining, EpisodeTraining
from taskembed_edu.course.artefacts import Recipe, kept
from taskembed_edu.networks.ngrams import NgramFeatures, ngram_features
from taskembed_edu.tasks.language_names import LanguageNames

# 0.98 million weights: in half precision they fit a file of 2 MB. Wider features of fewer buckets are a little worse.
N_BUCKETS, N_FEATURES = 2**14, 60

# An episode: 20 languages are harder to tell apart than the 5 of a test, which helps (Snell 2017, section 3.1).
N_WAY, N_SHOT, N_QUERY, N_TASKS = 20, 1, 5, 4
STEPS, RATE = 1500, 1e-2

# Plain supervised learning sees as many names a step.
BATCH = N_TASKS * N_WAY * (N_SHOT + N_QUERY)


def train_names(train: LanguageNames, seed: int = 0, n_steps: int = STEPS) -> EpisodeTraining:
    """Hashed n-grams trained by episodes on these languages; about a minute on one core.

    Worked number: at random, an episode of 20 languages has a loss of about log(20) = 3.
    """
    rng = torch.Generator().manual_seed(seed)
    family = dataclasses.replace(train, n_way=N_WAY)
    episodes = EpisodeTraining(ngram_features(rng, N_BUCKETS, N_FEATURES))
    episodes.fit(lambda: family.sample(N_TASKS, N_SHOT, n_query=N_QUERY, rng=rng), n_steps, RATE)
    return episodes


def train_by_classes(train: LanguageNames, seed: int = 0, n_steps: int = STEPS) -> ClassTraining:
    """The same network, trained to name all these languages; it sees as many names."""
    rng = torch.Generator().manual_seed(seed)
    x, y = train.all_names()
    classes = ClassTraining(ngram_features(rng, N_BUCKETS, N_FEATURES), N_FEATURES, len(train.codes), rng)

    def draw() -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(x), (BATCH,), generator=rng)
        return x[chosen], y[chosen]

    classes.fit(draw, n_steps, RATE)
    return classes


def name_network(weights: Mapping[str, Tensor] | str = "names") -> NgramFeatures:
    """The network with these weights, or with those that were kept under this name.

    Errors: as `kept`; RuntimeError for the weights of another network.
    """
    network = ngram_features(torch.Generator(), N_BUCKETS, N_FEATURES)
    network.load_state_dict(kept(weights) if isinstance(weights, str) else dict(weights))
    return network.eval()


def name_features(weights: Mapping[str, Tensor] | str = "names") -> Features:
    """What `Prototypes` needs: names (n, 32) to features (n, 60), by `name_network`."""
    return frozen_features(name_network(weights))


def training_languages(seed: int = 0) -> LanguageNames:
    """The languages that the kept network was trained on: those of `LanguageNames().split` for training."""
    train = LanguageNames().split(torch.Generator().manual_seed(seed)).train
    assert isinstance(train, LanguageNames)
    return train


RECIPE = Recipe(
    "features of names, learned by episodes",
    lambda: train_names(training_languages()).network.state_dict(),
    {
        "buckets": N_BUCKETS,
        "features": N_FEATURES,
        "way": N_WAY,
        "shot": N_SHOT,
        "query": N_QUERY,
        "tasks": N_TASKS,
        "steps": STEPS,
        "rate": RATE,
    },
)
