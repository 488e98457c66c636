"""docs/reliability.md names every test of a fault, and no test that is not there."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
TABLE = REPOSITORY / "docs" / "reliability.md"
TESTS = sorted((REPOSITORY / "tests" / "browser").glob("test_faults*.py"))


def test_every_fault_names_its_test_and_every_test_has_its_fault() -> None:
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    named = [re.findall(r"`(test_\w+)`", row.split("|")[3]) for row in rows]
    assert all(len(names) == 1 for names in named), "a row names one test, in its third column"
    there = [name for file in TESTS for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)]
    assert sorted(name for (name,) in named) == sorted(there)
