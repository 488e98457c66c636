"""The instructor's page: its commands are understood, and every lesson has its place."""

from __future__ import annotations

import re
import shlex

import pytest

from taskembed_edu.commands import run
from tools import minutes, notebooks

PAGE = minutes.PAGE.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    taskembed run (.+)$", PAGE, re.M)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_saved_run_can_be_made(command: str) -> None:
    options = run.parse(shlex.split(command))
    assert options.html
    assert options.out.startswith("saved/")


def test_there_are_saved_runs() -> None:
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("lesson", notebooks.lessons(), ids=lambda lesson: lesson.name)
def test_every_lesson_has_its_section(lesson: notebooks.Lesson) -> None:
    section = PAGE.partition(f"\n### `{lesson.name}`\n")[2].partition("\n### ")[0]
    for part in ("**Aim.**", "**Vote.**", "**What usually goes wrong.**", "**To fall back on.**"):
        assert part in section, part
    asked = re.findall(r'^predict\(\s*"([^"]+)"', lesson.text.read_text(encoding="utf-8"), re.M)
    assert any(f"`{name}`" in section for name in asked), f"its vote is one of {asked}"
