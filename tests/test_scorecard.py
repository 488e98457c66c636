"""Scorecards: probes and neighbours by hand, scores that are absent where nothing is known, and no leak."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch

from taskembed_edu import MetricEmbedder, MetricSettings, NumberWords, OwnTasks, Sinusoids, TrueGeometry, evaluate
from taskembed_edu.evaluation import scorecard
from taskembed_edu.evaluation.scorecard import Scorecard, label_probe, linear_probe, neighbours_kept
from taskembed_edu.tasks import TaskFamily
from tests.runs import generator

QUICK: dict[str, Any] = {"steps": 30, "n_tasks": 40, "transfer_to": 0}


@pytest.fixture(scope="module")
def waves() -> Scorecard:
    return evaluate("metric", "sinusoids", steps=200, n_tasks=100, transfer_to=30)


def test_a_trained_embedder_has_a_good_card(waves: Scorecard) -> None:
    assert waves.scores["recall@1"] > 0.3
    assert waves.scores["spearman"] > 0.6
    assert waves.scores["neighbours kept"] > 0.4
    assert waves.scores["linear probe"] > 0.7
    assert (waves.embedder, waves.family, waves.n_tasks, waves.numbers) == ("metric", "sinusoids", 100, 8)
    assert 0 < waves.seconds < 1


def test_the_nearest_tasks_network_is_worth_more_than_any(waves: Scorecard) -> None:
    assert waves.transfer is not None
    nearest, other, random = (
        waves.transfer.mean(name, "loss", 0) for name in ("nearest known task", "any known task", "random weights")
    )
    assert nearest < 0.5 * min(other, random)
    assert waves.transfer.p_value("nearest known task", "random weights", "loss", 0) < 0.01


def test_a_card_can_be_read(waves: Scorecard) -> None:
    lines = str(waves).splitlines()
    assert lines[0] == "metric on sinusoids, 100 tasks never seen"
    assert any(line.split()[:2] == ["linear", "probe"] for line in lines)
    assert any("nearest known task" in line for line in lines)


def test_the_same_seed_gives_the_same_card() -> None:
    cards = [evaluate("metric", "gaussians", **QUICK) for _ in range(2)]
    assert cards[0].scores == cards[1].scores
    assert evaluate("metric", "gaussians", **QUICK, seed=1).scores != cards[0].scores


@dataclass(frozen=True)
class Nameless(Sinusoids):
    """Waves of which nobody knows how far apart they are."""

    name: ClassVar[str] = "nameless"
    has_geometry: ClassVar[bool] = False


def test_scores_that_nobody_can_know_are_absent() -> None:
    card = evaluate("metric", Nameless(), **QUICK)
    assert set(card.scores) == {"recall@1", "recall@5"}
    assert "spearman" not in str(card)


def test_groups_are_probed_by_their_names() -> None:
    card = evaluate("summary", NumberWords(), **QUICK)
    assert card.n_tasks < 40, "there are only so many languages"
    assert "purity" in card.scores


def test_own_tasks_and_own_settings() -> None:
    x = torch.linspace(0, 1, 12).expand(60, 12)[..., None]
    slope = torch.linspace(-1, 1, 60)
    tasks: TaskFamily = OwnTasks(x, slope[:, None, None] * x, truth={"slope": slope})
    card = evaluate(MetricEmbedder(), tasks, steps=20, settings=MetricSettings(dim=3, hidden=16), n_tasks=10)
    assert card.numbers == 3
    assert card.transfer is not None


def test_errors_teach() -> None:
    with pytest.raises(ValueError, match="embedder: got metric, expected one that reads"):
        evaluate("metric", "number_words")
    with pytest.raises(ValueError, match="Did you mean 'metric'"):
        evaluate("metrics", "sinusoids")
    with pytest.raises(ValueError, match="n_tasks: got 3"):
        evaluate("metric", "sinusoids", n_tasks=3)


# ---- by hand ---------------------------------------------------------------------------------------------------------


def test_neighbours_kept_by_a_plain_loop() -> None:
    truth, vectors = torch.randn(2, 20, 3, generator=generator())
    distances = torch.cdist(vectors, vectors)
    kept = 0.0
    for task in range(20):
        others = [j for j in range(20) if j != task]
        gaps = [{j: float((of[task] - of[j]).norm()) for j in others} for of in (vectors, truth)]
        near, true = ([j for _gap, j in sorted((gap[j], j) for j in others)] for gap in gaps)
        kept += len(set(near[:4]) & set(true[:4])) / 4
    geometry = TrueGeometry(torch.cdist(truth, truth))
    assert neighbours_kept(distances, geometry, k=4) == pytest.approx(kept / 20)
    assert neighbours_kept(torch.cdist(truth, truth), geometry, k=4) == 1.0


def test_a_turned_truth_is_read_and_noise_is_not() -> None:
    truth = torch.randn(200, 2, generator=generator()).double()
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    assert linear_probe(truth @ turn, truth) == pytest.approx(1, abs=1e-4)
    assert linear_probe(torch.randn(200, 8, generator=generator(1)), truth) < 0.1
    groups = (truth[:, 0] > 0).long()
    assert label_probe(truth, groups) > 0.95
    assert label_probe(truth, torch.zeros(200)) != label_probe(truth, torch.zeros(200)), "one group: nothing to name"


def test_groups_too_small_to_cross_validate_have_no_probe() -> None:
    few = torch.arange(10) % 5
    assert math.isnan(label_probe(torch.randn(10, 3, generator=generator()), few))


def test_a_score_that_is_not_known_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorecard, "neighbours_kept", lambda *_: math.nan)
    assert "neighbours kept" not in evaluate("summary", "sinusoids", **QUICK).scores


def test_what_cannot_be_evaluated_is_said() -> None:
    with pytest.raises(TypeError, match=r"settings: got .*expected SummarySettings\(\.\.\.\)"):
        evaluate("summary", "sinusoids", settings={"margin": 1})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="family: got None, expected its name"):
        evaluate("summary", None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="embedder: got None, expected its name"):
        evaluate(None, "sinusoids")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="seed: got 'x', expected a number"):
        evaluate("summary", "sinusoids", seed="x")  # type: ignore[arg-type]
