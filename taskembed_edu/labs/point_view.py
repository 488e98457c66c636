"""The channel between a point lab and its page: it sends readings and receives messages. It computes nothing."""

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
    """What the channel needs from a lab."""

    page: ClassVar[Path]

    def words(self) -> dict[str, Any]:
        """What the page receives once."""

    def readings(self) -> dict[str, Any]:
        """What the page receives with every change."""

    def hear(self, message: Mapping[str, Any]) -> None:
        """Handle one message of the page."""


class PointLabView(anywidget.AnyWidget):
    """The panel. `words` is sent once, `readings` with every change; the page sends custom messages."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    markup = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    readings = traitlets.Dict().tag(sync=True)

    def __init__(self, lab: Shown) -> None:
        self._lab = lab
        script, style, markup = _files(lab.page)
        super().__init__(_esm=script, _css=style, markup=markup, words=lab.words(), readings=lab.readings())
        self.on_msg(self._hear)

    def _hear(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        # Acknowledge even after an error: the page sends its next message only when this one is acknowledged.
        try:
            self._lab.hear(message)
        finally:
            self.send({"heard": message.get("number"), "page": message.get("page")})

    def __repr__(self) -> str:
        return repr(self._lab)


@functools.cache
def _files(page: Path) -> tuple[str, str, str]:
    """Script, styles and markup of a lab; the styles include those of all labs and those of all point labs."""
    styles = (*_STYLES, page.with_suffix(".css"))
    style = "\n".join(path.read_text(encoding="utf-8") for path in styles if path.exists())
    return bundle(page.with_suffix(".js")), style, page.with_suffix(".html").read_text(encoding="utf-8")
