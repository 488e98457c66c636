"""The panel of two embedders, without a browser: what is set for both, what for one, and how both are judged."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest

from taskembed_edu import EvaluationLab
from taskembed_edu.figures.side_by_side import side_by_side_figure
from taskembed_edu.live import panel as panel_module
from taskembed_edu.live import still as still_module
from taskembed_edu.live.judging import Judging, scorecards_packet
from taskembed_edu.live.numbers import rounded
from taskembed_edu.live.packets import OTHER_RUN, picture_packet, tasks_packet
from taskembed_edu.live.words import help_packet
from taskembed_edu.session.session import Session
from taskembed_edu.session.side_by_side import same_tasks, scorecards
from taskembed_edu.tasks import FAMILIES
from tests.runs import assert_same_frames
from tests.test_panel import Page

SMALL: dict[str, Any] = {"family": "gaussians", "projection": "pca", "n_tasks": 12, "frame_every": 4, "hidden": 8}
QUICK: dict[str, Any] = {"n_tasks": 20, "transfer_to": 5}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[EvaluationLab, Page]]]:
    """Labs on screen, each with its page; their threads end with the test."""
    monkeypatch.setattr(panel_module, "precompile_in_background", lambda *_told: None)
    labs: list[EvaluationLab] = []

    def show(*embedders: Any, **values: Any) -> tuple[EvaluationLab, Page]:
        lab = EvaluationLab(*embedders, **{**SMALL, **values})
        labs.append(lab)
        return lab, Page(lab.panel)

    yield show
    for lab in labs:
        lab.panel.player.stop()
        assert not lab.panel.player.alive
    widgets.Widget.close_all()


Show = Callable[..., tuple[EvaluationLab, Page]]


@pytest.fixture(scope="module")
def pair() -> tuple[Session, ...]:
    lab = EvaluationLab("metric", "context", **SMALL)
    lab.step(8)
    return lab.sessions


# ---- what a page finds ----


def test_both_maps_are_there_by_the_names_of_their_embedders(shown: Show) -> None:
    lab, page = shown()
    assert [run["name"] for run in page.transport["runs"]] == ["Metric", "Context"]
    assert page.transport["paired"]
    assert [len(run["points"]) for run in page.picture["runs"]] == [48, 48]
    page.say("step")
    assert page.steps() == [4, 4]
    assert [session.steps for session in lab.sessions] == [4, 4]
    assert "Metric: 12 tasks" in page.picture["words"]
    assert "Context: 12 tasks" in page.picture["words"]
    plain = Session("metric", **SMALL)
    plain.step(4)
    assert_same_frames(lab.sessions[0], plain)


def test_the_start_of_a_context_is_0_and_play_does_not_move_it(shown: Show) -> None:
    lab, page = shown("context", "metric")
    assert lab.sessions[0].frame.start is not None
    assert page.status == "Press Play: the tasks find their places."


def test_what_only_one_reports_is_declared_and_the_other_lacks_it(pair: tuple[Session, ...]) -> None:
    told = help_packet(*pair)
    names = {reading.name for session in pair for reading in session.validation_set.readings if reading.shown}
    assert set(told["scores"]) == names
    assert "loss_before" in told["scores"]
    assert "Losses and mean distances do not compare" in told["reading"][0]
    left, right = picture_packet(pair)["runs"]
    assert "loss_before" not in left["readings"]
    assert "loss_before" in right["readings"]
    assert tasks_packet(pair[1])["pairs"] == pair[1].embedder.has_pairs
    assert tasks_packet(*pair)["pairs"]


def test_controls_are_those_of_the_active_run(shown: Show) -> None:
    _lab, page = shown()
    names = {control["name"] for control in page.view.controls}
    assert "margin" in names
    assert "inner_steps" not in names
    page.say("active", run=1)
    names = {control["name"] for control in page.view.controls}
    assert "inner_steps" in names
    assert "margin" not in names
    page.say("set", changes={"inner_steps": 4})
    assert page.control("inner_steps")["value"] == 4


def test_only_tasks_that_both_maps_can_show_are_offered(shown: Show) -> None:
    lab, page = shown("context", "parameters")
    offered = [option["value"] for option in page.control("family")["options"]]
    assert offered == [name for name in FAMILIES if name != "number_words"]
    page.say("set", changes={"family": "number_words"})
    assert f"family: got 'number_words', expected one of {', '.join(offered)}" in page.status
    assert not page.transport["wishes"]
    assert lab.sessions[0].setup.family == "gaussians"


# ---- what is set for both ----


def test_the_map_is_set_for_both_and_a_rate_for_one(shown: Show) -> None:
    lab, page = shown(projection="umap", n_neighbors=6)
    left, right = lab.sessions
    page.say("set", changes={"projection": "pca", "learning_rate": 0.01})
    assert [session.setup.projection for session in lab.sessions] == ["pca", "pca"]
    assert left.values()["learning_rate"] == 0.01
    assert right.values()["learning_rate"] != 0.01
    page.say("set", changes={"n_neighbors": 5})
    assert [session.setup.n_neighbors for session in lab.sessions] == [5, 5]


@pytest.mark.parametrize("active", [0, 1])
def test_other_tasks_are_of_both_whichever_is_active(shown: Show, active: int) -> None:
    lab, page = shown()
    page.say("step")
    page.say("active", run=active)
    page.say("set", changes={"family": "sinusoids", "frame_every": 2})
    assert page.transport["wishes"] == ["Tasks", "Steps between pictures"]
    page.say("active", run=1 - active)  # the wishes for the tasks are not lost
    assert page.transport["wishes"] == ["Tasks", "Steps between pictures"]
    page.say("reset")
    assert [session.setup.family for session in lab.sessions] == ["sinusoids", "sinusoids"]
    assert [session.setup.frame_every for session in lab.sessions] == [2, 2]
    assert same_tasks(lab.sessions[0].tasks, lab.sessions[1].tasks)
    assert page.view.tasks["family"] == "Sine waves"
    page.say("undo")
    assert [session.setup.family for session in lab.sessions] == ["gaussians", "gaussians"]
    assert [session.steps for session in lab.sessions] == [4, 4]


def test_wishes_of_one_run_are_not_those_of_the_other(shown: Show) -> None:
    _lab, page = shown()
    page.say("set", changes={"hidden": 16, "seed": 4})
    page.say("active", run=1)
    assert page.transport["wishes"] == ["Seed"]


def test_each_embedder_gets_the_defaults_of_its_own(shown: Show) -> None:
    lab, page = shown("parameters", "metric", family="sinusoids")
    assert lab.sessions[0].settings.stop_at == 0
    page.say("set", changes={"family": "gaussians"})
    page.say("reset")
    assert lab.sessions[0].settings.metric == "cosine"  # weights of classifiers are compared by angle
    assert lab.sessions[1].settings.metric == "euclidean"
    page.say("defaults")
    assert lab.sessions[0].settings.metric == "cosine"


def test_a_new_seed_is_of_both_and_neither_leaves(shown: Show) -> None:
    lab, page = shown()
    page.say("step")
    page.say("new seed")
    assert [session.setup.seed for session in lab.sessions] == [1, 1]
    page.say("keep", run=0)
    assert len(lab.sessions) == 2
    assert "stay side by side" in page.status
    page.say("branch")
    assert len(lab.sessions) == 2


def test_a_run_that_a_cell_has_reset_takes_the_other_one_along(shown: Show) -> None:
    lab, page = shown()
    page.say("step")
    lab.sessions[1].reset(seed=7)
    page.until(lambda: lab.sessions[0].setup.seed == 7)
    assert same_tasks(lab.sessions[0].tasks, lab.sessions[1].tasks)
    page.until(lambda: "both maps show the same tasks" in page.status)
    assert [run["step"] for run in page.picture["runs"]] == [0, 0]


def test_a_run_goes_back_to_tasks_that_the_other_one_can_show(shown: Show) -> None:
    lab, page = shown("context", "metric")
    lab.sessions[0].reset(family="number_words")
    page.until(lambda: lab.sessions[0].setup.family == "gaussians")
    assert same_tasks(lab.sessions[0].tasks, lab.sessions[1].tasks)


def test_the_code_opens_both_as_they_were_at_the_moment_shown(shown: Show) -> None:
    lab, page = shown()
    page.say("step")
    lab.sessions[1].set(inner_steps=4)
    page.say("step")
    page.say("code")
    told = page.told[-1]
    assert told["run"] == "Metric"
    assert 'right_settings={"inner_steps": 4, "hidden": 8}' in told["line"]
    page.say("look", step=0)
    page.say("code")
    assert "inner_steps" not in page.told[-1]["line"]


# ---- which neighbours differ ----


def test_the_other_map_can_be_compared_with(shown: Show) -> None:
    lab, page = shown()
    page.say("step")
    assert page.transport["metrics"][0] == {
        "value": OTHER_RUN,
        "label": "Context",
        "about": "the same tasks, the other map",
    }
    page.view.chosen = 3
    page.say("compare", metric=OTHER_RUN)
    left, right = (run["changes"] for run in page.picture["runs"])
    found = lab.changed_neighbours()
    assert (left["names"], right["names"]) == (["Metric", "Context"], ["Context", "Metric"])
    assert left["lost"] == right["gained"] == found.lost(3).tolist()
    assert left["gained"] == right["lost"] == found.gained(3).tolist()
    np.testing.assert_array_equal(np.frombuffer(left["counts"], np.uint8), found.counts)
    assert left["counts"] == right["counts"]
    assert left["share"] == pytest.approx(found.share, abs=1e-4)
    page.say("compare", metric="cosine")
    assert page.picture["runs"][0]["changes"]["metric"] == "cosine"
    page.say("compare", metric="")
    assert "changes" not in page.picture["runs"][0]


def test_a_branch_is_compared_with_its_origin_until_one_is_kept() -> None:
    one = Session("metric", **SMALL)
    one.step(4)
    packet = picture_packet([one, one.branch()], compare=OTHER_RUN)
    assert [run["changes"]["share"] for run in packet["runs"]] == [0, 0]
    assert packet["runs"][0]["changes"]["names"] == ["Run A", "Run B"]
    assert "changes" not in picture_packet([one], compare=OTHER_RUN)["runs"][0]


# ---- scorecards ----


def test_both_are_judged_by_the_worker_and_say_when(shown: Show) -> None:
    lab, page = shown()
    page.say("step")
    bars: list[dict[str, Any]] = []
    page.view.observe(lambda change: bars.append(change["new"]["progress"]), names="transport")
    page.say("judge")
    shown_bars = [bar for bar in bars if bar]
    assert shown_bars[0]["words"] == "Scorecards"
    assert {bar["button"] for bar in shown_bars} == {"Cancel"}
    told = page.view.scorecards
    assert told["names"] == ["Metric", "Context"]
    assert told["steps"] == [4, 4]
    assert "Both were judged at step 4" in page.status
    assert lab.judged is not None
    assert told["rows"][0]["values"] == [rounded(card.scores["recall@1"]) for card in lab.judged.cards]
    page.say("step")
    assert page.view.scorecards["steps"] == [4, 4]
    assert not page.view.scorecards.get("earlier")
    page.say("reset")
    assert page.view.scorecards["earlier"]
    page.say("judge")
    assert not page.view.scorecards.get("earlier")
    json.dumps(page.view.scorecards, allow_nan=False)


def test_a_cell_judges_and_the_page_shows_it(shown: Show) -> None:
    lab, page = shown()
    lab.scorecards(**QUICK)
    page.until(lambda: bool(page.view.scorecards))
    assert page.view.scorecards["about"] == f"20 tasks never seen ({lab.sessions[0].split.unseen.label})"


def test_who_cancels_has_no_scorecards_and_can_go_on(shown: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, page = shown()
    page.say("cancel")  # nothing runs: nothing happens
    began, goes_on = threading.Event(), threading.Event()
    judge = Judging._check

    def check(self: Judging) -> None:
        began.set()
        assert goes_on.wait(60)
        judge(self)

    monkeypatch.setattr(Judging, "_check", check)
    page.hear({"do": "judge"})
    assert began.wait(60)
    page.hear({"do": "cancel"})
    goes_on.set()
    assert lab.panel.player.wait(60)
    assert "Cancelled: no scorecards were made." in page.statuses
    assert page.view.scorecards == {}
    page.say("step")
    assert page.steps() == [4, 4]
    page.say("judge")
    assert page.view.scorecards["steps"] == [4, 4]


def test_one_run_alone_is_not_judged() -> None:
    session = Session("metric", **SMALL)
    panel = panel_module.SessionPanel(session, "A lab", ())
    try:
        Page(panel).say("judge")
        assert "judge: got one embedder, expected two side by side" in panel.view.transport["status"]
    finally:
        panel.player.stop()
        widgets.Widget.close_all()


def test_the_packet_marks_what_is_better_and_lacks_what_is_unknown(pair: tuple[Session, ...]) -> None:
    judged = scorecards(pair, **QUICK)
    packet = scorecards_packet(judged, pair)
    by_name = {row["name"]: row for row in packet["rows"]}
    for name, row in by_name.items():
        one, other = row["values"]
        smaller = name in ("ms", "numbers")
        if row["better"] is not None:
            assert (row["values"][row["better"]] == min(one, other)) == smaller
    assert all(row["help"].endswith(".") for row in packet["rows"])
    transfer = packet["transfer"]
    assert transfer["starts"] == ["Metric", "Context", "Random start"]
    assert [measure["name"] for measure in transfer["measures"]] == ["loss", "accuracy", "macro-F1"]
    for measure in transfer["measures"]:
        for low, mean, high in zip(measure["low"], measure["means"], measure["high"], strict=True):
            assert all(a <= b <= c for a, b, c in zip(low, mean, high, strict=True))
    without = scorecards_packet(scorecards(pair, n_tasks=10, transfer_to=0), pair)
    assert without["transfer"] is None
    with pytest.raises(ValueError, match="judged: got 2 cards"):
        scorecards_packet(judged, pair[:1])


# ---- files ----


def document_of(path: Path) -> dict[str, Any]:
    found = re.search(r'id="te-recorded">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    document: dict[str, Any] = json.loads(found[1])
    return document


def test_files_of_both(shown: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _lab, page = shown()
    page.say("step")
    page.say("export", what="html")
    page.say("judge")
    for what in ("html", "png", "csv", "json"):
        page.say("export", what=what)
    names = sorted(path.name for path in tmp_path.iterdir())
    both = "metric-and-context-gaussians-step-4"
    assert f"{both}.png" in names
    assert "metric-gaussians-step-4.csv" in names
    assert "metric-gaussians-step-4.json" in names
    first, second = (
        document_of(path) for path in sorted(tmp_path.glob(f"{both}*.html"), key=lambda p: p.stat().st_mtime)
    )
    assert "scorecards" not in first
    assert second["scorecards"]["names"] == ["Metric", "Context"]
    assert [run["name"] for run in second["runs"]] == ["Metric", "Context"]
    assert second["exported"]["from"] == "metric and context"
    assert "loss_before" in second["help"]["scores"]


def test_a_saved_notebook_shows_both_maps(pair: tuple[Session, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[str] = []
    drawn: list[list[str]] = []

    def publish(data: dict[str, str], _display_id: str, update: bool) -> bool:
        published.append(data.get("text/html", ""))
        return True

    def figure(sessions: tuple[Session, ...], **options: Any) -> Any:
        made = side_by_side_figure(sessions, **options)
        drawn.append([axes.get_title() for axes in made.axes[:2]])
        return made

    monkeypatch.setattr(still_module, "_publish", publish)
    monkeypatch.setattr("taskembed_edu.figures.side_by_side.side_by_side_figure", figure)
    still = still_module.Still()
    still.place()
    frames = [(session, session.history[1]) for session in pair]
    still.draw(*frames[0], "words", None, frames)
    assert still._drawing is not None
    still._drawing.join()
    assert drawn == [["Metric: step 4 (PCA)", "Context: step 4 (PCA)"]]
    assert "data:image/png" in published[-1]


def test_the_recordings_of_both_run_again_in_a_fresh_lab(shown: Show) -> None:
    lab, page = shown()
    page.say("step")
    page.say("set", changes={"margin": 2.0})
    page.say("active", run=1)
    page.say("set", changes={"inner_steps": 3})
    page.say("step")
    again = EvaluationLab("metric", "context", **SMALL)
    again.replay(*(session.recording() for session in lab.sessions))
    for mine, theirs in zip(again.sessions, lab.sessions, strict=True):
        np.testing.assert_array_equal(mine.frame.layout, theirs.frame.layout)
        assert mine.values() == theirs.values()
