"""Two maps of one run at one moment: PCA's stands beside UMAP's, and nothing of the run knows of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.figures.snapshots import session_figure
from taskembed_edu.labs.metric import MetricLab
from taskembed_edu.live import panel as panel_module
from taskembed_edu.live import view_updater
from taskembed_edu.live.export import exported, film
from taskembed_edu.live.numbers import rounded
from taskembed_edu.live.packets import picture_packet
from taskembed_edu.live.panel import SessionPanel
from taskembed_edu.live.words import map_words
from taskembed_edu.projection.quality import trustworthiness
from taskembed_edu.session.by_pca import by_pca
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session
from tests.runs import SMALL, boxed, small_session
from tests.test_export import document_of, summed
from tests.test_packets import size
from tests.test_panel import Page


def as_if_umap(frame: Frame) -> Frame:
    """This frame of a PCA run, with a map of another projection."""
    other = np.roll(frame.layout, 1, axis=1) + np.float32(3)
    return dataclasses.replace(frame, layout=other, axes=None, projection="umap")


@pytest.fixture(scope="module")
def session() -> Session:
    session = small_session(dim=3)
    session.step(16)
    return session


def test_a_frame_by_pca_is_what_a_pca_run_draws(session: Session) -> None:
    before = None
    for frame in session.history:
        drawn = by_pca(as_if_umap(frame), before)
        assert drawn.projection == "pca"
        np.testing.assert_array_equal(drawn.layout, frame.layout)
        np.testing.assert_array_equal(drawn.axes, frame.axes)
        assert drawn.step == frame.step
        expected = {name: value for name, value in frame.diagnostics.items() if name != "jitter"}
        assert drawn.diagnostics == pytest.approx(expected, nan_ok=True)
        before = drawn.layout
    assert by_pca(session.frame) is session.frame, "PCA has drawn it already"


def test_it_is_mirrored_as_the_map_before(session: Session) -> None:
    mirrored = by_pca(as_if_umap(session.frame), -session.frame.layout)
    np.testing.assert_array_equal(mirrored.layout, -session.frame.layout)
    of_other_tasks = by_pca(as_if_umap(session.frame), np.zeros((5, 2), np.float32))
    np.testing.assert_array_equal(np.abs(of_other_tasks.layout), np.abs(session.frame.layout))


def test_diverged_tasks_have_no_say_in_it(session: Session) -> None:
    embedding = session.frame.embedding.copy()
    embedding[4] = np.nan
    lost = dataclasses.replace(as_if_umap(session.frame), embedding=embedding, diverged_tasks=(4,))
    drawn = by_pca(lost)
    kept = [task for task in range(12) if task != 4]
    alone = by_pca(dataclasses.replace(as_if_umap(session.frame), embedding=session.frame.embedding[kept]))
    np.testing.assert_array_equal(drawn.layout[kept], alone.layout)
    np.testing.assert_allclose(drawn.layout[4], alone.layout.mean(axis=0), atol=1e-6)


def test_a_picture_has_a_second_map_only_where_it_is_asked_for(session: Session) -> None:
    plain, frame = picture_packet([session]), session.frame
    assert "pca" not in plain["runs"][0]
    assert "selection" not in plain["runs"][0]
    assert picture_packet([session], beside=frame) == plain, "PCA has drawn the frame: its map is there already"
    turned = dataclasses.replace(frame, layout=frame.layout[:, ::-1].copy(), axes=None)
    second = picture_packet([session], beside=turned)
    box, points = boxed(turned.layout)
    trust = {"trustworthiness": rounded(frame.diagnostics["trustworthiness"])}
    assert second["runs"][0].pop("pca") == {"box": box, "points": points.tobytes(), "readings": trust}
    assert second == plain
    assert size(picture_packet([session], beside=turned)) - size(plain) < 4 * 12 + 160


def test_trails_of_the_second_map_are_those_of_a_pca_run() -> None:
    session = Session("parameters", family="number_words", n_tasks=12, hidden=4, batch=8, projection="pca")
    session.step(40)
    frame = session.frame
    assert frame.axes is not None
    plain = picture_packet([session])["runs"][0]
    assert plain["trails"]["n"] > 1
    second = by_pca(as_if_umap(frame), frame.layout)
    told = picture_packet([session], beside=second)["runs"][0]["pca"]
    for name in ("box", "points", "trails"):
        assert told[name] == plain[name], name


# ---- on the panel: with UMAP ---------------------------------------------------------------------------------------


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr(panel_module, "precompile_in_background", lambda *told: None)
    session = small_session(n_tasks=30, dim=3)
    session.step(8)
    panel = SessionPanel(session, "A lab", ("loss", "margin"))
    yield Page(panel)
    panel.player.stop()


def run_of(page: Page) -> dict[str, Any]:
    (run,) = page.picture["runs"]
    return dict(run)


def second_map(page: Page, frame: Frame) -> None:
    """The page has this frame's PCA map beside the run's own."""
    mirrored = [boxed(by_pca(frame, sign * by_pca(frame).layout).layout) for sign in SIGNS]
    sent = run_of(page)["pca"]
    assert (sent["box"], sent["points"]) in [(box, points.tobytes()) for box, points in mirrored]


SIGNS = [np.array(sign, np.float32) for sign in ((1, 1), (1, -1), (-1, 1), (-1, -1))]


def test_both_is_umap_for_the_run_and_two_maps_for_the_page(page: Page) -> None:
    session = page.panel.sessions[0]
    page.say("both")
    assert page.transport["both"]
    assert [event.changes for event in session.events] == [{"projection": "umap"}]
    assert any("UMAP is made ready" in status for status in page.statuses) or session.frame.projection == "umap"
    assert run_of(page)["projection"] == "umap"
    second_map(page, session.frame)
    assert "drawn by UMAP" in page.picture["words"]
    assert "Beside it the same vectors, drawn by PCA." in page.picture["words"]
    page.say("step")
    second_map(page, session.frame)
    page.say("look", step=4)
    assert run_of(page)["projection"] == "pca"
    assert "pca" not in run_of(page), "at a step that PCA drew there is one map"
    page.say("look", step=None)
    second_map(page, session.frame)
    page.say("both")
    assert len(session.events) == 1, "chosen again it changes nothing"


def test_the_second_map_of_a_moment_is_computed_once(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []

    def counted(frame: Frame, *about: Any) -> Frame:
        computed.append(frame.step)
        return by_pca(frame, *about)

    page.say("both")
    page.acknowledge()
    monkeypatch.setattr(view_updater, "by_pca", counted)
    page.say("step")
    page.acknowledge()
    page.view.chosen = 3
    page.acknowledge()
    assert page.picture["runs"][0]["links"]["task"] == 3
    assert "Beside it the same vectors, drawn by PCA." in page.picture["words"]
    assert computed == [page.panel.sessions[0].frame.step]


def test_replay_and_code_do_not_know_of_it(page: Page) -> None:
    session = page.panel.sessions[0]
    page.say("both")
    page.say("step")
    said = json.dumps(session.recording())
    assert "both" not in said
    again = Session.replay(json.loads(said))
    np.testing.assert_array_equal(again.frame.layout, session.frame.layout)
    assert "both" not in session.code()


@pytest.mark.parametrize("projection", ["pca", "umap"])
def test_one_map_again_by_the_switch(page: Page, projection: str) -> None:
    page.say("both")
    page.say("set", changes={"projection": projection})
    assert not page.transport["both"]
    assert "pca" not in run_of(page)
    assert page.panel.sessions[0].setup.projection == projection


def test_one_map_again_if_a_cell_chooses_pca(page: Page) -> None:
    page.say("both")
    page.panel.sessions[0].set(projection="pca")
    page.acknowledge()
    assert not page.transport["both"]
    page.panel.sessions[0].set(projection="umap")
    page.acknowledge()
    assert not page.transport["both"], "it does not come back unasked"


def test_it_stays_over_a_reset_and_ends_with_a_branch(page: Page) -> None:
    page.say("both")
    page.say("reset")
    assert page.transport["both"]
    second_map(page, page.panel.sessions[0].frame)
    page.say("step")
    page.say("branch", step=4)
    assert len(page.picture["runs"]) == 2
    assert not page.transport["both"]
    assert all("pca" not in run for run in page.picture["runs"])
    page.say("both")
    assert not page.transport["both"]
    assert "each has its map already" in page.status
    page.say("keep", run=0)
    assert not page.transport["both"]
    page.say("both")
    assert page.transport["both"]


# ---- kept ----------------------------------------------------------------------------------------------------------


def test_pictures_have_both_maps(session: Session) -> None:
    turned = dataclasses.replace(as_if_umap(session.frame))
    one, two = (session_figure(session, frame=turned, beside=beside) for beside in (None, session.frame))
    titles = [axes.get_title() for axes in two.axes[:2]]
    assert titles == ["12 tasks at step 16 (UMAP)", "12 tasks at step 16 (PCA)"]
    np.testing.assert_allclose(offsets(two, 1), sorted(session.frame.layout.tolist()))
    assert len(two.axes) == len(one.axes) + 1
    assert two.get_figwidth() > one.get_figwidth() + 4
    assert session_figure(session, beside=session.frame).get_figwidth() == one.get_figwidth(), "one map is enough"


def offsets(figure: Any, place: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The points of one map, sorted: each shape has a collection of its own."""
    drawn = np.concatenate(
        [np.asarray(c.get_offsets()) for c in figure.axes[place].collections if len(c.get_offsets())]
    )
    return np.array(sorted(drawn.tolist()))


def test_the_lab_pictures_what_it_shows(page: Page) -> None:
    lab = MetricLab(**{**SMALL, "n_tasks": 30, "dim": 3})
    assert lab.picture().get_figwidth() == pytest.approx(10), "a lab that no page shows has one map"
    lab._panel = page.panel
    page.say("both")
    titles = [axes.get_title()[-6:] for axes in lab.picture().axes[:2]]
    assert titles == ["(UMAP)", " (PCA)"]


def test_the_exported_page_has_both_only_where_asked(page: Page) -> None:
    page.say("both")
    page.say("step")
    (session,) = page.panel.sessions
    plain, both = exported([session]), exported([session], both=True)
    assert b'"pca":' not in plain.split(b'id="te-recorded">')[1].split(b"</script>")[0]
    assert len(both) > len(plain)
    (run,) = document_of(both)["runs"]
    frames = list(session.history)
    assert len(run["pca"]["boxes"]) == len(frames)
    assert "trails" in run["pca"]
    told = trustworthiness(torch.tensor(frames[-1].embedding), by_pca(frames[-1]).layout, 15, frames[-1].metric)
    assert run["pca"]["readings"][-1] == {"trustworthiness": rounded(told)}
    assert run["frames"][-1]["readings"]["trustworthiness"] == rounded(frames[-1].diagnostics["trustworthiness"])
    points, before = summed(run["pca"]["points"], len(frames), 30, 2), None
    for frame, box, places in zip(frames, run["pca"]["boxes"], points, strict=True):
        before = by_pca(frame, before).layout
        low, high = np.array(box[:2]), np.array(box[2:])
        error = np.ptp(before, axis=0).max() / 65535
        np.testing.assert_allclose(low + places / 65535 * (high - low), before, atol=error)
    assert run["frames"][-1]["words"].startswith(map_words(session, frames[-1]))
    assert "drawn by PCA" in run["frames"][-1]["words"]
    assert "Beside it" not in run["frames"][0]["words"], "PCA drew the first frame"


def test_a_film_is_cut_together_with_its_second_map(session: Session) -> None:
    from taskembed_edu.live.export import _cut, _without_trails

    whole = film(session, both=True)
    assert whole.beside is not None
    short = _cut(session, whole, 3)
    assert short.beside is not None
    assert len(short.points) == len(short.beside.points) == len(short.beside.boxes) == 3
    bare = _without_trails(whole)
    assert bare.beside is not None
    assert bare.beside.trails is None


def test_two_runs_export_one_map_each(session: Session) -> None:
    both = document_of(exported([session, session.branch(at=2)], both=True))
    assert all("pca" not in run for run in both["runs"])


def test_files_of_the_lab_have_both(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    page.say("both")
    for what in ("png", "csv", "html"):
        page.say("export", what=what)
        assert page.told[-1]["tell"] == "saved", page.told[-1]
    (png,), (csv,), (html,) = (list(tmp_path.glob(f"*.{what}")) for what in ("png", "csv", "html"))
    with Image.open(png) as picture:
        assert picture.width > 2.6 * picture.height
    assert "map_x,map_y,pca_x,pca_y" in csv.read_text(encoding="utf-8").splitlines()[0]
    assert "pca" in document_of(html.read_bytes())["runs"][0]
