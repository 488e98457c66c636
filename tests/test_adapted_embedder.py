"""The adapted embedder: a learned start, and each task's weights after the inner loop."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from taskembed_edu import AdaptationLab, EvaluationLab
from taskembed_edu.adaptation import JointTraining
from taskembed_edu.base.copies import copy_generator
from taskembed_edu.embedders.adapted import METHODS
from taskembed_edu.networks.learners import MLP
from taskembed_edu.networks.wave import AMPLITUDE, PHASE, Wave
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Sinusoids


def waves(**settings: Any) -> Session:
    return Session("adapted", family="sinusoids", n_tasks=20, projection="pca", **{"learner": "wave", **settings})


def start_of(frame: Frame) -> list[float]:
    assert frame.start is not None
    return [float(value) for value in frame.start]


def test_a_wave_of_two_numbers_is_the_task_where_the_numbers_are_the_tasks() -> None:
    family, learner = Sinusoids(), Wave()
    tasks = family.sample(5, rng=torch.Generator().manual_seed(0))
    amplitude, phase = (tasks.truth[:, tasks.truth_names.index(name)] for name in ("amplitude", "phase"))
    parameters = {AMPLITUDE: amplitude.view(5, 1, 1), PHASE: phase.view(5, 1, 1)}
    losses = learner.losses(parameters, tasks.query_x, tasks.query_y)
    assert losses.max() < 1e-10
    assert float(learner.apply({AMPLITUDE: torch.tensor([[2.0]]), PHASE: torch.zeros(1, 1)}, torch.tensor(math.pi / 2)))
    assert learner.n_parameters == 2


@pytest.mark.parametrize("method", METHODS)
def test_each_method_moves_the_start_and_a_frame_keeps_it(method: str) -> None:
    session = waves(method=method, frame_every=5)
    session.step(10)
    starts = [start_of(frame) for frame in session.history]
    assert [len(start) for start in starts] == [2, 2, 2]
    assert starts[0] != starts[2]
    assert session.frame.embedding.shape == (20, 2)


@pytest.mark.parametrize("method", METHODS)
def test_the_loss_that_is_reported_is_the_query_loss_after_the_inner_loop(method: str) -> None:
    session = waves(method=method, inner_steps=3, n_shot=5)
    state, embedder, settings = session._now.state.copy(), session.embedder, session.settings
    rng = copy_generator(state.rng)
    tasks = state.family.sample(settings.batch, 5, rng=rng, n_query=state.family.default_shot)
    network = {name: value[0].detach() for name, value in state.loop.start.items()}
    losses = []
    for k in range(len(tasks)):
        weights = dict(network)
        for _ in range(3):
            moving = {name: value.clone().requires_grad_() for name, value in weights.items()}
            loss = Wave().loss(moving, tasks.support_x[k], tasks.support_y[k])
            slopes = dict(zip(moving, torch.autograd.grad(loss, list(moving.values())), strict=True))
            kept = (PHASE,) if method == "anil" else ()
            rate = settings.inner_lr
            weights = {n: w if n in kept else w - rate * slopes[n] for n, w in weights.items()}
        losses.append(Wave().loss(weights, tasks.query_x[k], tasks.query_y[k]))
    _state, record = embedder.step(state, settings)
    torch.testing.assert_close(record.loss, torch.stack(losses).mean())


def test_a_vector_is_the_start_after_one_plain_gradient_step() -> None:
    session = waves(inner_lr=0.1)
    phase, amplitude = torch.tensor(start_of(session.frame))
    for task in range(3):
        a, p = amplitude.clone().requires_grad_(), phase.clone().requires_grad_()
        x, y = session.tasks.support_x[task], session.tasks.support_y[task]
        slopes = torch.autograd.grad((a * torch.sin(x - p) - y).square().mean(), (p, a))
        by_hand = torch.stack((p - 0.1 * slopes[0], a - 0.1 * slopes[1])).detach()
        torch.testing.assert_close(torch.tensor(session.frame.embedding[task]), by_hand)


def test_a_start_by_hand_is_where_the_run_begins_and_a_reset_keeps_it() -> None:
    session = waves(start_amplitude=-2.0, start_phase=1.0)
    assert start_of(session.frame) == [1.0, -2.0]
    session.step(10)
    session.reset(start_amplitude=3.0)
    assert start_of(session.frame) == [1.0, 3.0]


def test_the_method_may_change_while_it_runs_and_a_replay_gives_the_same_starts() -> None:
    session = waves()
    session.step(10)
    session.set(method="reptile", inner_steps=3)
    session.step(10)
    again = Session.replay(session.recording())
    assert start_of(again.frame) == start_of(session.frame)


def test_joint_training_has_the_slope_of_the_mean_loss() -> None:
    family, learner = Sinusoids(), MLP(1, 1, (8,))
    tasks = family.sample(4, 5, rng=torch.Generator().manual_seed(0), n_query=7)
    start = {name: value[None].requires_grad_() for name, value in learner.init(torch.Generator()).items()}
    loss = JointTraining(learner).outer_loss(start, tasks)
    one = {name: value[0] for name, value in start.items()}
    x, y = torch.cat((tasks.support_x, tasks.query_x), 1), torch.cat((tasks.support_y, tasks.query_y), 1)
    plain = sum(learner.loss(one, x[task], y[task]) for task in range(4)) / 4
    assert loss.item() == pytest.approx(float(torch.as_tensor(plain).detach()))


def test_an_inner_rate_that_is_too_large_is_said() -> None:
    with pytest.raises(FloatingPointError, match="inner rate"):
        waves(learner="mlp", inner_lr=2.0, inner_steps=20, learning_rate=0.1).step(30)


def test_a_copy_takes_as_much_memory_as_it_says_and_sees_the_same() -> None:
    session = Session("adapted", "sinusoids", n_tasks=50, projection="pca", batch=4, frame_every=1)
    session.step(4)
    state, embedder = session._now.state, session.embedder
    kept = [state, *(moment.state for moment in session.history._checkpoints.values())]
    assert [one.watched is not None for one in kept] == [True] + [False] * (len(kept) - 1)
    assert len(kept) > 3
    vectors, copied = embedder.embed(state), state.copy()
    assert torch.equal(embedder.embed(copied), vectors)
    assert copied.n_bytes() < vectors.numel() * vectors.element_size()


def test_only_networks_that_read_the_tasks_are_offered_and_taken() -> None:
    for name in ("adapted", "context"):
        offered = Session(name, "gaussians", n_tasks=6, projection="pca").offers("learner")
        assert offered == ("auto", "mlp"), "a convolution, or a wave, reads no points"
    assert "wave" in (Session("adapted", "sinusoids", n_tasks=6, projection="pca").offers("learner") or ())
    assert "wave" not in (Session("context", "sinusoids", n_tasks=6, projection="pca").offers("learner") or ())
    with pytest.raises(ValueError, match="learner: got wave, expected one of mlp"):
        AdaptationLab("gaussians", learner="wave")
    with pytest.raises(ValueError, match="learner: got 'wave', expected auto, mlp"):
        Session("context", "sinusoids", n_tasks=6, learner="wave")


@pytest.mark.parametrize("wrong", [3, None])
def test_what_is_no_recording_is_said(wrong: Any) -> None:
    for lab in (AdaptationLab(n_tasks=6), EvaluationLab("adapted", "context", n_tasks=6, projection="pca")):
        with pytest.raises(TypeError, match="expected a recording, or the path of a saved one"):
            lab.replay(wrong)
