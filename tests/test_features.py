"""Features learned by episodes and by classes: against a prototypical network, plain loops, and what is no argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from taskembed_edu import MLP, Digits, Gaussians, OuterLoop, PrototypicalNetwork, Sinusoids, transfer
from taskembed_edu.adaptation.features import ClassTraining, EpisodeTraining, FeatureTraining
from taskembed_edu.evaluation.solvers import Prototypes
from taskembed_edu.networks.conv_blocks import conv_blocks
from taskembed_edu.networks.encoders import init_weights
from tests.runs import generator

POINTS = Gaussians()


def tanh_network(seed: int = 0) -> nn.Sequential:
    return init_weights(lambda: nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 4)), generator(seed))


def small_blocks(seed: int = 0) -> Any:
    return conv_blocks(generator(seed), (1, 8, 8), (4, 4))


@pytest.mark.parametrize("metric", ["squared_euclidean", "euclidean"])
def test_a_step_is_that_of_a_prototypical_network(metric: str) -> None:
    """The same weights, the same episodes, the same rate: the same losses and the same weights, by two ways of code."""
    network, twin = tanh_network(), MLP(2, 4, (6,), activation="tanh", classification=True)
    loop = OuterLoop(PrototypicalNetwork(twin, metric=metric), generator(0))
    mine = dict(zip(loop.start, network.parameters(), strict=True))  # a learner's weights are (inputs, outputs)
    with torch.no_grad():
        for name, value in loop.start.items():
            value.copy_(mine[name].t().reshape(value.shape))
    episodes, rng = EpisodeTraining(network, metric), generator(1)
    for _ in range(8):
        tasks = POINTS.sample(4, 3, rng=rng, n_query=2)
        torch.testing.assert_close(episodes.step(tasks, 1e-2), torch.as_tensor(loop.step(tasks, 1e-2)).float())
    for name, value in loop.start.items():
        torch.testing.assert_close(mine[name].t().reshape(value.shape), value, rtol=1e-4, atol=1e-5)
    assert episodes.steps == 8


def test_the_loss_of_an_episode_is_that_of_plain_loops() -> None:
    network, tasks = tanh_network(), POINTS.sample(3, 2, rng=generator(2), n_query=3)
    losses = []
    for task in tasks:
        seen, asked = network(task.episode.support_x), network(task.episode.query_x)
        labels, wanted = task.episode.support_y.tolist(), task.episode.query_y.tolist()
        means = [
            torch.stack([seen[i] for i, label in enumerate(labels) if label == k]).mean(0)
            for k in range(max(labels) + 1)
        ]
        for feature, label in zip(asked, wanted, strict=True):
            scores = torch.stack([-((feature - mean) ** 2).sum() for mean in means])
            losses.append(float((scores.exp().sum().log() - scores[label]).detach()))
    assert float(EpisodeTraining(network).step(tasks)) == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_a_step_by_classes_is_plain_cross_entropy() -> None:
    network, rng = tanh_network(), generator(3)
    training = ClassTraining(network, 4, 5, rng)
    x, y = torch.randn(7, 2, generator=rng), torch.tensor([0, 4, 2, 2, 1, 3, 0])
    logits = training.last(network(x)).detach()
    plain = [float(row.exp().sum().log() - row[k]) for row, k in zip(logits, y.tolist(), strict=True)]
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    assert float(training.step(x, y, 1e-2)) == pytest.approx(sum(plain) / 7, rel=1e-5)
    moved = [float((value - before[name]).detach().abs().max()) for name, value in network.named_parameters()]
    assert all(0.009 < most < 0.011 for most in moved), "Adam's first step is as long as the rate"


def by_episodes(seed: int) -> FeatureTraining[Any]:
    training, rng = EpisodeTraining(small_blocks(seed)), generator(seed)
    for _ in range(30):
        training.step(Digits(n_way=3).sample(4, 2, rng=rng), 3e-3)
    return training


def by_classes(seed: int) -> FeatureTraining[Any]:
    rng = generator(seed)
    training = ClassTraining(small_blocks(seed), 16, 9, rng)
    for _ in range(30):
        tasks = Digits(n_way=9).sample(1, 3, rng=rng)
        training.step(tasks.support_x[0], tasks.support_y[0], 3e-3)
    return training


@pytest.mark.parametrize("train", [by_episodes, by_classes])
def test_the_same_seed_learns_the_same_weights_and_learns(train: Callable[[int], FeatureTraining[Any]]) -> None:
    before = torch.random.get_rng_state()
    one, again = train(0), train(0)
    assert torch.equal(before, torch.random.get_rng_state())
    weights, same = one.network.state_dict(), again.network.state_dict()
    assert all(torch.equal(weights[name], same[name]) for name in weights)
    new = Digits(n_way=3).sample(60, 1, rng=generator(9), n_query=5)
    untrained = EpisodeTraining(small_blocks()).features
    found = transfer({"learned": Prototypes(one.features), "random": Prototypes(untrained)}, new, (0,))
    assert found.mean("learned", "loss", 0) < found.mean("random", "loss", 0)


@pytest.mark.parametrize("train", [by_episodes, by_classes])
def test_judging_does_not_peek_and_learns_nothing(train: Callable[[int], FeatureTraining[Any]]) -> None:
    training = train(0)
    pictures = Digits(n_way=3).sample(1, 4, rng=generator(1)).support_x[0]
    weights = {name: value.clone() for name, value in training.network.state_dict().items()}
    together = training.features(pictures)
    for k in range(len(pictures)):
        torch.testing.assert_close(training.features(pictures[k : k + 1])[0], together[k], rtol=1e-4, atol=1e-5)
    assert not together.requires_grad
    assert all(torch.equal(value, weights[name]) for name, value in training.network.state_dict().items())


def test_a_step_after_judging_learns_by_its_batch_again() -> None:
    tasks = Digits(n_way=3).sample(2, 2, rng=generator(1))
    judged, plain = EpisodeTraining(small_blocks()), EpisodeTraining(small_blocks())
    for training in (judged, plain):
        training.step(tasks)
        if training is judged:
            training.features(tasks.support_x[0])
    torch.testing.assert_close(judged.step(tasks), plain.step(tasks), rtol=0, atol=0)


# ---- what is no argument ---------------------------------------------------------------------------------------------

TASKS = POINTS.sample(2, 2, rng=generator(0))
X, Y = torch.zeros(3, 2), torch.tensor([0, 1, 2])


@pytest.mark.parametrize("network", [None, torch.flatten, {}])
def test_what_is_no_network_is_refused(network: Any) -> None:
    with pytest.raises(TypeError, match=r"network: got .* expected a module of PyTorch"):
        EpisodeTraining(network)
    with pytest.raises(TypeError, match=r"network: got .* expected a module of PyTorch"):
        ClassTraining(network, 4, 5, generator(0))


def test_a_network_that_cannot_learn_is_refused() -> None:
    for make in (EpisodeTraining, lambda network: ClassTraining(network, 4, 5, generator(0))):
        with pytest.raises(ValueError, match="network: got no weights"):
            make(nn.Flatten())


@pytest.mark.parametrize(
    ("step", "error", "says"),
    [
        (lambda e: e.step(None), TypeError, "tasks: got None, expected tasks with samples"),
        (lambda e: e.step(TASKS.support_x), TypeError, r"tasks: got a tensor of shape .*, expected tasks with samples"),
        (lambda e: e.step(Sinusoids().sample(2, 2, rng=generator(0))), ValueError, "these tasks have none"),
        (lambda e: e.step(TASKS, lr=-1.0), ValueError, "lr: got -1.0"),
        (lambda e: e.step(TASKS, lr="fast"), TypeError, "lr: got 'fast'"),
        (
            lambda e: e.step(TASKS.with_support(TASKS.support_x * torch.nan, TASKS.support_y)),
            ValueError,
            "loss: got nan",
        ),
        (lambda e: e.features([1.0, 2.0]), TypeError, "x: got a list, expected samples in a tensor"),
        (lambda e: EpisodeTraining(tanh_network(), "squared"), ValueError, "metric: got 'squared'"),
        (lambda e: type(e)(tanh_network(), None), ValueError, "metric: got None"),
    ],
)
def test_episodes_that_cannot_be_are_refused(step: Callable[[Any], object], error: type[Exception], says: str) -> None:
    episodes = EpisodeTraining(tanh_network())
    weights = [value.detach().clone() for value in episodes.network.parameters()]
    with pytest.raises(error, match=says):
        step(episodes)
    assert all(torch.equal(*both) for both in zip(weights, episodes.network.parameters(), strict=True))


@pytest.mark.parametrize(
    ("step", "error", "says"),
    [
        (lambda c: c.step(None, Y), TypeError, "x: got a NoneType"),
        (lambda c: c.step(X, [0, 1, 2]), TypeError, "y: got a list"),
        (lambda c: c.step(X, Y.float()), ValueError, "y: got .*float32, expected one of the labels 0 to 4"),
        (lambda c: c.step(X, Y[:2]), ValueError, r"y: got .*\(2,\).* for each of 3 samples"),
        (lambda c: c.step(X[:0], Y[:0]), ValueError, "y: got .* for each of 0 samples"),
        (lambda c: c.step(X, Y + 3), ValueError, "y: got labels from 3 to 5, expected one of the labels 0 to 4"),
        (lambda c: c.step(X, Y - 1), ValueError, "y: got labels from -1 to 1"),
        (lambda c: c.step(X * torch.nan, Y), ValueError, "loss: got nan"),
        (lambda c: ClassTraining(tanh_network(), 0, 5, generator(0)), ValueError, "n_features: got 0"),
        (lambda c: ClassTraining(tanh_network(), 4, 1, generator(0)), ValueError, "n_classes: got 1"),
        (lambda c: type(c)(tanh_network(), 4, "5", generator(0)), TypeError, "n_classes: got '5'"),
    ],
)
def test_classes_that_cannot_be_are_refused(step: Callable[[Any], object], error: type[Exception], says: str) -> None:
    training = ClassTraining(tanh_network(), 4, 5, generator(0))
    with pytest.raises(error, match=says):
        step(training)


def test_what_is_given_as_a_tensor_stays_as_it_was() -> None:
    x: Tensor = torch.rand(5, 1, 8, 8, generator=generator(0))
    before = x.clone()
    EpisodeTraining(small_blocks()).features(x)
    assert torch.equal(x, before)
