"""The state of a DrawingPad: the strokes, or a picture that was opened or chosen, and the pen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_finite, problem
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.labs.distance_readings import numbers_of

# A stroke's points, x to the right and y down, in the unit square of the pad.
Stroke = tuple[tuple[float, float], ...]

MOST_STROKES, MOST_POINTS = 100, 2000
MOST_BYTES = 10_000_000  # of a picture file: a page's message holds no more
_DIGITS = 4  # of a place on the pad: a twentieth of a pixel of a large one
_FILLED = 0.8  # of the pad's side, by strokes that were made to another measure


@dataclass(frozen=True)
class PadSettings(Settings):
    """What can be chosen on the pad."""

    pen: float = setting(
        3.0,
        low=2.0,
        high=4.0,
        step=0.25,
        label="Pen",
        help="How wide the pen's line is, in pixels of the picture that the network sees. It is 28 pixels wide.",
    )


@dataclass(frozen=True)
class Opened:
    """A picture that nobody drew on the pad: a file's bytes, or a letter of the palette (its index)."""

    name: str
    data: bytes = b""
    letter: int = -1


@dataclass(frozen=True)
class PadState:
    """The pad's whole state. `opened` is None where the strokes count."""

    strokes: tuple[Stroke, ...] = ()
    opened: Opened | None = None
    settings: PadSettings = PadSettings()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing on the pad."""
        return self.opened is None and not self.strokes


def strokes_of(given: Any, name: str = "strokes") -> tuple[Stroke, ...]:
    """Strokes as a learner gives them, each (n, 2); a drawing to another measure is fitted into the pad as a whole.

    Errors: TypeError or ValueError for what is no list of strokes, for NaN, and for more than a hand draws.
    """
    expected = "a list of strokes, each of points (x, y): [[(0.2, 0.2), (0.8, 0.8)]]"
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(problem(name, repr(given) if isinstance(given, (str, bytes)) else given, expected))
    strokes = [_stroke(f"{name}[{k}]", points) for k, points in enumerate(given)]
    if len(strokes) > MOST_STROKES or any(len(points) > MOST_POINTS for points in strokes):
        longest = max(map(len, strokes))
        most = f"at most {MOST_STROKES} strokes of at most {MOST_POINTS} points"
        raise ValueError(problem(name, f"{len(strokes)} strokes, the longest of {longest} points", most))
    return tuple(tuple(map(_place, points.tolist())) for points in _fitted(strokes))


def _place(point: list[float]) -> tuple[float, float]:
    return round(point[0], _DIGITS), round(point[1], _DIGITS)


def _stroke(name: str, points: Any) -> Tensor:
    tensor = numbers_of(name, points, "points (x, y), such as [(0.2, 0.2), (0.8, 0.8)]")
    if tensor.ndim != 2 or tensor.shape[1] != 2 or not len(tensor):
        cause = "Strokes are a list of lists of points: one stroke is [[(0.2, 0.2), (0.8, 0.8)]]."
        raise ValueError(problem(name, tensor, "points (x, y) in rows, shape (n, 2)", cause))
    return check_finite(name, tensor, "Every point needs its place.")


def _fitted(strokes: list[Tensor]) -> list[Tensor]:
    """The strokes as they are where all lie on the pad; else made smaller or larger, and put into its middle."""
    if not strokes:
        return strokes
    every = torch.cat(strokes)
    low, high = every.amin(dim=0), every.amax(dim=0)
    if bool((low >= 0).all()) and bool((high <= 1).all()):
        return strokes
    scale = _FILLED / max(float((high - low).max()), 1e-9)
    return [(points - (low + high) / 2) * scale + 0.5 for points in strokes]


def joined(strokes: tuple[Stroke, ...], more: tuple[Stroke, ...]) -> tuple[Stroke, ...]:
    """These strokes and more. Errors: ValueError for more than a pad holds."""
    if len(strokes) + len(more) > MOST_STROKES:
        came = f"{len(strokes) + len(more)} strokes"
        raise ValueError(problem("strokes", came, f"at most {MOST_STROKES}", "Clear the pad, and draw one letter."))
    return strokes + more
