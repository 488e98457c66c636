"""`taskembed lesson --afresh 02`: begin a lesson again, and keep the old copy under another name.

Without an option it lists the lessons and shows which of them the learner has changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from taskembed_edu.base.files import reason
from taskembed_edu.commands.checkout import MY_LESSONS, NO_CHECKOUT, find_checkout
from taskembed_edu.commands.my_lessons import LEARNERS, LECTURER, LECTURERS, Copies, published_lessons, start_afresh
from taskembed_edu.commands.notebook_contents import BrokenNotebookError, copied

EXAMPLES = """for example:
  python -m taskembed_edu lesson                 which lessons there are
  python -m taskembed_edu lesson --afresh 02     begin lesson 02 again; the old copy is kept beside it
"""


def main(argv: Sequence[str]) -> int:
    """List the lessons, or start one afresh. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="taskembed lesson",
        description=f"Your own copy of the lessons, in {MY_LESSONS}/.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--afresh", metavar="LESSON", help="begin it again, by its number or name; keeps the old copy")
    parser.add_argument(LECTURER, action="store_true", help=f"of the lecturer's copies, in {LECTURERS.folder}/")
    options = parser.parse_args(argv)
    copies = LECTURERS if options.lecturer else LEARNERS
    checkout = find_checkout()
    if checkout is None:
        print(NO_CHECKOUT, file=sys.stderr)
        return 1
    try:
        lines = list_lessons(checkout, copies) if options.afresh is None else afresh(checkout, options.afresh, copies)
    except OSError as error:
        print(f"taskembed lesson: {reason(error)}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"taskembed lesson: {error}", file=sys.stderr)
        return 1
    print(*lines, sep="\n")
    return 0


def afresh(checkout: Path, name: str, copies: Copies = LEARNERS) -> list[str]:
    """Begin the lesson of this name or number again. Returns what was done. ValueError if there is no such lesson."""
    return start_afresh(checkout, find_lesson(published_lessons(checkout), name), date.today(), copies)


def find_lesson(lessons: Sequence[Path], name: str) -> Path:
    """The lesson of this number, name or path. Errors: ValueError that names the nearest one if there is none.

    >>> find_lesson([Path("00_start_here.ipynb"), Path("01_distances.ipynb")], "1").name
    '01_distances.ipynb'
    """
    by_name = {lesson.stem: lesson for lesson in lessons}
    by_number = {int(stem.split("_")[0]): lesson for stem, lesson in by_name.items() if stem[:1].isdigit()}
    if name.isdecimal() and int(name) in by_number:
        return by_number[int(name)]
    from taskembed_edu.base.checks import check_choice  # it needs torch

    asked = name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".ipynb")
    return by_name[check_choice("lesson", asked, by_name)]


def list_lessons(checkout: Path, copies: Copies = LEARNERS) -> list[str]:
    """The folder, and each lesson with its state."""
    folder = checkout / copies.folder
    states = {lesson.stem: _state(lesson, folder / lesson.name, copies) for lesson in published_lessons(checkout)}
    width = max(map(len, states), default=0)
    return [f"Your copy of the lessons: {folder}", *(f"  {name:{width}}  {state}" for name, state in states.items())]


def _state(published: Path, mine: Path, copies: Copies) -> str:
    which = f" {LECTURER}" if copies is LECTURERS else ""
    if not mine.exists():
        return f"not copied yet: `python -m taskembed_edu lab{which}` does it"
    try:
        return (
            "as published"
            if copied(mine).contents == copies.make(published)[1].contents
            else "holds what you did in it"
        )
    except BrokenNotebookError:
        return f"cannot be read; to begin it again: --afresh {mine.stem}{which}"
