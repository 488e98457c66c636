"""All distances at once: the quick ways give what the plain way gives, near points and gradients included."""

from __future__ import annotations

import pytest
import torch
from scipy.spatial.distance import cdist
from torch.autograd import gradcheck, gradgradcheck

from taskembed_edu.formulas import _pairwise as pairwise
from taskembed_edu.formulas.distances import METRICS, pairwise_distances
from tests import plain
from tests.test_distances import DEVICES, NAMES, SCIPY, random_rows

SIZES = [(7, 5, 3), (120, 90, 40)]  # below and above the size from which products are used
TWICE = ["euclidean", "squared_euclidean", "cosine"]


def test_the_sizes_lie_on_both_sides_of_the_switch() -> None:
    assert 7 * 5 * 3 < pairwise.SMALL < 120 * 90 * 40


@pytest.mark.parametrize("name", NAMES)
def test_equals_plain_loops(name: str) -> None:
    x, y = random_rows(4, 3, seed=1), random_rows(6, 3, seed=2)
    loops = [[plain.DISTANCES[name](a, b) for b in y.tolist()] for a in x.tolist()]
    assert torch.allclose(pairwise_distances(x, y, name), torch.tensor(loops, dtype=torch.float64), rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "m", "dim"), SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_equals_scipy(name: str, n: int, m: int, dim: int, dtype: torch.dtype) -> None:
    x, y = random_rows(n, dim, 1, dtype), random_rows(m, dim, 2, dtype)
    expected = torch.from_numpy(cdist(x.double().numpy(), y.double().numpy(), SCIPY[name]))
    tolerance = 1e-6 if dtype == torch.float32 else 1e-13
    ours = pairwise_distances(x, y, name)
    assert ours.dtype == dtype
    assert torch.allclose(ours.double(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "dim"), [(7, 3), (120, 40)])
@pytest.mark.parametrize("name", NAMES)
def test_within_one_batch_symmetric_with_a_zero_diagonal(name: str, n: int, dim: int, dtype: torch.dtype) -> None:
    x = random_rows(n, dim, dtype=dtype)
    ours = pairwise_distances(x, metric=name)
    assert torch.equal(ours.diagonal(), torch.zeros(n, dtype=dtype))
    assert torch.allclose(ours, ours.T, rtol=1e-6)
    assert torch.allclose(ours, pairwise_distances(x, x.clone(), name), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1e-2, 1e-3, 1e-4, 1e-5])
@pytest.mark.parametrize(("n", "dim"), [(8, 4), (120, 40)])
def test_near_points_keep_their_digits(n: int, dim: int, size: float) -> None:
    x = random_rows(n, dim, 1, torch.float32)
    y = x + size * random_rows(n, dim, 2, torch.float32)
    exact = torch.linalg.vector_norm(x.double() - y.double(), dim=1)
    ours = pairwise_distances(x, y).diagonal().double()
    assert torch.allclose(ours, exact, rtol=2e-5, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "dim"), [(8, 4), (120, 40)])
@pytest.mark.parametrize("name", NAMES)
def test_coincident_points_are_at_zero_with_a_finite_gradient(name: str, n: int, dim: int, dtype: torch.dtype) -> None:
    once = random_rows(n // 2, dim, dtype=dtype)
    x = torch.cat([once, once]).requires_grad_()
    ours = pairwise_distances(x, metric=name)
    assert torch.equal(ours.diagonal(n // 2), torch.zeros(n // 2, dtype=dtype))
    (gradient,) = torch.autograd.grad(ours.diagonal(n // 2).sum(), x)
    assert torch.allclose(gradient, torch.zeros_like(gradient), atol=1e-6)


def test_far_from_the_origin_the_gradient_of_near_points_has_length_one() -> None:
    x = 1000 + torch.tensor([[0.0, 0.0], [3e-3, 4e-3]], dtype=torch.float32)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(pairwise_distances(x)[0, 1], x)
    difference = (x[0] - x[1]).detach().double()
    assert torch.allclose(gradient[0].double(), difference / difference.norm(), atol=1e-6)
    assert torch.equal(gradient[0], -gradient[1])


def test_one_far_point_does_not_hide_the_others() -> None:
    x = torch.cat([random_rows(119, 40, dtype=torch.float32), torch.full((1, 40), 1e7)]).requires_grad_()
    near = x[:119].detach().requires_grad_()
    (with_it,) = torch.autograd.grad(pairwise_distances(x)[:119, :119].sum(), x)
    (without,) = torch.autograd.grad(pairwise_distances(near).sum(), near)
    assert torch.allclose(with_it[:119], without, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_against_finite_differences(name: str) -> None:
    x, y = (random_rows(n, 3, seed).requires_grad_() for n, seed in ((4, 1), (5, 2)))
    assert gradcheck(lambda x, y: pairwise_distances(x, y, name), (x, y))
    assert gradcheck(lambda x: pairwise_distances(x, metric=name), (x,))
    if name in TWICE:
        assert gradgradcheck(lambda x, y: pairwise_distances(x, y, name), (x, y))
        assert gradgradcheck(lambda x: pairwise_distances(x, metric=name), (x,))


def test_the_manhattan_gradient_is_refused_a_second_time() -> None:
    x = random_rows(4, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(pairwise_distances(x, metric="manhattan").square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="_cdist_backward"):
        gradient.sum().backward()


@pytest.mark.parametrize(("n", "m", "dim"), SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_single_precision_gradient_equals_the_plain_one(name: str, n: int, m: int, dim: int) -> None:
    weights = random_rows(n, m, 3, torch.float32)

    def gradients(dtype: torch.dtype, distances: object) -> tuple[torch.Tensor, ...]:
        x, y = (random_rows(k, dim, k, torch.float32).to(dtype).requires_grad_() for k in (n, m))
        return torch.autograd.grad((distances(x, y) * weights).sum(), (x, y))  # type: ignore[operator]

    ours = gradients(torch.float32, lambda x, y: pairwise_distances(x, y, name))
    expected = gradients(torch.float64, lambda x, y: METRICS[name].distance(x[:, None], y[None]))
    for a, b in zip(ours, expected, strict=True):
        assert torch.allclose(a.double(), b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_vmap_and_grad_see_through(name: str) -> None:
    x = random_rows(12, 3).reshape(3, 4, 3)
    expected = torch.stack([pairwise_distances(batch, metric=name) for batch in x])
    assert torch.allclose(torch.func.vmap(lambda batch: pairwise_distances(batch, metric=name))(x), expected)

    def total(batch: torch.Tensor) -> torch.Tensor:
        return pairwise_distances(batch, metric=name).sum()

    by_hand = torch.stack([torch.autograd.grad(total(b := batch.clone().requires_grad_()), b)[0] for batch in x])
    assert torch.allclose(torch.func.vmap(torch.func.grad(total))(x), by_hand)


@pytest.mark.parametrize("name", NAMES)
def test_empty_batches(name: str) -> None:
    nobody, x = torch.zeros(0, 3, requires_grad=True), random_rows(4, 3, dtype=torch.float32)
    assert pairwise_distances(nobody, x, name).shape == (0, 4)
    assert pairwise_distances(x, nobody, name).shape == (4, 0)
    pairwise_distances(nobody, metric=name).sum().backward()
    assert nobody.grad is not None
    assert nobody.grad.shape == (0, 3)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["euclidean", "squared_euclidean", "cosine"])
def test_dtypes_and_devices(name: str, dtype: torch.dtype, device: str) -> None:
    x = random_rows(40, 8).to(device, dtype)
    expected = pairwise_distances(x.double(), metric=name)
    ours = pairwise_distances(x, metric=name)
    assert ours.dtype == (dtype if dtype.itemsize > 2 else torch.float32)
    assert ours.device == x.device
    tolerance = {torch.float64: 1e-13}.get(dtype, 1e-5)
    assert torch.allclose(ours.double(), expected, rtol=tolerance, atol=tolerance)
