"""A pytest plugin: no test begins after the deadline, and those that did not are counted and named.

    python -m pytest -p tools.budget --deadline 1700000000 --left-out left.json tests/test_distances.py

A test that took longer than what is left, when it was last run, does not begin either.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

LEFT_OUT = "no time left: make test runs it"
SECONDS = "taskembed_edu/seconds"
WORTH_NOTING = 1.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two options of this plugin."""
    group = parser.getgroup("budget")
    group.addoption("--deadline", type=float, help="no test begins after this time (seconds, as time.time() tells it)")
    group.addoption("--left-out", type=Path, help="where to write which files had tests left out, and how many")


def pytest_configure() -> None:
    """Let the stages that run beside the tests go first: they are fewer, and nobody is done before they are."""
    if hasattr(os, "nice"):
        os.nice(5)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave the test out where its time has run out, before any fixture is made."""
    assert item.config.cache is not None
    took = item.config.cache.get(SECONDS, {}).get(item.nodeid, 0.0)
    if time.time() + took > item.config.getoption("--deadline"):
        pytest.skip(LEFT_OUT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write down what was left out, and how long the long ones took."""
    config = terminalreporter.config
    if hasattr(config, "workerinput"):
        return  # the process that started this worker sums up for all
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if LEFT_OUT in str(report.longrepr)]
    left_out = Counter(report.nodeid.partition("::")[0] for report in skipped)
    config.getoption("--left-out").write_text(json.dumps(left_out), encoding="utf-8")
    assert config.cache is not None
    took: dict[str, float] = defaultdict(float)
    for kind in ("", "passed", "failed"):  # pytest files the fixtures of a test under ""
        for report in terminalreporter.stats.get(kind, []):
            took[report.nodeid] += getattr(report, "duration", 0.0)
    long = {test: round(seconds, 1) for test, seconds in took.items() if seconds > WORTH_NOTING}
    config.cache.set(SECONDS, {**config.cache.get(SECONDS, {}), **long})


def remembered_seconds(root: Path) -> dict[str, float]:
    """How long the long tests of each file took when they were last run, together."""
    seconds: dict[str, float] = defaultdict(float)
    notes = root / ".pytest_cache" / "v" / SECONDS
    for test, took in (json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else {}).items():
        seconds[test.partition("::")[0]] += took
    return dict(seconds)
