"""DistanceLab: two vectors to drag, with all distances of the course computed live beside them.

One object has three uses. Displayed in a notebook, it is a panel; in a script it is plain Python (`lab.move(y=[1, 2])`,
`lab.distances`, `lab.triangle()`); without a kernel, `lab.picture()` is a static picture. `page/distance_lab.js` draws
the page; every number on it is computed here, from `taskembed_edu.formulas.distances`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from taskembed_edu.base.checks import check_choice
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.labs import distance_readings as read
from taskembed_edu.labs.distance_readings import Triangle
from taskembed_edu.labs.distance_state import PRESETS, DistanceSettings, State, with_points
from taskembed_edu.labs.point_lab import Message, PointLab

if TYPE_CHECKING:
    from taskembed_edu.figures.plots import Still


class DistanceLab(PointLab[State]):
    """Two vectors, and a third for the triangle inequality, with every distance between them.

    >>> lab = DistanceLab(x=[1, 2, 3], y=[2, 3, 4])
    >>> lab.distances["euclidean"] == 3 ** 0.5
    True
    >>> lab.move(y=[1, 2, 4])
    >>> lab
    DistanceLab(x=[1, 2, 3], y=[1, 2, 4]: euclidean 1, squared 1, manhattan 1, cosine similarity 0.9915, \
cosine distance 0.0085)

    In the plane the learner drags the vectors as arrows; in any other dimension, their coordinates. `z` is by default
    beyond y on the line from x (z = 2y - x). Errors: a vector that is empty, not finite or of another length, an
    unknown metric, a radius beyond the metric's range.
    """

    presets: tuple[str, ...] = tuple(PRESETS)
    page: ClassVar[Path] = Path(__file__).parent / "page" / "distance_lab"

    @short_errors
    def __init__(
        self,
        x: Sequence[float] | torch.Tensor = (3.0, 1.0),
        y: Sequence[float] | torch.Tensor = (1.0, 2.5),
        metric: str = "euclidean",
        *,
        z: Sequence[float] | torch.Tensor | None = None,
        radius: float = 1.0,
        triangle: bool = False,
    ) -> None:
        settings = DistanceSettings(metric=metric, radius=radius, triangle=triangle)
        given = {"x": x, "y": y} | ({} if z is None else {"z": z})
        super().__init__(with_points(State((), (), (), settings), given))
        self._first = self._state

    # what it shows

    @property
    def x(self) -> list[float]:
        """The first vector."""
        return list(self._state.x)

    @property
    def y(self) -> list[float]:
        """The second vector."""
        return list(self._state.y)

    @property
    def z(self) -> list[float]:
        """The third vector, which the triangle needs."""
        return list(self._state.z)

    @property
    def settings(self) -> DistanceSettings:
        """The chosen metric, the ball's radius, and whether the triangle is shown."""
        return self._state.settings

    @property
    def distances(self) -> dict[str, float]:
        """All distances between x and y by name, and the cosine similarity; NaN where undefined (a zero vector)."""
        return read.distances(self._state.x, self._state.y)

    def triangle(self, metric: str | None = None) -> Triangle:
        """Whether d(x, z) <= d(x, y) + d(y, z) under `metric` (None: the chosen one)."""
        metric = check_choice("metric", metric or self.settings.metric, METRICS)
        return read.triangle(metric, self._state.x, self._state.y, self._state.z)

    def worked(self, name: str | None = None) -> str:
        """The arithmetic of one distance with its numbers, as text (None: the chosen one)."""
        name = check_choice("name", name or self.settings.metric, read.ROWS)
        return read.worked(name, self._state.x, self._state.y)

    def picture(self) -> Still:
        """A static picture of the panel, for readers without a kernel: a matplotlib figure, made without pyplot."""
        from taskembed_edu.labs.distance_picture import picture  # matplotlib is imported only when it is needed

        return picture(self._state)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{read.SHORT[key]} {read.tidy(value)}" for key, value in self.distances.items())
        return f"DistanceLab(x={read.listed(self._state.x)}, y={read.listed(self._state.y)}: {numbers})"

    # what can be done to it

    @short_errors
    def move(
        self,
        x: Sequence[float] | torch.Tensor | None = None,
        y: Sequence[float] | torch.Tensor | None = None,
        z: Sequence[float] | torch.Tensor | None = None,
    ) -> None:
        """Move vectors. x and y given together may have another dimension; then z is computed anew, unless given."""
        self._move({name: v for name, v in (("x", x), ("y", y), ("z", z)) if v is not None})

    @short_errors
    def set(self, **changes: Any) -> None:
        """Change settings: `lab.set(metric="cosine", radius=0.5, triangle=True)`. A radius out of range is clamped."""
        self._set(changes)

    @short_errors
    def preset(self, name: str) -> None:
        """Apply one of `DistanceLab.presets`: instructive vectors with their settings."""
        chosen = PRESETS[check_choice("preset", name, PRESETS)]
        points = {key: chosen[key] for key in ("x", "y", "z")}
        settings = self.settings.changed(metric=chosen["metric"], triangle=chosen["triangle"])
        self._change(with_points(replace(self._state, settings=settings), points))

    def reset(self) -> None:
        """Go back to the vectors and settings that the lab began with. `undo` reverts this too."""
        self._change(self._first)

    # the page

    def words(self) -> dict[str, Any]:
        """The rows of the table, the settings' declarations, and the presets."""
        declared = self.settings.declared()
        return {
            "rows": [{"key": key, "name": name, "words": words} for key, (name, words) in read.ROWS.items()],
            "metrics": {key: {"is_metric": m.is_metric, "why_not": m.why_not} for key, m in METRICS.items()},
            "settings": {
                name: {"label": s.label, "help": s.help, "low": s.low, "step": s.step} for name, s in declared.items()
            },
            "presets": list(self.presets),
            "undefined": read.UNDEFINED,
        }

    def readings(self, refusal: str = "") -> dict[str, Any]:
        """The state and every number that the page shows, as plain values."""
        state = self._state
        return {
            "points": {"x": list(state.x), "y": list(state.y), "z": list(state.z)},
            "settings": state.settings.as_dict(),
            "radius_high": METRICS[state.settings.metric].slider_max,
            "can_undo": bool(self._past),
            "problem": refusal,
            "ball": None
            if state.settings.triangle
            else read.ball(state.x, state.settings.metric, state.settings.radius),
            "sides": read.sides(state.x, state.y, state.z, state.settings.metric, state.settings.triangle),
            **read.panel(state.x, state.y, state.z, state.settings.metric),
        }

    def handlers(self) -> dict[str, Callable[[Message], object]]:
        """The handler of each message of the page, by the message's `do`."""
        return {
            "move": lambda message: self._move(message["points"], message.get("gesture")),
            "set": lambda message: self._set(message["settings"], message.get("gesture")),
            "preset": lambda message: self.preset(message["name"]),
        }

    def _move(self, points: Mapping[str, Any], gesture: str | None = None) -> None:
        with self._lock:
            self._change(with_points(self._state, points), gesture)

    def _set(self, changes: Mapping[str, Any], gesture: str | None = None) -> None:
        with self._lock:
            self._change(replace(self._state, settings=self.settings.changed(**changes)), gesture)
