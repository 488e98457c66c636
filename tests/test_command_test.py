"""`taskembed test`: every stage runs, failures count, and what was not run is said in the last line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from taskembed_edu.commands import test as suite

ROOT = Path(__file__).resolve().parents[1]


def stage(name: str, code: str, **more: Any) -> suite.Stage:
    """A made-up stage that runs this code."""
    return suite.Stage(name, f"the stage {name}", ("-c", code), **more)


def lines_of(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """What was printed, less the empty lines."""
    return [line for line in capfd.readouterr().out.splitlines() if line.strip()]


def verdicts(lines: list[str]) -> dict[str, str]:
    """Stage and result, read from the closing table."""
    rows = [[cell.strip() for cell in line.strip("│┃").split("│")] for line in lines if line.startswith("│")]
    return {name: verdict for name, verdict, _ in rows}


def test_the_stages_are_all_there_and_in_order() -> None:
    names = [stage.name for stage in suite.stages(ROOT)]
    assert names == ["format", "lint", "types", "imports", "scripts", "page", "hooks", "unit", "lessons", "browser"]


def test_every_lesson_is_run(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    lessons = [f"notebooks/{number:02}_lesson.ipynb" for number in range(8)]
    for name in [*reversed(lessons), "notebooks/conftest.py"]:
        (tmp_path / name).touch()
    arguments = next(stage for stage in suite.stages(tmp_path) if stage.name == "lessons").arguments
    assert [
        Path(argument).as_posix() for argument in arguments if "conftest" in argument or "ipynb" in argument
    ] == lessons


FLAKY = """
from pathlib import Path
def test_lucky():
    seen = Path(__file__).with_name("seen")
    before = seen.exists()
    seen.touch()
    assert before
def test_broken():
    assert False
"""


def test_a_browser_test_has_a_second_try_and_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = next(stage for stage in suite.stages(ROOT) if stage.name == "browser").arguments
    assert all(word in arguments for word in suite.SECOND_TRY)
    (tmp_path / "test_flaky.py").write_text(FLAKY, encoding="utf-8")
    tries = suite.Stage("tries", "tries", ("-m", "pytest", "-p", "no:cacheprovider", *suite.SECOND_TRY, "."))
    assert suite.run_all([tries], tmp_path, required=False) == 1, "what fails twice has failed"
    lines = lines_of(capfd)
    assert {line.split(" - ")[0] for line in lines if line.startswith(("RERUN", "FAILED"))} == {
        "RERUN test_flaky.py::test_lucky",
        "RERUN test_flaky.py::test_broken",
        "FAILED test_flaky.py::test_broken",
    }


def test_a_failing_stage_fails_the_run_and_stops_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    chosen = [stage("first", "raise SystemExit(3)"), stage("second", "print('I ran')")]
    assert suite.run_all(chosen, tmp_path, required=False) == 1
    lines = lines_of(capfd)
    assert "I ran" in lines
    assert verdicts(lines) == {"first": "FAILED", "second": "passed"}


def test_a_run_in_which_all_passes_passes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert suite.run_all([stage("only", "pass")], tmp_path, required=True) == 0
    assert not any("NOT RUN" in line for line in lines_of(capfd))


@pytest.mark.parametrize("required", [False, True])
def test_without_a_chromium_the_last_line_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, required: bool
) -> None:
    monkeypatch.setattr(suite, "drivable_chromium", lambda environment: None)
    monkeypatch.setattr(suite, "get_chromium", lambda is_root: None)
    note = "import json, os; note = json.dumps({'gpu': 5, 'data': 3}) + chr(10)"
    note += "; open(os.environ['TASKEMBED_TEST_NOTES'], 'a').write(note)"
    chosen = [stage("unit", note), stage("browser", "raise SystemExit(9)", prepare=suite.needs_chromium)]
    assert suite.run_all(chosen, tmp_path, required) == int(required)
    lines = lines_of(capfd)
    assert verdicts(lines) == {"unit": "passed", "browser": "NOT RUN"}
    assert lines[-3].startswith("NOT RUN: 5 tests marked gpu")
    assert lines[-2].startswith("NOT RUN: 3 tests marked data")
    assert "TASKEMBED_DATA" in lines[-2]
    assert lines[-1].startswith("NOT RUN: the browser tests")
    assert "playwright install" in lines[-1]
    assert ("BROWSER=required makes this a FAILURE" in lines[-1]) is required


def test_the_browser_tests_are_told_which_chromium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "drivable_chromium", lambda environment: "/opt/chrome")
    code = "import os; raise SystemExit(os.environ['CHROMIUM'] != '/opt/chrome')"
    assert suite.run_all([stage("browser", code, prepare=suite.needs_chromium)], tmp_path, required=True) == 0


def test_a_wrongly_named_chromium_fails_the_stage(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "nothing"))
    assert suite.run_all([stage("browser", "pass", prepare=suite.needs_chromium)], tmp_path, required=False) == 1
    assert any("expected the path of a Chromium that runs" in line for line in lines_of(capfd))


def test_the_hooks_need_a_git_checkout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    chosen = [stage("hooks", "import os; raise SystemExit('mypy' not in os.environ['SKIP'])", prepare=suite.needs_git)]
    assert suite.run_all(chosen, tmp_path, required=False) == 0
    assert verdicts(lines_of(capfd)) == {"hooks": "NOT RUN"}
    (tmp_path / ".git").mkdir()
    assert suite.run_all(chosen, tmp_path, required=False) == 0
    assert verdicts(lines_of(capfd)) == {"hooks": "passed"}


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert suite.limit_threads(1, {}) == {}
    assert set(suite.limit_threads(2, {}).values()) == {"4"}
    assert set(suite.limit_threads(16, {}).values()) == {"1"}
    assert "OMP_NUM_THREADS" not in suite.limit_threads(2, {"OMP_NUM_THREADS": "3"})


def test_missing_test_tools_are_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(suite, "find_spec", lambda tool: None)
    assert suite.main([]) == 1
    assert 'python -m pip install -c constraints.txt -e ".[test]"' in capsys.readouterr().err


def test_only_the_stages_asked_for_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run_all(chosen: list[suite.Stage], root: Path, required: bool) -> int:
        ran.extend([*(stage.name for stage in chosen), f"{required=}"])
        return 0

    monkeypatch.setattr(suite, "run_all", run_all)
    monkeypatch.setenv("BROWSER", "required")
    assert suite.main(["--only", "lint", "unit"]) == 0
    assert ran == ["lint", "unit", "required=True"]
