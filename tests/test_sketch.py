"""What a task looks like: the very samples of the task, beside its truth, and nothing for a family without one."""

from __future__ import annotations

import pytest
import torch

from taskembed_edu.tasks import FAMILIES, Digits, Gaussians, Sinusoids, TaskFamily
from taskembed_edu.tasks.pictures import rotate
from taskembed_edu.tasks.sketch import TaskSketch
from tests.runs import generator


def test_a_wave_is_its_points_on_its_curve() -> None:
    family = Sinusoids()
    tasks = family.sample(6, n_shot=4, rng=generator())
    sketch = family.sketch(tasks)
    assert sketch.kind == "curve"
    assert sketch.points is not None
    assert sketch.curve is not None
    assert torch.equal(sketch.points[..., :1], tasks.support_x)
    assert torch.equal(sketch.points[..., 1:], tasks.support_y)
    x = torch.linspace(-5, 5, sketch.curve.shape[1])
    for (amplitude, phase), curve in zip(tasks.truth, sketch.curve, strict=True):
        torch.testing.assert_close(curve, amplitude * torch.sin(x - phase))
    assert (sketch.x, sketch.y) == ((-5.0, 5.0), (-5.0, 5.0))
    assert sketch.points[..., 1].abs().max() <= 5


def test_classes_are_their_points() -> None:
    family = Gaussians(n_way=3)
    tasks = family.sample(6, n_shot=4, rng=generator())
    sketch = family.sketch(tasks)
    assert sketch.kind == "scatter"
    assert sketch.points is not None
    assert sketch.classes is not None
    assert torch.equal(sketch.points, tasks.support_x)  # nothing of these lies beyond the axes
    assert torch.equal(sketch.classes, tasks.support_y)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_any_number_of_dimensions_lies_on_a_plane(dim: int) -> None:
    family = Gaussians(dim=dim)
    tasks = family.sample(6, n_shot=4, rng=generator())
    points = family.sketch(tasks).points
    assert points is not None
    assert points.shape == (6, 8, 2)
    assert torch.equal(points[..., 0], tasks.support_x[..., 0])
    assert torch.equal(points[..., 1], tasks.support_x[..., 1] if dim > 1 else torch.zeros(6, 8))


def test_no_point_lies_beyond_the_axes() -> None:
    family = Gaussians(spread=0.01)
    tasks = family.sample(2, n_shot=2, rng=generator())
    far = tasks.with_support(torch.full_like(tasks.support_x, 99.0), tasks.support_y)
    sketch = family.sketch(far)
    assert sketch.points is not None
    assert float(sketch.points.max()) == pytest.approx(sketch.x[1])


@pytest.mark.parametrize(("n_way", "each"), [(2, 4), (3, 3), (5, 1), (9, 1)])
def test_digits_are_at_most_nine_pictures_as_the_task_has_them(n_way: int, each: int) -> None:
    family = Digits(n_way=n_way)
    tasks = family.sample(3, n_shot=5, rng=generator())
    sketch = family.sketch(tasks)
    assert sketch.kind == "images"
    assert sketch.images is not None
    assert sketch.classes is not None
    assert sketch.images.shape == (3, each * n_way, 8, 8)
    for i in range(3):
        digits = tasks.truth[i, 1:].nonzero()[:, 0]
        assert sketch.classes[i].tolist() == digits.repeat_interleave(each).tolist()
        first = tasks.support_x[i, tasks.support_y[i] == 0][:each, 0]
        assert torch.equal(sketch.images[i, :each], first)


def test_fewer_shots_than_the_card_has_room_for() -> None:
    tasks = Digits().sample(3, n_shot=1, rng=generator())
    images = Digits().sketch(tasks).images
    assert images is not None
    assert images.shape == (3, 3, 8, 8)


def test_pictures_are_turned_by_the_tasks_angle() -> None:
    """Turned back, a picture is upright again, but for the corners that turning cut off."""
    family = Digits()
    tasks = family.sample(1, n_shot=1, rng=generator(2))
    sketch = family.sketch(tasks)
    assert sketch.images is not None
    back = rotate(sketch.images[:, :, None], -tasks.truth[:, 0])[0, :, 0]
    again = rotate(back[None, :, None], tasks.truth[:, 0])[0, :, 0]
    inside = (slice(None), slice(2, 6), slice(2, 6))
    assert float((again - sketch.images[0])[inside].abs().mean()) < 0.15


def test_a_family_without_a_picture_has_an_empty_sketch() -> None:
    family = Sinusoids()
    sketch = TaskFamily.sketch(family, family.sample(2, rng=generator()))
    assert sketch.kind == ""
    assert sketch.points is sketch.curve is sketch.images is sketch.classes is None


@pytest.mark.parametrize("family", [family() for family in FAMILIES.values()], ids=lambda family: family.name)
def test_tasks_of_another_family_are_refused(family: TaskFamily) -> None:
    other = Digits() if family.name != "digits" else Gaussians()
    tasks = other.sample(2, n_shot=1, rng=generator())
    with pytest.raises(ValueError, match="another family"):
        family.sketch(tasks)


def test_a_thumbnail_is_the_first_picture_of_each_of_four_classes_in_a_square() -> None:
    for n_way, wanted in ((2, (0, 4)), (3, (0, 3, 6)), (5, (0, 1, 2, 3))):
        family = Digits(n_way=n_way)
        sketch = family.sketch(family.sample(4, n_shot=5, rng=generator()))
        assert sketch.on_map == wanted
        small = sketch.thumbnails()
        assert small is not None
        assert sketch.images is not None
        assert small.shape == (4, 16, 16)
        for task in range(4):
            for k in range(4):
                tile = small[task, 8 * (k // 2) : 8 * (k // 2) + 8, 8 * (k % 2) : 8 * (k % 2) + 8]
                expected = sketch.images[task, wanted[k]] if k < len(wanted) else torch.zeros(8, 8)
                assert torch.equal(tile, expected)


def test_a_family_says_which_of_its_pictures_stand_on_the_map() -> None:
    pictures = torch.rand(2, 3, 4, 4)
    uneven = torch.tensor([[0, 0, 1], [0, 1, 1]])
    assert TaskSketch("images", images=pictures).on_map == (0,)
    assert TaskSketch("images", images=pictures, classes=uneven).on_map == (0,)
    assert TaskSketch("images", images=pictures, classes=uneven[:1].expand(2, 3)).on_map == (0, 2)
    chosen = TaskSketch("images", images=pictures, thumbnail=(2,)).thumbnails()
    assert chosen is not None
    assert torch.equal(chosen, pictures[:, 2])
    assert TaskSketch("images", images=pictures, thumbnail=()).thumbnails() is None
    assert TaskSketch().thumbnails() is None
