"""Two of the three challenges of task embedding as experiments: generalisation and cost.

    def trained(seed):
        rng = torch.Generator().manual_seed(seed)
        loop = OuterLoop(CAVIA(MLP(1, 1, (40, 40))), rng)
        for _ in range(1000):
            loop.step(parts.train.sample(25, 10, rng=rng))
        return {"CAVIA": solved(learned(loop), step=5, n_shot=10)}

    curves = shift_curve(trained, shifted_waves(parts.unseen, (0.0, 1.0, 2.0)), seeds=(0, 1))
    shift_figure(curves, "amplitude beyond training", "query loss")

The other one, representation, is the leaderboard (`taskembed benchmark`): which vector tells most about its task?
"""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.adaptation.outer_loop import OuterLoop
from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, check_number, check_steps, check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders import Embedder, FittedEmbedder
from taskembed_edu.evaluation.judges import Judge
from taskembed_edu.evaluation.tensor_memory import peak_bytes
from taskembed_edu.tasks.base import TaskFamily

# Tasks are drawn from other seeds than training draws from: with the same one they could be the very tasks of training.
_APART = 1_000_000
_DRAWS = 1000

Made = TypeVar("Made")


@compared_by_value
@dataclass(frozen=True)
class Curve:
    """Means over tasks and seeds at each x, with the ends of their bootstrap intervals; `line` is what figures take."""

    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def line(self) -> tuple[tuple[float, ...], ...]:
        """(x, mean, low, high), as `curves_figure` draws it."""
        return self.x, self.mean, self.low, self.high


def bootstrap_interval(runs: Sequence[Tensor], level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """The interval of the mean over seeds and tasks: seeds are drawn with replacement, and then tasks of each.

    `runs` holds the numbers of each seed's tasks, (n_tasks,). Few seeds make it too narrow: where seeds differ half as
    much as tasks do, of 100 such intervals of three seeds with 50 tasks about 80 hold the true mean, of ten seeds 93;
    one seed's is that of its tasks alone. Source: Efron 1979, in two stages (Davison and Hinkley
    1997, section 3.8). Errors: ValueError for no run, or a level outside 0 to 1.
    Worked number: where all tasks have the same number, both ends are that number.
    """
    check_number("level", level, 0, 1)
    if not runs or not all(len(run) for run in runs):
        raise ValueError(problem("runs", "none, or one of no task", "the numbers of at least one seed's tasks"))
    rng = np.random.default_rng(seed)
    values = [run.double().numpy() for run in runs]
    if not all(np.isfinite(run).all() for run in values):
        return float("nan"), float("nan")
    # One column of means for each place of a seed in a draw, so that a seed drawn twice has two draws of tasks.
    means = np.stack([[_means(run, rng) for run in values] for _place in values])
    seeds = rng.integers(0, len(values), (len(values), _DRAWS))
    drawn = np.take_along_axis(means, seeds[:, None, :], axis=1).mean(axis=(0, 1))
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def _means(values: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    return values[rng.integers(0, len(values), (_DRAWS, len(values)))].mean(axis=1)


def _curve(found: Mapping[float, Sequence[Tensor]], level: float) -> Curve:
    means = [float(torch.stack([run.double().mean() for run in runs]).mean()) for runs in found.values()]
    ends = [bootstrap_interval(runs, level) for runs in found.values()]
    return Curve(tuple(found), tuple(means), tuple(low for low, _ in ends), tuple(high for _, high in ends))


# ---- generalisation --------------------------------------------------------------------------------------------------


@short_errors
def shift_curve(
    trained: Callable[[int], Mapping[str, Judge]],
    shifted: Mapping[float, TaskFamily],
    *,
    seeds: Sequence[int] = (0,),
    level: float = 0.95,
) -> dict[str, Curve]:
    """How good is what was trained, as tasks move away from those of training? A curve for each name.

    `trained(seed)` trains, and gives a judge for each thing to be compared (`judges.py`): all of them are given the
    same tasks. `shifted` holds the families by how far they are shifted (`shifts.py` makes them).
    Errors: ValueError for no shift or no seed. Worked number: with one seed and equal tasks the band is a line.
    """
    if not isinstance(shifted, Mapping) or not shifted:
        cause = "shifted_waves(parts.unseen, (0.0, 1.0)) makes some."
        raise ValueError(problem("shifted", shifted or "no family", "families by how far they are shifted", cause))
    found: dict[str, dict[float, list[Tensor]]] = defaultdict(lambda: defaultdict(list))
    for seed in _checked_seeds(seeds):
        judges = _made("trained", trained, seed, "a judge, such as solved(learned(loop), step=5)", callable)
        for name, judge in judges.items():
            for shift, family in shifted.items():
                rng = torch.Generator().manual_seed(_APART + seed)
                found[name][shift].append(judge(family, rng))
    return {name: _curve(by_shift, level) for name, by_shift in found.items()}


def _made(
    argument: str, make: Callable[[int], Mapping[str, Made]], seed: int, each: str, suits: Callable[[object], bool]
) -> Mapping[str, Made]:
    """What the learner's function makes of a seed. Errors: TypeError where it gives something else than was asked."""
    if not callable(make):
        raise TypeError(problem(argument, make, "a function of a seed"))
    made = make(seed)
    if not isinstance(made, Mapping) or not all(suits(one) for one in made.values()):
        raise TypeError(problem(f"{argument}({seed})", made, f"a dict by name of {each}", "Does it end with return?"))
    return made


def _checked_seeds(seeds: Sequence[int]) -> list[int]:
    if not isinstance(seeds, Sequence) or not len(seeds):
        raise ValueError(problem("seeds", repr(seeds), "at least one seed in a list", "One is a list of one: [0]."))
    return [check_whole("seed", seed, 0, None) for seed in seeds]


# ---- cost ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Training:
    """Something that is trained step by step: how it steps, how it is judged now, and what it keeps in memory."""

    step: Callable[[], object]
    judge: Callable[[], Judge]
    tasks_a_step: int
    n_bytes: Callable[[], int]


def outer_training(
    loop: OuterLoop,
    family: TaskFamily,
    judge: Callable[[OuterLoop], Judge],
    *,
    n_tasks: int = 25,
    n_shot: int | None = None,
    rng: torch.Generator,
) -> Training:
    """An outer loop on batches of this family: `judge=lambda loop: solved(learned(loop), step=5)` says how good it is.

    Worked number: it keeps the start and two moments of Adam for each weight: 12 bytes a weight.
    """

    def step() -> None:
        loop.step(family.sample(n_tasks, n_shot, rng=rng))

    def n_bytes() -> int:
        return 3 * sum(value.numel() * value.element_size() for value in loop.start.values())

    return Training(step, lambda: judge(loop), n_tasks, n_bytes)


def embedder_training(
    embedder: Embedder[Any, Any],
    family: TaskFamily,
    judge: Callable[[FittedEmbedder], Judge],
    *,
    settings: Any = None,
    rng: torch.Generator,
) -> Training:
    """An embedder on this family: `judge=found_again` says how often a task finds itself."""
    settings = embedder.settings_class() if settings is None else settings
    state = embedder.begin(family, family.sample(1, rng=rng), settings, rng)

    def step() -> None:
        nonlocal state
        state, _record = embedder.step(state, settings)

    n_tasks = embedder.tasks_a_step(family, settings)
    return Training(step, lambda: judge(FittedEmbedder(embedder, state)), n_tasks, lambda: state.n_bytes())


@compared_by_value
@dataclass(frozen=True)
class Cost:
    """Quality after so many steps, and its price: seconds of training (mean over seeds), tasks seen, bytes.

    `n_bytes` is what training keeps and what one step needs at once.
    """

    quality: Curve
    seconds: tuple[float, ...]
    tasks: tuple[int, ...]
    n_bytes: int

    def against(self, price: str) -> Curve:
        """The quality over "steps", "seconds", "tasks", or in the end over "MB". Errors: ValueError for another."""
        check_choice("price", price, ("steps", "seconds", "tasks", "MB"))
        if price == "MB":
            last = {name: (values[-1],) for name, values in dataclasses.asdict(self.quality).items()}
            return Curve(**{**last, "x": (self.n_bytes / 1e6,)})
        by: dict[str, tuple[float, ...]] = {"steps": self.quality.x, "seconds": self.seconds, "tasks": self.tasks}
        return dataclasses.replace(self.quality, x=by[price])


@short_errors
def cost_curve(
    begun: Callable[[int], Mapping[str, Training]],
    steps: Sequence[int],
    judged_on: TaskFamily,
    *,
    seeds: Sequence[int] = (0,),
    level: float = 0.95,
) -> dict[str, Cost]:
    """What does quality cost? `begun(seed)` gives trainings by name, each judged after so many steps on new tasks.

    `judged_on`: the part that is never seen. Judging is not counted in the seconds. Errors: ValueError for steps that
    are not in order. Worked number: 100 steps of 25 tasks have seen 2,500.
    """
    counts = check_steps(steps)
    runs: dict[str, list[tuple[list[Tensor], list[float], Training]]] = defaultdict(list)
    for seed in _checked_seeds(seeds):
        expected = "a Training, such as outer_training(loop, ...)"
        trainings = _made("begun", begun, seed, expected, lambda made: isinstance(made, Training))
        for name, training in trainings.items():
            runs[name].append((*_trained(training, counts, judged_on, seed), training))
    return {name: _cost(of, counts, level) for name, of in runs.items()}


def _trained(training: Training, counts: list[int], family: TaskFamily, seed: int) -> tuple[list[Tensor], list[float]]:
    values, seconds, made, spent = [], [], 0, 0.0
    for count in counts:
        begun = time.perf_counter()
        for _ in range(count - made):
            training.step()
        made, spent = count, spent + time.perf_counter() - begun
        seconds.append(spent)
        values.append(training.judge()(family, torch.Generator().manual_seed(_APART + seed)))
    return values, seconds


def _cost(runs: Sequence[tuple[list[Tensor], list[float], Training]], counts: list[int], level: float) -> Cost:
    found: dict[float, list[Tensor]] = {count: [values[k] for values, _, _ in runs] for k, count in enumerate(counts)}
    seconds = tuple(float(np.mean([of[k] for _, of, _ in runs])) for k in range(len(counts)))
    training = runs[0][2]
    n_bytes = training.n_bytes() + peak_bytes(training.step)
    return Cost(_curve(found, level), seconds, tuple(count * training.tasks_a_step for count in counts), n_bytes)
