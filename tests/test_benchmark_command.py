"""`taskembed benchmark`: a grid that is taken up where it stopped, failures that keep their reason, one run a file."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError  # type: ignore[import-untyped]

from taskembed_edu.commands.benchmark import main
from taskembed_edu.evaluation import benchmark
from taskembed_edu.evaluation.benchmark import grid, leaderboard, markdown, on_this_machine, run_cell, run_missing
from taskembed_edu.evaluation.results import Cell, Outcome, ResultsFile
from taskembed_edu.tasks import Digits

CELLS = [Cell("summary", family, seed, 1) for family in ("sinusoids", "gaussians") for seed in (0, 1)]


@pytest.fixture
def results(tmp_path: Path) -> ResultsFile:
    return ResultsFile(tmp_path / "results.sqlite")


def fine(cell: Cell) -> Outcome:
    return Outcome(cell, {"recall@1": 0.5 + cell.seed / 4, "ms an embedding": 2.0}, 1.0)


def here(cells: Sequence[Cell]) -> Iterable[Outcome]:
    """A pool of this process alone."""
    return map(fine, cells)


# ---- taken up where it stopped ---------------------------------------------------------------------------------------


def test_a_second_run_makes_what_is_missing(results: ResultsFile) -> None:
    asked: list[Cell] = []

    def stops(cells: Sequence[Cell]) -> Iterable[Outcome]:
        for cell in cells:
            asked.append(cell)
            yield fine(cell)
            if len(asked) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_missing(CELLS, results, stops)
    assert results.missing(CELLS) == CELLS[2:]
    assert run_missing(CELLS, results, stops) == 0
    assert asked == CELLS, "none was made twice"
    assert [outcome.cell for outcome in results.outcomes()] == sorted(CELLS, key=lambda cell: (cell.family, cell.seed))


def test_a_cell_that_failed_keeps_its_reason_and_is_tried_again(results: ResultsFile) -> None:
    def fails_once(cells: Sequence[Cell]) -> Iterable[Outcome]:
        return (Outcome(cell, {}, 0.1, "ValueError: no") if cell == CELLS[0] else fine(cell) for cell in cells)

    heard: list[tuple[int, int]] = []
    assert run_missing(CELLS, results, fails_once, lambda outcome, done, of: heard.append((done, of))) == 1
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [outcome.reason for outcome in results.outcomes() if outcome.reason] == ["ValueError: no"]
    assert run_missing(CELLS, results, here) == 0
    assert not any(outcome.reason for outcome in results.outcomes())
    results.add(Outcome(CELLS[0], {}, 0.1, "a later failure"))
    assert not any(outcome.reason for outcome in results.outcomes()), "a success stays"


def test_what_goes_wrong_in_a_cell_is_its_outcome() -> None:
    outcome = run_cell(Cell("metric", "number_words", 0, 1))
    assert outcome.reason.startswith("ValueError: embedder: got metric")
    assert outcome.scores == {}


def killed_once(cell: Cell) -> Outcome:
    """Ends its own process, as a system without memory does, unless a file says that it did so before."""
    mark = Path(os.environ["TASKEMBED_TEST_MARK"])
    if cell == CELLS[1] and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return fine(cell)


def test_a_worker_that_is_killed_costs_at_most_the_cells_in_its_hands(
    results: ResultsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKEMBED_TEST_MARK", str(tmp_path / "mark"))
    monkeypatch.setattr(benchmark, "run_cell", killed_once)
    told: list[Cell] = []
    assert run_missing(CELLS, results, on_this_machine(2), lambda outcome, *_: told.append(outcome.cell)) == 0
    assert (tmp_path / "mark").exists(), "one was killed"
    assert sorted(told) == sorted(CELLS), "none is recorded twice"


def test_a_cell_whose_process_always_dies_is_named(results: ResultsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(cells: Sequence[Cell]) -> Iterable[Outcome]:
        yield from (fine(cell) for cell in cells if cell != CELLS[0])
        raise TerminatedWorkerError

    assert run_missing(CELLS, results, always) == 1
    (lost,) = [outcome for outcome in results.outcomes() if outcome.reason]
    assert "its process died 3 times" in lost.reason


# ---- the file --------------------------------------------------------------------------------------------------------


def test_a_file_that_another_run_holds_is_said(results: ResultsFile) -> None:
    with results.writing(), pytest.raises(ValueError, match="which another run holds"):
        run_missing(CELLS, ResultsFile(results.path), here)
    assert run_missing(CELLS, results, here) == 0


def test_a_file_of_another_version_or_kind_is_refused(results: ResultsFile, tmp_path: Path) -> None:
    with sqlite3.connect(results.path) as file:
        file.execute("PRAGMA user_version = 7")
    file.close()
    with pytest.raises(ValueError, match=r"results: got version 7.*taskembed benchmark --results new\.sqlite"):
        ResultsFile(results.path)
    (tmp_path / "text").write_text("These are no results at all." * 99)
    with pytest.raises(ValueError, match="expected a file of results"):
        ResultsFile(tmp_path / "text")
    with pytest.raises(OSError, match="there is no folder"):
        ResultsFile(tmp_path / "nowhere" / "results.sqlite")


def old_file(path: Path, version: int = 1) -> Path:
    """As version 1 wrote it: a cell had no number of shots."""
    key = "PRIMARY KEY (embedder, family, seed, steps)"
    with sqlite3.connect(path) as file:
        file.execute(
            "CREATE TABLE cells (embedder TEXT, family TEXT, seed INTEGER, steps INTEGER, scores TEXT, seconds REAL, "
            f"reason TEXT, {key})"
        )
        file.execute("INSERT INTO cells VALUES ('summary', 'sinusoids', 0, 1, '{\"spearman\": 0.5}', 2.0, '')")
        file.execute("INSERT INTO cells VALUES ('metric', 'number_words', 0, 1, '{}', 0.1, 'ValueError: no')")
        file.execute(f"PRAGMA user_version = {version}")
    file.close()
    return path


def test_an_old_file_is_refused_with_the_way_to_convert_it_and_the_way_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = old_file(tmp_path / "mine.sqlite")
    before = old.read_bytes()
    with pytest.raises(ValueError, match=r"version 1 in .*taskembed benchmark --convert .*mine\.sqlite"):
        ResultsFile(old)
    assert main(["--convert", str(old)]) == 0
    assert "mine.v2.sqlite" in capsys.readouterr().out.replace("\n", "")
    kept = ResultsFile(tmp_path / "mine.v2.sqlite").outcomes()
    assert [(outcome.cell, outcome.reason) for outcome in kept] == [
        (Cell("metric", "number_words", 0, 1), "ValueError: no"),
        (Cell("summary", "sinusoids", 0, 1, 0), ""),
    ]
    assert kept[1].scores == {"spearman": 0.5}
    assert old.read_bytes() == before, "the old file stays as it is"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.sqlite", "no such file"),
        ("third.sqlite", "version 3"),
        ("twice.sqlite", "there already"),
    ],
)
def test_what_cannot_be_converted_says_why(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old_file(tmp_path / "third.sqlite", version=3)
    old_file(tmp_path / "twice.sqlite")
    (tmp_path / "twice.v2.sqlite").touch()
    assert main(["--convert", str(tmp_path / name)]) == 1
    assert said in " ".join(capsys.readouterr().err.split())


def test_shots_are_a_side_of_the_grid_and_a_table_of_their_own(results: ResultsFile) -> None:
    cells = grid(["summary"], ["sinusoids"], seeds=2, steps=1, shots=(0, 5))
    assert [(cell.seed, cell.n_shot) for cell in cells] == [(0, 0), (0, 5), (1, 0), (1, 5)]
    digits = Digits.default_shot
    assert [cell.n_shot for cell in grid(["summary"], ["digits"], seeds=1, shots=(0, digits, 2))] == [0, 2]
    few = run_cell(cells[1])
    assert few.reason == ""
    assert few.scores != run_cell(cells[0]).scores
    run_missing(cells, results, here)
    assert list(leaderboard(results.outcomes())) == ["sinusoids", "sinusoids, 5 shots"]
    with pytest.raises(ValueError, match="shots"):
        grid(["summary"], ["sinusoids"], shots=(-1,))


def test_a_file_that_was_cut_short_is_refused(results: ResultsFile) -> None:
    run_missing(CELLS, results, here)
    results.path.write_bytes(results.path.read_bytes()[:3000])
    with pytest.raises(ValueError, match="cut short"):
        ResultsFile(results.path).outcomes()


def test_a_file_that_is_read_only_is_said_before_a_cell_is_made(
    results: ResultsFile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = sqlite3.connect  # an administrator may write to every file: so sqlite is asked for reading alone
    monkeypatch.setattr(sqlite3, "connect", lambda path: real(f"file:{path}?mode=ro", uri=True))

    def made(cells: Sequence[Cell]) -> Iterable[Outcome]:
        raise AssertionError("a cell was begun")

    with pytest.raises(OSError, match=r"results\.sqlite: attempt to write a readonly database"):
        run_missing(CELLS, results, made)
    assert main(["--embedders", "summary", "--families", "sinusoids", "--results", str(results.path)]) == 1
    assert "readonly database" in capsys.readouterr().err


def test_two_runs_on_one_file_lose_nothing(results: ResultsFile) -> None:
    held, refused = threading.Event(), threading.Event()

    def waits(cells: Sequence[Cell]) -> Iterable[Outcome]:
        for cell in cells:
            held.set()
            assert refused.wait(30)
            yield fine(cell)

    first = threading.Thread(target=run_missing, args=(CELLS[:2], results, waits))
    first.start()
    assert held.wait(30)
    with pytest.raises(ValueError, match="which another run holds"):
        run_missing(CELLS[2:], ResultsFile(results.path), here)
    refused.set()
    first.join()
    assert run_missing(CELLS, ResultsFile(results.path), here) == 0
    assert {outcome.cell for outcome in results.outcomes()} == set(CELLS)


# ---- the grid, the board, the command --------------------------------------------------------------------------------


def test_a_grid_holds_what_goes_together() -> None:
    cells = grid(["metric", "summary"], ["sinusoids", "number_words"], seeds=2, steps=5)
    assert Cell("metric", "sinusoids", 1, 5) in cells
    assert not [cell for cell in cells if (cell.embedder, cell.family) == ("metric", "number_words")]
    assert len(cells) == len(set(cells)) == 6


def test_a_leaderboard_says_mean_and_spread_and_the_best_is_bold(results: ResultsFile) -> None:
    run_missing(CELLS, results, here)
    results.add(Outcome(Cell("metric", "sinusoids", 0, 1), {"recall@1": 0.9, "ms an embedding": 1.0}, 1.0))
    board = leaderboard(results.outcomes())
    mean, spread, seeds = board["sinusoids"]["summary"]["recall@1"]
    assert (mean, round(spread, 3), seeds) == (0.625, 0.177, 2)
    with pytest.raises(ValueError, match="outcomes: got outcomes after 1, 2 steps, expected one number of steps"):
        leaderboard([*results.outcomes(), Outcome(Cell("metric", "sinusoids", 0, 2), {}, 1.0)])
    text = markdown(board)
    assert "| metric | **0.9** ±0 | **1** ±0 |" in text
    assert "| summary | 0.625 ±0.18 | 2 ±0 |" in text


def test_the_command_makes_a_board_and_takes_it_up_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--embedders", "summary", "--families", "sinusoids", "--seeds", "1", "--steps", "1", "--jobs", "1"]
    where = ["--results", str(tmp_path / "r.sqlite"), "--markdown", str(tmp_path / "board.md")]
    assert main([*asked, *where]) == 0
    assert "1 of 1: summary on sinusoids, seed 0" in capsys.readouterr().out
    assert "### sinusoids" in (tmp_path / "board.md").read_text(encoding="utf-8")
    assert main([*asked, *where]) == 0
    assert "1 of 1" not in capsys.readouterr().out


def test_an_unknown_name_is_answered_by_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--embedders", "metrics", "--results", str(tmp_path / "r.sqlite")]) == 1
    assert "Did you mean 'metric'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seeds", "0"], "seeds: got 0, expected a number of at least 1"),
        (["--steps", "-1"], "steps: got -1, expected a number of at least 0"),
        (["--jobs", "0"], "jobs: got 0, expected how many processes"),
        (["--embedders", "metric", "--families", "number_words"], "grid: got metric on number_words"),
    ],
)
def test_a_grid_of_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main([*arguments, "--results", str(tmp_path / "results.sqlite")]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "results.sqlite").exists()


def test_a_name_that_is_given_twice_counts_once() -> None:
    assert grid(["summary", "summary"], ["sinusoids"], 1) == grid(["summary"], ["sinusoids"], 1)


def test_a_file_of_results_is_a_file_in_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--results", str(tmp_path)]) == 1
    assert "is a folder: name a file in it" in capsys.readouterr().err
    assert main(["--results", str(tmp_path / "none" / "results.sqlite")]) == 1
    assert "Make it first" in capsys.readouterr().err
    assert main(["--convert", str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().err
