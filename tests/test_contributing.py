"""The code of CONTRIBUTING's pages for a family, an embedder and a lesson runs as it stands there."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import torch

from taskembed_edu import tasks
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.tasks import FAMILIES, OwnTasks
from tools import notebooks
from tools.notebooks import Lesson

ROOT = Path(__file__).resolve().parents[1]


# Each page on adding something, and the tests that run its code.
RUN_BY = {
    "Add a loss": "test_own_loss.py",
    "Add a score": "test_own_score.py",
    "Add a task family": "test_contributing.py",
    "Add an embedder": "test_contributing.py",
    "Add a lab": "test_add_a_lab.py",
    "Add a lesson": "test_contributing.py",
    "Add an exercise": "test_course_exercises.py",
}


def test_every_page_on_adding_something_has_code_that_a_test_runs() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sections = {part.partition("\n")[0]: part for part in guide.split("\n## ")}
    pages = {title for title in sections if title.startswith("Add ") and "dependency" not in title}
    assert pages == set(RUN_BY)
    assert all("```" in sections[page] for page in pages)
    assert all((ROOT / "tests" / test).is_file() for test in RUN_BY.values())


def block(page: str, language: str) -> str:
    """The one block of code of a page, "Add ...", in this language."""
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = guide.split(f"## {page}\n")[1].split("\n## ")[0]
    (code,) = re.findall(rf"```{language}\n(.*?)```", section, flags=re.DOTALL)
    return code


def run(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's Python as a module of its own."""
    name = page.lower().replace(" ", "_")
    path = folder / f"{name}.py"
    path.write_text(block(page, "python"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module


def test_a_family_as_it_is_written_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = run("Add a task family", tmp_path, monkeypatch)
    assert made.session.steps == 100
    assert made.session.frame.diagnostics["spearman"] > 0.3
    slopes = [
        set((part.sample(200, rng=_generator()).truth[:, 0] * 10).floor().int().tolist()) for part in made.session.split
    ]
    assert not slopes[0] & slopes[1] | slopes[1] & slopes[2] | slopes[0] & slopes[2]


def test_an_embedder_as_it_is_written_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        made = run("Add an embedder", tmp_path, monkeypatch)
    finally:
        EMBEDDERS.pop("projection", None)
    assert made.session.steps == 20
    before, after = made.session.history[0], made.session.frame
    assert after.diagnostics["mean_distance"] == pytest.approx(0.8**20 * before.diagnostics["mean_distance"], rel=1e-3)
    assert made.session.branch(at=1).steps == 10


def test_a_lesson_as_it_is_written_there(tmp_path: Path) -> None:
    lesson = Lesson("90_two_waves", tmp_path)
    lesson.text.parent.mkdir()
    lesson.text.write_text(block("Add a lesson", "text"), encoding="utf-8")
    assert notebooks.make(lesson) == []
    assert notebooks.check(lesson) == []
    assert "2.00" in lesson.notebook.read_text(encoding="utf-8")


def test_every_family_of_the_package_is_named_wherever_families_are() -> None:
    # OwnTasks needs data, so that it is no choice of a menu.
    modules = {cls.__module__.rpartition(".")[2] for cls in (*FAMILIES.values(), OwnTasks)}
    found = {path.stem: path.read_text("utf-8") for path in Path(tasks.__file__).parent.glob("*.py")}
    # `characters` is what the families of letters share.
    files = {name for name, text in found.items() if "(TaskFamily)" in text or "(Characters)" in text} - {"characters"}
    assert files == modules
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (families,) = (contract for contract in contracts if contract["id"] == "families")
    assert {name for name in re.findall(r"\w+", families["layers"][0]) if name in found} == modules
    exported = (ROOT / "taskembed_edu" / "__init__.pyi").read_text("utf-8")
    assert all(f"import {cls.__name__} as {cls.__name__}\n" in exported for cls in FAMILIES.values())


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
