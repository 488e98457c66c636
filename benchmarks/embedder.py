"""The metric-based embedder on 200 never-seen sinusoids: scores and seconds, median of five seeds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import NamedTuple

import torch

from benchmarks.table import Row
from taskembed_edu.embedders import MetricEmbedder, MetricSettings
from taskembed_edu.evaluation.geometry import TrueGeometry
from taskembed_edu.evaluation.scores import recall_at_k
from taskembed_edu.tasks import Sinusoids

SEEDS = range(5)
STEPS = 3000
N_TASKS, N_SHOT = 200, 16


class Scores(NamedTuple):
    """One seed's."""

    recall_1: float
    recall_5: float
    spearman: float
    seconds: float


def rows() -> Iterator[Row]:
    """Contrastive: retrieval. Triplet: geometry. Both: how long training took."""
    about = f"{N_TASKS} never-seen sinusoids, {N_SHOT} points, {STEPS:,} steps, median of {len(SEEDS)} seeds"
    contrastive = _median([_train(MetricSettings(loss="contrastive"), seed) for seed in SEEDS])
    triplet = _median([_train(MetricSettings(loss="triplet"), seed) for seed in SEEDS])
    chance = 1 / N_TASKS
    yield _score(f"recall@1, contrastive, {about}", contrastive.recall_1, "chance", chance, 0.85)
    yield _score(f"recall@5, contrastive, {about}", contrastive.recall_5, "chance", 5 * chance, 0.99)
    yield _score("Spearman with the true distance, contrastive, the same run", contrastive.spearman)
    yield _score(f"Spearman with the true distance, triplet at margin 1, {about}", triplet.spearman, asked=0.80)
    yield _score("recall@1, triplet, the same run", triplet.recall_1, "chance", chance)
    for name, scores in (("contrastive", contrastive), ("triplet", triplet)):
        work = f"training, {name}, {STEPS:,} steps"
        yield Row(work, scores.seconds, "s", asked="at most 20 s", reached=scores.seconds <= 20)


def _train(settings: MetricSettings, seed: int) -> Scores:
    rng = torch.Generator().manual_seed(seed)
    split, embedder = Sinusoids().split(rng), MetricEmbedder()
    unseen = split.unseen.sample(N_TASKS, N_SHOT, rng=rng)
    again = split.unseen.redraw(unseen, rng)
    state = embedder.begin(split.train, unseen, settings, rng)
    begun = time.perf_counter()
    for _ in range(STEPS):
        embedder.step(state, settings)
    seconds = time.perf_counter() - begun
    first, second = embedder.embed(state), embedder.embed(state, again)
    recall = recall_at_k(second, first, ks=(1, 5), metric=settings.metric)
    spearman = TrueGeometry(split.unseen.true_distance(unseen)).spearman(first, settings.metric)
    return Scores(recall[1], recall[5], spearman, seconds)


def _median(scores: list[Scores]) -> Scores:
    return Scores(*(statistics.median(each) for each in zip(*scores, strict=True)))


def _score(work: str, ours: float, name: str = "", reference: float | None = None, asked: float = 0.0) -> Row:
    words = f"at least {asked:g}" if asked else ""
    return Row(work, ours, "", name, reference, words, ours >= asked if asked else None, larger_is_better=True)
