"""AdaptationLab in a real JupyterLab: points are moved, the curve bends to them, and the bench follows the run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.lab_on_page import LabOnPage
from tests.browser.notebook_page import NotebookPage

CELL = "from taskembed_edu import AdaptationLab\nlab = AdaptationLab({family!r}, n_tasks=12, hidden=12, batch=8)\nlab"
TRAINED = "document.querySelector('.te-bench')?.__bench?.ways.some(way => way.name === 'nearest task')"


class AdaptationOnPage(LabOnPage):
    """The lab with its bench."""

    def __init__(self, page: NotebookPage) -> None:
        super().__init__(page)
        self.bench = self.root.locator(".te-bench")
        self.points = self.bench.locator(".te-bench-point")

    def of_bench(self, expression: str) -> Any:
        return self.bench.evaluate(f"element => {{ const bench = element.__bench; return {expression}; }}")

    def wait_for_bench(self, true: str) -> None:
        self.page.wait_for_function(
            f"(() => {{ const bench = document.querySelector('.te-bench').__bench; return {true}; }})()", timeout=60_000
        )

    def settle_bench(self) -> None:
        self.wait_until_idle()
        self.wait_for_bench("bench.settled()")

    def losses(self, name: str = "meta-learned") -> list[float]:
        found: list[float] = self.of_bench(f"Array.from(bench.ways.find(way => way.name === {name!r}).support)")
        return found

    def kernel_points(self) -> Any:
        said = self.ask("__import__('json').dumps(lab.panel.bench.desk.points)")
        return json.loads(said)


@pytest.fixture
def opened(open_notebook: Any) -> Callable[..., AdaptationOnPage]:
    def shown(family: str = "sinusoids") -> AdaptationOnPage:
        page: NotebookPage = open_notebook([CELL.format(family=family)])
        lab = AdaptationOnPage(page)
        page.wait_for_function(TRAINED, timeout=60_000)
        page.reveal(lab.bench)
        return lab

    return shown


def test_a_point_is_dragged_by_mouse_and_keys_and_the_kernel_has_it(opened: Callable[..., AdaptationOnPage]) -> None:
    lab = opened()
    lab.settle_bench()
    before = lab.losses()
    expect(lab.points).to_have_count(10)
    box = lab.points.last.bounding_box()  # no other point lies over it
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.move(*middle)
    lab.page.mouse.down()
    lab.page.mouse.move(middle[0] + 5, middle[1] - 40, steps=4)
    lab.page.mouse.up()
    lab.settle_bench()
    moved = lab.kernel_points()
    assert np.allclose(moved, lab.of_bench("bench.plane.points"), atol=1e-4)
    assert lab.losses() != before
    expect(lab.bench).to_contain_text("You have moved this task's points")

    lab.points.nth(8).focus()
    lab.page.keyboard.press("Shift+ArrowUp")
    lab.settle_bench()
    assert lab.kernel_points()[8][1] == pytest.approx(min(moved[8][1] + 1, 7), abs=0.011)
    lab.page.keyboard.press("Tab")
    expect(lab.points.nth(9)).to_be_focused()
    lab.page.keyboard.press("Delete")
    expect(lab.points).to_have_count(9)
    lab.settle_bench()
    for _ in range(3):
        lab.page.keyboard.press("Control+z")
        lab.settle_bench()
    assert lab.kernel_points() is None
    assert lab.losses() == pytest.approx(before, rel=1e-5)
    lab.check_nothing_failed()


def test_a_wave_of_ones_own_is_drawn_by_clicks_and_is_there_after_a_reload(
    opened: Callable[..., AdaptationOnPage],
) -> None:
    lab = opened()
    lab.button("Draw your own wave").click()
    expect(lab.points).to_have_count(0)
    expect(lab.bench.locator(".te-bench-empty")).to_be_visible()
    canvas = lab.bench.locator(".te-bench-canvas")
    for k, (x, y) in enumerate(((60, 60), (140, 120), (220, 80)), start=1):
        canvas.click(position={"x": x, "y": y})
        expect(lab.points).to_have_count(k)
    lab.settle_bench()
    expect(lab.bench).to_contain_text("Nobody knows the truth")
    assert lab.of_bench("bench.ways.every(way => !way.query.loss)")
    lab.button("Add a point").click()
    expect(lab.points).to_have_count(4)
    expect(lab.points.nth(3)).to_be_focused()
    lab.settle_bench()
    drawn = lab.kernel_points()
    lab.page.run("import IPython.display\nIPython.display.display(lab)")
    again = lab.page.locator(".te-bench")
    lab.page.wait_for_function("[...document.querySelectorAll('.te-bench')].at(-1).__bench.drawn > 0")
    expect(again.last.locator(".te-bench-point")).to_have_count(len(drawn))
    lab.button("Back to the task").first.click()
    lab.page.wait_for_function(
        "[...document.querySelectorAll('.te-bench')].at(0).querySelectorAll('.te-bench-point').length === 10"
    )
    lab.check_nothing_failed()


def test_slow_motion_plays_pauses_steps_and_can_be_moved_by_keys(opened: Callable[..., AdaptationOnPage]) -> None:
    lab = opened()
    where = lab.bench.locator(".te-bench-where")
    expect(where).to_have_text("after 10 of 10 inner steps")
    slider = lab.bench.locator(".te-bench-slider")
    slider.focus()
    lab.page.keyboard.press("Home")
    expect(where).to_have_text("after 0 of 10 inner steps")
    lab.page.keyboard.press("ArrowRight")
    expect(where).to_have_text("after 1 of 10 inner steps")
    lab.button("Later in the inner loop").click()
    expect(where).to_have_text("after 2 of 10 inner steps")
    lab.button("Slow motion").click()
    lab.wait_for_bench("bench.at > 2.2 && bench.at % 1 > 0")
    lab.button("Hold").click()
    held = lab.of_bench("bench.at")
    lab.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert lab.of_bench("bench.at") == held
    lab.bench.locator(".te-bench-steps").select_option("20")
    lab.wait_for_bench("bench.steps() === 20")
    assert len(lab.losses()) == 21


def test_with_reduced_motion_it_goes_from_step_to_step(opened: Callable[..., AdaptationOnPage]) -> None:
    lab = opened()
    lab.page.page.emulate_media(reduced_motion="reduce")
    lab.bench.locator(".te-bench-slider").focus()
    lab.page.keyboard.press("Home")
    lab.of_bench("(bench.seen = new Set(), bench.paint = () => bench.seen.add(bench.at), bench.play())")
    lab.wait_for_bench("bench.seen.size > 3")
    assert lab.of_bench("[...bench.seen].every(at => at % 1 === 0)")
    lab.page.page.emulate_media(reduced_motion="no-preference")


def test_it_follows_the_run_live_and_back_in_time(opened: Callable[..., AdaptationOnPage]) -> None:
    lab = opened()
    lab.settle_bench()
    first = lab.losses()
    random = lab.losses("random")
    lab.play(until=60)
    lab.pause()
    lab.settle()
    lab.settle_bench()
    expect(lab.bench).to_have_attribute("data-step", lab.ask("lab.session.frame.step"))
    last = lab.losses()
    assert last != first
    assert lab.losses("random") == random
    time = lab.root.locator(".te-time")
    time.focus()
    lab.page.keyboard.press("Home")
    expect(lab.bench).to_have_attribute("data-step", "0")
    lab.settle_bench()
    assert lab.losses() == pytest.approx(first, rel=1e-5)
    lab.button("Branch here").click()
    expect(lab.bench.locator(".te-bench-way")).to_have_count(4)
    expect(lab.bench).to_contain_text("Run B: meta-learned (MAML)")


def test_classes_have_accuracies_prototypes_and_answers_on_the_card(opened: Callable[..., AdaptationOnPage]) -> None:
    lab = opened("gaussians")
    lab.settle_bench()
    expect(lab.points).to_have_count(0)
    expect(lab.bench.locator(".te-bench-chart")).to_have_count(2)
    expect(lab.bench.locator(".te-bench-way")).to_have_text(
        [re.compile(name) for name in ("random", "meta", "nearest", "prototypes")]
    )
    expect(lab.bench.locator(".te-bench-card canvas")).to_be_visible()
    lab.bench.get_by_role("button", name="prototypes").click()
    expect(lab.bench.get_by_role("button", name="prototypes")).to_have_attribute("aria-pressed", "false")
    name = lab.root.locator(".te-bench-name")
    before = name.text_content()
    lab.button("Another task").click()
    expect(name).not_to_have_text(before or "")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_grave_and_no_word_is_cut(opened: Callable[..., AdaptationOnPage], theme: str) -> None:
    lab = opened()
    lab.page.change_theme(theme)
    for view in ("Inner loop", "Both loops"):
        lab.root.get_by_role("radio", name=view).check()
        results = Axe().run(lab.page.page, context=".te-panel")
        assert results.response["passes"]
        grave = [rule for rule in results.response["violations"] if rule["impact"] in ("serious", "critical")]
        assert not grave, [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in grave]
    lab.root.get_by_role("radio", name="Outer loop").check()
    expect(lab.bench).to_be_hidden()
    expect(lab.map()).to_be_visible()


def test_on_a_wall_the_bench_has_the_room_and_the_point_size_of_a_wall(
    opened: Callable[..., AdaptationOnPage],
) -> None:
    lab = opened()
    small = lab.bench.locator(".te-bench-canvas").bounding_box()
    lab.button("Projector").click()
    expect(lab.root).to_have_class(re.compile("te-projector"))
    large = lab.bench.locator(".te-bench-canvas").bounding_box()
    assert small is not None
    assert large is not None
    assert large["height"] > small["height"]
    expect(lab.root.locator(".te-where")).to_be_visible()
    lab.button("Leave projector mode").click()
