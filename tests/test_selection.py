"""What the kernel says of a lasso's tasks: distances by plain loops, and a table of them alone."""

from __future__ import annotations

import csv
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.live import panel as panel_module
from taskembed_edu.live.packets import picture_packet, tasks_packet
from taskembed_edu.live.panel import SessionPanel
from taskembed_edu.live.selection import selection_packet
from taskembed_edu.live.tables import frame_table
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import OwnTasks
from tests.runs import small_session
from tests.test_panel import Page


@pytest.fixture(scope="module", params=["euclidean", "cosine"])
def session(request: pytest.FixtureRequest) -> Session:
    session = small_session(metric=request.param)
    session.step(8)
    return session


def mean_by_loops(apart: torch.Tensor, tasks: list[int]) -> float:
    pairs = [float(apart[one, other]) for one, other in itertools.combinations(tasks, 2)]
    return sum(pairs) / len(pairs)


@pytest.mark.parametrize("selected", [[2, 7], [0, 3, 4, 9], list(range(12))])
def test_the_mean_distances_are_those_of_plain_loops(session: Session, selected: list[int]) -> None:
    assert session.geometry is not None
    apart = pairwise_distances(torch.tensor(session.frame.embedding), metric=session.frame.metric)
    truth, every = session.geometry.true_distance, list(range(12))
    told = selection_packet(session, session.frame, selected)
    assert told is not None
    assert told["n"] == len(selected)
    for name, distances, tasks in (
        ("apart", apart, selected),
        ("apart_all", apart, every),
        ("truth", truth, selected),
        ("truth_all", truth, every),
    ):
        assert told[name] == pytest.approx(mean_by_loops(distances, tasks), rel=1e-3), name
    assert told["apart_all"] == pytest.approx(session.frame.diagnostics["mean_distance"], rel=1e-3)


def test_one_task_has_no_pair_and_none_is_no_selection(session: Session) -> None:
    told = selection_packet(session, session.frame, [5])
    assert told is not None
    assert (told["n"], told["apart"], told["truth"]) == (1, None, None)
    assert told["apart_all"] is not None
    assert selection_packet(session, session.frame, []) is None
    assert selection_packet(session, session.frame, [12, 99]) is None, "tasks of an earlier, larger set"


def test_diverged_tasks_do_not_count(session: Session) -> None:
    embedding = session.frame.embedding.copy()
    embedding[3] = np.nan
    lost = dataclasses.replace(session.frame, embedding=embedding, diverged_tasks=(3,))
    told, without = selection_packet(session, lost, [1, 2, 3]), selection_packet(session, session.frame, [1, 2])
    assert told is not None
    assert without is not None
    assert (told["n"], told["apart"], told["truth"]) == (3, without["apart"], without["truth"])


def test_tasks_without_a_true_distance_have_none() -> None:
    rng = np.random.default_rng(0)
    own = OwnTasks(rng.normal(size=(30, 8, 2)).astype(np.float32), rng.normal(size=(30, 8, 1)).astype(np.float32))
    session = Session("metric", family=own, n_tasks=6, projection="pca", hidden=8, batch=4, device="cpu")
    told = selection_packet(session, session.frame, [0, 1])
    assert told is not None
    assert told.keys() == {"n", "apart", "apart_all"}


def test_a_picture_says_it_only_of_a_selection(session: Session) -> None:
    (run,) = picture_packet([session], selected=[1, 2, 5])["runs"]
    assert run.pop("selection") == selection_packet(session, session.frame, [1, 2, 5])
    assert picture_packet([session])["runs"] == [run]


def test_the_page_has_the_true_values_of_quantities_and_angles() -> None:
    for family in ("sinusoids", "gaussians"):
        session = small_session(family=family)
        kinds = session.split.validation.truth_kinds
        for column, (told, kind) in enumerate(zip(tasks_packet(session)["colours"], kinds, strict=False)):
            assert ("values" in told) == (kind != "category")
            if kind != "category":
                values = np.frombuffer(told["values"], "<f4")
                np.testing.assert_array_equal(values, session.tasks.truth[:, column].numpy())
                assert told["angle"] == (kind == "angle")


# ---- on the panel --------------------------------------------------------------------------------------------------


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Page]:
    monkeypatch.setattr(panel_module, "precompile_in_background", lambda *told: None)
    monkeypatch.chdir(tmp_path)
    session = small_session()
    session.step(8)
    panel = SessionPanel(session, "A lab", ("loss", "margin"))
    yield Page(panel)
    panel.player.stop()


def test_a_lasso_is_answered_with_the_next_picture_and_in_the_past_too(page: Page) -> None:
    (session,) = page.panel.sessions
    page.acknowledge()
    page.view.selected = [0, 1, 2]
    page.acknowledge()
    assert page.picture["runs"][0]["selection"] == selection_packet(session, session.frame, [0, 1, 2])
    page.say("look", step=4)
    assert page.picture["runs"][0]["selection"] == selection_packet(session, session.history[1], [0, 1, 2])
    page.view.selected = []
    page.acknowledge()
    assert "selection" not in page.picture["runs"][0]


def test_two_runs_answer_for_themselves(page: Page) -> None:
    page.say("branch", step=4)
    page.say("set", changes={"learning_rate": 0.01})
    page.say("step")
    page.view.selected = [0, 1, 2]
    page.acknowledge()
    one, other = (run["selection"] for run in page.picture["runs"])
    assert one["truth"] == other["truth"]
    assert one["apart"] != other["apart"]


def test_the_selected_tasks_are_a_table_of_their_own(page: Page, tmp_path: Path) -> None:
    (session,) = page.panel.sessions
    page.view.selected = [7, 2]
    page.say("look", step=4)
    page.say("export", what="csv", selected=True)
    told = page.told[-1]
    assert told["tell"] == "saved"
    path = tmp_path / "metric-gaussians-step-4-selected.csv"
    assert str(path.name) in told["text"]
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["task"] for row in rows] == ["7", "2"]
    assert {row["step"] for row in rows} == {"4"}
    assert float(rows[0]["e1"]) == session.history[1].embedding[7, 1]
    assert float(rows[1]["map_x"]) == session.history[1].layout[2, 0]
    assert rows[0]["name"] == session.tasks.names[7]
    page.say("export", what="csv", selected=True)
    assert (tmp_path / told["path"]).read_bytes() == path.read_bytes(), "a second table stands beside the first"
    assert len(list(tmp_path.glob("*selected*.csv"))) == 2


def test_a_table_of_no_task_is_refused_with_the_cause(page: Page, tmp_path: Path) -> None:
    page.say("export", what="csv", selected=True)
    assert page.status == "selected: got no task, expected one task or more. Draw round some with the lasso."
    assert not list(tmp_path.glob("*.csv"))


def test_a_reset_to_fewer_tasks_before_the_table_is_written_is_said(page: Page, tmp_path: Path) -> None:
    page.view.selected = [2, 11]
    with page.panel.player.session.lock("read"):  # the worker comes to neither before both are asked for
        page.panel.player.reset(n_tasks=8)
        page.panel._on_message(None, {"do": "export", "what": "csv", "selected": True}, [])
    assert page.panel.player.wait()
    assert page.panel.player.failure is None
    told = page.told[-1]
    assert told["tell"] == "saved"
    with (tmp_path / told["path"]).open(encoding="utf-8", newline="") as file:
        assert [row["task"] for row in csv.DictReader(file)] == ["2"]


def test_a_table_has_the_tasks_in_the_order_that_was_asked(session: Session) -> None:
    whole, some = frame_table(session, session.frame), frame_table(session, session.frame, only=[9, 1])
    assert list(some.columns) == list(whole.columns)
    for name, values in some.columns.items():
        assert values.tolist() == whole.columns[name][[9, 1]].tolist(), name


def test_categories_without_an_entry_of_their_own_are_said_by_name() -> None:
    session = Session("parameters", family="number_words", n_tasks=42, hidden=4, batch=8, projection="pca")
    told = {colour["name"]: colour for colour in tasks_packet(session)["colours"]}
    assert "labels" not in told["branch"], "the legend has all of them"
    names = session.split.validation.category_names("language")
    column = session.tasks.truth_names.index("language")
    assert told["language"]["labels"] == [names[int(k)] for k in session.tasks.truth[:, column]]
