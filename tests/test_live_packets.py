"""What travels to the page: frames to a 65,535th, never a second one before the first is taken, curves by new rows."""

from __future__ import annotations

import struct
import time
from typing import Any

import numpy as np
import pytest

from taskembed_edu.live.curves import COLUMNS, Curves, encode_rows
from taskembed_edu.live.task_map import LatestOnly, decode_frame, encode_frame
from tests.runs import generator, small_session


def rows_of(packet: bytes) -> tuple[int, np.ndarray]:
    first, columns = struct.unpack_from("<2I", packet)
    return first, np.frombuffer(packet, "<f4", offset=8).reshape(-1, columns)


# ---- frames --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 1000])
def test_a_frame_comes_back_to_a_65535th_of_its_width(n: int) -> None:
    import torch

    layout = (torch.randn(n, 2, generator=generator()) * torch.tensor([10.0, 0.1]) + 3).numpy()
    packet = encode_frame(layout, number=7, step=4_000_000_000)
    assert len(packet) == 24 + 4 * n
    number, step, back = decode_frame(packet)
    assert (number, step) == (7, 4_000_000_000)
    span = np.ptp(layout, axis=0)
    assert (np.abs(back - layout) <= span / 65535 * 0.51 + 1e-6).all()


def test_the_bytes_of_a_frame() -> None:
    """What task_map.js reads, spelt out."""
    layout = np.array([[-1.0, 5.0], [3.0, 5.0], [1.0, 5.0]], np.float32)
    packet = encode_frame(layout, 1, 20)
    assert struct.unpack("<2I4f", packet[:24]) == (1, 20, -1.0, 5.0, 3.0, 6.0)
    assert struct.unpack("<6H", packet[24:]) == (0, 0, 65535, 0, 32768, 0)


# ---- one at a time -------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def slot() -> tuple[LatestOnly, list[tuple[Any, int]]]:
    sent: list[tuple[Any, int]] = []
    return LatestOnly(lambda thing, number: sent.append((thing, number)), pictures_a_second=10), sent


def test_the_first_goes_out_unasked_and_no_second_before_it_is_taken(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    assert sent == [("a", 1)]
    clock.now += 100
    latest.offer("b", now=True)
    latest.offer("c")
    latest.flush()
    assert sent == [("a", 1)]
    latest.taken(1)
    assert sent == [("a", 1), ("c", 2)]


def test_no_more_than_so_many_a_second(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer(0)
    for k in range(1, 1000):
        clock.now += 0.001
        latest.taken(sent[-1][1])
        latest.offer(k)
    assert 9 <= len(sent) <= 11
    assert [number for _thing, number in sent] == list(range(1, len(sent) + 1))


def test_the_newest_wins_and_nothing_is_sent_twice(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    latest.taken(1)
    latest.offer("b")
    latest.offer("c")
    assert sent == [("a", 1)]
    clock.now += 0.2
    latest.taken(1)
    assert sent == [("a", 1), ("c", 2)]
    latest.taken(2)
    clock.now += 10
    latest.taken(2)
    latest.flush()
    assert len(sent) == 2


def test_a_flush_does_not_wait_for_the_clock(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    latest.taken(1)
    latest.offer("b")
    assert len(sent) == 1
    latest.flush()
    assert sent[-1] == ("b", 2)
    latest.taken(2)
    latest.offer("c", now=True)
    assert sent[-1] == ("c", 3)


def test_a_flush_is_remembered_until_the_page_is_ready(clock: Clock) -> None:
    """Pause falls between sending a frame and its acknowledgement: the last frame must still arrive."""
    latest, sent = slot()
    latest.offer("a")
    latest.offer("last")
    latest.flush()
    clock.now += 0.001
    latest.taken(1)
    assert sent[-1] == ("last", 2)
    latest.taken(2)
    latest.offer("later")
    assert len(sent) == 2  # the hurry was for one picture


def test_a_flush_of_nothing_hurries_nothing(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    latest.taken(1)
    latest.flush()
    latest.offer("b")
    assert len(sent) == 1


def test_numbers_that_were_never_sent_are_not_believed(clock: Clock) -> None:
    latest, sent = slot()
    latest.offer("a")
    latest.taken(99)
    latest.taken(0)
    latest.taken(-1)
    clock.now += 10
    latest.offer("b")
    assert sent == [("a", 1)]


def test_no_page_holds_nobody_up(clock: Clock) -> None:
    latest, sent = slot()
    for k in range(10_000):
        clock.now += 1
        latest.offer(k)
    assert sent == [(0, 1)]
    latest.taken(1)
    assert sent[-1] == (9999, 2)


# ---- curves --------------------------------------------------------------------------------------------------------


def test_rows_are_the_frames() -> None:
    session = small_session()
    session.step(12)
    first, rows = rows_of(encode_rows(session.history, 1))
    assert first == 1
    assert rows.shape == (3, len(COLUMNS))
    for row, frame in zip(rows, session.history[1:], strict=True):
        expected = [frame.step, frame.loss, *(frame.diagnostics[name] for name in COLUMNS[2:])]
        np.testing.assert_array_equal(row, np.array(expected, np.float32))
    assert np.isnan(rows_of(encode_rows(session.history, 0))[1][0, 1])


def test_only_new_rows_travel_and_the_last_one_again() -> None:
    session, curves = small_session(), Curves()
    session.step(4)
    curves.show(session.history)
    assert [rows_of(curves.packet)[0], len(rows_of(curves.packet)[1])] == [0, 2]
    session.set(metric="cosine")
    session.step(8)
    curves.show(session.history)
    first, rows = rows_of(curves.packet)
    assert (first, rows[:, 0].tolist()) == (1, [4.0, 8.0, 12.0])
    session.set(metric="manhattan")
    curves.show(session.history)
    first, rows = rows_of(curves.packet)
    assert (first, len(rows)) == (3, 1)
    assert rows[0, 3] == np.float32(session.frame.diagnostics["spearman"])
    curves._on_message(curves, {"need": "all"}, [])
    assert [rows_of(curves.packet)[0], len(rows_of(curves.packet)[1])] == [0, 4]
    curves.close()


def test_a_reset_starts_the_curves_anew() -> None:
    session, curves = small_session(), Curves()
    session.step(12)
    curves.show(session.history)
    session.reset()
    session.step(4)
    curves.show(session.history)
    first, rows = rows_of(curves.packet)
    assert (first, rows[:, 0].tolist()) == (0, [0.0, 4.0])
    curves._on_message(curves, {"need": "nothing"}, [])
    assert rows_of(curves.packet)[0] == 0
    curves.close()
