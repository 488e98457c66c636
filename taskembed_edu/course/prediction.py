"""Predict, then look: a guess is kept before the run, and stands beside the result after it.

    predict("00.first_score", "Which score is near 0 before training?", ["recall@1", "Spearman", "both"])
    ...
    outcome("00.first_score", "recall@1")

A guess is one click, or a number. It may be changed until the result is shown; after that it stays as it was. Nothing
waits for a guess, so a lesson also runs from top to bottom without one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from taskembed_edu.base.checks import check_choice, check_number, problem
from taskembed_edu.base.settings import as_python
from taskembed_edu.course import record
from taskembed_edu.course.shown import Shown, box, escaped

if TYPE_CHECKING:
    from taskembed_edu.course.question_view import QuestionView

Guess = str | float

_NAME = re.compile(r"[0-9]{2}\.[a-z][a-z0-9_]*")

# The predictions of this kernel, by name: `outcome` shows the guess that belongs to its name.
_ASKED: dict[str, Prediction] = {}


class Prediction:
    """A question with a place for a guess. Shown in a notebook it is a widget; elsewhere, its question as text."""

    def __init__(self, name: str, question: str, choices: Sequence[str] = (), unit: str = "") -> None:
        self.name, self.question, self.choices, self.unit = name, question, tuple(map(str, choices)), unit
        self._record = record.mine()
        self._view: QuestionView | None = None
        self.result: Guess | None = None
        self.guess: Guess | None = None
        for entry in self._record.entries():
            if entry.name == name and entry.what == record.PREDICTED and not self.is_closed:
                self.guess = self._valid(entry.value)  # a later one was made in a notebook that had not seen the result
            elif entry.name == name and entry.what == record.OUTCOME and self.guess is not None:
                self.result = self._valid(entry.value)

    @property
    def is_closed(self) -> bool:
        """Whether its result has been shown: the guess then stays as it was."""
        return self.result is not None

    def predict(self, guess: Guess) -> str:
        """Keep this guess, and return a sentence about it. After the result has been shown, the first guess stays.

        Errors: ValueError if it is none of the choices, or no finite number.
        """
        guess = as_python(guess)
        if self.choices:
            guess = check_choice("guess", str(guess), self.choices)
        else:
            number = check_number("guess", guess, None, None, "Type a number, for example 0.5.")  # type: ignore[arg-type]
            guess = float(number)
        if self.is_closed:
            return self._stays(guess)
        if guess != self.guess or self._record.trouble:  # one that could not be recorded is tried again
            self.guess = guess
            self._record.add(record.PREDICTED, self.name, guess)
        return self._record.trouble or f"Your prediction: {self.said(guess)}. It is kept; run the next cell."

    def _stays(self, guess: Guess) -> str:
        if self.guess is None:
            late = "The result has been shown: a prediction made now would not be one."
            return f"{late} In a new kernel you are asked again."
        if guess == self.guess:
            return self.state()
        return f"The result has been shown, so your prediction stays as it was: {self.said(self.guess)}."

    def close(self, result: Guess, right: bool | None) -> None:
        """Show the result: from now on the guess stays.

        Without a guess nothing is recorded: whoever ran all cells first may still predict in the next kernel.
        """
        if not self.is_closed and self.guess is not None:
            self._record.add(record.OUTCOME, self.name, result, right)
        self.result = result
        if self._view is not None:
            self._view.show()

    def state(self) -> str:
        """What the line below the choices says when nothing was just clicked."""
        if self.guess is None:
            return "You made no prediction." if self.is_closed else "Choose before you run the next cell."
        if self.is_closed:
            return f"You predicted {self.said(self.guess)}. The result: {self.said(self.result)}."
        return f"Your prediction: {self.said(self.guess)}. It is kept; run the next cell."

    def said(self, value: Guess | None) -> str:
        """A guess or a result as text, with its unit."""
        if isinstance(value, str) or value is None:
            return str(value)
        return f"{value:.4g}{f' {self.unit}' if self.unit else ''}"

    def is_right(self, guess: Guess | None, result: Guess, within: float) -> bool | None:
        """Whether a guess agrees with the result; None where there is no guess."""
        if guess is None:
            return None
        if self.choices:
            return guess == result
        return abs(float(guess) - float(result)) <= within * max(abs(float(result)), 1e-12)

    def _valid(self, value: Any) -> Guess | None:
        """A guess that the record holds; None where the lesson has changed and no longer offers it."""
        if self.choices:
            return value if value in self.choices else None
        try:
            return value if isinstance(value, (int, float)) and math.isfinite(value) else None
        except OverflowError:  # a line of the record that was edited: a number beyond all floats
            return None

    # how it is shown

    @property
    def widget(self) -> QuestionView:
        """The question on the page, made when it is first shown."""
        if self._view is None:
            from taskembed_edu.course.question_view import QuestionView  # a script needs no widget

            self._view = QuestionView(self)
        return self._view

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        data, *metadata = _pair(self.widget._repr_mimebundle_(include=include, exclude=exclude))
        data = {**data, "text/plain": repr(self), "text/html": self._static()}
        return (data, *metadata) if metadata else data

    def _static(self) -> str:
        """The question on a page without a kernel."""
        offered = " &nbsp; ".join(f"&#9675; {escaped(choice)}" for choice in self.choices) or "A number."
        return box(f"Predict: {escaped(self.question)}", offered, tone="open")

    def __repr__(self) -> str:
        offered = " | ".join(self.choices) if self.choices else f"a number{f' ({self.unit})' if self.unit else ''}"
        return f"Predict: {self.question} [{offered}]"


def _pair(bundle: Any) -> tuple[Any, ...]:
    return bundle if isinstance(bundle, tuple) else (bundle,)


def predict(name: str, question: str, choices: Sequence[str] = (), *, unit: str = "") -> Prediction:
    """A question with one click, or with a number where there are no `choices`; end the cell with it.

    `name` is the lesson's number, a dot and a word: "00.first_score". A guess that was made before is shown again.
    Errors: ValueError for another form of name, or for fewer than two choices.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(problem("name", repr(name), "a lesson's number, a dot and a word, like '00.first_score'"))
    if isinstance(choices, str) or len(choices) == 1 or len(set(choices)) < len(choices):
        raise ValueError(problem("choices", repr(choices), "two or more different answers, or none for a number"))
    before, asked = _ASKED.get(name), Prediction(name, question, choices, unit)
    if before is not None and before.is_closed and before.choices == asked.choices:
        asked.result = before.result  # the cell was run again in this kernel, and the result is on the screen
    _ASKED[name] = asked
    return asked


def outcome(name: str, result: Guess | Mapping[str, bool], why: str = "", *, within: float = 0.1) -> Shown:
    """Show what happened beside what was predicted; end the cell with it. `why` is one sentence.

    The result is a choice, a number, or what was found of each choice: {"recall@1": low < 0.1, "Spearman": high < 0.1}.
    Of two that are true it is "both", of none "neither", if these were offered. A number that was guessed counts as
    right within this share of the result. Without a guess, it only says what happened: a lesson never waits. A result
    that was not foreseen (a run that diverged, say) is said, and leaves the prediction open. Errors: ValueError if a
    choice is given that the prediction does not offer.
    """
    found, asked = isinstance(result, Mapping), _ASKED.get(name)
    # Numbers of numpy and torch become Python's: the record is JSON.
    result = _found(result) if isinstance(result, Mapping) else as_python(result)
    if asked is None:
        said = (
            f"Nothing was predicted as {name!r} in this kernel: run the cell above that asks. What happened: {result}."
        )
        return Shown(_compared(name, str(result), why), box("What happened", escaped(said), escaped(why)), said)
    if (found and result not in asked.choices) or (not asked.choices and _is_no_number(result)):
        said = f"This was not foreseen: {result}. Was a setting changed, or did a run diverge? Run the lesson afresh."
        return Shown(f"Outcome of {name}: not foreseen.", box("What happened", escaped(said), tone="bad"), said)
    if asked.choices:
        result = check_choice("result", str(result), asked.choices)
    else:
        result = float(check_number("result", result, None, None, "The question asks for a number."))  # type: ignore[arg-type]
    right = asked.is_right(asked.guess, result, within)
    asked.close(result, right)
    happened = asked.said(result)
    title, tone = _TITLES[right]
    guessed = "no guess" if asked.guess is None else asked.said(asked.guess)
    said = f"{title} You predicted: {guessed}. What happened: {happened}. {why}".rstrip()
    row = f"You predicted: <b>{escaped(guessed)}</b>. What happened: <b>{escaped(happened)}</b>."
    return Shown(
        _compared(name, happened if asked.choices else "", why), box(title, row, escaped(why), tone=tone), said
    )


def _is_no_number(result: Any) -> bool:
    return isinstance(result, float) and not math.isfinite(result)


def _found(of_each: Mapping[str, bool]) -> str:
    """The choice that is true, or "both" or "neither"."""
    true = [choice for choice, found in of_each.items() if found]
    return true[0] if len(true) == 1 else "both" if true else "neither"


_TITLES: dict[bool | None, tuple[str, str]] = {
    True: ("As you predicted.", "good"),
    False: ("A surprise: remember this one.", "bad"),
    None: ("What happened.", "plain"),
}


def _compared(name: str, happened: str, why: str) -> str:
    """What nbval compares. A measured number is not in it: machines differ in its last digits."""
    return " ".join(part for part in (f"Outcome of {name}.", happened and f"{happened}.", why) if part)


def tally(lesson: str) -> Shown:
    """How many of a lesson's predictions came true, and which exercises are solved: the last cell of a lesson.

    Counted are the questions that were asked in this kernel: an earlier edition of the lesson may have had others.
    """
    asked = {name: prediction.question for name, prediction in _ASKED.items() if name.partition(".")[0] == lesson}
    entries = [entry for entry in record.mine().entries() if entry.lesson == lesson]
    outcomes = {entry.name: entry.right for entry in entries if entry.what == record.OUTCOME and entry.name in asked}
    surprises = [asked[name] for name, right in outcomes.items() if right is False]
    right = sum(each is True for each in outcomes.values())
    solved = {entry.name for entry in entries if entry.what == record.CHECKED and entry.value is True}
    said = f"Predictions that came true: {right}. Surprises: {len(surprises)}. Exercises solved: {len(solved)}."
    more = f"Surprising was: {' / '.join(surprises)}" if surprises else ""
    where = (
        "Kept on this computer only. In a cell, !taskembed progress shows it; --export and --delete go on from there."
    )
    page = box(f"Lesson {escaped(lesson)}, so far", escaped(said), escaped(more), escaped(where))
    return Shown(f"The tally of lesson {lesson}.", page, f"{said} {more}".rstrip())
