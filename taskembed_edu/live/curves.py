"""The curves' kernel side: only rows that the page has not seen yet travel."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from taskembed_edu.history import Event, Frame
from taskembed_edu.live.controls import say
from taskembed_edu.live.task_map import LOOK

_HERE = Path(__file__).parent

# Changes of one setting that follow each other within so many steps are one move of a hand.
_ONE_MOVE = 50

COLUMNS = ("step", "loss", "recall@1", "spearman", "trustworthiness")

HELP = {
    "loss": "What training makes small, averaged over the steps since the last picture.",
    "recall@1": "Share of the tasks whose second support set finds its first one as the nearest of all.",
    "spearman": "Rank correlation of distances in the embedding with true distances between tasks: 1 is perfect order.",
    "trustworthiness": "How far neighbours on the map are neighbours in the embedding: 1 means that all are.",
}


def encode_rows(frames: Sequence[Frame], first: int) -> bytes:
    """Rows of the curves from frame `first` on: uint32 first, uint32 columns, then float32 rows. Little-endian."""
    rows = [[f.step, f.loss, *(f.diagnostics.get(name, np.nan) for name in COLUMNS[2:])] for f in frames[first:]]
    return struct.pack("<2I", first, len(COLUMNS)) + np.asarray(rows, dtype="<f4").tobytes()


def curve_marks(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Where a setting changed, and to what. A slider on its way is one mark: only where it came to rest is said."""
    marks: list[tuple[int, dict[str, Any]]] = []
    for event in events:
        last = marks[-1] if marks else None
        if last and event.step - last[0] <= _ONE_MOVE and event.changes.keys() == last[1].keys():
            marks.pop()
        marks.append((event.step, event.changes))
    return [{"step": step, "text": ", ".join(f"{n} {say(v)}" for n, v in changes.items())} for step, changes in marks]


class Curves(anywidget.AnyWidget):
    """Loss and scores over steps, with a mark where a setting changed."""

    _esm = _HERE / "curves.js"
    _css = LOOK + (_HERE / "curves.css").read_text(encoding="utf-8")

    packet = traitlets.Bytes(b"").tag(sync=True)
    columns = traitlets.List(traitlets.Unicode(), default_value=list(COLUMNS)).tag(sync=True)
    marks: Any = traitlets.List().tag(sync=True)
    help = traitlets.Dict(default_value=HELP).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._frames: Sequence[Frame] = ()
        self._sent = 0
        self.on_msg(self._on_message)

    def show(self, frames: Sequence[Frame]) -> None:
        """Send the rows that are new; the last one again, since it may have been drawn anew."""
        first = min(self._sent, len(frames)) if frames is self._frames else 0
        self._frames, self._sent = frames, max(0, len(frames) - 1)
        self.packet = encode_rows(frames, first)

    def _on_message(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("need") == "all":
            self.packet = encode_rows(self._frames, 0)
