"""The start of the inner loops on the map: where it lies, and what page, exported file and pictures show of it."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from matplotlib.quiver import Quiver

from taskembed_edu.figures.film import gif
from taskembed_edu.figures.snapshots import session_figure
from taskembed_edu.live.export import exported, unpacked
from taskembed_edu.live.packets import picture_packet, tasks_packet
from taskembed_edu.session.by_pca import by_pca
from taskembed_edu.session.on_the_map import on_the_map, start_way
from taskembed_edu.session.session import Session
from tests.runs import small_session


@pytest.fixture(scope="module")
def run() -> Session:
    session = Session(
        "adapted", "sinusoids", n_tasks=20, projection="pca", learner="wave", learning_rate=0.05, frame_every=2
    )
    session.step(60)
    return session


def places_of(packet: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(packet["points"], "<f4").reshape(packet["n"], 2)


def test_the_frames_own_vectors_lie_where_its_layout_has_them(run: Session) -> None:
    for frame in run.history[:3]:
        np.testing.assert_allclose(on_the_map(frame, frame.embedding), frame.layout, atol=1e-5)


def test_the_start_lies_among_the_tasks_as_its_weights_do_among_theirs(run: Session) -> None:
    frame, way = run.frame, start_way(run, run.frame)
    assert way is not None
    assert frame.start is not None
    assert way.shape == (13, 2)
    # Two numbers a task: the map turns and mirrors the plane of the weights, and keeps every distance.
    apart = np.linalg.norm(frame.embedding - frame.start, axis=1)
    np.testing.assert_allclose(np.linalg.norm(frame.layout - way[-1], axis=1), apart, atol=1e-5)
    first = run.history[0].start
    assert first is not None
    np.testing.assert_allclose(np.linalg.norm(way[0] - way[-1]), np.linalg.norm(first - frame.start), atol=1e-5)
    ways = start_way(run, run.history[0]), start_way(run, run.history[5], n=3)
    assert [None if way is None else len(way) for way in ways] == [1, 4]


def test_a_start_that_never_moves_is_one_place() -> None:
    session = Session("context", "sinusoids", n_tasks=8, projection="pca", hidden=8, frame_every=1)
    session.step(3)
    way = start_way(session, session.frame)
    assert way is not None
    assert len(way) == 1


def test_no_start_where_none_is_learned_or_umap_draws(run: Session) -> None:
    assert start_way(small_session(), small_session().frame) is None
    picture = picture_packet([small_session()])["runs"][0]
    assert "start" not in picture
    assert "starts" not in tasks_packet(small_session())
    branch = run.branch()
    branch.set(projection="umap")
    assert start_way(branch, branch.frame) is None
    assert picture_packet([branch])["runs"][0]["start"] == {"n": 0}
    beside = by_pca(branch.frame)
    picture = picture_packet([branch], beside=beside)["runs"][0]
    np.testing.assert_array_equal(places_of(picture["pca"]["start"]), start_way(branch, beside))


def test_the_page_gets_the_way_in_few_bytes_from_both_runs(run: Session) -> None:
    assert tasks_packet(run)["starts"] is True
    branch = run.branch(at=10)
    branch.set(method="reptile")
    branch.step(40)
    for session, picture in zip((run, branch), picture_packet([run, branch])["runs"], strict=True):
        assert len(picture["start"]["points"]) <= 13 * 8
        np.testing.assert_array_equal(places_of(picture["start"]), start_way(session, session.history.at_step(60)))


def test_an_exported_file_has_the_way_of_every_frame(run: Session) -> None:
    html = exported([run], 0, "t").decode()
    text = re.search(r'id="te-recorded">(.*?)</script>', html, re.DOTALL)
    assert text is not None
    document = json.loads(text[1])["runs"][0]
    n, frames = document["start"]["n"], len(document["frames"])
    ways = np.frombuffer(unpacked(document["start"]["points"]), "<f4").reshape(frames, n, 2)
    for frame, way in zip(run.history, ways, strict=True):
        wanted = start_way(run, frame)
        assert wanted is not None
        np.testing.assert_array_equal(way[n - len(wanted) :], wanted)
        assert (way[: n - len(wanted)] == wanted[0]).all()


def test_pictures_have_the_start_inside_and_an_arrow_to_each_task(run: Session) -> None:
    figure = session_figure(run)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    (arrows,) = [artist for artist in axes.collections if isinstance(artist, Quiver)]
    ends = np.add(arrows.get_offsets(), np.stack((arrows.U, arrows.V), axis=1))
    np.testing.assert_allclose(ends, run.frame.layout, atol=1e-5)
    way = start_way(run, run.frame)
    assert way is not None
    assert axes.viewLim.contains(*way[-1])
    assert any(text.get_text() == "start" for text in axes.texts)
    assert not [a for a in session_figure(small_session()).axes[0].collections if isinstance(a, Quiver)]
    assert gif(run, run.history[:2]).startswith(b"GIF")
