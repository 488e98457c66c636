"""How often the processor waits for a GPU: counted on the simulated device, step by step and at a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from taskembed_edu.base.devices import moved
from taskembed_edu.embedders import EMBEDDERS, MetricSettings
from taskembed_edu.embedders.batched import BatchedTraining, start_networks
from taskembed_edu.embedders.metric import MetricEmbedder, task_loss
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.formulas.known_batch import known_batch
from taskembed_edu.formulas.losses import LOSSES, pairwise_contrastive_loss
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Digits, Gaussians, NumberWords, Sinusoids, TaskFamily
from tests.runs import SMALL, generator
from tests.simulated_cuda import SimulatedCuda, simulated_cuda


@pytest.fixture
def device() -> Iterator[SimulatedCuda]:
    with simulated_cuda(where=lambda file: "taskembed_edu" in file) as device:
        yield device


def waits_of(device: SimulatedCuda, act: Callable[[], object]) -> dict[tuple[str, int, str], int]:
    device.clear()
    act()
    return dict(device.waits)


def waits_of_a_step(device: SimulatedCuda, name: str, family: TaskFamily, **values: Any) -> dict[Any, int]:
    """Of the third step: the first two may learn what stays the same."""
    embedder, rng = EMBEDDERS[name](), generator()
    settings = embedder.settings_class(**{"device": "cuda", "hidden": 8, **values})
    state = embedder.begin(family, family.sample(6, n_shot=4, rng=rng), settings, rng)
    for _ in range(2):
        embedder.step(state, settings)
    return waits_of(device, lambda: embedder.step(state, settings))


# ---- a step --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "values"),
    [
        (Sinusoids(), {}),
        (Gaussians(), {"optimiser": "sgd"}),
        (Digits(), {}),
        (NumberWords(), {}),
        (NumberWords(), {"learner": "lstm"}),
        (Sinusoids(), {"batch": 3}),
        (Digits(), {"batch": 3}),
    ],
)
def test_networks_of_the_tasks_own_never_wait(
    device: SimulatedCuda, family: TaskFamily, values: dict[str, Any]
) -> None:
    assert waits_of_a_step(device, "parameters", family, **values) == {}


def test_words_that_are_drawn_anew_are_read_once_a_step(device: SimulatedCuda) -> None:
    assert sum(waits_of_a_step(device, "parameters", NumberWords(), batch=3).values()) == 1


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("loss", "mining"), [(name, mining) for name, loss in LOSSES.items() for mining in loss.minings or ("all",)]
)
def test_a_metric_step_waits_once_whatever_the_loss(device: SimulatedCuda, loss: str, mining: str, metric: str) -> None:
    waits = waits_of_a_step(device, "metric", Gaussians(), loss=loss, mining=mining, metric=metric, batch=6)
    assert sum(waits.values()) == 1, waits


@pytest.mark.parametrize("family", [Sinusoids(), Gaussians(), Digits(), NumberWords()], ids=lambda of: of.name)
def test_a_fisher_step_waits_once(device: SimulatedCuda, family: TaskFamily) -> None:
    waits = waits_of_a_step(device, "fisher", family, batch=3)
    assert sum(waits.values()) == 1, waits


@pytest.mark.parametrize("family", [Sinusoids(), Gaussians(), Digits()], ids=lambda of: of.name)
def test_a_context_step_waits_once(device: SimulatedCuda, family: TaskFamily) -> None:
    waits = waits_of_a_step(device, "context", family, batch=3)
    assert sum(waits.values()) == 1, waits


# ---- a frame -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("metric", {}),
        ("fisher", {}),
        ("context", {}),
        ("parameters", {}),
        ("parameters", {"vector": "outputs"}),
        ("parameters", {"vector": "fisher"}),
        ("parameters", {"form": "difference"}),
    ],
)
def test_a_frame_waits_three_times_at_most(device: SimulatedCuda, name: str, values: dict[str, Any]) -> None:
    small = {key: SMALL[key] for key in ("projection", "n_tasks", "frame_every", "hidden")}
    session = Session(name, "gaussians", device="cuda", **small, **values)
    session.step(6)
    of_a_step = sum(waits_of(device, lambda: session.step(1)).values())
    with_a_frame = waits_of(device, lambda: session.step(1))
    assert session.frame.step == 8
    assert sum(with_a_frame.values()) - of_a_step <= 3, with_a_frame


# ---- what makes it so ----------------------------------------------------------------------------------------------


def test_a_tensor_moves_to_a_gpu_without_a_wait_and_as_it_was(device: SimulatedCuda) -> None:
    x = torch.arange(3.0)
    there: list[torch.Tensor] = []
    assert waits_of(device, lambda: there.append(moved(x, torch.device("cuda")))) == {}
    x.fill_(0)
    assert there[0].tolist() == [0, 1, 2]
    assert moved(there[0], torch.device("cuda")) is there[0]
    assert moved(x, torch.device("cpu")) is x


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("loss", "mining"), [(name, mining) for name, loss in LOSSES.items() for mining in loss.minings or ("all",)]
)
def test_a_known_batch_has_the_loss_and_the_gradient_of_any_other(loss: str, mining: str, metric: str) -> None:
    settings = MetricSettings(loss=loss, mining=mining, metric=metric)
    for n_tasks in (1, 2, 9):
        embeddings = torch.randn(2 * n_tasks, 3, generator=generator(n_tasks)).requires_grad_()
        labels = torch.arange(n_tasks).repeat(2)
        plain = LOSSES[loss](embeddings, labels, settings)
        with known_batch(embeddings, labels):
            known = LOSSES[loss](embeddings, labels, settings)
        torch.testing.assert_close(known, plain)
        slopes = [torch.autograd.grad(of, embeddings)[0] for of in (known, plain)]
        torch.testing.assert_close(*slopes)


def test_what_a_loss_makes_of_a_known_batch_is_checked_as_ever() -> None:
    embeddings, labels = torch.randn(6, 2, generator=generator()), torch.tensor([0, 1, 2, 0, 1, 2])
    with known_batch(embeddings, labels):
        part = pairwise_contrastive_loss(embeddings[[0, 1, 3]], labels[[0, 1, 3]], reduction="mean")
        with pytest.raises(ValueError, match="embeddings: got 12 NaN"):
            pairwise_contrastive_loss(embeddings * torch.nan, labels)
    torch.testing.assert_close(part, pairwise_contrastive_loss(embeddings[[0, 1, 3]], [0, 1, 0], reduction="mean"))


@pytest.mark.parametrize(
    ("bad", "metric", "error"),
    [
        (torch.nan, "euclidean", FloatingPointError),
        (0.0, "cosine", ValueError),
        (torch.inf, "cosine", FloatingPointError),
    ],
)
def test_bad_embeddings_are_told_on_a_gpu_as_on_a_cpu(
    device: SimulatedCuda, bad: float, metric: str, error: type[Exception]
) -> None:
    told = []
    for where in ("cpu", "cuda"):
        settings = MetricSettings(device=where, hidden=8, batch=4, metric=metric)
        rng = generator()
        state = MetricEmbedder().begin(Gaussians(), Gaussians().sample(2, rng=rng), settings, rng)
        with torch.no_grad():
            weight, bias = list(state.encoder.parameters())[-2:]
            weight.zero_()
            bias.fill_(bad)
        with pytest.raises(error) as caught:
            MetricEmbedder().step(state, settings)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_a_loss_on_the_cpu_reads_as_ever() -> None:
    with pytest.raises(ValueError, match="embeddings: got 8 NaN"):
        task_loss(torch.full((4, 2), torch.nan), MetricSettings(), sound=True)


def test_words_that_changed_are_read_again(device: SimulatedCuda) -> None:
    family = NumberWords()
    learner, tasks = task_learner(family, hidden=4), family.sample(3, n_shot=4, rng=generator())
    start = start_networks(learner, 3, generator())
    there, mask = tasks.to("cuda"), torch.tensor([[False, False, True, True]]).expand(3, 4)
    on_device = {name: value.to("cuda") for name, value in start.items()}

    def losses(mask: torch.Tensor | None = None) -> torch.Tensor:
        return learner.losses(on_device, there.support_x, there.support_y, mask)

    there.support_y[:, :2] = -1  # fewer words take fewer steps, which would be too few for all of them
    y = tasks.support_y.clone()
    y[:, :2] = -1
    torch.testing.assert_close(losses().cpu(), learner.losses(start, tasks.support_x, y))
    assert waits_of(device, losses) == {}
    there.support_y.copy_(tasks.support_y)
    few = mask.to("cuda")
    torch.testing.assert_close(losses(few).cpu(), learner.losses(start, tasks.support_x, tasks.support_y, mask))
    assert waits_of(device, lambda: losses(few)) == {}
    torch.testing.assert_close(losses().cpu(), learner.losses(start, tasks.support_x, tasks.support_y))
    every = torch.ones_like(mask)
    losses(mask.to("cuda"))
    torch.testing.assert_close(
        losses(every.to("cuda")).cpu(), learner.losses(start, tasks.support_x, tasks.support_y, every)
    )


def test_which_tasks_diverged_is_read_again_after_every_change() -> None:
    learner = task_learner(Sinusoids(), hidden=4)
    tasks = Sinusoids().sample(3, rng=generator())
    training = BatchedTraining(learner, start_networks(learner, 3, generator()))
    assert training.diverged_tasks().tolist() == [False] * 3
    assert training.diverged_tasks() is training.diverged_tasks()
    training.parameters["output.bias"][1] = torch.nan
    assert training.diverged_tasks().tolist() == [False, True, False]
    before = training.diverged_tasks()
    training.step(tasks.support_x, tasks.support_y, learning_rate=1e-3)
    assert training.diverged_tasks() is not before, "a step changes weights"
    assert training.copy().diverged_tasks().tolist() == [False, True, False]
    training.diverged[0] = True
    assert training.diverged_tasks().tolist() == [True, True, False]
