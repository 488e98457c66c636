"""What the picture may not hide: its scale, that it shows one spot, whose settings it had; and what may not move."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import page_alone
from tests.browser.page_alone import OpenLab

# The fixtures; imported by name, each test that takes one would hide it.
documents, open_lab = page_alone.documents, page_alone.open_lab

ALARM = "All tasks have collapsed into one point: they are 0.01 apart on average."
PUT_RUN = """change => { const picture = model.get("picture");
const runs = picture.runs.map((run) => ({ ...run, ...change }));
model.set("picture", { ...picture, number: picture.number + 1, runs }); }"""
BAR = "(() => { const map = lab.maps[0]; return +map.root.dataset.bar * map.viewport.scale / map.ratio; })()"


@pytest.mark.parametrize("live", [True, False])
def test_a_pca_map_says_how_long_a_distance_is(open_lab: OpenLab, live: bool) -> None:
    lab = open_lab(live=live)
    lab.wait_for_function("+lab.maps[0].root.dataset.bar > 0")
    first = float(lab.evaluate("lab.maps[0].root.dataset.bar"))
    assert 30 < lab.evaluate(BAR) <= 90, "the bar is as long, in pixels, as it says in the embedding"
    for _ in range(4):
        lab.button("Zoom in").click()
    lab.wait_for_function("first => +lab.maps[0].root.dataset.bar < first", arg=first)
    lab.wait_for_function("!lab.maps[0].moving(performance.now())")
    assert 30 < lab.evaluate(BAR) <= 90


def test_a_umap_map_has_no_scale(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.wait_for_function("+lab.maps[0].root.dataset.bar > 0")
    lab.evaluate(PUT_RUN, {"projection": "umap"})
    expect(lab.root.locator(".te-map")).to_have_attribute("data-bar", "0")


@pytest.mark.parametrize(("longest", "bar"), [(0.19, 0.1), (0.2, 0.2), (4.99, 2), (5, 5), (9.9, 5), (1234, 1000)])
def test_the_bar_has_a_round_length(open_lab: OpenLab, longest: float, bar: float) -> None:
    lab = open_lab()
    assert lab.evaluate("longest => roundLength(longest)", longest) == pytest.approx(bar)


def test_a_collapsed_map_says_that_it_is_one_spot(open_lab: OpenLab) -> None:
    lab = open_lab()
    stamp = lab.root.locator(".te-map-stamp")
    expect(stamp).to_be_hidden()
    lab.evaluate(PUT_RUN, {"alarm": ALARM})
    expect(stamp).to_be_visible()
    expect(stamp).to_contain_text("one spot, magnified")
    assert float(lab.root.locator(".te-map-canvas").evaluate("canvas => getComputedStyle(canvas).opacity")) < 0.6
    lab.evaluate(PUT_RUN, {"alarm": ""})
    expect(stamp).to_be_hidden()


def test_an_alarm_moves_no_setting_from_under_the_hand(open_lab: OpenLab) -> None:
    lab = open_lab()
    slider = lab.root.locator("[name=margin]")
    before = slider.bounding_box()
    lab.evaluate(PUT_RUN, {"alarm": ALARM})
    expect(lab.root.locator(".te-alert")).to_contain_text("collapsed")
    lab.next_frame()
    assert slider.bounding_box() == before


@pytest.mark.parametrize("width", [850, 1280])
def test_a_long_status_moves_nothing_and_is_there_in_full(open_lab: OpenLab, width: int) -> None:
    lab = open_lab(width=width)
    status, map_, track = (lab.root.locator(one) for one in (".te-status", ".te-map-canvas", ".te-track"))
    before = [map_.bounding_box(), track.bounding_box()]
    for long in (
        "Paused.",
        "Two lines of what is going on. " * 2,
        "What a setting does takes many words to say. " * 12,
    ):
        lab.kernel("put", "transport", {"status": long.strip()})
        expect(status).to_have_text(long.strip())
        expect(lab.root.get_by_role("status").filter(has_text=long.strip())).to_have_count(1)
        assert [map_.bounding_box(), track.bounding_box()] == before
        status.hover()
    expect(status).to_have_attribute("title", long.strip())
    lab.kernel("put", "transport", {"status": "Paused."})
    expect(status).to_have_text("Paused.")
    lab.root.locator(".te-map-canvas").hover()
    status.hover()
    expect(status).to_have_attribute("title", "")


def test_the_projector_takes_the_whole_screen_and_escape_gives_it_back(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    lab.button("Projector").click()
    lab.wait_for_function("document.fullscreenElement === lab.root")
    expect(lab.root).to_have_class(re.compile("te-projector"))
    lab.next_frame()
    beyond = lab.evaluate("lab.root.scrollHeight - innerHeight")
    assert beyond <= 0, "all of it is in sight, without scrolling"
    assert lab.evaluate("lab.maps[0].canvas.clientWidth") > 0.45 * 1280
    expect(lab.root.get_by_role("radiogroup", name="Map")).to_be_visible()
    lab.evaluate("document.exitFullscreen()")  # what the browser does of itself when Escape is pressed
    expect(lab.root).not_to_have_class(re.compile("te-projector"))
    lab.keyboard.press("p")
    lab.wait_for_function("document.fullscreenElement === lab.root")
    lab.keyboard.press("p")
    lab.wait_for_function("document.fullscreenElement === null")
    expect(lab.root).not_to_have_class(re.compile("te-projector"))


def test_curves_follow_another_theme_at_once(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate(
        """() => { globalThis.strokes = [];
        const curve = document.querySelector(".te-curve-canvas");
        const { get, set } = Object.getOwnPropertyDescriptor(CanvasRenderingContext2D.prototype, "strokeStyle");
        Object.defineProperty(curve.getContext("2d"), "strokeStyle", {
          get, set(colour) { strokes.push(colour); set.call(this, colour); } });
        document.body.dataset.jpThemeLight = "false"; }"""
    )
    lab.wait_for_function("strokes.includes('#56b4e9')")
