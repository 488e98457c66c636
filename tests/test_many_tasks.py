"""A scorecard of many tasks: no matrix of all distances, and the numbers of the matrix."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from taskembed_edu import Digits, NumberWords, Score, Sinusoids, TrueGeometry, evaluate
from taskembed_edu.evaluation import geometry, many_tasks, scorecard
from taskembed_edu.evaluation.registry import SCORES
from taskembed_edu.evaluation.scores import neighbour_purity
from taskembed_edu.tasks.base import TaskFamily
from tests.runs import generator


def vectors(n: int, seed: int = 0) -> Tensor:
    return torch.randn(n, 3, generator=generator(seed))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("family", [Sinusoids(), Digits(), NumberWords()], ids=lambda family: family.name)
def test_the_scores_are_those_of_the_matrix(family: TaskFamily, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = family.sample(family.at_most(150), 2, rng=generator(0))
    first, again = vectors(len(tasks)), vectors(len(tasks)) + 0.3 * vectors(len(tasks), 1)
    at_once = scorecard._scores(family, tasks, first, again, metric, None)
    monkeypatch.setattr(many_tasks, "MANY", 0)
    monkeypatch.setattr(scorecard, "all_distances", None)
    monkeypatch.setattr(type(family), "true_distance", None)
    assert scorecard._scores(family, tasks, first, again, metric, None) == pytest.approx(at_once, abs=1e-6)


def test_a_sample_of_pairs_ranks_as_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    places = torch.rand(500, 2, generator=generator(0), dtype=torch.float64)
    near = places.float() + 0.2 * torch.rand(500, 2, generator=generator(1))
    of_all = TrueGeometry(torch.cdist(places, places)).spearman(near)
    monkeypatch.setattr(geometry, "_ALL_PAIRS_UP_TO", 10)
    assert many_tasks.sampled_spearman(near, places, "euclidean") == pytest.approx(of_all, abs=0.01)


def test_one_point_has_neither_a_rank_correlation_nor_a_lucky_neighbour() -> None:
    point = torch.ones(40, 3)
    assert torch.tensor(many_tasks.sampled_spearman(point, torch.rand(40, 2).double(), "euclidean")).isnan()
    found = scorecard._scores(Sinusoids(), Sinusoids().sample(40, 2, rng=generator(0)), point, point, "euclidean", None)
    assert found["recall@1"] == pytest.approx(1 / 40)


def test_purity_by_the_nearest_is_that_by_distances() -> None:
    places, groups = vectors(60), torch.randint(20, (60,), generator=generator(2))
    nearest = many_tasks.nearest_tasks(places, "euclidean", 1)[:, 0]
    assert many_tasks.purity_of(nearest, groups) == neighbour_purity(torch.cdist(places, places), groups)
    assert torch.tensor(many_tasks.purity_of(nearest, torch.arange(60))).isnan()


def test_a_score_of_ones_own_still_gets_its_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_tasks, "MANY", 0)
    asked: dict[str, Any] = {"steps": 1, "n_tasks": 20, "transfer_to": 0}
    assert "rows" not in evaluate("metric", "sinusoids", **asked).scores
    own = Score(
        name="rows",
        label="Rows",
        help="How many.",
        closing=True,
        function=lambda context: float(len(context.distances)),
    )
    monkeypatch.setitem(SCORES, "rows", own)
    assert evaluate("metric", "sinusoids", **asked).scores["rows"] == 20
