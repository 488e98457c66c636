"""Rows of small pictures, each row with its name: an episode as a hall sees it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.checks import problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.figures.captions import as_written
from taskembed_edu.figures.plots import Still
from taskembed_edu.figures.rows import FONT, PROJECTED

# In inches: as wide as the other figures of a lesson, and no picture larger than this.
_WIDE, _LARGEST = PROJECTED[0], 1.6
_MOST = 30


@short_errors
def pictures_figure(rows: Mapping[str, Tensor]) -> Still:
    """Pictures in rows, {name of the row: pictures (n, height, width), or with one channel}; ink is 1.

    Errors: ValueError for no row, or more than 30 pictures in one; TypeError for rows without names.
    """
    if not isinstance(rows, Mapping):
        raise TypeError(problem("rows", f"a {type(rows).__name__}", "pictures by the name of their row"))
    drawn = {name: pictures_of(f"row {name}", pictures) for name, pictures in rows.items()}
    if not drawn:
        raise ValueError(problem("rows", "none", "at least one row of pictures by its name"))
    if (most := max(map(len, drawn.values()))) > _MOST:
        raise ValueError(problem("rows", f"{most} pictures in a row", f"at most {_MOST}", "More would be too small."))
    side = min(_LARGEST, _WIDE / most)
    figure = Still(figsize=(_WIDE, (side + 0.3) * len(drawn)), layout="constrained")
    panels = figure.subplots(len(drawn), 1, squeeze=False)[:, 0]
    for panel, (name, pictures) in zip(panels, drawn.items(), strict=True):
        for k, picture in enumerate(pictures):
            panel.imshow(picture, cmap="gray_r", vmin=0, vmax=1, extent=(k + 0.03, k + 0.97, 0.97, 0.03))
        panel.set(xlim=(0, max(most, _WIDE / _LARGEST)), ylim=(1, 0), aspect="equal", xticks=[], yticks=[])
        panel.set_title(as_written(name), fontsize=FONT, loc="left")
        panel.spines[:].set_visible(False)
    return figure


def pictures_of(argument: str, pictures: Tensor) -> NDArray[np.float32]:
    """Pictures (n, height, width), or with one channel, as an array. Errors: TypeError, ValueError for other shapes."""
    if not isinstance(pictures, Tensor):
        raise TypeError(problem(argument, f"a {type(pictures).__name__}", "pictures in a tensor, (n, height, width)"))
    flat = pictures.squeeze(1) if pictures.ndim == 4 and pictures.shape[1] == 1 else pictures
    if flat.ndim != 3 or not len(flat):
        raise ValueError(problem(argument, pictures, "pictures, (n, height, width)"))
    found: NDArray[np.float32] = flat.detach().cpu().float().numpy()
    return found
