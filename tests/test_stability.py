"""The largest stable inner rate: against the curvature, in the errors of embedders, and in what a transfer remarks."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from taskembed_edu import ANIL, CAVIA, MAML, MLP, OuterLoop, Sinusoids, inner_loop
from taskembed_edu.adaptation import largest_stable_rate
from taskembed_edu.embedders import Embedder
from taskembed_edu.embedders.adapted import AdaptedEmbedder, AdaptedSettings
from taskembed_edu.embedders.context import ContextEmbedder, ContextSettings
from taskembed_edu.evaluation.solvers import FromStart, Prototypes, given_start, learned
from taskembed_edu.evaluation.transfer import transfer
from taskembed_edu.tasks.batch import TaskBatch
from tests.runs import generator

LINE = MLP(1, 1, ())
SMALL = MLP(1, 1, (8,), activation="tanh")


def start_of(method: MAML, seed: int = 0) -> dict[str, Tensor]:
    return {name: value.unsqueeze(0) for name, value in method.network.init(generator(seed)).items()}


def waves(n_tasks: int = 6, seed: int = 0) -> TaskBatch:
    return Sinusoids().sample(n_tasks, 10, rng=generator(seed))


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=12), st.integers(0, 50))
@settings(max_examples=8, deadline=None)
def test_for_a_line_it_is_two_by_the_largest_curvature(points: list[float], seed: int) -> None:
    x = torch.tensor(points).reshape(1, -1, 1)
    y = torch.randn(x.shape, generator=generator(seed))
    tasks = dataclasses.replace(waves(1), support_x=x, support_y=y)
    design = torch.cat((x[0], torch.ones_like(x[0])), dim=1)
    bound = 2 / float(torch.linalg.eigvalsh(2 * design.T @ design / len(points)).max())
    rate = largest_stable_rate(LINE, start_of(MAML(LINE), seed), tasks, steps=200)
    # Where the start is nearly right along the steepest direction, a rate a little above takes long to show.
    assert bound * 0.97 <= rate <= bound * 1.1


# A context moves one bias. That of a tanh network saturates: it diverges at no rate.
@pytest.mark.parametrize(("kind", "learner"), [(MAML, SMALL), (ANIL, SMALL), (CAVIA, LINE)])
def test_below_it_the_support_loss_falls_and_above_it_does_not(kind: type[MAML], learner: MLP) -> None:
    method = kind(learner, inner_steps=8)
    start, tasks = start_of(method), waves()
    rate = largest_stable_rate(method, start, tasks)

    def loss(at: float, steps: int) -> float:
        fast = dataclasses.replace(method, inner_lr=at).adapt(start, tasks, steps)
        return float(method.network.losses(fast, tasks.support_x, tasks.support_y).mean())

    assert loss(rate, 8) <= loss(0.0, 0)
    assert not loss(1.01 * rate, 8) <= loss(0.0, 0)


def test_its_ends_and_its_errors() -> None:
    start, tasks = start_of(MAML(SMALL)), waves()
    assert largest_stable_rate(SMALL, start, tasks, low=1e-5, high=1e-4) == 1e-4
    assert largest_stable_rate(SMALL, start, tasks, steps=30, low=50, high=60) == 0
    with pytest.raises(ValueError, match="steps: got 0"):
        largest_stable_rate(SMALL, start, tasks, steps=0)
    with pytest.raises(ValueError, match="high: got 1"):
        largest_stable_rate(SMALL, start, tasks, low=2.0, high=1.0)
    gone = {name: value * torch.nan for name, value in start.items()}
    with pytest.raises(ValueError, match="start: got weights that are not finite"):
        largest_stable_rate(SMALL, gone, tasks)


@pytest.mark.parametrize(
    ("embedder", "chosen"),
    [
        (ContextEmbedder(), ContextSettings(inner_lr=10.0, inner_steps=20, learning_rate=0.1, batch=6, device="cpu")),
        (AdaptedEmbedder(), AdaptedSettings(inner_lr=2.0, inner_steps=20, hidden=8, batch=6, device="cpu")),
    ],
    ids=["context", "adapted"],
)
def test_an_embedder_that_diverges_names_a_rate_that_is_stable(embedder: Embedder[Any, Any], chosen: Any) -> None:
    def trained(settings: Any, steps: int) -> Tensor:
        state = embedder.begin(Sinusoids(), waves(), settings, generator(0))
        for _ in range(steps):
            state, _record = embedder.step(state, settings)
        return embedder.embed(state, waves())

    with pytest.raises(FloatingPointError, match="Lower the inner rate") as error:
        trained(chosen, 200)
    found = re.search(r"the largest that is stable here is ([\d.e-]+)\.", str(error.value))
    assert found is not None
    rate = float(found[1])
    assert 0 < rate < chosen.inner_lr
    assert bool(trained(dataclasses.replace(chosen, inner_lr=rate / 2), 3).isfinite().all())


def test_a_start_that_the_outer_loop_has_lost_asks_for_a_lower_rate() -> None:
    chosen = ContextSettings(hidden=8, batch=4, device="cpu")
    embedder = ContextEmbedder()
    state = embedder.begin(Sinusoids(), waves(), chosen, generator(0))
    state.loop.start["hidden_1.weight"].data.fill_(torch.nan)
    with pytest.raises(
        FloatingPointError, match=r"not finite, at the inner rate .*: lower the inner rate, or the outer one"
    ):
        embedder.step(state, chosen)


def test_a_transfer_says_which_solver_diverged_and_which_rate_would_not() -> None:
    start = start_of(MAML(SMALL))
    solvers = {"wild": FromStart(SMALL, given_start(start), 30.0), "calm": FromStart(SMALL, given_start(start), 0.01)}
    found = transfer(solvers, waves(), (0, 1, 60))
    (remark,) = found.remarks
    told = re.fullmatch(
        r"wild: has diverged on (\d) of 6 tasks, first after (1|60) steps\. "
        r"The largest rate that is stable for 60 steps is ([\d.e-]+); it is 30\.",
        remark,
    )
    assert told is not None, remark
    assert found.table("loss").endswith(remark)
    calmer = transfer({"wild": FromStart(SMALL, given_start(start), float(told[3]))}, waves(), (0, 60))
    assert calmer.remarks == ()
    assert calmer.mean("wild", "loss", 60) < 30
    assert transfer({"calm": solvers["calm"]}, waves(), (0, 5)).remarks == ()


@pytest.mark.parametrize("steps", [(0,), (0, 5)])
def test_what_is_lost_before_the_first_step_blames_no_rate(steps: tuple[int, ...]) -> None:
    wild = {name: 1e9 * value.detach() for name, value in start_of(MAML(SMALL)).items()}
    (remark,) = transfer({"wild": FromStart(SMALL, given_start(wild), 0.01)}, waves(), steps).remarks
    assert remark == "wild: has diverged on 6 of 6 tasks, first after 0 steps."


def test_only_the_layers_that_move_are_asked() -> None:
    loop = OuterLoop(ANIL(SMALL, 0.01, 1), generator(0))
    solver = dataclasses.replace(learned(loop), learning_rate=100.0)  # type: ignore[type-var]
    support = waves()
    rate = float(re.findall(r"is ([\d.e-]+);", solver.advice(support, 10))[0])
    moved = SMALL.of_layers(["output"])
    fast = inner_loop(SMALL, loop.start, support.support_x, support.support_y, 10, rate, adapted=moved)
    assert SMALL.losses(fast, support.support_x, support.support_y).isfinite().all()
    assert rate == pytest.approx(largest_stable_rate(ANIL(SMALL, inner_steps=10), loop.start, support), rel=0.1)
    assert Prototypes(torch.flatten).advice(support, 5) == ""


def test_a_rate_is_of_tasks_and_of_a_network() -> None:
    start = start_of(MAML(SMALL))
    with pytest.raises(ValueError, match="tasks: got no task"):
        largest_stable_rate(MAML(SMALL), start, waves()[:0])
    with pytest.raises(TypeError, match="tasks: got None"):
        largest_stable_rate(MAML(SMALL), start, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="start: got a NoneType"):
        largest_stable_rate(MAML(SMALL), None, waves())  # type: ignore[arg-type]
