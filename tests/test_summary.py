"""The summary embedder: its statistics against numpy, and a run that learns nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu import Session
from taskembed_edu.embedders import SummaryEmbedder, SummarySettings, SummaryState, task_embedder
from taskembed_edu.embedders.summary import summary
from taskembed_edu.tasks import Digits, Gaussians, NumberWords, Sinusoids, TaskBatch, TaskFamily
from taskembed_edu.tasks.number_words import decode
from tests.runs import generator

EMBEDDER = SummaryEmbedder()
FAMILIES = [Sinusoids(), Gaussians(), Digits(), NumberWords()]


def begun(family: TaskFamily, **values: Any) -> SummaryState:
    rng = generator()
    return EMBEDDER.begin(family, family.sample(6, rng=rng), SummarySettings(**values), rng)


def padded(tasks: TaskBatch, n: int = 3) -> TaskBatch:
    """The same tasks with n samples of nonsense behind the real ones."""
    x, y = (torch.cat((t, 7 * torch.ones_like(t[:, :n])), dim=1) for t in (tasks.support_x, tasks.support_y))
    mask = torch.arange(x.shape[1]).expand(len(tasks), -1) < x.shape[1] - n
    return dataclasses.replace(tasks, support_x=x, support_y=y, support_mask=mask)


def test_numbers_against_numpy() -> None:
    tasks = Sinusoids().sample(5, rng=generator())
    rows = summary(Sinusoids(), tasks).numpy()
    assert rows.shape == (5, 10)
    for row, support_x, support_y in zip(rows, tasks.support_x, tasks.support_y, strict=True):
        x, y = support_x[:, 0].double().numpy(), support_y[:, 0].double().numpy()
        above = y[np.argsort(x)] > 0
        cubic = np.polynomial.polynomial.polyfit(x, y, 3)
        expected = [y.mean(), y.std(), y.min(), y.max(), np.corrcoef(x, y)[0, 1], np.mean(above[1:] != above[:-1])]
        np.testing.assert_allclose(row, [*expected, *cubic], atol=1e-8)


def test_classes_against_a_loop() -> None:
    family = Gaussians(n_way=3)
    tasks = family.sample(4, rng=generator())
    rows = summary(family, tasks)
    for i, row in enumerate(rows):
        x, y = tasks.support_x[i].double(), tasks.support_y[i]
        means = torch.cat([x[y == k].mean(0) for k in range(3)]).view(3, -1)
        spreads = torch.stack([x[y == k].std(0, correction=0) for k in range(3)])
        torch.testing.assert_close(row, torch.cat((means, spreads), dim=1).flatten())
    assert summary(Digits(), Digits().sample(2, rng=generator())).shape == (2, 384)


def test_letters_against_a_count() -> None:
    family = NumberWords()
    tasks = family.sample(3, rng=generator())
    for row, y in zip(summary(family, tasks), tasks.support_y, strict=True):
        words = [decode(word) for word in y]
        text = "".join(words)
        expected = [text.count(letter) / len(text) for letter in family.alphabet[:-1]]
        assert row.tolist() == pytest.approx([*expected, len(text) / len(words)])


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_padding_does_not_count(family: TaskFamily) -> None:
    tasks = family.sample(4, rng=generator())
    torch.testing.assert_close(summary(family, padded(tasks)), summary(family, tasks))


def test_few_points_and_flat_curves_have_finite_statistics() -> None:
    family = Sinusoids(amplitude=(0.0, 1e-30))
    assert bool(summary(family, family.sample(3, n_shot=1, rng=generator())).isfinite().all())
    assert bool(summary(family, family.sample(3, rng=generator())).isfinite().all())


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_statistics_are_standardised_over_training_tasks(family: TaskFamily) -> None:
    state, plain = begun(family), begun(family, standardise="no")
    tasks = family.sample(min(200, family.n_distinct or 200), rng=generator(1))
    vectors = EMBEDDER.embed(state, tasks)
    assert vectors.dtype == torch.float32
    # The median: some pixels and letters are so rare that other tasks have more of them by far.
    varying = vectors.std(0) > 1e-6
    assert float(vectors.mean(0).abs().median()) < 0.2
    assert float((vectors.std(0)[varying] - 1).abs().median()) < 0.2
    torch.testing.assert_close(EMBEDDER.embed(plain, tasks), summary(family, tasks).float())


def test_a_step_counts_and_a_copy_shares_nothing() -> None:
    state = begun(Gaussians())
    before, vectors = state.copy(), EMBEDDER.embed(state)
    state, record = EMBEDDER.step(state, SummarySettings())
    assert (state.step, before.step, float(record.loss)) == (1, 0, 0.0)
    assert not record.readings  # it has no pairs, and nothing to report but a loss of zero
    assert torch.equal(EMBEDDER.embed(state), vectors)
    torch.rand(1, generator=before.rng)
    assert torch.equal(EMBEDDER.embed(state), vectors)
    assert not torch.equal(before.rng.get_state(), state.rng.get_state())
    assert state.n_bytes() < 64 * 1024


@pytest.mark.parametrize("family", ["sinusoids", "gaussians", "digits"])
def test_a_session_watches_it(family: str) -> None:
    session = Session("summary", family=family, n_tasks=20, projection="pca")
    frame = session.step(20)
    assert (frame.step, frame.loss) == (20, 0.0)
    assert (frame.embedding == session.history[0].embedding).all()
    assert frame.diagnostics["spearman"] > 0.15
    session.set(metric="cosine")
    twin = Session.replay(session.recording())
    assert (twin.frame.embedding == session.frame.embedding).all()


def test_it_has_a_name() -> None:
    assert isinstance(task_embedder("summary"), SummaryEmbedder)
