"""Argument checks that teach: what came, what was expected, and the likely cause.

Every error of the package reads the same way, because every check of an argument goes through here:

    margin: got -1.0, expected a number from 0 to 2 (the cosine distance ends at 2). A margin is a distance.

Floor 0: it handles tensors and imports nothing else of the package.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable, Sequence

import torch


def describe(value: object) -> str:
    """The text that stands for a value in an error: shape and dtype of a tensor, the repr of everything else."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)} and dtype {str(value.dtype).removeprefix('torch.')}"
    text = " ".join(repr(value).split())  # an array writes itself over several lines
    return text if len(text) <= 80 else text[:77] + "..."


def problem(argument: str, came: object, expected: str, cause: str = "") -> str:
    """The common form of every error message: `argument: got ..., expected .... cause`.

    A string `came` is used as it is; any other value goes through `describe`. Pass `repr(value)` to quote a string.
    """
    got = came if isinstance(came, str) else describe(came)
    return f"{argument}: got {got}, expected {expected}." + (f" {cause}" if cause else "")


def check_choice(argument: str, value: str, known: Iterable[str]) -> str:
    """`value` if it is one of `known`; else a ValueError that names the nearest known one.

    >>> check_choice("metric", "euclidian", ["euclidean", "cosine"])
    Traceback (most recent call last):
    ...
    ValueError: metric: got 'euclidian', expected one of euclidean, cosine. Did you mean 'euclidean'?
    """
    known = list(known)
    if value in known:
        return value
    near = difflib.get_close_matches(str(value), known, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]!r}?" if near else ""
    raise ValueError(problem(argument, repr(value), f"one of {', '.join(known)}", hint))


def check_number(argument: str, value: float, low: float | None, high: float | None, cause: str = "") -> float:
    """`value` if it is a finite number with low <= value <= high (None: no limit); else an error."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)  # also true for numpy's numbers
    if not is_number:
        raise TypeError(problem(argument, repr(value) if isinstance(value, str) else value, "a number", cause))
    ends = f"a number from {low:g} to {high:g}" if low is not None and high is not None else None
    ends = ends or (f"a number of at least {low:g}" if low is not None else None)
    ends = ends or (f"a number of at most {high:g}" if high is not None else "a finite number")
    too_low = low is not None and value < low
    too_high = high is not None and value > high
    if not _is_finite(value) or too_low or too_high:
        raise ValueError(problem(argument, value, ends, cause))
    return value


def check_steps(steps: Sequence[int]) -> list[int]:
    """These numbers of steps: at least one, each larger than the one before; else an error."""
    if not isinstance(steps, Sequence):
        raise TypeError(problem("steps", steps, "numbers of steps in a list", "One is a list of one: [5]."))
    counts = [int(check_whole("steps", step, 0, None)) for step in steps]
    if not counts or counts != sorted(set(counts)):
        raise ValueError(problem("steps", f"{list(steps)}", "numbers of steps in order", "They are made one by one."))
    return counts


def check_whole(argument: str, value: int, low: float | None, high: float | None, cause: str = "") -> int:
    """`value` if it is a whole number with low <= value <= high (None: no limit); else an error."""
    check_number(argument, value, low, high, cause)
    if not isinstance(value, numbers.Integral):
        raise TypeError(problem(argument, value, "a whole number", cause))
    return value


def check_rng(rng: torch.Generator) -> torch.Generator:
    """`rng` if it is a generator; else a TypeError. PyTorch takes None for the global one, which nobody has seeded.

    >>> check_rng(None)
    Traceback (most recent call last):
    ...
    TypeError: rng: got None, expected a torch.Generator. torch.Generator().manual_seed(0) makes one.
    """
    if not isinstance(rng, torch.Generator):
        raise TypeError(problem("rng", repr(rng), "a torch.Generator", "torch.Generator().manual_seed(0) makes one."))
    return rng


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of Python may be larger than any float
        return False


def check_range(argument: str, ends: object) -> None:
    """Raise unless `ends` are two finite numbers, the lower one first.

    >>> check_range("amplitude", [1])
    Traceback (most recent call last):
    ...
    ValueError: amplitude: got [1], expected two numbers, the lower one first.
    """
    expected = "two numbers, the lower one first"
    if not isinstance(ends, (list, tuple)):
        raise TypeError(problem(argument, repr(ends) if isinstance(ends, str) else ends, expected))
    if len(ends) != 2:
        raise ValueError(problem(argument, ends, expected))
    low, high = (check_number(argument, end, None, None) for end in ends)
    if low > high:
        raise ValueError(problem(argument, ends, expected))


def check_finite(argument: str, tensor: torch.Tensor, cause: str = "") -> torch.Tensor:
    """`tensor` if all its entries are finite; else a ValueError that gives the position of the first bad one."""
    finite = torch.isfinite(tensor)
    if bool(finite.all()):
        return tensor
    where = tuple(int(i) for i in (~finite).nonzero()[0])
    bad = int((~finite).sum())
    raise ValueError(
        problem(
            argument,
            f"{bad} NaN or infinite of {tensor.numel()} entries (the first, {tensor[where].item()}, at {where})",
            "finite numbers only",
            cause or "A learning rate that is too high, or a division by zero before this call, is the usual cause.",
        )
    )
