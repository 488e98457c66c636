"""Two maps of one run on the page: which picture goes where, what they share, the switch, and a recorded run."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from taskembed_edu.session.by_pca import by_pca
from taskembed_edu.session.session import Session
from tests.browser import page_alone
from tests.browser.page_alone import AlonePage, OpenLab, recorded_document_of

documents, open_lab = page_alone.documents, page_alone.open_lab

MEASURE = Path(__file__).with_name("text_boxes.js")
# The kernel goes over to two maps: UMAP's picture is the recorded one, and PCA's is the same turned by a quarter.
SHOW_BOTH = """() => {
  const picture = model.get("picture");
  const [run] = picture.runs;
  const from = new Uint16Array(run.points);
  const points = from.map((v, k) => (k % 2 ? 65535 - from[k - 1] : from[k + 1]));
  const [left, bottom, right, top] = run.box;
  const pca = { box: [bottom, -right, top, -left], points, readings: { trustworthiness: 0.5 } };
  model.put("transport", { both: true, projection: "umap" });
  model.set("picture", { ...picture, number: picture.number + 1, runs: [{ ...run, projection: "umap", pca }] });
}"""
PLACES = "place => Array.from(lab.maps[place].glide.to)"


@pytest.fixture
def both(open_lab: OpenLab) -> Callable[..., AlonePage]:
    def show(**options: Any) -> AlonePage:
        lab = open_lab(**{"width": 1280, **options})
        lab.evaluate(SHOW_BOTH)
        expect(lab.root).to_have_attribute("data-maps", "2")
        return lab

    return show


def maps(lab: AlonePage) -> Locator:
    return lab.root.locator(".te-map")


def switch(lab: AlonePage, name: str) -> Locator:
    return lab.root.get_by_role("radiogroup", name="Map").get_by_role("radio", name=name, exact=True)


def test_each_map_has_its_own_places_and_says_which_it_is(both: Any) -> None:
    lab = both()
    expect(maps(lab)).to_have_count(2)
    expect(maps(lab).locator(".te-map-title")).to_have_text(["UMAP", "PCA"])
    labels = [maps(lab).nth(k).get_by_role("application").get_attribute("aria-label") for k in (0, 1)]
    assert labels == ["Map of 30 tasks, UMAP", "Map of 30 tasks, PCA"]
    umap, pca = (np.array(lab.evaluate(PLACES, place)).reshape(-1, 2) for place in (0, 1))
    np.testing.assert_allclose(pca, np.stack([umap[:, 1], -umap[:, 0]], axis=1), atol=1e-3)
    assert lab.evaluate("lab.maps.map(map => Number(map.root.dataset.bar) > 0)") == [False, True], (
        "only PCA is to scale"
    )


def test_trust_is_said_of_each_map_and_the_rest_once(both: Any) -> None:
    lab = both()
    own = lab.evaluate("model.get('picture').runs[0].readings.trustworthiness.toFixed(2)")
    expect(lab.root.locator("[data-reading=trustworthiness]")).to_have_text(f"{own} | 0.50")
    expect(lab.root.locator("[data-reading=jitter]")).not_to_contain_text("|")


def test_hover_choice_selection_and_filters_are_shared_and_zoom_is_not(both: Any) -> None:
    lab = both()
    lab.evaluate("lab.maps[0].pointing.point(4, 'keys')")
    assert lab.evaluate("lab.maps.map(map => map.root.dataset.hover)") == ["4", "4"]
    maps(lab).nth(0).get_by_role("application").press("Enter")
    expect(maps(lab).nth(0)).to_have_attribute("data-chosen", "4")
    expect(maps(lab).nth(1)).to_have_attribute("data-chosen", "4")
    expect(lab.root.locator(".te-map-chosen:visible")).to_have_count(1)
    lab.evaluate("lab.set('selected', [1, 2])")
    expect(lab.root.locator(".te-map-chip:visible")).to_have_text(["2 selected ×"] * 2)
    lab.root.locator(".te-legend-entry").first.click()
    assert lab.evaluate("lab.maps[0].levels.join() === lab.maps[1].levels.join()")
    maps(lab).nth(1).get_by_role("button", name="Zoom in").click()
    expect(maps(lab).nth(1)).to_have_attribute("data-zoom", "1.50")
    expect(maps(lab).nth(0)).to_have_attribute("data-zoom", "1.00")


def test_a_step_that_pca_drew_has_no_umap_map_and_says_so(both: Any) -> None:
    lab = both()
    lab.evaluate("lab.set('chosen', 3)")
    lab.evaluate(
        """() => { const p = model.get("picture"); const { pca, ...run } = p.runs[0];
        model.set("picture", { ...p, live: false, number: p.number + 1, runs: [{ ...run, projection: "pca" }] }); }"""
    )
    lack = maps(lab).nth(0).locator(".te-map-lack")
    expect(lack).to_be_visible()
    expect(lack).to_have_text("No UMAP map of this step: PCA drew it.")
    expect(maps(lab).nth(0)).to_have_attribute("data-tasks", "0")
    expect(maps(lab).nth(1)).to_have_attribute("data-tasks", "30")
    expect(lab.root.locator(".te-map-chosen:visible")).to_have_count(1)
    lab.add_script_tag(path=MEASURE)
    assert lab.evaluate("textBoxes.problems(lab.root)") == []
    lab.kernel("put", "transport", {"projection": "pca"})
    lab.evaluate("lab.showOnMaps(model.get('picture').runs)")
    expect(lack).to_have_text("UMAP is made ready. Its map comes here.")
    lab.kernel("put", "transport", {"projection": "umap"})
    lab.kernel("put", "picture", {"live": True})
    expect(lack).to_have_text("UMAP draws the next picture: press Step or Play.")
    lab.evaluate(SHOW_BOTH)
    expect(lack).to_be_hidden()
    expect(maps(lab).nth(0)).to_have_attribute("data-tasks", "30")


def test_the_switch_is_a_radio_group_that_says_what_was_chosen(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    expect(switch(lab, "UMAP")).to_be_checked()
    switch(lab, "UMAP").focus()
    lab.keyboard.press("ArrowRight")
    lab.wait_for("set")
    assert lab.sent("set")[-1]["changes"] == {"projection": "pca"}
    lab.kernel("control", "projection", {"value": "pca"})
    lab.keyboard.press("ArrowRight")
    expect(switch(lab, "Both")).to_be_checked()
    expect(switch(lab, "Both")).to_be_focused()
    lab.wait_for("both")
    lab.kernel("control", "projection", {"value": "umap"})
    lab.evaluate(SHOW_BOTH)
    expect(switch(lab, "Both")).to_be_checked()
    switch(lab, "UMAP").check()
    lab.kernel("put", "transport", {"both": False})
    expect(switch(lab, "UMAP")).to_be_checked()
    expect(maps(lab)).to_have_count(1)
    expect(maps(lab).nth(0)).to_have_attribute("data-side", "")


def test_a_choice_that_is_refused_goes_back(open_lab: OpenLab) -> None:
    lab = open_lab(width=1280)
    switch(lab, "Both").check()
    expect(switch(lab, "UMAP")).to_be_checked()
    expect(maps(lab)).to_have_count(1)


def test_with_two_runs_both_is_off_and_says_why(open_lab: OpenLab) -> None:
    lab = open_lab(2, width=1280)
    expect(switch(lab, "Both")).to_be_disabled()
    expect(lab.root.locator(".te-switch-why")).to_have_text("Both is off: each run has its map already.")
    expect(lab.root.get_by_role("radiogroup", name="Map")).to_have_accessible_description(
        re.compile("^Both is off: each run has its map already")
    )


def test_from_both_to_two_runs_and_back(both: Any, documents: dict[int, str]) -> None:
    lab = both()
    lab.evaluate(
        """() => { const p = model.get("picture"); const { pca, ...run } = p.runs[0];
        const { runs: [a] } = model.get("transport");
        model.put("transport", { both: false, runs: [{ ...a, name: "Run A" }, { ...a, name: "Run B" }] });
        model.set("picture", { ...p, number: p.number + 1, runs: [run, { ...run, run: 1 }] }); }"""
    )
    assert lab.evaluate("lab.maps.map(map => [map.run, map.side])") == [[0, ""], [1, ""]]
    expect(maps(lab).nth(1)).to_contain_text("Run B")
    expect(maps(lab).nth(1)).to_have_attribute("data-tasks", "30")
    lab.evaluate("model.put('transport', { runs: model.get('transport').runs.slice(0, 1) })")
    expect(maps(lab)).to_have_count(1)


@pytest.mark.parametrize("dark", [False, True])
def test_both_maps_play_the_slider_and_the_curves_are_in_sight_together(both: Any, dark: bool) -> None:
    lab = both(dark=dark)
    for part in (".te-play", ".te-time", ".te-map-canvas", ".te-curve-canvas"):
        for box in lab.root.locator(f"{part} >> visible=true").all():
            seen = box.bounding_box()
            assert seen is not None, part
            assert 0 <= seen["y"] <= 720 - seen["height"], part
    one, other = (maps(lab).nth(k).locator("canvas").first.bounding_box() for k in (0, 1))
    assert one is not None
    assert other is not None
    assert one["x"] + one["width"] <= other["x"]
    assert (one["y"], one["height"]) == (other["y"], other["height"])
    lab.add_script_tag(path=MEASURE)
    assert lab.evaluate("textBoxes.problems(lab.root)") == []


def test_a_new_picture_moves_both_and_a_lost_one_leaves_both(both: Any) -> None:
    lab = both()
    before = [lab.evaluate(PLACES, place) for place in (0, 1)]
    lab.evaluate("model.recording.look(20); model.set('picture', model.recording.get('picture'))")
    lab.evaluate(SHOW_BOTH)
    assert [lab.evaluate(PLACES, place) for place in (0, 1)] != before
    steps = [maps(lab).nth(k).get_attribute("data-step") for k in (0, 1)]
    assert steps == ["20", "20"]


# ---- a recorded run ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session() -> Session:
    """A run that PCA has drawn first, and UMAP then; UMAP's part is stood in for, which takes no half minute."""
    session = Session("metric", family="gaussians", n_tasks=30, projection="pca", batch=8, hidden=16)
    session.step(60)
    for frame in list(session.history)[3:]:
        turned = frame.layout[:, ::-1] * np.float32(2)
        umap = dataclasses.replace(frame, layout=turned, axes=None, projection="umap")
        session.history._frames[frame.index] = umap
    return session


def test_a_recorded_run_keeps_both_maps(browser: Browser, session: Session, tmp_path: Path) -> None:
    document = recorded_document_of([session], tmp_path / "both.html", both=True)
    lab = AlonePage(browser.new_context(viewport={"width": 1280, "height": 720}).new_page())
    lab.load(document, tmp_path / "lab.html", live=False, dark=False)
    expect(maps(lab)).to_have_count(2)
    signs = None
    drawn = [signs := by_pca(frame, None if signs is None else signs.layout) for frame in session.history]
    for row in (len(drawn) - 1, 4, 0):
        lab.evaluate("row => lab.timeline.showRow(row)", row)
        expect(maps(lab).nth(1)).to_have_attribute("data-step", str(drawn[row].step))
        places = np.array(lab.evaluate(PLACES, 1)).reshape(-1, 2)
        np.testing.assert_allclose(places, drawn[row].layout, atol=1e-3)
    expect(maps(lab).nth(0).locator(".te-map-lack")).to_have_text("No UMAP map of this step: PCA drew it.")
    assert lab.problems == []
    lab.page.context.close()
