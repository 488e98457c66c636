"""Digits that are moved, scaled, or have their pixels in another order; by default they are as they always were."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from taskembed_edu import Digits, Session
from taskembed_edu.tasks.digits import N_DIGITS, SIDE
from taskembed_edu.tasks.pictures import rotate
from tests.runs import generator

COLUMNS = ("shift right", "shift down", "scale", "pixel order")
EVERYTHING = Digits(shift=2.0, scale=(0.5, 1.5), orders=5)


def test_by_default_tasks_are_drawn_as_they_were() -> None:
    """The draws, in their old order: angles, then sets of digits, then pictures; and the old rotation."""
    family = Digits()
    tasks = family.sample(6, 2, rng=generator(7), n_query=1)
    rng = generator(7)
    angle = 0.0 + (math.pi / 2 - 0.0) * torch.rand(6, 1, generator=rng)
    sets = torch.tensor(list(itertools.combinations(range(10), 3)))
    chosen = sets[torch.randint(len(sets), (6,), generator=rng)]
    assert torch.equal(tasks.truth, torch.cat((angle, F.one_hot(chosen, 10).sum(1).float()), dim=1))
    assert family.truth_names == ("angle", *(f"contains {digit}" for digit in range(10)))

    pictures = torch.rand(6, 4, 1, 8, 8, generator=rng)
    cos, sin, zero = angle[:, 0].cos(), angle[:, 0].sin(), torch.zeros(6)
    matrix = torch.stack((torch.stack((cos, -sin, zero), 1), torch.stack((sin, cos, zero), 1)), 1)
    grid = F.affine_grid(matrix, [6, 4, 8, 8], align_corners=False)
    before = F.grid_sample(pictures.squeeze(2), grid, align_corners=False).unsqueeze(2)
    assert torch.equal(rotate(pictures, angle[:, 0]), before)


@pytest.mark.parametrize(("right", "down"), [(1, 0), (0, 2), (-3, 1), (0, 0)])
def test_whole_pixels_are_moved_as_they_are(right: int, down: int) -> None:
    pictures = torch.rand(1, 2, 1, 8, 8, generator=generator())
    moved = rotate(pictures, torch.zeros(1), torch.tensor([[float(right), float(down)]]))
    for y, x in itertools.product(range(8), range(8)):
        inside = 0 <= y - down < 8 and 0 <= x - right < 8
        was = pictures[0, :, 0, y - down, x - right] if inside else torch.zeros(2)
        torch.testing.assert_close(moved[0, :, 0, y, x], was, atol=1e-5, rtol=0)


def test_a_shift_is_of_the_turned_picture() -> None:
    pictures = torch.rand(1, 1, 1, 8, 8, generator=generator())
    angle, shift = torch.tensor([math.pi / 2]), torch.tensor([[2.0, 0.0]])
    torch.testing.assert_close(
        rotate(pictures, angle, shift), rotate(rotate(pictures, angle), torch.zeros(1), shift), atol=1e-5, rtol=0
    )


def test_twice_as_large_is_twice_as_far_from_the_middle() -> None:
    dot = torch.zeros(1, 1, 1, 16, 16)
    dot[0, 0, 0, 6:8, 9:11] = 1  # its middle is 1 above, and 2 to the right of the picture's
    large = rotate(dot, torch.zeros(1), scale=2.0)[0, 0, 0]
    places = torch.arange(16) - 7.5
    assert float((large.sum(0) * places).sum() / large.sum()) == pytest.approx(4, abs=1e-4)
    assert float((large.sum(1) * places).sum() / large.sum()) == pytest.approx(-2, abs=1e-4)
    assert float(large.sum()) == pytest.approx(16, rel=1e-4), "four times the area"


def test_the_pixels_of_a_task_are_in_one_order() -> None:
    family = Digits(orders=3)
    tasks = family.sample(40, 1, rng=generator(), n_query=1)
    orders = tasks.truth[:, -1].long()
    assert set(orders.tolist()) == {0, 1, 2}
    plain = Digits().draw_samples(tasks.truth[:, : 1 + N_DIGITS], 2, generator(3))[0]
    mixed = family.draw_samples(tasks.truth, 2, generator(3))[0]
    found: dict[int, list[int]] = {}
    for task, k in enumerate(orders.tolist()):
        for was, now in zip(plain[task], mixed[task], strict=True):
            assert sorted(was.flatten().tolist()) == sorted(now.flatten().tolist())
        if k == 0:
            assert torch.equal(plain[task], mixed[task]), "order 0 is the natural one"
        # Pixels whose values are theirs alone tell where each came from.
        values = plain[task, 0].flatten().tolist()
        places = {v: i for i, v in enumerate(values) if values.count(v) == 1}
        for place, value in enumerate(mixed[task, 0].flatten().tolist()):
            if value in places:
                known = found.setdefault(k, [-1] * SIDE**2)
                assert known[place] in {-1, places[value]}, "the same order for every picture"
                known[place] = places[value]


def test_columns_are_there_where_they_are_asked_for() -> None:
    assert EVERYTHING.truth_names[1 + N_DIGITS :] == COLUMNS
    assert EVERYTHING.truth_kinds[1 + N_DIGITS :] == ("quantity", "quantity", "quantity", "category")
    assert Digits(scale=(0.8, 0.8)).truth_names == Digits().truth_names, "one scale for all is no parameter of a task"
    truth = EVERYTHING.sample(400, 1, rng=generator()).truth
    right, down, scale, order = truth[:, 1 + N_DIGITS :].unbind(1)
    for shift in (right, down):
        assert -2 <= shift.min() < -1.8
        assert 1.8 < shift.max() <= 2
    assert 0.5 <= scale.min() < 0.55
    assert 1.4 < scale.max() <= 1.5
    assert set(order.tolist()) == set(range(5))
    assert EVERYTHING.task_name(truth[0]).count(",") >= 5


def test_the_new_distances_by_hand() -> None:
    """Opposite corners, the ends of the scales and two orders are each as far as two disjoint sets of digits: 2."""
    same = [0.5, *(float(d < 3) for d in range(10))]

    def apart(family: Digits, one: list[float], other: list[float]) -> float:
        places = family.coordinates(torch.tensor([same + one, same + other], dtype=torch.float64))
        return float(torch.dist(places[0], places[1]))

    assert apart(Digits(), [], []) == 0
    assert Digits().coordinates(torch.tensor([same])).shape == (1, 12), "by default as it was"
    assert apart(Digits(shift=3.0), [3, 3], [-3, -3]) == pytest.approx(2)
    assert apart(Digits(shift=3.0), [3, 0], [-3, 0]) == pytest.approx(math.sqrt(2))
    assert apart(Digits(scale=(0.5, 2.0)), [0.5], [2.0]) == pytest.approx(2)
    assert apart(Digits(scale=(0.5, 2.0)), [0.5], [1.0]) == pytest.approx(1)
    assert apart(Digits(orders=4), [1], [3]) == pytest.approx(2)
    assert apart(Digits(orders=4), [2], [2]) == 0
    assert apart(EVERYTHING, [2, 2, 0.5, 0], [-2, -2, 1.5, 1]) == pytest.approx(math.sqrt(12))


def test_the_same_task_is_drawn_again() -> None:
    tasks = EVERYTHING.sample(5, 2, rng=generator())
    again = EVERYTHING.redraw(tasks, generator(4))
    assert torch.equal(again.truth, tasks.truth)
    assert again.support_x.shape == tasks.support_x.shape
    assert not torch.equal(again.support_x, tasks.support_x)
    assert EVERYTHING.sample(5, 2, rng=generator()) == tasks
    parts = EVERYTHING.split(generator())
    assert parts.unseen.sample(3, 1, rng=generator()).truth.shape == (3, 15)
    distances = EVERYTHING.true_distance(tasks)
    assert torch.equal(distances, distances.T)


@pytest.mark.parametrize("embedder", ["metric", "summary", "parameters"])
def test_embedders_read_them(embedder: str) -> None:
    session = Session(embedder, family=Digits(shift=1.0, orders=2), n_tasks=8, projection="pca")
    session.step(2)
    assert session.frame.embedding.shape[0] == 8
    assert session.recording()["family"]["shift"] == 1.0


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"shift": -1}, ValueError, "shift: got -1, expected a number from 0 to 4"),
        ({"shift": 5}, ValueError, "shift: got 5"),
        ({"shift": math.nan}, ValueError, "shift: got nan"),
        ({"shift": None}, TypeError, "shift: got None"),
        ({"scale": 2.0}, TypeError, "scale: got 2.0, expected two numbers"),
        ({"scale": (0.0, 1.0)}, ValueError, "scale: got 0.0, expected a number from 0.25 to 4"),
        ({"scale": (2.0, 1.0)}, ValueError, "scale: got .* the lower one first"),
        ({"orders": 0}, ValueError, "orders: got 0"),
        ({"orders": 1.5}, TypeError, "orders: got 1.5, expected a whole number"),
        ({"orders": "two"}, TypeError, "orders: got 'two'"),
    ],
)
def test_bad_arguments_are_explained(given: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Digits(**given)
