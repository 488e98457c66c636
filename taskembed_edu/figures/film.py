"""A run as a GIF: its map, frame by frame, with step and settings. It plays in a slide and in a mail."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from taskembed_edu.base.progress import counted
from taskembed_edu.figures.captions import as_written, caption
from taskembed_edu.figures.colours import DARK
from taskembed_edu.figures.snapshots import draw_map
from taskembed_edu.session.on_the_map import start_way

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from taskembed_edu.session.history import Frame
    from taskembed_edu.session.session import Session

# Milliseconds that a picture is shown, and the last one, before the film begins again.
_SHOWN_MS, _LAST_MS = 120, 1500
_INCHES, _DPI = (6.4, 5.6), 110
_EDGE = 0.05  # of the map's size, on each side

Ends = tuple["NDArray[np.float32]", "NDArray[np.float32]"]


def gif(session: Session, frames: Sequence[Frame], column: int | None = None) -> bytes:
    """These frames of the session's map as an animated GIF that begins again at its end; one frame: a still picture.

    `column` of the tasks' true parameters gives the colours (None: one colour). All frames of one projection share one
    scale, so a map that grows or collapses is seen to do so.
    """
    scales = {
        name: _ends(session, [frame for frame in frames if frame.projection == name]) for name in _projections(frames)
    }
    pictures = []
    for done in counted(len(frames), "picture"):
        frame = frames[done]
        pictures.append(_picture(session, frame, column, scales[frame.projection]))
    memory = io.BytesIO()
    shown = [_SHOWN_MS] * (len(pictures) - 1) + [_LAST_MS]
    pictures[0].save(memory, "GIF", save_all=True, append_images=pictures[1:], duration=shown, loop=0)
    return memory.getvalue()


def _projections(frames: Sequence[Frame]) -> set[str]:
    return {frame.projection for frame in frames}


def _ends(session: Session, frames: Sequence[Frame]) -> Ends:
    """The lower and the upper corner of a square round all tasks in these frames and the start of their inner loops.

    Diverged tasks do not count.
    """
    starts = [way[-1:] for frame in frames if (way := start_way(session, frame)) is not None]
    places = np.concatenate([*(np.delete(frame.layout, frame.diverged_tasks, axis=0) for frame in frames), *starts])
    low, high = places.min(axis=0), places.max(axis=0)
    half = (0.5 + _EDGE) * max(float((high - low).max()), 1e-6)
    middle = (low + high) / 2
    return middle - half, middle + half


def _picture(session: Session, frame: Frame, column: int | None, scale: Ends) -> Image.Image:
    figure = Figure(figsize=_INCHES, layout="constrained", dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    draw_map(axes, session, frame, column)
    (left, bottom), (right, top) = scale
    axes.set_aspect("equal", adjustable="box")
    axes.set(xlim=(left, right), ylim=(bottom, top))
    figure.supxlabel(textwrap.fill(as_written(caption(session, frame)), 90), fontsize=8, color=DARK)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE)
