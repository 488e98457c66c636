"""The exported page in a real Chromium, from disk and with no network: time, hover, colours, and no request at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from taskembed_edu.figures.captions import caption
from taskembed_edu.live.export import export_html
from taskembed_edu.session.session import Session

N_TASKS = 40
POSITIONS = "Array.from(document.querySelector('section.te-map').__map.screenPositions(), Math.round)"


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session("metric", family="sinusoids", n_tasks=N_TASKS, projection="pca", device="cpu", hidden=16)
    session.step(100)
    session.set(margin=0.5)
    session.step(100)
    return session


@pytest.fixture(scope="module")
def exported_file(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_html([session], tmp_path_factory.mktemp("export") / "run.html", title="Sine waves")


@pytest.fixture
def page(browser: Browser, exported_file: Path) -> Iterator[Page]:
    """The file, open; at the end it must have asked for nothing but itself, and said nothing in the console."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce", offline=True)
    page = context.new_page()
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(exported_file.as_uri())
    expect(page.locator("section.te-map")).to_have_attribute("data-tasks", str(N_TASKS))
    yield page
    assert asked == [exported_file.as_uri()]
    assert not problems
    context.close()


def positions(page: Page) -> Any:
    return page.evaluate(POSITIONS)


def time_slider(page: Page) -> Any:
    return page.get_by_role("slider", name="Time")


def test_the_time_slider_moves_the_points(page: Page, session: Session) -> None:
    map_ = page.locator("section.te-map")
    expect(map_).to_have_attribute("data-step", "200")
    last = page.evaluate(f"{POSITIONS}.join()")
    time_slider(page).focus()
    page.keyboard.press("Home")
    expect(map_).to_have_attribute("data-step", "0")
    page.wait_for_function(f"last => {POSITIONS}.join() !== last", arg=last)
    page.keyboard.press("ArrowRight")
    expect(map_).to_have_attribute("data-step", "10")
    page.keyboard.press("End")
    expect(map_).to_have_attribute("data-step", "200")
    page.wait_for_function(f"last => {POSITIONS}.join() === last", arg=last)


def test_the_page_says_the_settings_of_the_moment_shown(page: Page, session: Session) -> None:
    shown = page.locator(".te-settings-shown")
    expect(shown).to_have_text(caption(session, session.frame))
    expect(shown).to_contain_text("margin 0.5")
    time_slider(page).focus()
    page.keyboard.press("Home")
    expect(shown).to_have_text(caption(session, session.history[0]))
    expect(shown).to_contain_text("margin 1,")


def test_the_film_plays_to_its_end(page: Page) -> None:
    page.get_by_role("button", name="Play").first.click()
    expect(page.locator(".te-panel")).to_have_attribute("data-playing", "true")
    expect(page.locator(".te-panel")).to_have_attribute("data-playing", "false", timeout=20_000)
    expect(page.locator("section.te-map")).to_have_attribute("data-step", "200")


def test_hover_and_choice_show_a_task(page: Page, session: Session) -> None:
    map_ = page.locator("section.te-map")
    canvas = map_.locator("canvas").first
    canvas.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(map_).to_have_attribute("data-chosen", "0")
    name, nearest = session.tasks.names[0], session.tasks.names[session.nearest(session.frame, 0)[0][0]]
    expect(map_).to_contain_text(name)
    expect(map_).to_contain_text(nearest)
    page.keyboard.press("Escape")
    expect(map_).to_have_attribute("data-chosen", "-1")
    box = canvas.bounding_box()
    assert box
    x, y = positions(page)[2 * 7 : 2 * 7 + 2]
    page.mouse.move(box["x"] + x, box["y"] + y)
    hovered = page.evaluate("document.querySelector('section.te-map').__map.page.get('hover')")
    assert hovered >= 0
    expect(map_).to_contain_text(session.tasks.names[hovered])


def test_the_colour_menu_changes_the_colours(page: Page) -> None:
    picture = (
        "Array.from(document.querySelector('section.te-map canvas').getContext('2d').getImageData(0,0,900,600).data)"
    )
    before = page.evaluate(f"{picture}.join()")
    page.get_by_label("Colour").select_option(label="phase")
    page.wait_for_function(f"before => {picture}.join() !== before", arg=before)


def test_what_only_a_kernel_can_do_is_not_offered(page: Page) -> None:
    for name in ("Code", "Export", "Reset", "New seed", "Branch here", "Undo", "Embed again"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)


def test_the_page_says_how_it_was_made(page: Page, session: Session) -> None:
    made = page.locator("details.te-made")
    made.locator("summary").click()
    expect(made.locator("pre")).to_have_text(session.code())
    expect(made.get_by_role("row", name="Margin")).to_contain_text("0.5")
