"""A guess is kept until the result is shown, then it stays; a lesson never waits for one."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.course import expected, outcome, predict, prediction, record, tally

WHICH = ("00.first", "Which score is near 0?", ["recall@1", "Spearman", "both"])


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(record.PLACE, str(tmp_path / "record.jsonl"))
    monkeypatch.setattr(prediction, "_ASKED", {})
    return tmp_path / "record.jsonl"


def another_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "_ASKED", {})


def test_a_guess_stands_beside_the_result() -> None:
    asked = predict(*WHICH)
    assert asked.predict("both") == "Your prediction: both. It is kept; run the next cell."
    assert asked.predict("Spearman").startswith("Your prediction: Spearman.")
    shown = outcome("00.first", "recall@1", "Similar inputs give similar outputs.")
    assert str(shown) == (
        "A surprise: remember this one. You predicted: Spearman. What happened: recall@1. "
        "Similar inputs give similar outputs."
    )
    assert "<b>Spearman</b>" in shown.page
    assert repr(shown) == "Outcome of 00.first. recall@1. Similar inputs give similar outputs."


def test_a_right_guess_is_no_surprise() -> None:
    predict(*WHICH).predict("recall@1")
    assert str(outcome("00.first", "recall@1")).startswith("As you predicted.")


def test_a_guess_after_the_result_is_not_taken_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = predict(*WHICH)
    asked.predict("both")
    outcome("00.first", "recall@1")
    assert asked.predict("recall@1") == ("The result has been shown, so your prediction stays as it was: both.")
    assert asked.guess == "both"
    another_kernel(monkeypatch)
    again = predict(*WHICH)
    assert (again.guess, again.is_closed) == ("both", True)
    assert "stays as it was: both" in again.predict("recall@1")
    assert [entry.value for entry in record.mine().of("00.first", record.PREDICTED)] == ["both"]


def test_a_guess_survives_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    predict(*WHICH).predict("both")
    another_kernel(monkeypatch)
    again = predict(*WHICH)
    assert (again.guess, again.is_closed) == ("both", False)
    assert "You predicted: both" in str(outcome("00.first", "both"))


def test_without_a_guess_it_says_what_happened_and_records_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = predict(*WHICH)
    shown = outcome("00.first", "both")
    assert str(shown) == "What happened. You predicted: no guess. What happened: both."
    assert "would not be one" in asked.predict("both")
    assert not path.exists()
    another_kernel(monkeypatch)
    assert predict(*WHICH).predict("both").startswith("Your prediction: both.")


def test_a_cell_that_is_run_again_after_the_result_stays_closed() -> None:
    predict(*WHICH)
    outcome("00.first", "both")
    assert "would not be one" in predict(*WHICH).predict("both")


def test_a_guess_that_could_not_be_recorded_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv(record.PLACE, str(tmp_path / "folder"))
    asked = predict(*WHICH)
    assert "not recorded" in asked.predict("both")
    (tmp_path / "folder").rmdir()
    assert asked.predict("both").startswith("Your prediction: both.")
    assert [entry.value for entry in record.mine().of("00.first", record.PREDICTED)] == ["both"]


def test_a_result_that_was_not_foreseen_is_said_and_stops_nothing() -> None:
    asked = predict("02.loss", "How large is the loss?")
    assert "This was not foreseen: nan" in str(outcome("02.loss", float("nan")))
    assert repr(outcome("02.loss", torch.tensor(float("inf")))) == "Outcome of 02.loss: not foreseen."  # type: ignore[arg-type]
    assert not asked.is_closed
    predict("02.which", "Which?", ["a", "b"])
    assert "This was not foreseen: both" in str(outcome("02.which", {"a": True, "b": True}))


def test_a_word_is_no_result_of_a_number() -> None:
    predict("02.loss", "How large is the loss?")
    with pytest.raises((ValueError, TypeError), match="result: got"):
        outcome("02.loss", "large")


def test_what_nbval_compares_is_the_same_for_every_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    for guess in ("both", "recall@1", None):
        another_kernel(monkeypatch)
        record.mine().delete()
        asked = predict(*WHICH)
        if guess:
            asked.predict(guess)
        shown.append((repr(asked), repr(outcome("00.first", "both", "So it is."))))
    assert len(set(shown)) == 1


def test_a_result_without_its_question_says_what_to_run() -> None:
    assert "run the cell above that asks" in str(outcome("00.first", "both"))


def test_a_number_is_right_within_a_tenth() -> None:
    asked = predict("02.loss", "How large is the loss?", unit="nats")
    assert asked.predict(1.65) == "Your prediction: 1.65 nats. It is kept; run the next cell."
    assert str(outcome("02.loss", 3**0.5)).startswith("As you predicted. You predicted: 1.65 nats.")
    assert "1.73" not in repr(outcome("02.loss", 3**0.5)), "a measured number differs from machine to machine"
    far = predict("02.other", "How large?")
    far.predict(3)
    assert str(outcome("02.other", 3**0.5)).startswith("A surprise")
    exact = predict("02.exact", "How many?")
    exact.predict(179)
    assert str(outcome("02.exact", 180, within=0.001)).startswith("A surprise")


@pytest.mark.parametrize("number", [np.float32, np.float64, torch.tensor])
def test_a_number_of_numpy_or_torch_is_kept_as_any_other(number: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    predict("02.loss", "How large is the loss?").predict(1.5 if number is torch.tensor else number(1.5))
    assert str(outcome("02.loss", number(1.5))).startswith("As you predicted. You predicted: 1.5. What happened: 1.5.")
    another_kernel(monkeypatch)
    assert predict("02.loss", "How large is the loss?").state() == "You predicted 1.5. The result: 1.5."


def test_a_choice_that_is_written_as_a_number_is_a_choice() -> None:
    predict("00.many", "How many islands?", ["1", "2"]).predict("2")
    assert str(outcome("00.many", 2)) == "As you predicted. You predicted: 2. What happened: 2."


@pytest.mark.parametrize("kind", [np.float32, np.array, torch.tensor, Fraction])
def test_numbers_of_every_kind_are_kept(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    predict("02.loss", "How large?").predict(kind(0.5))
    assert str(outcome("02.loss", kind(0.5))).startswith("As you predicted. You predicted: 0.5.")
    another_kernel(monkeypatch)
    again = predict("02.loss", "How large?")
    assert (again.guess, again.result) == (0.5, 0.5)


@pytest.mark.parametrize("result", ["0.5", None, True, [1.0]])
def test_a_result_of_a_number_is_a_number(result: Any) -> None:
    predict("02.loss", "How large?").predict(0.5)
    with pytest.raises(TypeError, match=r"result: got .*, expected a number"):
        outcome("02.loss", result)


def test_choices_may_be_numbers() -> None:
    asked = predict("02.many", "How many?", [1, 2, 3])  # type: ignore[list-item]  # a lecturer may write them so
    assert repr(asked) == "Predict: How many? [1 | 2 | 3]"
    asked.predict(2)
    assert str(outcome("02.many", 2)).startswith("As you predicted.")


def test_a_question_that_is_run_again_is_not_opened_by_that() -> None:
    predict(*WHICH)
    outcome("00.first", "both")
    assert "would not be one" in predict(*WHICH).predict("both")
    changed = predict("00.first", "Which?", ["one", "other"])
    assert not changed.is_closed, "another question has not been answered"


def test_a_guess_of_another_notebook_that_had_not_seen_the_result_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = predict(*WHICH)
    there = predict(*WHICH)
    there.predict("both")
    outcome("00.first", "recall@1")
    here.predict("recall@1")
    another_kernel(monkeypatch)
    again = predict(*WHICH)
    assert (again.guess, again.result) == ("both", "recall@1")


def test_the_result_of_an_older_question_does_not_close_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    predict("00.first", "Which?", ["old", "both"]).predict("old")
    outcome("00.first", "both")
    another_kernel(monkeypatch)
    predict(*WHICH).predict("Spearman")
    another_kernel(monkeypatch)
    again = predict(*WHICH)
    assert (again.guess, again.is_closed) == ("Spearman", False)


@pytest.mark.parametrize("guess", ["nonsense", None, 3, float("nan"), [1]])
def test_no_choice_is_no_guess(guess: Any) -> None:
    with pytest.raises(ValueError, match=r"guess: got .*, expected one of recall@1, Spearman, both"):
        predict(*WHICH).predict(guess)


@pytest.mark.parametrize("guess", ["1", None, float("nan"), float("inf"), True])
def test_no_number_is_no_guess(guess: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="guess: got"):
        predict("02.loss", "How large?").predict(guess)


@pytest.mark.parametrize("name", ["first", "0.first", "00.First", "00.", "00 first", 3])
def test_a_name_says_its_lesson(name: Any) -> None:
    with pytest.raises(ValueError, match=r"like '00\.first_score'"):
        predict(name, "Which?", ["a", "b"])


@pytest.mark.parametrize("choices", [["a"], ["a", "a"], "ab"])
def test_choices_are_two_or_more_and_differ(choices: Any) -> None:
    with pytest.raises(ValueError, match="two or more different answers"):
        predict("00.first", "Which?", choices)


def test_a_result_that_is_no_choice_is_a_mistake_of_the_lesson() -> None:
    predict(*WHICH)
    with pytest.raises(ValueError, match="result: got 'recall', expected one of"):
        outcome("00.first", "recall")


def test_a_changed_lesson_forgets_a_guess_that_it_no_longer_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    predict(*WHICH).predict("both")
    outcome("00.first", "recall@1")
    another_kernel(monkeypatch)
    changed = predict("00.first", "Which score?", ["one", "the other"])
    assert (changed.guess, changed.is_closed) == (None, False)


def test_the_page_says_without_a_kernel_what_is_asked() -> None:
    data, *_ = predict("00.first", "Is a < b & c?", ["yes", "<no>"])._repr_mimebundle_()
    html = data["text/html"]
    assert "Is a &lt; b &amp; c?" in html
    assert "&lt;no&gt;" in html


def test_the_widget_hears_a_click_and_answers() -> None:
    asked = predict(*WHICH)
    view = asked.widget
    assert view.state == {"guess": None, "closed": False, "said": "Choose before you run the next cell."}
    view._hear(view, {"guess": "both"}, [])
    assert (view.state["guess"], asked.guess) == ("both", "both")
    for nonsense in ({"guess": "else"}, {}, "nonsense", None):
        view._hear(view, nonsense, [])
        assert view.state["said"].startswith("guess: got")
        assert view.state["guess"] == "both"
    outcome("00.first", "recall@1")
    assert view.state == {"guess": "both", "closed": True, "said": "You predicted both. The result: recall@1."}
    view._hear(view, {"guess": "recall@1"}, [])
    assert view.state["guess"] == "both"
    assert "stays as it was" in view.state["said"]


def test_the_tally_counts_each_prediction_once() -> None:
    for name, guess in (("00.one", "a"), ("00.two", "a"), ("00.three", "b")):
        predict(name, "Which?", ["a", "b"]).predict(guess)
        outcome(name, "b")
        outcome(name, "b")
    predict("01.else", "Which?", ["a", "b"]).predict("b")
    record.mine().add(record.CHECKED, "00.chance", False)
    record.mine().add(record.CHECKED, "00.chance", True)
    shown = tally("00")
    assert (
        str(shown)
        == "Predictions that came true: 1. Surprises: 2. Exercises solved: 1. Surprising was: Which? / Which?"
    )
    assert repr(shown) == "The tally of lesson 00."


# ---- bands ---------------------------------------------------------------------------------------------------------


def test_a_number_stands_beside_its_band() -> None:
    shown = expected(("recall@1", 0.7512, 0.6, 0.86), ("loss", 123.4, 100, 200))
    assert str(shown) == "recall@1: yours 0.75, expected 0.6 to 0.86\nloss: yours 123, expected 100 to 200"
    assert repr(shown) == "recall@1: in the band 0.6 to 0.86\nloss: in the band 100 to 200"
    assert "as expected" in shown.page
    assert "0.75" not in repr(shown)


@pytest.mark.parametrize("value", [0.59, 0.87, float("nan"), float("inf"), -1])
def test_a_number_outside_is_said_and_changes_what_is_compared(value: float) -> None:
    shown = expected(("recall@1", value, 0.6, 0.86))
    assert repr(shown) == "recall@1: NOT IN the band 0.6 to 0.86"
    assert str(shown).endswith("(outside)")
    assert "Outside its band" in shown.page


def test_the_ends_belong_to_the_band() -> None:
    assert "NOT" not in repr(expected(("a", 0.6, 0.6, 0.86), ("b", 0.86, 0.6, 0.86), ("c", 2, 2, 2)))


def test_a_band_is_in_order_and_there_is_one() -> None:
    with pytest.raises(ValueError, match="the lower end first"):
        expected(("a", 0.5, 1, 0))
    with pytest.raises(ValueError, match="rows: got none"):
        expected()


def test_a_number_just_outside_is_not_rounded_into_its_band() -> None:
    assert "yours 0.8604, expected 0.6 to 0.86 (outside)" in str(expected(("recall@1", 0.8604, 0.6, 0.86)))


@pytest.mark.parametrize(
    "rows, said",
    [
        (("a", 0.5, 0, 1), "One row is a tuple of its own"),
        ((("a", 0.5, 0),), "One row is a tuple of its own"),
        ((("a", 0.5, 0, float("inf")),), "two finite numbers"),
        ((("a", None, 0, 1),), "three numbers after the label"),
        ((("a", [0.5, 1], 0, 1),), "three numbers after the label"),
    ],
)
def test_a_row_that_is_none_says_why(rows: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        expected(*rows)
