"""DrawingPad: the learner draws a character, and sees what a network makes of it.

One object has three uses. Displayed in a notebook, it is a pad for mouse and finger, with a way for picture files and a
palette of letters for those who use keys. In a script it is plain Python (`pad.draw(strokes)`, `pad.picture`). Without
a kernel, `pad.figure()` is a static picture. `page/drawing_pad.js` draws the page; every number on it is computed here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from taskembed_edu.adaptation.feature_functions import Features, checked_features
from taskembed_edu.base.checks import problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.labs.drawing_answers import Answers, ScriptMap
from taskembed_edu.labs.drawing_kept import pad_before
from taskembed_edu.labs.drawing_readings import Seen, seen, support_words, words_of
from taskembed_edu.labs.drawing_state import MOST_BYTES, Opened, PadSettings, PadState, joined, strokes_of
from taskembed_edu.labs.point_lab import Message, PointLab

if TYPE_CHECKING:
    from taskembed_edu.figures.plots import Still


class DrawingPad(PointLab[PadState]):
    """A pad to draw one character on, and what a network answers.

    >>> pad = DrawingPad()
    >>> pad.draw([[(0.2, 0.2), (0.8, 0.8)], [(0.8, 0.2), (0.2, 0.8)]])
    >>> pad.picture.shape, len(pad.strokes)
    (torch.Size([1, 28, 28]), 2)
    >>> pad
    DrawingPad(2 strokes)

    With `features`, a function from pictures (n, 1, 28, 28) to vectors (n, dim), two more things can be seen:

    - `support={"name": pictures, ...}`, the pictures (n, 1, 28, 28) of some classes: how near the drawing is to each
      class, as bars, anew after each stroke (`pad.answers`, `pad.distances`, `pad.answer`);
    - `scripts={"Greek": vectors, ...}`, features (n, dim) of letters by their script: a map of them, and where the
      drawing lies on it (`pad.place`).

        pad = DrawingPad(features=episodes.features, support={"ה": two, "ג": two_others}, scripts=vectors)
        pad.on_change(lambda pad: print(pad.answer))

    What is on the pad: strokes that were drawn (`draw`), or a picture that was opened (`open`) or chosen from the
    palette (`choose`); the later one counts, and `undo` brings back the one before. When its cell runs again, the new
    pad has what was on the old one, unless `strokes` says something else.

    Errors: what is no drawing, no picture file or no letter; `support` or `scripts` without `features`.
    """

    page: ClassVar[Path] = Path(__file__).parent / "page" / "drawing_pad"

    @short_errors
    def __init__(
        self,
        strokes: Sequence[Any] | None = None,
        *,
        features: Features | None = None,
        support: Mapping[str, Tensor] | None = None,
        scripts: Mapping[str, Tensor] | None = None,
        pen: float = 3.0,
    ) -> None:
        settings = PadSettings(pen=pen)
        super().__init__(PadState(strokes_of(() if strokes is None else strokes), settings=settings))
        checked = None if features is None else checked_features(features)
        for name, given in (("support", support), ("scripts", scripts)):
            if given is not None and checked is None:
                cause = "DrawingPad(features=..., support=...): pictures are compared by their features."
                raise ValueError(problem("features", "None", f"the features by which {name} was made", cause))
        self._answers = None if support is None or checked is None else Answers(support, checked)
        self._scripts = None if scripts is None or checked is None else ScriptMap(scripts, checked)
        self._listeners: list[Callable[[DrawingPad], object]] = []
        self._seen: tuple[PadState, Seen] | None = None
        self._told = self._state
        before = pad_before(self)
        if strokes is None and before is not None:  # with what could be undone
            self._state = self._told = replace(before._state, settings=settings)
            self._past = list(before._past)

    # what is on it

    @property
    def strokes(self) -> list[list[tuple[float, float]]]:
        """The strokes, as lists of points (x, y) in the unit square, y down: `DrawingPad(strokes)` draws them again."""
        return [list(stroke) for stroke in self._state.strokes]

    @property
    @short_errors
    def picture(self) -> Tensor:
        """What the network sees, (1, 28, 28), ink is 1. Errors: ValueError for an empty pad, or a single dot."""
        return self._look().drawn()

    @property
    @short_errors
    def distances(self) -> dict[str, float]:
        """The squared distance of the drawing's features to the prototype of each class of `support`."""
        return self._by_class(self._look().distances)

    @property
    @short_errors
    def answers(self) -> dict[str, float]:
        """The probability of each class of `support`, in its order (Snell 2017, equation 2)."""
        return self._by_class(self._look().probabilities)

    @property
    @short_errors
    def answer(self) -> str:
        """The name of the class that is nearest."""
        answers = self.answers
        return max(answers, key=lambda name: answers[name])

    @property
    @short_errors
    def place(self) -> tuple[float, float]:
        """Where the drawing lies on the map of `scripts`."""
        place = self._look().compared().place
        if place is None:
            raise ValueError(problem("scripts", "None", "vectors of letters by their script", "They make the map."))
        return place

    def _by_class(self, values: Sequence[float]) -> dict[str, float]:
        if self._answers is None:
            raise ValueError(problem("support", "None", "pictures of some classes", "An answer is one of several."))
        self._look().compared()
        return dict(zip(self._answers.names, values, strict=True))

    def _look(self) -> Seen:
        """What is seen of the present state, computed once."""
        with self._lock:
            if self._seen is None or self._seen[0] is not self._state:
                self._seen = (self._state, seen(self._state, self._answers, self._scripts))
            return self._seen[1]

    def figure(self) -> Still:
        """A static picture of the pad, for readers without a kernel: a matplotlib figure, made without pyplot."""
        from taskembed_edu.labs.drawing_figure import figure  # matplotlib is imported only when it is needed

        return figure(self._state, self._look(), self._answers, self._scripts)

    def __repr__(self) -> str:
        answer = self._look().answer(self._answers)
        return f"DrawingPad({words_of(self._state)}{answer and f': {answer}'})"

    # what can be done to it

    @short_errors
    def draw(self, strokes: Sequence[Any]) -> None:
        """Add strokes, as the mouse does: each is points (n, 2), x to the right and y down, in the unit square.

        Strokes to another measure (pixels, say) are fitted into the pad. A picture that was opened or chosen leaves it.
        """
        more = strokes_of(strokes)
        if not more:
            raise ValueError(problem("strokes", "an empty list", "one stroke or more", "[[(0.2, 0.2), (0.8, 0.8)]]"))
        with self._lock:
            kept = () if self._state.opened else self._state.strokes
            self._change(replace(self._state, strokes=joined(kept, more), opened=None))

    @short_errors
    def open(self, source: str | Path | bytes) -> None:
        """Show the drawing in a picture file (its path, or its bytes): dark on light, or light on dark."""
        data, name = (source, "a picture") if isinstance(source, bytes) else _file(source)
        self._open(name, data)

    def _open(self, name: str, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            raise ValueError(problem("source", f"{len(data):,} bytes", f"at most {MOST_BYTES:,}", "Make it smaller."))
        opened = replace(self._state, opened=Opened(name, data=data))
        seen(opened, None, None).drawn()  # a file that is no picture changes nothing
        self._change(opened)

    @short_errors
    def choose(self, letter: str) -> None:
        """Show a letter of the palette, by itself ("α") or by its name in Unicode ("GREEK SMALL LETTER ALPHA")."""
        from taskembed_edu.labs.drawing_palette import palette  # the letters are built when they are first asked for

        self._choose(palette().index(letter))

    def _choose(self, index: int) -> None:
        from taskembed_edu.labs.drawing_palette import palette

        letters = palette()
        if not isinstance(index, int) or not 0 <= index < len(letters.letters):
            raise ValueError(problem("letter", index, f"an index below {len(letters.letters)}"))
        name = letters.names[index]
        self._change(replace(self._state, opened=Opened(name, letter=index)))

    @short_errors
    def set(self, **changes: Any) -> None:
        """Change a setting: `pad.set(pen=2.5)`."""
        self._set(changes)

    def _set(self, changes: Mapping[str, Any], gesture: str | None = None) -> None:
        with self._lock:
            self._change(replace(self._state, settings=self._state.settings.changed(**changes)), gesture)

    def clear(self) -> None:
        """Empty the pad. `undo` brings back what was on it."""
        self._change(PadState(settings=self._state.settings))

    def reset(self) -> None:
        """As `clear`."""
        self.clear()

    def on_change(self, call: Callable[[DrawingPad], object]) -> Callable[[DrawingPad], object]:
        """Call this function, with the pad, after each change: a stroke, a picture, undo."""
        if not callable(call):
            raise TypeError(problem("call", call, "a function of the pad", "on_change(lambda pad: print(pad.answer))"))
        self._listeners.append(call)
        return call

    # the page

    def words(self) -> dict[str, Any]:
        """The settings' declarations, the pictures of the support set, and the map of the scripts."""
        declared = self._state.settings.declared()
        return {
            "settings": {
                name: {"label": s.label, "help": s.help, "low": s.low, "high": s.high, "step": s.step}
                for name, s in declared.items()
            },
            "presets": [],
            "most_bytes": MOST_BYTES,
            **support_words(self._answers, self._scripts),
        }

    def readings(self, refusal: str = "") -> dict[str, Any]:
        """The state and every number that the page shows, as plain values."""
        state, look = self._state, self._look()
        return {
            "points": {},
            "settings": state.settings.as_dict(),
            "can_undo": bool(self._past),
            "can_clear": not state.is_empty,
            "strokes": [list(map(list, stroke)) for stroke in state.strokes] if state.opened is None else [],
            "said": words_of(state),
            **look.packet(self._answers),
            "problem": refusal or look.problem,
        }

    def handlers(self) -> dict[str, Callable[[Message], object]]:
        """The handler of each message of the page, by the message's `do`."""
        return {
            "stroke": lambda message: self.draw([message["points"]]),
            "file": lambda message: self._open(str(message["name"]), bytes(message["buffers"][0])),
            "palette": lambda _: self._send_palette(),
            "letter": lambda message: self._choose(message["index"]),
            "set": lambda message: self._set(message["settings"], message.get("gesture")),
            "clear": lambda _: self.clear(),
        }

    def _send_palette(self) -> None:
        from taskembed_edu.labs.drawing_palette import palette

        facts, pictures = palette().packet()
        if self._view is not None:
            self._view.send({"palette": facts}, [pictures])

    def _publish(self, refusal: str = "") -> None:
        super()._publish(refusal)
        if self._state != self._told:
            self._told = self._state
            for call in self._listeners:
                call(self)


def _file(source: Any) -> tuple[bytes, str]:
    """A file's bytes and its name. Errors: for a file that is missing."""
    if not isinstance(source, (str, Path)):
        raise TypeError(problem("source", source, "the path of a picture file, or its bytes"))
    path = Path(os.path.expanduser(source))
    if not path.is_file():
        raise ValueError(problem("source", repr(str(source)), "the path of a picture file", "There is no such file."))
    return path.read_bytes(), path.name
