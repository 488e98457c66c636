"""The data of a picture of one task: all that the drawing code needs, and nothing about how it is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value

# At most so many images stand for a task on the map: more would be too small to be known.
MOST_TILES = 4

SketchKind = Literal["", "curve", "scatter", "images", "words", "names", "drawing"]

# The role of a line or a word decides its colour: an axis is "soft", the truth has the blue of "Nearest in truth".
Tone = Literal["ink", "soft", "truth", "answer"]


@dataclass(frozen=True)
class Line:
    """A line through points (x, y) in the sketch's axes; a single point is a dot."""

    points: Sequence[tuple[float, float]]
    tone: Tone = "ink"
    dashed: bool = False


@dataclass(frozen=True)
class Label:
    """A short text at (x, y) in the sketch's axes."""

    x: float
    y: float
    text: str
    tone: Tone = "ink"
    align: Literal["left", "center", "right"] = "left"


@dataclass(frozen=True)
class Drawing:
    """A picture of one task, made of lines and texts. `spoken` describes it for screen readers."""

    lines: tuple[Line, ...] = ()
    labels: tuple[Label, ...] = ()
    spoken: str = ""


@compared_by_value
@dataclass(frozen=True)
class TaskSketch:
    """Pictures of n tasks, one row per task. `kind` says which of the fields are set; "" means no picture.

    - "curve": `points` (n, n_points, 2), the support set as x and y, and `curve` (n, n_curve), the true values of y
      over n_curve evenly spaced x from one end of `x` to the other.
    - "scatter": `points` (n, n_points, 2), and `classes` (n, n_points), which class each point belongs to.
    - "images": `images` (n, n_images, height, width) in [0, 1], and `classes` (n, n_images), what each one shows: a
      number, or, with `class_names`, the index of its name among those of its task. `thumbnail` says which of a task's
      images stand for it on the map: at most four, in a square; None: the first of each class, () none.
    - "words": `words`, for each task a few rows (the same numbers for all): a number, its word in the language's
      script, and the word in plain letters; and `shown`, whether the support set contains each of these numbers.
    - "names": `words`, for each task a few rows, sorted by language: a language, a name in its script, and the name in
      plain letters.
    - "drawing": `drawings`, a picture of each task in lines and words, for tasks that fit none of the above. One unit
      of x is drawn as long as one unit of y.

    `x` and `y` are the ends of the axes, the same for all tasks, so that two tasks drawn side by side can be compared.
    """

    kind: SketchKind = ""
    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)
    points: Tensor | None = None
    curve: Tensor | None = None
    classes: Tensor | None = None
    images: Tensor | None = None
    class_names: tuple[tuple[str, ...], ...] | None = None
    thumbnail: tuple[int, ...] | None = None
    words: tuple[tuple[tuple[str, str, str], ...], ...] | None = None
    shown: tuple[tuple[bool, ...], ...] | None = None
    drawings: tuple[Drawing, ...] | None = None

    @property
    def on_map(self) -> tuple[int, ...]:
        """The positions of the images that stand for a task on the map, at most four; () where there are none."""
        if self.images is None or self.thumbnail is not None:
            return (self.thumbnail or ())[:MOST_TILES]
        if self.classes is None:
            return (0,)
        # A class begins in all tasks at once, where each has as many images of it; else one image must do.
        begins = (self.classes[:, 1:] != self.classes[:, :-1]).float().mean(dim=0)
        if bool(((begins > 0) & (begins < 1)).any()):
            return (0,)
        return (0, *(int(k) + 1 for k in begins.nonzero()))[:MOST_TILES]

    def thumbnails(self) -> Tensor | None:
        """A small picture of each task, (n, height, width) in [0, 1]: its images `on_map`, side by side in a square.

        Three images leave one corner empty. None where no image stands for a task. Worked number: four pictures of
        28 x 28 make one of 56 x 56.
        """
        if self.images is None or not self.on_map:
            return None
        n, _, height, width = self.images.shape
        side = tile_side(len(self.on_map))
        square = self.images.new_zeros(n, side * height, side * width)
        for k, at in enumerate(self.on_map):
            row, column = divmod(k, side)
            square[:, row * height : (row + 1) * height, column * width : (column + 1) * width] = self.images[:, at]
        return square


def tile_side(n_tiles: int) -> int:
    """How many of so many pictures stand in a row of their square: 1 of one, 2 of two to four."""
    return math.ceil(math.sqrt(n_tiles))


@compared_by_value
@dataclass(frozen=True)
class TaskFit:
    """The outputs of each task's own network, in the form of the family's sketch; one row per task.

    - beside "curve": `values` (n, n_values), float32, its y over evenly spaced x from one end of the axis to the other;
    - beside "scatter", "images" and "names": `classes` (n, n_points), uint8, which class it gives each point, picture
      or name;
    - beside "words": `words`, n rows of one word for each number of the sketch;
    - beside "drawing": `paths` (n, n_points, 2), float32, a line in the sketch's axes, drawn over the sketch.
    """

    values: NDArray[np.float32] | None = None
    classes: NDArray[np.uint8] | None = None
    words: tuple[tuple[str, ...], ...] | None = None
    paths: NDArray[np.float32] | None = None
