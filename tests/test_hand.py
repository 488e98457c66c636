"""Other hands, whole tasks turned, every drawing a prototype once, and features averaged over looks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from taskembed_edu import Digits, Gaussians, Sinusoids, TaskBatch
from taskembed_edu.adaptation.augmentation import augmented
from taskembed_edu.adaptation.features import EpisodeTraining, OneShotTraining
from taskembed_edu.adaptation.prototypes import one_shot_losses, prototype_losses
from taskembed_edu.networks.conv_blocks import conv_blocks
from taskembed_edu.tasks.hand import drawn_anew, places_by_hand
from taskembed_edu.tasks.pictures import turned_tasks
from tests.runs import generator

DIGITS = Digits(n_way=4)


def flat(x: Tensor) -> Tensor:
    return x.flatten(1)


# ---- hands -----------------------------------------------------------------------------------------------------------


def test_without_slant_distortion_and_moving_pictures_stay() -> None:
    pictures = torch.rand(5, 1, 28, 28, generator=generator())
    torch.testing.assert_close(drawn_anew(pictures, generator(), 0, 0, 0), pictures, atol=1e-5, rtol=0)


def test_another_hand_moves_ink_but_not_far() -> None:
    dot = torch.zeros(200, 1, 28, 28)
    dot[:, :, 13:15, 13:15] = 1
    drawn = drawn_anew(dot, generator(), moved=2.0)
    middles = torch.arange(28) - 13.5
    mass = drawn.sum((1, 2, 3))
    right = (drawn.sum((1, 2)) * middles).sum(1) / mass
    assert float(right.abs().max()) < 2 + 5 * 0.09 * 14
    assert float(right.std()) > 0.8
    assert torch.equal(drawn, drawn_anew(dot, generator()))
    assert not torch.equal(drawn, drawn_anew(dot, generator(1)))


def test_a_slant_is_a_turn_and_a_shear() -> None:
    places, scale = places_by_hand(300, 9, generator(), slant=15, distortion=0)
    assert torch.equal(scale, torch.ones(300))
    right = places[:, 4, 8] - places[:, 4, 0]  # from end to end of the middle row: turned, and not sheared
    turns = torch.atan2(right[:, 1], right[:, 0])
    assert 14 < math.degrees(float(turns.abs().max())) <= 15
    torch.testing.assert_close(right.norm(dim=1), torch.full((300,), 16 / 9), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("pictures", "given", "said"),
    [
        (torch.rand(3, 28, 28), {}, "pictures: got a tensor of shape .3, 28, 28"),
        (torch.rand(3, 1, 28, 20), {}, "pictures: got"),
        (None, {}, "pictures: got None"),
        (torch.rand(3, 1, 8, 8), {"slant": 50}, "slant: got 50"),
        (torch.rand(3, 1, 8, 8), {"distortion": math.nan}, "distortion: got nan"),
        (torch.rand(3, 1, 8, 8), {"moved": -1}, "moved: got -1"),
    ],
)
def test_what_no_hand_can_draw_is_explained(pictures: Any, given: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        drawn_anew(pictures, generator(), **given)


# ---- whole tasks turned ----------------------------------------------------------------------------------------------


def test_all_pictures_of_a_task_are_turned_in_one_way() -> None:
    tasks = DIGITS.sample(60, 2, rng=generator(), n_query=1)
    turned = turned_tasks(tasks, generator(1))
    seen = set()
    for before, after in zip(tasks, turned, strict=True):
        ways = [
            k
            for k in range(8)
            if all(
                torch.equal(torch.rot90(x.flip(-1) if k >= 4 else x, k % 4, (-2, -1)), y)
                for x, y in (
                    (before.episode.support_x, after.episode.support_x),
                    (before.episode.query_x, after.episode.query_x),
                )
            )
        ]
        assert len(ways) == 1
        seen.add(ways[0])
    assert seen == set(range(8))
    assert torch.equal(turned.support_y, tasks.support_y)
    with pytest.raises(ValueError, match=r"tasks: got .*expected classes of square pictures"):
        turned_tasks(Sinusoids().sample(2, rng=generator()), generator())


# ---- every drawing is the prototype once -----------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["squared_euclidean", "euclidean"])
def test_the_loss_is_that_of_plain_loops(metric: str) -> None:
    tasks = Gaussians(n_way=3).sample(2, 1, rng=generator(), n_query=2).relabelled(generator(1))
    x, y = torch.cat((tasks.support_x, tasks.query_x), 1), torch.cat((tasks.support_y, tasks.query_y), 1)
    power = 2 if metric == "squared_euclidean" else 1
    for task, found in enumerate(one_shot_losses(lambda v: v / 3, tasks, metric)):
        of = [[x[task, i] / 3 for i in range(9) if y[task, i] == k] for k in range(3)]
        terms = [
            -torch.log_softmax(torch.stack([-((of[k][j] - of[c][i]).norm() ** power) for c in range(3)]), 0)[k]
            for i in range(3)
            for j in range(3)
            for k in range(3)
            if i != j
        ]
        assert float(found) == pytest.approx(float(torch.stack(terms).mean()), rel=1e-4)


def test_of_two_samples_it_is_the_mean_of_both_ways() -> None:
    tasks = DIGITS.sample(3, 1, rng=generator(), n_query=1)
    other = dataclasses.replace(
        tasks, support_x=tasks.query_x, support_y=tasks.query_y, query_x=tasks.support_x, query_y=tasks.support_y
    )
    both = (prototype_losses(flat, tasks) + prototype_losses(flat, other)) / 2
    torch.testing.assert_close(one_shot_losses(flat, tasks), both)


@pytest.mark.parametrize(
    "tasks",
    [
        Sinusoids().sample(2, rng=generator()),
        dataclasses.replace(DIGITS.sample(2, 1, rng=generator()), query_y=torch.zeros(2, 4, dtype=torch.long)),
        dataclasses.replace(DIGITS.sample(2, 1, rng=generator()), query_mask=torch.ones(2, 4, dtype=torch.bool)),
    ],
    ids=["no classes", "not as many", "padding"],
)
def test_tasks_of_which_no_one_shot_episodes_can_be_made_are_explained(tasks: TaskBatch) -> None:
    with pytest.raises(ValueError, match=r"tasks: got .*expected classes with as many samples each, at least two"):
        one_shot_losses(flat, tasks)


def test_training_steps_on_this_loss() -> None:
    tasks = DIGITS.sample(2, 1, rng=generator(), n_query=2)
    one, other = (of(conv_blocks(generator(), (1, 8, 8), (4, 4))) for of in (OneShotTraining, EpisodeTraining))
    network = conv_blocks(generator(), (1, 8, 8), (4, 4)).train()
    assert float(one.step(tasks)) == pytest.approx(float(one_shot_losses(network, tasks).mean().detach()), rel=1e-5)
    assert float(other.step(tasks)) != float(one.step(tasks))
    with pytest.raises(TypeError, match="tasks: got 3"):
        one.step(3)  # type: ignore[arg-type]


# ---- several looks ---------------------------------------------------------------------------------------------------


def test_features_are_the_mean_over_looks() -> None:
    pictures = torch.rand(4, 1, 28, 28, generator=generator())
    rng = generator(5)
    looks = [pictures, *(drawn_anew(pictures, rng, slant=5.0) for _ in range(2))]
    plain = torch.stack([flat(look) for look in looks]).mean(0)
    steady = augmented(flat, 3, seed=5, slant=5.0)
    torch.testing.assert_close(steady(pictures), plain)
    assert torch.equal(steady(pictures), steady(pictures)), "the same pictures have the same features"
    assert torch.equal(augmented(flat, 1)(pictures), flat(pictures))


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ((None,), TypeError, "features: got None"),
        ((flat, 0), ValueError, "n_looks: got 0"),
        ((flat, 1.5), TypeError, "n_looks: got 1.5"),
        ((flat, 2, -1), ValueError, "seed: got -1"),
    ],
)
def test_bad_arguments_are_explained(given: tuple[Any, ...], error: type[Exception], said: str) -> None:
    make: Callable[..., Any] = augmented
    with pytest.raises(error, match=said):
        make(*given)
