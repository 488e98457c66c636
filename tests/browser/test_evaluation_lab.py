"""EvaluationLab in a real JupyterLab: one choice on two maps, other neighbours, scorecards, and a file of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from taskembed_edu import EvaluationLab
from taskembed_edu.live.export import export_html
from taskembed_edu.live.judging import scorecards_packet
from tests.browser.lab_on_page import LabOnPage, misplaced
from tests.browser.notebook_page import NotebookPage
from tests.browser.page_alone import RECORDED, AlonePage
from tests.browser.test_accessibility import check_nothing_grave

MEASURE = Path(__file__).with_name("text_boxes.js")
SMALL: dict[str, Any] = {"n_tasks": 20, "hidden": 16, "frame_every": 5}
CELL = """from taskembed_edu import EvaluationLab
lab = EvaluationLab("metric", "context", "gaussians", n_tasks=20, hidden=16)
lab"""


@pytest.fixture
def lab(open_notebook: Any) -> LabOnPage:
    page: NotebookPage = open_notebook([CELL])
    page.reveal(page.locator(".te-map canvas").first)
    return LabOnPage(page)


def choose(lab: LabOnPage, run: int, task: int) -> None:
    """A click on this task, as this run's map draws it."""
    box = lab.map(run).locator(".te-map-canvas").bounding_box()
    assert box is not None
    x, y = lab.positions(run)[task]
    lab.page.mouse.click(box["x"] + x, box["y"] + y)


def loneliest(lab: LabOnPage, run: int) -> int:
    """The task that no other one hides on this run's map."""
    places = lab.positions(run)
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    return int(np.argmax(np.sort(apart, axis=1)[:, 1]))


def check_places(lab: LabOnPage, run: int) -> None:
    """The map of a paused lab shows this run's frame, once its points have glided to their places."""
    layout = np.array(json.loads(lab.ask(f"lab.sessions[{run}].frame.layout.tolist()")), dtype=float)
    for _ in range(100):
        if misplaced(lab.positions(run), layout) < 1.5:
            return
        lab.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    raise AssertionError(f"map {run} does not show its run")


def scores(lab: LabOnPage) -> Locator:
    return lab.root.get_by_role("table", name="Scorecards: scores")


def test_a_task_chosen_on_one_map_is_chosen_on_both_with_its_neighbours_in_each(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    lab.play(until=20)
    lab.pause()
    assert lab.settle(0) == lab.settle(1)
    for run in (0, 1):
        expect(lab.map(run).locator(".te-map-title")).to_have_text(f"{('Metric', 'Context')[run]}: Task space, UMAP")
        check_places(lab, run)
    task = loneliest(lab, 1)
    choose(lab, 1, task)
    for run in (0, 1):
        expect(lab.map(run)).to_have_attribute("data-chosen", str(task))
        near = lab.ask(f"[lab.sessions[{run}].tasks.names[i] for i in lab.sessions[{run}].frame.neighbours()[{task}]]")
        told = lab.map(run).locator(".te-map-list").first.locator(".te-map-neighbour")
        expect(told).to_have_count(5)
        assert str(told.all_inner_texts()) == near
    lab.check_nothing_failed()


def test_which_neighbours_changed_is_said_drawn_and_listed(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    lab.play(until=20)
    lab.pause()
    lab.button("What changed?").click()
    lab.page.get_by_role("menuitem", name="Compared with Context").click()
    share = round(100 * float(lab.ask("lab.changed_neighbours().share")))
    words = f"Of the five nearest neighbours, {share} % in Metric are others than in Context."
    expect(lab.root.locator(".te-changes")).to_contain_text(words)
    task = loneliest(lab, 0)
    choose(lab, 0, task)
    for run, name in ((0, "Context"), (1, "Metric")):
        titles = lab.map(run).locator(".te-map-list-title")
        expect(titles).to_have_text(["Near in both", f"Only in {('Metric', 'Context')[run]}", f"Only in {name}"])
    lost = lab.ask(f"[lab.sessions[0].tasks.names[i] for i in lab.changed_neighbours().lost({task})]")
    only = lab.map(0).locator(".te-map-list").nth(1).locator(".te-map-neighbour")
    assert str(only.all_inner_texts()) == lost
    lab.button("Done").click()
    expect(lab.map(0).locator(".te-map-list-title").first).to_have_text("Nearest in the embedding")


def test_judge_gives_a_table_that_stays_marked_with_its_step(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    lab.play(until=20)
    lab.pause()
    step = lab.settle(0)
    lab.button("Judge").click()
    table = scores(lab)
    expect(table).to_be_visible()
    expect(table.get_by_role("columnheader")).to_have_text(["on tasks never seen", "Metric", "Context"])
    for label, name in (("Recall@1", "recall@1"), ("Spearman", "spearman")):
        row = table.get_by_role("row", name=re.compile(label))
        told = [float(text.replace("✓", "")) for text in row.get_by_role("cell").all_inner_texts()]
        known = [float(lab.ask(f"lab.judged.cards[{run}].scores['{name}']")) for run in (0, 1)]
        assert told == pytest.approx(known, rel=5e-3)
    transfer = lab.root.get_by_role("table", name="Scorecards: transfer")
    expect(transfer.get_by_role("row")).to_have_count(5)
    expect(transfer.get_by_role("columnheader").first).to_contain_text("Loss after")
    lab.root.get_by_label("From the nearest known task").select_option("accuracy")
    expect(transfer.get_by_role("columnheader").first).to_contain_text("Accuracy after")
    expect(lab.root.locator(".te-transfer-canvas")).to_have_attribute(
        "aria-label", re.compile("Accuracy on the query sets of 60")
    )
    judged = lab.root.locator(".te-scorecards-head")
    expect(judged).to_contain_text(f"Both at step {step}, on 200 tasks never seen")
    lab.play(until=step + 10)
    lab.pause()
    expect(judged).to_contain_text(f"Both at step {step}, on 200 tasks never seen")
    lab.button("Reset").click()
    expect(judged).to_contain_text("The runs have begun again since")
    lab.page.add_script_tag(path=MEASURE)
    assert lab.root.evaluate("root => textBoxes.problems(root)") == []
    lab.check_nothing_failed()


def test_help_stands_beside_every_score_and_shows_on_focus(lab: LabOnPage) -> None:
    lab.button("Judge").click()
    marks = scores(lab).get_by_role("button")
    expect(marks.first).to_have_accessible_name("About Recall@1")
    rows = scores(lab).locator("tbody tr")
    assert marks.count() == rows.count()
    marks.first.focus()
    lab.page.keyboard.press("Shift+Tab")
    lab.page.keyboard.press("Tab")
    bubble = marks.first.locator(".te-bubble")
    expect(bubble).to_be_visible()
    expect(bubble).to_contain_text("Each task has two support sets")


def test_it_is_played_judged_and_chosen_by_keyboard(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    lab.map(1).locator(".te-map-canvas").focus()
    lab.page.keyboard.press("s")
    lab.wait_for_step(10, run=1)
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("Enter")
    expect(lab.map(0)).to_have_attribute("data-chosen", "0")
    lab.button("Judge").focus()
    lab.page.keyboard.press("Enter")
    expect(scores(lab)).to_be_visible()
    lab.map(0).locator(".te-map-canvas").focus()
    lab.page.keyboard.press("Escape")  # a task's card would take the room of the scorecards
    lab.page.keyboard.press("p")
    expect(lab.root).to_have_class(re.compile("te-projector"))
    expect(scores(lab)).to_be_in_viewport()
    expect(lab.root.locator(".te-curves")).to_be_hidden()
    lab.page.keyboard.press("p")
    expect(lab.root).not_to_have_class(re.compile("te-projector"))


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_grave_whatever_it_shows(lab: LabOnPage, theme: str) -> None:
    lab.page.change_theme(theme)
    lab.wait_for_umap()
    lab.play(until=10)
    lab.pause()
    check_nothing_grave(lab, "with two embedders")
    lab.button("What changed?").click()
    lab.page.get_by_role("menuitem", name="Compared with Context").click()
    lab.map().locator(".te-map-canvas").focus()
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("Enter")
    check_nothing_grave(lab, "compared")
    lab.button("Judge").click()
    expect(scores(lab)).to_be_visible()
    check_nothing_grave(lab, "judged")
    lab.button("Projector").click()
    check_nothing_grave(lab, "projected")


def test_controls_are_of_one_and_tasks_and_map_of_both(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    runs = lab.root.get_by_role("group", name="Settings of")
    expect(lab.control("margin")).to_be_visible()
    runs.get_by_role("radio", name="Context").check()
    expect(lab.control("inner_steps")).to_be_visible()
    expect(lab.control("margin")).to_have_count(0)
    lab.root.get_by_role("radio", name="PCA", exact=True).check()
    for run in (0, 1):
        expect(lab.map(run).locator(".te-map-title")).to_contain_text("PCA")
    lab.control("family").select_option("sinusoids")
    lab.button("Reset").click()
    expect(lab.root.locator(".te-status")).to_contain_text("Both runs began again, on the same tasks")
    assert lab.ask("[session.setup.family for session in lab.sessions]") == "['sinusoids', 'sinusoids']"
    expect(lab.button("Keep")).to_have_count(0)
    expect(lab.button("Branch here")).to_have_count(0)
    lab.check_nothing_failed()


# ---- the page in a file of its own ----


@pytest.fixture(scope="module")
def pair() -> EvaluationLab:
    """Two embedders that have been trained and judged."""
    made = EvaluationLab("metric", "context", "gaussians", projection="pca", **SMALL)
    made.step(20)
    made.scorecards(n_tasks=20, transfer_to=10)
    return made


@pytest.fixture(scope="module")
def recorded(pair: EvaluationLab, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The document of a page of two embedders with their scorecards."""
    assert pair.judged is not None
    path = tmp_path_factory.mktemp("pair") / "pair.html"
    export_html(pair.sessions, path, more={"scorecards": scorecards_packet(pair.judged, pair.sessions)})
    found = RECORDED.search(path.read_text(encoding="utf-8"))
    assert found
    return found[0]


@pytest.fixture
def open_page(browser: Browser, recorded: str, tmp_path: Path) -> Iterator[Callable[..., AlonePage]]:
    opened: list[AlonePage] = []

    def show(width: int = 1280, **options: Any) -> AlonePage:
        page = AlonePage(browser.new_context(viewport={"width": width, "height": 720}).new_page())
        opened.append(page)
        page.load(recorded, tmp_path / "lab.html", **{"live": False, "dark": False, **options})
        return page

    yield show
    problems = [problem for page in opened for problem in page.problems]
    for page in opened:
        page.page.context.close()
    assert not problems, problems


@pytest.mark.parametrize("width", [700, 900, 1280, 1900])
@pytest.mark.parametrize("dark", [False, True])
def test_a_file_shows_both_maps_and_the_scorecards_at_any_width(open_page: Any, width: int, dark: bool) -> None:
    page = open_page(width, dark=dark)
    expect(page.root.locator(".te-map-title")).to_have_text(["Metric: Task space, PCA", "Context: Task space, PCA"])
    table = page.root.get_by_role("table", name="Scorecards: scores")
    expect(table).to_be_visible()
    expect(page.root.get_by_role("button", name="Judge")).to_have_count(0)
    page.add_script_tag(path=MEASURE)
    assert page.evaluate("textBoxes.problems(lab.root)") == []
    page.evaluate("lab.set('projector', true)")
    page.next_frame()
    page.evaluate("lab.set('projector', false)")
    page.evaluate("lab.maps[0].pointing.point(4, 'keys')")
    page.root.get_by_role("application").first.press("Enter")
    expect(page.root.locator(".te-map[data-chosen='4']")).to_have_count(2)


def test_a_file_says_which_neighbours_differ_without_a_kernel(open_page: Any, pair: EvaluationLab) -> None:
    page = open_page()
    page.root.get_by_role("button", name="What changed?").click()
    page.get_by_role("menuitem", name="Compared with Context").click()
    found = pair.changed_neighbours()
    expect(page.root.locator(".te-changes")).to_contain_text(f"{round(100 * found.share)} % in Metric are others")
    page.evaluate("lab.set('chosen', 4)")
    lists = page.root.locator(".te-map").first.locator(".te-map-list")
    expect(lists.locator(".te-map-list-title")).to_have_text(["Near in both", "Only in Metric", "Only in Context"])
    names = pair.sessions[0].tasks.names
    for place, tasks in ((1, found.lost(4)), (2, found.gained(4))):
        expect(lists.nth(place).locator(".te-map-neighbour")).to_have_text([names[task] for task in tasks])
    counts = page.evaluate("lab.maps.map(map => [...map.counts])")
    assert counts == [found.counts.tolist()] * 2
    page.root.get_by_role("button", name="Done").click()
    expect(page.root.locator(".te-changes")).to_be_hidden()
    assert page.evaluate("lab.maps[0].counts") is None


@pytest.mark.parametrize("projector", [False, True])
def test_long_names_of_embedders_stay_inside_their_box(open_page: Any, projector: bool) -> None:
    page = open_page(live=True)
    runs = [{"name": name, "about": "", "step": 20} for name in ("Parameters", "Summary of all")]
    page.kernel("put", "transport", {"paired": True, "runs": runs})
    page.evaluate("on => lab.set('projector', on)", projector)
    page.next_frame()
    sizes = page.root.locator(".te-runs").evaluate(
        "box => [box.scrollWidth, box.clientWidth, box.parentElement.clientWidth]"
    )
    assert sizes[0] <= sizes[1] <= sizes[2]


def test_a_bar_of_scorecards_has_a_button_that_cancels(open_page: Any) -> None:
    page = open_page(live=True)
    expect(page.root.locator(".te-judge")).to_be_hidden()
    page.kernel("put", "transport", {"paired": True})
    page.button("Judge").click()
    page.wait_for("judge")
    page.kernel(
        "put", "transport", {"progress": {"words": "Scorecards: 3 of 18", "done": 3, "of": 18, "button": "Cancel"}}
    )
    page.button("Cancel").click()
    page.wait_for("cancel")
    page.evaluate("lab.set('projector', true)")
    expect(page.button("Cancel")).to_be_visible()
