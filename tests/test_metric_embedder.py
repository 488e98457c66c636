"""The metric-based embedder: deterministic, copyable, any loss with any distance, and it learns."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from taskembed_edu.embedders import (
    EMBEDDERS,
    MetricEmbedder,
    MetricSettings,
    MetricState,
    chosen_device,
    device_name,
    task_embedder,
)
from taskembed_edu.embedders.metric import active_share, task_loss
from taskembed_edu.evaluation.scores import recall_at_k
from taskembed_edu.formulas.distances import METRICS, pairwise_distances
from taskembed_edu.formulas.losses import LOSSES, batch_triplet_loss, contrastive_loss, info_nce_loss, prototypical_loss
from taskembed_edu.tasks import Digits, Gaussians, Sinusoids, TaskFamily
from tests.runs import generator

EMBEDDER = MetricEmbedder()
SMALL: dict[str, Any] = {"batch": 4, "hidden": 8, "dim": 3, "device": "cpu"}


def begun(family: TaskFamily | None = None, seed: int = 0, **values: Any) -> tuple[MetricState, MetricSettings]:
    family = Gaussians() if family is None else family
    settings = MetricSettings(**{**SMALL, **values})
    rng = generator(seed)
    return EMBEDDER.begin(family, family.sample(6, rng=rng), settings, rng), settings


def trained(state: MetricState, settings: MetricSettings, steps: int) -> list[float]:
    losses = []
    for _ in range(steps):
        state, record = EMBEDDER.step(state, settings)
        losses.append(float(record.loss))
    return losses


def everything(state: MetricState) -> list[torch.Tensor]:
    moments = [value for of in state.optimiser.state.values() for value in of.values()]
    return [t.clone() for t in (*state.encoder.state_dict().values(), *moments, state.rng.get_state())]


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("family", [Sinusoids(), Gaussians(), Digits()], ids=repr)
def test_a_seed_decides_the_run(family: TaskFamily) -> None:
    before = torch.random.get_rng_state()
    runs = []
    for seed in (0, 0, 1):
        state, settings = begun(family, seed)
        losses = trained(state, settings, 3)
        runs.append((losses, EMBEDDER.embed(state)))
        assert state.step == 3
    assert runs[0][0] == runs[1][0]
    assert torch.equal(runs[0][1], runs[1][1])
    assert runs[0][0] != runs[2][0]
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_copy_shares_nothing() -> None:
    state, settings = begun()
    trained(state, settings, 3)
    twin, kept = state.copy(), everything(state)
    assert equal(everything(twin), kept)
    trained(twin, settings, 3)
    assert equal(everything(state), kept)
    assert not equal(everything(twin), kept)
    assert (state.step, twin.step) == (3, 6)
    trained(state, settings, 3)
    assert equal(everything(state), everything(twin))


def test_a_copy_before_the_first_step() -> None:
    state, settings = begun()
    twin = state.copy()
    assert trained(twin, settings, 4) == trained(state, settings, 4)
    tensors = 3 * 4 * sum(p.numel() for p in state.encoder.parameters())
    assert tensors < state.n_bytes() < tensors + 64 * 1024  # and Python's own objects


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("loss", LOSSES)
def test_any_loss_with_any_distance_takes_a_step(loss: str, metric: str) -> None:
    state, settings = begun(loss=loss, metric=metric)
    kept = everything(state)
    losses = trained(state, settings, 2)
    assert all(torch.isfinite(torch.tensor(losses)))
    assert not equal(everything(state)[: len(kept) - 1], kept[:-1])
    assert bool(EMBEDDER.embed(state).isfinite().all())


@pytest.mark.parametrize(("loss", "mining"), [("triplet", "hard"), ("triplet", "semi-hard"), ("contrastive", "hard")])
def test_mining_takes_a_step(loss: str, mining: str) -> None:
    state, settings = begun(loss=loss, mining=mining)
    assert all(value >= 0 for value in trained(state, settings, 3))


def test_settings_may_change_between_steps() -> None:
    state, settings = begun()
    for changes in (
        {"margin": 3.0},
        {"metric": "cosine"},
        {"loss": "triplet", "mining": "semi-hard"},
        {"batch": 2},
        {"loss": "prototypical", "learning_rate": 1e-2},
        {"loss": "info_nce", "temperature": 0.5},
    ):
        settings = settings.changed(**changes)
        trained(state, settings, 1)
        assert {group["lr"] for group in state.optimiser.param_groups} == {settings.learning_rate}
    assert state.step == 6


def test_the_learning_rate_is_how_far_adams_first_step_goes() -> None:
    for rate in (1e-3, 1e-2):
        state, settings = begun(learning_rate=rate)
        before = torch.cat([p.detach().flatten().clone() for p in state.encoder.parameters()])
        trained(state, settings, 1)
        moved = torch.cat([p.detach().flatten() for p in state.encoder.parameters()]) - before
        assert float(moved.abs().max()) == pytest.approx(rate, rel=1e-3)


def test_a_batch_is_two_sets_of_each_task() -> None:
    """The loss of a step, put together by hand from the same draws."""
    state, settings = begun(loss="triplet", batch=5)
    twin = state.copy()
    truth = twin.family.draw_truth(5, twin.rng)
    x, y = twin.family.draw_samples(torch.cat((truth, truth)), twin.family.default_shot, twin.rng)
    assert not torch.equal(x[:5], x[5:])
    embeddings = twin.encoder(x, y)
    expected = batch_triplet_loss(embeddings, [0, 1, 2, 3, 4] * 2, margin=1.0, reduction="mean")
    assert trained(state, settings, 1) == [pytest.approx(float(expected.detach()), rel=1e-6)]


def test_each_loss_is_the_formula_of_its_name() -> None:
    embeddings = torch.randn(8, 3, generator=generator())
    labels = torch.arange(4).repeat(2)
    i, j = torch.triu_indices(8, 8, offset=1)
    similar = labels[i] == labels[j]

    def pairs(squared: bool) -> torch.Tensor:
        terms = contrastive_loss(
            embeddings[i], embeddings[j], similar.float(), 1.5, "manhattan", squared=squared, reduction="none"
        )
        return terms[similar].mean() + terms[~similar].mean()

    first, second = embeddings[:4], embeddings[4:]
    expected = {
        "contrastive": pairs(False),
        "contrastive_squared": pairs(True),
        "triplet": batch_triplet_loss(embeddings, labels, 1.5, "manhattan", reduction="mean"),
        "info_nce": info_nce_loss(embeddings, labels, temperature=0.3, metric="manhattan", reduction="mean"),
        "prototypical": prototypical_loss(first, labels[:4], second, labels[:4], metric="manhattan", reduction="mean"),
    }
    assert set(expected) == set(LOSSES)
    for loss, value in expected.items():
        settings = MetricSettings(loss=loss, metric="manhattan", margin=1.5, temperature=0.3)
        torch.testing.assert_close(task_loss(embeddings, settings), value)


def test_two_lines_fit_and_embed() -> None:
    family = Gaussians()
    fitted = EMBEDDER.fit(family, steps=3, settings=MetricSettings(**SMALL))
    tasks = family.sample(5, rng=generator(9))
    vectors = fitted.embed(tasks)
    assert vectors.shape == (5, 3)
    assert not vectors.requires_grad
    assert fitted.state.step == 3
    again = EMBEDDER.fit(family, steps=3, settings=MetricSettings(**SMALL), rng=generator(0))
    assert torch.equal(again.embed(tasks), vectors)
    other = EMBEDDER.fit(family, steps=3, settings=MetricSettings(**SMALL), rng=generator(1))
    assert not torch.equal(other.embed(tasks), vectors)


def test_embedding_changes_nothing_and_obeys_masks() -> None:
    state, _settings = begun()
    kept = everything(state)
    watched = EMBEDDER.embed(state)
    assert torch.equal(watched, EMBEDDER.embed(state, state.tasks))
    assert equal(everything(state), kept)
    mask = torch.ones(6, 16, dtype=torch.bool)
    mask[0, 4:] = False
    state.tasks = state.tasks.with_support(state.tasks.support_x, state.tasks.support_y)
    object.__setattr__(state.tasks, "support_mask", mask)
    masked = EMBEDDER.embed(state)
    assert (masked[0] - watched[0]).abs().max() > 1e-4
    torch.testing.assert_close(masked[1:], watched[1:])


def test_training_finds_tasks_again() -> None:
    """Recall@1 among 100 unseen sinusoids: 0.01 by chance. A wide band: numbers after training do not travel."""
    split = Sinusoids().split(generator())
    rng = generator(4)
    tasks = split.unseen.sample(100, rng=rng)
    again = split.unseen.redraw(tasks, rng)
    settings = MetricSettings(hidden=64, batch=32, learning_rate=3e-3, device="cpu")
    state = EMBEDDER.begin(split.train, tasks, settings, generator(1))

    def recall() -> float:
        return recall_at_k(EMBEDDER.embed(state, again), EMBEDDER.embed(state), ks=(1,))[1]

    start = recall()
    losses = trained(state, settings, 300)
    assert sum(losses[-20:]) < 0.7 * sum(losses[:20])
    assert recall() > max(0.35, start + 0.15)


def test_divergence_is_named_before_it_spreads() -> None:
    state, settings = begun(learning_rate=0.05)
    trained(state, settings, 2)
    with torch.no_grad():
        next(state.encoder.rho.parameters()).fill_(torch.nan)
    with pytest.raises(
        FloatingPointError, match=r"embedding: got NaN or infinite after step 2.*Lower the learning rate \(0.05"
    ):
        EMBEDDER.step(state, settings)
    assert state.step == 2


def test_devices_by_name() -> None:
    assert chosen_device("cpu") == torch.device("cpu")
    assert chosen_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert device_name(torch.device("cpu")).startswith("CPU, ")
    with pytest.raises(ValueError, match="device: got 'gpu', expected one of auto, cpu, cuda"):
        chosen_device("gpu")


def test_cuda_asked_for_and_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == torch.device("cpu")
    with pytest.raises(RuntimeError, match=r"device: got 'cuda', expected a machine with a CUDA device.*device='auto'"):
        begun(device="cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chosen_device("auto").type == chosen_device("cuda").type == "cuda"
    assert chosen_device("cpu").type == "cpu"


def test_embedders_by_name() -> None:
    assert isinstance(task_embedder("metric"), MetricEmbedder)
    assert EMBEDDERS["metric"] is MetricEmbedder
    with pytest.raises(ValueError, match=r"embedder: got 'metrics'.*Did you mean 'metric'"):
        task_embedder("metrics")


def test_the_watched_distances_follow_training() -> None:
    """The contrastive loss pulls two sets of one task closer than two tasks are."""
    state, settings = begun(batch=16, hidden=32, learning_rate=1e-2)
    trained(state, settings, 80)
    again = EMBEDDER.embed(state, state.family.redraw(state.tasks, generator(3)))
    distances = pairwise_distances(EMBEDDER.embed(state), again)
    off = distances[~torch.eye(6, dtype=torch.bool)]
    assert float(distances.diagonal().mean()) < 0.6 * float(off.mean())


# ---- who still pushes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("loss", ["contrastive", "contrastive_squared", "triplet"])
@pytest.mark.parametrize("margin", [0.0, 0.7, 2.0])
def test_active_pairs_are_a_plain_loop(metric: str, loss: str, margin: float) -> None:
    vectors = torch.randn(10, 3, generator=generator())
    d = pairwise_distances(vectors, metric=metric).tolist()
    settings = MetricSettings(loss=loss, metric=metric, margin=margin)
    if loss == "triplet":
        told = [d[a][(a + 5) % 10] - d[a][n] + margin > 0 for a in range(10) for n in range(10) if a % 5 != n % 5]
    else:
        told = [d[i][j] < margin for i in range(10) for j in range(i) if i % 5 != j % 5]
    assert float(active_share(vectors, settings)) == pytest.approx(sum(told) / len(told))
    assert float(active_share(vectors, settings.changed(mining="hard"))) == pytest.approx(sum(told) / len(told))


def test_active_pairs_by_hand_and_where_there_is_no_margin() -> None:
    sets = torch.tensor([[0.0], [1.2], [0.5], [3.0]])  # first sets, then second sets, of two tasks
    assert float(active_share(sets, MetricSettings(margin=1.0))) == 0.25
    for loss in ("info_nce", "prototypical"):
        assert active_share(sets, MetricSettings(loss=loss)).isnan()


def test_embedding_in_blocks_is_embedding_at_once() -> None:
    state, _settings = begun()
    tasks = state.family.sample(300, rng=generator())
    at_once = state.encoder(tasks.support_x, tasks.support_y).detach()
    torch.testing.assert_close(MetricEmbedder().embed(state, tasks), at_once, atol=1e-6, rtol=1e-5)


def test_plain_features_are_the_settings() -> None:
    state, settings = begun(features="plain")
    assert state.encoder.phi[0].in_features == state.family.x_shape[0] + state.family.n_way
    trained(state, settings, 3)
