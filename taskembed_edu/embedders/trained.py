"""A whole training in one call: one network for each task, from a start to its last step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, check_finite, check_number
from taskembed_edu.base.memory import trim_heap, tune_malloc
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders.base import chosen_device
from taskembed_edu.embedders.batched import BatchedTraining, check_memory, some_samples
from taskembed_edu.embedders.compiling import compile_training, compiling_pays, has_compiler
from taskembed_edu.networks.learners import Learner, Parameters, check_stack
from taskembed_edu.tasks.base import TaskBatch

# After this many steps, the time of a step is known, and so whether compiling pays.
_LOOKED_AT = 20


@compared_by_value
@dataclass(frozen=True)
class Trained:
    """Networks after training: parameters (n_tasks, *shape), last losses (n_tasks,), which diverged, and the cost."""

    learner: Learner
    parameters: Parameters
    losses: Tensor
    diverged: Tensor
    seconds: float
    compiled: bool
    compile_seconds: float

    def __repr__(self) -> str:
        n, lost = len(self.losses), int(self.diverged.sum())
        mean = float(self.losses[~self.diverged].mean())
        how = f"compiled in {self.compile_seconds:.0f} s, " if self.compiled else ""
        return f"Trained({n} networks, {lost} diverged, loss {mean:.4f}: {how}{self.seconds:.1f} s)"


@short_errors
def train_tasks(
    learner: Learner,
    tasks: TaskBatch,
    steps: int,
    *,
    start: Parameters,
    optimiser: str = "adam",
    learning_rate: float = 1e-2,
    frozen: Sequence[str] = (),
    chunk: int | None = None,
    device: torch.device | str = "cpu",
    compiled: str = "auto",
    batch: int = 0,
    rng: torch.Generator | None = None,
    progress: Callable[[int], None] | None = None,
) -> Trained:
    """Train one network for each task, all at once, from `start`, on their support sets.

    Each step sees the whole set, or with `batch` so many samples of it, drawn from `rng`: the same places for all.

    `compiled`: "auto" compiles where the steps left make up for its cost and there is a compiler, "on" always, "off"
    never. `device`: "auto" takes a CUDA device if there is one; the networks come back on it. `progress(step)` is
    called after every step. Errors: MemoryError, before it starts, where the networks do not fit; ValueError for
    samples that are not finite, or a start of other networks or of another number of them; RuntimeError for "on"
    without a compiler, and for "cuda" without a CUDA device.

    Worked number: 200 perceptrons (1-32-32-1) of 20 points, one step of SGD on two cores: 1.1 ms, compiled 0.8 ms
    (`make bench ARGS=parameters`).
    """
    check_choice("compiled", compiled, ("auto", "on", "off"))
    for name, value in (("steps", steps), ("batch", batch), ("learning_rate", learning_rate)):
        check_number(name, value, 0, None)
    device = chosen_device(device)
    if tasks.support_x.is_floating_point():
        check_finite("support_x", tasks.support_x)
    check_memory(learner, len(tasks), optimiser, device)
    start = check_stack(learner, start, "start", len(tasks))
    given = tasks.to(device)
    sets = (given.support_x, given.support_y, given.support_mask)
    rng = torch.Generator().manual_seed(0) if rng is None else rng
    first = {name: value.to(device) for name, value in start.items()}
    training = BatchedTraining(learner, first, optimiser, frozen=frozen, chunk=chunk)
    tune_malloc()
    begun = time.perf_counter()
    try:
        losses, cost = _all_steps(training, sets, steps, learning_rate, compiled, batch, rng, progress)
        if device.type == "cuda":
            torch.cuda.synchronize(device)  # its kernels may still be running
        seconds, lost = time.perf_counter() - begun, training.diverged_mask()
        # Keep only the weights: otherwise gradients and Adam's moments would stay in memory as long as the result.
        parameters = {name: value.detach() for name, value in training.parameters.items()}
    finally:
        del training, first
        trim_heap()
    return Trained(learner, parameters, losses, lost, seconds, cost > 0, cost)


def _all_steps(
    training: BatchedTraining,
    sets: tuple[Tensor, Tensor, Tensor | None],
    steps: int,
    learning_rate: float,
    compiled: str,
    batch: int,
    rng: torch.Generator,
    progress: Callable[[int], None] | None,
) -> tuple[Tensor, float]:
    """The last losses, and the seconds of the step that compiled (0 where none did)."""
    begun, cost = time.perf_counter(), 0.0
    training.plan(*sets[:2])
    losses = training.diverged.float()
    if steps == 0:
        losses = training.gradients(*sets)
        training.diverged |= ~torch.isfinite(losses)
    if compiled == "on":
        compile_training(training)
    for step in range(steps):
        before = time.perf_counter()
        losses = training.step(*some_samples(*sets, batch, rng), learning_rate=learning_rate)
        if training.compiled_losses is not None and not cost:
            cost = time.perf_counter() - before  # the first compiled step compiles
        elif compiled == "auto" and step == _LOOKED_AT and _pays(training, begun, step, steps):
            compile_training(training)
        if progress is not None:
            progress(step + 1)
    return losses, cost


def _pays(training: BatchedTraining, begun: float, step: int, steps: int) -> bool:
    if training.diverged.is_cuda or not training.learner.compiles or not has_compiler():
        return False
    return compiling_pays((time.perf_counter() - begun) / (step + 1), steps - step)
