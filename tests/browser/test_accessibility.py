"""The lab for everyone: nothing that axe-core calls serious, every control and every point by keyboard, no motion."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.lab_on_page import CELL, LabOnPage
from tests.browser.notebook_page import NotebookPage

FEW_TASKS = CELL.replace("n_tasks=60", "n_tasks=16")
GRAVE = {"serious", "critical"}


@pytest.fixture
def lab(open_notebook: Any) -> LabOnPage:
    page: NotebookPage = open_notebook([FEW_TASKS])
    lab = LabOnPage(page)
    page.reveal(lab.root)
    return lab


def check_nothing_grave(lab: LabOnPage, when: str) -> None:
    """axe-core on the panel, as it looks now; the rest of the page is JupyterLab's."""
    lab.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    results = Axe().run(lab.page.page, context=".te-panel")
    assert results.response["passes"], "axe-core found the panel and looked at it"
    grave = [rule for rule in results.response["violations"] if rule["impact"] in GRAVE]
    told = [f"{rule['id']}: {rule['help']}: {[node['html'][:200] for node in rule['nodes']]}" for rule in grave]
    assert not told, f"{when}: " + "\n".join(told)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_grave_in_the_panel_whatever_it_shows(lab: LabOnPage, theme: str) -> None:
    lab.page.change_theme(theme)
    check_nothing_grave(lab, "at the start")
    lab.play(until=50)
    check_nothing_grave(lab, "while it plays")
    lab.pause()

    lab.root.locator("summary").click()
    lab.map().locator(".te-map-canvas").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("Enter")
    expect(lab.map()).not_to_have_attribute("data-chosen", "-1")
    check_nothing_grave(lab, "with a task chosen and every setting open")

    lab.page.keyboard.press("Space")
    expect(lab.root.locator(".te-selection")).to_be_visible()
    check_nothing_grave(lab, "with a task selected")
    lab.wait_for_umap()
    lab.root.get_by_role("radio", name="Both").check()
    expect(lab.root).to_have_attribute("data-maps", "2")
    check_nothing_grave(lab, "with both maps")
    lab.root.get_by_role("group", name="1 task selected").get_by_role("button", name="Let go").click()

    lab.button("Projector").click()
    check_nothing_grave(lab, "projected")
    lab.button("Projector").click()
    for opens in ("Help", "Code", "What may I read from this picture?"):
        lab.button(opens).click()
        dialog = lab.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        check_nothing_grave(lab, f"with {opens} open")
        lab.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    lab.button("Export").click()
    check_nothing_grave(lab, "with the menu of exports open")
    lab.page.keyboard.press("Escape")

    lab.button("Branch here").click()
    expect(lab.map(1)).to_be_visible()
    check_nothing_grave(lab, "with two runs")


def test_every_control_is_reached_with_the_tab_key(lab: LabOnPage) -> None:
    lab.root.locator("summary").click()
    # What can be pressed, moved or chosen; a group of radio buttons and the map are one stop each.
    waiting = lab.root.evaluate(
        """root => {
            const all = [...root.querySelectorAll('button, input, select, summary, [tabindex="0"]')];
            const first = e => e.type !== "radio" || e.checked;
            const open = all.filter(e => !e.disabled && e.tabIndex >= 0 && first(e) && e.checkVisibility());
            open.forEach((e, k) => { e.dataset.stop = k; });
            return open.length;
        }"""
    )
    assert waiting > 20
    lab.button("Play").focus()
    # To it with the keys: a browser does not show a focus that came by a script after a click.
    lab.page.keyboard.press("Shift+Tab")
    lab.page.keyboard.press("Tab")
    reached = set()
    for _ in range(waiting):
        on = lab.page.evaluate("[document.activeElement.dataset.stop, !!document.activeElement.closest('.te-panel')]")
        assert on[1], "the Tab key left the panel before it had reached everything"
        seen = lab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
        assert seen, f"the focus is not seen on {lab.page.evaluate('document.activeElement.outerHTML')[:200]}"
        reached.add(on[0])
        lab.page.keyboard.press("Tab")
    assert len(reached) == waiting


def test_every_point_is_reached_with_the_arrow_keys(lab: LabOnPage) -> None:
    lab.map().locator(".te-map-canvas").focus()
    names = lab.page.run("from taskembed_edu.tasks import *\nprint(lab.session.tasks.names[:2])")
    assert names.count(",") >= 1
    lab.page.keyboard.press("Home")
    reached, keys = set(), ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp")
    for turn in range(400):
        lab.page.keyboard.press("Enter")
        reached.add(lab.map().get_attribute("data-chosen"))
        if len(reached) == 16:
            break
        # A walk that does not repeat itself: so many steps one way, then the next.
        lab.page.keyboard.press(keys[(turn // (1 + turn % 5)) % 4])
    assert len(reached) == 16
    said = lab.map().locator("[aria-live=polite], [role=status]").first
    expect(said).not_to_be_empty()


def test_a_task_is_chosen_and_let_go_without_a_pointer_and_it_is_said(lab: LabOnPage) -> None:
    canvas = lab.map().locator(".te-map-canvas")
    described = canvas.get_attribute("aria-describedby") or ""
    expect(lab.page.locator(f"#{described.split()[0]}")).to_contain_text("tasks")
    canvas.focus()
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("Enter")
    expect(lab.map()).not_to_have_attribute("data-chosen", "-1")
    chosen = int(lab.map().get_attribute("data-chosen") or -1)
    assert lab.ask(f"lab.panel.view.chosen == {chosen}") == "True"
    lab.page.keyboard.press("Escape")
    expect(lab.map()).to_have_attribute("data-chosen", "-1")


def test_who_asked_for_less_motion_sees_no_glide(lab: LabOnPage) -> None:
    lab.page.emulate_media(reduced_motion="reduce")
    # While it trains every picture is drawn once, in its place: a glide draws many between two of them.
    lab.play(until=20)
    counts = "(([map]) => [+map.dataset.drawn, +map.dataset.frame])([...document.querySelectorAll('.te-map')])"
    before = lab.page.evaluate(counts)
    lab.wait_for_step(lab.step() + 200)
    after = lab.page.evaluate(counts)
    pictures, drawn = after[1] - before[1], after[0] - before[0]
    assert pictures > 2
    assert drawn <= 2 * pictures + 2
    lab.pause()
    lab.check_picture()
