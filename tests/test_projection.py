"""Projections: PCA and alignment by their definitions, and a stream of UMAP frames that can be repeated and trusted."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from taskembed_edu.formulas.distances import METRICS, pairwise_distances
from taskembed_edu.projection.live_umap import LiveUMAP
from taskembed_edu.projection.pca import align, pca_layout
from taskembed_edu.projection.quality import jitter, trustworthiness
from taskembed_edu.projection.umap_steps import Layout
from tests.runs import generator


def global_state() -> Any:
    """numpy's global generator, as numbers."""
    state: Any = np.random.get_state(legacy=True)
    return state[1]


def cloud(n: int = 60, dim: int = 5, seed: int = 0) -> torch.Tensor:
    """Three clusters on a curve: something that a map can show."""
    rng = generator(seed)
    centres = 6 * torch.nn.functional.one_hot(torch.arange(n) % 3, dim).float()
    return centres + torch.randn(n, dim, generator=rng)


def turned(layout: Layout, angle: float, mirrored: bool, shift: tuple[float, float]) -> Layout:
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.diag([1.0, -1.0 if mirrored else 1.0])
    return (layout @ matrix + np.array(shift)).astype(np.float32)


# ---- PCA -----------------------------------------------------------------------------------------------------------


def test_pca_is_scikit_learns_up_to_signs() -> None:
    points = cloud()
    layout = pca_layout(points)
    assert layout.dtype == np.float32
    assert layout.shape == (60, 2)
    expected = PCA(2, svd_solver="full").fit_transform(points.double().numpy())
    np.testing.assert_allclose(np.abs(layout), np.abs(expected), atol=1e-4)


def test_pca_by_hand_and_at_its_edges() -> None:
    assert sorted(pca_layout(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))[:, 0].tolist()) == [-2.5, 2.5]
    flat = pca_layout(torch.tensor([[1.0], [2.0], [6.0]]))
    np.testing.assert_allclose(flat, [[-2, 0], [-1, 0], [3, 0]], atol=1e-6)
    assert pca_layout(torch.ones(1, 4)).tolist() == [[0.0, 0.0]]
    assert not pca_layout(torch.ones(4, 3)).any()
    with pytest.raises(ValueError, match="embedding: got 1 NaN or infinite"):
        pca_layout(torch.tensor([[0.0, math.nan], [1.0, 2.0]]))


def test_pca_keeps_its_signs_from_frame_to_frame() -> None:
    points = cloud()
    first = pca_layout(points)
    for mirrored in ([-1, 1], [1, -1], [-1, -1]):
        previous = first * np.array(mirrored, dtype=np.float32)
        np.testing.assert_array_equal(pca_layout(points, previous), previous)
    largest = first[np.abs(first).argmax(axis=0), [0, 1]]
    assert (largest > 0).all()
    np.testing.assert_array_equal(pca_layout(points, first[:10]), first)


# ---- alignment and its measures ------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 1000),
    angle=st.floats(0, 2 * math.pi),
    mirrored=st.booleans(),
    shift=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    n=st.integers(2, 30),
)
@settings(max_examples=60, deadline=None)
def test_alignment_undoes_turns_mirrors_and_shifts(
    seed: int, angle: float, mirrored: bool, shift: tuple[float, float], n: int
) -> None:
    previous = torch.randn(n, 2, generator=generator(seed)).numpy()
    got = align(turned(previous, angle, mirrored, shift), previous)
    np.testing.assert_allclose(got, previous, atol=1e-4)
    assert got.dtype == np.float32


@given(seed=st.integers(0, 1000), scale=st.floats(0.2, 5))
@settings(max_examples=30, deadline=None)
def test_alignment_leaves_the_scale_alone(seed: int, scale: float) -> None:
    previous = torch.randn(20, 2, generator=generator(seed)).numpy()
    got = align(turned((previous * scale).astype(np.float32), 1.0, True, (3, 4)), previous)
    centred = previous - previous.mean(axis=0)
    np.testing.assert_allclose(got - previous.mean(axis=0), centred * scale, atol=2e-4)


def test_no_other_turn_is_nearer() -> None:
    rng = generator()
    layout, previous = torch.randn(15, 2, generator=rng).numpy(), torch.randn(15, 2, generator=rng).numpy()
    best = np.linalg.norm(align(layout, previous) - previous)
    centred = layout - layout.mean(axis=0)
    tried = [
        np.linalg.norm(turned(centred, angle, mirrored, tuple(previous.mean(axis=0))) - previous)
        for angle in np.linspace(0, 2 * math.pi, 721)
        for mirrored in (False, True)
    ]
    assert best <= min(tried) + 1e-4
    assert min(tried) == pytest.approx(best, rel=1e-3)


def test_jitter_by_hand() -> None:
    line = np.array([[-1.0, 0.0], [1.0, 0.0]], dtype=np.float32)
    assert jitter(line + np.float32(0.1), line) == pytest.approx(0.1 * math.sqrt(2))
    assert jitter(line + np.array([0.1, 0], np.float32), line) == pytest.approx(0.1)
    assert jitter(line, line) == 0.0
    assert jitter(10 * line, 10 * line + np.array([0, 1], np.float32)) == pytest.approx(0.1)
    assert jitter(np.zeros((3, 2), np.float32), np.ones((3, 2), np.float32)) == 0.0


@pytest.mark.parametrize("metric", METRICS)
def test_trustworthiness_is_scikit_learns(metric: str) -> None:
    points = cloud()
    layout = torch.randn(60, 2, generator=generator(1)).numpy() + pca_layout(points) * 0.3
    distances = pairwise_distances(points, metric=metric).numpy()
    for k in (1, 5, 15):
        expected = sklearn_trustworthiness(distances, layout, n_neighbors=k, metric="precomputed")
        assert trustworthiness(points, layout, k, metric) == pytest.approx(expected, abs=1e-12)
        assert 0 < expected < 1
    if metric != "squared_euclidean":
        directly = sklearn_trustworthiness(points.double().numpy(), layout, n_neighbors=5, metric=metric)
        assert trustworthiness(points, layout, 5, metric) == pytest.approx(directly, abs=2e-3)


def test_trustworthiness_takes_what_few_tasks_allow() -> None:
    points = cloud(6)
    expected = sklearn_trustworthiness(points.numpy(), pca_layout(points), n_neighbors=2)
    assert trustworthiness(points, pca_layout(points), 15) == pytest.approx(expected)
    assert trustworthiness(points[:, :2], points[:, :2].numpy(), 2) == 1.0


# ---- the stream of UMAP frames -------------------------------------------------------------------------------------


def film(live: LiveUMAP, n_frames: int = 4, n: int = 60) -> list[Layout]:
    start, way = cloud(n), cloud(n, seed=1) * 0.1
    return [live.update(start + k * way) for k in range(n_frames)]


def test_the_same_vectors_give_the_same_film() -> None:
    before, torch_before = global_state(), torch.random.get_rng_state()
    one, same = film(LiveUMAP(seed=3)), film(LiveUMAP(seed=3))
    other = film(LiveUMAP(seed=4))
    assert all(frame.shape == (60, 2) and frame.dtype == np.float32 for frame in one)
    for mine, theirs in zip(one, same, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not any(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))
    np.testing.assert_array_equal(before, global_state())
    assert torch.equal(torch_before, torch.random.get_rng_state())


def test_a_frame_follows_from_the_layout_before_and_a_count() -> None:
    live = LiveUMAP(seed=3)
    frames = film(live)
    assert live.count == 4
    fourth = cloud() + 3 * (cloud(seed=1) * 0.1)
    for count, same in ((3, True), (4, False)):
        taken_up = LiveUMAP(seed=3, layout=frames[2].copy(), count=count)
        assert np.array_equal(taken_up.update(fourth), frames[3]) is same


def test_a_copy_goes_its_own_way() -> None:
    live = LiveUMAP(seed=3)
    film(live, 2)
    twin = live.copy()
    assert twin == LiveUMAP(seed=3, layout=twin.layout, count=2)
    assert live.layout is not None
    kept = live.layout.copy()
    twin.update(cloud(seed=9))
    np.testing.assert_array_equal(live.layout, kept)
    assert (live.count, twin.count) == (2, 3)
    twin.layout[:] = 0  # type: ignore[index]
    np.testing.assert_array_equal(live.layout, kept)


def test_frames_lie_on_each_other_and_show_the_clusters() -> None:
    frames = film(LiveUMAP(), 6, n=90)
    for before, after in itertools.pairwise(frames):
        assert 0 < jitter(after, before) < 0.25
        aligned = align(after, before)
        assert np.abs(aligned - after).max() < 1e-2 * np.abs(after - after.mean(axis=0)).max()
    last = frames[-1]
    groups = np.arange(90) % 3
    centres = np.stack([last[groups == k].mean(axis=0) for k in range(3)])
    nearest = np.linalg.norm(last[:, None] - centres[None], axis=2).argmin(axis=1)
    assert (nearest == groups).mean() > 0.95


def test_the_stream_is_nearly_as_trustworthy_as_a_refit() -> None:
    """A moving embedding, ten frames: small steps on the map, neighbours kept as a fresh umap-learn fit keeps them."""
    import umap

    live, way = LiveUMAP(n_neighbors=10), cloud(100, seed=1)
    points = [cloud(100) + 0.05 * k * way for k in range(10)]
    frames = [live.update(x) for x in points]
    moved = [jitter(after, before) for before, after in itertools.pairwise(frames)]
    assert float(np.median(moved)) < 0.15
    refit = umap.UMAP(n_neighbors=10, random_state=0, n_jobs=1).fit_transform(points[-1].numpy())
    ours, theirs = trustworthiness(points[-1], frames[-1], 10), trustworthiness(points[-1], refit, 10)
    assert ours > theirs - 0.05
    assert ours > 0.8


def test_fewer_tasks_than_neighbours_is_lowered_and_said_once() -> None:
    live = LiveUMAP(n_neighbors=15)
    with pytest.warns(UserWarning, match=r"n_neighbors: got 15, expected fewer than the 8 tasks\. Lowered to 7\."):
        first = live.update(cloud(8))
    assert np.isfinite(first).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        live.copy().update(cloud(8))
        live.update(cloud(8))


def test_the_metric_may_change_between_frames() -> None:
    one, other = LiveUMAP(seed=1), LiveUMAP(seed=1)
    film(one, 2)
    film(other, 2)
    other.metric = "cosine"
    assert not np.array_equal(one.update(cloud(seed=2)), other.update(cloud(seed=2)))
    other.metric = "cosin"
    with pytest.raises(ValueError, match="metric: got 'cosin'"):
        other.update(cloud())


def test_another_number_of_tasks_starts_anew() -> None:
    live = LiveUMAP(seed=1)
    film(live, 1)
    assert live.update(cloud(40)).shape == (40, 2)


def test_points_in_one_place_are_parted() -> None:
    layout = LiveUMAP(n_neighbors=5).update(torch.zeros(20, 3))
    assert np.isfinite(layout).all()
    assert len(np.unique(layout, axis=0)) == 20


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_the_stream_refuses(bad: float) -> None:
    live = LiveUMAP()
    with pytest.raises(ValueError, match="embedding: got 1 NaN or infinite of 300 entries"):
        live.update(cloud().index_put((torch.tensor(3), torch.tensor(0)), torch.tensor(bad)))
    assert (live.layout, live.count) == (None, 0)
    with pytest.raises(ValueError, match=r"embedding: got a tensor of shape \(2, 5\).*at least 3 tasks"):
        live.update(cloud(2))
    with pytest.raises(ValueError, match=r"shape \(n, dim\)"):
        live.update(torch.zeros(5))
    with pytest.raises(ValueError, match="metric: got 'euclid'"):
        LiveUMAP(metric="euclid")
    with pytest.raises(ValueError, match="n_neighbors: got 1, expected a number of at least 2"):
        LiveUMAP(n_neighbors=1)
