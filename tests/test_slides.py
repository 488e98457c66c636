"""A lesson's deck of slides is derived: a heading begins a slide, and what a lecture does not show is skipped."""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import notebooks
from tools.slides import in_sections, slide_types


def lesson() -> NotebookNode:
    return new_notebook(
        cells=[
            new_markdown_cell("# A title\n\n## What you will be able to do\n\n- this"),
            new_markdown_cell("## One\n\nText."),
            new_code_cell('predict("00.x", "?", ["a", "b"])'),
            new_code_cell("outcome()"),
            new_markdown_cell("**Explain.** So it is.\n\n### A smaller heading\n\n## The lab"),
            new_code_cell("lab", metadata={"tags": ["step-0"]}),
            new_code_cell("lab.step()"),
            new_markdown_cell("## Further: more"),
            new_code_cell('predict("00.y", "?", ["a", "b"])'),
            new_code_cell("outcome()"),
            new_markdown_cell("## Three things to try\n\n1. One.\n\n## Exercises\n\n**1.** How many?"),
            new_code_cell("check()"),
            new_markdown_cell("## What to remember\n\n- All of it.\n\n## Sources"),
        ]
    )


def test_each_section_opens_a_cell_of_its_own() -> None:
    made = in_sections(lesson())
    texts = [cell.source for cell in made.cells if cell.cell_type == "markdown"]
    assert [text.partition("\n")[0] for text in texts] == [
        "# A title",
        "## What you will be able to do",
        "## One",
        "**Explain.** So it is.",
        "## The lab",
        "## Further: more",
        "## Three things to try",
        "## Exercises",
        "## What to remember",
        "## Sources",
    ]
    assert in_sections(made) == made, "once is enough"


def test_what_is_where_on_the_deck() -> None:
    found = zip(in_sections(lesson()).cells, slide_types(in_sections(lesson())), strict=True)
    assert [(cell.source.partition("\n")[0][:20], kind) for cell, kind in found] == [
        ("# A title", "slide"),
        ("## What you will be ", "slide"),
        ("## One", "slide"),
        ('predict("00.x", "?",', ""),
        ("outcome()", "subslide"),
        ("**Explain.** So it i", ""),
        ("## The lab", "slide"),
        ("lab", "subslide"),
        ("lab.step()", ""),
        ("## Further: more", "skip"),
        ('predict("00.y", "?",', "skip"),
        ("outcome()", "skip"),
        ("## Three things to t", "skip"),
        ("## Exercises", "skip"),
        ("check()", "skip"),
        ("## What to remember", "slide"),
        ("## Sources", "skip"),
    ]


def test_the_marks_come_with_the_cleaning_whatever_an_author_wrote() -> None:
    marked = in_sections(lesson())
    marked.cells[0].metadata.slideshow = {"slide_type": "notes"}
    marked.cells[3].metadata.slideshow = {"slide_type": "slide"}
    cleaned = notebooks.clean(marked).cells
    assert cleaned[0].metadata == {"slideshow": {"slide_type": "slide"}}
    assert cleaned[3].metadata == {}
