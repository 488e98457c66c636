"""The minutes of a lesson are counted from what is in it, and the core path from what a lecture shows of it."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import minutes, notebooks
from tools.minutes import Count, core, declaration, whole

WORDS = "word " * 120


def lesson() -> NotebookNode:
    solution = "# solution\nmine = 3\n# stub\n# mine = None\n# end\ncheck('00.x', mine)"
    return new_notebook(
        cells=[
            new_markdown_cell(f"# A title\n\n**Time:** 7 minutes.\n\n{WORDS}"),
            new_code_cell('from a import b\n\npredict("00.x", "How many?")'),
            new_code_cell("lab", metadata={"tags": ["step-0"]}),
            new_markdown_cell(f"## Further: more\n\n{WORDS}"),
            new_code_cell("\n".join("x = 1" for _ in range(15))),
            new_markdown_cell("## Three things to try\n\n1. One.\n2. Two.\n<details>\n\n1. Seen.\n</details>"),
            new_markdown_cell("## Exercises"),
            new_code_cell(solution),
            new_markdown_cell(f"## Sources\n\n{WORDS}"),
        ]
    )


def test_what_is_counted() -> None:
    counted = whole(lesson())
    assert (counted.lines, counted.predictions, counted.labs) == (3 + 15 + 2 - 0, 1, 1)
    assert (counted.tries, counted.exercises) == (2, 1)
    assert 240 < counted.words < 260


def test_the_core_leaves_out_what_a_lecture_does_not_show() -> None:
    counted = core(lesson())
    assert (counted.lines, counted.predictions, counted.labs, counted.tries, counted.exercises) == (3, 1, 1, 0, 0)
    assert 120 < counted.words < 130


def test_minutes_add_up_at_the_rates_and_are_rounded_up() -> None:
    assert Count().minutes == 5
    assert Count(words=320).minutes == 5
    assert Count(words=321).minutes == 10
    assert Count(exercises=2, predictions=2, tries=2, labs=1, lines=10).minutes == 25
    assert declaration(lesson()) == "**Time:** 25 minutes; the core path alone 10."


def test_the_instructors_table_is_what_is_counted() -> None:
    page = minutes.PAGE.read_text(encoding="utf-8")
    read = {each.name: notebooks.read_text(each) for each in notebooks.lessons()}
    assert minutes.with_table(page, minutes.table(read)) == page, "run `make minutes ARGS=--write`"
    assert minutes.with_table(page, "another table") != page


@pytest.mark.parametrize("lesson", notebooks.lessons(), ids=lambda lesson: lesson.name)
def test_a_lesson_declares_what_is_counted(lesson: notebooks.Lesson) -> None:
    read = notebooks.read_text(lesson)
    assert declaration(read) in read.cells[0].source + read.cells[1].source, "run `make minutes ARGS=--write`"
