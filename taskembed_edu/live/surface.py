"""The loss over the start for the page, where a run's learner has two parameters: the surface, and what lies on it.

A surface depends on settings and tasks alone: it is sent when they change. What moves with the run (the start, its way,
the ends of the inner loops) is a part of each picture, four bytes a place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from taskembed_edu.adaptation.surface import RANGES
from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.figures.colours import SURFACE, WAYS
from taskembed_edu.session.history import Frame
from taskembed_edu.session.on_the_map import evenly
from taskembed_edu.session.session import Session
from taskembed_edu.session.surface import (
    method_under,
    optima_of,
    surface_of,
    surface_steps,
    surface_tasks,
    way_label,
    ways_of,
    ways_steps,
)

Packet = dict[str, Any]

# Places are stored in a box twice as wide as the surface: [left, bottom, right, top].
_REACH = [(high - low) / 2 for low, high in RANGES]
BOX = [
    *(low - reach for (low, _high), reach in zip(RANGES, _REACH, strict=True)),
    *(high + reach for (_low, high), reach in zip(RANGES, _REACH, strict=True)),
]
# Losses are stored as shares of the highest one before any inner loop; above that, or not finite: the last level.
_LEVELS, _LOST = 65534, 65535
# The way of the start has at most so many places; a file has surfaces for at most so many settings.
_PLACES, _MOST_SURFACES = 24, 12
# This share of the starts has, before any inner loop, a loss below the darkest colour.
_DARKEST = 0.8
# Surfaces that are kept of a run, the last ones: a slider that goes back and forth finds them again.
_KEPT = 16


class _Known(NamedTuple):
    """What has been computed for one run's tasks: surfaces by their settings, and the ways from its first start."""

    tasks: Any
    surfaces: dict[Any, Packet]


_KNOWN: WeakKeyDictionary[Session, _Known] = WeakKeyDictionary()
_WAYS: WeakKeyDictionary[Session, tuple[bytes, Packet]] = WeakKeyDictionary()


def surface_packet(session: Session, settings: Any) -> Packet:
    """The loss over the start under these settings, the tasks' optima, the ways if compared; {}: there is none.

    `by_hand`: whether a run can begin at a start of the learner's choice. `scale` are the losses of the lightest and
    the darkest colour. `losses` are shares of `high` as 65,534ths, uint16, for each of `steps` n rows from below, each
    from the left.
    """
    surface = _surface(session, settings)
    return surface and {**surface, "own": settings.inner_steps, **ways_packet(session)}


def _surface(session: Session, settings: Any) -> Packet:
    method = method_under(session, settings)
    if method is None:
        return {}
    known = _KNOWN.get(session)
    if known is None or known.tasks is not _tasks(session):
        known = _KNOWN[session] = _Known(_tasks(session), {})
    key = (method.learner, method.inner_lr, tuple(method.adapted), surface_steps(settings), settings.n_shot)
    if key not in known.surfaces:
        while len(known.surfaces) >= _KEPT:
            del known.surfaces[next(iter(known.surfaces))]
        known.surfaces[key] = _computed(session, settings)
    return known.surfaces[key]


def _tasks(session: Session) -> Any:
    """The validation tasks as they were drawn first: another number of shots has the same tasks."""
    return (session.validation_set.first or session.validation_set).tasks


def _computed(session: Session, settings: Any) -> Packet:
    surface, best = surface_of(session, settings), optima_of(session)
    assert surface is not None
    assert best is not None
    before = surface.losses[0]
    high = 1.02 * float(before[np.isfinite(before)].max(initial=1e-6))
    shares = np.where(np.isfinite(surface.losses) & (surface.losses <= high), surface.losses / high, 2.0)
    levels = np.where(shares > 1, _LOST, np.rint(np.clip(shares, 0, 1) * _LEVELS)).astype("<u2")
    return {
        "names": list(surface.names),
        "x": [float(surface.x[0]), float(surface.x[-1])],
        "y": [float(surface.y[0]), float(surface.y[-1])],
        "box": BOX,
        "n": len(surface.x),
        "steps": list(surface.steps),
        "high": high,
        "scale": _scale(surface.losses),
        "losses": levels.tobytes(),
        "by_hand": {f"start_{name}" for name in surface.names} <= session.declared().keys(),
        "n_tasks": len(surface_tasks(session, settings)),
        "inner_lr": settings.inner_lr,
        "stops": list(SURFACE),
        "optima": placed_on_plane(best).tobytes(),
    }


def _scale(losses: NDArray[np.float32]) -> list[float]:
    """The ends of the scale of colours: the lowest loss of all, and one that few starts exceed before an inner loop.

    One scale for all numbers of steps: what an inner loop makes better is then lighter.
    """
    known = losses[np.isfinite(losses)]
    return [float(known.min(initial=np.inf)), float(np.quantile(losses[0], _DARKEST))] if len(known) else [0.0, 1.0]


def placed_on_plane(places: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Places (..., 2) as 65,535ths of the box; one that lies beyond it stands at its edge."""
    low, high = np.array(BOX[:2]), np.array(BOX[2:])
    return np.rint(np.clip(np.nan_to_num((places - low) / (high - low)), 0, 1) * 65535).astype("<u2")


def plane_packet(session: Session, frame: Frame) -> Packet:
    """What a picture says of the plane: the way of the start, its present place last, and the tasks' inner loops' ends.

    {} where there is no plane.
    """
    if method_under(session, frame.settings) is None:
        return {}
    way = _way(session, frame)
    ends = placed_on_plane(frame.embedding)
    return {"plane": {"n": len(way), "way": placed_on_plane(way).tobytes(), "ends": ends.tobytes()}}


def _way(session: Session, frame: Frame) -> NDArray[np.float32]:
    starts = [session.history[k].start for k in evenly(frame.index + 1, _PLACES)]
    return np.stack([start for start in starts if start is not None])


# ---- the ways of the methods -----------------------------------------------------------------------------------------


def compare_methods(session: Session) -> bool:
    """Compute the ways of the methods from the run's first start, for the page; False: this run has no plane."""
    found = ways_of(session)
    if found is None:
        return False
    steps, settings = ways_steps(session), session.settings
    lines = [
        {"label": way_label(name), "colour": WAYS[name], "n": len(way), "points": placed_on_plane(way).tobytes()}
        for name, way in ((name, way[evenly(len(way), 200)]) for name, way in found.items())
    ]
    about = f"{steps} outer steps, {settings.inner_steps} inner at rate {settings.inner_lr:g}"
    _WAYS[session] = _first_start(session), {"ways": lines, "ways_about": about}
    return True


def ways_packet(session: Session) -> Packet:
    """The ways of the methods, as long as the run begins at the start that they were computed from; else {}."""
    made_from, packet = _WAYS.get(session, (b"", {}))
    return packet if packet and made_from == _first_start(session) else {}


def _first_start(session: Session) -> bytes:
    start = session.history[0].start
    return b"" if start is None else start.tobytes()


# ---- a file ----------------------------------------------------------------------------------------------------------


@compared_by_value
class PlaneFilm(NamedTuple):
    """A run's plane in each frame: the start's way (frames, m, 2) and the ends (frames, n, 2), placed in the box."""

    ways: NDArray[np.uint16]
    ends: NDArray[np.uint16]


def plane_film(session: Session, frames: Sequence[Frame]) -> PlaneFilm | None:
    """The plane of these frames; None where there is none. A short way repeats its first place."""
    if method_under(session, frames[0].settings) is None:
        return None
    ways = [placed_on_plane(_way(session, frame)) for frame in frames]
    longest = max(map(len, ways))
    padded = [np.pad(way, ((longest - len(way), 0), (0, 0)), mode="edge") for way in ways]
    return PlaneFilm(np.stack(padded), np.stack([placed_on_plane(frame.embedding) for frame in frames]))


def recorded_surfaces(session: Session, frames: Sequence[Frame]) -> tuple[list[Packet], list[int]]:
    """The surfaces of these frames' settings, each once, and for every frame which is its own.

    Where a slider was moved through many settings, some of them have a surface, and the others the one before.
    """
    settings: list[Any] = [frame.settings for frame in frames]
    keys = [(each.inner_lr, each.inner_steps, each.n_shot, each.method) for each in settings]
    changes = [k for k, key in enumerate(keys) if k == 0 or key != keys[k - 1]]
    kept = [changes[k] for k in evenly(len(changes), _MOST_SURFACES)]
    return [surface_packet(session, settings[k]) for k in kept], [
        int(np.searchsorted(kept, k, side="right")) - 1 for k in range(len(frames))
    ]
