"""The loss over the start on the page: a start by hand, the ways of the methods, arrows on the map, keys, axe-core."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, expect

from taskembed_edu.live.surface import compare_methods
from taskembed_edu.session.session import Session
from taskembed_edu.session.surface import surface_of
from tests.browser.lab_on_page import LabOnPage
from tests.browser.page_alone import AlonePage, recorded_document_of

MEASURE = Path(__file__).with_name("text_boxes.js")
GRAVE = {"serious", "critical"}
SETTINGS: dict[str, Any] = {"n_tasks": 20, "projection": "pca", "learner": "wave", "inner_lr": 0.1, "n_shot": 5}

OpenSurface = Callable[..., AlonePage]


@pytest.fixture(scope="module")
def runs() -> list[Session]:
    """Two runs of a wave of two numbers, and the ways of the methods from the first one's start."""
    session = Session("adapted", "sinusoids", learning_rate=0.1, frame_every=5, **SETTINGS)
    session.step(40)
    branch = session.branch(at=2)
    branch.set(method="reptile")
    branch.step(30)
    assert compare_methods(session)
    return [session, branch]


@pytest.fixture
def open_surface(browser: Browser, runs: list[Session], tmp_path: Path) -> Iterator[OpenSurface]:
    """The page of these runs alone: live with a stand-in for the kernel, or as an exported file has it."""
    opened: list[AlonePage] = []

    def factory(shown: list[Session] | None = None, *, live: bool = True, dark: bool = False) -> AlonePage:
        made = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        lab = AlonePage(made)
        opened.append(lab)
        lab.load(
            recorded_document_of(shown or runs[:1], tmp_path / "r.html"), tmp_path / "l.html", live=live, dark=dark
        )
        lab.next_frame()
        return lab

    yield factory
    problems = [problem for lab in opened for problem in lab.problems]
    for lab in opened:
        lab.page.context.close()
    assert not problems, problems


def surface(lab: AlonePage | LabOnPage) -> Locator:
    return lab.root.locator(".te-surface")


def told(lab: AlonePage) -> str:
    return lab.root.locator(".te-surface-told").inner_text()


def put(lab: AlonePage, phase: float, amplitude: float) -> None:
    """A click on the surface at this start."""
    x, y = lab.evaluate(
        "([phase, amplitude]) => { const view = document.querySelector('.te-surface').__surface;"
        "return [view.painter.ground.x(phase) / view.ratio, view.painter.ground.y(amplitude) / view.ratio]; }",
        [phase, amplitude],
    )
    lab.root.locator(".te-surface-canvas").click(position={"x": x, "y": y})
    lab.next_frame()


def hand(lab: AlonePage) -> list[float]:
    lab.next_frame()
    return [float(value) for value in (surface(lab).get_attribute("data-hand") or "").split()]


# ---- the surface -----------------------------------------------------------------------------------------------------


def test_the_surface_stands_in_the_place_of_the_map_with_optima_start_and_ways(open_surface: OpenSurface) -> None:
    lab = open_surface()
    expect(surface(lab)).to_be_visible()
    expect(lab.root.locator(".te-map")).to_be_hidden()
    for name, value in {"optima": "20", "starts": "1", "ways": "3", "steps": "1"}.items():
        expect(surface(lab)).to_have_attribute(f"data-{name}", value)
    lab.root.get_by_role("radio", name="Task map").check()
    expect(surface(lab)).to_be_hidden()
    expect(lab.root.locator(".te-map")).to_have_attribute("data-arrows", "20")
    lab.root.get_by_role("radio", name="Loss over the start").check()
    expect(surface(lab)).to_be_visible()


def test_a_click_puts_a_start_and_its_loss_stands_beside_it(open_surface: OpenSurface, runs: list[Session]) -> None:
    lab = open_surface()
    losses = surface_of(runs[0], runs[0].settings)
    assert losses is not None
    put(lab, 2.5, -3.0)
    phase, amplitude = hand(lab)
    assert [phase, amplitude] == pytest.approx([2.5, -3.0], abs=0.06)
    for steps in (1, 0, 5):
        lab.root.get_by_role(
            "radio", name=re.compile(f"after {steps} inner|before any" if steps == 0 else f"after {steps} inner")
        ).check()
        expect(surface(lab)).to_have_attribute("data-steps", str(steps))
        said = [float(number) for number in re.findall(r"(\d+\.\d+) (?:before|after|lower)", told(lab))]
        now = losses.at(phase, amplitude, steps)
        wanted = [losses.at(phase, amplitude, 0), *([now] if steps else []), now - losses.best(steps)[2]]
        assert said == pytest.approx(wanted, abs=0.012)


def test_the_handle_is_dragged_and_moved_by_keys(open_surface: OpenSurface) -> None:
    lab = open_surface()
    put(lab, 1.0, 2.0)
    first = hand(lab)
    box = lab.root.locator(".te-surface-canvas").bounding_box()
    assert box is not None
    lab.mouse.down()
    lab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    lab.mouse.up()
    dragged = hand(lab)
    assert dragged != first
    for key, change in {"ArrowRight": (0.1, 0), "ArrowUp": (0, 0.1), "Shift+ArrowLeft": (-0.5, 0)}.items():
        before = hand(lab)
        lab.keyboard.press(key)
        assert hand(lab) == pytest.approx([before[0] + change[0], before[1] + change[1]])
    assert lab.sent("set") == []
    lab.keyboard.press("Escape")
    assert hand(lab) == []
    lab.keyboard.press("ArrowDown")  # from the run's own start
    assert hand(lab) != []


def test_train_from_here_and_compare_ask_the_kernel(open_surface: OpenSurface) -> None:
    lab = open_surface()
    train = lab.root.get_by_role("button", name="Train from here")
    expect(train).to_be_disabled()
    put(lab, 1.0, 2.0)
    phase, amplitude = hand(lab)
    train.click()
    assert lab.sent("set") == [{"do": "set", "changes": {"start_phase": phase, "start_amplitude": amplitude}}]
    assert lab.sent("reset") == [{"do": "reset"}]
    assert hand(lab) == []
    lab.root.get_by_role("button", name="Compare the methods").click()
    assert lab.sent("compare methods") == [{"do": "compare methods"}]


def test_best_on_the_grid_is_shown_when_asked(open_surface: OpenSurface) -> None:
    lab = open_surface()
    button = lab.root.get_by_role("button", name="Best on the grid")
    shown = "document.querySelector('.te-surface-canvas').__written.some(({ words }) => words === 'best')"
    assert not lab.evaluate(shown)
    button.click()
    lab.next_frame()
    assert lab.evaluate(shown)
    expect(button).to_have_attribute("aria-pressed", "true")
    lab.root.get_by_role("radio", name="after 5 inner").check()  # where it is now is to be guessed again
    expect(button).to_have_attribute("aria-pressed", "false")
    lab.next_frame()
    assert not lab.evaluate(shown)


# ---- a recording, two runs, other learners ---------------------------------------------------------------------------


def test_an_exported_file_has_it_all_but_what_needs_a_kernel(open_surface: OpenSurface) -> None:
    lab = open_surface(live=False)
    for name, value in {"optima": "20", "starts": "1", "ways": "3"}.items():
        expect(surface(lab)).to_have_attribute(f"data-{name}", value)
    expect(lab.root.get_by_role("button", name="Train from here")).to_be_hidden()
    starts = "document.querySelector('.te-surface').__surface.runs[0].start.join()"
    last = lab.evaluate(starts)
    lab.root.locator(".te-surface-canvas").focus()
    lab.keyboard.press(",")
    lab.next_frame()
    assert lab.evaluate(starts) != last
    put(lab, 1.0, 2.0)
    assert "Your start" in told(lab)


def test_two_runs_have_two_starts_on_one_surface(open_surface: OpenSurface, runs: list[Session]) -> None:
    lab = open_surface(runs, live=False)
    expect(surface(lab)).to_have_attribute("data-starts", "2")
    written = lab.evaluate("document.querySelector('.te-surface-canvas').__written.map(({ words }) => words)")
    assert {"start A", "start B", "MAML", "First-order MAML", "Reptile", "phase", "amplitude"} <= set(written)
    lab.root.get_by_role("radio", name="Task map").check()
    for k in (0, 1):
        expect(lab.root.locator(".te-map").nth(k)).to_have_attribute("data-arrows", "20")


def test_a_learner_of_more_numbers_has_arrows_and_no_surface(open_surface: OpenSurface) -> None:
    session = Session("adapted", "sinusoids", n_tasks=12, projection="pca", hidden=8)
    lab = open_surface([session], live=False)
    expect(surface(lab)).to_be_hidden()
    expect(lab.root.locator(".te-plane-switch")).to_be_hidden()
    where = lab.root.locator(".te-map")
    expect(where).to_have_attribute("data-arrows", "12")
    switch = lab.root.get_by_role("button", name=re.compile("start, and each task's inner loop"))
    switch.click()
    expect(where).to_have_attribute("data-arrows", "0")
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    expect(where).to_have_attribute("data-arrows", "12")


def test_umap_says_that_it_has_no_place_for_the_start(open_surface: OpenSurface) -> None:
    session = Session("adapted", "sinusoids", n_tasks=20, projection="umap", hidden=8)
    lab = open_surface([session], live=False)
    expect(lab.root.locator(".te-map-excuse")).to_have_text("No start: UMAP has no place for it")
    expect(lab.root.locator(".te-map")).to_have_attribute("data-arrows", "0")


# ---- for everyone ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_grave_and_no_text_on_another(open_surface: OpenSurface, dark: bool) -> None:
    lab = open_surface(dark=dark)
    lab.add_script_tag(path=MEASURE)
    put(lab, 4.5, -4.0)
    for plane in ("Loss over the start", "Task map"):
        lab.root.get_by_role("radio", name=plane).check()
        lab.next_frame()
        grave = [
            rule for rule in Axe().run(lab.page, context=".te-panel").response["violations"] if rule["impact"] in GRAVE
        ]
        assert not grave, [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in grave]
    lab.root.get_by_role("radio", name="Loss over the start").check()
    for width in (1280, 1024, 1920):
        lab.page.set_viewport_size({"width": width, "height": 720})
        lab.next_frame()
        found = lab.root.evaluate("root => textBoxes.problems(root)")
        assert not found, (width, found)


# ---- with a kernel ---------------------------------------------------------------------------------------------------

CELL = f"from taskembed_edu import AdaptationLab\nlab = AdaptationLab(**{SETTINGS!r})\nlab"


@pytest.fixture
def lab(open_notebook: Any) -> LabOnPage:
    lab = LabOnPage(open_notebook([CELL]))
    lab.page.reveal(lab.root)
    lab.root.get_by_role("radio", name="Outer loop").check()
    expect(surface(lab)).to_have_attribute("data-optima", "20")
    return lab


def test_a_learner_starts_by_hand_then_maml_does(lab: LabOnPage) -> None:
    lab.play(until=20)
    lab.pause()
    lab.button("Compare the methods").click()
    expect(surface(lab)).to_have_attribute("data-ways", "3")
    canvas = lab.root.locator(".te-surface-canvas")
    canvas.focus()
    for key in ("Shift+ArrowUp", "ArrowRight"):
        lab.page.keyboard.press(key)
    expect(surface(lab)).to_have_attribute("data-hand", re.compile(r"\d"))
    phase, amplitude = map(float, (surface(lab).get_attribute("data-hand") or "").split())
    lab.page.keyboard.press("Enter")
    expect(surface(lab)).to_have_attribute("data-ways", "0")  # another start: the ways are gone
    lab.wait_until_idle()
    assert json.loads(lab.ask("lab.session.history[0].start.tolist()")) == pytest.approx([phase, amplitude])
    lab.button("Undo").click()
    expect(surface(lab)).to_have_attribute("data-ways", "3")
    assert lab.ask("lab.session.steps > 0") == "True"
    lab.check_nothing_failed()


def test_another_inner_rate_makes_another_surface_at_once(lab: LabOnPage) -> None:
    key = "document.querySelector('.te-surface').__surface.packet.inner_lr"
    assert lab.page.evaluate(key) == 0.1
    lab.press("inner_lr", "ArrowRight", 2)
    lab.page.wait_for_function(f"{key} > 0.1")
    expect(surface(lab).locator(".te-surface-about")).not_to_contain_text("inner rate 0.1.")
    lab.check_nothing_failed()
