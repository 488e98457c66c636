"""The context embedder: an inner loop fits a few numbers to a task, and these numbers are its vector."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from taskembed_edu import ContextEmbedder, Session
from taskembed_edu.embedders import ContextSettings, MetaState
from taskembed_edu.tasks import Digits, Gaussians, NumberWords, Sinusoids, TaskFamily
from tests.runs import SMALL, as_json, generator

EMBEDDER = ContextEmbedder()
FAMILIES = [Sinusoids(), Gaussians(), Digits(), NumberWords()]


def begun(family: TaskFamily, **values: Any) -> tuple[MetaState, ContextSettings]:
    settings, rng = ContextSettings(**{"batch": 4, "hidden": 8, "device": "cpu", **values}), generator()
    return EMBEDDER.begin(family, family.sample(5, n_shot=4, rng=rng), settings, rng), settings


def session(**values: Any) -> Session:
    given = {name: value for name, value in SMALL.items() if name != "dim"}
    return Session("context", **{**given, "family": "sinusoids", **values})


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_it_steps_and_embeds_tasks_of_every_kind(family: TaskFamily) -> None:
    state, settings = begun(family, n_context=3)
    for _ in range(2):
        state, record = EMBEDDER.step(state, settings)
    vectors = EMBEDDER.embed(state)
    assert vectors.shape == (5, 3)
    assert torch.isfinite(vectors).all()
    assert torch.isfinite(record.loss)
    assert torch.isfinite(record.readings["loss_before"])


def test_a_vector_is_the_context_by_a_plain_loop() -> None:
    """One task by hand: two steps of gradient descent on the context alone."""
    state, settings = begun(Sinusoids())
    EMBEDDER.step(state, settings)
    network = state.loop.method.network
    weights = {name: value[0].detach() for name, value in state.loop.start.items()}
    context = torch.zeros(1, 5)
    for _ in range(settings.inner_steps):
        context.requires_grad_()
        mine = {**weights, "context.values": context}
        loss = network.loss(mine, state.tasks.support_x[0], state.tasks.support_y[0])
        (slope,) = torch.autograd.grad(loss, context)
        context = (context - settings.inner_lr * slope).detach()
    torch.testing.assert_close(EMBEDDER.embed(state)[0], context[0], atol=1e-6, rtol=1e-4)


def test_a_task_alone_has_the_vector_that_it_has_among_others() -> None:
    state, settings = begun(Digits())
    EMBEDDER.step(state, settings)
    torch.testing.assert_close(EMBEDDER.embed(state, state.tasks[2:3])[0], EMBEDDER.embed(state)[2])


def test_a_copy_shares_nothing() -> None:
    state, settings = begun(Gaussians())
    EMBEDDER.step(state, settings)
    twin, before = state.copy(), EMBEDDER.embed(state)
    for _ in range(3):
        EMBEDDER.step(twin, settings)
    assert torch.equal(EMBEDDER.embed(state), before)
    for _ in range(3):
        EMBEDDER.step(state, settings)
    assert torch.equal(EMBEDDER.embed(state), EMBEDDER.embed(twin))
    assert state.n_bytes() == twin.n_bytes()


def test_a_run_is_replayed_with_rates_that_moved() -> None:
    made = session()
    made.step(5)
    made.set(inner_lr=0.3)
    made.step(3)
    made.set(inner_steps=4, learning_rate=1e-2)
    made.step(4)
    twin = Session.replay(as_json(made.recording()))
    assert (twin.frame.embedding == made.frame.embedding).all()
    assert twin.frame.diagnostics["loss_before"] == made.frame.diagnostics["loss_before"]


def test_the_loss_before_is_that_of_a_context_of_nothing() -> None:
    made = session(inner_lr=1e-3)  # a step of next to nothing: the loss after is that before
    made.step(4)
    assert made.frame.diagnostics["loss_before"] == pytest.approx(made.frame.loss, rel=0.02)


def test_an_inner_rate_that_is_too_large_says_so() -> None:
    made = session(inner_lr=10.0, inner_steps=20, learning_rate=0.1)
    with pytest.raises(FloatingPointError, match=r"Lower the inner rate .* stable here is"):
        made.step(300)


def test_it_finds_the_geometry_of_waves_and_its_network_answers() -> None:
    made = Session("context", "sinusoids", n_tasks=60, projection="pca", device="cpu", seed=0)
    before = made.history[0].diagnostics["spearman"]
    made.step(300)
    scores = made.frame.diagnostics
    assert scores["spearman"] > 0.85 > before
    assert made.frame.loss < 0.4 * scores["loss_before"]
    assert EMBEDDER.answers(made._now.state) is not None
