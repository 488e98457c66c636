"""Retrieval and rank correlation against plain loops, scikit-learn and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr
from sklearn.neighbors import NearestNeighbors

from taskembed_edu.evaluation.geometry import (
    NeighbourChanges,
    TrueGeometry,
    _standardised_ranks,
    all_distances,
    distance_blocks,
)
from taskembed_edu.evaluation.scores import effective_dimension, mean_distance, recall_at_k
from taskembed_edu.formulas.distances import METRICS, pairwise_distances
from taskembed_edu.tasks import Digits, Gaussians, NumberWords, Sinusoids
from taskembed_edu.tasks.base import TaskFamily
from tests.plain import DISTANCES
from tests.runs import generator

NAMES_IN_SKLEARN = {
    "euclidean": "euclidean",
    "squared_euclidean": "sqeuclidean",
    "manhattan": "manhattan",
    "cosine": "cosine",
}


def two_views(n: int = 40, dim: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = generator(seed)
    gallery = torch.randn(n, dim, generator=rng, dtype=torch.float64)
    return gallery + 0.5 * torch.randn(n, dim, generator=rng, dtype=torch.float64), gallery


@pytest.mark.parametrize("metric", METRICS)
def test_recall_is_scikit_learns_nearest_neighbours(metric: str) -> None:
    queries, gallery = two_views()
    search = NearestNeighbors(metric=NAMES_IN_SKLEARN[metric], algorithm="brute").fit(gallery.numpy())
    ranked = search.kneighbors(queries.numpy(), n_neighbors=40, return_distance=False)
    got = recall_at_k(queries, gallery, ks=(1, 5, 40), metric=metric)
    for k in (1, 5, 40):
        assert got[k] == pytest.approx(np.mean([i in row[:k] for i, row in enumerate(ranked)]))
    assert 0.1 < got[1] < got[5] < got[40] == 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_recall_is_a_plain_loop(metric: str) -> None:
    queries, gallery = two_views(n=12, seed=1)
    d = DISTANCES[metric]
    rows, others = queries.tolist(), gallery.tolist()
    for k in (1, 3):
        found = sum(sum(d(rows[i], others[j]) < d(rows[i], others[i]) for j in range(12)) < k for i in range(12))
        assert recall_at_k(queries, gallery, ks=(k,), metric=metric) == {k: found / 12}


def test_many_tasks_are_searched_block_by_block() -> None:
    queries, gallery = two_views(n=300, dim=4)
    distances = torch.cdist(queries, gallery)
    nearer = (distances < distances.diagonal().unsqueeze(1)).sum(dim=1)
    assert len(list(distance_blocks(queries, gallery))) > 1
    assert recall_at_k(queries, gallery, ks=(1, 7)) == pytest.approx(
        {k: float((nearer < k).double().mean()) for k in (1, 7)}
    )


def test_who_searches_and_who_is_found() -> None:
    queries, gallery = torch.tensor([[0.0], [0.2], [10.0]]), torch.tensor([[0.0], [5.0], [0.3]])
    assert recall_at_k(queries, gallery, ks=(1, 2)) == {1: 1 / 3, 2: 2 / 3}
    assert recall_at_k(gallery, queries, ks=(1, 2)) == {1: 2 / 3, 2: 2 / 3}


def test_among_equals_chance_decides() -> None:
    assert recall_at_k(torch.ones(5, 2), torch.ones(5, 2), ks=(1, 2, 5)) == {1: 0.2, 2: 0.4, 5: 1.0}
    gallery = torch.tensor([[0.0], [0.0], [0.0], [9.0]])
    # The first three find themselves among three equals; the fourth stands alone.
    assert recall_at_k(gallery, gallery, ks=(1, 2, 3)) == pytest.approx({1: 0.5, 2: 0.75, 3: 1.0})


def test_what_recall_refuses() -> None:
    queries, gallery = two_views(5)
    with pytest.raises(ValueError, match=r"gallery: got a tensor of shape \(4, 3\).*queries' shape \(5, 3\)"):
        recall_at_k(queries, gallery[:4])
    for k in (0, 6):
        with pytest.raises(ValueError, match=f"k: got {k}, expected a number from 1 to 5"):
            recall_at_k(queries, gallery, ks=(k,))
    with pytest.raises(ValueError, match="metric: got 'cosin'"):
        recall_at_k(queries, gallery, metric="cosin")
    with pytest.raises(ValueError, match="NaN"):
        recall_at_k(queries * torch.nan, gallery)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(3))
def test_spearman_is_scipys(metric: str, seed: int) -> None:
    embedding, truth = two_views(20, seed=seed)
    true_distance = torch.cdist(truth, truth)
    d = DISTANCES[metric]
    rows = embedding.tolist()
    pairs = [(i, j) for i in range(20) for j in range(i + 1, 20)]
    expected = spearmanr(
        [d(rows[i], rows[j]) for i, j in pairs], [float(true_distance[i, j]) for i, j in pairs]
    ).statistic
    got = TrueGeometry(true_distance).spearman(embedding, metric)
    assert got == pytest.approx(float(expected), abs=1e-9)
    assert -1 <= got < 1


def test_spearman_with_ties_is_scipys() -> None:
    truth = torch.arange(8, dtype=torch.float64)[:, None] // 3
    embedding = torch.tensor([[0.0], [1.0], [1.0], [2.0], [2.0], [5.0], [5.0], [5.0]], dtype=torch.float64)
    above = np.triu_indices(8, k=1)
    ours, theirs = (torch.cdist(x, x).numpy()[above] for x in (embedding, truth))
    expected = float(spearmanr(ours.tolist(), theirs.tolist()).statistic)
    assert TrueGeometry(torch.cdist(truth, truth)).spearman(embedding) == pytest.approx(expected, abs=1e-12)


def test_spearman_at_its_ends() -> None:
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    geometry = TrueGeometry(torch.cdist(line, line))
    assert geometry.spearman(line**1 * 3 + 2) == 1.0
    backwards = TrueGeometry(10 - torch.cdist(line, line))
    assert backwards.spearman(line) == -1.0
    assert math.isnan(geometry.spearman(torch.zeros(4, 2)))


def test_what_geometry_refuses() -> None:
    with pytest.raises(ValueError, match=r"true_distance: got a tensor of shape \(2, 3\).*square"):
        TrueGeometry(torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"embedding: got a tensor of shape \(3, 2\).*expected 4 rows"):
        TrueGeometry(torch.zeros(4, 4)).spearman(torch.zeros(3, 2))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [1, 31, 200])
def test_distances_in_blocks_are_the_whole_matrix(metric: str, n: int) -> None:
    x, y = two_views(n, dim=40)
    blocks = list(distance_blocks(x, y, metric))
    assert [rows.start for rows, _ in blocks] == [0, *(rows.stop for rows, _ in blocks[:-1])]
    whole = torch.cat([block for _, block in blocks])
    torch.testing.assert_close(whole, pairwise_distances(x, y, metric=metric))
    assert len(blocks) == (1 if n < 200 else 7)
    square = all_distances(x.float(), metric)
    torch.testing.assert_close(square, pairwise_distances(x.float(), metric=metric), atol=1e-5, rtol=1e-5)
    assert not square.diagonal().any()


def test_the_mean_distance_by_hand() -> None:
    assert mean_distance(pairwise_distances(torch.tensor([[0.0], [1.0], [3.0]]))) == 2.0


def test_of_many_tasks_a_fixed_draw_of_pairs_tells_as_much() -> None:
    rng = generator()
    truth = torch.randn(1600, 2, generator=rng)
    embedding = truth + 0.5 * torch.randn(1600, 2, generator=rng)
    drawn, again = (TrueGeometry(torch.cdist(truth, truth)) for _ in range(2))
    assert len(drawn._ranks) == 2**19
    got = drawn.spearman(embedding)
    assert got == again.spearman(embedding)
    above = np.triu_indices(1600, k=1)
    ours, theirs = (torch.cdist(x, x).numpy()[above] for x in (embedding, truth))
    assert got == pytest.approx(float(spearmanr(ours, theirs).statistic), abs=0.003)


def test_ranks_are_scipys() -> None:
    values = torch.randint(0, 50, (300,), generator=generator()).float().numpy()
    expected = rankdata(values) - 150.5
    np.testing.assert_allclose(_standardised_ranks(values), expected / np.linalg.norm(expected), atol=1e-15)


def test_the_truly_nearest() -> None:
    line = torch.tensor([[0.0], [1.0], [3.0], [3.0], [9.0]])
    geometry = TrueGeometry(torch.cdist(line, line))
    assert geometry.nearest(1, k=3).tolist() == [0, 2, 3]
    assert geometry.nearest(3, k=1).tolist() == [2]  # a twin is near, the task itself is not asked
    for k in (0, 5):
        with pytest.raises(ValueError, match=f"k: got {k}, expected a number from 1 to 4"):
            geometry.nearest(0, k=k)


def tree(*branches: int) -> TrueGeometry:
    """Tasks in branches: 0 to itself, 1 within a branch, 3 to all others."""
    of = torch.tensor([branch for branch, size in enumerate(branches) for _ in range(size)])
    return TrueGeometry(torch.where(of[:, None] == of, 1.0, 3.0).fill_diagonal_(0.0))


def test_strangers_are_no_neighbours() -> None:
    geometry = tree(3, 2, 1, 2)
    assert geometry.nearest(0, k=2).tolist() == [1, 2]
    assert geometry.nearest(0, k=4).tolist() == [1, 2]
    assert geometry.nearest(3, k=5).tolist() == [4]
    assert geometry.nearest(5, k=5).tolist() == [], "a language with no relative has none"
    assert geometry.nearest(5, k=7).tolist() == [], "however many are asked for"
    assert geometry.nearest(3, k=5, without=(4,)).tolist() == [], "its only relative is left out"
    assert geometry.nearest(3, k=4, without=(0, 1)).tolist() == [4]
    assert tree(2).nearest(0, k=1).tolist() == [1], "one that is farther than all others is no stranger"


@pytest.mark.parametrize("family", [NumberWords(), Gaussians(), Sinusoids()], ids=lambda family: family.name)
@pytest.mark.parametrize("k", [1, 5, 11])
def test_the_truly_nearest_of_all_are_those_of_each(family: TaskFamily, k: int) -> None:
    distances = family.true_distance(family.sample(12, n_shot=2, rng=generator()))
    geometry = TrueGeometry(distances)
    for task, row in enumerate(geometry.nearest_of_all(k).tolist()):
        near = geometry.nearest(task, k).tolist()
        assert row.count(task) == k - len(near)
        assert row[len(near) :] == [task] * (k - len(near)), "the task itself stands where a neighbour is lacking"
        assert [float(distances[task, i]) for i in row[: len(near)]] == [float(distances[task, i]) for i in near]


@pytest.mark.parametrize("family", [Sinusoids(), Gaussians(), Digits()])
@given(seed=st.integers(0, 99), n=st.integers(3, 30), data=st.data())
@settings(max_examples=25, deadline=None)
def test_where_truth_is_continuous_the_truly_nearest_are_all_k_nearest(
    family: TaskFamily, seed: int, n: int, data: st.DataObject
) -> None:
    truth = family.true_distance(family.sample(n, rng=generator(seed)))
    k, task = data.draw(st.integers(1, n - 1)), data.draw(st.integers(0, n - 1))
    without = data.draw(st.sets(st.integers(0, n - 1).filter(lambda i: i != task), max_size=n - 2))
    geometry = TrueGeometry(truth)
    order = torch.argsort(truth[task], stable=True).tolist()
    expected = [i for i in order if i != task and i not in without][:k]
    assert geometry.nearest(task, k, without=without).tolist() == expected


@given(seed=st.integers(0, 999), n=st.integers(2, 40), dim=st.integers(1, 6), scale=st.floats(0.01, 100))
@settings(max_examples=40, deadline=None)
def test_the_effective_dimension_is_the_participation_ratio(seed: int, n: int, dim: int, scale: float) -> None:
    vectors = scale * torch.randn(n, dim, generator=generator(seed))
    variances = np.linalg.eigvalsh(np.cov(vectors.double().numpy().T).reshape(dim, dim))
    expected = variances.sum() ** 2 / (variances**2).sum()
    assert effective_dimension(vectors) == pytest.approx(expected, rel=1e-6)
    assert 1 - 1e-9 <= effective_dimension(vectors) <= min(dim, n - 1) + 1e-9


def test_the_effective_dimension_at_its_ends() -> None:
    assert effective_dimension(torch.full((5, 3), 7.3)) == 0.0
    with pytest.raises(ValueError, match="embedding: got a tensor of shape"):
        effective_dimension(torch.ones(3))
    with pytest.raises(ValueError, match="NaN"):
        effective_dimension(torch.full((3, 2), torch.nan))


def test_neighbours_lost_and_gained() -> None:
    changes = NeighbourChanges(np.array([[1, 2], [0, 2], [0, 1]]), np.array([[2, 1], [2, 3], [3, 4]]))
    assert changes.counts.tolist() == [0, 1, 2]
    assert changes.counts.dtype == np.uint8
    assert changes.share == 0.5
    assert [changes.lost(i).tolist() for i in range(3)] == [[], [0], [0, 1]]
    assert [changes.gained(i).tolist() for i in range(3)] == [[], [3], [3, 4]]
    with pytest.raises(ValueError, match=r"neighbours: got \(3, 2\) and \(3, 1\)"):
        NeighbourChanges(changes.before, changes.after[:, :1])
