"""The layout of the lab's page: what is in sight, what grows, what moves and what stays, and names of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import page_alone
from tests.browser.page_alone import AlonePage, OpenLab

# The fixtures; imported by name, each test that takes one would hide it.
documents, open_lab = page_alone.documents, page_alone.open_lab

MEASURE = Path(__file__).with_name("text_boxes.js")
LABELLED = """names => { const tasks = model.get("tasks");
  model.set("tasks", { ...tasks, labels: true, names: tasks.names.map((_, i) => names[i % names.length]) }); }"""
LONG = "an extraordinarily long name of a task " * 5
STRANGE = {
    "long": [LONG, LONG.replace(" ", "")],
    "right to left": ["שפה עברית מן הצפון " * 8, "اللغة العربية الفصحى " * 8, "עברית"],
    "markup": ["<b>bold</b> & <i>x</i>", "&amp; &lt;script&gt;", "<img src=x onerror=alert(1)>" * 6],
}


def problems(lab: AlonePage) -> list[str]:
    lab.next_frame()
    found: list[str] = lab.evaluate("textBoxes.problems(lab.root)")
    return found


def height(lab: AlonePage) -> float:
    told: float = lab.evaluate("lab.maps[0].canvas.clientHeight")
    return told


def tops(lab: AlonePage) -> list[float]:
    """Where the sliders stand."""
    told: list[float] = lab.evaluate(
        "[...lab.root.querySelectorAll('input[type=range]')].map(one => one.getBoundingClientRect().top)"
    )
    return told


def test_play_a_slider_the_map_and_the_curves_are_in_sight_together(open_lab: OpenLab) -> None:
    lab = open_lab(width=860)  # the room that a notebook has in a window of 1280x720, and 600 pixels of height
    parts = [".te-play", "[name=margin]", "[name=learning_rate]", ".te-map-canvas", ".te-curve-canvas", ".te-timeline"]
    for part in parts:
        for box in lab.root.locator(f"{part} >> visible=true").all():
            seen = box.bounding_box()
            assert seen is not None, part
            assert 0 <= seen["y"] <= 600 - seen["height"], part


def test_a_large_window_is_used(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    small = height(lab)
    lab.set_viewport_size({"width": 1920, "height": 1080})
    lab.next_frame()
    assert height(lab) > small + 250
    assert lab.evaluate("lab.maps[0].canvas.clientWidth") > 1100


def test_the_handle_makes_the_map_higher_by_mouse_and_keys_and_the_height_stays(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    before = height(lab)
    handle = lab.root.get_by_role("separator", name="Height of the map")
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.mouse.move(x, y)
    lab.mouse.down()
    lab.mouse.move(x, y + 55, steps=4)
    lab.mouse.up()
    assert height(lab) == pytest.approx(before + 55, abs=1)
    expect(handle).to_be_focused()
    handle.press("ArrowDown")
    assert height(lab) == pytest.approx(before + 75, abs=1)
    expect(handle).to_have_attribute("aria-valuenow", str(round(before + 75)))
    assert not lab.sent("look"), "the arrow keys of the handle are not the timeline's"
    lab.button("Projector").click()
    lab.button("Leave projector mode").click()
    lab.wait_for_function("height => lab.maps[0].canvas.clientHeight === height", arg=round(before + 75))
    lab.evaluate(
        "() => { lab.remove(); globalThis.lab = new lab.constructor(model, document.getElementById('te-root')); }"
    )
    assert height(lab) == pytest.approx(before + 75, abs=1), "shown anew, it is as high as it was"
    handle.press("Home")
    expect(handle).to_have_attribute("aria-valuenow", "160")
    handle.dblclick()
    assert height(lab) == pytest.approx(before, abs=1)


def test_the_card_of_a_task_moves_no_slider(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    before = tops(lab)
    lab.evaluate("lab.set('chosen', 3)")
    expect(lab.root.locator(".te-map-chosen")).to_be_visible()
    assert tops(lab) == before


@pytest.mark.parametrize("runs", [1, 2])
def test_a_narrow_window_works(open_lab: OpenLab, runs: int) -> None:
    lab = open_lab(runs, width=700)
    lab.add_script_tag(path=MEASURE)
    assert problems(lab) == []
    assert lab.evaluate("document.documentElement.scrollWidth") <= 700
    lab.set_viewport_size({"width": 420, "height": 720})
    assert problems(lab) == []


def test_a_long_status_is_whole_in_a_window_of_1280(open_lab: OpenLab) -> None:
    lab = open_lab(width=860)
    settings = (
        "Contrastive, squared (Hadsell), Squared Euclidean distance, margin 1.35, mining All, learning rate 0.001"
    )
    lab.kernel("put", "transport", {"status": f"Step 1000, trained with {settings}. Training goes on."})
    words = lab.root.locator(".te-status-words")
    expect(words).to_contain_text("Training goes on.")
    assert words.evaluate("words => words.scrollHeight <= words.clientHeight + 1")


def test_the_way_out_of_projector_mode_says_so(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    lab.button("Projector").click()
    lab.button("Leave projector mode").click()
    expect(lab.button("Projector")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_on_a_wall_nothing_is_below_the_edge_and_letters_grow(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(2, width=size[0])
    lab.add_script_tag(path=MEASURE)
    lab.set_viewport_size({"width": size[0], "height": size[1]})
    lab.button("Projector").click()
    lab.wait_for_function("document.fullscreenElement === lab.root")
    assert problems(lab) == []
    letters = lab.evaluate("parseFloat(getComputedStyle(lab.root).fontSize)")
    assert letters >= (20 if size[1] == 720 else 28)
    assert lab.evaluate("lab.maps[0].letters") == letters
    lab.evaluate("lab.set('chosen', 3)")
    assert [each for each in problems(lab) if " lies on " in each] == [], (
        "a card may scroll the wall, and lies on nothing"
    )


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("pairs", [True, False])
def test_on_a_wall_the_scores_are_shown_with_pairs_and_without(
    open_lab: OpenLab, pairs: bool, runs: int, size: tuple[int, int]
) -> None:
    lab = open_lab(runs, width=size[0])
    lab.set_viewport_size({"width": size[0], "height": size[1]})
    if not pairs:
        lab.evaluate(
            """() => { const help = model.get("help");
            const scores = Object.fromEntries(Object.entries(help.scores).filter(([, { pairs }]) => !pairs));
            model.set("help", { ...help, scores, panels: help.panels.filter(title => title !== "Active pairs") });
            lab.curves.declare(); lab.curves.show(); }"""
        )
    lab.button("Projector").click()
    lab.wait_for_function("document.fullscreenElement === lab.root")
    assert lab.root.locator(".te-curve-title >> visible=true").all_inner_texts() == ["Loss", "Mean distance", "Scores"]
    numbers = lab.root.locator(".te-curve").filter(has_text="Scores").locator(".te-number >> visible=true").all()
    assert len(numbers) >= 2
    for number in numbers:
        box = number.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size[1]


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("runs", [1, 2])
def test_on_a_wall_a_chosen_task_leaves_the_map_half_of_it(open_lab: OpenLab, runs: int, size: tuple[int, int]) -> None:
    lab = open_lab(runs, width=size[0])
    lab.set_viewport_size({"width": size[0], "height": size[1]})
    lab.button("Projector").click()
    lab.wait_for_function("document.fullscreenElement === lab.root")
    lab.evaluate(
        """() => { const picture = model.get("picture"); lab.set("chosen", 3);
        const links = { task: 3, embedding: [1, 2, 4, 5, 6], truth: [7, 8, 9, 10, 11] };
        const runs = picture.runs.map(run => ({ ...run, links }));
        model.set("picture", { ...picture, number: picture.number + 1, runs }); }"""
    )
    lab.next_frame()
    for map_ in lab.root.locator(".te-map").all():
        stage, card = map_.locator(".te-map-stage").bounding_box(), map_.locator(".te-map-chosen").bounding_box()
        assert stage is not None
        assert card is not None
        assert stage["height"] >= 0.45 * size[1]
        assert card["height"] <= 0.25 * size[1]
    if runs == 1:
        curves = lab.root.locator(".te-curves").bounding_box()
        assert curves is not None
        assert curves["y"] + curves["height"] <= size[1], "the curves stay in sight beside the map"


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("width", [1280, 700])
def test_names_of_every_kind_are_whole_or_shortened_and_never_read_as_markup(
    open_lab: OpenLab, kind: str, width: int
) -> None:
    lab = open_lab(width=width)
    lab.add_script_tag(path=MEASURE)
    lab.evaluate(LABELLED, STRANGE[kind])
    assert problems(lab) == []
    lab.evaluate(
        """() => { const picture = model.get("picture"); lab.set("chosen", 3);
        const links = { task: 3, embedding: [1, 2, 4, 5, 6], truth: [7, 8, 9, 10, 11] };
        const runs = picture.runs.map(run => ({ ...run, links }));
        model.set("picture", { ...picture, number: picture.number + 1, runs }); }"""
    )
    card = lab.root.locator(".te-map-chosen")
    expect(card.locator(".te-map-neighbour")).to_have_count(10)
    assert problems(lab) == []
    box: Any = lab.root.locator(".te-map-canvas").bounding_box()
    x, y = lab.evaluate("[...lab.maps[0].screenPositions().slice(0, 2)]")
    lab.mouse.move(box["x"] + x, box["y"] + y)
    hovered = lab.root.locator(".te-map-card")
    expect(hovered).to_be_visible()
    name = STRANGE[kind][0]
    expect(hovered.locator(".te-map-card-name")).to_have_text(name)
    inside, outside = hovered.bounding_box(), lab.root.locator(".te-map-stage").bounding_box()
    assert inside is not None
    assert outside is not None
    assert inside["x"] >= outside["x"] - 1
    assert inside["x"] + inside["width"] <= outside["x"] + outside["width"] + 1
    assert inside["y"] + inside["height"] <= outside["y"] + outside["height"] + 1
    assert lab.root.locator(".te-map b, .te-map i, .te-map img, .te-map script").count() == 0


def test_a_long_label_of_the_legend_is_shortened(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    lab.add_script_tag(path=MEASURE)
    lab.evaluate(
        """label => { const tasks = model.get("tasks"); const [first] = tasks.colours;
        const entries = first.entries.map(entry => ({ ...entry, label }));
        model.set("tasks", { ...tasks, colours: [{ ...first, name: label, entries }] }); }""",
        "<b>" + LONG,
    )
    assert problems(lab) == []
    assert lab.root.locator(".te-legend b").count() == 0
