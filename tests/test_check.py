"""`make check`: a change runs the tests that it can reach, nearest first, and says what had no time left."""

from __future__ import annotations

import functools
import inspect
import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import taskembed_edu
from taskembed_edu.commands import check as command
from taskembed_edu.commands import test as suite
from tools import check
from tools.budget import remembered_seconds
from tools.reach import Imports, Reached, changed_files, git, public_names, reached, read_imports

ROOT = Path(__file__).resolve().parents[1]


def source_of(thing: Any) -> str:
    """The path, from the root, of the file that defines it."""
    return Path(inspect.getfile(thing)).relative_to(ROOT).as_posix()


def distances(*changed: str) -> dict[str, int]:
    return {test.path: test.distance for test in reached(imports(), changed)}


@functools.cache
def imports() -> Imports:
    return read_imports(ROOT)


# ---- what a change reaches -----------------------------------------------------------------------------------------


def test_a_changed_formula_reaches_its_own_tests_before_those_that_only_lead_to_it() -> None:
    formula = source_of(taskembed_edu.cosine_distance)
    found = reached(imports(), [formula])
    assert [test.path for test in found[:2]] == [formula, "tests/test_distances.py"], "its examples, then its tests"
    far = next(test for test in found if test.path == "tests/test_history.py")
    assert far.distance > found[1].distance == 1
    assert [test.distance for test in found] == sorted(test.distance for test in found)


def test_of_tests_equally_near_the_quick_ones_are_first() -> None:
    formula = source_of(taskembed_edu.cosine_distance)
    before = [test.path for test in reached(imports(), [formula])]
    slow, other = [test.path for test in reached(imports(), [formula]) if test.distance == 1][1:3]
    after = [test.path for test in reached(imports(), [formula], {slow: 60.0})]
    assert before.index(slow) < before.index(other)
    assert after.index(slow) > after.index(other)
    assert sorted(before) == sorted(after)


def test_a_changed_test_is_run_and_no_other() -> None:
    assert distances("tests/test_words.py") == {"tests/test_words.py": 0}


def test_a_test_that_has_nothing_to_do_with_the_change_is_not_run() -> None:
    assert "tests/test_distances.py" not in distances("taskembed_edu/commands/doctor.py")
    assert distances("taskembed_edu/commands/doctor.py")["tests/test_doctor.py"] == 1
    assert not distances("-".join(["nobody", "reads", "this.rst"]))


def test_a_helper_of_the_tests_reaches_the_tests_that_import_it() -> None:
    found = distances("tests/plain.py")
    assert found["tests/test_distances.py"] == 1
    assert "tests/test_doctor.py" not in found
    assert distances("tests/conftest.py")["tests/test_doctor.py"] == 1, "pytest gives it to every test"


def test_a_file_that_is_no_module_reaches_those_who_open_it() -> None:
    assert distances("pyproject.toml")["tests/test_house.py"] == 1
    script = source_of(taskembed_edu.LossLab).replace("loss.py", "page/loss_lab.js")
    assert (ROOT / script).exists()
    assert "tests/test_loss_lab.py" in distances(script)


def test_a_name_of_the_top_level_leads_to_the_module_that_defines_it() -> None:
    stub = "from .a.b import One as One\nfrom .c import two as two\n"
    assert public_names(stub, "taskembed_edu") == {"One": "taskembed_edu.a.b", "two": "taskembed_edu.c"}
    lab = distances(source_of(taskembed_edu.ParameterLab))
    assert lab["tests/test_parameter_lab.py"] == 1


def test_browser_tests_are_left_to_the_whole_suite() -> None:
    assert not any("browser" in path for path in distances(source_of(taskembed_edu.cosine_distance)))


# ---- what git says -------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two commits; `first` and `second` name the files that came with them."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for name in ("first", "second"):
        commit(tmp_path, name)
    return tmp_path


def commit(root: Path, name: str) -> None:
    (root / name).write_text("as it was")
    git(root, "add", "--all")
    who = ("-c", "user.name=someone", "-c", "user.email=someone@example.org")
    git(root, *who, "commit", "--quiet", "--message", name)


def test_what_is_not_committed_has_changed(repository: Path) -> None:
    (repository / "first").write_text("as it is now")
    (repository / "new").touch()
    assert changed_files(repository) == {"first", "new"}


def test_where_all_is_committed_the_last_commit_has_changed(repository: Path) -> None:
    assert changed_files(repository) == {"second"}


def test_what_is_not_pushed_has_changed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "--quiet", str(repository), ".")
    commit(clone, "third")
    commit(clone, "fourth")
    (clone / "first").write_text("as it is now")
    assert changed_files(clone) == {"first", "third", "fourth"}
    assert changed_files(clone, "HEAD~1") == {"first", "fourth"}


def test_a_base_that_git_does_not_know_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--base", "no-such-commit"]) == 2
    assert "base: got 'no-such-commit', expected what git knows" in capsys.readouterr().err


# ---- what is run ---------------------------------------------------------------------------------------------------

PASSES = "def test_it(): pass\ndef test_it_too(): pass\n"


def stage(name: str, code: str, **more: Any) -> suite.Stage:
    return suite.Stage(name, f"the stage {name}", ("-c", code), **more)


def checked(
    root: Path, stages: list[suite.Stage], files: dict[str, str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    """The exit code and the words of a check of these stages and test files, in a folder of their own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name, source in files.items():
        (root / name).write_text(source)
    told = io.StringIO()
    console = Console(file=told, highlight=False, width=120)
    tests = [Reached(name, 1) for name in files]
    code = check.run(stages, tests, time.time() + seconds, console, root)
    return code, told.getvalue()


def test_all_that_is_green_is_green(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"test_one.py": PASSES, "test_two.py": PASSES}
    code, told = checked(tmp_path, [stage("lint", "print('read by nobody')")], files, 3600, monkeypatch)
    assert code == 0
    assert "4 passed" in told
    assert "read by nobody" not in told
    assert "NOT RUN" not in told


@pytest.mark.parametrize("red", ["lint", "tests"])
def test_whatever_is_red_makes_the_check_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, red: str) -> None:
    lint = stage("lint", f"print('what is wrong'); raise SystemExit({red == 'lint'})")
    files = {"test_one.py": PASSES + ("def test_red(): assert 1 + 1 == 3\n" if red == "tests" else "")}
    code, told = checked(tmp_path, [lint, stage("types", "pass")], files, 3600, monkeypatch)
    assert code == 1
    assert ("what is wrong" in told) is (red == "lint"), "a red stage is told in its own words"
    assert ("assert (1 + 1) == 3" in told) is (red == "tests")
    assert "types" in told, "a red stage stops nothing"


def test_what_had_no_time_is_named_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"test_near.py": PASSES, "test_far.py": PASSES + "def test_third(): raise AssertionError\n"}
    code, told = checked(tmp_path, [], files, -1, monkeypatch)
    assert code == 0
    last = told.strip().splitlines()[-1]
    assert last.startswith("NOT RUN: at least 5 tests had no time left; `make test` runs them: ")
    assert last.endswith("test_near.py (2), test_far.py (3)"), "in the order in which they would have been run"


def test_a_batch_that_has_no_time_to_begin_is_counted_from_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "BATCHES", (1, 1, 1000))
    files = {"test_one.py": PASSES, "test_two.py": PASSES, "examples.py": "'>>> 1'\n"}
    code, told = checked(tmp_path, [], files, check.TO_BEGIN - 1, monkeypatch)
    assert code == 0
    assert "2 passed" in told
    assert told.strip().splitlines()[-1].endswith("`make test` runs them: test_two.py (2), examples.py (1)")
    assert "at least 3 tests" in told


def test_a_test_that_would_take_longer_than_what_is_left_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered = tmp_path / ".pytest_cache" / "v" / "taskembed_edu" / "seconds"
    remembered.parent.mkdir(parents=True)
    remembered.write_text(json.dumps({"test_one.py::test_it": 7200.0}))
    assert remembered_seconds(tmp_path) == {"test_one.py": 7200.0}
    code, told = checked(tmp_path, [], {"test_one.py": PASSES}, 3600, monkeypatch)
    assert code == 0
    assert "1 passed" in told
    assert told.strip().splitlines()[-1].endswith("test_one.py (1)")


def test_a_stage_that_cannot_be_run_here_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(checkout: Path, environment: Any) -> dict[str, str]:
        raise suite.CannotRunError("there is no such tool here")

    code, told = checked(tmp_path, [stage("scripts", "pass", prepare=prepare)], {}, 3600, monkeypatch)
    assert code == 0
    assert "there is no such tool here" in told
    assert told.strip().splitlines()[-1] == "NOT RUN: scripts"


def test_every_stage_is_either_quick_or_known_to_be_slow() -> None:
    quick = [stage.name for stage in suite.stages(ROOT) if stage.name not in check.SLOW_STAGES]
    assert quick[:4] == ["format", "lint", "types", "imports"]
    assert set(check.SLOW_STAGES) <= {stage.name for stage in suite.stages(ROOT)}


def test_the_command_hands_its_arguments_to_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []

    def run(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        ran.append((arguments, options["cwd"]))
        return subprocess.CompletedProcess(arguments, 3)

    monkeypatch.setattr(subprocess, "run", run)
    assert command.main(["--base", "main~3"]) == 3
    assert ran == [([sys.executable, "-m", "tools.check", "--base", "main~3"], ROOT)]
