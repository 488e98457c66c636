"""The file that CONTRIBUTING.md shows under "Add a score", as one would write it; and the registries, as they were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.evaluation.registry import SCORES

ROOT = Path(__file__).resolve().parents[1]


def written_as_told(folder: Path) -> Path:
    """The page's code as a file in this folder; its path."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.split("## Add a score\n")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    path = folder / "own_score.py"
    path.write_text(code, encoding="utf-8")
    return path


@contextmanager
def registries_restored() -> Iterator[None]:
    """What is registered inside is gone afterwards."""
    known = (SCORES, dict(SCORES)), (EMBEDDERS, dict(EMBEDDERS))
    try:
        yield
    finally:
        for registry, before in known:
            registry.clear()
            registry.update(before)  # type: ignore[arg-type]
