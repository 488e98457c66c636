"""What every test shares: the marks, and a loud word about what could not be run on this machine.

A test that needs CUDA is marked `gpu`; one that lives in tests/browser is marked `browser` here. Where the machine has
no CUDA the first are skipped, and the last lines of the run say how many tests were not run, why, and what to do.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

BROWSER_TESTS = Path(__file__).parent / "browser"

# mark -> the word in the reason for skipping that tells "not to be had here" from a test's own reason, and what to do
MISSING = {
    "gpu": ("CUDA", "no CUDA device on this machine; run them on one that has a GPU: python -m pytest -m gpu"),
    "browser": ("Chromium", "no Chromium on this machine; get one: python -m playwright install chromium"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the browser tests; skip the GPU tests where there is no CUDA."""
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.browser)
    gpu = [item for item in items if item.get_closest_marker("gpu")]
    if gpu and not cuda_is_available():
        for item in gpu:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def cuda_is_available() -> bool:
    """Whether torch sees a CUDA device (torch is only imported where a test asks for one)."""
    import torch

    return torch.cuda.is_available()


def not_run(skipped: list[pytest.TestReport]) -> dict[str, int]:
    """How many of the skipped tests carry each mark, and were skipped for want of what the mark stands for."""
    return dict(
        Counter(
            mark
            for report in skipped
            for mark, (missing, _) in MISSING.items()
            if mark in report.keywords and missing in str(report.longrepr)
        )
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not run, and tell `python -m taskembed_edu test`, which repeats it in its own last lines."""
    counts = not_run(terminalreporter.stats.get("skipped", []))
    for mark, count in counts.items():
        terminalreporter.write_line(f"NOT RUN: {count} tests marked {mark} ({MISSING[mark][1]})", red=True, bold=True)
    notes = os.environ.get("TASKEMBED_TEST_NOTES")
    # A worker of xdist sums up too; only the process that started it counts for all.
    if notes and counts and not hasattr(terminalreporter.config, "workerinput"):
        with Path(notes).open("a", encoding="utf-8") as file:
            file.write(json.dumps(counts) + "\n")
