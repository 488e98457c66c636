"""The exercises of lesson 04: pairs of a step, what may be compared, and a cosine map that keeps its geometry."""

import math
from collections.abc import Mapping
from typing import Any

from taskembed_edu.course.exercise import Exercise, Later, Verdict, measured_alike, number, of_lab, word, wrong
from taskembed_edu.course.exercises.sessions import trained

# What the open investigation asks for.
_RECALL, _SPEARMAN = 0.5, 0.75


def _read(session: Any) -> dict[str, float]:
    """What the open investigation is judged by, of a session of the metric-based embedder."""
    scores = session.frame.diagnostics
    asked = {"recall": scores["recall@1"], "spearman": scores.get("spearman", math.nan)}
    had_both = [frame for frame in session.history if frame.metric == "cosine" and _has_both(frame.diagnostics)]
    best = max(had_both, key=lambda frame: frame.diagnostics["spearman"], default=None)
    asked["had_both_at"] = -1 if best is None else best.step
    how = {"margin": session.settings.margin, "cosine": float(session.frame.metric == "cosine")}
    return {**asked, **how, "steps": session.frame.step, "alike": float(measured_alike(session))}


def _has_both(scores: Mapping[str, float]) -> bool:
    return scores["recall@1"] >= _RECALL and scores.get("spearman", math.nan) >= _SPEARMAN


def _judge(found: Mapping[str, float]) -> Verdict:
    """Judges a map under the cosine: does it find tasks again, and keep their order?"""
    scores = f"Recall@1 {found['recall']:.2f}, Spearman {found['spearman']:.2f}, at step {found['steps']:.0f}."
    if found["steps"] == 0:
        return Verdict("open", "The lab has not been trained yet: press Play, or run lab.session.step(300).")
    if not found["cosine"]:
        return wrong(f"{scores} But it trains with another distance: choose the cosine, then Reset and Play.")
    if not found["alike"]:
        return wrong(f"{scores} But the distance or the shots were changed on the way: press Reset, then Play.")
    if math.isnan(found["spearman"]):
        return wrong(f"{scores} These tasks have no true distance: choose the sine waves, then Reset and Play.")
    if found["recall"] >= _RECALL and found["spearman"] >= _SPEARMAN:
        return Verdict("right", "Tasks are found again, and the order of their distances is kept.", measured=scores)
    if found["had_both_at"] > 0:
        more = f"At step {found['had_both_at']:.0f} it had both: training longer costs order. Reset, and stop there."
    elif found["recall"] >= _RECALL or found["margin"] > 0.4:
        more = "What does the cosine margin set? With fewer pairs that push, more of the order is left."
    else:
        more = f"Recall@1 of at least {_RECALL:g} is asked: train longer, or let a few more pairs push."
    return wrong(f"{scores} Asked are {_RECALL:g} and {_SPEARMAN:g}. {more}")


def _cosine_at_the_end() -> Any:
    session = trained(100)
    session.set(metric="cosine")
    return session


EXERCISES = [
    Exercise(
        name="04.pairs",
        ask="20 sets. How many pairs in all, and how many of them are similar?",
        judge=number(
            180,
            {
                190.0: "These are all pairs. Take those away that are of one task.",
                10.0: "These are the similar pairs. How many are left?",
                380.0: "You counted each pair twice, and the similar ones as well.",
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
        name="04.compare",
        ask="Which of the four is measured in no unit that the margin sets?",
        judge=word(
            "recall@1",
            {
                "loss": "A loss of 0.42 at margin 3 is a smaller share of its margin than 0.16 is at margin 1.",
                "mean distance": "The margin sets the scale of the map. So it sets the mean distance, too.",
                "none": "One of them asks only which set is the nearest. That knows no scale.",
            },
        ),
        right="recall@1",
        mistakes=[("loss", "share of its margin"), ("mean distance", "scale of the map"), ("none", "nearest")],
        hints=(
            "Make a map three times as large. Which of these numbers change?",
            "A loss is made of distances and of the margin. So it grows with the map.",
            "Who is nearest stays the same if all distances are three times as long.",
        ),
        solution='"recall@1": it asks only which set is the nearest, so it knows no scale.',
    ),
    Exercise(
        name="04.cosine_map",
        ask="Use the lab: the cosine distance, recall@1 of at least 0.5 and Spearman of at least 0.75.",
        judge=of_lab(_read, _judge, embedder="metric", fewest=200),
        right=Later(lambda: trained(300, metric="cosine", margin=0.1)),
        mistakes=[
            (Later(lambda: trained(20)), "another distance"),
            (Later(lambda: trained(30, metric="cosine")), "pairs that push"),
            (Later(lambda: trained(20, metric="cosine", margin=0.1)), "train longer"),
            (Later(lambda: trained(1130, metric="cosine", margin=0.1)), "it had both"),
            (Later(_cosine_at_the_end), "changed on the way"),
            (Later(lambda: trained(1, n_tasks=10)), "luck is enough"),
        ],
        hints=(
            "Choose the cosine distance. Then change the margin only.",
            "At margin 1 Spearman falls, at 0.2 it rises. Go on in this direction.",
            "Margin 0.1, Reset, and about 300 steps.",
        ),
        solution='lab.session.reset(metric="cosine", margin=0.1)\nlab.session.step(300)',
    ),
]
