"""The lab's page, alone: time, curves, two runs, and the recording that plays without a kernel."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Position, expect

from tests.browser import page_alone
from tests.browser.page_alone import OpenLab

# The fixtures; imported by name, each test that takes one would hide it.
documents, open_lab = page_alone.documents, page_alone.open_lab


# ---- time ----------------------------------------------------------------------------------------------------------


def test_scrubbing_has_one_look_under_way_and_the_newest_waits(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate("model.slow = true")
    slider = lab.root.get_by_role("slider", name="Time")
    for value in ("8", "5", "3"):
        slider.fill(value)
    assert lab.sent("look") == [{"do": "look", "step": 80}]
    expect(slider).to_have_value("3")
    lab.kernel("look", 80)
    assert [message["step"] for message in lab.sent("look")] == [80, 30], "the newest wish goes next, 50 never"
    expect(slider).to_have_value("3")
    lab.kernel("look", 30)
    expect(slider).to_have_attribute("aria-valuetext", "step 30 of 120")
    expect(lab.root).to_have_attribute("data-live", "false")


def test_a_look_that_is_lost_does_not_hold_up_the_next(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate("model.slow = true")
    slider = lab.root.get_by_role("slider", name="Time")
    slider.fill("8")
    slider.fill("5")
    lab.wait_for("look", 2)
    assert lab.sent("look")[1] == {"do": "look", "step": 50}


def test_a_kernel_that_answers_late_leaves_the_slider_to_the_hand(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate("model.slow = true")
    slider = lab.root.get_by_role("slider", name="Time")
    for sent, step in enumerate((110, 100, 90), start=1):
        slider.press("ArrowLeft")
        lab.wait_for("look", sent)
        lab.page.wait_for_function("lab.timeline.requestedStep === undefined")  # the request has timed out
        assert lab.sent("look")[-1] == {"do": "look", "step": step}
    expect(slider).to_have_attribute("aria-valuetext", "step 90 of 120")
    for step in (110, 100, 90):
        lab.kernel("look", step)
    expect(slider).to_have_attribute("aria-valuetext", "step 90 of 120")
    expect(lab.root.locator(".te-map")).to_have_attribute("data-step", "90")


def test_frame_by_frame_and_back_to_live(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(lab.button("Frame forward")).to_be_disabled()
    lab.button("Frame back").click()
    expect(lab.root.locator(".te-map")).to_have_attribute("data-step", "110")
    expect(lab.button("Live")).to_have_attribute("aria-pressed", "false")
    lab.button("Live").click()
    expect(lab.root).to_have_attribute("data-live", "true")
    assert [message["step"] for message in lab.sent("look")] == [110, None]


def test_marks_say_what_changed_and_lead_there(open_lab: OpenLab) -> None:
    lab = open_lab()
    mark = lab.button("Change at 60: margin 0.5")
    mark.focus()
    expect(mark.locator(".te-bubble")).to_be_visible()
    mark.press("Enter")
    expect(lab.root).to_have_attribute("data-step", "60")


def test_a_mark_after_the_newest_frame_leads_to_that_frame(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate("void (model.slow = true, model.set('marks', [[{ step: 123, text: 'margin 2' }]]))")
    lab.button("Change at 123: margin 2").click()
    assert lab.sent("look") == [{"do": "look", "step": 120}]
    lab.kernel("look", 120)
    assert lab.evaluate("[lab.timeline.requestedStep === undefined, lab.timeline.held]") == [True, False]


def test_a_live_picture_of_the_step_looked_at_is_not_its_answer(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate("void (model.slow = true)")
    lab.evaluate("void (lab.look(120), model.set('picture', { ...model.get('picture') }))")
    assert lab.evaluate("lab.timeline.held"), "until the kernel has answered the slider is the hand's"
    lab.kernel("look", 120)
    assert not lab.evaluate("lab.timeline.held")


def test_curves_read_and_move_time(open_lab: OpenLab) -> None:
    lab = open_lab()
    curves = lab.root.locator(".te-curves")
    expect(curves).to_have_attribute("data-rows", "13")
    loss = curves.locator("canvas[data-curve=loss]")
    expect(loss).to_have_attribute("aria-label", re.compile(r"Loss at step 120: Loss \d"))
    box = loss.bounding_box()
    assert box
    middle = Position(x=(41 + box["width"] - 6) / 2, y=box["height"] / 2)
    loss.hover(position=middle)
    expect(loss).to_have_attribute("aria-label", re.compile(r"Loss at step (59|60|61): "))
    loss.click(position=middle)
    lab.wait_for("look")
    step = lab.sent("look")[0]["step"]
    assert isinstance(step, int), "the kernel knows whole steps only"
    assert abs(step - 60) < 2


def test_missed_rows_are_asked_for(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate(
        """() => { const [run] = model.get("rows").runs;
        model.set("rows", { runs: [{ ...run, first: 40, values: run.values.slice(0, 32) }] }); }"""
    )
    assert len(lab.sent("rows")) == 1
    expect(lab.root.locator(".te-curves")).to_have_attribute("data-rows", "13")


def test_new_rows_join_the_old_ones(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate(
        """() => { const [run] = model.get("rows").runs;
        const row = new Float32Array([130, 0.25, 1, 1, 1, 1, 0, 1, 0]);
        model.set("rows", { runs: [{ ...run, first: 13, values: new DataView(row.buffer) }] }); }"""
    )
    expect(lab.root.locator(".te-curves")).to_have_attribute("data-rows", "14")
    assert lab.evaluate("[lab.rows[0].at(13, 'loss'), lab.rows[0].step(12)]") == [0.25, 120]


def test_a_picture_is_acknowledged_once_drawn(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.wait_for("shown")
    lab.kernel("look", 20)
    lab.wait_for("shown", 2)
    assert lab.sent("shown")[-1]["number"] == lab.evaluate("model.get('picture').number")


# ---- two runs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("runs", "width"), [(1, 1280), (1, 862), (1, 640), (1, 420), (2, 1000), (2, 862), (2, 480)])
def test_nothing_is_wider_than_the_page(open_lab: OpenLab, runs: int, width: int) -> None:
    lab = open_lab(runs, width=width)
    assert lab.evaluate("document.documentElement.scrollWidth") <= width
    places = [place for place in (each.bounding_box() for each in lab.root.locator("canvas").all()) if place]
    assert all(place["x"] + place["width"] <= width for place in places)


def test_two_runs_stand_side_by_side(open_lab: OpenLab) -> None:
    lab = open_lab(2, width=1000)
    maps = lab.root.locator(".te-map")
    expect(maps).to_have_count(2)
    places = [maps.nth(run).bounding_box() for run in (0, 1)]
    assert places[0]
    assert places[1]
    assert places[0]["y"] == places[1]["y"]
    assert places[0]["x"] + places[0]["width"] <= places[1]["x"]
    expect(lab.root.locator(".te-run-key")).to_contain_text("Run B: ")
    expect(lab.root.locator("[data-score=loss]")).to_have_text(re.compile(r".+ \| .+"))
    expect(lab.button("Branch here")).to_be_hidden()
    lab.button("Keep B").click()
    assert lab.sent("keep") == [{"do": "keep", "run": 1}]
    lab.root.get_by_role("radio", name="Run B").check()
    assert lab.sent("active") == [{"do": "active", "run": 1}]


def test_a_branch_opens_a_second_map_and_keeping_one_closes_it(open_lab: OpenLab) -> None:
    lab = open_lab(2)
    one = lab.evaluate("model.get('transport').runs.slice(0, 1)")
    two = lab.evaluate("model.get('transport').runs")
    lab.kernel("put", "transport", {"runs": one})
    expect(lab.root.locator(".te-map")).to_have_count(1)
    expect(lab.button("Keep A")).to_be_hidden()
    lab.kernel("put", "transport", {"runs": two})
    expect(lab.root.locator(".te-map")).to_have_count(2)
    lab.kernel("look", 90)
    expect(lab.root.locator(".te-map").nth(1)).to_have_attribute("data-step", "90")


def test_a_page_with_a_map_never_laid_out_is_removed_whole(open_lab: OpenLab) -> None:
    lab = open_lab(2)
    runs = lab.evaluate("model.get('transport').runs")
    lab.kernel("put", "transport", {"runs": runs[:1]})
    lab.evaluate("lab.root.style.display = 'none'")
    lab.kernel("put", "transport", {"runs": runs})
    expect(lab.root.locator(".te-map")).to_have_count(2)
    lab.evaluate("lab.remove()")
    expect(lab.root).to_have_count(0)
    assert lab.evaluate("[...model.listeners.values()].flat().length") == 0


# ---- the recording -------------------------------------------------------------------------------------------------


def test_a_recording_plays_by_itself(open_lab: OpenLab) -> None:
    lab = open_lab(2, live=False)
    for absent in ("Step", "Reset", "Code", "Export", "Branch here"):
        expect(lab.button(absent)).to_be_hidden()
    lab.get_by_label("Speed").select_option("1")  # slow at first: at 30 frames a second it ends before one can look
    lab.button("Play").click()
    expect(lab.button("Pause")).to_be_visible()
    lab.get_by_label("Speed").select_option("30")
    expect(lab.button("Play")).to_be_visible()  # the film has ended
    expect(lab.root).to_have_attribute("data-step", "120")
    lab.root.get_by_role("slider", name="Time").fill("4")
    expect(lab.root.locator(".te-map").nth(1)).to_have_attribute("data-step", "40")


def test_a_look_at_a_recordings_last_step_holds_up_no_other(open_lab: OpenLab) -> None:
    lab = open_lab(live=False)
    lab.root.get_by_role("slider", name="Time").fill("4")
    looked = "(step) => { lab.look(step); return [lab.get('step'), lab.timeline.held]; }"
    assert [lab.evaluate(looked, step) for step in (120, 30, 140, 60)] == [
        [120, False],
        [30, False],
        [120, False],
        [60, False],
    ]


def test_a_recording_without_lists_does_not_say_that_there_are_no_neighbours(open_lab: OpenLab) -> None:
    lab = open_lab(live=False)
    lab.evaluate("void (Object.assign(model.stored.runs[0], { k: 0, neighbours: null }), lab.set('chosen', 7))")
    lists = lab.root.locator(".te-map-list")
    expect(lists.nth(0)).to_have_text("Nearest in the embeddingnot in this file")
    expect(lists.nth(1).get_by_role("button")).to_have_count(5)
    expect(lab.root.locator(".te-map [aria-live=polite]")).to_have_text(re.compile(r"^Chosen: .+\. Nearest in truth: "))
    assert "none" not in (lab.root.locator(".te-map [aria-live=polite]").text_content() or "")


def test_a_recording_gives_a_chosen_task_its_neighbours(open_lab: OpenLab) -> None:
    lab = open_lab(live=False)
    lab.evaluate("lab.set('chosen', 7)")
    links = lab.evaluate("model.get('picture').runs[0].links")
    assert links["task"] == 7
    for near in (links["embedding"], links["truth"]):
        assert len(set(near)) == 5
        assert set(near) <= set(range(30)) - {7}, "five other tasks: the frames' differences were added up"
