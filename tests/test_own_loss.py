"""A loss of one's own: the guide "Add a loss" of CONTRIBUTING.md as it stands there, and what is refused."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from taskembed_edu.embedders import MetricSettings
from taskembed_edu.embedders.metric import active_share
from taskembed_edu.formulas.losses import LOSSES, Loss, records, register_loss
from taskembed_edu.formulas.mining import TRIPLET_MINING
from taskembed_edu.labs.metric import MetricLab
from taskembed_edu.live.controls import control_specs, page_value
from taskembed_edu.session.alarms import likely_cause
from taskembed_edu.session.session import Session
from tests.runs import SMALL, as_json, assert_same_frames, generator, small_session

GUIDE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
SIX = torch.randn(6, 3, generator=generator())


@pytest.fixture(autouse=True)
def _forgotten_afterwards() -> Iterator[None]:
    before, own = dict(LOSSES), set(records._OWN)
    yield
    LOSSES.clear()
    LOSSES.update(before)
    records._OWN.clear()
    records._OWN.update(own)


@pytest.fixture
def exponential(tmp_path: Path) -> Loss:
    """The guide's loss, registered by the guide's own file, which lies outside the package."""
    page = GUIDE.split("## Add a loss")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    file = tmp_path / "exponential.py"
    file.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("exponential", file)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return LOSSES["exponential"]


# ---- the guide -----------------------------------------------------------------------------------------------------


def test_the_guide_s_loss_trains(exponential: Loss) -> None:
    session = small_session(loss="exponential", margin=1.5)
    session.step(8)
    assert math.isfinite(session.frame.loss)
    assert session.frame.loss != small_session(loss="exponential", margin=0.5).step(8).loss
    assert "exponential loss" in repr(MetricLab(loss=exponential.name))


def test_it_stands_on_the_lab_s_menu_and_is_chosen_there(exponential: Loss) -> None:
    session = small_session()
    made = {control["name"]: control for control in control_specs(session, (), {})}
    assert made["loss"]["options"][-1] == {"value": "exponential", "label": "Exponential"}
    session.set(loss=page_value(session, "loss", "exponential"))
    made = {control["name"]: control for control in control_specs(session, (), {})}
    assert [made[name]["enabled"] for name in ("margin", "mining", "temperature")] == [True, False, False]
    assert MetricSettings(loss=exponential.name).mining == "all"


def test_its_recording_is_replayed_and_without_it_refused_by_name(exponential: Loss) -> None:
    session = small_session()
    session.step(4)
    session.set(loss="exponential", margin=2.0)
    session.step(6)
    recording = as_json(session.recording())
    assert_same_frames(session, Session.replay(recording))
    del LOSSES[exponential.name]
    with pytest.raises(ValueError, match="loss: got 'exponential', expected one of contrastive,"):
        Session.replay(recording)


def test_where_its_margin_is_no_end_nobody_counts_who_pushes(exponential: Loss) -> None:
    settings = MetricSettings(loss=exponential.name, margin=0.0)
    assert active_share(SIX, settings).isnan()
    assert "margin 0" not in likely_cause(settings)


# ---- a record says what is asked of it -----------------------------------------------------------------------------


def mean_distance(embeddings: Tensor, labels: Tensor, metric: str, **_more: Any) -> Tensor:
    return embeddings.square().mean() + 0 * labels.sum()


def test_a_loss_gets_what_its_record_says_that_it_needs() -> None:
    given: dict[str, Any] = {}

    def listening(embeddings: Tensor, labels: Tensor, **settings: Any) -> Tensor:
        given.update(settings, labels=labels.tolist())
        return embeddings.sum()

    plain = Loss("listening", "Listening", "Hears.", listening)
    full = dataclasses.replace(plain, needs_margin=True, needs_temperature=True, minings=("hard", "all"))
    session = Session("metric", **{**SMALL, "loss": register_loss(plain).name})
    session.step(1)
    assert given == {"metric": "euclidean", "labels": [0, 1, 2, 3] * 2}
    register_loss(full)  # again, as when a cell is run twice
    session.set(mining="hard", temperature=0.5, metric="manhattan")
    session.step(1)
    expected = {"margin": 1.0, "temperature": 0.5, "mining": "hard", "metric": "manhattan"}
    assert {name: given[name] for name in expected} == expected


def test_every_record_of_the_package_is_whole() -> None:
    assert list(LOSSES) == ["contrastive", "contrastive_squared", "triplet", "info_nce", "prototypical"]
    for name, loss in LOSSES.items():
        assert loss.name == name
        assert loss.label
        assert loss.help.endswith(".")
        assert set(loss.minings) <= set(TRIPLET_MINING)
        assert loss.margin_decides == loss.needs_margin
        records._check_takes(loss)
        records._check_gives(loss)


def no_margin(embeddings: Tensor, labels: Tensor, metric: str) -> Tensor:
    return embeddings.sum()


GOOD = Loss("mine", "Mine", "What I ask for.", mean_distance)
REFUSED: list[tuple[Any, type[Exception], str]] = [
    ("mine", TypeError, "loss: got mine, expected a Loss.*Loss\\(name, label, help, of_batch\\) makes one"),
    ({"name": "my loss"}, ValueError, "name: got 'my loss', expected a plain word such as 'my_loss'"),
    (
        {"name": "triplet"},
        ValueError,
        "name: got 'triplet', expected another name. The package has a loss of this",
    ),
    ({"minings": ("all", "hardest")}, ValueError, "minings: got 'hardest'.*Did you mean 'hard'"),
    ({"minings": ("hard",)}, ValueError, "minings: got .*expected 'all' among them"),
    ({"terms": "pair"}, ValueError, "terms: got 'pair'.*Did you mean 'pairs'"),
    ({"of_batch": "mean"}, TypeError, "of_batch: got mean, expected a function of embeddings and labels"),
    (
        {"of_batch": no_margin, "needs_margin": True},
        TypeError,
        "of_batch: got a function with .*'margin', expected of_batch\\(embeddings, labels, metric, margin\\)",
    ),
    (
        {"of_batch": lambda e, _l, metric: e.sum(1)},
        ValueError,
        "of_batch: got a tensor of shape \\(4,\\).*end with",
    ),
    (
        {"of_batch": lambda e, _l, metric: e.sum().item()},
        ValueError,
        "of_batch: got .*expected one number.*no .item",
    ),
    ({"of_batch": lambda e, _l, metric: None}, ValueError, "of_batch: got None, expected one number.*return"),
    (
        {"of_batch": lambda e, labels, metric: e[labels].sum(0) @ torch.ones(3)},
        ValueError,
        r"of_batch: got RuntimeError: .*expected one number for embeddings of shape \(4, 2\) and labels of shape",
    ),
    (
        {"of_batch": lambda e, _l, metric: (e * torch.ones(4, 2)).sum()},
        ValueError,
        r"of_batch: got RuntimeError: .*embeddings of shape \(6, 3\)",
    ),
    ({"of_batch": lambda e, _l, metric: e.sum() * torch.rand(())}, ValueError, "got two values of one batch"),
    ({"of_batch": lambda e, _l, metric: e.data.mul_(2).sum() + e.sum()}, ValueError, "embeddings that it has changed"),
    (
        {"of_batch": lambda e, _l, metric: (e - e[:1]).norm(dim=1).square().sqrt().sum()},
        ValueError,
        "a gradient that is not",
    ),
    ({"of_batch": lambda e, _l, metric: torch.ones((), requires_grad=True)}, ValueError, "no gradient for the embedd"),
    ({"of_batch": lambda e, _l, metric: e.sum() * 1j}, ValueError, "complex64, expected a real number"),
    ({"minings": "all"}, TypeError, r"minings: got 'all', expected a tuple.*\('all',\)"),
    ({"label": None}, TypeError, "label: got None, expected a text"),
    ({"of_batch": lambda e, _l, metric: e.detach().sum()}, ValueError, "a number without a gradient.*detach"),
    ({"of_batch": lambda e, _l, metric: (-e.sum()).sqrt()}, ValueError, "of_batch: got nan, expected a finite number"),
]


@pytest.mark.parametrize(("bad", "error", "words"), REFUSED)
def test_what_is_no_loss_is_refused_in_words_and_nothing_is_registered(
    bad: Any, error: type[Exception], words: str
) -> None:
    before = dict(LOSSES)
    with pytest.raises(error, match=words):
        register_loss(dataclasses.replace(GOOD, **bad) if isinstance(bad, dict) else bad)
    assert before == LOSSES
    register_loss(GOOD)
    assert LOSSES["mine"] is GOOD
