"""The widget whose traits are what the page draws, and the gate that keeps pictures from flooding the page.

The traits say what goes out; `chosen`, `selected` and `colour` also come in, and custom messages carry the page's
commands. Nothing is computed here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from taskembed_edu.live import page

# What a page may move by itself. Everything else it only reads.
_BOTH_WAYS = ("chosen", "selected", "colour")
_KERNELS = ("title", "model_id_", "controls", "transport", "tasks", "picture", "rows", "marks", "help")


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
    chosen = traitlets.Int(-1).tag(sync=True)
    selected: Any = traitlets.List().tag(sync=True)
    colour = traitlets.Int(0).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        # The worker sends pictures while the kernel's main thread receives what the page has set: one at a time.
        self._lock = threading.RLock()
        super().__init__(**traits)
        self.model_id_ = self.model_id

    def put(self, **values: Any) -> None:
        """Set these traits and send those that changed, in one message."""
        with self._lock, self.hold_sync():
            for name, value in values.items():
                setattr(self, name, value)

    def send_again(self, *names: str) -> None:
        """Send these traits (default: all that the kernel sets) though they have not changed: a page has lost them."""
        with self._lock:
            self.send_state(list(names or (*_KERNELS, *_BOTH_WAYS)))

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take in what a page has set; what it may not set, or what makes no sense, is ignored without an error."""
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
    """Says when a picture may be sent, so that a page is never flooded. What it shows is the sender's business.

    After `changed()` one picture is due, however often that was called. It is sent, by `send(number)`, when the page
    is ready: when the page has taken the picture before (`taken(number)`) and the last sending is 1/15 s ago. A page
    that has not answered for 2 s may be gone, or its answer was lost: then the next picture goes out unasked. So a
    lost answer holds nothing up, and a page that is gone costs next to nothing.
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
        """A picture is due; with `now`, without waiting for the clock (a last frame)."""
        with self._lock:
            self._due = True
            self._send_if_ready(now)

    def taken(self, number: int) -> None:
        """The page has taken in the picture with this number."""
        with self._lock:
            self._taken = max(self._taken, number) if number <= self._number else self._taken
            self._send_if_ready(False)

    def flush(self) -> None:
        """Send what is due as soon as the page is ready, whatever the clock says: nothing newer is coming."""
        with self._lock:
            self._send_if_ready(True)

    def again(self) -> None:
        """Send at once: the page says that it has lost what was sent, so it will never answer that."""
        with self._lock:
            self._taken, self._due = self._number, True
            self._send_if_ready(True)

    def _send_if_ready(self, now: bool) -> None:
        clock = time.monotonic()
        self._at_once = (self._at_once or now) and self._due
        # The first picture goes out unasked: it is what a page finds when it opens.
        answered = self._taken == self._number or clock - self._sent_at >= self._again_after
        if not self._due or not answered:
            return
        if not (self._at_once or clock - self._sent_at >= self._apart):
            return
        self._due, self._sent_at, self._at_once = False, clock, False
        self._send(self._number + 1)
        self._number += 1  # after the sending: one that failed will never be acknowledged
