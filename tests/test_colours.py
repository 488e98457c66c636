"""Colours: categories by colour and shape, quantities in cividis, whole circles in a map that closes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib import colormaps

from taskembed_edu.colours import N_SHAPES, OKABE_ITO, colour_tasks
from taskembed_edu.tasks import FAMILIES
from tests.runs import generator


def hexes(rgb: np.ndarray) -> list[str]:
    return ["#" + "".join(f"{part:02x}" for part in row) for row in rgb.tolist()]


def test_quantities_are_cividis_from_least_to_most() -> None:
    values = np.array([2.0, 4.0, 3.0], np.float32)
    rgb, shapes, legend = colour_tasks(values, "amplitude", "quantity")
    expected = [tuple(round(255 * part) for part in colormaps["cividis"](x)[:3]) for x in (0.0, 1.0, 0.5)]
    assert [tuple(row) for row in rgb.tolist()] == expected
    assert rgb.dtype == shapes.dtype == np.uint8
    assert not shapes.any()
    assert legend["title"] == "amplitude"
    assert [entry["label"] for entry in legend["entries"]] == ["2", "4"]
    assert legend["stops"][0] == hexes(rgb)[0]
    assert legend["stops"][-1] == hexes(rgb)[1]


def test_equal_values_have_one_colour() -> None:
    assert len(set(hexes(colour_tasks(np.full(4, 7.0), "x", "quantity").rgb))) == 1


def test_a_whole_circle_closes_and_a_quarter_does_not() -> None:
    circle = colour_tasks(np.array([0.0, math.pi, 2 * math.pi - 1e-9]), "angle", "angle")
    first, half, last = circle.rgb.astype(int)
    assert np.abs(first - last).max() <= 3
    assert np.abs(first - half).max() > 50
    assert [entry["label"] for entry in circle.legend["entries"]] == ["0°", "360°"]
    quarter = colour_tasks(np.array([0.0, math.pi / 2]), "angle", "angle")
    assert np.abs(quarter.rgb[0].astype(int) - quarter.rgb[1].astype(int)).max() > 100
    assert [entry["label"] for entry in quarter.legend["entries"]] == ["0°", "90°"]


def test_categories_have_colours_and_shapes() -> None:
    rgb, shapes, legend = colour_tasks(np.array([5.0, 2.0, 5.0, 9.0]), "class", "category")
    assert hexes(rgb) == [OKABE_ITO[1], OKABE_ITO[0], OKABE_ITO[1], OKABE_ITO[2]]
    assert shapes.tolist() == [1, 0, 1, 2]
    assert legend["entries"] == [
        {"label": label, "colour": OKABE_ITO[k], "shape": k} for k, label in enumerate(("2", "5", "9"))
    ]
    yes_no = colour_tasks(np.array([0.0, 1.0]), "contains 3", "category").legend["entries"]
    assert [entry["label"] for entry in yes_no] == ["no", "yes"]


def test_twelve_categories_can_be_told_apart() -> None:
    rgb, shapes, _legend = colour_tasks(np.arange(12.0), "class", "category")
    assert len(set(zip(hexes(rgb), shapes.tolist(), strict=True))) == 12
    assert shapes.max() < N_SHAPES


@pytest.mark.parametrize("family", [family() for family in FAMILIES.values()], ids=lambda family: family.name)
def test_every_truth_of_every_family_has_colours(family: object) -> None:
    tasks = family.sample(20, n_shot=1, rng=generator())  # type: ignore[attr-defined]
    for column, kind in enumerate(family.truth_kinds):  # type: ignore[attr-defined]
        rgb, shapes, legend = colour_tasks(tasks.truth[:, column].numpy(), tasks.truth_names[column], kind)
        assert rgb.shape == (20, 3)
        assert shapes.shape == (20,)
        assert len(set(hexes(rgb))) >= 2
        assert legend["kind"] == kind
