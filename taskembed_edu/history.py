"""What a session remembers: every frame, and a few checkpoints from which any frame can be reached again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.checks import problem
from taskembed_edu.projection import Layout, LiveUMAP
from taskembed_edu.settings import Settings

CHECKPOINT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Frame:
    """What was seen at one step: the watched tasks' vectors, their places on the map, and the scores.

    `loss` is the mean over the steps since the frame before (NaN for the first frame).
    """

    index: int
    step: int
    loss: float
    embedding: NDArray[np.float32]
    layout: Layout
    projection: str
    diagnostics: dict[str, float]
    settings: Settings

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {value:.2f}" for name, value in self.diagnostics.items())
        return f"Frame(step {self.step}: loss {self.loss:.3f}, {scores})"


@dataclass(frozen=True)
class Event:
    """A change of settings, logged with the step that it precedes."""

    step: int
    changes: dict[str, Any]


@dataclass
class Moment:
    """All of a session that moves, at one step: enough to go on from here."""

    state: Any
    umap: LiveUMAP
    pca: Layout | None
    settings: Any
    setup: Any
    losses: list[Tensor]

    def copy(self) -> Moment:
        """The same moment, sharing no memory that will change."""
        pca = None if self.pca is None else self.pca.copy()
        return Moment(self.state.copy(), self.umap.copy(), pca, self.settings, self.setup, list(self.losses))


class History(Sequence[Frame]):
    """Frames in order, and checkpoints within a budget of memory (64 MB, at least one).

    Checkpoints thin out as the run grows: at every frame, then every second, fourth, eighth ... The first one stays, so
    every frame can be reached by repeating the steps from the nearest checkpoint before it.
    """

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._n_events: list[int] = []
        self._checkpoints: dict[int, Moment] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)

    @overload
    def __getitem__(self, which: int) -> Frame: ...
    @overload
    def __getitem__(self, which: slice) -> list[Frame]: ...
    def __getitem__(self, which: int | slice) -> Frame | list[Frame]:
        return self._frames[which]

    def keep(self, frame: Frame, n_events: int, moment: Moment) -> None:
        """Add a frame, or replace the last one if it has the same index, seen after `n_events` events."""
        del self._frames[frame.index :], self._n_events[frame.index :]
        self._frames.append(frame)
        self._n_events.append(n_events)
        room = max(1, CHECKPOINT_BYTES // max(1, moment.state.n_bytes()))
        apart = 1
        while len(self) > room * apart:
            apart *= 2
        self._checkpoints = {k: m for k, m in self._checkpoints.items() if k % apart == 0 and k != frame.index}
        if frame.index % apart == 0:
            self._checkpoints[frame.index] = moment.copy()

    def position(self, at: int) -> int:
        """The frame's position from the start; an IndexError that says which frames there are."""
        if not -len(self) <= at < len(self):
            raise IndexError(problem("at", at, f"a frame from 0 to {len(self) - 1}, or -1 for the last"))
        return range(len(self))[at]

    def until(self, at: int) -> tuple[History, Moment, int]:
        """The history up to the nearest checkpoint at or before frame `at`, that moment, and its count of events."""
        before = max(k for k in self._checkpoints if k <= at)
        past = History()
        past._frames, past._n_events = self._frames[: before + 1], self._n_events[: before + 1]
        past._checkpoints = {k: m for k, m in self._checkpoints.items() if k <= before}
        return past, self._checkpoints[before].copy(), self._n_events[before]

    def n_events(self, at: int) -> int:
        """How many events had been logged when frame `at` was seen."""
        return self._n_events[at]
