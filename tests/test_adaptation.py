"""Inner and outer loops: by hand, against finite differences and torch.func, and what must not leak."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from taskembed_edu import (
    GRU,
    MLP,
    Digits,
    NumberWords,
    OwnTasks,
    Sinusoids,
    TaskBatch,
    TaskFamily,
    start_networks,
    task_learner,
)
from taskembed_edu.adaptation import (
    ANIL,
    CAVIA,
    MAML,
    ContextLearner,
    MetaLearner,
    OuterLoop,
    Reptile,
    inner_loop,
)
from taskembed_edu.networks.learners import Learner, Parameters, flatten


@dataclass(frozen=True)
class Line(Learner):
    """Two parameters: a x + b, one task's loss is the mean squared error."""

    name: ClassVar[str] = "line"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"slope.weight": (1,), "shift.bias": (1,)}

    def fan_in(self, layer: str) -> int:
        return 1

    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        return x * parameters["slope.weight"] + parameters["shift.bias"]

    def loss(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        return (self.apply(parameters, x) - y).square().mean()


LINE = Line()
SMALL = MLP(1, 1, (5,), activation="tanh")


def two_numbers(a: float, b: float) -> Parameters:
    return {"slope.weight": torch.tensor([[float(a)]]), "shift.bias": torch.tensor([[float(b)]])}


def waves(n_tasks: int = 3, seed: int = 0) -> TaskBatch:
    return Sinusoids().sample(n_tasks, 6, rng=torch.Generator().manual_seed(seed), n_query=4)


def start_of(method: MetaLearner, seed: int = 0, dtype: torch.dtype = torch.float32) -> Parameters:
    drawn = method.network.init(torch.Generator().manual_seed(seed))
    return {name: value.unsqueeze(0).to(dtype) for name, value in drawn.items()}


def in_double(tasks: TaskBatch) -> TaskBatch:
    floats = {name: getattr(tasks, name).double() for name in ("support_x", "support_y", "query_x", "query_y")}
    return dataclasses.replace(tasks, **floats)


# ---- the inner loop --------------------------------------------------------------------------------------------------


def test_one_step_by_hand_on_two_parameters() -> None:
    x, y = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[0.0], [1.0]]])
    # a = 1, b = 0: errors 1 and 1, so dL/da = mean(2 * 1 * 1, 2 * 1 * 2) = 3 and dL/db = 2.
    moved = inner_loop(LINE, two_numbers(1, 0), x, y, 1, 0.1)
    torch.testing.assert_close(moved["slope.weight"], torch.tensor([[0.7]]))
    torch.testing.assert_close(moved["shift.bias"], torch.tensor([[-0.2]]))


def test_no_step_changes_nothing() -> None:
    tasks = waves()
    start = start_of(MAML(SMALL))
    moved = inner_loop(SMALL, start, tasks.support_x, tasks.support_y, 0, 0.5)
    for name, value in start.items():
        assert torch.equal(moved[name], value.expand(3, *value.shape[1:]))
    plain = SMALL.losses(moved, tasks.query_x, tasks.query_y)
    torch.testing.assert_close(MAML(SMALL).losses_along(start, tasks, [0])[0], plain)
    method = MAML(SMALL, inner_steps=0)
    torch.testing.assert_close(method.outer_loss(start, tasks), plain.mean())


@settings(max_examples=20, deadline=None)
@given(steps=st.integers(1, 4), rate=st.floats(0.001, 0.2), seed=st.integers(0, 99))
def test_many_tasks_at_once_are_a_plain_loop_over_them(steps: int, rate: float, seed: int) -> None:
    tasks = in_double(waves(seed=seed))
    start = start_of(MAML(SMALL), seed, torch.float64)
    batched = inner_loop(SMALL, start, tasks.support_x, tasks.support_y, steps, rate)
    for task in range(len(tasks)):
        weights = {name: value[0].clone() for name, value in start.items()}
        for _ in range(steps):
            leaves = [value.requires_grad_() for value in weights.values()]
            loss = SMALL.loss(weights, tasks.support_x[task], tasks.support_y[task])
            slopes = torch.autograd.grad(loss, leaves)
            weights = {name: (w - rate * g).detach() for (name, w), g in zip(weights.items(), slopes, strict=True)}
        for name, value in weights.items():
            torch.testing.assert_close(batched[name][task], value)


def test_the_start_is_not_changed_and_each_task_may_have_its_own() -> None:
    tasks = waves()
    own = start_networks(SMALL, 3, torch.Generator().manual_seed(0), shared=False)
    before = {name: value.clone() for name, value in own.items()}
    moved = inner_loop(SMALL, own, tasks.support_x, tasks.support_y, 3, 0.1)
    assert all(torch.equal(own[name], before[name]) and not own[name].requires_grad for name in own)
    assert not any(value.requires_grad for value in moved.values())
    one = inner_loop(SMALL, {n: v[1:2] for n, v in own.items()}, tasks.support_x[1:2], tasks.support_y[1:2], 3, 0.1)
    torch.testing.assert_close(flatten(moved)[1], flatten(one)[0])


def test_losses_along_go_on_where_they_were() -> None:
    method = MAML(SMALL, 0.1)
    tasks, start = waves(), start_of(method)
    at_once = method.losses_along(start, tasks, [5])[0]
    torch.testing.assert_close(method.losses_along(start, tasks, [0, 2, 5])[2], at_once)
    with pytest.raises(ValueError, match="numbers of steps in order"):
        method.losses_along(start, tasks, [5, 2])
    with pytest.raises(ValueError, match=r"steps: got \[\]"):
        method.losses_along(start, tasks, [])


def test_errors_teach() -> None:
    tasks, start = waves(), start_of(MAML(SMALL))
    with pytest.raises(ValueError, match=r"steps: got -1"):
        inner_loop(SMALL, start, tasks.support_x, tasks.support_y, -1, 0.1)
    with pytest.raises(ValueError, match=r"inner_lr: got -0\.1"):
        inner_loop(SMALL, start, tasks.support_x, tasks.support_y, 1, -0.1)
    two = start_networks(SMALL, 2, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="start: got 2 networks"):
        inner_loop(SMALL, two, tasks.support_x, tasks.support_y, 1, 0.1)
    with pytest.raises(ValueError, match=r"adapted: got 'outputweight'.*Did you mean 'output.weight'"):
        inner_loop(SMALL, start, tasks.support_x, tasks.support_y, 1, 0.1, adapted=["outputweight"])
    with pytest.raises(ValueError, match="ANIL freezes all but the last"):
        ANIL(MLP(1, 1, ()))
    with pytest.raises(ValueError, match="n_context: got 0"):
        CAVIA(SMALL, n_context=0)


# ---- the outer gradient ----------------------------------------------------------------------------------------------


def outer_slope(method: MetaLearner, start: Parameters, tasks: TaskBatch) -> Parameters:
    leaves = {name: value.clone().requires_grad_(name in method.learned) for name, value in start.items()}
    slopes = torch.autograd.grad(method.outer_loss(leaves, tasks), [leaves[name] for name in method.learned])
    return dict(zip(method.learned, slopes, strict=True))


def by_differences(method: MetaLearner, start: Parameters, tasks: TaskBatch, step: float = 1e-6) -> Parameters:
    """The outer slope, by moving each number of the start a little to both sides."""
    slopes = {}
    for name in method.learned:
        slope = torch.zeros_like(start[name]).flatten()
        for place in range(slope.numel()):
            ends = []
            for sign in (1, -1):
                moved = {key: value.clone() for key, value in start.items()}
                moved[name].view(-1)[place] += sign * step
                ends.append(float(method.outer_loss(moved, tasks).detach()))
            slope[place] = (ends[0] - ends[1]) / (2 * step)
        slopes[name] = slope.view_as(start[name])
    return slopes


@pytest.mark.parametrize(
    "method",
    [MAML(SMALL, 0.1, 1), MAML(SMALL, 0.1, 3), ANIL(SMALL, 0.1, 2), CAVIA(SMALL, 0.5, 2, n_context=2)],
    ids=["maml", "maml-3", "anil", "cavia"],
)
def test_the_second_order_slope_is_that_of_finite_differences(method: MetaLearner) -> None:
    start, tasks = start_of(method, dtype=torch.float64), in_double(waves())
    for (name, mine), measured in zip(
        outer_slope(method, start, tasks).items(), by_differences(method, start, tasks).values(), strict=True
    ):
        torch.testing.assert_close(mine, measured, atol=1e-7, rtol=1e-5, msg=name)


def test_first_order_is_second_order_with_the_curvature_dropped() -> None:
    """The first-order slope is the query loss's at the end of the inner loop; second order is (1 - aH) of it."""
    tasks = in_double(waves(1))
    start, rate = start_of(MAML(SMALL), dtype=torch.float64), 0.1
    end = inner_loop(SMALL, start, tasks.support_x, tasks.support_y, 1, rate)
    leaves = {name: value.detach().requires_grad_() for name, value in end.items()}
    at_end = torch.autograd.grad(SMALL.losses(leaves, tasks.query_x, tasks.query_y).sum(), list(leaves.values()))
    first = outer_slope(MAML(SMALL, rate, 1, first_order=True), start, tasks)
    for mine, slope in zip(first.values(), at_end, strict=True):
        torch.testing.assert_close(mine, slope)

    def support_loss(*weights: Tensor) -> Tensor:
        network = dict(zip(start, weights, strict=True))
        return SMALL.losses(network, tasks.support_x, tasks.support_y).sum()

    _loss, curved = torch.autograd.functional.hvp(support_loss, tuple(start.values()), at_end)
    second = outer_slope(MAML(SMALL, rate, 1), start, tasks)
    for mine, slope, bent in zip(second.values(), at_end, curved, strict=True):
        torch.testing.assert_close(mine, slope - rate * bent)


def test_the_worked_number_of_the_docstring() -> None:
    @dataclass(frozen=True)
    class Square(Line):
        def shapes(self) -> dict[str, tuple[int, ...]]:
            return {"w.weight": (1,)}

        def loss(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
            return (parameters["w.weight"] - y).square().mean()

    one = torch.ones(1, 1, 1)
    tasks = TaskBatch(one, 0 * one, one, one, one[0], (), ("a",))
    start = {"w.weight": torch.ones(1, 1)}
    assert float(outer_slope(MAML(Square(), 0.1), start, tasks)["w.weight"]) == pytest.approx(-0.32)
    assert float(outer_slope(MAML(Square(), 0.1, first_order=True), start, tasks)["w.weight"]) == pytest.approx(-0.4)


def test_it_is_the_outer_loop_of_torch_func() -> None:
    """The same outer slope from torch.func's vmap and grad, which share no line with ours."""
    tasks, start = in_double(waves(5)), start_of(MAML(SMALL), dtype=torch.float64)

    def of_task(weights: Parameters, *sets: Tensor) -> Tensor:
        for _ in range(2):
            slopes = torch.func.grad(SMALL.loss)(weights, sets[0], sets[1])
            weights = {name: weights[name] - 0.1 * slopes[name] for name in weights}
        return SMALL.loss(weights, sets[2], sets[3])

    def outer(weights: Parameters) -> Tensor:
        sets = (tasks.support_x, tasks.support_y, tasks.query_x, tasks.query_y)
        return torch.func.vmap(of_task, in_dims=(None, 0, 0, 0, 0))(weights, *sets).mean()

    theirs = torch.func.grad(outer)({name: value[0] for name, value in start.items()})
    for name, mine in outer_slope(MAML(SMALL, 0.1, 2), start, tasks).items():
        torch.testing.assert_close(mine[0], theirs[name])


def test_reptile_goes_towards_the_mean_end() -> None:
    method, tasks = Reptile(SMALL, 0.05, 3), waves()
    start = start_of(method)
    x = torch.cat((tasks.support_x, tasks.query_x), 1)
    y = torch.cat((tasks.support_y, tasks.query_y), 1)
    ends = inner_loop(SMALL, start, x, y, 3, 0.05)
    for name, slope in outer_slope(method, start, tasks).items():
        torch.testing.assert_close(slope[0], (start[name] - ends[name]).mean(0))


# ---- what moves, and what does not -----------------------------------------------------------------------------------


def test_anil_moves_the_last_layer_alone_in_the_inner_loop_and_learns_all() -> None:
    method, tasks = ANIL(SMALL, 0.1, 2), waves()
    start = start_of(method)
    moved = method.adapt(start, tasks)
    changed = {name for name in start if not torch.equal(moved[name], start[name].expand_as(moved[name]))}
    assert changed == {"output.weight", "output.bias"}
    loop = OuterLoop(method, start=start)
    loop.step(tasks)
    assert all(not torch.equal(loop.start[name], start[name]) for name in start)


def test_cavia_moves_the_context_alone_and_it_begins_at_zero_for_ever() -> None:
    method, tasks = CAVIA(SMALL, inner_steps=2, n_context=3), waves()
    loop = OuterLoop(method)
    for _ in range(3):
        loop.step(tasks)
    assert not loop.start["context.values"].any()
    moved = method.adapt(loop.start, tasks)
    changed = {name for name in moved if not torch.equal(moved[name], loop.start[name].expand_as(moved[name]))}
    assert changed == {"context.values"}
    assert method.context(loop.start, tasks).shape == (3, 3)


def test_a_context_is_numbers_beside_the_input() -> None:
    """b + c R is [x, c] W: the perceptron with a wider input computes the same."""
    learner = ContextLearner(SMALL, 2)
    weights = learner.init(torch.Generator().manual_seed(0))
    weights["context.values"] = torch.tensor([[0.3, -1.0]])
    wide = {name: value for name, value in weights.items() if name not in ("context.values", "reader.weight")}
    wide["hidden_1.weight"] = torch.cat((weights["hidden_1.weight"], weights["reader.weight"]))
    x = torch.linspace(-1, 1, 7)[:, None]
    beside = torch.cat((x, weights["context.values"].expand(7, 2)), dim=1)
    theirs = MLP(3, 1, (5,), activation="tanh").apply(wide, beside)
    torch.testing.assert_close(learner.apply(weights, x), theirs)


EVERY = [MAML, ANIL, CAVIA, Reptile]


@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.name)
def test_a_query_set_never_reaches_an_inner_loop(make: type[MetaLearner]) -> None:
    method, tasks = make(SMALL, 0.1, 2), waves()
    other = dataclasses.replace(tasks, query_x=tasks.query_x + 9, query_y=tasks.query_y - 9)
    start = start_of(method)
    for name, value in method.adapt(start, tasks).items():
        assert torch.equal(value, method.adapt(start, other)[name])


@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.name)
@pytest.mark.parametrize("family", [Sinusoids(), Digits(), NumberWords()], ids=lambda family: family.name)
def test_every_method_learns_on_every_kind_of_samples(make: type[MetaLearner], family: TaskFamily) -> None:
    learner = task_learner(family, hidden=8)
    tasks = family.sample(4, 3, rng=torch.Generator().manual_seed(0))
    loop = OuterLoop(make(learner, inner_steps=1), torch.Generator().manual_seed(0))
    before = {name: value.detach().clone() for name, value in loop.start.items()}
    losses = [float(loop.step(tasks, 0.01)) for _ in range(2)]
    assert torch.isfinite(torch.tensor(losses)).all()
    for name in loop.method.learned:
        assert torch.isfinite(loop.start[name]).all()
        assert not torch.equal(before[name], loop.start[name])


def test_a_recurrent_learner_is_differentiated_twice() -> None:
    words = NumberWords().sample(2, 2, rng=torch.Generator().manual_seed(0))
    learner = task_learner(NumberWords(), hidden=3)
    assert isinstance(learner, GRU)
    start = start_of(MAML(learner))
    exact = outer_slope(MAML(learner, 0.5), start, words)
    first = outer_slope(MAML(learner, 0.5, first_order=True), start, words)
    assert any(not torch.allclose(exact[name], first[name], rtol=1e-3) for name in exact)


def test_the_same_seed_gives_the_same_start_and_a_copy_goes_its_own_way() -> None:
    def run(loop: OuterLoop) -> Tensor:
        for seed in range(3):
            loop.step(waves(seed=seed))
        return flatten(loop.start).detach()

    first, second = (OuterLoop(MAML(SMALL, 0.1), torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(run(first), run(second))
    twin, kept = first.copy(), flatten(first.start).detach().clone()
    ahead = run(twin)
    assert torch.equal(flatten(first.start), kept)
    assert torch.equal(run(first), ahead)
    assert (twin.steps, first.steps) == (6, 6)


def test_what_was_learned_helps_on_tasks_never_seen() -> None:
    rng = torch.Generator().manual_seed(0)
    train, _validation, unseen = Sinusoids().split(rng)
    method = CAVIA(MLP(1, 1, (20, 20)), inner_steps=1)
    loop = OuterLoop(method, rng)
    new = unseen.sample(100, 10, rng=rng)
    untrained = method.losses_along(loop.start, new, (1,)).mean()
    for _ in range(300):
        loop.step(train.sample(25, 10, rng=rng), 3e-3)
    zero, one = method.losses_along(loop.start, new, (0, 1)).mean(1)
    assert one < 0.5 * zero
    assert one < 0.5 * untrained


def test_what_cannot_be_adapted_is_said() -> None:
    learner, tasks = MLP(1, 1, (4, 4)), Sinusoids().sample(3, 5, rng=torch.Generator().manual_seed(0))
    start = start_networks(learner, 1, torch.Generator().manual_seed(0))
    x, y = tasks.support_x, tasks.support_y
    with pytest.raises(ValueError, match="x: got a tensor of shape"):
        inner_loop(learner, start, x[0], y, 1, 0.1)
    with pytest.raises(ValueError, match="y: got a tensor of shape"):
        inner_loop(learner, start, x, y[:2], 1, 0.1)
    with pytest.raises(TypeError, match="x: got a ndarray, expected a tensor"):
        inner_loop(learner, start, x.numpy(), y, 1, 0.1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="start: got a NoneType"):
        inner_loop(learner, None, x, y, 1, 0.1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="learner: got 'mlp', expected a learner such as"):
        inner_loop("mlp", start, x, y, 1, 0.1)  # type: ignore[arg-type]
    for adapted, said in (([], "no name"), (["output.wieght"], "Did you mean 'output.weight'")):
        with pytest.raises(ValueError, match=said):
            inner_loop(learner, start, x, y, 1, 0.1, adapted=adapted)
    with pytest.raises(TypeError, match="One is a list of one"):
        inner_loop(learner, start, x, y, 1, 0.1, adapted="output.bias")
    for steps in ((), 3):
        with pytest.raises(ValueError, match=r"steps: got .*, expected .*numbers of steps in order"):
            MAML(learner).losses_along(start, tasks, steps)  # type: ignore[arg-type]


def test_what_is_no_learner_method_or_batch_is_said() -> None:
    with pytest.raises(TypeError, match="learner: got None"):
        MAML(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="A learner has one context"):
        CAVIA(ContextLearner(MLP(1, 1, (4,)), 2))
    with pytest.raises(TypeError, match=r"method: got .*expected MAML, ANIL, CAVIA or Reptile"):
        OuterLoop(CAVIA)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="tasks: got None, expected tasks with samples"):
        OuterLoop(MAML(MLP(1, 1, (4,)))).step(None)  # type: ignore[arg-type]


def test_of_one_layer_nothing_is_left_to_freeze() -> None:
    with pytest.raises(ValueError, match=r"learner: got mlp with the layer output alone, expected at least two layers"):
        ANIL(MLP(1, 1, ()))
    assert MAML(MLP(1, 1, ())).adapted == ["output.weight", "output.bias"]


@pytest.mark.parametrize(
    ("family", "n_shot", "said"),
    [
        (Digits(), 100, r"n_shot: got 200, expected at most 174 pictures of each digit\. Support and query"),
        (NumberWords(), 60, r"n_shot: got 120, expected at most 100 numbers, from 0 to 99\. Support and query"),
        (OwnTasks(torch.rand(5, 6, 1), torch.rand(5, 6, 1)), 4, r"n_shot: got 8, expected at most 6 rows"),
    ],
    ids=["digits", "words", "own"],
)
def test_more_shots_than_samples_are_said(family: TaskFamily, n_shot: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        family.sample(2, n_shot, rng=torch.Generator().manual_seed(0))


# ---- nonsense is answered, and never averaged ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"y": torch.zeros(3, 5, 2)}, r"y: got .*\(3, 5, 2\).*expected shape \(3, 5, 1\)"),
        ({"y": torch.zeros(3, 5)}, r"y: got .*\(3, 5\).*expected shape \(3, 5, 1\)"),
        ({"x": torch.zeros(3, 5, 1).double()}, r"x: got .*float64.*expected the dtype of the weights, float32"),
        ({"x": torch.zeros(3, 5, 1).long()}, r"x: got .*int64.*expected the dtype of the weights, float32"),
        ({"mask": torch.ones(5, dtype=torch.bool)}, r"mask: got .*\(5,\).*booleans of shape \(3, 5\)"),
        ({"mask": torch.ones(3, 5)}, r"mask: got .*float32.*booleans of shape \(3, 5\)"),
        ({"mask": [[True] * 5] * 3}, r"mask: got a list.*booleans of shape \(3, 5\)"),
        ({"start": {"hidden_1.weight": torch.tensor(1.0)}}, "start: got"),
    ],
)
def test_samples_that_do_not_fit_are_said_and_not_broadcast(wrong: dict[str, Any], told: str) -> None:
    learner = MLP(1, 1, (4,))
    start = start_networks(learner, 1, torch.Generator().manual_seed(0))
    given = {"start": start, "x": torch.zeros(3, 5, 1), "y": torch.zeros(3, 5, 1), **wrong}
    with pytest.raises((ValueError, TypeError), match=told):
        inner_loop(learner, given.pop("start"), given.pop("x"), given.pop("y"), 1, 0.1, **given)


def test_labels_have_to_be_whole_numbers() -> None:
    learner = MLP(2, 3, (4,), classification=True)
    start = start_networks(learner, 1, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="a label for each sample"):
        inner_loop(learner, start, torch.zeros(3, 5, 2), torch.zeros(3, 5), 1, 0.1)


@pytest.mark.parametrize("method", [MAML, Reptile])
def test_a_step_on_no_tasks_leaves_the_start_as_it_was(method: type[MetaLearner]) -> None:
    loop = OuterLoop(method(MLP(1, 1, (4,))))
    before = flatten(loop.start).detach().clone()
    tasks = Sinusoids().sample(2, 5, rng=torch.Generator().manual_seed(0))
    no_query = dataclasses.replace(tasks, query_x=tasks.query_x[:, :0], query_y=tasks.query_y[:, :0])
    for nothing in (tasks[:0], no_query):
        with pytest.raises(ValueError, match="at least one task with a query sample"):
            loop.step(nothing)
    assert torch.equal(flatten(loop.start), before)


def test_what_is_no_generator_and_no_task_is_said() -> None:
    with pytest.raises(TypeError, match=r"rng: got 3, expected a torch\.Generator"):
        OuterLoop(MAML(MLP(1, 1, (4,))), 3)  # type: ignore[arg-type]
    loop = OuterLoop(MAML(MLP(1, 1, (4,))))
    with pytest.raises(TypeError, match="tasks: got None"):
        loop.method.adapt(loop.start, None)  # type: ignore[arg-type]
