"""What every test shares: the marks, and a loud word about what could not be run on this machine.

A test that needs CUDA is marked `gpu`; one that lives in tests/browser is marked `browser` here. Where the machine has
no CUDA the first run on a simulated device (tests/simulated_cuda.py). What cannot be simulated says so in its mark,
`gpu(real="TF32")`, and is skipped. A test of the real Omniglot is marked `data`: it needs the published files, and no
test fetches them, since the network is blocked (tests/offline). The last lines of the run say how many tests were not
run on what they are for, why, and what to do.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import tests.offline.sitecustomize  # noqa: F401  # the network is blocked from here on

# No test reads or writes what a learner has recorded on this machine; kernels that tests start inherit it.
os.environ["TASKEMBED_COURSE_RECORD"] = os.path.join(tempfile.mkdtemp(prefix="taskembed-"), "record.jsonl")

# A test without parameters.
NO_PARAMETERS = SimpleNamespace(params={})

# Letters are built once and kept in the user's cache, for all processes and runs; where there is none, for this run.
if not os.access(Path.home(), os.W_OK):
    os.environ.setdefault("TASKEMBED_CACHE", tempfile.mkdtemp(prefix="taskembed-cache-"))

BROWSER_TESTS = Path(__file__).parent / "browser"

# mark -> the word in the reason for skipping that tells "not to be had here" from a test's own reason, and what to do
MISSING = {
    "gpu": (
        "CUDA",
        "no real CUDA device here, at most a simulated one; run them where there is a GPU: python -m pytest -m gpu",
    ),
    "data": ("Omniglot", "its files are not here; let TASKEMBED_DATA name a folder that has omniglot/*.zip"),
    "browser": ("Chromium", "no Chromium on this machine; get one: python -m playwright install chromium"),
}

# Files whose every test makes a simulated device.
USE_THE_SIMULATION = {
    "test_simulated_cuda.py",
    "test_cuda_waits.py",
    "test_cuda_memory.py",
    "test_cuda_public_names.py",
}
# What the report of a test keeps that ran on the simulated device.
SIMULATED = ("cuda", "simulated")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the browser tests; skip what this machine has not got: Omniglot's files, or CUDA."""
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.browser)
        names = map(family_named, getattr(item, "callspec", NO_PARAMETERS).params.values())
        if any(name.startswith("omniglot") for name in names):
            item.add_marker(pytest.mark.data)
    skip_without_omniglot([item for item in items if item.get_closest_marker("data")])
    gpu = {item: mark for item in items if (mark := item.get_closest_marker("gpu"))}
    on_cuda = [item for item in items if item in gpu or item.path.name in USE_THE_SIMULATION]
    if on_cuda and has_libraries_without_driver():
        for item in on_cuda:
            reason = "needs a CUDA device: PyTorch's CUDA build asks for its driver, which cannot be simulated"
            item.add_marker(pytest.mark.skip(reason=reason))
    if gpu and not cuda_is_available():
        for item, mark in gpu.items():
            if "real" in mark.kwargs:
                reason = f"needs a real CUDA device: {mark.kwargs['real']} cannot be simulated"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _cuda_device(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test marked `gpu` has a CUDA device: the machine's, or a simulated one."""
    if request.node.get_closest_marker("gpu") is None or cuda_is_available():
        yield
        return
    from tests.simulated_cuda import simulated_cuda

    request.node.user_properties.append(SIMULATED)
    with simulated_cuda():
        yield


def family_named(parameter: object) -> str:
    """The name of a family that a test is given, as a name, a class or an object."""
    return str(parameter if isinstance(parameter, str) else getattr(parameter, "name", "")).lower()


def skip_without_omniglot(items: list[pytest.Item]) -> None:
    """Skip these tests where the published files are not on this machine."""
    if items:
        from taskembed_edu.tasks.omniglot_files import is_here

        if not is_here("small1", "small2", "runs"):
            for item in items:
                item.add_marker(pytest.mark.skip(reason="needs Omniglot's files, and no test fetches them"))


def has_libraries_without_driver() -> bool:
    """Whether this PyTorch has CUDA and finds no device: it asks the driver behind a simulation's back."""
    import torch

    return torch.version.cuda is not None and not torch.cuda.is_available()


def cuda_is_available() -> bool:
    """Whether torch sees a CUDA device (torch is only imported where a test asks for one)."""
    import torch

    return torch.cuda.is_available()


def not_run(reports: dict[str, list[pytest.TestReport]]) -> dict[str, int]:
    """How many tests carry each mark, and did not run on what the mark stands for: skipped, or run on a simulation."""
    counts = Counter(
        mark
        for report in reports.get("skipped", [])
        for mark, (missing, _) in MISSING.items()
        if mark in report.keywords and missing in str(report.longrepr)
    )
    ran = [report for name in ("passed", "failed") for report in reports.get(name, [])]
    counts["gpu"] += sum(report.when == "call" and SIMULATED in map(tuple, report.user_properties) for report in ran)
    return {mark: count for mark, count in counts.items() if count}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not run, and tell `python -m taskembed_edu test`, which repeats it in its own last lines."""
    counts = not_run(terminalreporter.stats)
    for mark, count in counts.items():
        terminalreporter.write_line(f"NOT RUN: {count} tests marked {mark} ({MISSING[mark][1]})", red=True, bold=True)
    notes = os.environ.get("TASKEMBED_TEST_NOTES")
    # A worker of xdist sums up too; only the process that started it counts for all.
    if notes and counts and not hasattr(terminalreporter.config, "workerinput"):
        with Path(notes).open("a", encoding="utf-8") as file:
            file.write(json.dumps(counts) + "\n")
