"""The initial points of a LossLab: the course's example, the presets, and the user's own points.

Points of more than two dimensions are mapped into the plane only if they and the origin lie in one plane, as the
course's three vectors do. This map is an isometry: it keeps all Euclidean distances, lengths and angles.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_finite, problem
from taskembed_edu.base.settings import as_python
from taskembed_edu.labs.distance_readings import numbers_of
from taskembed_edu.labs.distance_words import tidy
from taskembed_edu.labs.loss_steps import Point

MAX_POINTS = 12
MAX_CLASSES = 8
FARTHEST = 1e6  # squares of larger coordinates lose their decimals, and the plane is too large to draw
FLAT = 1e-9  # how far points may be from their plane, relative to the largest entry


@dataclass(frozen=True)
class Mark:
    """A text beside a place, shown until a point is moved."""

    at: Point
    text: str


@dataclass(frozen=True)
class Scene:
    """Points with their classes and names, and the settings that belong to them."""

    title: str
    points: tuple[Point, ...]
    labels: tuple[int, ...]
    names: tuple[str, ...]
    note: str = ""
    settings: dict[str, Any] = field(default_factory=dict, hash=False)
    marks: tuple[Mark, ...] = ()
    laid: bool = False  # mapped from more dimensions: this changed the Manhattan distances


COURSE_VECTORS = ((1, 2, 3), (2, 3, 4), (4, 5, 6))


def in_plane(points: Sequence[Sequence[float]] | Tensor) -> tuple[Point, ...]:
    """The points (n, dim) as points of the plane; if dim is 3 or more, by an isometry that keeps the origin.

    The first axis runs from the first point to the second. Raises if the points and the origin span more than a plane.

    The course's vectors lie on one line at 0, sqrt(3) and 3 sqrt(3), and keep their distance from the origin:

    >>> [(round(x - 2 * 3**0.5, 4) + 0.0, round(y, 4)) for x, y in in_plane([[1, 2, 3], [2, 3, 4], [4, 5, 6]])]
    [(0.0, 1.4142), (1.7321, 1.4142), (5.1962, 1.4142)]
    """
    rows = _rows(points)
    if rows.shape[1] == 2:
        return _pairs_of(rows)
    scale = max(1.0, float(rows.abs().max()))
    axes = torch.linalg.svd(rows, full_matrices=False).Vh[:2]
    flat = rows @ axes.T
    if float((flat @ axes - rows).abs().max()) > FLAT * scale:
        cause = "Two dimensions can be drawn; embed into two, or give three vectors on one line."
        raise ValueError(problem("points", points, "points that lie in one plane with the origin", cause))
    laid = _turned(flat, scale)
    return _pairs_of(_aligned(laid))


def own_scene(
    points: Sequence[Sequence[float]] | Tensor, labels: Sequence[int] | Tensor | None, names: Sequence[str] | None
) -> Scene:
    """The user's points, checked; without `names` they get the names A1, A2, B1, ... by class."""
    rows = _rows(points)
    if labels is None:
        raise ValueError(problem("labels", "none", f"{len(rows)} class numbers", "A loss needs to know who is alike."))
    classes = [_whole(label) for label in (labels.tolist() if isinstance(labels, Tensor) else labels)]
    if len(classes) != len(rows):
        raise ValueError(problem("labels", f"{len(classes)} labels", f"{len(rows)}: one class for each point"))
    if len(set(classes)) > MAX_CLASSES:
        raise ValueError(problem("labels", f"{len(set(classes))} classes", f"at most {MAX_CLASSES}, to tell apart"))
    called = tuple(map(str, names)) if names is not None else _names(classes)
    if len(called) != len(rows) or len(set(called)) != len(called):
        raise ValueError(problem("names", list(called), f"{len(rows)} names, each once"))
    count = f"{len(rows)} points of {len(set(classes))} " + ("class" if len(set(classes)) == 1 else "classes")
    return Scene(count, in_plane(points), tuple(classes), called, laid=rows.shape[1] > 2)


def checked_point(name: str, place: Sequence[float] | Tensor) -> Point:
    """A place in the plane as two floats."""
    at = numbers_of(name, place, "two numbers such as (1, 2)")
    if at.shape != (2,):
        raise ValueError(problem(name, place, "two numbers such as (1, 2)"))
    return _pairs_of(_within(name, at[None]))[0]


def _rows(points: Sequence[Sequence[float]] | Tensor) -> Tensor:
    rows = numbers_of("points", points, "rows of numbers, all equally long")
    if rows.ndim != 2 or rows.shape[1] < 2:
        raise ValueError(problem("points", rows, "one row for each point, of two numbers or more: shape (n, dim)"))
    if not 2 <= len(rows) <= MAX_POINTS:
        raise ValueError(problem("points", f"{len(rows)} points", f"2 to {MAX_POINTS}, so that each can be seen"))
    return _within("points", rows)


def _within(name: str, rows: Tensor) -> Tensor:
    check_finite(name, rows, "The lab needs every coordinate.")
    if bool((rows.abs() > FARTHEST).any()):
        raise ValueError(problem(name, f"a coordinate of size {rows.abs().max():g}", f"at most {FARTHEST:g}"))
    return rows


def _whole(label: Any) -> int:
    label = as_python(label)  # one of an array or a tensor too
    if isinstance(label, bool) or not isinstance(label, (int, float)) or not float(label).is_integer():
        came = repr(label) if isinstance(label, str) else label
        cause = "A column of labels is one list: labels.ravel()." if isinstance(label, list) else ""
        raise TypeError(problem("labels", came, "whole numbers, one class number for each point", cause))
    return int(label)


def _turned(flat: Tensor, scale: float) -> Tensor:
    """Points (n, 2), rotated so that the second is right of the first, and mirrored so that the first y is positive."""
    ways = [flat[1] - flat[0], flat[0], torch.tensor([1.0, 0.0], dtype=flat.dtype)]
    way = next(way for way in ways if float(way.norm()) > FLAT * scale)
    cos, sin = (way / way.norm()).tolist()
    turned = flat @ torch.tensor([[cos, -sin], [sin, cos]], dtype=flat.dtype)
    up = turned[:, 1][turned[:, 1].abs() > FLAT * scale]
    return turned * torch.tensor([1.0, -1.0]) if len(up) and float(up[0]) < 0 else turned


def _aligned(laid: Tensor) -> Tensor:
    """Make coordinates equal that differ only by rounding: the Manhattan gradient is a sign and would show it."""
    scale = max(1.0, float(laid.abs().max()))
    same = (laid[:, None, :] - laid[None, :, :]).abs() <= FLAT * scale
    return laid.gather(0, same.int().argmax(1))  # the first point that has this coordinate


def _pairs_of(rows: Tensor) -> tuple[Point, ...]:
    return tuple((x + 0.0, y + 0.0) for x, y in rows.tolist())


def _names(classes: Sequence[int]) -> tuple[str, ...]:
    """A1, A2, B1, ...: a letter for each class in the order of its number, counted within the class."""
    letters = dict(zip(sorted(set(classes)), string.ascii_uppercase, strict=False))
    return tuple(f"{letters[c]}{1 + classes[:i].count(c)}" for i, c in enumerate(classes))


def _course() -> Scene:
    points = in_plane(COURSE_VECTORS)
    texts = ("0", "√3 = " + tidy(3**0.5), "3√3 = " + tidy(27**0.5))
    return Scene(
        "course example",
        points,
        (0, 0, 1),
        ("anchor", "positive", "negative"),
        "The vectors [1,2,3], [2,3,4] and [4,5,6] are those of the document, a short Chinese text on task "
        "embeddings. They lie on one line: at 0, √3 and 3√3 from the anchor.",
        {"loss": "contrastive", "metric": "euclidean", "margin": 1.0, "mining": "all", "anchors": "first"},
        tuple(Mark(at, text) for at, text in zip(points, texts, strict=True)),
        laid=True,
    )


def _scene(title: str, note: str, points: Sequence[Point], names: Sequence[str], labels: str, **settings: Any) -> Scene:
    return Scene(title, tuple(points), tuple(int(c) for c in labels), tuple(names), note, settings)


SCENES: dict[str, Scene] = {
    scene.title: scene
    for scene in (
        _course(),
        _scene(
            "hard and semi-hard",
            "One anchor, one positive, three negatives. One is nearer than the positive (hard). One is farther, but "
            "inside the margin (semi-hard). One is beyond the margin (easy).",
            [(2.0, 2.0), (3.5, 2.0), (1.6, 3.0), (2.8, 0.2), (5.4, 2.9)],
            ["anchor", "positive", "negative 1", "negative 2", "negative 3"],
            "00111",
            loss="triplet",
            metric="euclidean",
            margin=1.0,
            mining="all",
            anchors="first",
        ),
        _scene(
            "two classes",
            "Two classes are mixed. Follow the summed forces while the classes move apart.",
            [(1.0, 1.0), (3.2, 1.6), (1.8, 3.1), (2.2, 1.9), (4.0, 3.4), (4.1, 0.6)],
            ["A1", "A2", "A3", "B1", "B2", "B3"],
            "000111",
            anchors="every",
        ),
        _scene(
            "three classes",
            "Three classes of two points. How large can the margin be before the classes have no more room?",
            [(1.0, 1.2), (3.4, 2.4), (2.1, 3.3), (2.6, 0.8), (4.2, 1.4), (1.5, 2.2)],
            ["A1", "A2", "B1", "B2", "C1", "C2"],
            "001122",
            anchors="every",
        ),
    )
}
