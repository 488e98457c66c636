"""What lies over a picture: the way that each task has gone, and what its own network answers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from taskembed_edu.base.checks import problem
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session
from taskembed_edu.tasks.sketch import TaskFit

# Pieces of all trails of one picture, which the page draws anew in every animation frame.
MOST_PIECES = 5000

# Why a map has no trails: main directions are found anew at every step, there are too many tasks, this is where they
# start, other numbers are looked at than in any frame before, or UMAP drew another map. Of an exported file also: there
# was no room for them. The words for it are the page's.
Missing = Literal["", "directions", "crowd", "begun", "anew", "map", "room"]

_FIT_LEVELS = 255


# ---- trails ----------------------------------------------------------------------------------------------------------


def trails(session: Session, frame: Frame, n: int = 12) -> NDArray[np.float32] | None:
    """Where each task came from, on this frame's map: (n_tasks, m, 2), oldest first, without where it is now.

    At most n earlier frames, evenly spaced from the first one on, and fewer where the map has many tasks. PCA sees the
    earlier vectors along the frame's own axes, from the frame's own middle; UMAP has no axes, so that its trail leads
    through the maps that were shown, as far back as they are of one piece. Frames whose vectors were looked at in
    another way, by other settings, are no part of it. None where there is no trail.
    """
    n = min(n, _most_places(frame))
    embedder = session.embedder
    if not (embedder.leaves_trails and embedder.steady(frame.settings)) or frame.index == 0 or n < 2:
        return None
    seen = _seen_along(session, frame, n) if frame.projection == "pca" else _shown_before(session, frame, n)
    return np.stack(seen, axis=1, dtype=np.float32) if seen else None


def _most_places(frame: Frame) -> int:
    return MOST_PIECES // max(1, len(frame.layout))


def missing_trails(session: Session, frame: Frame) -> Missing:
    """Why a frame has no trails, asked only where it has none; "" where this embedder's tasks never leave any."""
    if not session.embedder.leaves_trails:
        return ""
    if not session.embedder.steady(frame.settings):
        return "directions"
    if _most_places(frame) < 2:
        return "crowd"
    if frame.index == 0:
        return "begun"
    if not _looked_at_alike(session, frame):
        return "anew"
    return "begun" if frame.projection == "pca" or _of_one_piece(session, frame) else "map"


def _seen_along(session: Session, frame: Frame, n: int) -> list[Layout]:
    """Earlier vectors along the frame's axes."""
    if frame.axes is None:
        return []
    centre = np.delete(frame.embedding, frame.diverged_tasks, axis=0).mean(axis=0)
    earlier = _looked_at_alike(session, frame)
    alike = [one.embedding for one in earlier if one.embedding.shape == frame.embedding.shape]
    middle = centre @ frame.axes
    seen = []
    for k in evenly(len(alike), n):  # one by one: a dozen sets of weights at once may be gigabytes
        vectors = alike[k]
        if frame.diverged_tasks:  # what has diverged may be too large to be seen along anything
            vectors = vectors.copy()
            vectors[list(frame.diverged_tasks)] = 0
        seen.append(vectors @ frame.axes - middle)
    return seen


def _shown_before(session: Session, frame: Frame, n: int) -> list[Layout]:
    """Earlier maps that flowed into this one, at most n."""
    alike = _of_one_piece(session, frame)
    return [alike[k].layout for k in evenly(len(alike), n)]


def _of_one_piece(session: Session, frame: Frame) -> list[Frame]:
    """Earlier frames on the same UMAP map: it was not begun anew since."""

    def piece(of: Frame) -> tuple[Any, ...]:
        return of.projection, of.umap_restarts, of.diverged_tasks  # with another number of tasks UMAP begins anew

    return [one for one in _looked_at_alike(session, frame) if piece(one) == piece(frame)]


def _looked_at_alike(session: Session, frame: Frame) -> list[Frame]:
    """Earlier frames whose vectors stand for the same as this one's: see `Embedder.view_settings`."""
    names = session.embedder.view_settings

    def look(of: Frame) -> list[Any]:
        return [getattr(of.settings, name) for name in names]

    mine, earlier = look(frame), (session.history[k] for k in range(frame.index))
    # Nearly always it is the same object, and a run has many frames.
    return [one for one in earlier if one.settings is frame.settings or look(one) == mine]


def evenly(n: int, most: int) -> list[int]:
    """At most so many of 0 ... n - 1, evenly spaced, with the first and the last.

    >>> evenly(9, 5), evenly(2, 5), evenly(0, 5)
    ([0, 2, 4, 6, 8], [0, 1], [])
    """
    return np.linspace(0, n - 1, min(n, most)).round().astype(int).tolist()


def trails_packet(places: NDArray[np.uint16]) -> dict[str, Any]:
    """Trails inside a picture's box, (n_tasks, m, 2): `n` is how many places each one has."""
    return {"n": places.shape[1], "points": places.tobytes()}


# ---- answers ---------------------------------------------------------------------------------------------------------


def fit_packet(fit: TaskFit, x: tuple[float, float], y: tuple[float, float]) -> dict[str, Any]:
    """What each task's own network answers, in the look of its card; `x` and `y` are the ends of the card's axes."""
    if fit.words is not None:
        return {"kind": "words", "words": [list(words) for words in fit.words]}
    kind, values = answers(fit, x, y)
    return {"kind": kind, "n": values.shape[1], ("classes" if kind == "classes" else "points"): values.tobytes()}


def answers(fit: TaskFit, x: tuple[float, float], y: tuple[float, float]) -> tuple[str, NDArray[np.uint8]]:
    """Classes, or places as 0 ... 255 between the ends of the card's axes: (n_tasks, n).

    Of a curve the heights of n points, of a path x and y of n / 2 points in turn.
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
    share = np.clip(np.nan_to_num((values - low) / (high - low)), 0, 1)  # a network that diverged says nothing
    return np.rint(share * _FIT_LEVELS).astype(np.uint8)
