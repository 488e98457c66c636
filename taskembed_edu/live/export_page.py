"""The exported file around the recorded document: markup, the page's code, and how each run was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.metadata import version
from typing import Any

from taskembed_edu.base.wording import say
from taskembed_edu.figures.captions import caption
from taskembed_edu.live import page
from taskembed_edu.live.packing import packed
from taskembed_edu.session.session import Session
from taskembed_edu.session.side_by_side import run_names

# The page may load nothing from outside the file, whatever the file contains.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def html_file(document: dict[str, Any], sessions: Sequence[Session], title: str) -> bytes:
    """The file: the page's own code, the packed document, and how it was made."""
    data = as_json(packed(document))
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<meta name="generator" content="taskembed_edu {version("taskembed_edu")}">
<meta name="description" content="{escape(" | ".join(caption(each, each.frame) for each in sessions))}">
<style>
{page.style()}
{_PAGE_STYLE}</style>
</head>
<body class="te-exported">
<main id="te-root"></main>
<noscript>This page draws its map with JavaScript, which is turned off.</noscript>
{_how_it_was_made(sessions)}
<script type="application/json" id="te-recorded">{data}</script>
<script type="module">
{page.script()}
{_OPEN}</script>
</body>
</html>
"""
    return text.encode()


_PAGE_STYLE = """\
body.te-exported { margin: 0 auto; padding: 12px; max-width: 1400px; font-family: system-ui, sans-serif; }
.te-made { margin-top: 16px; }
.te-made pre { overflow-x: auto; }
.te-made th { text-align: left; padding-right: 16px; font-weight: normal; }
"""

_OPEN = """\
await renderRecording(document.getElementById("te-recorded").textContent, document.getElementById("te-root"));
"""


def _how_it_was_made(sessions: Sequence[Session]) -> str:
    """Settings, version and code of every run, readable without any script."""
    names = run_names(sessions) if len(sessions) > 1 else ("",)
    parts = [_made(session, name) for session, name in zip(sessions, names, strict=True)]
    made = f"taskembed_edu {version('taskembed_edu')}"
    return f'<details class="te-made">\n<summary>How this was made ({made})</summary>\n{"".join(parts)}</details>'


def _made(session: Session, name: str) -> str:
    values = session.values()
    rows = "".join(
        f"<tr><th scope='row'>{escape(declared.label)}</th><td>{escape(say(declared, values[setting]))}</td></tr>\n"
        for setting, declared in session.declared().items()
        if not declared.hidden
    )
    heading = f"<h2>{name}</h2>\n" if name else ""
    caption = f"<caption>Settings at step {session.steps}</caption>"
    return f"{heading}<pre><code>{escape(session.code())}</code></pre>\n<table>{caption}\n{rows}</table>\n"


def as_json(value: Any) -> str:
    # Only "<" could end the script element early; JSON can write it as an escape.
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
