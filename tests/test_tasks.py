"""Tasks: what travels in a batch, truths by hand, and that no part of a split shares a task or an image."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.utils.data import Subset

from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.live.export import export_html
from taskembed_edu.session.recordings import load_recording, save_recording
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import FAMILIES, Digits, Gaussians, Sinusoids, Task, TaskBatch, TaskFamily, task_family
from taskembed_edu.tasks.base import N_SLICES, split_slices, uniform
from taskembed_edu.tasks.pictures import rotate
from tests.runs import assert_same_frames, generator, small_session

EVERY = [Sinusoids(), Gaussians(), Gaussians(n_way=3, dim=4), Digits(), Digits(n_way=5)]


def same(one: TaskBatch, other: TaskBatch) -> bool:
    tensors = ("support_x", "support_y", "query_x", "query_y", "truth")
    return one.names == other.names and all(torch.equal(getattr(one, n), getattr(other, n)) for n in tensors)


# ---- shapes, draws, independence ---------------------------------------------------------------------------------


@pytest.mark.parametrize("family", EVERY, ids=repr)
def test_shapes_and_dtypes(family: TaskFamily) -> None:
    tasks = family.sample(7, n_shot=3, n_query=2, rng=generator())
    assert tasks.support_x.shape == (7, 3 * family.n_way, *family.x_shape)
    assert tasks.query_x.shape == (7, 2 * family.n_way, *family.x_shape)
    y_shape = () if family.classification else (1,)
    assert tasks.support_y.shape == (7, 3 * family.n_way, *y_shape)
    assert tasks.query_y.shape == (7, 2 * family.n_way, *y_shape)
    assert tasks.support_y.dtype == (torch.int64 if family.classification else torch.float32)
    assert tasks.support_x.dtype == tasks.truth.dtype == torch.float32
    assert tasks.truth.shape == (7, len(family.truth_names)) == (7, len(family.truth_kinds))
    assert tasks.truth_names == family.truth_names
    assert len(tasks) == len(tasks.names) == 7
    assert family.x_shape == tuple(tasks.support_x.shape[2:])


@pytest.mark.parametrize("family", EVERY, ids=repr)
def test_defaults(family: TaskFamily) -> None:
    tasks = family.sample(2, rng=generator())
    assert tasks.support_x.shape[1] == tasks.query_x.shape[1] == family.default_shot * family.n_way


@pytest.mark.parametrize("family", EVERY, ids=repr)
def test_a_seed_decides_the_tasks_and_nothing_else_does(family: TaskFamily) -> None:
    before = torch.random.get_rng_state()
    first = family.sample(5, rng=generator(1))
    assert same(first, family.sample(5, rng=generator(1)))
    assert not same(first, family.sample(5, rng=generator(2)))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("family", EVERY, ids=repr)
def test_a_redraw_is_the_same_tasks_with_new_samples(family: TaskFamily) -> None:
    rng = generator()
    tasks = family.sample(5, n_shot=4, rng=rng)
    again = family.redraw(tasks, rng)
    assert again.support_x.shape == tasks.support_x.shape
    assert torch.equal(again.truth, tasks.truth)
    assert torch.equal(again.query_x, tasks.query_x)
    assert not torch.equal(again.support_x, tasks.support_x)
    assert not torch.equal(again.support_x, family.redraw(tasks, rng).support_x)
    assert family.redraw(tasks, rng, n_shot=2).support_x.shape[1] == 2 * family.n_way


def test_redrawn_sets_are_independent() -> None:
    tasks = Gaussians(spread=1.0).sample(400, n_shot=8, rng=generator())
    again = Gaussians(spread=1.0).redraw(tasks, generator(5))
    means = tasks.truth.reshape(400, 2, 1, 2)
    one, other = ((batch.support_x.unflatten(1, (2, 8)) - means).flatten() for batch in (tasks, again))
    correlation = torch.corrcoef(torch.stack((one, other)))[0, 1]
    assert abs(float(correlation)) < 0.04  # four standard errors of 12,800 independent numbers


# ---- the batch -----------------------------------------------------------------------------------------------------


def test_one_entry_is_a_task_and_a_slice_is_a_batch() -> None:
    tasks = Gaussians().sample(6, n_shot=2, rng=generator())
    third = tasks[2]
    assert isinstance(third, Task)
    assert torch.equal(third.episode.support_x, tasks.support_x[2])
    assert torch.equal(third.episode.query_y, tasks.query_y[2])
    assert torch.equal(third.truth, tasks.truth[2])
    assert third.name == tasks.names[2]
    assert repr(third) == f"Task({third.name}: 4 support, 4 query)"
    assert tasks[-1].name == tasks.names[5]
    assert [task.name for task in tasks] == list(tasks.names)
    for which, expected in (
        (slice(2, 5), [2, 3, 4]),
        ([5, 0], [5, 0]),
        (torch.tensor([1, 1]), [1, 1]),
        (torch.arange(6) % 2 == 0, [0, 2, 4]),
        ([], []),
    ):
        part = tasks[which]
        assert part.names == tuple(tasks.names[i] for i in expected)
        assert torch.equal(part.support_x, tasks.support_x[expected])
        assert torch.equal(part.truth, tasks.truth[expected])
    with pytest.raises(IndexError):
        tasks[6]


@pytest.mark.parametrize("one", [2, np.int64(2), np.uint8(2), torch.tensor(2), np.array(2), -1])
def test_one_task_is_found_by_an_integer_of_any_type(one: Any) -> None:
    tasks = Gaussians().sample(3, rng=generator())
    assert tasks[one] == tasks[2]


@pytest.mark.parametrize("several", [[1, 2], np.array([1, 2]), torch.tensor([1, 2]), np.array([0, 1, 1], dtype=bool)])
def test_several_tasks_are_found_by_a_list_of_any_type(several: Any) -> None:
    tasks = Gaussians().sample(3, rng=generator())
    assert tasks[several] == tasks[1:]


def test_one_entry_of_an_array_is_a_batch_of_one() -> None:
    tasks = Gaussians().sample(3, rng=generator())
    for one in (np.array([1]), torch.tensor([1]), [1]):
        assert tasks[cast(Any, one)] == tasks[1:2]


def test_a_subset_of_torch_finds_its_tasks() -> None:
    tasks = Gaussians().sample(3, rng=generator())
    assert Subset(cast(Any, tasks), cast(Any, np.array([1, 2])))[0] == tasks[1]
    session = small_session()
    near, _ = session.nearest(session.frame, 3)
    assert session.tasks[near[0]].name == session.tasks.names[int(near[0])]


@pytest.fixture
def double_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double_by_default")
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("embedder", EMBEDDERS)
def test_every_method_runs_whatever_the_default_dtype(embedder: str, name: str) -> None:
    if EMBEDDERS[embedder]().takes(FAMILIES[name]()):
        session = Session(embedder, family=name, n_tasks=8, projection="pca")
        assert np.isfinite(session.step(2).embedding).all()


@pytest.mark.parametrize(
    "family",
    [
        Gaussians(n_way=cast(int, np.int64(3)), spread=cast(float, np.float32(0.25))),
        Sinusoids(amplitude=cast(Any, (np.float32(0.1), np.float32(5)))),
        Sinusoids(amplitude=cast(Any, np.array([0.5, 2.0])).tolist(), phase=cast(Any, [0, np.float64(1.5)])),
    ],
)
def test_numpys_numbers_in_a_family_are_pythons_in_what_it_writes(family: TaskFamily, tmp_path: Path) -> None:
    session = Session("metric", family=family, n_tasks=8, projection="pca", device="cpu", seed=cast(int, np.int64(2)))
    session.step(cast(int, np.int64(2)))
    session.set(margin=np.float32(0.1))
    path = save_recording(session.recording(), tmp_path / "recording.json")
    assert load_recording(path)["events"][-1]["changes"] == {"margin": 0.1}
    assert_same_frames(Session.replay(load_recording(path)), session)
    made: dict[str, Any] = {}
    exec(session.code(), made)
    assert_same_frames(made["session"], session)
    assert "np." not in session.code()
    assert export_html([session], tmp_path / "run.html").stat().st_size > 10_000


@pytest.mark.parametrize("ends", [(1,), [1, 2, 3], (2.0, 1.0), (0.0, math.nan), "12", 5.0, None])
def test_a_range_is_two_numbers_the_lower_one_first(ends: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"amplitude: got .*expected"):
        Sinusoids(amplitude=ends)


def test_masks_travel_and_hide_padding() -> None:
    tasks = Sinusoids().sample(3, n_shot=4, rng=generator())
    support_mask = torch.tensor([[True] * 4, [True, True, False, False], [False, True, True, False]])
    query_mask = torch.tensor([[True] * 4, [True] * 4, [False, False, False, True]])
    masked = dataclasses.replace(tasks, support_mask=support_mask, query_mask=query_mask)
    assert [len(task.episode.support_x) for task in masked] == [4, 2, 2]
    assert [len(task.episode.query_y) for task in masked] == [4, 4, 1]
    assert torch.equal(masked[2].episode.support_y, tasks.support_y[2, 1:3])
    part = masked[1:]
    assert part.support_mask is not None
    assert torch.equal(part.support_mask, support_mask[1:])
    assert masked.with_support(tasks.query_x, tasks.query_y).support_mask is None


def test_to_moves_every_tensor() -> None:
    tasks = dataclasses.replace(Gaussians().sample(2, rng=generator()), support_mask=torch.ones(2, 16).bool())
    moved = tasks.to("meta")
    assert {value.device.type for value in moved._tensors().values()} == {"meta"}
    assert set(moved._tensors()) == {"support_x", "support_y", "query_x", "query_y", "truth", "support_mask"}
    assert moved.names == tasks.names
    assert tasks.support_x.device.type == "cpu"


def test_a_batch_refuses_what_does_not_belong_together() -> None:
    tasks = Sinusoids().sample(3, n_shot=4, rng=generator())
    with pytest.raises(ValueError, match=r"^query_x: got a tensor of shape \(2, 4, 1\).*expected 3 tasks"):
        dataclasses.replace(tasks, query_x=tasks.query_x[:2])
    with pytest.raises(ValueError, match=r"^truth: got a tensor of shape \(2,\).*is one task's set"):
        dataclasses.replace(tasks, truth=tasks.truth[0])
    with pytest.raises(ValueError, match=r"^mask: got a tensor of shape \(3, 5\).*shape \(3, 4\)"):
        dataclasses.replace(tasks, support_mask=torch.ones(3, 5).bool())


@pytest.mark.parametrize("argument", ["n_tasks", "n_shot", "n_query"])
def test_a_task_needs_samples(argument: str) -> None:
    counts = {"n_tasks": 2, "n_shot": 2, "n_query": 2, argument: 0}
    with pytest.raises(ValueError, match=f"^{argument}: got 0, expected a number of at least 1"):
        Gaussians().sample(rng=generator(), **counts)


def test_families_by_name() -> None:
    for name, family in FAMILIES.items():
        assert task_family(name) == family()
        assert family.name == name
        assert family().describe()["name"] == name
        assert "part" not in family().describe()
    with pytest.raises(ValueError, match=r"family: got 'digit'.*Did you mean 'digits'"):
        task_family("digit")
    with pytest.raises(ValueError, match=r"batch: got tasks with truth amplitude, phase.*another family's"):
        Gaussians().true_distance(Sinusoids().sample(2, rng=generator()))


# ---- sinusoids -----------------------------------------------------------------------------------------------------


def test_sinusoids_are_the_curve_they_say() -> None:
    tasks = Sinusoids().sample(50, rng=generator())
    amplitude, phase = tasks.truth[:, :1, None], tasks.truth[:, 1:, None]
    torch.testing.assert_close(tasks.support_y, amplitude * torch.sin(tasks.support_x - phase))
    assert amplitude.min() >= 0.1
    assert amplitude.max() <= 5.0
    assert phase.min() >= 0
    assert phase.max() <= math.pi
    assert tasks.support_x.abs().max() <= 5
    assert Sinusoids().task_name(torch.tensor([2.0, 0.5])) == "2.00 sin(x - 0.50)"


def test_the_sinusoids_true_distance_is_the_distance_of_the_functions() -> None:
    """Over whole periods, the root mean square of f - g is |u - v| / sqrt(2)."""
    family = Sinusoids()
    tasks = family.sample(40, rng=generator())
    x = torch.arange(2000, dtype=torch.float64).reshape(1, -1, 1) * (2 * math.pi / 2000)
    curves = family.curve(tasks.truth.double(), x).squeeze(-1)
    by_integration = torch.cdist(curves, curves) / math.sqrt(2000) * math.sqrt(2)
    torch.testing.assert_close(family.true_distance(tasks).double(), by_integration, atol=1e-5, rtol=1e-5)


def test_sinusoid_distance_by_hand() -> None:
    truth = torch.tensor([[3.0, 0.0], [4.0, math.pi / 2], [3.0, math.pi]])
    batch = dataclasses.replace(Sinusoids().sample(3, rng=generator()), truth=truth)
    expected = torch.tensor([[0.0, 5.0, 6.0], [5.0, 0.0, 5.0], [6.0, 5.0, 0.0]])
    torch.testing.assert_close(Sinusoids().true_distance(batch), expected, atol=1e-6, rtol=1e-6)


# ---- Gaussians -----------------------------------------------------------------------------------------------------


def test_gaussians_stand_where_their_truth_says_class_by_class() -> None:
    family = Gaussians(n_way=3, dim=2, box=2.0, spread=0.5)
    tasks = family.sample(20, n_shot=4000, n_query=1, rng=generator())
    points = tasks.support_x.unflatten(1, (3, 4000))
    means = tasks.truth.reshape(20, 3, 2)
    assert tasks.truth.abs().max() <= 2.0
    assert (points.mean(dim=2) - means).abs().max() < 5 * 0.5 / math.sqrt(4000)
    assert abs(float(points.std(dim=2).mean()) - 0.5) < 0.01
    assert torch.equal(tasks.support_y[0], torch.arange(3).repeat_interleave(4000))
    assert torch.equal(tasks.query_y[0], torch.arange(3))
    by_hand = (tasks.truth[:, None] - tasks.truth[None]).square().sum(-1).sqrt()
    torch.testing.assert_close(family.true_distance(tasks), by_hand, atol=1e-5, rtol=1e-5)
    assert family.truth_names[:3] == ("mean of class 0, x", "mean of class 0, y", "mean of class 1, x")
    assert Gaussians().task_name(torch.tensor([1.0, -2.0, 0.5, 0.0])) == "class 0 at (1.0, -2.0), class 1 at (0.5, 0.0)"


def test_a_classification_task_has_two_classes() -> None:
    with pytest.raises(ValueError, match="n_way: got 1"):
        Gaussians(n_way=1)
    with pytest.raises(ValueError, match="dim: got 0"):
        Gaussians(dim=0)


# ---- digits --------------------------------------------------------------------------------------------------------

STRAIGHT = (0.0, 1e-6)  # an angle that turns no picture visibly: pictures can be told by their pixels


def picture_numbers(pictures: torch.Tensor) -> list[int]:
    """Which of the data set's pictures these are, by content (n, 1, 8, 8); the first, where two are alike."""
    everything = torch.tensor(load_digits().images).flatten(1)
    distances = torch.cdist((pictures * 16).double().flatten(1), everything)
    assert distances.min(dim=1).values.max() < 1e-2
    return distances.argmin(dim=1).tolist()


def test_digits_are_the_pictures_of_their_classes() -> None:
    tasks = Digits(n_way=4, angle=STRAIGHT).sample(6, n_shot=3, rng=generator())
    target = load_digits().target
    for task in tasks:
        classes = [digit for digit in range(10) if task.truth[1 + digit] == 1]
        assert len(classes) == 4
        for x, y in (task.episode[:2], task.episode[2:]):
            assert y.tolist() == [k for k in range(4) for _ in range(3)]
            assert [target[i] for i in picture_numbers(x)] == [classes[k] for k in y.tolist()]
        assert task.name.startswith(f"digits {', '.join(map(str, classes))} turned by ")


def test_support_and_query_share_no_picture() -> None:
    family = Digits(n_way=2, angle=STRAIGHT).split(generator()).unseen
    tasks = family.sample(10, n_shot=15, n_query=15, rng=generator())
    for task in tasks:
        numbers = picture_numbers(torch.cat((task.episode.support_x, task.episode.query_x)))
        assert len(set(numbers)) == 60


@pytest.mark.parametrize("n_way", [2, 3])
def test_a_split_of_digits_shares_no_class_set_and_no_picture(n_way: int) -> None:
    split = Digits(n_way=n_way, angle=STRAIGHT).split(generator())
    sets = [set(part.part.class_sets) for part in split]  # type: ignore[attr-defined]
    pools = [set(itertools.chain(*part.part.images)) for part in split]  # type: ignore[attr-defined]
    for parts, everything in ((sets, set(itertools.combinations(range(10), n_way))), (pools, set(range(1797)))):
        assert not any(one & other for one, other in itertools.combinations(parts, 2))
        assert set.union(*parts) == everything
        assert len(parts[0]) > len(parts[1]) > 0
        assert len(parts[2]) > 0
    for part, own_sets, own_images in zip(split, sets, pools, strict=True):
        tasks = part.sample(20, n_shot=3, rng=generator(3))
        drawn = {tuple(d for d in range(10) if row[1 + d] == 1) for row in tasks.truth}
        assert drawn <= own_sets
        seen = set(picture_numbers(torch.cat((tasks.support_x, tasks.query_x), dim=1).flatten(0, 1)))
        assert seen <= own_images


def test_turning_by_quarters_is_rot90() -> None:
    pictures = torch.rand(4, 3, 1, 8, 8, generator=generator())
    turned = rotate(pictures, torch.tensor([0.0, math.pi / 2, math.pi, 3 * math.pi / 2]))
    for k in range(4):
        torch.testing.assert_close(turned[k], torch.rot90(pictures[k], k, dims=(-2, -1)), atol=1e-5, rtol=0)
    assert torch.equal(rotate(pictures[:1], torch.zeros(1)), pictures[:1])


def test_each_task_is_turned_by_its_own_angle() -> None:
    family = Digits(angle=(0.0, 2 * math.pi))
    truth = family.draw_truth(5, generator())
    x, _y = family.draw_samples(truth, 2, generator(1))
    upright, _y = family.draw_samples(torch.cat((torch.zeros(5, 1), truth[:, 1:]), dim=1), 2, generator(1))
    torch.testing.assert_close(x, rotate(upright, truth[:, 0]))
    assert not torch.allclose(x, upright)
    assert truth[:, 0].max() <= 2 * math.pi


def test_the_digits_distance_by_hand() -> None:
    """A quarter turn is as far as two disjoint sets: 2. Two of three digits in common: 4/3 squared."""
    rows = [(0.0, {0, 1, 2}), (math.pi / 2, {0, 1, 2}), (0.0, {3, 4, 5}), (0.0, {0, 1, 3})]
    truth = torch.tensor([[angle, *(float(d in digits) for d in range(10))] for angle, digits in rows])
    batch = dataclasses.replace(Digits().sample(4, rng=generator()), truth=truth)
    got = Digits().true_distance(batch)
    expected = torch.tensor([0.0, 2.0, 2.0, math.sqrt(4 / 3)])
    torch.testing.assert_close(got[0], expected, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(got[1, 2], torch.tensor(math.sqrt(8)))


def test_more_pictures_than_there_are() -> None:
    with pytest.raises(ValueError, match=r"n_shot: got 400, expected at most 174 pictures of each digit.*n_query"):
        Digits().sample(1, n_shot=200, rng=generator())
    whole = Digits().sample(1, n_shot=100, n_query=74, rng=generator())
    assert whole.query_x.shape[1] == 3 * 74


@pytest.mark.parametrize("n_way", [1, 10])
def test_ways_of_digits(n_way: int) -> None:
    with pytest.raises(ValueError, match=f"n_way: got {n_way}, expected a number from 2 to 9"):
        Digits(n_way=n_way)
    with pytest.raises(ValueError, match=r"angle: got \(1.0, 1.0\), expected \(low, high\)"):
        Digits(angle=(1.0, 1.0))


# ---- splits of a continuous parameter ------------------------------------------------------------------------------


def test_slices_are_dealt_out_whole() -> None:
    parts = split_slices(generator())
    assert [len(part) for part in parts] == [800, 100, 100]
    assert sorted(itertools.chain(*parts)) == list(range(N_SLICES))
    assert parts != split_slices(generator(1))


@pytest.mark.parametrize("family", [Sinusoids(), Gaussians()], ids=repr)
def test_no_task_is_in_two_parts(family: Sinusoids | Gaussians) -> None:
    """The first truth of every drawn task lies in a slice of its own part, up to the rounding of float32."""
    split = family.split(generator())
    for part in split:
        truth = part.draw_truth(5000, generator(7))[:, 0].double()
        low, high = family.amplitude if isinstance(family, Sinusoids) else (-family.box, family.box)
        place = (truth - low) / (high - low) * N_SLICES
        own = torch.zeros(N_SLICES, dtype=torch.bool)
        own[list(part.part)] = True
        inside = own[place.floor().long().clamp(0, N_SLICES - 1)]
        assert bool(inside.all())
        assert len(set(place.floor().long().tolist())) > 0.9 * len(part.part)
    truths = [set(part.draw_truth(5000, generator(8))[:, 0].tolist()) for part in split]
    assert not any(one & other for one, other in itertools.combinations(truths, 2))


def test_uniform_stays_below_one() -> None:
    numbers = uniform(10_000, generator(), (N_SLICES - 1,))
    assert numbers.min() >= 0.999
    assert numbers.max() < 1.0
    assert uniform(10_000, generator()).min() < 0.01


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_a_task_is_at_no_distance_from_itself(family: type[TaskFamily]) -> None:
    drawn = family()
    distance = drawn.true_distance(drawn.sample(min(60, drawn.n_distinct or 60), rng=generator()))
    assert not distance.diagonal().any()
    assert torch.equal(distance, distance.T)
