"""A notebook open in a real JupyterLab in a real browser, and what a test does with it.

A `NotebookPage` can do what its Playwright page can (`page.locator(...)`, `page.keyboard`, ...), and beside that it
runs code and cells, reloads, and asks for the kernel's state. Every wait is for a condition.
"""

from __future__ import annotations

import re
import urllib.parse
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, WebSocket

from tests.browser.server import JupyterServer

HARNESS = Path(__file__).with_name("harness.js")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LOCAL_SCHEMES = {"data", "blob", "about"}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class CellError(AssertionError):
    """A cell, or code run in the kernel, raised: the message is its traceback."""


class NotebookPage:
    """One notebook, open; everything that this class lacks is looked up on the Playwright page, `self.page`."""

    def __init__(
        self, context: BrowserContext, server: JupyterServer, name: str, workspace: str = "", loaded: Page | None = None
    ) -> None:
        self.name = name
        self.problems: list[str] = []
        self.said: deque[str] = deque(maxlen=60)  # in the console, of whatever kind
        self._tolerated: list[re.Pattern[str]] = []
        self.failed = False
        self.server = server
        self._context = context
        # A workspace of its own: no layout of an earlier notebook comes back.
        self._workspace = re.sub(r"\W", "-", workspace or name)
        self._is_loaded = loaded is not None
        self._reloaded = False
        self.page: Page = loaded or context.new_page()
        if not self._is_loaded:
            self.page.add_init_script(path=HARNESS)
        self._watch()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    def open(self) -> None:
        """Open the notebook and wait until its kernel is there."""
        if self._is_loaded:
            self.page.evaluate("name => harness.open(name)", self.name)
        else:
            self.page.goto(self._address)
        self.wait_idle(seconds=180)  # the first kernel of all waits until what it is forked with has been loaded

    @property
    def _address(self) -> str:
        place = urllib.parse.quote(self.name)
        return f"{self.server.url}/lab/workspaces/{self._workspace}/tree/{place}?token={self.server.token}"

    @classmethod
    def in_place_of(cls, left: NotebookPage, name: str) -> NotebookPage:
        """Another notebook for the JupyterLab that this one has left (see `leave`): nothing need be loaded."""
        return cls(left._context, left.server, name, left._workspace, left.page)

    def second_tab(self) -> NotebookPage:
        """The same notebook once more, in a second tab of the same browser."""
        self.page.evaluate("harness.save()")
        twin = NotebookPage(self._context, self.server, self.name, f"{self.name}-second")
        # What goes wrong in one goes wrong for the test.
        twin.problems, twin.said, twin._tolerated = self.problems, self.said, self._tolerated
        twin.open()
        return twin

    # -- running ------------------------------------------------------------------------------------------------

    def run_all(self, allow_errors: bool = False) -> None:
        """Run every cell and wait for the last one; raise `CellError` where one raised."""
        self.page.evaluate("harness.runAll()")
        if not allow_errors:
            self._raise_cell_errors()

    def run_cell(self, index: int, allow_errors: bool = False) -> None:
        """Run one cell (again) and wait for its end."""
        self.page.evaluate("index => harness.runCell(index)", index)
        if not allow_errors:
            self._raise_cell_errors()

    def start_cell(self, index: int) -> None:
        """Run one cell and do not wait for its end; returns once the kernel is at it."""
        self.page.evaluate("index => harness.startCell(index)", index)
        self.page.wait_for_function("harness.kernel()?.status === 'busy'")

    def add_cell(self, source: str, run: bool = True) -> int:
        """Append a code cell, run it unless told not to, and give back its number."""
        index: int = self.page.evaluate("source => harness.addCell(source)", source)
        if run:
            self.run_cell(index)
        return index

    def set_source(self, index: int, source: str) -> None:
        """Replace a cell's code, as a learner does before running it again."""
        self.page.evaluate("([index, source]) => harness.setSource(index, source)", [index, source])

    def run(self, code: str) -> str:
        """Run code in the kernel, without a cell, and give back what it printed and its value, as text."""
        answer = self.page.evaluate("code => harness.execute(code)", code)
        if answer["error"]:
            raise CellError(ANSI.sub("", answer["error"]))
        return str(answer["text"])

    # -- the kernel ---------------------------------------------------------------------------------------------

    def kernel_busy(self) -> bool:
        """Is the kernel running something, or gone? A training thread does not make it busy: that is the point."""
        return not self.page.evaluate("harness.idle()")

    def wait_idle(self, seconds: float = 60) -> None:
        """Wait until the notebook is read and its kernel has nothing to do."""
        self.page.wait_for_function("window.harness && harness.idle()", timeout=1000 * seconds)

    def restart_kernel(self) -> None:
        """Restart the kernel and wait until it is idle again: all variables are gone."""
        self.page.evaluate("harness.restart()")
        self.wait_idle()

    def interrupt_kernel(self) -> None:
        """What the square button does. It does not reach a worker thread."""
        self.page.evaluate("harness.interrupt()")

    # -- the page -----------------------------------------------------------------------------------------------

    def reload(self, save: bool = True) -> None:
        """Reload the page as F5 does; the kernel lives on. Without `save`, the outputs since the last save are lost."""
        self._reloaded = True
        if save:
            self.page.evaluate("harness.save()")
        if self._is_loaded:  # its address may name the notebook that was open before
            self._wait_for_layout()
            self.page.goto(self._address)
        else:
            self.page.reload()
        self.wait_idle()

    def _wait_for_layout(self) -> None:
        """JupyterLab notes a moment later what is open: it would open again what was closed just now."""
        for _ in range(600):
            if self.server.open_in(self._workspace) == {self.name}:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"open in {self._workspace}: {self.server.open_in(self._workspace)}")

    def saved(self) -> dict[str, Any]:
        """The notebook as JupyterLab would save it now."""
        notebook: dict[str, Any] = self.page.evaluate("harness.saved()")
        return notebook

    def reveal(self, locator: Locator) -> Locator:
        """Scroll something into view and wait until it is visible; the locator."""
        for _ in range(300):
            if locator.evaluate("element => harness.reveal(element)"):
                break
            self.page.wait_for_timeout(100)  # JupyterLab lays its cells out when it is idle
        locator.wait_for(state="visible")
        return locator

    def cell(self, index: int) -> Locator:
        """Cell number `index` (text cells count too), in view."""
        return self.reveal(self.page.locator(".jp-Notebook .jp-Cell").nth(index))

    def change_theme(self, theme: str) -> None:
        """`"JupyterLab Dark"` or `"JupyterLab Light"`; `close` brings the light one back for the next notebook."""
        self.page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        light = "true" if theme == "JupyterLab Light" else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")
        # JupyterLab's curtain goes 0.2 s later. A second change before that takes it away twice, and JupyterLab throws.
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def picture(self) -> str:
        """A screenshot of the whole window, in the server's folder; its path."""
        path = self.server.notebooks.parent / "screenshots" / f"{Path(self.name).stem}.png"
        self.page.screenshot(path=path)
        return str(path)

    def close(self) -> None:
        """Close the page and end its kernel; closed already, or gone with its browser: only the kernel is left."""
        if not self.page.is_closed():
            if self.page.locator('body[data-jp-theme-light="false"]').count():
                self.change_theme("JupyterLab Light")
            self.page.close()
            if not self._context.pages:  # a second tab lives in the same context
                self._context.close()
        self.end_kernel()

    def leave(self) -> bool:
        """Close the notebook, end its kernel, and leave JupyterLab as it was; whether the page may serve once more."""
        # A page that was reloaded may open its notebook a second time, at any moment: it would stand beside the next.
        if self.failed or self.problems or self._tolerated or self._reloaded or self.page.is_closed():
            self.close()
            return False
        while self._listeners:
            self.page.remove_listener(*self._listeners.popitem())
        for other in self._context.pages:
            if other != self.page:
                other.close()
        self.change_theme("JupyterLab Light")
        self.page.emulate_media(reduced_motion="null")
        self.page.mouse.move(0, 0)
        self.page.evaluate("harness.closeAll()")
        self.end_kernel()
        return True

    def end_kernel(self) -> None:
        """End the notebook's kernel behind the page's back; one that runs no more is fine."""
        for session in self.server.api("sessions"):
            if session["path"] == self.name:
                self.server.api(f"sessions/{session['id']}", "DELETE")

    # -- what must not happen -----------------------------------------------------------------------------------

    def tolerate(self, pattern: str) -> None:
        """Problems whose text matches are no fault of the page: those that the test itself brings about."""
        self._tolerated.append(re.compile(pattern))

    def _problem(self, text: str) -> None:
        if not any(pattern.search(text) for pattern in self._tolerated):
            self.problems.append(text)

    def _watch(self) -> None:
        self._listeners: dict[Any, Callable[[Any], None]] = {
            "pageerror": lambda error: self._problem(f"uncaught exception: {error}"),
            "console": self._on_console,
            "request": self._on_request,
            "websocket": self._on_request,
        }
        for event, listener in self._listeners.items():
            self.page.on(event, listener)

    def _on_console(self, message: ConsoleMessage) -> None:
        self.said.append(f"{message.type}: {message.text}")
        if message.type == "error":
            self._problem(f"console error: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, request: Request | WebSocket) -> None:
        url = urllib.parse.urlsplit(request.url)
        if url.scheme not in LOCAL_SCHEMES and url.hostname not in LOOPBACK:
            self._problem(f"request that leaves this machine: {request.url}")

    def _raise_cell_errors(self) -> None:
        for index, cell in enumerate(self.saved()["cells"]):
            for output in cell.get("outputs", []):
                if output["output_type"] == "error":
                    raise CellError(f"cell {index}:\n" + ANSI.sub("", "\n".join(output["traceback"])))


def write_notebook(path: Path, cells: list[str], kernel: str = "python3") -> None:
    """A notebook of these code cells that names its kernel (JupyterLab asks for one otherwise)."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(cells)],
        metadata={
            "kernelspec": {"name": kernel, "display_name": "Python 3 (ipykernel)", "language": "python"},
            "language_info": {"name": "python"},
        },
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
