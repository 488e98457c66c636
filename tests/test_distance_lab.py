"""DistanceLab with no page: what it reads, what it keeps, what it refuses, and what it would tell a page."""

from __future__ import annotations

import json
import math
import random
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from taskembed_edu.formulas.distances import METRICS, cosine_similarity
from taskembed_edu.labs import distance_readings as read
from taskembed_edu.labs.distance import DistanceLab
from taskembed_edu.labs.distance_state import PRESETS
from taskembed_edu.labs.point_lab import UNDO_STEPS

numbers = st.floats(-50, 50, allow_nan=False).map(lambda value: round(value, 2))
planar = st.tuples(numbers, numbers)


@pytest.fixture
def course() -> DistanceLab:
    return DistanceLab(x=[1, 2, 3], y=[2, 3, 4])


# ---------------------------------------------------------------------------------------------- readings


def test_the_course_example_reads_sqrt_3(course):
    assert course.distances["euclidean"] == pytest.approx(math.sqrt(3), abs=1e-12)
    assert course.distances["squared_euclidean"] == 3.0
    assert course.distances["manhattan"] == 3.0
    assert course.distances["cosine_similarity"] == pytest.approx(20 / math.sqrt(14 * 29), abs=1e-12)
    assert course.distances["cosine"] == pytest.approx(1 - 20 / math.sqrt(14 * 29), abs=1e-12)


def test_repr_is_short_and_rounded(course):
    assert repr(course) == (
        "DistanceLab(x=[1, 2, 3], y=[2, 3, 4]: euclidean 1.7321, squared 3, manhattan 3, "
        "cosine similarity 0.9926, cosine distance 0.0074)"
    )
    long = DistanceLab(x=[0.1] * 64, y=[0.2] * 64)
    assert "x=[0.1, 0.1, ..., 0.1 (64 numbers)]" in repr(long)


@given(planar, planar)
def test_every_row_comes_from_the_package(x, y):
    lab = DistanceLab(x=x, y=y)
    x_row, y_row = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    for name in ("euclidean", "squared_euclidean", "manhattan"):
        assert lab.distances[name] == float(METRICS[name].distance(x_row, y_row))
    if any(x) and any(y):
        assert lab.distances["cosine"] == float(METRICS["cosine"].distance(x_row, y_row))
        assert lab.distances["cosine_similarity"] == float(cosine_similarity(x_row, y_row))


@pytest.mark.parametrize("tiny", [0.0, 1e-300])
def test_the_zero_vector_has_no_direction_and_no_exception(tiny):
    lab = DistanceLab(x=[tiny, 0], y=[1, 2], metric="cosine", triangle=True)
    assert math.isnan(lab.distances["cosine"])
    assert math.isnan(lab.distances["cosine_similarity"])
    assert lab.distances["euclidean"] == pytest.approx(math.sqrt(5))
    assert lab.worked() == "undefined: the zero vector has no direction"
    assert lab.triangle().holds is None
    assert "undefined" in repr(lab)
    readings = lab.readings()
    assert readings["values"]["cosine"] is None
    assert readings["why"] is None
    assert readings["angle"] is None


@pytest.mark.parametrize(
    ("name", "arithmetic"),
    [
        ("euclidean", "√((1 - 2)² + (2 - 3)² + (3 - 4)²) = √3 = 1.7321"),
        ("squared_euclidean", "(1 - 2)² + (2 - 3)² + (3 - 4)² = 3"),
        ("manhattan", "|1 - 2| + |2 - 3| + |3 - 4| = 3"),
        ("cosine_similarity", "(1·2 + 2·3 + 3·4) / (√14·√29) = 0.9926"),
        ("cosine", "1 - 0.9926 = 0.0074"),
    ],
)
def test_worked_shows_the_arithmetic(course, name, arithmetic):
    assert course.worked(name) == arithmetic


def test_worked_brackets_negative_numbers_and_shortens_long_sums():
    assert DistanceLab(x=[3, -1], y=[-3, 1]).worked("manhattan") == "|3 - (-3)| + |(-1) - 1| = 8"
    assert DistanceLab(x=[3, 0], y=[-3, 0]).worked("cosine") == "1 - (-1) = 2"
    assert DistanceLab(x=range(6), y=[0] * 6).worked("manhattan") == "|0 - 0| + |1 - 0| + ... + |5 - 0| = 15"


@pytest.mark.parametrize(("metric", "expected"), [("euclidean", [9, 1]), ("manhattan", [3, 1]), ("cosine", [-2, 6])])
def test_parts_are_what_each_coordinate_adds(metric, expected):
    assert read.parts(metric, (2.0, 2.0), (-1.0, 3.0)) == expected


@given(planar, planar, st.sampled_from(["squared_euclidean", "manhattan"]))
def test_parts_add_up_to_the_distance(x, y, metric):
    assert sum(read.parts(metric, x, y)) == pytest.approx(read.distance(metric, x, y))


# ---------------------------------------------------------------------------------------------- the triangle


@given(planar, planar, planar, st.sampled_from(["euclidean", "manhattan"]))
def test_a_metric_keeps_the_triangle(x, y, z, metric):
    assert DistanceLab(x=x, y=y, z=z).triangle(metric).holds is True


def test_the_preset_breaks_it_for_cosine_and_squared_and_for_no_other():
    lab = DistanceLab()
    lab.preset("breaks the triangle")
    assert {metric: lab.triangle(metric).holds for metric in METRICS} == {
        metric: METRICS[metric].is_metric for metric in METRICS
    }
    cosine = lab.triangle()
    assert cosine.direct == pytest.approx(1.0)
    assert cosine.detour == pytest.approx(2 - math.sqrt(2))
    assert repr(cosine) == ("Triangle(cosine: d(x,z) = 1 > d(x,y) + d(y,z) = 0.2929 + 0.2929 = 0.5858, broken)")
    assert repr(lab.triangle("euclidean")).endswith("= 2.1213 + 2.1213 = 4.2426, holds)")


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_an_equal_detour_is_not_a_breach_by_rounding(metric):
    side = DistanceLab(x=[0], y=[0.2], z=[0.9]).triangle(metric)
    assert side.direct > side.detour  # 0.9 against 0.2 + 0.7, in floating point
    assert side.holds is True
    assert DistanceLab(x=[0], y=[0.2], z=[0.9]).triangle("squared_euclidean").holds is False


# ---------------------------------------------------------------------------------------------- moving, undo


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-5])
def test_a_small_triangle_is_judged_and_printed_as_a_large_one(size):
    lab = DistanceLab(x=[0.0], y=[size], z=[2 * size], metric="squared_euclidean")
    side = lab.triangle()
    assert side.holds is False
    d = read.tidy(size**2)
    assert float(d) == pytest.approx(size**2, rel=0.1)
    assert f"= {read.tidy(4 * size**2)} > d(x,y) + d(y,z) = {d} + {d} = {read.tidy(2 * size**2)}, broken" in repr(side)
    assert DistanceLab(x=[0.0], y=[size], z=[2 * size], metric="euclidean").triangle().holds is True
    shown = read.panel((0.0,), (size,), (2 * size,), "squared_euclidean")
    assert float(shown["values"]["squared_euclidean"]) > 0


def test_directions_that_are_one_up_to_rounding_hold_the_triangle():
    rng = random.Random(0)
    for _ in range(2000):
        turn, bend = rng.uniform(0, 7), 10 ** rng.uniform(-9, 0)
        x = (math.cos(turn) * (size := 10 ** rng.uniform(-3, 3)), math.sin(turn) * size)
        y, z = (x[0] * 7.3, x[1] * 7.3), (math.cos(turn + bend), math.sin(turn + bend))
        assert read.triangle("cosine", x, y, z).holds


def test_move_set_preset_undo_and_reset():
    lab = DistanceLab()
    lab.move(y=[1, 2])
    assert (lab.x, lab.y) == ([3.0, 1.0], [1.0, 2.0])
    lab.set(metric="cosine", radius=0.5)
    lab.preset("course example")
    assert (lab.x, lab.z, lab.settings.metric) == ([1, 2, 3], [4, 5, 6], "euclidean")
    lab.undo()
    assert (lab.x, lab.settings.metric, lab.settings.radius) == ([3.0, 1.0], "cosine", 0.5)
    lab.undo()
    assert lab.settings.metric == "euclidean"
    lab.undo()
    lab.undo()  # nothing is left to take back
    assert lab.y == [1.0, 2.5]
    lab.move(x=[0.5, 0.5])
    lab.reset()
    assert lab.x == [3.0, 1.0]
    lab.undo()
    assert lab.x == [0.5, 0.5]


def test_one_drag_is_one_step_of_undo():
    lab = DistanceLab()
    for k in range(5):
        lab.hear({"do": "move", "points": {"x": [k, k]}, "gesture": "a"})
    lab.hear({"do": "move", "points": {"x": [9, 9]}, "gesture": "b"})
    lab.undo()
    assert lab.x == [4.0, 4.0]
    lab.undo()
    assert lab.x == [3.0, 1.0]


def test_a_drag_after_undo_is_a_step_of_its_own_even_under_its_old_name():
    lab = DistanceLab()
    lab.hear({"do": "move", "points": {"x": [1, 1]}, "gesture": "a"})
    lab.undo()
    lab.hear({"do": "move", "points": {"x": [2, 2]}, "gesture": "a"})
    lab.undo()
    assert lab.x == [3.0, 1.0]


def test_the_past_is_bounded():
    lab = DistanceLab()
    for k in range(UNDO_STEPS + 50):
        lab.move(x=[k, 1])
    for _ in range(UNDO_STEPS + 50):
        lab.undo()
    assert lab.x[0] > 40  # the first steps are forgotten
    assert lab.readings()["can_undo"] is False


def test_z_follows_a_change_of_dimension():
    lab = DistanceLab(x=[1, 2], y=[2, 4])
    assert lab.z == [3.0, 6.0]
    lab.move(x=[1, 0, 0], y=[1, 1, 1])
    assert lab.z == [1.0, 2.0, 2.0]
    lab.move(z=[0, 0, 0])
    lab.move(x=[5, 5, 5])
    assert lab.z == [0.0, 0.0, 0.0]


def test_the_radius_follows_the_metric():
    lab = DistanceLab(metric="squared_euclidean", radius=30)
    lab.set(metric="cosine")
    assert lab.settings.radius == 2.0
    assert lab.readings()["radius_high"] == 2.0


@pytest.mark.parametrize("name", DistanceLab.presets)
def test_presets_are_what_their_names_say(name):
    lab = DistanceLab()
    lab.preset(name)
    cosine = lab.distances["cosine"]
    expected = {"orthogonal": 1.0, "same direction": 0.0, "opposite": 2.0}
    if name in expected:
        assert cosine == pytest.approx(expected[name], abs=1e-12)
    assert set(PRESETS[name]) == {"x", "y", "z", "metric", "triangle"}


def test_it_takes_tensors_and_any_dimension():
    lab = DistanceLab(x=torch.arange(5), y=torch.zeros(5))
    assert lab.distances["manhattan"] == 10.0
    assert DistanceLab(x=[3], y=[-1]).distances["cosine"] == 2.0


# ---------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": [1, 2, 3]}, ValueError, r"y: got a vector of 2 numbers, expected 3, as x has\. Give x and y together"),
        ({"x": [1, float("nan")]}, ValueError, r"x: got 1 NaN or infinite of 2 entries"),
        ({"y": []}, ValueError, r"y: got a tensor of shape \(0,\)"),
        ({"x": [[1, 2]]}, ValueError, r"x: got a tensor of shape \(1, 2\)"),
        ({"x": "3, 1"}, TypeError, r"x: got '3, 1', expected a vector of numbers such as \[1, 2, 3\]"),
        ({"x": [1e9, 0]}, ValueError, r"x: got a coordinate of size 1e\+09, expected at most 1e\+06"),
        ({"z": [1, 2, 3]}, ValueError, r"z: got a vector of 3 numbers, expected 2, as x and y have"),
        ({"metric": "euclidian"}, ValueError, r"metric: got 'euclidian', .* Did you mean 'euclidean'\?"),
        ({"metric": "cosine", "radius": 3.0}, ValueError, r"radius: got 3\.0, expected a number from 0\.05 to 2"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        DistanceLab(**arguments)


def test_what_is_refused_changes_nothing():
    lab = DistanceLab()
    before = repr(lab)
    with pytest.raises(ValueError, match="y: got a vector of 3 numbers, expected 2, as x has"):
        lab.move(y=[1, 2, 3])
    with pytest.raises(ValueError, match="Did you mean 'orthogonal'"):
        lab.preset("ortogonal")
    with pytest.raises(ValueError, match="setting: got 'radios', expected one of metric, radius, triangle"):
        lab.set(radios=1)
    with pytest.raises(ValueError, match="metric: got 'cosin'"):
        lab.triangle("cosin")
    assert repr(lab) == before
    assert not lab.readings()["can_undo"]


# ---------------------------------------------------------------------------------------------- the three doors


def test_the_bundle_is_a_view_and_the_repr(course):
    data, _metadata = course._repr_mimebundle_()
    assert data["text/plain"] == repr(course)
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == course.widget.model_id
    assert course.widget is course.widget


def test_a_wish_is_granted_and_always_answered(course):
    sent = []
    course.widget.send = lambda content, buffers=None: sent.append(content)
    course.widget._hear(None, {"do": "set", "settings": {"metric": "manhattan"}, "number": 1, "page": "p"}, [])
    assert course.widget.readings["settings"]["metric"] == "manhattan"
    course.widget._hear(None, {"do": "move", "points": {"x": [1, 2]}, "number": 2, "page": "p"}, [])
    assert "x: got a vector of 2 numbers" in course.widget.readings["problem"]
    assert course.widget.readings["points"]["x"] == [1, 2, 3]
    course.widget._hear(None, {"do": "dance", "number": 3, "page": "p"}, [])
    assert "do: got 'dance'" in course.widget.readings["problem"]
    course.widget._hear(None, {"do": "undo", "number": 4, "page": "p"}, [])
    assert course.widget.readings["problem"] == ""
    assert course.settings.metric == "euclidean"
    assert sent == [{"heard": number, "page": "p"} for number in (1, 2, 3, 4)]


def test_headless_moves_reach_the_page(course):
    assert course.widget.readings["values"]["euclidean"] == "1.7321"
    course.move(y=[1, 2, 3])
    assert course.widget.readings["values"]["euclidean"] == "0.0000"


@pytest.mark.parametrize("lab", [DistanceLab(), DistanceLab(x=[0, 0], y=[0, 0]), DistanceLab(x=[1.5] * 40, y=[2] * 40)])
def test_readings_are_plain_json_without_nan(lab):
    json.dumps(lab.readings(), allow_nan=False)
    json.dumps(lab.widget.words, allow_nan=False)


def test_the_words_come_from_the_declarations(course):
    words = course.widget.words
    assert {row["key"] for row in words["rows"]} == {*METRICS, "cosine_similarity"}
    assert words["settings"]["radius"]["low"] == 0.05
    assert {key: m["is_metric"] for key, m in words["metrics"].items()} == {k: m.is_metric for k, m in METRICS.items()}


def test_the_page_asks_for_nothing_from_the_network(course):
    script = str(course.widget._esm)
    assert not re.search(r"\bimport\b[^\n]*from|https?://(?!www\.w3\.org/)|\bfetch\(", script)
    assert "te-lab" in course.widget._css
    assert ".te-distance" in course.widget._css


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("triangle", [False, True])
def test_the_picture_needs_no_pyplot_and_draws_every_state(metric, triangle):
    lab = DistanceLab(metric=metric, triangle=triangle)
    figure = lab.picture()
    figure.draw_without_rendering()
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert f"{lab.distances['manhattan']:.4f}" in texts
    assert lab.worked() in texts[-1]
    assert ("d(x,z)" in texts[-1]) is triangle


@pytest.mark.parametrize("vectors", [([0, 0], [1, 1]), ([1, 2, 3], [2, 3, 4]), ([1.0] * 30, [2.0] * 30), ([2], [1])])
def test_the_picture_stands_any_vectors(vectors):
    lab = DistanceLab(x=vectors[0], y=vectors[1], metric="cosine", triangle=True)
    lab.picture().draw_without_rendering()


def test_a_script_imports_neither_widgets_nor_matplotlib():
    code = (
        "import sys; from taskembed_edu.labs.distance import DistanceLab; lab = DistanceLab(); lab.move(y=[1, 2]); "
        "repr(lab); print([m for m in ('anywidget', 'ipywidgets', 'matplotlib', 'plotly', 'umap') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_course_text_is_introduced_where_it_is_met_first() -> None:
    page = " ".join(DistanceLab.page.with_suffix(".html").read_text(encoding="utf-8").split())
    assert "The document, a short Chinese text on task embeddings, lists it among the distances." in page


@pytest.mark.parametrize("x", [np.array([3.0, 2.0, 1.0])[::-1], np.array([1, 2, 3], dtype=">f8")])
def test_a_vector_may_be_an_array_of_any_kind(x):
    assert DistanceLab(x, [2, 3, 4]).x == [1.0, 2.0, 3.0]


def test_a_vector_with_masked_numbers_is_told_so():
    with pytest.raises(ValueError, match="x: got an array of which 1 numbers are masked"):
        DistanceLab(np.ma.masked_equal([1, 2, 3], 3), [2, 3, 4])  # type: ignore[arg-type]
