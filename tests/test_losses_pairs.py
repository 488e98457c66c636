"""Contrastive losses: the course's numbers in every convention, plain loops, a library, gradients, edges."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning import distances as pml_distances
from pytorch_metric_learning import losses as pml_losses
from pytorch_metric_learning import reducers as pml_reducers
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import normalize

from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.formulas.losses import balanced_contrastive_loss, contrastive_loss, pairwise_contrastive_loss
from taskembed_edu.formulas.losses.all_pairs import ROWS
from tests import plain
from tests.test_distances import DEVICES, NAMES, random_rows

X, SIMILAR, DIFFERENT = torch.tensor([[1.0, 2, 3], [2, 3, 4], [4, 5, 6]], dtype=torch.float64)
EXAMPLE = (torch.stack([X, X]), torch.stack([SIMILAR, DIFFERENT]), [1, 0])
LABELS = [[0, 0, 1, 1, 2], [0, 0, 0], [0, 1, 2], [0], []]


def whole_matrix(reduction: pml_reducers.BaseReducer) -> pml_losses.ContrastiveLoss:
    """pytorch-metric-learning's loss in our convention, but for counting each pair twice."""
    return pml_losses.ContrastiveLoss(distance=pml_distances.LpDistance(normalize_embeddings=False), reducer=reduction)


# ---------------------------------------------------------------------------------------------------- the course


def test_the_course_example() -> None:
    assert contrastive_loss(*EXAMPLE, reduction="none").tolist() == pytest.approx([math.sqrt(3), 0])
    assert contrastive_loss(*EXAMPLE).item() == pytest.approx(1.7320508)
    assert contrastive_loss(*EXAMPLE, reduction="mean").item() == pytest.approx(1.7320508 / 2)


def test_hadsell_halves_the_squares() -> None:
    hadsell = contrastive_loss(*EXAMPLE, squared=True)
    assert hadsell.item() == pytest.approx(1.5)
    assert 2 * hadsell.item() == pytest.approx(3.0)
    assert contrastive_loss(X, DIFFERENT, 0, margin=6.0, squared=True).item() == pytest.approx(
        (6 - math.sqrt(27)) ** 2 / 2
    )


def test_the_example_on_normalised_vectors() -> None:
    unit = (normalize(EXAMPLE[0]), normalize(EXAMPLE[1]), [1, 0])
    assert contrastive_loss(*unit).item() == pytest.approx(0.896545, abs=1e-6)
    points, labels = torch.stack([X, SIMILAR, DIFFERENT]), torch.tensor([0, 0, 1])
    assert pml_losses.ContrastiveLoss()(points, labels).item() == pytest.approx(0.957263, abs=1e-6)


def test_the_slip_matters_from_a_margin_of_root_14_on() -> None:
    for margin, matters in ((3.7, False), (3.75, True), (5.0, True)):
        printed = math.sqrt(3) + max(0, margin - math.sqrt(14))
        right = contrastive_loss(*EXAMPLE, margin=margin).item()
        assert right == pytest.approx(math.sqrt(3))
        assert (abs(printed - right) > 1e-3) == matters
    assert contrastive_loss(*EXAMPLE, margin=6.0).item() == pytest.approx(math.sqrt(3) + 6 - math.sqrt(27))


def test_the_example_as_a_batch_counts_the_third_pair_too() -> None:
    points, labels = torch.stack([X, SIMILAR, DIFFERENT]), [0, 0, 1]
    assert pairwise_contrastive_loss(points, labels).item() == pytest.approx(math.sqrt(3))
    expected = [math.sqrt(3), 6 - math.sqrt(27), 6 - math.sqrt(12)]
    terms = pairwise_contrastive_loss(points, labels, margin=6.0, reduction="none")
    assert terms.tolist() == pytest.approx(expected)


# -------------------------------------------------------------------------------------- plain loops and a library


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_pairs_equal_plain_loops(name: str, squared: bool) -> None:
    x1, x2, label = random_rows(30, 4, 1), random_rows(30, 4, 2), torch.arange(30) % 2
    terms = [
        plain.pair_term(plain.DISTANCES[name](a, b), bool(y), 1.5, squared)
        for a, b, y in zip(x1.tolist(), x2.tolist(), label, strict=True)
    ]
    settings: dict[str, Any] = {"margin": 1.5, "metric": name, "squared": squared}
    assert contrastive_loss(x1, x2, label, **settings, reduction="none").tolist() == pytest.approx(terms)
    assert contrastive_loss(x1, x2, label, **settings).item() == pytest.approx(math.fsum(terms))
    assert contrastive_loss(x1, x2, label, **settings, reduction="mean").item() == pytest.approx(math.fsum(terms) / 30)


@pytest.mark.parametrize("mining", ["all", "hard"])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("labels", LABELS)
def test_a_batch_equals_plain_loops(labels: list[int], name: str, squared: bool, mining: str) -> None:
    points = random_rows(len(labels), 3, seed=len(labels))
    rows, distance = points.tolist(), plain.DISTANCES[name]
    pairs = plain.pairs(labels) if mining == "all" else plain.hard_pairs(rows, labels, distance)
    terms = [plain.pair_term(distance(rows[i], rows[j]), labels[i] == labels[j], 1.5, squared) for i, j in pairs]
    settings: dict[str, Any] = {"margin": 1.5, "metric": name, "squared": squared, "mining": mining}
    ours = {r: pairwise_contrastive_loss(points, labels, **settings, reduction=r) for r in ("none", "sum", "mean")}
    assert ours["none"].tolist() == pytest.approx(terms)
    assert ours["sum"].item() == pytest.approx(math.fsum(terms))
    assert ours["mean"].item() == pytest.approx(math.fsum(terms) / max(len(terms), 1))


@pytest.mark.parametrize("n", [6, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 5])
@pytest.mark.parametrize("classes", [2, 40])
def test_value_and_gradient_equal_the_library_s(n: int, classes: int) -> None:
    points, labels = random_rows(n, 16, dtype=torch.float32).requires_grad_(), torch.arange(n) % classes
    theirs = whole_matrix(pml_reducers.SumReducer())(points, labels) / 2
    (expected,) = torch.autograd.grad(theirs, points)
    ours = pairwise_contrastive_loss(points, labels)
    (gradient,) = torch.autograd.grad(ours, points)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)
    assert torch.allclose(gradient, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("n", [5, ROWS + 3])
def test_the_blocks_equal_autograd_over_all_terms(n: int, squared: bool, dtype: torch.dtype) -> None:
    points, labels = random_rows(n, 6, dtype=dtype).requires_grad_(), torch.arange(n) % 7
    settings: dict[str, Any] = {"margin": 2.5, "squared": squared}
    one_by_one = pairwise_contrastive_loss(points, labels, **settings, reduction="none")
    in_blocks = pairwise_contrastive_loss(points, labels, **settings)
    tolerance = 1e-4 if dtype == torch.float32 else 1e-10
    assert in_blocks.item() == pytest.approx(one_by_one.sum().item(), rel=1e-6)
    ours, expected = (torch.autograd.grad(total, points)[0] for total in (in_blocks, one_by_one.sum()))
    assert torch.allclose(ours, expected, rtol=tolerance, atol=tolerance)


@settings(deadline=None, max_examples=40)
@given(labels=st.lists(st.integers(0, 3), min_size=2, max_size=12), seed=st.integers(0, 100), shift=st.integers(1, 9))
def test_the_order_and_the_names_of_classes_do_not_matter(labels: list[int], seed: int, shift: int) -> None:
    points, classes = random_rows(len(labels), 3, seed), torch.tensor(labels)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    expected = pairwise_contrastive_loss(points, classes).item()
    assert pairwise_contrastive_loss(points[order], -shift * classes[order]).item() == pytest.approx(expected)


# -------------------------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_against_finite_differences(name: str, squared: bool) -> None:
    x1, x2, label = random_rows(4, 2, 1).requires_grad_(), random_rows(4, 2, 2).requires_grad_(), [1, 0] * 2
    settings: dict[str, Any] = {"margin": 1.7, "metric": name, "squared": squared}

    def loss(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return contrastive_loss(a, b, label, **settings)

    assert gradcheck(loss, (x1, x2))
    assert gradgradcheck(loss, (x1, x2))


@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
@pytest.mark.parametrize("mining", ["all", "hard"])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_batch_gradients_against_finite_differences(name: str, squared: bool, mining: str, reduction: str) -> None:
    points = random_rows(5, 2).requires_grad_()
    settings: dict[str, Any] = {
        "margin": 1.9,
        "metric": name,
        "squared": squared,
        "mining": mining,
        "reduction": reduction,
    }

    def loss(batch: torch.Tensor) -> torch.Tensor:
        return pairwise_contrastive_loss(batch, [0, 0, 0, 1, 1], **settings)

    assert gradcheck(loss, (points,))
    if (
        reduction == "mean" and name != "manhattan"
    ):  # PyTorch does not differentiate the matrix of Manhattan distances twice
        assert gradgradcheck(loss, (points,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_collapsed_batch_has_a_finite_gradient(name: str, squared: bool, dtype: torch.dtype) -> None:
    points = torch.ones(6, 3, dtype=dtype, requires_grad=True)
    labels = [0, 0, 0, 1, 1, 1]
    settings: dict[str, Any] = {"metric": name, "squared": squared}
    total = pairwise_contrastive_loss(points, labels, **settings)
    assert total.item() == pytest.approx(9 * (0.5 if squared else 1.0))  # nine different pairs, each short by 1
    (gradient,) = torch.autograd.grad(total, points)
    assert torch.equal(gradient, torch.zeros_like(gradient))
    (gradient,) = torch.autograd.grad(contrastive_loss(points[:3], points[3:], [1, 0, 0], **settings), points)
    assert torch.equal(gradient, torch.zeros_like(gradient))


def test_at_the_margin_itself_nothing_pushes() -> None:
    x = torch.tensor([[0.0], [1.0]], requires_grad=True)
    for loss in (contrastive_loss(x[:1], x[1:], [0]), pairwise_contrastive_loss(x, [0, 1])):
        (gradient,) = torch.autograd.grad(loss, x)
        assert torch.equal(gradient, torch.zeros(2, 1))


def test_the_gradient_reaches_through_what_made_the_points_twice() -> None:
    weight = random_rows(3, 2).requires_grad_()
    points = random_rows(6, 3, seed=5)

    def loss(w: torch.Tensor) -> torch.Tensor:
        return pairwise_contrastive_loss((points @ w).tanh(), [0, 1, 2] * 2, squared=True, reduction="mean")

    assert gradcheck(loss, (weight,))
    assert gradgradcheck(loss, (weight,))


# ------------------------------------------------------------------------------------------------ batches at the edge


@pytest.mark.parametrize("mining", ["all", "hard"])
@pytest.mark.parametrize("name", NAMES)
def test_without_positive_or_negative_pairs(name: str, mining: str) -> None:
    points = random_rows(4, 3).requires_grad_()
    distances = pairwise_distances(points.detach(), metric=name)
    apart = pairwise_contrastive_loss(points, [0, 1, 2, 3], margin=0.0, metric=name, mining=mining)
    assert apart.item() == 0
    together = pairwise_contrastive_loss(points, [5, 5, 5, 5], metric=name)
    assert together.item() == pytest.approx(distances.triu(1).sum().item())


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [0, 1])
def test_without_any_pair_the_loss_is_zero_and_so_is_its_gradient(n: int, name: str, reduction: str) -> None:
    points = random_rows(n, 3).requires_grad_()
    loss = pairwise_contrastive_loss(points, [0] * n, metric=name, reduction=reduction)
    assert loss.item() == 0
    (gradient,) = torch.autograd.grad(loss, points)
    assert torch.equal(gradient, torch.zeros(n, 3))
    no_pairs = contrastive_loss(points[:0], points[:0], torch.zeros(0), metric=name, reduction=reduction)
    assert no_pairs.item() == 0


def test_one_label_may_serve_all_pairs() -> None:
    x1, x2 = random_rows(5, 3, 1), random_rows(5, 3, 2)
    assert torch.equal(contrastive_loss(x1, x2, 1), contrastive_loss(x1, x2, [True] * 5))
    assert contrastive_loss([1, 2, 3], [2, 3, 4], 1).item() == pytest.approx(math.sqrt(3))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_device_are_kept(dtype: torch.dtype, device: str) -> None:
    points = random_rows(300, 5).to(device, dtype).requires_grad_()
    labels = torch.arange(300, device=device) % 9
    loss = pairwise_contrastive_loss(points, labels)
    (gradient,) = torch.autograd.grad(loss, points)
    assert (loss.dtype, gradient.dtype) == (dtype, dtype)
    assert (loss.device, gradient.device) == (points.device, points.device)
    on_cpu = pairwise_contrastive_loss(points.detach().cpu().double(), labels.cpu())
    assert loss.item() == pytest.approx(on_cpu.item(), rel=1e-5)


def test_vmap_and_grad_see_through() -> None:
    batches, labels = random_rows(12, 3).reshape(3, 4, 3), torch.tensor([0, 0, 1, 1])

    def loss(batch: torch.Tensor) -> torch.Tensor:
        return pairwise_contrastive_loss(batch, labels)

    assert torch.func.vmap(loss)(batches).tolist() == pytest.approx([loss(b).item() for b in batches])
    by_hand = torch.stack([torch.autograd.grad(loss(b := batch.clone().requires_grad_()), b)[0] for batch in batches])
    assert torch.allclose(torch.func.vmap(torch.func.grad(loss))(batches), by_hand)

    x1, x2, label = batches[:, 0], batches[:, 1], torch.tensor([1, 0, 1])
    each = torch.func.vmap(contrastive_loss)(x1, x2, label)
    assert torch.allclose(each, contrastive_loss(x1, x2, label, reduction="none"))


# ------------------------------------------------------------------------------ similar and different pairs in balance


@pytest.mark.parametrize("mining", ["all", "hard"])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("labels", LABELS)
def test_the_balanced_loss_is_a_plain_mean_of_either_kind(
    labels: list[int], name: str, squared: bool, mining: str
) -> None:
    points = random_rows(len(labels), 3, seed=len(labels))
    rows, distance = points.tolist(), plain.DISTANCES[name]
    pairs = plain.pairs(labels) if mining == "all" else plain.hard_pairs(rows, labels, distance)
    expected = 0.0
    for similar in (True, False):
        of_kind = [(i, j) for i, j in pairs if (labels[i] == labels[j]) is similar]
        terms = [plain.pair_term(distance(rows[i], rows[j]), similar, 1.5, squared) for i, j in of_kind]
        expected += math.fsum(terms) / max(len(terms), 1)
    loss = balanced_contrastive_loss(points, labels, 1.5, name, squared, mining)
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("n", [6, 2 * ROWS + 6])
def test_the_balanced_blocks_equal_autograd_over_all_terms(n: int, squared: bool, dtype: torch.dtype) -> None:
    points, labels = random_rows(n, 6, dtype=dtype).requires_grad_(), torch.arange(n // 2).repeat(2)
    i, j = torch.triu_indices(n, n, offset=1)
    similar = labels[i] == labels[j]
    terms = contrastive_loss(points[i], points[j], similar, 2.5, squared=squared, reduction="none")
    expected = terms[similar].mean() + terms[~similar].mean()
    loss = balanced_contrastive_loss(points, labels, 2.5, squared=squared)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    with torch.no_grad():
        assert balanced_contrastive_loss(points, labels, 2.5, squared=squared).item() == pytest.approx(loss.item())
    ours, theirs = (torch.autograd.grad(total, points)[0] for total in (loss, expected))
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    assert torch.allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_the_balanced_loss_equals_the_library_s_where_every_term_counts() -> None:
    points, labels = random_rows(20, 5, dtype=torch.float32), torch.arange(10).repeat(2)
    theirs = whole_matrix(pml_reducers.AvgNonZeroReducer())
    theirs.neg_margin = 100.0  # every different pair lies inside the margin, so none is left out
    assert balanced_contrastive_loss(points, labels, 100.0).item() == pytest.approx(theirs(points, labels).item())


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_balanced_gradients_against_finite_differences(name: str, squared: bool) -> None:
    points = random_rows(6, 2).requires_grad_()

    def loss(batch: torch.Tensor) -> torch.Tensor:
        return balanced_contrastive_loss(batch, [0, 1, 2] * 2, 1.9, name, squared)

    assert gradcheck(loss, (points,))
    if name != "manhattan":  # PyTorch does not differentiate the matrix of Manhattan distances twice
        assert gradgradcheck(loss, (points,))


def test_the_balanced_loss_by_hand_and_under_vmap() -> None:
    points, labels = random_rows(3, 2), torch.tensor([0, 0, 1])
    pull, *pushes = pairwise_contrastive_loss(points, labels, 9.0, reduction="none").tolist()
    by_hand = pull + sum(pushes) / 2
    assert balanced_contrastive_loss(points, labels, 9.0).item() == pytest.approx(by_hand)
    mapped = torch.func.vmap(lambda batch: balanced_contrastive_loss(batch, labels, 9.0))(points[None])
    assert mapped.item() == pytest.approx(by_hand)
