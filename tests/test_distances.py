"""Distances: against plain loops and scipy, the course's numbers, what makes a metric one, gradients, inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.spatial.distance as scipy_distance
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.autograd import gradcheck, gradgradcheck

from taskembed_edu.formulas.distances import (
    METRICS,
    cosine_distance,
    cosine_similarity,
    euclidean_distance,
    manhattan_distance,
    squared_euclidean_distance,
)
from tests import plain

NAMES = list(METRICS)
TRUE_METRICS = [name for name, metric in METRICS.items() if metric.is_metric]
SCIPY: dict[str, Any] = {
    "euclidean": "euclidean",
    "squared_euclidean": "sqeuclidean",
    "manhattan": "cityblock",
    "cosine": "cosine",
}
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]

COORDINATES = st.floats(-100, 100, allow_subnormal=False)
POINTS = arrays(np.float64, (3, 4), elements=COORDINATES)  # three points with four coordinates
quick = settings(deadline=None, max_examples=60)


def random_rows(n: int, dim: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def rotation(dim: int, seed: int) -> torch.Tensor:
    return torch.linalg.qr(random_rows(dim, dim, seed))[0]


def has_directions(points: np.ndarray) -> bool:
    return bool((np.linalg.norm(points, axis=-1) > 1e-3).all())


# ---------------------------------------------------------------------------------------------------- the course


def test_the_course_example_is_the_square_root_of_three() -> None:
    assert euclidean_distance([1, 2, 3], [2, 3, 4]).item() == pytest.approx(math.sqrt(3), rel=1e-7)


def test_the_course_negative_is_at_root_27_and_not_at_root_14() -> None:
    distance = euclidean_distance([1, 2, 3], [4, 5, 6]).item()
    assert distance == pytest.approx(math.sqrt(27), rel=1e-7)
    assert abs(distance - math.sqrt(14)) > 1.4


def test_the_three_course_points_lie_on_one_line() -> None:
    x, similar, different = [1, 2, 3], [2, 3, 4], [4, 5, 6]
    by_way_of = euclidean_distance(x, similar) + euclidean_distance(similar, different)
    assert by_way_of.item() == pytest.approx(euclidean_distance(x, different).item(), rel=1e-6)


def test_cosine_similarity_is_no_distance() -> None:
    assert cosine_similarity([1, 2, 3], [1, 2, 3]).item() == pytest.approx(1.0)  # a distance would be 0
    nearer, farther = cosine_similarity([1, 0], [2, 1]), cosine_similarity([1, 0], [0, 1])
    assert nearer > farther


# ------------------------------------------------------------------------------------- plain loops and a library


@pytest.mark.parametrize("name", NAMES)
def test_equals_plain_loops_and_scipy(name: str) -> None:
    x, y = random_rows(20, 5, seed=1), random_rows(20, 5, seed=2)
    ours = METRICS[name].distance(x, y)
    loops = [plain.DISTANCES[name](a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    library = [getattr(scipy_distance, SCIPY[name])(a, b) for a, b in zip(x.numpy(), y.numpy(), strict=True)]
    assert ours.tolist() == pytest.approx(loops, rel=1e-12)
    assert ours.tolist() == pytest.approx(library, rel=1e-12)


def test_cosine_similarity_equals_plain_loops_and_one_minus_the_distance() -> None:
    x, y = random_rows(20, 5, seed=1), random_rows(20, 5, seed=2)
    loops = [plain.cosine_similarity(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert cosine_similarity(x, y).tolist() == pytest.approx(loops, abs=1e-14)
    assert torch.allclose(cosine_similarity(x, y), 1 - cosine_distance(x, y), rtol=0, atol=1e-14)


def test_cosine_distance_keeps_its_digits_at_small_angles() -> None:
    angle = 1e-5  # 1 - cos is 5e-11, below what 1 - 0.99999999995 can show in single precision
    x, y = torch.tensor([1.0, 0.0]), torch.tensor([math.cos(angle), math.sin(angle)])
    assert cosine_distance(x, y).item() == pytest.approx(2 * math.sin(angle / 2) ** 2, rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_leading_dimensions_broadcast(name: str) -> None:
    x, y = random_rows(6, 3).reshape(2, 1, 3, 3), random_rows(5, 3, seed=1).reshape(5, 1, 3)
    ours = METRICS[name].distance(x, y)
    assert ours.shape == (2, 5, 3)
    assert ours[1, 4, 2].item() == pytest.approx(plain.DISTANCES[name](x[1, 0, 2].tolist(), y[4, 0].tolist()))


# ----------------------------------------------------------------------------------------- what makes a metric one


@pytest.mark.parametrize("name", NAMES)
@quick
@given(points=POINTS)
def test_symmetric_never_negative_and_zero_with_itself(name: str, points: np.ndarray) -> None:
    assume(has_directions(points))
    x, y, _ = torch.from_numpy(points)
    distance = METRICS[name].distance
    assert distance(x, y) == distance(y, x)
    assert 0 <= distance(x, y) <= METRICS[name].largest
    assert distance(x, x) == 0


@pytest.mark.parametrize("name", TRUE_METRICS)
@quick
@given(points=POINTS)
def test_triangle_inequality_holds(name: str, points: np.ndarray) -> None:
    x, y, z = torch.from_numpy(points)
    distance = METRICS[name].distance
    assert distance(x, z) <= (distance(x, y) + distance(y, z)) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("name", "x", "y", "z", "direct", "by_way"),
    [
        ("squared_euclidean", [0.0], [1.0], [2.0], 4.0, 2.0),
        ("cosine", [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], 1.0, 2 - math.sqrt(2)),
    ],
)
def test_triangle_inequality_breaks(
    name: str, x: list[float], y: list[float], z: list[float], direct: float, by_way: float
) -> None:
    distance = METRICS[name].distance
    assert distance(x, z).item() == pytest.approx(direct)
    assert (distance(x, y) + distance(y, z)).item() == pytest.approx(by_way)
    assert not METRICS[name].is_metric
    assert direct > by_way


@pytest.mark.parametrize("name", ["euclidean", "squared_euclidean", "cosine"])
@quick
@given(points=POINTS, seed=st.integers(0, 1000))
def test_turning_both_vectors_changes_nothing(name: str, points: np.ndarray, seed: int) -> None:
    assume(has_directions(points))
    x, y, _ = torch.from_numpy(points)
    turn = rotation(4, seed)
    distance = METRICS[name].distance
    assert distance(x @ turn, y @ turn).item() == pytest.approx(distance(x, y).item(), rel=1e-9, abs=1e-9)


def test_turning_changes_the_manhattan_distance() -> None:
    eighth_turn = torch.tensor([[1.0, 1.0], [-1.0, 1.0]]) / math.sqrt(2)
    x, y = torch.tensor([0.0, 0.0]), torch.tensor([1.0, 0.0])
    assert manhattan_distance(x, y).item() == 1
    assert manhattan_distance(x @ eighth_turn, y @ eighth_turn).item() == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("name", ["euclidean", "squared_euclidean", "manhattan"])
@quick
@given(points=POINTS)
def test_shifting_both_vectors_changes_nothing(name: str, points: np.ndarray) -> None:
    x, y, shift = torch.from_numpy(points)
    distance = METRICS[name].distance
    assert distance(x + shift, y + shift).item() == pytest.approx(distance(x, y).item(), rel=1e-9, abs=1e-9)


def test_shifting_changes_the_cosine_distance() -> None:
    assert cosine_distance([1, 0], [0, 1]).item() == pytest.approx(1)
    assert cosine_distance([2, 1], [1, 2]).item() == pytest.approx(1 - 4 / 5)


@quick
@given(points=POINTS, scale=st.floats(1e-3, 1e3))
def test_lengths_do_not_count_for_the_cosine(points: np.ndarray, scale: float) -> None:
    assume(has_directions(points))
    x, y, _ = torch.from_numpy(points)
    assert cosine_distance(scale * x, y).item() == pytest.approx(cosine_distance(x, y).item(), abs=1e-12)


# -------------------------------------------------------------------------------------------------- what is known


def test_what_is_known_of_each_metric() -> None:
    assert NAMES == ["euclidean", "squared_euclidean", "manhattan", "cosine"]
    assert [m.largest for m in METRICS.values()] == [math.inf, math.inf, math.inf, 2.0]
    assert [m.slider_max for m in METRICS.values()] == [6.0, 36.0, 6.0, 2.0]
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.label
        assert metric.formula
        assert bool(metric.why_not) == (not metric.is_metric)
        assert metric.slider_max <= metric.largest


def test_the_cosine_distance_ends_at_two() -> None:
    directions = random_rows(500, 3, dtype=torch.float32)
    assert cosine_distance(directions, -3 * directions).max().item() == METRICS["cosine"].largest
    assert cosine_similarity(directions, -directions).min() >= -1


# -------------------------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("name", [*NAMES, "cosine_similarity"])
def test_gradients_against_finite_differences(name: str) -> None:
    distance = cosine_similarity if name == "cosine_similarity" else METRICS[name].distance
    x, y = (random_rows(4, 3, seed).requires_grad_() for seed in (1, 2))
    assert gradcheck(distance, (x, y))
    assert gradgradcheck(distance, (x, y))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_zero_where_vectors_coincide(name: str, dtype: torch.dtype) -> None:
    x = torch.tensor([[1.0, 2.0, 3.0]], dtype=dtype, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    distance = METRICS[name].distance(x, y).sum()
    first = torch.autograd.grad(distance, (x, y), create_graph=True)
    assert all((g == 0).all() for g in first)
    second = torch.autograd.grad(first[0].sum() + 2 * first[1].sum(), (x, y), allow_unused=True)
    assert all(g is None or torch.isfinite(g).all() for g in second)


@pytest.mark.parametrize("name", NAMES)
def test_vmap_and_grad_see_through(name: str) -> None:
    distance = METRICS[name].distance
    x, y = random_rows(6, 3, seed=1), random_rows(6, 3, seed=2)
    assert torch.allclose(torch.func.vmap(distance)(x, y), distance(x, y))
    expected = torch.autograd.grad(distance(x.requires_grad_(), y).sum(), x)[0]
    assert torch.allclose(torch.func.vmap(torch.func.grad(distance))(x.detach(), y), expected)


# ------------------------------------------------------------------------------------------------- what may come in


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", NAMES)
def test_dtype_and_device_are_kept_and_half_precision_is_widened(name: str, dtype: torch.dtype, device: str) -> None:
    x, y = (random_rows(4, 3, seed).to(device, dtype) for seed in (1, 2))
    ours = METRICS[name].distance(x, y)
    assert ours.dtype == (dtype if dtype.itemsize > 2 else torch.float32)
    assert ours.device == x.device
    expected = METRICS[name].distance(x.double(), y.double())
    tolerance = {torch.float64: 1e-14}.get(dtype, 1e-6)
    assert torch.allclose(ours.double(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("x", "y", "dtype"),
    [
        ([1, 2, 3], [2, 3, 4], torch.float32),
        ((1, 2, 3), torch.tensor([2, 3, 4]), torch.float32),
        (torch.tensor([True, False, True]), [2, 2, 2], torch.float32),
        (np.array([1, 2, 3]), np.array([2, 3, 4]), torch.float32),
        (np.array([1.0, 2, 3]), [2, 3, 4], torch.float64),
        ([1, 2, 3], torch.tensor([2.0, 3, 4], dtype=torch.float64), torch.float64),
        (torch.tensor([1.0, 2, 3]), torch.tensor([2.0, 3, 4], dtype=torch.float64), torch.float64),
    ],
)
def test_lists_whole_numbers_and_arrays_are_converted(x: object, y: object, dtype: torch.dtype) -> None:
    ours = squared_euclidean_distance(x, y)  # type: ignore[arg-type]
    assert ours.dtype == dtype
    assert ours.item() in (3.0, 6.0)


def test_a_list_keeps_the_digits_of_the_tensor_beside_it() -> None:
    x = torch.tensor([0.1], dtype=torch.float64)
    assert euclidean_distance(x, [0.1]).item() == 0


def test_gradients_survive_in_a_list_of_tensors() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    euclidean_distance([x, x], [[0, 0], [1, 0]]).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == pytest.approx([1 / math.sqrt(5), 2 / math.sqrt(5) + 1])
