"""The lessons are committed executed, in order, with numbers that are compared; and so are the rules and the tool."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import hygiene, notebooks
from tools.notebooks import ROOT, Lesson

LESSONS = notebooks.lessons()
FIRST_LESSONS = {"00_start_here", "01_distances", "02_contrastive_and_triplet_loss"}

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


# -- the committed lessons ------------------------------------------------------------------------------------------


def test_the_first_lessons_are_there():
    assert {lesson.name for lesson in LESSONS} >= FIRST_LESSONS


@every_lesson
def test_a_lesson_is_clean_and_agrees_with_its_text(lesson: Lesson):
    assert notebooks.check(lesson) == []


@every_lesson
def test_a_lesson_with_a_changed_number_fails(lesson: Lesson, tmp_path: Path):
    notebook, changed = with_a_changed_number(notebooks.read_notebook(lesson))
    assert failed_cells(notebook, tmp_path) == {f"Cell {changed}"}


def with_a_changed_number(notebook: NotebookNode) -> tuple[NotebookNode, int]:
    """The notebook up to its first compared number, one digit of which is changed, and that code cell's number."""
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "code" and change_a_digit(cell):
            notebook.cells = cells
            return notebook, len(hygiene.code_cells(notebook)) - 1
    raise AssertionError("no printed number is compared")


def change_a_digit(cell: NotebookNode) -> bool:
    """Change the first digit that is compared; whether there was one."""
    for output in [] if hygiene.is_ignored(cell) else cell.outputs:
        place, name = (output, "text") if "text" in output else (output.get("data", {}), "text/plain")
        text = place.get(name, "")
        digit = hygiene.NUMBER.search(hygiene.FIGURE.sub(lambda figure: " " * len(figure[0]), text))
        if digit:
            place[name] = text[: digit.start()] + str((int(digit[0]) + 1) % 10) + text[digit.end() :]
            return True
    return False


def failed_cells(notebook: NotebookNode, folder: Path) -> set[str]:
    """Run nbval on the notebook in `folder`, under the lessons' own conftest; the names of the cells that failed."""
    (folder / "conftest.py").write_bytes((notebooks.NOTEBOOKS / "conftest.py").read_bytes())
    nbformat.write(notebook, folder / "copy.ipynb")
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "copy.ipynb", "--nbval", "--nbval-current-env"]
    options = [
        "-c",
        str(ROOT / "pyproject.toml"),
        f"--rootdir={folder}",
        f"--junitxml={report}",
        "-p",
        "no:cacheprovider",
    ]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment = {**notebooks.PATIENT_THREADS, **inherited}
    run = subprocess.run(
        [*command, *options], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    cases = list(ElementTree.parse(report).iter("testcase"))
    assert len(cases) == len(hygiene.code_cells(notebook))
    return {case.attrib["name"] for case in cases if case.find("failure") is not None or case.find("error") is not None}


# -- what nbval compares --------------------------------------------------------------------------------------------

LAB = """
import ipywidgets
from matplotlib.figure import Figure

class Lab(ipywidgets.HBox):
    loss = LOSS

    def __repr__(self):
        return f"Lab(loss {self.loss})"

    def _repr_mimebundle_(self, **kwargs):
        return {**super()._repr_mimebundle_(**kwargs), "image/png": b"a picture"}

lab = Lab()
lab
"""


PICTURES = """
import random
from IPython.display import display

for mime in ("application/vnd.plotly.v1+json", "image/svg+xml", "image/png"):
    display({mime: str(random.random())}, raw=True)
"""


def test_nbval_compares_a_lab_s_words_and_not_its_view(tmp_path: Path):
    notebook = new_notebook(cells=[new_code_cell(LAB.replace("LOSS", "1.25")), new_code_cell(PICTURES)])
    kept = notebooks.clean(notebooks.execute(notebook, tmp_path))
    assert kept.cells[0].outputs[0].data == {"text/plain": "Lab(loss 1.25)"}
    step_0 = new_notebook(cells=[new_code_cell(LAB.replace("LOSS", "1.25"), metadata={"tags": ["step-0"]})])
    kept_too = notebooks.clean(notebooks.execute(step_0, tmp_path)).cells[0].outputs[0].data
    assert kept_too.keys() == {"text/plain", "image/png"}, "a lab's first picture shows without a kernel"
    changed = kept.cells[0].source.replace("1.25", "1.26")
    kept.cells.append(new_code_cell(changed, execution_count=3, outputs=kept.cells[0].outputs))
    assert failed_cells(kept, tmp_path) == {"Cell 2"}


# -- the rules ------------------------------------------------------------------------------------------------------


def good_notebook() -> NotebookNode:
    """A lesson with nothing wrong."""
    opening = "# Distances (距离)\nA metric (度量) of tasks (任务).\n\n**Time**: 20 minutes"
    parts = ["You will be able to", "You need", "Predict", "Three things to try", "Exercises", "To remember", "Sources"]
    prose = [new_markdown_cell(text, id=f"m{i}") for i, text in enumerate([opening, *(f"## {part}" for part in parts)])]
    code = [
        new_code_cell("1.5", id="c1", execution_count=1, outputs=[new_output("execute_result", {"text/plain": "1.5"})]),
        new_code_cell(
            "print(2)", id="c2", execution_count=2, outputs=[new_output("stream", name="stdout", text="2\n")]
        ),
    ]
    metadata = {"kernelspec": dict(hygiene.KERNEL), "language_info": {"name": "python"}}
    return new_notebook(cells=[*prose, *code], metadata=metadata)


def stripped(notebook: NotebookNode) -> None:
    for cell in hygiene.code_cells(notebook):
        cell.outputs = []


def only_a_figure(notebook: NotebookNode) -> None:
    stripped(notebook)
    figure = {"text/plain": "<Still size 640x480 with 1 Axes>"}
    notebook.cells[-1].outputs = [new_output("display_data", figure)]


def never_run(notebook: NotebookNode) -> None:
    notebook.cells[-1].execution_count = None


def run_out_of_order(notebook: NotebookNode) -> None:
    notebook.cells[-1].execution_count, notebook.cells[-2].execution_count = 1, 2


def run_twice(notebook: NotebookNode) -> None:
    notebook.cells[-1].execution_count = 3


def without_code(notebook: NotebookNode) -> None:
    notebook.cells = notebook.cells[:-2]


def numbers_in_ignored_cells_only(notebook: NotebookNode) -> None:
    notebook.cells[-1].metadata.tags = ["nbval-ignore-output"]
    notebook.cells[-2].source = "# NBVAL_IGNORE_OUTPUT\n1.5"


def mostly_ignored(notebook: NotebookNode) -> None:
    for number, tag in enumerate(["raises-exception", "nbval-skip", "nbval-ignore-output"], start=3):
        metadata = {"tags": [tag]}
        notebook.cells.append(new_code_cell("pass", id=tag, execution_count=number, metadata=metadata))


def warned(notebook: NotebookNode) -> None:
    notebook.cells[-1].outputs.append(new_output("stream", name="stderr", text="UserWarning: overflow"))


def failed(notebook: NotebookNode) -> None:
    notebook.cells[-1].outputs.append(new_output("error", ename="ValueError", evalue="margin", traceback=[]))


def with_a_widget_view(notebook: NotebookNode) -> None:
    notebook.cells[-2].outputs[0].data[hygiene.WIDGET_VIEW] = {"model_id": "1"}


def with_widget_state(notebook: NotebookNode) -> None:
    notebook.metadata.widgets = {}


def with_a_line_of_progress(notebook: NotebookNode) -> None:
    notebook.cells[-1].outputs.append(new_output("display_data", {"text/plain": "500 steps in 2 s"}))


def too_large(notebook: NotebookNode) -> None:
    notebook.cells[-1].outputs[0].text = "2" * hygiene.LARGEST_BYTES


def too_long(notebook: NotebookNode) -> None:
    notebook.cells += [new_code_cell("2", id=f"l{k}", execution_count=3 + k) for k in range(hygiene.CODE_CELLS - 1)]


def without_a_kernel(notebook: NotebookNode) -> None:
    del notebook.metadata["kernelspec"]


def without_a_title(notebook: NotebookNode) -> None:
    notebook.cells[0].source = notebook.cells[0].source.replace("# Distances", "Distances")


def without_a_time(notebook: NotebookNode) -> None:
    notebook.cells[0].source = notebook.cells[0].source.replace("20 minutes", "soon")


def without_sources(notebook: NotebookNode) -> None:
    del notebook.cells[7]


def parts_out_of_order(notebook: NotebookNode) -> None:
    notebook.cells[3:5] = reversed(notebook.cells[3:5])


def in_english_only(notebook: NotebookNode) -> None:
    notebook.cells[0].source = notebook.cells[0].source.replace("距离", "distance").replace("度量", "metric")


SPOILT = [
    (stripped, "no printed number is compared"),
    (only_a_figure, "no printed number is compared"),
    (numbers_in_ignored_cells_only, "no printed number is compared"),
    (never_run, "did not run once each, in order"),
    (run_out_of_order, "did not run once each, in order"),
    (run_twice, "did not run once each, in order"),
    (mostly_ignored, "3 cells are not compared"),
    (warned, "code cell 1 wrote to stderr: 'UserWarning: overflow'"),
    (failed, "code cell 1 raised ValueError: margin"),
    (with_a_widget_view, "code cell 0 keeps a widget's view"),
    (with_widget_state, "widget state"),
    (with_a_line_of_progress, "code cell 1 keeps a line of progress"),
    (too_large, "at most 400 KB"),
    (too_long, "it has 15 code cells, at most 14"),
    (without_a_kernel, "its metadata is"),
    (without_a_title, "does not open with a title"),
    (without_a_time, "how many minutes"),
    (without_sources, "for the sources"),
    (parts_out_of_order, "for three things to try"),
    (in_english_only, "1 Chinese terms"),
]


def test_a_good_notebook_has_no_problems():
    assert hygiene.problems(good_notebook()) == []


@pytest.mark.parametrize("spoil, said", SPOILT, ids=[spoil.__name__ for spoil, _ in SPOILT])
def test_every_rule_finds_its_fault_and_no_other(spoil: Callable[[NotebookNode], None], said: str):
    notebook = good_notebook()
    spoil(notebook)
    assert [said in problem for problem in hygiene.problems(notebook)] == [True]


def test_a_notebook_without_code_compares_nothing():
    notebook = good_notebook()
    without_code(notebook)
    assert hygiene.problems(notebook) == ["it has no code cell", "no printed number is compared: is it stripped?"]
