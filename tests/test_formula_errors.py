"""Bad input to the formulas: every error names the argument, what came, what was expected, and the likely cause."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.formulas.distances import METRICS, cosine_similarity, euclidean_distance, pairwise_distances
from taskembed_edu.formulas.losses import (
    balanced_contrastive_loss,
    batch_triplet_loss,
    contrastive_loss,
    info_nce_loss,
    pairwise_contrastive_loss,
    prototypes,
    prototypical_loss,
    triplet_loss,
)

NAN, INF = float("nan"), float("inf")
A, B, C = torch.ones(4, 3), 2 * torch.ones(4, 3), 3 * torch.ones(4, 3)
A[:, 0], C[:, 0] = 5, 7
LABELS = [0, 0, 1, 1]
WITH_ZERO = torch.tensor([[1.0, 2], [3, 4], [0, 0]])

Call = Callable[[], Any]
WITH_METRIC: dict[str, Callable[..., Any]] = {
    "pairwise_distances": lambda **k: pairwise_distances(A, B, **k),
    "contrastive_loss": lambda **k: contrastive_loss(A, B, [1, 0, 1, 0], **k),
    "triplet_loss": lambda **k: triplet_loss(A, B, C, **k),
    "pairwise_contrastive_loss": lambda **k: pairwise_contrastive_loss(A, LABELS, **k),
    "balanced_contrastive_loss": lambda **k: balanced_contrastive_loss(A, LABELS, **k),
    "batch_triplet_loss": lambda **k: batch_triplet_loss(A, LABELS, **k),
    "info_nce_loss": lambda **k: info_nce_loss(A, LABELS, **k),
    "prototypical_loss": lambda **k: prototypical_loss(A, LABELS, B, LABELS, **k),
}
LOSSES = [name for name in WITH_METRIC if name.endswith("loss")]
WITH_MARGIN = [name for name in LOSSES if "contrastive" in name or "triplet" in name]


def refused(call: Call, message: str, error: type[Exception] = ValueError) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()


# ----------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize("name", WITH_METRIC)
def test_unknown_metric_names_the_nearest(name: str) -> None:
    call = WITH_METRIC[name]
    refused(lambda: call(metric="euclidian"), "metric: got 'euclidian', expected one of euclidean, squared_euclidean,")
    refused(lambda: call(metric="euclidian"), "Did you mean 'euclidean'?")
    refused(lambda: call(metric="cosin"), "Did you mean 'cosine'?")
    refused(lambda: call(metric=None), "metric: got None")


@pytest.mark.parametrize("name", [name for name in LOSSES if "balanced" not in name])  # a mean by its nature
def test_unknown_reduction_names_the_nearest(name: str) -> None:
    refused(lambda: WITH_METRIC[name](reduction="men"), "reduction: got 'men', expected one of sum, mean, none.")
    refused(lambda: WITH_METRIC[name](reduction="men"), "Did you mean 'mean'?")


def test_unknown_mining_names_the_nearest() -> None:
    refused(lambda: pairwise_contrastive_loss(A, LABELS, mining="semi-hard"), "expected one of all, hard.")
    refused(lambda: batch_triplet_loss(A, LABELS, mining="semihard"), "mining: got 'semihard', expected one of all,")
    refused(lambda: batch_triplet_loss(A, LABELS, mining="semihard"), "Did you mean 'semi-hard'?")


# ---------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize("name", WITH_MARGIN)
def test_margin_negative_or_beyond_the_metric(name: str) -> None:
    call = WITH_METRIC[name]
    refused(lambda: call(margin=-0.5), "margin: got -0.5, expected a number of at least 0. A margin is a distance.")
    refused(
        lambda: call(margin=2.5, metric="cosine"),
        "margin: got 2.5, expected a number from 0 to 2. A margin is a distance, and the cosine distance ends at 2.",
    )
    refused(lambda: call(margin=NAN), "margin: got nan")
    refused(lambda: call(margin=INF), "margin: got inf")
    refused(lambda: call(margin="1"), "expected a number. A margin is a distance.", TypeError)
    call(margin=2, metric="cosine")
    call(margin=0)


def test_temperature_must_be_above_zero() -> None:
    for bad in (0, 0.0):
        refused(partial(info_nce_loss, A, LABELS, bad), "temperature: got 0")
        refused(partial(info_nce_loss, A, LABELS, bad), "expected a number above 0. Distances are divided by")
    refused(lambda: info_nce_loss(A, LABELS, -1.0), "temperature: got -1.0, expected a number of at least 0.")


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize("metric", METRICS)
def test_nan_and_infinite_entries(metric: str, bad: float) -> None:
    broken = A.clone()
    broken[2, 1] = bad
    where = f"1 NaN or infinite of 12 entries (the first, {bad}, at (2, 1)), expected finite numbers only."
    distance = METRICS[metric].distance
    refused(lambda: distance(broken, B), f"x: got {where}")
    refused(lambda: distance(B, broken), f"y: got {where}")
    refused(lambda: pairwise_distances(broken, metric=metric), f"x: got {where}")
    refused(lambda: pairwise_distances(A, broken, metric), f"y: got {where}")
    refused(lambda: contrastive_loss(broken, B, 1, metric=metric), f"x1: got {where}")
    refused(lambda: contrastive_loss(A, broken, 1, metric=metric), f"x2: got {where}")
    refused(lambda: triplet_loss(A, B, broken, metric=metric), f"negative: got {where}")
    for loss in (pairwise_contrastive_loss, balanced_contrastive_loss, batch_triplet_loss, info_nce_loss):
        refused(partial(loss, broken, LABELS, metric=metric), f"embeddings: got {where}")
    refused(lambda: prototypical_loss(broken, LABELS, A, LABELS, metric=metric), f"support: got {where}")
    refused(lambda: prototypical_loss(A, LABELS, broken, LABELS, metric=metric), f"query: got {where}")


def test_zero_vectors_under_cosine_name_the_row() -> None:
    message = "got the zero vector at row 2, expected vectors of length above 0. The zero vector has no direction"
    refused(lambda: METRICS["cosine"].distance(WITH_ZERO, [1, 1]), f"x: {message}")
    refused(lambda: cosine_similarity([[1, 1]], WITH_ZERO), f"y: {message}")
    refused(lambda: pairwise_distances(WITH_ZERO, metric="cosine"), f"x: {message}")
    refused(lambda: pairwise_distances([[1, 1]], WITH_ZERO, metric="cosine"), f"y: {message}")
    refused(lambda: contrastive_loss(WITH_ZERO, [1, 1], 1, metric="cosine"), f"x1: {message}")
    refused(lambda: triplet_loss([1, 1], WITH_ZERO, [1, 1], metric="cosine"), f"positive: {message}")
    for loss in (pairwise_contrastive_loss, balanced_contrastive_loss, batch_triplet_loss, info_nce_loss):
        refused(partial(loss, WITH_ZERO, [0, 0, 1], metric="cosine"), f"embeddings: {message}")
    opposite = torch.tensor([[1.0, 0], [0, 1], [0, -1]])  # the mean of the second class is zero
    refused(
        lambda: prototypical_loss(opposite, [0, 1, 1], opposite, [0, 1, 1], metric="cosine"),
        "prototypes: got the zero vector at row 1",
    )
    refused(lambda: cosine_similarity([0, 0], [1, 1]), "x: got the zero vector, expected")
    refused(lambda: cosine_similarity(WITH_ZERO[None], [1, 1]), "x: got the zero vector at row (0, 2), expected")


@pytest.mark.parametrize("length", [1e-30, 1e30])
def test_lengths_that_single_precision_cannot_square_under_cosine(length: float) -> None:
    refused(lambda: cosine_similarity([[1, 1], [length, 0]], [1, 1]), "x: got a vector at row 1 whose squared length")
    in_double = cosine_similarity(torch.tensor([length, 0], dtype=torch.float64), [1, 1])
    assert in_double.item() == pytest.approx(0.5**0.5)


@pytest.mark.parametrize("metric", ["euclidean", "squared_euclidean", "manhattan"])
def test_zero_vectors_are_fine_elsewhere(metric: str) -> None:
    assert METRICS[metric].distance(WITH_ZERO[2], WITH_ZERO[2]) == 0
    assert torch.isfinite(pairwise_contrastive_loss(WITH_ZERO, [0, 0, 1], metric=metric))


# ----------------------------------------------------------------------------------------------------------- labels


@pytest.mark.parametrize("bad", [2, -1, 0.5, NAN])
def test_pair_labels_other_than_zero_and_one(bad: float) -> None:
    refused(
        lambda: contrastive_loss(A, B, [1, 0, bad, 1]),
        f"label: got {bad:g}, expected 1 for a similar pair and 0 for a different one. Classes of a batch go to",
    )
    refused(lambda: contrastive_loss(A, B, bad), f"label: got {bad:g}, expected 1 for a similar pair")


def test_label_shapes() -> None:
    refused(
        lambda: contrastive_loss(A, B, torch.ones(4, 1)),
        "label: got a tensor of shape (4, 1) and dtype float32, expected shape (4,): one label for each pair. "
        "A column broadcasts against a row: write label.squeeze(-1).",
    )
    refused(lambda: contrastive_loss(A, B, [1, 0, 1]), "label: got a tensor of shape (3,) and dtype int64, expected")
    refused(lambda: contrastive_loss([1, 2], [2, 3], [1, 0]), "expected shape (): one label for the one pair")
    refused(lambda: contrastive_loss(A, B, "similar"), "label: got 'similar', expected numbers", TypeError)


@pytest.mark.parametrize("loss", [pairwise_contrastive_loss, batch_triplet_loss, info_nce_loss])
def test_class_labels(loss: Callable[..., Any]) -> None:
    refused(
        lambda: loss(A, [0, 1]), "labels: got a tensor of shape (2,) and dtype int64, expected shape (4,): one class"
    )
    one_hot = torch.eye(4)
    refused(lambda: loss(A, one_hot), "One-hot labels become class numbers by .argmax(1).")
    refused(lambda: loss(A, [0, 1, NAN, 1]), "labels: got 1 NaN or infinite of 4 entries")
    refused(lambda: loss(A, ["a", "a", "b", "b"]), "labels: got ['a', 'a', 'b', 'b'], expected numbers", TypeError)


def test_episode_labels() -> None:
    refused(
        lambda: prototypical_loss(A, LABELS, B, [0, 1, 7, 1]),
        "query_labels: got class 7, expected classes of the support set (0, 1).",
    )
    refused(lambda: prototypical_loss(A, [0, 1], B, LABELS), "support_labels: got a tensor of shape (2,)")
    refused(lambda: prototypical_loss(A, LABELS, B, [0]), "expected shape (4,): one class for each row of query")
    refused(lambda: prototypical_loss(A[:0], [], B, LABELS), "support: got a tensor of shape (0, 3)")
    refused(lambda: prototypes(A, [0]), "support_labels: got a tensor of shape (1,)")


# ----------------------------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize("metric", METRICS)
def test_shapes_that_do_not_fit(metric: str) -> None:
    distance = METRICS[metric].distance
    refused(
        lambda: distance(A, torch.ones(4, 2)),
        "y: got a tensor of shape (4, 2) and dtype float32, expected vectors of 3 entries, like x of shape (4, 3).",
    )
    refused(lambda: distance(A, torch.ones(4, 1)), "y: got a tensor of shape (4, 1)")  # no silent broadcasting
    refused(
        lambda: distance(A, torch.ones(2, 3)),
        "y: got a tensor of shape (2, 3) and dtype float32, expected a shape that goes with x: (4, 3). "
        "Row is compared with row; pairwise_distances compares every row with every row.",
    )
    refused(
        lambda: distance(1.0, [2.0]),  # type: ignore[arg-type]
        "x: got the number 1, expected a vector. A single number is a vector of one",
    )
    refused(lambda: pairwise_distances([1, 2, 3], metric=metric), "x: got a tensor of shape (3,)")
    refused(lambda: pairwise_distances(A, A[None], metric), "y: got a tensor of shape (1, 4, 3)")


def test_loss_shapes_that_do_not_fit() -> None:
    refused(lambda: contrastive_loss(A, torch.ones(4, 2), 1), "x2: got a tensor of shape (4, 2)")
    refused(lambda: contrastive_loss(A, torch.ones(3, 3), 1), "x2: got a tensor of shape (3, 3)")
    refused(lambda: triplet_loss(A, B, torch.ones(2, 3)), "negative: got a tensor of shape (2, 3)")
    refused(lambda: triplet_loss(A[:1], B, torch.ones(2, 3)), "expected a shape that goes with anchor")
    refused(lambda: prototypical_loss(A, LABELS, torch.ones(4, 2), LABELS), "query: got a tensor of shape (4, 2)")
    for loss in (pairwise_contrastive_loss, balanced_contrastive_loss, batch_triplet_loss, info_nce_loss):
        refused(partial(loss, A[0], [0]), "embeddings: got a tensor of shape (3,)")
        refused(partial(loss, A[0], [0]), "One vector is a batch of one: write x[None].")
        refused(partial(loss, A[None], [0]), "embeddings.flatten(0, -2)")


@pytest.mark.parametrize("bad", ["words", [[1, 2], [3]], ["1", "2"], None, {"a": 1}, np.array([None])])
def test_what_is_no_array_of_numbers(bad: Any) -> None:
    refused(lambda: euclidean_distance(bad, [1.0]), "x: got ", TypeError)
    refused(lambda: euclidean_distance(bad, [1.0]), "a tensor, an array or a list of equal rows", TypeError)


def test_complex_numbers() -> None:
    refused(
        lambda: euclidean_distance(torch.ones(2, dtype=torch.complex64), [1, 1]), "expected real numbers", TypeError
    )


def test_two_devices() -> None:
    elsewhere = torch.ones(4, 3, device="meta")
    refused(
        lambda: euclidean_distance(A, elsewhere),
        "y: got a tensor on meta, expected one on cpu, like x. Bring them together: y.to(x.device).",
    )
