"""The way out of a collapse: it leads to healthy weights, the cause is mended, and nothing of the run is lost."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from taskembed_edu.embedders import MetricSettings
from taskembed_edu.session.recovery import cured, recovery
from taskembed_edu.session.session import Session
from tests.runs import as_json, assert_same_frames

SETTINGS: dict[str, Any] = {"projection": "pca", "device": "cpu", "n_tasks": 60, "batch": 32, "hidden": 64}


def collapsed(family: str, before: int, **cause: Any) -> Session:
    """A run that learns for some steps, and then collapses under these settings."""
    session = Session("metric", family, **SETTINGS)
    session.step(before)
    session.set(**cause)
    session.step(300)
    assert session.frame.alarm
    return session


@pytest.mark.parametrize(
    ("family", "before", "cause", "mended"),
    [
        ("gaussians", 0, {"learning_rate": 0.1}, {"learning_rate": 0.01}),
        ("gaussians", 60, {"learning_rate": 0.1}, {"learning_rate": 0.01}),
        ("sinusoids", 60, {"learning_rate": 0.1}, {"learning_rate": 0.01}),
        ("gaussians", 0, {"margin": 0.0}, {"margin": 1.0}),
        ("sinusoids", 60, {"margin": 0.0, "learning_rate": 0.1}, {"margin": 1.0, "learning_rate": 0.01}),
    ],
)
def test_a_recovered_run_learns(family: str, before: int, cause: dict[str, Any], mended: dict[str, Any]) -> None:
    session = collapsed(family, before, **cause)
    session.recover()
    assert {name: session.values()[name] for name in mended} == mended
    assert session.steps >= before * 9 // 10
    assert not session.frame.alarm
    session.step(300)
    assert not any(frame.alarm for frame in session.history)
    assert session.frame.diagnostics["recall@1"] >= max(0.4, session.history[0].diagnostics["recall@1"])
    assert_same_frames(Session.replay(as_json(session.recording())), session)


def test_the_way_back_leads_to_just_before_the_cause_and_not_to_before_fewer_shots() -> None:
    session = Session("metric", "gaussians", **SETTINGS)
    session.step(60)
    session.set(n_shot=1)  # fewer tasks find themselves then, and nothing is wrong with them
    session.step(100)
    session.set(margin=0.0)
    session.step(300)
    way = session.recovery()
    assert way is not None
    assert 130 <= way.frame.step <= 180, "the margin was moved at step 160"
    assert way.changes == {"margin": 1.0}
    session.recover()
    assert (session.settings.n_shot, session.settings.margin) == (1, 1.0)


def test_recalls_by_another_distance_are_not_compared() -> None:
    session = collapsed("gaussians", 60, margin=0.0)
    found_all, other = {"recall@1": 1.0}, session.settings.changed(metric="cosine", margin=1.0)
    frames = [
        dataclasses.replace(f, settings=other, diagnostics={**f.diagnostics, **found_all}) if f.step <= 30 else f
        for f in session.history
    ]
    way = recovery(frames, session.settings)
    assert way is not None
    assert way.frame.step >= 54


def test_the_collapsed_run_is_kept_and_comes_back() -> None:
    session = collapsed("gaussians", 60, margin=0.0)
    whole, frames = session.recording(), len(session.history)
    session.recover()
    assert session.past == [whole]
    assert (session.undoable(), session.recovered_from) == ({}, 360)
    session.undo_reset()
    assert (session.recording(), session.past, len(session.history)) == (whole, [], frames)


def test_a_change_after_the_recovery_is_undone_first() -> None:
    session = collapsed("gaussians", 60, learning_rate=0.1)
    session.recover()
    session.set(margin=2.0)
    assert session.undo() == {"margin": 1.0}


def test_settings_that_are_not_the_cause_stay_as_they_are_now() -> None:
    session = collapsed("gaussians", 0, margin=0.0)
    session.set(loss="contrastive_squared", metric="cosine", n_neighbors=7)
    session.recover()
    values = session.values()
    assert (values["loss"], values["metric"], values["n_neighbors"]) == ("contrastive_squared", "cosine", 7)


def test_a_cause_that_is_mended_already_is_not_mended_again() -> None:
    session = collapsed("gaussians", 0, learning_rate=0.1)
    session.set(learning_rate=0.002)
    way = session.recovery()
    assert way is not None
    assert way.changes == {}
    session.recover()
    assert session.settings.learning_rate == 0.002


def test_without_a_collapse_nothing_happens() -> None:
    session = Session("metric", "gaussians", **SETTINGS)
    session.step(20)
    frames = len(session.history)
    assert session.recovery() is None
    session.recover()
    assert (len(session.history), session.past) == (frames, [])
    assert recovery([], MetricSettings()) is None


def test_hard_mining_goes_back_to_all_pairs() -> None:
    hard = MetricSettings(loss="triplet", mining="hard", learning_rate=0.03)
    assert cured(hard, hard) == {"mining": "all", "learning_rate": 0.003}
