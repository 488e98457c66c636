"""One command for the lessons: sync with their text, execute, clean. `make notebooks` calls it.

    python tools/notebooks.py                 # all lessons
    python tools/notebooks.py 01 02           # those whose names start so
    python tools/notebooks.py --check         # do text and notebook agree, is each clean? Runs and writes nothing

A lesson is two files with one source. `notebooks/text/NAME.py` (jupytext's percent format) is the side to read, to
review and to edit; `notebooks/NAME.ipynb` is what a learner opens, with its outputs. Either may be edited: as with
`jupytext --sync`, where their sources differ the file that was changed last wins. Outputs are never carried over from
an older source: every lesson is executed from top to bottom in a fresh kernel, and written if it has no problem.

Each cell's place on the deck of slides is derived from the headings (`tools/slides.py`).

What is cleaned away is what differs between two runs or two machines, or cannot be shown without a kernel: widget
views and state, times, the Python version, random cell ids. A second run changes no byte unless an output changed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext  # type: ignore[import-untyped]
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from taskembed_edu.course import editions
from tools import hygiene, slides
from tools.small_pictures import with_small_pictures

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
LONGEST_SECONDS = 45.0
CELL_SECONDS = 120

# OpenMP's threads spin while they wait for one another. Where another program holds a core, that made training 30 times
# slower (2 cores, 60 steps: 27 s, against 1 s when waiting threads sleep).
PATIENT_THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}

# A line of progress depends on the clock: it would be kept here, and missing where a faster machine runs the lesson.
NO_PROGRESS = {"TASKEMBED_PROGRESS": "off"}

ANSI = re.compile(r"\x1b\[[0-9;]*m")

# No header in the text side: all metadata that a lesson may have is the same for all lessons.
TEXT_FORMAT = {
    "extension": ".py",
    "format_name": "percent",
    "notebook_metadata_filter": "-all",
    "cell_metadata_filter": "tags,jupyter,-all",
}
KEPT_CELL_METADATA = ("tags", "jupyter")


@dataclass(frozen=True)
class Lesson:
    """The two files of one lesson."""

    name: str
    folder: Path

    @property
    def notebook(self) -> Path:
        """What a learner opens."""
        return self.folder / f"{self.name}.ipynb"

    @property
    def text(self) -> Path:
        """What an author edits."""
        return self.folder / "text" / f"{self.name}.py"


def lessons(folder: Path = NOTEBOOKS, prefixes: Sequence[str] = ()) -> list[Lesson]:
    """The lessons of a folder whose names start with one of `prefixes` (default: all), in order."""
    names = {path.stem for path in [*folder.glob("*.ipynb"), *folder.glob("text/*.py")]}
    unknown = [prefix for prefix in prefixes if not any(name.startswith(prefix) for name in names)]
    if unknown:
        raise ValueError(f"lesson: got {', '.join(unknown)}, expected the start of one of {', '.join(sorted(names))}.")
    return [Lesson(name, folder) for name in sorted(names) if name.startswith(tuple(prefixes) or "")]


# -- sync -----------------------------------------------------------------------------------------------------------


def read_text(lesson: Lesson) -> NotebookNode:
    """The text side as a notebook without outputs, each section's heading at the top of a cell."""
    return slides.in_sections(jupytext.read(lesson.text, fmt=TEXT_FORMAT))


def read_notebook(lesson: Lesson) -> NotebookNode:
    """The notebook as it is on the disk."""
    return nbformat.read(lesson.notebook, as_version=4)


def source(notebook: NotebookNode) -> list[tuple[str, str, list[str]]]:
    """What the two sides must agree on: each cell's kind, text and tags."""
    return [(cell.cell_type, cell.source.strip(), list(cell.metadata.get("tags", []))) for cell in notebook.cells]


def sync(lesson: Lesson) -> NotebookNode:
    """The lesson's source as a notebook; where the notebook is the newer side, its source is written to the text."""
    if not lesson.notebook.exists():
        return read_text(lesson)
    notebook = slides.in_sections(read_notebook(lesson))
    if lesson.text.exists():
        text = read_text(lesson)
        if source(text) == source(notebook):
            return notebook
        if lesson.text.stat().st_mtime >= lesson.notebook.stat().st_mtime:
            return text
        kept = shutil.copy(lesson.text, tempfile.mkdtemp(prefix="lesson-text-"))
        print(
            f"{lesson.name}: the notebook is newer than its text and differs: its source is taken (text kept: {kept})"
        )
    lesson.text.parent.mkdir(exist_ok=True)
    jupytext.write(notebook, lesson.text, fmt=TEXT_FORMAT)
    return notebook


# -- execute --------------------------------------------------------------------------------------------------------


def execute(notebook: NotebookNode, folder: Path, cell_seconds: int = CELL_SECONDS) -> NotebookNode:
    """A copy, run from top to bottom in a fresh kernel that works in `folder`, as JupyterLab's does."""
    notebook = nbformat.from_dict(notebook)
    for cell in hygiene.code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name=hygiene.KERNEL["name"],
        resources={"metadata": {"path": str(folder)}},
        timeout=cell_seconds,
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
    )
    with tempfile.TemporaryDirectory() as apart:  # a learner's own record is neither read nor written
        record = {"TASKEMBED_COURSE_RECORD": str(Path(apart) / "record.jsonl"), "TASKEMBED_PICTURES": "on"}
        return client.execute(env={**PATIENT_THREADS, **os.environ, **NO_PROGRESS, **record, "PYTHONPATH": _path()})


def _path() -> str:
    """The kernel imports the package from this checkout."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


# -- clean ----------------------------------------------------------------------------------------------------------


def clean(notebook: NotebookNode) -> NotebookNode:
    """A copy without what differs between two runs or cannot be shown without a kernel."""
    cells = []
    seen: Counter[str] = Counter()
    for cell, slide in zip(notebook.cells, slides.slide_types(notebook), strict=True):
        kept: dict[str, Any] = {name: cell.metadata[name] for name in KEPT_CELL_METADATA if name in cell.metadata}
        if slide:
            kept["slideshow"] = {"slide_type": slide}
        fresh = nbformat.from_dict({"cell_type": cell.cell_type, "metadata": kept, "source": cell.source})
        fresh.id = _cell_id(cell, seen)
        if cell.cell_type == "code":
            fresh.execution_count = cell.execution_count
            shows = STATIC if editions.KEEPS_ITS_OUTPUT in kept.get("tags", []) else STATIC[:2]
            fresh.outputs = [_clean_output(output, shows) for output in cell.outputs if not _is_empty_still(output)]
        cells.append(fresh)
    metadata = {"kernelspec": hygiene.KERNEL, "language_info": {"name": "python"}}
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _cell_id(cell: NotebookNode, seen: Counter[str]) -> str:
    """An id made of the cell's own source, so that a new cell does not rename those below it."""
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
    seen[digest] += 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def _is_empty_still(output: NotebookNode) -> bool:
    """Whether this is the place that a lab keeps for its still picture: here no page filled it."""
    return list(output.get("data", {})) == ["image/png"]


# What a widget shows without a kernel: its repr, its HTML and, of a lab's first state, its picture.
STATIC = ("text/plain", "text/html", "image/png")


def _clean_output(output: NotebookNode, shows: Sequence[str]) -> NotebookNode:
    """An output as it is kept; of a widget, only these kinds of data."""
    output = nbformat.from_dict(output)
    if hygiene.WIDGET_VIEW in output.get("data", {}):
        output.data = {mime: output.data[mime] for mime in shows if mime in output.data}
    if "metadata" in output:
        output.metadata = {}
    return output


def serialise(notebook: NotebookNode) -> str:
    """The file's text: sorted keys, one line a source line, as nbformat writes it."""
    return nbformat.writes(notebook) + "\n"


# -- the command ----------------------------------------------------------------------------------------------------


def make(lesson: Lesson) -> list[str]:
    """Sync, execute, clean and write one lesson; what is wrong with it (then it is not written, unless merely slow)."""
    started = time.perf_counter()
    try:
        notebook = with_small_pictures(clean(execute(sync(lesson), lesson.folder)))
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        return [ANSI.sub("", str(error))]
    seconds = time.perf_counter() - started
    found = hygiene.problems(notebook)
    slow = [f"it took {seconds:.0f} s, at most {LONGEST_SECONDS:.0f} s"] if seconds > LONGEST_SECONDS else []
    if not found:
        text = serialise(notebook)
        unchanged = lesson.notebook.exists() and lesson.notebook.read_text("utf-8") == text
        if unchanged:
            lesson.notebook.touch()  # the two sides agree now: neither is to be taken for an edit of the other
        else:
            lesson.notebook.write_text(text, encoding="utf-8", newline="\n")
        print(f"{lesson.name}: {seconds:.1f} s, {len(text) / 1000:.0f} KB, {'unchanged' if unchanged else 'written'}")
    return found + slow


def check(lesson: Lesson) -> list[str]:
    """What keeps the two sides of a lesson, as they are on the disk, from being one clean lesson."""
    missing = [path for path in (lesson.text, lesson.notebook) if not path.exists()]
    if missing:
        return [f"{path.name} is missing: run `make notebooks`" for path in missing]
    notebook = read_notebook(lesson)
    found = hygiene.problems(notebook)
    if source(read_text(lesson)) != source(notebook):
        found.append("its text and its notebook differ: run `make notebooks`")
    if serialise(clean(notebook)) != lesson.notebook.read_text("utf-8"):
        found.append("it is not as the cleaner leaves it: run `make notebooks`")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """0 where every lesson is well."""
    parser = argparse.ArgumentParser(description="Sync, execute and clean the lessons.")
    parser.add_argument("lessons", nargs="*", help="names, or how they start (default: all)")
    parser.add_argument("--check", action="store_true", help="only say whether text and notebook agree and are clean")
    parser.add_argument("--folder", type=Path, default=NOTEBOOKS, help="where the lessons are (%(default)s)")
    arguments = parser.parse_args(argv)
    try:
        chosen = lessons(arguments.folder, arguments.lessons)
    except ValueError as error:
        parser.error(str(error))
    work = check if arguments.check else make
    bad = {lesson.name: found for lesson in chosen if (found := work(lesson))}
    for name, found in bad.items():
        for problem in found:
            print(f"PROBLEM in {name}: {problem}", file=sys.stderr)
    print(f"{len(chosen) - len(bad)} of {len(chosen)} lessons are well.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
