"""InfoNCE and the prototypical loss: plain loops, a library, cross-entropy, gradients, batches at the edge."""

from __future__ import annotations

import math

import pytest
import torch
from pytorch_metric_learning import losses as pml_losses
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import cross_entropy, normalize

from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.formulas.losses import info_nce_loss, prototypes, prototypical_loss
from tests import plain
from tests.test_distances import DEVICES, NAMES, random_rows

LABELS = [[0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 1], [4, 4, 4], [0, 1, 2, 0]]
EPISODE = ([3, 3, 8, 8, 5], [8, 3, 5, 3])  # classes of the support and of the query


@pytest.mark.parametrize("temperature", [0.2, 1.0])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("labels", LABELS)
def test_info_nce_equals_plain_loops(labels: list[int], name: str, temperature: float) -> None:
    points = random_rows(len(labels), 3, seed=len(labels))
    terms = plain.info_nce_terms(points.tolist(), labels, plain.DISTANCES[name], temperature)
    ours = {r: info_nce_loss(points, labels, temperature, name, r) for r in ("none", "sum", "mean")}
    assert ours["none"].tolist() == pytest.approx(terms)
    assert ours["sum"].item() == pytest.approx(math.fsum(terms))
    assert ours["mean"].item() == pytest.approx(math.fsum(terms) / len(terms))


def test_info_nce_equals_the_library_s_supervised_contrastive_loss() -> None:
    points, labels = random_rows(40, 6, dtype=torch.float32).requires_grad_(), torch.arange(40) % 5
    theirs, ours = pml_losses.SupConLoss(temperature=0.1)(points, labels), info_nce_loss(points, labels)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    expected, gradient = (torch.autograd.grad(total, points)[0] for total in (theirs, ours))
    assert torch.allclose(gradient, expected, rtol=1e-3, atol=1e-5)


def test_with_one_positive_each_it_is_the_cross_entropy_of_cosine_similarities() -> None:
    one, two = normalize(random_rows(8, 4, 1)), normalize(random_rows(8, 4, 2))
    points = torch.cat([one, two])
    scores = (points @ points.T / 0.1).fill_diagonal_(-math.inf)
    partner = torch.arange(16).roll(8)
    ours = info_nce_loss(points, torch.arange(8).repeat(2), temperature=0.1)
    assert ours.item() == pytest.approx(cross_entropy(scores, partner).item())


def test_info_nce_of_one_class_alone_is_the_log_of_its_size() -> None:
    collapsed = torch.ones(5, 3, dtype=torch.float64)
    assert info_nce_loss(collapsed, [1] * 5).item() == pytest.approx(math.log(4))


def test_info_nce_at_tiny_temperatures_stays_finite() -> None:
    points = random_rows(10, 3, dtype=torch.float32).requires_grad_()
    loss = info_nce_loss(points, torch.arange(10) % 3, temperature=1e-4, metric="euclidean")
    assert math.isfinite(loss.item())
    assert torch.isfinite(torch.autograd.grad(loss, points)[0]).all()


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("labels", [[0, 1, 2], [0], []])
def test_info_nce_without_a_positive_is_zero_and_so_is_its_gradient(labels: list[int], reduction: str) -> None:
    points = random_rows(len(labels), 3).requires_grad_()
    loss = info_nce_loss(points, labels, reduction=reduction)
    assert loss.item() == 0
    (gradient,) = torch.autograd.grad(loss, points)
    assert torch.equal(gradient, torch.zeros_like(points))
    assert info_nce_loss(points, labels, reduction="none").shape == (0,)


@pytest.mark.parametrize("name", NAMES)
def test_info_nce_gradients(name: str) -> None:
    points = random_rows(5, 2).requires_grad_()

    def loss(batch: torch.Tensor) -> torch.Tensor:
        return info_nce_loss(batch, [0, 0, 0, 1, 1], 0.7, name)

    assert gradcheck(loss, (points,))
    if name != "manhattan":  # PyTorch does not differentiate the matrix of Manhattan distances twice
        assert gradgradcheck(loss, (points,))
    collapsed = torch.ones(5, 2, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(collapsed), collapsed)
    assert torch.allclose(gradient, torch.zeros_like(collapsed), atol=1e-12)


def test_prototypes_are_the_means_of_the_classes() -> None:
    support, labels = random_rows(7, 3), torch.tensor([9, 2, 9, 2, 2, 5, 9])
    means, classes = prototypes(support, labels)
    assert classes.tolist() == [2, 5, 9]
    for mean, label in zip(means, classes, strict=True):
        assert torch.allclose(mean, support[labels == label].mean(0))


@pytest.mark.parametrize("name", NAMES)
def test_prototypical_equals_plain_loops(name: str) -> None:
    support, query = random_rows(5, 3, 1), random_rows(4, 3, 2)
    terms = plain.prototypical_terms(support.tolist(), EPISODE[0], query.tolist(), EPISODE[1], plain.DISTANCES[name])
    ours = {r: prototypical_loss(support, EPISODE[0], query, EPISODE[1], name, r) for r in ("none", "sum", "mean")}
    assert ours["none"].tolist() == pytest.approx(terms)
    assert ours["sum"].item() == pytest.approx(math.fsum(terms))
    assert ours["mean"].item() == pytest.approx(math.fsum(terms) / 4)


def test_prototypical_equals_torch_s_cross_entropy_of_minus_squared_distances() -> None:
    support, query = random_rows(20, 6, 1), random_rows(15, 6, 2)
    means = support.reshape(4, 5, 6).mean(1)
    target = torch.arange(15) % 4
    expected = cross_entropy(-pairwise_distances(query, means, "squared_euclidean"), target)
    ours = prototypical_loss(support, torch.arange(4).repeat_interleave(5), query, target)
    assert ours.item() == pytest.approx(expected.item())


def test_prototypical_at_chance_is_the_log_of_the_number_of_ways() -> None:
    everywhere_the_same = torch.ones(10, 3)
    loss = prototypical_loss(everywhere_the_same[:5], [0, 1, 2, 3, 4], everywhere_the_same, [0, 1] * 5)
    assert loss.item() == pytest.approx(math.log(5))


@pytest.mark.parametrize("name", NAMES)
def test_prototypical_gradients(name: str) -> None:
    support, query = random_rows(5, 2, 1).requires_grad_(), random_rows(4, 2, 2).requires_grad_()

    def loss(s: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return prototypical_loss(s, EPISODE[0], q, EPISODE[1], name)

    assert gradcheck(loss, (support, query))
    if name != "manhattan":
        assert gradgradcheck(loss, (support, query))
    at_its_prototype = torch.ones(9, 2, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(at_its_prototype[:5], at_its_prototype[5:]), at_its_prototype)
    assert torch.allclose(gradient, torch.zeros_like(gradient), atol=1e-12)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_prototypical_without_queries_is_zero(reduction: str) -> None:
    support = random_rows(5, 3).requires_grad_()
    loss = prototypical_loss(support, EPISODE[0], support[:0], [], reduction=reduction)
    assert loss.item() == 0
    assert torch.equal(torch.autograd.grad(loss, support)[0], torch.zeros_like(support))


def test_vmap_over_episodes() -> None:
    support, query = random_rows(15, 2, 1).reshape(3, 5, 2), random_rows(12, 2, 2).reshape(3, 4, 2)
    labels, targets = torch.tensor(EPISODE[0]), torch.tensor(EPISODE[1])
    each = torch.func.vmap(lambda s, q: prototypical_loss(s, labels, q, targets))(support, query)
    one_by_one = [prototypical_loss(s, labels, q, targets).item() for s, q in zip(support, query, strict=True)]
    assert each.tolist() == pytest.approx(one_by_one)


@pytest.mark.parametrize("device", DEVICES)
def test_dtype_and_device_are_kept(device: str) -> None:
    points, labels = random_rows(12, 3, dtype=torch.float32), torch.arange(12) % 3
    on_device, classes = points.to(device), labels.to(device)
    nce, expected = info_nce_loss(on_device, classes), info_nce_loss(points.double(), labels)
    assert (nce.dtype, nce.device.type) == (torch.float32, device)
    assert nce.item() == pytest.approx(expected.item(), rel=1e-5)
    episode = prototypical_loss(on_device[:6], classes[:6], on_device[6:], classes[6:])
    expected = prototypical_loss(points[:6].double(), labels[:6], points[6:].double(), labels[6:])
    assert (episode.dtype, episode.device.type) == (torch.float32, device)
    assert episode.item() == pytest.approx(expected.item(), rel=1e-5)
