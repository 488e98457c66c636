"""The import contract of pyproject.toml keeps a sound house and bites an unsound one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def broken_contracts(folder: Path, files: dict[str, str]) -> list[str]:
    """The contracts that a package made of these files breaks; [] where it keeps them all."""
    for name, text in files.items():
        path = folder / "taskembed_edu" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for parent in path.relative_to(folder).parents[:-1]:
            (folder / parent / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", folder)
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    answer = subprocess.run(
        [sys.executable, "-c", lint, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    broken = re.findall(r"^(.+) BROKEN", answer.stdout, flags=re.MULTILINE)
    assert bool(answer.returncode) == bool(broken), answer.stdout + answer.stderr
    return broken


SOUND = {
    "base/checks.py": "import torch",
    "formulas/distances.py": "from taskembed_edu.base.checks import x",
    "formulas/losses.py": "from taskembed_edu.formulas.distances import x",
    "tasks/base.py": "import numpy",
    "tasks/digits.py": "from taskembed_edu.tasks.base import x",
    "tasks/sinusoids.py": "from taskembed_edu.tasks.base import x",
    "networks/learners.py": "from taskembed_edu.tasks.base import x",
    "networks/factory.py": "from taskembed_edu.networks.learners import x",
    "projection/umap_steps.py": "import umap",
    "projection/pca.py": "from taskembed_edu.projection.umap_steps import x",
    "session/session.py": "from taskembed_edu import projection",
    "figures/plots.py": "import plotly, matplotlib.figure",
    "live/player.py": "import ipywidgets, anywidget",
    "labs/metric.py": "from taskembed_edu.live import player\nimport anywidget",
}

FLOORS = "Imports go down the floors only"


def test_a_sound_house_keeps_the_contract(tmp_path: Path) -> None:
    assert broken_contracts(tmp_path, SOUND) == []


@pytest.mark.parametrize(
    ("name", "text", "contract"),
    [
        ("formulas/losses.py", "from taskembed_edu.labs import metric", FLOORS),
        ("formulas/distances.py", "def f():\n    from taskembed_edu import session", FLOORS),
        ("figures/plots.py", "from taskembed_edu.live import player", FLOORS),
        ("utils.py", "x = 1", FLOORS),
        ("tasks/digits.py", "from taskembed_edu.tasks.sinusoids import x", "No task family imports another"),
        (
            "networks/learners.py",
            "def f():\n    from taskembed_edu.networks.factory import x",
            "Networks know no circle",
        ),
        ("formulas/losses.py", "import matplotlib.pyplot as plt", "Only pictures and the course know a screen"),
        ("session/session.py", "import plotly.graph_objects", "Only pictures and the course know a screen"),
        ("session/session.py", "def f():\n    import umap", "Only one room knows UMAP"),
    ],
)
def test_the_contract_bites(tmp_path: Path, name: str, text: str, contract: str) -> None:
    assert broken_contracts(tmp_path, {**SOUND, name: text}) == [contract]
