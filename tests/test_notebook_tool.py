"""`make notebooks`: two sides with one source, executed, cleaned, written only where nothing is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import hygiene, notebooks
from tools.notebooks import Lesson

TEXT = """# %% [markdown]
# # Distances (距离)
# A metric (度量) of tasks (任务). 20 minutes.

# %% [markdown]
# ## You will be able to

# %% [markdown]
# ## You need

# %% [markdown]
# ## Predict

# %% [markdown]
# ## Three things to try

# %% [markdown]
# ## Exercises

# %% [markdown]
# ## To remember

# %% [markdown]
# ## Sources

# %%
print(3**0.5)

# %% tags=["nbval-ignore-output"]
# %matplotlib inline
print("first", flush=True)
print("second")

# %%
import ipywidgets

ipywidgets.IntSlider(value=7)
"""


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    """A lesson that has only its text."""
    lesson = Lesson("01_distances", tmp_path)
    lesson.text.parent.mkdir()
    lesson.text.write_text(TEXT, encoding="utf-8")
    return lesson


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Execution is played: every code cell prints a number."""

    def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
        for count, cell in enumerate(hygiene.code_cells(notebook), start=1):
            cell.execution_count, cell.outputs = count, [new_output("stream", name="stdout", text="1.5\n")]
        return notebook

    monkeypatch.setattr(notebooks, "execute", execute)


def edit(path: Path, old: str, new: str, at: float) -> None:
    """Replace words in a file that was then last changed `at` so many seconds after now."""
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + at))


def test_a_lesson_is_executed_cleaned_and_the_same_a_second_time(lesson: Lesson, capsys: pytest.CaptureFixture[str]):
    assert notebooks.make(lesson) == []
    first = lesson.notebook.read_bytes()
    notebook = notebooks.read_notebook(lesson)
    root, printed, slider = hygiene.code_cells(notebook)
    assert root.outputs == [new_output("stream", name="stdout", text="1.7320508075688772\n")]
    assert printed.outputs == [new_output("stream", name="stdout", text="first\nsecond\n")]
    assert printed.source.startswith("%matplotlib inline")
    assert printed.metadata == {"tags": ["nbval-ignore-output"], "slideshow": {"slide_type": "skip"}}
    assert slider.outputs[0].data == {"text/plain": "IntSlider(value=7)"}
    assert notebook.metadata == {"kernelspec": hygiene.KERNEL, "language_info": {"name": "python"}}
    assert notebooks.check(lesson) == []

    assert notebooks.make(lesson) == []
    assert lesson.notebook.read_bytes() == first
    assert [line.rsplit(", ")[-1] for line in capsys.readouterr().out.splitlines()] == ["written", "unchanged"]


@pytest.mark.usefixtures("no_kernel")
def test_the_side_that_was_changed_last_wins(lesson: Lesson, capsys: pytest.CaptureFixture[str]):
    notebooks.make(lesson)
    edit(lesson.text, "3**0.5", "5**0.5", at=60)
    assert notebooks.check(lesson) == [
        "its text and its notebook differ: run `make notebooks`",
    ]
    notebooks.make(lesson)
    assert hygiene.code_cells(notebooks.read_notebook(lesson))[0].source == "print(5**0.5)"

    edit(lesson.notebook, "5**0.5", "7**0.5", at=120)
    capsys.readouterr()
    notebooks.make(lesson)
    assert lesson.text.read_text("utf-8") == TEXT.replace("3**0.5", "7**0.5")
    said, kept = capsys.readouterr().out.split("text kept: ")[0:2]
    assert said.startswith("01_distances: the notebook is newer")
    assert "5**0.5" in Path(kept.split(")")[0]).read_text("utf-8")


@pytest.mark.usefixtures("no_kernel")
def test_a_missing_side_is_made_from_the_other(lesson: Lesson):
    notebooks.make(lesson)
    lesson.text.unlink()
    assert notebooks.check(lesson) == ["01_distances.py is missing: run `make notebooks`"]
    assert notebooks.make(lesson) == []
    assert lesson.text.read_text("utf-8") == TEXT


@pytest.mark.usefixtures("no_kernel")
def test_a_new_cell_renames_no_other(lesson: Lesson):
    notebooks.make(lesson)
    before = [(cell.id, cell.source) for cell in notebooks.read_notebook(lesson).cells]
    edit(lesson.text, "# %%\nprint(3**0.5)", "# %%\nx = 1\n\n# %%\nprint(3**0.5)\n\n# %%\nprint(3**0.5)", at=60)
    notebooks.make(lesson)
    after = [(cell.id, cell.source) for cell in notebooks.read_notebook(lesson).cells]
    assert [cell for cell in after if cell in before] == before
    assert len({name for name, _ in after}) == len(after) == len(before) + 2


@pytest.mark.parametrize(
    "code, said",
    [
        ("import warnings; warnings.warn('overflow')", "code cell 0 wrote to stderr"),
        ("import sys; print('oops', file=sys.stderr)", "code cell 0 wrote to stderr: 'oops'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_lesson_that_warns_or_fails_is_not_written(lesson: Lesson, code: str, said: str):
    edit(lesson.text, "print(3**0.5)", code, at=0)
    assert said in notebooks.make(lesson)[0]
    assert not lesson.notebook.exists()


@pytest.mark.usefixtures("no_kernel")
def test_a_lesson_that_is_too_large_is_not_written_and_a_slow_one_is_reported(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(notebooks, "LONGEST_SECONDS", -1.0)
    assert notebooks.make(lesson) == ["it took 0 s, at most -1 s"]
    assert lesson.notebook.exists()
    lesson.notebook.unlink()
    monkeypatch.setattr(hygiene, "LARGEST_BYTES", 1000)
    assert "at most 1 KB" in notebooks.make(lesson)[0]
    assert not lesson.notebook.exists()


def test_cleaning_drops_what_differs_between_two_runs():
    output = new_output("display_data", {"text/plain": "a"}, metadata={"needs_background": "light"})
    dirty = new_code_cell("a", execution_count=1, outputs=[output], metadata={"tags": ["x"], "execution": {"t": "now"}})
    notebook = new_notebook(
        cells=[dirty], metadata={"widgets": {}, "language_info": {"name": "python", "version": "3"}}
    )
    cell = notebooks.clean(notebook).cells[0]
    assert cell.metadata == {"tags": ["x"]}
    assert cell.outputs == [new_output("display_data", {"text/plain": "a"})]
    assert dirty.metadata["execution"] == {"t": "now"}  # the original stays as it is
    again = notebooks.serialise(notebooks.clean(notebooks.clean(notebook)))
    assert again == notebooks.serialise(notebooks.clean(notebook))
    assert nbformat.reads(again, as_version=4).cells[0].id == cell.id


@pytest.mark.usefixtures("no_kernel")
def test_the_command_names_what_is_wrong_and_fails(lesson: Lesson, capsys: pytest.CaptureFixture[str]):
    here = ["--folder", str(lesson.folder)]
    assert notebooks.main([*here, "--check"]) == 1
    assert "PROBLEM in 01_distances: 01_distances.ipynb is missing" in capsys.readouterr().err
    assert notebooks.main([*here, "01"]) == 0
    assert notebooks.main([*here, "--check"]) == 0
    assert "1 of 1 lessons are well." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        notebooks.main([*here, "07"])
    assert "lesson: got 07, expected the start of one of 01_distances" in capsys.readouterr().err
