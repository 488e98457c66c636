"""Time: the same frames however one gets there, and the way back, the way again and the ways apart are exact."""

from __future__ import annotations

import copy
import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskembed_edu.evaluation.geometry import TrueGeometry
from taskembed_edu.evaluation.scores import mean_distance, recall_at_k
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.projection.quality import jitter, trustworthiness
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session import history as history_module
from taskembed_edu.session import run as run_module
from taskembed_edu.session import session as session_module
from taskembed_edu.session.history import Frame
from taskembed_edu.session.recordings import load_recording, save_recording
from taskembed_edu.session.session import Session
from taskembed_edu.session.validation import ValidationSet
from taskembed_edu.tasks import Digits, Gaussians
from tests.runs import as_json, assert_same_frame, assert_same_frames, eventful, small_session, weights

# ---- steps and frames ----------------------------------------------------------------------------------------------


def test_a_frame_falls_every_so_many_steps_and_holds_what_it_says() -> None:
    session = small_session()
    assert [frame.step for frame in session.history] == [0]
    assert np.isnan(session.frame.loss)
    last = session.step(11)
    assert [frame.step for frame in session.history] == [0, 4, 8]
    assert last is session.frame is session.history[-1]
    assert session.steps == 11
    session.step(1)
    frame = session.frame
    assert frame.step == 12
    first = session.embedder.embed(session._now.state)
    np.testing.assert_array_equal(frame.embedding, first.numpy())
    second = session.embedder.embed(session._now.state, session.validation_set.resampled_support)
    geometry = TrueGeometry(session.split.validation.true_distance(session.tasks))
    recall = recall_at_k(second, first, ks=(1, 5))
    assert frame.diagnostics == {
        "recall@1": recall[1],
        "recall@5": recall[5],
        "spearman": geometry.spearman(first),
        "trustworthiness": trustworthiness(first, frame.layout, 15),
        "jitter": jitter(frame.layout, session.history[2].layout),
        "mean_distance": mean_distance(pairwise_distances(first)),
        "active_pairs": frame.diagnostics["active_pairs"],
    }
    assert 0 < frame.diagnostics["active_pairs"] <= 1
    assert frame.layout.shape == (12, 2)


def test_a_frames_loss_is_the_mean_over_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    session, losses = small_session(), []
    step = session.embedder.step

    def noted(state: Any, settings: Any) -> Any:
        state, record = step(state, settings)
        losses.append(float(record.loss))
        return state, record

    monkeypatch.setattr(session.embedder, "step", noted)
    session.step(12)
    for k in (1, 2, 3):
        assert session.history[k].loss == pytest.approx(np.mean(losses[4 * k - 4 : 4 * k]), rel=1e-6)


def test_no_clock_decides_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = small_session()
    plain.step(12)
    for name in ("time", "monotonic", "perf_counter"):
        hours = itertools.count(0, 3600)
        monkeypatch.setattr(time, name, lambda hours=hours: float(next(hours)))
    watched = small_session()
    watched.step(12)
    assert_same_frames(plain, watched)


@given(portions=st.lists(st.integers(0, 7), max_size=8))
@settings(max_examples=15, deadline=None)
def test_any_portions_give_the_frames_of_plain_steps(portions: list[int]) -> None:
    one, other = small_session(), small_session()
    for n in portions:
        one.step(n)
    other.step(sum(portions))
    assert_same_frames(one, other)


def test_portions_under_umap() -> None:
    values = {"projection": "umap", "n_tasks": 30}
    one, other = small_session(**values), small_session(**values)
    for n in (1, 3, 0, 5, 3):
        one.step(n)
    other.step(12)
    assert_same_frames(one, other)
    assert {frame.projection for frame in one.history} == {"umap"}
    assert_same_frames(Session.replay(as_json(one.recording())), one)
    twin = one.branch(at=1)
    twin.step(8)
    assert_same_frames(twin, one)


def test_nothing_is_drawn_from_the_global_generator_and_it_decides_nothing() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one = eventful()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    assert_same_frames(one, eventful())


def test_a_seed_decides() -> None:
    assert not torch.equal(weights(small_session(seed=1)), weights(small_session(seed=2)))


@pytest.mark.parametrize("n", [-1, "3", None])
def test_steps_go_forwards(n: Any) -> None:
    session = small_session()
    with pytest.raises((ValueError, TypeError), match=r"n: got .*expected a number"):
        session.step(n)
    assert session.steps == 0


def test_the_watched_tasks_are_validation_tasks_and_the_closing_ones_never_seen() -> None:
    session = small_session(family="sinusoids")
    scores = session.closing_scores(n_tasks=20)
    assert list(scores) == ["recall@1", "recall@5", "spearman"]
    assert scores == session.closing_scores(n_tasks=20)
    assert scores != {name: session.frame.diagnostics[name] for name in scores}
    assert session.validation_set.resampled_support is not None
    assert torch.equal(session.validation_set.resampled_support.truth, session.tasks.truth)
    assert not torch.equal(session.validation_set.resampled_support.support_x, session.tasks.support_x)
    own = set(session.split.validation.part)
    slices = ((session.tasks.truth[:, 0] - 0.1) / 4.9 * 1000).floor().int().tolist()
    assert set(slices) <= own


@pytest.mark.parametrize("n_tasks", [5, 6])
def test_few_tasks(n_tasks: int) -> None:
    assert len(small_session(n_tasks=n_tasks).step(4).layout) == n_tasks


# ---- settings and events -------------------------------------------------------------------------------------------


def test_events_are_logged_with_the_step_that_they_precede() -> None:
    session = eventful()
    assert [(event.step, event.changes) for event in session.events] == [
        (0, {"learning_rate": 1e-2}),
        (4, {"margin": 5.0}),
        (7, {"metric": "cosine", "margin": 2.0}),
        (12, {"loss": "triplet"}),
        (12, {"mining": "semi-hard", "batch": 6}),
        (16, {"metric": "manhattan", "margin": 4.0}),
    ]
    assert session.values()["margin"] == 4.0


def test_a_set_that_changes_nothing_is_no_event() -> None:
    session = small_session()
    session.set(margin=1.0)
    session.set()
    assert session.events == []


def test_a_set_changes_the_steps_after_it() -> None:
    one, other = small_session(), small_session()
    for session in (one, other):
        session.step(4)
    other.set(margin=6.0)
    assert_same_frame(one.history[1], other.history[1])
    assert one.step(4).loss != other.step(4).loss


def test_the_newest_frame_is_drawn_again_under_a_new_distance() -> None:
    session = small_session()
    session.step(8)
    before = session.frame
    session.set(metric="cosine")
    after = session.frame
    assert len(session.history) == 3
    assert (after.step, after.loss) == (before.step, before.loss)
    np.testing.assert_array_equal(after.embedding, before.embedding)
    assert after.diagnostics["spearman"] != before.diagnostics["spearman"]
    session.set(margin=0.7)
    assert session.frame is after
    session.step(1)
    session.set(metric="euclidean")
    assert session.frame is after


def test_a_slider_beyond_its_range_is_brought_in() -> None:
    session = small_session()
    session.set(metric="cosine")
    with pytest.raises(ValueError, match=r"margin: got 3.0, expected a number from 0 to 2"):
        session.set(margin=3.0)
    session.set_clamped(margin=3.0)
    assert session.settings.margin == 2.0
    assert session.events[-1].changes == {"margin": 2.0}


@pytest.mark.parametrize("way", ["set", "set_clamped"])
@pytest.mark.parametrize(("name", "value"), [("seed", 3), ("family", "digits"), ("device", "cpu"), ("n_tasks", 50)])
def test_what_applies_at_reset_says_so(way: str, name: str, value: Any) -> None:
    session = small_session()
    before = session.values()
    with pytest.raises(ValueError, match=rf"set: got {name}={value!r}.*Use reset\({name}={value!r}\)"):
        getattr(session, way)(**{name: value})
    assert session.values() == before
    assert session.events == []


@pytest.mark.parametrize("way", ["set", "set_clamped", "reset"])
def test_unknown_settings_and_values(way: str) -> None:
    session = small_session()
    with pytest.raises(ValueError, match=r"setting: got 'marginn'.*Did you mean 'margin'"):
        getattr(session, way)(marginn=1)
    with pytest.raises(ValueError, match=r"metric: got 'cosin'.*Did you mean 'cosine'"):
        getattr(session, way)(metric="cosin")
    assert session.events == []
    with pytest.raises(ValueError, match="setting: got 'marginn'"):
        small_session(marginn=1)


# ---- reset ---------------------------------------------------------------------------------------------------------


def test_a_reset_repeats_the_run() -> None:
    session = small_session()
    session.step(10)
    first, recorded = session.branch(), session.recording()
    session.reset()
    assert session.steps == 0
    assert session.events == []
    assert session.past == [recorded]
    session.step(8)
    assert_same_frames(session, first)


def test_a_reset_takes_new_settings_and_keeps_changed_ones() -> None:
    session = small_session()
    session.step(4)
    session.set(margin=2.0)
    session.reset(family="digits", seed=5, n_tasks=20)
    assert session.settings.margin == 2.0
    assert isinstance(session.split.train, Digits)
    assert len(session.tasks) == 20
    plain = small_session(family="digits", seed=5, n_tasks=20, margin=2.0)
    assert_same_frames(session, plain)
    session.reset()
    assert len(session.past) == 1  # a run without a step is not worth keeping


def test_a_family_object_stays_until_another_is_named() -> None:
    session = Session("metric", Gaussians(n_way=3, dim=4), projection="pca", n_tasks=6, hidden=8, batch=4)
    session.step(1)
    session.reset(seed=2)
    assert session.tasks.support_x.shape[-1] == 4
    session.reset(family="sinusoids")
    session.reset(family="gaussians")
    assert session.tasks.support_x.shape[-1] == 2


def test_a_reset_that_fails_leaves_the_run_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    session, plain = small_session(), small_session()
    session.step(6)
    plain.step(12)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="device: got 'cuda'"):
        session.reset(device="cuda", family="digits", n_tasks=30)
    assert session.past == []
    assert len(session.tasks) == 12
    session.step(6)
    assert_same_frames(session, plain)


# ---- recording and replay ------------------------------------------------------------------------------------------


def test_a_replay_gives_the_same_frames(tmp_path: Path) -> None:
    session = eventful()
    path = save_recording(session.recording(), tmp_path / "run.json")
    again = Session.replay(load_recording(path))
    assert_same_frames(again, session)
    assert again.events == session.events
    assert again.recording() == session.recording()
    session.step(5)
    again.step(5)
    assert_same_frames(again, session)


def test_a_replay_obeys_the_takeover_by_umap() -> None:
    session = small_session(n_tasks=30)
    session.step(6)
    session.set(projection="umap")
    session.step(2)
    session.set(n_neighbors=5)
    session.step(4)
    assert [frame.projection for frame in session.history] == ["pca", "pca", "umap", "umap"]
    assert [event.changes for event in session.events] == [{"projection": "umap"}, {"n_neighbors": 5}]
    assert_same_frames(Session.replay(as_json(session.recording())), session)


def test_shots_may_change_while_it_trains() -> None:
    session = small_session(n_tasks=30)
    as_drawn = session.tasks
    first = session.step(8)
    session.set(n_shot=1)
    assert session.tasks.support_x.shape[1] == 2, "two classes, one sample each"
    assert torch.equal(session.tasks.truth, as_drawn.truth)
    assert session.frame.step == first.step, "the newest frame is made anew"
    assert not np.array_equal(session.frame.embedding, first.embedding)
    session.step(8)
    session.set(n_shot=20)
    assert session.tasks.support_x.shape[1] == 40
    session.step(4)
    session.undo()
    assert session.settings.n_shot == 1
    assert session.tasks.support_x.shape[1] == 2
    assert_same_frames(Session.replay(as_json(session.recording())), session)
    back = session.branch(at=session.history.at_step(12).index)
    assert (back.settings.n_shot, back.tasks.support_x.shape[1]) == (1, 2)
    at_first = session.branch(at=1)
    assert at_first.tasks is as_drawn
    assert at_first.tasks == as_drawn
    session.set(n_shot=0)
    assert session.tasks is as_drawn
    assert session.closing_scores()["recall@1"] >= 0


def test_with_more_shots_tasks_are_easier_to_tell_apart() -> None:
    found = []
    for n_shot in (1, 16):
        session = small_session(n_tasks=60, n_shot=n_shot, hidden=64, batch=32, dim=8)
        assert session.tasks.support_x.shape[1] == 2 * n_shot
        found.append(session.step(160).diagnostics["recall@1"])
    assert found[1] > found[0] + 0.2


def test_more_shots_than_a_task_has_change_nothing() -> None:
    session = Session("metric", "digits", n_tasks=8, projection="pca", hidden=8, batch=4)
    session.step(4)
    tasks, frame = session.tasks, session.frame
    with pytest.raises(ValueError, match="n_shot"):
        session.set(n_shot=64)
    assert (session.settings.n_shot, session.events) == (0, [])
    assert session.tasks is tasks
    assert session.frame is frame
    session.step(4)


def test_the_smallest_gap_of_umap_may_change_while_it_trains() -> None:
    session = small_session(n_tasks=30, projection="umap", min_dist=0.0)
    near = nearest_gap(session.step(40).layout)
    session.set(min_dist=0.9)
    session.embed_again()
    assert nearest_gap(session.step(8).layout) > 2 * near
    assert_same_frames(Session.replay(as_json(session.recording())), session)


def nearest_gap(layout: Layout) -> float:
    """The mean distance of a point to its nearest, as a share of the map's size."""
    apart = np.linalg.norm(layout[:, None] - layout[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return float(apart.min(1).mean() / layout.std())


def test_a_replay_makes_the_family_that_was_given() -> None:
    session = Session("metric", Digits(n_way=2, angle=(0.0, 1.0)), projection="pca", n_tasks=6, hidden=8, batch=4)
    session.step(2)
    again = Session.replay(as_json(session.recording()))
    assert again.family == Digits(n_way=2, angle=(0.0, 1.0))
    assert_same_frames(again, session)


def test_a_replay_ends_where_the_recording_did() -> None:
    session = small_session()
    session.step(6)
    session.set(margin=3.0)
    again = Session.replay(as_json(session.recording()))
    assert again.steps == 6
    assert again.settings.margin == 3.0
    assert_same_frames(again, session)


def test_a_recording_changes_nothing_and_is_not_changed() -> None:
    session = eventful()
    recording = session.recording()
    kept = copy.deepcopy(recording)
    Session.replay(recording)
    assert recording == kept
    session.step(2)
    assert recording == kept


# ---- branches ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [1, 3, 100])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5, -1])
def test_a_branch_is_the_run_up_to_there_and_goes_on_as_it_did(
    at: int, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = eventful()
    weight = session._now.state.n_bytes()
    monkeypatch.setattr(history_module, "CHECKPOINT_BYTES", weight * room)
    session = eventful()
    kept = session.branch()
    at = range(len(session.history))[at]
    twin = session.branch(at=at)
    assert twin.steps == session.history[at].step
    assert len(twin.history) == at + 1
    for mine, theirs in zip(twin.history, session.history, strict=False):
        assert_same_frame(mine, theirs)
    later = session.events[len(twin.events) :]
    assert twin.events == session.events[: len(twin.events)]
    for event in later:
        twin.step(event.step - twin.steps)
        twin.set(**event.changes)
    twin.step(20 - twin.steps)
    for mine, theirs in zip(twin.history, session.history, strict=True):
        assert_same_frame(mine, theirs)
    assert_same_frames(session.branch(), kept)


def test_branches_share_nothing() -> None:
    session, plain = small_session(), small_session()
    session.step(8)
    twin = session.branch(at=1)
    assert twin.past == []
    twin.set(margin=4.0, metric="manhattan")
    twin.step(8)
    twin.reset(family="digits")
    twin.step(4)
    session.step(4)
    plain.step(12)
    assert_same_frames(session, plain)
    assert session.events == []
    assert_same_frames(session.branch(0).branch(0), small_session())


def test_a_branch_records_itself_wholly() -> None:
    session = eventful()
    twin = session.branch(at=3)
    twin.set(margin=0.5)
    twin.step(5)
    assert_same_frames(Session.replay(as_json(twin.recording())), twin)


def test_a_branch_from_a_frame_that_is_not_there() -> None:
    session = small_session()
    session.step(4)
    with pytest.raises(IndexError, match="at: got 2, expected a frame from 0 to 1"):
        session.branch(at=2)


def test_checkpoints_stay_within_their_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    assert history_module.CHECKPOINT_BYTES <= 64 * 2**20
    session = small_session(frame_every=1)
    weight = session._now.state.n_bytes()
    monkeypatch.setattr(history_module, "CHECKPOINT_BYTES", 5 * weight)
    session.step(40)
    assert 2 <= len(session.history._checkpoints) <= 5
    assert_same_frames(session.branch(), session)


# ---- what can go wrong ---------------------------------------------------------------------------------------------


def test_a_loss_without_end_is_named_and_the_history_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session(learning_rate=0.05)
    session.step(8)
    kept = list(session.history)
    step = session.embedder.step

    def diverging(state: Any, settings: Any) -> Any:
        state, record = step(state, settings)
        return state, type(record)(record.loss * torch.inf, record.readings)

    monkeypatch.setattr(session.embedder, "step", diverging)
    with pytest.raises(
        FloatingPointError, match=r"loss: got inf at step 12.*Lower the learning rate \(0\.05 now\) and reset"
    ):
        session.step(8)
    assert list(session.history) == kept
    monkeypatch.undo()
    session.reset(learning_rate=1e-3)
    session.step(4)
    assert np.isfinite(session.frame.loss)


@pytest.mark.parametrize("after", [2, 4])
def test_vectors_that_are_no_numbers_are_named_and_the_history_is_kept(
    after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = small_session()
    step = session.embedder.step

    def poisoned(state: Any, settings: Any) -> Any:
        state, record = step(state, settings)
        if state.step == after:
            with torch.no_grad():
                next(state.encoder.rho.parameters()).fill_(torch.nan)
        return state, record

    monkeypatch.setattr(session.embedder, "step", poisoned)
    with pytest.raises(FloatingPointError, match=r"embedding: got .*Lower the learning rate"):
        session.step(8)
    assert [frame.step for frame in session.history] == [0]


def test_the_words_of_a_session() -> None:
    session = small_session()
    session.step(4)
    recall, spearman = (session.frame.diagnostics[name] for name in ("recall@1", "spearman"))
    assert repr(session) == f"Session(metric on gaussians, step 4: recall@1 {recall:.2f}, spearman {spearman:.2f})"
    assert list(session.values()) == list(session.declared())
    assert session_module.Setup().n_tasks == 200
    assert session_module.Setup().frame_every == 10


@given(
    portions=st.lists(st.one_of(st.integers(1, 5), st.sampled_from(["margin", "metric", "loss", "branch"])), max_size=6)
)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_run_can_be_replayed(portions: list[int | str]) -> None:
    session = small_session()
    for k, portion in enumerate(portions):
        if isinstance(portion, int):
            session.step(portion)
        elif portion == "margin":
            session.set(margin=0.1 + 0.1 * k)
        elif portion == "metric":
            session.set(metric=("euclidean", "cosine", "manhattan")[k % 3])
        elif portion == "loss":
            session.set(loss=("triplet", "info_nce", "contrastive")[k % 3])
        else:
            session = session.branch(at=-1)
    assert_same_frames(Session.replay(as_json(session.recording())), session)


def test_who_looks_during_a_reset_sees_the_old_run_or_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    session.step(4)
    old, plain = session.frame, ValidationSet.frame
    seen: list[tuple[Frame, int, int]] = []

    def looked_at(self: ValidationSet, *given: Any) -> Frame:
        seen.append((session.frame, session.steps, len(session.tasks)))
        return plain(self, *given)

    monkeypatch.setattr(ValidationSet, "frame", looked_at)
    session.reset(n_tasks=7)
    assert seen == [(old, 4, 12)], "the first picture is made beside it"
    assert (session.steps, len(session.tasks), len(session.history)) == (0, 7, 1)


def test_a_frame_is_a_record() -> None:
    frame = Session("parameters", "sinusoids", n_tasks=8, projection="pca").frame
    assert len(frame.arrays()) == 4  # vectors, map, axes, answers
    assert not any(array.flags.writeable for array in frame.arrays())


def test_memory_is_tidied_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    tidied: list[int] = []
    session = small_session(frame_every=1)
    monkeypatch.setattr(run_module, "trim_heap", lambda: tidied.append(session.steps))
    session.step(45)
    assert tidied == [20, 40]
