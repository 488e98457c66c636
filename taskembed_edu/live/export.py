"""The HTML export: one file with the lab's own page and the stored frames, which loads nothing else.

The page inside is the code of the live lab; it reads a recording instead of asking a kernel. The file holds at most 300
frames per run and at most 4 MB, so that it can be sent by mail and opened on a telephone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.base.files import write_whole
from taskembed_edu.figures.captions import caption
from taskembed_edu.live.export_page import as_json, html_file
from taskembed_edu.live.overlays import Missing, answers, missing_trails, trails
from taskembed_edu.live.packets import (
    NEIGHBOURS,
    Axes,
    columns_of,
    ends,
    facts,
    map_readings,
    marks_packet,
    n_near,
    placed,
    rows_of,
    sketch_axes,
    tasks_packet,
)
from taskembed_edu.live.packing import frame_deltas as frame_deltas
from taskembed_edu.live.packing import packed as packed
from taskembed_edu.live.packing import unpacked as unpacked
from taskembed_edu.live.surface import PlaneFilm, plane_film, recorded_surfaces
from taskembed_edu.live.words import about_run, beside_words, help_packet, map_words
from taskembed_edu.session.by_pca import by_pca
from taskembed_edu.session.history import Frame
from taskembed_edu.session.on_the_map import start_way
from taskembed_edu.session.session import Session
from taskembed_edu.session.side_by_side import run_names

MOST_FRAMES = 300
MOST_BYTES = 4 * 10**6

# Curves may have more rows than the film has frames: a row is about 36 bytes, a frame of 1,000 tasks about 4,000.
_MOST_ROWS = 2000
# A film with at most this many frames drops its lists of neighbours before it drops more frames.
_FEWEST_WITHOUT_NEIGHBOURS = 35

# Limits for the trails and the networks' answers of all runs together; above them the file has none. Trails of more
# tasks than _MOST_TRAILS cover each other, and more answers than _MOST_ANSWERS take too long to compress.
_TRAIL_BYTES = 12 * 10**5
_FIT_BYTES = 8 * 10**5
_MOST_TRAILS = 100
_TRAIL_PLACES = 12
_MOST_ANSWERS = 4 * 10**6


@compared_by_value
class Fits(NamedTuple):
    """Outputs of the tasks' own networks: (frames, n, k) levels or classes, or indices into `words`."""

    kind: str
    values: NDArray[np.uint8] | NDArray[np.uint16]
    words: tuple[str, ...] = ()


@compared_by_value
class Film(NamedTuple):
    """One run's stored frames: words and box of each, places in that box (frames, n, 2), neighbours (frames, n, k).

    If there are any and they fit into the file: trails (frames, n, m, 2) in the same boxes, and the networks' answers.
    `missing` gives for each frame the reason why it has no trails, or "" if it has. `beside` are the same frames drawn
    by PCA, where two maps stand side by side. `ways` (frames, m, 2): the start of the inner loops, where there is one.
    `plane`: what lies on the loss over the start, where a plane shows it.
    """

    frames: list[Frame]
    words: list[str]
    boxes: list[list[float]]
    points: NDArray[np.uint16]
    neighbours: NDArray[np.uint16]
    trails: NDArray[np.uint16] | None = None
    fits: Fits | None = None
    missing: tuple[Missing, ...] = ()
    beside: Film | None = None
    ways: NDArray[np.float32] | None = None
    plane: PlaneFilm | None = None


def export_html(
    sessions: Sequence[Session],
    path: str | Path,
    colour: int = 0,
    title: str = "Task space",
    both: bool = False,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Path:
    """Write the runs as one HTML file that opens from disk with no network. Returns the path.

    `colour` is the index of the true parameter that gives the colours at first. The file holds at most 300 frames per
    run, evenly spaced, with the first, the last and those at a change of settings. It has at most 4 MB: if it were
    larger, first the lists of neighbours are shortened, then frames are omitted. Trails and networks' answers have size
    limits of their own, and are omitted above them. `both`: the file shows the one run's UMAP map and its PCA map side
    by side; it has no effect on two runs, which have a map each.
    `more` is what else the page shows, by its names there: "scorecards" of two runs (`judging.scorecards_packet`),
    "benches" of inner loops (`Bench.recorded`).

    Errors: ValueError if there are so many tasks that not even two frames fit.
    """
    return write_whole(Path(path), exported(sessions, colour, title, both, more))


def exported(
    sessions: Sequence[Session],
    colour: int = 0,
    title: str = "Task space",
    both: bool = False,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> bytes:
    """The exported file's bytes: see `export_html`."""
    axes = sketch_axes(sessions[0])  # the cards are those of the first run's tasks
    films = [film(session, both=both and len(sessions) == 1, axes=axes) for session in sessions]

    def html_of(films: Sequence[Film]) -> bytes:
        return html_file({**recorded_document(sessions, films, colour, title), **more}, sessions, title)

    html = html_of(_fitting(sessions, _lightened(films), html_of))
    if len(html) > MOST_BYTES:
        raise _too_large(sessions)  # the size was only estimated: never write a larger file
    return html


def _fitting(sessions: Sequence[Session], films: list[Film], html_of: Callable[[Sequence[Film]], bytes]) -> list[Film]:
    """The films with as many frames as fit into the file, and then as many neighbours as fit."""
    for n_frames in (MOST_FRAMES, 200, 130, 85, 55, 35, 20, 10, 5, 2):
        shorter = [_cut(session, whole, n_frames) for session, whole in zip(sessions, films, strict=True)]
        bare = [each._replace(neighbours=each.neighbours[:, :, :0]) for each in shorter]
        room = MOST_BYTES - len(html_of(bare))
        for k in range(films[0].neighbours.shape[2], 0, -1):
            listed = [each._replace(neighbours=each.neighbours[:, :, :k]) for each in shorter]
            if sum(_packed_size(frame_deltas(each.neighbours)) for each in listed) <= room:
                return listed
        if room >= 0 and n_frames <= _FEWEST_WITHOUT_NEIGHBOURS:
            return bare
    raise _too_large(sessions)


def _lightened(films: list[Film]) -> list[Film]:
    """The films without their trails, or without the networks' answers, if those of all runs are too large."""
    maps = [*films, *(each.beside for each in films if each.beside is not None)]
    if sum(_packed_size(frame_deltas(each.trails)) for each in maps if each.trails is not None) > _TRAIL_BYTES:
        films = [_without_trails(each) for each in films]
    if sum(_fits_size(each.fits) for each in films if each.fits is not None) > _FIT_BYTES:
        films = [each._replace(fits=None) for each in films]
    return films


def _without_trails(whole: Film) -> Film:
    whole = whole._replace(beside=None if whole.beside is None else _without_trails(whole.beside))
    if whole.trails is None:
        return whole
    return whole._replace(trails=None, missing=tuple(reason or "room" for reason in whole.missing))


def _fits_size(fits: Fits) -> int:
    recorded = _recorded_fits(fits)
    return _packed_size(recorded["values"]) + _packed_size(recorded["words"])


def _packed_size(data: bytes) -> int:
    """How many bytes these data add to the file, compared with empty data."""
    return len(as_json(packed(data))) - len(as_json(packed(b"")))


def _too_large(sessions: Sequence[Session]) -> ValueError:
    came = f"{len(sessions[0].tasks):,} tasks in {len(sessions)} runs"
    return ValueError(problem("sessions", came, f"a file of at most {MOST_BYTES:,} bytes", "Export fewer tasks."))


# ---- the frames ----------------------------------------------------------------------------------------------------


def film(session: Session, most: int = MOST_FRAMES, both: bool = False, axes: Axes | None = None) -> Film:
    """The run's frames, thinned to `most`, in the form that the file stores; `both`: with their PCA maps beside.

    `axes` are those of the cards that the networks' answers are drawn over (None: of this session's tasks).
    """
    frames = [session.history[k] for k in thinned(session, len(session.history), most)]
    words = [map_words(session, frame) for frame in frames]
    own = _film_of(session, frames, words)._replace(
        neighbours=_neighbours(frames), fits=_fits(frames, axes or sketch_axes(session))
    )
    own = own._replace(plane=plane_film(session, frames))
    if not both:
        return own
    second = _all_by_pca(session, frames)
    said = [
        each if drawn is frame else f"{each} {beside_words(session, drawn)}"
        for each, frame, drawn in zip(words, frames, second, strict=True)
    ]
    return own._replace(words=said, beside=_film_of(session, second))


def _all_by_pca(session: Session, frames: Sequence[Frame]) -> list[Frame]:
    """These frames drawn by PCA, each mirrored as the one before."""
    drawn: list[Frame] = []
    for frame in frames:
        drawn.append(by_pca(frame, drawn[-1].layout if drawn else None, session.values_at(frame)["n_neighbors"]))
    return drawn


def _film_of(session: Session, frames: list[Frame], words: Sequence[str] = ()) -> Film:
    """The maps of these frames: places and trails."""
    lines = _trails(session, frames)
    starts = [start_way(session, frame, _TRAIL_PLACES) for frame in frames]
    boxes, points, ways = zip(*map(_in_own_box, frames, _alike(frames, lines)), strict=True)
    trails = None if ways[0] is None else np.stack(ways)
    none = np.zeros((len(frames), len(frames[0].layout), 0), np.uint16)
    missing = _missing(session, frames, lines)
    return Film(frames, list(words), list(boxes), np.stack(points), none, trails, None, missing, ways=_as_long(starts))


def thinned(session: Session, n_frames: int, most: int) -> list[int]:
    """Which frames stay: the first, the last, the first after each change of settings, the others evenly spaced."""
    changes = [session.history.at_step(event.step).index for event in session.events]
    return _thinned(n_frames, changes, most)


def _thinned(n: int, changes: Sequence[int], most: int) -> list[int]:
    if n <= most:
        return list(range(n))
    # A frame at a change is the last one before it, and the next one shows what it did.
    required = sorted({0, n - 1} | {k for at in changes for k in (at, min(at + 1, n - 1))})
    if len(required) > most:  # a slider moved during the whole run: these frames are thinned too
        required = [required[k] for k in np.linspace(0, len(required) - 1, most).round().astype(int)]
    others = np.setdiff1d(np.arange(n), required)
    n_free = most - len(required)
    # The run is cut into n_free equal parts, and the middle frame of each part stays.
    evenly = others[((np.arange(n_free) + 0.5) * len(others) / max(1, n_free)).astype(int)]
    return sorted({*required, *evenly.tolist()})


def _in_own_box(
    frame: Frame, lines: NDArray[np.float32] | None
) -> tuple[list[float], NDArray[np.uint16], NDArray[np.uint16] | None]:
    """A frame's places and trails as uint16 in its own box: as exact in a small map as in a large one.

    The box is exact to float32, while a live picture's is rounded (`packets.rounded_box`): a point that does not move
    while the box grows is then shown within a 65,535th of the map from where it was.
    """
    low, high = ends(frame.layout, frame.diverged_tasks, lines)
    box = [float(f"{end:.9g}") for end in (*low, *high)]
    places = placed(frame.layout, low, high, frame.diverged_tasks)
    return box, places, None if lines is None else placed(lines, low, high, frame.diverged_tasks)


def _as_long(ways: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    """These ways of the start, each with as many places: a short one repeats its first. UMAP's frames have zeros."""
    if all(way is None for way in ways):
        return None
    longest, none = max(len(way) for way in ways if way is not None), np.zeros((1, 2), np.float32)
    whole = [none if way is None else way for way in ways]
    return np.stack([np.pad(way, ((longest - len(way), 0), (0, 0)), mode="edge") for way in whole])


def _trails(session: Session, frames: Sequence[Frame]) -> list[NDArray[np.float32] | None]:
    """Each frame's trails, None for a frame without trails; None for all if there are too many tasks."""
    n = len(frames[0].layout)
    return [trails(session, frame, _TRAIL_PLACES) if n <= _MOST_TRAILS else None for frame in frames]


def _missing(
    session: Session, frames: Sequence[Frame], seen: Sequence[NDArray[np.float32] | None]
) -> tuple[Missing, ...]:
    """The reason why each frame has no trails, "" if it has."""
    crowd = len(frames[0].layout) > _MOST_TRAILS  # a file has room for fewer than a live map

    def said(frame: Frame, lines: NDArray[np.float32] | None) -> Missing:
        reason = missing_trails(session, frame) if lines is None else ""
        return "crowd" if crowd and reason in ("begun", "anew", "map") else reason

    return tuple(map(said, frames, seen))


def _alike(frames: Sequence[Frame], seen: Sequence[NDArray[np.float32] | None]) -> list[NDArray[np.float32] | None]:
    """These trails, padded to the same number of places; all None if no frame has trails."""
    if all(lines is None for lines in seen):
        return list(seen)
    # A frame without trails gets the tasks' own places; a short trail repeats its first place.
    whole = [frame.layout[:, None] if lines is None else lines for frame, lines in zip(frames, seen, strict=True)]
    return [np.pad(way, ((0, 0), (_TRAIL_PLACES - way.shape[1], 0), (0, 0)), mode="edge") for way in whole]


def _fits(frames: Sequence[Frame], axes: Axes) -> Fits | None:
    """The outputs of the tasks' own networks; None unless every frame has them in the same shape."""
    known = [frame.fit for frame in frames if frame.fit is not None]
    if len(known) < len(frames):
        return None
    spelt = [fit.words for fit in known if fit.words is not None]
    if spelt:
        return _spelt(spelt) if len(spelt) == len(known) else None
    answered = [answers(fit, *axes) for fit in known]
    kinds = {(kind, values.shape) for kind, values in answered}
    if len(kinds) > 1 or answered[0][1].size * len(answered) > _MOST_ANSWERS:
        return None
    return Fits(answered[0][0], np.stack([values for _kind, values in answered]))


def _spelt(words: Sequence[tuple[tuple[str, ...], ...]]) -> Fits | None:
    """Every distinct word once, and for each network and number the index of its word."""
    known = dict.fromkeys(word for of_frame in words for of_task in of_frame for word in of_task)
    if len(known) > 2**16:
        return None
    places = {word: np.uint16(k) for k, word in enumerate(known)}
    values = [[[places[word] for word in of_task] for of_task in of_frame] for of_frame in words]
    return Fits("words", np.array(values), tuple(known))


def _neighbours(frames: Sequence[Frame]) -> NDArray[np.uint16]:
    """Each task's neighbours, (frames, n, k); where too few are left, the last of them stands for the others."""
    k, itself = min(NEIGHBOURS, len(frames[0].layout) - 1), np.arange(len(frames[0].layout))[:, None]
    near = [frame.neighbours(there) if (there := n_near(frame)) else itself for frame in frames]
    return np.stack([np.pad(each, ((0, 0), (0, k - each.shape[1])), mode="edge").astype(np.uint16) for each in near])


def _cut(session: Session, whole: Film, n_frames: int) -> Film:
    """The film thinned further, by the same rule."""
    indices = [frame.index for frame in whole.frames]
    changes = [int(np.searchsorted(indices, session.history.at_step(e.step).index)) for e in session.events]
    return _only(whole, _thinned(len(indices), [min(at, len(indices) - 1) for at in changes], n_frames))


def _only(whole: Film, stay: Sequence[int]) -> Film:
    """The film of these of its frames."""
    return Film(
        [whole.frames[at] for at in stay],
        [whole.words[at] for at in stay if whole.words],
        [whole.boxes[at] for at in stay],
        whole.points[stay],
        whole.neighbours[stay],
        None if whole.trails is None else whole.trails[stay],
        None if whole.fits is None else whole.fits._replace(values=whole.fits.values[stay]),
        tuple(whole.missing[at] for at in stay),
        None if whole.beside is None else _only(whole.beside, stay),
        None if whole.ways is None else whole.ways[stay],
        None if whole.plane is None else PlaneFilm(whole.plane.ways[stay], whole.plane.ends[stay]),
    )


# ---- the document --------------------------------------------------------------------------------------------------


def recorded_document(
    sessions: Sequence[Session], films: Sequence[Film], colour: int = 0, title: str = "Task space"
) -> dict[str, Any]:
    """What the page reads instead of asking a kernel; binary data are still bytes here (see `packed`).

    Places and neighbours of a frame are differences, modulo 65,536, from the frame before: unchanged values become
    zero, and zeros compress to almost nothing.
    """
    steps = max(session.steps for session in sessions)
    makers = " and ".join(dict.fromkeys(session.embedder.name for session in sessions))
    return {
        "title": title,
        "exported": {"from": makers, "steps": steps, "version": version("taskembed_edu")},
        "colour": colour,
        "tasks": tasks_packet(*sessions),
        "help": help_packet(*sessions),
        "marks": marks_packet(sessions),
        "runs": [
            _recorded_run(session, stored, name, alone=len(sessions) == 1)
            for session, stored, name in zip(sessions, films, run_names(sessions), strict=True)
        ],
    }


def _recorded_run(session: Session, stored: Film, name: str, alone: bool) -> dict[str, Any]:
    said = stored.words if alone else [f"{name}: {words}" for words in stored.words]
    rows = [session.history[k] for k in thinned(session, len(session.history), _MOST_ROWS)]
    packet = rows_of(rows, 0, columns_of(session))
    return {
        "name": name,
        "about": about_run(session),
        "columns": packet["columns"],
        "values": packet["values"],
        "frames": [
            {
                **facts(frame),
                "words": words,
                "about": caption(session, frame),
                "box": box,
                **({"missing": missing} if missing else {}),
            }
            for frame, words, box, missing in zip(stored.frames, said, stored.boxes, stored.missing, strict=True)
        ],
        "points": frame_deltas(stored.points),
        "k": stored.neighbours.shape[2],
        "neighbours": frame_deltas(stored.neighbours),
        "trails": _recorded_trails(stored),
        **_recorded_start(stored),
        **_recorded_plane(session, stored),
        "fit": None if stored.fits is None else _recorded_fits(stored.fits),
        **({} if stored.beside is None else {"pca": _recorded_map(stored.beside)}),
    }


def _recorded_map(stored: Film) -> dict[str, Any]:
    """The second map of every frame."""
    return {
        "boxes": stored.boxes,
        "missing": list(stored.missing),
        "readings": [map_readings(frame).get("readings", {}) for frame in stored.frames],
        "points": frame_deltas(stored.points),
        "trails": _recorded_trails(stored),
        **_recorded_start(stored),
    }


def _recorded_trails(stored: Film) -> dict[str, Any] | None:
    if stored.trails is None:
        return None
    return {"n": stored.trails.shape[2], "points": frame_deltas(stored.trails)}


def _recorded_start(stored: Film) -> dict[str, Any]:
    if stored.ways is None:
        return {}
    return {"start": {"n": stored.ways.shape[1], "points": stored.ways.astype("<f4").tobytes()}}


def _recorded_plane(session: Session, stored: Film) -> dict[str, Any]:
    """The loss over the start: its surfaces, which of them each frame has, and what lies on it in each frame."""
    if stored.plane is None:
        return {}
    surfaces, at = recorded_surfaces(session, stored.frames)
    ways, ends = stored.plane
    plane = {"n": ways.shape[1], "ways": frame_deltas(ways), "ends": frame_deltas(ends), "surfaces": surfaces, "at": at}
    return {"plane": plane}


def _recorded_fits(fits: Fits) -> dict[str, Any]:
    words = "\n".join(fits.words).encode()
    return {"kind": fits.kind, "n": fits.values.shape[2], "values": frame_deltas(fits.values), "words": words}
