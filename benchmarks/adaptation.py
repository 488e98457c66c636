"""Inner and outer loops: outer steps a second beside a plain loop, a cloned module and vmap; and what they learn."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import grad, vmap

from benchmarks import few_shot, nearest
from benchmarks.table import Row, measure
from taskembed_edu.adaptation import CAVIA, MAML, MetaLearner, OuterLoop
from taskembed_edu.evaluation.geometry import TrueGeometry
from taskembed_edu.evaluation.scorecard import linear_probe
from taskembed_edu.networks.learners import MLP, Parameters
from taskembed_edu.tasks import Sinusoids
from taskembed_edu.tasks.base import TaskBatch

LEARNER = MLP(1, 1, (40, 40))
N_TASKS, N_SHOT, RATE = 25, 10, 0.01
SEEDS = range(3)
OUTER_STEPS = 5000


def rows() -> Iterator[Row]:
    """Speed, on one thread; what is learned, over three seeds; digits of few shots; and what a neighbour is worth."""
    with one_thread():
        yield from _speed()
        yield from _learned()
        yield from few_shot.rows()
        yield from nearest.rows()


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch computes with one thread in this block."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


# ---- outer steps a second --------------------------------------------------------------------------------------------


def _speed() -> Iterator[Row]:
    tasks = Sinusoids().sample(N_TASKS, N_SHOT, rng=torch.Generator().manual_seed(0))
    ours = {order: OuterLoop(MAML(LEARNER, RATE, 1, order == "first")) for order in ("second", "first")}
    acts: dict[str, Callable[[], object]] = {
        "ours": lambda: ours["second"].step(tasks),
        "first order": lambda: ours["first"].step(tasks),
        "a plain loop over tasks": _plain_loop(tasks),
        "a module cloned for each task": _cloned_modules(tasks),
        "vmap and grad": _vmapped(tasks),
    }
    took = measure(acts, repeats=30, warm_up=5)
    what = f"one outer step of MAML, {N_TASKS} waves of {N_SHOT} points, perceptron 1-40-40-1, one inner step"
    for name, asked in (
        ("a plain loop over tasks", 7.0),
        ("a module cloned for each task", 10.0),
        ("vmap and grad", 1.4),
    ):
        ratio = took[name] / took["ours"]
        yield Row(what, 1e3 * took["ours"], "ms", name, 1e3 * took[name], f"at least {asked:g}x", ratio >= asked)
    yield Row(f"{what}, first order", 1e3 * took["first order"], "ms", "second order", 1e3 * took["ours"])


def _plain_loop(tasks: TaskBatch) -> Callable[[], object]:
    """One task after the other, by plain tensors."""
    weights = {name: value.requires_grad_() for name, value in LEARNER.init(torch.Generator().manual_seed(0)).items()}
    optimiser = torch.optim.Adam(weights.values())

    def step() -> None:
        losses = []
        for k in range(N_TASKS):
            loss = LEARNER.loss(weights, tasks.support_x[k], tasks.support_y[k])
            slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
            fast = {n: w - RATE * g for (n, w), g in zip(weights.items(), slopes, strict=True)}
            losses.append(LEARNER.loss(fast, tasks.query_x[k], tasks.query_y[k]))
        optimiser.zero_grad()
        torch.stack(losses).mean().backward()
        optimiser.step()

    return step


def _cloned_modules(tasks: TaskBatch) -> Callable[[], object]:
    """As a library for any module does it (learn2learn): the module is cloned for each task, its weights replaced."""
    module = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
    optimiser = torch.optim.Adam(module.parameters())

    def step() -> None:
        losses = []
        for k in range(N_TASKS):
            clone = _clone(module)
            loss = nn.functional.mse_loss(clone(tasks.support_x[k]), tasks.support_y[k])
            _move(clone, torch.autograd.grad(loss, list(_weights(clone)), create_graph=True))
            losses.append(nn.functional.mse_loss(clone(tasks.query_x[k]), tasks.query_y[k]))
        optimiser.zero_grad()
        torch.stack(losses).mean().backward()
        optimiser.step()

    return step


def _clone(module: nn.Module) -> nn.Module:
    """A copy whose weights are clones on the graph, so that gradients reach the module."""
    twin = copy.copy(module)
    twin._parameters = {}
    twin._modules = {name: _clone(each) for name, each in module._modules.items() if each is not None}
    for name, weight in module._parameters.items():
        object.__setattr__(twin, name, None if weight is None else weight.clone())
    return twin


def _weights(module: nn.Module) -> Iterator[Tensor]:
    for each in module._modules.values():
        if isinstance(each, nn.Linear):
            yield from (each.weight, each.bias)


def _move(module: nn.Module, slopes: tuple[Tensor, ...]) -> None:
    given = iter(slopes)
    for each in module._modules.values():
        if isinstance(each, nn.Linear):
            object.__setattr__(each, "weight", each.weight - RATE * next(given))
            object.__setattr__(each, "bias", each.bias - RATE * next(given))


def _vmapped(tasks: TaskBatch) -> Callable[[], object]:
    """torch.func: the outer loss of one task, under vmap, and grad of its mean."""
    weights = {name: value.requires_grad_() for name, value in LEARNER.init(torch.Generator().manual_seed(0)).items()}
    optimiser = torch.optim.Adam(weights.values())

    def of_task(now: Parameters, sx: Tensor, sy: Tensor, qx: Tensor, qy: Tensor) -> Tensor:
        slopes = grad(LEARNER.loss)(now, sx, sy)
        return LEARNER.loss({name: now[name] - RATE * slopes[name] for name in now}, qx, qy)

    def outer(now: Parameters) -> Tensor:
        sets = (tasks.support_x, tasks.support_y, tasks.query_x, tasks.query_y)
        return vmap(of_task, in_dims=(None, 0, 0, 0, 0))(now, *sets).mean()

    slopes_of = grad(outer)

    def step() -> None:
        for name, slope in slopes_of({name: value.detach() for name, value in weights.items()}).items():
            weights[name].grad = slope
        optimiser.step()

    return step


# ---- what is learned -------------------------------------------------------------------------------------------------


def _learned() -> Iterator[Row]:
    what = (
        f"squared error on 1,000 unseen waves, K = {N_SHOT}, after {OUTER_STEPS:,} outer steps, median of three seeds"
    )
    methods: tuple[tuple[str, MetaLearner, dict[int, float]], ...] = (
        ("CAVIA trained for 2 inner steps", CAVIA(LEARNER, 1.0, 2), {1: 0.29, 10: 0.025}),
        ("CAVIA trained for 1 inner step", CAVIA(LEARNER, 1.0, 1), {1: 0.25}),
        ("MAML, inner rate .01", MAML(LEARNER, RATE, 1), {1: 0.75, 10: 0.27}),
    )
    for name, method, asked in methods:
        loops = [trained(method, seed) for seed in SEEDS]
        for steps, limit in asked.items():
            found = statistics.median(error(loop, seed, steps) for seed, loop in zip(SEEDS, loops, strict=True))
            start = statistics.median(error(loop, seed, 0) for seed, loop in zip(SEEDS, loops, strict=True))
            row = f"{name}, after {steps} inner steps: {what}"
            yield Row(row, found, "", "before the inner loop", start, f"at most {limit:g}", found <= limit)
        if isinstance(method, CAVIA) and method.inner_steps == 2:
            yield from _context_as_vector(loops)


def trained(method: MetaLearner, seed: int, steps: int = OUTER_STEPS) -> OuterLoop:
    """An outer loop on waves after so many steps, the last 30 % at a fifth of the rate."""
    rng = torch.Generator().manual_seed(seed)
    loop, train = OuterLoop(method, rng), Sinusoids()
    for step in range(steps):
        loop.step(train.sample(N_TASKS, N_SHOT, rng=rng), 1e-3 if step < 0.7 * steps else 2e-4)
    return loop


def _unseen(seed: int, n_tasks: int) -> TaskBatch:
    return Sinusoids().sample(n_tasks, N_SHOT, rng=torch.Generator().manual_seed(1000 + seed), n_query=100)


def error(loop: OuterLoop, seed: int, steps: int) -> float:
    """The mean query loss on unseen waves after so many inner steps."""
    return float(loop.method.losses_along(loop.start, _unseen(seed, 1000), (steps,)).mean())


def _context_as_vector(loops: list[OuterLoop]) -> Iterator[Row]:
    scores: dict[str, list[float]] = {"linear R2": [], "Spearman": []}
    for seed, loop in zip(SEEDS, loops, strict=True):
        tasks, family = _unseen(seed, 200), Sinusoids()
        assert isinstance(loop.method, CAVIA)
        context = loop.method.context(loop.start, tasks)
        scores["linear R2"].append(linear_probe(context, family.coordinates(tasks.truth)))
        scores["Spearman"].append(TrueGeometry(family.true_distance(tasks)).spearman(context))
    for name, found in scores.items():
        value = statistics.median(found)
        row = f"CAVIA's context as a task's vector, 200 unseen waves: {name}, median of three seeds"
        yield Row(row, value, "", "perfect", 1.0, "at least 0.93", value >= 0.93)
