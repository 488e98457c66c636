"""Every text of every lab is whole and lies on no other, and nothing lies on the map's points.

The boxes of all texts are measured, those of the document and those that a canvas wrote (`text_boxes.js`), in three
windows, both themes and projector mode. One notebook for each lab: to load it is what takes time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import VIEWPORT
from tests.browser.lab_on_page import LabOnPage
from tests.browser.notebook_page import NotebookPage

MEASURE = Path(__file__).with_name("text_boxes.js")
WINDOWS = [(1024, 768), (1180, 720), VIEWPORT, (1920, 1080)]
THEMES = ["JupyterLab Light", "JupyterLab Dark"]
FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# A theme and a window change in several steps of JupyterLab: what is measured is the page after the last of them.
AT_REST = """root => new Promise(done => {
  let before = "";
  let same = 0;
  const look = () => {
    const now = JSON.stringify(textBoxes.all(root));
    same = now === before ? same + 1 : 0;
    before = now;
    if (same >= 4) done();
    else requestAnimationFrame(look);
  };
  look();
})"""

ShowLab = Callable[[str], tuple[NotebookPage, Locator]]


@pytest.fixture
def show_lab(open_notebook: Any) -> Iterator[ShowLab]:
    """A lab in a notebook, and its root; the window has its usual size again for whoever comes next."""
    opened: list[NotebookPage] = []

    def show(cell: str) -> tuple[NotebookPage, Locator]:
        page = open_notebook([cell])
        opened.append(page)
        page.add_script_tag(path=MEASURE)
        root = page.locator(".te-lab").first
        page.reveal(root)
        return page, root

    yield show
    for page in opened:
        page.set_viewport_size({"width": VIEWPORT[0], "height": VIEWPORT[1]})


def problems(page: NotebookPage, root: Locator) -> list[str]:
    """What is wrong with the texts that are seen now."""
    page.reveal(root)
    root.evaluate(AT_REST)
    found: list[str] = root.evaluate("root => textBoxes.problems(root)")
    return found


def in_projector(page: NotebookPage, root: Locator, look: Callable[[], list[str]]) -> list[str]:
    """What `look` finds while the lab is in projector mode."""
    root.get_by_role("button", name="projector", exact=False).click()
    expect(root).to_contain_class("te-projector")
    page.wait_for_function("!!document.fullscreenElement === !!document.querySelector('.te-panel')")
    found = look()
    root.get_by_role("button", name="projector", exact=False).click()
    expect(root).not_to_contain_class("te-projector")
    page.wait_for_function("!document.fullscreenElement")
    return found


def everywhere(page: NotebookPage, root: Locator) -> list[str]:
    """The problems in every window, theme and mode."""
    found: list[str] = []
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.change_theme(theme)
            place = f"{width}x{height}, {theme.split()[1]}"
            found += [f"{place}: {problem}" for problem in problems(page, root)]
        page.change_theme(THEMES[0])
        shown = in_projector(page, root, lambda: problems(page, root))
        found += [f"{width}x{height}, projector: {problem}" for problem in shown]
    return found


METRIC = """from taskembed_edu import MetricLab
lab = MetricLab("gaussians", n_tasks=120, batch=16, hidden=32, projection="pca")
lab"""
WAVE = """from taskembed_edu import AdaptationLab
lab = AdaptationLab(learner="wave", n_tasks=60)
lab"""
LANGUAGES = """from taskembed_edu import ParameterLab
lab = ParameterLab("number_words", n_tasks=42, hidden=8, batch=8, projection="pca")
lab"""


def trained(page: NotebookPage, code: str = "") -> LabOnPage:
    """A session's lab after a few steps and changes, so that curves have marks; at rest."""
    lab = LabOnPage(page)
    lab.page.run(f"lab.session.step(20)\n{code}\nlab.session.step(20)")
    lab.settle()
    return lab


def with_both_maps(page: NotebookPage, root: Locator) -> list[str]:
    """The problems with UMAP and PCA side by side, and then with the answer to a lasso below them too."""
    root.get_by_role("radio", name="Both").check()
    expect(root).to_have_attribute("data-maps", "2")
    page.run("lab.session.step(20)")  # between two pictures UMAP draws the next one
    expect(root.locator(".te-map[data-side='umap']")).to_have_attribute(
        "data-tasks", re.compile("[1-9]"), timeout=240_000
    )
    page.run("assert lab.panel.player.wait()")
    found = everywhere(page, root)
    page.run("lab.panel.view.selected = [1, 2, 3]")
    expect(root.locator(".te-selection")).to_be_visible()
    found += [f"a lasso's answer, {problem}" for problem in problems(page, root)]
    page.run("lab.panel.view.selected = []")
    return found


def with_two_runs(lab: LabOnPage, root: Locator, change: str) -> list[str]:
    """The problems everywhere while a second run, with this change, stands beside the first."""
    lab.button("Branch here").click()
    expect(root).to_have_attribute("data-runs", "2")
    lab.page.run(f"lab.sessions[1].set({change})\nlab.sessions[1].step(20)")
    return [f"two runs, {problem}" for problem in everywhere(lab.page, root)]


def test_the_texts_of_the_metric_lab(show_lab: ShowLab) -> None:
    page, root = show_lab(METRIC)
    lab = trained(page, 'lab.session.set(margin=2)\nlab.session.step(2)\nlab.session.set(metric="cosine", margin=1.3)')
    found = everywhere(page, root)
    page.run("lab.panel.view.chosen = 3")
    expect(root.locator(".te-map-chosen")).to_be_visible()
    found += [f"a task's card, {problem}" for problem in problems(page, root)]
    page.run("lab.panel.view.chosen, lab.panel.view.selected = -1, [3, 4, 5, 60]")
    expect(root.locator(".te-selection")).to_be_visible()
    found += [f"a lasso's answer, {problem}" for problem in everywhere(page, root)]
    page.run("lab.panel.view.selected = []")
    found += [f"both maps, {problem}" for problem in with_both_maps(page, root)]
    found += with_two_runs(lab, root, 'metric="manhattan"')
    assert not found, "\n".join(found)


def test_the_texts_of_the_parameter_lab(show_lab: ShowLab) -> None:
    page, root = show_lab(LANGUAGES)
    lab = trained(page, "lab.session.set(learning_rate=0.002)")
    found = everywhere(page, root)
    page.run('lab.session.set(vector="outputs")')
    lab.settle()
    found += [f"outputs, {problem}" for problem in everywhere(page, root)]
    found += [f"both maps, {problem}" for problem in with_both_maps(page, root)]
    found += with_two_runs(lab, root, "learning_rate=0.01")
    assert not found, "\n".join(found)


def test_the_texts_of_the_loss_over_the_start_and_of_the_start_on_the_map(show_lab: ShowLab) -> None:
    page, root = show_lab(WAVE)
    lab = trained(page)
    root.get_by_role("radio", name="Outer loop").check()
    root.get_by_role("button", name="Compare the methods").click()
    expect(root.locator(".te-surface")).to_have_attribute("data-ways", "3")
    root.locator(".te-surface-canvas").click(position={"x": 200, "y": 100})
    root.get_by_role("button", name="Best on the grid").click()
    found = everywhere(page, root)
    root.get_by_role("radio", name="Task map").check()
    found += [f"map, {problem}" for problem in everywhere(page, root)]
    root.get_by_role("radio", name="Loss over the start").check()
    found += with_two_runs(lab, root, 'method="reptile", inner_steps=5')
    assert not found, "\n".join(found)


def test_the_texts_of_the_bench(show_lab: ShowLab) -> None:
    page, root = show_lab("from taskembed_edu import AdaptationLab\nlab = AdaptationLab(n_tasks=20)\nlab")
    bench = root.locator(".te-bench")
    expect(bench.locator(".te-bench-way")).to_have_count(3)
    lab = trained(page)
    found = everywhere(page, root)
    page.run("lab.session.set(inner_lr=1.5)")
    expect(bench).to_contain_text("stable here")
    found += [f"diverged, {problem}" for problem in everywhere(page, root)]
    page.run("lab.session.set(inner_lr=0.01)")
    root.get_by_role("button", name="Draw your own wave").click()
    expect(bench.locator(".te-bench-empty")).to_be_visible()
    found += [f"no point, {problem}" for problem in problems(page, root)]
    bench.locator(".te-bench-canvas").click(position={"x": 90, "y": 60})
    expect(bench.locator(".te-bench-point")).to_have_count(1)
    found += [f"one's own, {problem}" for problem in everywhere(page, root)]
    found += with_two_runs(lab, root, 'method="first_order"')
    assert not found, "\n".join(found)


def test_the_texts_of_a_bench_with_classes(show_lab: ShowLab) -> None:
    page, root = show_lab("from taskembed_edu import AdaptationLab\nlab = AdaptationLab('digits', n_tasks=20)\nlab")
    expect(root.locator(".te-bench-way")).to_have_count(4)
    trained(page)
    found = everywhere(page, root)
    assert not found, "\n".join(found)


def test_the_texts_of_the_loss_lab(show_lab: ShowLab) -> None:
    page, root = show_lab("from taskembed_edu import LossLab\nlab = LossLab()\nlab")
    found = everywhere(page, root)
    assert not found, "\n".join(found)


def test_the_texts_of_the_distance_lab(show_lab: ShowLab) -> None:
    page, root = show_lab("from taskembed_edu import DistanceLab\nlab = DistanceLab()\nlab")
    found = everywhere(page, root)
    root.get_by_role("checkbox").first.check()
    found += [f"triangle, {problem}" for problem in everywhere(page, root)]
    assert not found, "\n".join(found)
