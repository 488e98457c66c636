"""The page's own code: ES modules and style sheets, each put together as one text. No build step, nothing minified.

The exported HTML takes the same text, so that what a learner sends home is what they saw.
"""

from __future__ import annotations

import functools
from pathlib import Path

from taskembed_edu.live.bundle import bundle

_HERE = Path(__file__).parent
_STYLES = ("look.css", "page/map.css", "page/panel.css")


@functools.cache
def script() -> str:
    """The modules of `page/` as one; the default export has `render({ model, el })`, which anywidget calls."""
    return bundle(_HERE / "page" / "lab.js")


@functools.cache
def style() -> str:
    """All style sheets as one."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _STYLES)
