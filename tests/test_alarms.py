"""The collapse alarm: silent where learning goes well, and where it does not, the cause by name and what to do."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.embedders import MetricSettings
from taskembed_edu.evaluation.scores import mean_distance
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.session.alarms import LASTING_STEPS, collapse_alarm, likely_cause
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session
from tests.runs import generator


def alarms(steps: int, **values: Any) -> list[Frame]:
    session = Session("metric", projection="pca", device="cpu", **{"n_tasks": 60, "batch": 32, "hidden": 64, **values})
    session.step(steps)
    return [frame for frame in session.history if frame.alarm]


@pytest.mark.parametrize("family", ["sinusoids", "gaussians", "digits"])
@pytest.mark.parametrize("loss", ["contrastive", "contrastive_squared", "triplet", "info_nce", "prototypical"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_no_run_at_its_defaults_alarms(family: str, loss: str, metric: str) -> None:
    assert alarms(60, family=family, loss=loss, metric=metric) == []


@pytest.mark.parametrize("values", [{"margin": 0.05}, {"margin": 6.0}, {"learning_rate": 0.01}, {"features": "plain"}])
@pytest.mark.parametrize("family", ["sinusoids", "gaussians"])
def test_unusual_settings_that_learn_do_not_alarm(family: str, values: dict[str, Any]) -> None:
    assert alarms(120, family=family, **values) == []


@pytest.mark.parametrize("family", ["sinusoids", "gaussians"])
def test_a_margin_of_zero(family: str) -> None:
    raised = alarms(200, family=family, margin=0.0)
    assert raised
    assert raised[0].step >= LASTING_STEPS
    assert raised[-1].alarm.startswith("All tasks have collapsed into one point: they are ")
    assert "With margin 0 nothing pushes different tasks apart." in raised[-1].alarm


def test_hard_mining_from_scratch() -> None:
    values = {"n_tasks": 150, "batch": 64, "hidden": 128}
    raised = alarms(250, loss="triplet", mining="hard", learning_rate=0.03, **values)
    assert raised
    assert "Hard mining at learning rate 0.03" in raised[-1].alarm
    assert "train on all pairs first, on hard ones later" in raised[-1].alarm


def test_a_learning_rate_that_is_too_high() -> None:
    raised = alarms(100, family="sinusoids", learning_rate=0.1, n_tasks=150, batch=64, hidden=128)
    assert raised
    assert "Learning rate 0.1 is too high" in raised[-1].alarm
    assert "with a lower learning rate" in raised[-1].alarm


# ---- by hand -------------------------------------------------------------------------------------------------------


def seen(index: int, vectors: torch.Tensor, recall: float = 0.5, **settings: Any) -> Frame:
    chosen = MetricSettings(**settings)
    diagnostics = {
        "recall@1": recall,
        "mean_distance": mean_distance(pairwise_distances(vectors, metric=chosen.metric)),
    }
    layout = np.zeros((len(vectors), 2), np.float32)
    return Frame(index, 10 * index, math.nan, vectors.numpy(), layout, "pca", diagnostics, chosen)


CLOUD = torch.randn(30, 4, generator=generator())
LINE = CLOUD * torch.tensor([1.0, 0.01, 0.01, 0.01])


def test_it_must_last() -> None:
    frames = [seen(0, CLOUD), *(seen(k, 0.01 * CLOUD) for k in range(1, 4))]
    assert [bool(collapse_alarm(frame, frames[:k])) for k, frame in enumerate(frames)] == [False, False, False, True]
    back = [frames[0], frames[1], seen(2, CLOUD), seen(3, 0.01 * CLOUD)]
    assert collapse_alarm(back[3], back[:3]) == ""


def test_a_small_margin_asks_for_small_distances() -> None:
    for margin, alarmed in ((1.0, True), (0.02, False)):
        frames = [seen(0, CLOUD, margin=margin), *(seen(k, 0.01 * CLOUD, margin=margin) for k in range(1, 4))]
        assert bool(collapse_alarm(frames[3], frames[:3])) is alarmed


def test_a_line_is_a_fault_only_where_tasks_lose_themselves() -> None:
    for recall, alarmed in ((0.6, False), (0.4, True)):
        frames = [seen(0, CLOUD), *(seen(k, LINE, recall) for k in range(1, 4))]
        said = collapse_alarm(frames[3], frames[:3])
        assert bool(said) is alarmed
        assert not alarmed or said.startswith("All tasks have collapsed onto one line (effective dimension 1.00)")


def test_a_change_of_distance_is_no_collapse() -> None:
    far = 100 * CLOUD
    frames = [seen(0, far), *(seen(k, far, loss="info_nce", metric="cosine") for k in range(1, 4))]
    assert frames[3].diagnostics["mean_distance"] < 0.05 * frames[0].diagnostics["mean_distance"]
    assert collapse_alarm(frames[3], frames[:3]) == ""


def test_the_cause_is_read_from_the_settings() -> None:
    usual = MetricSettings()
    assert "An earlier setting did" in likely_cause(usual)
    assert "margin 0" in likely_cause(dataclasses.replace(usual, margin=0.0))
    assert "margin 0" not in likely_cause(dataclasses.replace(usual, margin=0.0, loss="triplet"))
    assert "margin 0" not in likely_cause(dataclasses.replace(usual, margin=0.0, loss="info_nce"))
    assert "Hard mining trains on" in likely_cause(dataclasses.replace(usual, mining="hard"))
    assert "Learning rate 0.05" in likely_cause(dataclasses.replace(usual, learning_rate=0.05))


@dataclasses.dataclass(frozen=True)
class OnlyAMargin(Settings):
    """An embedder of one's own that has a margin, and neither a loss to choose nor a mining nor a rate."""

    margin: float = setting(1.0, label="Margin", help="How far apart.", low=0.0, high=6.0)


@dataclasses.dataclass(frozen=True)
class OwnLoss(Settings):
    """One whose losses are none of the package's, and whose mining has no effect just now."""

    loss: str = setting("mine", label="Loss", help="Which.", choices=("mine",))
    margin: float = setting(1.0, label="Margin", help="How far apart.", low=0.0, high=6.0)
    mining: str = setting("hard", label="Mining", help="Which.", choices=("hard",), applies=lambda _settings: False)


@dataclasses.dataclass(frozen=True)
class Nothing(Settings):
    """One with nothing to set at all."""


def test_the_cause_survives_settings_that_lack_what_others_have() -> None:
    for made in (OnlyAMargin(), OwnLoss(), Nothing()):
        assert "An earlier setting did" in likely_cause(made)
    for made in (OnlyAMargin(margin=0.0), OwnLoss(margin=0.0)):
        assert "With margin 0 nothing pushes" in likely_cause(made)
