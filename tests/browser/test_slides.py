"""A lesson as a deck of slides in a real JupyterLab: by the keyboard from slide to slide, with a lab that trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.lab_on_page import LabOnPage
from tests.browser.notebook_page import NotebookPage
from tools import notebooks, slides

LESSON = notebooks.lessons(prefixes=["03"])[0]
CELLS = notebooks.read_notebook(LESSON).cells
TYPES = list(slides.slide_types(notebooks.read_notebook(LESSON)))

# The numbers of the cells that the deck shows now.
SHOWN = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].flatMap((cell, number) => {
    const { width, height } = cell.getBoundingClientRect();
    return width > 0 && height > 0 ? [number] : [];
})"""
# What a key may change: the cells that are shown, the one that is active, and how far the page is scrolled.
STATE = f"""() => JSON.stringify([...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(cell =>
    [cell.classList.contains('jp-mod-active'), cell.getBoundingClientRect().top]).concat([({SHOWN})()]))"""
# Whether the deck's state is another than `before`, and stands still.
MOVED = f"""before => {{
    const now = ({STATE})();
    const stands = now === window.stateBefore;
    window.stateBefore = now;
    return stands && now !== before;
}}"""


@pytest.fixture
def deck(open_notebook: Any) -> Iterator[NotebookPage]:
    page: NotebookPage = open_notebook(LESSON.notebook, run=False)
    page.locator(".jp-Toolbar-item[data-jp-item-name=deck]").get_by_role("button").click()
    page.wait_for_function(f"({SHOWN})().join() === '0'")
    yield page
    page.evaluate("jupyterapp.commands.execute('deck:stop')")
    page.wait_for_function(f"({SHOWN})().length > 1")


def slides_of(types: list[str]) -> list[list[int]]:
    """The cells of each slide, in order."""
    found: list[list[int]] = []
    for number, kind in enumerate(types):
        if kind in (slides.SLIDE, slides.BELOW):
            found.append([number])
        elif not kind:
            found[-1].append(number)
    return found


def walk(deck: NotebookPage, slide: list[int]) -> list[list[int]]:
    """Press the space bar until this slide is there; the slides on the way. A long slide is scrolled first."""
    seen = [deck.evaluate(SHOWN)]
    for _ in range(150):
        if seen[-1] == slide:
            return seen
        before = deck.evaluate(STATE)
        deck.keyboard.press("Space")
        deck.wait_for_function(MOVED, arg=before)  # it scrolled, went to the next cell, down, or on
        now = deck.evaluate(SHOWN)
        seen += [now] if now != seen[-1] else []
    raise AssertionError(f"not reached: {slide}; seen: {seen}")


def test_the_space_bar_walks_over_the_core_path_and_nothing_else(deck: NotebookPage) -> None:
    expected = slides_of(TYPES)
    assert walk(deck, expected[-1]) == expected
    headings = [CELLS[slide[0]].source.splitlines()[0] for slide in expected]
    assert headings[-1] == "## What to remember"
    assert not [heading for heading in headings if heading.startswith(("## Further", "## Exercises", "## Sources"))]


def test_a_lab_trains_on_its_slide(deck: NotebookPage) -> None:
    with_lab = next(slide for slide in slides_of(TYPES) if "step-0" in CELLS[slide[0]].metadata.get("tags", []))
    for number in range(with_lab[0]):
        if CELLS[number].cell_type == "code":
            deck.run_cell(number)
    walk(deck, with_lab)
    deck.keyboard.press("Shift+Enter")  # runs the lab's cell
    lab = LabOnPage(deck)
    expect(lab.button("Play")).to_be_visible()
    lab.play(until=20)
    lab.pause()
    lab.check_picture()
