"""An exercise: how an answer is judged, what each typical mistake is told, three hints, and the solution.

An answer is a number, a word, a list, a function of the learner's own, or a lab with which something was reached.
`number`, `word`, `function` and `of_lab` build the judge; the typical mistakes have sentences that answer them, and a
test asks every exercise for all of them. CONTRIBUTING.md, "Add an exercise", shows one.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from taskembed_edu.base.checks import problem
from taskembed_edu.base.settings import as_python
from taskembed_edu.course.calling import call

# A judge takes the learner's answer and gives a verdict; it never raises.
Judge = Callable[[Any], "Verdict"]


@dataclass(frozen=True)
class Verdict:
    """What an answer is: "right", "wrong", or "open" (not answered yet), and a sentence that says why.

    `measured` stands below the sentence: numbers that differ from machine to machine, so that nothing compares them.
    """

    kind: Literal["right", "wrong", "open"]
    said: str = ""
    measured: str = ""


RIGHT = Verdict("right", "Right.")


def wrong(said: str) -> Verdict:
    """An answer that is not right yet, and what is wrong with it."""
    return Verdict("wrong", said)


@dataclass(frozen=True)
class Later:
    """A right answer, or a mistaken one, that takes a while to make, such as a trained session: a test makes it."""

    make: Callable[[], Any]


@dataclass(frozen=True)
class Exercise:
    """One exercise. `mistakes` are typical wrong answers, each with words that its verdict must hold: tests ask."""

    name: str
    ask: str
    judge: Judge
    right: Any
    mistakes: Sequence[tuple[Any, str]]
    hints: tuple[str, str, str]
    solution: str

    def verdict(self, answer: Any) -> Verdict:
        """Judge an answer, whatever it is. None and `...` are no answer yet."""
        if answer is None or answer is ...:
            return Verdict("open", self.ask)
        try:
            return self.judge(answer)
        except Exception as error:  # an object of the learner's own may raise whatever one asks of it
            return wrong(f"You gave a {type(answer).__name__}, which cannot be judged ({type(error).__name__}).")


# A number as near as this share of what is right was probably rounded.
_NEARLY = 0.01

# ---- a number ------------------------------------------------------------------------------------------------------


def number(right: float, mistakes: Mapping[float, str], within: float = 1e-3, what: str = "a number") -> Judge:
    """Judges a number: right within `within`, or rounded to three digits or more; a mistake gets its own sentence.

    >>> number(math.sqrt(3), {3.0: "Take the square root."})(3.0).said
    'Take the square root.'
    """

    def judge(answer: Any) -> Verdict:
        value = as_number(answer)
        if isinstance(value, str):
            return wrong(f"{value} This exercise asks for {what}.")
        if _is(value, right, within):
            return RIGHT
        for slip, sentence in mistakes.items():
            if _is(value, slip, within):
                return wrong(sentence)
        if _is(-value, right, within):
            return wrong("Only the sign is wrong.")
        far = "too large" if value > right else "too small"
        if abs(value - right) <= _NEARLY * abs(right) and right != round(right):  # a count is not rounded
            return wrong(f"{value:.6g} is a little {far}. Was it rounded? Write more digits, or the formula itself.")
        return wrong(f"{value:.4g} is {far}.")

    return judge


def _is(value: float, known: float, within: float) -> bool:
    """Whether the value is this number, or this number rounded to three digits or more: 4.24 is sqrt(18)."""
    rounded = (float(f"{known:.{digits}g}") for digits in range(3, 7))
    return abs(value - known) <= within or any(math.isclose(value, each, rel_tol=1e-12) for each in rounded)


def as_number(answer: Any) -> float | str:
    """The answer as a finite float, or the sentence that says why it is none."""
    if callable(answer):
        return "You gave a function, not its value: call it, with brackets."
    if isinstance(as_python(answer), bool):
        return f"You gave {answer}, which is a yes or no."
    if isinstance(answer, str):
        return f"You gave the text {answer[:60]!r}: write it without quotation marks."
    try:
        value = float(answer)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return f"You gave {_described(answer)}."
    if not math.isfinite(value):
        return f"You gave {value}, which is no finite number: was something divided by 0?"
    return value


def _described(answer: Any) -> str:
    shape = getattr(answer, "shape", None)
    if shape is not None:
        return f"a {type(answer).__name__} of shape {tuple(shape)}"
    if isinstance(answer, (list, tuple, dict, set)):
        return f"a {type(answer).__name__} of {len(answer)}"
    name = type(answer).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


# ---- a word --------------------------------------------------------------------------------------------------------


def word(right: str, mistakes: Mapping[str, str]) -> Judge:
    """Judges one of several words; each other word gets its own sentence."""
    known = [right, *mistakes]

    def judge(answer: Any) -> Verdict:
        if not isinstance(answer, str):
            offered = ", ".join(repr(each) for each in sorted(known))
            return wrong(f"You gave {_described(answer)}. Write one of {offered}, with its quotation marks.")
        given = answer.strip().lower()
        if given == right:
            return RIGHT
        if given in mistakes:
            return wrong(mistakes[given])
        return wrong(f"{answer[:60]!r} is none of {', '.join(repr(each) for each in sorted(known))}.")

    return judge


# ---- a function ----------------------------------------------------------------------------------------------------

# Arguments for the learner's function; a name for them, as it would be written.
Case = tuple[Any, ...]


@dataclass(frozen=True)
class function:  # noqa: N801 - a judge, called like the functions above
    """Judges a function by its results. `mistakes`: other functions, with the sentence for whoever writes them.

    A mistake is recognised by its results: where the learner's function gives on every case what a mistaken one gives,
    its sentence is the answer. Otherwise the first case that differs is shown.
    """

    solution: Callable[..., Any]
    cases: Sequence[Case]
    mistakes: Sequence[tuple[Callable[..., Any], str]]
    within: float = 1e-5
    arguments: str = ""

    def __call__(self, answer: Any) -> Verdict:
        if not callable(answer):
            return wrong(f"You gave {_described(answer)}, not the function: write its name without brackets.")
        results = []
        for case in self.cases:
            came = call(answer, case)
            if came.trouble:
                return wrong(f"For {self._written(case)}: {came.trouble}")
            if came.value is None and self.solution(*case) is not None:
                # A stub gives None as well: then nothing has been written yet.
                return Verdict("open", f"For {self._written(case)} it returns None: is the `return` missing?")
            results.append(came.value)
        known = [self.solution(*case) for case in self.cases]
        if _agree(results, known, self.within):
            return RIGHT
        for mistaken, sentence in self.mistakes:
            if _agree(results, [mistaken(*case) for case in self.cases], self.within):
                return wrong(sentence)
        return self._first_difference(results, known)

    def _first_difference(self, results: Sequence[Any], known: Sequence[Any]) -> Verdict:
        for case, mine, right in zip(self.cases, results, known, strict=True):
            if not _agree([mine], [right], self.within):
                return wrong(f"For {self._written(case)} it gives {_shown(mine)}; right is {_shown(right)}.")
        raise AssertionError("results that agree one by one agree together")

    def _written(self, case: Case) -> str:
        values = ", ".join(_shown(value) for value in case)
        return f"({self.arguments}) = ({values})" if self.arguments else f"({values})"


def _agree(mine: Sequence[Any], right: Sequence[Any], within: float) -> bool:
    return all(_equal(one, other, within) for one, other in zip(mine, right, strict=True))


def _equal(mine: Any, right: Any, within: float) -> bool:
    """Whether two results are the same: numbers within `within`, lists entry by entry, all else exactly."""
    mine, right = _plain(mine), _plain(right)
    if isinstance(right, list):
        is_as_long = isinstance(mine, list) and len(mine) == len(right)
        return is_as_long and _agree(mine, right, within)
    if isinstance(right, bool) or right is None or isinstance(right, str):
        return type(mine) is type(right) and mine == right
    if isinstance(mine, bool) or not isinstance(mine, (numbers.Real, Decimal)):
        return False
    try:  # a fraction, a decimal, or a whole number beyond all floats
        value = float(mine)
    except OverflowError:
        return False
    return math.isfinite(value) and abs(value - right) <= within * max(1.0, abs(right))


def _plain(value: Any) -> Any:
    """Tensors and arrays as numbers and lists, tuples as lists."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _shown(value: Any) -> str:
    value = _plain(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return f"[{', '.join(_shown(each) for each in value[:8])}{', ...' if len(value) > 8 else ''}]"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# ---- a lab ---------------------------------------------------------------------------------------------------------


def of_lab(
    read: Callable[[Any], Mapping[str, float]],
    judge: Callable[[Mapping[str, float]], Verdict],
    has: Sequence[str] = ("history", "settings"),
    *,
    embedder: str = "",
    fewest: int = 0,
) -> Judge:
    """Judges an open investigation: what was reached with a lab, or with a session.

    `read` takes the session (or a lab that has none) and gives numbers by name; `judge` gives a verdict on them. An
    answer without the attributes `has` is none, nor is a session of another `embedder` than this one. With `fewest`, a
    map of fewer tasks does not count. A session is read with a frame of its last step.
    """

    def judged(answer: Any) -> Verdict:
        session = getattr(answer, "session", answer)
        if isinstance(answer, type) or not all(hasattr(session, name) for name in has):
            return wrong(f"You gave {_described(answer)}. This exercise asks for the lab itself, by its name: lab.")
        if embedder and session.embedder.name != embedder:
            other = f"{_described(answer)} of the embedder {session.embedder.name!r}"
            return wrong(f"You gave {other}. This exercise asks for the lesson's lab: its embedder is {embedder!r}.")
        if fewest and session.setup.n_tasks < fewest:
            few = f"The map shows {session.setup.n_tasks} tasks: among so few, luck is enough."
            return wrong(f"{few} Set Tasks on the map to {fewest}, press Reset, and train again.")
        return judge(read(session.with_last_step() if hasattr(session, "with_last_step") else session))

    return judged


def measured_alike(session: Any) -> bool:
    """Whether the first frame and the last were measured with one distance and as many shots."""
    first, last = session.history[0], session.history[-1]
    shots = [getattr(frame.settings, "n_shot", None) for frame in (first, last)]
    return bool(first.metric == last.metric and shots[0] == shots[1])


def made(answer: Any) -> Any:
    """An answer as it is given to a judge: one that takes a while is made now."""
    return answer.make() if isinstance(answer, Later) else answer


# ---- the rules for an exercise -------------------------------------------------------------------------------------


def check_exercise(exercise: Exercise) -> None:
    """Whether an exercise is as it must be. Errors: ValueError, if it says too little or contradicts itself."""
    if len(exercise.mistakes) < 3:
        raise ValueError(problem(f"mistakes of {exercise.name}", str(len(exercise.mistakes)), "at least three"))
    if exercise.verdict(made(exercise.right)).kind != "right":
        raise ValueError(problem(f"right of {exercise.name}", _shown(exercise.right), "an answer that is judged right"))
    for answer, said in exercise.mistakes:
        verdict = exercise.verdict(made(answer))
        if verdict.kind != "wrong" or said not in verdict.said:
            raise ValueError(problem(f"mistake of {exercise.name}", verdict.said, f"a verdict that says {said!r}"))
