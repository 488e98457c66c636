"""DistanceLab in a real JupyterLab: hands, keys and numbers; geometry by its data, never by its pixels."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.notebook_page import NotebookPage

LAB = "from taskembed_edu.labs.distance import DistanceLab\nlab = DistanceLab()\nlab"


def value(page: NotebookPage, name: str) -> Locator:
    return page.locator(f'tr[data-key="{name}"] td.value')


def tip(page: NotebookPage, name: str) -> Locator:
    return page.get_by_role("slider", name=f"Vector {name} at")


def middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def unit(page: NotebookPage) -> float:
    """How many pixels of the page one unit of the plane is: the tips stand at x = (3, 1) and y = (1, 2.5)."""
    return (middle(tip(page, "x"))[0] - middle(tip(page, "y"))[0]) / 2


def drag(page: NotebookPage, handle: Locator, step: float, right: float, up: float) -> None:
    """Drag by so many units of the plane (of `step` pixels each), with some moves on the way as a hand makes them."""
    x, y = middle(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right * step, y - up * step, steps=8)
    page.mouse.up()


def test_dragging_a_tip_moves_the_numbers_and_ctrl_z_takes_the_whole_drag_back(open_notebook: Any) -> None:
    page = open_notebook([LAB])
    expect(value(page, "euclidean")).to_have_text("2.5000")
    expect(value(page, "cosine_similarity")).to_have_text("0.6459")
    step = unit(page)
    drag(page, tip(page, "y"), step, 2.0, -1.5)
    expect(value(page, "euclidean")).to_have_text("0.0000")
    expect(value(page, "cosine")).to_have_text("0.0000")
    assert page.run("lab.y") == "[3.0, 1.0]\n"
    assert (tip(page, "y").get_attribute("aria-label") or "").startswith("Vector y at (3, 1).")

    page.keyboard.press("Control+z")
    expect(value(page, "euclidean")).to_have_text("2.5000")
    assert page.run("lab.y") == "[1.0, 2.5]\n"
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()

    page.page.keyboard.down("Shift")  # whole steps
    drag(page, tip(page, "x"), step, 1.3, 0.8)
    page.page.keyboard.up("Shift")
    expect(tip(page, "x")).to_have_attribute("aria-label", re.compile(r"^Vector x at \(4, 2\)"))
    expect(value(page, "euclidean")).to_have_text("3.0414")  # Python has heard the end of the drag
    assert page.run("lab.x") == "[4.0, 2.0]\n"


def test_keys_move_a_focused_tip_and_jupyterlab_does_not_take_them(open_notebook: Any) -> None:
    page = open_notebook([LAB, "'after'"])
    tip(page, "x").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    expect(tip(page, "x")).to_have_attribute("aria-label", re.compile(r"^Vector x at \(2\.2, 1\)"))
    expect(value(page, "manhattan")).to_have_text("2.7000")
    assert page.run("lab.x") == "[2.2, 1.0]\n"
    for key in ("a", "b", "x", "d", "d", "Enter"):  # in JupyterLab's command mode these add and delete cells
        page.keyboard.press(key)
    assert [cell["source"] for cell in page.saved()["cells"]] == [LAB, "'after'"]

    root = page.locator(".te-distance")
    page.keyboard.press("p")
    expect(root).to_have_class(re.compile("te-projector"))
    expect(page.get_by_role("button", name="Projector")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("p")
    expect(root).not_to_have_class(re.compile("te-projector"))
    for _ in range(5):
        page.keyboard.press("Control+z")
    expect(tip(page, "x")).to_have_attribute("aria-label", re.compile(r"^Vector x at \(3, 1\)"))


def test_ball_and_way_are_drawn_to_the_same_measure_as_the_numbers(open_notebook: Any) -> None:
    page = open_notebook([LAB])
    ball = page.locator(".te-distance .ball")
    grid = unit(page)  # the drawing's units are the page's pixels
    assert float(ball.get_attribute("r")) == pytest.approx(grid, rel=1e-3)
    page.get_by_role("radio", name="Squared Euclidean").check()
    page.run("lab.set(radius=4)")
    expect(page.locator(".te-distance .area")).to_have_count(1)
    page.wait_for_function("g => Math.abs(document.querySelector('.ball').getAttribute('r') - 2 * g) < 0.1", arg=grid)

    page.get_by_role("radio", name="Manhattan").check()
    expect(page.locator("path.ball")).to_have_attribute("d", re.compile(r"^M[^A]*Z$"))  # four straight sides
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", ball.get_attribute("d"))]
    assert numbers[0] - numbers[4] == pytest.approx(2 * 4 * grid, rel=1e-3)  # as wide as two radii
    roads = page.locator(".te-distance path.way:not(.thin)").get_attribute("d")
    length = page.evaluate("() => document.querySelector('.te-distance path.way:not(.thin)').getTotalLength()")
    assert length == pytest.approx(3.5 * grid, rel=1e-3), roads
    stairs = page.evaluate("() => document.querySelector('.te-distance path.way.thin').getTotalLength()")
    assert stairs == pytest.approx(length, rel=1e-3)  # every staircase is as long

    page.get_by_role("radio", name="Cosine distance").check()
    page.run("lab.move(x=[3, 0], y=[0, 2]); lab.set(radius=0.5)")
    expect(page.locator(".te-distance svg text", has_text="90°")).to_be_visible()
    edge = re.search(r"L([\d.-]+),([\d.-]+)A", ball.get_attribute("d"))
    start = re.match(r"M([\d.-]+),([\d.-]+)", ball.get_attribute("d"))
    assert edge
    assert start
    dx, dy = (float(edge[i]) - float(start[i]) for i in (1, 2))
    assert math.cos(math.atan2(dy, dx)) == pytest.approx(1 - 0.5)
    slider = page.get_by_role("slider", name="Radius of the ball round x")
    assert slider.get_attribute("max") == "2"
    slider.fill("1.5")
    expect(page.locator(".te-distance .ball-name")).to_contain_text("1.5")
    assert page.run("lab.settings.radius") == "1.5\n"


def test_presets_dimensions_triangle_and_the_zero_vector(open_notebook: Any) -> None:
    page = open_notebook([LAB])
    page.get_by_role("button", name="course example").click()
    expect(value(page, "euclidean")).to_have_text("1.7321")
    expect(page.get_by_label("x, coordinate 3")).to_have_value("3")
    expect(page.locator(".te-distance .worked")).to_contain_text("= √3 = 1.7321")
    dot = page.get_by_role("slider", name="Coordinate 1 of y")
    dot.focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(value(page, "manhattan")).to_have_text("2.0000")
    page.get_by_label("y, coordinate 3").fill("-3")
    expect(value(page, "manhattan")).to_have_text("7.0000")
    assert page.run("lab.y") == "[1.0, 3.0, -3.0]\n"
    page.get_by_role("button", name="One coordinate fewer").click()
    expect(tip(page, "y")).to_have_attribute("aria-label", re.compile(r"^Vector y at \(1, 3\)"))
    page.get_by_role("button", name="One coordinate more").click()
    expect(page.get_by_label("y, coordinate 3")).to_have_value("0")

    page.get_by_role("button", name="breaks the triangle").click()
    verdicts = page.locator(".te-distance tbody td.verdict")
    expect(verdicts).to_have_text([re.compile("✓"), re.compile("✗"), re.compile("✓"), "", re.compile("✗")])
    expect(page.get_by_text("0.2929 + 0.2929 = 0.5858")).to_be_visible()
    expect(page.get_by_text("This breaks the triangle inequality.")).to_be_visible()
    expect(tip(page, "z")).to_be_visible()
    page.get_by_role("radio", name="Manhattan").check()
    expect(page.get_by_text("With this distance it never is, for any three points.")).to_be_visible()
    page.get_by_role("checkbox", name="Triangle").uncheck()
    expect(tip(page, "z")).to_be_hidden()

    page.get_by_text("Why cosine similarity is not a distance").click()
    expect(page.locator("details.why li").first).to_contain_text("sim(x, x) = 1")
    page.get_by_label("x, coordinate 1").fill("0")
    expect(value(page, "cosine")).to_have_text("undefined: the zero vector has no direction")
    expect(value(page, "euclidean")).to_have_text("2.1213")
    expect(page.locator("details.why li")).to_have_text("undefined: the zero vector has no direction")

    value(page, "manhattan").hover()
    expect(page.locator(".te-distance .help")).to_contain_text("the way along the streets of a grid")
    page.get_by_role("button", name="Reset").click()
    expect(value(page, "euclidean")).to_have_text("2.5000")


def test_a_drag_while_the_kernel_is_busy_is_smooth_and_its_end_is_what_counts(
    open_notebook: Any, tmp_path: Any
) -> None:
    go_on = tmp_path / "go_on"
    wait = f"import os, time\nwhile not os.path.exists({str(go_on)!r}): time.sleep(0.01)"
    page = open_notebook([LAB, "pass"])
    page.set_source(1, wait)
    page.start_cell(1)
    drag(page, tip(page, "y"), unit(page), 1.0, 0.5)
    expect(tip(page, "y")).to_have_attribute("aria-label", re.compile(r"^Vector y at \(2, 3\)"))
    expect(page.get_by_text("Waiting for the kernel. The numbers come then.")).to_be_visible()
    expect(value(page, "manhattan")).to_have_text("3.5000")  # the last that Python said
    go_on.touch()
    expect(value(page, "manhattan")).to_have_text("3.0000")
    expect(page.get_by_text("Waiting for the kernel. The numbers come then.")).to_be_hidden()
    page.wait_idle()
    assert page.run("lab.y") == "[2.0, 3.0]\n"
    assert page.run("len(lab._past)") == "1\n"  # one drag, one step


def test_two_views_agree_and_a_reload_keeps_the_state(open_notebook: Any) -> None:
    page = open_notebook([LAB, "lab"])
    expect(page.locator(".te-distance")).to_have_count(2)
    first, second = page.locator(".te-distance").all()
    first.get_by_role("button", name="orthogonal").click()
    expect(second.locator('tr[data-key="cosine"] td.value')).to_have_text("1.0000")
    page.change_theme("JupyterLab Dark")
    stroke = page.evaluate("getComputedStyle(document.querySelector('.te-distance .arrow.x')).stroke")
    assert stroke == "rgb(86, 180, 233)"  # the blue that can be seen on black
    page.reload()
    expect(page.locator('.te-distance tr[data-key="cosine"] td.value').first).to_have_text("1.0000")
    saved = page.saved()
    assert "widgets" not in saved["metadata"]
    assert saved["cells"][0]["outputs"][0]["data"]["text/plain"].startswith("DistanceLab(x=[3, 1], y=[1, 2.5]:")


def test_a_finger_drags_too(open_notebook: Any) -> None:
    page = open_notebook([LAB])
    expect(value(page, "manhattan")).to_have_text("3.5000")
    x, y = middle(tip(page, "x"))
    finger = page.page.context.new_cdp_session(page.page)
    step = unit(page)
    finger.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for k in (0.5, 1.0, 1.5):
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y + k * step}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(tip(page, "x")).to_have_attribute("aria-label", re.compile(r"^Vector x at \(3, .0\.5\)"))
    expect(value(page, "manhattan")).to_have_text("5.0000")
    finger.detach()
