"""The texts of the LossLab: the arithmetic of a loss, a term in words, a sub-step in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.labs.distance_words import tidy
from taskembed_edu.labs.loss_steps import STILL, LossSettings, Reading, Term

SHOWN_TERMS = 6


def arithmetic(terms: Sequence[Term]) -> str:
    """The sum with its numbers, or a count if there are too many terms to read.

    >>> pair = Term("similar", ("a", "p"), 2.0, 2.0, 2.0)
    >>> arithmetic([pair, pair._replace(term=0.0)]), arithmetic([pair] * 9), arithmetic([])
    ('= 2 + 0', 'the sum of 9 terms, 9 above 0', 'no pair or triplet')
    """
    if not terms:
        return "no pair or triplet"
    if len(terms) > SHOWN_TERMS:
        return f"the sum of {len(terms)} terms, {_active(terms)} above 0"
    return "= " + " + ".join(tidy(term.term) for term in terms)


def total(reading: Reading) -> str:
    """The loss with its arithmetic: `1.7321 = 1.7321 + 0`."""
    how = arithmetic(reading.terms)
    return f"{tidy(reading.loss)}{' ' if how.startswith('=') else ', '}{how}"


def explain(term: Term, settings: LossSettings) -> str:
    """One pair or triplet in words: its distance, its violation and its term."""
    return _explain_triplet(term, settings) if term.kind == "triplet" else _explain_pair(term, settings)


def _explain_pair(term: Term, settings: LossSettings) -> str:
    one, other = term.members
    apart = f"They should be at least {tidy(settings.margin)} apart"
    constraint = "They should lie together" if term.kind == "similar" else apart
    start = f"{one} and {other} are {term.kind}. {constraint}. Their distance is {tidy(_one(term.distance))}."
    if term.kind == "similar":
        how = "All of it is a violation." if term.violation > 0 else "Nothing is violated."
    elif term.violation > 0:
        how = f"This is {tidy(term.violation)} less than the margin."
    else:
        how = "This is not less than the margin: nothing is violated, and nothing pushes."
    return f"{start} {how} {_term(term, settings)}"


def _explain_triplet(term: Term, settings: LossSettings) -> str:
    anchor, positive, negative = term.members
    near, far = _near_and_far(term)
    slack = near - far + settings.margin
    numbers = f"{tidy(near)} - {tidy(far)} + {tidy(settings.margin)} = {tidy(slack)}"
    end = "" if slack > 0 else " This is not above 0, so nothing pushes."
    return (
        f"{negative} should be at least {tidy(settings.margin)} farther from {anchor} than {positive} is. "
        f"{negative} is {SORTS[sort(term)]}. d(a,p) - d(a,n) + margin = {numbers}.{end} {_term(term, settings)}"
    )


SORTS = {
    "hard": "hard: it is not farther away than the positive",
    "semi-hard": "semi-hard: it is farther away than the positive, but inside the margin",
    "easy": "easy: it is beyond the margin",
}


def sort(term: Term) -> str:
    """The sort of a term: similar or different; for a triplet hard, semi-hard or easy (Schroff 2015).

    >>> triplet = Term("triplet", ("a", "p", "n"), (1.5, 1.9), 0.6, 0.6)
    >>> sort(triplet), sort(triplet._replace(distance=(1.5, 1.5))), sort(triplet._replace(violation=0.0))
    ('semi-hard', 'hard', 'easy')
    """
    if term.kind != "triplet":
        return term.kind
    near, far = _near_and_far(term)
    if term.violation == 0:
        return "easy"
    return "semi-hard" if far > near else "hard"


def _near_and_far(term: Term) -> tuple[float, float]:
    return term.distance if isinstance(term.distance, tuple) else (term.distance, term.distance)


def _term(term: Term, settings: LossSettings) -> str:
    half = settings.loss == "contrastive_squared" and term.violation > 0
    return f"The term is half the square of this: {tidy(term.term)}." if half else f"The term is {tidy(term.term)}."


def _one(distance: float | tuple[float, float]) -> float:
    return distance[0] if isinstance(distance, tuple) else distance


def sub_step(phase: str, reading: Reading, settings: LossSettings, note: str, before: float | None) -> str:
    """What happens in this sub-step, with the present numbers; `before` is the loss before the move."""
    terms, what = reading.terms, "triplets" if settings.loss == "triplet" else "pairs"
    label = METRICS[settings.metric].label.lower().replace("euclid", "Euclid").replace("manhattan", "Manhattan")
    said = {
        "explore": note or "Drag the points. Press Next to see one update, step by step.",
        "pairs": _chosen(terms, settings, what),
        "distances": f"Now the {label} distances are measured, for the {len(terms)} {what} that are chosen.",
        "violations": f"{_constraint(settings)} {_active(terms)} of {len(terms)} {what} violate this. The loss is "
        f"{total(reading)}.",
        "forces": _forces(reading),
        "move": f"Every point has moved by its summed force times the learning rate, {tidy(settings.learning_rate)}. "
        f"The loss went from {tidy(before or 0.0)} to {tidy(reading.loss)}.",
    }
    return said[phase]


def _chosen(terms: Sequence[Term], settings: LossSettings, what: str) -> str:
    if not terms and settings.loss == "triplet":
        return "No triplet is chosen. A triplet needs an anchor, a positive and a negative that this mining allows."
    anchor = " The first point is the anchor." if settings.anchors == "first" else ""
    mined = "all of them" if settings.mining == "all" else f"the {settings.mining} ones"
    if settings.loss == "triplet":
        return f"{len(terms)} triplets are chosen: {mined}.{anchor}"
    similar = sum(term.kind == "similar" for term in terms)
    counted = f"{similar} similar, {len(terms) - similar} different"
    return f"{len(terms)} pairs are chosen: {mined}.{anchor} Their kinds: {counted}."


def _constraint(settings: LossSettings) -> str:
    margin = tidy(settings.margin)
    if settings.loss == "triplet":
        return f"A negative should be farther from its anchor than the positive is, by at least the margin, {margin}."
    return f"Similar points should lie together. Different points should be at least the margin, {margin}, apart."


def _forces(reading: Reading) -> str:
    start = "A force is minus the gradient of a term. It points to where the term falls fastest."
    if reading.still:
        return f"{start} Here every force is 0, or the forces cancel. Nothing will move."
    return f"{start} The sum of a point's forces says where it will move."


def point(name: str, force: tuple[float, float], settings: LossSettings) -> str:
    """The total force on a point, in words, and how far an update would move it."""
    size = math.hypot(*force)
    if size < STILL:
        return f"{name}: the sum of its forces is 0. An update does not move it."
    way = f"({tidy(force[0])}, {tidy(force[1])})"
    by = tidy(settings.learning_rate * size)
    return f"{name}: the sum of its forces is {way}, of size {tidy(size)}. An update moves it by {by}."


def _active(terms: Sequence[Term]) -> int:
    return sum(term.term > 0 for term in terms)
