"""The words of the DistanceLab: what each distance is, and numbers as a lesson prints them."""

from __future__ import annotations

import math

Vector = tuple[float, ...]

ROUNDING = 1e-12
"""What double precision leaves of a number that should be zero, and more."""

UNDEFINED = "undefined: the zero vector has no direction"

# key -> (the row's name, its formula in words). The keys are those of METRICS, and the similarity.
ROWS: dict[str, tuple[str, str]] = {
    "euclidean": (
        "Euclidean",
        "Square the differences, add them, and take the root. This is the length of the straight line from x to y.",
    ),
    "squared_euclidean": (
        "Squared Euclidean",
        "The same without the root. This is the area of the square on that line. If x is twice as far from y, it "
        "is four times as large.",
    ),
    "manhattan": (
        "Manhattan",
        "Add the differences without their signs. This is the way along the streets of a grid. All such ways are "
        "equally long.",
    ),
    "cosine_similarity": (
        "Cosine similarity",
        "The cosine of the angle between x and y, from -1 to 1. A larger value means closer. So this is a similarity, "
        "and not a distance.",
    ),
    "cosine": (
        "Cosine distance",
        "1 minus the cosine of the angle. It is 0 for one direction, 1 for a right angle, and 2 for opposite "
        "directions. It is never above 2, and so a margin is never above 2.",
    ),
}

SHORT = {
    "euclidean": "euclidean",
    "squared_euclidean": "squared",
    "manhattan": "manhattan",
    "cosine_similarity": "cosine similarity",
    "cosine": "cosine distance",
}


def tidy(value: float, digits: int = 4) -> str:
    """A number as a lesson prints it: at most `digits` decimals, no trailing zeros, no minus zero.

    A number that these decimals would show as 0 keeps two digits, unless it is no more than rounding.

    >>> tidy(3.0), tidy(1.7320508), tidy(4e-10), tidy(-1e-17)
    ('3', '1.7321', '4e-10', '0')
    """
    if math.isnan(value):
        return "undefined"
    if ROUNDING < abs(value) < 10.0**-digits:
        return f"{value:.2g}".replace("e-0", "e-")
    text = f"{round(value, digits) + 0.0:.{digits}f}"
    return text.rstrip("0").rstrip(".")


def listed(vector: Vector) -> str:
    """A vector as a learner types it; a long one shortened: `[1, 2, 3]`, `[0.1, 0.2, ..., 0.9 (64 numbers)]`."""
    numbers = [tidy(v) for v in vector]
    if len(numbers) > 8:
        numbers = [*numbers[:2], "...", f"{numbers[-1]} ({len(vector)} numbers)"]
    return f"[{', '.join(numbers)}]"
