"""A score and a reading that CONTRIBUTING.md's file adds: drawn and explained, recorded and beside a kernel."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from taskembed_edu.session.session import Session
from tests.browser.page_alone import AlonePage, recorded_document_of
from tests.own_score import registries_restored, written_as_told
from tests.runs import SMALL


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("own")
    with registries_restored():
        runpy.run_path(str(written_as_told(folder)), run_name="own")
        session = Session("weighed", **SMALL)
        session.step(40)
        yield recorded_document_of([session], folder / "own.html")


def titles(lab: AlonePage) -> list[str]:
    """The panels' titles, without the mark that explains them."""
    read: list[str] = lab.root.locator(".te-curve-title").evaluate_all(
        "titles => titles.map(title => title.firstChild.textContent.trim())"
    )
    return read


@pytest.mark.parametrize("live", [True, False])
def test_they_are_drawn_and_explained_as_the_others_are(
    browser: Browser, document: str, tmp_path: Path, live: bool
) -> None:
    lab = AlonePage(browser.new_page(viewport={"width": 1080, "height": 900}))
    lab.load(document, tmp_path / "lab.html", live=live, dark=False)
    assert titles(lab) == ["Loss", "Mean distance", "Scores", "Active pairs", "Dimension"]
    number = lab.root.locator("[data-score=dimension]")
    expect(number).to_have_text(re.compile(r"^[12](\.\d+)?$"))
    expect(lab.root.locator('[data-curve="dimension"]')).to_have_attribute(
        "aria-label", re.compile("^Dimension at step 40: ")
    )
    loss = lab.root.locator('.te-curve:has([data-curve="loss"])')
    expect(loss.locator(".te-curve-name")).to_have_text(["Loss ", "Weight "])
    expect(loss.locator("[data-score=weight]")).to_have_text(re.compile(r"^0\.\d+$"))
    swatch = loss.locator("[data-key=weight]")
    assert swatch.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(230, 159, 0)"
    lab.button("What may I read from this picture?").click()
    help_ = lab.root.get_by_role("dialog")
    expect(help_.get_by_text("How many directions the vectors fill: 1 is a line.")).to_be_visible()
    expect(help_.get_by_text("The size of a typical weight.")).to_be_visible()
    assert not lab.problems
    lab.page.close()


def test_scores_that_are_declared_anew_are_drawn_anew(browser: Browser, document: str, tmp_path: Path) -> None:
    lab = AlonePage(browser.new_page())
    lab.load(document, tmp_path / "lab.html", live=True, dark=True)
    swatch = lab.root.locator("[data-key=loss]")
    assert swatch.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(86, 180, 233)"  # blue, on dark paper
    lab.evaluate("""() => { const { scores, panels, ...more } = structuredClone(model.get("help"));
        delete scores.dimension; delete scores.jitter; scores.weight.label = "Heaviness";
        model.set("help", { ...more, scores, panels: panels.slice(0, -1) }); }""")
    expect(lab.root.locator(".te-curve-title")).to_have_count(4)
    assert titles(lab) == ["Loss", "Mean distance", "Scores", "Active pairs"]
    expect(lab.root.locator('.te-curve:has([data-curve="loss"]) .te-curve-name')).to_have_text(["Loss ", "Heaviness "])
    expect(lab.root.locator("[data-score=weight]")).to_have_text(re.compile(r"^0\.\d+$"))
    expect(lab.root.locator(".te-reading-name")).to_have_text(["Trustworthiness "])
    expect(lab.root.locator("[data-reading=trustworthiness]")).to_have_text(re.compile(r"^[01](\.\d+)?$"))
    assert not lab.problems
    lab.page.close()
