"""The loss over the start of a run: what the page gets of it, when, what a file keeps, and the lab without a screen."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import numpy as np
import pytest

from taskembed_edu import AdaptationLab
from taskembed_edu.figures.snapshots import session_figure
from taskembed_edu.figures.surface import surface_figure
from taskembed_edu.live.export import exported, unpacked
from taskembed_edu.live.packets import picture_packet
from taskembed_edu.live.surface import BOX, compare_methods, plane_packet, recorded_surfaces, surface_packet
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session
from taskembed_edu.session.surface import STEPS, surface_of, ways_of, ways_steps
from tests.runs import small_session


def wave(**settings: Any) -> Session:
    own = {"n_tasks": 12, "projection": "pca", "learner": "wave", "inner_lr": 0.1, "frame_every": 2, "n_shot": 5}
    return Session("adapted", "sinusoids", **{**own, "learning_rate": 0.05, **settings})


@pytest.fixture(scope="module")
def run() -> Session:
    session = wave()
    session.step(20)
    return session


def places(packed: bytes) -> np.ndarray:
    low, high = np.array(BOX[:2]), np.array(BOX[2:])
    return low + np.frombuffer(packed, "<u2").reshape(-1, 2) / 65535 * (high - low)


def start_of(frame: Frame) -> np.ndarray:
    assert frame.start is not None
    return frame.start


def levels(packet: dict[str, Any]) -> np.ndarray:
    shape = (len(packet["steps"]), packet["n"], packet["n"])
    return np.frombuffer(packet["losses"], "<u2").reshape(shape)


def test_the_page_gets_every_surface_to_a_thousandth_of_its_height(run: Session) -> None:
    packet, surface = surface_packet(run, run.settings), surface_of(run, run.settings)
    assert surface is not None
    assert tuple(packet["steps"]) == surface.steps == STEPS
    assert packet["own"] == 1
    known = levels(packet) < 65535
    losses = levels(packet) / 65534 * packet["high"]
    np.testing.assert_allclose(losses[known], surface.losses[known], atol=packet["high"] * 1e-3)
    assert (surface.losses[~known] > packet["high"] * 0.999).all()
    assert known[0].all()
    assert packet["scale"][0] == pytest.approx(surface.losses.min())


def test_it_is_computed_once_for_the_same_settings_and_tasks(run: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    before = surface_packet(run, run.settings)
    monkeypatch.setattr("taskembed_edu.live.surface.surface_of", lambda *_: pytest.fail("computed again"))
    assert surface_packet(run, run.settings) == before
    monkeypatch.undo()
    branch = run.branch()
    branch.set(inner_lr=0.3)
    other = surface_packet(branch, branch.settings)
    assert other["losses"] != before["losses"]
    branch.set(method="anil")
    assert surface_packet(branch, branch.settings)["losses"] != other["losses"]
    branch.set(inner_steps=7)
    assert 7 in surface_packet(branch, branch.settings)["steps"]
    branch.reset(seed=5)
    assert surface_packet(branch, branch.settings)["optima"] != other["optima"]


def test_optima_are_the_tasks_truth_and_the_start_and_the_ends_are_the_frames(run: Session) -> None:
    optima = places(surface_packet(run, run.settings)["optima"])
    np.testing.assert_allclose(optima, run.tasks.truth.numpy()[:, ::-1], atol=2e-3)
    plane = plane_packet(run, run.frame)["plane"]
    np.testing.assert_allclose(places(plane["ends"]), run.frame.embedding, atol=2e-3)
    way = places(plane["way"])
    assert len(way) == plane["n"] == len(run.history)
    for place, frame in zip(way, run.history, strict=True):
        np.testing.assert_allclose(place, start_of(frame), atol=2e-3)
    assert picture_packet([run])["runs"][0]["plane"] == plane


def test_a_learner_of_more_numbers_has_no_plane() -> None:
    session = Session("adapted", "sinusoids", n_tasks=8, projection="pca", hidden=8)
    assert surface_packet(session, session.settings) == {}
    assert "plane" not in picture_packet([session])["runs"][0]
    assert not compare_methods(session)
    assert surface_packet(small_session(), small_session().settings) == {}
    with pytest.raises(ValueError, match="two parameters"):
        surface_figure(session)


def test_the_ways_begin_at_the_first_start_and_are_kept_until_it_changes() -> None:
    session = wave(learning_rate=0.1)
    session.step(10)
    assert ways_steps(session) == 200
    assert compare_methods(session)
    packet = surface_packet(session, session.settings)
    assert [way["label"] for way in packet["ways"]] == ["MAML", "First-order MAML", "Reptile"]
    for way in packet["ways"]:
        np.testing.assert_allclose(places(way["points"])[0], start_of(session.history[0]), atol=2e-3)
    session.step(4)
    session.set(inner_lr=0.2)
    assert surface_packet(session, session.settings)["ways"] == packet["ways"]
    session.reset(start_amplitude=2.0, start_phase=1.0)
    assert "ways" not in surface_packet(session, session.settings)
    assert start_of(session.history[0]).tolist() == [1.0, 2.0]
    session.undo_reset()
    assert "ways" in surface_packet(session, session.settings)


def test_ways_change_nothing_of_the_run_and_come_again(run: Session) -> None:
    before = run.recording()
    one, other = ways_of(run, 6), ways_of(run, 6)
    assert one is not None
    assert other is not None
    assert all((one[name] == other[name]).all() for name in one)
    assert run.recording() == before
    assert [len(way) for way in one.values()] == [7, 7, 7]


def test_a_file_has_the_surface_of_each_setting_once() -> None:
    session = wave()
    session.step(6)
    session.set(inner_lr=0.2)
    session.step(6)
    session.set(inner_lr=0.1)
    session.step(4)
    surfaces, at = recorded_surfaces(session, list(session.history))
    rates = [surfaces[k]["inner_lr"] for k in at]
    assert rates == [session.values_at(frame)["inner_lr"] for frame in session.history]
    text = re.search(r'id="te-recorded">(.*?)</script>', exported([session]).decode(), re.DOTALL)
    assert text is not None
    plane = json.loads(text[1])["runs"][0]["plane"]
    assert plane["at"] == at
    ends = np.frombuffer(unpacked(plane["ends"]), "<u2").reshape(len(at), -1)
    whole = np.cumsum(ends, axis=0, dtype=np.uint16)
    for frame, row in zip(session.history, whole, strict=True):
        np.testing.assert_allclose(places(row.tobytes()), frame.embedding, atol=2e-3)


def test_a_slider_that_ran_through_many_settings_leaves_a_dozen_surfaces() -> None:
    session = wave()
    for k in range(20):
        session.set(inner_lr=0.01 * (k + 1))
        session.step(2)
    surfaces, at = recorded_surfaces(session, list(session.history))
    assert len(surfaces) == 12
    assert at[0] == 0
    assert at[-1] == 11
    assert all(one <= other for one, other in itertools.pairwise(at))


def test_the_panel_sends_the_surface_of_the_step_looked_at_and_the_ways_when_asked() -> None:
    lab = AdaptationLab(learner="wave", n_tasks=10)
    panel = lab.panel
    try:
        lab.session.step(20)
        lab.session.set(inner_lr=0.2)
        assert panel.player.wait()
        assert panel.view.surface["inner_lr"] == 0.2
        panel._on_message(None, {"do": "look", "step": 10}, None)
        assert panel.player.wait()
        assert panel.view.surface["inner_lr"] == 0.1
        panel._on_message(None, {"do": "look", "step": None}, None)
        panel._on_message(None, {"do": "compare methods"}, None)
        assert panel.player.wait()
        assert len(panel.view.surface["ways"]) == 3
        panel._on_message(None, {"do": "set", "changes": {"start_phase": 1.0, "start_amplitude": 2.0}}, None)
        panel._on_message(None, {"do": "reset"}, None)
        assert panel.player.wait()
        assert start_of(lab.session.frame).tolist() == [1.0, 2.0]
        assert "ways" not in panel.view.surface
        assert start_of(lab.session.replay(lab.session.recording()).history[0]).tolist() == [1.0, 2.0]
        assert panel.player.failure is None
    finally:
        panel.stop()


def test_the_lab_without_a_screen() -> None:
    lab = AdaptationLab(learner="wave", n_tasks=10)
    assert (lab.session.settings.inner_lr, lab.session.settings.inner_steps) == (0.1, 1)
    surface = lab.surface(3)
    assert surface.steps == (3,)
    assert surface.best(3)[2] <= surface.at(1.0, 2.0, 3)
    assert lab.surface([0, 2]).steps == (0, 2)
    ways = lab.ways(5)
    assert {name: way.shape for name, way in ways.items()} == dict.fromkeys(("maml", "first_order", "reptile"), (6, 2))
    assert lab.session.steps == 0
    with pytest.raises(ValueError, match="two numbers"):
        AdaptationLab(n_tasks=10, hidden=8).surface()


def test_the_pictures_have_the_surface_beside_the_map(run: Session) -> None:
    titles = [axes.get_title() for axes in session_figure(run).axes]
    assert "The loss over the start, after 1 inner step" in titles
    ways = ways_of(run, 5)
    axes = surface_figure(run, steps=0, ways=ways).axes[0]
    assert axes.get_title() == "The loss over the start, before any inner loop"
    assert {text.get_text() for text in axes.texts} == {"MAML", "First-order MAML", "Reptile", "start"}
    assert not any("loss over" in axes.get_title() for axes in session_figure(small_session()).axes)


def test_numbers_of_inner_steps_come_as_numpy_has_them_too() -> None:
    lab = AdaptationLab(learner="wave", n_tasks=6)
    assert lab.surface(np.int64(3)).steps == (3,)  # type: ignore[arg-type]
    assert lab.surface(np.array([1, 2])).steps == (1, 2)
    with pytest.raises(TypeError, match=r"inner_steps: got 2\.5"):
        lab.surface(2.5)  # type: ignore[arg-type]


def test_a_run_that_learns_no_start_has_no_ways() -> None:
    assert ways_of(small_session(), 3) is None
