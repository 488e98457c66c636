"""Which pairs and triplets count: against plain loops, against pytorch-metric-learning's miners, and at the edges."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning import distances as pml_distances
from pytorch_metric_learning import miners

from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.formulas.mining import (
    PAIR_MINING,
    TRIPLET_MINING,
    all_pairs,
    all_triplets,
    hard_pairs,
    hard_triplets,
    select_pairs,
    select_triplets,
    semi_hard_triplets,
)
from tests import plain
from tests.test_distances import random_rows

LABELS = st.lists(st.integers(0, 3), max_size=9)
SOME_LABELS = [[0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 2, 0], [0, 0, 0], [0, 1, 2], [0], []]
quick = settings(deadline=None, max_examples=60)


def as_tuples(indices: tuple[torch.Tensor, ...]) -> list[tuple[int, ...]]:
    return [tuple(row) for row in torch.stack(indices, 1).tolist()]


def true_pairs(mask: torch.Tensor) -> list[tuple[int, int]]:
    return [(i, j) for i, j in mask.nonzero().tolist()]


@quick
@given(labels=LABELS)
def test_all_pairs_are_every_unordered_pair_once(labels: list[int]) -> None:
    positives, negatives = all_pairs(torch.tensor(labels, dtype=torch.long))
    expected = plain.pairs(labels)
    assert true_pairs(positives) == [(i, j) for i, j in expected if labels[i] == labels[j]]
    assert true_pairs(negatives) == [(i, j) for i, j in expected if labels[i] != labels[j]]


@quick
@given(labels=LABELS)
def test_all_triplets_equal_plain_loops(labels: list[int]) -> None:
    assert as_tuples(all_triplets(torch.tensor(labels, dtype=torch.long))) == plain.triplets(labels)


@pytest.mark.parametrize("labels", SOME_LABELS)
@pytest.mark.parametrize("seed", range(5))
def test_hard_and_semi_hard_equal_plain_loops(labels: list[int], seed: int) -> None:
    points = random_rows(len(labels), 2, seed)
    distances, rows = pairwise_distances(points), points.tolist()
    tensor = torch.tensor(labels, dtype=torch.long)
    positives, negatives = hard_pairs(distances, tensor)
    assert true_pairs(positives | negatives) == plain.hard_pairs(rows, labels, plain.euclidean)
    assert all(labels[i] == labels[j] for i, j in true_pairs(positives))
    assert all(labels[i] != labels[j] for i, j in true_pairs(negatives))
    assert as_tuples(hard_triplets(distances, tensor)) == plain.hard_triplets(rows, labels, plain.euclidean)
    for margin in (0.0, 0.3, 2.0):
        expected = plain.semi_hard_triplets(rows, labels, plain.euclidean, margin)
        assert as_tuples(semi_hard_triplets(distances, tensor, margin)) == expected


def test_hard_triplets_equal_the_batch_hard_miner() -> None:
    points, labels = random_rows(40, 3), torch.arange(40) % 6
    miner = miners.BatchHardMiner(distance=pml_distances.LpDistance(normalize_embeddings=False))
    assert set(as_tuples(hard_triplets(pairwise_distances(points), labels))) == set(as_tuples(miner(points, labels)))


def test_semi_hard_triplets_are_the_nearest_of_the_library_s() -> None:
    points, labels, margin = random_rows(40, 3), torch.arange(40) % 6, 0.2
    distance = pml_distances.LpDistance(normalize_embeddings=False)
    miner = miners.TripletMarginMiner(margin=margin, type_of_triplets="semihard", distance=distance)
    nearest: dict[tuple[int, int], int] = {}
    matrix = pairwise_distances(points)
    for a, p, n in as_tuples(miner(points, labels)):
        if (a, p) not in nearest or matrix[a, n] < matrix[a, nearest[a, p]]:
            nearest[a, p] = n
    ours = {(a, p): n for a, p, n in as_tuples(semi_hard_triplets(matrix, labels, margin))}
    assert ours == nearest
    assert len(ours) > 20


def test_of_equals_the_first_is_taken() -> None:
    points = torch.tensor([[0.0], [1.0], [-1.0], [2.0], [-2.0]])
    assert as_tuples(hard_triplets(pairwise_distances(points), [0, 0, 0, 1, 1]))[0] == (0, 1, 3)


def test_coincident_points_are_still_pairs_of_two() -> None:
    distances = torch.zeros(4, 4)
    anchors, positives, negatives = hard_triplets(distances, [0, 0, 1, 1])
    assert (anchors != positives).all()
    assert as_tuples((anchors, positives, negatives)) == [(0, 1, 2), (1, 0, 2), (2, 3, 0), (3, 2, 0)]


def test_the_names_choose() -> None:
    points, labels = random_rows(10, 2), torch.arange(10) % 3
    distances = pairwise_distances(points.requires_grad_())
    chosen = {name: select_pairs(name, distances, labels) for name in PAIR_MINING}
    assert torch.equal(torch.stack(chosen["all"]), torch.stack(all_pairs(labels)))
    assert torch.equal(torch.stack(chosen["hard"]), torch.stack(hard_pairs(distances, labels)))
    triplets = {name: as_tuples(select_triplets(name, distances, labels, 0.5)) for name in TRIPLET_MINING}
    assert triplets["all"] == as_tuples(all_triplets(labels))
    assert triplets["hard"] == as_tuples(hard_triplets(distances, labels))
    assert triplets["semi-hard"] == as_tuples(semi_hard_triplets(distances, labels, 0.5))


def test_unknown_names_and_shapes_are_named() -> None:
    distances, labels = torch.zeros(3, 3), torch.tensor([0, 0, 1])
    with pytest.raises(ValueError, match=r"mining: got 'semi-hard', expected one of all, hard\."):
        select_pairs("semi-hard", distances, labels)
    with pytest.raises(ValueError, match=r"mining: got 'semihard'.*Did you mean 'semi-hard'\?"):
        select_triplets("semihard", distances, labels, 1.0)
    with pytest.raises(ValueError, match=r"distances: got a tensor of shape \(3, 2\).*expected a square matrix"):
        hard_triplets(torch.zeros(3, 2), labels)
    with pytest.raises(ValueError, match=r"labels: got a tensor of shape \(2,\).*expected shape \(3,\)"):
        hard_pairs(distances, [0, 1])
    with pytest.raises(ValueError, match=r"labels: got a tensor of shape \(3, 1\)"):
        all_triplets([[0], [0], [1]])
