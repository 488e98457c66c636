"""Task2Vec's distances: against scipy, by their properties, and with words for what no Fisher vector is."""

from __future__ import annotations

import pytest
import torch
from scipy.spatial.distance import cosine
from torch import Tensor

import taskembed_edu
from taskembed_edu.formulas import task2vec
from taskembed_edu.formulas.task2vec import asymmetric_task2vec_distance, pairwise_task2vec_distances, task2vec_distance
from tests.runs import generator


def fishers(n: int = 12, dim: int = 7, seed: int = 0) -> Tensor:
    """Positive numbers over six orders of magnitude, as Fisher information has."""
    return (3 * torch.randn(n, dim, generator=generator(seed), dtype=torch.float64)).exp()


def by_scipy(fa: Tensor, fb: Tensor) -> float:
    a, b = fa.numpy(), fb.numpy()
    return float(cosine(a / (a + b), b / (a + b)))


def test_worked_numbers() -> None:
    assert float(task2vec_distance([1, 2, 3], [2, 3, 4])) == pytest.approx(0.0140297, abs=1e-6)
    asymmetric = asymmetric_task2vec_distance([1, 2, 3], [2, 3, 4], [1, 1, 1])
    assert float(asymmetric) == pytest.approx(0.0140297 - 0.15 * 0.0958939, abs=1e-6)
    assert float(task2vec_distance([1, 0], [0, 1])) == 1.0
    assert taskembed_edu.task2vec_distance is task2vec_distance


def test_against_scipy() -> None:
    one, other = fishers(), fishers(9, seed=1)
    expected = torch.tensor([[by_scipy(a, b) for b in other] for a in one], dtype=torch.float64)
    torch.testing.assert_close(pairwise_task2vec_distances(one, other), expected)
    torch.testing.assert_close(task2vec_distance(one[:9], other), expected[:9].diagonal())
    trivial = torch.ones(7, dtype=torch.float64)
    trivially = torch.tensor([by_scipy(a, trivial) for a in one[:9]], dtype=torch.float64)
    torch.testing.assert_close(
        asymmetric_task2vec_distance(one[:9], other, trivial, alpha=0.4), expected[:9].diagonal() - 0.4 * trivially
    )


def test_symmetric_bounded_and_blind_to_one_scale() -> None:
    f, g = fishers(), fishers(seed=1)
    d = task2vec_distance(f, g)
    assert bool(((d > 0) & (d <= 1)).all())
    torch.testing.assert_close(task2vec_distance(g, f), d)
    torch.testing.assert_close(task2vec_distance(1e-6 * f, 1e-6 * g), d)
    assert float(task2vec_distance(f, f).max()) == 0
    assert float(task2vec_distance(f, 10 * f).max()) < 1e-12


def test_the_asymmetric_one_prefers_the_task_that_had_more_to_teach() -> None:
    simple, rich, other = [1.0, 1.0, 1.1], [1.0, 20.0, 400.0], [1.0, 5.0, 20.0]
    ones = torch.ones(3)
    gain = [float(task2vec_distance(a, other) - asymmetric_task2vec_distance(a, other, ones)) for a in (simple, rich)]
    assert 0 <= gain[0] < gain[1] <= 0.15
    assert float(asymmetric_task2vec_distance(rich, rich, ones)) < 0
    assert float(asymmetric_task2vec_distance(rich, other, ones, alpha=0)) == float(task2vec_distance(rich, other))


def test_entries_that_matter_to_neither_task_do_not_count() -> None:
    f, g = torch.tensor([1.0, 0.0, 3.0, 0.0]), torch.tensor([2.0, 0.0, 1.0, 5.0])
    keep = torch.tensor([0, 2, 3])
    torch.testing.assert_close(task2vec_distance(f, g), task2vec_distance(f[keep], g[keep]))
    gradient = torch.func.grad(lambda fisher: task2vec_distance(fisher, g))(f)
    assert bool(gradient.isfinite().all())


def test_a_tiny_task_keeps_its_digits() -> None:
    f, g = fishers().float(), fishers(seed=1).float()
    torch.testing.assert_close(
        task2vec_distance(1e-25 * f, g), task2vec_distance(1e-25 * f.double(), g.double()).float(), atol=1e-5, rtol=1e-3
    )


def test_blocks_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    f = fishers(20).float()
    whole = pairwise_task2vec_distances(f)
    assert whole.dtype == torch.float32
    assert bool((whole.diagonal() == 0).all())
    torch.testing.assert_close(whole, whole.T)
    monkeypatch.setattr(task2vec, "_BLOCK", 3 * f.numel())
    torch.testing.assert_close(pairwise_task2vec_distances(f), whole)


def test_what_is_no_fisher_vector_is_named() -> None:
    with pytest.raises(ValueError, match=r"fb: got -2 at \(1,\), expected no negative entries.*mean of squares"):
        task2vec_distance([1, 2], [1, -2])
    with pytest.raises(ValueError, match=r"fa: got the zero vector at row 1, expected at least one entry above 0"):
        pairwise_task2vec_distances([[1, 2], [0, 0]])
    with pytest.raises(ValueError, match=r"fa: got the zero vector, expected"):
        task2vec_distance([0, 0], [1, 2])
    with pytest.raises(ValueError, match="trivial: got the zero vector"):
        asymmetric_task2vec_distance([1, 2], [1, 2], [0, 0])
    with pytest.raises(ValueError, match=r"alpha: got -1.*difficult task"):
        asymmetric_task2vec_distance([1, 2], [1, 2], [1, 1], alpha=-1)
    with pytest.raises(ValueError, match="fb: got"):
        task2vec_distance([1, 2], [1, 2, 3])
