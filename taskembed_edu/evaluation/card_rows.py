"""What stands on a scorecard, declared once: each row's label, its meaning, and which of two numbers is the better.

The scores of the registry declare themselves; here stand what is measured on a scorecard alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

from taskembed_edu.evaluation.registry import SCORES
from taskembed_edu.evaluation.scorecard import N_NEIGHBOURS, Scorecard

# "": nobody knows, as of a score of one's own that has no end.
Better = Literal["larger", "smaller", ""]


class CardRow(NamedTuple):
    """A row of a scorecard: its label, a sentence on its meaning, and the better number."""

    label: str
    help: str
    better: Better = "larger"


CARD_ROWS: dict[str, CardRow] = {
    "neighbours kept": CardRow(
        "Neighbours kept",
        f"Of a task's {N_NEIGHBOURS} nearest in truth, the share that is among its {N_NEIGHBOURS} nearest in the "
        "embedding too.",
    ),
    "linear probe": CardRow(
        "Linear probe",
        "How well a linear map reads the true parameters (R², at most 1) or the group (share that is right) from the "
        "vectors, on tasks that were not fitted.",
    ),
    "ms": CardRow(
        "ms an embedding",
        "How long one task's vector takes on this computer, in milliseconds. Where a network is trained for each task, "
        "its training counts.",
        "smaller",
    ),
    "numbers": CardRow("Numbers in a vector", "How many numbers a task's vector has.", "smaller"),
}

_FROM = "The new task's network begins as that of the nearest known task, and learns on the support set alone"
MEASURES: dict[str, CardRow] = {
    "loss": CardRow("Loss", f"The loss on query sets. {_FROM}.", "smaller"),
    "accuracy": CardRow("Accuracy", f"The share of query samples that are named rightly. {_FROM}."),
    "macro-F1": CardRow("Macro-F1", f"The mean over classes of F1 on query sets: rare classes count as much. {_FROM}."),
    "letters right": CardRow("Letters right", f"The share of letters of the query words that are right. {_FROM}."),
    "words right": CardRow("Words right", f"The share of query words that are right in all their letters. {_FROM}."),
}


def row_of(name: str) -> CardRow:
    """The declaration of a score on a card. A score that ends at 1 is the better the larger it is.

    >>> row_of("spearman").label, row_of("numbers").better
    ('Spearman', 'smaller')
    """
    if name in CARD_ROWS:
        return CARD_ROWS[name]
    score = SCORES[name]
    return CardRow(score.label, score.help, "larger" if score.high == 1 else "")


def rows_of_card(card: Scorecard) -> Mapping[str, float]:
    """The numbers of a card by the names of their rows, without those that are not finite; transfer stands apart."""
    rows = {**card.scores, "ms": 1e3 * card.seconds, "numbers": float(card.numbers)}
    return {name: value for name, value in rows.items() if math.isfinite(value)}


def as_shown(value: float | None) -> str:
    """A number of a card as it is shown, with three digits; "" for one that is absent.

    >>> as_shown(0.5), as_shown(1218.0), as_shown(8.0), as_shown(None)
    ('0.500', '1,218', '8', '')
    """
    if value is None:
        return ""
    if abs(value) >= 100 or (abs(value) > 1 and value == int(value)):
        return f"{value:,.0f}"
    return f"{value:#.3g}"


def better_of(better: Better, one: float | None, other: float | None) -> int | None:
    """Which of two numbers is the better, 0 or 1; None where one is absent, or they are shown alike.

    >>> better_of("smaller", 0.2, 0.1), better_of("larger", 0.5, None), better_of("larger", 0.50001, 0.5)
    (1, None, None)
    """
    if not better or one is None or other is None or as_shown(one) == as_shown(other):
        return None
    return int((other > one) == (better == "larger"))
