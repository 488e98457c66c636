"""One step (loss and gradient) of the losses over a labelled batch, beside pytorch-metric-learning's.

Before anything is timed, both must give the same value and the same gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from pytorch_metric_learning import distances as pml_distances
from pytorch_metric_learning import losses as pml_losses
from pytorch_metric_learning import reducers as pml_reducers

from benchmarks.table import Row, measure
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.formulas.losses import batch_triplet_loss, info_nce_loss, pairwise_contrastive_loss

REFERENCE = "pytorch-metric-learning"
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def rows() -> Iterator[Row]:
    """Contrastive steps at batch 1,024, the size that is asked about; then smaller ones, as a lab takes them."""
    contrastive = _library(pml_losses.ContrastiveLoss)
    for classes in (512, 32):
        # Scaled so that half of the different pairs lie inside the margin.
        batch, labels = _batch(n=1024, dim=64, classes=classes, scale=0.08)
        row = _step(
            f"all-pairs contrastive step, 1,024 points in {classes} classes, 64 dimensions",
            pairwise_contrastive_loss,
            lambda x, y: contrastive(x, y) / 2,  # theirs counts each pair twice
            batch,
            labels,
            asked=2.0,
        )
        yield row
    small, labels = _batch(n=128, dim=8, classes=64, scale=0.3)
    what = "128 points in 64 classes, 8 dimensions"
    triplet = _library(pml_losses.TripletMarginLoss, margin=1.0)
    yield _step(
        f"all-pairs contrastive step, {what}",
        pairwise_contrastive_loss,
        lambda x, y: contrastive(x, y) / 2,
        small,
        labels,
    )
    yield _step(f"all-triplets step, {what}", batch_triplet_loss, triplet, small, labels)
    yield _step(f"InfoNCE step, {what}", info_nce_loss, pml_losses.SupConLoss(temperature=0.1), small, labels)
    yield _near_pairs()


def _step(work: str, ours: Loss, theirs: Loss, batch: torch.Tensor, labels: torch.Tensor, asked: float = 0) -> Row:
    _assert_same(ours, theirs, batch, labels)
    seconds = measure(
        {
            "ours": lambda: _value_and_gradient(ours, batch, labels),
            "theirs": lambda: _value_and_gradient(theirs, batch, labels),
        }
    )
    row = Row(work, 1e3 * seconds["ours"], "ms", REFERENCE, 1e3 * seconds["theirs"])
    if not asked:
        return row
    reached = seconds["theirs"] / seconds["ours"] >= asked
    return Row(row.work, row.ours, row.unit, row.reference_name, row.reference, f"at least {asked:g}x", reached)


def _near_pairs() -> Row:
    """The largest relative error of the distance of near points: 1,024 points, each with one at about 0.001."""
    points, _ = _batch(n=1024, dim=64, classes=1, scale=1.0)
    near = points + 1e-3 / 8 * _batch(n=1024, dim=64, classes=1, scale=1.0, seed=1)[0]
    exact = torch.linalg.vector_norm(points.double() - near.double(), dim=1)

    def error(distances: torch.Tensor) -> float:
        return float(((distances.diagonal().double() - exact).abs() / exact).max())

    ours, theirs = error(pairwise_distances(points, near)), error(torch.cdist(points, near))
    work = "largest error of near distances (0.001 apart, 8 from the origin), float32"
    return Row(work, 100 * ours, "%", "torch.cdist", 100 * theirs)


def _batch(n: int, dim: int, classes: int, scale: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    points = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)) * scale
    return points, torch.arange(n) % classes


def _library(loss: Callable[..., Loss], **settings: float) -> Loss:
    """A loss of pytorch-metric-learning in this project's convention: plain Euclidean distances, summed."""
    distance = pml_distances.LpDistance(normalize_embeddings=False)
    return loss(distance=distance, reducer=pml_reducers.SumReducer(), **settings)


def _value_and_gradient(loss: Loss, batch: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    points = batch.detach().requires_grad_()
    value = loss(points, labels)
    value.backward()
    assert points.grad is not None
    return value.detach(), points.grad


def _assert_same(ours: Loss, theirs: Loss, batch: torch.Tensor, labels: torch.Tensor) -> None:
    """The gradients to a thousandth of their largest entry: a pair right at the margin may count for only one of us."""
    value, gradient = _value_and_gradient(ours, batch, labels)
    expected, expected_gradient = _value_and_gradient(theirs, batch, labels)
    torch.testing.assert_close(value, expected, rtol=1e-5, atol=0)
    largest = float(expected_gradient.abs().max())
    torch.testing.assert_close(gradient, expected_gradient, rtol=0, atol=1e-3 * largest)
