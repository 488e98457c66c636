"""`import taskembed_edu` loads nothing that takes long: names are loaded when they are first used."""

from __future__ import annotations

import json
import os
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
    # Only what finds modules under their former paths.
    assert {name for name in loaded if name.startswith("taskembed_edu.")} == {
        "taskembed_edu.base",
        "taskembed_edu.base.moved",
    }


def test_threads_wait_a_moment_and_then_sleep_unless_it_was_said_otherwise() -> None:
    code = "import taskembed_edu, json, os; print(json.dumps(dict(os.environ)))"
    asked = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
    plain = {name: value for name, value in os.environ.items() if name not in asked}
    half = str(max(1, (os.cpu_count() or 1) // 2))
    for given, expected in (
        ({}, {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "10000", "OMP_NUM_THREADS": half}),
        ({"GOMP_SPINCOUNT": "7", "OMP_NUM_THREADS": "3"}, {"GOMP_SPINCOUNT": "7", "NUMBA_NUM_THREADS": "3"}),
    ):
        told = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={**plain, **given}
        )
        assert json.loads(told.stdout).items() >= expected.items()


REPLAYED = """
import json, sys
{first}
import torch
from taskembed_edu import Session
session = Session("metric", family="digits", n_tasks=40, projection="pca", device="cpu")
session.step(10)
session.set(projection="umap")
session.step(10)
again = Session.replay(session.recording())
assert all(one == other for one, other in zip(session.history, again.history, strict=True))
print(torch.get_num_threads(), session.frame.embedding.tobytes().hex())
"""


@pytest.mark.parametrize("given", [{}, {"NUMBA_NUM_THREADS": "2"}])
def test_a_run_is_the_same_whoever_imported_torch_first(given: dict[str, str]) -> None:
    asked = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")
    # Threads that wait asleep: two that spin, beside another process of the tests, would take minutes.
    patient = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
    environment = {**{name: value for name, value in os.environ.items() if name not in asked}, **patient, **given}
    told = {
        subprocess.run(
            [sys.executable, "-c", REPLAYED.format(first=first)],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        ).stdout
        for first in ("import numba, torch", "import taskembed_edu")
    }
    assert len(told) == 1


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
