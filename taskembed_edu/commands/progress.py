"""`taskembed progress`: what you predicted and solved; `--export FILE` writes it, `--delete` deletes it.

The record is one file on this computer, and nothing of it is sent anywhere.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from filelock import Timeout
from rich.console import Console
from rich.table import Table

from taskembed_edu.base.files import reason, write_whole
from taskembed_edu.course.record import CHECKED, HINT, OUTCOME, PREDICTED, CourseRecord, Entry, mine

EXAMPLES = """for example:
  taskembed progress                       predictions and exercises, lesson by lesson
  taskembed progress --export mine.csv     every line of the record, as a table
  taskembed progress --delete              delete the whole record
  taskembed progress --delete 02           delete what was recorded of lesson 02
"""

ALL = "all lessons"


def main(argv: Sequence[str]) -> int:
    """Show, export or delete the record. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="taskembed progress",
        description="What you predicted and solved. It is kept on this computer only.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--export", metavar="FILE", type=Path, help="write every line of the record as a CSV file")
    what.add_argument(
        "--delete", metavar="LESSON", nargs="?", const=ALL, help="delete the record, or one lesson's part of it"
    )
    options = parser.parse_args(argv)
    record = mine()
    try:
        if options.export is not None:
            print(_export(record, options.export))
        elif options.delete is not None:
            print(_delete(record, options.delete))
        else:
            _show(record)
    except OSError as error:
        print(f"taskembed progress: {reason(error)}", file=sys.stderr)
        return 1
    except Timeout:
        print(f"taskembed progress: {record.path} is in use by another program. Try again.", file=sys.stderr)
        return 1
    return 0


def _show(record: CourseRecord) -> None:
    entries, console = record.entries(), Console()
    if not entries:
        console.print("Nothing is recorded yet: lessons add what you predict and what you solve.")
    else:
        console.print(table_of(entries))
    console.print(f"The record: {record.path}", highlight=False, soft_wrap=True)
    if record.trouble:
        console.print(record.trouble, highlight=False, soft_wrap=True)


def table_of(entries: Sequence[Entry]) -> Table:
    """One row a lesson: predictions made, came true, surprises; exercises solved and tried; hints read."""
    table = Table(
        "lesson", "predicted", "came true", "surprises", "solved", "tried", "hints", title="Your course so far"
    )
    for lesson in sorted({entry.lesson for entry in entries}):
        of = [entry for entry in entries if entry.lesson == lesson]
        outcomes = {entry.name: entry.right for entry in of if entry.what == OUTCOME}
        tried = {entry.name for entry in of if entry.what == CHECKED}
        solved = {entry.name for entry in of if entry.what == CHECKED and entry.value is True}
        counts = (
            len({entry.name for entry in of if entry.what == PREDICTED}),
            sum(right is True for right in outcomes.values()),
            sum(right is False for right in outcomes.values()),
            len(solved),
            len(tried),
            len({(entry.name, str(entry.value)) for entry in of if entry.what == HINT}),
        )
        table.add_row(lesson, *map(str, counts))
    return table


def _export(record: CourseRecord, path: Path) -> str:
    """Write all lines as CSV, whole or not at all. Returns what was done. Errors: OSError."""
    if path.resolve() == record.path.resolve():
        raise OSError(f"{path} is the record itself: a table would take its place. Give the table another name.")
    entries = record.entries()
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Entry)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(entry) for entry in entries)
    write_whole(path, text.getvalue().encode(errors="backslashreplace"))
    return f"{len(entries)} lines were written to {path}." + (f"\n{record.trouble}" if record.trouble else "")


def _delete(record: CourseRecord, lesson: str) -> str:
    """Delete all, or one lesson's lines. Returns what was done."""
    gone = record.delete(None if lesson == ALL else lesson.zfill(2))
    return f"{gone} lines were deleted." if gone else f"Nothing of {lesson} is recorded, so nothing was deleted."
