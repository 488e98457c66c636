"""The exercises of each lesson: `lesson_00.py` holds those whose names begin with "00."."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.course.exercise import Exercise


def lessons() -> list[str]:
    """The numbers of the lessons that have exercises, in order."""
    return sorted(path.stem.removeprefix("lesson_") for path in Path(__file__).parent.glob("lesson_*.py"))


def of_lesson(lesson: str) -> dict[str, Exercise]:
    """A lesson's exercises by name, in the order of the lesson. Errors: ValueError if it has none."""
    check_choice("lesson", lesson, lessons())
    listed: list[Exercise] = import_module(f"taskembed_edu.course.exercises.lesson_{lesson}").EXERCISES
    return {exercise.name: exercise for exercise in listed}


def named(name: str) -> Exercise:
    """The exercise of this name: a lesson's number, a dot and a word. Errors: ValueError with the nearest name."""
    if not isinstance(name, str) or "." not in name:
        came = name if isinstance(name, str) else type(name).__name__
        raise ValueError(problem("name", repr(came), "a lesson's number, a dot and a word, like '00.opposite_waves'"))
    known = of_lesson(name.partition(".")[0])
    return known[check_choice("name", name, known)]
