"""The exercises of lesson 02: a loss at another margin, the largest margin, Hadsell's formula, an update too far."""

import math
from collections.abc import Mapping
from typing import Any

from taskembed_edu.course.exercise import Exercise, Later, Verdict, function, number, of_lab, wrong

ROOT_3 = math.sqrt(3)

_PAIRS = [(0.5, 1, 1.0), (0.5, 0, 1.0), (2.0, 1, 1.0), (2.0, 0, 1.0), (2.0, 0, 3.0)]


def hadsell(distance: float, label: int, margin: float) -> float:
    """Half a square for a similar pair, half the square of what is missing for a different one."""
    return 0.5 * distance**2 if label == 1 else 0.5 * max(0.0, margin - distance) ** 2


def _labels_the_other_way(distance: float, label: int, margin: float) -> float:
    return hadsell(distance, 1 - label, margin)


def _without_the_half(distance: float, label: int, margin: float) -> float:
    return 2 * hadsell(distance, label, margin)


def _without_max(distance: float, label: int, margin: float) -> float:
    return 0.5 * distance**2 if label == 1 else 0.5 * (margin - distance) ** 2


def _without_squares(distance: float, label: int, margin: float) -> float:
    return 0.5 * distance if label == 1 else 0.5 * max(0.0, margin - distance)


def _no_margin(distance: float, label: int, margin: float) -> float:
    return 0.5 * distance**2


_RISE = 0.1


def _read(lab: Any) -> dict[str, float]:
    """The loss now, and after one update: the update is made in a copy."""
    copy = type(lab)(list(lab.points.values()), list(lab.labels.values()), **lab.settings.as_dict())
    before = copy.loss
    copy.step()
    return {"before": float(before), "after": float(copy.loss)}


def _judge(found: Mapping[str, float]) -> Verdict:
    before, after = found["before"], found["after"]
    if before == 0:
        return wrong("The loss is 0 here, so no force acts, and an update moves nothing.")
    said = f"one update takes the loss from {before:.2f} to {after:.2f}"
    if after < before:
        return wrong(f"Here {said}: it becomes smaller, as it should. When would a step be too long?")
    if after - before < _RISE:
        return wrong(f"Here {said}: that is a rise, but of less than {_RISE}.")
    return Verdict("right", f"Here {said}.")


def _lab(positive: float | None = None, **settings: Any) -> Any:
    """The course's example, with the positive so far from the anchor."""
    from taskembed_edu.labs.loss import LossLab  # torch comes with it

    lab = LossLab(**settings)
    if positive is not None:
        x, y = lab.points["anchor"]
        lab.move("positive", (x + positive, y))
    return lab


EXERCISES = [
    Exercise(
        name="02.margin_six",
        ask="Both terms are above 0 now. math.sqrt(3) may help.",
        judge=number(
            6 - 2 * ROOT_3,
            {
                ROOT_3: "This is the loss at margin 1, where the negative is far enough. At margin 6 it is not.",
                3 * ROOT_3: "This is how far the negative is. How much is missing to the margin?",
                6 - 3 * ROOT_3: "This is the part of the negative only. Add the distance to the positive.",
                6 - 4 * ROOT_3: "The positive's distance is added, not taken away.",
                6
                + ROOT_3
                - math.sqrt(14): "You took sqrt(14) for the negative's distance, as the document does: sqrt(27).",
                6 - ROOT_3: "The negative is 3·sqrt(3) away: [4, 5, 6] differs from [1, 2, 3] by 3 in each entry.",
            },
        ),
        right=6 - 2 * ROOT_3,
        mistakes=[
            (ROOT_3, "margin 1"),
            (6 - 3 * ROOT_3, "Add the distance"),
            (6 - 4 * ROOT_3, "added"),
            (6 - ROOT_3, "by 3"),
            (3.99, "sqrt(27)"),
        ],
        hints=(
            "Add the distance to the positive, and what the negative lacks to the margin.",
            "The positive is sqrt(3) away, the negative 3·sqrt(3).",
            "sqrt(3) + (6 - 3·sqrt(3)).",
        ),
        solution="sqrt(3) + 6 - 3·sqrt(3) = 6 - 2·sqrt(3), about 2.5359.",
    ),
    Exercise(
        name="02.largest_margin",
        ask="How much farther than the positive is the negative?",
        judge=number(
            2 * ROOT_3,
            {
                3 * ROOT_3: "This is how far the negative is. The triplet loss compares it with the positive.",
                ROOT_3: "This is how far the positive is. How much farther is the negative?",
                4 * ROOT_3: "You added the two distances: the triplet loss takes their difference.",
                math.sqrt(14) - ROOT_3: "You took sqrt(14) for the negative's distance. It is sqrt(27).",
                1.0: "At margin 1 it is 0, but a larger margin still gives 0.",
                0.0: "At margin 0 it is 0, but a larger margin still gives 0.",
            },
            within=1e-4,
        ),
        right=2 * ROOT_3,
        mistakes=[
            (3 * ROOT_3, "compares"),
            (ROOT_3, "How much farther"),
            (4 * ROOT_3, "difference"),
            (1, "larger margin"),
        ],
        hints=(
            "The triplet loss is max(0, d(a, p) - d(a, n) + m).",
            "It is 0 as long as d(a, p) + m is at most d(a, n).",
            "d(a, n) - d(a, p) = 3·sqrt(3) - sqrt(3).",
        ),
        solution="d(a, n) - d(a, p) = 3·sqrt(3) - sqrt(3) = 2·sqrt(3), about 3.4641.",
    ),
    Exercise(
        name="02.hadsell",
        ask="Half a square for a similar pair, half the square of what is missing for a different one.",
        judge=function(
            hadsell,
            cases=_PAIRS,
            mistakes=[
                (_labels_the_other_way, "You have the labels the other way round: here 1 means similar."),
                (_without_the_half, "Each part has a factor of 1/2."),
                (_without_max, "A different pair beyond the margin costs nothing: take max(0, ...)."),
                (_without_squares, "Hadsell's loss is squared; yours is the linear one."),
                (_no_margin, "A different pair is pushed apart: its part is about margin - distance."),
            ],
            arguments="distance, label, margin",
        ),
        right=hadsell,
        mistakes=[
            (_labels_the_other_way, "other way round"),
            (_without_the_half, "factor of 1/2"),
            (_without_max, "beyond the margin"),
            (_without_squares, "squared"),
            (_no_margin, "pushed apart"),
        ],
        hints=(
            "Two cases: label 1 (similar) and label 0 (different).",
            "Similar: 0.5 * distance**2. Different: half the square of what is missing to the margin.",
            "What is missing is max(0, margin - distance).",
        ),
        solution="return 0.5 * distance**2 if label == 1 else 0.5 * max(0, margin - distance) ** 2",
    ),
    Exercise(
        name="02.too_far",
        ask="Place the points, and choose the settings, so that the next update makes the loss larger.",
        judge=of_lab(_read, _judge, has=("points", "labels", "settings", "loss")),
        right=Later(lambda: _lab(positive=0.05)),
        mistakes=[
            (Later(_lab), "becomes smaller"),
            (Later(lambda: _lab(positive=0.0)), "no force acts"),
            (Later(lambda: _lab(positive=0.18)), "less than 0.1"),
        ],
        hints=(
            "The linear loss pulls with force 1, however near the goal is.",
            "One update moves both points of a pair by the learning rate. What if they are nearer than that?",
            "Put the positive almost on the anchor; or set the learning rate to 1 and the positive half a unit away.",
        ),
        solution=(
            "The positive 0.05 from the anchor, learning rate 0.2: both move by 0.2 and pass each other: 0.35 apart. "
            "The loss rises by 0.3."
        ),
    ),
]
