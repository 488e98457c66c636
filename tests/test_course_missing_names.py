"""A cell that was run before the cells above it says what is missing; any other error stays as it is."""

from __future__ import annotations

import re

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from taskembed_edu.course import missing_names
from tools.notebooks import _path

CELLS = [
    "import os, sys\nsys.path.insert(0, os.environ['PYTHONPATH'].split(os.pathsep)[0])\nimport taskembed_edu.course",
    "lab.session.step(3)",
    "def mine():\n    return nowhere\nmine()",
    "import json\njson.loads('{')",
    "exec('elsewhere', {'__name__': 'some_package'})",
    "print(1 / 0)",
]


@pytest.fixture(scope="module")
def said() -> list[str]:
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=60).execute(env={"PYTHONPATH": _path()})
    errors = [cell.outputs[0] if cell.outputs else None for cell in notebook.cells]
    return ["" if error is None else re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback)) for error in errors]


def test_a_missing_name_says_which_and_what_to_do(said: list[str]) -> None:
    assert said[0] == ""
    assert "NameError: name 'lab' is not defined" in said[1]
    assert said[1].endswith(missing_names.WHAT_TO_DO.format(name="lab"))
    assert "'nowhere' is not there yet" in said[2]


@pytest.mark.parametrize("cell, error", [(3, "JSONDecodeError"), (4, "NameError"), (5, "ZeroDivisionError")])
def test_other_errors_stay_as_they_are(said: list[str], cell: int, error: str) -> None:
    assert error in said[cell]
    assert "is not there yet" not in said[cell]


def test_outside_a_notebook_nothing_is_installed() -> None:
    assert missing_names.install() is False


OTHERS = [
    CELLS[0].rpartition("\n")[0],
    "def other(shell, kind, error, trace, tb_offset=None):\n    print('Explained:', error)",
    "get_ipython().set_custom_exc((ValueError,), other)",
    "import taskembed_edu.course",
    "raise ValueError('mine')",
]


def test_who_explains_errors_already_goes_on() -> None:
    notebook = new_notebook(cells=[new_code_cell(source) for source in OTHERS])
    NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=60).execute(env={"PYTHONPATH": _path()})
    assert "Explained: mine" in "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
