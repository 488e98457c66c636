"""A GPU's memory, and numbers that come again: chunks follow what is free, and sums have one order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from taskembed_edu.base.devices import repeatable_convolutions
from taskembed_edu.embedders import MetricEmbedder, MetricSettings, batched
from taskembed_edu.embedders.batched import BatchedTraining, activation_bytes, start_networks
from taskembed_edu.embedders.probing import _running_sums
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.networks.learners import Learner, Parameters, flatten
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Digits, Sinusoids, TaskBatch
from tests.runs import SMALL, generator

pytestmark = pytest.mark.gpu

N = 10


def case() -> tuple[Learner, TaskBatch, Parameters]:
    learner = task_learner(Sinusoids(), hidden=8)
    return learner, Sinusoids().sample(N, n_shot=4, rng=generator()), start_networks(learner, N, generator())


def on_cuda(parameters: Parameters) -> Parameters:
    return {name: value.to("cuda") for name, value in parameters.items()}


def chunks_of(training: BatchedTraining, tasks: TaskBatch) -> list[int]:
    sizes: list[int] = []
    of_chunk = training._of_chunk

    def counting(rows: Any, x: Tensor, y: Tensor, mask: Tensor | None) -> tuple[Tensor, Sequence[Tensor]]:
        sizes.append(len(x))
        return of_chunk(rows, x, y, mask)

    training._of_chunk = counting  # type: ignore[method-assign]
    training.gradients(tasks.support_x, tasks.support_y)
    training._of_chunk = of_chunk  # type: ignore[method-assign]
    return sizes


def test_a_chunk_takes_half_of_what_is_free_and_a_copy_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks, start = case()
    each = activation_bytes(learner, start, tasks.support_x, tasks.support_y)
    there = tasks.to("cuda")
    assert chunks_of(BatchedTraining(learner, on_cuda(start)), there) == [10]
    free = 2 * 4 * each
    monkeypatch.setattr(batched, "_free_bytes", lambda device: free)
    training = BatchedTraining(learner, on_cuda(start))
    assert chunks_of(training, there) == [4, 4, 2]
    free = 2 * each
    assert chunks_of(training.copy(), there) == [4, 4, 2], "it rounds alike"
    assert chunks_of(BatchedTraining(learner, on_cuda(start)), there) == [1] * 10


def full(monkeypatch: pytest.MonkeyPatch, room_for: int) -> None:
    """From now on a GPU has room for so many tasks at once."""
    plain = BatchedTraining._of_chunk

    def of_chunk(self: BatchedTraining, rows: Any, x: Tensor, y: Tensor, mask: Tensor | None) -> Any:
        if len(x) > room_for:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return plain(self, rows, x, y, mask)

    monkeypatch.setattr(BatchedTraining, "_of_chunk", of_chunk)


def test_out_of_memory_is_said_and_answered_by_smaller_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks, start = case()
    plain = train_tasks(learner, tasks, 3, start=start, optimiser="sgd", device="cuda")
    full(monkeypatch, room_for=3)
    with pytest.warns(UserWarning, match="chunk: got .* networks at once, more than the GPU has room for") as told:
        parts = train_tasks(learner, tasks, 3, start=start, optimiser="sgd", device="cuda")
    assert [str(warning.message).split()[2] for warning in told] == ["10", "5"], "once for each size, not at every step"
    assert "It goes on with 2 at once" in str(told[-1].message)
    torch.testing.assert_close(flatten(parts.parameters).cpu(), flatten(plain.parameters).cpu(), atol=1e-5, rtol=1e-4)


def test_no_room_even_for_one_task_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks, start = case()
    full(monkeypatch, room_for=0)
    with pytest.warns(UserWarning, match="chunk"), pytest.raises(torch.OutOfMemoryError):
        train_tasks(learner, tasks, 1, start=start, device="cuda")


def test_a_copy_keeps_the_smaller_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, tasks, start = case()
    training, there = BatchedTraining(learner, on_cuda(start)), tasks.to("cuda")
    with monkeypatch.context() as patch:
        full(patch, room_for=6)
        with pytest.warns(UserWarning, match="It goes on with 5 at once"):
            training.gradients(there.support_x, there.support_y)
    assert chunks_of(training.copy(), there) == [5, 5]


# ---- the same numbers every time -----------------------------------------------------------------------------------


def test_convolutions_are_repeatable_while_an_encoder_learns_and_embeds(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    plain = torch.nn.Conv2d.forward

    def watching(self: Any, x: Tensor) -> Tensor:
        out = plain(self, x)
        seen.append(torch.backends.cudnn.deterministic)
        if out.requires_grad:
            out.register_hook(lambda _grad: seen.append(torch.backends.cudnn.deterministic))
        return out

    monkeypatch.setattr(torch.nn.Conv2d, "forward", watching)
    rng, settings = generator(), MetricSettings(device="cuda", hidden=8, batch=3)
    state = MetricEmbedder().begin(Digits(), Digits().sample(3, rng=rng), settings, rng)
    seen.clear()  # how it begins is computed on the CPU
    MetricEmbedder().step(state, settings)
    MetricEmbedder().embed(state)
    assert len(seen) == 6, "two layers, forwards and backwards, and once more to embed"
    assert all(seen)
    assert not torch.backends.cudnn.deterministic


def test_on_a_cpu_and_after_an_error_nothing_is_changed() -> None:
    with repeatable_convolutions(torch.device("cpu")):
        assert not torch.backends.cudnn.deterministic
    with pytest.raises(ZeroDivisionError), repeatable_convolutions(torch.device("cuda")):
        assert 1 / 0
    assert not torch.backends.cudnn.deterministic


def test_running_sums_by_a_product_are_the_running_sums() -> None:
    shares = torch.rand(3, 4, 7, generator=generator())
    torch.testing.assert_close(_running_sums(shares, by_product=True), shares.cumsum(-1))
    torch.testing.assert_close(_running_sums(shares.cuda()).cpu(), shares.cumsum(-1))


@pytest.mark.parametrize("embedder", ["metric", "parameters", "fisher"])
@pytest.mark.parametrize("family", ["gaussians", "digits"])
def test_a_run_comes_again_bit_for_bit(embedder: str, family: str) -> None:
    small = {key: SMALL[key] for key in ("projection", "n_tasks", "frame_every", "hidden")}
    runs = [Session(embedder, family, device="cuda", **small) for _ in range(2)]
    for run in runs:
        run.step(8)
    for one, other in zip(*(run.history for run in runs), strict=True):
        assert (one.embedding == other.embedding).all()


# ---- what only a real GPU can show ----------------------------------------------------------------------------------


@pytest.mark.gpu(real="torch.compile")
def test_compiled_steps_give_what_plain_ones_give() -> None:
    learner, tasks, start = case()
    runs = [
        train_tasks(learner, tasks, 5, start=start, optimiser="sgd", device="cuda", compiled=how)
        for how in ("off", "on")
    ]
    torch.testing.assert_close(*(flatten(run.parameters) for run in runs), atol=1e-4, rtol=1e-3)


@pytest.mark.gpu(real="memory")
def test_a_chunk_keeps_to_its_room() -> None:
    learner, tasks, start = case()
    training, there = BatchedTraining(learner, on_cuda(start)), tasks.to("cuda")
    training.gradients(there.support_x, there.support_y)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    training.gradients(there.support_x, there.support_y)
    assert torch.cuda.max_memory_allocated() - before <= batched.CHUNK_BYTES["cuda"]


@pytest.mark.gpu(real="TF32")
def test_matrix_products_are_in_full_single_precision() -> None:
    x = torch.randn(256, 256, generator=generator())
    torch.testing.assert_close((x.cuda() @ x.cuda()).cpu(), x @ x, atol=1e-4, rtol=1e-5)
