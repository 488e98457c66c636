"""The glossary holds every Chinese term of the lessons, and says where it stands."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tools import notebooks

LINES = (Path(__file__).parents[1] / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES if re.match(r"\| \w.*\d\d", line)]

# A term may be in two parts, as those of TF-IDF and n-grams are.
CHINESE = re.compile(r"[\u4e00-\u9fff]+(?:(?:-| n )[\u4e00-\u9fff]+)*")
IN_BRACKETS = re.compile(r"\(([^()]*[\u4e00-\u9fff][^()]*)\)")


def terms(lesson: notebooks.Lesson) -> set[str]:
    """The Chinese terms that a lesson gives in brackets after an English word."""
    prose = "\n".join(cell.source for cell in notebooks.read_text(lesson).cells if cell.cell_type == "markdown")
    return {term for bracket in IN_BRACKETS.findall(prose) for term in CHINESE.findall(bracket)}


@pytest.mark.parametrize("lesson", notebooks.lessons(), ids=lambda lesson: lesson.name)
def test_every_chinese_term_of_a_lesson_is_in_the_glossary(lesson: notebooks.Lesson) -> None:
    assert terms(lesson) - {row[1] for row in ROWS} == set()


def test_no_row_stands_twice_and_each_says_its_lesson() -> None:
    assert len(ROWS) > 60
    assert [row for row, often in Counter(row[1] for row in ROWS).items() if often > 1] == []
    assert [row for row, often in Counter(row[0] for row in ROWS).items() if often > 1] == []
    numbers = {lesson.name[:2] for lesson in notebooks.lessons()}
    for _english, chinese, meaning, lessons in ROWS:
        assert CHINESE.fullmatch(chinese), chinese
        assert meaning
        assert set(re.split(r", ", lessons)) <= numbers | {"03", "05", "07"}, lessons
