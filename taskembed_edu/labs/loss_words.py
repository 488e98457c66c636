"""The texts of the LossLab: the arithmetic of a loss, a term in words, a sub-step in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.labs.distance_readings import tidy
from taskembed_edu.labs.loss_steps import STILL, LossSettings, Reading, Term

SHOWN_TERMS = 6


def arithmetic(terms: Sequence[Term]) -> str:
    """The sum with its numbers, or a count if there are too many terms to read.

    >>> pair = Term("similar", ("a", "p"), 2.0, 2.0, 2.0)
    >>> arithmetic([pair, pair._replace(term=0.0)]), arithmetic([pair] * 9), arithmetic([])
    ('= 2 + 0', 'the sum of 9 terms, 9 above 0', 'for want of a pair or triplet')
    """
    if not terms:
        return "for want of a pair or triplet"
    if len(terms) > SHOWN_TERMS:
        return f"the sum of {len(terms)} terms, {_active(terms)} above 0"
    return "= " + " + ".join(tidy(term.term) for term in terms)


def total(reading: Reading) -> str:
    """The loss with its arithmetic: `1.7321 = 1.7321 + 0`."""
    how = arithmetic(reading.terms)
    return f"{tidy(reading.loss)}{' ' if how.startswith(('=', 'for')) else ', '}{how}"


def explain(term: Term, settings: LossSettings) -> str:
    """One pair or triplet in words: its distance, its violation and its term."""
    return _explain_triplet(term, settings) if term.kind == "triplet" else _explain_pair(term, settings)


def _explain_pair(term: Term, settings: LossSettings) -> str:
    one, other = term.members
    apart = f"they should be at least {tidy(settings.margin)} apart"
    constraint = "they should lie together" if term.kind == "similar" else apart
    start = f"{one} and {other} are {term.kind}: {constraint}. Their distance is {tidy(_one(term.distance))}"
    if term.kind == "similar":
        how = ", and all of it counts as violation." if term.violation > 0 else ": nothing is violated."
    elif term.violation > 0:
        how = f", short of the margin by {tidy(term.violation)}."
    else:
        how = ", beyond the margin: nothing is violated, and nothing pushes."
    return f"{start}{how} {_term(term, settings)}"


def _explain_triplet(term: Term, settings: LossSettings) -> str:
    anchor, positive, negative = term.members
    near, far = _near_and_far(term)
    slack = near - far + settings.margin
    end = "" if slack > 0 else ", below 0: nothing pushes" if slack < 0 else ": nothing pushes"
    return (
        f"{negative} should be farther from {anchor} than {positive} is, by at least {tidy(settings.margin)}. It is "
        f"{SORTS[sort(term)]}. d(a,p) - d(a,n) + margin = {tidy(near)} - {tidy(far)} + {tidy(settings.margin)} = "
        f"{tidy(slack)}{end}. {_term(term, settings)}"
    )


SORTS = {
    "hard": "hard: no farther away than the positive",
    "semi-hard": "semi-hard: farther away than the positive, but inside the margin",
    "easy": "easy: beyond the margin",
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
    return f"Term: half the square of that, {tidy(term.term)}." if half else f"Term: {tidy(term.term)}."


def _one(distance: float | tuple[float, float]) -> float:
    return distance[0] if isinstance(distance, tuple) else distance


def sub_step(phase: str, reading: Reading, settings: LossSettings, note: str, before: float | None) -> str:
    """What happens in this sub-step, with the present numbers; `before` is the loss before the move."""
    terms, what = reading.terms, "triplets" if settings.loss == "triplet" else "pairs"
    label = METRICS[settings.metric].label.lower().replace("euclid", "Euclid").replace("manhattan", "Manhattan")
    said = {
        "explore": note or "Drag the points. For one update in slow motion, press Next.",
        "pairs": _chosen(terms, settings, what),
        "distances": f"The {label} distance of every pair that is needed: {len(terms)} {what}.",
        "violations": f"{_constraint(settings)} {_active(terms)} of {len(terms)} {what} violate that: the loss is "
        f"{total(reading)}.",
        "forces": _forces(reading),
        "move": f"Every point has moved by the learning rate, {tidy(settings.learning_rate)}, times its summed force. "
        f"The loss went from {tidy(before or 0.0)} to {tidy(reading.loss)}.",
    }
    return said[phase]


def _chosen(terms: Sequence[Term], settings: LossSettings, what: str) -> str:
    if not terms and settings.loss == "triplet":
        return "No triplet is chosen: one needs an anchor, a positive and a negative that this mining takes."
    anchor = ", with the first point as anchor" if settings.anchors == "first" else ""
    mined = "all of them" if settings.mining == "all" else f"the {settings.mining} ones"
    if settings.loss == "triplet":
        return f"{len(terms)} triplets are chosen: {mined}{anchor}."
    similar = sum(term.kind == "similar" for term in terms)
    return f"{len(terms)} pairs are chosen, {mined}{anchor}: {similar} similar, {len(terms) - similar} different."


def _constraint(settings: LossSettings) -> str:
    margin = tidy(settings.margin)
    if settings.loss == "triplet":
        return f"A negative should be farther from its anchor than the positive, by the margin {margin}."
    return f"Similar points should lie together, different ones at least the margin {margin} apart."


def _forces(reading: Reading) -> str:
    start = "A force is minus the gradient of a term: where to go for the term to fall fastest."
    if reading.still:
        return f"{start} Here every force is 0 or they cancel: nothing will move."
    return f"{start} Each point goes by the sum of its forces."


def point(name: str, force: tuple[float, float], settings: LossSettings) -> str:
    """The total force on a point, in words, and how far an update would move it."""
    size = math.hypot(*force)
    if size < STILL:
        return f"{name}: its forces sum to 0. An update would leave it where it is."
    way = f"({tidy(force[0])}, {tidy(force[1])})"
    by = tidy(settings.learning_rate * size)
    return f"{name}: its forces sum to {way}, of size {tidy(size)}. An update would move it by {by}."


def _active(terms: Sequence[Term]) -> int:
    return sum(term.term > 0 for term in terms)
