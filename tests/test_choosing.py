"""Advice from a leaderboard: who is left out, who is as good, and what it rests on."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskembed_edu.course import leaderboard as kept
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.evaluation.choosing import PURPOSES, advise
from taskembed_edu.evaluation.results import Cell, Outcome
from tools import leaderboard as tool


def row(
    loss: float, spread: float, ms: float, numbers: float = 8, **more: float
) -> dict[str, tuple[float, float, int]]:
    scores = {
        "transfer loss, 20 steps": (loss, spread, 3),
        "ms an embedding": (ms, 0.0, 3),
        "numbers": (numbers, 0.0, 3),
    }
    return scores | {name: (value, 0.01, 3) for name, value in more.items()}


BOARD = {
    "sinusoids": {
        "metric": row(0.25, 0.02, 0.1, **{"recall@1": 0.7, "spearman": 0.9}),
        "parameters": row(0.2, 0.06, 2, 1153, **{"recall@1": 0.2, "spearman": 0.92}),
        "context": row(0.3, 0.01, 0.5, 5, **{"recall@1": 0.1, "spearman": 0.9}),
        "fisher": row(math.nan, 0.01, 0.3),
    }
}


def test_of_two_that_are_alike_the_quicker_is_taken_and_the_other_named() -> None:
    advice = advise(BOARD, "sinusoids", "solve")
    assert (advice.choice, advice.rivals) == ("metric", ("parameters",))
    assert advice.evidence == BOARD["sinusoids"]["metric"]
    assert "transfer loss, 20 steps 0.25 ±0.02" in str(advice)
    assert "not context: transfer loss, 20 steps 0.3" in str(advice)
    assert "not fisher: has no transfer loss" in str(advice)


@pytest.mark.parametrize(
    ("needs", "choice"),
    [
        ({"needs_model": True}, "parameters"),
        ({"needs_model": True, "most_ms": 1}, "context"),
        ({"needs_model": True, "most_numbers": 100}, "context"),
        ({"most_ms": 0.2}, "metric"),
    ],
)
def test_each_need_leaves_out_those_that_do_not_meet_it(needs: dict[str, float], choice: str) -> None:
    assert advise(BOARD, "sinusoids", "solve", **needs).choice == choice  # type: ignore[arg-type]


def test_a_large_score_is_good_for_finding_and_a_small_one_for_solving() -> None:
    assert advise(BOARD, "sinusoids", "find").choice == "metric"
    assert advise(BOARD, "sinusoids", "compare", needs_model=True).choice == "parameters"


def test_needs_that_nobody_meets_say_what_each_lacks() -> None:
    with pytest.raises(ValueError, match=r"needs: .*metric gives a vector, and no model; parameters takes 2 ms a task"):
        advise(BOARD, "sinusoids", "solve", needs_model=True, most_ms=0.2)
    with pytest.raises(ValueError, match="Did you mean 'sinusoids'"):
        advise(BOARD, "sinusoid", "solve")
    with pytest.raises(ValueError, match=r"purpose: .*expected one of find, compare, read, solve"):
        advise(BOARD, "sinusoids", "win")
    with pytest.raises(ValueError, match="No score of it was measured"):
        advise(BOARD, "sinusoids", "read")


LOSSES = st.lists(st.tuples(st.floats(0, 10), st.floats(0, 2), st.floats(0.01, 10)), min_size=1, max_size=5)


@given(LOSSES)
@example([(1.0, 1.0, 2.0), (1.0, 0.0, 2.0), (2.0, 0.0, 1.0)])  # two of the same mean, of which one is surer
def test_the_choice_is_never_worse_than_the_best_by_more_than_a_spread(found: list[tuple[float, float, float]]) -> None:
    names = ["metric", "parameters", "context", "fisher", "summary"]
    by = {name: row(*numbers) for name, numbers in zip(names, found, strict=False)}
    advice = advise({"tasks": by}, "tasks", "solve")
    chosen, best = advice.evidence[advice.score], min(scores[advice.score] for scores in by.values())
    assert chosen[0] - best[0] <= max(chosen[1], best[1])
    for rival in advice.rivals:
        assert by[rival]["ms an embedding"][0] >= advice.evidence["ms an embedding"][0]
    assert {advice.choice, *advice.rivals, *advice.left_out} == set(by)


# ---- what is kept ----------------------------------------------------------------------------------------------------


def test_the_kept_leaderboard_is_the_one_that_is_asked_for() -> None:
    assert tool.check() == []


def test_every_purpose_has_an_answer_on_every_table_of_the_kept_leaderboard() -> None:
    board = kept.kept_leaderboard()
    assert {name.partition(",")[0] for name in board} == {"sinusoids", "gaussians", "digits", "number_words"}
    for tasks in board:
        for purpose in PURPOSES:
            assert str(advise(board, tasks, purpose)).startswith(f"On {tasks}, ")
    assert set(kept.kept_leaderboard(["digits"])) == {"digits"}


def test_what_is_kept_is_read_as_it_was_written_and_a_changed_grid_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [Outcome(Cell("metric", "sinusoids", 0, 300, 5), {"recall@1": 0.123456}, 1.04)]
    outcomes.append(Outcome(Cell("metric", "digits", 0, 300), {}, 2.0, "ValueError: no"))
    keep, file = kept.keep, tmp_path / "board.json"
    keep(outcomes, {"machine": "one"}, file)
    read = kept.kept(file)
    assert [outcome.cell for outcome in read.outcomes] == [outcome.cell for outcome in outcomes]
    assert (read.outcomes[0].scores, read.outcomes[1].reason) == ({"recall@1": 0.1235}, "ValueError: no")
    assert read.where == {"machine": "one"}
    assert json.loads(file.read_text())["asked"] == kept.asked()
    assert len(read.still_asked()) == 2
    monkeypatch.setattr(kept, "SHOTS", (0,))
    assert [outcome.cell.family for outcome in read.still_asked()] == ["digits"]


def test_an_embedder_of_other_settings_is_made_again_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {name: "of other settings" if name == "metric" else hash for name, hash in kept.asked().items()}
    monkeypatch.setattr(kept, "asked", lambda: other)
    assert {outcome.cell.embedder for outcome in kept.kept().still_asked()} == set(EMBEDDERS) - {"metric"}
    assert tool.STALE in tool.check()
    assert all("metric" in line for line in tool.check()[1:])


def test_a_need_is_a_number_and_a_board_has_tables() -> None:
    for wrong in (math.nan, -1, "1"):
        with pytest.raises((ValueError, TypeError), match="most_ms: got"):
            advise(BOARD, "sinusoids", "solve", most_ms=wrong)  # type: ignore[arg-type]
    for nothing in (dict[str, Any](), None):
        with pytest.raises(ValueError, match="kept_leaderboard"):
            advise(nothing, "sinusoids", "solve")  # type: ignore[arg-type]


def test_the_kept_leaderboard_of_one_family_by_its_name() -> None:
    assert list(kept.kept_leaderboard("sinusoids")) == ["sinusoids", "sinusoids, 5 shots"]
    with pytest.raises(ValueError, match=r"families: got 'sinus'.*Did you mean 'sinusoids'"):
        kept.kept_leaderboard(["sinus"])
