"""The channel between a lab with points and its page: readings go out, messages come in. It computes nothing."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import anywidget
import traitlets

from taskembed_edu.live.bundle import bundle

_HERE = Path(__file__).parent
_STYLES = (_HERE.parent / "live" / "look.css", _HERE / "page" / "point_lab.css")


class Shown(Protocol):
    """What the channel needs of a lab."""

    script: ClassVar[Path]
    style: ClassVar[Path]

    def words(self) -> dict[str, Any]:
        """What the page is told once."""

    def readings(self) -> dict[str, Any]:
        """What it is told with every change."""

    def hear(self, message: Mapping[str, Any]) -> None:
        """One message of the page."""


class PointLabView(anywidget.AnyWidget):
    """The panel. `words` is said once, `readings` follows the lab; custom messages carry what the page asks for."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    readings = traitlets.Dict().tag(sync=True)

    def __init__(self, lab: Shown) -> None:
        self._lab = lab
        script, style = _bundled(lab.script), _joined(lab.style)
        super().__init__(_esm=script, _css=style, words=lab.words(), readings=lab.readings())
        self.on_msg(self._hear)

    def _hear(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        # Answered whatever happens: the page sends its next message only when it hears that this one arrived.
        try:
            self._lab.hear(message)
        finally:
            self.send({"heard": message.get("number"), "page": message.get("page")})

    def __repr__(self) -> str:
        return repr(self._lab)


@functools.cache
def _bundled(script: Path) -> str:
    return bundle(script)


@functools.cache
def _joined(style: Path) -> str:
    """What every lab looks like, what those with points share, and the lab's own."""
    return "\n".join(path.read_text(encoding="utf-8") for path in (*_STYLES, style))
