"""The channel between a prediction and its page: it sends the question and the guess, and hears a click."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from taskembed_edu.live.bundle import bundle

if TYPE_CHECKING:
    from taskembed_edu.course.prediction import Prediction

_PAGE = Path(__file__).parent / "page"


class QuestionView(anywidget.AnyWidget):
    """The question as a widget. `asked` is sent once, `state` after each guess; the page sends {"guess": ...}."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, prediction: Prediction) -> None:
        self._prediction = prediction
        script, style = _files()
        asked = {
            "name": prediction.name,
            "question": prediction.question,
            "choices": list(prediction.choices),
            "unit": prediction.unit,
        }
        super().__init__(_esm=script, _css=style, asked=asked)
        self.show()
        self.on_msg(self._hear)

    def show(self, said: str = "") -> None:
        """Send the guess and a sentence to the page; without `said`, the prediction's own."""
        of = self._prediction
        self.state = {"guess": of.guess, "closed": of.is_closed, "said": said or of.state()}

    def _hear(self, _widget: Any, message: Any, _buffers: Any) -> None:
        guess = message.get("guess") if isinstance(message, dict) else None
        try:
            self.show(self._prediction.predict(guess))  # type: ignore[arg-type]  # the page may send anything
        except (ValueError, TypeError) as error:
            self.show(str(error))

    def __repr__(self) -> str:
        return repr(self._prediction)


@functools.cache
def _files() -> tuple[str, str]:
    return bundle(_PAGE / "question.js"), (_PAGE / "question.css").read_text(encoding="utf-8")
