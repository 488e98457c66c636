"""Transfer to new tasks: solvers see support sets alone, measures agree with scikit-learn's, and a leak is an error."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import f1_score
from torch import Tensor

from taskembed_edu import (
    CAVIA,
    MAML,
    MLP,
    Digits,
    Gaussians,
    NumberWords,
    OuterLoop,
    Sinusoids,
    SummaryEmbedder,
    TaskBatch,
    fit_generator,
    start_networks,
    task_learner,
    train_tasks,
)
from taskembed_edu.evaluation.solvers import (
    FromStart,
    Prototypes,
    Solution,
    Solver,
    generated,
    given_start,
    learned,
    nearest_network,
    random_start,
)
from taskembed_edu.evaluation.transfer import Transfer, macro_f1, measures, support_only, transfer
from taskembed_edu.formulas.losses import prototypical_loss
from taskembed_edu.networks.learners import Answers
from tests.runs import generator

SMALL = MLP(1, 1, (6,), activation="tanh")


def waves(n_tasks: int = 4, seed: int = 0) -> TaskBatch:
    return Sinusoids().sample(n_tasks, 5, rng=generator(seed))


def summaries(tasks: TaskBatch) -> Tensor:
    """The vectors of an embedder that learns nothing."""
    return SummaryEmbedder().fit(Sinusoids(), 0).embed(tasks)


class Spy(Solver):
    """Notes what it is shown, and answers 0."""

    answers: Answers = "numbers"

    def __init__(self) -> None:
        self.seen: list[TaskBatch] = []

    def solve(self, support: TaskBatch, steps: Sequence[int]) -> list[Solution]:
        self.seen.append(support)
        return [lambda x, y: torch.zeros_like(y) for _ in steps]


# ---- what a solver is given ------------------------------------------------------------------------------------------


def test_a_solver_sees_no_query_set_no_truth_and_no_name() -> None:
    spy, tasks = Spy(), waves()
    found = transfer({"spy": spy}, tasks, [0, 3])
    (shown,) = spy.seen
    assert shown.query_x.numel() == shown.query_y.numel() == 0
    assert shown.truth.isnan().all()
    assert not set(shown.names) & set(tasks.names)
    assert torch.equal(shown.support_x, tasks.support_x)
    torch.testing.assert_close(found.of("spy", "loss")[0], tasks.query_y.square().mean(dim=(1, 2)))


def test_a_known_task_among_the_new_ones_is_a_leak() -> None:
    known = waves(6)
    networks = start_networks(SMALL, 6, generator())
    solver = nearest_network(SMALL, summaries, known, networks)
    transfer({"nearest": solver}, waves(seed=1), [0])
    for leaked in (known[2:4], dataclasses.replace(known[2:4], truth=known[2:4].truth + 1)):
        with pytest.raises(ValueError, match=r"tasks: got .* expected tasks that no solver knows"):
            transfer({"nearest": solver}, leaked, [0])


def test_what_cannot_be_asked_is_said() -> None:
    with pytest.raises(ValueError, match=r"steps: got .* in order"):
        transfer({"spy": Spy()}, waves(), [3, 1])
    with pytest.raises(ValueError, match="solvers: got none"):
        transfer({}, waves(), [0])
    found = transfer({"spy": Spy()}, waves(), [0, 1])
    with pytest.raises(ValueError, match="step: got 7, expected one of 0, 1"):
        found.mean("spy", "loss", 7)
    with pytest.raises(ValueError, match="measure: got 'los'"):
        found.of("spy", "los")
    with pytest.raises(ValueError, match="labels of classes"):
        Prototypes(lambda x: x).solve(support_only(waves()), [0])
    with pytest.raises(ValueError, match="Did you mean 'output'"):
        transfer({"a": FromStart(SMALL, random_start(SMALL), adapted=("outputs",))}, waves(), [0])


# ---- solvers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [MAML(SMALL, 0.05, 1), CAVIA(SMALL, 0.5, 2)], ids=["maml", "cavia"])
def test_what_was_learned_solves_as_its_own_inner_loop_does(method: MAML) -> None:
    loop = OuterLoop(method, generator())
    loop.step(waves())
    tasks = waves(seed=1)
    found = transfer({"learned": learned(loop)}, tasks, [0, 1, 4]).of("learned", "loss")
    torch.testing.assert_close(found, method.losses_along(loop.start, tasks, (0, 1, 4)), atol=1e-6, rtol=1e-4)


def test_the_nearest_network_is_the_one_of_the_nearest_task() -> None:
    known, tasks = waves(6), waves(seed=1)
    networks = start_networks(SMALL, 6, generator(), shared=False)
    solver = nearest_network(SMALL, summaries, known, networks)
    found = transfer({"nearest": solver}, tasks, [0]).of("nearest", "loss")[0]
    for task in range(len(tasks)):
        gaps = [float((summaries(tasks)[task] - vector).norm()) for vector in summaries(known)]
        own = {name: value[int(np.argmin(gaps))] for name, value in networks.items()}
        torch.testing.assert_close(found[task], SMALL.loss(own, tasks.query_x[task], tasks.query_y[task]))


def test_a_generated_start_is_the_generators_network() -> None:
    known, tasks = waves(30), waves(seed=1)
    trained = train_tasks(SMALL, known, 20, start=start_networks(SMALL, 30, generator()), compiled="off", device="cpu")
    made = fit_generator(SMALL, trained.parameters, summaries(known), components=3, steps=20, rng=generator())
    found = transfer({"made": generated(SMALL, summaries, made)}, tasks, [0]).of("made", "loss")[0]
    networks = made.generate(summaries(tasks))
    torch.testing.assert_close(found, SMALL.losses(networks, tasks.query_x, tasks.query_y))


@pytest.mark.parametrize("metric", ["squared_euclidean", "euclidean"])
def test_prototypes_are_those_of_the_prototypical_loss(metric: str) -> None:
    tasks = Gaussians().sample(5, 3, rng=generator())
    found = transfer({"p": Prototypes(lambda x: 2 * x, metric)}, tasks, [0, 5])
    losses = [
        prototypical_loss(2 * each.episode.support_x, each.episode.support_y, 2 * each.episode.query_x,
                          each.episode.query_y, metric=metric)
        for each in tasks
    ]  # fmt: skip
    torch.testing.assert_close(found.of("p", "loss")[0], torch.stack(losses))
    assert torch.equal(*found.of("p", "accuracy"))


def test_prototypes_beat_chance_on_pictures_by_their_pixels() -> None:
    tasks = Digits().sample(20, 5, rng=generator())
    found = transfer({"pixels": Prototypes(lambda x: x.flatten(1))}, tasks, [0])
    assert found.mean("pixels", "accuracy", 0) > 0.8
    assert found.mean("pixels", "macro-F1", 0) > 0.8


def test_letters_are_counted() -> None:
    words = NumberWords().sample(2, 4, rng=generator())
    learner = task_learner(NumberWords(), hidden=16)
    solver = FromStart(learner, random_start(learner), 0.01, "adam")
    found = transfer({"gru": solver}, words, [0, 60])
    assert set(found.measured["gru"]) == {"loss", "letters right", "words right"}
    assert found.mean("gru", "letters right", 60) > found.mean("gru", "letters right", 0) + 0.2


def test_a_letter_and_a_whole_word_are_counted_as_a_loop_counts_them() -> None:
    words = NumberWords().sample(3, 2, rng=generator(), n_query=20)
    y, n_letters = words.query_y, len(NumberWords.alphabet)
    chosen = torch.where(torch.rand(y.shape, generator=generator(1)) < 0.95, y.clamp(min=0), 3)
    mask = torch.rand(y.shape[:2], generator=generator(2)) < 0.7
    found = measures("letters", 5.0 * torch.nn.functional.one_hot(chosen, n_letters), y, mask)
    for task in range(3):
        kept = [(c, w) for c, w, m in zip(chosen[task], y[task], mask[task], strict=True) if m]
        pairs = [[(int(a), int(b)) for a, b in zip(c, w, strict=True) if b >= 0] for c, w in kept]
        flat = [a == b for word in pairs for a, b in word]
        assert float(found["letters right"][task]) == pytest.approx(sum(flat) / len(flat))
        whole = [all(a == b for a, b in word) for word in pairs]
        assert float(found["words right"][task]) == pytest.approx(sum(whole) / len(whole))
        assert 0 < sum(whole) < len(whole)


def test_a_word_that_is_right_letter_by_letter_is_what_the_network_spells_alone() -> None:
    family = NumberWords(part=("es", "de"))
    tasks, learner = family.sample(2, 50, rng=generator()), task_learner(family, hidden=24)
    trained = train_tasks(learner, tasks, 120, start=start_networks(learner, 2, generator()), compiled="off")
    forced = learner.teacher_forced(trained.parameters, tasks.support_x, tasks.support_y)
    alone = learner.apply(trained.parameters, tasks.support_x).argmax(-1)
    there = tasks.support_y >= 0
    spelt = ((alone == tasks.support_y) | ~there).all(-1).float().mean(1)
    assert 0.1 < float(spelt.mean()) < 1
    torch.testing.assert_close(measures("letters", forced, tasks.support_y)["words right"], spelt)


# ---- measures --------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20))
def test_macro_f1_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    chosen, y = (torch.tensor(column)[None] for column in zip(*pairs, strict=True))
    mine = float(macro_f1(chosen, y, 4, torch.ones_like(y, dtype=torch.bool)))
    assert mine == pytest.approx(f1_score(y[0], chosen[0], average="macro"))


def test_what_is_masked_is_not_counted() -> None:
    logits, y = torch.eye(3)[None] * 9, torch.tensor([[0, 2, 2]])
    everything = measures("classes", logits, y)
    without = measures("classes", logits, y, torch.tensor([[True, False, True]]))
    assert float(everything["accuracy"]) == pytest.approx(2 / 3)
    assert float(without["accuracy"]) == 1.0
    assert float(without["macro-F1"]) == 1.0


def found_of(**columns: list[float]) -> Transfer:
    return Transfer((0,), {name: {"loss": torch.tensor([values])} for name, values in columns.items()})


def test_intervals_and_tests_are_scipys_and_repeat() -> None:
    drawn = torch.randn(2, 60, generator=generator()).tolist()
    found = found_of(one=drawn[0], other=[value + 0.5 for value in drawn[1]], same=drawn[0], still=[2.0] * 60)
    low, high = found.interval("one", "loss", 0)
    assert low < found.mean("one", "loss", 0) < high
    assert (low, high) == found.interval("one", "loss", 0)
    half = 1.96 * np.std(drawn[0]) / 60**0.5
    assert high - low == pytest.approx(2 * half, rel=0.15)
    assert found.interval("still", "loss", 0) == (2.0, 2.0)
    apart = (found.of("one", "loss")[0] - found.of("other", "loss")[0]).double().numpy()
    assert found.p_value("one", "other", "loss", 0) == pytest.approx(stats.wilcoxon(apart).pvalue)
    assert found.p_value("one", "same", "loss", 0) == 1.0
    assert found.table("loss").splitlines()[4] == "still    2.000"


@pytest.mark.gpu
def test_masks_go_where_the_networks_are() -> None:
    """The tasks are on the CPU, the networks on the device: what judges them follows them there."""
    tasks, networks = waves(), start_networks(SMALL, 4, generator())
    kept = torch.ones(tasks.query_x.shape[:2], dtype=torch.bool)
    kept[:, 0] = False
    masked = dataclasses.replace(tasks, query_mask=kept)

    def losses(device: str) -> Tensor:
        start = given_start({name: value.to(device) for name, value in networks.items()})
        return transfer({"theirs": FromStart(SMALL, start)}, masked, [0, 1]).of("theirs", "loss")

    torch.testing.assert_close(losses("cuda"), losses("cpu"), atol=1e-4, rtol=1e-3)
    assert not torch.equal(
        losses("cpu"), transfer({"a": FromStart(SMALL, given_start(networks))}, tasks).of("a", "loss")[:2]
    )
