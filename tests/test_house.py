"""The house itself: the wheel is whole, hooks and papers are in order, and what was not run is said."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import warnings
import zipfile
from pathlib import Path

import pytest
import yaml

from taskembed_edu.commands.test import HAS_STAGES_OF_ITS_OWN, stages

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# ---------------------------------------------------------------------------------------------- no registry's name

# Built from parts, so that this file is clean itself.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("pypi", "python", "org"),
        ("pypi", "tuna", "tsinghua", "edu", "cn"),
        ("anaconda", "org"),
        ("repo", "anaconda", "com"),
        ("prefix", "dev"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("unpkg", "com"),
        ("jsdelivr", "net"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("download", "pytorch", "org"),
        ("crates", "io"),
    ]
]


def project_files() -> list[Path]:
    """Every file that git tracks or would track; without git, everything that no tool made."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]
    caches = {".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__", ".ipynb_checkpoints"}
    made = {".venv", "node_modules", "my_lessons", *caches}
    return [path for path in ROOT.rglob("*") if path.is_file() and not made & set(path.parts)]


def registries_named_in(content: bytes) -> list[str]:
    """Which registries' hosts stand in a file."""
    return [host for host in REGISTRIES if host.encode() in content.lower()]


def test_no_file_names_a_registry() -> None:
    found = {str(path.relative_to(ROOT)): registries_named_in(path.read_bytes()) for path in project_files()}
    assert len(found) > 20
    assert {path: hosts for path, hosts in found.items() if hosts} == {}


def test_a_registry_would_be_found() -> None:
    assert registries_named_in(b"see https://PyPI" + b".org/simple") == [REGISTRIES[0]]


# ---------------------------------------------------------------------------------------------- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree as it is."""
    from flit_core.wheel import make_wheel_in

    return Path(make_wheel_in(ROOT / "pyproject.toml", tmp_path_factory.mktemp("wheel")).file)


def test_the_wheel_carries_what_the_labs_draw_with(wheel: Path) -> None:
    package = ROOT / "taskembed_edu"
    wanted = {
        path.relative_to(ROOT).as_posix()
        for pattern in ("*.js", "*.css", "*.html", "*.json", "py.typed")
        for path in package.rglob(pattern)
    }
    assert {"taskembed_edu/jupyter/overrides.json", "taskembed_edu/live/look.css", "taskembed_edu/py.typed"} <= wanted
    with zipfile.ZipFile(wheel) as archive:
        assert wanted - set(archive.namelist()) == set()


def test_the_wheel_carries_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        console = next(archive.read(name).decode() for name in names if name.endswith("entry_points.txt"))
    assert {name.split("/")[0].split("-")[0] for name in names} == {"taskembed_edu"}
    assert "taskembed=taskembed_edu.cli:main" in console


def test_an_installed_copy_finds_its_settings(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = "from taskembed_edu.commands.lab import SETTINGS_FOLDER as f; print(f, (f / 'overrides.json').is_file())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == [str(tmp_path / "site" / "taskembed_edu" / "jupyter"), "True"]


# ---------------------------------------------------------------------------------------------- hooks and warnings


def test_warnings_are_errors() -> None:
    with pytest.raises(UserWarning, match="really"):
        warnings.warn("really", UserWarning, stacklevel=1)


def test_the_hooks_need_no_network() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert {hook["language"] for hook in config["repos"][0]["hooks"]} == {"system", "pygrep"}


def test_hooks_and_stages_run_the_same() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = {hook["id"]: hook["entry"] for hook in config["repos"][0]["hooks"]}
    by_name = {stage.name: stage.arguments for stage in stages(ROOT)}
    pairs = {"ruff-format": "format", "ruff-check": "lint", "mypy": "types", "lint-imports": "imports"}
    assert HAS_STAGES_OF_ITS_OWN.split(",") == list(pairs)
    for hook, stage in pairs.items():
        tool = " ".join(f'"{word}"' if " " in word else word for word in by_name[stage] if word not in ("--check", "."))
        assert entries[hook].startswith(f"python {tool}"), hook


# ---------------------------------------------------------------------------------------------- papers


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= citation.keys()
    assert citation["version"] == PYPROJECT["project"]["version"]
    assert citation["license"] == PYPROJECT["project"]["license"] == "MIT"


@pytest.mark.parametrize(
    "way", ["make lab", "make test", "python -m taskembed_edu lab", "python -m taskembed_edu test", "conda env create"]
)
def test_the_readme_says_every_way_to_start(way: str) -> None:
    assert way in (ROOT / "README.md").read_text(encoding="utf-8")


PAPERS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def targets(paper: Path, pattern: str = r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)") -> list[Path]:
    """The files that a paper points to, by links or as pictures."""
    return [(paper.parent / target).resolve() for target in re.findall(pattern, paper.read_text(encoding="utf-8"))]


def shown_pictures(paper: Path) -> list[Path]:
    """The pictures that a paper shows where it is read: a link alone shows none."""
    return targets(paper, r"!\[[^\]]*\]\(([^)]+)\)")


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_what_the_papers_point_to_exists(paper: Path) -> None:
    assert [target for target in targets(paper) if not target.exists()] == []


@pytest.mark.parametrize("paper", [*PAPERS, ROOT / "environment.yml"], ids=lambda paper: paper.name)
def test_the_files_that_the_papers_name_exist(paper: Path) -> None:
    named = re.findall(
        r"`((?:docs|notebooks|tests|tools|benchmarks|taskembed_edu)/[\w./-]+)`", paper.read_text("utf-8")
    )
    assert [name for name in named if "NN_" not in name and not (ROOT / name).exists()] == []


def test_every_picture_is_shown_and_every_shown_one_exists() -> None:
    shown = {picture for paper in PAPERS for picture in shown_pictures(paper)}
    assert {path.relative_to(ROOT).as_posix() for path in shown} == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "images").iterdir()
    }


# ---------------------------------------------------------------------------------------------- what is not run is said

FAKE_TORCH = "class cuda:\n    is_available = staticmethod(lambda: False)\nclass version:\n    cuda = None\n"
SIMULATION = """
from contextlib import contextmanager

active = False

@contextmanager
def simulated_cuda():
    global active
    active = True
    yield
    active = False
"""
SUITE = """
import pytest
from tests import simulated_cuda

@pytest.mark.gpu
@pytest.mark.parametrize("on_the_simulated_device", [1, 2])
def test_on_cuda(on_the_simulated_device):
    assert simulated_cuda.active

@pytest.mark.gpu(real="its speed")
def test_on_real_cuda():
    raise AssertionError("ran where there is no CUDA")

def test_on_the_cpu():
    assert not simulated_cuda.active

def test_skipped_for_a_reason_of_its_own():
    pytest.skip("not today")
"""

BROWSER_SUITE = """
import pytest

def test_lab():
    pytest.skip("no Chromium")

def test_skipped_for_a_reason_of_its_own():
    pytest.skip("not today")
"""


def test_gpu_tests_are_simulated_or_skipped_and_reported_as_not_run(tmp_path: Path) -> None:
    suite = tmp_path / "tests"
    (suite / "browser").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", suite)
    shutil.copytree(ROOT / "tests" / "offline", suite / "offline", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "torch.py").write_text(FAKE_TORCH)
    (suite / "__init__.py").touch()
    (suite / "simulated_cuda.py").write_text(SIMULATION)
    (suite / "test_gpu.py").write_text(SUITE)
    (suite / "browser" / "test_lab.py").write_text(BROWSER_SUITE)
    notes = tmp_path / "notes"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "TASKEMBED_TEST_NOTES": str(notes)}
    command = [sys.executable, "-m", "pytest", "tests", "-p", "no:cacheprovider"]
    answer = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
    assert "NOT RUN: 3 tests marked gpu (no real CUDA device here" in answer.stdout
    assert "needs a real CUDA device: its speed cannot be simulated" in answer.stdout
    assert "NOT RUN: 1 tests marked browser (no Chromium" in answer.stdout
    assert "3 passed, 4 skipped" in answer.stdout
    assert json.loads(notes.read_text()) == {"gpu": 3, "browser": 1}
