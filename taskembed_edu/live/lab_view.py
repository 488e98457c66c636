"""The widget whose traits the page draws, and the gate that keeps pictures from flooding the page.

The kernel sends all traits; the page may set `chosen`, `selected` and `colour`, and sends its commands as custom
messages. Nothing is computed here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from taskembed_edu.live import page

# The traits that a page may set. It only reads the others.
_BOTH_WAYS = ("chosen", "selected", "colour")
_KERNELS = (
    "title",
    "model_id_",
    "controls",
    "transport",
    "tasks",
    "picture",
    "rows",
    "marks",
    "help",
    "surface",
    "bench",
    "scorecards",
)


class LabView(anywidget.AnyWidget):
    """The live lab on the page, drawn by the scripts in `page/`. See `panel.SessionPanel`, which fills it."""

    _esm = page.script()
    _css = page.style()

    title = traitlets.Unicode("").tag(sync=True)
    model_id_ = traitlets.Unicode("").tag(sync=True)
    controls: Any = traitlets.List().tag(sync=True)
    transport: Any = traitlets.Dict().tag(sync=True)
    tasks: Any = traitlets.Dict().tag(sync=True)
    picture: Any = traitlets.Dict().tag(sync=True)
    rows: Any = traitlets.Dict().tag(sync=True)
    marks: Any = traitlets.List().tag(sync=True)
    help: Any = traitlets.Dict().tag(sync=True)
    surface: Any = traitlets.Dict().tag(sync=True)
    bench: Any = traitlets.Dict().tag(sync=True)
    scorecards: Any = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    selected: Any = traitlets.List().tag(sync=True)
    colour = traitlets.Int(0).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        # The worker sends pictures while the kernel's main thread receives the page's traits: only one at a time.
        self._lock = threading.RLock()
        super().__init__(**traits)
        self.model_id_ = self.model_id

    def put(self, **values: Any) -> None:
        """Set these traits and send those that changed, in one message."""
        with self._lock, self.hold_sync():
            for name, value in values.items():
                setattr(self, name, value)

    def send_again(self, *names: str) -> None:
        """Send these traits (default: all) though they have not changed: a page has lost them."""
        with self._lock:
            self.send_state(list(names or (*_KERNELS, *_BOTH_WAYS)))

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Accept the traits that a page has set; traits it may not set, and invalid values, are silently ignored."""
        taken = {name: value for name, value in sync_data.items() if name not in _KERNELS and _sensible(name, value)}
        with self._lock:
            super().set_state(taken)


def _sensible(name: str, value: Any) -> bool:
    if name == "selected":
        return isinstance(value, list) and all(_whole(index) and index >= 0 for index in value)
    return name not in _BOTH_WAYS or (_whole(value) and value >= (-1 if name == "chosen" else 0))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class PictureGate:
    """Decides when a picture may be sent, so that a page is never flooded. The sender decides what it shows.

    After `changed()` one picture is due, however often that was called. `send(number)` sends it when the page is ready:
    the page has acknowledged the picture before (`taken(number)`), and that was sent at least 1/15 s ago. If a page has
    not acknowledged for 2 s, it may be closed, or its message was lost: then the next picture is sent anyway. So a lost
    acknowledgement blocks nothing, and a closed page costs almost nothing.
    """

    def __init__(self, send: Callable[[int], None], pictures_a_second: float = 15.0, again_after: float = 2.0) -> None:
        self._send = send
        self._apart, self._again_after = 1 / pictures_a_second, again_after
        self._lock = threading.Lock()
        self._due = False
        self._number = 0
        self._taken = 0
        self._sent_at = -float("inf")
        self._at_once = False

    def changed(self, now: bool = False) -> None:
        """A picture is due; with `now` it ignores the time limit (a last frame)."""
        with self._lock:
            self._due = True
            self._send_if_ready(now)

    def taken(self, number: int) -> None:
        """The page acknowledges the picture with this number."""
        with self._lock:
            self._taken = max(self._taken, number) if number <= self._number else self._taken
            self._send_if_ready(False)

    def flush(self) -> None:
        """Send the due picture as soon as the page is ready, without the time limit: no newer one will come."""
        with self._lock:
            self._send_if_ready(True)

    def again(self) -> None:
        """Send at once: the page has lost the last picture, so it will never acknowledge that one."""
        with self._lock:
            self._taken, self._due = self._number, True
            self._send_if_ready(True)

    def _send_if_ready(self, now: bool) -> None:
        clock = time.monotonic()
        self._at_once = (self._at_once or now) and self._due
        # The first picture needs no acknowledgement before it: a page finds it when it opens.
        answered = self._taken == self._number or clock - self._sent_at >= self._again_after
        if not self._due or not answered:
            return
        if not (self._at_once or clock - self._sent_at >= self._apart):
            return
        self._due, self._sent_at, self._at_once = False, clock, False
        self._send(self._number + 1)
        self._number += 1  # after the sending: one that failed will never be acknowledged
