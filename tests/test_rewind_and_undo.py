"""Back in time and sideways: rewind, undo, another map, another distance, and families of one's own."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.evaluation import registry
from taskembed_edu.evaluation.geometry import all_distances
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.projection.live_umap import LiveUMAP
from taskembed_edu.projection.quality import jitter
from taskembed_edu.session import history as history_module
from taskembed_edu.session.history import Event
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Gaussians
from tests.runs import SMALL, as_json, assert_same_frames, eventful, small_session

# ---- back, and back again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 1, 3, 5, -1])
def test_a_rewind_is_the_run_up_to_there_and_keeps_what_came_after(at: int) -> None:
    session = eventful()
    session.step(3)
    twin, whole = session.branch(at), session.recording()
    frame = session.rewind(at)
    assert frame is session.history[-1]
    assert session.past == [whole]
    assert_same_frames(session, twin)
    assert session.events == twin.events
    session.step(9)
    twin.step(9)
    assert_same_frames(session, twin)
    assert_same_frames(Session.replay(as_json(session.recording())), session)


def test_a_rewind_to_where_one_is_is_nothing() -> None:
    session = small_session()
    session.step(8)
    now = session._now
    assert session.rewind() is session.frame
    assert session._now is now
    assert session.past == []
    session.set(margin=3.0)
    session.rewind()
    assert session.settings.margin == 1.0
    assert [event["step"] for event in session.past[0]["events"]] == [8]
    with pytest.raises(IndexError, match="at: got 3"):
        session.rewind(3)


@pytest.mark.parametrize("fails_at", [7, 8])
def test_a_recording_of_a_run_that_failed_replays_what_could_be_made(
    fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, step = small_session(), Session("metric", **SMALL).embedder.step

    def diverging(state: Any, settings: Any) -> Any:
        state, record = step(state, settings)
        loss = torch.full_like(record.loss, math.nan) if state.step == fails_at else record.loss
        return state, dataclasses.replace(record, loss=loss)

    monkeypatch.setattr(session.embedder, "step", diverging)
    with pytest.raises(FloatingPointError, match="at step 8"):
        session.step(8)
    assert (session.steps, session.recording()["steps"]) == (8, 7)
    again = Session.replay(as_json(session.recording()))
    assert [frame.step for frame in again.history] == [0, 4]


def test_settings_moved_after_a_failure_are_not_part_of_what_can_be_made_again() -> None:
    session = small_session()
    session.step(8)
    with torch.no_grad():
        for weights in session._now.state.encoder.parameters():
            weights.fill_(math.nan)
    session._now.state.step = 12  # a step whose frame could not be kept
    session.set(margin=3.0)
    assert session.recording()["events"] == []


@pytest.mark.parametrize("after", [8, 9])  # the first step after a frame, and a later one
@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_an_error_in_the_middle_of_a_step_leaves_a_run_that_can_be_replayed(
    error: type[BaseException], after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = small_session()
    session.step(8)
    step = session.embedder.step

    def inconsistent(state: Any, settings: Any) -> Any:
        if state.step == after:
            torch.rand(5, generator=state.rng)  # half a step: the draws are made, the step is not counted
            raise error("in the middle")
        return step(state, settings)

    with monkeypatch.context() as patch:
        patch.setattr(session.embedder, "step", inconsistent)
        with pytest.raises(error):
            session.step(4)
    assert session.steps == 8
    session.step(8)
    assert_same_frames(Session.replay(as_json(session.recording())), session)


def test_a_branch_of_a_run_that_diverged_is_that_of_its_last_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    session, plain = small_session(), small_session()
    session.step(8)
    plain.step(16)

    def diverging(state: Any, _settings: Any) -> Any:
        torch.rand(5, generator=state.rng)
        raise FloatingPointError("embedding: got NaN")

    with monkeypatch.context() as patch:
        patch.setattr(session.embedder, "step", diverging)
        with pytest.raises(FloatingPointError):
            session.step()
    twin = session.branch()
    twin.step(8)
    assert_same_frames(twin, plain)


def test_a_branch_of_now_repeats_nothing_however_few_checkpoints_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "CHECKPOINT_BYTES", 1)
    session = small_session()
    session.step(20)
    with monkeypatch.context() as patch:
        patch.setattr(session.embedder, "step", lambda *_: pytest.fail("a step was repeated"))
        twin = session.branch()
    for each in (session, twin):
        each.step(8)
    assert_same_frames(session, twin)
    assert session.frame is not twin.frame
    middle = twin.branch(at=2)
    middle.step(20)
    assert_same_frames(middle, twin)


def test_one_click_back_after_a_step_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    session, plain = small_session(), small_session()
    session.step(8)
    plain.step(8)
    session.step(1)
    with torch.no_grad():
        next(session._now.state.encoder.rho.parameters()).fill_(torch.nan)
    session.set(margin=2.0)
    with pytest.raises(FloatingPointError):
        session.step(8)
    frame = session.rewind()
    assert (frame.step, session.steps) == (8, 8)
    session.step(8)
    plain.step(8)
    assert_same_frames(session, plain)
    assert session.past[0]["steps"] >= 9


def test_an_interrupted_rewind_leaves_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "CHECKPOINT_BYTES", 1)
    session = small_session()
    session.step(8)
    before = session.recording()

    def interrupted(*given: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(session.embedder, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.rewind(1)
    monkeypatch.undo()
    assert session.recording() == before
    assert session.past == []
    assert session.steps == 8


def test_undo_walks_back_through_the_changes_of_training() -> None:
    session = small_session()
    assert (session.undoable(), session.undo()) == ({}, {})
    session.set(margin=5.0)
    session.step(9)
    session.set(metric="cosine")
    session.step(9)
    session.set(projection="umap")
    assert session.undoable() == {"metric": "euclidean", "margin": 5.0}
    assert session.undo() == {"metric": "euclidean", "margin": 5.0}
    assert session.setup.projection == "umap"
    assert session.undo() == {"margin": 1.0}
    assert session.undo() == {}
    assert session.events[-1] == Event(18, {"margin": 1.0}, undo=True)
    session.set(margin=2.0)
    assert session.undoable() == {"margin": 1.0}


def test_one_drag_is_one_step_of_undo() -> None:
    session = small_session()
    for margin in (1.1, 1.2, 1.3):
        session.set(margin=margin)
        session.step(1)
    session.step(8)
    session.set(margin=3.0)
    assert session.undo() == {"margin": 1.3}
    assert session.undo() == {"margin": 1.0}
    session.set(margin=2.0)
    session.set(batch=8)
    session.undo()
    session.set(margin=4.0)  # after an undo a change stands alone, however near
    assert session.undo() == {"margin": 2.0}
    assert session.undo() == {"margin": 1.0}
    session.set(margin=2.0)
    session.set(margin=1.0)
    assert session.undoable() == {}  # back where it began: nothing was changed


def test_what_can_be_undone_is_the_same_after_a_replay_and_in_a_branch() -> None:
    session = eventful()
    session.undo()
    session.step(4)
    session.undo()
    session.step(2)
    for other in (Session.replay(as_json(session.recording())), session.branch()):
        assert other.undoable() == session.undoable() != {}
    assert_same_frames(Session.replay(as_json(session.recording())), session)
    assert [event.get("undo") for event in session.recording()["events"]][-2:] == [True, True]


def test_a_change_that_fails_half_way_has_not_been_made(monkeypatch: pytest.MonkeyPatch) -> None:
    session, plain = small_session(n_tasks=30, projection="umap"), small_session(n_tasks=30, projection="umap")
    session.step(4)

    def interrupted(*given: object, **named: object) -> object:
        raise KeyboardInterrupt

    for change in ({"metric": "cosine"}, {"umap_restarts": 1}):
        monkeypatch.setattr(registry, "map_trust", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.set(**change)
        monkeypatch.undo()
        assert session.events == []
        assert (session.settings.metric, session.setup.umap_restarts) == ("euclidean", 0)
    session.step(4)
    plain.step(8)
    assert_same_frames(session, plain)


# ---- the map -------------------------------------------------------------------------------------------------------


def test_embedded_again_the_map_is_another_and_the_vectors_are_the_same() -> None:
    session = small_session(n_tasks=30, projection="umap")
    session.step(8)
    before, drawn = session.frame, session._now.umap.count
    after = session.embed_again()
    assert after is session.frame
    vectors = torch.tensor(before.embedding)
    umap = LiveUMAP(session.setup.n_neighbors, seed=0, count=drawn)
    fresh = umap.update(vectors, distances=all_distances(vectors, before.metric))
    np.testing.assert_array_equal(after.layout, fresh)
    np.testing.assert_array_equal(after.embedding, before.embedding)
    assert np.abs(after.layout - before.layout).max() > 0.1
    assert np.isnan(after.diagnostics["jitter"])
    assert session.events == [Event(8, {"umap_restarts": 1})]
    session.step(2)
    session.embed_again()  # between two frames: the next is the first of the new map
    assert session.frame is after
    session.step(6)
    assert [np.isnan(frame.diagnostics["jitter"]) for frame in session.history] == [True, False, True, True, False]
    assert_same_frames(Session.replay(as_json(session.recording())), session)


def test_pca_has_nothing_to_embed_again() -> None:
    session = small_session()
    session.step(4)
    before = session.frame
    assert session.embed_again() is before
    assert session.events == []
    assert session.undoable() == {}


def test_jitter_is_told_of_one_map_only() -> None:
    session = small_session(n_tasks=30)
    session.step(8)
    session.set(projection="umap")
    session.step(8)
    told = [not np.isnan(frame.diagnostics["jitter"]) for frame in session.history]
    assert told == [False, True, False, True, True]
    frames = session.history
    assert frames[3].diagnostics["jitter"] == jitter(frames[3].layout, frames[2].layout)


def test_active_pairs_are_the_mean_since_the_frame_before(monkeypatch: pytest.MonkeyPatch) -> None:
    session, shares = small_session(), []
    step = session.embedder.step

    def noted(state: Any, settings: Any) -> Any:
        state, record = step(state, settings)
        shares.append(float(record.readings["active_pairs"]))
        return state, record

    monkeypatch.setattr(session.embedder, "step", noted)
    session.step(4)
    session.step(2)
    session.set(loss="info_nce")
    session.step(6)
    active = [frame.diagnostics["active_pairs"] for frame in session.history]
    assert active[1] == pytest.approx(np.mean(shares[:4]))
    assert active[2] == pytest.approx(np.mean(shares[4:6]))  # of the steps that had a margin
    assert np.isnan([active[0], active[3], *shares[6:]]).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_nearest_of_a_task(metric: str) -> None:
    session = small_session(metric=metric)
    session.step(4)
    frame = session.frame
    distances = pairwise_distances(torch.tensor(frame.embedding), metric=metric)
    truth = session.split.validation.true_distance(session.tasks)
    for task in (0, 7):
        near, true = session.nearest(frame, task, k=4)
        for found, matrix in ((near, distances), (true, truth)):
            assert task not in found
            assert found.tolist() == [i for i in matrix[task].argsort().tolist() if i != task][:4]
    with pytest.raises(ValueError, match="task: got 12, expected a number from 0 to 11"):
        session.nearest(frame, 12)
    with pytest.raises(ValueError, match="k: got 12, expected a number from 1 to 11"):
        session.nearest(frame, 0, k=12)


def test_what_another_distance_would_change() -> None:
    session = small_session(dim=4)
    session.step(4)
    frame = session.frame
    assert session.neighbour_changes(frame, "euclidean").share == 0.0
    assert session.neighbour_changes(frame, "squared_euclidean").share == 0.0
    changes = session.neighbour_changes(frame, "cosine", k=3)
    assert 0 < changes.share < 1
    task = int(changes.counts.argmax())
    near = [
        pairwise_distances(torch.tensor(frame.embedding), metric=metric)[task].argsort()[1:4].tolist()
        for metric in ("euclidean", "cosine")
    ]
    assert changes.lost(task).tolist() == [i for i in near[0] if i not in near[1]]
    assert changes.gained(task).tolist() == [i for i in near[1] if i not in near[0]]
    with pytest.raises(ValueError, match="metric: got 'cosin'"):
        session.neighbour_changes(frame, "cosin")
    with pytest.raises(ValueError, match="k: got 12"):
        session.neighbour_changes(frame, "cosine", k=12)


# ---- what may be given ---------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Own(Gaussians):
    name = "own"


def test_a_family_of_ones_own() -> None:
    values = {**SMALL, "family": Own(box=2.0)}
    session = Session("metric", **values)
    session.step(4)
    assert session.setup.family == "own"
    recording = as_json(session.recording())
    with pytest.raises(ValueError, match=r"recording: got tasks 'own'.*Session.replay\(recording, family="):
        Session.replay(recording)
    assert_same_frames(Session.replay(recording, family=Own(box=2.0)), session)
    session.reset(family="gaussians")
    session.reset(family="own")
    assert session.family == Own(box=2.0)
    session.reset(family=Gaussians(dim=3))
    assert session.tasks.support_x.shape[-1] == 3
    with pytest.raises(ValueError, match=r"family: got 'owm'.*Did you mean 'own'"):
        session.reset(family="owm")
    with pytest.raises(ValueError, match=r"family: got 'sinusoid'.*Did you mean 'sinusoids'"):
        Session("metric", family="sinusoid")


def test_numbers_may_come_from_numpy() -> None:
    session = small_session(margin=np.float32(0.5), batch=np.int64(4), seed=np.uint8(3))
    session.step(np.int64(2))  # type: ignore[arg-type]
    session.set(margin=np.float64(0.25))
    kinds = {type(value) for value in session.values().values()}
    assert kinds == {int, float, str}
    assert session.steps == 2
    json.dumps(session.recording(), allow_nan=False)
    with pytest.raises(TypeError, match=r"n: got 1.5, expected a whole number"):
        session.step(1.5)  # type: ignore[arg-type]
    assert session.steps == 2


# ---- one run, exchanged as a whole ---------------------------------------------------------------------------------


def test_reset_its_undo_and_rewind_each_exchange_the_run_by_one_assignment() -> None:
    assigned: list[str] = []

    class Noted(Session):
        def __setattr__(self, name: str, value: object) -> None:
            assigned.append(name)
            super().__setattr__(name, value)

    session = Noted("metric", **SMALL)
    acts: list[tuple[Callable[[], object], list[str]]] = [
        (lambda: session.step(8), []),
        (lambda: session.set(margin=2.0), ["user_set"]),
        (lambda: session.rewind(1), ["_run"]),
        (session.reset, ["user_set", "_run"]),
        (session.undo_reset, ["_run"]),
    ]
    for act, expected in acts:
        assigned.clear()
        act()
        assert assigned == expected
    assert (session.steps, len(session.past)) == (4, 1)


def test_undoing_a_reset_keeps_what_went_to_the_past_meanwhile() -> None:
    session = small_session()
    session.step(4)
    session.rewind(0)
    session.step(8)
    session.reset(seed=1)
    session.past.append({"steps": 99})
    session.undo_reset()
    assert [recording["steps"] for recording in session.past] == [4, 99]
    assert session.steps == 8
