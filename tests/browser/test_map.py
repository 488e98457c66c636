"""The map of the live lab, alone on a page: no JupyterLab, no kernel; on its data and its roles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect

from taskembed_edu.live import page as page_code
from taskembed_edu.live.bundle import bundle

HARNESS = Path(__file__).with_name("map_harness.js")
LIVE = Path(page_code.__file__).parent
DARK = """:root { --jp-layout-color1: #111111; --jp-layout-color2: #212121; --jp-content-font-color1: #ffffff;
  --jp-content-font-color2: #b3b3b3; --jp-border-color2: #616161; }"""
REST = "() => harness.maps.every(map => !map.request)"
TAKE_LINKS = """([step, apart]) => {
    const links = { task: 6, embedding: [18, 7], truth: [7, 8], apart: asView(Float32Array.from(apart)) };
    harness.take(step, harness.grid(25), { links });
}"""
N = 25  # five rows of five: task 12 stands in the middle, task 0 at the lower left


class MapPage:
    """A page with one or two maps on it; what this class lacks is looked up on the Playwright page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda told: self.problems.append(told.text) if told.type == "error" else None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    def load(self, theme: str = "") -> None:
        """The page's own code and the harness, in one script as in the lab."""
        style = "\n".join((LIVE / name).read_text(encoding="utf-8") for name in ("look.css", "page/map.css"))
        rows = ".row { display: flex; } .cell { flex: 1; min-width: 0; }"
        head = f"<!doctype html><meta charset='utf-8'><style>{theme}{style}{rows}</style>"
        body = f"<div class='te-lab' id='lab'></div><script type='module'>{bundle(HARNESS)}</script>"
        self.page.set_content(head + body)

    def open(self, n: int = N, **options: Any) -> None:
        """Maps of n tasks on a grid at step 0, at rest."""
        self.evaluate("([n, options]) => harness.open(n, options)", [n, options])
        for run in range(options.get("runs", 1)):
            self.take(0, self.grid(n), run=run)
        self.rest()

    def grid(self, n: int = N, shift: float = 0.0) -> list[float]:
        places: list[float] = self.evaluate("([n, shift]) => harness.grid(n, shift)", [n, shift])
        return places

    def take(self, step: int, places: list[float], more: dict[str, Any] | None = None, run: int = 0) -> None:
        """A picture comes in from the kernel."""
        self.evaluate("([s, p, m, r]) => harness.take(s, p, m, r)", [step, places, more or {}, run])

    def rest(self) -> None:
        """Wait until no map has anything more to draw."""
        self.wait_for_function(REST)

    def where(self, run: int = 0) -> NDArray[np.float64]:
        return np.array(self.evaluate("run => harness.where(run)", run))

    def after(self, milliseconds: float) -> NDArray[np.float64]:
        """Where the points stand this much later; the clock stands still otherwise (`freeze`)."""
        return np.array(self.evaluate("ms => harness.pass(ms)", milliseconds))

    def target(self, places: list[float]) -> NDArray[np.float64]:
        return np.array(self.evaluate("places => harness.target(places)", places))

    def get(self, name: str) -> Any:
        return self.evaluate(
            "name => { const v = harness.page.get(name); return v instanceof Set ? [...v] : v; }", name
        )

    def set(self, name: str, value: Any) -> None:
        self.evaluate("([name, value]) => harness.page.set(name, value)", [name, value])

    def map(self, run: int = 0) -> Locator:
        return self.page.locator(f'.te-map[data-run="{run}"]')

    def canvas(self, run: int = 0) -> Locator:
        return self.map(run).get_by_role("application")

    def at(self, task: int, run: int = 0) -> tuple[float, float]:
        """A task's place in the window."""
        box = self.canvas(run).bounding_box()
        assert box is not None
        where = self.where(run)
        return box["x"] + where[2 * task], box["y"] + where[2 * task + 1]

    def drag(self, *corners: tuple[float, float]) -> None:
        self.page.mouse.move(*corners[0])
        self.page.mouse.down()
        for corner in corners[1:]:
            self.page.mouse.move(*corner, steps=4)
        self.page.mouse.up()
        self.rest()

    def around(self, tasks: list[int]) -> list[tuple[float, float]]:
        """The corners of a box that holds these tasks and no others of the grid."""
        places = np.array([self.at(task) for task in tasks])
        (left, top), (right, bottom) = places.min(axis=0) - 18, places.max(axis=0) + 18
        return [(left, top), (right, top), (right, bottom), (left, bottom)]


@pytest.fixture
def maps(browser: Browser) -> Iterator[Callable[..., MapPage]]:
    """A factory: `maps(n, runs=2, ...)` is a page with maps of n tasks, at rest."""
    opened: list[MapPage] = []

    def factory(n: int = N, theme: str = "", scale: float = 1, **options: Any) -> MapPage:
        context = browser.new_context(viewport={"width": 900, "height": 640}, device_scale_factor=scale)
        page = MapPage(context.new_page())
        opened.append(page)
        page.load(theme)
        page.open(n, **options)
        return page

    yield factory
    problems = [problem for page in opened for problem in page.problems]
    for page in opened:
        page.page.context.close()
    assert not problems, problems


# ---- frames and the glide ----


def test_points_stand_where_the_frame_has_them_and_are_painted_there(maps: Any) -> None:
    page = maps()
    where = page.where().reshape(5, 5, 2)
    assert np.allclose(np.diff(where[:, :, 0], axis=1), where[0, 1, 0] - where[0, 0, 0], atol=0.1)
    assert (np.diff(where[:, :, 1], axis=0) < -20).all(), "up on the map is up on the screen"
    assert where[0, 1, 0] - where[0, 0, 0] == pytest.approx(where[0, 0, 1] - where[1, 0, 1], abs=0.1), "no stretching"
    assert page.evaluate("harness.pixel(0)") == [0, 114, 178, 255]
    assert page.evaluate("harness.pixel(1)") == [213, 94, 0, 255]
    assert page.evaluate("harness.pixel(0, 25, 25)") == [0, 0, 0, 0]
    data = page.map().evaluate("map => ({ ...map.dataset })")
    assert (data["step"], data["frame"], data["tasks"], data["zoom"]) == ("0", "1", "25", "1.00")


def test_a_glide_that_is_interrupted_does_not_jump_and_ends_exactly_at_the_newest_frame(maps: Any) -> None:
    page = maps()
    first, second, third = page.where(), page.grid(shift=2.0)[::-1], page.grid(shift=-1.0)
    page.evaluate("harness.freeze()")
    page.take(10, second)
    assert np.abs(page.after(0) - first).max() < 0.01, "it begins where the points stood"
    midway = page.after(50)
    assert np.abs(midway - page.target(second)).max() > 5
    page.take(20, third)
    assert np.abs(page.after(0) - midway).max() < 0.01, "a new frame must not move anything by itself"
    way = [np.abs(page.after(20) - page.target(third)).max() for _ in range(6)]
    assert way == sorted(way, reverse=True), "every picture is nearer to the newest frame than the one before"
    assert way[-1] < 0.01
    assert page.map().get_attribute("data-step") == "20"


def test_nothing_is_drawn_once_the_newest_frame_is_reached(maps: Any) -> None:
    page = maps()
    for step in (10, 20, 30):
        page.take(step, page.grid(shift=step / 10))
    page.rest()
    assert np.allclose(page.where(), page.target(page.grid(shift=3.0)), atol=0.01)
    drawn = page.map().get_attribute("data-drawn")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.map().get_attribute("data-drawn") == drawn


def test_on_a_slow_machine_the_glide_ends_early_rather_than_late(maps: Any) -> None:
    page = maps()
    page.evaluate("harness.freeze()")
    page.take(10, page.grid()[::-1])
    page.after(0)
    where = page.after(100)  # the next picture would come 200 ms after the frame
    assert np.allclose(where, page.target(page.grid()[::-1]), atol=0.01)


def test_a_hidden_tab_has_the_newest_frame_when_it_comes_back(maps: Any) -> None:
    page = maps()
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.evaluate("harness.freeze()")
    page.take(10, page.grid()[::-1])
    assert np.allclose(page.after(0), page.target(page.grid()[::-1]), atol=0.01)


def test_reduced_motion_has_no_glide(maps: Any) -> None:
    page = maps(state={"still": True})
    page.evaluate("harness.freeze()")
    page.take(10, page.grid()[::-1])
    assert np.allclose(page.after(0), page.target(page.grid()[::-1]), atol=0.01)
    page.canvas().press("+")
    assert np.allclose(page.after(0), page.target(page.grid()[::-1]), atol=0.01)
    assert page.map().get_attribute("data-zoom") == "1.50"


def test_other_tasks_are_another_map(maps: Any) -> None:
    page = maps()
    page.canvas().press("+")
    page.take(0, page.grid(9))
    assert page.evaluate("harness.maps[0].n") == 9
    page.rest()
    assert page.evaluate("harness.pixel(1)") == [0, 114, 178, 255], "drawn plain: the colours are those of other tasks"
    page.evaluate("harness.setTasks(harness.tasks(9, 'curve'))")
    page.rest()
    assert page.evaluate("harness.pixel(1)") == [213, 94, 0, 255]
    assert page.map().get_attribute("data-zoom") == "1.00"


def test_five_thousand_points_are_all_there(maps: Any) -> None:
    page = maps(5000)
    before = int(page.map().get_attribute("data-drawn"))
    told = page.evaluate("harness.glides(5000, 600)")
    assert told["perSecond"] > 0
    page.rest()
    assert page.map().get_attribute("data-tasks") == "5000"
    assert int(page.map().get_attribute("data-drawn")) > before + 2, "a glide is more than its end"
    where = page.where().reshape(-1, 2)
    canvas = page.canvas().bounding_box()
    assert (where > 0).all()
    assert (where < [canvas["width"], canvas["height"]]).all()
    assert all(page.evaluate("i => harness.pixel(i)", i)[3] > 200 for i in range(0, 5000, 250))


# ---- the view ----


def test_zoom_by_wheel_keeps_the_place_under_the_pointer(maps: Any) -> None:
    page = maps()
    x, y = (round(v) for v in page.at(6))  # a wheel event knows whole pixels only
    aside = np.subtract(page.at(6), (x, y))
    page.canvas().focus()
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    page.wait_for_function("+document.querySelector('.te-map').dataset.zoom > 1.5")
    page.rest()
    zoom = float(page.map().get_attribute("data-zoom"))
    assert np.allclose(page.at(6), (x, y) + zoom * aside, atol=0.1)
    assert np.abs(np.subtract(page.at(8), page.at(6))).max() > 100
    page.take(10, page.grid(shift=3.0))
    page.rest()
    assert float(page.map().get_attribute("data-zoom")) > 1.5, "frames do not take the view back"
    page.map().get_by_role("button", name="Fit all tasks").click()
    page.rest()
    assert page.map().get_attribute("data-zoom") == "1.00"
    assert np.allclose(page.where(), page.target(page.grid(shift=3.0)), atol=0.01)
    where = page.where().reshape(-1, 2)
    assert where.min() > 0


def test_a_page_scrolled_past_the_map_goes_on_scrolling(maps: Any) -> None:
    page = maps()
    page.canvas().focus()
    page.evaluate("document.body.style.paddingTop = document.body.style.paddingBottom = '500px'")
    page.evaluate(
        """() => {
            const turned = { deltaY: 100, bubbles: true, cancelable: true };
            const roll = target => target.dispatchEvent(new WheelEvent("wheel", turned));
            roll(document.body);
            window.first = roll(document.querySelector(".te-map canvas"));
        }"""
    )
    assert page.evaluate("first") is True, "not prevented: the page scrolls"
    assert page.evaluate("harness.maps[0].viewport.own") is False


def test_the_wheel_zooms_with_ctrl_or_after_a_click_and_else_scrolls(maps: Any) -> None:
    page = maps()
    roll = """more => document.querySelector(".te-map canvas").dispatchEvent(
        new WheelEvent("wheel", { deltaY: -100, bubbles: true, cancelable: true, ...more }))"""
    assert page.evaluate(roll, {}) is True, "not prevented: the page scrolls"
    assert page.evaluate("harness.maps[0].viewport.own") is False
    assert page.evaluate(roll, {"ctrlKey": True}) is False
    assert page.evaluate("harness.maps[0].viewport.own") is True
    page.map().get_by_role("button", name="Fit all tasks").click()
    page.rest()
    page.mouse.click(*page.at(3))
    expect(page.canvas()).to_be_focused()
    assert page.evaluate(roll, {}) is False, "a click into the map gives it the wheel"


def test_zoom_and_pan_by_keys_buttons_and_drag(maps: Any) -> None:
    page = maps()
    canvas = page.canvas()
    for press, zoom in (("+", "1.50"), ("+", "2.25"), ("-", "1.50"), ("0", "1.00")):
        canvas.press(press)
        page.rest()
        assert page.map().get_attribute("data-zoom") == zoom
    page.map().get_by_role("button", name="Zoom in").click()
    page.map().get_by_role("button", name="Zoom out").click()
    page.rest()
    assert page.map().get_attribute("data-zoom") == "1.00"

    before = page.where()
    canvas.press("Shift+ArrowRight")
    page.rest()
    assert np.allclose((page.where() - before).reshape(-1, 2), [-80, 0], atol=0.1)
    page.keyboard.press("0")
    page.rest()
    x, y = page.at(12)
    page.drag((x + 20, y + 20), (x + 70, y - 10))
    assert np.allclose((page.where() - before).reshape(-1, 2), [50, -30], atol=0.6)
    assert page.get("chosen") == -1, "a drag is no click"
    page.take(10, page.grid(), {"projection": "umap"})
    page.rest()
    assert np.allclose(page.where(), before, atol=0.1), "another projection is another map: it is seen whole"
    expect(page.map().locator(".te-map-title")).to_have_text("Task space, UMAP")


def test_two_fingers_zoom(maps: Any) -> None:
    page = maps()
    x, y = page.at(12)
    page.canvas().evaluate(
        """(canvas, [x, y]) => {
            canvas.setPointerCapture = () => {};
            const finger = (name, pointerId, dx) => canvas.dispatchEvent(
                new PointerEvent(name, { pointerId, clientX: x + dx, clientY: y, bubbles: true }));
            finger("pointerdown", 1, 0); finger("pointerdown", 2, 40);
            finger("pointermove", 2, 60); finger("pointermove", 2, 80);
            finger("pointerup", 2, 80); finger("pointerup", 1, 0);
        }""",
        [x, y],
    )
    page.rest()
    assert page.map().get_attribute("data-zoom") == "2.00"
    assert np.allclose(page.at(12), (x, y), atol=0.6)
    assert page.get("chosen") == -1


def test_another_pixel_ratio_and_another_size_are_drawn_anew(maps: Any) -> None:
    page = maps()
    before = page.where()
    screen = page.page.context.new_cdp_session(page.page)
    size = {"width": 900, "height": 640, "mobile": False}
    screen.send("Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": 2})
    # The browser tells a page of it on a real screen; Chromium's emulation changes the ratio in silence.
    page.evaluate("harness.maps[0].ratioQuery.dispatchEvent(new Event('change'))")
    assert page.evaluate("() => { const c = document.querySelector('canvas'); return c.width / c.clientWidth; }") == 2
    assert page.evaluate("harness.maps[0].ratioQuery.matches"), "the next change is watched for"
    page.rest()
    assert np.allclose(page.where(), before, atol=0.6), "sharper, in the same places"
    page.evaluate("document.getElementById('lab').style.setProperty('--te-map-height', '200px')")
    page.wait_for_function("document.querySelector('canvas').height === 400")
    page.rest()
    assert page.where()[1::2].max() < 200
    assert page.evaluate("harness.pixel(0)")[:3] == [0, 114, 178]


# ---- looking at tasks ----


@pytest.mark.parametrize("kind", ["curve", "scatter", "images", ""])
def test_hover_shows_the_task_itself_and_goes_with_its_point(maps: Any, kind: str) -> None:
    page = maps(kind=kind)
    card = page.map().locator(".te-map-card")
    expect(card).to_be_hidden()
    page.mouse.move(*page.at(6))
    expect(card).to_contain_text("task number 6")
    assert page.get("hover") == 6
    picture = card.locator("canvas")
    assert picture.is_visible() == bool(kind)
    if kind:
        painted = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)"
        assert picture.evaluate(painted)
    before = card.bounding_box()
    places = page.grid()
    places[12], places[13] = 2.5, 0.5  # task 6 goes to the right and down
    page.take(10, places)
    page.rest()
    after = card.bounding_box()
    moved = page.where()[12:14] - page.target(page.grid())[12:14]
    assert np.allclose([after["x"] - before["x"], after["y"] - before["y"]], moved, atol=1.5)
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()


def test_a_click_keeps_the_task_and_lists_its_neighbours(maps: Any) -> None:
    page = maps()
    page.mouse.click(*page.at(6))
    panel = page.map().get_by_role("group", name="Chosen task: task number 6")
    expect(panel).to_be_visible()
    assert page.map().get_attribute("data-chosen") == "6"
    lists = panel.locator(".te-map-list")
    assert lists.nth(1).get_by_role("button").all_inner_texts() == ["task number 7", "task number 8"], (
        "truth is at once"
    )
    expect(lists.nth(0)).to_contain_text("–")
    page.take(10, page.grid(), {"links": {"task": 6, "embedding": [18, 24], "truth": [7, 8]}})
    page.rest()
    assert lists.nth(0).get_by_role("button").all_inner_texts() == ["task number 18", "task number 24"]
    assert page.evaluate("harness.pixel(18, -20, 20)")[3] > 0, "a line to the neighbour"
    assert lists.nth(0).locator(".te-map-apart").all_inner_texts() == ["", ""], "a file has no distances"
    expect(panel.locator(".te-map-tick")).to_have_count(0)
    page.evaluate(TAKE_LINKS, [14, [0.25, 1.5, 2, 3]])
    page.rest()
    assert lists.nth(0).locator(".te-map-apart").all_inner_texts() == ["0.25", "1.50"]
    assert lists.nth(1).locator(".te-map-apart").all_inner_texts() == ["2.00", "3.00"]
    expect(panel.get_by_role("img", name="in both lists")).to_have_count(2)
    page.evaluate(TAKE_LINKS, [16, [0.5, 1.5, 2, 3]])
    page.rest()
    assert lists.nth(0).locator(".te-map-apart").all_inner_texts() == ["0.50", "1.50"], "they follow the frame"
    page.take(20, page.grid(), {"links": {"task": 5, "embedding": [1, 2], "truth": [1, 2]}})
    page.rest()
    assert page.evaluate("harness.pixel(18, -20, 20)")[3] == 0, "links of another task are not drawn"
    lists.nth(1).get_by_role("button", name="task number 7").click()
    assert page.get("chosen") == 7
    page.map().get_by_role("button", name="Let go of this task").click()
    assert page.get("chosen") == -1
    expect(panel).to_be_hidden()
    page.mouse.click(*page.at(3))
    page.mouse.click(*page.at(3))
    assert page.get("chosen") == -1, "a second click lets go"


SAID = "void (harness.said = [], new MutationObserver(() => harness.said.push(harness.maps[0].said.textContent))"
SAID += ".observe(harness.maps[0].said, { childList: true }))"


def test_a_task_that_stands_in_its_own_list_has_fewer_neighbours_in_truth(maps: Any) -> None:
    page = maps()
    own = "([i, j]) => { const t = harness.tasks(25, 'curve'); const near = Uint16Array.from({ length: 50 }, () => i);"
    own += " near[2 * i] = j; t.truth = { k: 2, neighbours: new DataView(near.buffer) }; harness.setTasks(t); }"
    for neighbour, listed, said in (
        (7, ["task number 7"], "Nearest in truth: task number 7."),
        (6, [], "Nearest in truth: none: all others are equally far."),
    ):
        page.evaluate(own, [6, neighbour])
        page.rest()
        page.mouse.click(*page.at(6))
        truth = page.map().locator(".te-map-list").filter(has_text="Nearest in truth")
        expect(truth.locator(".te-map-neighbour")).to_have_text(listed)
        expect(page.map().locator("[aria-live=polite]")).to_contain_text(said)
        page.mouse.click(*page.at(6))


@pytest.mark.parametrize("still", [False, True])
def test_the_neighbours_of_a_chosen_task_are_said_once_when_they_come(maps: Any, still: bool) -> None:
    page = maps(state={"still": still})
    page.evaluate("void (harness.page.playing = () => true)")
    page.evaluate(SAID)
    page.mouse.click(*page.at(6))
    truth = "Nearest in truth: task number 7, task number 8."
    assert page.evaluate("harness.said") == [f"Chosen: task number 6. {truth}"], "not that there are none"
    for step, near in ((10, [18, 24]), (20, [18, 11]), (30, [11, 24])):
        page.take(step, page.grid(shift=step / 10), {"links": {"task": 6, "embedding": near, "truth": [7, 8]}})
    page.rest()
    said = f"Chosen: task number 6. Nearest in the embedding: task number 18, task number 24. {truth}"
    assert page.evaluate("harness.said")[1:] == [said], "once, though the map moves, and not at every frame"
    page.mouse.click(*page.at(6))
    page.mouse.click(*page.at(6))
    assert page.evaluate("harness.said")[2:], "a task that is chosen again is said again"


def test_a_run_that_stands_still_says_the_neighbours_of_each_frame_looked_at(maps: Any) -> None:
    page = maps(state={"still": True, "chosen": 6})
    for step, near in ((10, 18), (20, 11)):
        page.take(step, page.grid(), {"links": {"task": 6, "embedding": [near], "truth": [7, 8]}})
        said = page.map().locator("[aria-live=polite]")
        expect(said).to_contain_text(f"Nearest in the embedding: task number {near}. ")


def test_what_changed_shows_who_is_near_under_one_distance_only(maps: Any) -> None:
    page = maps(state={"chosen": 12})
    page.evaluate(
        """() => {
            const lost = Uint8Array.from({ length: 25 }, (_, i) => ({ 0: 1, 12: 2 })[i] ?? 0);
            const counts = new DataView(lost.buffer);
            const links = { task: 12, embedding: [13, 7], truth: [11] };
            const changes = { metric: "cosine", share: 0.1, counts, lost: [13], gained: [17] };
            harness.take(10, harness.grid(25), { links, changes });
        }"""
    )
    page.rest()
    lists = page.map().locator(".te-map-list")
    expect(lists).to_have_text(["Stays neartask number 7", "Only nowtask number 13", "Only under cosinetask number 17"])
    levels = page.evaluate("[...harness.maps[0].levels]")
    assert [i for i, level in enumerate(levels) if level == 2] == [0, 12], "what keeps its neighbours steps back"
    page.mouse.move(*page.at(0))
    expect(page.map().locator(".te-map-card")).to_contain_text("1 of its nearest would change")
    page.take(20, page.grid())
    page.rest()
    assert page.evaluate("harness.maps[0].levels.every(level => level === 2)")


# ---- the keyboard ----


def test_arrows_go_to_the_neighbour_on_the_screen(maps: Any) -> None:
    page = maps()
    canvas = page.canvas()
    for key, task in (
        ("ArrowRight", 12),  # begins in the middle
        ("ArrowRight", 13),
        ("ArrowUp", 18),
        ("ArrowLeft", 17),
        ("ArrowDown", 12),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 24),
        ("PageUp", 23),
    ):
        canvas.press(key)
        assert page.get("hover") == task, key
    expect(page.map().locator("[aria-live=polite]")).to_have_text("task number 23")
    expect(page.map().locator(".te-map-card")).to_contain_text("task number 23")
    page.keyboard.press("Enter")
    assert page.get("chosen") == 23
    expect(page.map().locator("[aria-live=polite]")).to_contain_text("Nearest in truth: task number 24, task number 0")
    page.keyboard.press("Escape")
    assert (page.get("chosen"), page.get("hover")) == (-1, 23)
    page.keyboard.press("Escape")
    assert page.get("hover") == -1


def test_every_task_is_reached_by_keys_and_tab_passes_by(maps: Any) -> None:
    page = maps(30)
    page.canvas().focus()
    reached = []
    for _ in range(30):
        page.keyboard.press("PageDown")
        reached.append(page.get("hover"))
    assert reached == list(range(30))
    stops = page.map().evaluate(
        "map => [...map.querySelectorAll('[tabindex], button')].filter(e => !e.closest('[hidden]') && !e.hidden).length"
    )
    assert stops == 5, "the canvas and four buttons, whatever the number of tasks"


def test_keys_of_the_map_do_not_reach_the_page_and_others_do(maps: Any) -> None:
    page = maps()
    page.evaluate("window.heard = []; document.addEventListener('keydown', event => heard.push(event.key))")
    page.canvas().focus()
    for key in ("ArrowRight", " ", "Enter", "+", "p", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["p"]


def test_a_task_beyond_the_edge_is_brought_into_view(maps: Any) -> None:
    page = maps()
    canvas = page.canvas()
    for _ in range(4):
        canvas.press("+")
    page.rest()
    canvas.press("Home")
    page.rest()
    where = page.where()[:2]
    box = canvas.bounding_box()
    assert 0 < where[0] < box["width"]
    assert 0 < where[1] < box["height"]


# ---- selecting and filtering ----


def test_lasso_by_button_by_shift_and_by_keys_in_both_maps(maps: Any) -> None:
    page = maps(runs=2)
    tool = page.map(0).get_by_role("button", name=re.compile("^Lasso"))
    tool.click()
    expect(tool).to_have_attribute("aria-pressed", "true")
    corners = page.around([0, 1, 5, 6])
    page.drag(*corners)
    assert page.get("selected") == [0, 1, 5, 6]
    for run in (0, 1):
        expect(page.map(run).locator(".te-map-chip")).to_have_text("4 selected ×")
        levels = page.evaluate("run => [...harness.maps[run].levels]", run)
        assert [i for i, level in enumerate(levels) if level == 2] == [0, 1, 5, 6]
    tool.click()
    page.keyboard.down("Shift")
    page.drag(*page.around([23, 24]))
    page.keyboard.up("Shift")
    assert page.get("selected") == [23, 24]
    page.canvas().press("Home")
    page.keyboard.press("Space")
    assert page.get("selected") == [0, 23, 24]
    expect(page.map(0).locator(".te-map-card")).to_contain_text("one of 3 selected")
    page.keyboard.press("Space")
    assert page.get("selected") == [23, 24]
    page.map(1).locator(".te-map-chip").click()
    assert page.get("selected") == []
    expect(page.map(0).locator(".te-map-chip")).to_be_hidden()


def test_a_lasso_is_given_up_with_escape_and_needs_more_than_a_click(maps: Any) -> None:
    page = maps()
    page.map().get_by_role("button", name=re.compile("^Lasso")).click()
    (x, y), *others = page.around([0, 1, 5, 6])
    page.canvas().focus()
    page.mouse.move(x, y)
    page.mouse.down()
    for corner in others:
        page.mouse.move(*corner, steps=4)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert page.get("selected") == []
    page.mouse.click(*page.at(6))
    assert (page.get("selected"), page.get("chosen")) == ([], 6), "a click in lasso mode is a click"


def test_the_legend_filters(maps: Any) -> None:
    page = maps()
    legend = page.get_by_role("group", name="Legend: kind")
    entries = legend.locator(".te-legend-entry")
    expect(entries).to_have_text(["kind 0", "kind 1", "kind 2"])
    show_all = legend.get_by_role("button", name="Show all")
    expect(show_all).to_be_hidden()
    entries.nth(0).click()
    expect(entries.nth(0)).to_have_attribute("aria-pressed", "false")
    page.rest()
    faint = page.evaluate("harness.pixel(0)")
    assert 0 < faint[3] < 60, "very faint, but there"
    page.mouse.move(*page.at(0))
    page.mouse.move(*page.at(6))
    assert page.get("hover") == -1, "what is filtered out is not pointed at"
    page.canvas().press("Home")
    assert page.get("hover") == 1
    show_all.click()
    assert page.get("hidden") == []
    entries.nth(1).dblclick()
    assert page.get("hidden") == [0, 2], "only this one"
    entries.nth(2).click(modifiers=["Alt"])
    assert page.get("hidden") == [0, 1]
    entries.nth(0).press("Enter")
    assert page.get("hidden") == [1]
    page.set("colour", 1)
    assert page.get("hidden") == [], "other colours have other groups"
    expect(page.get_by_role("group", name="Legend: size")).to_be_visible()
    assert "gradient" in page.locator(".te-legend-entries").evaluate("e => getComputedStyle(e).backgroundImage")
    page.set("colour", 2)
    expect(page.locator(".te-legend-ring")).to_be_visible()


def test_filtered_tasks_are_not_caught_by_the_lasso(maps: Any) -> None:
    page = maps()
    page.locator(".te-legend-entry").nth(0).click()
    page.keyboard.down("Shift")
    page.drag(*page.around([0, 1, 5, 6]))
    page.keyboard.up("Shift")
    assert page.get("selected") == [1, 5], "0 and 6 are of the kind that is filtered out"


# ---- for everyone ----


def test_the_canvas_says_what_it_is(maps: Any) -> None:
    page = maps(runs=2)
    canvas = page.canvas(1)
    expect(canvas).to_have_attribute("aria-roledescription", "map of tasks")
    expect(canvas).to_have_attribute("aria-label", "Map of 25 tasks, PCA, Run B")
    described = canvas.get_attribute("aria-describedby")
    expect(page.locator(f"#{described}")).to_contain_text("Arrow keys go to the nearest task")
    assert (
        page.locator(
            "button:not([data-lm-suppress-shortcuts]), canvas[tabindex]:not([data-lm-suppress-shortcuts])"
        ).count()
        == 0
    )


@pytest.mark.parametrize("theme", ["", DARK])
def test_every_outline_stands_out_from_the_paper(maps: Any, theme: str) -> None:
    page = maps(theme=theme)
    worst = page.evaluate(
        """() => {
            const { paper, ink, near, truth, lost, gained } = harness.maps[0].palette;
            const fills = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#00224e", "#7c7b78",
                "#fee838", "#ffffff", "#000000", "#e2d9e2", "#2f1436"].map(css => rgbOf(css, "#808080"));
            const outlines = fills.map(fill => contrast(outlineOf(fill, paper, ink), paper));
            return Math.min(...outlines, ...[near, truth, lost, gained].map(line => contrast(line, paper)));
        }"""
    )
    assert worst >= 3


def test_a_theme_that_changes_is_drawn_anew(maps: Any) -> None:
    page = maps()
    page.add_style_tag(content=f"body[data-jp-theme-light=false] {{ {DARK.split('{')[1]}")
    assert page.evaluate("harness.maps[0].palette.dark") is False
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    page.wait_for_function("harness.maps[0].palette.dark")


def test_projector_mode_has_larger_points_and_a_removed_map_leaves_nothing(maps: Any) -> None:
    page = maps()
    small = page.evaluate("harness.maps[0].atlas.size")
    page.set("projector", True)
    page.rest()
    assert page.evaluate("harness.maps[0].atlas.size") > 1.3 * small
    page.take(10, page.grid()[::-1])
    page.evaluate("harness.maps[0].remove(); harness.legend.remove()")
    assert page.locator("#lab canvas").count() == 0
    assert page.evaluate("harness.page.listening()") == 0, "nobody listens any more"
    page.evaluate("harness.maps[0].draw()")
    drawn = page.evaluate("harness.maps[0].drawn")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("harness.maps[0].drawn") == drawn


# ---- pictures in place of points ----

PICTURED = "() => Array.from(harness.maps[0].thumbnails.has)"


def test_pictures_stand_in_place_of_points_until_the_switch_is_pressed(maps: Any) -> None:
    page = maps(kind="thumbnails")
    switch = page.map().get_by_role("button", name="Pictures: the tasks' own pictures")
    expect(switch).to_have_attribute("aria-pressed", "true")
    assert page.map().get_attribute("data-pictures") == str(N)
    assert page.evaluate("harness.pixel(6)")[:3] == [31, 35, 40], "ink in the middle"
    half = page.evaluate("harness.maps[0].thumbnails.reach(6) / harness.maps[0].ratio")
    assert page.evaluate(f"harness.pixel(6, {half - 2.5}, 0)")[:3] == [0, 114, 178], "the edge has the group's colour"
    x, y = page.at(6)
    page.mouse.move(x + half - 2, y + half - 2)
    assert page.get("hover") == 6, "the corner of a picture is the picture"
    switch.press("Enter")
    page.rest()
    expect(switch).to_have_attribute("aria-pressed", "false")
    assert page.get("pictures") is False
    assert page.map().get_attribute("data-pictures") == "0"
    assert page.evaluate("harness.pixel(6)")[:3] == [0, 114, 178]
    page.set("pictures", True)
    page.rest()
    assert page.map().get_attribute("data-pictures") == str(N)


def test_where_pictures_would_meet_one_is_drawn_and_a_zoom_gives_the_others_room(maps: Any) -> None:
    page = maps(n=36, kind="thumbnails")
    places = page.grid(36)
    places[2 * 15], places[2 * 15 + 1] = places[2 * 14] + 0.2, places[2 * 14 + 1]
    page.take(10, places)
    page.rest()
    pictured = page.evaluate(PICTURED)
    assert sorted((pictured[14], pictured[15])) == [0, 1]
    left = 14 if not pictured[14] else 15
    page.set("hover", left)
    page.rest()
    assert page.evaluate(PICTURED)[left] == 2, "the hovered task is drawn over the others"
    page.set("hover", -1)
    page.evaluate("harness.maps[0].zoomTo([14, 15])")
    page.rest()
    assert page.evaluate(PICTURED)[14:16] == [1, 1]


def test_many_tasks_begin_as_points_and_a_family_without_pictures_has_no_switch(maps: Any) -> None:
    page = maps(n=900, kind="thumbnails")
    switch = page.map().get_by_role("button", name="Pictures: the tasks' own pictures")
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    page.rest()
    assert int(page.map().get_attribute("data-pictures")) > 20
    assert page.map().evaluate("m => m.__map.thumbnails.sheet.width * m.__map.thumbnails.sheet.height") < 2e7
    page.evaluate("harness.setTasks(harness.tasks(900, 'images'))")
    page.rest()
    expect(switch).to_be_hidden()
    assert page.map().get_attribute("data-pictures") == "0"


def test_a_dark_theme_turns_pictures_over(maps: Any) -> None:
    page = maps(kind="thumbnails", theme=DARK)
    assert min(page.evaluate("harness.pixel(6)")[:3]) > 200, "light ink"
