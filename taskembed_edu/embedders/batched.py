"""Hundreds of small networks trained at once, each on its own task: one batched call per step instead of a loop.

The losses of different tasks share no parameter, so the gradient of their sum is each task's own gradient; and SGD and
Adam are elementwise, so one optimiser over the stack equals one optimiser per task. Up to rounding, the result is the
same as that of a plain loop over tasks.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence

import psutil
import torch
from torch import Tensor

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.copies import copy_moments
from taskembed_edu.base.devices import moved
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.networks.learners import Learner, Parameters, stack

OPTIMISERS = {"adam": "Adam", "sgd": "SGD"}

# The most memory for one chunk's activations. On a CPU more is slower: they should fit in the processor's cache. On a
# GPU it is at most half of what is free.
CHUNK_BYTES = {"cpu": 48 * 2**20, "cuda": 4 * 2**30}
# Numbers stored for each parameter during training: its value, its gradient, and Adam's two moments.
_KEPT = {"adam": 4, "sgd": 2}
# A task has diverged if its loss has grown by this factor, or if one of its weights is this large.
BEYOND = 1e6
# The share of the free memory that a training may plan to use.
_SHARE = 0.5


@short_errors
def start_networks(learner: Learner, n_tasks: int, rng: torch.Generator, *, shared: bool = True) -> Parameters:
    """Initial parameters for n tasks, stacked: the same for all tasks (`shared`), or drawn for each task.

    Worked number: 200 perceptrons of 1,153 parameters are 922,400 bytes.
    """
    if not shared:
        return stack(learner.init(rng) for _ in range(n_tasks))
    return {name: value.expand(n_tasks, *value.shape).clone() for name, value in learner.init(rng).items()}


class BatchedTraining:
    """Networks of one kind, one a task, that are trained together: `step(x, y)` gives every task's loss.

    `start` are their parameters (n_tasks, *shape); `frozen` names layers that stay as they are; `chunk` is how many
    tasks run at once (None: as many as fit `CHUNK_BYTES`), which changes the memory taken and, but for rounding, not
    the result. Where a GPU runs out of memory all the same, a warning says so, and the training goes on in smaller
    chunks.

    A task whose loss is no longer finite, or a million times its first, has diverged: it is marked in `diverged`, and
    the others continue.
    Errors: ValueError for an unknown optimiser or layer, no layer left to train, or a chunk below 1.
    """

    def __init__(
        self,
        learner: Learner,
        start: Parameters,
        optimiser: str = "adam",
        *,
        frozen: Sequence[str] = (),
        chunk: int | None = None,
    ) -> None:
        self.learner = learner
        self.parameters = {name: value.detach().clone() for name, value in start.items()}
        self.optimiser_name = check_choice("optimiser", optimiser, OPTIMISERS)
        self.frozen = tuple(frozen)
        still = set(learner.of_layers(self.frozen))
        self.trained = [name for name in self.parameters if name not in still]
        if not self.trained:
            cause = "Where all layers stay as they began, nothing is learnt."
            raise ValueError(problem("frozen", ", ".join(self.frozen), "at least one layer that learns", cause))
        if chunk is not None and chunk < 1:
            raise ValueError(problem("chunk", chunk, "at least 1 task at once, or None"))
        self.chunk = chunk
        n_tasks = len(next(iter(start.values())))
        self.diverged = torch.zeros(n_tasks, dtype=torch.bool, device=next(iter(start.values())).device)
        self.compiled_losses: Callable[..., tuple[Tensor, ...]] | None = None
        # Bytes that one task's step takes: measured once, so that a copy runs in the same chunks and rounds alike.
        self._passing: int | None = None
        self._room = 0  # bytes for a chunk, known with `_passing`
        self._most: int | None = None  # tasks at once, since the GPU had no room for more
        self._order: Tensor | None = None  # tasks that are alike run in one chunk
        self._first: Tensor | None = None  # the losses of the first step, by which later ones are judged
        self._read: tuple[tuple[int, ...], Tensor] = ((), self.diverged)  # which had diverged, at this version
        self._optimiser = self._made_optimiser()

    @property
    def n_tasks(self) -> int:
        """How many networks there are."""
        return len(self.diverged)

    def step(self, x: Tensor, y: Tensor, mask: Tensor | None = None, *, learning_rate: float) -> Tensor:
        """One step of every network on its own samples x (n_tasks, n, ...), y (n_tasks, n, ...): losses (n_tasks,)."""
        losses = self.gradients(x, y, mask)
        if self._first is None:
            self._first = losses
        self.diverged |= ~(losses < BEYOND * (1 + self._first))  # NaN and infinity compare as not below
        if self.diverged.is_cuda or bool(self.diverged.any()):  # no query on a GPU: it would wait for the step
            self._freeze_diverged(self.diverged)
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate
        self._optimiser.step()
        return losses

    def diverged_mask(self) -> Tensor:
        """Which tasks have diverged, (n_tasks,), also those whose weights show it before their loss does."""
        largest = [value.abs().flatten(1).amax(1) for value in self.parameters.values()]
        return self.diverged | ~(torch.stack(largest) < BEYOND).all(0)

    def diverged_tasks(self) -> Tensor:
        """`diverged_mask` on the CPU, read once as long as no weight changes: on a GPU a read waits for the device."""
        if self._read[0] != self._version():
            self._read = self._version(), self.diverged_mask().cpu()
        return self._read[1]

    def with_diverged(self, rows: Tensor) -> Tensor:
        """Rows of numbers, (n_tasks, any), on the CPU, and by the same read what `diverged_tasks` tells."""
        lost = self.diverged_mask().unsqueeze(1)
        told = torch.cat((rows, lost.to(rows.dtype)), dim=1).cpu()
        self._read = self._version(), told[:, -1] > 0
        return told[:, :-1]

    def _version(self) -> tuple[int, ...]:
        return (self.diverged._version, *(value._version for value in self.parameters.values()))

    def plan(self, x: Tensor, y: Tensor) -> None:
        """Measure the memory that a step of the largest task needs on such samples; it decides the size of a chunk."""
        self._order = self.learner.order(y)
        largest = slice(0, 1) if self._order is None else self._order[-1:]
        parameters = {name: value[largest] for name, value in self.parameters.items()}
        self._passing = activation_bytes(self.learner, parameters, x[largest], y[largest])
        self._room = _chunk_room(x.device)

    def gradients(self, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        """Every task's loss, and its gradient in the parameters' `.grad`.

        Errors: torch.OutOfMemoryError where a GPU has no room even for one task.
        """
        while True:
            try:
                return self._gradients(x, y, mask)
            except torch.OutOfMemoryError:
                size = self._chunk_size(x, y)
                if size == 1:
                    raise
            # Out of the handler: the error would keep the memory that is needed now.
            self._most = size // 2
            torch.cuda.empty_cache()
            cause = f"Other programs may use the GPU too. It goes on with {self._most} at once; rounding may differ."
            came = f"{size} networks at once, more than the GPU has room for"
            warnings.warn(problem("chunk", came, f"{self._most} or fewer", cause), UserWarning, stacklevel=2)

    def _gradients(self, x: Tensor, y: Tensor, mask: Tensor | None) -> Tensor:
        chunks = list(self._chunks(x, y))
        if len(chunks) == 1:
            losses, grads = self._of_chunk(slice(None), x, y, mask)
            for name, grad in zip(self.trained, grads, strict=True):
                self.parameters[name].grad = grad
            return losses
        losses = next(iter(self.parameters.values())).new_empty(self.n_tasks)
        for name in self.trained:
            if self.parameters[name].grad is None:
                self.parameters[name].grad = torch.empty_like(self.parameters[name])
        for rows in chunks:
            losses[rows], grads = self._of_chunk(rows, x[rows], y[rows], None if mask is None else mask[rows])
            for name, grad in zip(self.trained, grads, strict=True):
                kept = self.parameters[name].grad
                assert kept is not None
                kept[rows] = grad
        return losses

    def copy(self) -> BatchedTraining:
        """The same training at the same step, sharing no memory with this one."""
        twin = BatchedTraining(self.learner, self.parameters, self.optimiser_name, frozen=self.frozen, chunk=self.chunk)
        twin.diverged = self.diverged.clone()
        twin._passing, twin._order, twin._first = self._passing, self._order, self._first
        twin._room, twin._most = self._room, self._most
        weights = ((self.parameters[name], twin.parameters[name]) for name in self.trained)
        copy_moments(self._optimiser, twin._optimiser, weights)
        return twin

    def n_bytes(self) -> int:
        """Memory of a copy: parameters and the optimiser's state of each."""
        numbers = sum(value.numel() for value in self.parameters.values())
        return 4 * numbers * (_KEPT[self.optimiser_name] - 1)

    def _made_optimiser(self) -> torch.optim.Optimizer:
        made = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[self.optimiser_name]
        parameters = [self.parameters[name] for name in self.trained]
        return made(parameters, lr=1e-3, fused=True)  # fused: one pass over memory instead of ten

    def _of_chunk(
        self, rows: slice | Tensor, x: Tensor, y: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Sequence[Tensor]]:
        mine = {name: value[rows] for name, value in self.parameters.items()}
        if self.compiled_losses is not None:
            losses, *grads = self.compiled_losses([mine[name] for name in self.trained], mine, x, y, mask)
            return losses, grads
        for name in self.trained:
            mine[name] = mine[name].detach().requires_grad_()
        losses = self.learner.losses(mine, x, y, mask)
        return losses.detach(), torch.autograd.grad(losses.sum(), [mine[name] for name in self.trained])

    def _chunks(self, x: Tensor, y: Tensor) -> Iterator[slice | Tensor]:
        size = self._chunk_size(x, y)
        if self._order is not None and size < self.n_tasks:
            return iter(self._order.split(size))
        return (slice(first, min(first + size, self.n_tasks)) for first in range(0, self.n_tasks, size))

    def _chunk_size(self, x: Tensor, y: Tensor) -> int:
        size = min(self.chunk or self._fitting_chunk(x, y), self._most or self.n_tasks)
        return math.ceil(self.n_tasks / math.ceil(self.n_tasks / size))  # as few chunks, of one size

    def _fitting_chunk(self, x: Tensor, y: Tensor) -> int:
        if self._passing is None:
            self.plan(x, y)
        assert self._passing is not None
        return max(1, self._room // max(1, self._passing))

    def _freeze_diverged(self, tasks: Tensor) -> None:
        # A diverged task stops learning: its gradient and its momentum are set to zero. Masked and not multiplied,
        # because NaN times zero is NaN.
        for name in self.trained:
            parameter = self.parameters[name]
            assert parameter.grad is not None
            rows = tasks.view(-1, *[1] * (parameter.ndim - 1))
            parameter.grad = parameter.grad.masked_fill(rows, 0.0)
            momentum = self._optimiser.state.get(parameter, {}).get("exp_avg")  # SGD has none
            if momentum is not None:
                momentum.masked_fill_(rows, 0.0)


def activation_bytes(learner: Learner, parameters: Parameters, x: Tensor, y: Tensor) -> int:
    """Memory that one task needs during a step, measured on one task.

    It counts what autograd saves in the forward pass, and the same amount again for the backward pass.
    """
    counted: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        counted[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    one = {name: value[:1].detach().clone().requires_grad_() for name, value in parameters.items()}
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        losses = learner.losses(one, x[:1], y[:1])
    del losses
    return 2 * sum(counted.values()) + 4 * learner.n_parameters


def check_memory(learner: Learner, n_tasks: int, optimiser: str, device: torch.device, beside: int = 0) -> None:
    """Raise a MemoryError before training starts if the networks themselves do not fit: smaller chunks cannot help.

    Needed: 4 bytes for every parameter, its gradient and (Adam) its two moments, and for `beside` further numbers that
    the caller keeps of each. The error says how many tasks fit.
    """
    each = 4 * learner.n_parameters * (_KEPT[optimiser] + beside)
    room = int(_SHARE * _free_bytes(device))
    if n_tasks * each > room:
        came = f"{n_tasks:,} networks of {learner.n_parameters:,} parameters, {n_tasks * each / 1e9:.1f} GB"
        cause = f"At most {room // each:,} tasks of this size fit; or take a smaller network (hidden), or SGD."
        raise MemoryError(problem("n_tasks", came, f"at most {room / 1e9:.1f} GB, half of what is free", cause))


def _chunk_room(device: torch.device) -> int:
    """Bytes for the activations of one chunk."""
    most = CHUNK_BYTES[device.type]
    return min(most, int(_SHARE * _free_bytes(device))) if device.type == "cuda" else most


def _free_bytes(device: torch.device) -> int:
    if device.type != "cuda":
        return int(psutil.virtual_memory().available)
    # GPU memory that torch has reserved and does not use is free too.
    idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + idle


def some_samples(
    x: Tensor, y: Tensor, mask: Tensor | None, batch: int, rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The samples of a step: `batch` of each set, the same indices for all tasks; all if `batch` is 0 or too large."""
    if not 0 < batch < x.shape[1]:
        return x, y, mask
    chosen = moved(torch.randperm(x.shape[1], generator=rng)[:batch], x.device)
    return x[:, chosen], y[:, chosen], None if mask is None else mask[:, chosen]
