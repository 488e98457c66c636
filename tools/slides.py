"""A lesson as a deck of slides: which cell begins a slide is derived from its headings; no author marks it by hand.

jupyterlab-slideshow reads the mark that Jupyter knows, `slideshow.slide_type` of a cell's metadata. A section (`## `)
begins a slide; below it, one goes down: what follows a prediction has a slide of its own, so that nothing gives the
answer away, and so has a lab, which needs the room. What a lecture does not show (`is_core` of `tools/minutes.py`) is
skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode

from taskembed_edu.course import editions
from tools.minutes import is_core

SLIDE, BELOW, SKIP = "slide", "subslide", "skip"

_HEADING = re.compile(r"##? (.*)")
_SECTION = re.compile(r"\n(?=## )")
_PREDICTION = re.compile(r"^predict\(", re.M)


def in_sections(notebook: NotebookNode) -> NotebookNode:
    """A copy in which each section's heading opens a cell of its own: a slide cannot begin in the middle of one."""
    cells = []
    for cell in notebook.cells:
        parts = _SECTION.split(cell.source) if cell.cell_type == "markdown" else [cell.source]
        cells += [cell] if len(parts) == 1 else [_text(part) for part in parts if part.strip()]
    return nbformat.from_dict({**notebook, "cells": cells})


def _text(source: str) -> NotebookNode:
    cell: NotebookNode = nbformat.v4.new_markdown_cell(source.strip())
    return cell


def slide_types(notebook: NotebookNode) -> Iterator[str]:
    """For each cell of a lesson in sections, what it is on the deck; "": it stands below the cell before it."""
    is_shown, is_result = True, False
    for cell in notebook.cells:
        is_text = cell.cell_type == "markdown"
        heading = _HEADING.match(cell.source) if is_text else None
        if heading:
            is_shown = is_core(heading[1])
        is_lab = editions.KEEPS_ITS_OUTPUT in cell.metadata.get("tags", [])
        below = BELOW if is_lab or is_result else ""
        yield (SLIDE if heading else below) if is_shown else SKIP
        is_result = not is_text and _PREDICTION.search(cell.source) is not None
