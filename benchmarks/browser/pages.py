"""A JupyterLab, a Chromium, and notebooks in them, as the browser tests have them, with eyes for what is drawn."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from taskembed_edu.commands.chromium import HOW_TO_GET, find_chromium
from tests.browser.conftest import LAUNCH_ARGS, VIEWPORT
from tests.browser.notebook_page import NotebookPage, write_notebook
from tests.browser.server import JupyterServer, running_server

WATCH = Path(__file__).with_name("watch.js")
PLOTLY = "from benchmarks.in_kernel import PlotlyLab\nlab = PlotlyLab({projection!r})\nlab.shown"
CELLS = {
    "lab": "from taskembed_edu import MetricLab\nlab = MetricLab()\nlab",
    "plotly, PCA": PLOTLY.format(projection="pca"),
    "plotly, UMAP": PLOTLY.format(projection="umap"),
}
"""The cell that a learner runs, and the same lab with plotly."""


class Change(NamedTuple):
    """Another picture stood there: when (seconds of the clock), of which step, on the way to which frame."""

    when: float
    step: int
    frame: int


class Laboratory:
    """Opens notebooks; everything ends with the block of `laboratory()`."""

    def __init__(self, browser: Browser, server: JupyterServer) -> None:
        self._browser, self._server = browser, server

    @contextlib.contextmanager
    def notebook(self, name: str, cell: str) -> Iterator[NotebookPage]:
        """A notebook of one cell, open, its kernel idle; nothing is run yet."""
        write_notebook(self._server.notebooks / f"{name}.ipynb", [cell])
        context = self._browser.new_context(viewport=ViewportSize(width=VIEWPORT[0], height=VIEWPORT[1]))
        context.add_init_script(path=WATCH)
        page = NotebookPage(context, self._server, f"{name}.ipynb")
        try:
            page.open()
            yield page
            if page.problems:
                raise RuntimeError("the page had problems, so its figures mean nothing:\n" + "\n".join(page.problems))
        finally:
            page.close()


@contextlib.contextmanager
def laboratory() -> Iterator[Laboratory]:
    """A server and a browser of our own, software rendering."""
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit(f"There is no Chromium here to measure in. {HOW_TO_GET}")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGS)
        yield Laboratory(browser, server)
        browser.close()


def watch(page: NotebookPage, kind: str) -> None:
    """Look at the "lab" or the "plotly" map from now on, once an animation frame."""
    page.evaluate("kind => watch.begin(kind)", kind)


def changes(page: NotebookPage) -> list[Change]:
    """Every new picture since `watch`."""
    return [Change(when / 1e3, step, frame) for when, step, frame in page.evaluate("watch.changes")]


def moves(page: NotebookPage) -> list[tuple[float, float]]:
    """When a key moved the slider (seconds of the clock), and where to."""
    return [(when / 1e3, value) for when, value in page.evaluate("watch.moves")]


def wait_for_changes(page: NotebookPage, n: int, seconds: float = 60) -> None:
    """Wait until so many new pictures have been seen."""
    page.wait_for_function("n => watch.changes.length >= n", arg=n, timeout=1e3 * seconds)


def wait_until_quiet(page: NotebookPage, ms: float = 1500, seconds: float = 60) -> None:
    """Wait until no new picture has been drawn for a while."""
    page.wait_for_function("ms => watch.quiet() > ms", arg=ms, timeout=1e3 * seconds)


def from_kernel(page: NotebookPage, expression: str) -> Any:
    """The value of an expression in the kernel, which must be fit for JSON."""
    return json.loads(page.run(f"import json; print(json.dumps({expression}))"))


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of all do not exceed.

    >>> percentile([5.0, 1.0, 3.0, 2.0, 4.0], 0.8), percentile([1.0, 2.0], 0.5)
    (4.0, 1.0)
    """
    if not values:
        raise ValueError("values: got none, expected at least one: nothing was measured.")
    ordered = sorted(values)
    return next(value for rank, value in enumerate(ordered, 1) if rank >= share * len(ordered) - 1e-9)
