"""make, and the set-up that it calls: installs once, says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

posix_only = pytest.mark.skipif(os.name != "posix", reason="make and sh are not Windows's")


@posix_only
@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        (["lab", "ARGS=--no-browser --port 8899"], ".venv/bin/python -m taskembed_edu lab --no-browser --port 8899"),
        (["test"], ".venv/bin/python -m taskembed_edu test"),
        (["notebooks"], ".venv/bin/python tools/notebooks.py"),
        (["bench", "ARGS=losses"], ".venv/bin/python -m benchmarks losses"),
        (["bench-browser", "ARGS=pictures"], ".venv/bin/python -m benchmarks.browser pictures"),
    ],
)
def test_make_sets_up_and_then_calls_the_same_command(arguments: list[str], last: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "ARGS"))}
    dry_run = subprocess.run(
        ["make", "-n", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    lines = [line.strip() for line in dry_run.stdout.splitlines() if not line.startswith("make")]
    assert lines[0] == f"sh tools/set_up.sh {'lab' if arguments[0] == 'lab' else 'test'}"
    assert lines[-1] == last


@posix_only
def test_ci_asks_for_a_browser() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert "export BROWSER=required" in text
    assert "\nmake test || failed=1\nsh tools/second_python.sh || failed=1\n" in text
    assert text.rstrip().endswith('exit "$failed"')


@posix_only
def test_without_a_second_python_it_is_said_loudly(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "second_python.sh", tmp_path / "tools")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "dirname"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    script = ["sh", str(tmp_path / "tools" / "second_python.sh")]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("NOT RUN: unit tests and lessons on a second Python: beside 3.")


FAKE_PYTHON = """#!/bin/sh
# A Python of version {version} that makes environments out of itself and writes down what pip is asked to do.
case "$*" in
    -V) echo "Python {version}" ;;
    "-c import sys; sys.exit(sys.version_info < (3, 11))") exit {too_old} ;;
    -c*sys.version_info*2*) echo "{minor}" ;;
    "-c import venv") exit 0 ;;
    "-c import ensurepip") exit {no_ensurepip} ;;
    "-c import torch") exit {no_torch} ;;
    "-m uv pip install"*) echo "uv: $*" >>{log}; exit {uv_fails} ;;
    "-m venv --clear .venv" | "-m venv --clear --without-pip .venv")
        rm -rf .venv; mkdir -p .venv/bin; touch .venv/pyvenv.cfg; cp "$0" .venv/bin/python ;;
    "-m pip --python $0 --version") exit {old_pip} ;;
    "-m pip --python .venv/bin/python install --quiet pip") echo "pip for .venv" >>{log} ;;
    "-m pip install"*) echo "$*" >>{log}; exit {pip_fails} ;;
    *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


class SetUp:
    """tools/set_up.sh in a folder of its own, with a made-up Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "pip.log"
        (folder / "tools").mkdir()
        (folder / "bin").mkdir()
        shutil.copy(ROOT / "tools" / "set_up.sh", folder / "tools")
        (folder / "pyproject.toml").write_text("one")
        (folder / "constraints.txt").write_text("torch==2.13.0 ; sys_platform == 'linux'\n")

    def python(
        self,
        name: str,
        version: str,
        *,
        no_ensurepip: bool = False,
        old_pip: bool = False,
        pip_fails: bool = False,
        no_torch: bool = True,
        uv_fails: bool = False,
    ) -> Path:
        """Put a Python of this version on the PATH."""
        major, minor = map(int, version.split(".")[:2])
        path = self.folder / "bin" / name
        path.write_text(
            FAKE_PYTHON.format(
                version=version,
                minor=f"{major}.{minor}",
                too_old=int((major, minor) < (3, 11)),
                no_ensurepip=int(no_ensurepip),
                old_pip=int(old_pip),
                pip_fails=int(pip_fails),
                no_torch=int(no_torch),
                uv_fails=int(uv_fails),
                log=self.log,
            )
        )
        path.chmod(0o755)
        return path

    def run(self, what: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Set up for `what`, with no other Python in reach."""
        tools = [str(self.folder / "bin"), str(self.folder / "coreutils")]
        if not (self.folder / "coreutils").exists():
            (self.folder / "coreutils").mkdir()
            for tool in ("sh", "cat", "cksum", "cp", "mkdir", "rm", "touch", "dirname", "pwd", "grep", "cut", "uname"):
                (self.folder / "coreutils" / tool).symlink_to(str(shutil.which(tool)))
        return subprocess.run(
            ["sh", "tools/set_up.sh", what],
            cwd=self.folder,
            env={"PATH": os.pathsep.join(tools), "TORCH": "pip", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def installs(self) -> list[str]:
        """What pip was asked to install, call by call."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def set_up(tmp_path: Path) -> SetUp:
    """A folder with tools/set_up.sh in it, and no Python yet."""
    if os.name != "posix":
        pytest.skip("sh is not Windows's")
    return SetUp(tmp_path)


def test_the_second_set_up_installs_nothing(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.7")
    assert set_up.run("lab").returncode == 0
    assert len(set_up.installs()) == 1
    assert set_up.installs()[0].endswith("--constraint constraints.txt --editable .")
    again = set_up.run("lab")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert len(set_up.installs()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere pip's torch holds no CUDA")
def test_without_a_gpu_the_cpu_build_of_torch_is_taken(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.7")
    done = set_up.run("lab", TORCH="auto")
    assert done.returncode == 0, done.stderr
    assert "CPU build of torch (2.3 GB in all)" in done.stdout
    of_uv, by_uv, by_pip = set_up.installs()
    assert of_uv.endswith(" uv")
    assert by_uv.startswith("uv: ")
    assert by_uv.endswith("--torch-backend cpu --constraint constraints.txt torch==2.13.0")
    assert by_pip.endswith("--editable .")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere pip's torch holds no CUDA")
def test_a_cpu_build_that_cannot_be_had_stops_nothing(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.7", uv_fails=True)
    done = set_up.run("lab", TORCH="auto")
    assert done.returncode == 0, done.stderr
    assert "pip takes what it finds: the build with CUDA is 6 GB in all." in done.stdout
    assert set_up.installs()[-1].endswith("--editable .")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere pip's torch holds no CUDA")
def test_with_a_gpu_pip_chooses(set_up: SetUp) -> None:
    gpu = set_up.folder / "bin" / "nvidia-smi"
    gpu.write_text("#!/bin/sh\nexit 0\n")
    gpu.chmod(0o755)
    set_up.python("python3.11", "3.11.7")
    assert set_up.run("lab", TORCH="auto").returncode == 0
    assert len(set_up.installs()) == 1


def test_a_torch_that_is_there_stays(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.7", no_torch=False)
    assert set_up.run("lab", TORCH="cpu").returncode == 0
    assert len(set_up.installs()) == 1


def test_a_set_up_for_tests_serves_the_lab_too_but_not_the_other_way_round(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.7")
    set_up.run("lab")
    set_up.run("test")
    assert set_up.installs()[1].endswith("--editable .[test]")
    set_up.run("lab")
    set_up.run("test")
    assert len(set_up.installs()) == 2


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_changed_dependencies_are_installed(set_up: SetUp, changed: str) -> None:
    set_up.python("python3.11", "3.11.7")
    set_up.run("lab")
    (set_up.folder / changed).write_text("three")
    set_up.run("lab")
    assert len(set_up.installs()) == 2


def test_a_moved_folder_is_set_up_again(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.7")
    set_up.run("lab")
    stamp = set_up.folder / ".venv" / ".ready-lab"
    stamp.write_text(stamp.read_text().replace(str(set_up.folder), "/elsewhere"))
    set_up.run("lab")
    assert len(set_up.installs()) == 2


def test_a_failed_install_is_tried_again(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.7", pip_fails=True)
    assert set_up.run("lab").returncode != 0
    assert set_up.run("lab").returncode != 0
    assert len(set_up.installs()) == 2


def test_the_newest_python_that_serves_is_taken(set_up: SetUp) -> None:
    set_up.python("python3", "3.9.2")
    set_up.python("python3.11", "3.11.2")
    set_up.python("python3.12", "3.12.1")
    assert "with python3.12 (Python 3.12.1)" in set_up.run("lab").stdout


def test_python_can_be_named_and_changing_it_makes_the_environment_anew(set_up: SetUp) -> None:
    set_up.python("python3.12", "3.12.1")
    named = set_up.python("my-python", "3.11.4")
    assert "with python3.12 " in set_up.run("lab").stdout
    assert f"with {named} " in set_up.run("lab", PYTHON=str(named)).stdout
    assert set_up.run("lab", PYTHON=str(named)).stdout == ""


def test_an_old_python_is_refused_with_what_to_do(set_up: SetUp) -> None:
    set_up.python("python3", "3.9.2")
    answer = set_up.run("lab")
    assert answer.returncode == 1
    assert "Python 3.11 or newer is needed; the newest found here is: Python 3.9.2" in answer.stderr
    assert "apt-get install python3" in answer.stderr
    assert "environment.yml" in answer.stderr


def test_no_python_at_all_is_said(set_up: SetUp) -> None:
    answer = set_up.run("lab")
    assert answer.returncode == 1
    assert "found here is: none" in answer.stderr


def test_a_named_python_that_is_old_or_absent_is_refused(set_up: SetUp) -> None:
    old = set_up.python("python3", "3.10.9")
    answer = set_up.run("lab", PYTHON=str(old))
    assert answer.returncode == 1
    assert f"PYTHON: got {old}, which is Python 3.10.9, expected Python 3.11 or newer" in answer.stderr
    assert "There is no such program" in set_up.run("lab", PYTHON="python9").stderr


def test_a_debian_without_ensurepip_is_filled_by_its_pip(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.2", no_ensurepip=True)
    assert set_up.run("lab").returncode == 0
    assert set_up.installs()[0] == "pip for .venv"
    assert len(set_up.installs()) == 2


def test_a_debian_without_ensurepip_and_with_an_old_pip_is_told_what_to_install(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.2", no_ensurepip=True, old_pip=True)
    answer = set_up.run("lab")
    assert answer.returncode == 1
    assert "apt-get install python3.11-venv" in answer.stderr


def test_a_folder_that_is_no_environment_is_left_alone(set_up: SetUp) -> None:
    set_up.python("python3.11", "3.11.2")
    (set_up.folder / ".venv").mkdir()
    (set_up.folder / ".venv" / "precious").touch()
    answer = set_up.run("lab")
    assert answer.returncode == 1
    assert "is no virtual environment" in answer.stderr
    assert (set_up.folder / ".venv" / "precious").exists()


@posix_only
def test_make_clean_leaves_the_learners_lessons_alone(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    mine, cache = (tmp_path / folder / ".ipynb_checkpoints" for folder in ("my_lessons", "notebooks"))
    for folder in (mine, cache):
        folder.mkdir(parents=True)
        (folder / "01_distances-checkpoint.ipynb").touch()
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert (mine / "01_distances-checkpoint.ipynb").exists()
    assert not cache.exists()
