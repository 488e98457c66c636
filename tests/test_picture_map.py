"""A map whose tasks are pictures: each at its place, in its group's colour."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.figures.colours import OKABE_ITO
from taskembed_edu.figures.picture_map import picture_map_figure

PLACES = torch.tensor([[0.0, 0.0], [4.0, 1.0], [2.0, 3.0]])
PICTURES = torch.rand(3, 28, 28, generator=torch.Generator().manual_seed(0))
GROUPS, NAMES = torch.tensor([0, 1, 0]), ("Lao", "N'Ko")


def test_each_task_is_its_picture_at_its_place() -> None:
    figure = picture_map_figure(PLACES, PICTURES, GROUPS, NAMES, title="Two scripts")
    (panel,) = figure.axes
    assert len(panel.images) == 3
    for image, place, picture, group in zip(panel.images, PLACES, PICTURES, GROUPS, strict=True):
        left, right, bottom, top = image.get_extent()
        assert ((left + right) / 2, (bottom + top) / 2) == pytest.approx(tuple(place.tolist()), abs=1e-6)
        drawn = np.asarray(image.get_array())
        assert np.allclose(drawn[..., 3], picture)
        hexed = "#" + "".join(f"{round(255 * float(part)):02x}" for part in drawn[0, 0, :3])
        assert hexed == OKABE_ITO[int(group)].lower()
    legend = panel.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == list(NAMES)
    low, high = panel.get_xlim()
    assert low < 0 < 4 < high
    assert figure.get_suptitle() == "Two scripts"


def test_ones_own_is_larger_and_on_the_map() -> None:
    figure = picture_map_figure(PLACES.numpy(), PICTURES, GROUPS, NAMES, own=((9.0, -2.0), PICTURES[:1]))
    (panel,) = figure.axes
    first, own = panel.images[0].get_extent(), panel.images[-1].get_extent()
    assert own[1] - own[0] == pytest.approx(2 * (first[1] - first[0]))
    assert panel.get_xlim()[1] > 9
    assert panel.get_ylim()[0] < -2
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_tasks_at_one_place_are_drawn() -> None:
    assert len(picture_map_figure(torch.zeros(3, 2), PICTURES, GROUPS, NAMES).axes[0].images) == 3


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"layout": None}, "layout: got a NoneType, expected a tensor"),
        ({"layout": torch.zeros(3, 3)}, r"layout: got .* expected a place \(x, y\) for each task"),
        ({"layout": torch.zeros(0, 2), "pictures": torch.zeros(0, 2, 2)}, "layout: got"),
        ({"layout": torch.full((3, 2), math.nan)}, "layout: got 6 NaN"),
        ({"pictures": torch.zeros(2, 28, 28)}, r"pictures: got .* expected \(3, height, width\)"),
        ({"pictures": "three"}, "pictures: got a str"),
        ({"groups": torch.tensor([0, 1, 2])}, "groups: got .* an index into the 2 names"),
        ({"groups": torch.tensor([0, 1])}, "groups: got"),
        ({"names": "ab"}, "names: got 'ab', expected the groups' names in a list"),
        ({"own": (0.0, 1.0)}, "own: got a float, expected a tensor"),
        ({"own": ((0.0,), PICTURES[:1])}, r"own: got shapes \(1,\) and .*: a place \(x, y\) and a picture"),
        ({"own": 3}, r"own: got a int, expected a pair: a place"),
        ({"names": [str(k) for k in range(7)]}, "names: got 7 groups, expected at most 6"),
    ],
)
def test_what_does_not_fit_is_said(changed: dict[str, Any], said: str) -> None:
    given = {"layout": PLACES, "pictures": PICTURES, "groups": GROUPS, "names": NAMES, **changed}
    with pytest.raises((TypeError, ValueError), match=said):
        picture_map_figure(**given)
