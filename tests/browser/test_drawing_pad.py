"""DrawingPad in a real JupyterLab: a hand, a finger, a file and a palette by keys; nothing grave for axe-core."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, expect

from tests.browser.notebook_page import NotebookPage

LAB = """
import torch
from taskembed_edu import DrawingPad
from taskembed_edu.tasks.pen import from_strokes

shapes = {"bar": [[(0, 0), (0, 9)]], "cross": [[(0, 0), (9, 9)], [(9, 0), (0, 9)]], "ell": [[(0, 0), (0, 9), (7, 9)]]}
support = {name: from_strokes(strokes)[None] for name, strokes in shapes.items()}
features = lambda pictures: torch.nn.functional.avg_pool2d(pictures, 4).flatten(1)
scripts = {name: features(pictures) + torch.linspace(0, 0.1, 4)[:, None] for name, pictures in support.items()}
pad = DrawingPad(features=features, support=support, scripts=scripts)
pad"""


def paper(page: NotebookPage) -> Locator:
    return page.locator(".te-pad canvas.paper")


def draw(page: NotebookPage, *places: tuple[float, float]) -> None:
    """One stroke through these places of the pad, with some moves on the way as a hand makes them."""
    box = paper(page).bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def ink_at(page: NotebookPage, x: float, y: float) -> int:
    """How much ink is seen at a place of the pad, 0 ... 255."""
    found: int = paper(page).evaluate(
        "(c, [x, y]) => c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data[3]", [x, y]
    )
    return found


def open_pad(open_notebook: Any) -> NotebookPage:
    page: NotebookPage = open_notebook([LAB])
    page.reveal(paper(page))
    return page


def test_a_hand_draws_and_the_answers_follow_each_stroke(open_notebook: Any) -> None:
    page = open_pad(open_notebook)
    root, seen = page.locator(".te-pad"), page.locator(".te-pad canvas.pixels[data-part=seen]")
    expect(root.get_by_role("button", name="Undo")).to_be_disabled()
    expect(seen).to_have_attribute("data-seen", "false")
    draw(page, (0.2, 0.1), (0.2, 0.9))
    expect(paper(page)).to_have_attribute("data-strokes", "1")
    expect(seen).to_have_attribute("data-seen", "true")
    expect(root.locator("tr.best th")).to_have_text("bar")
    assert ink_at(page, 0.2, 0.5) == 255
    assert ink_at(page, 0.6, 0.5) == 0
    draw(page, (0.2, 0.9), (0.82, 0.9))
    expect(root.locator("tr.best th")).to_have_text("ell")
    expect(root.locator("[data-part=told]")).to_contain_text("On the pad: 2 strokes; nearest class: ell")
    expect(root.locator("svg .mine")).to_have_count(1)
    assert page.run("print(pad.answer, len(pad.strokes), tuple(pad.picture.shape))") == "ell 2 (1, 28, 28)\n"

    page.keyboard.press("Control+z")
    expect(root.locator("tr.best th")).to_have_text("bar")
    assert ink_at(page, 0.6, 0.9) == 0
    root.get_by_role("button", name="Clear").click()
    expect(seen).to_have_attribute("data-seen", "false")
    expect(root.get_by_text("Draw here with the mouse or a finger")).to_be_visible()
    root.get_by_role("button", name="Undo").click()
    expect(paper(page)).to_have_attribute("data-strokes", "1")
    page.run("pad.draw([[(0.2, 0.9), (0.8, 0.9)]])")  # a cell does what the mouse does
    expect(root.locator("tr.best th")).to_have_text("ell")

    page.run_cell(0)  # the cell makes another pad, with what was drawn
    expect(paper(page)).to_have_attribute("data-strokes", "2")
    draw(page, (0.5, 0.5))
    expect(paper(page)).to_have_attribute("data-strokes", "3")
    root.get_by_role("button", name="Clear").click()
    draw(page, (0.5, 0.5))
    expect(root.get_by_role("alert")).to_contain_text("a single dot")
    draw(page, (0.5, 0.2), (0.5, 0.4))
    expect(root.get_by_role("alert")).to_be_hidden()


def test_a_finger_draws_and_the_page_does_not_scroll(open_notebook: Any) -> None:
    page = open_pad(open_notebook)
    box = paper(page).bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    touch = page.page.context.new_cdp_session(page.page)
    for kind, share in [("touchStart", 0.1), *[("touchMove", k / 10) for k in range(2, 10)], ("touchEnd", 0.0)]:
        points = [] if kind == "touchEnd" else [{"x": middle, "y": box["y"] + share * box["height"]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator(".te-pad tr.best th")).to_have_text("bar")
    after = paper(page).bounding_box()
    assert after is not None
    assert after["y"] == box["y"]


def picture(path: Path) -> Path:
    image = Image.new("L", (120, 120), 255)
    ImageDraw.Draw(image).line([(20, 20), (100, 100)], fill=0, width=9)
    ImageDraw.Draw(image).line([(100, 20), (20, 100)], fill=0, width=9)
    image.save(path)
    return path


def test_keys_open_a_file_and_choose_a_letter(open_notebook: Any, tmp_path: Path) -> None:
    page = open_pad(open_notebook)
    root = page.locator(".te-pad")

    def choose(path: Path) -> None:
        with page.page.expect_file_chooser() as chooser:
            root.get_by_role("button", name="Picture file…").press("Enter")
        chooser.value.set_files(path)

    choose(picture(tmp_path / "cross.png"))
    expect(root.locator("tr.best th")).to_have_text("cross")
    expect(root.get_by_text("On the pad: cross.png.")).to_be_visible()
    (tmp_path / "words.txt").write_text("no picture")
    choose(tmp_path / "words.txt")
    expect(root.get_by_role("alert")).to_contain_text("a picture file")
    (tmp_path / "large.png").write_bytes(bytes(10_000_001))
    choose(tmp_path / "large.png")
    expect(root.get_by_role("alert")).to_contain_text("large.png has 10.0 MB")
    large = io.BytesIO()
    Image.new("1", (8000, 7000)).save(large, "PNG")
    (tmp_path / "many.png").write_bytes(large.getvalue())
    choose(tmp_path / "many.png")
    expect(root.get_by_role("alert")).to_contain_text("8,000 x 7,000 pixels")
    assert page.run("pad").startswith("DrawingPad(cross.png: cross, ")

    letters = root.get_by_role("button", name="Letters…")
    letters.press("Enter")
    options = root.get_by_role("listbox", name="Letters").get_by_role("option")
    expect(options.first).to_be_visible()
    expect(root.get_by_text(re.compile(r"300 of 1,?\d\d\d letters"))).to_be_visible()
    page.keyboard.type("alef")  # the search has the focus; p and z are letters there
    expect(options.first).to_have_attribute("aria-label", re.compile("alef"))
    page.keyboard.press("ArrowDown")
    expect(options.first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(options.nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(options.first).to_have_attribute("aria-selected", "true")
    name = (options.first.get_attribute("aria-label") or "").upper()
    expect(root.get_by_text(f"On the pad: {name}.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(letters).to_be_focused()
    expect(options.first).to_be_hidden()


def check_nothing_grave(page: NotebookPage, when: str) -> None:
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    results = Axe().run(page.page, context=".te-pad")
    assert results.response["passes"], "axe-core found the pad and looked at it"
    grave = [rule for rule in results.response["violations"] if rule["impact"] in {"serious", "critical"}]
    told = [f"{rule['id']}: {rule['help']}: {[node['html'][:200] for node in rule['nodes']]}" for rule in grave]
    assert not told, f"{when}: " + "\n".join(told)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_grave_on_the_pad_whatever_it_shows(open_notebook: Any, theme: str) -> None:
    page = open_pad(open_notebook)
    root = page.locator(".te-pad")
    page.change_theme(theme)
    check_nothing_grave(page, "empty")
    draw(page, (0.2, 0.1), (0.2, 0.9), (0.8, 0.9))
    expect(root.locator("tr.best th")).to_have_text("ell")
    check_nothing_grave(page, "with a drawing")
    root.get_by_role("button", name="Letters…").click()
    expect(root.locator(".letters [role=option]").first).to_be_visible()
    check_nothing_grave(page, "with the palette open")
    root.get_by_role("button", name="Projector").click()
    expect(root).to_contain_class("te-projector")
    check_nothing_grave(page, "projected")
