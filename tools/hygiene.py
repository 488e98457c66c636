"""What a committed lesson must be, so that nbval compares something and a reader sees something.

Each rule takes a notebook and gives back the sentences of what is wrong with it: an empty list is a clean bill.

    problems(notebook)  # all rules

A stripped notebook passes nbval with nothing compared; an ignored cell is compared with nothing; a widget's saved state
is megabytes that show "model not found". None of these is seen by running the notebook, so they are looked for here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode

from taskembed_edu.course import editions

Problems = list[str]

LARGEST_BYTES = 400_000
CODE_CELLS = 14
IGNORED_CELLS = 2  # a lesson may keep this many cells from comparison, no more
CHINESE_TERMS = 3

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

# What makes nbval compare nothing, or expect a failure: as a tag, and as a comment in the cell.
IGNORING_TAGS = {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception", "raises-exception", "skip-execution"}
IGNORING_COMMENT = re.compile(r"^\s*#+\s*(NBVAL_IGNORE_OUTPUT|NBVAL_SKIP|NBVAL_RAISES_EXCEPTION|PYTEST_VALIDATE)", re.M)

# The repr of a figure holds its size in pixels: digits that no lesson is about.
FIGURE = re.compile(r"<\w+ size [^>]*>|<IPython[^>]*>|<[\w.]+ at 0x[0-9a-f]+>")
NUMBER = re.compile(r"\d")
PROGRESS = re.compile(r"step \d+ of \d+, about|\d+ steps in \d+ s")
CHINESE = re.compile(r"[\u4e00-\u9fff]{2,}")

# The form of a lesson (CONTRIBUTING.md): what some heading must say, in this order.
HEADINGS = {
    "what the learner will be able to do": r"able to",
    "what is needed first": r"you need|before you start|need first",
    "the prediction to make": r"predict",
    "three things to try": r"things to try",
    "the exercises": r"exercise",
    "what to remember": r"remember",
    "the sources": r"sources",
}


def problems(notebook: NotebookNode) -> Problems:
    """Everything that is wrong with the notebook, by all rules."""
    return [problem for rule in RULES for problem in rule(notebook)]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The notebook's code cells, in order; nbval counts them the same way, from 0."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_ignored(cell: NotebookNode) -> bool:
    """Whether nbval compares nothing of this cell, or expects it to fail."""
    return bool(IGNORING_TAGS & set(cell.metadata.get("tags", [])) or IGNORING_COMMENT.search(cell.source))


def compared_texts(cell: NotebookNode) -> list[str]:
    """The texts among the cell's outputs that nbval compares, without the reprs of figures."""
    if is_ignored(cell):
        return []
    texts = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return [FIGURE.sub("", text) for text in texts]


def compared_number(cell: NotebookNode) -> bool:
    """Whether some digit of the cell's output is compared."""
    return any(NUMBER.search(text) for text in compared_texts(cell))


# -- the rules ------------------------------------------------------------------------------------------------------


def ran_in_order(notebook: NotebookNode) -> Problems:
    """Every code cell was executed, once, from top to bottom, in a fresh kernel."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    expected = list(range(1, len(counts) + 1))
    if counts == expected:
        return [] if counts else ["it has no code cell"]
    return [f"its cells did not run once each, in order: execution counts {counts}, expected 1 to {len(counts)}"]


def has_stubs(notebook: NotebookNode) -> Problems:
    """Each exercise has a solution and a stub between marks, both of them Python."""
    return [
        f"code cell {index}: {problem}"
        for index, cell in enumerate(code_cells(notebook))
        for problem in editions.problems(cell.source)
    ]


def compares_a_number(notebook: NotebookNode) -> Problems:
    """At least one number that a cell printed is compared (a stripped notebook has none)."""
    return [] if any(map(compared_number, code_cells(notebook))) else ["no printed number is compared: is it stripped?"]


def ignores_little(notebook: NotebookNode) -> Problems:
    """At most IGNORED_CELLS cells are kept from comparison."""
    ignored = [index for index, cell in enumerate(code_cells(notebook)) if is_ignored(cell)]
    too_many = len(ignored) > IGNORED_CELLS
    return [f"{len(ignored)} cells are not compared ({ignored}), at most {IGNORED_CELLS} may be"] if too_many else []


def is_quiet(notebook: NotebookNode) -> Problems:
    """No cell wrote to stderr (warnings are errors), none failed unless it says so."""
    found: Problems = []
    for index, cell in enumerate(code_cells(notebook)):
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"code cell {index} wrote to stderr: {output.text.strip()[:200]!r}")
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                found.append(f"code cell {index} raised {output.ename}: {output.evalue[:200]}")
    return found


def keeps_no_widget(notebook: NotebookNode) -> Problems:
    """No widget state and no widget view: without a kernel both show an error."""
    found = ["widget state is saved in its metadata"] if "widgets" in notebook.metadata else []
    for index, cell in enumerate(code_cells(notebook)):
        if any(WIDGET_VIEW in output.get("data", {}) for output in cell.outputs):
            found.append(f"code cell {index} keeps a widget's view")
    return found


def keeps_no_progress(notebook: NotebookNode) -> Problems:
    """No line of progress: it depends on the clock, so a faster machine would not show it and nbval would miss it."""
    return [
        f"code cell {index} keeps a line of progress: run `make notebooks`"
        for index, cell in enumerate(code_cells(notebook))
        if any(PROGRESS.match(output.get("data", {}).get("text/plain", "")) for output in cell.outputs)
    ]


def is_small(notebook: NotebookNode) -> Problems:
    """At most LARGEST_BYTES as a file."""
    size = len(nbformat.writes(notebook).encode())
    return [f"it is {size / 1000:.0f} KB, at most {LARGEST_BYTES / 1000:.0f} KB"] if size > LARGEST_BYTES else []


def is_short(notebook: NotebookNode) -> Problems:
    """At most CODE_CELLS code cells: one idea a lesson."""
    count = len(code_cells(notebook))
    return [f"it has {count} code cells, at most {CODE_CELLS}"] if count > CODE_CELLS else []


def names_its_kernel(notebook: NotebookNode) -> Problems:
    """The metadata names the kernel (JupyterLab asks the learner otherwise) and nothing of the author's machine."""
    named = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    found = {name: value for name, value in notebook.metadata.items() if name != "widgets"}
    return [] if found == named else [f"its metadata is {found}, expected {named}"]


def has_the_form(notebook: NotebookNode) -> Problems:
    """A title first, a time, and the parts of a lesson in their order."""
    markdown = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    found = [] if markdown and markdown[0].startswith("# ") else ["it does not open with a title"]
    if not (markdown and re.search(r"\bminutes\b", "\n".join(markdown[:3]))):
        found.append("its opening does not say how many minutes it takes")
    lines = [line for line in _parts(notebook) if line.startswith(("#", "**", "predict("))]
    place = 0
    for part, pattern in HEADINGS.items():
        at = next((i for i, line in enumerate(lines[place:], place) if re.search(pattern, line, re.I)), None)
        if at is None:
            found.append(f"no heading (or one out of order) for {part}: nothing matches {pattern!r}")
        else:
            place = at
    return found


def speaks_chinese(notebook: NotebookNode) -> Problems:
    """Key terms carry their Chinese original."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    terms = set(CHINESE.findall(prose))
    too_few = len(terms) < CHINESE_TERMS
    return [f"{len(terms)} Chinese terms, at least {CHINESE_TERMS} are expected"] if too_few else []


def _parts(notebook: NotebookNode) -> Iterator[str]:
    """The lines that may open a part of a lesson: those of the text, and the predictions that cells ask for."""
    for cell in notebook.cells:
        lines = cell.source.splitlines()
        yield from lines if cell.cell_type == "markdown" else (line for line in lines if line.startswith("predict("))


def answers_its_predictions(notebook: NotebookNode) -> Problems:
    """Each prediction has its outcome, in a later cell; no outcome is without a prediction."""
    asked, found = list[str](), Problems()
    for index, cell in enumerate(code_cells(notebook)):
        for name in re.findall(r"\boutcome\(\s*[\"']([^\"']+)", cell.source):
            if name not in asked:
                found.append(f"code cell {index}: the outcome of {name} comes without, or before, its prediction")
            else:
                asked.remove(name)
        asked += re.findall(r"^predict\(\s*[\"']([^\"']+)", cell.source, re.M)
    return found + [f"the prediction {name} has no outcome" for name in asked]


RULES = (
    ran_in_order,
    has_stubs,
    compares_a_number,
    ignores_little,
    is_quiet,
    keeps_no_widget,
    keeps_no_progress,
    is_small,
    is_short,
    names_its_kernel,
    has_the_form,
    answers_its_predictions,
    speaks_chinese,
)
