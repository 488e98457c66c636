"""What the page is sent of the bench: numbers, words and bytes. Nothing here waits, sends or keeps a state."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.adaptation.stability import said
from taskembed_edu.evaluation.card_rows import MEASURES
from taskembed_edu.evaluation.inner_loops import InnerLoop
from taskembed_edu.live.numbers import rounded
from taskembed_edu.session.slow_motion import NEAREST, PROTOTYPES, RANDOM, Seen

# Curves are sent as 65,535ths of a range this many times as high as the plane: what lies beyond is not seen.
_REACH, _LEVELS = 3.0, 65535
# The measures of a query set that the bench has room for.
_SHOWN = ("loss", "accuracy", "letters right")


def bench_packet(
    seen: Seen, named: Mapping[str, str], can_undo: bool = False, stable: Mapping[str, float] = MappingProxyType({})
) -> dict[str, Any]:
    """The task, its points, and every start's way: losses, and its curve or its answers after each step.

    `named` are the labels of starts that are called otherwise than they are named; `stable` the largest stable rates of
    those that diverged, where they are known.
    """
    low, high = seen.sketch.y
    half = _REACH * (high - low) / 2
    reach = ((low + high) / 2 - half, (low + high) / 2 + half)
    packet: dict[str, Any] = {
        "kind": "curve" if seen.is_curve else "card",
        "task": seen.asked.task,
        "name": "" if seen.asked.own else seen.task.names[0],
        "own": seen.asked.own,
        "undo": can_undo,
        "steps": seen.asked.steps,
        "measures": {name: MEASURES[name].label for name in _SHOWN if name in seen.measures},
        "ways": [_way(seen, way, named, reach) for way in sorted(seen.ways.values(), key=_rank)],
        "flat": _flat(seen),
        "missing": {**seen.missing, **_lost(seen, named, stable)},
        "nearest": seen.nearest,
        "words": in_words(seen, named),
    }
    return packet | (_plane(seen, reach) if seen.is_curve else {})


def _plane(seen: Seen, reach: tuple[float, float]) -> dict[str, Any]:
    """The axes, the points, and the true curve, where there is one."""
    curve = seen.sketch.curve
    return {
        "x": list(seen.sketch.x),
        "y": list(seen.sketch.y),
        "reach": list(reach),
        "support": _pairs(seen.task.support_x, seen.task.support_y),
        "query": _pairs(seen.task.query_x, seen.task.query_y),
        "truth": b"" if curve is None or seen.asked.own else _levels(curve[0], reach),
    }


def _rank(way: InnerLoop) -> int:
    """The learned starts of two runs stand together, between a random one and the nearest task's."""
    return {RANDOM: 0, NEAREST: 2}.get(way.start, 1)


def _way(seen: Seen, way: InnerLoop, named: Mapping[str, str], reach: tuple[float, float]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": way.start,
        "label": named.get(way.start, way.start),
        "support": _floats(way.losses),
        "query": {name: _floats(way.query[name]) for name in _SHOWN if name in way.query},
        "diverged": -1 if way.diverged_at is None else way.diverged_at,
    }
    if seen.is_curve:
        return told | {"curves": _levels(way.outputs[..., 0], reach)}
    fit = seen.fit(way)
    if fit is not None and fit.classes is not None:
        told["classes"] = fit.classes.tobytes()
    if fit is not None and fit.words is not None:
        told["words"] = [list(words) for words in fit.words]
    return told


def _lost(seen: Seen, named: Mapping[str, str], stable: Mapping[str, float]) -> dict[str, str]:
    """Where an inner loop diverged, and what to do."""

    def advice(start: str) -> str:
        rate = stable.get(start)
        if rate is None:
            return "lower it"
        return f"the largest that is stable here is {said(rate)}" if rate else "no rate is stable here"

    return {
        named.get(way.start, way.start): f"diverged at step {way.diverged_at}. "
        f"The inner rate ({seen.method.inner_lr:g}) is too large for it: {advice(way.start)}."
        for way in seen.ways.values()
        if way.diverged_at is not None
    }


def _flat(seen: Seen) -> list[dict[str, Any]]:
    """Starts that take no step: one number of each measure."""
    if not seen.prototypes:
        return []
    return [{"name": PROTOTYPES, "label": PROTOTYPES, **{n: v for n, v in seen.prototypes.items() if n in _SHOWN}}]


def in_words(seen: Seen, named: Mapping[str, str]) -> str:
    """What the bench shows, for people who cannot see it."""
    task = "A curve of your own" if seen.asked.own else f"Task {seen.task.names[0]}"
    count = seen.task.support_x.shape[1]
    told = [f"{task}, {count} support point{'s' if count != 1 else ''}."]
    judged = "query loss" if seen.measures else "support loss"
    ends = []
    for way in seen.ways.values():
        values = way.query_losses if seen.measures else way.losses
        end = rounded(values[-1])
        about = f"{end:g}" if end is not None else "none"
        lost = f", diverged at step {way.diverged_at}" if way.diverged_at is not None else ""
        nearest = f" ({seen.nearest})" if way.start == NEAREST else ""
        ends.append(f"{named.get(way.start, way.start)}{nearest} {about}{lost}")
    if count:
        told.append(f"The {judged} after {seen.asked.steps} inner steps: {'; '.join(ends)}.")
    return " ".join(told)


def _floats(values: tuple[float, ...]) -> bytes:
    return np.array(values, "<f4").tobytes()


def _pairs(x: Tensor, y: Tensor) -> bytes:
    return torch.cat((x[0], y[0]), dim=-1).numpy().astype("<f4").tobytes()


def _levels(values: Tensor, reach: tuple[float, float]) -> bytes:
    share = ((values - reach[0]) / (reach[1] - reach[0])).nan_to_num(0.0).clamp(0, 1)
    return (share * _LEVELS).round().numpy().astype("<u2").tobytes()


def size_of(packet: Any) -> int:
    """The bytes in a packet."""
    if isinstance(packet, bytes):
        return len(packet)
    parts = packet.values() if isinstance(packet, dict) else packet if isinstance(packet, list) else ()
    return sum(map(size_of, parts))
