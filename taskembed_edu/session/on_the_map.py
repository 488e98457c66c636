"""Where other vectors than the tasks' lie on a frame's PCA map: earlier ones, and the start of an inner loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from taskembed_edu.base.checks import problem
from taskembed_edu.session.history import Frame
from taskembed_edu.session.looking import RunView

Places = NDArray[np.float32]


def on_the_map(frame: Frame, vectors: NDArray[np.floating]) -> Places:
    """Vectors (..., dim) on the axes of this frame's PCA map, relative to its mean: (..., 2).

        place = (v - mean) V

    Errors: ValueError for a frame that PCA has not drawn. Worked number: the frame's own vectors lie where its layout
    has them.
    """
    if frame.axes is None:
        raise ValueError(problem("frame", f"drawn by {frame.projection}", "one that PCA has drawn: it alone has axes"))
    centre = np.delete(frame.embedding, frame.diverged_tasks, axis=0).mean(axis=0)
    # The mean is projected too, and not taken from each vector: a dozen frames of weights may take gigabytes.
    return np.asarray(vectors @ frame.axes - centre @ frame.axes, np.float32)


def start_way(run: RunView, frame: Frame, n: int = 12) -> Places | None:
    """The way of the inner loops' start on this frame's map, (m, 2): oldest first, its present place last.

    At most n earlier frames, evenly spaced from the first one on, and the frame itself; a start that has never moved
    is one place. None where the embedder learns no start, or where UMAP, which has no axes, has drawn the map.
    """
    if frame.start is None or frame.axes is None or frame.projection != "pca":
        return None
    before = [run.history[k].start for k in evenly(frame.index, n)]
    alike = [start for start in before if start is not None and start.shape == frame.start.shape]
    seen = np.stack([*alike, frame.start])
    return on_the_map(frame, seen if (seen != frame.start).any() else seen[-1:])


def evenly(n: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 ... n - 1, evenly spaced, with the first and the last.

    >>> evenly(9, 5), evenly(2, 5), evenly(0, 5)
    ([0, 2, 4, 6, 8], [0, 1], [])
    """
    return np.linspace(0, n - 1, min(n, most)).round().astype(int).tolist()
