"""The projector of the labs with points to drag: it fills the screen, and Escape ends it wherever the focus is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize(("lab", "inside"), [("LossLab", "select"), ("DistanceLab", ".te-handle")])
def test_the_projector_fills_the_screen_and_escape_ends_it(open_notebook: Any, lab: str, inside: str) -> None:
    page = open_notebook([f"from taskembed_edu import {lab}\nlab = {lab}()\nlab"])
    root = page.locator(".te-point-lab")
    projector = root.get_by_role("button", name="projector", exact=False)
    filled = "document.fullscreenElement?.matches('.te-point-lab.te-projector') ?? false"
    for where in ("button", "drawing", "full screen"):
        projector.click()
        page.wait_for_function(filled)
        expect(projector).to_have_text("Leave projector mode")
        if where == "drawing":
            root.locator("[data-part=plane]").click(position={"x": 8, "y": 8})
        if where == "full screen":
            page.evaluate("document.exitFullscreen()")  # what the browser does of itself when Escape is pressed
        else:
            page.keyboard.press("Escape")
        expect(projector).to_have_text("Projector")
        expect(root).not_to_contain_class("te-projector")
        page.wait_for_function("document.fullscreenElement === null")
    page.evaluate("() => { Element.prototype.requestFullscreen = () => Promise.reject(new Error()); }")
    projector.click()
    expect(root).to_contain_class("te-projector")
    root.locator(inside).first.focus()
    page.keyboard.press("Escape")
    expect(root).not_to_contain_class("te-projector")
