"""The loss over the start: against plain loops, with no inner loop and with one, and the ways of three methods."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from taskembed_edu.adaptation import ANIL, MAML, MetaLearner, Reptile
from taskembed_edu.adaptation.surface import LossSurface, has_surface, loss_surface, optima, ways
from taskembed_edu.networks.learners import MLP, unflatten
from taskembed_edu.networks.wave import Wave
from taskembed_edu.tasks import Sinusoids
from taskembed_edu.tasks.batch import TaskBatch

WAVE = Wave()
SMALL = ((-1.0, 2.0), (-2.0, 4.0))


def waves(n_tasks: int = 4, seed: int = 0) -> TaskBatch:
    return Sinusoids().sample(n_tasks, 6, rng=torch.Generator().manual_seed(seed), n_query=5)


def mean_loss(phase: float, amplitude: float, tasks: TaskBatch, steps: int, rate: float, last: bool = False) -> float:
    """By plain loops: one task at a time, its gradient by hand."""
    found = []
    for task in range(len(tasks)):
        x, y = tasks.support_x[task, :, 0].double().numpy(), tasks.support_y[task, :, 0].double().numpy()
        p, a = phase, amplitude
        for _ in range(steps):
            off = a * np.sin(x - p) - y
            slope_p, slope_a = (2 * off * -a * np.cos(x - p)).mean(), (2 * off * np.sin(x - p)).mean()
            p, a = p - (0 if last else rate * slope_p), a - rate * slope_a
        x, y = tasks.query_x[task, :, 0].double().numpy(), tasks.query_y[task, :, 0].double().numpy()
        found.append(((a * np.sin(x - p) - y) ** 2).mean())
    return float(np.mean(found))


@pytest.mark.parametrize("method", [MAML(WAVE, 0.05), Reptile(WAVE, 0.05), ANIL(WAVE, 0.05)])
def test_the_surface_is_what_plain_loops_find(method: MetaLearner) -> None:
    tasks, last = waves(), isinstance(method, ANIL)
    surface = loss_surface(method, tasks, (0, 1, 3), SMALL, n=5)
    assert surface.names == ("phase", "amplitude")
    for steps in surface.steps:
        for row, column in ((0, 0), (1, 3), (4, 2)):
            by_hand = mean_loss(float(surface.x[column]), float(surface.y[row]), tasks, steps, 0.05, last)
            assert surface.after(steps)[row, column] == pytest.approx(by_hand, rel=1e-4)


def test_without_an_inner_step_it_is_the_plain_loss() -> None:
    tasks = waves()
    surface = loss_surface(MAML(WAVE, 0.05), tasks, (0,), SMALL, n=4)
    for row, amplitude in enumerate(surface.y):
        for column, phase in enumerate(surface.x):
            same = unflatten(WAVE, torch.tensor([[float(phase), float(amplitude)]]).expand(len(tasks), 2))
            plain = WAVE.losses(same, tasks.query_x, tasks.query_y).mean()
            assert surface.losses[0, row, column] == pytest.approx(float(plain), rel=1e-5)


def test_parts_of_the_grid_make_the_same_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = loss_surface(MAML(WAVE, 0.05), waves(), (0, 2), SMALL, n=7)
    monkeypatch.setattr("taskembed_edu.adaptation.surface._MOST_NETWORKS", 12)
    np.testing.assert_allclose(loss_surface(MAML(WAVE, 0.05), waves(), (0, 2), SMALL, n=7).losses, whole.losses, 1e-5)


def test_the_best_start_moves_with_the_inner_loop_and_is_better() -> None:
    tasks = waves(32)
    surface = loss_surface(MAML(WAVE, 0.1), tasks, (0, 1, 5))
    phase, amplitude, before = surface.best(0)
    # With no inner loop it is the mean wave. The start from which the waves are reached is another one.
    later = surface.best(5)
    assert math.hypot(later[0] - phase, later[1] - amplitude) > 1
    assert before > surface.best(1)[2] > later[2]
    assert surface.at(phase, amplitude, 5) > later[2]


@given(st.floats(-1, 2), st.floats(-2, 4))
def test_between_the_points_of_the_grid_a_loss_lies_between_theirs(x: float, y: float) -> None:
    losses = np.arange(12, dtype=np.float32).reshape(1, 3, 4)  # a plane: bilinear interpolation is exact on it
    surface = LossSurface(("a", "b"), np.linspace(-1, 2, 4, dtype=np.float32), np.array([-2, 1, 4.0]), (0,), losses)
    assert surface.at(x, y, 0) == pytest.approx((x + 1) + 4 * (y + 2) / 3, abs=1e-5)


def test_a_start_that_diverges_is_not_the_best() -> None:
    surface = loss_surface(MAML(WAVE, 30.0), waves(), (0, 60), n=6)
    assert not np.isfinite(surface.after(60)).any()
    losses = np.array([[[np.inf, 2.0], [np.nan, 3.0]]], np.float32)
    torn = LossSurface(("a", "b"), surface.x[:2], surface.y[:2], (0,), losses)
    assert torn.best(0) == (surface.x[1], surface.y[0], 2.0)
    with pytest.raises(ValueError, match="steps"):
        surface.after(3)


def test_an_optimum_is_the_truth_or_is_fitted() -> None:
    tasks = waves(6)
    true = optima(WAVE, tasks)
    torch.testing.assert_close(true, tasks.truth.flip(1))
    unnamed = TaskBatch(
        tasks.support_x, tasks.support_y, tasks.query_x, tasks.query_y, tasks.truth, ("a", "b"), tasks.names
    )
    fitted = optima(WAVE, unnamed)
    losses = WAVE.losses(unflatten(WAVE, fitted), tasks.query_x, tasks.query_y)
    assert float(losses.max()) < 0.05


def test_the_ways_begin_at_one_point_hear_the_same_tasks_and_part() -> None:
    heard: list[torch.Tensor] = []

    def batches() -> Iterator[TaskBatch]:
        rng = torch.Generator().manual_seed(3)
        for _ in range(20):
            tasks = Sinusoids().sample(8, 6, rng=rng, n_query=6)
            heard.append(tasks.truth)
            yield tasks

    methods = {"maml": MAML(WAVE, 0.1, 1), "first": MAML(WAVE, 0.1, 1, True), "reptile": Reptile(WAVE, 0.1, 3)}
    found = ways(methods, (0.5, 1.0), batches, outer_lr=0.05)
    again = ways(methods, (0.5, 1.0), batches, outer_lr=0.05)
    assert list(found) == list(methods)
    for name, way in found.items():
        assert way.shape == (21, 2)
        assert way[0].tolist() == [0.5, 1.0]
        assert torch.equal(way, again[name])
    assert torch.equal(torch.stack(heard[:20]), torch.stack(heard[20:40]))
    ends = [way[-1] for way in found.values()]
    assert all(float((one - other).norm()) > 1e-3 for one, other in pairwise(ends))


@dataclass(frozen=True)
class _Two(Wave):
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"both.value": (1, 2)}


def test_a_learner_of_more_numbers_has_no_surface() -> None:
    assert has_surface(WAVE)
    assert not has_surface(MLP(1, 1, (5,)))
    assert not has_surface(_Two())
    with pytest.raises(ValueError, match="two numbers"):
        loss_surface(MAML(MLP(1, 1, (5,))), waves())
    with pytest.raises(ValueError, match="range of phase"):
        loss_surface(MAML(WAVE), waves(), ranges=((1.0, 1.0), (0.0, 1.0)))


def test_a_place_that_is_no_number_is_said() -> None:
    surface = loss_surface(MAML(WAVE), waves(), (0,), n=3)
    for wrong in (math.nan, "a", None):
        with pytest.raises((ValueError, TypeError), match="amplitude: got"):
            surface.at(0.0, wrong, 0)  # type: ignore[arg-type]
