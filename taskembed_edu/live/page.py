"""The page's own code: its ES modules bundled into one text, and its style sheets too. Nothing is minified.

The exported HTML contains the same text, so it shows what the live lab showed.
"""

from __future__ import annotations

import functools
from pathlib import Path

from taskembed_edu.live.bundle import bundle

_HERE = Path(__file__).parent
_STYLES = ("look.css", "page/map.css", "page/panel.css", "page/bench.css")


@functools.cache
def script() -> str:
    """The modules of `page/` as one module; anywidget calls `render({ model, el })` of its default export."""
    return bundle(_HERE / "page" / "lab.js")


@functools.cache
def style() -> str:
    """All style sheets as one."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _STYLES)
