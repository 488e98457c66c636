"""How a part of the course is shown: HTML where there is a page, plain text elsewhere.

The plain text is also what nbval compares, so it holds nothing that differs between two learners or two machines.
"""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """What a cell shows. `text` is the same on every machine; `page` is what this learner sees (HTML).

    In a terminal `print(shown)` gives `said`, the learner's words without HTML.
    """

    text: str
    page: str
    said: str = ""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.page}

    def __repr__(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.said or self.text


def escaped(text: object) -> str:
    """A learner's text, safe in HTML."""
    return html.escape(str(text))


def box(title: str, *parts: str, tone: str = "plain") -> str:
    """A box with a coloured edge. `tone`: "good", "bad", "open" or "plain"; the words say the same as the colour."""
    colour = {"good": "#117733", "bad": "#aa4400", "open": "#4477aa", "plain": "#777777"}[tone]
    style = f"border-left: 4px solid {colour}; padding: 4px 12px; margin: 4px 0; max-width: 46em"
    inner = "".join(
        f"<p style='margin: 4px 0'>{part}</p>" if not part.startswith("<details") else part for part in parts
    )
    return f"<div style='{style}'><p style='margin: 4px 0'><b>{title}</b></p>{inner}</div>"


def folds(*steps: tuple[str, str]) -> str:
    """Titles and HTML, each folded inside the one before, so the last is opened last. Works without a kernel."""
    inner = ""
    for title, words in reversed(steps):
        shown = f"<summary>{title}</summary><p style='margin: 4px 0'>{words}</p>{inner}"
        inner = f"<details style='margin: 4px 0'>{shown}</details>"
    return inner
