"""Everything that the LossLab's page and its still show, as plain numbers and words: no widget, no figure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.labs import loss_words as words
from taskembed_edu.labs.distance_readings import tidy
from taskembed_edu.labs.loss_steps import LossSettings, Reading, Region

if TYPE_CHECKING:
    from taskembed_edu.labs.loss import LossLab

MOST_ROWS = 60  # terms that are listed and drawn one by one; the sums count all
MOST_LOSSES = 200


def readings(lab: LossLab) -> dict[str, Any]:
    """The state and every number that the page shows, as plain values."""
    state = lab._state
    try:
        reading, undefined = lab.reading, ""
    except ValueError as error:
        reading, undefined = Reading((), (), (), ((0.0, 0.0),) * len(state.points), ()), str(error)
    untouched = state.points == state.scene.points
    return {
        "scene": state.scene.title,
        "names": list(state.scene.names),
        "labels": [sorted(set(state.scene.labels)).index(label) for label in state.scene.labels],
        "points": [list(point) for point in state.points],
        "before": [list(point) for point in state.before] if state.before else None,
        "marks": [{"at": list(m.at), "text": m.text} for m in state.scene.marks] if untouched else [],
        "settings": state.settings.as_dict(),
        "margin_high": METRICS[state.settings.metric].slider_max,
        "minings": list(state.settings.minings),
        "phase": state.phase,
        "steps": lab.steps,
        "can_undo": bool(lab._past),
        "undefined": undefined,
        "trouble": "",
        "said": undefined or _said(lab, reading),
        "caution": _caution(lab),
        "points_said": [
            words.point(name, force, state.settings)
            for name, force in zip(state.scene.names, reading.total, strict=True)
        ],
        **_numbers(reading, state.settings),
        "losses": [] if undefined else [*state.losses, reading.loss][-MOST_LOSSES:],
        "loss": "undefined" if undefined else tidy(reading.loss),
        "arithmetic": "" if undefined else words.arithmetic(reading.terms),
    }


def _said(lab: LossLab, reading: Reading) -> str:
    before = lab._state.losses[-1] if lab._state.losses else None
    return words.sub_step(lab.phase, reading, lab.settings, lab._state.scene.note, before)


def _caution(lab: LossLab) -> str:
    """What the drawing cannot be true to."""
    if lab._state.scene.laid and lab.settings.metric == "manhattan":
        return (
            "Laid into the plane, these points keep their Euclidean distances and their angles, but not their "
            "Manhattan distances: those shown are the plane's."
        )
    return ""


def _numbers(reading: Reading, settings: LossSettings) -> dict[str, Any]:
    """Rows, arrows and regions; where there are too many rows, those that violate come first."""
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
    """A region with its sizes as the page draws them: half a width, or under the cosine half an angle."""
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
