"""Networks trained together, one a task: what a plain loop over tasks would give, whatever the chunk."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from taskembed_edu.embedders import batched, compiling, trained
from taskembed_edu.embedders.batched import (
    BatchedTraining,
    activation_bytes,
    check_memory,
    start_networks,
)
from taskembed_edu.embedders.compiling import compiling_pays, has_compiler
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.networks import GRU
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.networks.learners import MLP, Learner, Parameters, flatten
from taskembed_edu.tasks import Digits, Gaussians, NumberWords, Sinusoids
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from tests.runs import generator

CASES = [
    (Sinusoids(), "mlp"),
    (Gaussians(), "mlp"),
    (Digits(), "conv"),
    (NumberWords(), "gru"),
    (NumberWords(), "lstm"),
]
NAMES = [f"{family.name}-{learner}" for family, learner in CASES]


def case(family: TaskFamily, name: str, n_tasks: int = 5) -> tuple[Learner, TaskBatch, Parameters]:
    rng = generator()
    learner = task_learner(family, name, hidden=8)
    return learner, family.sample(n_tasks, n_shot=4, rng=rng), start_networks(learner, n_tasks, rng)


def plain_loop(
    learner: Learner, tasks: TaskBatch, steps: int, start: Parameters, optimiser: str, rate: float, mask: Tensor | None
) -> Tensor:
    """One network after another, with torch's own optimiser and no stack anywhere."""
    ended = []
    for task in range(len(tasks)):
        mine = {name: value[task].clone().requires_grad_() for name, value in start.items()}
        made: Any = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimiser]
        moving = made(mine.values(), lr=rate)
        for _ in range(steps):
            moving.zero_grad()
            there = None if mask is None else mask[task]
            learner.loss(mine, tasks.support_x[task], tasks.support_y[task], there).backward()
            moving.step()
        ended.append(torch.cat([value.detach().flatten() for value in mine.values()]))
    return torch.stack(ended)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
@pytest.mark.parametrize(("family", "name"), CASES, ids=NAMES)
def test_all_at_once_is_what_a_plain_loop_gives(family: TaskFamily, name: str, optimiser: str) -> None:
    learner, tasks, start = case(family, name)
    mask = torch.ones(tasks.support_x.shape[:2], dtype=torch.bool)
    mask[0, 2:] = False
    expected = plain_loop(learner, tasks, 5, start, optimiser, 0.05, mask)
    training = BatchedTraining(learner, start, optimiser)
    for _ in range(5):
        training.step(tasks.support_x, tasks.support_y, mask, learning_rate=0.05)
    # Adam divides by the root of a gradient's square: where that is near zero, rounding counts.
    torch.testing.assert_close(flatten(training.parameters), expected, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(("family", "name"), CASES, ids=NAMES)
def test_the_chunk_changes_memory_and_not_the_result(family: TaskFamily, name: str, chunk: int) -> None:
    learner, tasks, start = case(family, name)
    whole = train_tasks(learner, tasks, 5, start=start, optimiser="sgd")
    parts = train_tasks(learner, tasks, 5, start=start, optimiser="sgd", chunk=chunk)
    torch.testing.assert_close(flatten(parts.parameters), flatten(whole.parameters), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(parts.losses, whole.losses, atol=1e-5, rtol=1e-4)


def test_only_so_many_tasks_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks, start = case(Sinusoids(), "mlp", n_tasks=10)
    each = activation_bytes(learner, start, tasks.support_x, tasks.support_y)
    monkeypatch.setitem(batched.CHUNK_BYTES, "cpu", 3 * each)
    seen = looked_at(monkeypatch, MLP)
    BatchedTraining(learner, start).gradients(tasks.support_x, tasks.support_y)
    assert [len(y) for y in seen] == [1, 3, 3, 3, 1]  # the first measures one task


def looked_at(monkeypatch: pytest.MonkeyPatch, kind: type[Learner]) -> list[Tensor]:
    """The targets of every call of these learners' losses, from now on."""
    seen: list[Tensor] = []
    plain = kind.losses

    def watching(self: Any, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        seen.append(y)
        return plain(self, parameters, x, y, mask)

    monkeypatch.setattr(kind, "losses", watching)
    return seen


def test_chunks_are_as_few_as_may_be_and_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks, start = case(Sinusoids(), "mlp", n_tasks=10)
    training = BatchedTraining(learner, start, chunk=7)
    training.plan(tasks.support_x, tasks.support_y)
    seen = looked_at(monkeypatch, MLP)
    training.gradients(tasks.support_x, tasks.support_y)
    assert [len(y) for y in seen] == [5, 5]


def test_languages_of_short_words_run_together(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks, start = case(NumberWords(), "gru", n_tasks=12)
    training = BatchedTraining(learner, start, chunk=3)
    training.plan(tasks.support_x, tasks.support_y)
    seen = looked_at(monkeypatch, GRU)
    training.gradients(tasks.support_x, tasks.support_y)
    assert [len(y) for y in seen] == [3] * 4
    letters = [(y >= 0).sum((1, 2)) for y in (*seen, tasks.support_y)]
    assert torch.equal(torch.cat(letters[:-1]), letters[-1].sort().values)


def test_memory_is_kept_for_the_next_step_and_given_back_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks, start = case(Sinusoids(), "mlp")
    done: list[str] = []
    monkeypatch.setattr(trained, "tune_malloc", lambda: done.append("kept"))
    monkeypatch.setattr(trained, "trim_heap", lambda: done.append("given back"))
    train_tasks(learner, tasks, 2, start=start, progress=lambda step: done.append(f"step {step}"))
    assert done == ["kept", "step 1", "step 2", "given back"]

    def interrupted(_step: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_tasks(learner, tasks, 2, start=start, progress=interrupted)
    assert done[4:] == ["kept", "given back"]


def test_memory_of_a_step_is_that_of_what_it_keeps() -> None:
    learner = MLP(1, 1, (32,), activation="tanh")
    tasks = Sinusoids().sample(2, n_shot=500, rng=generator())
    each = activation_bytes(learner, start_networks(learner, 2, generator()), tasks.support_x, tasks.support_y)
    kept = 4 * 500 * 32  # the hidden units' answers, forwards; as much for the way back
    assert 2 * kept < each < 8 * kept


def test_memory_is_measured_on_the_largest_task(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks, start = case(NumberWords(), "gru", n_tasks=12)
    seen = looked_at(monkeypatch, GRU)
    BatchedTraining(learner, start).plan(tasks.support_x, tasks.support_y)
    letters = (tasks.support_y >= 0).sum((1, 2))
    assert [int((y >= 0).sum()) for y in seen] == [int(letters.max())]


@pytest.mark.parametrize(("family", "name"), CASES, ids=NAMES)
def test_masks_go_with_their_tasks_into_every_chunk(family: TaskFamily, name: str) -> None:
    learner, tasks, start = case(family, name)
    n = tasks.support_x.shape[1]
    mask = torch.arange(n) < n // 4 * torch.tensor([4, 1, 3, 2, 4]).unsqueeze(1)
    losses = [
        BatchedTraining(learner, start, "sgd", chunk=chunk).gradients(tasks.support_x, tasks.support_y, mask)
        for chunk in (5, 2)
    ]
    torch.testing.assert_close(losses[1], losses[0], atol=1e-5, rtol=1e-4)
    bare = BatchedTraining(learner, start, "sgd").gradients(tasks.support_x, tasks.support_y)
    assert not torch.allclose(bare[1:4], losses[0][1:4])


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_a_task_whose_loss_grew_a_million_times_learns_no_more_and_a_copy_judges_alike(optimiser: str) -> None:
    learner, tasks, start = case(Sinusoids(), "mlp")
    training = BatchedTraining(learner, start, optimiser)
    x, y = tasks.support_x, tasks.support_y.clone()
    for _ in range(3):
        training.step(x, y, learning_rate=0.01)
    y[2] *= 1e5  # a loss of 1e10 times: finite, and beyond all learning
    for one in (training.copy(), training):
        one.step(x, y, learning_rate=0.01)
        assert one.diverged.tolist() == [False, False, True, False, False]
        before = flatten(one.parameters).clone()
        one.step(x, y, learning_rate=0.01)
        moved = (flatten(one.parameters) != before).any(dim=1)
        assert moved.tolist() == [True, True, False, True, True]


def test_in_chunks_losses_are_as_precise_as_the_networks() -> None:
    learner, tasks, start = case(Sinusoids(), "mlp")
    double = {name: value.double() for name, value in start.items()}
    x, y = tasks.support_x.double(), tasks.support_y.double()
    for chunk in (5, 2):
        assert BatchedTraining(learner, double, chunk=chunk).gradients(x, y).dtype == torch.float64


def test_what_train_tasks_cannot_do_is_said() -> None:
    learner, tasks, start = case(Sinusoids(), "mlp")
    wrong: list[dict[str, Any]] = [{"steps": -1}, {"batch": -1}, {"learning_rate": -0.1}, {"learning_rate": math.nan}]
    for given in wrong:
        (name,) = given
        with pytest.raises(ValueError, match=f"{name}: got"):
            train_tasks(learner, tasks, **{"steps": 1, "start": start, **given})
    with pytest.raises(ValueError, match="at least one layer that learns"):
        train_tasks(learner, tasks, 1, start=start, frozen=learner.layers)
    y = tasks.support_y.clone()
    y[1] = math.inf
    begun = train_tasks(learner, tasks.with_support(tasks.support_x, y), 0, start=start)
    assert begun.diverged.tolist() == [False, True, False, False, False]


def test_the_result_is_the_weights_alone_in_the_learner_s_order() -> None:
    learner, tasks, start = case(Sinusoids(), "mlp")
    turned = dict(reversed(start.items()))
    run = train_tasks(learner, tasks, 3, start=turned)
    assert list(run.parameters) == list(learner.shapes())
    assert all(value.grad is None and not value.requires_grad for value in run.parameters.values())
    plain = train_tasks(learner, tasks, 3, start=start)
    assert torch.equal(flatten(run.parameters), flatten(plain.parameters))


def test_a_frozen_layer_stays_as_it_began() -> None:
    learner, tasks, start = case(Sinusoids(), "mlp")
    trained = train_tasks(learner, tasks, 5, start=start, frozen=("hidden_1",))
    assert torch.equal(trained.parameters["hidden_1.weight"], start["hidden_1.weight"])
    assert torch.equal(trained.parameters["hidden_1.bias"], start["hidden_1.bias"])
    assert not torch.equal(trained.parameters["output.weight"], start["output.weight"])
    with pytest.raises(ValueError, match=r"hidden_7.*hidden_1, hidden_2, output"):
        train_tasks(learner, tasks, 1, start=start, frozen=("hidden_7",))


def test_starts_are_one_draw_for_all_or_one_each() -> None:
    learner = MLP(1, 1, (4,))
    shared = flatten(start_networks(learner, 3, generator()))
    own = flatten(start_networks(learner, 3, generator(), shared=False))
    assert torch.equal(shared[0], shared[1])
    assert torch.equal(shared[0], own[0])  # the same generator: the first draw is the same
    assert not torch.equal(own[0], own[1])


def test_a_task_that_diverges_is_marked_and_the_others_go_on() -> None:
    learner, tasks, start = case(Sinusoids(), "mlp")
    y = tasks.support_y.clone()
    y[2] *= 1e30
    sick = tasks.with_support(tasks.support_x, y)
    trained = train_tasks(learner, sick, 20, start=start, optimiser="sgd")
    assert trained.diverged.tolist() == [False, False, True, False, False]
    well = train_tasks(learner, tasks, 20, start=start, optimiser="sgd")
    fine = ~trained.diverged
    torch.testing.assert_close(flatten(trained.parameters)[fine], flatten(well.parameters)[fine])
    assert "1 diverged" in repr(trained)


def test_a_copy_shares_nothing_and_goes_the_same_way() -> None:
    learner, tasks, start = case(Gaussians(), "mlp")
    training = BatchedTraining(learner, start)
    for _ in range(3):
        training.step(tasks.support_x, tasks.support_y, learning_rate=0.01)
    twin, before = training.copy(), flatten(training.parameters)
    for _ in range(3):
        twin.step(tasks.support_x, tasks.support_y, learning_rate=0.01)
    assert torch.equal(flatten(training.parameters), before)
    for _ in range(3):
        training.step(tasks.support_x, tasks.support_y, learning_rate=0.01)
    assert torch.equal(flatten(training.parameters), flatten(twin.parameters))
    assert training.n_bytes() == 12 * flatten(start).numel()


def test_memory_is_counted_before_training_starts() -> None:
    learner = MLP(1, 1, (1000, 1000))
    with pytest.raises(MemoryError, match=r"n_tasks: got 100,000,000 networks.*At most [\d,]+ tasks of this size fit"):
        check_memory(learner, 100_000_000, "adam", torch.device("cpu"))
    check_memory(learner, 2, "adam", torch.device("cpu"))


def test_bad_arguments_are_told() -> None:
    learner, tasks, start = case(Sinusoids(), "mlp")
    with pytest.raises(ValueError, match=r"optimiser.*adamw.*Did you mean 'adam'"):
        BatchedTraining(learner, start, "adamw")
    with pytest.raises(ValueError, match="chunk"):
        BatchedTraining(learner, start, chunk=0)
    with pytest.raises(ValueError, match="compiled"):
        train_tasks(learner, tasks, 1, start=start, compiled="maybe")
    hole = tasks.with_support(torch.full_like(tasks.support_x, torch.nan), tasks.support_y)
    with pytest.raises(ValueError, match="support_x"):
        train_tasks(learner, hole, 1, start=start)


# ---- compiling -----------------------------------------------------------------------------------------------------


@pytest.fixture
def eager_compiler(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """torch.compile that compiles nothing: what is asked of it is seen, and its 15 seconds are not spent."""
    asked: list[Any] = []

    def compile_nothing(function: Any) -> Any:
        asked.append(function)
        return function

    monkeypatch.setattr(torch, "compile", compile_nothing)
    return asked


@pytest.mark.parametrize(("family", "name"), CASES[:3], ids=NAMES[:3])
def test_the_compiled_function_gives_the_same(family: TaskFamily, name: str, eager_compiler: list[Any]) -> None:
    learner, tasks, start = case(family, name)
    plain = train_tasks(learner, tasks, 5, start=start, optimiser="sgd", compiled="off")
    if not has_compiler():
        pytest.skip("COMPILING NOT TESTED: there is no C++ compiler here")
    made = train_tasks(learner, tasks, 5, start=start, optimiser="sgd", compiled="on", chunk=2)
    assert eager_compiler
    assert made.compiled
    assert made.compile_seconds > 0
    torch.testing.assert_close(flatten(made.parameters), flatten(plain.parameters), atol=1e-5, rtol=1e-4)


def test_compiling_is_chosen_where_it_pays(monkeypatch: pytest.MonkeyPatch, eager_compiler: list[Any]) -> None:
    assert not compiling_pays(0.0015, 1000)
    assert compiling_pays(0.0015, 40_000)
    learner, tasks, start = case(Sinusoids(), "mlp")
    assert not train_tasks(learner, tasks, 40, start=start).compiled
    monkeypatch.setattr(compiling, "_COMPILE_SECONDS", 0.0)
    monkeypatch.setattr(trained, "has_compiler", lambda: True)
    assert train_tasks(learner, tasks, 40, start=start).compiled
    assert len(eager_compiler) == 1


def test_without_a_compiler_nothing_is_compiled_and_asking_for_it_is_told(
    monkeypatch: pytest.MonkeyPatch, eager_compiler: list[Any]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(compiling, "_COMPILE_SECONDS", 0.0)
    assert not has_compiler()
    learner, tasks, start = case(Sinusoids(), "mlp")
    assert not train_tasks(learner, tasks, 40, start=start).compiled
    with pytest.raises(RuntimeError, match=r"no C\+\+ compiler.*the results are the same"):
        train_tasks(learner, tasks, 1, start=start, compiled="on")
    assert not eager_compiler


def test_a_training_on_cuda_without_one_teaches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    learner, tasks, start = case(Sinusoids(), "mlp")
    with pytest.raises(RuntimeError, match=r"device: got 'cuda', expected a machine with a CUDA device"):
        train_tasks(learner, tasks, 1, start=start, device="cuda")
    assert not train_tasks(learner, tasks, 1, start=start, device="auto").losses.is_cuda


@pytest.mark.gpu
def test_a_gpu_gives_what_the_cpu_gives() -> None:
    for family, name in CASES:
        learner, tasks, start = case(family, name)
        here = train_tasks(learner, tasks, 10, start=start, optimiser="sgd")
        there = train_tasks(learner, tasks, 10, start=start, optimiser="sgd", device="cuda")
        torch.testing.assert_close(flatten(there.parameters).cpu(), flatten(here.parameters), atol=1e-4, rtol=1e-3)


@pytest.mark.gpu
def test_a_task_that_diverges_on_a_gpu_leaves_the_others_alone() -> None:
    learner, tasks, start = case(Sinusoids(), "mlp")
    y = tasks.support_y.clone()
    y[2] *= 1e25
    wild = tasks.with_support(tasks.support_x, y)
    ended = {
        device: train_tasks(learner, wild, 20, start=start, optimiser="sgd", device=device)
        for device in ("cpu", "cuda")
    }
    assert ended["cpu"].diverged.tolist() == ended["cuda"].diverged.tolist() == [False, False, True, False, False]
    others = [flatten(run.parameters).cpu()[[0, 1, 3, 4]] for run in ended.values()]
    torch.testing.assert_close(others[1], others[0], atol=1e-4, rtol=1e-3)
