"""docs/reliability.md names every test of a fault, and no test that is not there."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
TABLE = REPOSITORY / "docs" / "reliability.md"
TESTS = sorted((REPOSITORY / "tests" / "browser").glob("test_faults*.py"))
TESTS_OF_LESSONS = [REPOSITORY / "tests" / "test_my_lessons.py"]


def named_in(table: str) -> list[str]:
    """The test of each row, in the third column."""
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    named = [re.findall(r"`(test_\w+)`", row.split("|")[3]) for row in rows]
    assert all(len(names) == 1 for names in named), "a row names one test, in its third column"
    return [name for (name,) in named]


def defined_in(files: list[Path]) -> list[str]:
    return [name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)]


def test_every_fault_names_its_test_and_every_test_has_its_fault() -> None:
    faults, _ = TABLE.read_text(encoding="utf-8").split("## Your lessons")
    assert sorted(named_in(faults)) == sorted(defined_in(TESTS))


def test_what_is_said_of_lessons_is_tested() -> None:
    _, lessons = TABLE.read_text(encoding="utf-8").split("## Your lessons")
    named = named_in(lessons)
    assert named
    assert set(named) <= set(defined_in(TESTS_OF_LESSONS))
