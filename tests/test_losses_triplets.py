"""Triplet losses: the course's points, plain loops, torch and a library, gradients, batches at the edge."""

from __future__ import annotations

import math

import pytest
import torch
from pytorch_metric_learning import distances as pml_distances
from pytorch_metric_learning import losses as pml_losses
from pytorch_metric_learning import reducers as pml_reducers
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import normalize, triplet_margin_with_distance_loss

from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.formulas.losses import batch_triplet_loss, triplet_loss
from tests import plain
from tests.test_distances import DEVICES, NAMES, random_rows

COURSE = torch.tensor([[1.0, 2, 3], [2, 3, 4], [4, 5, 6]], dtype=torch.float64)
LABELS = [[0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 1], [0, 0, 0], [0, 1, 2], [0], []]
MINING = ["all", "hard", "semi-hard"]


def chosen_triplets(
    mining: str, rows: list[list[float]], labels: list[int], distance: plain.Distance, margin: float
) -> list[tuple[int, int, int]]:
    if mining == "all":
        return plain.triplets(labels)
    if mining == "hard":
        return plain.hard_triplets(rows, labels, distance)
    return plain.semi_hard_triplets(rows, labels, distance, margin)


def test_the_course_points_in_three_conventions() -> None:
    anchor, positive, negative = COURSE
    assert triplet_loss(anchor, positive, negative).item() == 0
    assert triplet_loss(*normalize(COURSE)).item() == pytest.approx(0.896545, abs=1e-6)
    assert triplet_loss(anchor, positive, negative, metric="cosine").item() == pytest.approx(0.982049, abs=1e-6)
    assert triplet_loss(anchor, positive, negative, margin=4.0).item() == pytest.approx(4 - 2 * math.sqrt(3))


@pytest.mark.parametrize("name", NAMES)
def test_triplets_equal_plain_loops_and_torch(name: str) -> None:
    anchor, positive, negative = (random_rows(30, 4, seed) for seed in (1, 2, 3))
    d = plain.DISTANCES[name]
    rows = zip(anchor.tolist(), positive.tolist(), negative.tolist(), strict=True)
    terms = [max(0.0, d(a, p) - d(a, n) + 0.7) for a, p, n in rows]
    ours = {r: triplet_loss(anchor, positive, negative, 0.7, name, r) for r in ("none", "sum", "mean")}
    assert ours["none"].tolist() == pytest.approx(terms)
    assert ours["sum"].item() == pytest.approx(math.fsum(terms))
    assert ours["mean"].item() == pytest.approx(math.fsum(terms) / 30)
    theirs = triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=METRICS[name].distance, margin=0.7
    )
    assert ours["mean"].item() == pytest.approx(theirs.item())


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("labels", LABELS)
def test_a_batch_equals_plain_loops(labels: list[int], name: str, mining: str) -> None:
    points = random_rows(len(labels), 3, seed=len(labels))
    rows, d = points.tolist(), plain.DISTANCES[name]
    chosen = chosen_triplets(mining, rows, labels, d, 0.8)
    terms = [max(0.0, d(rows[a], rows[p]) - d(rows[a], rows[n]) + 0.8) for a, p, n in chosen]
    ours = {r: batch_triplet_loss(points, labels, 0.8, name, mining, r) for r in ("none", "sum", "mean")}
    assert ours["none"].tolist() == pytest.approx(terms)
    assert ours["sum"].item() == pytest.approx(math.fsum(terms))
    assert ours["mean"].item() == pytest.approx(math.fsum(terms) / max(len(terms), 1))


def test_the_plain_loops_meet_semi_hard_triplets() -> None:
    """So that the comparison above compares something."""
    rows = random_rows(6, 3, seed=6).tolist()
    assert plain.semi_hard_triplets(rows, [0, 0, 0, 1, 1, 1], plain.euclidean, 0.8)


@pytest.mark.parametrize("classes", [3, 40])
def test_value_and_gradient_equal_the_library_s(classes: int) -> None:
    points, labels = random_rows(80, 8, dtype=torch.float32).requires_grad_(), torch.arange(80) % classes
    library = pml_losses.TripletMarginLoss(
        margin=1.0,
        distance=pml_distances.LpDistance(normalize_embeddings=False),
        reducer=pml_reducers.SumReducer(),
    )
    theirs, ours = library(points, labels), batch_triplet_loss(points, labels)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    expected, gradient = (torch.autograd.grad(total, points)[0] for total in (theirs, ours))
    assert torch.allclose(gradient, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_against_finite_differences(name: str) -> None:
    rows = tuple(random_rows(3, 2, seed).requires_grad_() for seed in (1, 2, 3))

    def loss(anchor: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor) -> torch.Tensor:
        return triplet_loss(anchor, positive, negative, 1.5, name)

    assert gradcheck(loss, rows)
    assert gradgradcheck(loss, rows)


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("name", NAMES)
def test_batch_gradients_against_finite_differences(name: str, mining: str) -> None:
    points = random_rows(5, 2, seed=1).requires_grad_()

    def loss(batch: torch.Tensor) -> torch.Tensor:
        return batch_triplet_loss(batch, [0, 0, 0, 1, 1], 1.5, name, mining, "mean")

    assert loss(points) > 0
    assert gradcheck(loss, (points,))
    if name != "manhattan":  # PyTorch does not differentiate the matrix of Manhattan distances twice
        assert gradgradcheck(loss, (points,))


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("name", NAMES)
def test_a_collapsed_batch_has_a_finite_gradient(name: str, mining: str) -> None:
    points = torch.ones(6, 3, requires_grad=True)
    loss = batch_triplet_loss(points, [0, 0, 0, 1, 1, 1], metric=name, mining=mining)
    n_triplets = {"all": 6 * 2 * 3, "hard": 6, "semi-hard": 0}[mining]  # none is farther than the positive
    assert loss.item() == n_triplets
    (gradient,) = torch.autograd.grad(loss, points)
    assert torch.equal(gradient, torch.zeros(6, 3))
    (gradient,) = torch.autograd.grad(triplet_loss(points, points, points, metric=name), points)
    assert torch.equal(gradient, torch.zeros(6, 3))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("labels", [[7, 7, 7], [0, 1, 2], [0], []])
def test_without_any_triplet_the_loss_is_zero_and_so_is_its_gradient(
    labels: list[int], mining: str, reduction: str
) -> None:
    points = random_rows(len(labels), 3).requires_grad_()
    loss = batch_triplet_loss(points, labels, mining=mining, reduction=reduction)
    assert loss.item() == 0
    (gradient,) = torch.autograd.grad(loss, points)
    assert torch.equal(gradient, torch.zeros_like(points))


def test_semi_hard_lies_between_nothing_and_all() -> None:
    points, labels = random_rows(30, 3), torch.arange(30) % 4
    terms = {m: batch_triplet_loss(points, labels, 0.5, mining=m, reduction="none") for m in MINING}
    assert ((terms["semi-hard"] > 0) & (terms["semi-hard"] < 0.5)).all()
    assert 0 < len(terms["semi-hard"]) < len(terms["all"])
    assert len(terms["hard"]) == 30
    assert terms["hard"].mean() > terms["all"].mean()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mining", MINING)
def test_device_is_kept(mining: str, device: str) -> None:
    points, labels = random_rows(20, 3, dtype=torch.float32), torch.arange(20) % 4
    ours = batch_triplet_loss(points.to(device), labels.to(device), mining=mining)
    assert ours.device.type == device
    assert ours.item() == pytest.approx(batch_triplet_loss(points.double(), labels, mining=mining).item(), rel=1e-5)
