"""pyproject.toml is the truth about dependencies: environment.yml repeats it, constraints.txt pins all of it."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from taskembed_edu.commands.doctor import read_pins

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def requirements(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for."""
    project = PYPROJECT["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def conda_disagreements(project: dict[str, Any], environment: dict[str, Any]) -> list[str]:
    """Where environment.yml and pyproject.toml say different things."""
    conda, pip = {}, []
    for entry in environment["dependencies"]:
        if isinstance(entry, dict):
            pip = entry["pip"]
        else:
            name, range_ = re.fullmatch(r"([a-z0-9_.-]+)(.*)", entry).groups()  # type: ignore[union-attr]
            conda[name] = range_
    wrong = [] if pip == ["-e ."] else [f"pip: {pip}"]
    if conda.pop("pip", None) is None:
        wrong.append("pip is missing")
    python = conda.pop("python", "=0")
    if python.removeprefix("=") not in SpecifierSet(project["requires-python"]):
        wrong.append(f"python{python}, expected {project['requires-python']}")
    wanted = {}
    for requirement in map(Requirement, project["dependencies"]):
        name = canonicalize_name(requirement.name)
        wanted[CONDA_NAMES.get(name, name)] = requirement.specifier
    for name in sorted(wanted.keys() | conda.keys()):
        if name not in wanted or name not in conda:
            wrong.append(f"{name} is in one file only")
        elif SpecifierSet(conda[name]) != wanted[name]:
            wrong.append(f"{name}: {conda[name]}, expected {wanted[name]}")
    return wrong


def test_conda_and_pip_agree() -> None:
    assert conda_disagreements(PYPROJECT["project"], ENVIRONMENT) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda entries: entries.remove("pytorch>=2.6,<3"), "pytorch is in one file only"),
        (lambda entries: entries.append("pandas>=2"), "pandas is in one file only"),
        (lambda entries: entries.__setitem__(entries.index("rich>=13.7"), "rich>=12"), "rich: >=12, expected >=13.7"),
        (
            lambda entries: entries.__setitem__(entries.index("python=3.11"), "python=3.10"),
            "python=3.10, expected >=3.11",
        ),
        (lambda entries: entries.remove("pip"), "pip is missing"),
        (lambda entries: entries.pop(), "pip: []"),
    ],
)
def test_a_disagreement_is_found(change: Callable[[list[Any]], object], complaint: str) -> None:
    environment = copy.deepcopy(ENVIRONMENT)
    change(environment["dependencies"])
    assert conda_disagreements(PYPROJECT["project"], environment) == [complaint]


def test_conda_serves_every_system_from_one_channel() -> None:
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]


def test_every_pin_is_exact_and_within_what_the_project_asks_for() -> None:
    pins: dict[str, list[str]] = {}
    for pin in read_pins(ROOT / "constraints.txt"):
        assert re.fullmatch(r"==[^*+]+", str(pin.specifier)), f"{pin} is not one exact version"
        pins.setdefault(canonicalize_name(pin.name), []).append(next(iter(pin.specifier)).version)
    assert pins["torch"] == ["2.13.0"]
    for requirement in requirements("test"):
        versions = pins[canonicalize_name(requirement.name)]
        assert all(version in requirement.specifier for version in versions), f"{requirement} is pinned to {versions}"


def installed_tree(roots: list[Requirement]) -> Iterator[str]:
    """The names of everything that the requirements pull in here, by the installed distributions' own word."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(requirement.name, frozenset(requirement.extras)) for requirement in roots]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:  # asked for elsewhere only: another system's, or the CUDA libraries of torch
            continue
        yield canonicalize_name(name)
        for need in map(Requirement, needs):
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((need.name, frozenset(need.extras)))


def test_the_whole_tree_is_pinned() -> None:
    pinned = {canonicalize_name(pin.name) for pin in read_pins(ROOT / "constraints.txt")}
    tree = set(installed_tree(requirements("test")))
    assert len(tree) > 100
    assert tree - pinned == set()


@pytest.mark.parametrize("package", ["colorama", "pywinpty", "appnope", "triton"])
def test_what_only_other_systems_need_is_pinned_too(package: str) -> None:
    pins = [pin for pin in read_pins(ROOT / "constraints.txt") if pin.name == package]
    assert len(pins) == 1
    assert pins[0].marker is not None


# ---------------------------------------------------------------------------------------------- the page that says why


def test_the_page_of_dependencies_names_each_one_and_no_other() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    tables = [text.split("## What the tests need beside")[part] for part in (0, 1)]
    for table, extra in zip(tables, (None, "test"), strict=True):
        rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")][1:]
        named = {canonicalize_name(name.strip()) for row in rows for name in row.split(",")}
        lines = PYPROJECT["project"]["optional-dependencies"][extra] if extra else PYPROJECT["project"]["dependencies"]
        assert named == {canonicalize_name(Requirement(line).name) for line in lines}
