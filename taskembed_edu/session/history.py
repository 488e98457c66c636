"""What a session stores: every frame, and a few checkpoints from which any frame can be computed again."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.base.former import Former
from taskembed_edu.base.settings import Settings
from taskembed_edu.embedders.base import StepRecord
from taskembed_edu.evaluation.geometry import all_distances
from taskembed_edu.projection.live_umap import LiveUMAP
from taskembed_edu.projection.neighbours import nearest_by, nearest_tasks
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.events import ONE_MOVE as ONE_MOVE
from taskembed_edu.session.events import Event as Event
from taskembed_edu.session.events import coalesced_events as coalesced_events
from taskembed_edu.session.events import undo_values as undo_values
from taskembed_edu.session.events import without_setting as without_setting
from taskembed_edu.tasks.sketch import TaskFit

# How much memory checkpoints may take. One of a default run takes 0.45 MB, so at most 55 are kept: the memory of a long
# run then grows by its frames alone (8 MB in 10,000 steps of 200 tasks). The price is a slower branch: after 10,000
# steps the checkpoints lie 32 frames apart, and a branch repeats 320 steps at most (about a second).
CHECKPOINT_BYTES = 24 * 2**20

# How much memory frames' arrays may take: 8,000 frames of 200 tasks, 1,600 of 1,000. Older ones go to a file.
FRAME_BYTES = 64 * 2**20
_CHUNK_BYTES = 8 * 2**20
# Arrays in a file begin at multiples of this many bytes: aligned numbers are read faster.
_ALIGNED = 8


def metric_of(settings: Settings) -> str:
    """The metric in these settings; Euclidean where an embedder has no such setting."""
    return getattr(settings, "metric", "euclidean")


@compared_by_value
@dataclass(frozen=True)
class Frame:
    """One step's record: the validation tasks' vectors, their places on the map, and the scores.

    `loss` is the mean over the steps since the frame before (NaN for the first frame). Other readings of the embedder's
    steps are such means too: they are in `diagnostics`, after the scores. `alarm` is one sentence if the tasks have
    collapsed, else empty. `umap_restarts` counts how often UMAP has begun from scratch.

    `axes` (dim, 2) are the directions onto which a PCA map projects: earlier vectors, projected onto the same, make a
    trail. `start` (dim,) is where the tasks' inner loops begin, for an embedder that learns one. `fit` is the output of
    each task's own network, where it has one. Training has diverged for `diverged_tasks`: their entries in the arrays
    have no meaning, and the map does not show them.
    """

    index: int
    step: int
    loss: float
    embedding: NDArray[np.float32]
    layout: Layout
    projection: str
    diagnostics: dict[str, float]
    settings: Settings
    alarm: str = ""
    umap_restarts: int = 0
    axes: NDArray[np.float32] | None = None
    fit: TaskFit | None = None
    diverged_tasks: tuple[int, ...] = ()
    start: NDArray[np.float32] | None = None

    def arrays(self) -> list[NDArray[Any]]:
        """All its arrays: what takes memory."""
        fit = TaskFit() if self.fit is None else self.fit
        there = (self.embedding, self.layout, self.axes, self.start, fit.values, fit.classes, fit.paths)
        return [array for array in there if array is not None]

    def with_arrays(self, arrays: Sequence[NDArray[Any]]) -> Frame:
        """The same frame with these arrays (copies stored elsewhere), in the order of `arrays()`."""
        left = iter(arrays)

        def moved(array: NDArray[Any] | None) -> Any:
            return None if array is None else next(left)

        embedding, layout, axes = moved(self.embedding), moved(self.layout), moved(self.axes)
        start = moved(self.start)
        fit = self.fit
        if fit is not None:
            values, classes, paths = moved(fit.values), moved(fit.classes), moved(fit.paths)
            fit = dataclasses.replace(fit, values=values, classes=classes, paths=paths)
        return dataclasses.replace(self, embedding=embedding, layout=layout, axes=axes, start=start, fit=fit)

    @property
    def n_bytes(self) -> int:
        """The size of its arrays."""
        return sum(array.nbytes for array in self.arrays())

    @property
    def metric(self) -> str:
        """The distance under which its tasks are near or far."""
        return metric_of(self.settings)

    refits = Former("umap_restarts")
    left_out = Former("diverged_tasks")

    def neighbours(self, k: int = 5, metric: str | None = None) -> NDArray[np.intp]:
        """Each task's k nearest others: (n, k) indices, nearest first; by `metric`, or by the frame's own (default).

        Diverged tasks are never listed as neighbours, and their own rows have no meaning.

        Errors: ValueError for k outside 1..n - 1, where n tasks have not diverged, or vectors that this distance cannot
        measure.
        """
        most = len(self.embedding) - len(self.diverged_tasks) - 1
        check_number("k", k, 1, most, "A task has every other task to be near to, but for those that have diverged.")
        # A task is its own nearest: the first column is itself.
        if not self.diverged_tasks:
            return nearest_tasks(torch.tensor(self.embedding), k + 1, metric or self.metric)[1][:, 1:].numpy()
        kept = np.delete(np.arange(len(self.embedding)), self.diverged_tasks)
        distances = all_distances(torch.tensor(self.embedding[kept]), metric or self.metric)
        near = np.tile(kept[:k], (len(self.embedding), 1))  # rows of diverged tasks: any valid index
        near[kept] = kept[nearest_by(distances, k + 1)[1][:, 1:].numpy()]
        return near

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {value:.2f}" for name, value in self.diagnostics.items())
        return f"Frame(step {self.step}: loss {self.loss:.3f}, {scores})"


def value_of(frame: Frame, name: str) -> float:
    """The frame's step, its loss, or one of its diagnostics; NaN if it has none of this name."""
    if name in ("step", "loss"):
        return frame.step if name == "step" else frame.loss
    return frame.diagnostics.get(name, math.nan)


@compared_by_value
@dataclass
class Checkpoint:
    """Everything in a session that training changes, at one step: enough to continue from here.

    `records` are those of the steps since the last frame. `inconsistent`: a step failed before its end, so `state` may
    hold a part of its changes; no copy of it is exact.
    """

    state: Any
    umap: LiveUMAP
    pca: Layout | None
    settings: Any
    setup: Any
    records: list[StepRecord]
    inconsistent: bool = False

    def copy(self) -> Checkpoint:
        """A copy that shares no memory that will change."""
        pca = None if self.pca is None else self.pca.copy()
        return Checkpoint(self.state.copy(), self.umap.copy(), pca, self.settings, self.setup, list(self.records))

    def n_bytes(self) -> int:
        """About how much memory a copy takes."""
        layouts = sum(layout.nbytes for layout in (self.umap.layout, self.pca) if layout is not None)
        return int(self.state.n_bytes()) + layouts


class History(Sequence[Frame]):
    """All frames in order, and checkpoints within a budget of memory (24 MB, at least one checkpoint).

    As the run grows, checkpoints are thinned out: one at every frame, then at every second, fourth, eighth ... The
    first one stays, so every frame can be computed again by repeating the steps from the nearest checkpoint before it.

    The frames' arrays take at most 64 MB of memory. Beyond that the oldest are moved to a temporary file without a
    name, which the system removes once nothing uses it; they are read from there as from memory. If no file can be
    written, they stay in memory.
    """

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._n_events: list[int] = []
        self._checkpoints: dict[int, Checkpoint] = {}
        self._n_filed = 0
        self._bytes = 0
        self._room = FRAME_BYTES

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

    def at_step(self, step: float) -> Frame:
        """The latest frame at or before this step."""
        check_number("step", step, 0, None, "A run begins at step 0.")
        return self._frames[bisect_right(self._frames, step, key=lambda frame: frame.step) - 1]

    def keep(self, frame: Frame, n_events: int, moment: Checkpoint) -> None:
        """Add a frame, recorded after `n_events` events; it replaces the last one if that has the same index."""
        self._keep_frame(frame, n_events)
        room = max(1, CHECKPOINT_BYTES // max(1, moment.n_bytes()))
        apart = 1
        while len(self) > room * apart:
            apart *= 2
        self._checkpoints = {k: m for k, m in self._checkpoints.items() if k % apart == 0 and k != frame.index}
        if frame.index % apart == 0:
            self._checkpoints[frame.index] = moment.copy()

    def position(self, at: int) -> int:
        """The frame's position from the start. Errors: IndexError that names the frames there are."""
        if not -len(self) <= at < len(self):
            raise IndexError(problem("at", at, f"a frame from 0 to {len(self) - 1}, or -1 for the last"))
        return range(len(self))[at]

    def until(self, at: int) -> tuple[History, Checkpoint, int]:
        """The history up to the nearest checkpoint at or before frame `at`, that checkpoint, and its event count."""
        before = max(k for k in self._checkpoints if k <= at)
        return self._first(before + 1), self._checkpoints[before].copy(), self._n_events[before]

    def whole(self) -> History:
        """A copy of the history that can grow independently."""
        return self._first(len(self))

    def _first(self, n: int) -> History:
        past = History()
        past._frames, past._n_events = self._frames[:n], self._n_events[:n]
        past._n_filed = min(self._n_filed, n)
        past._bytes = sum(frame.n_bytes for frame in past._frames[past._n_filed :])
        past._checkpoints = {k: m for k, m in self._checkpoints.items() if k < n}
        return past

    def n_events(self, at: int) -> int:
        """How many events had been logged when frame `at` was recorded."""
        return self._n_events[at]

    def _keep_frame(self, frame: Frame, n_events: int) -> None:
        self._bytes += frame.n_bytes - sum(old.n_bytes for old in self._frames[frame.index :])
        self._frames[frame.index :] = [frame]
        self._n_events[frame.index :] = [n_events]
        if self._bytes > self._room:
            try:
                self._file_oldest()
            except OSError:
                self._room += FRAME_BYTES  # a full disk, say: the frames stay in memory, and training goes on

    def _file_oldest(self) -> None:
        """Move the oldest frames' arrays out of memory, many at once; the latest frame stays in memory."""
        end, moved = self._n_filed, 0
        while end < len(self) - 1 and moved < min(_CHUNK_BYTES, FRAME_BYTES):
            moved += self._frames[end].n_bytes
            end += 1
        oldest = self._frames[self._n_filed : end]
        if not oldest:
            return
        arrays = iter(moved_to_file([array for frame in oldest for array in frame.arrays()]))
        for frame in oldest:
            self._frames[frame.index] = frame.with_arrays([next(arrays) for _ in frame.arrays()])
        self._n_filed, self._bytes = end, self._bytes - moved


def moved_to_file(arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """The same arrays, read-only, in one temporary file; the file is removed with the last of them."""
    # One file and one memory map for many arrays: every map holds one of the process's few file handles.
    with tempfile.TemporaryFile(prefix="taskembed-") as file:
        starts = []
        for array in arrays:
            file.write(bytes(-file.tell() % _ALIGNED))
            starts.append(file.tell())
            array.tofile(file)
        file.flush()
        mapped: NDArray[np.uint8] = np.memmap(file, dtype=np.uint8, mode="r")
    flat = np.asarray(mapped)
    return [
        flat[start : start + x.nbytes].view(x.dtype).reshape(x.shape) for start, x in zip(starts, arrays, strict=True)
    ]
