"""PCA and UMAP side by side in a real JupyterLab: while it plays, in the past, over resets, branches and a new page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.lab_on_page import CELL, PATIENCE, LabOnPage, misplaced
from tests.browser.notebook_page import NotebookPage

PCA = "from taskembed_edu.session.by_pca import by_pca"


@pytest.fixture
def lab(open_notebook: Any) -> LabOnPage:
    page: NotebookPage = open_notebook([CELL])
    page.reveal(page.locator(".te-map canvas").first)
    return LabOnPage(page)


def side(lab: LabOnPage, name: str) -> Locator:
    return lab.root.locator(f".te-map[data-side='{name}']")


def switch(lab: LabOnPage, name: str) -> Locator:
    return lab.root.get_by_role("radiogroup", name="Map").get_by_role("radio", name=name, exact=True)


def check_both(lab: LabOnPage) -> None:
    """Both maps of the paused lab show the session's last frame, every point in its place."""
    lab.wait_until_idle()
    step = lab.ask("lab.session.frame.step")
    for name, frame in (("umap", "lab.session.frame"), ("pca", "by_pca(lab.session.frame, SIGNS)")):
        expect(side(lab, name)).to_have_attribute("data-step", step)
        lab.page.run(f"{PCA}\nSIGNS = lab.panel._updater._pca[1].layout")
        layout, off = lab.layout(frame), np.inf
        for _ in range(100):
            told = side(lab, name).evaluate("element => Array.from(element.__map.screenPositions())")
            off = misplaced(np.array(told, dtype=float).reshape(-1, 2), layout)
            if off < 1.5:
                break
            lab.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert off < 1.5, f"the {name} map shows a task {off:.1f} pixels from its place"


def test_both_maps_follow_the_run_and_the_run_knows_of_one(lab: LabOnPage) -> None:
    lab.play(until=30)
    switch(lab, "Both").check()  # before UMAP is ready
    expect(lab.root).to_have_attribute("data-maps", "2")
    expect(side(lab, "umap")).to_have_attribute("data-tasks", "60", timeout=4 * PATIENCE)
    expect(switch(lab, "Both")).to_be_checked()
    begun = int(side(lab, "umap").get_attribute("data-step") or 0)
    lab.page.wait_for_function(
        "step => [...document.querySelectorAll('.te-map')].every(map => +map.dataset.step >= step)", arg=begun + 50
    )
    lab.pause()
    check_both(lab)
    assert lab.ask("[e.changes for e in lab.session.events]") == "[{'projection': 'umap'}]"
    assert lab.ask("'both' in lab.session.code().lower()") == "False"

    # The past: the first step was drawn by PCA alone.
    slider = lab.root.get_by_role("slider", name="Time")
    slider.focus()
    lab.page.keyboard.press("Home")
    expect(side(lab, "pca")).to_have_attribute("data-step", "0")
    expect(side(lab, "umap")).to_contain_text("No UMAP map of this step")
    lab.page.keyboard.press("End")
    expect(side(lab, "umap")).to_have_attribute("data-tasks", "60")

    lab.button("Reset").click()
    for name in ("umap", "pca"):
        expect(side(lab, name)).to_have_attribute("data-step", "0")
    lab.button("Step").click()
    expect(side(lab, "pca")).to_have_attribute("data-step", "10")
    check_both(lab)

    lab.button("Branch here").click()
    expect(lab.root).to_have_attribute("data-runs", "2")
    expect(side(lab, "pca")).to_have_count(0)
    expect(switch(lab, "Both")).to_be_disabled()
    expect(lab.root).to_contain_text("Both is off: each run has its map already.")
    lab.button("Keep A").click()
    expect(lab.root).to_have_attribute("data-maps", "1")
    lab.check_well()


def test_both_stay_on_a_page_that_is_loaded_anew_and_go_with_the_switch(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    switch(lab, "Both").check()
    expect(lab.root).to_have_attribute("data-maps", "2")
    lab.page.reload()
    lab.page.reveal(lab.root)
    for name in ("umap", "pca"):
        expect(side(lab, name)).to_have_attribute("data-tasks", "60")
    expect(switch(lab, "Both")).to_be_checked()
    lab.button("Projector").click()
    expect(lab.root).to_contain_class("te-projector")
    for name in ("umap", "pca"):
        expect(side(lab, name)).to_be_visible()
    lab.button("Leave projector mode").click()
    assert lab.ask("[axes.get_title()[-5:] for axes in lab.picture().axes[:2]]") == "['UMAP)', '(PCA)']"
    switch(lab, "PCA").check()
    expect(lab.root).to_have_attribute("data-maps", "1")
    expect(lab.map()).to_contain_text("PCA")
    assert lab.ask("lab.session.setup.projection") == "pca"


def test_a_lasso_is_answered_by_the_kernel_and_kept_as_a_table(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    lab.play(until=30)
    lab.pause()
    canvas = lab.map().locator(".te-map-canvas")
    canvas.focus()
    for key in ("Home", "Space", "PageDown", "Space", "PageDown", "Space"):
        lab.page.keyboard.press(key)
    panel = lab.root.get_by_role("group", name="3 tasks selected")
    expect(panel).to_be_visible()
    lab.page.run("from taskembed_edu.live.selection import selection_packet")
    told = float(lab.ask("selection_packet(lab.session, lab.session.frame, [0, 1, 2])['apart']"))
    said = f"{told:.2f}" if told >= 0.1 else f"{told:.3f}"
    expect(panel.get_by_role("row", name="distance in the embedding")).to_contain_text(said)
    expect(panel.get_by_role("row", name="true distance")).to_be_visible()
    panel.get_by_role("button", name="Export").click()
    expect(lab.root.locator(".te-status")).to_contain_text("-selected.csv")
    code = "import csv, glob\n(path,) = glob.glob('*-selected.csv')\n"
    assert lab.page.run(code + "print([row['task'] for row in csv.DictReader(open(path))])") == "['0', '1', '2']\n"
    panel.get_by_role("button", name="Let go").click()
    assert lab.ask("lab.panel.view.selected") == "[]"
    lab.check_well()
