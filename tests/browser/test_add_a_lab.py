"""The point lab of CONTRIBUTING's guide in a browser, without JupyterLab: the page shows the state and moves it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from tests.lab_guide import written

BOOT = """
const listeners = { "change:readings": [], "msg:custom": [] };
const model = {
  get: (name) => SENT[name],
  on: (event, listener) => listeners[event].push(listener),
  off() {},
  async send(message) {
    SENT.readings = await toPython(message);
    for (const listener of listeners["change:readings"]) listener();
    for (const listener of listeners["msg:custom"]) listener({ heard: message.number, page: message.page });
  },
};
const script = URL.createObjectURL(new Blob([SENT.script], { type: "text/javascript" }));
(await import(script)).default.render({ model, el: document.body });
"""


def test_the_page_of_the_guide_s_lab_shows_the_state_and_moves_it(browser: Browser, tmp_path: Path) -> None:
    lab = written(tmp_path)[1].MiddleLab()
    view, problems = lab.widget, []

    def to_python(message: dict[str, Any]) -> Any:
        lab.hear(message)
        return view.readings

    page = browser.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.expose_function("toPython", to_python)
    page.set_content(f"<style>{view._css}</style><body></body>")
    sent = {"script": view._esm, "markup": view.markup, "words": view.words, "readings": view.readings}
    page.add_script_tag(type="module", content=f"const SENT = {json.dumps(sent)};\n{BOOT}")

    expect(page.get_by_text("The middle is (1, 1).")).to_be_visible()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    page.get_by_role("slider", name="Point a").press("ArrowUp")
    page.get_by_role("slider", name="Point a").press("ArrowUp")
    expect(page.get_by_text("The middle is (1, 2).")).to_be_visible()
    undo.click()
    expect(page.get_by_text("The middle is (1, 1.5).")).to_be_visible()
    page.get_by_role("slider", name="Point b").hover()
    page.mouse.down()
    page.mouse.move(200, 200, steps=4)
    page.mouse.up()
    page.keyboard.press("Control+z")  # the whole drag
    expect(page.get_by_text("The middle is (1, 1.5).")).to_be_visible()
    expect(page.get_by_role("slider", name="Point a")).to_have_attribute("aria-valuetext", "-2,1")
    page.close()
    assert not problems, problems
