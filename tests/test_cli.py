"""The command line, and `taskembed lab`: it really starts JupyterLab, with the course's settings and a token."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from taskembed_edu import cli
from taskembed_edu.commands import checkout, lab
from tests.listening import wait_until_it_listens

ROOT = Path(__file__).resolve().parents[1]


# ---------------------------------------------------------------------------------------------- taskembed


def test_no_command_is_an_error_that_shows_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert capsys.readouterr().out == cli.usage() + "\n"


@pytest.mark.parametrize("asked", ["--help", "-h", "help"])
def test_help_shows_every_command(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([asked]) == 0
    shown = capsys.readouterr().out
    assert all(f"taskembed {name}" in shown for name in cli.COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert re.fullmatch(r"taskembed_edu \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["docter"]) == 2
    assert capsys.readouterr().err == (
        "command: got 'docter', expected one of lab, lesson, progress, run, benchmark, test, check, doctor. "
        "Did you mean 'doctor'?\n"
    )


def test_a_command_gets_the_rest_and_gives_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[str] = []

    def main(argv: list[str]) -> int:
        got.extend(argv)
        return 7

    monkeypatch.setattr(lab, "main", main)
    assert cli.main(["lab", "--no-browser", "--port", "8899"]) == 7
    assert got == ["--no-browser", "--port", "8899"]


def test_an_interrupt_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def main(argv: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(lab, "main", main)
    assert cli.main(["lab"]) == 130


def test_the_command_line_starts_without_torch() -> None:
    code = "import sys; from taskembed_edu.cli import main; main(['--help']); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


# ---------------------------------------------------------------------------------------------- where the lessons are


def make_checkout(folder: Path) -> Path:
    """A folder that looks like the course's."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "taskembed_edu"\n')
    return folder


def test_the_checkout_that_the_package_lies_in_comes_first(tmp_path: Path) -> None:
    own, other = make_checkout(tmp_path / "own"), make_checkout(tmp_path / "other")
    assert checkout.find_checkout(start=other, package=own / "taskembed_edu") == own


def test_an_installed_package_finds_the_checkout_above(tmp_path: Path) -> None:
    here = make_checkout(tmp_path / "course")
    assert checkout.find_checkout(start=here / "notebooks", package=tmp_path / "site" / "taskembed_edu") == here


def test_another_project_is_no_checkout(tmp_path: Path) -> None:
    (make_checkout(tmp_path) / "pyproject.toml").write_text('[project]\nname = "other"\n')
    assert checkout.find_checkout(start=tmp_path, package=tmp_path / "site" / "taskembed_edu") is None


# ---------------------------------------------------------------------------------------------- taskembed lab


def test_the_callers_options_win(tmp_path: Path) -> None:
    options = lab.jupyterlab_options(tmp_path, ["--no-browser", "--ServerApp.root_dir=/there"], as_root=False)
    assert [option for option in options if "root_dir" in option] == ["--ServerApp.root_dir=/there"]
    assert "--allow-root" not in options
    assert options[-2] == "--no-browser"


def test_root_is_only_allowed_where_we_are_root(tmp_path: Path) -> None:
    assert "--allow-root" in lab.jupyterlab_options(tmp_path, [], as_root=True)


def test_without_the_lessons_the_lab_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab, "find_checkout", lambda: None)
    assert lab.main([]) == 1
    assert "Get the project's folder" in capsys.readouterr().err


def test_lab_help_says_that_options_are_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.main(["--help"]) == 0
    assert "--no-browser --port 8899" in capsys.readouterr().out


@dataclass
class RunningLab:
    """A JupyterLab that `python -m taskembed_edu lab` has started."""

    process: subprocess.Popen[str]
    port: int
    printed: str

    def get(self, path: str, token: str | None) -> Any:
        """The JSON under a path of the server."""
        headers = {"Authorization": f"token {token}"} if token else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{path}", headers=headers)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=30) as answer:
            return json.load(answer)

    @property
    def token(self) -> str:
        """The token that the printed address carries."""
        found = re.search(r"token=([0-9a-f]+)", self.printed)
        assert found, self.printed
        return found[1]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project: the command sees to the learner's lessons, and a test must leave those alone."""
    folder = tmp_path_factory.mktemp("course")
    clean = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in ("taskembed_edu", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=clean)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def running_lab(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """The command of README, with the options that README shows, in Jupyter folders of its own."""
    folder = tmp_path_factory.mktemp("jupyter")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    folders = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "taskembed_edu",
            "lab",
            "--no-browser",
            "--port",
            str(port),
            "--ServerApp.port_retries=0",
        ],
        cwd=course,
        env={**inherited, "PYTHONPATH": str(course), **{f"JUPYTER_{name}": str(folder / name) for name in folders}},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        printed = read_until(process, rf"127\.0\.0\.1:{port}")
        wait_until_it_listens(process, port)
        yield RunningLab(process, port, printed)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def read_until(process: subprocess.Popen[str], pattern: str) -> str:
    """What the process prints, up to and with the first line that has the pattern."""
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if re.search(pattern, line):
            return printed
    raise AssertionError(f"the process ended, having printed:\n{printed}")


def test_the_lab_opens_on_the_learners_own_first_lesson(running_lab: RunningLab, course: Path) -> None:
    place = "lab/workspaces/taskembed_edu_my_lessons/tree/my_lessons/00_start_here.ipynb"
    assert f"http://127.0.0.1:{running_lab.port}/{place}?token=" in running_lab.printed
    assert f"Your copy of the lessons: {course / 'my_lessons'}\n" in running_lab.printed
    served = running_lab.get("api/contents/my_lessons/00_start_here.ipynb?content=1", running_lab.token)
    published = json.loads((course / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8"))
    assert len(served["content"]["cells"]) == len(published["cells"])


def test_the_lab_asks_for_its_token(running_lab: RunningLab) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        running_lab.get("api/contents", token=None)
    assert refused.value.code == 403
    refused.value.close()
    assert "notebooks" in [entry["name"] for entry in running_lab.get("api/contents", running_lab.token)["content"]]


def test_the_lab_listens_on_this_machine_only(running_lab: RunningLab) -> None:
    connections = psutil.Process(running_lab.process.pid).net_connections(kind="inet")
    listening = {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}
    assert listening
    assert listening <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("plugin", "name", "value"),
    [
        ("notification", "fetchNews", "false"),
        ("notification", "checkForUpdates", False),
        ("kernels-settings", "commsOverSubshells", "disabled"),
    ],
)
def test_the_lab_has_the_courses_settings(running_lab: RunningLab, plugin: str, name: str, value: object) -> None:
    answer = running_lab.get(f"lab/api/settings/@jupyterlab/apputils-extension:{plugin}", running_lab.token)
    assert answer["schema"]["properties"][name]["default"] == value
    assert answer["settings"] == {}
