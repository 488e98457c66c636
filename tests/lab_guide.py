"""The labs of CONTRIBUTING's "Add a lab", written from outside the package exactly as that page says."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from types import ModuleType

import taskembed_edu

FRAME = Path(taskembed_edu.__file__).parent / "labs" / "page"


def blocks() -> list[tuple[str, str]]:
    """(language, code) of every block of the section."""
    guide = Path(__file__).parents[1].joinpath("CONTRIBUTING.md").read_text(encoding="utf-8")
    section = guide.split("## Add a lab\n")[1].split("\n## ")[0]
    return re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)


def written(folder: Path) -> tuple[ModuleType, ModuleType]:
    """Both labs as modules in this folder, with the page of the second; its script finds the frame in the package."""
    (_, session_lab), (_, point_lab), (_, markup), (_, script) = blocks()
    page = folder / "page"
    page.mkdir()
    page.joinpath("middle_lab.html").write_text(markup, encoding="utf-8")
    frame = Path(os.path.relpath(FRAME, page)).as_posix()
    page.joinpath("middle_lab.js").write_text(script.replace('from "./', f'from "{frame}/'), encoding="utf-8")
    return _module(folder / "triplet.py", session_lab), _module(folder / "middle.py", point_lab)


def _module(path: Path, code: str) -> ModuleType:
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
