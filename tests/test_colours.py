"""Colours: categories by colour and shape, quantities in cividis, whole circles in a map that closes; legends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib import colormaps

from taskembed_edu.figures.colours import GREY, N_SHAPES, OKABE_ITO, colour_tasks
from taskembed_edu.tasks import FAMILIES, TaskFamily
from tests.runs import generator


def hexes(rgb: np.ndarray) -> list[str]:
    return ["#" + "".join(f"{part:02x}" for part in row) for row in rgb.tolist()]


def test_quantities_are_cividis_from_least_to_most() -> None:
    colouring = colour_tasks(np.array([2.0, 4.0, 3.0], np.float32), "amplitude", "quantity")
    expected = [tuple(round(255 * part) for part in colormaps["cividis"](x)[:3]) for x in (0.0, 1.0, 0.5)]
    assert [tuple(row) for row in colouring.rgb.tolist()] == expected
    assert colouring.rgb.dtype == colouring.shapes.dtype == colouring.groups.dtype == np.uint8
    assert not colouring.shapes.any()
    assert (colouring.name, colouring.kind) == ("amplitude", "quantity")
    assert [colouring.stops[0], colouring.stops[-1]] == hexes(colouring.rgb)[:2]


def test_a_legend_of_a_quantity_has_at_most_six_bins_with_round_ends() -> None:
    values = np.array([0.13, 0.99, 1.01, 4.97], np.float32)
    colouring = colour_tasks(values, "amplitude", "quantity")
    assert [entry["label"] for entry in colouring.entries] == ["0 to 1", "1 to 2", "2 to 3", "3 to 4", "4 to 5"]
    assert colouring.groups.tolist() == [0, 0, 1, 4]
    # A bin has the colour of its middle, so that a legend reads like the map.
    middle = colour_tasks(np.array([0.13, 2.5, 4.97]), "amplitude", "quantity")
    assert middle.entries[2]["colour"] == hexes(middle.rgb)[1]


@example([1e6, 1e6 + 0.0625], "quantity")
@example([-1e-7, 3e-7], "quantity")
@example([0.1, 0.3], "quantity")
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20), st.sampled_from(["quantity", "angle"]))
def test_every_task_lies_in_its_bin(values: list[float], kind: str) -> None:
    given_values = np.array(values)
    colouring = colour_tasks(given_values, "x", kind)  # type: ignore[arg-type]
    assert 1 <= len(colouring.entries) <= 6
    assert len({entry["label"] for entry in colouring.entries}) == len(colouring.entries)
    unit = math.degrees(1) if kind == "angle" else 1.0
    shown = (given_values % (2 * math.pi) if colouring.kind == "angle" else given_values) * unit
    for value, group in zip(shown, colouring.groups, strict=True):
        ends = [float(end) for end in colouring.entries[group]["label"].removesuffix("°").split(" to ")]
        slack = 1e-2 * (abs(value) + abs(ends[0]) + ends[-1] - ends[0])
        assert ends[0] - slack <= value <= ends[-1] + slack


def test_equal_values_have_one_colour_and_one_entry() -> None:
    colouring = colour_tasks(np.full(4, 7.0), "x", "quantity")
    assert len(set(hexes(colouring.rgb))) == 1
    assert [entry["label"] for entry in colouring.entries] == ["7"]
    assert not colouring.groups.any()


def test_a_whole_circle_closes_and_a_quarter_does_not() -> None:
    circle = colour_tasks(np.array([0.0, math.pi, 2 * math.pi - 1e-9]), "angle", "angle")
    first, half, last = circle.rgb.astype(int)
    assert np.abs(first - last).max() <= 3
    assert np.abs(first - half).max() > 50
    assert circle.kind == "angle"
    assert [entry["label"] for entry in circle.entries][::5] == ["0 to 60°", "300 to 360°"]
    assert circle.groups.tolist() == [0, 3, 5]
    quarter = colour_tasks(np.array([0.0, math.pi / 2]), "angle", "angle")
    assert quarter.kind == "quantity"
    assert np.abs(quarter.rgb[0].astype(int) - quarter.rgb[1].astype(int)).max() > 100
    assert [entry["label"] for entry in quarter.entries][::5] == ["0 to 15°", "75 to 90°"]


def test_categories_have_colours_and_shapes() -> None:
    colouring = colour_tasks(np.array([5.0, 2.0, 5.0, 9.0]), "class", "category")
    assert hexes(colouring.rgb) == [OKABE_ITO[1], OKABE_ITO[0], OKABE_ITO[1], OKABE_ITO[2]]
    assert colouring.shapes.tolist() == [1, 0, 1, 2]
    assert colouring.groups.tolist() == [1, 0, 1, 2]
    assert list(colouring.entries) == [
        {"label": label, "colour": OKABE_ITO[k], "shape": k} for k, label in enumerate(("2", "5", "9"))
    ]
    yes_no = colour_tasks(np.array([0.0, 1.0]), "contains 3", "category").entries
    assert [entry["label"] for entry in yes_no] == ["no", "yes"]


def test_twenty_four_categories_can_be_told_apart_and_the_rest_is_one_group() -> None:
    colouring = colour_tasks(np.arange(24.0), "class", "category")
    assert len(set(zip(hexes(colouring.rgb), colouring.shapes.tolist(), strict=True))) == 24
    assert colouring.shapes.max() < N_SHAPES
    many = colour_tasks(np.arange(400.0), "class", "category")
    assert len(many.entries) == 25
    assert many.entries[-1]["label"] == "others"
    assert set(hexes(many.rgb)[24:]) == {GREY}
    assert set(many.groups[24:].tolist()) == {24}


@pytest.mark.parametrize("family", [family() for family in FAMILIES.values()], ids=lambda family: family.name)
def test_every_truth_of_every_family_has_colours(family: TaskFamily) -> None:
    tasks = family.sample(20, n_shot=1, rng=generator())
    for column, kind in enumerate(family.truth_kinds):
        colouring = colour_tasks(tasks.truth[:, column].numpy(), tasks.truth_names[column], kind)
        assert colouring.rgb.shape == (20, 3)
        assert colouring.shapes.shape == colouring.groups.shape == (20,)
        assert len(set(hexes(colouring.rgb))) >= 2
        assert colouring.groups.max() < len(colouring.entries)
        assert colouring.kind == ("category" if kind == "category" else "quantity")
