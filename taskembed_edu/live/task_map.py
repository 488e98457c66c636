"""The live map's kernel side: one small packet a frame, and no second one before the page has taken the first."""

from __future__ import annotations

import struct
import threading
import time
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from taskembed_edu.projection import Layout

_HERE = Path(__file__).parent
LOOK = (_HERE / "look.css").read_text(encoding="utf-8")
_LEVELS = 65535


def encode_frame(layout: Layout, number: int, step: int) -> bytes:
    """A frame for the page: 24 bytes of header, then 4 bytes a task.

    The header is number, step (uint32), left, bottom, right, top (float32); each task is x, y as uint16 inside that
    box, so a place is exact to a 65,535th of the map's width. Little-endian. 1,000 tasks take 4,024 bytes.
    """
    low, high = layout.min(axis=0), layout.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    places = np.rint((layout - low) / span * _LEVELS).astype("<u2")
    return struct.pack("<2I4f", number, step, *low, *(low + span)) + places.tobytes()


def decode_frame(packet: bytes) -> tuple[int, int, Layout]:
    """Number, step and layout of a packet: what the page reads."""
    number, step, left, bottom, right, top = struct.unpack_from("<2I4f", packet)
    places = np.frombuffer(packet, dtype="<u2", offset=24).reshape(-1, 2).astype(np.float32) / _LEVELS
    low = np.array([left, bottom], dtype=np.float32)
    return number, step, low + places * (np.array([right, top], dtype=np.float32) - low)


class TaskMap(anywidget.AnyWidget):
    """The canvas: traits in, `shown` (the number of the last frame taken in by a page) out."""

    _esm = _HERE / "task_map.js"
    _css = LOOK + (_HERE / "task_map.css").read_text(encoding="utf-8")

    frame = traitlets.Bytes(b"").tag(sync=True)
    colours = traitlets.Bytes(b"").tag(sync=True)
    shapes = traitlets.Bytes(b"").tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    legend = traitlets.Dict().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    shown = traitlets.Int(0).tag(sync=True)


class LatestOnly:
    """A slot that holds at most one thing to send: the newest. It is sent when the page is ready for it.

    Ready means: the page has taken the one before (`taken(number)`), and the last sending is 1/15 s past. What is
    offered meanwhile replaces what waits; without a page nothing is sent and nobody waits.
    """

    def __init__(self, send: Any, pictures_a_second: float = 15.0) -> None:
        self._send = send
        self._apart = 1 / pictures_a_second
        self._lock = threading.Lock()
        self._waiting: Any = None
        self._number = 0
        self._taken = 0
        self._sent_at = -float("inf")
        self._at_once = False

    def offer(self, thing: Any, now: bool = False) -> None:
        """Send this as soon as the page is ready; with `now`, without waiting for the clock (a last frame)."""
        with self._lock:
            self._waiting = thing
            self._send_if_ready(now)

    def taken(self, number: int) -> None:
        """The page has taken the thing with this number in."""
        with self._lock:
            self._taken = max(self._taken, number) if number <= self._number else self._taken
            self._send_if_ready(False)

    def flush(self) -> None:
        """Send what waits as soon as the page is ready, whatever the clock says: nothing newer is coming."""
        with self._lock:
            self._send_if_ready(True)

    def _send_if_ready(self, now: bool) -> None:
        clock = time.monotonic()
        # The first thing goes out unasked: it is what a page finds when it opens.
        self._at_once = (self._at_once or now) and self._waiting is not None
        ready = self._taken == self._number and (self._at_once or clock - self._sent_at >= self._apart)
        if self._waiting is None or not (ready or self._number == 0):
            return
        thing, self._waiting = self._waiting, None
        self._sent_at, self._at_once = clock, False
        self._send(thing, self._number + 1)
        self._number += 1  # once it is out: a sending that failed must not wait for an acknowledgement for ever
