"""The channel between a point lab and its page: it sends readings and receives messages. It computes nothing."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import anywidget
import traitlets

from taskembed_edu.base.checks import problem
from taskembed_edu.live.bundle import bundle

_HERE = Path(__file__).parent
_STYLES = (_HERE.parent / "live" / "look.css", _HERE / "page" / "point_lab.css")


class Shown(Protocol):
    """What the channel needs from a lab."""

    page: ClassVar[Path]

    def words(self) -> dict[str, Any]:
        """What the page receives once."""

    def readings(self, refusal: str = "") -> dict[str, Any]:
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
        _check_page(lab)
        script, style, markup = _files(lab.page)
        words = _plain(lab, "words", lab.words(), ("presets", "settings"))
        readings = _plain(lab, "readings", lab.readings(""), ("points", "settings", "can_undo"))
        super().__init__(_esm=script, _css=style, markup=markup, words=words, readings=readings)
        self.on_msg(self._hear)

    def _hear(self, _widget: Any, message: dict[str, Any], buffers: Any) -> None:
        # Acknowledge even after an error: the page sends its next message only when this one is acknowledged.
        try:
            self._lab.hear({**message, "buffers": buffers} if buffers else message)
        finally:
            self.send({"heard": message.get("number"), "page": message.get("page")})

    def __repr__(self) -> str:
        return repr(self._lab)


def _check_page(lab: Shown) -> None:
    """Raise where a lab does not say its page, or its page's markup or script is not there."""
    name = type(lab).__name__
    if not isinstance(getattr(lab, "page", None), Path):
        cause = 'Write page = Path(__file__).parent / "page" / "middle_lab".'
        raise TypeError(
            problem(f"page of {name}", repr(getattr(lab, "page", None)), "a Path without its ending", cause)
        )
    missing = [path.name for end in (".html", ".js") if not (path := lab.page.with_suffix(end)).is_file()]
    if missing:
        cause = f"They are looked for in {lab.page.parent}."
        raise ValueError(problem(f"page of {name}", f"no file {' and no '.join(missing)}", "both of them", cause))


def _plain(lab: Shown, method: str, values: Any, needed: tuple[str, ...]) -> dict[str, Any]:
    """What a lab tells its page, if it is a dict with the entries that every page reads, of what JSON can say."""
    what = f"{method} of {type(lab).__name__}"
    if not isinstance(values, dict) or (missing := [name for name in needed if name not in values]):
        came = f"no {', '.join(missing)}" if isinstance(values, dict) else f"a {type(values).__name__}"
        raise TypeError(problem(what, came, f"a dict with {', '.join(needed)}: the frame of the page reads them"))
    for name, value in values.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            cause = "A tensor becomes a list by .tolist(), one number by .item()."
            raise TypeError(problem(f"{what}, {name!r}", value, "lists, numbers and texts", cause)) from None
    return values


@functools.cache
def _files(page: Path) -> tuple[str, str, str]:
    """Script, styles and markup of a lab; the styles include those of all labs and those of all point labs."""
    styles = (*_STYLES, page.with_suffix(".css"))
    style = "\n".join(path.read_text(encoding="utf-8") for path in styles if path.exists())
    return bundle(page.with_suffix(".js")), style, page.with_suffix(".html").read_text(encoding="utf-8")
