"""A live lab on a notebook's page, as the tests use it: its buttons, what it shows, and whether it is well.

    lab = LabOnPage(page)
    lab.play(until=50)
    lab.pause()
    lab.check_well()

`check_well` is what must hold after every fault: the page shows the session's frame and no other, Play works again, one
thread plays a lab and no process is left, and the run is whole and replays.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
from playwright.sync_api import Locator, expect

from tests.browser.notebook_page import NotebookPage

# Two cores may be busy with another test's browser: what is awaited is the thing itself, never a time.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)

# Small and quick: what is tested is the lab, not how well a network learns.
CELL = "from taskembed_edu import MetricLab\nlab = MetricLab('gaussians', n_tasks=60, batch=16, hidden=32)\nlab"

_PLAYERS = "import threading; print(sum(t.name == 'taskembed-player' for t in threading.enumerate()))"
_CHILDREN = "import psutil; print([p.name() for p in psutil.Process().children(recursive=True)])"
# An exception on the player's thread, or in a callback, must be seen by the test although no cell raises it.
WATCH_THREADS = """
import threading
died = []
threading.excepthook = lambda args: died.append(f"{args.thread.name}: {args.exc_type.__name__}: {args.exc_value}")
"""
# The map may go over from PCA to UMAP at any moment and redraw the newest frame: not between two questions of a test.
_UMAP_IS_THERE = """
import threading
for thread in threading.enumerate():
    if thread.name == "taskembed-umap-warming":
        thread.join()
"""

_REPLAYS = """
again = {lab}.session.replay({lab}.session.recording())
print(len(again.history) == len({lab}.session.history), (again.frame.layout == {lab}.session.frame.layout).all())
"""


class LabOnPage:
    """The lab that cell code calls `name`, on this page; `which` counts the panels of the page from above."""

    def __init__(self, page: NotebookPage, which: int = 0, name: str = "lab") -> None:
        self.page, self.which, self.name = page, which, name
        self.root: Locator = page.locator(".te-panel").nth(which)
        self._logged = len(page.server.log)

    # -- doing --------------------------------------------------------------------------------------------------

    def button(self, name: str) -> Locator:
        """A button by what it says."""
        return self.root.get_by_role("button", name=name)

    def control(self, setting: str) -> Locator:
        """The input or select of a setting."""
        return self.root.locator(f"[name={setting}]")

    def play(self, until: int) -> None:
        """Press Play and wait until the map shows this step, or a later one."""
        self.button("Play").click()
        self.wait_for_step(until)

    def pause(self) -> None:
        """Press Pause and wait until the panel says that it has, and the picture that was being made is finished."""
        self.button("Pause").click()
        self.wait_until_paused()
        self.wait_until_idle()

    def settle(self, run: int = 0) -> int:
        """Wait until the map of a paused lab shows the run's last frame, which may still be on its way; its step."""
        self.wait_until_idle()
        last = self.ask(f"lab.sessions[{run}].frame.step")
        expect(self.map(run)).to_have_attribute("data-step", last)
        return int(last)

    def wait_until_idle(self) -> None:
        """The picture that was being made when Pause was pressed is finished: the page says "paused" before that."""
        self.page.run(f"assert {self.name}.panel.player.wait()")

    def wait_until_paused(self) -> None:
        """The panel says that nothing is being trained."""
        expect(self.root).to_have_attribute("data-playing", "false")
        expect(self.button("Play")).to_be_visible()

    def press(self, setting: str, key: str, times: int = 1) -> None:
        """Keys for a setting's control."""
        self.control(setting).focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    # -- looking ------------------------------------------------------------------------------------------------

    def map(self, run: int = 0) -> Locator:
        """The map of run A (0) or B (1)."""
        return self.root.locator(f".te-map[data-run='{run}']")

    def step(self, run: int = 0) -> int:
        """The step that the map shows."""
        return int(self.map(run).get_attribute("data-step") or -1)

    def wait_for_step(self, step: int, run: int = 0) -> None:
        """Wait until the map shows this step, or a later one."""
        self.page.wait_for_function(
            "([which, run, step]) => +document.querySelectorAll('.te-panel')[which]"
            "?.querySelector(`.te-map[data-run='${run}']`)?.dataset.step >= step",
            arg=[self.which, run, step],
            timeout=2 * PATIENCE,
        )

    def positions(self, run: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Where the map draws the tasks now, in CSS pixels (n, 2)."""
        told = self.map(run).evaluate("element => Array.from(element.__map.screenPositions())")
        return np.array(told, dtype=float).reshape(-1, 2)

    def ask(self, expression: str) -> str:
        """The value of an expression about `lab`, printed in the kernel."""
        return self.page.run(f"print({expression.replace('lab.', self.name + '.')})").strip()

    def layout(self, frame: str = "lab.session.frame") -> np.ndarray[Any, np.dtype[np.float64]]:
        """Where the session says that the tasks are, in a frame."""
        return np.array(json.loads(self.ask(f"lab.session and {frame}.layout.tolist()")), dtype=float)

    def wait_until_heard(self, setting: str, value: float) -> None:
        """Wait until the session has this value: a wish of the page goes its own way, and may come after a question."""
        for _ in range(PATIENCE // 100):
            if abs(float(self.ask(f"lab.session.settings.{setting}")) - value) < 1e-9:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{setting} {value:g} was not heard: {self.ask('lab.session.events[-3:]')}")

    def players(self) -> int:
        """How many threads of this kernel play a lab."""
        return int(self.page.run(_PLAYERS))

    def wait_for_umap(self) -> None:
        """The map has gone over from PCA: from here on nothing redraws a frame unasked."""
        self.page.run(_UMAP_IS_THERE)
        expect(self.map()).to_contain_text("UMAP")

    # -- being well ---------------------------------------------------------------------------------------------

    def check_well(self, players: int = 1, *, replays: bool = True) -> None:
        """Play works, pause leaves nothing drawing, the picture is the session's, and nothing is left over."""
        expect(self.root).to_have_attribute("data-connection", "ok")
        self.wait_for_umap()
        self.play(until=self.step() + 20)
        self.pause()
        self.check_picture()
        if replays:
            assert self.page.run(_REPLAYS.format(lab=self.name)) == "True True\n", "the run is not whole"
        assert self.players() == players
        self.check_no_child()
        self.check_nothing_failed()

    def check_picture(self, run: int = 0, frame: str = "lab.session.frame") -> None:
        """The map of a paused lab shows this frame: its step, and every point in its place."""
        self.wait_until_idle()
        expect(self.map(run)).to_have_attribute("data-step", self.ask(f"{frame}.step"))
        for _ in range(100):  # points may still glide to their places, or UMAP may be there now: look once more
            off = misplaced(self.positions(run), self.layout(frame))
            if off < 1.5:
                return
            self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        raise AssertionError(f"the map of step {self.step(run)} shows a task {off:.1f} pixels from its place")

    def check_no_child(self) -> None:
        """The kernel has no child process, or none any more: the one that compiles UMAP ends by itself."""
        left = "?"
        for _ in range(240):
            left = self.page.run(_CHILDREN).strip()
            if left == "[]":
                return
            self.page.wait_for_timeout(500)
        raise AssertionError(f"processes are left: {left}")

    def check_nothing_failed(self) -> None:
        """No thread died, and neither the kernel nor the server has logged an exception since the lab was met."""
        assert self.page.run("print(globals().get('died', []))") == "[]\n"
        said = self.page.server.log[self._logged :]
        # The server itself logs some where a page has gone while it was being written to.
        raised = [part for part in said.split("Traceback")[1:] if not re.search("WebSocketClosed|StreamClosed", part)]
        assert not raised, said


def misplaced(drawn: np.ndarray[Any, np.dtype[np.float64]], layout: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """How far, in pixels, the worst point is drawn from its place under the best zoom and shift (one zoom for x and y).

    The screen's y points down.
    """
    x, y = layout[:, 0], -layout[:, 1]
    one, none = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate([np.stack([x, one, none], 1), np.stack([y, none, one], 1)])
    target = np.concatenate([drawn[:, 0], drawn[:, 1]])
    zoom_and_shift, *_ = np.linalg.lstsq(rows, target, rcond=None)
    assert zoom_and_shift[0] > 0, "the map is mirrored"
    away = (rows @ zoom_and_shift - target).reshape(2, -1)
    return float(np.hypot(*away).max())
