"""Node for the checks of the page's scripts: found, filled once, and missed out loud."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from taskembed_edu.commands import node as command
from taskembed_edu.commands import test as suite

ROOT = Path(__file__).resolve().parents[1]
NODE = """#!{python}
import os, sys
if sys.argv[1:] == ["--version"]:
    print("v{version}.1.0")
elif sys.argv[2:3] == ["ci"]:
    os.makedirs("node_modules", exist_ok=True)
    open("asked", "a").write("ci ")
    sys.exit({npm_fails})
else:
    print("ran", *sys.argv[1:])
    sys.exit("eslint" in sys.argv[1] and {lint_fails})
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in for node is a script")


def fake_node(folder: Path, version: int = 24, npm_fails: int = 0, lint_fails: int = 0) -> command.Node:
    """A program that answers as `node` does."""
    folder.mkdir(exist_ok=True)
    program, npm = folder / "node", folder / "npm"
    code = NODE.format(python=sys.executable, version=version, npm_fails=npm_fails, lint_fails=lint_fails)
    program.write_text(code, encoding="utf-8")
    program.chmod(0o755)
    npm.write_text("", encoding="utf-8")
    npm.chmod(0o755)
    return command.Node(program, npm)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    return tmp_path


def asked(checkout: Path) -> int:
    """How often npm was asked to install."""
    return (checkout / "asked").read_text(encoding="utf-8").count("ci")


def test_what_is_installed_is_not_installed_again(checkout: Path, tmp_path: Path) -> None:
    node = fake_node(tmp_path / "bin")
    assert command.install(checkout, node)
    assert command.install(checkout, node)
    assert asked(checkout) == 1
    (checkout / "package-lock.json").write_text('{"other": 1}', encoding="utf-8")
    assert command.install(checkout, node)
    assert asked(checkout) == 2


def test_an_installation_that_failed_is_tried_again(checkout: Path, tmp_path: Path) -> None:
    assert not command.install(checkout, fake_node(tmp_path / "bin", npm_fails=1))
    assert command.install(checkout, fake_node(tmp_path / "bin"))
    assert asked(checkout) == 2


def test_an_old_node_on_the_path_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert command.find_node() is None
    fake_node(tmp_path / "bin", version=command.OLDEST - 1)
    assert command.find_node() is None
    assert command.find_node() != fake_node(tmp_path / "bin", version=command.OLDEST)
    found = command.find_node()
    assert found is not None
    assert found.program == tmp_path / "bin" / "node"


def test_the_test_tools_bring_a_node_that_runs() -> None:
    found = command.find_node()
    assert found is not None
    answer = subprocess.run([found.program, found.npm, "--version"], capture_output=True, text=True, check=True)
    assert int(answer.stdout.split(".")[0]) >= 10


def test_every_check_is_run_and_one_that_fails_is_a_failure(checkout: Path, tmp_path: Path, capfd) -> None:
    chosen = {"NODE": str(fake_node(tmp_path / "bin").program)}
    assert command.run(["lint", "types"], checkout, chosen) == 0
    assert [line.split()[1] for line in capfd.readouterr().out.splitlines()] == [
        command.CHECKS["lint"][0],
        command.CHECKS["types"][0],
    ]
    fake_node(tmp_path / "bin", lint_fails=1)
    assert command.run(["lint", "types"], checkout, chosen) == 1
    assert "typescript" in capfd.readouterr().out


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("missing", ["node", "registry"])
def test_without_node_the_last_line_says_so(
    checkout: Path, tmp_path: Path, capfd, monkeypatch: pytest.MonkeyPatch, missing: str, required: bool
) -> None:
    node = None if missing == "node" else fake_node(tmp_path / "bin", npm_fails=1)
    monkeypatch.setattr(suite, "find_node", lambda: node)
    chosen = [suite.Stage(name, name, ("-c", "raise SystemExit(9)"), prepare=suite.needs_node) for name in ("a", "b")]
    assert suite.run_all(chosen, checkout, required) == int(required)
    lines = [line for line in capfd.readouterr().out.splitlines() if line.strip()]
    assert lines[-1].startswith("NOT RUN: the checks of the page's scripts")
    assert sum(line.startswith("NOT RUN:") for line in lines) == 1
    assert ("BROWSER=required makes this a FAILURE" in lines[-1]) is required


def test_the_stages_of_the_scripts_are_told_which_node(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = fake_node(tmp_path / "bin")
    monkeypatch.setattr(suite, "find_node", lambda: node)
    code = f"import os; raise SystemExit(os.environ['NODE'] != {str(node.program)!r})"
    assert suite.run_all([suite.Stage("a", "a", ("-c", code), prepare=suite.needs_node)], checkout, required=True) == 0
    ways = {stage.name: stage for stage in suite.stages(ROOT)}
    assert ways["scripts"].prepare is ways["page"].prepare is suite.needs_node


def test_there_is_something_to_run() -> None:
    # `node --test` is content with a pattern that no file matches.
    assert len(list((ROOT / "tests" / "page").glob("*.test.js"))) >= 4
    configured = (ROOT / "tsconfig.json").read_text(encoding="utf-8")
    assert '"strict": true' in configured
    assert '"taskembed_edu/**/*.js"' in configured


def test_no_script_is_left_out_of_the_checks() -> None:
    for script in (ROOT / "taskembed_edu").rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not any(word in text for word in ("@ts-nocheck", "@ts-ignore", "eslint-disable")), script


def test_the_lock_file_says_what_and_not_where() -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 50


def test_a_script_that_stands_below_the_checkout_is_none_of_ours() -> None:
    # Jupyter runs a script of its own with Node; in .venv the nearest package.json is this one.
    assert "type" not in json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
