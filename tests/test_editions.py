"""Two editions from one source: each stub belongs to its solution, and the learner's gives nothing away."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

import taskembed_edu
from taskembed_edu.commands import notebook_contents
from taskembed_edu.course import editions, exercises
from tools import hygiene, notebooks
from tools.notebooks import Lesson

LESSONS = notebooks.lessons()
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)

CELL = """import math
# solution
mine = math.sqrt(18)
# stub
# mine = None  # put your number in place of None
# end
check("00.opposite_waves", mine)
"""


def cell(source: str, kind: str = "code", **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": source, "outputs": ["seen"], "execution_count": 3, **more}


def exercise_cells(lesson: Lesson) -> list[Any]:
    cells = hygiene.code_cells(notebooks.read_notebook(lesson))
    return [cell for cell in cells if editions.exercises_in(cell.source)]


def test_a_stub_stands_in_place_of_its_solution() -> None:
    assert editions.stub(CELL) == (
        'import math\nmine = None  # put your number in place of None\ncheck("00.opposite_waves", mine)\n'
    )
    assert editions.solution(CELL) == 'import math\nmine = math.sqrt(18)\ncheck("00.opposite_waves", mine)\n'
    assert editions.exercises_in(CELL) == ["00.opposite_waves"]
    assert editions.problems(CELL) == []


def test_a_stub_inside_a_function_keeps_its_indentation() -> None:
    source = (
        "def mine(x):\n    # solution\n    return 2 * x\n    # stub\n    # return None  # yours\n    # end\n\nmine(3)\n"
    )
    assert editions.stub(source) == "def mine(x):\n    return None  # yours\n\nmine(3)\n"
    assert editions.solution(source) == "def mine(x):\n    return 2 * x\n\nmine(3)\n"


def test_two_exercises_in_a_cell() -> None:
    assert editions.stub(CELL + CELL).count("mine = None") == 2
    assert editions.problems(CELL + CELL) == []


@pytest.mark.parametrize(
    "spoilt, said",
    [
        (CELL.replace("# stub\n", ""), "not in order"),
        (CELL.replace("# end\n", ""), "not in order"),
        (CELL.replace("# solution\n", ""), "not in order"),
        ("\n".join(reversed(CELL.splitlines())), "not in order"),
        ('check("00.chance", 1 / 200)', "holds no solution and stub"),
        (CELL.replace("# mine = None", "# mine ="), "its stub is no Python"),
        (CELL.replace("math.sqrt(18)", "math.sqrt(18"), "its solution is no Python"),
    ],
)
def test_marks_that_are_not_right_are_said(spoilt: str, said: str) -> None:
    assert said in " ".join(editions.problems(spoilt))


def test_outputs_and_cells_for_the_lecturer_stay_away_from_the_learner() -> None:
    notebook = {
        "metadata": {"kernelspec": {}},
        "cells": [
            cell(CELL),
            cell("lab", metadata={"tags": ["step-0"]}),
            cell("# A vote", "markdown", metadata={"tags": ["lecturer"]}),
            {"cell_type": "markdown", "metadata": {}, "source": ["# A ", "title"]},
        ],
    }
    before = json.dumps(notebook)
    learners = editions.learner_edition(notebook)
    assert json.dumps(notebook) == before
    first, lab, text = learners["cells"]
    assert (first["outputs"], first["execution_count"]) == ([], None)
    assert "sqrt(18)" not in first["source"]
    assert lab["outputs"] == ["seen"], "the picture of step 0 gives nothing away"
    assert text["source"] == ["# A ", "title"]


# ---- the lessons ---------------------------------------------------------------------------------------------------


@every_lesson
def test_each_exercise_has_a_check_a_stub_and_a_solution(lesson: Lesson) -> None:
    for found in exercise_cells(lesson):
        for name in editions.exercises_in(found.source):
            assert exercises.named(name).name == name
            assert name.startswith(lesson.name[:2])
    if lesson.name[:2] in exercises.lessons():
        asked = [name for found in exercise_cells(lesson) for name in editions.exercises_in(found.source)]
        assert asked == list(exercises.of_lesson(lesson.name[:2])), "all exercises of the lesson, in its order"


@every_lesson
def test_each_solution_is_right_and_each_stub_is_open(lesson: Lesson) -> None:
    for found in exercise_cells(lesson):
        for made, kind in ((editions.solution, "right"), (editions.stub, "open")):
            said = verdicts(made(found.source), labs(lesson))
            assert said, found.source
            # A lab with which nothing was done yet is told so: it is an answer, though not a right one.
            allowed = (
                {kind, "wrong"} if kind == "open" and re.search(r"check\([^()]*\b(lab|pad)\)", found.source) else {kind}
            )
            assert [verdict for _name, verdict in said if verdict not in allowed] == []


def labs(lesson: Lesson) -> dict[str, str]:
    """The cells that show a lesson's labs, after what it imports, by the name that they give to the lab."""
    code = [cell for cell in notebooks.read_notebook(lesson).cells if cell.cell_type == "code"]
    imports = re.findall(r"^from taskembed_edu\.[^(\n]*$", "\n".join(cell.source for cell in code), re.M)
    cells = [cell.source.rstrip() for cell in code if "step-0" in cell.metadata.get("tags", [])]
    return {source.rpartition("\n")[2]: "\n".join((*imports, source)) for source in cells}


def verdicts(source: str, labs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Run an exercise's cell by itself, with the package's names and the labs it uses; what each check found."""
    said: list[tuple[str, str]] = []

    def check(name: str, answer: Any) -> None:
        said.append((name, exercises.named(name).verdict(answer).kind))

    lesson = {name: getattr(taskembed_edu, name) for name in dir(taskembed_edu) if name[0] != "_"}
    lesson |= {"math": math, "torch": torch, "display": lambda *shown: None}
    for name, shows in labs.items():
        if re.search(rf"\b{name}\b", source):
            exec(shows, lesson)
    exec(source.replace("from taskembed_edu.course import check, tally", ""), {**lesson, "check": check, "tally": str})
    return said


@every_lesson
def test_the_learners_edition_shows_no_output_and_no_solution(lesson: Lesson) -> None:
    content, contents = notebook_contents.learners(lesson.notebook)
    learners = json.loads(content)
    assert contents.edition, "it counts as published: a copy that is not changed may be renewed"
    for made in learners["cells"]:
        assert not re.search(r"^\s*# (solution|stub|end)$", editions.text_of(made), re.M)
        if made["cell_type"] == "code" and "step-0" not in made["metadata"].get("tags", []):
            assert made["outputs"] == []
    assert len(learners["cells"]) > 5


@every_lesson
def test_no_explanation_stands_open_below_a_prediction(lesson: Lesson) -> None:
    cells = json.loads(notebook_contents.learners(lesson.notebook)[0])["cells"]
    after = [editions.text_of(cell) for before, cell in pairwise(cells) if "outcome(" in editions.text_of(before)]
    folded = [text for text in after if text.startswith("<details><summary><b>Explain.</b>")]
    assert folded, "no prediction is explained"
    assert not [text for text in after if text.startswith("**Explain.**")]
    for text in folded:
        assert text.count("<details>") == text.count("</details>") == 1
        assert not re.search(r"^#", text.partition("</details>")[0], re.M), "a heading is folded away"


def test_a_learners_edition_is_the_same_every_time(tmp_path: Path) -> None:
    lesson = LESSONS[0]
    assert notebook_contents.learners(lesson.notebook) == notebook_contents.learners(lesson.notebook)
    (tmp_path / lesson.notebook.name).write_bytes(notebook_contents.learners(lesson.notebook)[0])
    assert notebook_contents.copied(tmp_path / lesson.notebook.name) == notebook_contents.learners(lesson.notebook)[1]
