"""LossLab: points to drag, the forces that a loss puts on them, and one update in slow motion.

One object has three uses. Displayed in a notebook, it is a panel; in a script it is plain Python (`lab.set(margin=2)`,
`lab.loss`, `lab.terms()`, `lab.step(10)`); without a kernel, `lab.picture()` is a static picture. `page/loss_lab.js`
draws the page; every number on it is computed here, from `taskembed_edu.formulas.losses`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.labs import loss_words as words
from taskembed_edu.labs.distance_words import tidy
from taskembed_edu.labs.loss_readings import readings
from taskembed_edu.labs.loss_scenes import SCENES, checked_point, own_scene
from taskembed_edu.labs.loss_state import State
from taskembed_edu.labs.loss_steps import PHASES, LossSettings, Point, Reading, Term
from taskembed_edu.labs.point_lab import Message, PointLab

if TYPE_CHECKING:
    from taskembed_edu.figures.plots import Still


class LossLab(PointLab[State]):
    """Points of the plane with their classes, and a loss that pulls and pushes them.

    >>> lab = LossLab()
    >>> lab
    LossLab(course example, contrastive, margin 1: loss 1.7321 = 1.7321 + 0)
    >>> lab.set(margin=6)
    >>> lab.step()
    >>> lab
    LossLab(course example after 1 update, contrastive, margin 6: loss 2.1359 = 1.5321 + 0.6038)

    Without `points` it shows the course's example. `points` are 2 to 12 rows, (n, 2), or (n, dim) if they lie in one
    plane with the origin; `labels` has one class number for each. `loss` is "contrastive" (linear, as the course
    writes it), "contrastive_squared" (half the squares, Hadsell 2006) or "triplet"; `mining` is "all", "hard" or, for
    triplets, "semi-hard"; `anchors` is "first" (only the first point is compared with the others) or "every". The loss
    is the sum of its terms.
    Errors: a margin beyond the metric's range, unknown names, points or labels of a wrong shape or number.
    """

    presets: tuple[str, ...] = tuple(SCENES)
    page: ClassVar[Path] = Path(__file__).parent / "page" / "loss_lab"

    @short_errors
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
        super().__init__(State.start(scene, settings))
        self._own = scene

    # what it shows

    @property
    def points(self) -> dict[str, Point]:
        """The place of each point, by its name."""
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
        """How many updates the points have had since the last reset or preset."""
        return len(self._state.losses)

    @property
    def phase(self) -> str:
        """The sub-step that is shown: explore, pairs, distances, violations, forces or move."""
        return self._state.phase_name

    @property
    def reading(self) -> Reading:
        """Terms, forces and regions of the points in their present places. Raises if a cosine distance is undefined."""
        return self._state.reading

    @property
    def loss(self) -> float:
        """The sum of the terms."""
        return self.reading.loss

    def terms(self) -> list[Term]:
        """What each chosen pair or triplet adds to the loss: kind, members, distance, violation, term."""
        return list(self.reading.terms)

    def forces(self) -> dict[str, Point]:
        """The total force on each point, by its name: minus the gradient of the loss."""
        return dict(zip(self._state.scene.names, self.reading.total, strict=True))

    @short_errors
    def explain(self, number: int) -> str:
        """The term with this index in `terms()`, in words."""
        terms = self.terms()
        if not 0 <= number < len(terms):
            raise IndexError(problem("number", number, f"a number from 0 to {len(terms) - 1}"))
        return words.explain(terms[number], self.settings)

    def picture(self) -> Still:
        """A static picture of the plane, for readers without a kernel: a matplotlib figure, made without pyplot."""
        from taskembed_edu.labs.loss_picture import picture  # matplotlib is imported only when it is needed

        return picture(self._state, repr(self))

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

    @short_errors
    def set(self, **changes: Any) -> None:
        """Change settings: `lab.set(metric="cosine", margin=0.5)`. A margin that falls out of range is clamped."""
        self._set(changes)

    @short_errors
    def move(self, name: str, to: Sequence[float] | Tensor) -> None:
        """Move one point: `lab.move("positive", (5, 2))`."""
        self._move(name, to)

    @short_errors
    def step(self, n: int = 1) -> None:
        """Make n full updates: each moves every point by the learning rate times the total force on it.

        Raises, and changes nothing, if the points would diverge.
        """
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            raise ValueError(problem("n", n, "a whole number of updates, 1 or more"))
        with self._lock:
            state, losses = self._state, list(self._state.losses)
            for _ in range(n):
                losses.append(state.reading.loss)
                state = replace(state, points=state.next_points())
            self._change(replace(state, losses=tuple(losses), phase=0, before=None))

    def substep(self) -> str:
        """Show the next sub-step of an update, and return its name; the fifth one moves the points."""
        with self._lock:
            state = self._state
            phase = state.phase % (len(PHASES) - 1) + 1
            if PHASES[phase] == "move":
                losses = (*state.losses, self.loss)
                points = state.next_points()
                self._change(replace(state, points=points, losses=losses, before=state.points, phase=phase))
            else:
                self._show(replace(state, phase=phase, before=None))
            return self.phase

    def back(self) -> str:
        """Show the previous sub-step, and return its name; a move of the points is undone."""
        with self._lock:
            if self.phase == "move":
                self.undo()
            elif self._state.phase:
                self._show(replace(self._state, phase=self._state.phase - 1))
            return self.phase

    def reset(self) -> None:
        """Move the points back to where they started; the settings stay. `undo` reverts this too."""
        self._change(State.start(self._state.scene, self.settings))

    @short_errors
    def preset(self, name: str) -> None:
        """Show one of `LossLab.presets`, or the points that the lab began with, by their title."""
        known = {self._own.title: self._own, **SCENES}
        scene = known[check_choice("preset", name, known)]
        self._change(State.start(scene, self.settings.changed(**scene.settings)))

    # the page

    def words(self) -> dict[str, Any]:
        """What never changes in a lab: the settings' declarations, the sub-steps, the presets."""
        settings = {
            name: {
                "label": declared.label,
                "help": declared.help,
                "choices": [{"value": c, "label": declared.label_of(c)} for c in declared.choices],
                "low": declared.low,
                "high": None if callable(declared.high) else declared.high,
                "step": declared.step,
            }
            for name, declared in LossSettings.declared().items()
        }
        presets = list(dict.fromkeys([self._own.title, *self.presets]))
        return {"settings": settings, "presets": presets, "phases": list(PHASES)}

    def readings(self, refusal: str = "") -> dict[str, Any]:
        """The state and every number that the page shows, as plain values."""
        return {**readings(self._state), "can_undo": bool(self._past), "trouble": refusal}

    def handlers(self) -> dict[str, Callable[[Message], object]]:
        """The handler of each message of the page, by the message's `do`."""
        return {
            "move": lambda message: self._move(message["name"], message["to"], message.get("gesture")),
            "set": lambda message: self._set(message["settings"], message.get("gesture")),
            "preset": lambda message: self.preset(message["name"]),
            "step": lambda _: self.step(),
            "substep": lambda _: self.substep(),
            "back": lambda _: self.back(),
        }

    def _move(self, name: str, to: Sequence[float] | Tensor, gesture: str | None = None) -> None:
        with self._lock:
            names = self._state.scene.names
            at = names.index(check_choice("name", name, names))
            points = list(self._state.points)
            points[at] = checked_point(name, to)
            self._change(self._state.in_view(points=tuple(points)), gesture)

    def _set(self, changes: Mapping[str, Any], gesture: str | None = None) -> None:
        with self._lock:
            self._change(self._state.in_view(settings=self.settings.changed(**changes)), gesture)
