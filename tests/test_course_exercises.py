"""Every exercise says what is wrong: what is right, each typical mistake, and nonsense."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.course import check, exercises, hint, record
from taskembed_edu.course.calling import call
from taskembed_edu.course.exercise import (
    RIGHT,
    Exercise,
    Verdict,
    check_exercise,
    function,
    made,
    number,
    of_lab,
    word,
    wrong,
)
from taskembed_edu.labs.parameter import ParameterLab
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import OwnTasks

ALL = [exercise for lesson in exercises.lessons() for exercise in exercises.of_lesson(lesson).values()]

every_exercise = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)


@pytest.fixture(autouse=True)
def _own_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(record.PLACE, str(tmp_path / "record.jsonl"))


def divides_by_zero(*_arguments: Any) -> float:
    return 1 / 0


def forgets_to_return(*_arguments: Any) -> None:
    return None


class Unfriendly:
    """An answer that raises whatever one asks of it."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __float__(self) -> float:
        raise RuntimeError("no float")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]


NONSENSE: list[Any] = [
    "",
    "nonsense",
    "3",
    True,
    float("nan"),
    float("inf"),
    1e308,
    10**400,
    [],
    [1, 2],
    {},
    {"a": 1},
    (None, None),
    object(),
    np.ones((3, 3)),
    torch.ones(3),
    torch.tensor(float("nan")),
    Unfriendly(),
    lambda: 1,
    lambda *_: "a text",
    lambda *_: object(),
    lambda *_: [[]],
    lambda *_: float("nan"),
    divides_by_zero,
    forgets_to_return,
    int,
    print,
    Exercise,
]


@every_exercise
def test_right_and_typical_mistakes_are_told_apart(exercise: Exercise) -> None:
    check_exercise(exercise)
    said = [exercise.verdict(made(answer)).said for answer, _words in exercise.mistakes]
    assert len(set(said)) == len(said), "each mistake has its own words"


@every_exercise
def test_nonsense_is_told_what_it_is(exercise: Exercise) -> None:
    for answer in NONSENSE:
        verdict = exercise.verdict(answer)
        assert verdict.kind in ("wrong", "open"), answer
        assert len(verdict.said) > 10
        assert len(verdict.said) < 600


@every_exercise
def test_nothing_yet_is_no_mistake(exercise: Exercise) -> None:
    for nothing in (None, ...):
        assert exercise.verdict(nothing).kind == "open"
        assert exercise.verdict(nothing).said == exercise.ask


@every_exercise
def test_hints_come_one_by_one_then_the_solution(exercise: Exercise) -> None:
    said = [str(hint(exercise.name)) for _ in range(5)]
    assert [text.partition(":")[0] for text in said] == ["Hint 1", "Hint 2", "Hint 3", "Solution", "Solution"]
    assert exercise.solution not in " ".join(said[:3])
    assert str(hint(exercise.name, 2)) == said[1]


def test_names_of_exercises_say_their_lesson() -> None:
    assert len(ALL) >= 8
    for lesson in exercises.lessons():
        assert all(name.startswith(f"{lesson}.") for name in exercises.of_lesson(lesson))


# ---- what a cell shows ---------------------------------------------------------------------------------------------


def test_a_check_shows_and_records() -> None:
    assert str(check("00.chance", None)) == "Your turn. One of how many candidates is right?"
    wrong = check("00.chance", 0.5)
    assert str(wrong) == "Not yet. That is the chance between two candidates. Here are 200."
    assert wrong.page.count("<details") == 4, "three hints and the solution, folded"
    right = check("00.chance", 1 / 200)
    assert (repr(right), str(right)) == ("00.chance: Right.", "Right.")
    assert "<details" not in right.page
    assert [entry.value for entry in record.mine().of("00.chance", record.CHECKED)] == [False, True]


def test_a_check_of_nothing_known_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"Did you mean '00\.chance'"):
        check("00.chanse", 1)
    with pytest.raises(ValueError, match="lesson: got '77'"):
        check("77.chance", 1)
    with pytest.raises(ValueError, match="name: got 'int'"):
        check(3, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="number: got 5"):
        hint("00.chance", 5)


def test_what_a_learner_wrote_is_no_markup() -> None:
    assert "<script>" not in check("00.chance", "<script>alert(1)</script>").page


def test_a_record_that_cannot_be_written_is_said_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(record.PLACE, str(tmp_path / "file" / "record.jsonl"))
    assert "This was not recorded" in check("00.chance", 1 / 200).page


# ---- the judges ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", [3, 3.0, np.float32(3), np.array(3), torch.tensor(3.0), torch.tensor([3]), "later"])
def test_numbers_of_every_kind(right: Any) -> None:
    judge = number(3, {})
    assert judge(right).kind == ("wrong" if right == "later" else "right")


def test_a_rounded_number_is_right_from_three_digits_on() -> None:
    judge = number(math.sqrt(18), {math.sqrt(3): "The other."}, within=1e-4)
    assert [judge(value).kind for value in (4.24, 4.243, 4.2426, 4.2, 4.25, 4.241)] == ["right"] * 3 + ["wrong"] * 3
    assert judge(1.73).said == "The other."
    assert judge(-4.24).said == "Only the sign is wrong."
    assert number(0.005, {})(0.01).kind == "wrong"


def test_a_truth_of_numpy_is_a_yes_or_no() -> None:
    assert "a yes or no" in number(1, {})(np.bool_(True)).said


@pytest.mark.parametrize("kind", [Fraction, Decimal])
def test_a_function_may_give_fractions_and_decimals(kind: Any) -> None:
    assert function(lambda: 0.125, [()], [])(lambda: kind(0.125)).kind == "right"


def test_a_function_that_gives_a_number_beyond_all_floats_is_told_so() -> None:
    assert "right is 0.125" in function(lambda: 0.125, [()], [])(lambda: 10**400).said


def test_an_error_that_cannot_say_what_it_is_is_named() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fails() -> None:
        raise MuteError

    assert call(fails, ()).trouble == "it raised MuteError in the line `raise MuteError`."


def test_hints_without_a_record_say_how_to_reach_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv(record.PLACE, str(tmp_path / "file" / "record.jsonl"))
    shown = hint("00.chance")
    assert "This was not recorded." in shown.said
    assert "hint(&#x27;00.chance&#x27;, 2)" in shown.page


def test_a_number_that_is_none_says_why() -> None:
    judge = number(3, {9: "Take the root."})
    assert judge(9).said == "Take the root."
    assert judge(4).said == "4 is too large."
    assert judge(2).said == "2 is too small."
    assert "call it, with brackets" in judge(math.sqrt).said
    assert "yes or no" in judge(True).said
    assert "without quotation marks" in judge("3").said
    assert "divided by 0" in judge(math.nan).said
    assert "a Tensor of shape (2, 3)" in judge(torch.ones(2, 3)).said


def test_words() -> None:
    judge = word("collapse", {"converged": "Compare the recall with chance.", "overfitting": "There is no test set."})
    assert judge(" Collapse ").kind == "right"
    assert judge("converged").said == "Compare the recall with chance."
    assert "none of 'collapse', 'converged', 'overfitting'" in judge("else").said
    assert "with its quotation marks" in judge(3).said


double = function(lambda x: 2 * x, [(1,), (2.5,)], [(lambda x: x + 1, "Multiply.")], arguments="x")


@pytest.mark.parametrize(
    "answer, said",
    [
        (lambda x: x + 1, "Multiply."),
        (lambda x: 2 * x if x < 2 else 7.0, "For (x) = (2.5) it gives 7; right is 5."),
        (lambda: 1, "For (x) = (1): it raised TypeError"),
        (lambda x: 1 / 0, "it raised ZeroDivisionError: division by zero in the line"),
        (lambda x: [x], "it gives [1]; right is 2"),
        (lambda x: "2", "it gives '2'; right is 2"),
        (lambda x: math.nan, "it gives nan; right is 2"),
        (2.0, "write its name without brackets"),
    ],
)
def test_functions(answer: Any, said: str) -> None:
    verdict = double(answer)
    assert verdict.kind == "wrong"
    assert said in verdict.said


def test_a_right_function_may_give_tensors() -> None:
    assert double(lambda x: 2 * x).kind == "right"
    assert double(lambda x: torch.tensor(2.0 * x)).kind == "right"
    assert double(lambda x: None).said == "For (x) = (1) it returns None: is the `return` missing?"
    assert double(lambda x: None).kind == "open"


def test_a_function_that_changes_its_arguments_changes_nothing_else() -> None:
    def empties(values: list[int]) -> int:
        total = sum(values)
        values.clear()
        return total

    judge = function(sum, [([1, 2],), ([3],)], [])
    assert judge(empties).kind == "right"
    assert judge(empties).kind == "right"


def test_a_lab_is_judged_by_what_was_reached_with_it() -> None:
    def judge(found: Mapping[str, float]) -> Verdict:
        reached = f"{found['steps']:g} steps"
        return Verdict("right", RIGHT.said, reached) if found["steps"] >= 2 else wrong(f"Only {reached}: 2 are asked.")

    investigation = of_lab(lambda session: {"steps": len(session.history) - 1.0}, judge)
    lab = SimpleNamespace(session=SimpleNamespace(history=[0, 1, 2], settings=None))
    assert investigation(lab) == Verdict("right", "Right.", "2 steps")
    assert investigation(lab.session).kind == "right"
    assert investigation(SimpleNamespace(history=[0], settings=None)).said == "Only 0 steps: 2 are asked."
    for nothing in (3, "lab", SimpleNamespace, [lab]):
        assert "the lab itself" in investigation(nothing).said


def test_what_a_lab_measured_is_seen_and_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = Exercise("00.x", "Reach it.", lambda _: Verdict("right", "Right.", "0.75"), 1, [], ("", "", ""), "")
    monkeypatch.setattr(exercises, "named", lambda name: judged)
    shown = check("00.x", 1)
    assert repr(shown) == "00.x: Right."
    assert "0.75" in shown.page
    assert "0.75" in str(shown)


# ---- calling -------------------------------------------------------------------------------------------------------


def test_what_is_printed_a_million_times_is_held_back(capsys: pytest.CaptureFixture[str]) -> None:
    def chatters() -> int:
        for _ in range(1_000_000):
            print("again")
        return 3

    assert call(chatters, ()).value == 3
    said = capsys.readouterr().out
    assert len(said) < 2_200
    assert "and 5,998,000 more characters" in said


def test_a_function_that_exits_or_recurses_ends_nothing() -> None:
    def leaves() -> None:
        raise SystemExit(3)

    def recurses() -> Any:
        return recurses()

    assert "SystemExit" in call(leaves, ()).trouble
    assert "calls itself without end" in call(recurses, ()).trouble


def test_a_long_call_says_how_to_interrupt_and_an_interrupt_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskembed_edu.course.calling.PATIENCE", 0.01)
    said, told = list[str](), threading.Event()

    def notify(words: str) -> None:
        said.append(words)
        told.set()

    def waits() -> None:
        assert told.wait(30)
        raise KeyboardInterrupt

    came = call(waits, (), notify)
    assert "still running after 0 s" in said[0]
    assert "the square in the tool bar" in said[0]
    assert "it was interrupted after" in came.trouble


def test_a_short_call_says_nothing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[threading.Timer] = []
    real = threading.Timer

    def make(seconds: float, act: Callable[..., None], arguments: Any) -> threading.Timer:
        timers.append(real(seconds, act, arguments))
        return timers[-1]

    monkeypatch.setattr(threading, "Timer", make)
    begun = time.monotonic()
    call(lambda: 1, ())
    assert timers[0].finished.is_set()
    assert time.monotonic() - begun < 5


def test_the_exercise_in_contributing_is_one() -> None:
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Add an exercise")[2]
    names: dict[str, Any] = {}
    exec(section.partition("```python")[2].partition("```")[0], names)
    check_exercise(names["half_circle"])


def test_an_investigation_asks_for_its_own_kind_of_lab() -> None:
    session = Session("summary", projection="pca")
    for name in ("00.what_is_missing", "04.cosine_map", "05.lost_geometry", "06.own_starts", "07.which_weights"):
        verdict = exercises.named(name).verdict(session)
        assert verdict.kind == "wrong"
        assert "of the embedder 'summary'" in verdict.said


def test_an_investigation_reads_the_last_step_and_not_the_last_picture() -> None:
    session = ParameterLab("number_words", projection="pca", seed=0, start="own").session
    session.step(25)  # the last picture is of step 20
    session.set(vector="outputs")
    assert exercises.named("06.own_starts").verdict(session).kind == "right"
    session.set(vector="weights")
    assert exercises.named("06.own_starts").verdict(session).kind == "wrong"


def test_tasks_without_a_true_distance_are_said() -> None:
    family = OwnTasks(torch.randn(300, 20, 1), torch.randn(300, 20))
    session = Session("metric", family, projection="pca", n_neighbors=5, metric="cosine")
    session.step(10)
    assert "no true distance" in exercises.named("04.cosine_map").verdict(session).said
    assert "no Spearman" in exercises.named("05.lost_geometry").verdict(session).said


def test_steps_without_a_picture_are_not_called_untrained() -> None:
    session = Session("metric", projection="pca", frame_every=300)
    session.step(300)
    assert "No picture" in exercises.named("00.what_is_missing").verdict(session).said
