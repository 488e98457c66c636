"""What a lesson calls for an exercise: `check(name, answer)`, and `hint(name)`."""

from __future__ import annotations

from typing import Any

from taskembed_edu.base.checks import check_whole
from taskembed_edu.course import exercises, record
from taskembed_edu.course.exercise import Exercise
from taskembed_edu.course.shown import Shown, box, escaped, folds

_TITLES = {"right": "Right.", "wrong": "Not yet.", "open": "Your turn."}
_TONES = {"right": "good", "wrong": "bad", "open": "open"}


def check(name: str, answer: Any) -> Shown:
    """Judge the answer to an exercise, and say what is wrong with it; end the cell with it.

    None or `...` is no answer yet. Whatever the answer is, nothing is raised: an error in a function is part of what is
    said. Below an answer that is not right, hints are folded, and the solution after them. Errors: ValueError if there
    is no exercise of this name.
    """
    exercise = exercises.named(name)
    verdict = exercise.verdict(answer)
    kept = record.mine()
    if verdict.kind != "open":
        kept.add(record.CHECKED, name, verdict.kind == "right")
    said = verdict.said if verdict.said != _TITLES[verdict.kind] else ""
    help_ = folds(*_steps(exercise)) if verdict.kind != "right" else ""
    parts = [part for part in (escaped(said), escaped(verdict.measured), help_, escaped(kept.trouble)) if part]
    page = box(_TITLES[verdict.kind], *parts, tone=_TONES[verdict.kind])
    words = f"{_TITLES[verdict.kind]} {said}".rstrip()
    return Shown(f"{name}: {words}", page, f"{words} {verdict.measured}".rstrip())


def hint(name: str, number: int | None = None) -> Shown:
    """The next hint of an exercise: the first, the second, the third, then the solution; end the cell with it.

    With `number`, that hint (1 to 3; 4 is the solution). Errors: ValueError for another number, or another name.
    """
    exercise = exercises.named(name)
    steps, kept = _steps(exercise), record.mine()
    read = [entry.value for entry in kept.of(name, record.HINT) if isinstance(entry.value, int)]
    given = 1 + max(read, default=0)
    number = min(given, len(steps)) if number is None else int(check_whole("number", number, 1, len(steps)))
    kept.add(record.HINT, name, number)
    title, words = steps[number - 1]
    asked = f"{kept.trouble} Ask for the next one by its number: hint({name!r}, {number + 1})." if kept.trouble else ""
    parts = [words, *([escaped(asked)] if asked else [])]
    return Shown(f"{name}, {title.lower()}.", box(title, *parts, tone="open"), f"{title}: {words} {asked}".rstrip())


def _steps(exercise: Exercise) -> list[tuple[str, str]]:
    """The hints and the solution, as titles and HTML."""
    hints = [(f"Hint {number}", escaped(words)) for number, words in enumerate(exercise.hints, 1)]
    return [*hints, ("Solution", escaped(exercise.solution).replace("\n", "<br>"))]
