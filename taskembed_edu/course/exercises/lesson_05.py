"""The exercises of lesson 05: semi-hard mining, three reports to be read, and a run that loses the geometry."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from taskembed_edu.course.exercise import RIGHT, Exercise, Later, Verdict, function, measured_alike, of_lab, wrong
from taskembed_edu.course.exercises.sessions import trained

# ---- three reports -------------------------------------------------------------------------------------------------

_REPORTS = ("collapse", "learns", "collapse")
_WHY = (
    "Report A: the loss stands at the margin, and the mean distance is 0. Where are the tasks then?",
    "Report B: the loss stands at the margin as well, but look at the mean distance and at recall@1.",
    "Report C: at margin 0 the loss is best when all tasks are in one point. Look at the mean distance.",
)


def _reports(answer: Any) -> Verdict:
    """Judges three words, one for each report."""
    if isinstance(answer, str) or not isinstance(answer, Sequence) or len(answer) != len(_REPORTS):
        return wrong("Give a list of three words, for A, B and C.")
    words = [each.strip().lower() if isinstance(each, str) else each for each in answer]
    unknown = [each for each in words if each not in ("collapse", "learns")]
    if unknown:
        return wrong(f"{str(unknown[0])[:40]!r} is neither 'collapse' nor 'learns'.")
    why = [said for word, right, said in zip(words, _REPORTS, _WHY, strict=True) if word != right]
    return wrong(" ".join(why)) if why else RIGHT


# ---- semi-hard mining ----------------------------------------------------------------------------------------------


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


# ---- the open investigation ----------------------------------------------------------------------------------------

_RISE, _FALL = 0.3, 0.15


def _read(session: Any) -> dict[str, float]:
    """How far recall@1 and Spearman moved from the first frame to the last, of a session with both."""
    first, last = session.history[0], session.frame
    names = ("recall@1", "spearman")
    moved = {name: last.diagnostics.get(name, math.nan) - first.diagnostics.get(name, math.nan) for name in names}
    alike = float(measured_alike(session))
    return {"recall": moved["recall@1"], "spearman": moved["spearman"], "steps": last.step, "alike": alike}


def _judge(found: Mapping[str, float]) -> Verdict:
    """Judges a run: does it find more tasks again, and lose the order of their distances?"""
    recall, spearman = found["recall"], found["spearman"]
    scores = f"Recall@1 moved by {recall:+.2f}, Spearman by {spearman:+.2f}, in {found['steps']:.0f} steps."
    asked = f"Asked are at least +{_RISE:g} and at most -{_FALL:g}."
    if found["steps"] == 0:
        return Verdict("open", "The lab has not been trained yet: press Play, or run lab.session.step(300).")
    if not found["alike"]:
        return wrong("The first frame was measured with another distance or other shots: press Reset, then Play.")
    if math.isnan(spearman):
        return wrong(f"{scores} There is no Spearman to compare: choose the sine waves, then Reset and Play.")
    if recall >= _RISE and spearman <= -_FALL:
        return Verdict("right", "Tasks are found again, and the order of their distances is lost.", measured=scores)
    if recall >= _RISE:
        more = "Under which distance can nothing be farther than 2, however long it pushes?"
    elif spearman <= -_FALL:
        more = (
            "Spearman fell, but tasks are not found again. Is it a collapse? Something must push: look at the margin."
        )
    else:
        more = "Neither yet: train longer, or change one thing."
    return wrong(f"{scores} {asked} {more}")


def _switched() -> Any:
    session = trained(20)
    session.set(metric="cosine")
    session.step(20)
    return session


EXERCISES = [
    Exercise(
        name="05.semi_hard",
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
        name="05.report",
        ask="Where are the tasks? Look at the mean distance and at recall@1, not at the loss.",
        judge=_reports,
        right=["collapse", "learns", "collapse"],
        mistakes=[
            (["collapse", "collapse", "collapse"], "Report B"),
            (["learns", "learns", "collapse"], "Report A"),
            (["collapse", "learns", "learns"], "Report C"),
            (["converged", "learns", "collapse"], "neither 'collapse' nor 'learns'"),
            ("collapse", "three words"),
        ],
        hints=(
            "What is recall@1 of a blind guess among 200 tasks?",
            "A mean distance of 0 says that all tasks are in one place.",
            "In B recall@1 rises from 0.26 to 0.41. Is that a collapse?",
        ),
        solution='["collapse", "learns", "collapse"]: in A and C the mean distance is 0, and recall@1 is near chance.',
    ),
    Exercise(
        name="05.lost_geometry",
        ask="Use the lab: recall@1 must rise by at least 0.3, and Spearman must fall by at least 0.15.",
        judge=of_lab(_read, _judge, embedder="metric", fewest=200),
        right=Later(lambda: trained(200, metric="cosine", dim=64)),
        mistakes=[
            (Later(lambda: trained(100)), "farther than 2"),
            (Later(lambda: trained(200, margin=0.0)), "Something must push"),
            (Later(_switched), "another distance"),
            (Later(lambda: trained(10)), "Neither yet"),
        ],
        hints=(
            "Which run of the section on retrieval and geometry lost the order?",
            "The cosine distance, margin 1. More dimensions make room for more right angles.",
            "Reset with the cosine, margin 1 and 64 dimensions, then 300 steps.",
        ),
        solution='lab.session.reset(metric="cosine", margin=1.0, dim=64)\nlab.session.step(300)',
    ),
]
