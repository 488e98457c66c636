"""What one task looks like, in numbers: enough for whoever draws it, and nothing of how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

SketchKind = Literal["", "curve", "scatter", "images"]


@dataclass(frozen=True)
class TaskSketch:
    """The look of n tasks, one row a task. `kind` says which of the fields there are; "" says that there is none.

    - "curve": `points` (n, n_points, 2), the support set as x and y, and `curve` (n, n_curve), the true values of y
      over n_curve evenly spaced x from one end of `x` to the other.
    - "scatter": `points` (n, n_points, 2), and `classes` (n, n_points), which class each point belongs to.
    - "images": `images` (n, n_images, height, width) in [0, 1], and `classes` (n, n_images), what each one shows.

    `x` and `y` are the ends of the axes, the same for all tasks, so that two tasks drawn side by side can be compared.
    """

    kind: SketchKind = ""
    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)
    points: Tensor | None = None
    curve: Tensor | None = None
    classes: Tensor | None = None
    images: Tensor | None = None
