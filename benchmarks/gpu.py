"""The same work on a GPU and on the CPU beside it, in one run; nothing where PyTorch sees no CUDA device."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from benchmarks.parameters import HIDDEN, N_POINTS, all_cores
from benchmarks.table import Row
from benchmarks.weights import LANGUAGE_STEPS, N_LANGUAGES, N_NUMBERS
from taskembed_edu.embedders import MetricEmbedder, MetricSettings
from taskembed_edu.embedders.base import device_name
from taskembed_edu.embedders.batched import start_networks
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.networks.learners import MLP, Learner
from taskembed_edu.networks.recurrent import GRU
from taskembed_edu.tasks import NumberWords, Sinusoids
from taskembed_edu.tasks.base import TaskBatch

STEPS, METRIC_STEPS = 1_000, 3_000
_FEW, _MANY = 1_000, 10_000


def rows() -> Iterator[Row]:
    """Perceptrons, languages, and the metric-based embedder."""
    if not torch.cuda.is_available():
        print("NOT MEASURED: the GPU's rows; there is no CUDA device here.")
        return
    card = device_name(torch.device("cuda"))
    with all_cores():
        for n_tasks in (_FEW, _MANY):
            yield _perceptrons(n_tasks, card)
        yield _languages(card)
        yield _metric(card)


def _perceptrons(n_tasks: int, card: str) -> Row:
    learner, rng = MLP(1, 1, (HIDDEN, HIDDEN)), torch.Generator().manual_seed(0)
    tasks = Sinusoids().sample(n_tasks, N_POINTS, rng=rng)
    ours, cpu = _both(learner, tasks, STEPS, rng)
    asked, reached = ("at most 2 s", ours <= 2) if n_tasks == _MANY else ("", None)
    return Row(f"{n_tasks:,} perceptrons, {STEPS:,} Adam steps, {card}", ours, "s", "the CPU", cpu, asked, reached)


def _languages(card: str) -> Row:
    family, rng = NumberWords(), torch.Generator().manual_seed(0)
    tasks = family.sample(N_LANGUAGES, N_NUMBERS, rng=rng, n_query=1)
    ours, cpu = _both(GRU(len(family.alphabet), family.length, hidden=48), tasks, LANGUAGE_STEPS, rng)
    return Row(f"{N_LANGUAGES} languages, GRU of 48, {LANGUAGE_STEPS} Adam steps, {card}", ours, "s", "the CPU", cpu)


def _both(learner: Learner, tasks: TaskBatch, steps: int, rng: torch.Generator) -> tuple[float, float]:
    """Seconds on the GPU, once warm, and on the CPU."""
    start = start_networks(learner, len(tasks), rng)
    train_tasks(learner, tasks, 20, start=start, device="cuda")
    seconds = [
        train_tasks(learner, tasks, steps, start=start, device=device, compiled="off").seconds
        for device in ("cuda", "cpu")
    ]
    return seconds[0], seconds[1]


def _metric(card: str) -> Row:
    ours, cpu = (_metric_seconds(device) for device in ("cuda", "cpu"))
    return Row(f"training the metric-based embedder, {METRIC_STEPS:,} steps, {card}", ours, "s", "the CPU", cpu)


def _metric_seconds(device: str) -> float:
    rng, settings, embedder = torch.Generator().manual_seed(0), MetricSettings(device=device), MetricEmbedder()
    split = Sinusoids().split(rng)
    state = embedder.begin(split.train, split.unseen.sample(200, rng=rng), settings, rng)
    for _ in range(20):
        embedder.step(state, settings)
    begun = time.perf_counter()
    for _ in range(METRIC_STEPS):
        embedder.step(state, settings)
    embedder.embed(state)  # reading the vectors waits for all that was asked of the device
    return time.perf_counter() - begun
