"""What lies over the map and its cards: names, trails, networks' answers, and tasks that are left out."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Locator, expect

from taskembed_edu.live.export import export_html
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import NumberWords
from taskembed_edu.tasks.sketch import TaskFit
from tests.browser import page_alone, test_map
from tests.browser.page_alone import OpenLab
from tests.browser.test_map import MapPage

# The fixtures; imported by name, each test that takes one would hide it.
maps, documents, open_lab = test_map.maps, page_alone.documents, page_alone.open_lab

SET_TASKS = "([n, kind, more]) => harness.setTasks({ ...harness.tasks(n, kind), ...more })"
# Trails of two places each: the start, in sixteenths of the map's box, and the middle of the way to no matter where.
TAKE_TRAILS = """([step, places, start, more]) => {
    const words = Uint16Array.from({ length: 2 * places.length }, (_, k) => (start[k % 2] * 65535) / 16);
    const odd = new Uint8Array(1 + words.byteLength);
    odd.set(new Uint8Array(words.buffer), 1);
    const trails = { n: 2, points: new DataView(odd.buffer, 1) };
    harness.take(step, places, { trails, ...more });
}"""
TAKE_FIT = """([step, kind, values, n]) => {
    const numbers = () => ({ n, [kind === "curve" ? "points" : kind]: asView(Uint8Array.from(values)) });
    harness.take(step, harness.grid(25), { fit: { kind, ...(kind === "words" ? { words: values } : numbers()) } });
}"""
# How opaque the map is at a place of its own, in the box of the grid.
INK = """([x, y]) => { const { viewport, canvas } = harness.maps[0];
    const [across, down] = [Math.round(viewport.screenX(x)), Math.round(viewport.screenY(y))];
    return canvas.getContext("2d").getImageData(across, down, 1, 1).data[3]; }"""


def tool(page: MapPage, name: str, run: int = 0) -> Locator:
    return page.map(run).locator(".te-map-tools button", has_text=name)


def box_of(locator: Locator) -> Any:
    box = locator.bounding_box()
    assert box is not None
    return box


def data(page: MapPage, name: str, run: int = 0) -> str:
    page.rest()
    return page.map(run).get_attribute(f"data-{name}") or ""


def levels(page: MapPage) -> list[int]:
    found: list[int] = page.evaluate("[...harness.maps[0].levels]")
    return found


# ---- names beside the points ---------------------------------------------------------------------------------------


def labelled(maps: Any, n: int = 25, **options: Any) -> MapPage:
    page: MapPage = maps(n, **options)
    page.evaluate(SET_TASKS, [n, "curve", {"labels": True, "names": [f"name {i}" for i in range(n)]}])
    page.rest()
    return page


def test_names_stand_beside_the_points_until_they_are_put_off(maps: Any) -> None:
    page = labelled(maps, runs=2)
    for run in (0, 1):
        page.take(10, page.grid(), run=run)  # the view makes room for the names: none lies under a button
    assert data(page, "labels", 0) == data(page, "labels", 1) == "25"
    beside = page.evaluate("i => harness.pixel(i, 20, 0)", 6)
    tall = page.evaluate("[-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5].map(dy => harness.pixel(6, 20, dy)[3])")
    assert max(tall) > 200, beside
    button = tool(page, "labels")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(tool(page, "labels", 1)).to_have_attribute("aria-pressed", "false")
    assert data(page, "labels", 0) == data(page, "labels", 1) == "0"
    assert not any(page.evaluate("[-4, -2, 0, 2, 4].map(dy => harness.pixel(6, 20, dy)[3])"))
    tool(page, "labels", 1).click()
    assert data(page, "labels") == "25"


def test_without_names_or_trails_there_is_nothing_to_put_off(maps: Any) -> None:
    page = maps()
    expect(tool(page, "labels")).to_be_hidden()
    expect(tool(page, "trails")).to_be_hidden()
    assert data(page, "labels") == data(page, "trails") == "0"
    page.evaluate(SET_TASKS, [9, "curve", {"labels": True}])
    expect(tool(page, "labels")).to_be_hidden()  # the names of nine tasks, the points of 25
    page.take(0, page.grid(9))
    assert data(page, "labels") == "9"


def test_names_do_not_lie_over_each_other_but_what_is_looked_at_has_its_own(maps: Any) -> None:
    page = labelled(maps)
    crowd = [v for i in range(25) for v in (0.05 * (i % 5), 0.02 * (i // 5))]
    crowd[48:] = [4, 4]
    page.take(10, crowd)
    shown = int(data(page, "labels"))
    assert 2 <= shown < 20
    boxes = np.array(page.evaluate("harness.maps[0].labels.boxes")).reshape(-1, 4)
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:i]:
            assert left > other[2] or right < other[0] or top > other[3] or bottom < other[1]
    drawn = """() => { const { labels, painter } = harness.maps[0]; const drawn = []; const { draw } = labels;
        labels.draw = function (context, i, always) {
            const count = draw.call(this, context, i, always);
            if (count) drawn.push(i);
            return count;
        };
        painter.paint(); labels.draw = draw; return drawn; }"""
    absent = next(i for i in range(25) if i not in page.evaluate(drawn))
    page.set("chosen", absent)
    page.rest()
    assert absent in page.evaluate(drawn)
    page.set("chosen", -1)
    page.set("hover", absent)
    page.rest()
    assert absent in page.evaluate(drawn)
    # In the very corner a name finds room on no side.
    page.evaluate("i => { const [map] = harness.maps; map.pan(3 - map.screen[2 * i], 3 - map.screen[2 * i + 1]); }", 12)
    page.rest()
    assert 12 not in page.evaluate(drawn)
    page.set("hover", 12)
    page.rest()
    assert 12 in page.evaluate(drawn)


def test_names_stand_clear_of_points_buttons_and_the_scale_bar(maps: Any) -> None:
    page = labelled(maps)
    for shift in (0, 1, 2):
        places = [v for i in range(25) for v in (0.21 * ((7 * i) % 25) + 0.03 * shift * (i % 3), 0.2 * (i // 2))]
        page.take(10 * (shift + 1), places, {"projection": "pca"})
        page.rest()
        for pan in ((0, 0), (0, -60), (90, 60)):  # points lie under the buttons, and under the bar
            page.evaluate("([x, y]) => harness.maps[0].pan(x, y)", pan)
            page.rest()
            boxes, points, radius, taken = page.evaluate(
                "(([m]) => [m.labels.boxes, Array.from(m.screen), m.radius(), m.labels.taken])(harness.maps)"
            )
            names = np.array(boxes).reshape(-1, 4)
            assert len(names) > 4
            bar = np.array(taken).reshape(-1, 4)[-1]
            assert bar[2] == page.evaluate("harness.maps[0].canvas.width")
            for left, top, right, bottom in names:
                for x, y in np.array(points).reshape(-1, 2):
                    across, down = min(right, x + radius / 2) - max(left, x - radius / 2), min(bottom, y) - max(top, y)
                    assert min(across, down) <= 2, "a name lies under a point"
                for other in np.array(taken).reshape(-1, 4):
                    assert left > other[2] or right < other[0] or top > other[3] or bottom < other[1]


def test_the_buttons_are_measured_when_they_change_and_not_in_every_picture(maps: Any) -> None:
    page = labelled(maps)
    page.take(10, page.grid(), {"trails": {"n": 0, "missing": "begun"}})
    page.rest()
    measured = "harness.maps[0].tools.boxes().filter(box => box.length)"
    few = len(page.evaluate(measured))
    assert page.evaluate("(([m]) => m.tools.boxes() === m.tools.boxes())(harness.maps)")
    page.evaluate(TAKE_TRAILS, [20, page.grid(), [2, 2], {}])
    assert len(page.evaluate(measured)) == few - 1, "the words about trails are gone"
    right = page.evaluate(f"Math.max(...{measured}.map(box => box[2]))")
    tools = page.evaluate(
        "harness.maps[0].tools.root.lastElementChild.previousElementSibling.getBoundingClientRect().right"
    )
    canvas = box_of(page.canvas())
    assert abs(right / page.evaluate("devicePixelRatio") - (tools - canvas["x"])) < 2


def test_who_is_filtered_out_has_no_name_and_no_trail(maps: Any) -> None:
    page = labelled(maps)
    page.evaluate(TAKE_TRAILS, [10, page.grid(), [2, 2], {}])
    assert (data(page, "labels"), data(page, "trails")) == ("25", "25")
    page.locator(".te-legend-entry").nth(0).click()
    assert (data(page, "labels"), data(page, "trails")) == ("16", "16")


def test_names_are_measured_once_and_larger_with_a_projector(maps: Any) -> None:
    page = labelled(maps)
    page.evaluate(
        """() => { window.measured = 0; const { measureText } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.measureText = function (text) {
            measured += 1;
            return measureText.call(this, text);
        }; }"""
    )
    for step in (10, 20, 30):
        page.take(step, page.grid(shift=step / 100))
    page.rest()
    assert page.evaluate("measured") == 0
    small = page.evaluate("harness.maps[0].labels.high")
    page.set("projector", True)
    page.rest()
    assert page.evaluate("measured") == 25
    assert page.evaluate("harness.maps[0].labels.high") > 1.3 * small


# ---- trails --------------------------------------------------------------------------------------------------------


def test_trails_lead_from_the_start_to_where_the_points_are_now(maps: Any) -> None:
    page = maps()
    half = [2.25, 0.75]  # between the start at (0.5, 0.5) and task 9 at (4, 1)
    assert page.evaluate(INK, half) == 0
    page.evaluate(TAKE_TRAILS, [10, page.grid(), [2, 2], {}])
    page.rest()
    assert data(page, "trails") == "25"
    thin = page.evaluate(INK, half)
    assert 20 < thin < 200
    page.set("hover", 9)
    page.rest()
    assert page.evaluate(INK, half) > thin + 50, "the trail of what is looked at is stronger"
    page.set("hover", -1)
    tool(page, "trails").click()
    page.rest()
    assert (data(page, "trails"), page.evaluate(INK, half)) == ("0", 0)
    expect(tool(page, "trails")).to_have_attribute("aria-pressed", "false")
    tool(page, "trails").click()
    assert data(page, "trails") == "25"
    page.take(20, page.grid())
    assert data(page, "trails") == "0"
    expect(tool(page, "trails")).to_be_hidden()


# ---- where there are none ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "few", "whole"),
    [
        ("directions", "No trails: main directions are found anew at every step", "the weights"),
        ("crowd", "No trails: too many tasks", "hide the points"),
        ("begun", "Trails begin here", "This is where the tasks start"),
        ("anew", "Trails begin anew from here: other numbers are looked at", "from the next step on"),
        ("map", "Trails begin anew from here: UMAP drew another map", "from the next step on"),
        ("room", "No trails in this file", "small enough for a mail"),
    ],
)
def test_a_map_without_trails_says_why(maps: Any, missing: str, few: str, whole: str) -> None:
    page = maps()
    switch, excuse = tool(page, "trails"), page.map().locator(".te-map-excuse")
    page.evaluate(TAKE_TRAILS, [10, page.grid(), [2, 2], {}])
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(excuse).to_be_hidden()
    switch.focus()
    page.take(20, page.grid(), {"trails": {"n": 0, "missing": missing}})
    expect(switch).to_be_visible()
    expect(switch).to_be_disabled()
    expect(switch).to_be_focused()
    expect(switch).to_have_attribute("aria-pressed", "false")
    expect(switch).to_have_attribute("title", re.compile(f"^{few}. .*{whole}"))
    expect(switch).to_have_accessible_description(few)
    expect(excuse).to_have_text(few)
    expect(excuse).to_be_visible()
    switch.press("Enter")
    assert page.get("trails") is not False, "a switch that cannot be turned is not turned"
    assert data(page, "trails") == "0"
    page.evaluate(TAKE_TRAILS, [30, page.grid(), [2, 2], {}])
    expect(excuse).to_be_hidden()
    expect(switch).to_be_enabled()
    expect(switch).to_have_attribute("title", "Trails: the way of each task from its start")
    assert data(page, "trails") == "25"


def test_the_words_about_trails_are_no_obstacle_on_the_map(maps: Any) -> None:
    page = maps()
    page.take(10, page.grid(), {"trails": {"n": 0, "missing": "directions"}})
    box = box_of(page.map().locator(".te-map-excuse"))
    under = "([x, y]) => document.elementFromPoint(x, y).className"
    assert "te-map-canvas" in page.evaluate(under, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    button = box_of(tool(page, "trails"))
    assert "te-map-tool" in page.evaluate(under, [button["x"] + 5, button["y"] + 5])


def test_the_end_of_a_trail_goes_with_its_point(maps: Any) -> None:
    page = maps(4)
    page.evaluate("harness.freeze()")
    page.evaluate(TAKE_TRAILS, [10, [0, 0, 4, 0, 0, 4, 4, 4], [8, 8], {}])
    page.after(30)
    x, y = page.evaluate("[...harness.maps[0].glide.places.slice(6, 8)]")
    assert 1 < x < 3.95, "on its way"
    assert page.evaluate(INK, [(2 + x) / 2, (2 + y) / 2]) > 0


def test_the_view_follows_the_trails_while_they_are_seen_and_never_who_is_left_out(maps: Any) -> None:
    page = maps()
    places = page.grid()
    places[0] = -12  # task 0 lies far out
    reach = "harness.maps[0].viewport.to.span"
    page.evaluate(TAKE_TRAILS, [10, places, [0, 8], {"left_out": [0]}])
    page.rest()
    assert page.evaluate(reach) > 6, "the start is in sight"
    tool(page, "trails").click()
    page.rest()
    assert page.evaluate(reach) < 5, "and without it only the points that are there"
    page.evaluate(TAKE_TRAILS, [20, places, [14, 8], {"left_out": [0]}])
    page.evaluate("() => { const [map] = harness.maps; map.trails.places[0] = -12; }")
    tool(page, "trails").click()
    page.rest()
    assert page.evaluate(reach) < 5, "nor is the way of who is left out followed"


# ---- left out ------------------------------------------------------------------------------------------------------


def test_who_is_left_out_is_nowhere(maps: Any) -> None:
    page = labelled(maps)
    page.set("chosen", 7)
    expect(page.map().locator(".te-map-chosen")).to_be_visible()
    page.evaluate(TAKE_TRAILS, [10, page.grid(), [2, 2], {"left_out": [6, 7]}])
    page.rest()
    expect(page.map().locator(".te-map-chosen")).to_be_hidden()
    assert (data(page, "labels"), data(page, "trails")) == ("23", "23")
    assert page.evaluate("harness.pixel(7)")[3] == 0, "not even faint"
    expect(page.canvas()).to_have_attribute("aria-label", "Map of 23 tasks, PCA")
    page.mouse.move(*page.at(6))
    assert page.get("hover") == -1
    page.canvas().press("Home")
    for _ in range(6):
        page.keyboard.press("PageDown")
    assert page.get("hover") == 8, "0, 1, 2, 3, 4, 5, 8"
    page.keyboard.press("ArrowLeft")
    assert page.get("hover") not in (6, 7)
    page.keyboard.down("Shift")
    page.drag(*page.around([5, 6, 7, 8]))
    page.keyboard.up("Shift")
    assert page.get("selected") == [5, 8]
    page.set("selected", [])
    page.set("chosen", 5)
    lists = page.map().locator(".te-map-list").nth(1)
    expect(lists).not_to_contain_text("name 6")
    page.set("chosen", 7)
    page.take(20, page.grid())
    page.rest()
    expect(page.map().get_by_role("group", name="Chosen task: name 7")).to_be_visible()
    assert data(page, "labels") == "25"


def test_a_map_without_a_task_is_empty_and_whole(maps: Any) -> None:
    page = maps(4)
    page.take(10, page.grid(4), {"left_out": [0, 1, 2, 3]})
    page.rest()
    assert page.evaluate("Number.isFinite(harness.maps[0].viewport.to.span)")
    page.take(20, page.grid(4))
    page.rest()
    assert np.allclose(page.where(), page.target(page.grid(4)), atol=0.01)


# ---- what the tasks' own networks answer ---------------------------------------------------------------------------

ROWS = [["7", "семь", "sem"], ["16", "шестнадцать", "shestnadtsat"]]


def test_the_card_of_words_marks_what_the_network_gets_wrong(maps: Any) -> None:
    page = maps()
    page.evaluate(SET_TASKS, [25, "", {"card": {"kind": "words", "words": [ROWS] * 25}}])
    page.mouse.move(*page.at(6))
    card = page.map().locator(".te-map-card")
    expect(card.locator("th")).to_have_text(["#", "word", "letters"])
    expect(card.locator("td")).to_have_text([*ROWS[0], *ROWS[1]])
    expect(card.locator("canvas")).to_be_hidden()
    page.evaluate(TAKE_FIT, [10, "words", [["sem", "shes"]] * 25, 2])
    expect(card.locator("th")).to_have_text(["#", "word", "letters", "its network"])
    wrong = card.locator("td.te-wrong")
    expect(wrong).to_have_text(["shes"])
    alarm = wrong.evaluate("cell => getComputedStyle(cell).color")
    assert alarm != card.locator("td").nth(3).evaluate("cell => getComputedStyle(cell).color")
    expect(card.locator(".te-note")).to_have_text("its network spells 1 of 2 right")
    page.evaluate(TAKE_FIT, [20, "words", [["", "shestnadtsat"]] * 25, 2])
    expect(wrong).to_have_text(["–"])
    page.canvas().press("Home")
    expect(page.map().locator("[aria-live=polite]")).to_have_text("task number 0. its network spells 1 of 2 right")
    page.keyboard.press("Enter")
    panel = page.map().locator(".te-map-chosen")
    expect(panel.locator("td.te-wrong")).to_have_text(["–"])
    expect(panel.locator(".te-map-chosen-data .te-note")).to_have_text("its network spells 1 of 2 right")
    page.evaluate(TAKE_FIT, [30, "words", [["sem", "shestnadtsat"]] * 25, 2])
    expect(panel.locator("td.te-wrong")).to_have_count(0)
    expect(panel.locator("td").nth(1)).to_have_attribute("dir", "auto")


def test_the_card_of_words_says_which_numbers_were_shown_in_training(maps: Any) -> None:
    page = maps()
    card_of = {"kind": "words", "words": [ROWS] * 25, "shown": [[True, False]] * 24 + [[True, True]]}
    page.evaluate(SET_TASKS, [25, "", {"card": card_of}])
    page.mouse.move(*page.at(6))
    card = page.map().locator(".te-map-card")
    expect(card.locator("th")).to_have_text(["#", "word", "letters"])  # no network, no training
    page.evaluate(TAKE_FIT, [10, "words", [["sem", "shes"]] * 25, 2])
    expect(card.locator("th")).to_have_text(["#", "word", "letters", "its network", "training"])
    expect(card.locator("td:nth-child(5)")).to_have_text(["shown", "new"])
    rows = card.locator("tbody tr")
    expect(rows.nth(0)).to_have_attribute("title", "7 was shown to this network in training")
    expect(rows.nth(1)).to_have_attribute("title", "16 was not shown to this network in training")
    expect(card.locator(".te-note")).to_have_text("its network spells 1 of 2 right: 1 of 1 shown, 0 of 1 new")
    page.canvas().press("End")
    expect(card.locator("td:nth-child(5)")).to_have_text(["shown", "shown"])
    expect(card.locator(".te-note")).to_have_text("its network spells 1 of 2 right")
    page.keyboard.press("Enter")
    panel = page.map().locator(".te-map-chosen")
    expect(panel.locator("td:nth-child(5)")).to_have_text(["shown", "shown"])


# ---- a small map -----------------------------------------------------------------------------------------------------

LONG = [[str(k), "пятьдесят восемь", "pyatdesyat vosem"] for k in range(6)]
SPELT = [["pyatdesyat devyat devyat dev"] * 6] * 25


# The cells whose words are longer than what is seen of them.
CUT = """e => Array.from(e.querySelectorAll("td"), cell => [cell, getComputedStyle(cell)])
    .filter(([, style]) => style.display !== "none")
    .filter(([cell, style]) => style.textOverflow === "ellipsis" || cell.scrollWidth > cell.clientWidth + 1)
    .map(([cell]) => cell.textContent)"""


def small(maps: Any) -> MapPage:
    page: MapPage = maps()
    page.set_viewport_size({"width": 470, "height": 720})
    page.rest()
    page.evaluate(SET_TASKS, [25, "", {"card": {"kind": "words", "words": [LONG] * 25, "shown": [[True] * 6] * 25}}])
    page.evaluate(TAKE_FIT, [10, "words", SPELT, 6])
    page.rest()
    return page


def test_a_card_in_a_small_map_hides_neither_its_point_nor_the_chosen_one(maps: Any) -> None:
    page = small(maps)
    expect(page.map()).to_have_attribute("data-small", "true")
    page.set("chosen", 7)
    card, canvas = page.map().locator(".te-map-card"), box_of(page.canvas())
    for task in (0, 4, 6, 11, 12, 13, 15, 18, 24):
        page.mouse.move(*page.at(task))
        expect(card).to_be_visible()
        box = box_of(card)
        assert canvas["x"] <= box["x"]
        assert box["x"] + box["width"] <= canvas["x"] + canvas["width"] + 1
        for seen in (task, 7):
            x, y = page.at(seen)
            across, down = box["x"] < x < box["x"] + box["width"], box["y"] < y < box["y"] + box["height"]
            assert not (across and down), f"the card of {task} hides {seen}"
        assert canvas["y"] <= box["y"]
        assert box["y"] + box["height"] <= canvas["y"] + canvas["height"] + 1
        assert not card.evaluate(CUT), "a word is cut"
        assert box["height"] < 0.65 * canvas["height"]
    expect(card.locator("tbody tr").first.locator("td:visible")).to_have_text(["0", LONG[0][2], SPELT[0][0], "shown"])
    page.evaluate(TAKE_FIT, [20, "words", [["pyatdesyat vosem"] * 6] * 25, 6])
    expect(card.locator("tbody tr").first.locator("td:visible")).to_have_text(["0", LONG[0][2], "shown"])  # not twice


def test_the_chosen_task_s_words_are_whole_under_a_small_map(maps: Any) -> None:
    page = small(maps)
    page.set("chosen", 12)
    panel = page.map().locator(".te-map-chosen")
    words, lists = panel.locator(".te-map-chosen-data"), panel.locator(".te-map-lists")
    expect(words.locator("td").nth(1)).to_be_visible()  # here also as the language writes it
    assert words.evaluate("e => e.scrollHeight <= e.clientHeight + 1"), "every row is there without scrolling"
    assert not panel.evaluate(CUT), "a word is cut"
    wide = box_of(panel)["width"]
    assert box_of(words)["width"] > 0.8 * wide
    assert box_of(lists)["width"] > 0.8 * wide, "the neighbours have the width to themselves"
    assert box_of(lists)["y"] >= box_of(words)["y"] + box_of(words)["height"]
    page.evaluate(SET_TASKS, [25, "curve", {}])
    page.set("chosen", 12)
    expect(words.locator("table")).to_be_hidden()
    page.set_viewport_size({"width": 1100, "height": 720})
    page.rest()
    expect(page.map()).to_have_attribute("data-small", "false")


@pytest.mark.parametrize("way", ["Escape", "button"])
def test_the_chosen_task_is_let_go_from_its_panel(maps: Any, way: str) -> None:
    page = small(maps)
    page.set("chosen", 12)
    panel = page.map().locator(".te-map-chosen")
    if way == "Escape":
        panel.locator("button.te-map-neighbour").first.press("Escape")
    else:
        panel.get_by_role("button", name="Let go of this task").click()
    expect(panel).to_be_hidden()
    assert page.get("chosen") == -1
    expect(page.canvas()).to_be_focused()


HUES = """canvas => { const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let k = 0; k < data.length; k += 4) {
        found += data[k] > 180 && data[k + 1] < 130 && data[k + 2] < 90 && data[k + 3] > 150;
    }
    return found; }"""


def test_the_network_s_curve_is_drawn_over_the_true_one_and_goes_with_every_picture(maps: Any) -> None:
    page = maps()
    page.mouse.move(*page.at(6))
    card, picture = page.map().locator(".te-map-card"), page.map().locator(".te-map-card canvas")
    assert picture.evaluate(HUES) == 0
    page.evaluate(TAKE_FIT, [10, "curve", [128] * 25 * 32, 32])
    flat = picture.evaluate(HUES)
    assert flat > 60, "dashed, all along"
    expect(card.locator(".te-note")).to_have_text("solid: truth, dashed: the network")
    row = "canvas => [...canvas.getContext('2d').getImageData(40, 0, 30, canvas.height).data].join()"
    before = picture.evaluate(row)
    page.evaluate(TAKE_FIT, [20, "curve", [250] * 25 * 32, 32])
    assert picture.evaluate(row) != before
    page.take(30, page.grid())
    assert picture.evaluate(HUES) == 0
    expect(card.locator(".te-note")).to_have_text("")


def test_who_does_not_see_the_curve_hears_how_far_it_is_off(maps: Any) -> None:
    page = maps()
    page.evaluate(TAKE_FIT, [10, "curve", [255] * 25 * 32, 32])
    page.canvas().press("Home")
    x = np.linspace(-5, 5, 2001)
    gap = np.abs(5 - 5 * np.sin(x)).mean()
    said = page.map().locator("[aria-live=polite]").inner_text()
    found = re.fullmatch(r"task number 0\. its network is ([\d.]+) off on average", said)
    assert found
    assert float(found[1]) == pytest.approx(gap, abs=0.2)
    page.keyboard.press("Enter")
    expect(page.map().get_by_role("img", name="Data of task number 0: its network is")).to_be_visible()


def test_wrong_pictures_say_what_they_were_taken_for(maps: Any) -> None:
    page = maps(kind="images")
    page.evaluate(
        """() => { window.written = []; const { fillText } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
            written.push(text);
            return fillText.call(this, text, ...at);
        }; }"""
    )
    page.evaluate(TAKE_FIT, [10, "classes", [0, 0] * 25, 2])
    page.mouse.move(*page.at(6))  # its pictures show 2 and 3
    assert page.evaluate("written.filter(text => /^\\d( →.*)?$/.test(text))") == ["2", "3 → 2"]
    expect(page.map().locator(".te-map-card .te-note")).to_have_text("its network has 1 of 2 pictures wrong")


def test_wrong_points_are_crossed_out(maps: Any) -> None:
    page = maps(kind="scatter")
    page.mouse.move(*page.at(0))
    card, picture = page.map().locator(".te-map-card"), page.map().locator(".te-map-card canvas")
    page.evaluate(TAKE_FIT, [10, "classes", [k % 2 for k in range(125)], 5])
    expect(card.locator(".te-note")).to_have_text("its network has 0 of 5 points wrong")
    right = picture.evaluate("canvas => canvas.toDataURL()")
    page.evaluate(TAKE_FIT, [20, "classes", [1 - k % 2 for k in range(125)], 5])
    expect(card.locator(".te-note")).to_have_text("its network has 5 of 5 points wrong")
    assert picture.evaluate("canvas => canvas.toDataURL()") != right


def test_cards_that_nobody_looks_at_are_not_drawn(maps: Any) -> None:
    page = maps(state={"chosen": 3})
    page.evaluate(
        """() => { window.drawn = 0; const { draw } = TaskPicture.prototype;
        TaskPicture.prototype.draw = function (...given) { drawn += 1; return draw.apply(this, given); }; }"""
    )
    page.evaluate(TAKE_FIT, [10, "curve", [128] * 25 * 32, 32])
    assert page.evaluate("drawn") == 1, "the chosen one, and no card"
    page.take(20, page.grid())
    page.take(30, page.grid())
    assert page.evaluate("drawn") == 2, "once without, and then nothing has changed"


# ---- the whole page ------------------------------------------------------------------------------------------------

ROWS_OF = """([columns, values]) => model.set("rows", { runs: [{ first: 0, columns,
    values: new DataView(Float32Array.from(values, v => v ?? NaN).buffer) }] })"""


def test_scores_that_a_run_never_has_are_not_shown(open_lab: OpenLab) -> None:
    lab = open_lab()
    scores = lab.root.locator(".te-curve", has=lab.page.locator('[data-curve="recall@1"]'))
    shown = scores.locator(".te-curve-name:visible")
    expect(shown).to_have_text(["Recall@1 ", "Spearman ", "Trustworthiness "])
    columns = ["step", "loss", "recall@1", "spearman", "purity", "trustworthiness"]
    lab.evaluate(ROWS_OF, [columns, [0, 1, None, 0.1, 0.2, None, 10, 1, None, 0.3, 0.4, 0.9]])
    expect(shown).to_have_text(["Spearman ", "Purity ", "Trustworthiness "])
    expect(scores.locator("canvas")).to_have_attribute("aria-label", re.compile("Purity"))
    expect(scores.locator("canvas")).not_to_have_attribute("aria-label", re.compile("Recall"))
    swatch = scores.locator('[data-key="purity"]')
    assert swatch.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(0, 114, 178)"


def test_a_run_without_pairs_has_no_curve_of_them(open_lab: OpenLab) -> None:
    lab = open_lab()
    pairs = lab.root.locator('.te-curve:has([data-curve="active_pairs"])')
    expect(pairs).to_be_visible()
    lab.kernel("put", "tasks", {"pairs": False})
    expect(pairs).to_be_hidden()
    lab.kernel("put", "tasks", {"pairs": True})
    expect(pairs).to_be_visible()


def test_the_curve_of_distances_is_broken_where_what_is_measured_changed(open_lab: OpenLab) -> None:
    lab = open_lab()
    distances, loss = (lab.root.locator(f'[data-curve="{name}"]') for name in ("mean_distance", "loss"))
    expect(distances).to_have_attribute("data-gaps", "0")
    expect(distances).not_to_have_attribute("aria-label", re.compile("broken"))
    columns = ["step", "loss", "mean_distance"]
    lab.evaluate(ROWS_OF, [columns, [v for k in range(6) for v in (10 * k, 1, 1 if k < 3 else 40)]])
    lines = """() => { window.drawn = []; const { moveTo, lineTo, stroke } = CanvasRenderingContext2D.prototype;
        for (const [name, call] of Object.entries({ moveTo, lineTo, stroke })) {
            CanvasRenderingContext2D.prototype[name] = function (...at) {
                if (this.canvas.dataset.curve === "mean_distance" && this.lineWidth === 2) drawn.push(name);
                return call.apply(this, at);
            };
        } }"""
    lab.evaluate(lines)
    mark = {"step": 30, "text": "Cosine distance"}
    lab.evaluate("marks => model.set('marks', [marks])", [{**mark, "breaks": [30]}])
    expect(distances).to_have_attribute("data-gaps", "1")
    expect(distances).to_have_attribute("aria-label", re.compile("The line has a gap where the measure changed"))
    expect(distances).to_have_attribute("title", re.compile("Do not compare"))
    expect(loss).to_have_attribute("data-gaps", "0")
    assert lab.evaluate("drawn.slice(-7)") == ["moveTo", "lineTo", "lineTo", "moveTo", "lineTo", "lineTo", "stroke"]
    lab.evaluate("marks => model.set('marks', [marks])", [{**mark, "breaks": [11, 25]}])
    expect(distances).to_have_attribute("data-gaps", "2")
    lab.evaluate("marks => model.set('marks', [marks])", [{**mark, "breaks": [60]}])
    expect(distances).to_have_attribute("data-gaps", "0")  # what comes after the last row has not been measured yet


@pytest.mark.parametrize("live", [True, False])
def test_each_run_has_its_own_breaks_live_and_recorded(open_lab: OpenLab, live: bool) -> None:
    lab = open_lab(2, live=live)
    assert lab.evaluate("lab.marks().map((_marks, run) => lab.curves.breaks(run))") == [[], [30]]
    expect(lab.root.locator('[data-curve="mean_distance"]')).to_have_attribute("data-gaps", "1")


def recorded_languages(path: Path) -> Path:
    """An exported run whose frames have names, trails, spelt words, and one task that is left out at last."""
    session = Session("metric", family="gaussians", n_tasks=12, projection="pca", batch=4, hidden=8, dim=2)
    session.step(20)
    family = NumberWords()
    tasks = family.sample(12, n_shot=4, rng=torch.Generator().manual_seed(0))
    session._run.validation_set = dataclasses.replace(session.validation_set, tasks=tasks)
    session._run.split = session.split._replace(validation=family)
    vars(session.embedder).update(leaves_trails=True)
    for frame in list(session.history):
        centred = frame.embedding - frame.embedding.mean(axis=0)
        axes = np.linalg.lstsq(centred, frame.layout, rcond=None)[0].astype(np.float32)
        spelt = TaskFit(words=((f"step{frame.step}",) * 6,) * 12)
        gone = (11,) if frame.index == 2 else ()
        session.history._frames[frame.index] = dataclasses.replace(frame, axes=axes, fit=spelt, diverged_tasks=gone)
    return export_html([session], path)


def test_the_exported_page_has_names_trails_and_answers(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_context(viewport={"width": 1080, "height": 720}).new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(recorded_languages(tmp_path / "run.html").as_uri())
    root = page.locator(".te-map")
    expect(root).to_have_attribute("data-trails", "11")
    expect(root).to_have_attribute("data-labels", re.compile(r"^([5-9]|1\d)$"))
    page.locator(".te-map-canvas").press("Home")
    page.keyboard.press("Enter")
    answers = root.locator(".te-map-chosen td:nth-child(4)")
    expect(answers).to_have_text(["step20"] * 6)
    page.keyboard.press(",")
    expect(root).to_have_attribute("data-step", "10")
    expect(answers).to_have_text(["step10"] * 6)
    expect(root).to_have_attribute("data-trails", "12")
    expect(root.locator(".te-map-chosen td:nth-child(5)").first).to_have_text(re.compile("^(shown|new)$"))
    page.keyboard.press(",")
    expect(root).to_have_attribute("data-step", "0")
    expect(root.locator(".te-map-excuse")).to_have_text("Trails begin here")
    page.context.close()
    assert not problems
