"""What travels to the page: places to a 65,535th, neighbours by number, curves by rows, and small enough to be live."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.live.export import film
from taskembed_edu.live.numbers import rounded
from taskembed_edu.live.packets import (
    OTHER_RUN,
    card_packet,
    columns_of,
    curve_marks,
    facts,
    frames_at,
    live_step,
    marks_packet,
    picture_packet,
    rows_packet,
    tasks_packet,
)
from taskembed_edu.live.words import help_packet, map_words
from taskembed_edu.session.history import Event
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Alphabets
from taskembed_edu.tasks.sketch import TaskSketch
from tests.runs import boxed, eventful, generator, small_session


def uint16(data: bytes, *shape: int) -> np.ndarray:
    return np.frombuffer(data, "<u2").reshape(shape)


def size(packet: Any) -> int:
    """Bytes on the wire: JSON with its binary parts beside it, as a Jupyter message travels."""
    binary: list[bytes] = []

    def apart(value: bytes) -> None:
        binary.append(value)

    text = json.dumps(packet, default=apart, allow_nan=False)
    return len(text.encode()) + sum(map(len, binary))


# ---- tasks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["sinusoids", "gaussians", "digits"])
def test_the_tasks_of_every_family(family: str) -> None:
    session = small_session(family=family)
    packet = tasks_packet(session)
    n = packet["n"]
    assert (n, packet["names"]) == (12, list(session.tasks.names))
    assert [colour["name"] for colour in packet["colours"]] == list(session.tasks.truth_names)
    for colour in packet["colours"]:
        assert (len(colour["rgb"]), len(colour["shapes"]), len(colour["groups"])) == (3 * n, n, n)
        assert max(colour["groups"]) < len(colour["entries"])
        assert all({"label", "colour", "shape"} == entry.keys() for entry in colour["entries"])
    size(packet)  # plain enough for JSON


def test_true_neighbours_are_the_nearest_in_truth() -> None:
    session = small_session()
    truth = tasks_packet(session)["truth"]
    neighbours = uint16(truth["neighbours"], 12, truth["k"])
    distance = session.split.validation.true_distance(session.tasks)
    for i in range(12):
        others = sorted((j for j in range(12) if j != i), key=lambda j: float(distance[i, j]))
        assert neighbours[i].tolist() == others[:5]


def test_fewer_tasks_than_neighbours() -> None:
    session = small_session(n_tasks=5)
    assert tasks_packet(session)["truth"]["k"] == 4
    links = picture_packet([session], chosen=2)["runs"][0]["links"]
    assert sorted(links["embedding"]) == sorted(links["truth"]) == [0, 1, 3, 4]


def test_curves_come_back_to_a_65535th() -> None:
    session = small_session(family="sinusoids")
    card, tasks = tasks_packet(session)["card"], session.tasks
    assert card["kind"] == "curve"
    ends = np.array([card["x"], card["y"]])
    points = uint16(card["points"], 12, card["n_points"], 2) / 65535 * np.ptp(ends, axis=1) + ends[:, 0]
    expected = torch.cat((tasks.support_x, tasks.support_y), dim=-1).numpy()
    np.testing.assert_allclose(points, expected, atol=10 / 65535)
    curve = uint16(card["curve"], 12, card["n_curve"]) / 65535 * np.ptp(card["y"]) + card["y"][0]
    x = np.linspace(card["x"][0], card["x"][1], card["n_curve"])
    amplitude, phase = tasks.truth.numpy().T[:, :, None]
    np.testing.assert_allclose(curve, amplitude * np.sin(x - phase), atol=10 / 65535)


def test_points_keep_their_class_and_pictures_their_digit() -> None:
    session = small_session()
    card = tasks_packet(session)["card"]
    assert (card["kind"], card["n_classes"]) == ("scatter", 2)
    assert list(card["classes"]) == session.tasks.support_y.flatten().tolist()
    session = small_session(family="digits")
    card = tasks_packet(session)["card"]
    assert (card["kind"], card["width"], card["height"], card["n_images"]) == ("images", 8, 8, 9)
    pixels = np.frombuffer(card["pixels"], np.uint8).reshape(12, 9, 8, 8)
    first = session.tasks.support_x[3, 0, 0].numpy()
    np.testing.assert_allclose(pixels[3, 0] / 255, first, atol=0.51 / 255)
    labels = np.frombuffer(card["labels"], np.uint8).reshape(12, 9)
    assert set(labels[3].tolist()) == set(session.tasks.truth[3, 1:].nonzero()[:, 0].tolist())
    assert card["on_map"] == [0, 3, 6]
    assert "class_names" not in card


def test_letters_have_their_names_on_the_card() -> None:
    family = Alphabets(part=("Greek",))
    tasks = family.sample(2, n_shot=2, rng=generator())
    card = card_packet(family.sketch(tasks))
    assert [f"Greek: {' '.join(names)}" for names in card["class_names"]] == list(tasks.names)
    assert card["on_map"] == [0, 2, 4, 6]


def test_a_family_without_a_picture_has_an_empty_card() -> None:
    assert card_packet(TaskSketch()) == {"kind": ""}


# ---- pictures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 1000])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_places_come_back_to_a_65535th_of_the_box(n: int, scale: float) -> None:
    layout = (torch.randn(n, 2, generator=generator()) * torch.tensor([10.0, 0.1]) + 3).numpy() * np.float32(scale)
    box, points = boxed(layout)
    low, span = np.array(box[:2]), np.array(box[2:]) - box[:2]
    back = low + points / 65535 * span
    # The box itself is said to a ten-thousandth of its longer side.
    atol = span.max() * (1e-4 + 1e-5)
    np.testing.assert_allclose(back, layout, atol=atol)


def test_the_bytes_of_places() -> None:
    layout = np.array([[-1.0, 5.0], [3.0, 5.0], [1.0, 5.0]], np.float32)
    box, points = boxed(layout)
    assert box == [-1.0, 5.0, 3.0, 6.0]
    assert points.tobytes() == np.array([0, 0, 65535, 0, 32768, 0], "<u2").tobytes()


def test_a_picture_is_the_latest_frame() -> None:
    session = small_session()
    session.step(8)
    picture = picture_packet([session], number=3, words="hello")
    assert (picture["number"], picture["live"], picture["step"], picture["words"]) == (3, True, 8, "hello")
    (run,) = picture["runs"]
    assert (run["run"], run["step"], run["projection"]) == (0, 8, "pca")
    box, points = boxed(session.frame.layout)
    assert (run["box"], run["points"]) == (box, points.tobytes())
    assert run["links"] is None
    assert "changes" not in run
    finite = {name for name, value in session.frame.diagnostics.items() if math.isfinite(value)}
    assert run["readings"].keys() == finite
    assert run["readings"]["spearman"] == rounded(session.frame.diagnostics["spearman"])
    assert not run.keys() & {"alarm", "left_out", "trails", "fit"}, "what there is nothing of takes no room"
    alarmed = dataclasses.replace(session.frame, alarm="collapsed", diverged_tasks=(3,))
    assert facts(alarmed) == {**facts(session.frame), "alarm": "collapsed", "left_out": [3]}


def test_what_has_no_number_is_absent_and_travels() -> None:
    session = small_session()
    diagnostics = session.frame.diagnostics
    missing = {name for name, value in diagnostics.items() if math.isnan(value)}
    assert missing  # there is no jitter before the second frame
    readings = picture_packet([session])["runs"][0]["readings"]
    assert readings.keys() == diagnostics.keys() - missing
    size(readings)
    assert rounded(math.inf) is None
    assert rounded(0.123456) == 0.1235


def test_a_step_of_the_past_shows_the_frame_at_or_before_it() -> None:
    session = small_session()
    session.step(20)
    picture = picture_packet([session], 11)
    assert (picture["live"], picture["step"], picture["runs"][0]["step"]) == (False, 11, 8)
    assert picture["runs"][0]["points"] == boxed(session.history[2].layout)[1].tobytes()


def test_two_runs_are_shown_at_the_moment_both_have_reached() -> None:
    session = small_session()
    session.step(20)
    branch = session.branch(1)
    branch.set(margin=0.5)
    branch.step(8)
    assert live_step([session, branch]) == 12
    picture = picture_packet([session, branch])
    assert (picture["live"], picture["step"]) == (True, 12)
    assert [(run["run"], run["step"]) for run in picture["runs"]] == [(0, 12), (1, 12)]
    assert picture["runs"][0]["points"] != picture["runs"][1]["points"]
    assert [frame.step for frame in frames_at([session, branch], 20)] == [20, 12]


def test_a_chosen_task_comes_with_its_neighbours() -> None:
    session = small_session()
    session.step(8)
    embedding, truth = session.nearest(session.frame, 3)
    links = picture_packet([session], chosen=3)["runs"][0]["links"]
    apart = np.frombuffer(links.pop("apart"), "<f4")
    assert links == {"task": 3, "embedding": embedding.tolist(), "truth": truth.tolist()}
    vectors = session.frame.embedding
    expected = np.linalg.norm(vectors[embedding] - vectors[3], axis=1)
    np.testing.assert_allclose(apart[:5], expected, rtol=1e-5)
    assert session.geometry is not None
    np.testing.assert_allclose(apart[5:], session.geometry.true_distance[3][truth], rtol=1e-5)
    assert apart[5:].tolist() == sorted(apart[5:].tolist())
    packet = uint16(tasks_packet(session)["truth"]["neighbours"], 12, 5)
    assert links["truth"] == packet[3].tolist()
    for nobody in (-1, 12, 99):
        assert picture_packet([session], chosen=nobody)["runs"][0]["links"] is None


def test_another_metric_says_which_neighbours_change() -> None:
    session = small_session()
    session.step(8)
    changes = session.neighbour_changes(session.frame, "cosine")
    assert changes.counts.sum() > 0
    sent = picture_packet([session], chosen=3, compare="cosine")["runs"][0]["changes"]
    assert (sent["metric"], sent["share"]) == ("cosine", rounded(changes.share))
    assert list(sent["counts"]) == changes.counts.tolist()
    assert (sent["lost"], sent["gained"]) == (changes.lost(3).tolist(), changes.gained(3).tolist())
    sent = picture_packet([session], compare="cosine")["runs"][0]["changes"]
    assert (sent["lost"], sent["gained"]) == ([], [])


@pytest.mark.parametrize(("left", "compared"), [(1, False), (2, True), (4, True)])
def test_what_changed_is_told_however_few_tasks_are_left(left: int, compared: bool) -> None:
    session, other = (Session("metric", "sinusoids", n_tasks=12, projection="pca") for _ in range(2))
    for each in (session, other):
        each.history._frames[-1] = dataclasses.replace(each.frame, diverged_tasks=tuple(range(12 - left)))
    assert ("changes" in picture_packet([session], chosen=11, compare="cosine")["runs"][0]) is compared
    runs = picture_packet([session, other], compare=OTHER_RUN)["runs"]
    assert [run.get("changes", {}).get("share") for run in runs] == ([0, 0] if compared else [None, None])
    session.step(session.setup.frame_every)  # all tasks are back
    near = film(session).neighbours
    assert near.shape == (2, 12, 5)
    assert set(near[0, 11]) == ({*range(12 - left, 11)} or {11})


@pytest.mark.parametrize("family", ["sinusoids", "gaussians", "digits"])
def test_a_picture_of_a_thousand_tasks_is_at_most_4500_bytes_with_links(family: str) -> None:
    session = small_session(family=family, n_tasks=1000)
    session.step(4)
    assert size(picture_packet([session], number=1000, chosen=7)) <= 4500
    # The words come beside it, once a second; they are short too.
    assert size(map_words(session, session.frame, chosen=7)) <= 1000


# ---- curves --------------------------------------------------------------------------------------------------------


def test_rows_are_the_frames() -> None:
    session = small_session()
    session.step(12)
    columns = columns_of(session)
    (run,) = rows_packet([session], [1])["runs"]
    assert (run["first"], run["columns"]) == (1, list(columns))
    rows = np.frombuffer(run["values"], "<f4").reshape(3, len(columns))
    for row, frame in zip(rows, session.history[1:], strict=True):
        expected = [frame.step, frame.loss, *(frame.diagnostics.get(name, math.nan) for name in columns[2:])]
        np.testing.assert_array_equal(row, np.array(expected, np.float32))
    everything = rows_packet([session])["runs"][0]
    assert np.isnan(np.frombuffer(everything["values"], "<f4")[1])  # no loss before the first step
    assert rows_packet([session], [4])["runs"][0]["values"] == b""


def test_every_column_is_a_reading_of_a_frame_and_is_explained() -> None:
    session = small_session()
    some = {"purity"}  # not of every family, nor of every embedder
    columns = columns_of(session)
    assert columns == (
        "step",
        "loss",
        "recall@1",
        "spearman",
        "purity",
        "trustworthiness",
        "jitter",
        "mean_distance",
        "active_pairs",
    )
    assert set(columns[2:]) <= session.frame.diagnostics.keys() | some
    assert {reading.name for reading in session.validation_set.readings} == {"loss", *session.frame.diagnostics} | some
    told = help_packet(session)
    assert list(told["scores"]) == list(columns[1:])
    assert told["panels"] == ["Loss", "Mean distance", "Scores", "Active pairs"]


def test_each_run_has_its_rows_and_its_marks() -> None:
    session = small_session()
    session.step(8)
    branch = session.branch(1)
    branch.set(margin=0.5)
    branch.step(4)
    runs = rows_packet([session, branch], [2, 0])["runs"]
    row = 4 * len(columns_of(session))
    assert [(run["first"], len(run["values"])) for run in runs] == [(2, row), (0, 3 * row)]
    assert marks_packet([session, branch]) == [[], [{"step": 4, "text": "margin 0.5"}]]


def test_a_choice_of_the_map_has_no_mark_and_stays_in_the_recording() -> None:
    session = small_session(n_neighbors=5)
    session.step(4)
    for changes in ({"projection": "umap"}, {"projection": "pca"}, {"n_neighbors": 7}, {"min_dist": 0.3}):
        session.set(**changes)
        session.step(4)
    assert marks_packet([session]) == [[]]
    assert [list(event.changes) for event in session.events] == [
        ["projection"],
        ["projection"],
        ["n_neighbors"],
        ["min_dist"],
    ]
    session.set(projection="umap", margin=0.5)
    assert marks_packet([session]) == [[{"step": 20, "text": "margin 0.5"}]]


def test_marks_say_where_a_slider_came_to_rest() -> None:
    declared = small_session().declared()
    events = [Event(10, {"margin": 0.9}), Event(12, {"margin": 0.8}), Event(50, {"margin": 0.5})]
    assert curve_marks(events, declared) == [{"step": 50, "text": "margin 0.5"}]
    events += [Event(55, {"metric": "cosine", "margin": 0.5}), Event(120, {"margin": 0.25})]
    assert curve_marks(events, declared)[1:] == [
        {"step": 55, "text": "Cosine distance, margin 0.5"},
        {"step": 120, "text": "margin 0.25"},
    ]
    assert curve_marks([Event(3, {"umap_restarts": 1})], declared) == [{"step": 3, "text": "embedded again"}]
    assert curve_marks([Event(3, {"projection": "umap", "learning_rate": 0.01})], declared, ["projection"]) == [
        {"step": 3, "text": "learning rate 0.01"}
    ]
    assert curve_marks([], declared) == []


def test_marks_say_where_what_is_measured_changes() -> None:
    declared = small_session().declared()
    events = [
        Event(10, {"margin": 0.9}),
        Event(55, {"metric": "cosine", "margin": 0.5}),
        Event(60, {"loss": "triplet"}),
    ]
    marks = curve_marks(events, declared, (), {"metric"})
    assert [mark.get("breaks") for mark in marks] == [None, [55], None]
    # One mark for two changes that follow each other; a break for each, since there may be frames between them.
    events = [Event(10, {"metric": "cosine"}), Event(20, {"metric": "manhattan"})]
    assert curve_marks(events, declared, (), {"metric"}) == [
        {"step": 20, "text": "Manhattan distance", "breaks": [10, 20]}
    ]


def test_the_breaks_lie_just_where_two_frames_were_measured_in_different_units() -> None:
    session = eventful()
    (marks,) = marks_packet([session])
    breaks = [step for mark in marks for step in mark.get("breaks", [])]
    assert breaks == [7, 16]
    frames = list(session.history)
    for before, after in itertools.pairwise(frames):
        parted = any(before.step < step <= after.step for step in breaks)
        assert parted == (before.metric != after.metric), f"{before.step} to {after.step}"


def test_the_same_session_gives_the_same_packets() -> None:
    one, other = small_session(), small_session()
    one.step(4)
    other.step(4)
    assert picture_packet([one], chosen=1) == picture_packet([other], chosen=1)
    assert tasks_packet(one) == tasks_packet(other)
