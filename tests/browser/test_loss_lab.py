"""The LossLab in a real JupyterLab: seen, dragged, played, and true to what Python says."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

LAB = ["from taskembed_edu import LossLab\nlab = LossLab()", "lab"]


@pytest.fixture
def page(open_notebook):
    page = open_notebook(LAB)
    expect(page.locator(".te-loss-lab")).to_be_visible()
    page.locator(".te-loss-lab").scroll_into_view_if_needed()
    return page


def point(page, name):
    """The point of this name, as a learner's pointer, finger or key finds it."""
    return page.get_by_role("button", name=re.compile(rf"^{name}, class"))


def loss(page):
    return page.locator(".te-loss")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def said(page):
    return page.get_by_role("status").filter(has_text=re.compile("."))


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def shape_centre(page, name):
    return centre(point(page, name).locator(".te-shape"))


def python(page, expression):
    """A value of the kernel, by JSON."""
    return json.loads(page.run(f"import json; print(json.dumps({expression}))"))


def test_it_shows_the_course_example_and_says_each_pair_in_words(page):
    expect(loss(page)).to_have_text("1.7321")
    expect(page.locator(".te-sum-text")).to_have_text("= 1.7321 + 0")
    expect(page.locator(".te-marks text")).to_have_text(["0", "√3 = 1.7321", "3√3 = 5.1962"])
    expect(page.locator(".te-measures text")).to_have_text(["1.7321", "5.1962"])
    expect(page.locator(".te-region-text")).to_have_text("margin 1")
    expect(page.locator(".te-arrows .te-arrow")).to_have_count(2)  # the negative is beyond the margin
    rows = page.locator(".te-terms tbody tr")
    expect(rows).to_have_text(
        [re.compile("anchor – positive1.73211.73211.7321"), re.compile("anchor – negative5.196200")]
    )
    anchor, positive, negative = (shape_centre(page, name) for name in ("anchor", "positive", "negative"))
    assert anchor[1] == pytest.approx(positive[1], abs=1) == pytest.approx(negative[1], abs=1)
    ratio = (negative[0] - anchor[0]) / (positive[0] - anchor[0])
    assert ratio == pytest.approx(3, abs=0.03)  # 3 sqrt(3) to sqrt(3)

    page.locator(".te-terms tbody tr").nth(1).hover()
    expect(said(page)).to_have_text(
        "anchor and negative are different. They should be at least 1 apart. Their distance is 5.1962. "
        "This is not less than the margin: nothing is violated, and nothing pushes. The term is 0."
    )
    expect(page.locator(".te-link.te-lit")).to_have_count(1)
    expect(page.locator(".te-point.te-lit .te-name")).to_have_text(["anchor", "negative"])
    page.locator(".te-terms tbody tr").nth(0).focus()
    expect(said(page)).to_contain_text("anchor and positive are similar")


def test_a_point_follows_mouse_and_finger_and_python_follows_the_point(page):
    x, y = shape_centre(page, "negative")
    anchor_x, _ = shape_centre(page, "anchor")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 100, y + 40, steps=8)
    expect(page.locator(".te-sum-text")).not_to_have_text("= 1.7321 + 0.0000")
    assert shape_centre(page, "negative") == pytest.approx((x - 100, y + 40), abs=2)
    page.mouse.move(anchor_x + 30, y - 10, steps=8)
    page.mouse.up()
    expect(page.locator(".te-region-text")).to_have_text("margin 1")
    page.wait_for_function("!document.querySelector('.te-sum-text').textContent.endsWith('+ 0')")
    expect(loss(page)).to_have_text(page.run("print(f'{lab.loss:.4f}'.rstrip('0'))").strip())
    assert python(page, "lab.terms()[1].term") > 0.3
    expect(page.locator(".te-arrows .te-arrow")).to_have_count(4)

    page.keyboard.press("Control+z")  # the whole drag is one change
    expect(loss(page)).to_have_text("1.7321")
    page.wait_for_function("document.querySelector('.te-sum-text').textContent === '= 1.7321 + 0'")
    assert page.run("lab._past") == "[]\n"

    session = page.context.new_cdp_session(page.page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    x, y = shape_centre(page, "positive")
    before = python(page, "lab.points['positive']")

    def touch(kind, *places):
        points = [{"x": px, "y": py} for px, py in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x, y))
    for k in range(1, 9):
        touch("touchMove", (x + 5 * k, y - 6 * k))
    touch("touchEnd")
    page.wait_for_function("document.querySelector('.te-loss').textContent !== '1.7321'")
    button(page, "Undo").click()
    expect(loss(page)).to_have_text("1.7321")
    assert python(page, "lab.points['positive']") == before
    session.detach()


def test_arrow_keys_move_a_point_and_leave_jupyterlab_alone(page):
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    before = python(page, "lab.points['negative']")
    point(page, "negative").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    right, up = (round(v, 2) for v in (before[0] + 0.1, before[1] + 0.5))
    expect(point(page, "negative")).to_have_attribute(
        "aria-label", f"negative, class 2, at {right:.2f}, {up:.2f}. Arrow keys move it."
    )
    expect(said(page)).to_contain_text("negative: the sum of its forces is 0.")
    page.wait_for_function("document.activeElement.classList.contains('te-point')")
    for key in ("a", "b", "d", "d", "x", "p"):  # JupyterLab's own keys would add and cut cells
        page.keyboard.press(key)
    expect(page.locator(".te-loss-lab.te-projector")).to_be_visible()
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    page.keyboard.press("Control+z")
    expect(point(page, "negative")).to_have_attribute("aria-label", re.compile(f"at {before[0]:.2f}, {before[1]:.2f}"))


def test_one_update_in_slow_motion(page):
    step = page.locator(".te-chips li[aria-current]")
    for number, name in enumerate(["pairs", "distances", "violations", "forces", "move"], 1):
        button(page, "Next").click()
        expect(step).to_have_text(f"{number}{name}")
        if name == "pairs":
            expect(loss(page)).to_have_text("…")
            expect(page.locator(".te-measures text")).to_have_count(0)
        if name == "distances":
            expect(page.locator(".te-measures text")).to_have_text(["1.7321", "5.1962"])
            expect(page.locator(".te-main .te-region")).to_have_count(0)
        if name == "violations":
            expect(loss(page)).to_have_text("1.7321")
            expect(page.locator(".te-arrow")).to_have_count(0)
        if name == "forces":
            expect(page.locator(".te-arrow")).to_have_count(2)
    expect(said(page)).to_contain_text("The loss went from 1.7321 to 1.3321.")
    expect(page.locator(".te-history")).to_contain_text("update 1")
    expect(page.locator(".te-ghost")).to_have_count(2)
    assert python(page, "[lab.steps, lab.phase]") == [1, "move"]
    button(page, "Back").click()
    expect(step).to_have_text("4forces")
    expect(loss(page)).to_have_text("1.7321")
    expect(page.locator(".te-history")).to_contain_text("update 0")


def test_play_goes_on_by_itself_until_stopped(page):
    button(page, "Play").click()
    expect(button(page, "Stop")).to_be_visible()
    expect(page.locator(".te-chips li[aria-current]")).to_have_text("1pairs")
    expect(page.locator(".te-history")).to_contain_text("update 1", timeout=30_000)
    button(page, "Stop").click()
    expect(button(page, "Play")).to_be_visible()
    steps = python(page, "lab.steps")
    button(page, "Update").click()
    expect(page.locator(".te-history")).to_contain_text(f"update {steps + 1}")
    button(page, "Reset").click()
    expect(page.locator(".te-history")).to_contain_text("update 0")


def test_play_ends_where_nothing_would_move(page):
    page.run("lab.move('positive', lab.points['anchor'])")
    expect(loss(page)).to_have_text("0")
    button(page, "Play").click()
    expect(button(page, "Stop")).to_be_visible()
    expect(button(page, "Play")).to_be_visible(timeout=30_000)
    assert python(page, "[lab.steps, lab.phase]") == [0, "forces"]
    expect(said(page)).to_contain_text("Nothing will move")


def test_the_margin_s_slider_follows_the_metric_and_the_cosine_has_its_ends(page):
    slider = page.get_by_role("slider", name="Margin")
    expect(slider).to_have_attribute("max", "6")
    slider.fill("4.5")
    expect(page.locator(".te-region-text")).to_have_text("margin 4.5")
    assert python(page, "lab.settings.margin") == 4.5
    page.get_by_label("Distance", exact=True).select_option("cosine")
    expect(slider).to_have_attribute("max", "2")
    expect(page.locator(".te-grid")).to_contain_text("origin")
    assert python(page, "lab.settings.margin") == 2.0
    page.get_by_label("Margin, typed").select_text()
    page.keyboard.type("3.74")
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("margin: got 3.74, expected a number from 0 to 2")
    page.get_by_label("Distance", exact=True).select_option("manhattan")
    expect(said(page)).to_contain_text("Manhattan distances: those shown are the plane's")

    page.run("lab.set(metric='cosine'); lab.move('negative', (0, 0))")
    expect(loss(page)).to_have_text("undefined")
    expect(said(page)).to_contain_text("The zero vector has no direction")
    expect(button(page, "Next")).to_be_disabled()
    point(page, "negative").focus()
    page.keyboard.press("ArrowUp")
    expect(loss(page)).not_to_have_text("undefined")


def test_triplets_their_mining_their_circles_and_their_forces(page):
    button(page, "hard and semi-hard").click()
    expect(page.locator(".te-kind")).to_have_text(["hard", "semi-hard", "easy"])
    expect(page.locator(".te-region-text")).to_have_text("d(a,p) + margin = 2.5")
    expect(page.locator(".te-chips li").first).to_have_text("1triplets")
    page.get_by_label("Mining", exact=True).select_option("semi-hard")
    expect(page.locator(".te-kind")).to_have_text(["semi-hard"])
    expect(page.locator(".te-arrow")).to_have_count(3)
    page.get_by_label("Loss", exact=True).select_option("contrastive_squared")
    expect(page.get_by_label("Mining", exact=True)).to_have_value("all")
    expect(page.get_by_label("Mining", exact=True).locator("option[value=semi-hard]")).to_be_disabled()

    button(page, "two classes").click()
    expect(page.locator(".te-sums .te-arrow")).to_have_count(6)
    expect(page.locator(".te-arrows .te-arrow")).to_have_count(0)
    button(page, "each force").click()
    expect(page.locator(".te-arrows .te-arrow")).to_have_count(12)
    button(page, "summed force").click()
    expect(page.locator(".te-sums .te-arrow")).to_have_count(0)


def test_python_and_page_keep_together_over_a_reload(page):
    page.run("lab.preset('two classes'); lab.set(loss='triplet', margin=2)")
    text = page.run("print(f'{lab.loss:.4f}')").strip()
    expect(loss(page)).to_have_text(text)
    page.reload()
    page.locator(".te-loss-lab").scroll_into_view_if_needed()
    expect(loss(page)).to_have_text(text)
    button(page, "course example").click()
    page.wait_for_function("document.querySelectorAll('.te-point').length === 3")
    assert python(page, "list(lab.points)") == ["anchor", "positive", "negative"]


def test_two_views_of_one_lab_agree(page):
    page.add_cell("lab")
    expect(page.locator(".te-loss-lab")).to_have_count(2)
    page.locator(".te-loss-lab").nth(1).get_by_role("button", name="Update").click()
    expect(page.locator(".te-loss")).to_have_text(["1.3321", "1.3321"])


def test_a_busy_kernel_is_said_and_caught_up_with(page):
    index = page.add_cell("import threading\nthreading.Event().wait()", run=False)
    page.start_cell(index)
    page.locator(".te-loss-lab").scroll_into_view_if_needed()
    point(page, "negative").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("Waiting for the kernel")).to_be_visible()
    page.interrupt_kernel()
    page.wait_idle()
    expect(page.get_by_text("Waiting for the kernel")).to_be_hidden()
    expect(page.locator(".te-measures text").last).to_have_text(
        page.run("print(f'{lab.terms()[1].distance:.4f}')").strip()
    )
    assert python(page, "lab.points['negative'][0]") == pytest.approx(8.26)


def test_dark_theme_projector_and_reduced_motion(page):
    def size():
        return page.evaluate("parseFloat(getComputedStyle(document.querySelector('.te-loss')).fontSize)")

    small = size()
    button(page, "Projector").click()
    assert size() > 1.3 * small
    expect(page.get_by_label("Learning rate", exact=True)).to_be_hidden()
    expect(page.get_by_role("slider", name="Margin")).to_be_visible()
    page.change_theme("JupyterLab Dark")
    ink, paper = page.evaluate(
        """["te-name", "te-stage"].map((name) => {
          const style = getComputedStyle(document.querySelector("." + name));
          return (name === "te-name" ? style.fill : style.backgroundColor).match(/[0-9.]+/g).slice(0, 3).map(Number);
        })"""
    )
    assert sum(ink) > 600
    assert sum(paper) < 200

    page.emulate_media(reduced_motion="reduce")
    page.evaluate(
        """() => {
          window.places = new Set();
          const node = [...document.querySelectorAll(".te-point")].find((n) => n.ariaLabel?.startsWith("positive")
            || n.getAttribute("aria-label").startsWith("positive"));
          new MutationObserver(() => places.add(node.getAttribute("transform"))).observe(node, { attributes: true });
        }"""
    )
    button(page, "Update").click()
    expect(loss(page)).to_have_text("1.3321")
    page.wait_for_function("places.size > 0")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("places.size") <= 2  # the old place may be painted once more
