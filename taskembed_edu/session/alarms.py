"""The collapse alarm: when all tasks fall into one point, or onto one line, say so, say why, and what to do.

A collapse is easy to miss. The loss may fall to zero while it happens, and a map is always scaled to fill its frame.
The distance between tasks shows it, compared with the distance at the start or with the margin.

The thresholds come from runs of 120 to 300 steps of every family, at several losses, distances, margins, rates and
minings:

- The mean distance stayed above 0.5 of the smaller of the two in every run that learned, and above 0.08 of the first
  even at margin 0.05. It fell below 0.02 in three cases: at margin 0, under hard mining at a learning rate of 0.01, and
  where a rate of 0.1 had made every unit inactive. Cosine runs on digits fall below 0.01 at step 10 and are back above
  0.05 at step 20: this is why an alarm waits 20 steps.
- A low dimension alone is no fault. Digits learn well at 1.3 (of their two true parameters the angle dominates), sine
  waves at 1.7; a plain encoder begins at 1.03 and grows. So the dimension is a score, and it raises an alarm only
  where recall@1 is also lower than before training: both together lasted 20 steps only at a learning rate of 0.1.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import torch

from taskembed_edu.evaluation.scores import effective_dimension, mean_distance
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.formulas.losses import LOSSES
from taskembed_edu.session.history import Frame

# All tasks count as one point if their mean distance is below this share of the expected one.
POINT = 0.05
# All tasks count as one line if their effective dimension is below this.
LINE = 1.1
# A collapse must have lasted this many steps: one that ends by itself needs no alarm.
LASTING_STEPS = 20
# A learning rate of at least this is a likely cause (the default is 0.001).
HIGH_RATE = 0.01
# A loss counts as grown if it is more than this many times the lowest loss before it. Runs that learn seldom reach it:
# in every family, under every loss, the ratio stayed below 1.6 (2.6 in digits under triplet, InfoNCE and prototypical
# losses, whose loss is small and noisy; such a run goes back a frame or two more than necessary). Sine waves at a rate
# of 0.5 to 1 had a ratio of 2 to 3 at one step and of 15 to 500 at the next; Adam at 1 had 1,400. After going back to
# the last frame below twice the lowest loss, all of these continued to learn at a rate of 0.01; from a frame at 2.4
# times, the run began at three times its loss.
GROWN = 2.0
# A loss below this share of the first one is practically zero: its doubling does not count as growth.
_NEARLY_ZERO = 0.01
# A frame is worth going back to if at most this share of its tasks has diverged.
_MOST_DIVERGED = 0.1
# This many tasks suffice to estimate the first frame's mean distance.
_SAMPLE = 200


def collapse_alarm(frame: Frame, before: Sequence[Frame]) -> str:
    """A sentence that reports the collapse, and one with its likely cause and what to do; "" without a collapse.

    `before` are the frames before it, from the first; the first frame itself never raises an alarm.
    """
    if not before or not _has_lasted(frame, before):
        return ""
    what = _point_in_words(frame) if is_point(frame, before[0]) else _line_in_words(frame)
    return f"{what} {likely_cause(frame.settings)}"


def is_point(frame: Frame, first: Frame) -> bool:
    """Whether the tasks' mean distance is a small share of the first frame's, or of the margin if that is smaller."""
    return spread(frame, first) < POINT


def spread(frame: Frame, first: Frame) -> float:
    """The tasks' mean distance as a share of the expected one: the first frame's, or the margin if that is smaller."""
    expected = _first_distance(frame, first)
    margin = _margin(frame.settings)
    if margin:
        expected = min(expected, margin)
    return frame.diagnostics["mean_distance"] / expected if expected else math.inf


def is_line(frame: Frame, first: Frame) -> bool:
    """Whether the tasks vary in one direction only and recall@1 is lower than before training."""
    recall = frame.diagnostics.get("recall@1")
    if recall is None or recall >= first.diagnostics["recall@1"]:
        return False
    return effective_dimension(torch.tensor(frame.embedding)) < LINE


def suspects(settings: Any) -> list[str]:
    """The names of the settings that are likely to make tasks collapse, the likeliest first."""
    found = []
    if _margin(settings) == 0.0 and _pushes_by_margin_alone(settings):
        found.append("margin")
    if _in_effect(settings, "mining") == "hard":
        found.append("mining")
    if getattr(settings, "learning_rate", 0.0) >= HIGH_RATE:
        found.append("learning_rate")
    return found


def likely_cause(settings: Any) -> str:
    """Which of these settings makes tasks collapse, and what to do about it."""
    found, rate = suspects(settings), getattr(settings, "learning_rate", 0.0)
    back = "go back to a step before the collapse"
    if not found:
        return f"The settings of now do not do this. An earlier setting did. To mend it, {back}."
    if found[0] == "margin":
        return f"With margin 0 nothing pushes different tasks apart. To mend it, {back}, with a larger margin."
    if found[0] == "mining":
        at = f" at learning rate {rate:g}" if rate >= HIGH_RATE else ""
        return (
            f"Hard mining{at} trains on the worst pairs only, and a new network cannot tell them apart yet. It then "
            f"puts all tasks in one place. To mend it, {back}, and train on all pairs first, on hard ones later."
        )
    return (
        f"Learning rate {rate:g} is too high: the steps go too far, and units of the network stop answering. "
        f"To mend it, {back}, with a lower learning rate."
    )


def _has_lasted(frame: Frame, before: Sequence[Frame]) -> bool:
    first = before[0]
    for earlier in (frame, *reversed(before[1:])):
        if not (is_point(earlier, first) or is_line(earlier, first)):
            return False
        if frame.step - earlier.step >= LASTING_STEPS:
            return True
    return False


def _first_distance(frame: Frame, first: Frame) -> float:
    if frame.metric == first.metric:
        return first.diagnostics["mean_distance"]
    return mean_distance(pairwise_distances(torch.tensor(first.embedding[:_SAMPLE]), metric=frame.metric))


def _margin(settings: Any) -> float | None:
    """The margin; None where the loss has none."""
    margin: float | None = _in_effect(settings, "margin")
    return margin


def _in_effect(settings: Any, name: str) -> Any:
    """The value of this setting; None where there is no such setting, or where it has no effect with the others."""
    declared = type(settings).declared().get(name)
    return getattr(settings, name) if declared is not None and declared.applies(settings) else None


def _pushes_by_margin_alone(settings: Any) -> bool:
    """Whether nothing pushes tasks apart at margin 0. A triplet loss still does: it compares two distances."""
    loss = LOSSES.get(getattr(settings, "loss", ""))
    return loss is None or loss.terms == "pairs"


def _point_in_words(frame: Frame) -> str:
    return (
        f"All tasks have collapsed into one point: they are {frame.diagnostics['mean_distance']:.1g} apart on average."
    )


def _line_in_words(frame: Frame) -> str:
    dimension = effective_dimension(torch.tensor(frame.embedding))
    return (
        f"All tasks have collapsed onto one line (effective dimension {dimension:.2f}) and find themselves less often "
        "than before training."
    )


def last_stable_frame(frames: Sequence[Frame], same_loss: Collection[str]) -> Frame:
    """The last frame worth going back to after a run has failed; the first one if there is no such frame.

    Weights can be finite and useless long before the loss is not a number. A frame is stable if no task has diverged
    since the frame before, at most a tenth of all tasks have diverged, and its loss is at most `GROWN` times the
    lowest before it.
    Losses are compared only between frames of the same settings. Settings in `same_loss` may differ: they do not change
    what the loss measures.

    Worked numbers: of losses 4, 3, 5, 90 the third frame is the last stable one.
    """
    stable, n_diverged = frames[0], len(frames[0].diverged_tasks)
    ranges: dict[Any, tuple[float, float]] = {}  # the first and the lowest loss under the same settings
    settings, under = None, ()  # type: tuple[Any, Any]
    for frame in frames[1:]:
        if frame.settings is not settings:  # as_dict() takes time, and most frames share one settings object
            settings = frame.settings
            under = tuple(value for name, value in settings.as_dict().items() if name not in same_loss)
        first, lowest = ranges.get(under, (frame.loss, frame.loss))
        grown = frame.loss > GROWN * max(lowest, _NEARLY_ZERO * first)
        if not grown and len(frame.diverged_tasks) <= min(n_diverged, _MOST_DIVERGED * len(frame.layout)):
            stable = frame
        n_diverged = len(frame.diverged_tasks)
        ranges[under] = first, min(lowest, frame.loss)
    return stable
