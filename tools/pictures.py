"""The pictures of the lab in docs/images: a real JupyterLab in a real Chromium, played as a learner plays it.

    python -m tools.pictures

Start, trained, margin changed, cosine: one run on sine waves, then one on handwritten digits.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, expect, sync_playwright

from taskembed_edu.commands.chromium import HOW_TO_GET, find_chromium
from tests.browser.conftest import LAUNCH_ARGS
from tests.browser.notebook_page import NotebookPage, write_notebook
from tests.browser.server import running_server

IMAGES = Path(__file__).parent.parent / "docs" / "images"
LAB = "from taskembed_edu import MetricLab\n\nlab = MetricLab({family})\nlab"
WINDOW = ViewportSize(width=1280, height=820)
PATIENCE = 300_000


def main() -> int:
    """Take them all; the exit code."""
    chromium = find_chromium()
    if chromium is None:
        print(HOW_TO_GET, file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGS)
        for name, family, story in (("sinusoids", "", _sine_waves), ("digits", "'digits'", _digits)):
            write_notebook(server.notebooks / f"{name}.ipynb", [LAB.format(family=family)])
            page = NotebookPage(browser.new_context(viewport=WINDOW), server, f"{name}.ipynb")
            page.open()
            page.page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
            page.run_all()
            story(page)
            page.close()
        browser.close()
    return 0


def _sine_waves(page: NotebookPage) -> None:
    page.wait_for_function("document.querySelector('.te-map')?.innerText.includes('UMAP')", timeout=PATIENCE)
    _picture(page, "lab_start")
    _play_until(page, 1500)
    _picture(page, "lab_trained")
    slider = page.locator(".te-set-margin [role=slider]")
    slider.focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    _play_until(page, 2500)
    _picture(page, "lab_margin_changed")
    page.locator(".te-set-metric select").select_option(label="Cosine distance")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    _play_until(page, 4000)
    _picture(page, "lab_cosine")


def _digits(page: NotebookPage) -> None:
    page.locator(".te-set-loss select").select_option(label="Triplet")
    page.wait_for_function("document.querySelector('.te-map')?.innerText.includes('UMAP')", timeout=PATIENCE)
    _play_until(page, 800)
    page.locator(".te-map-canvas").focus()
    page.keyboard.press("ArrowRight")
    _picture(page, "lab_digits")


def _play_until(page: NotebookPage, step: int) -> None:
    page.locator(".te-play").click()
    page.wait_for_function(
        "step => +document.querySelector('.te-map').dataset.step >= step", arg=step, timeout=PATIENCE
    )
    page.locator(".te-play").click()
    expect(page.locator(".te-status")).to_contain_text("Paused", timeout=PATIENCE)


def _picture(page: NotebookPage, name: str) -> None:
    page.page.mouse.move(2, 2)
    page.page.screenshot(path=IMAGES / f"{name}.png")
    print(f"wrote {IMAGES / name}.png")


if __name__ == "__main__":
    sys.exit(main())
