"""What a learner's hands can do to a lab, and what the lab makes of it. docs/reliability.md tells each in words.

After every fault the lab must be well (`LabOnPage.check_well`): the picture is the session's, Play works, the run is
whole, one thread plays a lab, no process is left.
"""

from __future__ import annotations

from typing import Any

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.lab_on_page import CELL, PATIENCE, WATCH_THREADS, LabOnPage
from tests.browser.notebook_page import NotebookPage

LAB = 1  # the number of the cell that shows the lab


@pytest.fixture
def lab(open_notebook: Any) -> LabOnPage:
    page: NotebookPage = open_notebook([WATCH_THREADS, CELL])
    page.reveal(page.locator(".te-map canvas").first)
    return LabOnPage(page)


def test_a_double_click_on_play_plays_and_one_on_pause_pauses(lab: LabOnPage) -> None:
    lab.wait_for_umap()  # a status line that grows shorter must not move the button from under the pointer
    double_click(lab, "Play", becomes="Pause")
    lab.wait_for_step(50)
    expect(lab.root).to_have_attribute("data-playing", "true")
    double_click(lab, "Pause", becomes="Play")
    lab.wait_until_paused()
    assert lab.ask("lab.panel.player.playing") == "False"
    lab.check_well()


def double_click(lab: LabOnPage, name: str, becomes: str) -> None:
    """The worst double click: the button has become another one by the time of the second half."""
    box = lab.button(name).bounding_box()
    assert box is not None
    place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.click(*place)
    expect(lab.button(becomes)).to_be_visible()
    lab.page.mouse.down(click_count=2)
    lab.page.mouse.up(click_count=2)


def test_running_the_cell_again_while_playing_stops_the_lab_it_replaces(lab: LabOnPage) -> None:
    lab.play(until=20)
    lab.page.run("old = lab.session, lab.panel.player")
    lab.page.run_cell(LAB)
    expect(lab.map()).to_have_attribute("data-step", "0")
    expect(lab.page.locator(".te-panel")).to_have_count(1)
    assert lab.page.run("print(old[1].alive, old[0].steps >= 20, old[0] is lab.session)") == "False True False\n"
    lab.check_well()


def test_run_all_twice_leaves_one_lab(lab: LabOnPage) -> None:
    lab.play(until=20)
    lab.page.run_all()
    lab.page.run_all()
    lab.page.evaluate("Promise.all([harness.runAll(), harness.runAll()])")  # and impatiently
    expect(lab.page.locator(".te-panel")).to_have_count(1)
    expect(lab.map()).to_have_attribute("data-step", "0")
    lab.check_well()


def test_a_page_reloaded_while_training_shows_the_map_as_it_is_now(lab: LabOnPage) -> None:
    lab.play(until=30)
    lab.page.reload()
    made_meanwhile = int(lab.ask("lab.session.steps"))
    assert made_meanwhile > 30
    lab.page.reveal(lab.root)
    lab.wait_for_step(made_meanwhile + 20)
    expect(lab.root).to_have_attribute("data-playing", "true")
    expect(lab.root).to_have_attribute("data-live", "true")
    lab.pause()
    expect(lab.root.locator(".te-curves")).to_have_attribute("data-rows", lab.ask("len(lab.session.history)"))
    lab.check_well()


def test_a_panel_whose_kernel_was_restarted_says_so_and_what_to_do(lab: LabOnPage) -> None:
    lab.play(until=20)
    process = psutil.Process(int(lab.page.run("import os; print(os.getpid())")))
    processes = [process, *process.children(recursive=True)]
    lab.page.restart_kernel()
    expect(lab.root).to_have_attribute("data-connection", "dead")
    expect(lab.root).to_contain_text("Run the cell again")
    expect(lab.root.locator("[inert] .te-play")).to_have_count(1)  # out of reach: nobody would hear
    assert psutil.wait_procs(processes, timeout=30)[1] == [], "the old kernel's processes have ended"
    lab.page.run_all()
    expect(lab.page.locator(".te-panel")).to_have_count(1)
    lab.check_well()


def test_a_kernel_interrupt_ends_the_cell_and_not_the_training(lab: LabOnPage) -> None:
    lab.play(until=20)
    lab.page.interrupt_kernel()
    lab.wait_for_step(lab.step() + 50)
    endless = lab.page.add_cell("lab.session.step(10_000_000)", run=False)
    lab.page.start_cell(endless)
    lab.wait_until_paused()  # code in a cell takes the session over
    lab.page.interrupt_kernel()
    lab.page.wait_idle()
    assert lab.page.saved()["cells"][endless]["outputs"][-1]["ename"] == "KeyboardInterrupt"
    lab.wait_until_paused()
    lab.check_picture()
    lab.check_well()


def test_a_hundred_changes_a_second_end_at_the_last_one(lab: LabOnPage) -> None:
    lab.play(until=20)
    sent = lab.control("margin").evaluate(
        """slider => new Promise(done => {
            let sent = 0;
            const hand = setInterval(() => {
                sent += 1;
                slider.value = sent < 300 ? 0.5 + (sent % 40) / 20 : 2;
                slider.dispatchEvent(new Event('input', { bubbles: true }));
                if (sent < 300) return;
                clearInterval(hand);
                slider.dispatchEvent(new Event('change', { bubbles: true }));
                done(sent);
            }, 10);
        })"""
    )
    lab.wait_for_step(lab.step() + 50)
    expect(lab.control("margin")).to_have_value("2")
    lab.wait_until_heard("margin", 2.0)
    lab.pause()
    margins = lab.ask("[e.changes['margin'] for e in lab.session.events if 'margin' in e.changes]")
    told: list[float] = [float(word) for word in margins.strip("[]").split(",")]
    assert told[-1] == 2.0
    assert 1 < len(told) <= sent, "they were obeyed while it trained, and none was made up"
    lab.check_well()


def test_two_labs_on_one_page_do_not_meet(lab: LabOnPage) -> None:
    page = lab.page
    page.add_cell(CELL.replace("lab", "other").replace("n_tasks=60", "n_tasks=40, seed=3"))
    other = LabOnPage(page, which=1, name="other")
    page.reveal(lab.root)
    lab.play(until=20)
    page.reveal(other.root)
    other.press("margin", "ArrowRight", times=4)
    other.play(until=50)
    other.pause()
    expect(lab.root).to_have_attribute("data-playing", "true")
    assert other.ask("lab.session.settings.margin") != lab.ask("lab.session.settings.margin") == "1.0"
    other.check_picture()
    page.reveal(lab.root)
    lab.pause()
    lab.check_well(players=2)
    page.reveal(other.root)
    other.check_well(players=2)


def test_two_tabs_on_one_notebook_show_and_move_the_same_lab(lab: LabOnPage) -> None:
    lab.wait_for_umap()
    lab.play(until=20)
    twin = lab.page.second_tab()
    second = LabOnPage(twin)
    twin.reveal(second.root)
    second.wait_for_step(lab.step() + 20)
    second.press("margin", "ArrowRight", times=3)
    second.pause()
    lab.wait_until_paused()
    expect(lab.control("margin")).to_have_value(second.control("margin").input_value())
    second.check_picture()
    lab.check_picture()
    lab.play(until=lab.step() + 20)
    second.wait_for_step(lab.step())
    twin.page.close()
    lab.wait_for_step(lab.step() + 100)  # the page that is left is not made to wait for the one that has gone
    lab.pause()
    lab.check_well()


def test_a_lab_opened_without_running_shows_its_picture_and_one_line(lab: LabOnPage) -> None:
    lab.play(until=20)
    lab.pause()
    # The lab leaves its picture when all has been quiet for some seconds: a save then takes it along.
    lab.page.wait_for_function("JSON.stringify(harness.saved()).includes('data:image/png;base64')")
    lab.page.evaluate("harness.save()")
    lab.page.end_kernel()
    lab.page.tolerate("widget model not found")  # JupyterLab's own words, in the console only
    read = lab.page.second_tab()
    cell = read.cell(LAB)
    expect(cell.locator("img")).to_be_visible()
    expect(cell.get_by_text("Run the cell", exact=False)).to_have_count(1)
    expect(cell.get_by_text("Error displaying widget")).to_have_count(0)
    expect(cell.get_by_text("model not found", exact=False)).to_have_count(0)
    read.run_all()
    again = LabOnPage(read)
    read.reveal(again.root)
    expect(cell.locator("img:visible")).to_have_count(0)
    again.check_well()
    read.page.close()


def test_a_loss_that_is_not_finite_pauses_and_one_click_leads_back(lab: LabOnPage) -> None:
    lab.play(until=50)
    lab.pause()
    good = int(lab.ask("len(lab.session.history)"))
    broken = "import torch\nwith torch.no_grad():\n    lab.session._now.state.encoder.rho[0].weight.fill_(float('nan'))"
    lab.page.run(broken)
    lab.button("Play").click()
    alert = lab.root.get_by_role("alert").filter(has_text="finite number")
    expect(alert).to_be_visible()
    lab.wait_until_paused()
    assert int(lab.ask("len(lab.session.history)")) == good, "the broken step made no frame"
    lab.check_picture()
    lab.button("Back to the last good frame").click()
    expect(alert).to_have_count(0, timeout=PATIENCE)
    # A run that broke while it stood on its last frame would break there again: then it is the one before.
    assert int(lab.ask("len(lab.session.history)")) in (good - 1, good)
    assert int(lab.ask("len(lab.session.past)")) == 1, "and the run as it was is kept"
    lab.check_well()
