"""The lab's page without JupyterLab, for the tests of what stands on it beside the map.

The page runs against a stand-in for the kernel (page_model.js) that keeps every message, or against a recorded run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from taskembed_edu.live import page as page_code
from taskembed_edu.live.export import export_html
from taskembed_edu.session.session import Session

STAND_IN = Path(__file__).with_name("page_model.js")
RECORDED = re.compile(r'<script type="application/json" id="te-recorded">.*?</script>', re.DOTALL)
DARK = """body { background: #111111; --jp-layout-color1: #111111; --jp-layout-color2: #212121;
  --jp-content-font-color1: #ffffff; --jp-content-font-color2: #b3b3b3; --jp-border-color2: #616161; }"""
BOOT = """
const recorded = new RecordedModel(JSON.parse(document.getElementById("te-recorded").textContent));
await recorded.ready;
globalThis.model = LIVE_MODEL ? new StandIn(recorded) : recorded;
globalThis.ConnectionWatch = ConnectionWatch;
globalThis.roundLength = roundLength;
globalThis.lab = new LabPage(model, document.getElementById("te-root"));
"""


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """The recorded document of one run and of two, as the exported page holds it."""
    session = Session("metric", family="gaussians", n_tasks=30, projection="pca", batch=8, hidden=16)
    session.step(60)
    branch = session.branch(at=3)
    session.set(margin=0.5)
    session.step(60)
    branch.set(metric="cosine")
    branch.step(90)
    folder = tmp_path_factory.mktemp("recorded")
    return {runs: recorded_document_of([session, branch][:runs], folder / f"{runs}.html") for runs in (1, 2)}


def recorded_document_of(sessions: list[Session], path: Path, *, both: bool = False) -> str:
    """The recording of these runs, as the script element that an exported page holds it in."""
    found = RECORDED.search(export_html(sessions, path, both=both).read_text(encoding="utf-8"))
    assert found, "the exported page holds no recording"
    return found[0]


class AlonePage:
    """The page of one lab; what this class lacks is looked up on the Playwright page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".te-panel")
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda told: self.problems.append(told.text) if told.type == "error" else None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    def load(self, document: str, path: Path, *, live: bool, dark: bool) -> None:
        stand_in = STAND_IN.read_text(encoding="utf-8")
        script = f"{page_code.script()}\n{stand_in}\nconst LIVE_MODEL = {str(live).lower()};\n{BOOT}"
        style = page_code.style() + (DARK if dark else "")
        theme = f'data-jp-theme-light="{str(not dark).lower()}"' if live else 'class="te-exported"'
        head = f"<head><meta charset='utf-8'><title>lab</title><style>{style}</style></head>"
        main = f"<main id='te-root'></main>{document}<script type='module'>{script}</script>"
        path.write_text(f"<!DOCTYPE html><html lang='en'>{head}<body {theme}>{main}</body></html>", encoding="utf-8")
        self.page.goto(path.as_uri())
        expect(self.root).to_have_attribute("data-step", re.compile(r"\d+"))

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def sent(self, what: str) -> list[dict[str, Any]]:
        """The messages of one kind that the kernel would have had."""
        told: list[dict[str, Any]] = self.page.evaluate("what => model.done(what)", what)
        return told

    def wait_for(self, what: str, count: int = 1) -> None:
        self.page.wait_for_function("([what, n]) => model.done(what).length >= n", arg=[what, count])

    def kernel(self, method: str, *arguments: Any) -> None:
        """The kernel says something: a method of the stand-in."""
        self.page.evaluate("([method, given]) => void model[method](...given)", [method, arguments])

    def next_frame(self) -> None:
        """Two animation frames: what waits for the next one has happened."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


OpenLab = Callable[..., AlonePage]


@pytest.fixture
def open_lab(browser: Browser, documents: dict[int, str], tmp_path: Path) -> Iterator[OpenLab]:
    opened: list[AlonePage] = []

    def factory(
        runs: int = 1, *, live: bool = True, dark: bool = False, width: int = 1080, **context: Any
    ) -> AlonePage:
        made = browser.new_context(viewport={"width": width, "height": 720}, **context).new_page()
        lab = AlonePage(made)
        opened.append(lab)
        lab.load(documents[runs], tmp_path / "lab.html", live=live, dark=dark)
        return lab

    yield factory
    problems = [problem for lab in opened for problem in lab.problems]
    for lab in opened:
        lab.page.context.close()
    assert not problems, problems
