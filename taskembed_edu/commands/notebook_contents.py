"""What is in a notebook file: its edition, a fingerprint of all that a learner can change, and the learner's edition.

Nothing here imports torch: `taskembed lab` must start quickly.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskembed_edu.commands.checkout import LESSONS
from taskembed_edu.course.editions import joined, learner_edition

# The cell metadata that JupyterLab writes by itself. All other metadata, such as tags, are the learner's.
_WRITTEN_BY_JUPYTERLAB = {"collapsed", "execution", "scrolled", "trusted"}

# The `language_info` of a published lesson; an editor that saves a lesson adds the version and more.
_PUBLISHED_LANGUAGE = {"name": "python"}


class BrokenNotebookError(ValueError):
    """A file that is not a valid notebook: a save was interrupted, or a merge was not finished."""


@dataclass(frozen=True)
class Copied:
    """A copy at the time it was made: its edition ("" if unknown), and a fingerprint of all its cells."""

    edition: str
    contents: str


def learners(published: Path) -> tuple[bytes, Copied]:
    """The learner's edition of a published lesson, as a file's bytes, and what is in it.

    A lesson that was changed by hand and saved holds somebody's work: it is given as it is.
    """
    as_it_is = read_notebook(published)
    if not contents_of(as_it_is).edition:
        return published.read_bytes(), contents_of(as_it_is)
    edition = learner_edition(as_it_is)
    return (json.dumps(edition, indent=1, ensure_ascii=False) + "\n").encode(), contents_of(edition)


def lecturers(published: Path) -> tuple[bytes, Copied]:
    """The lecturer's edition, with solutions and outputs: the published lesson as it is."""
    return published.read_bytes(), contents_of(read_notebook(published))


def copied(path: Path) -> Copied:
    """What is in this file."""
    return contents_of(read_notebook(path))


def contents_of(notebook: dict[str, Any]) -> Copied:
    """The notebook's edition, and the fingerprint of everything in its cells.

    A lesson that an editor has saved may contain a learner's work. Its edition is "", so that no copy of it ever counts
    as unchanged.
    """
    is_published = notebook.get("metadata", {}).get("language_info") == _PUBLISHED_LANGUAGE
    edition = sources(notebook["cells"]) if is_published else ""
    return Copied(edition, fingerprint([_made(cell) for cell in notebook["cells"]]))


def sources(cells: list[dict[str, Any]]) -> str:
    """The fingerprint of code and text, which identifies an edition. Outputs do not count: they differ between runs."""
    return fingerprint([(cell["cell_type"], joined(cell["source"])) for cell in cells])


def _made(cell: dict[str, Any]) -> list[Any]:
    """All parts of a cell that a learner can change: its text, outputs, pasted pictures and tags."""
    metadata = {name: value for name, value in cell.get("metadata", {}).items() if name not in _WRITTEN_BY_JUPYTERLAB}
    outputs = [
        {name: joined(value) for name, value in output.items() if name != "execution_count"}
        | {"data": {mime: joined(value) for mime, value in output.get("data", {}).items()}}
        for output in cell.get("outputs", [])
    ]
    return [cell["cell_type"], joined(cell["source"]), outputs, cell.get("attachments", {}), metadata]


def fingerprint(value: Any) -> str:
    """A short hash of a JSON value: equal values have equal hashes."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook's JSON. Errors: BrokenNotebookError, with what to do, if it is not a valid notebook."""
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            _made(cell)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        words = f"{path.stem}: {path} is no notebook that can be read. {_remedy(path)}"
        raise BrokenNotebookError(words) from error
    return notebook


def _remedy(path: Path) -> str:
    if path.parent.name == LESSONS:
        return f"Get the project's own one back: git checkout {LESSONS}/{path.name}"
    checkpoint = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint.ipynb"
    earlier = f" JupyterLab's own earlier save of it: {checkpoint}." if checkpoint.exists() else ""
    afresh = f"python -m taskembed_edu lesson --afresh {path.stem}"
    return f"A save that was cut off is the usual cause. To begin again, and keep this file too: {afresh}.{earlier}"
