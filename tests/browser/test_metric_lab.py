"""MetricLab in a real JupyterLab: it trains in front of the learner, and it obeys them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.lab_on_page import CELL, PATIENCE, LabOnPage
from tests.browser.notebook_page import NotebookPage


@pytest.fixture
def lab(open_notebook: Any) -> LabOnPage:
    page: NotebookPage = open_notebook([CELL])
    page.reveal(page.locator(".te-map canvas").first)
    return LabOnPage(page)


def events(lab: LabOnPage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        lab.page.run("import json; print(json.dumps([e.changes for e in lab.session.events]))")
    )
    return found


def test_play_trains_and_pause_leaves_nothing_drawing(lab: LabOnPage) -> None:
    assert lab.step() == 0
    lab.wait_for_umap()  # from here on nothing redraws the map unasked
    lab.play(until=100)
    expect(lab.root.locator(".te-device")).to_contain_text("steps/s")
    lab.pause()
    lab.check_picture()
    assert lab.ask("lab.session.steps") == str(lab.step()), "the map shows the step at which training stopped"
    expect(lab.root.locator("[data-score=loss]")).not_to_have_text("–")
    # Nothing may be drawn later than 200 ms after the stop: watch for half a second.
    drawn = lab.page.evaluate(
        """() => new Promise(done => {
            const map = document.querySelector('.te-map');
            setTimeout(() => { const before = map.dataset.drawn;
                setTimeout(() => done([before, map.dataset.drawn]), 500); }, 200);
        })"""
    )
    assert drawn[0] == drawn[1]


def test_step_makes_one_frame_and_reset_returns_to_the_same_start(lab: LabOnPage) -> None:
    start = lab.layout().tolist()
    for step in (10, 20):
        lab.button("Step").click()
        lab.wait_for_step(step)
    lab.button("Reset").click()
    expect(lab.map()).to_have_attribute("data-step", "0")
    assert lab.layout().tolist() == start
    assert lab.ask("[run['steps'] for run in lab.session.past]") == "[20]", "the run so far is kept"
    lab.button("New seed").click()
    expect(lab.root.locator(".te-status")).to_contain_text("eed")
    assert lab.ask("lab.session.setup.seed") == "1"
    assert lab.layout().tolist() != start


def test_the_margin_moves_while_training_and_the_slider_stays_where_the_hand_put_it(lab: LabOnPage) -> None:
    lab.wait_for_umap()  # it is an event too
    lab.play(until=30)
    lab.press("margin", "ArrowRight", times=20)
    expect(lab.control("margin")).to_have_value("2")
    lab.wait_for_step(lab.step() + 60)
    expect(lab.control("margin")).to_have_value("2")
    expect(lab.control("margin")).to_have_attribute("aria-valuetext", "2.00")
    lab.pause()
    assert events(lab)[-1] == {"margin": 2.0}
    assert lab.ask("lab.session.settings.margin") == "2.0"
    lab.button("Undo").click()
    expect(lab.control("margin")).not_to_have_value("2")
    assert float(lab.ask("lab.session.settings.margin")) < 2.0


def test_cosine_distance_ends_the_margin_at_two_in_the_same_event(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    lab.page.run("lab.session.set(margin=5.0)")
    expect(lab.control("margin")).to_have_value("5")
    lab.play(until=10)
    lab.control("metric").select_option(label="Cosine distance")
    expect(lab.control("margin")).to_have_value("2")
    expect(lab.control("margin")).to_have_attribute("max", "2")
    lab.pause()
    assert events(lab)[-1] == {"metric": "cosine", "margin": 2.0}


def test_one_click_leads_out_of_a_collapse_and_play_goes_on_from_there(lab: LabOnPage) -> None:
    lab.press("learning_rate", "End")
    lab.play(until=10)
    recover = lab.root.locator(".te-recover")
    expect(recover).to_be_visible(timeout=4 * PATIENCE)
    lab.pause()
    expect(recover).to_contain_text("with learning rate 0.01")
    recover.click()
    expect(recover).to_be_hidden()
    expect(lab.control("learning_rate")).to_have_attribute("aria-valuetext", "0.01")
    lab.play(until=lab.step() + 200)
    lab.pause()
    expect(lab.root.locator(".te-alert")).to_have_text("")
    assert lab.ask("[frame.step for frame in lab.session.history if frame.alarm]") == "[]"


def test_a_loss_without_a_margin_says_so(lab: LabOnPage) -> None:
    lab.control("loss").select_option(label="InfoNCE")
    expect(lab.control("margin")).to_be_disabled()
    lab.control("loss").select_option(label="Triplet")
    expect(lab.control("margin")).to_be_enabled()


def test_fewer_shots_are_seen_at_once_and_the_slider_says_so(lab: LabOnPage) -> None:
    shots = lab.control("n_shot")
    expect(shots).to_have_attribute("aria-valuetext", "as the tasks come")
    lab.play(until=50)
    lab.press("n_shot", "ArrowRight")
    lab.wait_until_heard("n_shot", 1)
    expect(shots).to_have_attribute("aria-valuetext", "1")
    lab.wait_for_step(lab.step() + 20)
    assert lab.ask("lab.session.tasks.support_x.shape[1]") == "2"  # one of each class
    lab.pause()
    lab.check_well()


def test_another_family_waits_for_reset(lab: LabOnPage) -> None:
    lab.control("family").select_option(label="Sine waves")
    expect(lab.root.locator(".te-status")).to_contain_text("Reset")
    assert lab.ask("lab.session.setup.family") == "gaussians"
    lab.button("Reset").click()
    expect(lab.root.locator(".te-legend-title")).to_have_text("amplitude")
    lab.map().locator(".te-map-canvas").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(lab.map()).to_contain_text("sin(x")


def test_umap_takes_over_when_it_is_ready_and_the_recording_says_when(lab: LabOnPage) -> None:
    expect(lab.map()).to_contain_text("PCA")
    lab.play(until=20)
    expect(lab.map()).to_contain_text("UMAP", timeout=4 * PATIENCE)
    lab.pause()
    assert {"projection": "umap"} in events(lab)
    lab.check_well()


def test_who_does_not_wait_for_a_run_that_catches_up_sees_both_go_on(lab: LabOnPage) -> None:
    lab.page.run("lab.session.set(projection='pca')\nlab.session.step(2000)")
    lab.settle()
    lab.page.run("lab.panel._on_message(None, {'do': 'branch', 'step': 40}, [])")
    expect(lab.root).to_have_attribute("data-runs", "2")
    bar = lab.root.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "40")
    lab.button("Play").click()
    expect(bar).to_have_accessible_name(re.compile(r"Run B: step [\d,]+ of 2,000, about \d+ s left"))
    expect(lab.map(0)).to_have_attribute("data-step", re.compile(r"^\d{1,3}$"))
    lab.button("Skip").click()
    expect(lab.button("Catch up")).to_be_visible()
    lab.wait_for_step(2030, run=0)
    assert lab.step(1) < 2000
    lab.pause()
    for run in (0, 1):
        lab.check_picture(run, f"lab.sessions[{run}].frame")
    assert int(lab.ask("lab.sessions[0].steps - lab.sessions[1].steps")) > 1000
    lab.button("Catch up").click()
    expect(lab.map(0)).to_have_attribute("data-step", lab.ask("lab.sessions[1].frame.step"))
    for run in (0, 1):
        again = f"lab.session.replay(lab.sessions[{run}].recording())"
        assert lab.ask(f"({again}.frame.embedding == lab.sessions[{run}].frame.embedding).all()") == "True"


def test_the_line_of_code_opens_a_lab_with_the_settings_of_the_moment_shown(lab: LabOnPage) -> None:
    lab.page.run("lab.session.step(20)\nlab.session.set(margin=1.4)\nlab.session.step(20)")
    lab.settle()
    lab.button("Code").click()
    line = lab.root.get_by_role("dialog", name="What this lab does, in Python").locator("code").first
    expect(line).to_contain_text('MetricLab(family="gaussians", n_tasks=60, margin=1.4, batch=16, hidden=32)')
    lab.page.run(f"before = lab\n{line.inner_text().replace('MetricLab(', 'lab = MetricLab(')}")
    assert lab.ask("lab.session.settings == before.session.settings") == "True"
    lab.page.run("lab = before")
    lab.button("Close").click()
    lab.button("Frame back").click()
    lab.button("Frame back").click()
    expect(lab.root).to_have_attribute("data-step", "20")
    lab.button("Code").click()
    expect(line).to_contain_text('MetricLab(family="gaussians", n_tasks=60, batch=16, hidden=32)')


def test_two_runs_side_by_side_share_tasks_and_selection(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    lab.play(until=100)
    lab.pause()
    end = lab.settle()
    lab.root.get_by_role("slider", name="Time").focus()
    for _ in range(3):
        lab.page.keyboard.press("ArrowLeft")
    expect(lab.root).to_have_attribute("data-live", "false")
    expect(lab.map()).to_have_attribute("data-step", str(end - 30))
    lab.check_picture(frame=f"lab.session.history.at_step({end - 30})")
    lab.button("Branch here").click()
    expect(lab.map(1)).to_have_attribute("data-step", str(end - 30))
    lab.press("margin", "ArrowRight", times=20)
    lab.play(until=end + 20)
    lab.wait_for_step(end + 20, run=1)
    lab.pause()
    assert lab.ask("[run.settings.margin for run in lab.sessions]") == "[1.0, 2.0]"
    for run in (0, 1):
        lab.check_picture(run, f"lab.sessions[{run}].history.at_step({lab.step(run)})")
    lab.map(1).locator(".te-map-canvas").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("Enter")
    chosen = lab.map(1).get_attribute("data-chosen")
    assert chosen != "-1"
    expect(lab.map(0)).to_have_attribute("data-chosen", str(chosen))
    lab.button("Keep B").click()
    expect(lab.map(1)).to_have_count(0)
    assert lab.ask("(lab.session.settings.margin, len(lab.session.past))") == "(2.0, 1)"
    lab.check_well()


def test_code_in_a_cell_pauses_a_playing_lab_and_the_page_follows(lab: LabOnPage) -> None:
    lab.play(until=10)
    told = lab.page.run("lab.session.step(30); print(lab.session.steps, lab.panel.player.playing)").split()
    assert told[1] == "False"
    expect(lab.map()).to_have_attribute("data-step", told[0])


def test_the_recording_is_saved_and_a_fresh_lab_replays_it(lab: LabOnPage) -> None:
    lab.play(until=20)
    lab.pause()
    lab.button("Export").click()
    lab.page.get_by_role("menuitem", name="Recording").click()
    expect(lab.root.locator(".te-status")).to_contain_text("lab.replay(")
    told = lab.page.run(
        "import glob\n(path,) = glob.glob('metric-gaussians-step-*.json')\n"
        "again = MetricLab('gaussians')\nagain.replay(path)\n"
        "print((again.session.frame.embedding == lab.session.frame.embedding).all())"
    )
    assert told == "True\n"


def test_the_code_that_is_shown_makes_the_same_run(lab: LabOnPage) -> None:
    lab.play(until=20)
    lab.pause()
    lab.button("Code").click()
    dialog = lab.page.get_by_role("dialog")
    code = dialog.locator("code").last.inner_text()
    lab.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    lab.page.run(f"names = {{}}\nexec({code!r}, names)")
    lab.page.run("(session,) = [made for made in names.values() if isinstance(made, type(lab.session))]")
    assert lab.page.run("print((session.frame.embedding == lab.session.frame.embedding).all())") == "True\n"
