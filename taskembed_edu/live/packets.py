"""The data for the page: functions from sessions to plain dictionaries of numbers, text and bytes.

Nothing here waits, sends or keeps a state: the same sessions always give the same packets. Places, neighbours and
colours are bytes (little-endian), because a list of numbers would be four times as long.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.settings import Setting
from taskembed_edu.base.wording import say_setting
from taskembed_edu.evaluation.geometry import NeighbourChanges, TrueGeometry
from taskembed_edu.figures.colours import Colouring, colour_tasks
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.live.numbers import rounded
from taskembed_edu.live.overlays import (
    fit_packet,
    missing_start,
    missing_trails,
    start_packet,
    trails,
    trails_packet,
)
from taskembed_edu.live.selection import selection_packet
from taskembed_edu.live.surface import plane_packet
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.events import Event, coalesced_events
from taskembed_edu.session.history import Frame, value_of
from taskembed_edu.session.on_the_map import start_way
from taskembed_edu.session.session import Session
from taskembed_edu.session.setup import MAP_SETTINGS
from taskembed_edu.session.side_by_side import changed_neighbours, run_names
from taskembed_edu.tasks.base import MOST_LABELS, TaskBatch, TruthKind
from taskembed_edu.tasks.sketch import Drawing, TaskSketch

Axes = tuple[tuple[float, float], tuple[float, float]]

# In the place of a metric: a run's neighbours are compared with those of the run beside it.
OTHER_RUN = "other run"

# How many nearest neighbours are drawn for a task.
NEIGHBOURS = 5

_LEVELS = 65535


# ---- the tasks: sent once per run ----------------------------------------------------------------------------------


def tasks_packet(session: Session, *others: Session) -> dict[str, Any]:
    """Everything about the validation tasks that training does not change: names, colours, true neighbours, data.

    `labels`: whether names are drawn beside the points. `pairs`: whether the run trains on pairs, so that it reports
    how many are active. `starts`: whether the tasks' inner loops have a start, which a PCA map shows. `truth` is None
    where the true distances are unknown. `others` are runs beside this one.
    """
    tasks, family = session.tasks, session.split.validation
    sketch = family.sketch(tasks)
    _SKETCHED[session] = (tasks, (sketch.x, sketch.y))
    return {
        "n": len(tasks),
        "family": family.label,
        "names": list(tasks.names),
        "labels": family.label_points and len(tasks) <= MOST_LABELS,
        "pairs": any(run.embedder.has_pairs for run in (session, *others)),
        **({"starts": True} if any(run.frame.start is not None for run in (session, *others)) else {}),
        "colours": [
            {
                **_colour(colour_tasks(tasks.truth[:, column].numpy(), name, kind, family.category_names(name))),
                **_values(tasks.truth[:, column], kind),
            }
            for column, (name, kind) in enumerate(zip(tasks.truth_names, family.truth_kinds, strict=True))
        ],
        "truth": _true_neighbours(session.geometry),
        "card": card_packet(sketch),
    }


# A cache of the axes on the cards of a session's tasks: sketching all tasks for every picture would be too slow.
_SKETCHED: WeakKeyDictionary[Session, tuple[TaskBatch, Axes]] = WeakKeyDictionary()


def sketch_axes(session: Session) -> Axes:
    """The ends of the x axis and of the y axis on the cards of the validation tasks."""
    known = _SKETCHED.get(session)
    if known is None or known[0] is not session.tasks:  # after a reset the tasks are others
        sketch = session.split.validation.sketch(session.tasks)
        known = _SKETCHED[session] = (session.tasks, (sketch.x, sketch.y))
    return known[1]


def _colour(colouring: Colouring) -> dict[str, Any]:
    return {
        "name": colouring.name,
        "kind": colouring.kind,
        "stops": list(colouring.stops),
        "entries": [dict(entry) for entry in colouring.entries],
        "rgb": colouring.rgb.tobytes(),
        "shapes": colouring.shapes.tobytes(),
        "groups": colouring.groups.tobytes(),
        **({"labels": list(colouring.labels)} if colouring.labels else {}),
    }


def _values(truth: Tensor, kind: TruthKind) -> dict[str, Any]:
    """A parameter's true values as float32, and whether they are angles; of a category the groups say all."""
    if kind == "category":
        return {}
    return {"values": truth.numpy().astype("<f4").tobytes(), "angle": kind == "angle"}


def _true_neighbours(geometry: TrueGeometry | None) -> dict[str, Any] | None:
    """Each task's k true neighbours; a task with fewer is filled up with itself, which the page ignores."""
    if geometry is None:
        return None
    k = min(NEIGHBOURS, geometry.n_tasks - 1)
    return {"k": k, "neighbours": geometry.nearest_of_all(k).astype("<u2").tobytes()}


def card_packet(sketch: TaskSketch) -> dict[str, Any]:
    """One task's own data, for all tasks: curves and points as uint16 between the axes' ends, pictures as uint8."""
    card: dict[str, Any] = {"kind": sketch.kind}
    if sketch.points is not None:
        x, y = sketch.x, sketch.y
        places = torch.stack((_levels(sketch.points[..., 0], *x), _levels(sketch.points[..., 1], *y)), dim=-1)
        card |= {"x": list(x), "y": list(y), "n_points": places.shape[1], "points": _uint16(places)}
    if sketch.curve is not None:
        card |= {"n_curve": sketch.curve.shape[1], "curve": _uint16(_levels(sketch.curve, *sketch.y))}
    if sketch.images is not None:
        _n, n_images, height, width = sketch.images.shape
        pixels = (sketch.images.clamp(0, 1) * 255).round().to(torch.uint8)
        card |= {"width": width, "height": height, "n_images": n_images, "pixels": pixels.numpy().tobytes()}
        card["on_map"] = list(sketch.on_map)
    if sketch.class_names is not None:
        card["class_names"] = [list(names) for names in sketch.class_names]
    if sketch.classes is not None:
        classes = sketch.classes.to(torch.uint8).numpy().tobytes()
        card |= {"labels": classes} if sketch.images is not None else {"classes": classes}
        if sketch.images is None:
            card["n_classes"] = int(sketch.classes.max()) + 1
    if sketch.words is not None:
        card["words"] = [[list(row) for row in of_task] for of_task in sketch.words]
    if sketch.shown is not None:
        card["shown"] = [list(of_task) for of_task in sketch.shown]
    if sketch.drawings is not None:
        drawings = [_drawing(drawing, sketch.x, sketch.y) for drawing in sketch.drawings]
        card |= {"x": list(sketch.x), "y": list(sketch.y), "drawings": drawings}
    return card


def _drawing(drawing: Drawing, x: tuple[float, float], y: tuple[float, float]) -> dict[str, Any]:
    """Lines and labels, with places as fractions of the axes, rounded to a thousandth."""

    def place(px: float, py: float) -> tuple[float, float]:
        return round((px - x[0]) / (x[1] - x[0]), 3), round((py - y[0]) / (y[1] - y[0]), 3)

    lines = [
        {"tone": line.tone, "dashed": line.dashed, "points": [place(float(px), float(py)) for px, py in line.points]}
        for line in drawing.lines
    ]
    labels = [
        {"tone": label.tone, "align": label.align, "text": label.text, "at": place(label.x, label.y)}
        for label in drawing.labels
    ]
    return {"lines": lines, "labels": labels, "spoken": drawing.spoken}


def _levels(values: Tensor, low: float, high: float) -> Tensor:
    return ((values - low) / (high - low)).clamp(0, 1).mul(_LEVELS).round()


def _uint16(levels: Tensor) -> bytes:
    return levels.numpy().astype("<u2").tobytes()


# ---- a picture: sent at most fifteen times a second ----------------------------------------------------------------


def picture_packet(
    sessions: Sequence[Session],
    step: float | None = None,
    number: int = 0,
    chosen: int = -1,
    compare: str = "",
    words: str = "",
    selected: Sequence[int] = (),
    beside: Frame | None = None,
) -> dict[str, Any]:
    """The maps at one step, one for each run; `step` None is the newest step that every run has reached.

    `chosen` is the task whose neighbours are listed (-1: none), `compare` the metric to compare with the run's own ("":
    none; `OTHER_RUN`: each run's neighbours with those of the run beside it), `words` the text summary (see
    `words.map_words`; the caller decides how often to compute it), `selected` the tasks of a lasso. `beside` is the
    first run's frame as PCA draws it: a second map of the same moment, or None.
    """
    frames = frames_at(sessions, step)
    metric = "" if compare == OTHER_RUN else compare
    runs = [
        run_picture(session, frame, run, chosen, metric, selected, sketch_axes(sessions[0]))
        for run, (session, frame) in enumerate(zip(sessions, frames, strict=True))
    ]
    if compare == OTHER_RUN:
        for picture, changes in zip(runs, _beside_each_other(sessions, frames, chosen), strict=False):
            picture["changes"] = changes
    if beside is not None and beside is not frames[0]:
        runs[0]["pca"] = {**_drawn(sessions[0], beside), **map_readings(beside)}
    shown = live_step(sessions) if step is None else step
    return {"number": number, "live": step is None, "step": int(shown), "runs": runs, "words": words}


def live_step(sessions: Sequence[Session]) -> int:
    """The newest step that every run has reached: two runs side by side are compared at the same step."""
    return min(session.frame.step for session in sessions)


def frames_at(sessions: Sequence[Session], step: float | None = None) -> list[Frame]:
    """Each run's latest frame at or before the step; None: at the newest step that every run has reached."""
    moment = live_step(sessions) if step is None else step
    return [session.history.at_step(moment) for session in sessions]


def run_picture(
    session: Session,
    frame: Frame,
    run: int,
    chosen: int,
    compare: str,
    selected: Sequence[int] = (),
    axes: Axes | None = None,
) -> dict[str, Any]:
    """One run's map at one frame: 4 bytes for each task, the readings, and the neighbours of the chosen task.

    If there are any, also: the tasks' trails, in the same box as their places (or the reason why the frame has none),
    the output of each task's own network, to be drawn over its card, the mean distances of the selected tasks, and the
    plane of a learner of two numbers. `axes` are those of the cards (None: of this session's tasks).
    """
    chosen = chosen if 0 <= chosen < len(frame.layout) else -1
    over: dict[str, Any] = {}  # empty in most runs, and then it takes no space
    if (told := selection_packet(session, frame, selected)) is not None:
        over["selection"] = told
    if frame.fit is not None:
        over["fit"] = fit_packet(frame.fit, *(axes or sketch_axes(session)))
    if compare and n_near(frame):
        over["changes"] = _changes(session, frame, chosen, compare)
    return {
        **facts(frame),
        **over,
        "run": run,
        **_drawn(session, frame),
        **plane_packet(session, frame),
        "links": _links(session, frame, chosen),
    }


def _drawn(session: Session, frame: Frame) -> dict[str, Any]:
    """What the frame's own projection has drawn: places in their box, trails or why there are none, and the start."""
    lines, way = trails(session, frame), start_way(session, frame)
    low, high = ends(frame.layout, frame.diverged_tasks, lines)
    map_: dict[str, Any] = {
        "box": rounded_box(low, high),
        "points": placed(frame.layout, low, high, frame.diverged_tasks).tobytes(),
    }
    if lines is not None:
        map_["trails"] = trails_packet(placed(lines, low, high, frame.diverged_tasks))
    elif missing := missing_trails(session, frame):
        map_["trails"] = {"n": 0, "missing": missing}
    start = missing_start(frame) if way is None else {"start": start_packet(way)}
    return {**map_, **start}


def facts(frame: Frame) -> dict[str, Any]:
    """What every page shows of a frame, live or exported: step, readings, and any alarm or diverged tasks."""
    said: dict[str, Any] = {"step": frame.step, "projection": frame.projection, "readings": readings(frame)}
    if frame.alarm:
        said["alarm"] = frame.alarm
    if frame.diverged_tasks:
        said["left_out"] = list(frame.diverged_tasks)
    return said


def ends(
    layout: Layout,
    diverged_tasks: Sequence[int] = (),
    lines: NDArray[np.float32] | None = None,
) -> tuple[Layout, Layout]:
    """The lower and the upper corner of the box round all tasks and trails, without those that have diverged."""
    seen = np.delete(layout, diverged_tasks, axis=0)
    if lines is not None:
        seen = np.concatenate((seen, np.delete(lines, diverged_tasks, axis=0).reshape(-1, 2)))
    if not len(seen):
        seen = np.zeros((1, 2), np.float32)
    low = seen.min(axis=0)
    return low, filled(low, seen.max(axis=0))


def rounded_box(low: Layout, high: Layout) -> list[float]:
    """The map's box [left, bottom, right, top], rounded for a live picture."""
    # To a ten-thousandth of the map: a tenth of a pixel, and half as many characters.
    digits = 4 - math.floor(math.log10(float((high - low).max())))
    return [round(float(end), digits) for end in (*low, *high)]


def filled(low: Layout, high: Layout) -> Layout:
    """The box's upper corner; a side without length gets length 1."""
    return np.where(high > low, high, low + np.float32(1))


def placed(
    places: NDArray[np.float32], low: Layout, high: Layout, diverged_tasks: Sequence[int] = ()
) -> NDArray[np.uint16]:
    """Places (n, ..., 2) inside this box, as 65,535ths of its sides; a diverged task is placed in its corner."""
    if diverged_tasks:
        places = places.copy()
        places[list(diverged_tasks)] = low  # its place may be NaN
    return np.rint((places - low) / (high - low) * _LEVELS).astype("<u2")


def readings(frame: Frame) -> dict[str, float]:
    """The frame's diagnostics to four digits; one that is not finite is absent (JSON has no NaN)."""
    return {name: short for name, value in frame.diagnostics.items() if (short := rounded(value)) is not None}


def _links(session: Session, frame: Frame, chosen: int) -> dict[str, Any] | None:
    if chosen < 0 or chosen in frame.diverged_tasks:
        return None
    embedding, truth = session.nearest(frame, chosen, k=min(NEIGHBOURS, len(frame.layout) - 1))
    vectors = torch.tensor(frame.embedding)
    near = METRICS[frame.metric].between(vectors[chosen], vectors[embedding])
    true: Any = [] if session.geometry is None else session.geometry.true_distance[chosen][truth]
    # As bytes: a picture is sent many times a second, and ten numbers as text would be twice as long.
    apart = np.concatenate((near, true)).astype("<f4").tobytes()
    return {"task": chosen, "embedding": embedding.tolist(), "truth": truth.tolist(), "apart": apart}


def n_near(*frames: Frame) -> int:
    """How many neighbours are compared: as many as a task has in each of these frames; 0 where one alone is left."""
    return max(0, min(NEIGHBOURS, *(len(frame.layout) - len(frame.diverged_tasks) - 1 for frame in frames)))


def _changes(session: Session, frame: Frame, chosen: int, compare: str) -> dict[str, Any]:
    changes = session.neighbour_changes(frame, compare, k=n_near(frame))
    return _changes_packet(changes, chosen, compare)


def _changes_packet(changes: NeighbourChanges, chosen: int, compare: str) -> dict[str, Any]:
    return {
        "metric": compare,
        "share": rounded(changes.share),
        "counts": changes.counts.astype(np.uint8).tobytes(),
        "lost": changes.lost(chosen).tolist() if chosen >= 0 else [],
        "gained": changes.gained(chosen).tolist() if chosen >= 0 else [],
    }


def _beside_each_other(sessions: Sequence[Session], frames: Sequence[Frame], chosen: int) -> list[dict[str, Any]]:
    """For each of two runs, which neighbours the other one does not have, with the names of both, its own first."""
    if len(frames) < 2 or len({len(frame.embedding) for frame in frames}) > 1 or not n_near(*frames):
        return []
    there = changed_neighbours(frames[0], frames[1], NEIGHBOURS)
    names = run_names(sessions)
    return [
        {**_changes_packet(changes, chosen if chosen < len(there.before) else -1, OTHER_RUN), "names": both}
        for changes, both in (
            (there, list(names)),
            (NeighbourChanges(there.after, there.before), list(reversed(names))),
        )
    ]


# ---- curves --------------------------------------------------------------------------------------------------------


def map_readings(frame: Frame) -> dict[str, Any]:
    """The readings of a second map that are its own; all others are those of the moment."""
    own = {name: value for name, value in readings(frame).items() if name == "trustworthiness"}
    return {"readings": own} if own else {}


def rows_packet(sessions: Sequence[Session], first: Sequence[int] = ()) -> dict[str, Any]:
    """The curves' rows of each run from frame `first[run]` on (missing: from the start); see `columns_of`."""
    begins = [*first, *(0,) * len(sessions)]
    return {
        "runs": [
            rows_of(session.history[begin:], begin, columns_of(session))
            for session, begin in zip(sessions, begins, strict=False)
        ]
    }


def columns_of(session: Session) -> tuple[str, ...]:
    """The order of the numbers in a row: the step, then all readings that the page shows."""
    return ("step", *(reading.name for reading in session.validation_set.readings if reading.shown))


def rows_of(frames: Sequence[Frame], first: int, columns: Sequence[str]) -> dict[str, Any]:
    """These frames' rows, float32, one after another; `first` is the index of the first one."""
    values = np.array([[value_of(frame, name) for name in columns] for frame in frames], dtype="<f4")
    return {"first": first, "columns": list(columns), "values": values.tobytes()}


def marks_packet(sessions: Sequence[Session]) -> list[list[dict[str, Any]]]:
    """Each run's marks: see `curve_marks`. What changes the map alone is no event of the training, and has no mark."""
    return [
        curve_marks(run.events, run.declared(), MAP_SETTINGS, {"metric", *run.embedder.view_settings})
        for run in sessions
    ]


def curve_marks(
    events: Sequence[Event],
    declared: Mapping[str, Setting],
    without: Collection[str] = (),
    units: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Where a setting changed, and to what. One drag of a slider is one mark, with its last value.

    `units` are the settings that change the unit of distances. The mark of such a setting lists in `breaks` every step
    at which the curve of distances is interrupted: each frame recorded during a drag keeps its own unit.
    """
    marks: list[dict[str, Any]] = []
    broken = sorted({event.step for event in events if not event.changes.keys().isdisjoint(units)})
    for event in coalesced_events(events):
        changes = [(name, value) for name, value in event.changes.items() if name not in without]
        if changes:
            # The mark for embedding again does not show the count.
            said = (
                declared[name].label.lower() if name == "umap_restarts" else say_setting(declared[name], value)
                for name, value in changes
            )
            marks.append({"step": event.step, "text": ", ".join(said)})
            mine = [step for step in broken if step <= event.step]
            if mine:
                marks[-1]["breaks"] = mine
            broken = broken[len(mine) :]
    return marks
