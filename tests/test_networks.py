"""Encoders see sets: no order, no padding, weights from the generator that was given and from no other."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from taskembed_edu.networks import (
    CurveFeatures,
    FourierFeatures,
    LabelledFeatures,
    PlainFeatures,
    SetEncoder,
    SiameseNetwork,
    TripletNetwork,
    set_encoder,
)
from taskembed_edu.networks.encoders import Standardise, init_weights
from taskembed_edu.tasks import Digits, Gaussians, Sinusoids, TaskBatch, TaskFamily
from tests.runs import generator

FAMILIES = [Sinusoids(), Gaussians(), Gaussians(n_way=3, dim=4), Digits()]
ENCODERS = {family: set_encoder(family, generator(), hidden=16, dim=3) for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
@given(seed=st.integers(0, 1000), n_shot=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_samples_does_not_matter(family: TaskFamily, seed: int, n_shot: int) -> None:
    tasks = family.sample(3, n_shot=n_shot, rng=generator(seed))
    order = torch.randperm(tasks.support_x.shape[1], generator=generator(seed))
    encoder = ENCODERS[family]
    straight = encoder(tasks.support_x, tasks.support_y)
    shuffled = encoder(tasks.support_x[:, order], tasks.support_y[:, order])
    assert straight.shape == (3, 3)
    torch.testing.assert_close(shuffled, straight, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
@given(seed=st.integers(0, 1000), kept=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_a_mask_is_the_removal_of_the_padding(family: TaskFamily, seed: int, kept: int) -> None:
    tasks = family.sample(2, n_shot=6, rng=generator(seed))
    n = tasks.support_x.shape[1]
    mask = torch.zeros(2, n, dtype=torch.bool)
    mask[0, torch.randperm(n, generator=generator(seed))[:kept]] = True
    mask[1] = True
    encoder = ENCODERS[family]
    masked = encoder(tasks.support_x, tasks.support_y, mask)
    removed = encoder(tasks.support_x[:1, mask[0]], tasks.support_y[:1, mask[0]])
    torch.testing.assert_close(masked[:1], removed, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(masked[1:], encoder(tasks.support_x, tasks.support_y)[1:], atol=1e-5, rtol=1e-4)
    x = tasks.support_x.clone()
    x[0, ~mask[0]] = 77.0
    torch.testing.assert_close(encoder(x, tasks.support_y, mask), masked)


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_tasks_do_not_see_each_other(family: TaskFamily) -> None:
    tasks = family.sample(4, rng=generator())
    together = ENCODERS[family](tasks.support_x, tasks.support_y)
    alone = torch.cat([ENCODERS[family](tasks[[i]].support_x, tasks[[i]].support_y) for i in range(4)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert (together[0] - together[1]).abs().max() > 1e-3


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_labels_are_read(family: TaskFamily) -> None:
    tasks = family.sample(2, rng=generator())
    other = (tasks.support_y + 1) % family.n_way if family.classification else -tasks.support_y
    one, two = (ENCODERS[family](tasks.support_x, y) for y in (tasks.support_y, other))
    assert (one - two).abs().max() > 1e-3


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_weights_come_from_the_generator_alone(family: TaskFamily) -> None:
    before = torch.random.get_rng_state()
    one, same, other = (set_encoder(family, generator(seed), hidden=16, dim=3) for seed in (1, 1, 2))
    torch.manual_seed(99)
    again = set_encoder(family, generator(1), hidden=16, dim=3)
    torch.random.set_rng_state(before)
    names = one.state_dict().keys()
    assert all(torch.equal(one.state_dict()[n], same.state_dict()[n]) for n in names)
    assert all(torch.equal(one.state_dict()[n], again.state_dict()[n]) for n in names)
    assert not any(torch.equal(one.state_dict()[n], other.state_dict()[n]) for n in names)


def test_the_global_generator_is_not_moved() -> None:
    before = torch.random.get_rng_state()
    set_encoder(Digits(), generator(), hidden=16)
    assert torch.equal(before, torch.random.get_rng_state())


def test_weights_are_uniform_within_one_over_the_root_of_the_inputs() -> None:
    layer = init_weights(lambda: nn.Linear(100, 400), generator())
    for parameter in layer.parameters():
        assert parameter.abs().max() <= 0.1
        assert parameter.abs().max() > 0.095
        assert abs(float(parameter.detach().mean())) < 0.02
    convolution = init_weights(lambda: nn.Conv2d(4, 8, 5), generator())
    assert 0.09 < float(convolution.weight.detach().abs().max()) <= 0.1
    with pytest.raises(TypeError, match="make: got BatchNorm1d, expected layers whose initialisation is known"):
        init_weights(lambda: nn.BatchNorm1d(3), generator())


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
@pytest.mark.parametrize("hidden", [8, 10, 11, 13, 16])
def test_any_width_fits(family: TaskFamily, hidden: int) -> None:
    tasks = family.sample(2, rng=generator())
    vectors = set_encoder(family, generator(), hidden=hidden, dim=2)(tasks.support_x, tasks.support_y)
    assert vectors.shape == (2, 2)
    assert bool(vectors.isfinite().all())


def test_the_second_network_reads_standardised_averages() -> None:
    encoder = set_encoder(Sinusoids(), generator(), hidden=32)
    tasks = Sinusoids().sample(2000, rng=generator(3))
    with torch.no_grad():
        rows = encoder.standardise(encoder.pooled(tasks.support_x, tasks.support_y))
    used = rows.std(dim=0) > 1e-6
    assert bool(used.float().mean() > 0.5)
    torch.testing.assert_close(rows.mean(dim=0)[used], torch.zeros(int(used.sum())), atol=0.35, rtol=0)
    torch.testing.assert_close(rows.std(dim=0)[used], torch.ones(int(used.sum())), atol=0.35, rtol=0)


def test_one_tasks_set_is_not_a_batch() -> None:
    tasks = Sinusoids().sample(1, rng=generator())
    encoder = ENCODERS[FAMILIES[0]]
    with pytest.raises(ValueError, match=r"support: got x of shape \(16, 1\).*one task's set.*x\[None\]"):
        encoder(tasks.support_x[0], tasks.support_y[0])
    with pytest.raises(ValueError, match=r"x of shape \(1, 16, 1\) with y of shape \(1, 8, 1\)"):
        encoder(tasks.support_x, tasks.support_y[:, :8])
    digits = Digits().sample(1, rng=generator())
    with pytest.raises(ValueError, match=r"x of shape \(15, 1, 8, 8\) with y of shape \(15,\)"):
        ENCODERS[FAMILIES[3]](digits.support_x[0], digits.support_y[0])


# ---- the parts' worked numbers -------------------------------------------------------------------------------------


def quarter_waves() -> FourierFeatures:
    waves = FourierFeatures(1, 2, scale=1.0)
    waves.frequencies.fill_(0.25)
    return waves


def test_fourier_features_by_hand() -> None:
    got = quarter_waves()(torch.tensor([[0.0], [1.0], [2.0]]))
    torch.testing.assert_close(got, torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]), atol=1e-6, rtol=0)
    wide = FourierFeatures(3, 2000, scale=0.3)
    wide.initialise(generator())
    assert abs(float(wide.frequencies.std()) - 0.3) < 0.02


def test_curve_and_label_features_by_hand() -> None:
    point = CurveFeatures(quarter_waves())(torch.tensor([[1.0]]), torch.tensor([[3.0]]))
    torch.testing.assert_close(point, torch.tensor([[0.0, 1.0, 0.0, 3.0]]), atol=1e-6, rtol=0)
    labelled = LabelledFeatures(nn.Identity(), 3)(torch.tensor([[7.0]]), torch.tensor([1]))
    assert labelled.tolist() == [[7.0, 0.0, 1.0, 0.0]]


def test_standardise_by_hand() -> None:
    standardise = Standardise(2)
    standardise.leave_alone()
    assert standardise(torch.tensor([5.0, 5.0])).tolist() == [5.0, 5.0]
    standardise.fit(torch.tensor([[1.0, 4.0], [3.0, 4.0]]))
    assert standardise(torch.tensor([5.0, 5.0])).tolist() == [3.0, 1.0]


def test_the_set_is_averaged() -> None:
    encoder = SetEncoder(LabelledFeatures(nn.Identity(), 2), 3, hidden=4, dim=2)
    encoder.standardise.leave_alone()
    x, y = torch.randn(1, 5, 1, generator=generator()), torch.tensor([[0, 1, 1, 0, 1]])
    with torch.no_grad():
        rows = [encoder.phi(encoder.features(x[:, i], y[:, i])) for i in range(5)]
        torch.testing.assert_close(encoder(x, y), encoder.rho(sum(rows) / 5))


# ---- faces ---------------------------------------------------------------------------------------------------------


def test_a_siamese_network_is_one_encoder_twice_and_a_triplet_network_thrice() -> None:
    encoder = nn.Linear(3, 2)
    x = [torch.randn(4, 3, generator=generator(i)) for i in range(3)]
    for network, inputs in ((SiameseNetwork(encoder), x[:2]), (TripletNetwork(encoder), x)):
        outputs = network(*inputs)
        assert isinstance(outputs, tuple)
        assert len(outputs) == len(inputs)
        assert all(torch.equal(out, encoder(given)) for out, given in zip(outputs, inputs, strict=True))
        assert sum(p.numel() for p in network.parameters()) == 8


@pytest.mark.parametrize("network", [SiameseNetwork, TripletNetwork])
def test_networks_without_arguments_take_the_courses_vectors(network: type[nn.Module]) -> None:
    x = torch.tensor([[1.0, 2.0, 3.0]])
    outputs = network()(*(x,) * (2 if network is SiameseNetwork else 3))
    assert all(out.shape == (1, 2) and torch.equal(out, outputs[0]) for out in outputs)
    assert math.isfinite(float(outputs[0].detach().sum()))


def test_plain_features_by_hand() -> None:
    assert PlainFeatures()(torch.tensor([[2.0]]), torch.tensor([[3.0]])).tolist() == [[2.0, 3.0]]


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_a_plain_encoder_sees_coordinates_as_they_are(family: TaskFamily) -> None:
    encoder = set_encoder(family, generator(), hidden=16, dim=3, features="plain")
    tasks = family.sample(4, rng=generator())
    seen = encoder.features(tasks.support_x, tasks.support_y)
    if family.name == "digits":  # pictures have no coordinates: it is the encoder that they always have
        assert torch.equal(encoder(*tasks_of(tasks)), ENCODERS[family](*tasks_of(tasks)))
    else:
        n = family.x_shape[0]
        assert torch.equal(seen[..., :n], tasks.support_x)
        assert seen.shape[-1] == n + family.n_way
        assert not any(isinstance(module, FourierFeatures) for module in encoder.modules())
    assert encoder(*tasks_of(tasks)).shape == (4, 3)


def tasks_of(tasks: TaskBatch) -> tuple[torch.Tensor, torch.Tensor]:
    return tasks.support_x, tasks.support_y


def test_unknown_features() -> None:
    with pytest.raises(ValueError, match=r"features: got 'furier'.*Did you mean 'fourier'"):
        set_encoder(Sinusoids(), generator(), features="furier")
