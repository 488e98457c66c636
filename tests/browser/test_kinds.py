"""The exported run of a family of a kind of its own, without true distances, in a real Chromium, from disk."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from taskembed_edu.live.export import export_html
from taskembed_edu.session.session import Session
from tests.outside.walks import Walkers


def test_a_family_from_outside_opens_with_its_card_and_without_a_truth(browser: Browser, tmp_path: Path) -> None:
    session = Session("parameters", Walkers(), n_tasks=20, projection="pca", device="cpu", hidden=8)
    session.step(20)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", offline=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(export_html([session], tmp_path / "run.html").as_uri())
    expect(page.locator("section.te-map")).to_have_attribute("data-tasks", "20")
    expect(page.get_by_label("Colour by")).to_be_hidden()
    page.locator("canvas.te-map-canvas").focus()
    page.keyboard.press("Home")
    expect(page.locator("section.te-map > .te-unseen").last).to_contain_text("three walks, ")
    page.keyboard.press("Enter")
    chosen = page.locator(".te-map-chosen")
    expect(chosen.locator(".te-map-list-title")).to_have_text(["Nearest in the embedding"])
    expect(chosen.get_by_role("img")).to_have_accessible_name(f"Data of {session.tasks.names[0]}: " + _spoken(session))
    expect(chosen.locator(".te-note").first).to_have_text("dashed: its network")
    orange = """canvas => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let seen = 0;
      for (let i = 0; i < data.length; i += 4) seen += data[i] > 200 && data[i + 1] < 120 && data[i + 2] < 40;
      return seen;
    }"""
    assert chosen.locator("canvas").evaluate(orange) > 3  # the network's own line lies over the drawing
    assert not problems
    context.close()


def _spoken(session: Session) -> str:
    drawings = Walkers().sketch(session.tasks).drawings
    assert drawings is not None
    return drawings[0].spoken
