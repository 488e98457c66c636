"""The map in words: what it shows now, and how to read it.

For people who cannot see it, and for people who see it and do not know where to look. Every number is computed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from taskembed_edu.base.readings import Reading, panels_of
from taskembed_edu.base.wording import say_setting
from taskembed_edu.evaluation.scores import purity_by_chance
from taskembed_edu.figures.colours import LINE_COLOURS
from taskembed_edu.live.help_texts import (
    OF_ADAPTING,
    OF_TWO,
    OF_WEIGHTS,
    TRY_ADAPTING,
    TRY_MARGINS,
    TRY_PICTURES,
    TRY_TWO,
    TRY_WEIGHTS,
)
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session
from taskembed_edu.session.slow_motion import adapts
from taskembed_edu.tasks.base import TruthKind

# How many neighbours on the map are compared by their parameters, and how many link the tasks of a group.
_NEIGHBOURS = 5
_HOLDING = 15
# By chance, the best of ten parameters scores 0.17 in one of twenty maps of 100 randomly placed tasks.
_WORTH_SAYING = 0.2
# A link this many times longer than the median one connects two groups.
_FAR = 6.0
# A set of tasks below this share of all is no group but stragglers; with more groups than this the map is not clear.
_SMALLEST_GROUP = 0.04
_MOST_GROUPS = 12
# How many neighbours are named; nobody would listen to more.
_NAMED = 3


def help_packet(session: Session, *others: Session) -> dict[str, Any]:
    """The page's help: how to read a map, its scores, and what to try in this lab.

    `scores` are the declarations of all scores that the page shows, by name and in order; `panels` are the titles of
    the curves' panels, from top to bottom. `others` are runs beside this one: what only they report is there too.
    """
    runs = (session, *others)
    readings = list({each.name: each for run in runs for each in run.validation_set.readings}.values())
    declared = {
        "scores": {each.name: _declaration(each) for each in readings if each.shown},
        "panels": list(panels_of(readings)),
    }
    told = reading(coloured=bool(session.tasks.truth_names))
    pictured = session.split.validation.sketch(session.tasks).on_map
    more = [TRY_PICTURES] if pictured else []
    if len({run.embedder.name for run in runs}) > 1:
        return {"reading": [OF_TWO, *told], **declared, "try": [*TRY_TWO, *more]}
    if session.embedder.has_pairs:
        return {"reading": told, **declared, "try": [*TRY_MARGINS, *more]}
    if adapts(session):
        return {"reading": [*OF_ADAPTING, *told[:-1]], **declared, "try": [*TRY_ADAPTING, *more]}
    return {"reading": [*OF_WEIGHTS, *told[:-1]], **declared, "try": [*TRY_WEIGHTS, *more]}


def _declaration(declared: Reading) -> dict[str, Any]:
    """What the page needs of a reading: its texts, its place, and how its line is drawn."""
    light, dark = LINE_COLOURS[declared.colour]
    return {
        "label": declared.label,
        "help": declared.help,
        "panel": declared.panel,
        "unit": declared.high == 1,
        "light": light,
        "dark": dark,
        "beside_map": declared.beside_map,
        "breaks": declared.in_distance_units,
        "pairs": declared.of_pairs,
    }


_COLOURED = (
    "Every point is one task, and it keeps its number and its colour from picture to picture. The colours are "
    "true parameters of the tasks. Training never sees them. If the colours are in order, the embedding has found "
    "that parameter by itself."
)
_PLAIN = "Every point is one task, and it keeps its number from picture to picture."


def reading(coloured: bool = True) -> list[str]:
    """What may I read from this picture? Paragraphs for a learner, with their sources."""
    return [
        _COLOURED if coloured else _PLAIN,
        "UMAP keeps neighbours together: points that are near each other on the map are mostly near in the embedding. "
        "Do not read more from it. The distance between two groups means little. So do the size of a group, its "
        "density and the rotation of the map (McInnes, Healy and Melville 2018). A group can also be made by the "
        "method itself: check whether it is there with PCA (choose Both above the map), and with another number of "
        "neighbours.",
        "PCA shows the two directions in which the vectors differ most, to scale. Other directions are not shown. So "
        "points that are far apart on the map are far apart in the embedding, but points that are near on the map may "
        "be far apart. The bar in the corner shows the scale, because every map fills its frame.",
        "Trustworthiness says how much you may trust near points on the map. It is 1 if all near points are near in "
        "the embedding too, and about 0.5 for a random map (Venna and Kaski 2001). It does not see neighbours that the "
        "map has separated, and it says nothing about distances. Below 0.9, choose a task and compare its lines.",
        "Jitter says how far the points moved since the last picture, as a share of the map's size. During training "
        "the embedding moves, and the map also arranges itself again. Check whether PCA moves as well. After a change "
        "of the map, or after a reset, there is no jitter.",
        "No map says whether the embedding is good. Use the scores: recall@1 tests whether a task finds itself again, "
        "and Spearman tests whether similar tasks are near each other. They use the embedding itself, not the map. A "
        "map also does not show a collapse, because it always fills its frame. Look at the mean distance.",
    ]


def about_run(session: Session, settings: Any = None, first: Collection[str] = ()) -> str:
    """A run's main settings in a few words, now or with earlier `settings`: loss, distance and so on.

    `first` names settings that are listed before all others: those in which two runs differ.
    """
    settings = session.settings if settings is None else settings
    known = session.declared()
    values = {**session.setup.as_dict(), **settings.as_dict()}
    said = [say_setting(known[name], values[name]) for name in first]
    for name, declared in session.embedder.settings_class.declared().items():
        if name not in first and declared.live and not declared.advanced and declared.applies(settings):
            said.append(say_setting(declared, values[name]))
    return ", ".join(said)


def differing_settings(sessions: Sequence[Session]) -> list[str]:
    """The settings in which these runs differ, in the order of their controls; of two embedders, those of both."""
    known, values = sessions[0].declared(), [session.values() for session in sessions]
    common = [name for name in known if all(name in each for each in values) and not known[name].hidden]
    return [name for name in common if any(other[name] != values[0][name] for other in values[1:])]


def map_words(session: Session, frame: Frame, chosen: int = -1) -> str:
    """A few sentences that describe the map; with a chosen task, also its neighbours."""
    n_tasks = len(frame.layout) - len(frame.diverged_tasks)
    family, (order, n_groups) = session.split.validation.label, _order_and_groups(session, frame)
    said = [f"{n_tasks} tasks ({family}) at step {frame.step}, drawn by {frame.projection.upper()}.", *order]
    if (purity := frame.diagnostics.get("purity")) is not None and not np.isnan(purity):
        said.append(_purity_words(session, purity))
    if n_groups > 1:
        doubt = "; UMAP can make islands where there are none" if frame.projection == "umap" else ""
        said.append(f"The map shows {n_groups} islands{doubt}.")
    if 0 <= chosen < len(frame.layout) and chosen not in frame.diverged_tasks:
        said.append(_chosen_words(session, frame, chosen))
    return " ".join(said)


def beside_words(session: Session, frame: Frame) -> str:
    """A sentence or two on a second map of the moment that `map_words` has described."""
    order, n_groups = _order_and_groups(session, frame)
    said = [f"Beside it the same vectors, drawn by {frame.projection.upper()}.", *order]
    if n_groups > 1:
        said.append(f"That map shows {n_groups} islands.")
    return " ".join(said)


def _order_and_groups(session: Session, frame: Frame) -> tuple[list[str], int]:
    """A sentence on how the truth orders the map (none without a truth), and the number of islands."""
    layout, truth = (
        np.delete(rows, frame.diverged_tasks, axis=0) for rows in (frame.layout, session.tasks.truth.numpy())
    )
    names, kinds = session.tasks.truth_names, session.split.validation.truth_kinds
    return [_shared_words(shared(layout, truth, kinds), names)] if names else [], groups(layout)


def _purity_words(session: Session, purity: float) -> str:
    family, tasks = session.split.validation, session.tasks
    assert family.group is not None
    chance = purity_by_chance(tasks.truth[:, tasks.truth_names.index(family.group)])
    found = f"{purity:.0%} have their nearest neighbour in their own {family.group}"
    return f"In the vectors themselves {found}. By chance it would be {chance:.0%}."


def _shared_words(scores: list[float], names: tuple[str, ...]) -> str:
    best = max(range(len(scores)), key=lambda k: scores[k])
    if scores[best] < _WORTH_SAYING:
        return "Neighbours on the map are not more similar in any true parameter than by chance."
    order = sorted(range(len(scores)), key=lambda k: -scores[k])[:2]
    listed = ", then ".join(f"{names[k]} ({scores[k]:.2f})" for k in order if scores[k] >= _WORTH_SAYING)
    return f"Neighbours on the map are similar in: {listed}. 1 means the same value, 0 means chance."


def _chosen_words(session: Session, frame: Frame, chosen: int) -> str:
    names = session.tasks.names
    k = min(_NEIGHBOURS, len(names) - 1)
    embedding, truth = (found.tolist() for found in session.nearest(frame, chosen, k=k))
    near, true = ("; ".join(names[i] for i in found[:_NAMED]) for found in (embedding, truth))
    said = f"Chosen: {names[chosen]}. Nearest in the embedding: {near}."
    if session.geometry is None:
        return said
    if not truth:
        return f"{said} It has no relative among these: in truth all others are equally far."
    # The true list contains only some of several equally near tasks: a task as near as its last one is right too.
    apart = session.geometry.true_distance[chosen]
    both = int((apart[embedding] <= apart[truth].max()).sum())
    if len(truth) < k:
        among = f"{both} of {len(truth)} {'is' if both == 1 else 'are'} among the {k} nearest in the embedding"
        return f"{said} Nearest in truth: {true}; all others are equally far. {among}."
    return f"{said} Nearest in truth: {true}. {both} of the {k} nearest are the same."


def shared(layout: Layout, truth: NDArray[np.floating[Any]], kinds: tuple[TruthKind, ...]) -> list[float]:
    """How much neighbours on the map share of each true parameter: 1 all of it, 0 as much as chance.

        score = 1 - mean over neighbours j of i of |v_i - v_j|^2 / mean over all pairs of |v_i - v_j|^2

    One minus Geary's ratio of contiguity (Geary 1954), with the five nearest on the map as neighbours. Angles are
    compared as points on the circle, categories by whether they are the same. A parameter that is the same for all
    tasks scores 0.

    Shapes: (n, 2), (n, n_truth) -> a number for each kind. Range: up to 1; below 0 where neighbours differ more
    than others.
    """
    n = len(layout)
    if n < 3:
        return [0.0] * len(kinds)
    neighbours = _nearest_on_map(layout, _NEIGHBOURS)[1]
    return [_contiguity(_as_points(truth[:, k], kind), neighbours) for k, kind in enumerate(kinds)]


def _as_points(values: NDArray[np.floating[Any]], kind: TruthKind) -> NDArray[np.float64]:
    """Numbers whose squared distance is how different two tasks are in this parameter."""
    if kind == "angle":
        return np.stack((np.cos(values), np.sin(values)), axis=1).astype(np.float64)
    if kind == "category":
        return (values[:, None] == np.unique(values)).astype(np.float64)
    return values[:, None].astype(np.float64)


def _contiguity(points: NDArray[np.float64], neighbours: NDArray[np.intp]) -> float:
    near = ((points[:, None] - points[neighbours]) ** 2).sum(axis=-1).mean()
    # The mean over all pairs, without making them: twice the variance, corrected for pairs of a task with itself.
    every = 2 * points.var(axis=0, ddof=1).sum()
    return float(1 - near / every) if every > 0 else 0.0


def groups(layout: Layout) -> int:
    """How many groups the map falls into, or 1 if no groups are clearly separated.

    Two tasks are in one group if a chain of near neighbours connects them, with no link much longer than the median
    one. Stragglers do not count; a map of which only a part falls into groups counts as 1.
    """
    n = len(layout)
    if n < 3 * _HOLDING:
        return 1
    distances, neighbours = _nearest_on_map(layout, _HOLDING)
    near = distances <= _FAR * float(np.median(distances[:, 0:_NEIGHBOURS]))
    rows, columns = near.nonzero()
    graph = coo_array((np.ones(len(rows), np.int8), (rows, neighbours[rows, columns])), shape=(n, n))
    sizes = np.bincount(connected_components(graph, directed=False)[1])
    large = sizes[sizes >= _SMALLEST_GROUP * n]
    clear = 2 <= len(large) <= _MOST_GROUPS and large.sum() >= 0.9 * n
    return len(large) if clear else 1


def _nearest_on_map(layout: Layout, k: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Each task's k nearest others on the map: distances and indices, (n, k), nearest first."""
    k = min(k, len(layout) - 1)
    found = cKDTree(layout).query(layout, k=k + 1)
    distances, indices = np.asarray(found[0], np.float64), np.asarray(found[1], np.intp)
    # If tasks lie on one spot, a task may not be first in its own list: mark it there, else the last, and drop it.
    own = indices == np.arange(len(layout))[:, None]
    own[~own.any(axis=1), -1] = True
    return distances[~own].reshape(len(layout), k), indices[~own].reshape(len(layout), k)
