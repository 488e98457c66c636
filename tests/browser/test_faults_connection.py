"""A line that breaks, a tab that nobody sees, and the kernels that a learner may have. docs/reliability.md tells each.

The minute in the dark is a real one, and one test waits it out for both: nothing shorter proves that what a minute
brings (the browser's own throttling, JupyterLab's longer and longer pauses between its tries) does no harm.
"""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.kernels import CannotGetError, other_ipykernel
from tests.browser.lab_on_page import CELL, WATCH_THREADS, LabOnPage
from tests.browser.line import line_to
from tests.browser.server import JupyterServer

MINUTE = 60_000
KERNEL_SETTINGS = "@jupyterlab/apputils-extension:kernels-settings"
# What a browser and JupyterLab log when a line breaks. The lab itself must log nothing.
LINE_IS_BROKEN = "net::ERR_|WebSocket|Failed to fetch|Connection lost|NetworkError"


def test_a_minute_in_the_dark_and_a_minute_without_a_line(
    real_tabs: BrowserContext, open_notebook: Any, jupyter: JupyterServer
) -> None:
    with line_to(jupyter) as line:
        hidden = LabOnPage(open_notebook([WATCH_THREADS, CELL], context=real_tabs))
        cut_off = LabOnPage(open_notebook([WATCH_THREADS, CELL], server=line.server))
        cut_off.page.tolerate(LINE_IS_BROKEN)
        for lab in (hidden, cut_off):
            lab.page.reveal(lab.root)
            lab.play(until=20)

        line.shut()
        expect(cut_off.root).to_have_attribute("data-connection", "lost")
        expect(cut_off.root.get_by_text(re.compile("connection", re.IGNORECASE)).first).to_be_visible()
        in_front = real_tabs.new_page()
        in_front.set_content("another tab")
        in_front.bring_to_front()
        assert hidden.page.evaluate("document.visibilityState") == "hidden"
        drawn, steps = pictures_drawn(hidden), int(hidden.ask("lab.session.steps"))
        cut_off.page.wait_for_timeout(MINUTE)
        assert pictures_drawn(hidden) <= drawn + 1, "nothing is drawn where nobody looks"
        assert int(hidden.ask("lab.session.steps")) > steps + 500, "it has gone on training"

        line.open()
        hidden.page.bring_to_front()
        check_it_is_back(hidden)
        expect(cut_off.root).to_have_attribute("data-connection", "ok", timeout=2 * MINUTE)
        close_what_jupyterlab_says(cut_off)
        check_it_is_back(cut_off)


def pictures_drawn(lab: LabOnPage) -> int:
    """How often the map has been drawn."""
    return int(lab.map().get_attribute("data-drawn") or 0)


def check_it_is_back(lab: LabOnPage) -> None:
    """The map catches up with what was trained meanwhile, the curves have no gap, and the lab is well."""
    trained = int(lab.ask("lab.session.steps"))
    lab.wait_for_step(trained)
    expect(lab.root).to_have_attribute("data-playing", "true")
    lab.pause()
    expect(lab.root.locator(".te-curves")).to_have_attribute("data-rows", lab.ask("len(lab.session.history)"))
    lab.check_well()


def close_what_jupyterlab_says(lab: LabOnPage) -> None:
    """JupyterLab shows dialogs of its own while its server is gone, one above the other; a learner closes them."""
    dialogs = lab.page.locator(".jp-Dialog")
    for _ in range(20):
        if not dialogs.count():
            return
        lab.page.keyboard.press("Escape")
        lab.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(dialogs).to_have_count(0)


@pytest.mark.parametrize("subshells", ["disabled", "perCommTarget"])
@pytest.mark.parametrize("version", ["6.31.0", "7.4.0"])
def test_the_lab_obeys_on_every_kernel(
    open_notebook: Any, jupyter: JupyterServer, request: pytest.FixtureRequest, version: str, subshells: str
) -> None:
    kernel = kernel_or_give_up(jupyter, version, request)
    with jupyter.settings(KERNEL_SETTINGS, {"commsOverSubshells": subshells}):
        page = open_notebook(
            [WATCH_THREADS, CELL, "import threading\ndone = threading.Event()"], kernel=kernel, fresh=True
        )
    assert page.run("import ipykernel; print(ipykernel.__version__)") == f"{version}\n"
    told = page.evaluate("[harness.kernel().commsOverSubshells, harness.kernel().supportsSubshells]")
    assert told == [subshells, version.startswith("7")]

    lab = LabOnPage(page)
    page.reveal(lab.root)
    lab.play(until=20)
    lab.press("margin", "ArrowRight", times=2)
    asked = float(lab.control("margin").input_value())
    assert asked > 1.0
    lab.wait_until_heard("margin", asked)

    busy = page.add_cell("done.wait(); print('done')", run=False)
    page.start_cell(busy)
    page.reveal(lab.root)
    lab.wait_for_step(lab.step() + 50)  # a busy kernel does not stop the training, nor the map
    lab.press("margin", "ArrowRight", times=2)
    asked = float(lab.control("margin").input_value())
    page.interrupt_kernel()
    page.wait_idle()
    lab.pause()
    # Whether a busy kernel hears the slider depends on its version; when it is idle again, every kernel has heard it.
    lab.wait_until_heard("margin", asked)
    expect(lab.control("margin")).to_have_value(f"{asked:g}")
    lab.check_well()


def kernel_or_give_up(jupyter: JupyterServer, version: str, request: pytest.FixtureRequest) -> str:
    """A kernel of this version; without a network the test is skipped, loudly, or fails where BROWSER=required."""
    assert request.config.cache is not None
    try:
        return other_ipykernel(jupyter, version, request.config.cache.mkdir("ipykernels"))
    except CannotGetError as problem:
        give_up = pytest.fail if os.environ.get("BROWSER") == "required" else pytest.skip
        give_up(f"NOT RUN with ipykernel {version}: {problem}")
