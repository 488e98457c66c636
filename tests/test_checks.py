"""Every error of an argument reads the same way: the argument, what came, what was expected, the likely cause."""

from __future__ import annotations

import math
import re

import pytest
import torch

from taskembed_edu.base.checks import check_choice, check_finite, check_number, describe, problem


def test_the_form_of_an_error() -> None:
    assert problem("margin", -1.0, "a number from 0 to 2") == "margin: got -1.0, expected a number from 0 to 2."
    assert problem("x", "two shapes", "one", "Why?") == "x: got two shapes, expected one. Why?"


def test_tensors_are_described_by_shape_and_dtype_and_long_values_are_cut() -> None:
    assert describe(torch.zeros(2, 3, dtype=torch.float64)) == "a tensor of shape (2, 3) and dtype float64"
    assert describe([1, 2]) == "[1, 2]"
    assert describe("x" * 78) == repr("x" * 78)
    cut = describe(list(range(100)))
    assert len(cut) == 80
    assert cut.endswith("...")


def test_a_known_choice_is_returned() -> None:
    assert check_choice("metric", "cosine", iter(["euclidean", "cosine"])) == "cosine"


@pytest.mark.parametrize(
    ("value", "hint"), [("euclid", " Did you mean 'euclidean'?"), ("Cosine", " Did you mean 'cosine'?"), ("zzz", "")]
)
def test_an_unknown_choice_names_the_nearest(value: str, hint: str) -> None:
    with pytest.raises(ValueError, match="metric") as error:
        check_choice("metric", value, ["euclidean", "cosine"])
    assert str(error.value) == f"metric: got {value!r}, expected one of euclidean, cosine.{hint}"


@pytest.mark.parametrize(("low", "high"), [(0, 2), (0, None), (None, 2), (None, None)])
@pytest.mark.parametrize("value", [0, 1.5, 2])
def test_a_number_within_its_ends_is_returned(value: float, low: float | None, high: float | None) -> None:
    assert check_number("margin", value, low, high) == value


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (-0.1, 0, 2, "a number from 0 to 2"),
        (2.1, 0, 2, "a number from 0 to 2"),
        (-1, 0, None, "a number of at least 0"),
        (3, None, 2, "a number of at most 2"),
        (math.nan, None, None, "a finite number"),
        (math.nan, 0, 2, "a number from 0 to 2"),
        (math.inf, 0, None, "a number of at least 0"),
        (-math.inf, None, 2, "a number of at most 2"),
    ],
)
def test_a_number_beyond_its_ends_is_refused(value: float, low: float, high: float, expected: str) -> None:
    with pytest.raises(ValueError, match="margin") as error:
        check_number("margin", value, low, high, "A distance.")
    assert str(error.value) == f"margin: got {value!r}, expected {expected}. A distance."


@pytest.mark.parametrize(("value", "shown"), [("1", "'1'"), (True, "True"), (None, "None"), ([1.0], "[1.0]")])
def test_what_is_no_number_is_refused(value: object, shown: str) -> None:
    with pytest.raises(TypeError, match=re.escape(f"margin: got {shown}, expected a number.")):
        check_number("margin", value, 0, 2)  # type: ignore[arg-type]


def test_finite_tensors_pass_and_others_say_where() -> None:
    good = torch.zeros(2, 2)
    assert check_finite("x", good) is good
    bad = torch.tensor([[0.0, 1.0], [math.inf, math.nan]])
    with pytest.raises(ValueError, match="x: got 2 NaN or infinite of 4 entries") as error:
        check_finite("x", bad)
    assert "(the first, inf, at (1, 0))" in str(error.value)
    assert "learning rate" in str(error.value)
    with pytest.raises(ValueError, match=r"Mine\.$"):
        check_finite("x", bad, "Mine.")
