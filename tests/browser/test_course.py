"""A prediction, its outcome and an exercise, in a real JupyterLab: by mouse, by keyboard, and for everyone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from taskembed_edu.commands.notebook_contents import learners
from tests.browser.notebook_page import NotebookPage
from tools import notebooks

IMPORTS = """import os, tempfile
os.environ["TASKEMBED_COURSE_RECORD"] = tempfile.mkdtemp() + "/record.jsonl"
from taskembed_edu.course import check, expected, hint, outcome, predict, tally"""
CHOICE = 'asked = predict("00.first", "Which score is near 0?", ["recall@1", "Spearman", "both"])\nasked'
NUMBER = 'predict("02.loss", "How large is the loss?", unit="nats")'


@pytest.fixture
def page(open_notebook: Any) -> NotebookPage:
    opened: NotebookPage = open_notebook([IMPORTS, CHOICE, NUMBER])
    opened.reveal(question(opened))
    return opened


def question(page: NotebookPage, name: str = "00.first") -> Locator:
    located: Locator = page.locator(f".te-question[data-name='{name}']")
    return located


def said(page: NotebookPage, name: str = "00.first") -> Locator:
    return question(page, name).get_by_role("status")


def shown(page: NotebookPage, source: str) -> Locator:
    """What a new cell shows."""
    index = page.add_cell(source)
    return page.reveal(page.cell(index).locator(".jp-OutputArea-output").last)


def test_one_click_is_a_prediction_and_stands_beside_the_result(page: NotebookPage) -> None:
    group = page.get_by_role("group", name="Predict: Which score is near 0?")
    expect(said(page)).to_have_text("Choose before you run the next cell.")
    group.get_by_role("radio", name="both").click()
    expect(said(page)).to_have_text("Your prediction: both. It is kept; run the next cell.")
    group.get_by_text("Spearman").click()
    expect(question(page)).to_have_attribute("data-guess", "Spearman")
    result = shown(page, 'outcome("00.first", "recall@1", "It tells no task from its neighbours.")')
    expect(result).to_contain_text("A surprise: remember this one.")
    expect(result).to_contain_text("You predicted: Spearman. What happened: recall@1.")

    page.reveal(question(page))
    expect(question(page)).to_have_attribute("data-closed", "true")
    group.get_by_role("radio", name="recall@1").click()
    expect(said(page)).to_have_text("The result has been shown, so your prediction stays as it was: Spearman.")
    expect(group.get_by_role("radio", name="Spearman")).to_be_checked()
    expect(shown(page, 'tally("00")')).to_contain_text("Surprises: 1.")


def test_a_prediction_by_keyboard_alone(page: NotebookPage) -> None:
    question(page).get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    expect(question(page)).to_have_attribute("data-guess", "recall@1")
    page.keyboard.press("ArrowDown")
    expect(question(page)).to_have_attribute("data-guess", "Spearman")
    assert page.run("asked.guess").strip() == "'Spearman'"


def test_a_number_is_kept_with_enter_and_nonsense_is_answered(page: NotebookPage) -> None:
    page.reveal(question(page, "02.loss"))
    field = question(page, "02.loss").get_by_role("spinbutton", name="Your number")
    field.fill("1.7")
    field.press("Enter")
    expect(said(page, "02.loss")).to_have_text("Your prediction: 1.7 nats. It is kept; run the next cell.")
    field.fill("")
    question(page, "02.loss").get_by_role("button", name="Keep").click()
    expect(said(page, "02.loss")).to_contain_text("guess: got ''")
    expect(shown(page, 'outcome("02.loss", 3**0.5)')).to_contain_text("As you predicted.")


def test_an_exercise_says_what_is_wrong_and_folds_its_hints(page: NotebookPage) -> None:
    answer = shown(page, 'check("00.opposite_waves", 18)')
    expect(answer).to_contain_text("This is the squared distance: take its square root.")
    expect(answer.get_by_text("The points are (3, 0)")).to_have_count(2)
    for name in ("Hint 1", "Hint 2", "Hint 3"):
        expect(answer.get_by_text("The wave A sin")).to_be_visible(visible=name != "Hint 1")
        answer.locator("summary", has_text=name).click()
    expect(answer.get_by_text("How far apart are they?")).to_be_visible()
    expect(answer.get_by_text("about 4.243")).to_be_hidden()
    expect(shown(page, 'check("00.opposite_waves", 18**0.5)')).to_contain_text("Right.")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_grave_for_anyone(page: NotebookPage, theme: str) -> None:
    page.change_theme(theme)
    for source in ('check("00.chance", 3)', 'outcome("00.first", "both")', 'expected(("recall@1", 0.75, 0.6, 0.86))'):
        shown(page, source)
    page.reveal(question(page))
    results = Axe().run(page.page, context=".jp-OutputArea-output")
    assert results.response["passes"]
    grave = [rule for rule in results.response["violations"] if rule["impact"] in ("serious", "critical")]
    assert [f"{rule['id']}: {[node['html'][:160] for node in rule['nodes']]}" for rule in grave] == []


def test_without_a_kernel_a_click_says_that_nothing_is_kept(page: NotebookPage) -> None:
    page.tolerate("Could not restore the debugger state")  # JupyterLab's own, of the kernel that is gone
    page.end_kernel()
    question(page).get_by_role("radio", name="both").click()
    refused = "There is no kernel, so this is not kept. Run the cell again."
    expect(said(page)).to_have_text(refused, timeout=60_000)  # JupyterLab itself asks after it now and then
    expect(question(page).get_by_role("radio", name="both")).not_to_be_checked()


def test_a_learners_lesson_asks_and_answers(open_notebook: Any, tmp_path: Path) -> None:
    """The learner's edition of lesson 01, from the top: a guess, the run, a stub that is open, then an answer."""
    content, _contents = learners(notebooks.lessons(prefixes=["01"])[0].notebook)
    cells = [cell for cell in json.loads(content)["cells"] if cell["cell_type"] == "code"]
    page: NotebookPage = open_notebook([cells[0]["source"]], run=True)
    question(page, "01.root").get_by_role("radio", name="3", exact=True).click()
    page.run("None")
    expect(shown(page, cells[1]["source"])).to_contain_text("You predicted: 3. What happened: √3.")
    exercise = next(cell["source"] for cell in cells if "01.manhattan" in cell["source"])
    expect(shown(page, exercise)).to_contain_text("Your turn.")
    expect(shown(page, exercise.replace("None", "27"))).to_contain_text("You squared the differences.")
