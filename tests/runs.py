"""Small runs that the tests of time share: a session that trains in milliseconds, and what makes two runs the same."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from taskembed_edu.live.packets import ends, placed, rounded_box
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session

SMALL: dict[str, Any] = {
    "family": "gaussians",
    "projection": "pca",
    "n_tasks": 12,
    "frame_every": 4,
    "batch": 4,
    "hidden": 8,
    "dim": 2,
    "device": "cpu",
}


def small_session(**values: Any) -> Session:
    return Session("metric", **{**SMALL, **values})


def as_json(recording: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(recording))


def eventful(**values: Any) -> Session:
    """A run with every kind of event: before the first step, at a frame, between frames, two at one step."""
    session = small_session(**values)
    session.set(learning_rate=1e-2)
    session.step(4)
    session.set(margin=5.0)
    session.step(3)
    session.set(metric="cosine")
    session.step(5)
    session.set(loss="triplet")
    session.set(mining="semi-hard", batch=6)
    session.step(4)
    session.set(metric="manhattan", margin=4.0)
    session.step(6)
    return session


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def assert_same_frames(one: Session, other: Session) -> None:
    """Bit for bit the same history, and the same weights at its end."""
    assert [frame.step for frame in one.history] == [frame.step for frame in other.history]
    for mine, theirs in zip(one.history, other.history, strict=True):
        assert_same_frame(mine, theirs)
    assert one.values() == other.values()
    assert one.steps == other.steps
    assert torch.equal(weights(one), weights(other))


def assert_same_frame(mine: Frame, theirs: Frame) -> None:
    assert (mine.index, mine.step, mine.projection) == (theirs.index, theirs.step, theirs.projection)
    assert mine.settings == theirs.settings
    for name in ("loss", "embedding", "layout"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name), err_msg=name)
    np.testing.assert_equal(mine.diagnostics, theirs.diagnostics)
    assert (mine.alarm, mine.umap_restarts) == (theirs.alarm, theirs.umap_restarts)


def weights(session: Session) -> torch.Tensor:
    state = session._now.state
    learnt = state.encoder.parameters() if hasattr(state, "encoder") else state.training.parameters.values()
    return torch.cat([p.detach().flatten() for p in learnt])


def boxed(layout: Layout, diverged: tuple[int, ...] = ()) -> tuple[list[float], NDArray[np.uint16]]:
    """The box of a picture of these places, and the places in it."""
    low, high = ends(layout, diverged)
    return rounded_box(low, high), placed(layout, low, high, diverged)
