"""How many minutes a lesson takes, counted: what it declares is held to this. `make minutes` prints the table.

    python tools/minutes.py                   # each lesson: words, lines, predictions, exercises, minutes
    python tools/minutes.py --write           # also write the minutes into the lessons' text and docs/instructor.md

Measured is only how long the cells run (`make notebooks` prints it, and lets none take more than 45 s); it counts as a
minute. The rest is an estimate. Its rates are so chosen that the five lessons of November 2026, as they then stood, add
up to 379 minutes: somebody new, reading in a second language, took 390 for them where 205 were declared. One reader is
no class: tell us yours.

Two numbers come out: the whole lesson, and its core path, which is what a lecture shows: no section that is marked
"Further", no exercises, none of the things to try.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from nbformat import NotebookNode

from taskembed_edu.course import editions

WORDS_A_MINUTE = 80
LINES_A_MINUTE = 10  # of code
MINUTES_A_PREDICTION = 1.0
MINUTES_A_LAB = 2.0  # to watch it
MINUTES_A_TRY = 3.0
MINUTES_AN_EXERCISE = 5.0
MINUTES_THE_CELLS_RUN = 1.0
ROUNDED_UP_TO = 5

PAGE = Path(__file__).resolve().parents[1] / "docs" / "instructor.md"
BEGIN, END = "<!-- minutes:start -->", "<!-- minutes:end -->"

DECLARED = re.compile(r"\*\*Time:\*\* [^.\n]*\.")
_SECTION = re.compile(r"^(?=## )", re.M)
_WORD = re.compile(r"[A-Za-z]{2,}|[\u4e00-\u9fff]+")
# Neither read from top to bottom nor part of what is learnt: addresses, and what is folded away.
_PASSED_OVER = re.compile(r"\]\([^)]*\)|<details>.*?</details>|<[^>]*>", re.S)


@dataclass
class Count:
    """What a learner does in a lesson, or in a part of it."""

    words: int = 0
    lines: int = 0
    predictions: int = 0
    labs: int = 0
    tries: int = 0
    exercises: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def minutes(self) -> int:
        """All of it in minutes, rounded up to five."""
        exact = (
            self.words / WORDS_A_MINUTE
            + self.lines / LINES_A_MINUTE
            + self.predictions * MINUTES_A_PREDICTION
            + self.labs * MINUTES_A_LAB
            + self.tries * MINUTES_A_TRY
            + self.exercises * MINUTES_AN_EXERCISE
            + MINUTES_THE_CELLS_RUN
        )
        return int(-(-exact // ROUNDED_UP_TO) * ROUNDED_UP_TO)


def sections(notebook: NotebookNode) -> Iterator[tuple[str, Count]]:
    """Each section's heading and what is in it; the opening has none. A cell of text may hold several sections."""
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield heading, _of_code(cell)
            continue
        for part in _SECTION.split(cell.source):
            if part.startswith("## "):
                heading = part.splitlines()[0].removeprefix("## ")
            yield heading, _of_text(part, heading)


def _of_text(text: str, heading: str) -> Count:
    if heading == "Sources":
        return Count()
    read = _PASSED_OVER.sub(" ", text)
    tries = len(re.findall(r"^\d\. ", read, re.M)) if "things to try" in heading else 0
    return Count(len(_WORD.findall(read)), tries=tries)


def _of_code(cell: NotebookNode) -> Count:
    source = editions.stub(cell.source)
    return Count(
        lines=sum(bool(line.strip()) for line in source.splitlines()),
        predictions=len(re.findall(r"^predict\(", source, re.M)),
        labs=int(editions.KEEPS_ITS_OUTPUT in cell.metadata.get("tags", [])),
        exercises=len(editions.exercises_in(source)),
    )


def whole(notebook: NotebookNode) -> Count:
    """What is in the whole lesson."""
    return sum((count for _heading, count in sections(notebook)), Count())


def core(notebook: NotebookNode) -> Count:
    """What is in its core path."""
    return sum((count for heading, count in sections(notebook) if is_core(heading)), Count())


def is_core(heading: str) -> bool:
    """Whether a section of this heading is shown in a lecture."""
    return not (heading.startswith(("Further", "Exercises", "Sources")) or "things to try" in heading)


def declaration(notebook: NotebookNode) -> str:
    """The sentence that a lesson's opening must hold."""
    return f"**Time:** {whole(notebook).minutes} minutes; the core path alone {core(notebook).minutes}."


def table(notebooks: Mapping[str, NotebookNode]) -> str:
    """The table of the instructor's page, in Markdown: a row for each lesson by its name, and their sum."""
    counts = {name: (whole(notebook), core(notebook)) for name, notebook in notebooks.items()}
    rows = [
        f"| `{name}` | {each.words:,} | {each.lines} | {each.predictions} | {each.exercises} | {each.minutes} "
        f"| {only.minutes} |"
        for name, (each, only) in counts.items()
    ]
    total = sum(each.minutes for each, _only in counts.values()), sum(only.minutes for _each, only in counts.values())
    head = "| lesson | words | lines of code | predictions | exercises | minutes | core path |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows, f"| all | | | | | {total[0]} | {total[1]} |"])


def with_table(page: str, shown: str) -> str:
    """The instructor's page with this table between its marks."""
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", f"{BEGIN}\n{shown}\n{END}", page, flags=re.S)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; with --write, correct what the lessons and the instructor's page declare."""
    from tools import notebooks  # it asks this module what a lesson must declare

    parser = argparse.ArgumentParser(description="How many minutes the lessons take, counted.")
    parser.add_argument(
        "--write", action="store_true", help="write the minutes into the lessons and docs/instructor.md"
    )
    arguments = parser.parse_args(argv)
    lessons = {lesson.name: lesson for lesson in notebooks.lessons()}
    read = {name: notebooks.read_text(lesson) for name, lesson in lessons.items()}
    print(table(read))
    if arguments.write:
        write(PAGE, with_table(PAGE.read_text(encoding="utf-8"), table(read)))
        for name, lesson in lessons.items():
            text = lesson.text.read_text(encoding="utf-8")
            write(lesson.text, DECLARED.sub(declaration(read[name]), text, count=1))
    return 0


def write(path: Path, text: str) -> None:
    """Write the text, unless the file holds it already: a file that was not changed keeps its time."""
    if path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
