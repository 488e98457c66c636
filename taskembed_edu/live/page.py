"""The page's own code: plain scripts and style sheets, put together in order. No build step, nothing minified.

The scripts share one scope, as they would in one file; the last one exports what anywidget calls. The exported HTML
takes the same text, so that what a learner sends home is what they saw.
"""

from __future__ import annotations

import functools
from pathlib import Path

_HERE = Path(__file__).parent
_SCRIPTS = (
    "base",
    "shapes",
    "packets",
    "viewport",
    "card",
    "glide",
    "map",
    "tools",
    "painting",
    "trails",
    "labels",
    "scale_bar",
    "details",
    "pointing",
    "lasso",
    "legend",
    "curves",
    "timeline",
    "controls",
    "transport",
    "dialogs",
    "readings",
    "recorded",
    "lab",
)
_STYLES = ("look.css", "page/map.css", "page/panel.css")


@functools.cache
def script() -> str:
    """All scripts as one module; its default export has `render({ model, el })`."""
    return "\n".join((_HERE / "page" / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)


@functools.cache
def style() -> str:
    """All style sheets as one."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _STYLES)
