"""The projector of the labs with points to drag: Escape ends it wherever the focus is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize(("lab", "inside"), [("LossLab", "select"), ("DistanceLab", ".te-handle")])
def test_the_projector_ends_with_escape_wherever_the_focus_is(open_notebook: Any, lab: str, inside: str) -> None:
    page = open_notebook([f"from taskembed_edu import {lab}\nlab = {lab}()\nlab"])
    root = page.locator(".te-point-lab")
    projector = root.get_by_role("button", name="projector", exact=False)
    for where in ("button", "drawing"):
        projector.click()
        expect(projector).to_have_text("Leave projector mode")
        if where == "drawing":
            root.locator("[data-part=plane]").click(position={"x": 8, "y": 8})
        page.keyboard.press("Escape")
        expect(projector).to_have_text("Projector")
        expect(root).not_to_contain_class("te-projector")
    projector.click()
    expect(root).to_contain_class("te-projector")
    root.locator(inside).first.focus()
    page.keyboard.press("Escape")
    expect(root).not_to_contain_class("te-projector")
