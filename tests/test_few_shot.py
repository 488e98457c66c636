"""Few-shot learning: prototypical networks against plain loops, digits never trained on, classes numbered anew."""

from __future__ import annotations

import itertools
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from taskembed_edu import MAML, MLP, ConvNet, Digits, Gaussians, OuterLoop, Sinusoids, prototypical_loss
from taskembed_edu.adaptation import PrototypicalNetwork, class_means
from taskembed_edu.evaluation.solvers import Prototypes, features_of, learned
from taskembed_edu.evaluation.transfer import transfer
from taskembed_edu.tasks.batch import TaskBatch
from taskembed_edu.tasks.pictures import turned_classes
from tests.runs import generator

POINTS = Gaussians()
SMALL = MLP(2, 4, (6,), classification=True)


def start_of(method: PrototypicalNetwork, seed: int = 0) -> dict[str, Tensor]:
    return {name: value.unsqueeze(0) for name, value in method.network.init(generator(seed)).items()}


@pytest.mark.parametrize("metric", ["squared_euclidean", "euclidean"])
def test_the_outer_loss_is_the_mean_of_each_episodes_loss(metric: str) -> None:
    tasks = POINTS.sample(5, 3, rng=generator(0)).relabelled(generator(1))
    method = PrototypicalNetwork(SMALL, metric=metric)
    start = start_of(method)
    one = {name: value[0] for name, value in start.items()}
    plain = [
        prototypical_loss(
            SMALL.apply(one, tasks.support_x[k]),
            tasks.support_y[k],
            SMALL.apply(one, tasks.query_x[k]),
            tasks.query_y[k],
            metric,
        )
        for k in range(5)
    ]
    torch.testing.assert_close(method.outer_loss(start, tasks), torch.stack(plain).mean())
    torch.testing.assert_close(method.losses_along(start, tasks, (0, 5)), torch.stack(plain).expand(2, -1))


@given(st.integers(1, 4), st.integers(2, 4), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_a_prototype_is_the_mean_of_what_is_there(n_tasks: int, n_way: int, seed: int) -> None:
    rng = generator(seed)
    features = torch.randn(n_tasks, 7, 3, generator=rng)
    labels = torch.randint(n_way, (n_tasks, 7), generator=rng)
    mask = torch.rand(n_tasks, 7, generator=rng) < 0.7
    means = class_means(features, labels, n_way, mask)
    for task, k in itertools.product(range(n_tasks), range(n_way)):
        chosen = features[task][(labels[task] == k) & mask[task]]
        expected = chosen.mean(0) if len(chosen) else torch.zeros(3)
        torch.testing.assert_close(means[task, k], expected)


def test_it_is_trained_by_the_outer_loop_and_solves_by_its_prototypes() -> None:
    parts = POINTS.split(generator(0))
    rng = generator(0)
    metrics = ("squared_euclidean", "euclidean")
    loops = {metric: OuterLoop(PrototypicalNetwork(SMALL, metric=metric), generator(0)) for metric in metrics}
    for _ in range(40):
        tasks = parts.train.sample(8, 5, rng=rng)
        losses = {metric: float(loop.step(tasks, 1e-2)) for metric, loop in loops.items()}
    assert losses["squared_euclidean"] != losses["euclidean"], "the two distances are two models"
    new = parts.unseen.sample(20, 5, rng=generator(5))
    solver = learned(loops["squared_euclidean"])
    assert isinstance(solver, Prototypes)
    found = transfer({"prototypes": solver}, new, (0, 5))
    assert found.of("prototypes", "loss")[0].tolist() == found.of("prototypes", "loss")[1].tolist()
    method = loops["squared_euclidean"].method
    torch.testing.assert_close(
        found.of("prototypes", "loss"), method.losses_along(loops["squared_euclidean"].start, new, (0, 5))
    )
    before = PrototypicalNetwork(SMALL).losses_along(start_of(PrototypicalNetwork(SMALL)), new, (0,)).mean()
    assert found.mean("prototypes", "loss", 0) < float(before)
    moved = method.adapt(loops["squared_euclidean"].start, new)
    assert all(len(value) == 20 for value in moved.values())


def test_what_a_prototypical_network_cannot_do_is_said() -> None:
    with pytest.raises(ValueError, match="inner_steps: got 3 at the rate 0, expected none"):
        PrototypicalNetwork(SMALL, inner_steps=3)
    with pytest.raises(ValueError, match="metric: got 'cosin'"):
        PrototypicalNetwork(SMALL, metric="cosin")
    loop = OuterLoop(PrototypicalNetwork(MLP(1, 4, (6,))))
    with pytest.raises(ValueError, match=r"support_y: .*these tasks have none"):
        loop.step(Sinusoids().sample(3, 4, rng=generator(0)))


# ---- digits that are never trained on --------------------------------------------------------------------------------


def digits_in(tasks: TaskBatch) -> set[int]:
    return set((tasks.truth[:, 1:] > 0.5).any(dim=0).nonzero().flatten().tolist())


@pytest.mark.parametrize(("n_way", "trained"), [(5, (0, 1, 2, 3, 4)), (3, (9, 0, 4, 7)), (2, (1, 8))])
def test_the_digits_of_never_seen_tasks_are_in_no_training_task(n_way: int, trained: tuple[int, ...]) -> None:
    parts = Digits(n_way=n_way).split_by_digit(generator(0), trained)
    seen = [digits_in(part.sample(60, 2, rng=generator(1))) for part in parts]
    assert seen[0] <= set(trained)
    assert seen[1] <= set(trained)
    assert seen[2] <= set(range(10)) - set(trained)
    pictures = [{image for of in part.part[1] for image in of} for part in parts]
    assert not pictures[0] & pictures[1]
    assert not (pictures[0] | pictures[1]) & pictures[2]
    assert len(set.union(*pictures)) == 1797
    with pytest.raises(ValueError, match=r"n_shot: got 9999, expected at most \d\d+ pictures"):
        parts.train.sample(1, 9998, rng=generator(0), n_query=1)


def test_a_split_that_leaves_too_few_digits_is_refused() -> None:
    for trained in ((0, 1, 2, 3), (0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 12)):
        with pytest.raises(ValueError, match=r"trained: got .* A task has 5 digits"):
            Digits(n_way=5).split_by_digit(generator(0), trained)
    part = Digits(n_way=5).split_by_digit(generator(0)).train
    with pytest.raises(ValueError, match="split: got a part"):
        part.split_by_digit(generator(0))  # type: ignore[attr-defined]


def test_classes_are_numbered_anew_in_support_and_query_alike() -> None:
    tasks = Digits(n_way=4).sample(200, 2, rng=generator(0))
    again = tasks.relabelled(generator(1))
    orders = set()
    for k in range(200):
        pairs = set(zip(tasks.support_y[k].tolist(), again.support_y[k].tolist(), strict=True))
        pairs |= set(zip(tasks.query_y[k].tolist(), again.query_y[k].tolist(), strict=True))
        assert len(pairs) == 4, "one new number a class, the same in both sets"
        orders.add(tuple(new for _old, new in sorted(pairs)))
    assert orders == set(itertools.permutations(range(4)))
    with pytest.raises(ValueError, match=r"support_y: .*expected labels of classes"):
        Sinusoids().sample(2, 3, rng=generator(0)).relabelled(generator(0))


def symmetry(x: Tensor, k: int, mirrored: bool) -> Tensor:
    return torch.rot90(x.flip(-1) if mirrored else x, k, (-2, -1))


def test_each_class_is_turned_in_a_way_of_its_own() -> None:
    tasks = Digits(n_way=3).sample(100, 2, rng=generator(0))
    turned = turned_classes(tasks, generator(1))
    ways = [partial(symmetry, k=k, mirrored=mirrored) for mirrored in (False, True) for k in range(4)]
    met = set()
    for task, label in itertools.product(range(100), range(3)):
        before, after = (
            torch.cat((of.support_x[task][of.support_y[task] == label], of.query_x[task][of.query_y[task] == label]))
            for of in (tasks, turned)
        )
        fits = [k for k, way in enumerate(ways) if torch.equal(way(before), after)]
        assert len(fits) == 1
        met.add(fits[0])
    assert met == set(range(8))


def test_what_has_no_classes_to_turn_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tasks: got .*expected classes of square pictures"):
        turned_classes(Sinusoids().sample(2, 3, rng=generator(0)), generator(0))


def test_five_classes_are_too_few_and_their_symmetries_help() -> None:
    parts = Digits(n_way=5, angle=(-0.26, 0.26)).split_by_digit(generator(0))
    solvers = {}
    for name in ("as they are", "turned"):
        loop, rng = OuterLoop(PrototypicalNetwork(ConvNet((1, 8, 8), 32)), generator(0)), generator(0)
        for _ in range(40):
            tasks = parts.train.sample(8, 5, rng=rng, n_query=5)
            loop.step(turned_classes(tasks, rng) if name == "turned" else tasks, 3e-3)
        solvers[name] = learned(loop)
    new = parts.unseen.sample(100, 1, rng=generator(9), n_query=10)
    found = transfer(solvers, new, (0,))
    assert found.mean("turned", "accuracy", 0) > found.mean("as they are", "accuracy", 0) + 0.05


def test_a_start_of_another_network_is_said() -> None:
    method = PrototypicalNetwork(MLP(2, 4, (8,), classification=True))
    with pytest.raises(ValueError, match="These are not a stack of this mlp's networks"):
        method.losses_along(start_of(PrototypicalNetwork(SMALL)), POINTS.sample(2, 3, rng=generator(0)), [0])


def test_a_transfer_says_what_is_no_solver_no_task_and_no_list() -> None:
    tasks, solver = POINTS.sample(3, 3, rng=generator(0)), Prototypes(lambda x: x)
    with pytest.raises(TypeError, match="a solver, such as FromStart or Prototypes"):
        transfer({"mine": 3}, tasks)  # type: ignore[dict-item]
    for nothing in (tasks[:0], None):
        with pytest.raises(ValueError, match="at least one new task"):
            transfer({"mine": solver}, nothing)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"One is a list of one: \[5\]"):
        transfer({"mine": solver}, tasks, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="loop: got None, expected an outer loop"):
        learned(None)  # type: ignore[arg-type]
    waves = Sinusoids().sample(2, 3, rng=generator(0))
    with pytest.raises(ValueError, match="tasks whose samples this mlp can read"):
        transfer({"mine": learned(OuterLoop(MAML(SMALL)))}, waves)
    with pytest.raises(ValueError, match="These are not a stack of this conv's networks"):
        features_of(ConvNet((1, 8, 8), 5, (4, 4)), {})
