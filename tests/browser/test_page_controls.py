"""The lab's page, alone: buttons, status and settings, by their roles and by what the kernel would hear."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import page_alone
from tests.browser.page_alone import AlonePage, OpenLab

# The fixtures; imported by name, each test that takes one would hide it.
documents, open_lab = page_alone.documents, page_alone.open_lab


# ---- help ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["family", "margin", "n_tasks"])
def test_help_of_a_setting_covers_no_other_setting(open_lab: OpenLab, setting: str) -> None:
    lab = open_lab(width=1280)
    lab.root.locator("summary").click()
    lab.root.locator(f"[name={setting}]").focus()
    lab.keyboard.press("Shift")  # the focus is shown where the keyboard is used
    lab.root.locator(f".te-control[data-setting={setting}]").hover()
    help_ = lab.root.locator(f".te-control[data-setting={setting}] .te-control-help")
    expect(help_).to_be_visible()
    mine = help_.bounding_box()
    assert mine
    for other in lab.root.locator(".te-controls .te-control").all():
        box = other.bounding_box()
        if box and other.get_attribute("data-setting") != setting:
            apart = mine["x"] >= box["x"] + box["width"] or mine["y"] >= box["y"] + box["height"]
            assert apart or mine["y"] + mine["height"] <= box["y"], other.get_attribute("data-setting")


def test_every_score_and_curve_has_help(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    scores = lab.evaluate("Object.values(model.get('help').scores).filter(({ panel }) => panel)")
    titles = [score["panel"] for score in scores]
    for score in scores:
        alone = titles.count(score["panel"]) == 1
        name = f"About {score['panel'] if alone else score['label']}"
        mark = lab.root.get_by_role("button", name=name, exact=True)
        if not mark.is_visible():
            continue  # a score that no run has
        mark.focus()
        lab.keyboard.press("Shift")
        expect(mark.locator(".te-bubble")).to_be_visible()
        expect(mark.locator(".te-bubble")).to_have_text(score["help"])
        right = mark.locator(".te-bubble").evaluate("bubble => bubble.getBoundingClientRect().right")
        assert right <= 1280, name
    assert lab.root.locator(".te-help-mark:visible").count() >= 4


def test_a_value_is_typed_exactly(open_lab: OpenLab) -> None:
    lab = open_lab()
    exact = lab.root.get_by_label("Exact value: Margin")
    exact.fill("1.234")
    exact.press("Enter")
    lab.wait_for("set")
    assert lab.sent("set")[-1] == {"do": "set", "changes": {"margin": 1.234}}
    lab.kernel("control", "margin", {"value": 1.234})
    expect(exact).to_have_value("1.234")
    rate = lab.root.get_by_label("Exact value: Learning rate")
    rate.fill("0.003")
    rate.press("Tab")
    lab.wait_for("set", 2)
    assert lab.sent("set")[-1] == {"do": "set", "changes": {"learning_rate": 0.003}}
    exact.fill("9")
    exact.press("Enter")
    expect(exact).to_have_attribute("aria-invalid", "true")
    expect(lab.root.locator("[data-setting=margin] .te-control-note")).to_have_text("Margin: a number from 0 to 4")
    exact.fill("2")
    exact.press("Enter")
    lab.wait_for("set", 3)
    expect(lab.root.locator("[data-setting=margin] .te-control-note")).to_have_text("")
    assert not lab.sent("step")


def test_back_to_defaults_is_a_word_to_the_kernel(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.root.locator("summary").click()
    lab.button("Back to defaults").click()
    assert lab.sent("defaults") == [{"do": "defaults"}]


def test_the_speed_is_chosen_and_the_kernels_is_shown(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.root.locator("summary").click()
    speed = lab.root.get_by_label("Steps per second, at most")
    expect(speed).to_have_value("0")
    speed.select_option("30")
    assert lab.sent("speed") == [{"do": "speed", "rate": 30}]
    lab.kernel("put", "transport", {"most_rate": 100})
    expect(speed).to_have_value("100")


def test_a_task_is_found_by_its_name(open_lab: OpenLab) -> None:
    lab = open_lab()
    names = lab.evaluate("model.get('tasks').names")
    field = lab.root.get_by_label("Find a task")
    field.fill(names[7])
    expect(lab.root.locator(".te-map")).to_have_attribute("data-chosen", str(names.index(names[7])))
    field.fill(names[7][:3].upper())
    first = lab.root.locator(".te-map").get_attribute("data-chosen")
    field.press("Enter")
    expect(lab.root.locator(".te-map")).not_to_have_attribute("data-chosen", str(first))
    field.fill("no such task")
    expect(lab.root.locator(".te-find")).to_contain_text("No task has this in its name.")
    field.press("s")
    assert not lab.sent("step")


def test_a_found_task_comes_into_sight_and_the_zoom_stays(open_lab: OpenLab) -> None:
    lab = open_lab()
    names = lab.evaluate("model.get('tasks').names")
    lab.evaluate("lab.maps[0].zoomTo([7])")
    lab.next_frame()
    lab.wait_for_function("!lab.maps[0].moving(performance.now())")
    zoom = lab.evaluate("lab.maps[0].viewport.zoom()")
    seen = """i => { const map = lab.maps[0]; const [x, y] = map.screenPositions().slice(2 * i);
        return x > 0 && y > 0 && x < map.canvas.clientWidth && y < map.canvas.clientHeight; }"""
    outside = [i for i in range(len(names)) if not lab.evaluate(seen, i)]
    assert len(outside) >= 2
    for task in outside[:2]:
        lab.root.get_by_label("Find a task").press_sequentially(names[task])  # a letter is typed during the last glide
        expect(lab.root.locator(".te-map")).to_have_attribute("data-chosen", str(task))
        lab.wait_for_function(seen, arg=task)
        lab.wait_for_function("!lab.maps[0].moving(performance.now())")
        assert lab.evaluate(seen, task)
        assert lab.evaluate("lab.maps[0].viewport.zoom()") == pytest.approx(zoom)
        lab.root.get_by_label("Find a task").fill("")


def test_a_tip_closes_on_a_click_and_opens_at_the_next_visit(open_lab: OpenLab) -> None:
    lab = open_lab()
    control = lab.root.locator("[data-setting='projection']")
    tip = control.locator(".te-control-help")
    control.get_by_text("PCA", exact=True).hover()
    expect(tip).to_be_visible()
    control.get_by_text("PCA", exact=True).click()
    lab.wait_for("set")
    lab.kernel("control", "projection", {"value": "pca"})
    expect(tip).to_be_hidden()
    lab.root.locator(".te-map-canvas").hover()
    control.get_by_text("PCA", exact=True).hover()
    expect(tip).to_be_visible()
    control.get_by_text("UMAP", exact=True).click()
    control.get_by_text("PCA", exact=True).click()  # the focus moves inside the control: the tip stays closed
    expect(tip).to_be_hidden()
    lab.root.locator(".te-map-canvas").hover()
    lab.keyboard.press("Tab")
    lab.keyboard.press("Shift+Tab")
    expect(tip).to_be_visible()


# ---- the bar -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Play", {"do": "play"}),
        ("Step", {"do": "step"}),
        ("Reset", {"do": "reset"}),
        ("New seed", {"do": "new seed"}),
        ("Branch here", {"do": "branch", "step": 120}),
        ("Embed again", {"do": "embed again"}),
        ("Code", {"do": "code"}),
    ],
)
def test_a_button_says_its_word(open_lab: OpenLab, name: str, message: dict[str, Any]) -> None:
    lab = open_lab()
    lab.button(name).click()
    assert lab.sent(message["do"]) == [message]


def test_a_double_click_on_play_plays(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate(
        """() => { const send = model.send.bind(model);
        model.send = (said) => { send(said); if (said.do === "play") model.put("transport", { playing: true }); }; }"""
    )
    lab.button("Play").dblclick()  # between its clicks Play has become Pause
    assert lab.sent("play") == [{"do": "play"}]
    assert not lab.sent("pause")
    expect(lab.root).to_have_attribute("data-playing", "true")
    lab.button("Pause").click()
    assert lab.sent("pause") == [{"do": "pause"}]


def test_undo_says_what_it_would_undo(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(lab.button("Undo")).to_be_disabled()
    lab.kernel("put", "transport", {"undo": "Margin back to 1"})
    expect(lab.button("Undo")).to_have_accessible_description("Margin back to 1")
    lab.button("Undo").click()
    assert len(lab.sent("undo")) == 1


def test_reset_is_marked_while_settings_wait(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(lab.button("Reset")).not_to_have_class(re.compile("te-waiting"))
    lab.kernel("put", "transport", {"wishes": ["Tasks"]})
    expect(lab.button("Reset")).to_have_class(re.compile("te-waiting"))
    expect(lab.button("Reset")).to_have_accessible_description(re.compile("Applies Tasks"))


def test_status_and_alarms_are_said(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(lab.root.locator(".te-status")).to_have_text("Press Play: the tasks find their places.")
    expect(lab.root.get_by_role("alert")).to_be_empty()
    lab.kernel("alarm", "All tasks fall on one point: raise the margin.")
    expect(lab.root.get_by_role("alert")).to_have_text("All tasks fall on one point: raise the margin.")
    lab.kernel("alarm", "")
    expect(lab.root.get_by_role("alert")).to_be_empty()


def test_an_alarm_is_spoken_once_and_its_number_is_seen_as_it_is(open_lab: OpenLab) -> None:
    lab = open_lab()
    alert = lab.root.get_by_role("alert")
    for apart in ("0.01", "0.007", "1e-05", "0"):
        lab.kernel("alarm", f"All tasks fall on one point: they are {apart} apart on average.")
        expect(alert).to_have_text("All tasks fall on one point: they are 0.01 apart on average.")
        expect(lab.root.locator(".te-alert")).to_contain_text(f"they are {apart} apart")
    lab.kernel("alarm", "All tasks fall on one line (effective dimension 1.05).")
    expect(alert).to_have_text("All tasks fall on one line (effective dimension 1.05).")


def test_a_failure_offers_the_last_good_frame(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(lab.button("Back to the last good frame")).to_be_hidden()
    lab.kernel("put", "transport", {"tone": "alarm", "status": "The loss is not finite.", "rewind": True})
    expect(lab.root.get_by_role("alert")).to_have_text("The loss is not finite.")
    lab.button("Back to the last good frame").click()
    assert len(lab.sent("rewind")) == 1


# ---- settings ------------------------------------------------------------------------------------------------------


def test_every_setting_is_a_labelled_native_control(open_lab: OpenLab) -> None:
    lab = open_lab()
    assert lab.root.get_by_label("Loss", exact=True).evaluate("e => e.tagName") == "SELECT"
    margin = lab.root.get_by_role("slider", name="Margin")
    expect(margin).to_have_value("1")
    expect(margin).to_have_accessible_description(re.compile("How far apart different tasks should be"))
    expect(lab.root.get_by_role("slider", name="Learning rate")).to_have_attribute("aria-valuetext", "0.001")
    expect(lab.root.get_by_role("spinbutton", name="Tasks on the map")).to_be_hidden()
    lab.root.get_by_text("More settings").click()
    expect(lab.root.get_by_role("spinbutton", name="Tasks on the map")).to_have_value("200")
    expect(lab.root.locator("[data-setting=family]")).to_contain_text("applies at reset")


def test_a_hand_faster_than_the_screen_sends_one_message_a_frame(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.evaluate(
        """() => { const slider = document.querySelector(".te-set-margin");
        for (let k = 0; k < 100; k++) { slider.value = k / 25; slider.dispatchEvent(new Event("input")); } }"""
    )
    lab.wait_for("set")
    lab.next_frame()
    assert lab.sent("set") == [{"do": "set", "changes": {"margin": 3.95}}]


def test_a_moved_slider_keeps_its_value_until_the_kernel_has_it(open_lab: OpenLab) -> None:
    lab = open_lab()
    margin = lab.root.get_by_role("slider", name="Margin")
    margin.fill("2")
    lab.kernel("control", "margin", {"value": 1.5})  # news of an older value, under way when the hand moved on
    expect(margin).to_have_value("2")
    lab.kernel("control", "margin", {"value": 2})
    lab.kernel("control", "margin", {"value": 0.5})  # settled: from here on the kernel's word counts
    expect(margin).to_have_value("0.5")


def test_a_refused_value_gives_way_to_the_kernels(open_lab: OpenLab) -> None:
    lab = open_lab()
    margin = lab.root.get_by_role("slider", name="Margin")
    margin.fill("3")
    expect(margin).to_have_value("3")
    expect(margin).to_have_value("1")  # nobody confirmed it


def test_a_log_slider_sends_its_number_and_says_it(open_lab: OpenLab) -> None:
    lab = open_lab()
    rate = lab.root.get_by_role("slider", name="Learning rate")
    rate.press("ArrowRight")
    lab.wait_for("set")
    assert lab.sent("set") == [{"do": "set", "changes": {"learning_rate": 0.002}}]
    expect(rate).to_have_attribute("aria-valuetext", "0.002")


def number_of_tasks(lab: AlonePage) -> Locator:
    lab.root.get_by_text("More settings").click()
    return lab.root.get_by_role("spinbutton", name="Tasks on the map")


def enter(field: Locator, number: str) -> None:
    field.fill(number)
    field.press("Enter")


def test_enter_in_a_number_field_applies_once_and_nonsense_does_not(open_lab: OpenLab) -> None:
    lab = open_lab()
    field = number_of_tasks(lab)
    enter(field, "3")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(lab.root.locator("[data-setting=n_tasks]")).to_contain_text("from 5 to 5,000")
    enter(field, "300")
    field.blur()
    lab.wait_for("set")
    lab.next_frame()
    assert lab.sent("set") == [{"do": "set", "changes": {"n_tasks": 300}}]


def test_a_number_between_two_steps_of_the_arrow_keys_is_a_number_too(open_lab: OpenLab) -> None:
    lab = open_lab()
    field = number_of_tasks(lab)
    field.evaluate("field => { field.step = 50; }")
    enter(field, "60.5")
    expect(field).to_have_attribute("aria-invalid", "true")
    enter(field, "60")
    lab.wait_for("set")
    assert lab.sent("set") == [{"do": "set", "changes": {"n_tasks": 60}}]
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_colours_are_the_pages_and_the_kernels(open_lab: OpenLab) -> None:
    lab = open_lab()
    names = lab.evaluate("model.get('tasks').colours.map(({ name }) => name)")
    lab.root.get_by_label("Colour by").select_option(label=names[-1])
    assert lab.evaluate("[model.get('colour'), model.saved]") == [len(names) - 1, 1]
    expect(lab.root.locator(".te-legend")).to_have_attribute("aria-label", f"Legend: {names[-1]}")
