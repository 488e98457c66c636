"""Numbers as a page gets them."""

from __future__ import annotations

import math


def rounded(value: float) -> float | None:
    """Four digits, or None where it is not a finite number: JSON has no NaN.

    >>> rounded(0.123456), rounded(float("nan"))
    (0.1235, None)
    """
    return float(f"{value:.4g}") if math.isfinite(value) else None
