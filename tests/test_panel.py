"""The panel without a browser: a page that is played by the test says what a real one says, and reads what it would.

The page acknowledges every picture before it asks for the next thing, as the real one does.
"""

from __future__ import annotations

import errno
import math
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest

from taskembed_edu.figures.plots import Still
from taskembed_edu.labs.metric import MetricLab
from taskembed_edu.live import panel as panel_module
from taskembed_edu.live import progress as progress_module
from taskembed_edu.live.cells import CellRun, forget_overwritten, note_shown, stop_replaced
from taskembed_edu.live.panel import SessionPanel
from taskembed_edu.session.session import Session
from tests.runs import SMALL, assert_same_frames, small_session

PATIENCE = 240.0  # UMAP compiles within one of these waits: half a minute on a quiet machine


class Page:
    """A page's end of the cable."""

    def __init__(self, panel: SessionPanel) -> None:
        self.panel, self.view = panel, panel.view
        self.told: list[dict[str, Any]] = []
        self.view.send = lambda content, buffers=None: self.told.append(content)
        self.statuses: list[str] = []  # all of them: a message leaves the status line after some seconds
        self.view.observe(lambda change: self.statuses.append(change["new"]["status"]), names="transport")

    def say(self, do: str, **more: Any) -> None:
        """Leave a wish, as a message of the page does; then wait until it is fulfilled."""
        self.hear({"do": do, **more})
        assert self.panel.player.wait(PATIENCE)
        self.acknowledge()

    def hear(self, message: Any) -> None:
        # Not through the widget's dispatcher: it would log an error, and the test would not see it.
        self.panel._on_message(self.view, message, [])

    def acknowledge(self) -> None:
        """Say that each picture was drawn, until none follows."""
        number = -1
        while number != self.picture["number"]:
            number = self.picture["number"]
            self.hear({"do": "shown", "number": number})
            assert self.panel.player.wait(PATIENCE)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait, while it plays, for something to become true; every picture is acknowledged."""
        for _ in range(10_000):
            if true():
                return
            self.hear({"do": "shown", "number": self.picture["number"]})
            threading.Event().wait(0.005)
        raise AssertionError("it did not come about")

    @property
    def picture(self) -> dict[str, Any]:
        return dict(self.view.picture)

    @property
    def transport(self) -> dict[str, Any]:
        return dict(self.view.transport)

    @property
    def status(self) -> str:
        return str(self.view.transport["status"])

    def control(self, name: str) -> dict[str, Any]:
        return next(control for control in self.view.controls if control["name"] == name)

    def steps(self) -> list[int]:
        return [run["step"] for run in self.picture["runs"]]


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Page]]:
    """Makes pages of small sessions; ends their threads."""
    warmed: list[Any] = []
    monkeypatch.setattr(panel_module, "precompile_in_background", lambda *told: warmed.append(told))
    made: list[SessionPanel] = []

    def make(session: Session | None = None, **options: Any) -> Page:
        panel = SessionPanel(session or small_session(), "A lab", ("loss", "margin"), **options)
        made.append(panel)
        page = Page(panel)
        page.warmed = warmed  # type: ignore[attr-defined]
        return page

    yield make
    for panel in made:
        panel.player.stop()
        assert not panel.player.alive
    widgets.Widget.close_all()


@pytest.fixture
def page(pages: Callable[..., Page]) -> Page:
    return pages()


def bars_of(page: Page) -> list[str]:
    """The words beside the bar from now on, as they come."""
    bars: list[str] = []

    def note(change: Any) -> None:
        shown = change["new"]["progress"]
        if shown is not None and shown["words"] not in bars[-1:]:
            bars.append(shown["words"])

    page.view.observe(note, names="transport")
    return bars


def session_of(page: Page) -> Session:
    return page.panel.sessions[0]


# ---- what a page finds ---------------------------------------------------------------------------------------------


def test_a_page_finds_everything_when_it_opens(page: Page) -> None:
    view = page.view
    assert view.tasks["n"] == 12
    assert page.picture["number"] == 1
    assert page.picture["live"]
    assert len(page.picture["runs"][0]["points"]) == 4 * 12
    assert view.rows["runs"][0]["first"] == 0
    assert [control["name"] for control in view.controls if control["main"]] == ["loss", "margin"]
    assert "Press Play" in page.status
    assert view.help["reading"]
    assert page.transport["runs"][0]["name"] == "Run A"
    assert not [thread.name for thread in threading.enumerate() if "warming" in thread.name]


def test_what_the_page_draws_is_the_sessions_frame(page: Page) -> None:
    page.say("step")
    run, frame = page.picture["runs"][0], session_of(page).frame
    left, bottom, right, top = run["box"]
    places = np.frombuffer(run["points"], "<u2").reshape(-1, 2) / 65535
    drawn = [left, bottom] + places * [right - left, top - bottom]
    assert np.abs(drawn - frame.layout).max() < 1e-3 * np.ptp(frame.layout)
    assert (run["step"], page.picture["step"]) == (4, 4)


# ---- playing -------------------------------------------------------------------------------------------------------


def test_play_and_pause_said_twice_are_one(page: Page) -> None:
    page.hear({"do": "play"})
    page.hear({"do": "play"})
    page.until(lambda: page.picture["step"] >= 12 and page.transport["playing"])
    page.say("pause")
    page.say("pause")
    assert not page.transport["playing"]
    assert page.status == "Paused."
    assert page.picture["step"] == session_of(page).steps
    plain = small_session()
    plain.step(session_of(page).steps)
    assert_same_frames(session_of(page), plain)


def test_without_a_page_training_goes_on_and_a_late_page_sees_now(page: Page) -> None:
    page.panel._view_updater()._gate._again_after = math.inf  # on a slow machine its 2 s are over before the last step
    page.hear({"do": "step"})
    assert page.panel.player.wait(PATIENCE)
    for _ in range(5):
        page.hear({"do": "step"})
        assert page.panel.player.wait(PATIENCE)
    assert page.picture["number"] == 1
    page.say("all")
    assert page.picture["step"] == session_of(page).steps == 24


def test_rows_travel_once_and_again_when_missed(page: Page) -> None:
    page.say("step")
    page.say("step")
    (run,) = page.view.rows["runs"]
    assert (run["first"], len(run["values"]) // (4 * len(run["columns"]))) == (1, 2)
    page.say("rows")
    (run,) = page.view.rows["runs"]
    assert (run["first"], len(run["values"]) // (4 * len(run["columns"]))) == (0, 3)


# ---- settings ------------------------------------------------------------------------------------------------------


def test_a_setting_moves_the_session_and_the_control_says_so(page: Page) -> None:
    page.say("set", changes={"margin": 2.5})
    assert session_of(page).settings.margin == 2.5
    assert page.control("margin")["value"] == 2.5
    assert page.view.marks == [[{"step": 0, "text": "margin 2.5"}]]
    assert page.transport["undo"] == "Margin back to 1"
    page.say("undo")
    assert session_of(page).settings.margin == 1.0
    assert page.transport["undo"] == ""
    assert "Margin back to 1" in page.status
    page.say("undo")
    assert "nothing to undo" in page.status


def test_what_is_beyond_the_range_or_refused_is_told_to_the_page_again(page: Page) -> None:
    told: list[Any] = []
    send_state = page.view.send_state

    def send_and_note(key: Any = None) -> None:
        told.append(key)
        send_state(key)

    page.view.send_state = send_and_note
    page.say("set", changes={"margin": 1e9})
    assert page.control("margin")["value"] == 6.0
    assert ["controls"] in told
    told.clear()
    page.say("set", changes={"margin": "far"})
    assert ["controls"] in told
    assert "Margin: got far, expected a number" in page.status
    assert page.transport["tone"] == "alarm"
    page.say("set", changes={"margin": 3.0})
    assert page.status == "Press Play: the tasks find their places."


def test_a_setting_that_needs_a_reset_waits_for_it(page: Page) -> None:
    page.say("step")
    page.say("set", changes={"seed": 7})
    assert "Press Reset to apply: Seed." in page.status
    assert page.transport["wishes"] == ["Seed"]
    assert (page.control("seed")["value"], page.control("seed")["wished"]) == (7, True)
    page.say("set", changes={"seed": 0})
    assert page.transport["wishes"] == []
    page.say("set", changes={"seed": 7})
    page.say("reset")
    assert (session_of(page).steps, session_of(page).setup.seed) == (0, 7)
    assert page.transport["wishes"] == []
    assert page.picture["step"] == 0
    assert "New weights and new tasks: seed 7." in page.status
    page.say("reset")
    assert "same initial weights" in page.status
    page.say("new seed")
    assert session_of(page).setup.seed == 8
    assert "New weights and new tasks: seed 8." in page.status
    assert len(session_of(page).past) == 1


def test_a_wish_made_during_a_reset_waits_for_the_next(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(page)
    page.say("set", changes={"seed": 7, "n_tasks": 20})
    reset = session.reset

    def slow(**changes: Any) -> Any:
        page.hear({"do": "set", "changes": {"seed": 9}})
        return reset(**changes)

    monkeypatch.setattr(session, "reset", slow)
    page.say("reset")
    assert (session.setup.seed, session.setup.n_tasks) == (7, 20)
    assert page.panel._ui.pending == {"seed": 9}
    assert page.transport["wishes"] == ["Seed"]


def test_a_reset_to_the_same_tasks_keeps_what_was_chosen(page: Page) -> None:
    page.say("step")
    page.view.chosen, page.view.selected, page.view.colour = 3, [1, 2], 1
    page.say("reset")
    assert session_of(page).steps == 0
    assert (page.view.chosen, page.view.selected, page.view.colour) == (3, [1, 2], 1)
    page.say("new seed")
    assert (page.view.chosen, page.view.selected, page.view.colour) == (-1, [], 1), "other tasks, the same parameters"
    page.say("set", changes={"family": "sinusoids"})
    page.say("reset")
    assert page.view.colour == 0


def test_a_picture_that_was_never_sent_is_not_taken(page: Page) -> None:
    page.hear({"do": "shown", "number": 10**9})
    assert page.panel._acknowledged == 0


def test_a_reset_to_other_tasks_sends_them_and_chooses_none(page: Page) -> None:
    page.view.chosen = 3
    page.say("set", changes={"family": "sinusoids"})
    page.say("reset")
    assert page.view.tasks["names"][0] == session_of(page).tasks.names[0]
    assert page.view.chosen == -1
    assert page.picture["runs"][0]["links"] is None


@pytest.mark.parametrize(
    "message",
    [
        None,
        "play",
        [],
        {},
        {"do": None},
        {"do": ["play"]},
        {"do": "no such wish"},
        {"do": "set"},
        {"do": "set", "changes": [1]},
        {"do": "set", "changes": {"no such setting": 1}},
        {"do": "look", "step": "yesterday"},
        {"do": "look", "step": float("nan")},
        {"do": "look", "step": float("inf")},
        {"do": "look", "step": 10**400},
        {"do": "set", "changes": {"margin": 10**400}},
        {"do": "shown", "number": 10**9},
        {"do": "shown"},
        {"do": "shown", "number": None},
        {"do": "branch", "step": -1},
        {"do": "keep"},
        {"do": "keep", "run": 7},
        {"do": "active", "run": "B"},
        {"do": "compare", "metric": "no such metric"},
        {"do": "compare", "metric": ["cosine"]},
        {"do": "export", "what": "docx"},
        {"do": "export"},
        {"do": "rewind"},
        {"do": "embed again"},
    ],
)
def test_no_message_breaks_anything(page: Page, message: Any) -> None:
    page.hear(message)
    assert page.panel.player.wait(PATIENCE)
    assert page.panel.player.failure is None
    page.say("step")
    assert session_of(page).steps == 4
    assert page.picture["step"] == 4


# ---- looking -------------------------------------------------------------------------------------------------------


def test_the_past_is_looked_at_while_training_goes_on(page: Page) -> None:
    for _ in range(3):
        page.say("step")
    page.say("look", step=6)
    assert (page.steps(), page.picture["live"], page.picture["step"]) == ([4], False, 6)
    assert "Step 6, trained with Contrastive loss, Euclidean distance, margin 1" in page.status
    page.panel.player.play()
    page.until(lambda: session_of(page).steps >= 24)
    page.hear({"do": "pause"})
    assert page.panel.player.wait(PATIENCE)
    page.acknowledge()
    assert page.steps() == [4]
    assert page.transport["runs"][0]["step"] == session_of(page).steps
    page.say("look", step=None)
    assert (page.steps(), page.picture["live"]) == ([session_of(page).steps], True)


def test_a_past_that_a_cell_has_undone_is_left(page: Page) -> None:
    session = session_of(page)
    for undone in (session.reset, lambda: session.rewind(1)):
        session.step(12)
        page.say("look", step=4)
        assert not page.picture["live"]
        undone()
        assert page.panel.player.wait(PATIENCE)
        page.acknowledge()
        assert page.panel._ui.viewed_step is None
        assert (page.picture["live"], page.steps()) == (True, [session.steps])


@pytest.mark.parametrize("do", ["play", "step"])
def test_play_while_looking_at_the_past_returns_to_now_and_says_so(page: Page, do: str) -> None:
    for _ in range(3):
        page.say("step")
    page.say("look", step=4)
    page.hear({"do": do})
    page.until(lambda: page.picture["live"] and page.picture["step"] > 12)
    page.until(lambda: any("Back to now" in status for status in page.statuses))
    page.say("pause")


def test_a_chosen_task_has_its_neighbours_in_every_picture(page: Page) -> None:
    page.view.chosen = 3
    assert page.panel.player.wait(PATIENCE)
    page.acknowledge()
    links = page.picture["runs"][0]["links"]
    embedding, truth = session_of(page).nearest(session_of(page).frame, 3)
    assert (links["task"], links["embedding"], links["truth"]) == (3, embedding.tolist(), truth.tolist())
    assert "Chosen" in page.picture["words"]
    page.view.chosen = 99
    page.say("step")
    assert page.picture["runs"][0]["links"] is None


def test_a_setting_that_moves_along_with_another_is_said_in_words(page: Page) -> None:
    page.say("set", changes={"margin": 3.0})
    assert "became" not in page.status
    page.say("set", changes={"metric": "cosine"})
    assert page.status == "Cosine distance ends at 2: margin 3 became 2."
    assert session_of(page).settings.margin == 2.0
    page.say("set", changes={"metric": "euclidean"})
    assert "became" not in page.status
    page.say("set", changes={"loss": "info_nce", "margin": 3.0})
    page.say("set", changes={"metric": "cosine"})
    assert "became" not in page.status, "under this loss nobody sees a margin"


def test_another_metric_is_held_beside_the_runs_own(page: Page) -> None:
    page.say("compare", metric="cosine")
    changes = page.picture["runs"][0]["changes"]
    assert changes["metric"] == page.transport["compare"] == "cosine"
    assert changes["share"] == pytest.approx(
        session_of(page).neighbour_changes(session_of(page).frame, "cosine").share, abs=1e-3
    )
    page.say("compare", metric="")
    assert "changes" not in page.picture["runs"][0]


# ---- two runs ------------------------------------------------------------------------------------------------------


def branched(page: Page) -> tuple[Session, Session]:
    for _ in range(3):
        page.say("step")
    page.say("look", step=4)
    page.say("branch", step=4)
    one, other = page.panel.sessions
    return one, other


def test_a_branch_stands_beside_the_run_at_the_moment_shown(page: Page) -> None:
    one, other = branched(page)
    assert (one.steps, other.steps) == (12, 4)
    assert (page.steps(), page.picture["live"], page.transport["active"]) == ([4, 4], True, 1)
    page.say("set", changes={"margin": 3.0})
    assert (one.settings.margin, other.settings.margin) == (1.0, 3.0)
    assert page.control("margin")["value"] == 3.0
    page.say("active", run=0)
    assert page.control("margin")["value"] == 1.0
    page.say("step")
    assert page.steps() == [8, 8]
    assert [len(run["values"]) > 0 for run in page.view.rows["runs"]] == [True, True]
    assert page.view.marks == [[], [{"step": 4, "text": "margin 3"}]]
    page.say("branch", step=4)
    assert "keep one of them" in page.status
    assert len(page.panel.sessions) == 2


def test_a_branch_of_now_takes_what_was_moved_since_the_last_picture_along(page: Page) -> None:
    page.say("step")
    page.say("set", changes={"margin": 3.0})
    page.say("branch")
    one, other = page.panel.sessions
    assert (one.steps, other.steps, other.settings.margin) == (4, 4, 3.0)
    assert page.control("margin")["value"] == 3.0


def test_the_first_umap_of_a_kernel_says_what_one_waits_for(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    page.view.observe(lambda change: said.append(change["new"]["status"]), names="transport")
    monkeypatch.setattr(panel_module, "is_loaded", lambda: False)
    page.say("set", changes={"projection": "umap", "n_neighbors": 5})
    setup = session_of(page).setup
    assert (setup.projection, setup.n_neighbors) == ("umap", 5)
    waiting = next(k for k, status in enumerate(said) if status.startswith("UMAP is made ready."))
    assert not page.status.startswith("UMAP is made ready."), "and that it is over"
    assert waiting < len(said) - 1
    said.clear()
    monkeypatch.undo()
    page.say("set", changes={"projection": "pca"})
    page.say("set", changes={"projection": "umap"})
    assert session_of(page).setup.projection == "umap"
    assert not any(status.startswith("UMAP is made ready.") for status in said), "only the first time"


def test_a_branch_of_the_past_has_the_settings_of_then_and_the_map_of_now(page: Page) -> None:
    page.say("step")
    page.say("step")
    page.say("set", changes={"margin": 3.0, "projection": "umap", "n_neighbors": 5})
    page.say("look", step=4)
    page.say("branch", step=4)
    other = page.panel.sessions[1]
    assert (other.settings.margin, other.setup.projection, other.setup.n_neighbors) == (1.0, "umap", 5)
    assert other.frame.projection == "umap"
    other.step(4)
    assert_same_frames(Session.replay(other.recording()), other)


def test_a_reset_that_was_not_meant_is_undone(page: Page) -> None:
    page.say("step")
    page.say("set", changes={"margin": 3.0})
    page.say("step")
    session = session_of(page)
    whole = session.recording()
    page.say("reset")
    assert (session.steps, page.transport["undo"]) == (0, "Back to the run before Reset, at step 8")
    page.say("undo")
    assert (session.recording(), session.past, page.steps()) == (whole, [], [8])
    assert page.transport["undo"] == "Margin back to 1"
    page.say("step")
    assert_same_frames(Session.replay(session.recording()), session)
    page.say("reset")
    page.say("step")
    assert page.transport["undo"] == ""
    with pytest.raises(RuntimeError, match="Replay its recording"):
        session.undo_reset()


def test_a_collapse_holds_the_button_that_mends_it(page: Page) -> None:
    assert page.transport["recover"] is None
    session = session_of(page)
    session.set(margin=0.0)
    session.step(160)
    page.acknowledge()
    assert page.transport["recover"] == {"run": 0, "label": "Back to step 28, with margin 1"}
    page.say("look", step=8)
    page.say("recover", run=0)
    assert (page.steps(), session.settings.margin) == ([28], 1.0)
    assert page.picture["live"]
    assert page.transport["recover"] is None
    assert page.transport["undo"] == "Back to the collapsed run, at step 160"
    assert "Press Play" in page.status
    page.say("undo")
    assert (page.steps(), session.settings.margin) == ([160], 0.0)
    page.say("recover", run=0)
    page.hear({"do": "play"})
    page.until(lambda: session.steps >= 160)
    page.say("pause")
    assert not any(frame.alarm for frame in session.history)


def test_the_button_of_a_collapse_mends_the_run_that_collapsed(page: Page) -> None:
    one, other = branched(page)
    assert page.panel.player.session is other
    one.set(margin=0.0)
    one.step(200)
    page.acknowledge()
    assert page.transport["recover"]["label"].startswith("Run A: Back to step ")
    page.say("recover", run=page.transport["recover"]["run"])
    assert (one.settings.margin, page.transport["recover"]) == (1.0, None)
    page.say("recover", run=1)
    assert "have not collapsed" in page.status


def test_new_tasks_for_both_runs_are_undone_together(page: Page) -> None:
    one, other = branched(page)
    page.say("new seed")
    page.say("undo")
    assert (one.steps, other.steps, one.setup.seed, other.setup.seed) == (12, 4, 0, 0)
    assert page.panel.sessions == (one, other)


def test_wishes_for_a_reset_belong_to_the_run_they_were_made_for(page: Page) -> None:
    branched(page)
    page.say("set", changes={"seed": 7})
    assert page.transport["wishes"] == ["Seed"]
    page.say("active", run=1)
    assert page.transport["wishes"] == ["Seed"]
    page.say("active", run=0)
    assert page.transport["wishes"] == []
    page.say("set", changes={"seed": 7})
    page.say("keep", run=0)
    assert page.transport["wishes"] == []


def test_what_is_asked_for_a_run_is_done_to_that_run(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = branched(page)
    page.say("set", changes={"margin": 3.0})
    # The worker is held while another run becomes active.
    reached, go_on = threading.Event(), threading.Event()

    def held() -> None:
        reached.set()
        assert go_on.wait(PATIENCE)

    page.panel.player.do(held)
    assert reached.wait(PATIENCE)
    page.hear({"do": "undo"})
    page.hear({"do": "reset"})
    page.hear({"do": "active", "run": 0})
    go_on.set()
    assert page.panel.player.wait(PATIENCE)
    assert (one.steps, other.steps, other.settings.margin) == (12, 0, 1.0)


def test_a_branch_made_while_training_does_not_say_press_play(page: Page) -> None:
    page.say("step")
    page.hear({"do": "play"})
    page.until(lambda: session_of(page).steps >= 8)
    page.hear({"do": "branch", "step": 4})
    page.until(lambda: any("Run B begins" in status for status in page.statuses))
    assert len(page.panel.sessions) == 2
    assert not any("press Play" in status for status in page.statuses if "Run B begins" in status)
    page.say("pause")


def test_a_run_that_is_behind_has_a_bar_and_nobody_has_to_wait(page: Page) -> None:
    assert not page.transport["progress"]
    page.say("step")
    one = session_of(page)
    one.step(28)
    page.say("branch", step=4)
    other = page.panel.sessions[1]
    assert page.transport["progress"] == {"words": "Run B: step 4 of 32", "done": 4, "of": 32, "button": "Skip"}
    page.say("step")
    assert page.transport["progress"]["done"] == 8
    assert page.steps() == [8, 8], "run A shows its stored picture"
    page.say("catch up", on=False)
    bar = {"words": "Run B is 24 steps behind", "done": 8, "of": 32, "button": "Catch up"}
    assert page.transport["progress"] == bar
    assert page.status.startswith("Nobody waits")
    assert (page.steps(), page.picture["live"], page.picture["step"]) == ([32, 8], True, 32)
    page.say("step")
    assert (one.steps, other.steps, page.steps()) == (36, 12, [36, 12])
    page.say("look", step=8)
    assert (page.steps(), page.picture["live"]) == ([8, 8], False)
    page.say("look", step=None)
    page.say("catch up", on=True)
    assert page.steps() == [12, 12]
    for _ in range(6):
        page.say("step")
    assert (one.steps, other.steps, page.transport["progress"]) == (36, 36, None)
    before = page.status
    page.say("catch up", on=False)
    assert page.status == before, "a Skip that comes when the runs have met does nothing, and says nothing"
    assert_same_frames(Session.replay(other.recording()), other)


def test_while_it_plays_the_bar_says_how_long_and_the_status_what(page: Page) -> None:
    session_of(page).step(400)
    page.say("branch", step=4)
    bars = bars_of(page)
    page.hear({"do": "play"})
    page.until(lambda: any("left" in words for words in bars))
    page.say("pause")
    assert re.fullmatch(r"Run B: step \d+ of 400, about \d+ s left", next(words for words in bars if "left" in words))
    assert any(status.startswith("Run B catches up.") for status in page.statuses)
    assert page.transport["progress"]["words"].endswith(" of 400"), "who is paused gets nowhere"


@pytest.mark.parametrize("wrong", [None, 1, "yes"])
def test_a_wish_to_catch_up_is_yes_or_no(page: Page, wrong: Any) -> None:
    page.say("catch up", on=wrong)
    assert "expected true or false" in page.status


def test_long_jobs_have_a_bar_too(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "_APART", 0.0)
    monkeypatch.setattr("taskembed_edu.session.history.CHECKPOINT_BYTES", 0)  # every way back starts at the beginning
    session = session_of(page)
    session.step(13)
    bars = bars_of(page)
    page.say("branch", step=8)
    assert bars == ["Run B is made", *(f"Run B is made: {k} of 8" for k in range(1, 9)), "Run B: step 8 of 13"]
    page.say("keep", run=0)
    for do, words in (("reset", "The run begins again"), ("new seed", "The run begins again")):
        bars = bars_of(page)
        page.say(do)
        assert bars == [words]
        assert page.transport["progress"] is None


def test_an_error_in_a_long_job_ends_its_bar(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.say("step")
    bars = bars_of(page)
    monkeypatch.setattr("taskembed_edu.live.runs.reset", lambda *_given: 1 / 0)
    page.say("reset")
    assert bars == ["The run begins again"]
    assert page.transport["progress"] is None


@pytest.mark.parametrize("run", [0, 1])
def test_the_run_that_is_not_kept_leaves_its_recording(page: Page, run: int) -> None:
    runs = branched(page)
    page.say("step")
    page.say("keep", run=run)
    assert page.panel.sessions == (runs[run],)
    assert_same_frames(Session.replay(runs[run].past[-1]), runs[1 - run])
    assert len(page.picture["runs"]) == len(page.view.rows["runs"]) == 1
    assert page.view.rows["runs"][0]["first"] == (0 if run else 3)  # what was run A has its rows on the page already
    runs[1 - run].step(4)
    page.say("step")


def test_a_reset_begins_the_active_run_again(page: Page) -> None:
    one, other = branched(page)
    page.say("set", changes={"margin": 3.0})
    page.say("reset")
    assert (one.steps, other.steps, other.settings.margin) == (12, 0, 3.0)
    assert page.steps() == [0, 0]
    page.say("new seed")
    assert (one.steps, other.steps, one.setup.seed, other.setup.seed) == (0, 0, 1, 1)
    assert one.settings.margin == 1.0


def test_runs_whose_tasks_part_no_longer_stand_side_by_side(page: Page) -> None:
    one, other = branched(page)
    pictures = page.picture["number"]
    other.reset(seed=3)
    page.until(lambda: page.panel.sessions == (other,) and len(page.picture["runs"]) == 1)
    assert page.picture["number"] == pictures + 1, "no picture of one run in the other's colours"
    page.acknowledge()
    assert "no longer have the same tasks" in page.status
    assert other.past[-1]["steps"] == one.steps


def test_a_cell_that_gives_both_runs_other_tasks_leaves_both_on_screen(page: Page) -> None:
    one, other = branched(page)
    for session in (one, other):
        session.reset(seed=3)
    page.acknowledge()
    page.say("step")
    assert page.panel.sessions == (one, other)
    assert page.steps() == [4, 4]


# ---- failure -------------------------------------------------------------------------------------------------------


def test_a_run_that_diverges_is_said_and_one_click_leads_back(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.say("step")
    page.say("step")
    session, step = session_of(page), session_of(page).embedder.step

    def diverging(state: Any, settings: Any) -> Any:
        if state.step >= 10:
            raise FloatingPointError("loss: got inf at step 10, expected a finite number.")
        return step(state, settings)

    with monkeypatch.context() as patch:
        patch.setattr(session.embedder, "step", diverging)
        page.say("play")
    assert (page.status, page.transport["tone"]) == ("loss: got inf at step 10, expected a finite number.", "alarm")
    assert page.transport["rewind"]
    assert page.picture["step"] == 8
    page.say("rewind")
    assert (session.steps, page.transport["rewind"], page.transport["tone"]) == (8, False, "calm")
    page.say("step")
    plain = small_session()
    plain.step(12)
    assert_same_frames(session, plain)


def test_a_run_broken_at_its_last_frame_goes_back_to_the_one_before(page: Page) -> None:
    page.say("step")
    page.say("step")
    break_weights(session_of(page))
    page.say("step")
    assert page.transport["rewind"]
    page.say("rewind")
    assert session_of(page).steps == 4
    page.say("step")
    assert session_of(page).steps == 8
    assert page.transport["tone"] == "calm"


def break_weights(session: Session) -> None:
    import torch

    with torch.no_grad():
        for weights in session._now.state.encoder.parameters():
            weights.fill_(float("nan"))


def test_a_run_mended_in_a_cell_is_no_longer_said_to_have_failed(page: Page) -> None:
    page.say("step")
    session = session_of(page)
    break_weights(session)
    page.say("step")
    assert page.transport["rewind"]
    session.reset()
    session.step(8)
    page.acknowledge()
    assert (page.transport["rewind"], page.transport["tone"]) == (False, "calm")
    page.say("rewind")
    assert session.steps == 8, "nothing is taken back where nothing has failed"


def test_a_run_that_failed_and_left_takes_its_failure_along(page: Page) -> None:
    one, other = branched(page)
    break_weights(other)
    page.say("step")
    assert page.transport["rewind"]
    page.say("keep", run=0)
    assert page.panel.sessions == (one,)
    assert not page.transport["rewind"]


def test_a_wish_that_fails_while_it_plays_is_not_the_runs_failure(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(page)

    def refuse(**_changes: Any) -> None:
        raise ValueError("margin: got 7")

    monkeypatch.setattr(session, "set_clamped", refuse)
    page.hear({"do": "play"})
    page.hear({"do": "set", "changes": {"margin": 2.0}})
    page.until(lambda: page.panel.player.failure is not None)
    assert page.panel.player.failed is None


# ---- ways out ------------------------------------------------------------------------------------------------------


def test_the_code_that_is_told_makes_the_run(page: Page) -> None:
    page.say("set", changes={"margin": 2.0})
    page.say("step")
    page.say("code")
    (told,) = page.told
    assert told["tell"] == "code"
    assert told["text"] == session_of(page).code()
    assert told["run"] == "", "one run needs no name"


def test_of_two_runs_the_code_says_whose_it_is(page: Page) -> None:
    page.say("step")
    page.say("branch")
    for run, name in enumerate(("Run A", "Run B")):
        page.say("active", run=run)
        page.say("code")
        assert page.told[-1]["run"] == name
        assert page.told[-1]["text"] == page.panel.sessions[run].code()


@pytest.mark.parametrize("what", ["png", "svg", "gif", "csv", "json", "html"])
def test_an_export_is_written_and_never_over_another(
    page: Page, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page.say("step")
    page.say("export", what=what)
    page.say("export", what=what)
    saved = page.told
    assert [told["tell"] for told in saved] == ["saved", "saved"]
    paths = [Path(told["path"]) for told in saved]
    assert [path.name for path in paths] == [f"metric-gaussians-step-4{again}.{what}" for again in ("", "-2")]
    assert all(path.stat().st_size > 0 for path in paths)
    assert all(f"Saved as {paths[k].name} in {tmp_path}." in saved[k]["text"] for k in (0, 1))


def test_what_cannot_be_saved_is_said(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    page.say("export", what="json")
    (told,) = page.told
    assert told["tell"] == "not saved"
    assert "Not saved" in told["text"]


@pytest.mark.parametrize("what", ["png", "svg", "gif", "html"])
def test_an_export_while_it_plays_is_written_and_training_goes_on(
    page: Page, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session = session_of(page)
    page.hear({"do": "play"})
    page.until(lambda: session.steps > 20)
    bars = bars_of(page)
    page.hear({"do": "export", "what": what})
    page.until(lambda: any(told["tell"] == "saved" for told in page.told))
    after = session.steps
    page.until(lambda: session.steps > after)
    page.say("pause")
    assert page.panel.player.failure is None
    assert [path.suffix for path in tmp_path.iterdir()] == [f".{what}"]
    words = {"html": "The page is written", "gif": "The film is made"}.get(what, "The file is written")
    assert bars[0] == words
    assert page.transport["progress"] is None


@pytest.mark.parametrize("what", ["png", "svg", "gif", "html"])
def test_a_full_disk_is_said_and_leaves_nothing_half(
    page: Page, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: Any, **_more: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(Still, "savefig", half_a_file)
    page.say("step")
    page.say("export", what=what)
    (told,) = page.told
    assert told["tell"] == "not saved"
    assert "The disk is full" in told["text"]
    assert list(tmp_path.iterdir()) == []


def half_a_file(_figure: Still, path: Path, **_more: Any) -> None:
    with path.open("wb") as file:
        file.write(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


# ---- UMAP ----------------------------------------------------------------------------------------------------------


def test_umap_takes_over_when_it_is_ready(pages: Callable[..., Page]) -> None:
    page = pages(small_session(n_neighbors=5), umap_when_ready=True)
    assert page.warmed == []  # type: ignore[attr-defined]
    page.acknowledge()
    assert "PCA until UMAP is ready" in page.status
    assert page.transport["warming"]
    ((ready, _failed, _moves),) = page.warmed  # type: ignore[attr-defined]
    page.say("step")
    page.acknowledge()
    assert len(page.warmed) == 1  # type: ignore[attr-defined]
    ready()
    assert page.panel.player.wait(PATIENCE)
    assert page.panel.player.failure is None
    assert session_of(page).setup.projection == "umap"
    assert not page.transport["warming"]
    assert [event.changes for event in session_of(page).events] == [{"projection": "umap"}]


def test_umap_that_is_ready_while_a_run_has_failed_takes_over_after_the_way_back(pages: Callable[..., Page]) -> None:
    page = pages(small_session(n_neighbors=5), umap_when_ready=True)
    page.acknowledge()
    page.say("step")
    page.say("step")
    session = session_of(page)
    break_weights(session)
    page.say("step")
    ((ready, _failed, _moves),) = page.warmed  # type: ignore[attr-defined]
    failure = page.panel.player.failure
    ready()
    assert page.panel.player.wait(PATIENCE)
    assert (session.setup.projection, page.transport["rewind"]) == ("pca", True)
    assert page.panel.player.failure is failure, "what is said is what went wrong first"
    page.say("rewind")
    assert (session.steps, session.frame.projection, page.transport["tone"]) == (4, "umap", "calm")
    assert page.picture["runs"][0]["projection"] == "umap"


def test_the_way_back_leaves_the_map_as_it_was_chosen(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.say("step")
    page.say("set", changes={"n_neighbors": 7, "projection": "umap"})
    with monkeypatch.context() as patch:
        patch.setattr(session_of(page).embedder, "step", lambda *_: (_ for _ in ()).throw(FloatingPointError("loss")))
        page.say("step")
    page.say("rewind")
    setup = session_of(page).setup
    assert (session_of(page).steps, setup.projection, setup.n_neighbors) == (0, "umap", 7)


@pytest.mark.parametrize("where", ["page", "cell"])
def test_who_chose_pca_keeps_it(pages: Callable[..., Page], where: str) -> None:
    page = pages(umap_when_ready=True)
    page.acknowledge()
    ((ready, _failed, _moves),) = page.warmed  # type: ignore[attr-defined]
    if where == "page":
        page.say("set", changes={"projection": "pca"})
    else:
        session_of(page).set(projection="pca")
    ready()
    assert page.panel.player.wait(PATIENCE)
    assert session_of(page).setup.projection == "pca"


def test_umap_that_cannot_be_made_ready_is_said(pages: Callable[..., Page]) -> None:
    page = pages(umap_when_ready=True)
    page.acknowledge()
    ((_ready, failed, _moves),) = page.warmed  # type: ignore[attr-defined]
    failed(OSError("no room left on device"))
    assert page.panel.player.wait(PATIENCE)
    assert "UMAP cannot be used here (no room left on device)" in page.status
    assert not page.transport["warming"]
    page.say("step")
    assert page.status == "Paused."


# ---- the still -------------------------------------------------------------------------------------------------------


def test_a_still_is_drawn_once_a_page_looked_and_nothing_happens(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(page.panel.still, "draw", lambda _session, frame, *_more: drawn.append(frame.step))
    quiet_rounds(page)
    assert drawn == []  # no page has drawn anything
    page.say("step")
    assert drawn == []
    quiet_rounds(page)
    assert set(drawn) == {4}
    drawn.clear()
    page.hear({"do": "play"})
    page.until(lambda: session_of(page).steps >= 40)
    assert drawn == []
    page.say("pause")


def quiet_rounds(page: Page) -> None:
    """What happens once a second while nothing happens, a few times over."""
    for _ in range(4):
        page.panel.player.wake()
        assert page.panel.player.wait(PATIENCE)


# ---- the end -------------------------------------------------------------------------------------------------------


def test_a_replaced_panel_lets_everything_go_but_the_run(pages: Callable[..., Page]) -> None:
    older, newer, other = pages(), pages(), pages()
    stop_replaced(CellRun("cell", "1"), older.panel)
    stop_replaced(CellRun("other cell", "2"), other.panel)
    older.say("step")
    stop_replaced(CellRun("cell", "3"), newer.panel)
    assert not older.panel.player.alive
    assert older.transport["stopped"]
    assert "replaced" in older.status
    assert older.view.comm is None
    assert other.panel.player.alive
    session_of(older).step(4)
    assert session_of(older).steps == 8
    older.hear({"do": "play"})
    assert not older.panel.player.playing
    newer.say("step")
    assert session_of(newer).steps == 4


def test_a_playing_lab_whose_cell_no_longer_shows_it_pauses_and_says_so(pages: Callable[..., Page]) -> None:
    gone, kept, other = pages(), pages(), pages()
    note_shown(CellRun("overwritten", "1"), gone.panel)
    note_shown(CellRun("overwritten", "1"), kept.panel)
    note_shown(CellRun("another", "1"), other.panel)
    for page in (gone, kept, other):
        page.hear({"do": "play"})
    note_shown(CellRun("overwritten", "2"), kept.panel)
    forget_overwritten(CellRun("overwritten", "2"))
    assert [page.panel.player.playing for page in (gone, kept, other)] == [False, True, True]
    gone.acknowledge()
    assert "its cell was run again without the lab" in gone.status
    forget_overwritten(CellRun("overwritten", "3"))
    assert not kept.panel.player.playing
    forget_overwritten(None)
    gone.say("step")
    assert "its cell" not in gone.status


def test_defaults_come_back_as_one_change_and_undo_takes_it_back(page: Page) -> None:
    session = session_of(page)
    session.set(margin=3.0, learning_rate=0.01)
    session.step(20)
    page.say("set", changes={"margin": 2.0, "hidden": 32})
    before = session.settings
    page.say("defaults")
    usual = type(before)()
    assert (session.settings.margin, session.settings.learning_rate) == (usual.margin, usual.learning_rate)
    assert session.settings.batch == usual.batch
    assert session.setup.projection == "pca"
    assert "margin" not in session.user_set
    assert page.control("hidden")["value"] == usual.hidden
    assert page.status.startswith("Back to defaults: Margin")
    page.say("undo")
    assert session.settings == before
    page.say("reset")
    page.say("defaults")
    page.say("defaults")
    page.say("reset")
    page.say("defaults")
    assert page.status == "All settings are at their defaults."


def test_a_slow_run_makes_the_same_steps_and_pause_ends_its_wait(page: Page) -> None:
    session, player = session_of(page), page.panel.player
    page.say("speed", rate=0.001)
    assert page.transport["most_rate"] == 0.001
    page.hear({"do": "play"})
    page.until(lambda: session.steps == 4)  # a picture at once; the next may begin in an hour
    page.hear({"do": "set", "changes": {"margin": 2.0}})
    page.until(lambda: session.settings.margin == 2.0)
    assert (session.steps, player.playing) == (4, True)
    page.say("pause")
    assert not player.playing
    page.say("step")
    assert session.steps == 8, "a press acts at once"
    page.hear({"do": "play"})
    page.until(lambda: session.steps == 12)
    page.hear({"do": "speed", "rate": 0})
    page.until(lambda: session.steps >= 40)
    page.say("pause")
    page.say("speed", rate="fast")
    assert "as fast as it goes" in page.status
    with pytest.raises(ValueError, match="a number above 0"):
        player.limit(0)


def test_a_lab_knows_the_runs_on_screen() -> None:
    lab = MetricLab(**SMALL)
    assert len(lab.sessions) == 1
    assert lab.sessions[0] is lab.session
    page = Page(lab.panel)
    try:
        runs = branched(page)
        assert list(lab.sessions) == list(runs)
        page.say("keep", run=1)
        assert lab.session is runs[1]
        assert repr(lab).startswith("MetricLab(gaussians, contrastive loss, euclidean distance, margin 1: step 4, ")
    finally:
        lab.panel.stop()
