"""Lessons that a learner saved before the modules moved run unchanged: old paths and names go on working, with a word.

`fixtures/lessons_0_1` holds the code cells of the lessons as they were then.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

OLD_LESSONS = sorted((Path(__file__).parent / "fixtures" / "lessons_0_1").glob("*.ipynb"))
WORDS = {
    "02_contrastive_and_triplet_loss": ["taskembed_edu.plots has moved to taskembed_edu.figures.plots"],
    "04_metric_based_embedding": ["taskembed_edu.mining has moved to taskembed_edu.formulas.mining"],
}


@pytest.mark.parametrize("lesson", OLD_LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_that_was_saved_before_the_move_runs(lesson: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(lesson, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    said = "".join(output["text"] for output in outputs if output.get("name") == "stderr")
    assert [word for word in WORDS.get(lesson.stem, []) if word not in said] == []
    assert said.count("has moved to") == len(WORDS.get(lesson.stem, [])), said


def test_the_old_lessons_are_there() -> None:
    assert [lesson.stem[:2] for lesson in OLD_LESSONS] == ["00", "01", "02", "04", "05"]
