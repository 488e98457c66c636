"""The way out of a collapse: the frame to go back to, and the settings that lead elsewhere from there.

Going back alone does not help. The settings that made the tasks collapse would do it again, and a frame just before the
collapse may already have useless weights.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from taskembed_edu.base.settings import Settings
from taskembed_edu.session.alarms import is_line, is_point, last_stable_frame, spread, suspects
from taskembed_edu.session.history import Frame

# A frame is healthy if its tasks are at least this share of the expected distance apart: runs that learn always are.
HEALTHY = 0.5
# ... and its recall@1 is at least this share of the best that was reached with as many shots, by the same distance:
# with fewer shots a healthy run finds fewer tasks, too. Where a high rate has silenced half of the units, tasks can
# still be far apart, but a run from there stays far below what a new one reaches.
HEALTHY_RECALL = 0.8
# The learning rate is lowered to this share of the one that made the tasks collapse.
LOWER = 0.1


class Recovery(NamedTuple):
    """Where to go back to, and which settings to change there: names and values."""

    frame: Frame
    changes: dict[str, Any]


def recovery(frames: Sequence[Frame], settings: Settings, same_loss: Collection[str] = ()) -> Recovery | None:
    """How to leave the collapse that the last frame reports; None if it reports none.

    The frame is the last healthy one before the collapse. `settings` are those of now: they stay, except for what made
    the tasks collapse. `same_loss`: see `last_stable_frame`.

    Worked numbers: mean distances of 4, 3, 0.9, 0.1, 0.1, 0.1 at learning rate 0.1 and margin 6 lead back to the
    second frame, with a learning rate of 0.01.
    """
    if not frames or not frames[-1].alarm:
        return None
    begun = _collapse_begun(frames)
    stable = last_stable_frame(frames[:begun], same_loss).index
    best: dict[Any, float] = {}
    for frame in frames[: stable + 1]:
        best[_measured(frame)] = max(_recall(frame), best.get(_measured(frame), 0.0))
    healthy = (k for k in range(stable, 0, -1) if _is_healthy(frames[k], frames[0], best[_measured(frames[k])]))
    return Recovery(frames[next(healthy, 0)], cured(settings, frames[begun].settings))


def cured(settings: Settings, collapsed: Settings) -> dict[str, Any]:
    """What to change in these settings so that tasks do not collapse as they did under the settings `collapsed`.

    Margin 0 goes back to its default, hard mining to all pairs, a high learning rate to a tenth.
    """
    found = {*suspects(settings), *suspects(collapsed)}
    usual = type(settings)().as_dict()
    values = settings.as_dict()
    changes: dict[str, Any] = {}
    if "margin" in found and not values["margin"]:
        changes["margin"] = settings.clamped(margin=usual["margin"]).as_dict()["margin"]
    if "mining" in found and values["mining"] == "hard":
        changes["mining"] = usual["mining"]
    if "learning_rate" in found:
        highest = max(values["learning_rate"], getattr(collapsed, "learning_rate", 0.0))
        lower = float(f"{LOWER * highest:.3g}")
        if values["learning_rate"] > lower:
            changes["learning_rate"] = lower
    return changes


def _is_healthy(frame: Frame, first: Frame, best_recall: float) -> bool:
    return spread(frame, first) >= HEALTHY and _recall(frame) >= HEALTHY_RECALL * best_recall


def _measured(frame: Frame) -> tuple[Any, ...]:
    """What a frame's recall@1 is a number of: recalls of other shots, or by another distance, are not compared."""
    return frame.metric, getattr(frame.settings, "n_shot", None)


def _recall(frame: Frame) -> float:
    return frame.diagnostics.get("recall@1", 0.0)


def _collapse_begun(frames: Sequence[Frame]) -> int:
    """The index of the first of the collapsed frames at the end; the first frame of all never counts as one."""
    begun = len(frames) - 1
    while begun > 1 and (is_point(frames[begun - 1], frames[0]) or is_line(frames[begun - 1], frames[0])):
        begun -= 1
    return begun
