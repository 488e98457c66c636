"""Learners: all tasks at once as one by one; the same numbers as torch's own modules; gradients that are right."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from taskembed_edu.networks import (
    GRU,
    LSTM,
    MLP,
    ConvNet,
    Learner,
    Parameters,
    flatten,
    stack,
    task_learner,
    unflatten,
)
from taskembed_edu.networks.gru_steps import sum_by_letter
from taskembed_edu.networks.learners import cross_entropy, squared_error
from taskembed_edu.networks.recurrent import Packed
from taskembed_edu.tasks import Digits, Gaussians, LanguageNames, NumberWords, Sinusoids, TaskFamily
from tests.runs import generator

PAIRS: list[tuple[TaskFamily, str]] = [
    (Sinusoids(), "mlp"),
    (Gaussians(n_way=3), "mlp"),
    (Digits(), "conv"),
    (Digits(), "mlp"),
    (NumberWords(part=("es", "fi", "de")), "gru"),
    (NumberWords(part=("es", "fi", "de")), "lstm"),
    (LanguageNames(n_way=3), "fasttext"),
]
IDS = [f"{family.name} {name}" for family, name in PAIRS]
N_TASKS = 3


def several(learner: Learner, n: int = N_TASKS) -> Parameters:
    networks = stack(learner.init(generator(seed)) for seed in range(n))
    return {name: value.requires_grad_() for name, value in networks.items()}


def one_by_one(learner: Learner, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None) -> Tensor:
    """Every task's loss in a plain loop; masked samples are not left out but never there."""
    losses = []
    for task in range(len(x)):
        kept = slice(None) if mask is None else mask[task]
        network = {name: value[task] for name, value in parameters.items()}
        losses.append(learner.loss(network, x[task][kept], y[task][kept]))
    return torch.stack(losses)


def values_and_gradients(losses: Tensor, parameters: Parameters) -> list[Tensor]:
    weights = torch.arange(1.0, len(losses) + 1, dtype=losses.dtype)  # no two tasks alike: a mix-up would be seen
    return [losses, *torch.autograd.grad((weights * losses).sum(), list(parameters.values()))]


def assert_all_close(ours: list[Tensor], expected: list[Tensor]) -> None:
    for mine, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(mine, other, atol=2e-5, rtol=1e-4)


# ---- all tasks at once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family, name", PAIRS, ids=IDS)
@pytest.mark.parametrize("masked", [False, True])
def test_all_tasks_at_once_are_the_tasks_one_by_one(family: TaskFamily, name: str, masked: bool) -> None:
    learner = task_learner(family, name, hidden=8)
    tasks = family.sample(N_TASKS, n_shot=6, rng=generator())
    mask = torch.rand(tasks.support_x.shape[:2], generator=generator(1)) < 0.6 if masked else None
    parameters = several(learner)
    given_ = (parameters, tasks.support_x, tasks.support_y, mask)
    expected = values_and_gradients(one_by_one(learner, *given_), parameters)
    assert_all_close(values_and_gradients(learner.losses(*given_), parameters), expected)
    assert_all_close(values_and_gradients(Learner.losses(learner, *given_), parameters), expected)


@pytest.mark.parametrize("family, name", PAIRS, ids=IDS)
def test_a_task_without_a_class_or_without_any_sample_trains(family: TaskFamily, name: str) -> None:
    learner = task_learner(family, name, hidden=8)
    tasks = family.sample(N_TASKS, n_shot=4, rng=generator())
    mask = torch.ones(tasks.support_x.shape[:2], dtype=torch.bool)
    mask[0] = False
    mask[1, :4] = False  # classes come one after the other: its first has no sample
    parameters = several(learner)
    found = values_and_gradients(learner.losses(parameters, tasks.support_x, tasks.support_y, mask), parameters)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in found)
    assert found[0][0] == 0
    assert all(bool((gradient[0] == 0).all()) for gradient in found[1:])
    nothing = learner.losses(parameters, tasks.support_x, tasks.support_y, torch.zeros_like(mask))
    assert nothing.tolist() == [0] * N_TASKS
    assert all(bool((gradient == 0).all()) for gradient in values_and_gradients(nothing, parameters)[1:])


@pytest.mark.parametrize("family, name", PAIRS, ids=IDS)
def test_a_few_steps_of_descent_make_every_task_better(family: TaskFamily, name: str) -> None:
    learner = task_learner(family, name, hidden=16)
    tasks = family.sample(N_TASKS, n_shot=8, rng=generator())
    mask = torch.ones(tasks.support_x.shape[:2], dtype=torch.bool)
    mask[1, :4] = False
    parameters = several(learner)
    adam = torch.optim.Adam(parameters.values(), lr=1e-2)
    first = learner.losses(parameters, tasks.support_x, tasks.support_y, mask).detach()
    for _ in range(20):
        adam.zero_grad()
        losses = learner.losses(parameters, tasks.support_x, tasks.support_y, mask)
        losses.sum().backward()
        adam.step()
    assert bool((losses < first).all())


@dataclass(frozen=True)
class Proportional(Learner):
    """A learner that knows how to lose in one task, and nothing of many."""

    name: ClassVar[str] = "proportional"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"line.slope": (1, 1)}

    def fan_in(self, layer: str) -> int:
        return 4

    def apply(self, parameters: Parameters, x: Tensor) -> Tensor:
        assert x.ndim == 2
        return x @ parameters["line.slope"]

    def loss(self, parameters: Parameters, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        return squared_error(self.apply(parameters, x), y, mask)


@pytest.mark.parametrize("masked", [False, True])
def test_a_learner_of_ones_own_knows_one_task_and_trains_many(masked: bool) -> None:
    learner = Proportional()
    tasks = Sinusoids().sample(N_TASKS, rng=generator())
    mask = torch.rand(tasks.support_x.shape[:2], generator=generator(1)) < 0.5 if masked else None
    parameters = several(learner)
    losses = learner.losses(parameters, tasks.support_x, tasks.support_y, mask)
    expected = one_by_one(learner, parameters, tasks.support_x, tasks.support_y, mask)
    assert_all_close(values_and_gradients(losses, parameters), values_and_gradients(expected, parameters))


# ---- against torch's modules --------------------------------------------------------------------------------------


def in_layers(learner: Learner, modules: dict[str, nn.Linear | nn.Conv2d]) -> Parameters:
    """A module's weights as a learner has them: one column a unit."""
    given_ = {}
    for layer, module in modules.items():
        assert module.bias is not None
        given_[f"{layer}.weight"] = module.weight.detach().flatten(1).T
        given_[f"{layer}.bias"] = module.bias.detach()[None]
    assert {name: tuple(value.shape) for name, value in given_.items()} == learner.shapes()
    return given_


def drawn(module):
    for parameter in module.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5, generator=generator(parameter.numel()))
    return module


@pytest.mark.parametrize("activation, module", [("relu", nn.ReLU), ("tanh", nn.Tanh)])
def test_a_perceptron_is_torchs_linear_layers(activation: str, module: Callable[[], nn.Module]) -> None:
    one, two, last = (drawn(nn.Linear(*sizes)) for sizes in ((3, 7), (7, 5), (5, 2)))
    learner = MLP(3, 2, (7, 5), activation=activation)
    parameters = in_layers(learner, {"hidden_1": one, "hidden_2": two, "output": last})
    x = torch.randn(6, 3, generator=generator())
    expected = nn.Sequential(one, module(), two, module(), last)(x)
    assert learner.apply(parameters, x).tolist() == [pytest.approx(row, abs=1e-5) for row in expected.tolist()]


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 7, 5), (1, 1, 1)])
def test_a_convolutional_network_is_torchs(shape: tuple[int, int, int]) -> None:
    learner = ConvNet(shape, 3, (4, 6))
    one, two = (drawn(nn.Conv2d(*sizes, 3, stride=2, padding=1)) for sizes in ((shape[0], 4), (4, 6)))
    last = drawn(nn.Linear(learner.shapes()["output.weight"][0], 3))
    parameters = in_layers(learner, {"convolution_1": one, "convolution_2": two, "output": last})
    x = torch.rand(5, *shape, generator=generator())
    expected = nn.Sequential(one, nn.ReLU(), two, nn.ReLU(), nn.Flatten(), last)(x)
    assert learner.apply(parameters, x).tolist() == [pytest.approx(row, abs=1e-5) for row in expected.tolist()]


@pytest.mark.parametrize("make, module", [(GRU, nn.GRU), (LSTM, nn.LSTM)])
def test_a_recurrent_network_is_torchs(make: type[GRU | LSTM], module: type[nn.GRU | nn.LSTM]) -> None:
    """Torch's gates, r z n or i f g o, lie in the rows of its weights; ours in the columns."""
    learner, n = make(6, 5, hidden=4), 3
    cells = drawn(module(6, 4, batch_first=True))
    parameters = learner.init(generator())
    for ours, theirs in (("input", "ih"), ("recurrent", "hh")):
        parameters[f"{ours}.weight"] = getattr(cells, f"weight_{theirs}_l0").detach().T
        parameters[f"{ours}.bias"] = getattr(cells, f"bias_{theirs}_l0").detach()[None]
    assert {name: tuple(value.shape) for name, value in parameters.items()} == learner.shapes()
    x = torch.tensor([[0, 7], [4, 2], [9, 9]])
    y = torch.tensor([[0, 1, 5, -1, -1], [4, 3, 2, 1, 5], [5, -1, -1, -1, -1]])
    tens, units = parameters["number.tens"][x[:, 0]], parameters["number.units"][x[:, 1]]
    number = torch.tanh(tens + units + parameters["number.bias"])
    before = torch.tensor([[5, 0, 1, 5, 5], [5, 4, 3, 2, 1], [5, 5, 5, 5, 5]])
    letters = nn.functional.one_hot(before, 6).float()
    hidden, _ = cells(letters, number[None] if make is GRU else (number[None], number[None]))
    expected = (hidden @ parameters["output.weight"] + parameters["output.bias"]).detach()
    forced = learner.teacher_forced(parameters, x, y)
    assert forced.shape == (n, 5, 6)
    assert forced.flatten().tolist() == pytest.approx(expected.flatten().tolist(), abs=1e-5)
    loss = float(nn.functional.cross_entropy(expected.flatten(0, 1), y.flatten(), ignore_index=-1))
    assert float(learner.loss(parameters, x, y)) == pytest.approx(loss, rel=1e-5)
    losses = learner.losses(stack([parameters] * 2), torch.stack([x, x]), torch.stack([y, y]))
    assert losses.tolist() == pytest.approx([loss] * 2)


# ---- words --------------------------------------------------------------------------------------------------------


def random_words(n_tasks: int, n: int, length: int, n_letters: int, seed: int) -> tuple[Tensor, Tensor]:
    """Numbers and words of every length, the empty ones (all padding) among them."""
    rng = generator(seed)
    x = torch.randint(0, 10, (n_tasks, n, 2), generator=rng)
    y = torch.randint(0, n_letters, (n_tasks, n, length), generator=rng)
    ends = torch.randint(0, length + 1, (n_tasks, n, 1), generator=rng)
    return x, torch.where(torch.arange(length) < ends, y, -1)


@pytest.mark.parametrize("make", [GRU, LSTM])
@given(seed=st.integers(0, 10_000), n=st.integers(1, 6), length=st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_words_without_their_padding_lose_what_they_lose_with_it(make, seed: int, n: int, length: int) -> None:
    learner = make(4, length, hidden=3)
    x, y = random_words(N_TASKS, n, length, 4, seed)
    parameters = {name: value.detach().double().requires_grad_() for name, value in several(learner).items()}
    packed = values_and_gradients(learner.losses(parameters, x, y), parameters)
    stepwise = values_and_gradients(Learner.losses(learner, parameters, x, y), parameters)
    for ours, other in zip(packed, stepwise, strict=True):
        torch.testing.assert_close(ours, other, atol=1e-10, rtol=1e-8)


@pytest.mark.parametrize("make", [GRU, LSTM])
def test_gradients_in_double_precision(make: type[GRU | LSTM]) -> None:
    learner = make(4, 4, hidden=3)
    x, y = random_words(2, 5, 4, 4, seed=3)
    assert len(set(Packed.of(x, y, learner).sizes)) > 1
    parameters = {name: value.detach().double().requires_grad_() for name, value in several(learner, 2).items()}

    def losses(*values: Tensor) -> Tensor:
        return learner.losses(dict(zip(parameters, values, strict=True)), x, y)

    assert torch.autograd.gradcheck(losses, tuple(parameters.values()))


def test_packed_gru_steps_are_differentiated_once_and_say_so() -> None:
    learner = GRU(4, 4, hidden=3)
    x, y = random_words(2, 5, 4, 4, seed=3)
    parameters = several(learner, 2)
    wanted = parameters["recurrent.weight"]
    with pytest.raises(RuntimeError, match=r"create_graph: got True, expected one derivative.*Learner\.losses"):
        torch.autograd.grad(learner.losses(parameters, x, y).sum(), list(parameters.values()), create_graph=True)
    (gradient,) = torch.autograd.grad(Learner.losses(learner, parameters, x, y).sum(), wanted, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), wanted)
    assert bool(torch.isfinite(second).all())


def test_a_gradient_that_comes_in_is_left_as_it_was() -> None:
    learner, parameters = GRU(4, 3, hidden=3), several(GRU(4, 3, hidden=3), 1)
    letters = torch.tensor([[3, 3, 3, 0, 1]])
    words = Packed(torch.tensor([[[0, 1], [2, 3], [4, 5]]]), letters, letters, (3, 2))
    hidden = learner.run(words, {name: value.requires_grad_() for name, value in parameters.items()})
    incoming = torch.ones_like(hidden)
    first, second = (
        torch.autograd.grad(hidden, parameters["recurrent.weight"], incoming, retain_graph=True)[0] for _ in range(2)
    )
    assert torch.equal(first, second)
    assert bool((incoming == 1).all())


def test_words_are_laid_out_step_by_step() -> None:
    x = torch.tensor([[[0, 1], [0, 2], [0, 3]], [[1, 1], [1, 2], [1, 3]]])
    y = torch.tensor([[[3, -1, -1], [0, 1, 3], [-1, -1, -1]], [[2, 3, -1], [3, -1, -1], [1, 3, -1]]])
    packed = Packed.of(x, y, GRU(4, 3, 2))
    assert packed.sizes == (3, 2, 1)
    assert packed.x[..., 1].tolist() == [[2, 1, 3], [1, 3, 2]]
    assert packed.y.tolist() == [[0, 3, -1, 1, -1, 3], [2, 1, 3, 3, 3, -1]]
    assert packed.letters.tolist() == [[3, 3, 3, 0, 3, 1], [3, 3, 3, 2, 1, 3]]


def test_rows_are_added_up_by_their_letter_in_either_way() -> None:
    gates, letters = torch.randn(2, 5, 8, generator=generator()), torch.tensor([[0, 2, 2, 1, 0], [3, 3, 3, 3, 1]])
    plain = torch.zeros(2, 4, 8)
    for task, row in itertools.product(range(2), range(5)):
        plain[task, letters[task, row]] += gates[task, row]
    torch.testing.assert_close(sum_by_letter(gates, letters, 4), plain)
    torch.testing.assert_close(sum_by_letter(gates, letters, 4, by_product=True), plain)


@pytest.mark.parametrize("make", [GRU, LSTM])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_what_is_spelt_freely_is_what_is_spelt_when_forced_to_it(make, seed: int) -> None:
    learner = make(6, 5, hidden=4)
    parameters = {name: 3 * value for name, value in learner.init(generator(seed)).items()}
    x = torch.randint(0, 10, (7, 2), generator=generator(seed))
    freely = learner.apply(parameters, x)
    assert freely.shape == (7, 5, 6)
    torch.testing.assert_close(freely, learner.teacher_forced(parameters, x, freely.argmax(-1)))
    together = learner.apply(stack([parameters] * 2), torch.stack([x, x]))
    torch.testing.assert_close(together, torch.stack([freely, freely]))


# ---- first weights, sizes, names ----------------------------------------------------------------------------------


@pytest.mark.parametrize("family, name", PAIRS, ids=IDS)
def test_first_weights_come_from_the_generator_and_keep_their_bound(family: TaskFamily, name: str) -> None:
    learner = task_learner(family, name)
    one, again, other = (learner.init(generator(seed)) for seed in (1, 1, 2))
    assert {name: tuple(value.shape) for name, value in one.items()} == learner.shapes()
    state = torch.get_rng_state()
    for parameter, value in one.items():
        assert torch.equal(value, again[parameter])
        assert not torch.equal(value, other[parameter])
        bound = 1 / math.sqrt(learner.fan_in(parameter.split(".")[0]))
        assert float(value.abs().max()) <= bound
        assert value.numel() < 30 or float(value.abs().max()) > 0.8 * bound
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "learner, n",
    [
        (MLP(n_in=1, n_out=1), 1_153),
        (ConvNet((1, 8, 8), 3), 1_443),
        (GRU(n_letters=29, length=16), 13_805),
        (LSTM(n_letters=29, length=16), 17_597),
        (MLP(2, 3, ()), 9),
    ],
)
def test_how_many_numbers_a_network_has(learner: Learner, n: int) -> None:
    assert learner.n_parameters == n
    assert sum(value.numel() for value in learner.init(generator()).values()) == n


def test_worked_losses() -> None:
    assert float(squared_error(torch.tensor([[1.0], [2.0]]), torch.zeros(2, 1))) == 2.5
    assert float(cross_entropy(torch.zeros(1, 2), torch.tensor([1]))) == pytest.approx(math.log(2))
    mask = torch.tensor([True, False])
    assert float(squared_error(torch.tensor([[1.0], [math.nan]]), torch.zeros(2, 1), mask)) == 1


@pytest.mark.parametrize("family, name", PAIRS, ids=IDS)
def test_flat_and_back(family: TaskFamily, name: str) -> None:
    learner = task_learner(family, name, hidden=8)
    parameters = several(learner)
    vectors = flatten(parameters)
    assert vectors.shape == (N_TASKS, learner.n_parameters)
    back = unflatten(learner, vectors)
    assert list(back) == list(parameters)
    assert all(torch.equal(back[part], parameters[part]) for part in parameters)
    for wrong in (vectors[:, 1:], vectors[0]):
        with pytest.raises(ValueError, match=rf"^vectors: .*\(n_tasks, {learner.n_parameters}\)"):
            unflatten(learner, wrong)


def test_networks_of_different_kinds_are_not_stacked() -> None:
    small, large = MLP(1, 1, (2,)).init(generator()), MLP(1, 1, (3,)).init(generator())
    with pytest.raises(ValueError, match=r"^networks: got task 2 with hidden_1.weight \(1, 3\).*task 0, .*\(1, 2\)"):
        stack([small, small, large])
    with pytest.raises(ValueError, match=r"^networks: got task 1"):
        stack([small, ConvNet((1, 8, 8), 1).init(generator())])


def test_layers_are_known_by_name() -> None:
    learner = MLP(1, 1)
    assert learner.layers == ("hidden_1", "hidden_2", "output")
    two = ["hidden_1.weight", "hidden_1.bias", "output.weight", "output.bias"]
    assert learner.of_layers(["output", "hidden_1"]) == two
    with pytest.raises(ValueError, match=r"^layer: got 'hiden_1', .* hidden_1, hidden_2, output\. Did you mean"):
        learner.of_layers(["hiden_1"])
    with pytest.raises(ValueError, match=r"^activation: got 'rulu', expected one of relu, tanh"):
        MLP(1, 1, activation="rulu")


def test_each_family_has_the_learner_that_suits_it() -> None:
    assert task_learner(Sinusoids()) == MLP(1, 1, (32, 32))
    assert task_learner(Gaussians(n_way=4, dim=3), hidden=8) == MLP(3, 4, (8, 8), classification=True)
    assert task_learner(Digits()) == ConvNet((1, 8, 8), 3)
    assert task_learner(Digits(), "mlp") == MLP(64, 3, (32, 32), classification=True)
    words = NumberWords()
    assert task_learner(words, hidden=48) == GRU(29, words.length, 48)
    assert task_learner(words, "lstm") == LSTM(29, words.length, 32)


def test_a_learner_that_cannot_read_such_samples_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^learner: got conv, expected one of mlp, wave for these tasks"):
        task_learner(Sinusoids(), "conv")
    with pytest.raises(ValueError, match=r"^learner: got mlp, expected one of gru, lstm .* are words"):
        task_learner(NumberWords(), "mlp")
    with pytest.raises(ValueError, match=r"^learner: got gru, expected one of conv, mlp .*\(1, 8, 8\)"):
        task_learner(Digits(), "gru")
    with pytest.raises(ValueError, match=r"^learner: got 'cnn', expected one of auto, mlp, wave, conv, gru, lstm"):
        task_learner(Digits(), "cnn")
