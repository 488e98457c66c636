"""LossLab: points to drag, the forces that a loss puts on them, and one update in slow motion.

Three doors to one room. Shown, it is a panel; in a script it is plain Python (`lab.set(margin=2)`, `lab.loss`,
`lab.terms()`, `lab.step(10)`); for readers without a kernel, `lab.picture()` is a still. What is drawn in the page is
drawn by `loss_lab.js`; every number on it is computed here, from `taskembed_edu.formulas.losses`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.labs import loss_words as words
from taskembed_edu.labs.distance_readings import tidy
from taskembed_edu.labs.loss_scenes import FARTHEST, SCENES, Scene, checked_point, own_scene
from taskembed_edu.labs.loss_steps import PHASES, LossSettings, Point, Reading, Term, moved, read

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from taskembed_edu.labs.loss_view import LossView

UNDO_STEPS = 200


@dataclass(frozen=True)
class State:
    """All that the lab remembers: immutable, so that undo is a list of these."""

    scene: Scene
    points: tuple[Point, ...]
    settings: LossSettings
    phase: int = 0
    losses: tuple[float, ...] = ()  # before each update so far: there have been len(losses) updates
    before: tuple[Point, ...] | None = None  # in the sub-step "move", where the points came from


class LossLab:
    """Points of the plane with their classes, and a loss that pulls and pushes them.

    >>> lab = LossLab()
    >>> lab
    LossLab(course example, contrastive, margin 1: loss 1.7321 = 1.7321 + 0)
    >>> lab.set(margin=6)
    >>> lab.step()
    >>> lab
    LossLab(course example after 1 update, contrastive, margin 6: loss 2.1359 = 1.5321 + 0.6038)

    Without `points` it shows the course's example. `points` (n, 2) or, where they lie in one plane with the origin,
    (n, dim), with one class number each in `labels`; 2 to 12 of them. `loss` is "contrastive" (linear, as the course
    writes it), "hadsell" (half the squares, 2006) or "triplet"; `mining` "all", "hard" or, for triplets, "semi-hard";
    `anchors` "first" (only the first point is compared with the others) or "every". The loss is the sum of its terms.
    Errors: a margin beyond the metric's range, unknown names, points or labels that do not fit.
    """

    presets: tuple[str, ...] = tuple(SCENES)

    def __init__(
        self,
        points: Sequence[Sequence[float]] | Tensor | None = None,
        labels: Sequence[int] | Tensor | None = None,
        loss: str = "contrastive",
        metric: str = "euclidean",
        margin: float = 1.0,
        *,
        mining: str = "all",
        anchors: str | None = None,
        learning_rate: float = 0.2,
        names: Sequence[str] | None = None,
    ) -> None:
        if points is None and (labels is not None or names is not None):
            raise ValueError(problem("points", "none", "the points that the labels and names belong to"))
        scene = SCENES["course example"] if points is None else own_scene(points, labels, names)
        anchors = anchors or scene.settings.get("anchors", "every")
        settings = LossSettings(loss, metric, margin, mining, anchors, learning_rate)
        self._own = scene
        self._state = State(scene, scene.points, settings)
        self._reading: Reading | None = None
        self._past: list[State] = []
        self._gesture: str | None = None
        self._view: LossView | None = None
        self._lock = threading.RLock()  # a page's message may come on another thread than a cell

    # what it shows

    @property
    def points(self) -> dict[str, Point]:
        """Where each point lies, by its name."""
        return dict(zip(self._state.scene.names, self._state.points, strict=True))

    @property
    def labels(self) -> dict[str, int]:
        """The class of each point, by its name."""
        return dict(zip(self._state.scene.names, self._state.scene.labels, strict=True))

    @property
    def settings(self) -> LossSettings:
        """Loss, metric, margin, mining, anchors and learning rate."""
        return self._state.settings

    @property
    def steps(self) -> int:
        """How many updates the points have had since they were last put in place."""
        return len(self._state.losses)

    @property
    def phase(self) -> str:
        """The sub-step that is shown: explore, pairs, distances, violations, forces or move."""
        return PHASES[self._state.phase]

    @property
    def reading(self) -> Reading:
        """Terms, forces and regions of the points as they lie. Raises where a cosine distance is undefined."""
        if self._reading is None:
            state = self._state
            self._reading = read(state.points, state.scene.labels, state.scene.names, state.settings)
        return self._reading

    @property
    def loss(self) -> float:
        """The sum of the terms."""
        return self.reading.loss

    def terms(self) -> list[Term]:
        """What each chosen pair or triplet adds: kind, members, distance, violation, term."""
        return list(self.reading.terms)

    def forces(self) -> dict[str, Point]:
        """The summed force on each point, by its name: minus the gradient of the loss."""
        return dict(zip(self._state.scene.names, self.reading.total, strict=True))

    def explain(self, number: int) -> str:
        """The term of this number (as in `terms()`) in words."""
        terms = self.terms()
        if not 0 <= number < len(terms):
            raise IndexError(problem("number", number, f"a number from 0 to {len(terms) - 1}"))
        return words.explain(terms[number], self.settings)

    def picture(self) -> Figure:
        """A still of the plane, for readers without a kernel: a matplotlib figure, made without pyplot."""
        from taskembed_edu.labs.loss_picture import picture  # matplotlib only for those who ask for it

        return picture(self)

    def __repr__(self) -> str:
        state, chosen = self._state, self.settings
        happened = f" after {self.steps} update{'s' * (self.steps > 1)}" if self.steps else ""
        if not self.steps and state.points != state.scene.points:
            happened = " with points moved"
        parts = [state.scene.title + happened, chosen.loss]
        parts += [] if chosen.metric == "euclidean" else [chosen.metric]
        parts += [f"margin {tidy(chosen.margin)}"]
        parts += [] if chosen.mining == "all" else [chosen.mining]
        return f"LossLab({', '.join(parts)}: loss {self._loss_in_words()})"

    def _loss_in_words(self) -> str:
        try:
            return words.total(self.reading)
        except ValueError:  # a point on the origin under the cosine distance
            return "undefined"

    # what can be done to it

    def set(self, **changes: Any) -> None:
        """Change settings: `lab.set(metric="cosine", margin=0.5)`. A margin that falls out of range is clamped."""
        self._set(changes)

    def move(self, name: str, to: Sequence[float] | Tensor) -> None:
        """Put one point elsewhere: `lab.move("positive", (5, 2))`."""
        self._move(name, to)

    def step(self, n: int = 1) -> None:
        """Make n full updates at once: every point goes n times by the learning rate times its summed force.

        Raises, and changes nothing, where the points would fly apart.
        """
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            raise ValueError(problem("n", n, "a whole number of updates, 1 or more"))
        with self._lock:
            state, losses = self._state, list(self._state.losses)
            for _ in range(n):
                reading = self._read(state)
                losses.append(reading.loss)
                state = replace(state, points=_next(state, reading))
            self._change(replace(state, losses=tuple(losses), phase=0, before=None))

    def substep(self) -> str:
        """Go on by one sub-step of the slow motion, and say which one it is; the fifth moves the points."""
        with self._lock:
            state = self._state
            phase = state.phase % (len(PHASES) - 1) + 1
            if PHASES[phase] == "move":
                losses = (*state.losses, self.loss)
                made = replace(
                    state, points=_next(state, self.reading), losses=losses, before=state.points, phase=phase
                )
                self._change(made)
            else:
                self._show(replace(state, phase=phase, before=None))
            return self.phase

    def back(self) -> str:
        """Go back by one sub-step, and say which one it is now; a move is taken back."""
        with self._lock:
            if self.phase == "move":
                self.undo()
            elif self._state.phase:
                self._show(replace(self._state, phase=self._state.phase - 1))
            return self.phase

    def undo(self) -> None:
        """Take the last change back: a whole drag, an update, a setting, a preset. Nothing happens where none is."""
        with self._lock:
            if self._past:
                self._show(self._past.pop())
            self._gesture = None

    def reset(self) -> None:
        """Put the points back where they started; the settings stay. Undo takes it back."""
        state = self._state
        self._change(State(state.scene, state.scene.points, state.settings))

    def preset(self, name: str) -> None:
        """One of `LossLab.presets`, or the title of one's own points: a situation that is worth looking at."""
        known = {self._own.title: self._own, **SCENES}
        scene = known[check_choice("preset", name, known)]
        self._change(State(scene, scene.points, self.settings.changed(**scene.settings)))

    # the page

    @property
    def widget(self) -> LossView:
        """The panel itself, made when it is first asked for."""
        if self._view is None:
            from taskembed_edu.labs.loss_view import LossView  # a script needs no widget

            self._view = LossView(self)
        return self._view

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.widget._repr_mimebundle_(include=include, exclude=exclude)

    def hear(self, message: Mapping[str, Any]) -> None:
        """One wish of the page. A wish that cannot be granted changes nothing and is answered with its reason."""
        gesture = message.get("gesture")
        wishes = {
            "move": lambda: self._move(message["name"], message["to"], gesture),
            "set": lambda: self._set(message["settings"], gesture),
            "preset": lambda: self.preset(message["name"]),
            "step": self.step,
            "substep": self.substep,
            "back": self.back,
            "undo": self.undo,
            "reset": self.reset,
        }
        try:
            wishes[check_choice("do", message.get("do", ""), wishes)]()
        except (ValueError, TypeError) as error:
            self._publish(str(error))

    def _move(self, name: str, to: Sequence[float] | Tensor, gesture: str | None = None) -> None:
        with self._lock:
            names = self._state.scene.names
            at = names.index(check_choice("name", name, names))
            points = list(self._state.points)
            points[at] = checked_point(name, to)
            self._change(self._in_view(points=tuple(points)), gesture)

    def _set(self, changes: Mapping[str, Any], gesture: str | None = None) -> None:
        with self._lock:
            self._change(self._in_view(settings=self.settings.changed(**changes)), gesture)

    def _in_view(self, **changes: Any) -> State:
        """The state with a change by hand: slow motion goes on where it was, but a finished move is over."""
        finished = self.phase == "move"
        return replace(self._state, **changes, before=None, phase=0 if finished else self._state.phase)

    def _read(self, state: State) -> Reading:
        return (
            self.reading
            if state is self._state
            else read(state.points, state.scene.labels, state.scene.names, state.settings)
        )

    def _change(self, state: State, gesture: str | None = None) -> None:
        """The one place where something is done that undo takes back. One gesture (one drag) is one step of undo."""
        with self._lock:
            same_gesture = gesture is not None and gesture == self._gesture
            if state != self._state and not same_gesture:
                self._past = [*self._past[-UNDO_STEPS:], self._state]
                self._gesture = gesture
            self._show(state)

    def _show(self, state: State) -> None:
        self._state = state
        self._reading = None
        self._publish()

    def _publish(self, trouble: str = "") -> None:
        if self._view is not None:
            self._view.publish(trouble)


def _next(state: State, reading: Reading) -> tuple[Point, ...]:
    """Where an update takes the points."""
    points = moved(state.points, reading, state.settings.learning_rate)
    if max(abs(c) for point in points for c in point) > FARTHEST:
        cause = "The points fly apart: each update overshoots by more than the one before."
        raise ValueError(problem("learning_rate", state.settings.learning_rate, "a smaller one", cause))
    return points
