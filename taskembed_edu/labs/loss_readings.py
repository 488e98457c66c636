"""Everything that the LossLab's page and its static picture show, as numbers and text: no widget, no figure."""

from __future__ import annotations

import math
from typing import Any

from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.labs import loss_words as words
from taskembed_edu.labs.distance_words import tidy
from taskembed_edu.labs.loss_state import State
from taskembed_edu.labs.loss_steps import PHASES, LossSettings, Reading, Region

MOST_ROWS = 60  # at most this many terms are listed and drawn; the sums count all
MOST_LOSSES = 200
FEW_LINKS = 4  # up to this many lines show their distances in the plane in "explore"
SOME_LINKS = 10  # more lines than this are drawn thin and straight
MARGIN_SETTINGS = ("metric", "loss", "anchors", "mining")  # they change the place or the shape of the margin

EXPLORE, _PAIRS, DISTANCES, VIOLATIONS, FORCES, MOVE = range(len(PHASES))


def readings(state: State) -> dict[str, Any]:
    """The state and every number that the page shows, as plain values."""
    try:
        reading, undefined = state.reading, ""
    except ValueError as error:
        reading, undefined = Reading((), (), (), ((0.0, 0.0),) * len(state.points), ()), str(error)
    untouched = state.points == state.scene.points
    seen = {
        "scene": state.scene.title,
        "view_key": " ".join([state.scene.title, *(str(getattr(state.settings, name)) for name in MARGIN_SETTINGS)]),
        "names": list(state.scene.names),
        "labels": [sorted(set(state.scene.labels)).index(label) for label in state.scene.labels],
        "points": [list(point) for point in state.points],
        "before": [list(point) for point in state.before] if state.before else None,
        "marks": [{"at": list(m.at), "text": m.text} for m in state.scene.marks] if untouched else [],
        "settings": state.settings.as_dict(),
        "margin_high": METRICS[state.settings.metric].slider_max,
        "minings": list(state.settings.minings),
        "choices": {"mining": list(state.settings.minings)},
        "phase": state.phase,
        "steps": len(state.losses),
        "undefined": undefined,
        "said": undefined or _said(state, reading),
        "caution": _caution(state),
        "points_said": [
            words.point(name, force, state.settings)
            for name, force in zip(state.scene.names, reading.total, strict=True)
        ],
        **_numbers(reading, state.settings),
        "losses": [] if undefined else [*state.losses, reading.loss][-MOST_LOSSES:],
        "loss": "undefined" if undefined else tidy(reading.loss),
        "arithmetic": "" if undefined else words.arithmetic(reading.terms),
    }
    return {**seen, **_shown(state, seen)}


def _said(state: State, reading: Reading) -> str:
    before = state.losses[-1] if state.losses else None
    return words.sub_step(state.phase_name, reading, state.settings, state.scene.note, before)


def _caution(state: State) -> str:
    """A warning about distances that the drawing does not keep; "" if it keeps all."""
    if state.scene.laid and state.settings.metric == "manhattan":
        return (
            "Laid into the plane, these points keep their Euclidean distances and their angles, but not their "
            "Manhattan distances: those shown are the plane's."
        )
    return ""


def _numbers(reading: Reading, settings: LossSettings) -> dict[str, Any]:
    """Rows, arrows and regions; if there are too many rows, terms without a violation are omitted first."""
    order = sorted(range(len(reading.terms)), key=lambda k: reading.terms[k].term <= 0)[:MOST_ROWS]
    shown = sorted(order)
    return {
        "rows": [_row(reading, k, settings) for k in shown],
        "rows_hidden": len(reading.terms) - len(shown),
        "total": [list(force) for force in reading.total],
        "regions": [_region(region, settings.metric) for region in reading.regions],
        "still": reading.still,
    }


def _row(reading: Reading, k: int, settings: LossSettings) -> dict[str, Any]:
    term = reading.terms[k]
    distances = term.distance if isinstance(term.distance, tuple) else (term.distance,)
    return {
        "kind": term.kind,
        "sort": words.sort(term),
        "members": list(reading.members[k]),
        "distances": [tidy(d) for d in distances],
        "violation": tidy(term.violation),
        "term": tidy(term.term),
        "active": term.term > 0,
        "forces": [list(force) for force in reading.forces[k]],
        "words": words.explain(term, settings),
    }


def _region(region: Region, metric: str) -> dict[str, Any]:
    """A region with the sizes that the page draws: the half width, or under the cosine the half angle."""
    return {
        "anchor": region.anchor,
        "positive": region.positive,
        "shape": {"manhattan": "diamond", "cosine": "wedge"}.get(metric, "circle"),
        "size": _reach(region.radius, metric),
        "inner": _reach(region.inner, metric),
        "radius": tidy(region.radius),
    }


def _reach(distance: float, metric: str) -> float:
    if metric == "squared_euclidean":
        return math.sqrt(distance)
    if metric == "cosine":
        return math.acos(max(-1.0, 1.0 - distance))
    return distance


# What each sub-step shows: in slow motion, numbers appear one after the other.


def _shown(state: State, seen: dict[str, Any]) -> dict[str, Any]:
    """The parts visible in this sub-step, the table's cells (blank if not yet known), and the lines to draw."""
    phase, rows = state.phase, seen["rows"]
    links, judged = _links(rows), _known(phase, VIOLATIONS)
    few = len(links) <= FEW_LINKS if phase == EXPLORE else len(links) <= SOME_LINKS
    return {
        "shows": {
            "measures": few and _known(phase, DISTANCES) and phase != MOVE,
            "distances": _known(phase, DISTANCES),
            "judged": judged,
            "regions": phase in (EXPLORE, VIOLATIONS, FORCES),
            "forces": phase in (EXPLORE, FORCES),
        },
        "titles": ["triplet", "d(a,p)", "d(a,n)", "term"]
        if state.settings.loss == "triplet"
        else ["pair", "distance", "violation", "term"],
        "cells": [_cells(row, phase) for row in rows],
        "links": links,
        "many_links": len(links) > SOME_LINKS,
        "shown": {
            "loss": seen["loss"] if judged else "…",
            "arithmetic": seen["arithmetic"] if judged else "",
            "updates": f"update {len(state.losses)}",
            "more": f"and {seen['rows_hidden']} more; the loss counts them all" if seen["rows_hidden"] else "",
            "chosen": "triplets" if state.settings.loss == "triplet" else "pairs",
        },
    }


def _known(phase: int, since: int) -> bool:
    return phase == EXPLORE or phase >= since


def _cells(row: dict[str, Any], phase: int) -> list[str]:
    """The row's sort and its three numbers; blank if not known in this sub-step."""
    distances, judged = row["distances"], _known(phase, VIOLATIONS)
    if row["kind"] == "triplet":
        sort, numbers = row["sort"] if judged else "", [*distances, row["term"] if judged else ""]
    else:
        sort, numbers = row["sort"], [*distances, *((row["violation"], row["term"]) if judged else ("", ""))]
    return [sort, *(numbers if _known(phase, DISTANCES) else [""] * 3)]


def _links(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line for each pair of points; a triplet has two: to its positive and to its negative."""
    links: dict[tuple[int, int], dict[str, Any]] = {}
    for number, row in enumerate(rows):
        anchor, *others = row["members"]
        kinds = ("similar", "different") if row["kind"] == "triplet" else (row["kind"],)
        for other, kind, distance in zip(others, kinds, row["distances"], strict=True):
            new = {"kind": kind, "from": anchor, "to": other, "rows": [], "active": False}
            link = links.setdefault((min(anchor, other), max(anchor, other)), new)
            link["rows"].append(number)
            link["active"] = link["active"] or row["active"]
            link["text"] = distance
    return list(links.values())
