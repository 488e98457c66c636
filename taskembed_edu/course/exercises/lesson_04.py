"""The exercises of lesson 04: pairs of a step, losses of a collapse, semi-hard mining, and a report to be read."""

from collections.abc import Sequence
from typing import Any

from taskembed_edu.course.exercise import RIGHT, Exercise, Verdict, as_number, function, number, word, wrong

_MARGIN = 0.7


def _losses(answer: Any) -> Verdict:
    """Judges the triplet loss and the contrastive loss of tasks that have collapsed."""
    if not isinstance(answer, Sequence) or isinstance(answer, str) or len(answer) != 2:
        return wrong("Give two numbers in brackets: the triplet loss, then the contrastive loss.")
    values = [as_number(each) for each in answer]
    for which, value in zip(("triplet", "contrastive"), values, strict=True):
        if isinstance(value, str):
            return wrong(f"The {which} loss: {value}")
    triplet, contrastive = (abs(float(value) - _MARGIN) < 1e-6 for value in values)
    if triplet and contrastive:
        return RIGHT
    if values == [0.0, 0.0]:
        return wrong("All distances are 0, but the margin is not: different tasks should be 0.7 apart.")
    if triplet:
        return wrong(
            "The triplet loss is right. The contrastive loss: similar pairs add 0, and different pairs add what?"
        )
    if contrastive:
        return wrong("The contrastive loss is right. The triplet loss: put d = 0 into max(0, d(a, p) - d(a, n) + m).")
    return wrong("Neither yet. Put d = 0 into both formulas: what is left is the margin.")


def semi_hard(to_positive: float, to_negatives: Sequence[float], margin: float) -> int | None:
    """The place of the nearest negative that is farther than the positive, yet inside the margin; None without one."""
    inside = [i for i, d in enumerate(to_negatives) if to_positive < d < to_positive + margin]
    return min(inside, key=lambda i: to_negatives[i]) if inside else None


def _hardest(to_positive: float, to_negatives: Sequence[float], margin: float) -> int:
    return min(range(len(to_negatives)), key=lambda i: to_negatives[i])


def _farthest_inside(to_positive: float, to_negatives: Sequence[float], margin: float) -> int | None:
    inside = [i for i, d in enumerate(to_negatives) if to_positive < d < to_positive + margin]
    return max(inside, key=lambda i: to_negatives[i]) if inside else None


def _without_the_margin(to_positive: float, to_negatives: Sequence[float], margin: float) -> int | None:
    return semi_hard(to_positive, to_negatives, float("inf"))


def _its_distance(to_positive: float, to_negatives: Sequence[float], margin: float) -> float | None:
    place = semi_hard(to_positive, to_negatives, margin)
    return None if place is None else to_negatives[place]


_SEMI_HARD_CASES = [
    (1.0, [0.5, 1.8, 1.2, 9.0], 1.0),
    (1.0, [2.5, 0.9, 1.4], 2.0),
    (1.0, [0.5, 0.9, 2.5], 1.0),
    (0.0, [1.0, 0.0], 1.0),
]

EXERCISES = [
    Exercise(
        name="04.pairs",
        ask="20 sets. How many pairs in all, and how many of them are similar?",
        judge=number(
            180,
            {
                190.0: "These are all pairs. Take those away that are of one task.",
                10.0: "These are the similar pairs. How many are left?",
                360.0: "You counted each pair twice: once from each of its ends.",
                45.0: "These are pairs of tasks. Each task is there with two sets.",
                400.0: "20 times 20 counts each pair twice, and each set with itself.",
            },
            within=1e-6,
        ),
        right=180,
        mistakes=[(190, "all pairs"), (10, "similar pairs"), (360, "twice"), (45, "two sets")],
        hints=(
            "10 tasks with two sets each are 20 sets.",
            "20 sets have 20 * 19 / 2 pairs.",
            "10 of them are of one task each: take them away.",
        ),
        solution="20 * 19 / 2 - 10 = 180.",
    ),
    Exercise(
        name="04.collapsed",
        ask="All distances are 0.",
        judge=_losses,
        right=(0.7, 0.7),
        mistakes=[
            ((0, 0), "but the margin is not"),
            ((0.7, 0), "The triplet loss is right"),
            ((0, 0.7), "The contrastive loss is right"),
            ((1.4, 1.4), "Neither yet"),
            (0.7, "two numbers"),
        ],
        hints=(
            "Put d = 0 wherever a distance stands.",
            "Triplet: max(0, 0 - 0 + 0.7).",
            "Contrastive: similar pairs add 0, different ones max(0, 0.7 - 0).",
        ),
        solution="(0.7, 0.7): max(0, 0 - 0 + 0.7), and 0 + max(0, 0.7 - 0). Both are exactly the margin.",
    ),
    Exercise(
        name="04.semi_hard",
        ask="Keep the places with to_positive < d < to_positive + margin, then take the nearest.",
        judge=function(
            semi_hard,
            cases=_SEMI_HARD_CASES,
            mistakes=[
                (_hardest, "This is the hardest negative: it may be nearer than the positive."),
                (_farthest_inside, "You take the farthest of those inside. Take the nearest."),
                (_without_the_margin, "A negative beyond the margin is easy: it is not semi-hard."),
                (_its_distance, "You give its distance. Give its place in the list."),
            ],
            arguments="to_positive, to_negatives, margin",
        ),
        right=semi_hard,
        mistakes=[
            (_hardest, "hardest"),
            (_farthest_inside, "farthest"),
            (_without_the_margin, "beyond the margin"),
            (_its_distance, "its place"),
        ],
        hints=(
            "Two steps: which negatives are semi-hard, and which of them is the nearest?",
            "[i for i, d in enumerate(to_negatives) if to_positive < d < to_positive + margin]",
            "min(inside, key=lambda i: to_negatives[i]) if inside else None",
        ),
        solution=(
            "inside = [i for i, d in enumerate(to_negatives) if to_positive < d < to_positive + margin]\n"
            "return min(inside, key=lambda i: to_negatives[i]) if inside else None"
        ),
    ),
    Exercise(
        name="04.report",
        ask="Which loss has the value of the margin, what is 1 / 200, and what does a mean distance of 0 say?",
        judge=word(
            "collapse",
            {
                "converged": "The loss stands still, but recall is at chance (1/200), and all tasks are in one place.",
                "overfitting": "An overfitted embedding has a small training loss. Here the loss is the margin itself.",
                "underfitting": "Nothing was learnt, that is true. The mean distance says more: where are the tasks?",
            },
        ),
        right="collapse",
        mistakes=[("converged", "chance"), ("overfitting", "the margin itself"), ("underfitting", "mean distance")],
        hints=(
            "Compare the recall with that of a blind guess.",
            "Which loss do all triplets have if all distances are 0?",
            "A loss at the margin makes one suspect it; a mean distance of 0 confirms it.",
        ),
        solution='"collapse": all tasks lie in one place, so each triplet costs the margin, and recall is chance.',
    ),
]
