"""ParameterLab in a real JupyterLab: networks leave one point, languages find their branches, answers stand beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.lab_on_page import LabOnPage
from tests.browser.notebook_page import NotebookPage

# Small and quick: what is tested is the lab, not how well a network learns.
LANGUAGES = """from taskembed_edu import ParameterLab
lab = ParameterLab("number_words", n_tasks=20, hidden=8, batch=8)
lab"""
WAVES = """from taskembed_edu import ParameterLab
lab = ParameterLab("sinusoids", n_tasks=20, hidden=8, stop_at=0)
lab"""


def shown(open_notebook: Any, cell: str) -> LabOnPage:
    page: NotebookPage = open_notebook([cell])
    page.reveal(page.locator(".te-map canvas").first)
    return LabOnPage(page)


@pytest.fixture
def languages(open_notebook: Any) -> LabOnPage:
    return shown(open_notebook, LANGUAGES)


@pytest.fixture
def waves(open_notebook: Any) -> LabOnPage:
    return shown(open_notebook, WAVES)


def point_at(lab: LabOnPage, task: int) -> None:
    """The pointer goes over this task, as the map draws it now."""
    box = lab.map().locator(".te-map-canvas").bounding_box()
    assert box is not None
    x, y = lab.positions()[task]
    lab.page.mouse.move(box["x"] + x, box["y"] + y)


def test_networks_leave_one_point_and_their_trails_lead_back_to_it(waves: LabOnPage) -> None:
    lab = waves
    assert np.ptp(lab.positions(), axis=0).max() < 1, "before the first step all tasks are one point"
    lab.page.run("lab.session.set(stop_at=50)")
    lab.play(until=50)
    lab.wait_until_paused()
    expect(lab.root.locator(".te-status")).to_contain_text('Step 50: paused by the setting "Stop at step"')
    lab.settle()
    assert np.ptp(lab.positions(), axis=0).min() > 50
    expect(lab.map()).to_have_attribute("data-trails", "20")
    lab.check_picture()
    lab.play(until=60)  # who presses Play again goes on
    lab.pause()
    lab.check_nothing_failed()


def test_the_answer_of_the_network_under_the_pointer_is_drawn_and_said(waves: LabOnPage) -> None:
    waves.play(until=50)
    waves.pause()
    waves.settle()
    point_at(waves, 3)
    card = waves.map().locator(".te-map-card")
    expect(card).to_contain_text("sin(x")
    expect(card).to_contain_text("dashed: the network")


def test_languages_have_names_branches_and_spelt_words(languages: LabOnPage) -> None:
    lab = languages
    expect(lab.map()).not_to_have_attribute("data-labels", "0")
    expect(lab.root.locator(".te-legend")).to_contain_text("Germanic")
    lab.play(until=10)
    lab.pause()
    lab.settle()
    names = lab.ask("','.join(lab.session.tasks.names)").split(",")
    apart = lab.positions()
    loneliest = int(np.argmax([np.sort(np.hypot(*(apart - place).T))[1] for place in apart]))
    point_at(lab, loneliest)
    card = lab.map().locator(".te-map-card")
    expect(card).to_contain_text(names[loneliest])
    expect(card.locator("tbody tr").first).to_be_visible()
    shown = set(lab.ask("','.join(str(10 * t + u) for t, u in lab.session.tasks.support_x[0].tolist())").split(","))
    told = ["shown" if number in shown else "new" for number in card.locator("td:nth-child(1)").all_inner_texts()]
    expect(card.locator("td:nth-child(5)")).to_have_text(told)
    lab.page.mouse.down()
    lab.page.mouse.up()
    expect(lab.map()).to_have_attribute("data-chosen", str(loneliest))
    lab.check_picture()


def test_there_are_scores_of_geometry_and_none_of_pairs(languages: LabOnPage) -> None:
    lab = languages
    lab.play(until=10)
    lab.pause()
    curves = lab.root.locator(".te-curves")
    for name, seen in (("Purity", True), ("Spearman", True), ("Recall@1", False), ("Active pairs", False)):
        expect(curves.get_by_text(name, exact=False).first).to_be_visible(visible=seen)


def test_a_start_each_applies_at_reset_and_scatters_the_tasks_before_any_step(waves: LabOnPage) -> None:
    lab = waves
    lab.play(until=20)
    lab.pause()
    step = lab.settle()
    lab.control("start").select_option("own")
    expect(lab.root.locator(".te-status")).to_contain_text("Press Reset to apply: Start")
    lab.button("Reset").click()
    expect(lab.map()).to_have_attribute("data-step", "0")
    lab.check_picture()
    assert np.ptp(lab.positions(), axis=0).min() > 50
    lab.button("Undo").click()  # nothing is lost: the run before the reset comes back
    expect(lab.map()).to_have_attribute("data-step", str(step))
    assert lab.ask("lab.session.settings.start") == "shared"


def test_another_way_to_look_is_seen_without_a_step(waves: LabOnPage) -> None:
    lab = waves
    lab.play(until=20)
    lab.pause()
    step = lab.settle()
    for setting, value in (("vector", "outputs"), ("vector", "fisher"), ("vector", "weights"), ("form", "pca")):
        lab.control(setting).select_option(value)
        expect(lab.map()).to_have_attribute("data-step", str(step))
        for _ in range(100):
            if lab.ask(f"lab.session.settings.{setting}") == value:
                break
        lab.check_picture()
    expect(lab.root.locator(".te-map-excuse")).to_have_text("No trails: main directions are found anew at every step")
    offered = lab.control("layer").locator("option").evaluate_all("options => options.map(option => option.value)")
    assert offered == ["all", "hidden_1", "hidden_2", "output"], "only the layers that this network has"


def test_a_task_that_diverges_is_named_and_leaves_the_map(waves: LabOnPage) -> None:
    lab = waves
    lab.page.run("lab.session._now.state.given.support_y[4] *= 1e30")
    name = lab.ask("lab.session.tasks.names[4]")
    lab.play(until=30)
    lab.pause()
    lab.settle()
    expect(lab.root.get_by_role("alert")).to_contain_text(f"1 task has diverged and left the map: {name}")
    assert lab.ask("lab.session.frame.diverged_tasks") == "(4,)"
    expect(lab.map()).to_have_attribute("data-trails", "19")
    lab.check_nothing_failed()


def test_the_page_comes_back_after_a_reload_with_trails_and_answers(waves: LabOnPage) -> None:
    lab = waves
    lab.play(until=20)
    lab.pause()
    step = lab.settle()
    lab.page.reload()
    expect(lab.map()).to_have_attribute("data-step", str(step))
    expect(lab.map()).to_have_attribute("data-trails", "20")
    lab.check_picture()


def test_two_starts_stand_side_by_side_on_the_same_tasks(waves: LabOnPage) -> None:
    lab = waves
    lab.play(until=20)
    lab.pause()
    lab.settle()
    lab.button("Branch here").click()
    expect(lab.map(1)).to_be_visible()
    lab.control("start").select_option("own")
    lab.button("Reset").click()
    expect(lab.map(1)).to_have_attribute("data-step", "0")
    assert lab.ask("[run.settings.start for run in lab.sessions]") == "['shared', 'own']"
    assert lab.ask("lab.sessions[0].tasks.names == lab.sessions[1].tasks.names") == "True"
    lab.check_nothing_failed()


def offered(lab: LabOnPage, setting: str) -> list[str]:
    values = lab.control(setting).locator("option").evaluate_all("options => options.map(option => option.value)")
    return [str(value) for value in values]


def note(lab: LabOnPage, setting: str) -> Any:
    return lab.root.locator(f"[data-setting={setting}] .te-control-note")


def test_other_tasks_bring_what_suits_them_and_networks_that_read_them(waves: LabOnPage) -> None:
    lab, status = waves, waves.root.locator(".te-status")
    assert offered(lab, "learner") == ["auto", "mlp", "wave"]
    lab.control("family").select_option("number_words")
    expect(status).to_contain_text("Press Reset to apply: Tasks. These change with it: ")
    for setting, value in (("metric", "cosine"), ("form", "difference"), ("optimiser", "adam"), ("batch", "25")):
        expect(lab.control(setting)).to_have_value(value)
        expect(note(lab, setting)).to_have_text("waits for Reset")
    assert offered(lab, "learner") == ["auto", "gru", "lstm"]
    assert lab.ask("lab.session.settings.metric") == "euclidean", "nothing has changed yet"

    lab.control("family").select_option("sinusoids")
    expect(lab.control("metric")).to_have_value("euclidean")
    expect(lab.root.locator(".te-wished")).to_have_count(0)
    assert offered(lab, "learner") == ["auto", "mlp", "wave"]

    lab.control("metric").select_option("manhattan")  # the learner's own from now on
    lab.control("family").select_option("digits")
    expect(lab.control("learning_rate")).to_have_attribute("aria-valuetext", "0.1")
    expect(lab.control("metric")).to_have_value("manhattan")
    lab.button("Reset").click()
    expect(lab.root.locator(".te-wished")).to_have_count(0)
    expect(status).to_contain_text("Begun again with tasks handwritten digits")
    lab.settle()
    assert lab.ask("(lab.session.settings.metric, lab.session.settings.learning_rate)") == "('manhattan', 0.1)"
    assert offered(lab, "learner") == ["auto", "conv", "mlp"]
    lab.play(until=10)
    lab.pause()
    lab.check_nothing_failed()
