"""Omniglot's twenty official runs: features learned from the minimal sets, beside raw pixels and what was published.

Only where the published files are: TASKEMBED_DATA names their folder.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from functools import partial

import torch

from benchmarks.table import Row
from taskembed_edu.course.artefacts.omniglot import CHANNELS, N_LOOKS, SEEDS, SOURCES, STEPS, judged, train_omniglot
from taskembed_edu.evaluation.omniglot import PUBLISHED, omniglot_challenge
from taskembed_edu.networks.conv_blocks import conv_blocks
from taskembed_edu.tasks.omniglot_files import is_here

# The error to stay below, in percent; the seconds that a training may take, on two cores.
ASKED = {"small1": 20.0, "small1+small2": 15.0}
MOST_SECONDS = 120.0


def rows() -> Iterator[Row]:
    """The median over three seeds for each source, and the seconds of the longest training."""
    if not is_here("small1", "small2", "runs"):
        return
    raw = omniglot_challenge(partial(torch.flatten, start_dim=1)).mean
    random = judged(conv_blocks(torch.Generator().manual_seed(0), channels=CHANNELS))
    yield _error("a random network", omniglot_challenge(random).mean, raw)
    for source in SOURCES:
        errors, one_look, seconds = zip(*(_trained(source, seed) for seed in SEEDS), strict=True)
        each = ", ".join(f"{error:.2f}" for error in errors)
        middle = statistics.median(errors)
        asked = f"at most {ASKED[source]:g} %"
        yield _error(f"learned from {source}; by seed {each}", middle, raw, asked, middle <= ASKED[source])
        yield _error(f"learned from {source}, one look instead of {N_LOOKS}", statistics.median(one_look), raw)
        within, longest = f"at most {MOST_SECONDS:g} s on two quiet cores", max(seconds)
        yield Row(
            f"the longest training of {source}, {STEPS} steps", longest, "s", "", None, within, longest <= MOST_SECONDS
        )
    for one in PUBLISHED:
        yield _error(f"published: {one.who}, learned from the whole background set", one.error, raw)


def _trained(source: str, seed: int) -> tuple[float, float, float]:
    begun = time.perf_counter()
    training = train_omniglot(source, seed)
    seconds = time.perf_counter() - begun
    return omniglot_challenge(judged(training.network)).mean, omniglot_challenge(training.features).mean, seconds


def _error(what: str, error: float, raw: float, asked: str = "", reached: bool | None = None) -> Row:
    return Row(f"Omniglot's 20 official runs, error: {what}", error, "%", "raw pixels", raw, asked, reached)
