"""Numbers that do not fit a type: half precision, squares beyond the largest number, means of sums that overflow.

Right values were worked out by plain loops in double precision, or on paper.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest
import torch

from taskembed_edu import (
    BatchTripletLoss,
    balanced_contrastive_loss,
    batch_triplet_loss,
    contrastive_loss,
    info_nce_loss,
    pairwise_contrastive_loss,
    pairwise_distances,
    prototypical_loss,
    triplet_loss,
)
from taskembed_edu.evaluation.geometry import TrueGeometry, all_distances
from taskembed_edu.evaluation.scores import effective_dimension, recall_at_k
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.projection.neighbours import nearest_tasks
from taskembed_edu.projection.quality import trustworthiness
from tests.plain import DISTANCES
from tests.runs import generator

HALF = [torch.float16, torch.bfloat16]
BATCH_LOSSES = [
    pairwise_contrastive_loss,
    balanced_contrastive_loss,
    batch_triplet_loss,
    info_nce_loss,
]


def rows(n: int, dim: int, size: float = 1.0, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, dim, generator=generator(seed)) * size


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", HALF)
def test_far_points_in_half_precision_are_far(metric: str, dtype: torch.dtype) -> None:
    x = torch.tensor([[300.0], [1.0]], dtype=dtype)
    expected = DISTANCES[metric]([300.0], [1.0])
    assert float(pairwise_distances(x, metric=metric)[0, 1]) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert float(METRICS[metric].distance(x[0], x[1])) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", HALF)
def test_scores_of_half_precision_are_those_of_its_numbers(metric: str, dtype: torch.dtype) -> None:
    x = rows(6, 512, 8).to(dtype)
    assert recall_at_k(x, x, metric=metric) == {1: 1.0, 5: 1.0}
    geometry = TrueGeometry(pairwise_distances(x.double(), metric=metric))
    assert geometry.spearman(x, metric) == 1.0
    assert effective_dimension(x) == pytest.approx(effective_dimension(x.double()))
    assert torch.equal(nearest_tasks(x, 3, metric)[1], nearest_tasks(x.double(), 3, metric)[1])


@pytest.mark.parametrize("loss", BATCH_LOSSES)
@pytest.mark.parametrize("dtype", HALF)
def test_losses_of_half_precision_are_those_of_its_numbers(loss: object, dtype: torch.dtype) -> None:
    assert callable(loss)
    x, labels = rows(128, 4).to(dtype), torch.arange(128) % 8
    options = {"reduction": "mean"} if "reduction" in inspect.signature(loss).parameters else {}
    assert float(loss(x, labels, **options)) == pytest.approx(float(loss(x.double(), labels, **options)), rel=1e-4)
    wanted = x.clone().requires_grad_()
    loss(wanted, labels, **options).backward()
    assert wanted.grad is not None
    assert wanted.grad.dtype == dtype
    assert bool(wanted.grad.isfinite().all())


def test_a_mean_fits_although_its_sum_does_not() -> None:
    torch.manual_seed(0)
    x = torch.randn(128, 4).half()
    assert float(BatchTripletLoss(reduction="mean")(x, torch.arange(128) % 8)) == pytest.approx(1.149, abs=5e-4)


def test_hard_triplets_of_half_precision() -> None:
    x, labels = rows(6, 512, 8), torch.tensor([0, 0, 1, 1, 2, 2])
    ours = batch_triplet_loss(x.half(), labels, mining="hard", reduction="mean")
    distances = torch.cdist(x.half().double(), x.half().double())
    apart = labels[:, None] != labels
    near, far = distances.masked_fill(~apart, math.inf).amin(1), distances.masked_fill(apart, 0).amax(1)
    assert float(ours) == pytest.approx(float((far - near + 1).relu().mean()), rel=1e-4)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
def test_a_different_pair_farther_than_any_number_costs_nothing(squared: bool, reduction: str) -> None:
    x = torch.tensor([[1e20], [0.0]], requires_grad=True)
    options: dict[str, Any] = {"squared": squared, "reduction": reduction}
    for loss in (contrastive_loss(x[:1], x[1:], [0], **options), pairwise_contrastive_loss(x, [0, 1], **options)):
        assert loss.sum().item() == 0.0
        (grad,) = torch.autograd.grad(loss.sum(), x)
        assert grad.tolist() == [[0.0], [0.0]]
    assert balanced_contrastive_loss(x, [0, 1], squared=squared).item() == 0.0
    assert float(triplet_loss([0.0], [1.0], [1e20])) == 0.0


def test_a_similar_pair_farther_than_any_square_keeps_its_distance() -> None:
    x = torch.tensor([[1e20], [0.0]], requires_grad=True)
    loss = pairwise_contrastive_loss(x, [0, 0])
    loss.backward()
    assert loss.item() == pytest.approx(1e20, rel=1e-6)
    assert x.grad is not None
    assert x.grad.tolist() == [[1.0], [-1.0]]


@pytest.mark.parametrize("dim", [1, 300])
def test_a_square_that_does_not_fit_is_infinite_and_not_zero(dim: int) -> None:
    x = torch.zeros(40, dim)
    x[0, 0] = 1e20
    assert math.isinf(pairwise_distances(x, metric="squared_euclidean")[0, 1])
    assert float(pairwise_distances(x)[0, 1]) == pytest.approx(1e20, rel=1e-6)
    assert float(METRICS["euclidean"].distance(x[0], x[1])) == pytest.approx(1e20, rel=1e-6)
    assert float(pairwise_distances(x)[1, 2]) == 0.0


@pytest.mark.parametrize("size", [1e-25, 1e25])
@pytest.mark.parametrize("loss", [pairwise_contrastive_loss, balanced_contrastive_loss, batch_triplet_loss])
def test_losses_scale_with_their_points(loss: object, size: float) -> None:
    assert callable(loss)
    x, labels = rows(6, 3), torch.tensor([0, 0, 1, 1, 2, 2])
    expected = float(loss(x.double() * size, labels, margin=size))
    assert float(loss(x * size, labels, margin=size)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("squared", [False, True])
def test_double_precision_ends_where_it_ends(squared: bool) -> None:
    x = torch.tensor([[1e200], [0.0]], dtype=torch.float64)
    assert float(pairwise_contrastive_loss(x, [0, 1], squared=squared)) == 0.0
    assert float(balanced_contrastive_loss(x, [0, 1], squared=squared)) == 0.0


def test_a_mean_of_support_is_not_rounded_by_autocast() -> None:
    support, labels = torch.tensor([[1000.0], [1002], [1004], [1006], [1008], [1010]]), [0, 0, 0, 1, 1, 1]
    with torch.autocast("cpu", torch.bfloat16):
        ours = prototypical_loss(support, labels, torch.tensor([[1005.0]]), [0])
    assert float(ours) == pytest.approx(math.log(2), rel=1e-6)


@pytest.mark.parametrize("loss", BATCH_LOSSES)
def test_losses_are_the_same_under_autocast(loss: object) -> None:
    assert callable(loss)
    x, labels = rows(40, 3, 100), torch.arange(40) % 4
    with torch.autocast("cpu", torch.bfloat16):
        ours = loss(x, labels)
    assert torch.equal(ours, loss(x, labels))


@pytest.mark.parametrize("metric", METRICS)
def test_distances_between_counts_are_no_counts(metric: str) -> None:
    x = torch.tensor([[1, 2], [1, 1], [0, 3], [5, 1]])
    geometry = TrueGeometry(pairwise_distances(x.double(), metric=metric))
    assert geometry.spearman(x, metric) == 1.0
    assert all_distances(x, metric).is_floating_point()


def test_two_tasks_are_each_others_only_neighbours() -> None:
    x = torch.tensor([[0.0], [1.0]])
    assert trustworthiness(x, x.expand(2, 2).numpy()) == 1.0


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own, in forward mode
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("loss", BATCH_LOSSES)
def test_transforms_of_torch_see_through_every_loss(loss: object, metric: str) -> None:
    assert callable(loss)
    labels = torch.tensor([0, 0, 1, 1])
    x = torch.randn(4, 2, dtype=torch.float64, generator=generator())

    def of(embeddings: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = loss(embeddings, labels, metric=metric)
        return value

    reverse = torch.func.jacrev(of)(x)
    assert torch.allclose(torch.func.jacfwd(of)(x), reverse, rtol=1e-10)
    assert torch.allclose(torch.func.hessian(of)(x), torch.func.jacrev(torch.func.jacrev(of))(x), rtol=1e-10)
    wanted = x.clone().requires_grad_()
    of(wanted).backward()
    assert wanted.grad is not None
    assert torch.allclose(wanted.grad, reverse, rtol=1e-10)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        tangent = torch.autograd.forward_ad.unpack_dual(of(dual)).tangent
    assert tangent is not None
    assert torch.allclose(tangent, reverse.sum(), atol=1e-10)
