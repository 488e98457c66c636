"""The Fisher embedder: per-sample gradients against plain loops and closed forms, repeatable, copyable, and it runs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from taskembed_edu import FisherEmbedder, Session
from taskembed_edu.embedders import FisherSettings, FisherState, probing, task_embedder
from taskembed_edu.embedders.probing import (
    RIDGE,
    Rows,
    averaged,
    diagonal_fisher,
    head_losses,
    own_fisher,
    refitted_heads,
    rows_of,
)
from taskembed_edu.networks.learners import MLP, Learner, Parameters, layer_of
from taskembed_edu.networks.recurrent import GRU, LSTM
from taskembed_edu.tasks import Digits, Gaussians, NumberWords, Sinusoids, TaskBatch, TaskFamily
from tests.runs import generator

EMBEDDER = FisherEmbedder()
FAMILIES = [Sinusoids(), Gaussians(), Digits(), NumberWords()]
SMALL: dict[str, Any] = {"batch": 4, "hidden": 8, "device": "cpu"}


def named(family: TaskFamily) -> str:
    return family.name


def begun(family: TaskFamily, n_tasks: int = 5, **values: Any) -> tuple[FisherState, FisherSettings]:
    settings, rng = FisherSettings(**{**SMALL, **values}), generator()
    return EMBEDDER.begin(family, family.sample(n_tasks, n_shot=4, rng=rng), settings, rng), settings


def body_of(state: FisherState) -> Parameters:
    return {name: value.detach() for name, value in state.body.items()}


def heads_of(state: FisherState, tasks: TaskBatch) -> Tensor:
    rows = rows_of(state.learner, body_of(state), tasks.support_x, tasks.support_y, tasks.support_mask)
    return refitted_heads(state.learner, rows)


def log_likelihood(learner: Learner, body: Parameters, head: Tensor, x: Tensor, label: Tensor, y: Tensor) -> Tensor:
    """log p(label|x) of one sample, written down once more and without any stack."""
    parameters = {**body, "output.weight": head[:-1], "output.bias": head[-1:]}
    if isinstance(learner, GRU | LSTM):
        logits = learner.teacher_forced(parameters, x[None], y[None])[0].log_softmax(-1)
        total: Tensor = sum((logits[t, label[t]] for t in range(len(y)) if y[t] >= 0), torch.zeros(()))
        return total
    answer = learner.apply(parameters, x[None])[0]
    if isinstance(learner, MLP) and not learner.classification:
        return -(label - answer).square().sum() / 2
    return answer.log_softmax(-1)[label]


def by_loop(state: FisherState, heads: Tensor, tasks: TaskBatch, labels: Tensor, weights: Tensor) -> Parameters:
    """Every task, every sample, every label (labels, n_tasks, n, ...): one call of autograd each, squared, added up."""
    body = {name: value.clone().requires_grad_() for name, value in body_of(state).items()}
    fisher = {name: torch.zeros(len(tasks), *value.shape) for name, value in body.items()}
    for i, head in enumerate(heads):
        y = tasks.support_y[i]
        count = (y >= 0).sum() if isinstance(state.learner, GRU | LSTM) else len(y)
        for j, x in enumerate(tasks.support_x[i]):
            for label, weight in zip(labels[:, i, j], weights[:, i, j], strict=True):
                value = log_likelihood(state.learner, body, head, x, label, y[j])
                for name, slope in zip(body, torch.autograd.grad(value, list(body.values())), strict=True):
                    fisher[name][i] += weight * slope.square() / count
    return fisher


def drawn(state: FisherState, heads: Tensor, tasks: TaskBatch, draws: int, seed: int) -> tuple[Tensor, Tensor]:
    """The labels that `diagonal_fisher` draws, once more, from each task's own predictions."""
    rng, learner = generator(seed), state.learner
    answers = []
    for head, xs, ys in zip(heads, tasks.support_x, tasks.support_y, strict=True):
        parameters = {**body_of(state), "output.weight": head[:-1], "output.bias": head[-1:]}
        if isinstance(learner, GRU | LSTM):
            answers.append(learner.teacher_forced(parameters, xs, ys))
        else:
            answers.append(learner.apply(parameters, xs))
    predicted = torch.stack(answers)
    weights = torch.full((draws, *predicted.shape[:2]), 1 / draws)
    if isinstance(learner, MLP) and not learner.classification:
        return predicted + torch.randn(draws, 1, *predicted.shape[1:], generator=rng), weights
    chances = torch.rand(draws, 1, *predicted.shape[1:-1], generator=rng)
    return (predicted.softmax(-1).cumsum(-1) <= chances.unsqueeze(-1)).sum(-1), weights


def close(one: Parameters, other: Parameters) -> None:
    assert list(one) == list(other)
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=1e-6, rtol=1e-4)


# ---- the formula ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "learner"),
    [*((family, "auto") for family in FAMILIES), (NumberWords(), "lstm"), (Digits(), "mlp")],
    ids=lambda value: getattr(value, "name", value),
)
def test_per_sample_gradients_are_a_plain_loop(family: TaskFamily, learner: str) -> None:
    state, _settings = begun(family, n_tasks=2, learner=learner)
    tasks = state.tasks
    heads = heads_of(state, tasks)
    draws = 1 if family.name == "number_words" else 2
    labels, weights = drawn(state, heads, tasks, draws, seed=3)
    vectorised = diagonal_fisher(
        state.learner, body_of(state), heads, tasks.support_x, tasks.support_y, draws=draws, seed=3
    )
    close(vectorised, by_loop(state, heads, tasks, labels, weights))


@pytest.mark.parametrize("family", FAMILIES[:3], ids=named)
def test_expected_labels_are_a_plain_loop_over_all_of_them(family: TaskFamily) -> None:
    state, _settings = begun(family, n_tasks=2)
    tasks = state.tasks
    heads = heads_of(state, tasks)
    rows = rows_of(state.learner, body_of(state), tasks.support_x, tasks.support_y)
    answers = rows.features @ heads
    if family.classification:
        labels = torch.arange(family.n_way).view(-1, 1, 1).expand(-1, *answers.shape[:2])
        weights = answers.softmax(-1).movedim(-1, 0)
    else:
        labels, weights = answers.unsqueeze(0) + 1, torch.ones(1, *answers.shape[:2])
    vectorised = diagonal_fisher(
        state.learner, body_of(state), heads, tasks.support_x, tasks.support_y, labels="expected"
    )
    close(vectorised, by_loop(state, heads, tasks, labels, weights))


def linear(classification: bool, w: Tensor, v: Tensor, x: Tensor) -> Parameters:
    """The Fisher information of h = x w under a head v: a network of one linear unit, whose closed form is known."""
    learner = MLP(n_in=len(w), n_out=v.shape[-1], hidden=(1,), classification=classification)
    body = {"hidden_1.weight": w[:, None], "hidden_1.bias": torch.full((1, 1), 10.0)}  # far from the ReLU's corner
    head = torch.cat((v[None], torch.zeros(1, v.shape[-1])))[None]
    y = torch.zeros(1, len(x), dtype=torch.long) if classification else torch.zeros(1, len(x), 1)
    return diagonal_fisher(learner, body, head, x[None], y, labels="expected")


def test_a_linear_model_has_its_closed_form() -> None:
    r"""y ~ N(v (x w + 10), 1): F_w = v^2 mean x^2, whatever w."""
    x = torch.randn(7, 3, generator=generator())
    fisher = linear(False, torch.tensor([0.1, -0.2, 0.3]), torch.tensor([1.7]), x)
    torch.testing.assert_close(fisher["hidden_1.weight"][0, :, 0], 1.7**2 * x.square().mean(0))
    assert float(fisher["hidden_1.bias"]) == pytest.approx(1.7**2)


def test_a_logistic_model_has_its_closed_form() -> None:
    r"""Two classes with logits 0 and v h: F_w = v^2 mean p (1 - p) x^2."""
    x, w = torch.randn(7, 3, generator=generator()), torch.tensor([0.1, -0.2, 0.3])
    fisher = linear(True, w, torch.tensor([0.0, 0.2]), x)
    p = torch.sigmoid(0.2 * (x @ w + 10))
    expected = 0.2**2 * ((p * (1 - p))[:, None] * x.square()).mean(0)
    torch.testing.assert_close(fisher["hidden_1.weight"][0, :, 0], expected)


def test_the_worked_number() -> None:
    """sigmoid(w x) at w = 0, x = 2: F = 4 * 1/4. The head's weight of 1 stands for it, the bias keeps p at 1/2."""
    learner = MLP(n_in=1, n_out=2, hidden=(1,), classification=True)
    body = {"hidden_1.weight": torch.zeros(1, 1), "hidden_1.bias": torch.ones(1, 1)}
    head = torch.tensor([[[0.0, 1.0], [0.0, -1.0]]])
    x, y = torch.full((1, 1, 1), 2.0), torch.zeros(1, 1, dtype=torch.long)
    fisher = diagonal_fisher(learner, body, head, x, y, labels="expected")
    assert float(fisher["hidden_1.weight"]) == pytest.approx(1.0)


@pytest.mark.parametrize("family", FAMILIES[:3], ids=named)
def test_drawn_labels_agree_with_the_expectation_in_the_mean(family: TaskFamily) -> None:
    state, _settings = begun(family, n_tasks=2)
    given = (state.learner, body_of(state), heads_of(state, state.tasks))
    x, y = state.tasks.support_x, state.tasks.support_y
    expected = averaged(diagonal_fisher(*given, x, y, labels="expected"))
    few = averaged(diagonal_fisher(*given, x, y, draws=5, seed=1))
    # Every sample a hundred times, each of which draws its own labels.
    hundred = (part.repeat_interleave(100, dim=1) for part in (x, y))
    many = averaged(diagonal_fisher(*given, *hundred, draws=20, seed=1))

    def off(vectors: Tensor) -> float:
        return float((vectors - expected).norm() / expected.norm())

    assert off(many) < 0.05
    assert off(many) < off(few) < 2


def test_one_gradient_a_word_gives_the_mean_over_letters() -> None:
    """The words' Fisher information in the mean of many draws, against the sum over all letters of the alphabet."""
    learner = GRU(n_letters=3, length=2, hidden=2)
    rng = generator()
    drawn = learner.init(rng)
    body = {name: 2 * value for name, value in drawn.items() if layer_of(name) != "output"}
    heads = torch.randn(1, 3, 3, generator=rng)
    x, y = torch.tensor([[[1, 2], [0, 7]]]), torch.tensor([[[0, 2], [2, -1]]])
    free = {name: value.clone().requires_grad_() for name, value in body.items()}
    expected = {name: torch.zeros_like(value) for name, value in body.items()}
    parameters = {**free, "output.weight": heads[0, :-1], "output.bias": heads[0, -1:]}
    likely = learner.teacher_forced(parameters, x[0], y[0]).log_softmax(-1)
    for of_letter in likely[y[0] >= 0].unbind():
        for value in of_letter.unbind():
            for name, slope in zip(
                free, torch.autograd.grad(value, list(free.values()), retain_graph=True), strict=True
            ):
                expected[name] += float(value.detach().exp()) * slope.square() / 3
    many = diagonal_fisher(learner, body, heads, x.repeat(1, 1000, 1), y.repeat(1, 1000, 1), draws=4, seed=1)
    one, other = averaged({n: v[None] for n, v in expected.items()}, "weight"), averaged(many, "weight")
    assert float((other - one).norm() / one.norm()) < 0.06


def test_it_is_not_the_square_of_the_mean_gradient() -> None:
    state, _settings = begun(Gaussians(), n_tasks=2)
    tasks, heads = state.tasks, heads_of(state, state.tasks)
    labels, weights = drawn(state, heads, tasks, 1, seed=0)
    right = by_loop(state, heads, tasks, labels, weights)["hidden_2.weight"]
    body = {name: value.clone().requires_grad_() for name, value in body_of(state).items()}
    for i, head in enumerate(heads):
        mean = torch.stack(
            [
                log_likelihood(state.learner, body, head, x, labels[0, i, j], tasks.support_y[i, j])
                for j, x in enumerate(tasks.support_x[i])
            ]
        ).mean()
        (slope,) = torch.autograd.grad(mean, body["hidden_2.weight"])
        assert float(slope.square().sum()) < 0.5 * float(right[i].sum())


def test_masked_samples_do_not_count() -> None:
    for family in FAMILIES:
        state, _settings = begun(family, n_tasks=3)
        tasks = state.tasks
        x, y = (torch.cat((part, part[:, :2]), dim=1) for part in (tasks.support_x, tasks.support_y))
        mask = torch.arange(x.shape[1]).expand(3, -1) < tasks.support_x.shape[1]
        masked = dataclasses.replace(tasks, support_x=x, support_y=y, support_mask=mask)
        given = (state.learner, body_of(state))
        plain = refitted_heads(state.learner, rows_of(*given, tasks.support_x, tasks.support_y))
        heads = refitted_heads(state.learner, rows_of(*given, x, y, mask))
        torch.testing.assert_close(heads, plain, atol=1e-4, rtol=1e-3)
        if family.name != "number_words":
            one = diagonal_fisher(*given, plain, tasks.support_x, tasks.support_y, labels="expected")
            close(diagonal_fisher(*given, plain, x, y, mask, labels="expected"), one)
        vectors = EMBEDDER.embed(state, masked)
        assert vectors.shape == EMBEDDER.embed(state).shape
        assert bool(vectors.isfinite().all())


@pytest.mark.parametrize("family", FAMILIES, ids=named)
def test_networks_of_the_tasks_own_agree_where_they_are_one(
    family: TaskFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, _settings = begun(family, n_tasks=3)
    x, y, heads = state.tasks.support_x, state.tasks.support_y, heads_of(state, state.tasks)
    labels: dict[str, Any] = {"draws": 4} if family.name == "number_words" else {"labels": "expected"}
    expected = diagonal_fisher(state.learner, body_of(state), heads, x, y, **labels)
    body = {name: value.expand(3, *value.shape) for name, value in body_of(state).items()}
    stacked = {**body, "output.weight": heads[:, :-1], "output.bias": heads[:, -1:]}
    whole = own_fisher(state.learner, stacked, x, y)
    close({name: whole[name] for name in expected}, expected)
    assert list(whole) == list(state.learner.shapes())
    assert whole["output.weight"].shape == heads[:, :-1].shape
    monkeypatch.setattr(probing, "BLOCK", 1)
    close(own_fisher(state.learner, stacked, x, y), whole)


# ---- heads ---------------------------------------------------------------------------------------------------------


def test_a_regression_head_is_ridge_regression() -> None:
    state, _settings = begun(Sinusoids())
    rows = rows_of(state.learner, body_of(state), state.tasks.support_x, state.tasks.support_y)
    heads = refitted_heads(state.learner, rows).double()
    for head, features, y in zip(heads, rows.features.double(), rows.y.double(), strict=True):
        slope = features.T @ (features @ head - y) / len(y) + RIDGE * head
        assert float(slope.abs().max()) < 1e-4
    assert bool((rows.features[..., -1] == 1).all())


@pytest.mark.parametrize("family", [Gaussians(), Digits(), NumberWords()], ids=named)
def test_a_classifiers_head_goes_down(family: TaskFamily, monkeypatch: pytest.MonkeyPatch) -> None:
    state, _settings = begun(family)
    rows = rows_of(state.learner, body_of(state), state.tasks.support_x, state.tasks.support_y)
    losses = []
    for steps in (0, 20, 400):
        monkeypatch.setattr("taskembed_edu.embedders.probing.HEAD_STEPS", steps)
        losses.append(head_losses(state.learner, refitted_heads(state.learner, rows), rows))
    assert bool((losses[1] < losses[0]).all())
    assert bool((losses[2] < losses[1]).all())


def test_rows_of_words_are_their_letters() -> None:
    state, _settings = begun(NumberWords())
    tasks = state.tasks
    rows = rows_of(state.learner, body_of(state), tasks.support_x, tasks.support_y)
    assert isinstance(rows, Rows)
    for y, there, letters in zip(rows.y, rows.there, tasks.support_y, strict=True):
        assert torch.equal(y[there], letters[letters >= 0])
    assert rows.features.shape[1] == int((tasks.support_y >= 0).sum((1, 2)).max())


# ---- the embedder --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES, ids=named)
@pytest.mark.parametrize("average", ["filter", "weight"])
def test_embedding_is_repeatable_and_independent_of_the_block(
    family: TaskFamily, average: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, settings = begun(family, average=average)
    state, _record = EMBEDDER.step(state, settings)
    kept, before = state.rng.get_state(), torch.random.get_rng_state()
    vectors = EMBEDDER.embed(state)
    assert torch.equal(EMBEDDER.embed(state), vectors)
    assert torch.equal(state.rng.get_state(), kept)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert bool((vectors >= 0).all())
    assert bool((vectors.sum(1) > 0).all())
    torch.testing.assert_close(EMBEDDER.embed(state, state.tasks[1:3]), vectors[1:3], atol=1e-6, rtol=1e-4)
    monkeypatch.setattr(probing, "BLOCK", 1)
    torch.testing.assert_close(EMBEDDER.embed(state), vectors, atol=1e-6, rtol=1e-4)


def test_mirrored_curves_and_renamed_classes_have_the_same_vectors() -> None:
    for family in FAMILIES[:2]:
        state, _settings = begun(family, labels="expected")
        tasks = state.tasks
        other = tasks.with_support(tasks.support_x, 1 - tasks.support_y if family.classification else -tasks.support_y)
        torch.testing.assert_close(EMBEDDER.embed(state, other), EMBEDDER.embed(state), atol=1e-6, rtol=1e-4)


def test_a_filter_is_the_mean_of_its_weights() -> None:
    one, other = begun(Digits(), average="filter")[0], begun(Digits(), average="weight")[0]
    by_filter, by_weight = EMBEDDER.embed(one), EMBEDDER.embed(other)
    shapes = [shape for name, shape in one.learner.shapes().items() if layer_of(name) != "output"]
    parts = by_weight.split([a * b for a, b in shapes], dim=1)
    expected = [part.unflatten(1, shape).mean(1) for part, shape in zip(parts, shapes, strict=True) if shape[0] > 1]
    torch.testing.assert_close(by_filter, torch.cat(expected, dim=1))


def everything(state: FisherState) -> list[Tensor]:
    moments = [value for of in state.optimiser.state.values() for value in of.values()]
    return [t.detach().clone() for t in (*state.body.values(), *moments, state.rng.get_state())]


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("family", FAMILIES, ids=named)
def test_a_copy_shares_nothing_and_goes_the_same_way(family: TaskFamily) -> None:
    state, settings = begun(family)
    twin = state.copy()
    for run in (state, twin):
        EMBEDDER.step(run, settings)
    assert equal(everything(state), everything(twin))
    twin, kept = state.copy(), everything(state)
    EMBEDDER.step(twin, settings.changed(learning_rate=1e-2))
    assert equal(everything(state), kept)
    assert not equal(everything(twin), kept)
    assert (state.step, twin.step) == (1, 2)
    assert torch.equal(EMBEDDER.embed(state), EMBEDDER.embed(state.copy()))
    assert 12 * sum(value.numel() for value in state.body.values()) < state.n_bytes() < 1024**2


@pytest.mark.parametrize("family", FAMILIES[:2], ids=named)
def test_training_teaches_the_body(family: TaskFamily) -> None:
    """A wide band: numbers after training do not travel."""
    state, settings = begun(family, batch=8, hidden=16, learning_rate=1e-2)
    losses = [float(EMBEDDER.step(state, settings)[1].loss) for _ in range(40)]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_a_batch_is_no_larger_than_the_languages() -> None:
    family = NumberWords(part=("es", "fi", "de"))
    state, settings = begun(family, n_tasks=3, batch=64)
    state, record = EMBEDDER.step(state, settings)
    assert state.step == 1
    assert bool(record.loss.isfinite())


@pytest.mark.parametrize("family", ["sinusoids", "gaussians", "digits"])
def test_a_session_watches_it(family: str) -> None:
    values: dict[str, Any] = {"family": family, "n_tasks": 20, "projection": "pca", "device": "cpu"}
    session = Session("fisher", **values, hidden=8, batch=4)
    frame = session.step(20)
    assert (len(session.history), frame.step) == (3, 20)
    assert -1 <= frame.diagnostics["spearman"] <= 1
    assert not (frame.embedding == session.history[0].embedding).all()
    twin = Session.replay(session.recording())
    assert (twin.frame.embedding == frame.embedding).all()
    branch = session.branch(at=1)
    assert (branch.step(10).embedding == frame.embedding).all()


def test_errors_name_what_came() -> None:
    with pytest.raises(ValueError, match=r"labels: got 'expected', expected 'drawn' for tasks whose answers are words"):
        begun(NumberWords(), labels="expected")
    with pytest.raises(ValueError, match="learner: got gru, expected one of mlp"):
        begun(Sinusoids(), learner="gru")
    with pytest.raises(ValueError, match="average: got 'row'"):
        averaged({"hidden_1.weight": torch.ones(1, 2, 3)}, "row")
    state, settings = begun(Gaussians())
    with torch.no_grad():
        state.body["hidden_1.weight"].fill_(torch.nan)
    with pytest.raises(FloatingPointError, match=r"loss: got nan after step 0.*Lower the learning rate \(0.003"):
        EMBEDDER.step(state, settings)
    assert isinstance(task_embedder("fisher"), FisherEmbedder)


# ---- on CUDA -------------------------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.parametrize("family", FAMILIES, ids=named)
def test_cuda_agrees_with_the_cpu(family: TaskFamily) -> None:
    """Drawn labels agree but for a chance that lies within rounding of a boundary: expected ones are compared."""
    torch.backends.cuda.matmul.allow_tf32 = False
    labels = "drawn" if family.name == "number_words" else "expected"
    (here, settings), (there, _settings) = (begun(family, device=device, labels=labels) for device in ("cpu", "cuda"))
    assert there.device.type == "cuda"
    one, other = EMBEDDER.embed(here), EMBEDDER.embed(there)
    assert other.device.type == "cpu"
    if labels == "expected":
        torch.testing.assert_close(other, one, atol=1e-4, rtol=1e-2)
    else:
        assert float((other - one).norm() / one.norm()) < 0.05
    here, record = EMBEDDER.step(here, settings)
    there, record_there = EMBEDDER.step(there, settings)
    torch.testing.assert_close(record_there.loss.cpu(), record.loss, atol=1e-4, rtol=1e-3)
    assert torch.equal(here.rng.get_state(), there.rng.get_state())
    assert {value.device.type for value in there.copy().body.values()} == {"cuda"}
