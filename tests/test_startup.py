"""`import taskembed_edu` loads nothing that takes long: names are loaded when they are first used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "umap", "numba", "matplotlib", "ipywidgets", "anywidget", "plotly", "sklearn", "scipy", "IPython")


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after this code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout))


def test_the_import_alone_loads_no_room() -> None:
    loaded = loaded_by("import taskembed_edu; dir(taskembed_edu)")
    assert "taskembed_edu" in loaded
    assert not loaded & set(HEAVY)
    assert {name for name in loaded if name.startswith("taskembed_edu.")} == set()


@pytest.mark.parametrize(
    ("code", "wanted", "absent"),
    [
        ("from taskembed_edu import contrastive_loss", "torch", HEAVY[1:]),
        ("from taskembed_edu import Sinusoids, SiameseNetwork", "torch", HEAVY[1:]),
        ("from taskembed_edu import Session", "torch", ("umap", "numba", "matplotlib", "ipywidgets", "anywidget")),
        ("from taskembed_edu import MetricLab; MetricLab()", "torch", ("umap", "numba", "matplotlib", "ipywidgets")),
        ("from taskembed_edu import cli; cli.usage()", "taskembed_edu.cli", HEAVY),
    ],
)
def test_a_name_loads_what_it_needs_and_no_screen(code: str, wanted: str, absent: tuple[str, ...]) -> None:
    loaded = loaded_by(code)
    assert wanted in loaded
    assert not loaded & set(absent)
