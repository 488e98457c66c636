"""Generalisation and cost: intervals by brute force, shifts that are what they say, and prices that are counted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from taskembed_edu import CAVIA, MLP, Digits, MetricEmbedder, MetricSettings, NumberWords, OuterLoop, Sinusoids
from taskembed_edu.embedders import task_embedder
from taskembed_edu.evaluation.challenges import (
    Curve,
    Training,
    bootstrap_interval,
    cost_curve,
    embedder_training,
    outer_training,
    shift_curve,
)
from taskembed_edu.evaluation.geometry import TrueGeometry
from taskembed_edu.evaluation.judges import Judge, found_again, order_kept, solved
from taskembed_edu.evaluation.scores import recall_at_k
from taskembed_edu.evaluation.shifts import farther_languages, shifted_waves, turned_digits
from taskembed_edu.evaluation.solvers import FromStart, given_start, learned
from taskembed_edu.evaluation.tensor_memory import peak_bytes
from taskembed_edu.figures.challenges import cost_figure, shift_figure
from taskembed_edu.tasks.base import TaskFamily
from tests.runs import generator

SMALL = MLP(1, 1, (6,), activation="tanh")
PARTS = Sinusoids().split(generator(0))


# ---- intervals -------------------------------------------------------------------------------------------------------


def test_an_interval_is_that_of_plain_draws() -> None:
    runs = [torch.rand(40, generator=generator(seed)) + seed / 10 for seed in range(3)]
    rng, plain = np.random.default_rng(1), []
    for _ in range(4000):
        places = rng.integers(0, 3, 3)
        plain.append(np.mean([rng.choice(runs[place].numpy(), 40).mean() for place in places]))
    assert bootstrap_interval(runs) == pytest.approx(np.quantile(plain, (0.025, 0.975)), abs=0.01)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_an_interval_holds_the_mean_of_equal_runs_and_lies_within_the_numbers(values: list[float], n: int) -> None:
    low, high = bootstrap_interval([torch.tensor(values)] * n, level=0.99)
    assert min(values) - 1e-5 <= low <= high <= max(values) + 1e-5


def test_an_interval_of_what_is_not_finite_is_none() -> None:
    assert np.isnan(bootstrap_interval([torch.tensor([1.0, torch.inf])])).all()
    with pytest.raises(ValueError, match="runs: got none"):
        bootstrap_interval([])


# ---- generalisation --------------------------------------------------------------------------------------------------


def test_a_shift_moves_what_it_says() -> None:
    shifted = shifted_waves(PARTS.unseen, (0.0, 2.0))
    assert shifted[0.0] == PARTS.unseen
    amplitudes = shifted[2.0].draw_truth(200, generator(0))[:, 0]
    assert 2.1 <= float(amplitudes.min()) < 3
    assert 6 < float(amplitudes.max()) <= 7
    unseen = Digits().split(generator(0)).unseen
    turned = turned_digits(unseen, (1.0,))[1.0]
    assert turned.part == unseen.part, "the pictures are still never seen ones"
    assert float(turned.draw_truth(50, generator(0))[:, 0].min()) >= 1.0


@pytest.mark.parametrize("seed", range(5))
def test_farther_languages_are_as_far_as_they_say(seed: int) -> None:
    train, farther = farther_languages(generator(seed))
    assert sorted(farther) == [1.0, 2.0, 3.0]
    parts = [train, *farther.values()]
    assert sorted(code for part in parts for code in part.part) == sorted(NumberWords().codes)
    everything = NumberWords().sample(len(NumberWords().codes), 1, rng=generator(0))
    row = {name: k for k, name in enumerate(everything.names)}
    apart = NumberWords().true_distance(everything).round()
    trained = [row[name] for name in train.sample(len(train.codes), 1, rng=generator(0)).names]
    for distance, family in farther.items():
        assert len(family.codes) >= 4
        for name in family.sample(len(family.codes), 1, rng=generator(0)).names:
            assert float(apart[row[name], trained].min()) == distance


def amplitude(family: TaskFamily, rng: torch.Generator) -> Tensor:
    return family.draw_truth(300, rng)[:, 0]


def test_a_curve_is_the_mean_over_tasks_and_seeds_with_its_band() -> None:
    asked: list[int] = []
    drawn: list[int] = []

    def trained(seed: int) -> Mapping[str, Judge]:
        asked.append(seed)
        return {"one": amplitude, "same": amplitude, "seeds": seeds}

    def seeds(family: TaskFamily, rng: torch.Generator) -> Tensor:
        drawn.append(rng.initial_seed())
        return amplitude(family, rng)

    curves = shift_curve(trained, shifted_waves(PARTS.unseen, (0.0, 1.0, 3.0)), seeds=(0, 4))
    assert asked == [0, 4]
    assert len(set(drawn)) == 2, "each seed has tasks of its own"
    assert not set(drawn) & {0, 4}, "and not those that training draws"
    assert curves["one"] == curves["same"], "all are given the same tasks"
    curve = curves["one"]
    assert curve.x == (0.0, 1.0, 3.0)
    assert np.diff(curve.mean) == pytest.approx([1.0, 2.0], abs=1e-4)
    assert all(low < mean < high for low, mean, high in zip(curve.low, curve.mean, curve.high, strict=True))
    figure = shift_figure(curves, "amplitude beyond training", "amplitude")
    (panel,) = figure.axes
    assert panel.get_title() == "amplitude"
    assert len(panel.collections) == 3, "each line has its band"


def test_a_wave_beyond_training_costs_a_learned_start_more() -> None:
    def trained(seed: int) -> Mapping[str, Judge]:
        rng = generator(seed)
        loop = OuterLoop(CAVIA(MLP(1, 1, (20,))), rng)
        for _ in range(60):
            loop.step(PARTS.train.sample(10, 5, rng=rng))
        return {"CAVIA": solved(learned(loop), step=2, n_tasks=50, n_shot=5)}

    curve = shift_curve(trained, shifted_waves(PARTS.unseen, (0.0, 4.0)))["CAVIA"]
    assert curve.mean[1] > curve.high[0]


def test_judges_are_the_scores_task_by_task() -> None:
    fitted = MetricEmbedder().fit(PARTS.train, 5, MetricSettings(hidden=8, dim=3, batch=4))
    tasks = PARTS.unseen.sample(30, 6, rng=(rng := generator(3)))
    again = fitted.embed(PARTS.unseen.redraw(tasks, rng, 6))
    hits = found_again(fitted, n_tasks=30, n_shot=6)(PARTS.unseen, generator(3))
    assert float(hits.mean()) == pytest.approx(recall_at_k(again, fitted.embed(tasks))[1])
    kept = order_kept(fitted, n_tasks=3, n_shot=6)(PARTS.unseen, generator(3))
    three = PARTS.unseen.sample(3, 6, rng=generator(3))
    assert set(kept.tolist()) <= {-1.0, 1.0}, "of two distances there are two orders"
    geometry = TrueGeometry(PARTS.unseen.true_distance(three))
    assert -1 <= geometry.spearman(fitted.embed(three)) <= 1
    zero = {name: torch.zeros(1, *shape) for name, shape in SMALL.shapes().items()}
    loss = solved(FromStart(SMALL, given_start(zero)), step=0, n_tasks=9)(PARTS.unseen, generator(1))
    waves = PARTS.unseen.sample(9, rng=generator(1))
    assert loss == pytest.approx(waves.query_y.square().mean(dim=(1, 2)).numpy(), rel=1e-5)


# ---- cost ------------------------------------------------------------------------------------------------------------


def test_a_cost_counts_steps_tasks_and_bytes() -> None:
    made: list[int] = []

    def begun(seed: int) -> Mapping[str, Training]:
        def judge(family: TaskFamily, rng: torch.Generator) -> Tensor:
            return torch.full((5,), float(len(made)))

        def step() -> None:
            made.append(int(torch.ones(1000).sum()))

        return {"counter": Training(step, lambda: judge, tasks_a_step=7, n_bytes=lambda: 100)}

    cost = cost_curve(begun, (0, 2, 5), PARTS.unseen)["counter"]
    assert cost.quality.mean == (0.0, 2.0, 5.0)
    assert cost.tasks == (0, 14, 35)
    assert cost.n_bytes == 100 + 4000 + 4
    assert list(cost.seconds) == sorted(cost.seconds)
    assert cost.against("tasks").x == (0, 14, 35)
    assert cost.against("MB") == Curve((cost.n_bytes / 1e6,), (5.0,), (5.0,), (5.0,))
    with pytest.raises(ValueError, match="price: got 'second'"):
        cost.against("second")
    titles = [panel.get_title() for panel in cost_figure({"a": cost}, "count").axes]
    assert titles == ["count by seconds", "count by tasks", "count by MB"]


def test_a_loop_and_an_embedder_are_trained_and_judged_as_they_are() -> None:
    def begun(seed: int) -> Mapping[str, Training]:
        loop = OuterLoop(CAVIA(SMALL), generator(seed))
        small = MetricSettings(hidden=8, dim=3, batch=4)
        outer = outer_training(loop, PARTS.train, lambda of: solved(learned(of), 1), n_tasks=6, rng=generator(seed))
        vectors = embedder_training(MetricEmbedder(), PARTS.train, found_again, settings=small, rng=generator(seed))
        return {"loop": outer, "embedder": vectors}

    costs = cost_curve(begun, (0, 3), PARTS.unseen, seeds=(0, 1))
    assert costs["loop"].tasks == (0, 18)
    assert costs["embedder"].tasks == (0, 12)
    assert costs["loop"].quality.mean[0] != costs["loop"].quality.mean[1]
    n_weights = sum(np.prod(shape) for shape in CAVIA(SMALL).network.shapes().values())
    assert costs["loop"].n_bytes > 12 * n_weights
    begun_again = embedder_training(
        MetricEmbedder(), PARTS.train, found_again, settings=MetricSettings(hidden=8, dim=3, batch=4), rng=generator(0)
    )
    assert isinstance(begun_again.judge()(PARTS.unseen, generator(0)), Tensor)


@pytest.mark.parametrize(
    ("embedder", "n_tasks"), [("metric", 4), ("fisher", 4), ("adapted", 4), ("parameters", 0), ("summary", 0)]
)
def test_tasks_seen_are_those_that_training_draws(embedder: str, n_tasks: int) -> None:
    chosen = task_embedder(embedder).settings_class(**({} if embedder == "summary" else {"batch": 4}))
    training = embedder_training(task_embedder(embedder), PARTS.train, found_again, settings=chosen, rng=generator(0))
    assert training.tasks_a_step == n_tasks


def test_the_peak_is_what_is_held_at_one_time() -> None:
    assert peak_bytes(lambda: torch.ones(1000)) == 4000
    assert peak_bytes(lambda: torch.ones(1000) + 1) == 8000
    assert peak_bytes(lambda: [float(torch.ones(1000).sum()) for _ in range(5)]) == 4004
    there = torch.ones(1000)
    assert peak_bytes(lambda: there.view(10, 100).t()) == 0
    weights = torch.ones(1000, requires_grad=True)
    assert peak_bytes(lambda: (weights.sin().exp()).sum().backward()) >= 3 * 4000


def test_errors_teach() -> None:
    for shift in (shifted_waves, turned_digits):
        with pytest.raises(TypeError, match="family: got NumberWords"):
            shift(NumberWords(), (0.0,))
    with pytest.raises(ValueError, match="shifted: got no family"):
        shift_curve(lambda seed: {}, {})
    with pytest.raises(ValueError, match=r"seeds: got 3, expected at least one seed in a list"):
        shift_curve(lambda seed: {}, {0.0: PARTS.unseen}, seeds=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="steps: got"):
        cost_curve(lambda seed: {}, (5, 0), PARTS.unseen)
    with pytest.raises(ValueError, match="price: got 'money'"):
        cost_figure({}, "loss", ("money",))


def test_a_function_that_gives_no_judges_and_steps_that_are_no_list_are_said() -> None:
    waves = Sinusoids()
    for wrong in (None, {"mine": 3}):
        with pytest.raises(TypeError, match=r"trained\(0\): got .*a dict by name of a judge"):
            shift_curve(lambda _seed, wrong=wrong: wrong, {0.0: waves})  # type: ignore[misc]
        with pytest.raises(TypeError, match=r"begun\(0\): got .*a dict by name of a Training"):
            cost_curve(lambda _seed, wrong=wrong: wrong, [1], waves)  # type: ignore[misc]
    with pytest.raises(TypeError, match="trained: got None, expected a function of a seed"):
        shift_curve(None, {0.0: waves})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="families by how far they are shifted"):
        shift_curve(lambda _seed: {}, [waves])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="steps: got 3, expected numbers of steps in a list"):
        cost_curve(lambda _seed: {}, 3, waves)  # type: ignore[arg-type]
    for wrong_shifts in (3, "ab"):
        with pytest.raises(TypeError, match=r"shifts: got .*expected numbers in a list"):
            shifted_waves(waves, wrong_shifts)  # type: ignore[arg-type]
