"""The tasks' own pictures in place of their points, on a map that is drawn: those that have room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from taskembed_edu.figures.colours import MARKERS, Colouring

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from taskembed_edu.projection.umap_steps import Layout
    from taskembed_edu.session.session import Session

# A map of more tasks has no room for pictures that can be known.
MOST_PICTURES = 200
SIDE = 24.0  # of a picture, in points of print
_EDGE = 1.6  # the width of its edge, in points


def thumbnails_of(session: Session) -> NDArray[np.float32] | None:
    """Each task's picture, (n, height, width), ink is 1; None if its family has none, or the tasks are too many."""
    tasks = session.tasks
    if len(tasks) > MOST_PICTURES:
        return None
    pictures = session.split.validation.sketch(tasks).thumbnails()
    return None if pictures is None else pictures.float().numpy()


def draw_pictures(
    axes: Axes, layout: Layout, shown: NDArray[np.bool_], colouring: Colouring, pictures: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Draw a picture of each task that has room, edged in its colour; which tasks have one, (n,).

    The axes' place must be final: see `snapshots`. A picture that would meet an earlier one is left out, its point
    stays.
    """
    pixels = (SIDE + 2 * _EDGE + 2) * axes.figure.dpi / 72
    places = axes.transData.transform(layout)
    box = axes.get_window_extent().padded(-pixels / 2)
    inside = np.array([box.contains(x, y) for x, y in places])
    has = with_room(places, pixels, shown & inside)
    for task in np.flatnonzero(has):
        zoom = SIDE / max(pictures.shape[1:])
        image = OffsetImage(pictures[task], zoom=zoom, cmap="gray_r", dpi_cor=True, interpolation="antialiased")
        image.image.set_clim(0, 1)
        edge = {"edgecolor": colouring.rgb[task] / 255, "linewidth": _EDGE, "facecolor": "white"}
        boxed = AnnotationBbox(image, (layout[task, 0], layout[task, 1]), pad=0.05, bboxprops=edge, zorder=2.5)
        boxed.set_in_layout(False)
        axes.add_artist(boxed)
    for shape in np.unique(colouring.shapes):  # small, over the pictures that would hide them
        bare = shown & ~has & (colouring.shapes == shape)
        axes.scatter(
            layout[bare, 0], layout[bare, 1], c=colouring.rgb[bare] / 255, s=8, marker=MARKERS[shape], zorder=3
        )
    return has


def with_room(places: NDArray[np.float64], apart: float, shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of these places (n, 2), in order, are at least `apart` along x or y from all that were taken before.

    Worked number: of places at x = 0, 1, 2 on a line, with 1.5 apart, the first and the last are taken.
    """
    has = np.zeros(len(places), dtype=bool)
    for task in np.flatnonzero(shown):
        has[task] = not (np.abs(places[has] - places[task]).max(axis=1) < apart).any()
    return has
