"""DistanceLab: two vectors to drag, every distance of the course live beside them.

Three doors to one room. Shown, it is a panel; in a script it is plain Python (`lab.move(y=[1, 2])`, `lab.distances`,
`lab.triangle()`); for readers without a kernel, `lab.picture()` is a still. What is drawn in the page is drawn by
`distance_lab.js`; every number on it is computed here, from `taskembed_edu.formulas.distances`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from taskembed_edu.base.checks import check_choice, check_finite, describe, problem
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.labs import distance_readings as read
from taskembed_edu.labs.distance_readings import Triangle, Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from taskembed_edu.labs.distance_view import DistanceView

LARGEST_COORDINATE = 1e6  # beyond it squares lose their decimals, and the plane its meaning
LONGEST_VECTOR = 512
UNDO_STEPS = 200


@dataclass(frozen=True)
class DistanceSettings(Settings):
    """What can be chosen in the lab, beside the vectors."""

    metric: str = setting(
        "euclidean",
        choices=tuple(METRICS),
        label="Distance",
        help="The distance whose ball and way are drawn.",
    )
    radius: float = setting(
        1.0,
        low=0.05,
        high=lambda settings: METRICS[settings.metric].slider_max,
        step=0.05,
        label="Radius of the ball round x",
        help="The ball is every point nearer to x than this distance.",
    )
    triangle: bool = setting(
        False,
        label="Triangle: a third point z",
        help="Compares the direct way from x to z with the way through y.",
    )


@dataclass(frozen=True)
class State:
    """All that the lab remembers: immutable, so that undo is a list of these."""

    x: Vector
    y: Vector
    z: Vector
    settings: DistanceSettings


# name -> vectors and settings. "breaks the triangle" breaks it for the cosine and for the squared distance at once.
PRESETS: dict[str, dict[str, Any]] = {
    "course example": {"x": (1, 2, 3), "y": (2, 3, 4), "z": (4, 5, 6), "metric": "euclidean", "triangle": False},
    "orthogonal": {"x": (3, 1), "y": (-1, 3), "z": (-3, -1), "metric": "cosine", "triangle": False},
    "same direction": {"x": (1.5, 1), "y": (3.75, 2.5), "z": (-1, 3), "metric": "cosine", "triangle": False},
    "opposite": {"x": (3, 1.5), "y": (-3, -1.5), "z": (-1, 3), "metric": "cosine", "triangle": False},
    "breaks the triangle": {"x": (3, 0), "y": (1.5, 1.5), "z": (0, 3), "metric": "cosine", "triangle": True},
}


class DistanceLab:
    """Two vectors, and a third for the triangle inequality, with every distance between them.

    >>> lab = DistanceLab(x=[1, 2, 3], y=[2, 3, 4])
    >>> lab.distances["euclidean"] == 3 ** 0.5
    True
    >>> lab.move(y=[1, 2, 4])
    >>> lab
    DistanceLab(x=[1, 2, 3], y=[1, 2, 4]: euclidean 1, squared 1, manhattan 1, cosine similarity 0.9915, \
cosine distance 0.0085)

    In the plane the vectors are arrows to drag; in any other dimension their coordinates are. `z` is given, or lies
    beyond y on the line from x (z = 2y - x). Errors: a vector that is empty, not finite or of another length, an
    unknown metric, a radius beyond the metric's range.
    """

    presets: tuple[str, ...] = tuple(PRESETS)

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
        self._state = _with_points(State((), (), (), settings), given)
        self._first = self._state
        self._past: list[State] = []
        self._gesture: str | None = None
        self._view: DistanceView | None = None
        self._lock = threading.RLock()  # a page's message may come on another thread than a cell

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

    def picture(self) -> Figure:
        """A still of the panel, for readers without a kernel: a matplotlib figure, made without pyplot."""
        from taskembed_edu.labs.distance_picture import picture  # matplotlib only for those who ask for it

        return picture(self)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{read.SHORT[key]} {read.tidy(value)}" for key, value in self.distances.items())
        return f"DistanceLab(x={read.listed(self._state.x)}, y={read.listed(self._state.y)}: {numbers})"

    # what can be done to it

    def move(
        self,
        x: Sequence[float] | torch.Tensor | None = None,
        y: Sequence[float] | torch.Tensor | None = None,
        z: Sequence[float] | torch.Tensor | None = None,
    ) -> None:
        """Put vectors elsewhere. Giving x and y together may change their dimension; z then follows, unless given."""
        self._move({name: v for name, v in (("x", x), ("y", y), ("z", z)) if v is not None})

    def set(self, **changes: Any) -> None:
        """Change settings: `lab.set(metric="cosine", radius=0.5, triangle=True)`. A radius out of range is clamped."""
        self._set(changes)

    def preset(self, name: str) -> None:
        """One of `DistanceLab.presets`: a situation that is worth looking at."""
        chosen = PRESETS[check_choice("preset", name, PRESETS)]
        points = {key: chosen[key] for key in ("x", "y", "z")}
        settings = self.settings.changed(metric=chosen["metric"], triangle=chosen["triangle"])
        self._change(_with_points(replace(self._state, settings=settings), points))

    def undo(self) -> None:
        """Take the last change back: a whole drag, a preset, a setting. Nothing happens where there is none."""
        with self._lock:
            if self._past:
                self._state = self._past.pop()
            self._gesture = None
            self._publish()

    def reset(self) -> None:
        """Back to the vectors and settings that the lab was made with. Undo takes it back."""
        self._change(self._first)

    # the page

    @property
    def widget(self) -> DistanceView:
        """The panel itself, made when it is first asked for."""
        if self._view is None:
            from taskembed_edu.labs.distance_view import DistanceView  # a script needs no widget

            self._view = DistanceView(self)
        return self._view

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        return self.widget._repr_mimebundle_()

    def readings(self) -> dict[str, Any]:
        """The state and every number that the page shows, as plain values."""
        state = self._state
        return {
            "points": {"x": list(state.x), "y": list(state.y), "z": list(state.z)},
            "settings": state.settings.as_dict(),
            "radius_high": METRICS[state.settings.metric].slider_max,
            "can_undo": bool(self._past),
            "problem": "",
            **read.panel(state.x, state.y, state.z, state.settings.metric),
        }

    def hear(self, message: Mapping[str, Any]) -> None:
        """One wish of the page. A wish that cannot be granted changes nothing and is answered with its reason."""
        gesture = message.get("gesture")
        wishes = {
            "move": lambda: self._move(message["points"], gesture),
            "set": lambda: self._set(message["settings"], gesture),
            "preset": lambda: self.preset(message["name"]),
            "undo": self.undo,
            "reset": self.reset,
        }
        try:
            wishes[check_choice("do", message.get("do", ""), wishes)]()
        except (ValueError, TypeError) as error:
            self._publish(str(error))

    def _move(self, points: Mapping[str, Any], gesture: str | None = None) -> None:
        with self._lock:
            self._change(_with_points(self._state, points), gesture)

    def _set(self, changes: Mapping[str, Any], gesture: str | None = None) -> None:
        with self._lock:
            self._change(replace(self._state, settings=self.settings.changed(**changes)), gesture)

    def _change(self, state: State, gesture: str | None = None) -> None:
        """The one place where the state changes. Changes of one gesture (one drag) are one step of undo."""
        with self._lock:
            same_gesture = gesture is not None and gesture == self._gesture
            if state != self._state and not same_gesture:
                self._past = [*self._past[-UNDO_STEPS:], self._state]
                self._gesture = gesture
            self._state = state
            self._publish()

    def _publish(self, trouble: str = "") -> None:
        if self._view is not None:
            self._view.readings = {**self.readings(), "problem": trouble}


def _with_points(state: State, points: Mapping[str, Any]) -> State:
    """`state` with these vectors, checked: finite, and all of one length."""
    moved = {name: _vector(name, points[name]) for name in _named(points)}
    x, y = moved.get("x", state.x), moved.get("y", state.y)
    if len(x) != len(y):
        wrong, other = ("y", "x") if "y" in moved else ("x", "y")
        came = f"a vector of {len(moved[wrong])} numbers"
        expected = f"{len(x if other == 'x' else y)}, as {other} has"
        raise ValueError(problem(wrong, came, expected, "Give x and y together to change their dimension."))
    beyond = tuple(max(-LARGEST_COORDINATE, min(LARGEST_COORDINATE, 2 * b - a)) for a, b in zip(x, y, strict=True))
    z = moved.get("z", state.z if len(state.z) == len(x) else beyond)
    if len(z) != len(x):
        raise ValueError(problem("z", f"a vector of {len(z)} numbers", f"{len(x)}, as x and y have"))
    return replace(state, x=x, y=y, z=z)


def _named(points: Mapping[str, Any]) -> list[str]:
    """The names of the vectors, each one of x, y, z."""
    return [check_choice("vector", name, ("x", "y", "z")) for name in points]


def _vector(name: str, entries: Any) -> Vector:
    """The entries as floats; else an error that names the vector."""
    try:
        tensor = torch.as_tensor(entries, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(problem(name, describe(entries), "a vector of numbers such as [1, 2, 3]")) from None
    if tensor.ndim != 1 or not 1 <= len(tensor) <= LONGEST_VECTOR:
        raise ValueError(problem(name, tensor, f"one vector of 1 to {LONGEST_VECTOR} numbers, such as [1, 2, 3]"))
    check_finite(name, tensor, "The lab needs every coordinate.")
    if bool((tensor.abs() > LARGEST_COORDINATE).any()):
        largest = tensor.abs().max().item()
        raise ValueError(problem(name, f"a coordinate of size {largest:g}", f"at most {LARGEST_COORDINATE:g}"))
    return tuple(tensor.tolist())
