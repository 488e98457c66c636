"""How parameters are distributed: a density over networks, samples of it, a generator, and what they are good for."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor

from taskembed_edu.embedders.batched import BatchedTraining, start_networks
from taskembed_edu.embedders.distributions import WeightDistribution, fit_gaussian, fit_mixture, weights_of
from taskembed_edu.embedders.generators import best_fit, fit_generator, novelty, pair_losses
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.evaluation.transfer import compare_starts
from taskembed_edu.networks.learners import MLP, Parameters, flatten, unflatten
from taskembed_edu.tasks.base import TaskBatch
from taskembed_edu.tasks.gaussians import Gaussians
from taskembed_edu.tasks.sinusoids import Sinusoids
from tests.runs import generator

# y = w x + b: two weights; and one of 10 weights, small enough for a dense covariance.
LINE = MLP(1, 1, hidden=())
SMALL = MLP(1, 1, hidden=(3,))


def drawn(learner: MLP, n: int, seed: int = 0) -> Parameters:
    """n networks whose weights are correlated, and not centred at 0."""
    rng, dim = generator(seed), learner.n_parameters
    return unflatten(learner, torch.randn(n, dim, generator=rng) @ torch.randn(dim, dim, generator=rng) + 1)


@dataclass(frozen=True)
class Waves:
    """Networks trained on sine waves, from one shared start, and such as were not trained on them."""

    learner: MLP
    tasks: TaskBatch
    trained: Parameters
    unseen_tasks: TaskBatch
    unseen: Parameters
    start: Parameters
    random: Parameters

    def train(self, tasks: TaskBatch) -> Parameters:
        start = {name: value.expand(len(tasks), *value.shape[1:]) for name, value in self.start.items()}
        return train_tasks(self.learner, tasks, 300, start=start, compiled="off").parameters


def trained_waves(seed: int) -> Waves:
    rng, learner = generator(seed), MLP(1, 1)
    split = Sinusoids().split(rng)
    tasks, unseen_tasks = (part.sample(n, 32, rng=rng) for part, n in ((split.train, 150), (split.unseen, 50)))
    start, random = start_networks(learner, 1, rng), start_networks(learner, 50, rng, shared=False)
    waves = Waves(learner, tasks, {}, unseen_tasks, {}, start, random)
    return replace(waves, trained=waves.train(tasks), unseen=waves.train(unseen_tasks))


@pytest.fixture(scope="module")
def all_waves() -> list[Waves]:
    return [trained_waves(seed) for seed in range(5)]


@pytest.fixture(scope="module")
def waves(all_waves: list[Waves]) -> Waves:
    return all_waves[0]


def mean_loss(learner: MLP, parameters: Parameters, tasks: TaskBatch) -> float:
    return float(learner.losses(parameters, tasks.query_x, tasks.query_y).mean())


# ---- the density ----------------------------------------------------------------------------------------------------


def test_in_all_directions_it_is_the_gaussian_of_scipy() -> None:
    networks, others = drawn(LINE, 40), drawn(LINE, 7, seed=1)
    rows = flatten(networks).double().numpy()
    expected = multivariate_normal(rows.mean(0), np.cov(rows.T, bias=True)).logpdf(flatten(others).double().numpy())
    found = fit_gaussian(LINE, networks, components=2).log_likelihood(others)
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("n", "components"), [(50, 1), (50, 3), (50, 9), (8, 3)])  # 8: fewer than dimensions
def test_in_fewer_it_is_probabilistic_pca_with_the_covariance_written_out(n: int, components: int) -> None:
    networks, others = drawn(SMALL, n), drawn(SMALL, 7, seed=1)
    rows = flatten(networks).double().numpy()
    values, axes = np.linalg.eigh(np.cov(rows.T, bias=True))
    values = values.copy()
    values[:-components] = values[:-components].mean()  # Tipping and Bishop, equation 8
    expected = multivariate_normal(rows.mean(0), axes @ np.diag(values) @ axes.T).logpdf(flatten(others).double())
    found = fit_gaussian(SMALL, networks, components).log_likelihood(others)
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=1e-8, atol=1e-8)


def test_the_worked_number() -> None:
    distribution = fit_gaussian(MLP(1, 1, hidden=(1,)), drawn(MLP(1, 1, hidden=(1,)), 9), components=1)
    left = MLP(1, 1, hidden=(1,)).n_parameters - 3
    plain = replace(
        distribution, space=replace(distribution.space, residual=1.0), covariances=torch.full((1, 1, 1), 4.0).double()
    )
    found = float(plain.log_likelihood(plain.mean())) + left * math.log(2 * math.pi) / 2
    assert found == pytest.approx(-3.4500, abs=1e-4)


def test_a_mixture_of_one_is_the_gaussian() -> None:
    networks, others = drawn(SMALL, 50), drawn(SMALL, 7, seed=1)
    for components in (3, 10):
        one = fit_mixture(SMALL, networks, 1, components, rng=generator(0)).log_likelihood(others)
        torch.testing.assert_close(
            one, fit_gaussian(SMALL, networks, components).log_likelihood(others), rtol=1e-5, atol=0
        )


def test_a_mixture_is_the_sum_of_its_gaussians_and_finds_kinds() -> None:
    rng = generator(0)
    middles = torch.tensor([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0]]).repeat_interleave(torch.tensor([10, 20, 30]), dim=0)
    networks = unflatten(LINE, middles + torch.randn(60, 2, generator=rng))
    found = fit_mixture(LINE, networks, 3, 2, rng=rng)
    torch.testing.assert_close(found.shares.sort().values, torch.tensor([1 / 6, 1 / 3, 1 / 2]).double())
    others = drawn(LINE, 5)
    z = found.space.coordinates(others).numpy()
    each = [
        float(share) * multivariate_normal(mean.numpy(), covariance.numpy()).pdf(z)
        for share, mean, covariance in zip(found.shares, found.means, found.covariances, strict=True)
    ]
    torch.testing.assert_close(found.log_likelihood(others).exp(), torch.from_numpy(sum(each, np.zeros(5))))
    one = fit_gaussian(LINE, networks, 2)
    assert float(found.log_likelihood(networks).mean()) > float(one.log_likelihood(networks).mean()) + 1


def test_a_cluster_of_few_networks_is_no_thinner_than_the_residual(waves: Waves) -> None:
    found = fit_mixture(waves.learner, waves.trained, 40, 8, rng=generator(0))
    assert float(torch.linalg.eigvalsh(found.covariances).min()) >= 0.999 * found.space.residual
    assert bool(found.log_likelihood(waves.unseen).isfinite().all())


@pytest.mark.parametrize("n_clusters", [1, 3])
@pytest.mark.parametrize("residual", [False, True])
def test_samples_have_the_mean_and_the_covariance(n_clusters: int, residual: bool) -> None:
    networks = drawn(SMALL, 60)
    found = fit_mixture(SMALL, networks, n_clusters, 4, rng=generator(0))
    sampled = flatten(found.sample(40_000, generator(1), residual=residual)).double()
    means, directions = found.means - found.shares @ found.means, found.space.directions
    inside = torch.einsum("k,kij->ij", found.shares, found.covariances + means[:, :, None] * means[:, None, :])
    outside = torch.eye(SMALL.n_parameters).double() - directions.T @ directions
    expected = directions.T @ inside @ directions + residual * found.space.residual * outside
    largest = float(expected.diagonal().max())
    torch.testing.assert_close(sampled.T.cov(correction=0), expected, rtol=0, atol=0.03 * largest)
    torch.testing.assert_close(sampled.mean(0), flatten(found.mean())[0].double(), rtol=0, atol=0.02 * largest**0.5)


def test_the_mean_is_the_mean_of_the_networks(waves: Waves) -> None:
    for found in both_fits(waves):
        mean = found.mean()
        assert {name: tuple(value.shape[1:]) for name, value in mean.items()} == waves.learner.shapes()
        torch.testing.assert_close(flatten(mean)[0], flatten(waves.trained).mean(0), atol=1e-4, rtol=0)


def both_fits(waves: Waves, components: int = 8) -> tuple[WeightDistribution, WeightDistribution]:
    return (
        fit_gaussian(waves.learner, waves.trained, components),
        fit_mixture(waves.learner, waves.trained, components=components, rng=generator(0)),
    )


def test_the_order_of_the_names_does_not_count(waves: Waves) -> None:
    other = dict(reversed(waves.unseen.items()))
    found = fit_gaussian(waves.learner, waves.trained)
    expected = found.log_likelihood(waves.unseen)
    torch.testing.assert_close(found.log_likelihood(other), expected)
    turned = fit_gaussian(waves.learner, dict(reversed(waves.trained.items())))
    torch.testing.assert_close(turned.log_likelihood(waves.unseen), expected)
    torch.testing.assert_close(novelty(other, waves.trained), novelty(waves.unseen, waves.trained))


# ---- what it says of networks ---------------------------------------------------------------------------------------


def test_unseen_networks_of_the_family_are_likelier_than_others(all_waves: list[Waves]) -> None:
    for waves in all_waves:
        tasks = waves.unseen_tasks
        amplitude, phase = tasks.truth[:, 0, None, None], tasks.truth[:, 1, None, None]
        doubled = tasks.with_support(tasks.support_x, amplitude * (2 * tasks.support_x - phase).sin())
        shuffled = tasks.with_support(tasks.support_x, tasks.support_y[:, torch.randperm(32, generator=generator(1))])
        others = [waves.train(doubled), waves.train(shuffled), waves.random]
        for found in both_fits(waves):
            own = float(found.log_likelihood(waves.unseen).mean())
            assert all(own > float(found.log_likelihood(other).mean()) + 100 for other in others)
            # Likely is not good: the density is highest in the middle, where there is no trained network.
            assert float(found.log_likelihood(found.mean())) > float(found.log_likelihood(waves.trained).max())


def test_samples_are_new_networks_that_work(all_waves: list[Waves]) -> None:
    left: dict[str, list[float]] = {"gaussian": [], "mixture": [], "random": []}
    for waves in all_waves:
        pool = Sinusoids().sample(200, 32, rng=generator(1))
        for name, found in zip(left, both_fits(waves), strict=False):
            sampled = found.sample(60, generator(2))
            left[name].append(float(best_fit(waves.learner, sampled, pool)[0].mean()))
            assert float(novelty(sampled, waves.trained).min()) > 0.2
        left["random"].append(float(best_fit(waves.learner, waves.random, pool)[0].mean()))
    medians = {name: statistics.median(values) for name, values in left.items()}
    assert medians["random"] > 0.9, medians
    assert medians["gaussian"] < 0.75 * medians["random"], medians
    assert medians["mixture"] < 0.6 * medians["random"], medians


def test_a_loss_as_it_is_favours_networks_that_answer_nothing(waves: Waves) -> None:
    pool = Sinusoids().sample(200, 32, rng=generator(1))
    losses, which = best_fit(waves.learner, waves.random, pool, relative=False)
    assert float(pool.truth[which, 0].mean()) < 0.5
    assert float(losses.mean()) < 0.3


# ---- best fit and novelty -------------------------------------------------------------------------------------------


def test_all_pairs_are_what_a_loop_gives(waves: Waves) -> None:
    tasks, networks = waves.tasks[:5], {name: value[:7] for name, value in waves.trained.items()}
    found = pair_losses(waves.learner, networks, tasks.support_x, tasks.support_y)
    for i in range(7):
        for j in range(5):
            one = {name: value[i] for name, value in networks.items()}
            expected = waves.learner.loss(one, tasks.support_x[j], tasks.support_y[j])
            assert float(found[i, j]) == pytest.approx(float(expected), rel=1e-4, abs=1e-6)


def test_trained_networks_fit_their_own_tasks_best(waves: Waves) -> None:
    left, which = best_fit(waves.learner, waves.trained, waves.tasks)
    assert float(left.median()) < 0.1
    assert float((which == torch.arange(150)).float().mean()) > 0.5
    raw, _ = best_fit(waves.learner, waves.trained, waves.tasks, relative=False)
    assert raw.shape == left.shape == (150,)


def line_task(y: list[float] | list[int], n_way: int = 1) -> TaskBatch:
    x, labels = torch.zeros(1, len(y), 1), torch.tensor(y)
    y_ = labels[None, :, None] if n_way == 1 else labels[None]
    return TaskBatch(x, y_, x, y_, torch.zeros(1, 1), ("none",), ("line",))


def test_best_fit_is_relative_to_the_best_constant_answer() -> None:
    task = line_task([-2.0, 2.0])
    task = replace(task, query_x=torch.tensor([[[-1.0], [1.0]]]), support_x=torch.tensor([[[-1.0], [1.0]]]))
    identity = unflatten(LINE, torch.tensor([[1.0, 0.0]]))
    assert float(best_fit(LINE, identity, task)[0]) == pytest.approx(0.25)
    judged = replace(task, query_x=2 * task.query_x)  # chosen by the support set, judged by the query set
    assert float(best_fit(LINE, identity, judged)[0]) == pytest.approx(0.0)
    masked = replace(line_task([1.0, 3.0, 100.0]), support_mask=torch.tensor([[True, True, False]]))
    masked = replace(masked, query_mask=masked.support_mask)
    assert float(best_fit(LINE, unflatten(LINE, torch.tensor([[0.0, 2.0]])), masked)[0]) == pytest.approx(1.0)
    classes = MLP(1, 2, hidden=(), classification=True)
    equal = unflatten(classes, torch.zeros(1, 4))
    assert float(best_fit(classes, equal, line_task([0, 1], n_way=2))[0]) == pytest.approx(1.0)


def test_novelty_by_hand() -> None:
    line = MLP(1, 1, hidden=())

    def at(*places: float) -> Parameters:
        return unflatten(line, torch.tensor([[place, 0.0] for place in places]))

    torch.testing.assert_close(novelty(at(4, 6), at(0, 2, 6)), torch.tensor([0.75, 0.0]).double())
    with pytest.raises(ValueError, match="at least 2"):
        novelty(at(1), at(0))
    with pytest.raises(ValueError, match="networks that differ"):
        novelty(at(1), at(0, 0))


# ---- the generator --------------------------------------------------------------------------------------------------


def test_the_generator_makes_networks_for_unseen_tasks(all_waves: list[Waves]) -> None:
    family = Sinusoids()
    losses: dict[str, list[float]] = {"generated": [], "mean": [], "random": []}
    for waves in all_waves:
        made = fit_generator(waves.learner, waves.trained, family.coordinates(waves.tasks.truth), rng=generator(3))
        assert float(made.losses[-1]) < float(made.losses[0])
        mean = fit_gaussian(waves.learner, waves.trained).mean()
        networks = {
            "generated": made.generate(family.coordinates(waves.unseen_tasks.truth)),
            "mean": {name: value.expand(50, *value.shape[1:]) for name, value in mean.items()},
            "random": waves.random,
        }
        for name, parameters in networks.items():
            losses[name].append(mean_loss(waves.learner, parameters, waves.unseen_tasks))
    medians = {name: statistics.median(values) for name, values in losses.items()}
    assert medians["generated"] < 0.6 * medians["mean"], medians
    assert medians["generated"] < 0.6 * medians["random"], medians


def test_the_generator_learns_a_rule_that_there_is() -> None:
    vectors = torch.randn(100, 2, generator=generator(0))
    rule = torch.cat((vectors, torch.randn(100, 8, generator=generator(1)) * 0.01), dim=1)
    made = fit_generator(
        SMALL, unflatten(SMALL, rule), 1000 * vectors + 5, components=2, learning_rate=3e-3, rng=generator(2)
    )
    torch.testing.assert_close(flatten(made.generate(1000 * vectors + 5))[:, :2], vectors, atol=0.1, rtol=0)


def test_vectors_of_a_generator_are_checked(waves: Waves) -> None:
    vectors = waves.tasks.truth
    made = fit_generator(waves.learner, waves.trained, vectors, steps=2, rng=generator(0))
    with pytest.raises(ValueError, match=r"vectors: got .*\(150, 3\).*expected shape \(n, 2\)"):
        made.generate(torch.zeros(150, 3))
    with pytest.raises(ValueError, match=r"vectors: got .*expected shape \(150, d\)"):
        fit_generator(waves.learner, waves.trained, vectors[1:], rng=generator(0))
    with pytest.raises(ValueError, match="vectors: got 1 NaN"):
        made.generate(torch.tensor([[math.nan, 0.0]]))
    constant = fit_generator(waves.learner, waves.trained, torch.ones(150, 1), steps=2, rng=generator(0))
    assert bool(flatten(constant.generate(torch.ones(1, 1))).isfinite().all())


# ---- starts ---------------------------------------------------------------------------------------------------------


def compared(waves: Waves, **options) -> dict[str, list[float]]:
    return compare_starts(waves.learner, waves.trained, waves.tasks, waves.unseen_tasks, rng=generator(4), **options)


def test_starts_are_what_a_loop_by_hand_gives(waves: Waves) -> None:
    found, tasks = compared(waves, steps=(0, 3)), waves.unseen_tasks
    mean = {name: value.mean(0).expand(50, *value.shape[1:]) for name, value in waves.trained.items()}
    assert found["mean of the distribution"][0] == pytest.approx(mean_loss(waves.learner, mean, tasks), rel=1e-5)
    nearest = pair_losses(waves.learner, waves.trained, tasks.support_x, tasks.support_y).argmin(0)
    training = BatchedTraining(waves.learner, {name: value[nearest] for name, value in waves.trained.items()}, "sgd")
    for _ in range(3):
        training.step(tasks.support_x, tasks.support_y, learning_rate=0.002)
    expected = mean_loss(waves.learner, training.parameters, tasks)
    assert found["nearest neighbour"][1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("optimiser", "learning_rate"), [("sgd", 0.002), ("adam", 0.002)])
def test_the_nearest_neighbour_is_the_best_start(all_waves: list[Waves], optimiser: str, learning_rate: float) -> None:
    runs = [compared(waves, optimiser=optimiser, learning_rate=learning_rate) for waves in all_waves]
    near, mean, random = (
        [statistics.median(run[name][at] for run in runs) for at in range(4)]
        for name in ("nearest neighbour", "mean of the distribution", "random")
    )
    assert near[0] < mean[0] < random[0]
    assert near[-1] < mean[-1] < random[-1]
    assert mean[-1] < mean[0]


def test_long_steps_throw_a_trained_network_out_of_its_valley(all_waves: list[Waves]) -> None:
    for options in ({"optimiser": "sgd", "learning_rate": 0.01}, {"optimiser": "adam", "learning_rate": 0.01}):
        runs = [compared(waves, steps=(0, 1, 2, 3, 4, 5), **options) for waves in all_waves]
        worst = [max(run["nearest neighbour"][1:]) / run["nearest neighbour"][0] for run in runs]
        assert statistics.median(worst) > 3
        assert all(run["random"][-1] < run["random"][0] for run in runs)


def test_a_distribution_gives_its_mean_as_a_start(waves: Waves) -> None:
    gaussian, mixture = both_fits(waves)
    plain = compared(waves, steps=(0, 2))["mean of the distribution"]
    assert compared(waves, steps=(0, 2), distribution=gaussian)["mean of the distribution"] == pytest.approx(plain)
    moved = replace(mixture, means=mixture.means + 1)
    assert compared(waves, steps=(0, 2), distribution=moved)["mean of the distribution"] != pytest.approx(plain)


# ---- the same seed, the same numbers --------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same(waves: Waves) -> None:
    def everything(seed: int) -> list[Tensor]:
        mixture = fit_mixture(waves.learner, waves.trained, rng=generator(seed))
        made = fit_generator(waves.learner, waves.trained, waves.tasks.truth, steps=20, rng=generator(seed))
        starts = compare_starts(
            waves.learner, waves.trained, waves.tasks, waves.unseen_tasks, steps=(0, 1), rng=generator(seed)
        )
        return [
            flatten(mixture.sample(5, generator(seed))),
            flatten(made.generate(waves.unseen_tasks.truth)),
            torch.tensor(starts["random"]),
        ]

    before = torch.get_rng_state()
    first, second, other = everything(0), everything(0), everything(1)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_pictures_points_and_masks_have_distributions_too() -> None:
    family = Gaussians()
    tasks = family.sample(30, 8, rng=generator(0))
    learner = MLP(math.prod(family.x_shape), family.n_way, (8,), classification=True)
    start = start_networks(learner, 30, generator(1))
    trained = train_tasks(learner, tasks, 30, start=start, compiled="off").parameters
    found = fit_gaussian(learner, trained, 4)
    left, which = best_fit(learner, found.sample(6, generator(2)), tasks)
    assert left.shape == which.shape == (6,)
    mask = torch.ones(tasks.support_x.shape[:2], dtype=torch.bool)
    masked = replace(tasks, support_mask=mask, query_mask=torch.ones(tasks.query_x.shape[:2], dtype=torch.bool))
    torch.testing.assert_close(best_fit(learner, found.sample(6, generator(2)), masked)[0], left)
    plain = compare_starts(learner, trained, tasks, tasks, steps=(0, 2), rng=generator(3))
    same = compare_starts(learner, trained, masked, masked, steps=(0, 2), rng=generator(3))
    assert all(same[start] == pytest.approx(plain[start]) for start in plain)


def test_names_load_no_scikit_learn() -> None:
    code = "import sys; from taskembed_edu import fit_gaussian, fit_generator; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


# ---- errors that teach ----------------------------------------------------------------------------------------------


def test_too_few_networks() -> None:
    with pytest.raises(ValueError, match="parameters: got 5 networks, expected at least 6 for 4 components"):
        fit_gaussian(SMALL, drawn(SMALL, 5), 4)
    with pytest.raises(ValueError, match="got 2 networks, expected at least 3 for 2 components"):
        fit_gaussian(LINE, drawn(LINE, 2), 2)
    assert bool(fit_gaussian(SMALL, drawn(SMALL, 6), 4).log_likelihood(drawn(SMALL, 6)).isfinite().all())
    with pytest.raises(ValueError, match=r"components: got 3, expected a number from 1 to 2"):
        fit_gaussian(LINE, drawn(LINE, 9), 3)
    with pytest.raises(ValueError, match=r"n_clusters: got 10, expected a number from 1 to 9"):
        fit_mixture(LINE, drawn(LINE, 9), 10, 2, rng=generator(0))


def test_networks_that_are_copies_have_no_density() -> None:
    copies = {name: value[:1].expand(20, *value.shape[1:]) for name, value in drawn(SMALL, 1).items()}
    with pytest.raises(ValueError, match="networks that differ in fewer directions"):
        fit_gaussian(SMALL, copies, 4)


def test_diverged_networks_are_named() -> None:
    networks = drawn(SMALL, 20)
    networks["output.bias"][[3, 17]] = math.nan
    with pytest.raises(ValueError, match=r"not finite in 2 of 20 networks \(3, 17\).*leave them out"):
        fit_gaussian(SMALL, networks, 4)
    with pytest.raises(ValueError, match=r"\(3, 17\)"):
        fit_gaussian(SMALL, drawn(SMALL, 20), 4).log_likelihood(networks)


def test_other_learners_networks_are_told() -> None:
    found = fit_gaussian(SMALL, drawn(SMALL, 20), 4)
    with pytest.raises(ValueError, match=r"hidden_1.weight of shape \(1, 4\) each, expected shape \(n_tasks, 1, 3\)"):
        found.log_likelihood(drawn(MLP(1, 1, hidden=(4,)), 2))
    with pytest.raises(ValueError, match=r"no hidden_1.weight"):
        found.log_likelihood(drawn(LINE, 2))
    with pytest.raises(ValueError, match="one network without its first dimension"):
        weights_of(SMALL, {name: value[0] for name, value in drawn(SMALL, 2).items()})


def test_arguments_of_a_comparison_are_checked(waves: Waves) -> None:
    with pytest.raises(ValueError, match=r"optimiser: got 'sdg'.*Did you mean 'sgd'"):
        compared(waves, optimiser="sdg")
    for wrong, kind in (((-1,), ValueError), ((1.5,), TypeError), ((3, 0), ValueError)):
        with pytest.raises(kind, match=r"steps: got "):
            compared(waves, steps=wrong)
    fewer = {name: value[1:] for name, value in waves.trained.items()}
    with pytest.raises(ValueError, match="train_parameters: got 149 networks, expected 150"):
        compare_starts(waves.learner, fewer, waves.tasks, waves.unseen_tasks, rng=generator(0))
    with pytest.raises(ValueError, match="n: got 0"):
        fit_gaussian(SMALL, drawn(SMALL, 20), 4).sample(0, generator(0))
