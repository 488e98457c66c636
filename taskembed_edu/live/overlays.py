"""What is drawn over a map: each task's trail, the start of the inner loops, and the output of a task's network."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from taskembed_edu.base.checks import problem
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.history import Frame
from taskembed_edu.session.on_the_map import evenly, on_the_map
from taskembed_edu.session.session import Session
from taskembed_edu.tasks.sketch import TaskFit

# The most line segments of all trails of one picture: the page draws them in every animation frame.
MOST_PIECES = 5000

# Why a map has no trails: its main directions are computed anew at every step ("directions"), there are too many tasks
# ("crowd"), this is the first frame ("begun"), no earlier frame has the same view settings ("anew"), or UMAP drew
# another map ("map"). In an exported file also: there was no room ("room"). The page has the sentences for these.
Missing = Literal["", "directions", "crowd", "begun", "anew", "map", "room"]

_FIT_LEVELS = 255


# ---- trails ----------------------------------------------------------------------------------------------------------


def trails(session: Session, frame: Frame, n: int = 12) -> NDArray[np.float32] | None:
    """Each task's earlier places on this frame's map: (n_tasks, m, 2), oldest first, without the present place.

    The trail uses at most n earlier frames, evenly spaced from the first one on, and fewer if the map has many tasks.
    Under PCA the earlier vectors are projected onto this frame's axes, relative to this frame's mean. UMAP has no axes,
    so its trail consists of the earlier layouts, back to the last time UMAP began anew. Frames with other view settings
    are not part of a trail. None if there is no trail.
    """
    n = min(n, _most_places(frame))
    embedder = session.embedder
    if not (embedder.leaves_trails and embedder.steady(frame.settings)) or frame.index == 0 or n < 2:
        return None
    seen = _projected_before(session, frame, n) if frame.projection == "pca" else _shown_before(session, frame, n)
    return np.stack(seen, axis=1, dtype=np.float32) if seen else None


def _most_places(frame: Frame) -> int:
    return MOST_PIECES // max(1, len(frame.layout))


def missing_trails(session: Session, frame: Frame) -> Missing:
    """Why a frame has no trails; call it only if it has none. "" if this embedder never has trails."""
    if not session.embedder.leaves_trails:
        return ""
    if not session.embedder.steady(frame.settings):
        return "directions"
    if _most_places(frame) < 2:
        return "crowd"
    if frame.index == 0:
        return "begun"
    if not _same_view(session, frame):
        return "anew"
    return "begun" if frame.projection == "pca" or _same_umap_map(session, frame) else "map"


def _projected_before(session: Session, frame: Frame, n: int) -> list[Layout]:
    """Earlier vectors, projected onto the frame's axes."""
    if frame.axes is None:
        return []
    earlier = _same_view(session, frame)
    alike = [one.embedding for one in earlier if one.embedding.shape == frame.embedding.shape]
    seen = []
    for k in evenly(len(alike), n):  # one at a time: a dozen frames of weights may take gigabytes
        vectors = alike[k]
        if frame.diverged_tasks:  # diverged vectors may be too large to multiply
            vectors = vectors.copy()
            vectors[list(frame.diverged_tasks)] = 0
        seen.append(on_the_map(frame, vectors))
    return seen


def _shown_before(session: Session, frame: Frame, n: int) -> list[Layout]:
    """The layouts of at most n earlier frames on the same UMAP map."""
    alike = _same_umap_map(session, frame)
    return [alike[k].layout for k in evenly(len(alike), n)]


def _same_umap_map(session: Session, frame: Frame) -> list[Frame]:
    """Earlier frames on the same UMAP map: UMAP has not begun anew since."""

    def map_key(of: Frame) -> tuple[Any, ...]:
        return of.projection, of.umap_restarts, of.diverged_tasks  # with another number of tasks UMAP begins anew

    return [one for one in _same_view(session, frame) if map_key(one) == map_key(frame)]


def _same_view(session: Session, frame: Frame) -> list[Frame]:
    """Earlier frames with the same view settings, so their vectors are comparable: see `Embedder.view_settings`."""
    names = session.embedder.view_settings

    def view_values(of: Frame) -> list[Any]:
        return [getattr(of.settings, name) for name in names]

    mine, earlier = view_values(frame), (session.history[k] for k in range(frame.index))
    # Comparing objects first is fast: most frames share one settings object, and a run has many frames.
    return [one for one in earlier if one.settings is frame.settings or view_values(one) == mine]


def trails_packet(places: NDArray[np.uint16]) -> dict[str, Any]:
    """Trails inside a picture's box, (n_tasks, m, 2), for the page; `n` is the number of places in each."""
    return {"n": places.shape[1], "points": places.tobytes()}


# ---- the start of the inner loops ----------------------------------------------------------------------------------


def start_packet(way: NDArray[np.float32]) -> dict[str, Any]:
    """The way of the start, (m, 2), its present place last: as numbers, since it may lead far out of the box."""
    return {"n": len(way), "points": way.astype("<f4").tobytes()}


def missing_start(frame: Frame) -> dict[str, Any]:
    """What the page gets of a frame that has a start but, drawn by UMAP, no place for it; {} if it has no start."""
    return {} if frame.start is None else {"start": {"n": 0}}


# ---- answers ---------------------------------------------------------------------------------------------------------


def fit_packet(fit: TaskFit, x: tuple[float, float], y: tuple[float, float]) -> dict[str, Any]:
    """The output of each task's own network, for its card; `x` and `y` are the ends of the card's axes."""
    if fit.words is not None:
        return {"kind": "words", "words": [list(words) for words in fit.words]}
    kind, values = answers(fit, x, y)
    return {"kind": kind, "n": values.shape[1], ("classes" if kind == "classes" else "points"): values.tobytes()}


def answers(fit: TaskFit, x: tuple[float, float], y: tuple[float, float]) -> tuple[str, NDArray[np.uint8]]:
    """Classes, or places as 0 ... 255 between the ends of the card's axes: (n_tasks, n).

    A curve has the heights of n points; a path has x and y of n / 2 points, alternating.
    """
    if fit.classes is not None:
        return "classes", fit.classes
    if fit.values is not None:
        return "curve", _levels(fit.values, np.float32(y[0]), np.float32(y[1]))
    if fit.paths is not None:
        low, high = (np.array((x[end], y[end]), np.float32) for end in (0, 1))
        return "path", _levels(fit.paths, low, high).reshape(len(fit.paths), -1)
    raise ValueError(problem("fit", "neither values nor classes nor words nor paths", "what the networks answer"))


def _levels(values: NDArray[np.float32], low: Any, high: Any) -> NDArray[np.uint8]:
    share = np.clip(np.nan_to_num((values - low) / (high - low)), 0, 1)  # NaN: a network that diverged
    return np.rint(share * _FIT_LEVELS).astype(np.uint8)
