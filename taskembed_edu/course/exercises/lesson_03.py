"""Lesson 03: the size of an episode, how one is dealt, and a family of tasks of the learner's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskembed_edu.course.exercise import (
    RIGHT,
    Exercise,
    Later,
    Verdict,
    function,
    measured_alike,
    number,
    of_lab,
    wrong,
)

Rows = list[list[int]]
Dealt = tuple[list[int], list[int]]


def _episode(rows: Rows, n_shot: int) -> Dealt:
    return [row for of in rows for row in of[:n_shot]], [row for of in rows for row in of[n_shot:]]


def _query_holds_all(rows: Rows, n_shot: int) -> Dealt:
    return _episode(rows, n_shot)[0], [row for of in rows for row in of]


def _shots_in_all(rows: Rows, n_shot: int) -> Dealt:
    together = [row for of in rows for row in of]
    return together[:n_shot], together[n_shot:]


def _swapped(rows: Rows, n_shot: int) -> Dealt:
    support, query = _episode(rows, n_shot)
    return query, support


def _first_class_only(rows: Rows, n_shot: int) -> Dealt:
    return rows[0][:n_shot], rows[0][n_shot:]


_CASES: list[tuple[Any, ...]] = [
    ([[3, 8, 1], [9, 4, 6]], 2),
    ([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], 1),
    ([[7, 5], [2, 6]], 1),
]

_FEWEST, _RISE, _END = 50, 0.3, 0.5


def _read(session: Any) -> dict[str, float]:
    from taskembed_edu.tasks import is_of_the_package  # torch comes with it

    family = session.named_family()  # a name: the package's, as it comes
    is_own = not isinstance(family, str) and not is_of_the_package(family)
    first, last = session.history[0].diagnostics, session.history[-1].diagnostics
    return {
        "own": float(is_own),
        "tasks": float((is_own and family.n_distinct) or _FEWEST),
        "steps": float(session.history[-1].step),
        "alike": float(measured_alike(session)),
        "first": float(first.get("recall@1", 0.0)),
        "last": float(last.get("recall@1", 0.0)),
    }


def _judge(found: Mapping[str, float]) -> Verdict:
    if not found["own"]:
        return wrong("These tasks come with the package. Make a family of your own: OwnTasks(x, y) takes two arrays.")
    if found["tasks"] < _FEWEST:
        return wrong(f"Your family has {found['tasks']:.0f} tasks; at least {_FEWEST} are asked for.")
    if not found["steps"]:
        return wrong("The lab has not been trained: press Play, or call my_lab.session.step(100).")
    if not found["alike"]:
        return wrong("Shots or distance were changed since the first picture: press Reset, then Play, to compare them.")
    said = f"recall@1 went from {found['first']:.2f} to {found['last']:.2f}"
    if found["last"] < _END or found["last"] - found["first"] < _RISE:
        cause = "Train longer, or make tasks that differ more than two draws of one of them do."
        return wrong(f"{said}; it must rise by {_RISE} and end above {_END}. {cause}")
    return Verdict("right", RIGHT.said, measured=f"{said}.".capitalize())


def _trained(kind: str, n_tasks: int = 300, steps: int = 60) -> Any:
    """A session of parabolas, of waves of the package, or of noise without a task in it."""
    import torch

    from taskembed_edu.session.session import Session
    from taskembed_edu.tasks import OwnTasks

    if kind == "waves":
        session = Session("metric", "sinusoids", n_tasks=20)
    else:
        rng = torch.Generator().manual_seed(0)
        x = torch.linspace(-2, 2, 40).expand(n_tasks, 40)
        a, b, c = 2 * torch.rand(3, n_tasks, 1, generator=rng) - 1
        noise = torch.randn(n_tasks, 40, generator=rng)
        session = Session(
            "metric", OwnTasks(x[..., None], noise if kind == "noise" else a * x**2 + b * x + c), n_neighbors=5
        )
    session.step(steps)
    return session


def _with_more_shots() -> Any:
    session = _trained("parabolas", steps=1)
    session.set(n_shot=8)
    return session


EXERCISES = [
    Exercise(
        name="03.query_samples",
        ask="5-way 3-shot, and 10 query samples of each class: how many samples has the query set?",
        judge=number(
            50,
            {
                15: "That is the support set: 5 classes, 3 samples of each.",
                65: "That is the whole episode. Only its query set is asked for.",
                10: "That is the query set's share of one class. How many classes are there?",
                150: "The shots belong to the support set. The query set has 10 of each class, whatever n_shot is.",
                30: "n_way is the number of classes: 5. n_shot counts the support set. Which of them is needed?",
            },
            what="a number of samples",
        ),
        right=50,
        mistakes=[(15, "the support set"), (65, "whole episode"), (10, "one class"), (150, "whatever"), (30, "Which")],
        hints=(
            "Both sets are counted class by class.",
            "n_way says how many classes there are.",
            "5 classes, and 10 query samples of each.",
        ),
        solution="5 classes with 10 query samples each: 50. The 3 shots are the support set's.",
    ),
    Exercise(
        name="03.episode",
        ask="Which rows of each class are for the support set, and which are left for the query set?",
        judge=function(
            _episode,
            _CASES,
            [
                (
                    _query_holds_all,
                    "Your query set holds the support set's rows too: they could be answered from memory.",
                ),
                (_shots_in_all, "You took n_shot rows in all. n_shot counts the rows of each class."),
                (_swapped, "The two sets are swapped: the support set comes first, and it is the one of n_shot rows."),
                (_first_class_only, "Only the first class is dealt. Go through all classes."),
            ],
            arguments="rows, n_shot",
        ),
        right=_episode,
        mistakes=[
            (_query_holds_all, "from memory"),
            (_shots_in_all, "of each class"),
            (_swapped, "swapped"),
            (_first_class_only, "first class"),
        ],
        hints=(
            "Go through the classes one after the other.",
            "of_class[:n_shot] are the first n_shot rows of a class, of_class[n_shot:] are the others.",
            "A loop in a loop: [row for of_class in rows for row in of_class[:n_shot]].",
        ),
        solution=(
            "support = [row for of_class in rows for row in of_class[:n_shot]], the query set with [n_shot:], and "
            "return support, query."
        ),
    ),
    Exercise(
        name="03.own_family",
        ask="Which data could be tasks? Make OwnTasks(x, y) of it, give it to a MetricLab, and train.",
        judge=of_lab(_read, _judge, has=("history", "named_family")),
        right=Later(lambda: _trained("parabolas")),
        mistakes=[
            (Later(lambda: _trained("waves", steps=10)), "come with the package"),
            (Later(lambda: _trained("parabolas", n_tasks=45, steps=10)), "at least 50"),
            (Later(lambda: _trained("parabolas", steps=0)), "not been trained"),
            (Later(lambda: _trained("noise", steps=20)), "differ more"),
            (Later(_with_more_shots), "changed since"),
        ],
        hints=(
            "A task needs inputs and answers: x of shape (tasks, rows, 1), y of shape (tasks, rows).",
            "Curves with two or three numbers of their own are easy: parabolas, straight lines, waves of two lengths.",
            "Two draws of one task must be more alike than draws of two tasks. Noise without a pattern is not.",
        ),
        solution="300 parabolas a x^2 + b x + c with random a, b, c, 40 rows each, and 100 steps of the lab.",
    ),
]
