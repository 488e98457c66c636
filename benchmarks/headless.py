"""The live lab without a browser, inside a kernel: the panel, its player, and a page that only says "shown"."""

from __future__ import annotations

import gc
import os
import threading
import time
from queue import SimpleQueue
from typing import Any

import psutil

from benchmarks.table import measure
from taskembed_edu import MetricLab
from taskembed_edu.live.panel import SessionPanel

STEPS = 500
FURTHER_STEPS = 10_000
MB = 1e6


class FakePage:
    """A page that takes every picture in at once and says so, from a thread of its own, as messages come in."""

    def __init__(self, panel: SessionPanel) -> None:
        self._view = panel.view
        self._numbers: SimpleQueue[int] = SimpleQueue()
        self._view.observe(lambda change: self._numbers.put(change["new"]["number"]), names="picture")
        self._numbers.put(self._view.picture.get("number", 0))
        threading.Thread(target=self._answer, name="fake-page", daemon=True).start()

    def _answer(self) -> None:
        while True:
            message = {"do": "shown", "number": self._numbers.get()}
            self._view._handle_custom_msg(message, [])  # where ipywidgets puts what comes from a page


def watched_lab() -> MetricLab:
    """A lab with its 200 tasks and a frame every 10 steps, looked at by a page."""
    lab = MetricLab()
    FakePage(lab.panel)
    return lab


def go_on(lab: MetricLab, steps: int) -> None:
    """So many steps in front of the page; returns when they have been made."""
    lab.panel.player.step(steps // lab.session.setup.frame_every)
    if not lab.panel.player.wait(timeout=600) or lab.panel.player.failure is not None:
        raise RuntimeError(f"the player did not get through {steps:,} steps: {lab.panel.player.failure}")


def has_umap(lab: MetricLab) -> bool:
    """Whether the map has gone over to UMAP."""
    return bool(lab.session.setup.projection == "umap")


def frames_cost() -> dict[str, float]:
    """The seconds of 500 steps in front of a page, and of the bare 500 steps of the same embedder."""
    lab = watched_lab()
    while not has_umap(lab):
        time.sleep(0.05)
    session = lab.session
    twin = session.branch()._now.state

    def bare() -> None:
        for _ in range(STEPS):
            session.embedder.step(twin, session.settings)

    return measure({"live": lambda: go_on(lab, STEPS), "bare": bare}, repeats=3, warm_up=1)


def resident_bytes() -> int:
    """What this process and its children hold in memory; pages that they share count for each."""
    total = 0
    for process in [own := psutil.Process(os.getpid()), *own.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.Error:  # a child that has ended meanwhile
            continue
    return total


def memory() -> dict[str, Any]:
    """MB: the most while UMAP is made ready and 500 steps are made, then after them, then the growth in 10,000 more."""
    lab = watched_lab()
    lab.panel.player.play()
    most = 0
    while lab.session.steps < STEPS or not has_umap(lab):
        most = max(most, resident_bytes())
        time.sleep(0.02)
    lab.panel.player.pause()
    go_on(lab, STEPS)
    gc.collect()
    after = resident_bytes()
    go_on(lab, FURTHER_STEPS)
    gc.collect()
    return {"most": max(most, after) / MB, "after": after / MB, "growth": (resident_bytes() - after) / MB}
