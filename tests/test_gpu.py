"""On CUDA: formulas and one step agree with the CPU's, and what runs there stays there."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from taskembed_edu.embedders import MetricEmbedder, MetricSettings, MetricState, chosen_device, device_name
from taskembed_edu.embedders.batched import start_networks
from taskembed_edu.embedders.metric import task_loss
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.formulas.distances import METRICS, pairwise_distances
from taskembed_edu.formulas.losses import (
    LOSSES,
    batch_triplet_loss,
    contrastive_loss,
    info_nce_loss,
    pairwise_contrastive_loss,
    prototypical_loss,
    triplet_loss,
)
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Digits, Gaussians, Sinusoids, TaskFamily
from tests.runs import SMALL, assert_same_frames, generator, small_session

pytestmark = pytest.mark.gpu

EMBEDDER = MetricEmbedder()
FAMILIES = [Sinusoids(), Gaussians(), Digits()]
CLOSE: dict[str, Any] = {"atol": 1e-4, "rtol": 1e-3}


@pytest.fixture(autouse=True)
def _full_precision() -> None:
    """TensorFloat-32 keeps ten bits of a product: what is compared here is computed without it."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def rows(n: int = 24, dim: int = 5, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, dim, generator=generator(seed))


def begun(family: TaskFamily, device: str, **values: Any) -> tuple[MetricState, MetricSettings]:
    settings = MetricSettings(**{"batch": 8, "hidden": 16, "dim": 3, "device": device, **values})
    rng = generator()
    return EMBEDDER.begin(family, family.sample(10, rng=rng), settings, rng), settings


def test_auto_takes_cuda_and_it_has_a_name() -> None:
    assert chosen_device("auto").type == chosen_device("cuda").type == "cuda"
    assert chosen_device("cpu").type == "cpu"
    assert device_name(chosen_device("auto")) == torch.cuda.get_device_name()
    state, _settings = begun(Sinusoids(), "auto")
    assert {p.device.type for p in state.encoder.parameters()} == {"cuda"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("metric", METRICS)
def test_distances_agree_and_stay_on_the_device(metric: str, dtype: torch.dtype) -> None:
    x, y = rows().to(dtype), rows(30, seed=1).to(dtype)
    for formula in (
        lambda a, b: METRICS[metric].distance(a, b[:24]),
        lambda a, b: pairwise_distances(a, b, metric=metric),
        lambda a, _b: pairwise_distances(a, metric=metric),
    ):
        there = formula(x.cuda(), y.cuda())
        assert there.device.type == "cuda"
        assert there.dtype == dtype
        torch.testing.assert_close(there.cpu(), formula(x, y), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("metric", METRICS)
def test_losses_and_their_gradients_agree(metric: str) -> None:
    labels, similar = torch.arange(24) % 6, torch.arange(24) % 2
    other, third = rows(seed=1), rows(seed=2)

    def every_loss(x: torch.Tensor, device: str) -> list[torch.Tensor]:
        y, z, own, same = (t.to(device) for t in (other, third, labels, similar))
        return [
            contrastive_loss(x, y, same, metric=metric),
            contrastive_loss(x, y, same, metric=metric, squared=True),
            triplet_loss(x, y, z, metric=metric),
            pairwise_contrastive_loss(x, own, metric=metric),
            pairwise_contrastive_loss(x, own, metric=metric, mining="hard"),
            *(batch_triplet_loss(x, own, metric=metric, mining=mining) for mining in ("all", "hard", "semi-hard")),
            info_nce_loss(x, own, metric=metric),
            prototypical_loss(x, own, y, own, metric=metric),
        ]

    here, there = rows().requires_grad_(), rows().cuda().requires_grad_()
    for one, two in zip(every_loss(here, "cpu"), every_loss(there, "cuda"), strict=True):
        assert two.device.type == "cuda"
        torch.testing.assert_close(two.cpu(), one, atol=1e-4, rtol=1e-4)
        (slope,), (slope_there,) = torch.autograd.grad(one, here), torch.autograd.grad(two, there)
        torch.testing.assert_close(slope_there.cpu(), slope, **CLOSE)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_task_loss_agrees(loss: str) -> None:
    embeddings, settings = rows(16, 3), MetricSettings(loss=loss)
    torch.testing.assert_close(task_loss(embeddings.cuda(), settings).cpu(), task_loss(embeddings, settings), **CLOSE)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_one_step_agrees_with_the_cpus(family: TaskFamily) -> None:
    """The same draws, the same loss, the same gradients; weights within two of Adam's steps of each other."""
    (here, settings), (there, settings_there) = begun(family, "cpu"), begun(family, "cuda")
    for p, q in zip(here.encoder.parameters(), there.encoder.parameters(), strict=True):
        torch.testing.assert_close(q.cpu(), p, atol=0, rtol=0)
    torch.testing.assert_close(EMBEDDER.embed(there), EMBEDDER.embed(here), **CLOSE)
    here, record = EMBEDDER.step(here, settings)
    there, record_there = EMBEDDER.step(there, settings_there)
    assert record_there.loss.device.type == "cuda"
    torch.testing.assert_close(record_there.loss.cpu(), record.loss, **CLOSE)
    for p, q in zip(here.encoder.parameters(), there.encoder.parameters(), strict=True):
        assert p.grad is not None
        assert q.grad is not None
        torch.testing.assert_close(q.grad.cpu(), p.grad, atol=1e-3, rtol=1e-2)
        assert float((q.detach().cpu() - p.detach()).abs().max()) <= 2.01 * settings.learning_rate
    assert torch.equal(here.rng.get_state(), there.rng.get_state())


@pytest.mark.parametrize("loss", LOSSES)
def test_any_loss_steps_and_a_copy_goes_its_own_way(loss: str) -> None:
    state, settings = begun(Gaussians(), "cuda", loss=loss)
    state, _record = EMBEDDER.step(state, settings)
    twin = state.copy()
    kept = [p.detach().clone() for p in state.encoder.parameters()]
    twin, record = EMBEDDER.step(twin, settings)
    assert bool(record.loss.isfinite())
    assert {p.device.type for p in twin.encoder.parameters()} == {"cuda"}
    assert all(torch.equal(p, q) for p, q in zip(state.encoder.parameters(), kept, strict=True))
    assert not all(torch.equal(p, q) for p, q in zip(twin.encoder.parameters(), kept, strict=True))
    vectors = EMBEDDER.embed(twin)
    assert vectors.device.type == "cpu"
    assert bool(vectors.isfinite().all())


def test_a_session_on_cuda_watches_the_cpus_tasks_and_nearly_its_frames() -> None:
    here, there = small_session(), small_session(device="cuda")
    here.step(4)
    there.step(4)
    assert torch.equal(here.tasks.support_x, there.tasks.support_x)
    for mine, theirs in zip(here.history, there.history, strict=True):
        assert abs(theirs.embedding - mine.embedding).max() < 0.05
    twin = there.branch(at=0)
    assert twin.settings.device == "cuda"
    assert_same_frames(small_session(device="cpu"), here.branch(at=0))
    assert Session("metric", **{**SMALL, "device": "auto"}).step(1).step == 0


def test_tensors_on_two_devices_are_named() -> None:
    with pytest.raises(ValueError, match=r"y: got a tensor on cpu, expected one on cuda:0, like x"):
        METRICS["euclidean"].distance(rows().cuda(), rows())


def test_a_training_takes_the_device_by_its_name() -> None:
    learner = task_learner(Sinusoids(), hidden=4)
    tasks, start = Sinusoids().sample(3, rng=generator()), start_networks(learner, 3, generator())
    for name in ("auto", "cuda", "cuda:0", torch.device("cuda")):
        trained = train_tasks(learner, tasks, 1, start=start, device=name)
        assert {value.device.type for value in trained.parameters.values()} == {"cuda"}
    assert not train_tasks(learner, tasks, 1, start=start, device="cpu").losses.is_cuda
    with pytest.raises(ValueError, match="device: got 'gpu', expected one of auto, cpu, cuda"):
        train_tasks(learner, tasks, 1, start=start, device="gpu")


def test_a_list_mixes_a_row_on_cuda_with_numbers() -> None:
    there = METRICS["euclidean"].distance([rows().cuda()[0], [0.0] * 5], [[0.0] * 5, rows().cuda()[0]])
    assert there.is_cuda
    torch.testing.assert_close(there.cpu(), rows()[0].norm().expand(2), atol=1e-5, rtol=1e-5)
