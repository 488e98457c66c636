"""What a session remembers: frames in order, checkpoints within a budget, and the way back to any of them."""

from __future__ import annotations

import copy
import dataclasses
import gc
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from taskembed_edu.projection.live_umap import LiveUMAP
from taskembed_edu.session import history as history_module
from taskembed_edu.session.history import CHECKPOINT_BYTES, Checkpoint, Frame, History
from taskembed_edu.tasks.sketch import TaskFit


class Counter:
    """A state that weighs as much as it says."""

    def __init__(self, step: int, weight: int) -> None:
        self.step, self.weight = step, weight

    def copy(self) -> Counter:
        return copy.copy(self)

    def n_bytes(self) -> int:
        return self.weight


def frame(index: int, loss: float = 0.0) -> Frame:
    points = np.zeros((3, 2), np.float32)
    settings: Any = None
    return Frame(index, 10 * index, loss, points, points, "pca", {"recall@1": 0.5}, settings)


def moment(step: int, weight: int = 1) -> Checkpoint:
    return Checkpoint(Counter(step, weight), LiveUMAP(), None, None, None, [])


def filled(n: int, weight: int = 1) -> History:
    history = History()
    for k in range(n):
        history.keep(frame(k), n_events=k // 2, moment=moment(10 * k, weight))
    return history


def test_a_history_is_a_sequence_of_frames() -> None:
    history = filled(5)
    assert len(history) == 5
    assert [f.index for f in history] == [0, 1, 2, 3, 4]
    assert history[-1].step == 40
    assert [f.index for f in history[1:3]] == [1, 2]
    assert [history.n_events(k) for k in range(5)] == [0, 0, 1, 1, 2]
    assert repr(history[1]) == "Frame(step 10: loss 0.000, recall@1 0.50)"


def test_the_newest_frame_may_be_drawn_again() -> None:
    history = filled(3)
    redrawn = moment(25)
    history.keep(frame(2, loss=9.0), n_events=7, moment=redrawn)
    assert len(history) == 3
    assert history[2].loss == 9.0
    past, again, n_events = history.until(2)
    assert (again.state.step, n_events) == (25, 7)
    assert len(past) == 3


@pytest.mark.parametrize("room", [1, 3, 8])
@pytest.mark.parametrize("n", [1, 2, 9, 40])
def test_checkpoints_stay_within_the_budget_and_reach_everything(room: int, n: int) -> None:
    weight = CHECKPOINT_BYTES // room
    history = filled(n, weight)
    kept = sorted(history._checkpoints)
    assert kept[0] == 0
    assert len(kept) * weight <= CHECKPOINT_BYTES
    gaps = {b - a for a, b in zip(kept, [*kept[1:]], strict=False)}
    assert len(gaps) <= 1
    if n > room:
        assert len(kept) > room / 2 - 1
    for at in range(n):
        past, found, n_events = history.until(at)
        before = max(k for k in kept if k <= at)
        assert found.state.step == 10 * before
        assert len(past) == before + 1
        assert n_events == before // 2


def test_one_checkpoint_stays_however_heavy_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "CHECKPOINT_BYTES", 10)
    history = filled(20, weight=1000)
    assert sorted(history._checkpoints) == [0]
    assert history.until(19)[1].state.step == 0


def test_a_checkpoint_is_a_copy_when_kept_and_when_taken() -> None:
    history, now = History(), moment(0)
    now.pca = np.zeros((3, 2), np.float32)
    history.keep(frame(0), 0, now)
    now.state.step, now.pca[:] = 99, 99
    now.records.append(None)  # type: ignore[arg-type]
    _past, first, _n = history.until(0)
    assert first.state.step == 0
    assert first.pca is not None
    assert not first.pca.any()
    assert first.records == []
    first.state.step, first.umap.count = 5, 5
    _past, second, _n = history.until(0)
    assert (second.state.step, second.umap.count) == (0, 0)


def test_the_past_goes_its_own_way() -> None:
    history = filled(4)
    past, _moment, _n = history.until(2)
    past.keep(frame(3, loss=7.0), 0, moment(1000))
    assert history[3].loss == 0.0
    assert history.until(3)[1].state.step == 30
    assert past.until(3)[1].state.step == 1000


@pytest.mark.parametrize(("at", "position"), [(0, 0), (3, 3), (-1, 3), (-4, 0)])
def test_positions(at: int, position: int) -> None:
    assert filled(4).position(at) == position


@pytest.mark.parametrize("at", [4, -5])
def test_a_frame_that_is_not_there(at: int) -> None:
    with pytest.raises(IndexError, match=rf"at: got {at}, expected a frame from 0 to 3, or -1 for the last\."):
        filled(4).position(at)


def test_the_frame_at_a_step() -> None:
    history = filled(4)
    assert [history.at_step(step).index for step in (0, 9, 10, 29.5, 30, 10**9)] == [0, 0, 1, 2, 3, 3]
    with pytest.raises(ValueError, match=r"step: got -1, expected a number of at least 0.*begins at step 0"):
        history.at_step(-1)


def numbered(index: int) -> Frame:
    embedding = np.full((4, 3), index, np.float32)
    layout = np.full((4, 2), -index, np.float32)
    axes, fit = np.full((3, 2), 2 * index, np.float32), TaskFit(classes=np.full((3, 3), index, np.uint8))
    for array in (embedding, layout, axes, fit.classes):
        assert array is not None
        array.setflags(write=False)
    return dataclasses.replace(frame(index), embedding=embedding, layout=layout, axes=axes, fit=fit)


def assert_numbered(history: History, n: int) -> None:
    assert [f.index for f in history] == list(range(n))
    for k, kept in enumerate(history):
        assert kept.embedding.shape == (4, 3)
        assert kept.layout.shape == (4, 2)
        assert (kept.embedding == k).all()
        assert (kept.layout == -k).all()
        assert kept.axes is not None
        assert kept.axes.tolist() == [[2 * k] * 2] * 3
        assert kept.fit is not None
        assert kept.fit.classes is not None
        assert kept.fit.classes.tolist() == [[k] * 3] * 3
        assert kept.fit.values is None
        assert not any(array.flags.writeable for array in kept.arrays())
        assert all(array.flags.aligned for array in kept.arrays())


def in_memory(history: History) -> int:
    return sum(array.nbytes for frame in history for array in frame.arrays() if array.base is None)


@pytest.mark.parametrize("room", [1, 3, 10])
def test_old_frames_go_to_a_file_and_come_back(room: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    weight = numbered(0).n_bytes
    assert weight == 80 + 24 + 9
    monkeypatch.setattr(history_module, "FRAME_BYTES", room * weight)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    history, files, plain = History(), list[int](), history_module.moved_to_file

    def counted(arrays: Any) -> Any:
        files.append(len(arrays))
        return plain(arrays)

    monkeypatch.setattr(history_module, "moved_to_file", counted)
    for k in range(40):
        history.keep(numbered(k), 0, moment(k))
        assert in_memory(history) <= room * weight
        assert history[-1].embedding.base is None  # the latest is at hand
    assert_numbered(history, 40)
    assert len(files) <= 40 / room, "many frames to a file"
    assert list(tmp_path.iterdir()) == []  # nothing is left lying about, not even while it is used
    history.keep(numbered(39), 0, moment(39))
    assert_numbered(history, 40)

    past, _moment, _n = history.until(21)
    for k in range(22, 50):
        past.keep(numbered(k), 0, moment(k))
        assert in_memory(past) <= room * weight
    assert_numbered(past, 50)
    assert_numbered(history, 40)
    del history
    gc.collect()
    assert_numbered(past, 50)


def test_where_no_file_can_be_written_the_frames_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "FRAME_BYTES", 3 * numbered(0).n_bytes)
    tried = []

    def full(arrays: Any) -> Any:
        tried.append(len(arrays))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(history_module, "moved_to_file", full)
    history = History()
    for k in range(20):
        history.keep(numbered(k), 0, moment(k))
    assert_numbered(history, 20)
    assert 1 < len(tried) < 10  # it is tried again now and then: there may be room by then


def test_a_thousand_frames_of_two_hundred_tasks_stay_in_memory() -> None:
    size = 1000 * 200 * (8 + 2) * 4
    assert size < history_module.FRAME_BYTES <= 64 * 2**20
