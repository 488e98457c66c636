"""The browser tests' fixtures: a Chromium, a JupyterLab of our own, and notebooks opened in it.

    def test_lab(open_notebook):
        page = open_notebook(["from taskembed_edu import MetricLab", "lab = MetricLab()", "lab"])
        expect(page.get_by_role("button", name="Play")).to_be_visible()
        assert page.run("lab.session.frame.step") == "0\n"

A test fails where its page throws, logs an error, or asks for anything that is not on this machine.
One server and one browser a pytest-xdist worker; one page of JupyterLab that is kept from notebook to notebook, and a
fresh kernel for each.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, ViewportSize, sync_playwright

from taskembed_edu.commands.chromium import HOW_TO_GET, find_chromium
from tests.browser.notebook_page import NotebookPage, write_notebook
from tests.browser.server import JupyterServer, free_port, running_server

VIEWPORT = (1280, 720)
# A computer without a graphics card, as Chromium itself treats one: the page is drawn and put together by the
# processor, and only WebGL (plotly) is emulated. To emulate the card for the page too (--use-angle=swiftshader) takes
# a processor core for nothing: 14 pictures a second in place of 60 were seen.
LAUNCH_ARGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]

# With these, which Playwright passes for every Chromium, a hidden page works on as if it were seen.
KEEPS_HIDDEN_PAGES_AWAKE = [
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
]

OPENED = pytest.StashKey[list[NotebookPage]]()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of the Chromium to drive; without one the test is skipped, loudly, or fails where BROWSER=required."""
    path = find_chromium()
    if path is None:
        give_up = pytest.fail if os.environ.get("BROWSER") == "required" else pytest.skip
        give_up(f"BROWSER TESTS NOT RUN: there is no Chromium here. {HOW_TO_GET}")
    return path


@pytest.fixture(scope="package")
def playwright_() -> Iterator[Playwright]:
    """Playwright, ended with this folder: a later test may start it itself."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(chromium_path: str, playwright_: Playwright) -> Iterator[Browser]:
    """One Chromium for all tests of a worker."""
    browser = playwright_.chromium.launch(executable_path=chromium_path, args=LAUNCH_ARGS)
    yield browser
    browser.close()


@pytest.fixture
def real_tabs(chromium_path: str, playwright_: Playwright) -> Iterator[BrowserContext]:
    """A window whose tabs are hidden when another is in front, as a person's are; `page.bring_to_front()` chooses.

    Playwright keeps every page of its own visible and focused. So it launches this Chromium, and then drives it as one
    that it found running, with nothing emulated.
    """
    port = free_port()
    launch_args = [*LAUNCH_ARGS, f"--remote-debugging-port={port}", f"--window-size={VIEWPORT[0]},{VIEWPORT[1]}"]
    launched = playwright_.chromium.launch(
        executable_path=chromium_path, args=launch_args, ignore_default_args=KEEPS_HIDDEN_PAGES_AWAKE
    )
    found = playwright_.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
    yield found.contexts[0]
    found.close()
    launched.close()


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """One JupyterLab for all tests of a worker; it and its kernels end with this folder."""
    with running_server(tmp_path_factory.mktemp("jupyter"), forked_kernels=True) as server:
        yield server


@pytest.fixture(scope="package")
def kept_pages(browser: Browser, jupyter: JupyterServer) -> Iterator[list[NotebookPage]]:
    """Pages in which JupyterLab stands with nothing open, one or none: loading it takes a processor ten seconds."""
    pages: list[NotebookPage] = []
    yield pages
    for page in pages:
        page.close()


@pytest.fixture
def open_notebook(
    browser: Browser, jupyter: JupyterServer, kept_pages: list[NotebookPage], request: pytest.FixtureRequest
) -> Iterator[Callable[..., NotebookPage]]:
    """A factory: `open_notebook(cells)` gives the notebook, open in JupyterLab, all its cells run.

    `cells` is a list of code cells, or the path of a notebook to copy. `name` is the file's name in the server's
    folder (default: the test's own), `viewport` the size of the window. With `run=False` nothing is run yet.
    `kernel` is the kernel's name, `server` another way to the server, `context` a browser's window that is there.

    The notebook is opened in a JupyterLab that an earlier test has left, empty and in order, where there is one.
    `fresh` asks for a page that is loaded now, with no cookies and no storage: for what is read when JupyterLab loads.
    """
    opened: list[NotebookPage] = []
    to_keep: list[NotebookPage] = []
    request.node.stash[OPENED] = opened

    def factory(
        cells: list[str] | Path,
        name: str | None = None,
        *,
        run: bool = True,
        allow_errors: bool = False,
        viewport: tuple[int, int] = VIEWPORT,
        kernel: str = "python3",
        server: JupyterServer | None = None,
        context: BrowserContext | None = None,
        fresh: bool = False,
    ) -> NotebookPage:
        name = name or f"{re.sub(r'[^A-Za-z0-9]+', '-', request.node.name)}-{len(opened)}.ipynb"
        if isinstance(cells, Path):
            shutil.copy(cells, jupyter.notebooks / name)
        else:
            write_notebook(jupyter.notebooks / name, cells, kernel)
        size = ViewportSize(width=viewport[0], height=viewport[1])
        keep = not (fresh or context or server) and viewport == VIEWPORT
        if keep and kept_pages:
            page = NotebookPage.in_place_of(kept_pages.pop(), name)
        else:
            page = NotebookPage(context or browser.new_context(viewport=size), server or jupyter, name)
        opened.append(page)
        if keep:
            to_keep.append(page)
        page.open()
        if run:
            page.run_all(allow_errors=allow_errors)
        return page

    yield factory
    for page in opened:
        if page not in to_keep:
            page.close()
        elif page.leave():
            kept_pages.append(page)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test whose page had a problem; keep a picture of every page of a test that failed."""
    pages = item.stash.get(OPENED, [])
    try:
        result = yield
        problems = [problem for page in pages for problem in page.problems]
        assert not problems, "the page had problems:\n" + "\n".join(problems)
    except (Exception, pytest.fail.Exception):
        for page in pages:
            page.failed = True
            item.add_report_section("call", "screenshot", page.picture())
            item.add_report_section("call", "problems of the page", "\n".join(page.problems))
            item.add_report_section("call", "what the page said", "\n".join(page.said))
            item.add_report_section("call", "what the server said", page.server.log[-4000:])
        raise
    return result
