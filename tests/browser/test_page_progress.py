"""The lab's page, alone: the bar that says how far something long is, and the button of who does not want to wait."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser import page_alone
from tests.browser.page_alone import AlonePage, OpenLab
from tests.browser.test_texts import MEASURE

# The fixtures; imported by name, each test that takes one would hide it.
documents, open_lab = page_alone.documents, page_alone.open_lab

BEHIND: dict[str, Any] = {
    "words": "Run B: step 1,340 of 12,000, about 40 s left",
    "done": 3000,
    "of": 12000,
    "button": "Skip",
}
NOBODY_KNOWS: dict[str, Any] = {"words": "UMAP is made ready", "done": 0, "of": 0, "button": ""}
LONG = "Run B catches up. The other run shows its stored pictures."


TOPS = "[...lab.root.querySelectorAll('input, canvas')].map(each => each.getBoundingClientRect().top)"


def show(lab: AlonePage, progress: dict[str, Any] | None, **more: Any) -> None:
    lab.kernel(
        "put", "transport", {"progress": progress, "status": LONG, "device": "CPU, 1 thread", "rate": 340, **more}
    )


def problems(lab: AlonePage) -> list[str]:
    lab.next_frame()
    found: list[str] = lab.evaluate("textBoxes.problems(lab.root)")
    return found


def test_the_bar_says_how_far_it_is(open_lab: OpenLab) -> None:
    lab = open_lab(2)
    bar = lab.root.get_by_role("progressbar")
    expect(bar).to_be_hidden()
    show(lab, BEHIND)
    expect(bar).to_be_visible()
    expect(bar).to_have_accessible_name(BEHIND["words"])
    values = [bar.get_attribute(f"aria-{name}") for name in ("valuemin", "valuenow", "valuemax")]
    assert values == ["0", "3000", "12000"]
    share = bar.evaluate("bar => bar.firstElementChild.offsetWidth / bar.offsetWidth")
    assert share == pytest.approx(0.25, abs=0.02)
    show(lab, NOBODY_KNOWS)
    expect(bar).to_have_accessible_name("UMAP is made ready")
    assert [bar.get_attribute(f"aria-{name}") for name in ("valuemin", "valuenow", "valuemax")] == [None] * 3
    expect(lab.button("Skip")).to_be_hidden()
    show(lab, None)
    expect(bar).to_be_hidden()


def test_skip_and_back_again(open_lab: OpenLab) -> None:
    lab = open_lab(2)
    show(lab, BEHIND)
    skip = lab.button("Skip")
    skip.focus()
    expect(skip.locator(".te-bubble")).to_be_visible()
    assert "both runs train on from where they are" in str(skip.get_attribute("aria-description"))
    skip.press("Enter")
    assert lab.sent("catch up") == [{"do": "catch up", "on": False}]
    show(lab, {**BEHIND, "words": "Run B is 9,000 steps behind", "button": "Catch up"})
    again = lab.button("Catch up")
    expect(again).to_be_focused()
    assert "until both are at the same step" in str(again.get_attribute("aria-description"))
    again.press("Enter")
    assert lab.sent("catch up")[1] == {"do": "catch up", "on": True}


@pytest.mark.parametrize("width", [1280, 1024, 860, 700, 480])
def test_it_moves_nothing_and_lies_on_nothing(open_lab: OpenLab, width: int) -> None:
    lab = open_lab(2, width=width)
    lab.add_script_tag(path=MEASURE)
    show(lab, None)
    before = lab.evaluate(TOPS)
    for progress in (BEHIND, NOBODY_KNOWS):
        show(lab, progress)
        assert problems(lab) == []
        assert lab.evaluate(TOPS) == before or width < 640, (
            "only where there is no room beside the status it takes a line"
        )
        assert lab.evaluate("document.documentElement.scrollWidth") <= width
    status = lab.root.locator(".te-status").bounding_box()
    assert status is not None
    assert status["width"] >= 150, "the status keeps room for its words"


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_on_a_wall_it_is_whole(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(2, width=size[0])
    lab.add_script_tag(path=MEASURE)
    lab.set_viewport_size({"width": size[0], "height": size[1]})
    lab.button("Projector").click()
    lab.wait_for_function("document.fullscreenElement === lab.root")
    show(lab, None)
    lab.next_frame()
    before = lab.evaluate(TOPS)
    show(lab, BEHIND, playing=True)
    lab.next_frame()
    assert lab.evaluate(TOPS) == pytest.approx(before, abs=1)
    assert problems(lab) == []
    expect(lab.root.get_by_role("progressbar")).to_be_visible()
    show(lab, BEHIND, playing=False)
    expect(lab.root.get_by_role("progressbar")).to_be_hidden()
    show(lab, NOBODY_KNOWS, playing=False)
    expect(lab.root.get_by_role("progressbar")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("progress", [BEHIND, NOBODY_KNOWS], ids=["behind", "nobody knows"])
def test_axe_finds_nothing(open_lab: OpenLab, dark: bool, progress: dict[str, Any]) -> None:
    lab = open_lab(2, dark=dark, reduced_motion="reduce")
    show(lab, progress)
    result = Axe().run(lab.page, context=".te-told")
    assert result.violations_count == 0, result.generate_report()


def test_a_kernel_that_is_gone_cannot_be_asked_to_skip(open_lab: OpenLab) -> None:
    lab = open_lab(2)
    show(lab, BEHIND, stopped=True)
    expect(lab.root.locator(".te-progress")).to_have_js_property("inert", True)
