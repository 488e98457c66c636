"""LossLab with no page: what it reads, what it does, what it refuses, and what it would tell a page."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taskembed_edu.figures.plots import loss_surface_figure
from taskembed_edu.formulas.distances import METRICS, pairwise_distances
from taskembed_edu.formulas.losses import batch_triplet_loss, contrastive_loss, pairwise_contrastive_loss
from taskembed_edu.labs.loss import LossLab
from taskembed_edu.labs.loss_readings import MOST_ROWS
from taskembed_edu.labs.loss_scenes import MAX_POINTS, SCENES, in_plane
from taskembed_edu.labs.loss_steps import PHASES, LossSettings, read
from taskembed_edu.labs.point_lab import UNDO_STEPS

COURSE = [[1, 2, 3], [2, 3, 4], [4, 5, 6]]
SIX = [(1.0, 1.0), (3.2, 1.6), (1.8, 3.1), (2.2, 1.9), (4.0, 3.4), (4.1, 0.6)]
SIX_LABELS = [0, 0, 0, 1, 1, 1]
LOSSES = tuple(LossSettings.declared()["loss"].choices)
MININGS = [(loss, mining) for loss in LOSSES for mining in LossSettings(loss=loss).minings]

coordinates = st.floats(0.5, 9, allow_nan=False).map(lambda value: round(value, 2))
planar = st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=7, unique=True)


@pytest.fixture
def lab() -> LossLab:
    return LossLab()


def distance(lab: LossLab, one: str, other: str) -> float:
    return math.dist(lab.points[one], lab.points[other])


# ---------------------------------------------------------------------------------------------- the course's example


def test_the_course_example_is_exact(lab):
    assert lab.loss == pytest.approx(math.sqrt(3), abs=1e-12)
    similar, different = lab.terms()
    assert similar._fields == ("kind", "members", "distance", "violation", "term")
    assert similar[:2] == ("similar", ("anchor", "positive"))
    assert different[:2] == ("different", ("anchor", "negative"))
    assert similar[2:] == pytest.approx((math.sqrt(3),) * 3, abs=1e-12)
    assert different[2:] == pytest.approx((math.sqrt(27), 0, 0), abs=1e-12)
    assert lab.labels == {"anchor": 0, "positive": 0, "negative": 1}


def test_its_points_lie_on_a_line_at_0_sqrt_3_and_3_sqrt_3(lab):
    (start, height), *others = lab.points.values()
    assert [x - start for x, _ in others] == pytest.approx([math.sqrt(3), 3 * math.sqrt(3)], abs=1e-12)
    assert {y for _, y in lab.points.values()} == {height}


@pytest.mark.parametrize("metric", ["euclidean", "squared_euclidean", "cosine"])
def test_it_keeps_the_distances_of_the_vectors(metric):
    vectors = torch.tensor(COURSE, dtype=torch.float64)
    lab = LossLab(metric=metric, anchors="every")
    expected = pairwise_distances(vectors, metric=metric)[*torch.triu_indices(3, 3, 1)]
    assert [term.distance for term in lab.terms()] == pytest.approx(expected.tolist(), abs=1e-12)
    assert lab.readings()["caution"] == ""


def test_under_manhattan_it_says_that_the_plane_s_distances_are_its_own(lab):
    lab.set(metric="manhattan")
    assert lab.terms()[0].distance == pytest.approx(math.sqrt(3))  # of the vectors it would be 3
    assert "Manhattan distances: those shown are the plane's" in lab.readings()["caution"]
    assert lab.forces()["anchor"] == (1.0, 0.0)  # along the line: rounding errors have no sign here


@pytest.mark.parametrize(
    ("choice", "loss"),
    [
        ({}, 1.7320508),
        ({"loss": "contrastive_squared"}, 1.5),
        ({"loss": "triplet"}, 0.0),
        ({"loss": "triplet", "metric": "cosine"}, 0.982049),
        ({"margin": 6}, 2.5358984),
    ],
)
def test_its_value_in_each_convention(choice, loss):
    assert LossLab(**choice).loss == pytest.approx(loss, abs=1e-6)


def test_repr_is_short_and_rounded(lab):
    assert repr(lab) == "LossLab(course example, contrastive, margin 1: loss 1.7321 = 1.7321 + 0)"
    lab.step(2)
    assert repr(lab) == "LossLab(course example after 2 updates, contrastive, margin 1: loss 0.9321 = 0.9321 + 0)"
    lab.reset()
    lab.move("positive", (4.5, 2))
    lab.set(metric="cosine", margin=0.5, loss="triplet", mining="semi-hard")
    assert repr(lab) == (
        "LossLab(course example with points moved, triplet, cosine, margin 0.5, semi-hard: loss 0.4751 = 0.4751)"
    )
    lab.set(margin=0.02)
    assert repr(lab).endswith("margin 0.02, semi-hard: loss 0, no pair or triplet)")
    lab.preset("two classes")
    lab.set(loss="contrastive", metric="euclidean", margin=1)
    assert repr(lab).endswith("contrastive, margin 1: loss 14.0264, the sum of 15 terms, 6 above 0)")


# ---------------------------------------------------------------------------------------------- what it reads


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("loss", "mining"), MININGS)
def test_the_sum_is_the_package_s_batch_loss(loss, mining, metric):
    lab = LossLab(SIX, SIX_LABELS, loss, metric, margin=0.9, mining=mining)
    points = torch.tensor(SIX, dtype=torch.float64)
    options = {"margin": 0.9, "metric": metric, "mining": mining}
    if loss == "triplet":
        expected = batch_triplet_loss(points, SIX_LABELS, **options)
    else:
        expected = pairwise_contrastive_loss(points, SIX_LABELS, squared=loss == "contrastive_squared", **options)
    assert lab.loss == pytest.approx(expected.item(), abs=1e-9)
    assert len(lab.terms()) > 0


@settings(deadline=None)
@given(planar, st.data())
def test_terms_against_plain_loops(points, data):
    labels = data.draw(st.lists(st.integers(0, 2), min_size=len(points), max_size=len(points)))
    margin = data.draw(st.floats(0, 6))
    lab = LossLab(points, labels, margin=margin)
    expected: list[Any] = []
    for i, j in itertools.combinations(range(len(points)), 2):
        d = math.dist(points[i], points[j])
        same = labels[i] == labels[j]
        violation = d if same else max(0.0, margin - d)
        expected.append(("similar" if same else "different", d, violation, violation))
    told: list[Any] = [(t.kind, t.distance, t.violation, t.term) for t in lab.terms()]
    assert told == [
        (kind, pytest.approx(d), pytest.approx(v, abs=1e-9), pytest.approx(t, abs=1e-9)) for kind, d, v, t in expected
    ]
    lab.set(loss="contrastive_squared")
    assert [t.term for t in lab.terms()] == pytest.approx([v * v / 2 for *_, v, _ in expected], abs=1e-9)


@settings(deadline=None)
@given(planar, st.data())
def test_triplets_against_plain_loops(points, data):
    labels = data.draw(st.lists(st.integers(0, 2), min_size=len(points), max_size=len(points)))
    margin = data.draw(st.floats(0, 6))
    found = LossLab(points, labels, "triplet", margin=margin).terms()
    expected = {}
    for a, p, n in itertools.permutations(range(len(points)), 3):
        if labels[a] == labels[p] != labels[n]:
            near, far = math.dist(points[a], points[p]), math.dist(points[a], points[n])
            expected[a, p, n] = (near, far, max(0.0, near - far + margin))
    assert len(found) == len(expected)
    for term, (near, far, violation) in zip(found, expected.values(), strict=True):
        assert term.distance == pytest.approx((near, far))
        assert term.violation == term.term == pytest.approx(violation, abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("loss", "mining"), MININGS)
def test_a_force_is_minus_the_gradient_of_the_loss(loss, mining, metric):
    """Against central differences of the lab's own loss: the points are away from every kink."""
    apart = [(x + 0.013 * k, y - 0.017 * k * k) for k, (x, y) in enumerate(SIX)]
    lab = LossLab(apart, SIX_LABELS, loss, metric, margin=0.9, mining=mining)
    h = 1e-6
    for name, (fx, fy) in lab.forces().items():
        x, y = lab.points[name]
        slopes = []
        for dx, dy in ((h, 0.0), (0.0, h)):
            values = []
            for sign in (1, -1):
                lab.move(name, (x + sign * dx, y + sign * dy))
                values.append(lab.loss)
            slopes.append((values[0] - values[1]) / (2 * h))
        lab.move(name, (x, y))
        assert (fx, fy) == pytest.approx((-slopes[0], -slopes[1]), abs=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_summed_force_is_the_sum_of_the_terms_forces(loss):
    lab = LossLab(SIX, SIX_LABELS, loss)
    sums = dict.fromkeys(range(6), (0.0, 0.0))
    for members, forces in zip(lab.reading.members, lab.reading.forces, strict=True):
        assert sum(f[0] for f in forces) == pytest.approx(0, abs=1e-12)  # a term moves no centre of gravity
        assert sum(f[1] for f in forces) == pytest.approx(0, abs=1e-12)
        for i, (fx, fy) in zip(members, forces, strict=True):
            sums[i] = (sums[i][0] + fx, sums[i][1] + fy)
    for total, expected in zip(lab.forces().values(), sums.values(), strict=True):
        assert total == pytest.approx(expected, abs=1e-12)


def test_a_term_that_is_not_violated_has_no_force(lab):
    assert lab.reading.forces[1] == ((0.0, 0.0), (0.0, 0.0))
    assert lab.forces() == {"anchor": (1.0, 0.0), "positive": (-1.0, 0.0), "negative": (0.0, 0.0)}
    assert str(lab.forces()).count("-0.0") == 0
    lab.set(loss="contrastive_squared")  # the squared form pulls as hard as the points are apart
    assert lab.forces()["anchor"] == pytest.approx((math.sqrt(3), 0))


def test_points_in_one_place_have_no_way_to_go():
    lab = LossLab([(1, 1), (1, 1)], [0, 1])
    assert (lab.loss, lab.forces()) == (1.0, {"A1": (0.0, 0.0), "B1": (0.0, 0.0)})
    assert lab.reading.still


@pytest.mark.parametrize("mining", ["all", "hard"])
@pytest.mark.parametrize("loss", LOSSES)
def test_with_the_first_point_as_anchor_only_its_terms_count(loss, mining):
    every = LossLab(SIX, SIX_LABELS, loss, mining=mining, anchors="every").terms()
    first = LossLab(SIX, SIX_LABELS, loss, mining=mining, anchors="first").terms()
    assert first
    assert all(term.members[0] == "A1" for term in first)
    assert set(first) <= set(every)
    if mining == "all":
        assert set(first) == {term for term in every if term.members[0] == "A1"}


def test_its_hard_pairs_are_its_own_farthest_positive_and_nearest_negative():
    lab = LossLab(SIX, SIX_LABELS, mining="hard", anchors="first")
    assert [term.members for term in lab.terms()] == [("A1", "A2"), ("A1", "B1")]
    assert [t.members for t in LossLab(SIX, [0] * 6, mining="hard", anchors="first").terms()] == [("A1", "A5")]
    assert [t.members for t in LossLab(SIX[:2], [0, 1], mining="hard", anchors="first").terms()] == [("A1", "B1")]


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_without_a_triplet_the_loss_is_0_and_says_so(labels):
    lab = LossLab(SIX[:3], labels, "triplet")
    assert (lab.loss, lab.terms()) == (0.0, [])
    assert set(lab.forces().values()) == {(0.0, 0.0)}
    lab.substep()
    assert lab.readings()["said"].startswith("No triplet is chosen. A triplet needs an anchor, a positive and a nega")


def test_the_margin_s_regions():
    lab = LossLab(SIX, SIX_LABELS, margin=2.0)
    assert [(r.anchor, r.radius) for r in lab.reading.regions] == [(i, 2.0) for i in range(6)]
    lab.set(anchors="first")
    assert [(r.anchor, r.positive, r.radius) for r in lab.reading.regions] == [(0, None, 2.0)]
    lab.set(loss="triplet")
    near = {(r.anchor, r.positive): (r.radius, r.inner) for r in lab.reading.regions}
    for p in (1, 2):
        d = math.dist(SIX[0], SIX[p])
        assert near[0, p] == pytest.approx((d + 2.0, d))
    assert len(near) == 2


@pytest.mark.parametrize(
    ("metric", "margin", "shape", "size"),
    [
        ("euclidean", 2.0, "circle", 2.0),
        ("squared_euclidean", 9.0, "circle", 3.0),
        ("manhattan", 2.0, "diamond", 2.0),
        ("cosine", 0.5, "wedge", math.pi / 3),
        ("cosine", 2.0, "wedge", math.pi),
    ],
)
def test_the_drawn_region_holds_the_points_nearer_than_the_margin(metric, margin, shape, size):
    """Its edge, in the direction of one axis, is at the margin: measured by the package's own distance."""
    lab = LossLab([(2.0, 0.0), (5.0, 5.0)], [0, 1], metric=metric, margin=margin, anchors="first")
    region = lab.readings()["regions"][0]
    assert (region["shape"], region["size"]) == (shape, pytest.approx(size))
    edge = (math.cos(region["size"]), math.sin(region["size"])) if shape == "wedge" else (2.0 + region["size"], 0.0)
    assert float(METRICS[metric].distance([2.0, 0.0], edge)) == pytest.approx(margin, abs=1e-6)


# ---------------------------------------------------------------------------------------------- one update


def test_an_update_moves_by_the_learning_rate_times_the_force(lab):
    before = lab.points
    lab.step()
    assert lab.steps == 1
    assert lab.points["anchor"] == pytest.approx((before["anchor"][0] + 0.2, before["anchor"][1]))
    assert lab.points["positive"] == pytest.approx((before["positive"][0] - 0.2, before["positive"][1]))
    assert lab.points["negative"] == before["negative"]
    assert lab.loss == pytest.approx(math.sqrt(3) - 0.4)


def test_sub_steps_are_the_update_taken_apart(lab):
    whole = LossLab()
    whole.step()
    seen = [lab.substep() for _ in range(5)]
    assert seen == list(PHASES[1:]) == ["pairs", "distances", "violations", "forces", "move"]
    assert (lab.points, lab.steps, lab.loss) == (whole.points, 1, whole.loss)
    assert lab.substep() == "pairs"


@pytest.mark.parametrize("loss", LOSSES)
def test_n_steps_are_n_single_steps(loss):
    at_once, singly = (LossLab(SIX, SIX_LABELS, loss, learning_rate=0.05) for _ in range(2))
    at_once.step(7)
    for _ in range(7):
        singly.step()
    assert at_once.points == singly.points
    assert at_once.readings()["losses"] == singly.readings()["losses"]
    assert len(at_once.readings()["losses"]) == 8


def test_the_linear_loss_trembles_where_the_squared_one_comes_to_rest():
    linear, squared = LossLab(), LossLab(loss="contrastive_squared")
    for lab in (linear, squared):
        lab.step(40)
    assert squared.loss < 1e-12
    assert linear.loss > 0.1  # its pull never weakens: each update steps over the goal


def test_back_takes_the_sub_steps_back(lab):
    start = lab.points
    for _ in range(5):
        lab.substep()
    assert [lab.back() for _ in range(5)] == ["forces", "violations", "distances", "pairs", "explore"]
    assert (lab.points, lab.steps) == (start, 0)
    assert lab.back() == "explore"


def test_undo_takes_back_what_was_done_last(lab):
    start = lab.points
    lab.step(3)
    lab.set(margin=2)
    lab.move("negative", (5, 5))
    lab.preset("three classes")
    lab.undo()
    assert lab.points["negative"] == (5.0, 5.0)
    lab.undo()
    assert lab.points["negative"] == start["negative"]
    assert lab.settings.margin == 2
    lab.undo()
    assert (lab.settings.margin, lab.steps) == (1.0, 3)
    lab.undo()
    assert (lab.points, lab.steps) == (start, 0)
    lab.undo()
    assert lab.points == start


def test_two_updates_are_two_changes(lab):
    lab.step()
    lab.step()
    lab.undo()
    assert lab.steps == 1


def test_undo_remembers_a_bounded_past(lab):
    for k in range(UNDO_STEPS + 20):
        lab.move("negative", (k, 1))
    assert len(lab._past) == UNDO_STEPS + 1


def test_reset_puts_the_points_back_and_keeps_the_settings(lab):
    start = lab.points
    lab.set(margin=3, learning_rate=0.5)
    lab.step(4)
    lab.reset()
    assert (lab.points, lab.steps, lab.settings.margin) == (start, 0, 3)
    lab.undo()
    assert lab.steps == 4


def test_a_change_by_hand_ends_a_finished_move_and_keeps_the_slow_motion_else(lab):
    for _ in range(3):
        lab.substep()
    lab.set(margin=2)
    assert lab.phase == "violations"
    lab.substep()
    lab.substep()
    lab.move("negative", (1, 1))
    assert lab.phase == "explore"
    assert lab.readings()["before"] is None


@pytest.mark.parametrize("preset", SCENES)
def test_every_preset_has_something_to_show(preset, lab):
    lab.preset(preset)
    assert lab.loss > 0
    assert not lab.reading.still
    before = lab.loss
    lab.set(learning_rate=0.01)
    lab.step()
    assert lab.loss < before


def test_the_hard_and_semi_hard_preset_has_one_of_each():
    lab = LossLab()
    lab.preset("hard and semi-hard")
    assert [row["sort"] for row in lab.readings()["rows"]] == ["hard", "semi-hard", "easy"]
    lab.set(mining="semi-hard")
    assert [term.members[2] for term in lab.terms()] == ["negative 2"]


# ---------------------------------------------------------------------------------------------- what it refuses


def test_the_margin_s_range_follows_the_metric(lab):
    lab.set(margin=5)
    lab.set(metric="cosine")
    assert lab.settings.margin == 2.0
    assert lab.readings()["margin_high"] == 2.0
    with pytest.raises(ValueError, match=r"margin: got 2.5, expected a number from 0 to 2"):
        lab.set(margin=2.5)
    assert lab.settings.margin == 2.0
    lab.undo()
    assert (lab.settings.margin, lab.settings.metric) == (5, "euclidean")


def test_semi_hard_is_for_triplets(lab):
    with pytest.raises(ValueError, match=r"mining: got 'semi-hard', expected one of all, hard\. Semi-hard compares"):
        lab.set(mining="semi-hard")
    lab.set(loss="triplet", mining="semi-hard")
    lab.set(loss="contrastive_squared")
    assert lab.settings.mining == "all"
    with pytest.raises(ValueError, match="mining"):
        LossLab(mining="semi-hard")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda lab: lab.set(metrik="cosine"), "setting: got 'metrik', expected one of loss, metric, .* Did you mean"),
        (lambda lab: lab.set(metric="cosin"), "metric: got 'cosin'.*Did you mean 'cosine'"),
        (lambda lab: lab.set(loss="contrast"), "loss: got 'contrast'.*Did you mean 'contrastive'"),
        (lambda lab: lab.move("achor", (1, 2)), "name: got 'achor'.*Did you mean 'anchor'"),
        (lambda lab: lab.move("anchor", (1, 2, 3)), r"anchor: got .*, expected two numbers such as \(1, 2\)"),
        (lambda lab: lab.move("anchor", (1, math.nan)), "anchor: got 1 NaN or infinite"),
        (lambda lab: lab.move("anchor", (1, 1e9)), "anchor: got a coordinate of size 1e.09, expected at most 1e.06"),
        (lambda lab: lab.preset("course"), "preset: got 'course'.*Did you mean 'course example'"),
        (lambda lab: lab.step(0), "n: got 0, expected a whole number of updates, 1 or more"),
        (lambda lab: lab.step(True), "n: got True"),
        (lambda lab: lab.set(learning_rate=0), "learning_rate: got 0, expected a number from 0.01 to 1"),
    ],
)
def test_a_wish_that_cannot_be_granted_says_why_and_changes_nothing(act, words, lab):
    before = lab._state
    with pytest.raises(ValueError, match=words):
        act(lab)
    assert lab._state is before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"labels": [0, 1]}, "points: got none, expected the points that the labels and names belong to"),
        ({"points": SIX}, "labels: got none, expected 6 class numbers"),
        ({"points": SIX, "labels": [0, 1]}, "labels: got 2 labels, expected 6"),
        ({"points": [(1, 2)], "labels": [0]}, f"points: got 1 points, expected 2 to {MAX_POINTS}"),
        ({"points": [(1, 2)] * 13, "labels": [0] * 13}, "points: got 13 points"),
        ({"points": [(k, 1) for k in range(9)], "labels": range(9)}, "labels: got 9 classes, expected at most 8"),
        ({"points": [1.0, 2.0], "labels": [0, 1]}, r"points: got a tensor of shape \(2,\).*shape \(n, dim\)"),
        ({"points": [(1, math.inf), (1, 1)], "labels": [0, 1]}, "points: got 1 NaN or infinite of 4 entries"),
        ({"points": [(1, 2), (3, 4)], "labels": [0, 1], "names": ["a", "a"]}, "names: got .*2 names, each once"),
        ({"points": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "labels": [0, 0, 1]}, "points that lie in one plane with the"),
    ],
)
def test_points_and_labels_must_fit(arguments, words):
    with pytest.raises(ValueError, match=words):
        LossLab(**arguments)


@pytest.mark.parametrize("points", ["two points", [(1, 2), (3,)], None])
def test_points_that_are_no_numbers(points):
    with pytest.raises((TypeError, ValueError), match="points: got"):
        LossLab(points, [0, 1])


def test_labels_are_whole_numbers():
    with pytest.raises(TypeError, match=r"labels: got 0\.5, expected whole numbers"):
        LossLab(SIX[:2], torch.tensor([0.5, 1.0]))
    assert LossLab(SIX[:2], torch.tensor([3.0, 1.0])).labels == {"B1": 3, "A1": 1}


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([[0], [1]], r"labels: got \[0\].*labels\.ravel"),
        (np.array([[0], [1]]), r"labels: got \[0\].*labels\.ravel"),
        ("ab", "labels: got 'a', expected whole numbers"),
        ([None, 1], "labels: got None, expected whole numbers"),
        ([math.nan, 1], "labels: got nan, expected whole numbers"),
    ],
)
def test_labels_that_are_none_are_told_so(labels, words):
    with pytest.raises(TypeError, match=words):
        LossLab(SIX[:2], labels)


@pytest.mark.parametrize("form", [lambda rows: np.array(rows[::-1])[::-1], lambda rows: np.array(rows, dtype=">f8")])
def test_points_may_be_an_array_of_any_kind(form):
    assert LossLab(form(SIX[:2]), [0, 1]).points == LossLab(SIX[:2], [0, 1]).points


def test_points_with_masked_numbers_are_told_so():
    with pytest.raises(ValueError, match="points: got an array of which 1 numbers are masked"):
        LossLab(np.ma.masked_equal([[1, 2], [3, 4]], 4), [0, 1])  # type: ignore[arg-type]


def test_a_point_on_the_origin_has_no_cosine_distance(lab):
    lab.set(metric="cosine")
    lab.move("negative", (0, 0))
    with pytest.raises(ValueError, match=r"negative: got a point on the origin.*The zero vector has no direction"):
        _ = lab.loss
    with pytest.raises(ValueError, match="no direction"):
        lab.step()
    assert "loss undefined" in repr(lab)
    seen = lab.readings()
    assert (seen["loss"], seen["rows"], seen["losses"]) == ("undefined", [], [])
    assert "no direction" in seen["said"]
    assert lab.picture().axes
    lab.hear({"do": "substep"})
    lab.hear({"do": "substep"})
    assert lab.phase == "distances"  # it may look; only the move needs a force
    lab.move("negative", (1, 0))
    assert lab.loss > 0


def test_points_that_fly_apart_are_stopped_with_a_reason():
    lab = LossLab(metric="squared_euclidean", learning_rate=1.0)
    before = lab._state
    with pytest.raises(ValueError, match=r"learning_rate: got 1\.0, expected a smaller one\. The points fly apart"):
        lab.step(100)
    assert lab._state is before


# ---------------------------------------------------------------------------------------------- one's own points


def test_own_points_get_names_and_a_title():
    lab = LossLab([(0, 1), (1, 1), (2, 1)], [7, 3, 7])
    assert list(lab.points) == ["B1", "A1", "B2"]
    assert repr(lab).startswith("LossLab(3 points of 2 classes, contrastive")
    lab.preset("course example")
    lab.preset("3 points of 2 classes")
    assert lab.points["B2"] == (2.0, 1.0)
    assert lab.words()["presets"] == ["3 points of 2 classes", *SCENES]
    assert list(LossLab(COURSE, [0, 0, 1], names="apn").points) == ["a", "p", "n"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=6), st.integers(3, 6), st.data())
def test_points_of_more_dimensions_keep_distances_and_the_origin(plane, dim, data):
    rng = torch.Generator().manual_seed(data.draw(st.integers(0, 10)))
    axes = torch.linalg.qr(torch.randn(dim, 2, generator=rng, dtype=torch.float64)).Q
    points = torch.tensor(plane, dtype=torch.float64)
    assume(float(points.abs().max()) > 1e-3)
    laid = torch.tensor(in_plane(points @ axes.T), dtype=torch.float64)
    assert torch.allclose(laid @ laid.T, points @ points.T, atol=1e-6)


# ---------------------------------------------------------------------------------------------- in words


def test_a_term_in_words(lab):
    assert lab.explain(0) == (
        "anchor and positive are similar. They should lie together. "
        "Their distance is 1.7321. All of it is a violation. The term is 1.7321."
    )
    assert lab.explain(1) == (
        "anchor and negative are different. They should be at least 1 apart. Their distance is 5.1962. "
        "This is not less than the margin: nothing is violated, and nothing pushes. The term is 0."
    )
    lab.set(loss="contrastive_squared", margin=6)
    assert lab.explain(1).endswith("This is 0.8038 less than the margin. The term is half the square of this: 0.3231.")
    lab.set(loss="triplet")
    assert lab.explain(0) == (
        "negative should be at least 6 farther from anchor than positive is. negative is semi-hard: it is farther away "
        "than the positive, but inside the margin. d(a,p) - d(a,n) + margin = 1.7321 - 5.1962 + 6 = 2.5359. "
        "The term is 2.5359."
    )
    with pytest.raises(IndexError, match="number: got 7, expected a number from 0 to 0"):
        lab.explain(7)


def test_the_course_text_is_introduced_where_it_is_met_first(lab):
    introduced = "the document, a short Chinese text on task embeddings"
    assert introduced in lab.readings()["said"], "the note of the first points"
    assert introduced.replace(", ", " (") in LossSettings.declared()["loss"].help


def test_each_sub_step_says_what_happens_with_its_numbers(lab):
    said = {}
    for _ in range(5):
        phase = lab.substep()
        said[phase] = lab.readings()["said"]
    assert said["pairs"] == (
        "2 pairs are chosen: all of them. The first point is the anchor. Their kinds: 1 similar, 1 different."
    )
    assert said["distances"] == "Now the Euclidean distances are measured, for the 2 pairs that are chosen."
    assert said["violations"].endswith("1 of 2 pairs violate this. The loss is 1.7321 = 1.7321 + 0.")
    assert said["forces"].endswith("The sum of a point's forces says where it will move.")
    assert said["move"].endswith("The loss went from 1.7321 to 1.3321.")


def test_a_point_says_where_it_is_pulled(lab):
    said = lab.readings()["points_said"]
    assert said[0] == "anchor: the sum of its forces is (1, 0), of size 1. An update moves it by 0.2."
    assert said[2] == "negative: the sum of its forces is 0. An update does not move it."


# ---------------------------------------------------------------------------------------------- the page's channel


def test_what_the_page_gets_is_plain_and_finite(lab):
    for preset, loss, metric in itertools.product(SCENES, LOSSES, METRICS):
        lab.preset(preset)
        lab.set(loss=loss, metric=metric)
        for _ in range(5):
            json.dumps(lab.readings(), allow_nan=False)
            lab.substep()
    json.dumps(lab.words(), allow_nan=False)


def test_every_declared_setting_has_a_control(lab):
    controls = lab.words()["settings"]
    assert list(controls) == list(LossSettings.declared())
    for name, declared in LossSettings.declared().items():
        assert controls[name]["label"] == declared.label
        assert [choice["value"] for choice in controls[name]["choices"]] == list(declared.choices)
        assert all(choice["label"] for choice in controls[name]["choices"])


def test_many_triplets_are_listed_in_part_those_that_violate_first():
    points = [(math.cos(k) * (1 + k / 4) + 5, math.sin(k) * (1 + k / 4) + 5) for k in range(12)]
    lab = LossLab(points, [0, 1] * 6, "triplet")
    seen = lab.readings()
    n = 12 * 5 * 6
    assert len(lab.terms()) == n
    assert (len(seen["rows"]), seen["rows_hidden"]) == (MOST_ROWS, n - MOST_ROWS)
    assert sum(t.term > 0 for t in lab.terms()) > MOST_ROWS
    assert all(row["active"] for row in seen["rows"])


def heard(lab: LossLab, **message: object) -> dict[str, Any]:
    """Send one wish as the page does; what came back."""
    answers: list[dict[str, object]] = []
    lab.widget.send = answers.append
    lab.widget._hear(lab.widget, {"number": 7, "page": "p", **message}, [])
    assert answers == [{"heard": 7, "page": "p"}]
    return lab.widget.readings


def test_the_page_s_wishes_are_granted_and_acknowledged(lab):
    seen = heard(lab, do="move", name="negative", to=[4.0, 1.0], gesture="drag-1")
    assert seen["points"][2] == [4.0, 1.0]
    heard(lab, do="move", name="negative", to=[4.5, 1.0], gesture="drag-1")
    heard(lab, do="set", settings={"margin": 3.0}, gesture="slider-1")
    seen = heard(lab, do="set", settings={"margin": 2.0}, gesture="slider-1")
    assert (seen["settings"]["margin"], seen["can_undo"]) == (2.0, True)
    heard(lab, do="undo")
    assert lab.settings.margin == 1.0  # the whole pull at the slider was one gesture
    heard(lab, do="undo")
    assert lab.points == LossLab().points  # and so was the drag
    assert heard(lab, do="substep")["phase"] == 1
    assert heard(lab, do="back")["phase"] == 0
    assert heard(lab, do="step")["steps"] == 1
    assert heard(lab, do="reset")["steps"] == 0
    assert heard(lab, do="preset", name="two classes")["names"] == ["A1", "A2", "A3", "B1", "B2", "B3"]


def test_a_wish_of_the_page_that_cannot_be_granted_is_answered_with_its_reason(lab):
    seen = heard(lab, do="set", settings={"margin": 99})
    assert "margin: got 99, expected a number from 0 to 6" in seen["trouble"]
    assert seen["settings"]["margin"] == 1.0
    assert "do: got 'fly'" in heard(lab, do="fly")["trouble"]
    assert heard(lab, do="set", settings={"margin": 2})["trouble"] == ""


def test_it_is_shown_as_a_panel_with_its_repr_beside(lab):
    data, _ = lab._repr_mimebundle_()
    assert data["text/plain"] == repr(lab)
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.widget.model_id
    lab.set(margin=2)
    assert lab.widget.readings["settings"]["margin"] == 2
    assert lab.widget._esm
    assert ".te-lab" in lab.widget._css


def test_a_script_needs_no_widget_and_no_figure():
    code = (
        "import sys; from taskembed_edu.labs.loss import LossLab; lab = LossLab(); lab.step(); "
        "print([m for m in ('anywidget', 'ipywidgets', 'matplotlib', 'plotly') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# ---------------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("preset", SCENES)
def test_the_still_shows_the_points_and_the_loss(preset, metric):
    lab = LossLab()
    lab.preset(preset)
    lab.set(metric=metric)
    figure = lab.picture()
    axes = figure.axes[0]
    assert figure.get_suptitle().startswith(f"loss {lab.readings()['loss']} ")
    words = [text.get_text() for text in axes.texts]
    assert set(lab.points) <= set(words)
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert repr(figure) == "<Still size 900x460 with 1 Axes>"
    assert len(figure._repr_png_()) < 100_000


def test_the_still_uses_no_pyplot():
    code = (
        "import sys; from taskembed_edu.labs.loss import LossLab; LossLab().picture()._repr_png_(); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_loss_figure_shows_the_package_s_losses():
    figure = loss_surface_figure(margin=1.5)
    labels = {"similar": 1, "different": 0}
    for trace in figure.data:
        kind, form = trace.name.split(", ")
        for d, shown in zip(trace.x, trace.y, strict=True):
            expected = contrastive_loss([[0.0]], [[d]], labels[kind], margin=1.5, squared=form == "squared")
            assert shown == pytest.approx(expected.item(), abs=1e-4)


def test_its_slider_redraws_the_different_pair_for_every_margin():
    figure = loss_surface_figure(margin=1.5)
    (slider,) = figure.layout.sliders
    assert [float(step.label) for step in slider.steps] == [k / 2 for k in range(13)]
    assert slider.steps[slider.active].label == "1.5"
    for step in slider.steps:
        curves, line, traces = step.args
        m = float(step.label)
        assert list(traces) == [1, 3]
        assert line == {"shapes[0].x0": m, "shapes[0].x1": m}
        for k, d in enumerate(figure.data[1].x):
            assert curves["y"][0][k] == pytest.approx(max(0, m - d), abs=1e-4)
            assert curves["y"][1][k] == pytest.approx(max(0, m - d) ** 2 / 2, abs=1e-4)
    active = slider.steps[slider.active].args[0]["y"]
    assert [list(figure.data[1].y), list(figure.data[3].y)] == active


def test_it_is_small_and_marks_what_it_is_asked_to():
    figure = loss_surface_figure(marks={"√14": math.sqrt(14)})
    assert len(figure.to_json()) < 30_000
    assert figure.layout.annotations[0].text == "√14"
    assert figure.layout.annotations[0].x == figure.layout.shapes[1].x0 == math.sqrt(14)


def test_it_ends_where_the_metric_ends_and_refuses_margins_beyond():
    figure = loss_surface_figure(metric="cosine")
    assert max(figure.data[0].x) == 2.0
    assert [float(step.label) for step in figure.layout.sliders[0].steps] == [k / 10 for k in range(21)]
    with pytest.raises(ValueError, match=r"margin: got 3\.0, expected a number from 0 to 2"):
        loss_surface_figure(margin=3.0, metric="cosine")
    with pytest.raises(ValueError, match="margins: got no stop"):
        loss_surface_figure(margins=[])
    with pytest.raises(ValueError, match="metric: got 'cosin'"):
        loss_surface_figure(metric="cosin")
    assert [step.label for step in loss_surface_figure(margins=[2, 1]).layout.sliders[0].steps] == ["1", "2"]


def test_read_is_pure():
    points = tuple(SIX)
    first, second = (read(points, SIX_LABELS, list("abcdef"), LossSettings()) for _ in range(2))
    assert first == second
    assert points == tuple(SIX)


def test_hadsell_is_the_former_name_of_the_squared_loss_and_goes_on_working_with_a_word():
    word = "The loss 'hadsell' is now called 'contrastive_squared'"
    with pytest.warns(DeprecationWarning, match=word) as said:
        lab = LossLab(loss="hadsell")
    assert {warning.filename for warning in said} == {__file__}
    assert lab.loss == LossLab(loss="contrastive_squared").loss == pytest.approx(1.5)
    assert repr(lab) == "LossLab(course example, contrastive_squared, margin 1: loss 1.5 = 1.5 + 0)"
    other = LossLab()
    with pytest.warns(DeprecationWarning, match=word):
        other.set(loss="hadsell")
    assert other.settings == lab.settings
    labels = {choice["value"]: choice["label"] for choice in lab.words()["settings"]["loss"]["choices"]}
    assert labels == {
        "contrastive": "Contrastive, linear",
        "contrastive_squared": "Contrastive, squared",
        "triplet": "Triplet",
    }
