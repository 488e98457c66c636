"""What one task looks like, in numbers: enough for whoever draws it, and nothing of how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

SketchKind = Literal["", "curve", "scatter", "images", "words", "drawing"]

# What a line or a word means decides its colour: an axis is "soft", what is true has the blue of "Nearest in truth".
Tone = Literal["ink", "soft", "truth", "answer"]


@dataclass(frozen=True)
class Line:
    """A line through points (x, y) in the sketch's axes; one point alone is a dot."""

    points: Sequence[tuple[float, float]]
    tone: Tone = "ink"
    dashed: bool = False


@dataclass(frozen=True)
class Label:
    """A few words, on the line through (x, y) in the sketch's axes."""

    x: float
    y: float
    text: str
    tone: Tone = "ink"
    align: Literal["left", "center", "right"] = "left"


@dataclass(frozen=True)
class Drawing:
    """A picture of one task, of lines and words. `spoken` says it to those who do not see it."""

    lines: tuple[Line, ...] = ()
    labels: tuple[Label, ...] = ()
    spoken: str = ""


@dataclass(frozen=True)
class TaskSketch:
    """The look of n tasks, one row a task. `kind` says which of the fields there are; "" says that there is none.

    - "curve": `points` (n, n_points, 2), the support set as x and y, and `curve` (n, n_curve), the true values of y
      over n_curve evenly spaced x from one end of `x` to the other.
    - "scatter": `points` (n, n_points, 2), and `classes` (n, n_points), which class each point belongs to.
    - "images": `images` (n, n_images, height, width) in [0, 1], and `classes` (n, n_images), what each one shows.
    - "words": `words`, for each task the same few rows of a number, its word as the language writes it, and the word in
      plain letters; and `shown`, whether the support set shows the task each of these numbers.
    - "drawing": `drawings`, a picture of each task in lines and words, for tasks that none of the above fits. One unit
      of x is drawn as long as one of y.

    `x` and `y` are the ends of the axes, the same for all tasks, so that two tasks drawn side by side can be compared.
    """

    kind: SketchKind = ""
    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)
    points: Tensor | None = None
    curve: Tensor | None = None
    classes: Tensor | None = None
    images: Tensor | None = None
    words: tuple[tuple[tuple[str, str, str], ...], ...] | None = None
    shown: tuple[tuple[bool, ...], ...] | None = None
    drawings: tuple[Drawing, ...] | None = None


@dataclass(frozen=True)
class TaskFit:
    """What a network of each task's own answers, in the look of the family's sketch; one row a task.

    - beside "curve": `values` (n, n_values), float32, its y over evenly spaced x from one end of the axis to the other;
    - beside "scatter" and "images": `classes` (n, n_points), uint8, which class it gives each point or picture;
    - beside "words": `words`, n rows of one word for each number of the sketch;
    - beside "drawing": `paths` (n, n_points, 2), float32, a line in the sketch's axes, which is drawn over it.
    """

    values: NDArray[np.float32] | None = None
    classes: NDArray[np.uint8] | None = None
    words: tuple[tuple[str, ...], ...] | None = None
    paths: NDArray[np.float32] | None = None
