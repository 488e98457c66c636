"""Finds the course's folder: the one that holds pyproject.toml and the lessons.

Usually the package is installed from a clone and refers to it (an editable install). Otherwise the folder is searched
for in the current directory and in its parents.
"""

from __future__ import annotations

from pathlib import Path

LESSONS = "notebooks"
MY_LESSONS = "my_lessons"  # the learner's own copy; git ignores it
FIRST_LESSON = "00_start_here.ipynb"
PROJECT = 'name = "taskembed_edu"'

NO_CHECKOUT = (
    "The lessons are not here. Get the project's folder (a clone, or its archive unpacked), change into it and "
    "run this again: the folder holds pyproject.toml and notebooks/."
)


def find_checkout(start: Path | None = None, package: Path | None = None) -> Path | None:
    """The course's folder: the one that `package` lies in, else `start` or the nearest folder above it; else None."""
    package = package or Path(__file__).resolve().parents[1]
    start = (start or Path.cwd()).resolve()
    return next(filter(is_checkout, [package.parent, start, *start.parents]), None)


def is_checkout(folder: Path) -> bool:
    """Whether the folder holds the project."""
    pyproject = folder / "pyproject.toml"
    return pyproject.is_file() and (folder / LESSONS).is_dir() and PROJECT in pyproject.read_text(encoding="utf-8")
