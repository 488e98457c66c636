"""The collapse alarm: when all tasks fall into one point, or onto one line, say so, say why, and what to do.

A collapse is easy to miss. The loss may fall to zero while it happens, and a map is always drawn as large as its frame.
What tells is the distance between tasks, beside the distance that they began with or that the margin asks for.

What was seen in 120 to 300 steps of every family, at several losses, distances, margins, rates and minings:

- The mean distance stayed above 0.5 of the smaller of the two in every run that learned, and above 0.08 of the first
  even at margin 0.05. It fell below 0.02 at margin 0, under hard mining at a learning rate of 0.01, and where a rate of
  0.1 had silenced every unit. Cosine runs on digits dip below 0.01 at step 10 and are back above 0.05 at step 20: hence
  an alarm waits 20 steps.
- A low dimension alone is no fault. Digits learn well at 1.3 (two true parameters, of which the angle rules), sine
  waves at 1.7; a plain encoder begins at 1.03 and gets out of it. It is a reading, and an alarm only where tasks also
  find themselves less often than before training: for so long that was seen at a learning rate of 0.1 alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch

from taskembed_edu.evaluation.scores import effective_dimension, mean_distance
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.formulas.losses import LOSSES
from taskembed_edu.session.history import Frame

# Below this share of the distance that was to be expected, all tasks are one point.
POINT = 0.05
# Below this effective dimension, all tasks are one line.
LINE = 1.1
# For so many steps it must have been so: what passes by itself needs no alarm.
LASTING_STEPS = 20
# From here on a learning rate is a likely cause (the default is 0.001).
HIGH_RATE = 0.01
# A loss of so many times the lowest before it has grown. In runs that learn it seldom stood there: of every family and
# loss it stayed below 1.6 times (2.6 in digits under triplet, InfoNCE and prototypical losses, whose loss is small and
# wavers; such a run goes back a frame or two more than it need). Sine waves at a rate of 0.5 to 1 stood at 2 to 3 times
# the lowest at one step and at 15 to 500 times at the next; Adam at 1 at 1,400 times. From the last frame below twice
# all of these learnt on at a rate of 0.01; from one at 2.4 times the run began at three times its loss.
GROWN = 2.0
# What is less than this share of the first loss is as good as zero: twice of that is no growth.
_NEARLY_ZERO = 0.01
# The share of tasks that may have diverged in a run that is still worth going back to.
_MOST_LOST = 0.1
# So many tasks tell the first frame's mean distance well enough.
_SAMPLE = 200


def collapse_alarm(frame: Frame, before: Sequence[Frame]) -> str:
    """One sentence that says the collapse, and one that says its likely cause and what to do; else empty.

    `before` are the frames before it, from the first; the first frame itself never alarms.
    """
    if not before or not _has_lasted(frame, before):
        return ""
    what = _point_in_words(frame) if is_point(frame, before[0]) else _line_in_words(frame)
    return f"{what} {likely_cause(frame.settings)}"


def is_point(frame: Frame, first: Frame) -> bool:
    """Whether the tasks' mean distance is a small share of the first frame's, or of the margin if that is smaller."""
    expected = _first_distance(frame, first)
    margin = _margin(frame.settings)
    if margin:
        expected = min(expected, margin)
    return frame.diagnostics["mean_distance"] < POINT * expected


def is_line(frame: Frame, first: Frame) -> bool:
    """Whether the tasks fill one direction only and find themselves less often than before training."""
    recall = frame.diagnostics.get("recall@1")
    if recall is None or recall >= first.diagnostics["recall@1"]:
        return False
    return effective_dimension(torch.tensor(frame.embedding)) < LINE


def likely_cause(settings: Any) -> str:
    """What in these settings makes tasks collapse, and what to do about it."""
    margin, rate = _margin(settings), getattr(settings, "learning_rate", 0.0)
    back = "go back to a frame before it, or reset"
    if margin == 0.0 and _pushes_by_margin_alone(settings):
        return f"With margin 0 nothing pushes different tasks apart: raise the margin; if they stay together, {back}."
    if _in_effect(settings, "mining") == "hard":
        at = f" at learning rate {rate:g}" if rate >= HIGH_RATE else ""
        return (
            f"Hard mining{at} pulls on the worst pairs of a network that cannot yet tell them apart, and giving up on "
            f"all is its easiest answer: mine all first, hard ones later, and {back}."
        )
    if rate >= HIGH_RATE:
        return f"Learning rate {rate:g} is too high, steps overshoot and units go silent: lower it, then {back}."
    return f"What stands in the settings now does not do this, an earlier change did: {back}."


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
    """Whether a margin of 0 leaves nothing that pushes tasks apart; a triplet still compares two distances."""
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
    """The last frame worth going back to after a run has failed; the first one where none is.

    Weights can be finite and useless long before the loss is no number. A frame is sound where no task has diverged
    since the frame before, no more than a tenth of them have in all, and its loss is at most `GROWN` times the lowest
    before it.
    Losses are compared under the same settings only, apart from those in `same_loss`, which do not change what the loss
    measures.

    Worked numbers: of losses 4, 3, 5, 90 the third frame is the last sound one.
    """
    sound, lost = frames[0], len(frames[0].diverged_tasks)
    ranges: dict[Any, tuple[float, float]] = {}  # the first and the lowest loss under the same settings
    settings, under = None, ()  # type: tuple[Any, Any]
    for frame in frames[1:]:
        if frame.settings is not settings:  # taking settings apart takes time, and most frames share theirs
            settings = frame.settings
            under = tuple(value for name, value in settings.as_dict().items() if name not in same_loss)
        first, lowest = ranges.get(under, (frame.loss, frame.loss))
        grown = frame.loss > GROWN * max(lowest, _NEARLY_ZERO * first)
        if not grown and len(frame.diverged_tasks) <= min(lost, _MOST_LOST * len(frame.layout)):
            sound = frame
        lost = len(frame.diverged_tasks)
        ranges[under] = first, min(lowest, frame.loss)
    return sound
