"""MetricLab in a real JupyterLab: it trains in front of the learner, and it obeys them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.notebook_page import NotebookPage

# Two cores may be busy with another test's browser: what is awaited is the thing itself, never a time.
expect.set_options(timeout=30_000)

# Small and quick: what is tested here is the lab, not how well a network learns.
LAB = "from taskembed_edu import MetricLab\nlab = MetricLab('gaussians', n_tasks=60, batch=16, hidden=32)\nlab"
PLAYERS = "import threading; print(sum(t.name == 'taskembed-player' for t in threading.enumerate()))"


def button(page: NotebookPage, name: str) -> Locator:
    return page.locator(".te-panel").get_by_role("button", name=name)


def wait_for_step(page: NotebookPage, step: int) -> None:
    page.wait_for_function("step => +document.querySelector('.te-map')?.dataset.step >= step", arg=step, timeout=60_000)


def step_shown(page: NotebookPage) -> int:
    return int(page.locator(".te-map").get_attribute("data-step"))


def play(page: NotebookPage, until: int) -> None:
    button(page, "Play").click()
    wait_for_step(page, until)


def pause(page: NotebookPage) -> None:
    button(page, "Pause").click()
    expect(button(page, "Play")).to_be_visible()
    expect(page.locator(".te-status")).to_contain_text("Paused")


def events(page: NotebookPage) -> list[dict[str, Any]]:
    text = page.run("import json; print(json.dumps([e.changes for e in lab.session.events]))")
    found: list[dict[str, Any]] = json.loads(text)
    return found


@pytest.fixture
def lab(open_notebook: Any) -> NotebookPage:
    page: NotebookPage = open_notebook([LAB])
    page.locator(".te-map-canvas").wait_for()
    return page


def test_play_trains_and_pause_leaves_nothing_drawing(lab: NotebookPage) -> None:
    assert step_shown(lab) == 0
    play(lab, until=100)
    expect(lab.locator(".te-device")).to_contain_text("steps/s")
    pause(lab)
    shown = step_shown(lab)
    assert lab.run("print(lab.session.steps)") == f"{shown}\n", "the map shows the step at which training stopped"
    expect(lab.locator("[data-score=loss]")).not_to_have_text("–")
    # Nothing may be drawn later than 200 ms after the stop: watch for half a second.
    drawn = lab.evaluate(
        """() => new Promise(done => {
            const map = document.querySelector('.te-map');
            setTimeout(() => { const before = map.dataset.drawn;
                setTimeout(() => done([before, map.dataset.drawn]), 500); }, 200);
        })"""
    )
    assert drawn[0] == drawn[1]
    assert step_shown(lab) == shown


def test_step_makes_one_frame_and_reset_returns_to_the_same_start(lab: NotebookPage) -> None:
    start = lab.run("print(lab.session.history[0].layout.tolist())")
    for step in (10, 20):
        button(lab, "Step").click()
        wait_for_step(lab, step)
    button(lab, "Reset").click()
    lab.wait_for_function("document.querySelector('.te-map').dataset.step === '0'")
    assert lab.run("print(lab.session.history[0].layout.tolist())") == start
    assert lab.run("print([run['steps'] for run in lab.session.past])") == "[20]\n", "the run so far is kept"


def test_the_margin_moves_while_training_and_the_slider_stays_where_the_hand_put_it(lab: NotebookPage) -> None:
    play(lab, until=30)
    slider = lab.locator(".te-set-margin [role=slider]")
    slider.focus()
    for _ in range(20):
        lab.keyboard.press("ArrowRight")
    expect(lab.locator(".te-set-margin .widget-readout")).to_have_text("2.00")
    at = step_shown(lab)
    wait_for_step(lab, at + 60)
    expect(lab.locator(".te-set-margin .widget-readout")).to_have_text("2.00")
    pause(lab)
    assert events(lab)[-1] == {"margin": 2.0}
    assert lab.run("print(lab.session.settings.margin)") == "2.0\n"


def test_cosine_distance_ends_the_margin_at_two_in_the_same_event(lab: NotebookPage) -> None:
    lab.run("lab.session.set(margin=5.0)")
    expect(lab.locator(".te-set-margin .widget-readout")).to_have_text("5.00")
    play(lab, until=10)
    lab.locator(".te-set-metric select").select_option(label="Cosine distance")
    expect(lab.locator(".te-set-margin .widget-readout")).to_have_text("2.00")
    expect(lab.locator(".te-set-margin [role=slider]")).to_have_attribute("aria-valuemax", "2.0")
    pause(lab)
    assert events(lab)[-1] == {"metric": "cosine", "margin": 2.0}


def test_a_loss_without_a_margin_says_so(lab: NotebookPage) -> None:
    lab.locator(".te-set-loss select").select_option(label="InfoNCE")
    expect(lab.locator(".te-set-margin .noUi-target[disabled]")).to_have_count(1)
    lab.locator(".te-set-loss select").select_option(label="Triplet")
    expect(lab.locator(".te-set-margin .noUi-target[disabled]")).to_have_count(0)


def test_another_family_waits_for_reset(lab: NotebookPage) -> None:
    lab.locator(".te-set-family select").select_option(label="Sine waves")
    expect(lab.locator(".te-status")).to_contain_text("Press Reset to apply: Tasks")
    assert lab.run("print(lab.session.setup.family)") == "gaussians\n"
    button(lab, "Reset").click()
    expect(lab.locator(".te-legend-title")).to_have_text("amplitude")
    lab.locator(".te-map-canvas").focus()
    lab.keyboard.press("ArrowRight")
    expect(lab.locator(".te-map-tooltip")).to_contain_text("sin(x")
    lab.keyboard.press("Escape")
    expect(lab.locator(".te-map-tooltip")).to_be_hidden()


def test_umap_takes_over_when_it_is_ready_and_the_recording_says_when(lab: NotebookPage) -> None:
    expect(lab.locator(".te-map .te-title")).to_have_text("Task space, PCA")
    play(lab, until=20)
    expect(lab.locator(".te-map .te-title")).to_have_text("Task space, UMAP", timeout=120_000)
    pause(lab)
    assert {"projection": "umap"} in events(lab)
    same = "again = lab.session.replay(lab.session.recording())\n"
    same += "frames = len(again.history), len(lab.session.history)\n"
    same += "print((again.frame.layout == lab.session.frame.layout).all(), frames[0] == frames[1])"
    assert lab.run(same) == "True True\n"


def test_running_the_cell_again_stops_the_player_it_replaces(lab: NotebookPage) -> None:
    play(lab, until=10)
    assert lab.run(PLAYERS) == "1\n"
    lab.run_cell(0)
    expect(lab.locator(".te-map")).to_have_attribute("data-step", "0")
    assert lab.run(PLAYERS) == "1\n"


def test_code_in_a_cell_pauses_a_playing_lab_and_the_page_follows(lab: NotebookPage) -> None:
    play(lab, until=10)
    told = lab.run("lab.session.step(30); print(lab.session.steps, lab.panel.player.playing)").split()
    assert told[1] == "False"
    wait_for_step(lab, int(told[0]))
    assert step_shown(lab) == int(told[0])


def test_a_loss_that_is_not_finite_is_said_and_nothing_is_lost(lab: NotebookPage) -> None:
    play(lab, until=20)
    pause(lab)
    kept = lab.run("print(len(lab.session.history))")
    broken = "import torch\nwith torch.no_grad():\n    lab.session._now.state.encoder.rho[0].weight.fill_(float('nan'))"
    lab.run(broken)
    button(lab, "Step").click()
    expect(lab.locator(".te-failure")).to_be_visible()
    assert lab.run("print(len(lab.session.history))") == kept
    button(lab, "Reset").click()
    expect(lab.locator(".te-failure")).to_have_count(0)
    play(lab, until=10)


def test_save_writes_a_recording_that_a_fresh_lab_replays(lab: NotebookPage) -> None:
    play(lab, until=20)
    pause(lab)
    button(lab, "Save").click()
    expect(lab.locator(".te-status")).to_contain_text("lab.replay(")
    told = lab.run(
        "import glob\n(path,) = glob.glob('metric-gaussians-step-*.json')\n"
        "again = MetricLab('gaussians')\nagain.replay(path)\n"
        "print((again.session.frame.embedding == lab.session.frame.embedding).all())"
    )
    assert told == "True\n"


def test_a_reloaded_page_shows_the_map_as_it_is_now(lab: NotebookPage) -> None:
    play(lab, until=20)
    pause(lab)
    shown = step_shown(lab)
    lab.reload()
    wait_for_step(lab, shown)
    rows = lab.run("print(len(lab.session.history))").strip()
    expect(lab.locator(".te-curves")).to_have_attribute("data-rows", rows)
    play(lab, until=shown + 20)
