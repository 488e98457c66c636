"""One live frame of 1,000 tasks, from the encoder to the bytes for the page, and the quality of the stream."""

from __future__ import annotations

import json
import statistics
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ipywidgets.widgets.widget import _remove_buffers

from benchmarks.table import Row, measure
from taskembed_edu.embedders import MetricEmbedder, MetricSettings, MetricState
from taskembed_edu.live.packets import ends, picture_packet, placed, rounded_box
from taskembed_edu.projection.live_umap import LiveUMAP
from taskembed_edu.projection.quality import jitter, trustworthiness
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Sinusoids

N_TASKS = 1000
QUALITY_TASKS = 400
FRAMES, STEPS_A_FRAME = 30, 10
LESSONS = Path(__file__).parent.parent / "notebooks"


def rows() -> Iterator[Row]:
    """The frame's time, UMAP's part of it beside umap-learn's own ways, quality, and sizes."""
    run = _Training(N_TASKS)
    live = LiveUMAP()
    live.update(run.embed())

    def frame() -> None:
        layout = live.update(run.embed())
        low, high = ends(layout)
        rounded_box(low, high)
        placed(layout, low, high)

    seconds = measure({"frame": frame}, repeats=30)["frame"]
    yield Row(
        f"one live frame, {N_TASKS:,} tasks: embed, neighbours, warm UMAP, align, encode",
        1e3 * seconds,
        "ms",
        asked="at most 35 ms",
        reached=seconds <= 0.035,
    )
    yield from _beside_umap(run, live)
    yield from _quality()
    packet = _bytes_of(picture_packet([Session("metric", n_tasks=N_TASKS, projection="pca")], chosen=0))
    work = f"bytes a frame, {N_TASKS:,} tasks, a task chosen"
    yield Row(work, packet / 1e3, "KB", asked="at most 4.5 KB", reached=packet <= 4500)
    largest = max((path.stat().st_size for path in LESSONS.glob("*.ipynb")), default=0) / 1e3
    yield Row("saved size of the largest lesson", largest, "KB", asked="at most 400 KB", reached=largest <= 400)


def _bytes_of(packet: dict[str, Any]) -> int:
    """What a packet weighs on its way to the page: bytes travel as they are, the rest as JSON."""
    words, where, buffers = _remove_buffers(packet)
    return len(json.dumps([words, where])) + sum(map(len, buffers))


class _Training:
    """A network in training, watched on n tasks."""

    def __init__(self, n_tasks: int) -> None:
        rng = torch.Generator().manual_seed(0)
        split = Sinusoids().split(rng)
        self.embedder, self.settings = MetricEmbedder(), MetricSettings()
        tasks = split.validation.sample(n_tasks, rng=rng)
        self.state: MetricState = self.embedder.begin(split.train, tasks, self.settings, rng)
        self.step(50)

    def step(self, n: int) -> None:
        for _ in range(n):
            self.embedder.step(self.state, self.settings)

    def embed(self) -> torch.Tensor:
        return self.embedder.embed(self.state)


def _fit_with_umap(embedding: torch.Tensor, **options: Any) -> Layout:
    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that a seed means one job
        return umap.UMAP(n_neighbors=15, random_state=0, n_jobs=1, **options).fit_transform(embedding.numpy())


def _beside_umap(run: _Training, live: LiveUMAP) -> Iterator[Row]:
    embedding = run.embed()
    start = live.update(embedding).copy()
    warm = {"n_epochs": live.epochs, "init": start}
    seconds = measure(
        {
            "ours": lambda: live.update(embedding),
            "warm start": lambda: _fit_with_umap(embedding, **warm),
            "refit": lambda: _fit_with_umap(embedding),
        },
        repeats=7,
        warm_up=1,
    )
    for name, words, asked in (("warm start", f"warm start, {live.epochs} epochs", 25), ("refit", "refit", 50)):
        yield Row(
            f"UMAP's part of the frame, beside umap-learn's {words}",
            1e3 * seconds["ours"],
            "ms",
            f"umap-learn {words}",
            1e3 * seconds[name],
            f"at least {asked}x",
            seconds[name] / seconds["ours"] >= asked,
        )


def _quality() -> Iterator[Row]:
    """Jitter and trustworthiness over 30 frames of a training net, ours and a refit a frame."""
    run, live = _Training(QUALITY_TASKS), LiveUMAP()
    last = {"live": live.update(run.embed()), "refit": _fit_with_umap(run.embed())}
    moved: dict[str, list[float]] = {"live": [], "refit": []}
    trusted: dict[str, list[float]] = {"live": [], "refit": []}
    for _ in range(FRAMES):
        run.step(STEPS_A_FRAME)
        embedding = run.embed()
        for name, layout in (("live", live.update(embedding)), ("refit", _fit_with_umap(embedding))):
            moved[name].append(jitter(layout, last[name]))
            trusted[name].append(trustworthiness(embedding, layout))
            last[name] = np.array(layout)
    ours, theirs = statistics.mean(moved["live"]), statistics.mean(moved["refit"])
    about = f"{FRAMES} frames of a training net, {QUALITY_TASKS} tasks, {STEPS_A_FRAME} steps apart"
    yield Row(f"jitter, {about}", ours, "of the radius", "refit", theirs, "at most 0.10", ours <= 0.10)
    ours, theirs = statistics.mean(trusted["live"]), statistics.mean(trusted["refit"])
    asked = "within 0.01 of a refit"
    yield Row(f"trustworthiness, {about}", ours, "", "refit", theirs, asked, ours >= theirs - 0.01, True)
