"""The state of a DistanceLab: three vectors and the settings, checked, and the presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from taskembed_edu.base.checks import check_choice, check_finite, problem
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.labs.distance_readings import numbers_of
from taskembed_edu.labs.distance_words import Vector

LARGEST_COORDINATE = 1e6  # squares of larger ones lose their decimals, and the plane is too large to draw
LONGEST_VECTOR = 512


@dataclass(frozen=True)
class DistanceSettings(Settings):
    """What can be chosen in the lab, beside the vectors."""

    metric: str = setting(
        "euclidean",
        choices=tuple(METRICS),
        label="Distance",
        help="Which distance the drawing shows, with its ball round x.",
    )
    radius: float = setting(
        1.0,
        low=0.05,
        high=lambda settings: METRICS[settings.metric].slider_max,
        step=0.05,
        label="Radius of the ball round x",
        help="The ball holds all points that are nearer to x than this.",
    )
    triangle: bool = setting(
        False,
        label="Triangle: a third point z",
        help="Compares the direct way from x to z with the way from x to y to z.",
    )


@dataclass(frozen=True)
class State:
    """The lab's whole state: immutable, so that the undo history is a list of states."""

    x: Vector
    y: Vector
    z: Vector
    settings: DistanceSettings


# name -> vectors and settings. "breaks the triangle" does so for the cosine and for the squared distance.
PRESETS: dict[str, dict[str, Any]] = {
    "course example": {"x": (1, 2, 3), "y": (2, 3, 4), "z": (4, 5, 6), "metric": "euclidean", "triangle": False},
    "orthogonal": {"x": (3, 1), "y": (-1, 3), "z": (-3, -1), "metric": "cosine", "triangle": False},
    "same direction": {"x": (1.5, 1), "y": (3.75, 2.5), "z": (-1, 3), "metric": "cosine", "triangle": False},
    "opposite": {"x": (3, 1.5), "y": (-3, -1.5), "z": (-1, 3), "metric": "cosine", "triangle": False},
    "breaks the triangle": {"x": (3, 0), "y": (1.5, 1.5), "z": (0, 3), "metric": "cosine", "triangle": True},
}


def with_points(state: State, points: Mapping[str, Any]) -> State:
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
    """The entries as floats. Errors: TypeError or ValueError that names the vector."""
    tensor = numbers_of(name, entries, "a vector of numbers such as [1, 2, 3]")
    if tensor.ndim != 1 or not 1 <= len(tensor) <= LONGEST_VECTOR:
        raise ValueError(problem(name, tensor, f"one vector of 1 to {LONGEST_VECTOR} numbers, such as [1, 2, 3]"))
    check_finite(name, tensor, "The lab needs every coordinate.")
    if bool((tensor.abs() > LARGEST_COORDINATE).any()):
        largest = tensor.abs().max().item()
        raise ValueError(problem(name, f"a coordinate of size {largest:g}", f"at most {LARGEST_COORDINATE:g}"))
    return tuple(tensor.tolist())
