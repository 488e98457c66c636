"""Hundreds of small networks at once, beside a plain loop over tasks; how that grows; Fisher information."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import psutil
import torch
from torch import Tensor, nn
from torch.func import grad_and_value, vmap

from benchmarks.table import Row, available_cores, measure
from taskembed_edu.embedders.batched import BatchedTraining, start_networks
from taskembed_edu.embedders.compiling import compile_training, has_compiler
from taskembed_edu.embedders.probing import diagonal_fisher, refitted_heads, rows_of
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.networks.learners import MLP, Parameters
from taskembed_edu.tasks import Sinusoids

N_TASKS, N_POINTS, HIDDEN = 200, 20, 32
Call = Callable[[], object]


def rows() -> Iterator[Row]:
    """Steps of perceptrons, 1,000 and 10,000 of them, and the Fisher information of 64 tasks; on all cores."""
    with all_cores():
        yield from _steps_of_perceptrons()
        yield from _many_tasks()
        yield from _fisher()


@contextmanager
def all_cores() -> Iterator[None]:
    """The package leaves half of the cores to the page; where there is no page they are all for training."""
    before = torch.get_num_threads()
    torch.set_num_threads(available_cores())
    try:
        yield
    finally:
        torch.set_num_threads(before)


# ---- 200 perceptrons -----------------------------------------------------------------------------------------------


def _steps_of_perceptrons() -> Iterator[Row]:
    rng = torch.Generator().manual_seed(0)
    tasks = Sinusoids().sample(N_TASKS, N_POINTS, rng=rng)
    x, y = tasks.support_x, tasks.support_y
    learner = MLP(1, 1, (HIDDEN, HIDDEN))
    start = start_networks(learner, N_TASKS, rng)
    training = BatchedTraining(learner, start, "sgd")
    candidates: dict[str, Call] = {
        "ours": lambda: training.step(x, y, learning_rate=0.01),
        "products": _bare_products(x),
        "vmap": _vmapped(learner, start, x, y),
    }
    if has_compiler():
        compiled = BatchedTraining(learner, start, "sgd")
        compile_training(compiled)
        with _nothing_compiled_before():
            begun = time.perf_counter()
            compiled.step(x, y, learning_rate=0.01)
            cost = time.perf_counter() - begun
        candidates["compiled"] = lambda: compiled.step(x, y, learning_rate=0.01)
    # A long run: what is timed is a hundred steps of one kind after another, as training makes them.
    runs = {name: _a_hundred_of(step) for name, step in candidates.items()}
    seconds = {name: took / 100 for name, took in measure(runs, repeats=9, warm_up=1).items()}
    seconds |= measure({"loop": _plain_loop(x, y)}, repeats=7, warm_up=1)
    one_thread = _on_one_thread(_plain_loop(x, y))
    what = f"one SGD step of {N_TASKS} perceptrons (1-{HIDDEN}-{HIDDEN}-1), {N_POINTS} points"
    yield _beside(what, seconds["ours"], "loop of torch modules", seconds["loop"], at_least=30)
    yield _beside("the same, beside the loop on one thread", seconds["ours"], "the same loop, one thread", one_thread)
    yield _beside("the same, beside vmap as it comes", seconds["ours"], "torch.func.vmap", seconds["vmap"])
    yield _at_most("the same, beside its bare products", seconds["ours"], seconds["products"], 3.0)
    if "compiled" not in seconds:
        print("NOT MEASURED: compiled steps; there is no C++ compiler here.")
        return
    yield _beside(f"{what}, compiled", seconds["compiled"], "loop of torch modules", seconds["loop"], at_least=60)
    yield _at_most("the same, beside its bare products", seconds["compiled"], seconds["products"], 1.5)
    yield Row("what compiling costs, once", cost, "s")


@contextmanager
def _nothing_compiled_before() -> Iterator[None]:
    """An empty cache for torch.compile: what it has compiled in an earlier run would cost a tenth."""
    with tempfile.TemporaryDirectory() as empty, mock.patch.dict(os.environ, TORCHINDUCTOR_CACHE_DIR=empty):
        yield


def _a_hundred_of(step: Call) -> Call:
    def run() -> None:
        for _ in range(100):
            step()

    return run


def _beside(what: str, ours: float, name: str, reference: float, at_least: float = 0.0) -> Row:
    asked = f"at least {at_least:g}x" if at_least else ""
    return Row(what, 1e3 * ours, "ms", name, 1e3 * reference, asked, reference >= at_least * ours if asked else None)


def _at_most(what: str, ours: float, products: float, times: float) -> Row:
    asked = f"at most {times:g}x their time"
    return Row(what, 1e3 * ours, "ms", "8 batched products", 1e3 * products, asked, ours <= times * products)


def _plain_loop(x: Tensor, y: Tensor) -> Call:
    """One task after another, as a first notebook would have it."""
    networks = [
        nn.Sequential(nn.Linear(1, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
        for _ in range(len(x))
    ]
    optimisers = [torch.optim.SGD(network.parameters(), lr=0.01) for network in networks]

    def step() -> None:
        for task, (network, optimiser) in enumerate(zip(networks, optimisers, strict=True)):
            optimiser.zero_grad()
            nn.functional.mse_loss(network(x[task]), y[task]).backward()
            optimiser.step()

    return step


def _on_one_thread(step: Call) -> float:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return measure({"loop": step}, repeats=7, warm_up=1)["loop"]
    finally:
        torch.set_num_threads(threads)


def _bare_products(x: Tensor) -> Call:
    """The batched matrix products of one step, forwards and back, and nothing else."""
    n, points = x.shape[:2]
    first, second, third = torch.randn(n, 1, HIDDEN), torch.randn(n, HIDDEN, HIDDEN), torch.randn(n, HIDDEN, 1)
    hidden, out = torch.randn(n, points, HIDDEN), torch.randn(n, points, 1)

    def products() -> None:
        for one, other in ((x, first), (hidden, second), (hidden, third), (out, third.mT), (hidden, second.mT)):
            torch.bmm(one, other)
        for one, other in ((x.mT, hidden), (hidden.mT, hidden), (hidden.mT, out)):
            torch.bmm(one, other)

    return products


def _vmapped(learner: MLP, start: Parameters, x: Tensor, y: Tensor) -> Call:
    step = vmap(grad_and_value(learner.loss))
    moved = {name: value.clone() for name, value in start.items()}

    def one() -> None:
        grads, _losses = step(moved, x, y)
        for name, grad in grads.items():
            moved[name].sub_(grad, alpha=0.01)

    return one


# ---- how it grows --------------------------------------------------------------------------------------------------


def _many_tasks() -> Iterator[Row]:
    learner, few, many, steps = MLP(1, 1, (HIDDEN, HIDDEN)), 1_000, 10_000, 100
    seconds, _memory = _train_many(learner, few, 1_000)
    yield Row(f"{few:,} perceptrons, 1,000 Adam steps", seconds, "s")
    each = 1e6 * seconds / few / 1_000
    longer, memory = _train_many(learner, many, steps)
    ours = 1e6 * longer / many / steps
    what = f"a step of one task among {many:,} ({steps} Adam steps)"
    yield Row(what, ours, "us", f"among {few:,}", each, "linear: at most 1.5x", ours <= 1.5 * each)
    kept = 16 * learner.n_parameters * many / 2**20
    name = "parameters, gradients and moments"
    asked = "bounded: at most 2x and 100 MB"
    yield Row(f"memory to train {many:,} of them", memory, "MB", name, kept, asked, memory <= 2 * kept + 100)


def _train_many(learner: MLP, n_tasks: int, steps: int) -> tuple[float, float]:
    rng = torch.Generator().manual_seed(0)
    tasks, start = Sinusoids().sample(n_tasks, N_POINTS, rng=rng), start_networks(learner, n_tasks, rng)
    process, most = psutil.Process(), 0
    before = process.memory_info().rss

    def look(step: int) -> None:
        nonlocal most
        if step % 20 == 0:
            most = max(most, process.memory_info().rss)

    trained = train_tasks(learner, tasks, steps, start=start, compiled="off", progress=look)
    return trained.seconds, (most - before) / 2**20


# ---- Fisher information --------------------------------------------------------------------------------------------


def _fisher() -> Iterator[Row]:
    rng = torch.Generator().manual_seed(0)
    tasks = Sinusoids().sample(64, N_POINTS, rng=rng)
    learner = MLP(1, 1, (HIDDEN, HIDDEN))
    body = {name: value for name, value in learner.init(rng).items() if not name.startswith("output")}
    x, y = tasks.support_x, tasks.support_y
    heads = refitted_heads(learner, rows_of(learner, body, x, y))

    def ours() -> Parameters:
        return diagonal_fisher(learner, body, heads, x, y, labels="expected")

    def loop() -> Parameters:
        return _fisher_in_a_loop(learner, body, heads, x)

    for name, fisher in loop().items():
        torch.testing.assert_close(ours()[name], fisher, rtol=1e-3, atol=1e-5)
    seconds = measure({"ours": ours, "loop": loop}, repeats=5, warm_up=1)
    what = f"diagonal Fisher information of 64 tasks, {N_POINTS} points, perceptron of {HIDDEN} units"
    yield _beside(what, seconds["ours"], "per-sample gradients in a loop", seconds["loop"], at_least=10)


def _fisher_in_a_loop(learner: MLP, body: Parameters, heads: Tensor, x: Tensor) -> Parameters:
    """The squared Jacobian of every sample of every task, one call of autograd each."""
    sums = {name: torch.zeros(len(x), *value.shape) for name, value in body.items()}
    moving = {name: value.clone().requires_grad_() for name, value in body.items()}
    for task, head in enumerate(heads):
        whole = {**moving, "output.weight": head[:-1], "output.bias": head[-1:]}
        for sample in x[task]:
            answer = learner.apply(whole, sample.unsqueeze(0)).sum()
            for name, grad in zip(moving, torch.autograd.grad(answer, list(moving.values())), strict=True):
                sums[name][task] += grad.square() / x.shape[1]
    return sums
