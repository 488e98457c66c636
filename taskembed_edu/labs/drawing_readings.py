"""What a DrawingPad shows of its state: the picture, the answers, the place on the map. Numbers and text only."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.labs.drawing_answers import Answers, ScriptMap
from taskembed_edu.labs.drawing_palette import as_bytes, printed_letters
from taskembed_edu.labs.drawing_state import PadState
from taskembed_edu.tasks.pen import from_picture, from_strokes

_MOST_SHOWN = 5  # pictures of a class beside its bar


@compared_by_value
@dataclass(frozen=True)
class Seen:
    """What is seen of one state. Where `picture` is None, or is not compared, `problem` says why: "" if empty."""

    picture: Tensor | None = None
    problem: str = ""
    distances: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()
    place: tuple[float, float] | None = None
    near: str = ""

    def drawn(self) -> Tensor:
        """The picture. Errors: ValueError where there is none."""
        if self.picture is None:
            cause = "Draw a letter on the pad, or in code: pad.draw([[(0.2, 0.2), (0.8, 0.8)]])."
            raise ValueError(self.problem or problem("strokes", "an empty pad", "a drawing", cause))
        return self.picture

    def compared(self) -> Seen:
        """The same, if there is a picture that could be compared. Errors: ValueError where it could not."""
        self.drawn()
        if self.problem:
            raise ValueError(self.problem)
        return self

    def answer(self, answers: Answers | None) -> str:
        """The nearest class and its probability, in words; "" where there is no answer."""
        if answers is None or not self.probabilities:
            return ""
        best = max(range(len(self.probabilities)), key=lambda k: self.probabilities[k])
        return f"{answers.names[best]}, {self.probabilities[best]:.0%}"

    def packet(self, answers: Answers | None) -> dict[str, Any]:
        """The same for the page, as plain values: the pixels as text, ink is 255."""
        return {
            "pixels": "" if self.picture is None else _as_text(self.picture),
            "distances": [round(distance, 4) for distance in self.distances],
            "probabilities": [round(probability, 4) for probability in self.probabilities],
            "answer": self.answer(answers),
            "place": None if self.place is None else [round(part, 5) for part in self.place],
            "near": self.near,
        }


def seen(state: PadState, answers: Answers | None, scripts: ScriptMap | None) -> Seen:
    """The picture of a state, and what is computed from it."""
    if state.is_empty:
        return Seen()
    try:
        picture = picture_of(state)
    except ValueError as error:  # a single dot, a file that is no picture
        return Seen(problem=str(error))
    try:
        return _compared(picture, answers, scripts)
    except (ValueError, TypeError) as error:  # features that are not finite any more: the page goes on, and says so
        return Seen(picture, problem=str(error))


def _compared(picture: Tensor, answers: Answers | None, scripts: ScriptMap | None) -> Seen:
    place, near = (None, "") if scripts is None else scripts.place(picture)
    return Seen(
        picture,
        distances=() if answers is None else tuple(answers.distances(picture).tolist()),
        probabilities=() if answers is None else tuple(answers.probabilities(picture).tolist()),
        place=place,
        near=near,
    )


def picture_of(state: PadState) -> Tensor:
    """The picture (1, 28, 28) of what is on the pad. Errors: ValueError for what is no drawing."""
    pen, opened = state.settings.pen, state.opened
    if opened is None:
        return from_strokes(state.strokes, pen)
    return printed_letters(pen)[opened.letter] if opened.letter >= 0 else from_picture(opened.data, pen)


def words_of(state: PadState) -> str:
    """What is on the pad, in a few words."""
    if state.opened is not None:
        return state.opened.name
    n = len(state.strokes)
    return "empty" if not n else f"{n} stroke{'' if n == 1 else 's'}"


def support_words(answers: Answers | None, scripts: ScriptMap | None) -> dict[str, Any]:
    """What the page gets once of the classes and of the map."""
    return {
        "support": []
        if answers is None
        else [
            {"name": name, "pictures": [_as_text(picture) for picture in pictures[:_MOST_SHOWN]]}
            for name, pictures in answers.pictures.items()
        ],
        "map": None
        if scripts is None
        else {
            "names": list(scripts.names),
            "points": [[round(float(x), 5), round(float(y), 5)] for x, y in scripts.layout],
            "entries": [dict(entry) for entry in scripts.colouring.entries],
            "groups": scripts.colouring.groups.tolist(),
        },
    }


def _as_text(picture: Tensor) -> str:
    return base64.b64encode(as_bytes(picture)).decode("ascii")
