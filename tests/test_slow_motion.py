"""The inner loop in slow motion: it equals a plain loop, nothing leaks, and every frame of a run can be looked at."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from taskembed_edu import MLP, AdaptationLab, Gaussians, Session, Sinusoids, task_learner
from taskembed_edu.evaluation.inner_loops import NamedStart, inner_loops, prototype_measures
from taskembed_edu.evaluation.neighbour_networks import NeighbourNetworks
from taskembed_edu.evaluation.solvers import FromStart, given_start
from taskembed_edu.evaluation.transfer import check_no_leak
from taskembed_edu.networks.learners import Parameters, unflatten
from taskembed_edu.session.slow_motion import (
    LEARNED,
    NEAREST,
    PROTOTYPES,
    RANDOM,
    Asked,
    SlowMotion,
    checked_points,
    method_at,
)
from taskembed_edu.tasks.base import TaskBatch

LEARNER = MLP(1, 1, (6, 6))
SMALL: dict[str, Any] = {"n_tasks": 8, "hidden": 8, "batch": 4, "projection": "pca"}


def one_wave(seed: int = 0, n_shot: int = 5) -> TaskBatch:
    return Sinusoids().sample(1, n_shot, rng=torch.Generator().manual_seed(seed))


def network(seed: int) -> Parameters:
    drawn = LEARNER.init(torch.Generator().manual_seed(seed))
    return {name: value[None] for name, value in drawn.items()}


def plain_way(start: NamedStart, task: TaskBatch, rate: float, steps: int) -> tuple[list[float], list[float]]:
    """The support and the query losses of one start, network by network and parameter by parameter."""
    weights = {name: value[0].clone() for name, value in start.network.items()}
    support, query = [], []
    for step in range(steps + 1):
        moving = {name: value.detach().requires_grad_() for name, value in weights.items()}
        loss = LEARNER.loss(moving, task.support_x[0], task.support_y[0])
        support.append(float(loss.detach()))
        query.append(float(LEARNER.loss(weights, task.query_x[0], task.query_y[0])))
        slopes = torch.autograd.grad(loss, list(moving.values()))
        for name, slope in zip(moving, slopes, strict=True):
            if step < steps and (start.adapted is None or name in start.adapted):
                weights[name] = weights[name] - rate * slope
    return support, query


# ---- the bench -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_all_starts_at_once_are_a_plain_loop_over_starts_and_steps(rate: float) -> None:
    last = ("output.weight", "output.bias")
    starts = [NamedStart("a", network(1)), NamedStart("b", network(2), last), NamedStart("c", network(3))]
    task = one_wave()
    ways = inner_loops(LEARNER, starts, task, inner_lr=rate, steps=6)
    for start in starts:
        support, query = plain_way(start, task, rate, 6)
        assert ways[start.name].losses == pytest.approx(support, rel=1e-4)
        assert ways[start.name].query_losses == pytest.approx(query, rel=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50), st.integers(1, 4), st.integers(0, 3))
def test_step_0_is_the_start_itself_and_company_changes_no_way(seed: int, n_starts: int, steps: int) -> None:
    task = one_wave(seed)
    starts = [NamedStart(f"{k}", network(seed + k)) for k in range(n_starts)]
    together = inner_loops(LEARNER, starts, task, inner_lr=0.05, steps=steps)
    for start in starts:
        alone = inner_loops(LEARNER, [start], task, inner_lr=0.05, steps=steps)[start.name]
        assert together[start.name].losses == pytest.approx(alone.losses, rel=1e-4)
        first = LEARNER.losses(start.network, task.support_x, task.support_y)
        assert alone.losses[0] == pytest.approx(float(first), rel=1e-5)


def test_query_points_never_reach_the_inner_loop() -> None:
    task = one_wave()
    starts = [NamedStart("a", network(1)), NamedStart("b", network(2))]
    probe = torch.linspace(-5, 5, 7).view(1, -1, 1)
    clean = inner_loops(LEARNER, starts, task, inner_lr=0.05, steps=4, probe=probe)
    spoilt = replace(task, query_x=torch.full_like(task.query_x, math.nan), query_y=task.query_y + 100)
    found = inner_loops(LEARNER, starts, spoilt, inner_lr=0.05, steps=4, probe=probe)
    for name in clean:
        assert found[name].losses == clean[name].losses
        assert torch.equal(found[name].outputs, clean[name].outputs)
        assert all(math.isnan(loss) for loss in found[name].query_losses)


def test_a_start_that_diverges_is_named_with_its_step_and_harms_no_other() -> None:
    task = one_wave()
    starts = [
        NamedStart("calm", network(1), ("output.bias",)),
        NamedStart("wild", {n: 3 * w for n, w in network(2).items()}),
    ]
    ways = inner_loops(LEARNER, starts, task, inner_lr=0.9, steps=8)
    lost = ways["wild"].diverged_at
    assert lost is not None
    assert all(math.isfinite(loss) for loss in ways["wild"].losses[:lost])
    assert all(math.isnan(loss) for loss in ways["wild"].losses[lost:])
    assert ways["wild"].outputs[lost:].isnan().all()
    assert ways["calm"].diverged_at is None
    assert all(math.isfinite(loss) for loss in ways["calm"].losses)
    assert f"diverged at step {lost}" in repr(ways["wild"])


def test_without_points_nothing_is_learnt_and_without_truth_nothing_is_judged() -> None:
    task = one_wave()
    bare = replace(task, query_x=task.query_x[:, :0], query_y=task.query_y[:, :0])
    way = inner_loops(LEARNER, [NamedStart("a", network(1))], bare, inner_lr=0.05, steps=3, probe=task.support_x)["a"]
    assert way.query == {}
    assert way.losses[3] < way.losses[0]
    empty = bare.with_support(task.support_x[:, :0], task.support_y[:, :0])
    way = inner_loops(LEARNER, [NamedStart("a", network(1))], empty, inner_lr=0.05, steps=3, probe=task.support_x)["a"]
    assert way.diverged_at is None
    assert torch.equal(way.outputs[3], way.outputs[0])


@pytest.mark.parametrize("points", [5, "ab", [1.0, 2.0], [(1.0, 2.0), (3.0,)], [(1.0, math.nan)], [("a", "b")], {1: 2}])
def test_what_are_no_points_is_told_what_points_are(points: Any) -> None:
    with pytest.raises(ValueError, match=r"points: got .*expected pairs of finite numbers"):
        checked_points(points)


def test_points_are_pairs_and_none_is_no_point() -> None:
    assert checked_points([[1, 2], [3.5, 4]]) == ((1.0, 2.0), (3.5, 4.0))
    assert checked_points(None) == checked_points([]) == ()


def test_what_makes_no_sense_is_refused() -> None:
    start = NamedStart("a", network(1))
    with pytest.raises(ValueError, match="a batch of one"):
        inner_loops(LEARNER, [start], Sinusoids().sample(2, rng=torch.Generator()), inner_lr=0.1, steps=1)
    with pytest.raises(ValueError, match="name of its own"):
        inner_loops(LEARNER, [start, start], one_wave(), inner_lr=0.1, steps=1)
    with pytest.raises(ValueError, match="steps"):
        inner_loops(LEARNER, [start], one_wave(), inner_lr=0.1, steps=-1)


def test_prototypes_are_right_where_classes_lie_apart() -> None:
    tasks = Gaussians(spread=0.01).sample(6, rng=torch.Generator().manual_seed(0))
    for task in range(6):
        assert prototype_measures(tasks[[task]])["accuracy"] == 1


# ---- known tasks -----------------------------------------------------------------------------------------------------


def known_tasks(seed: int = 0) -> NeighbourNetworks:
    split = Sinusoids().split(torch.Generator().manual_seed(1))
    return NeighbourNetworks(LEARNER, split.train, network(0), seed)


def test_known_networks_fit_their_tasks_and_do_not_depend_on_how_they_were_called() -> None:
    whole, parts = known_tasks(), known_tasks()
    assert not whole.finished
    whole.advance()
    while not parts.finished:
        parts.advance(7)
    assert parts.share == 1
    for task in (0, 63):
        for name, value in whole.network(task).items():
            assert torch.equal(value, parts.network(task)[name])
    flat = LEARNER.losses(network(0), whole.tasks.support_x[:1], whole.tasks.support_y[:1])
    fitted = [
        float(LEARNER.losses(whole.network(k), whole.tasks.support_x[[k]], whole.tasks.support_y[[k]]))
        for k in range(64)
    ]
    assert sum(fitted) / 64 < 0.5 * float(flat)


def test_the_nearest_is_that_of_a_plain_loop_and_none_of_a_lost_one() -> None:
    known = known_tasks()
    vectors = torch.randn(64, 5, generator=torch.Generator().manual_seed(0))
    vector = torch.zeros(1, 5)
    by_hand = min(range(64), key=lambda k: float((vectors[k] - vector[0]).norm()))
    assert known.nearest(vector, vectors) == by_hand
    vectors[by_hand] = math.nan
    assert known.nearest(vector, vectors) not in (by_hand, None)
    assert known.nearest(torch.full((1, 5), math.inf), vectors) is None


def test_the_known_tasks_of_a_run_follow_its_seed_and_not_what_was_asked_before() -> None:
    by_hand: dict[str, Any] = {"learner": "wave", "start_amplitude": 1.0, "start_phase": 0.5, **SMALL}
    first, second = (Session("adapted", "sinusoids", seed=seed, **by_hand) for seed in (0, 1))
    motion = SlowMotion()
    assert motion.known(first) is motion.known(first)
    after_another, alone = motion.known(second), SlowMotion().known(second)
    assert torch.equal(after_another.tasks.support_x, alone.tasks.support_x)
    assert motion.known(first) is not after_another
    first.reset(seed=1)
    assert motion.known(first) is after_another


@pytest.mark.parametrize("family", ["sinusoids", "gaussians"])
def test_a_known_task_is_never_one_of_the_map(family: str) -> None:
    session = AdaptationLab(family, **SMALL).session
    known = SlowMotion().known(session)
    solver = FromStart(LEARNER, given_start(network(0)), known=known.tasks)
    check_no_leak("nearest task", solver, session.tasks)
    # Stronger: the slices of the split keep the parts apart, so even the first true parameter is nowhere the same.
    assert not set(known.tasks.truth[:, 0].tolist()) & set(session.tasks.truth[:, 0].tolist())


# ---- frames of a run -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def waves() -> Session:
    session = AdaptationLab("sinusoids", **SMALL, frame_every=5).session
    session.step(20)
    return session


def test_any_frame_can_be_looked_at_and_the_ways_begin_at_its_start(waves: Session) -> None:
    motion = SlowMotion()
    motion.known(waves).advance()
    for frame in (waves.history[0], waves.history[2], waves.frame):
        seen = motion.at(waves, frame, Asked(task=3, steps=4))
        learner = method_at(waves, frame).network
        start = unflatten(learner, torch.tensor(frame.start)[None])
        first = learner.losses(start, waves.tasks.query_x[[3]], waves.tasks.query_y[[3]])
        assert seen.ways[LEARNED].query_losses[0] == pytest.approx(float(first), rel=1e-5)
        assert set(seen.ways) == {RANDOM, LEARNED, NEAREST}
        assert "no classes" in seen.missing[PROTOTYPES]
        assert seen.nearest in motion.known(waves).tasks.names
        assert seen.ways[RANDOM].outputs.shape == (5, 64, 1)


def test_before_the_known_tasks_are_trained_the_nearest_is_missing_and_says_why(waves: Session) -> None:
    motion = SlowMotion()
    seen = motion.at(waves, waves.frame, Asked())
    assert NEAREST not in seen.ways
    assert "being trained: 0%" in seen.missing[NEAREST]


def test_points_of_ones_own_have_no_query_set_and_moved_ones_have(waves: Session) -> None:
    motion = SlowMotion()
    points = ((-2.0, 1.0), (0.0, 2.0))
    own = motion.at(waves, waves.frame, Asked(points=points, own=True))
    assert own.measures == ()
    assert own.task.support_x.flatten().tolist() == [-2, 0]
    moved = motion.at(waves, waves.frame, Asked(points=points))
    assert moved.measures == ("loss",)
    assert moved.ways[LEARNED].losses == own.ways[LEARNED].losses
    none = motion.at(waves, waves.frame, Asked(points=(), own=True))
    assert none.ways[LEARNED].diverged_at is None
    assert "No point" in none.missing[NEAREST] or "being trained" in none.missing[NEAREST]


def test_two_runs_have_a_learned_start_each(waves: Session) -> None:
    twin = waves.branch(at=1)
    twin.set(method="reptile")
    twin.step(5)
    motion = SlowMotion()
    seen = motion.at(waves, waves.frame, Asked(), [("the other", twin, twin.frame)])
    alone = motion.at(twin, twin.frame, Asked())
    assert seen.ways["the other"].losses == pytest.approx(alone.ways[LEARNED].losses, rel=1e-5)
    assert motion.known(waves) is motion.known(twin), "both began at the same start: known tasks are trained once"


def test_anil_moves_its_last_layer_alone() -> None:
    session = AdaptationLab("sinusoids", **SMALL, method="anil").session
    seen = SlowMotion().at(session, session.frame, Asked(steps=2))
    method = method_at(session, session.frame)
    start = unflatten(method.network, torch.tensor(session.frame.start)[None])
    adapted = method.adapt(start, session.tasks[[0]], 2)
    loss = method.network.losses(adapted, session.tasks.support_x[[0]], session.tasks.support_y[[0]])
    assert seen.ways[LEARNED].losses[2] == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.parametrize("family", ["gaussians", "digits"])
def test_tasks_with_classes_have_accuracies_and_prototypes(family: str) -> None:
    session = AdaptationLab(family, **SMALL).session
    seen = SlowMotion().at(session, session.frame, Asked(steps=2))
    assert not seen.is_curve
    assert {"loss", "accuracy"} <= set(seen.measures)
    assert 0 <= seen.prototypes["accuracy"] <= 1
    fit = seen.fit(seen.ways[LEARNED])
    assert fit is not None
    assert fit.classes is not None
    assert len(fit.classes) == 3
    with pytest.raises(ValueError, match="no curves"):
        SlowMotion().at(session, session.frame, Asked(points=((0.0, 0.0),)))


def test_words_are_spelt_after_each_step() -> None:
    session = AdaptationLab("number_words", n_tasks=6, hidden=8, batch=2).session
    seen = SlowMotion().at(session, session.frame, Asked(steps=1))
    assert set(seen.measures) == {"loss", "letters right", "words right"}
    fit = seen.fit(seen.ways[LEARNED])
    assert fit is not None
    assert fit.words is not None
    assert [len(words) for words in fit.words] == [6, 6]


# ---- the lab without a page ------------------------------------------------------------------------------------------


def test_the_lab_gives_the_inner_loop_of_a_task_or_of_points() -> None:
    lab = AdaptationLab("sinusoids", **SMALL)
    lab.session.step(10)
    before = lab.session.frame
    way = lab.inner(steps=4, task=2)
    assert (way.start, way.steps, way.diverged_at) == (LEARNED, 4, None)
    assert len(way.losses) == len(way.query_losses) == 5
    assert lab.inner(start=NEAREST).start == NEAREST
    assert lab.inner(points=[(-1, 2), (1, -2)]).query_losses == ()
    assert lab.session.frame is before
    for wrong in (
        {"task": 8},
        {"start": "nowhere"},
        {"steps": 101},
        {"points": [(1, 2, 3)]},
        {"points": [(0, math.nan)]},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            lab.inner(**wrong)


def test_the_picture_has_the_bench_above_the_map() -> None:
    lab = AdaptationLab("sinusoids", **SMALL)
    lab.session.step(10)
    titles = [axes.get_title() for part in lab.picture().subfigs for axes in part.axes]
    assert any("after 10 inner steps" in title for title in titles)
    assert any("8 tasks at step 10" in title for title in titles)


def test_a_wave_of_two_numbers_has_a_bench_too() -> None:
    lab = AdaptationLab("sinusoids", n_tasks=8, batch=4, learner="wave")
    assert task_learner(Sinusoids(), "wave").n_parameters == 2
    assert lab.inner(steps=2).steps == 2


@pytest.mark.parametrize("points", ["abc", 5, [("a", "b")], [(1, 2), (3,)], {1: 2}, [(math.nan, 1)], [None], [[]]])
def test_what_are_no_points_is_said(points: Any) -> None:
    with pytest.raises(ValueError, match=r"points: got .*expected pairs of finite numbers"):
        checked_points(points)


def test_points_of_any_kind_are_taken() -> None:
    pairs = ((1.0, 2.0), (1.0, 3.0))
    for given_ in (
        pairs,
        [list(pair) for pair in pairs],
        iter(pairs),
        torch.tensor(pairs),
        torch.tensor(pairs).numpy(),
    ):
        assert checked_points(given_) == pairs
    assert checked_points([]) == ()
