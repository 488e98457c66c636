"""What lies over the map and the cards: trails along the frame's own axes, networks' answers, who is left out."""

from __future__ import annotations

import dataclasses
import gc
import json
import re
import weakref
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.figures.colours import colour_tasks
from taskembed_edu.figures.snapshots import session_figure
from taskembed_edu.live import export, packets
from taskembed_edu.live.export import exported, unpacked
from taskembed_edu.live.overlays import fit_packet, missing_trails, trails
from taskembed_edu.live.packets import card_packet, picture_packet, tasks_packet
from taskembed_edu.session.history import Frame
from taskembed_edu.session.on_the_map import evenly
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import NumberWords
from taskembed_edu.tasks.sketch import TaskFit
from tests.runs import boxed, generator, small_session


def put(session: Session, index: int, **changes: Any) -> Frame:
    """Replace a stored frame by one that says something else."""
    frame = dataclasses.replace(session.history[index], **changes)
    session.history._frames[index] = frame
    return frame


def axes_of(frame: Frame) -> np.ndarray:
    """The directions along which a PCA map sees its vectors, from the map itself."""
    kept = np.delete(np.arange(len(frame.layout)), frame.diverged_tasks)
    centred = frame.embedding[kept] - frame.embedding[kept].mean(axis=0)
    return np.linalg.lstsq(centred, frame.layout[kept], rcond=None)[0].astype(np.float32)


@pytest.fixture
def travelled() -> Session:
    """A run of 21 frames whose tasks leave trails."""
    session = small_session(dim=6)
    session.embedder = dataclasses.make_dataclass("Own", [])()  # nothing else may be asked of it
    session.embedder.__dict__.update(leaves_trails=True, has_pairs=False, name="own", view_settings=frozenset())
    session.embedder.__dict__["steady"] = lambda settings: True
    embedding = session.frame.embedding
    rng = np.random.default_rng(0)
    way = rng.normal(size=embedding.shape).astype(np.float32)
    for index in range(1, 21):
        vectors = (embedding.mean(axis=0) + index / 20 * way).astype(np.float32)
        centred = vectors - vectors.mean(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)[2][:2].T
        frame = dataclasses.replace(
            session.history[0], index=index, step=4 * index, embedding=vectors, layout=centred @ axes, axes=axes
        )
        session.history.keep(frame, 0, session._now)
    return session


# ---- trails --------------------------------------------------------------------------------------------------------


def test_a_trail_sees_earlier_vectors_as_the_map_sees_its_own(travelled: Session) -> None:
    frame = travelled.frame
    assert frame.axes is not None
    lines = trails(travelled, frame)
    assert lines is not None
    assert lines.shape == (12, 12, 2)
    assert lines.dtype == np.float32
    centre = frame.embedding.mean(axis=0)
    for k, index in enumerate(np.linspace(0, 19, 12).round().astype(int)):
        np.testing.assert_allclose(lines[:, k], (travelled.history[index].embedding - centre) @ frame.axes, atol=1e-5)
    # What was at the very place where it is now is drawn where it is now.
    put(travelled, 0, embedding=frame.embedding)
    again = trails(travelled, frame)
    assert again is not None
    np.testing.assert_allclose(again[:, 0], frame.layout, atol=1e-5)


def test_who_is_left_out_has_no_part_in_the_middle_nor_in_the_box(travelled: Session) -> None:
    last = travelled.frame
    wild = last.embedding.copy()
    wild[3] = np.inf
    kept = np.delete(np.arange(12), 3)
    layout = last.layout.copy()
    centred = wild[kept] - wild[kept].mean(axis=0)
    layout[kept] = centred @ last.axes
    layout[3] = np.nan
    frame = put(travelled, 20, embedding=wild, layout=layout, diverged_tasks=(3,))
    put(travelled, 19, embedding=wild, layout=layout, diverged_tasks=(3,))
    (run,) = picture_packet([travelled])["runs"]
    assert run["left_out"] == [3]
    lines = trails(travelled, frame)
    assert lines is not None
    np.testing.assert_allclose(lines[kept, -1], layout[kept], atol=1e-5)
    seen = np.concatenate((layout[kept], lines[kept].reshape(-1, 2)))
    np.testing.assert_allclose(run["box"], [*seen.min(axis=0), *seen.max(axis=0)], atol=1e-3)
    ways = np.frombuffer(run["trails"]["points"], "<u2").reshape(12, run["trails"]["n"], 2) / 65535
    low, high = np.array(run["box"][:2]), np.array(run["box"][2:])
    np.testing.assert_allclose(low + ways[kept] * (high - low), lines[kept], atol=1e-3)
    assert not ways[3].any()


def test_boxes_pass_over_who_is_left_out() -> None:
    layout = np.array([[0, 0], [np.nan, np.inf], [2, 1], [99, 99]], np.float32)
    box, places = boxed(layout, (1, 3))
    assert box == [0, 0, 2, 1]
    assert places.tolist() == [[0, 0], [0, 0], [65535, 65535], [0, 0]]
    assert boxed(layout, (0, 1, 2, 3))[0] == [0, 0, 1, 1]
    ways = np.stack((layout, layout - 1), axis=1)
    assert np.concatenate(packets.ends(layout, (1, 3), ways)).tolist() == [-1, -1, 2, 1]
    assert np.isnan(layout[1, 0]), "the frame's own places stay as they are"


def test_there_is_no_trail_without_a_past_or_for_an_embedder_that_leaves_none(travelled: Session) -> None:
    assert trails(travelled, travelled.history[0]) is None
    first = trails(travelled, travelled.history[1])
    assert first is not None
    assert first.shape == (12, 1, 2)
    assert trails(travelled, dataclasses.replace(travelled.frame, axes=None)) is None
    session = small_session()
    session.step(8)
    assert trails(session, dataclasses.replace(session.frame, axes=axes_of(session.frame))) is None
    assert "trails" not in picture_packet([session])["runs"][0], "and nobody asks why"


def test_a_map_without_trails_says_why_where_tasks_could_leave_some(travelled: Session) -> None:
    def said(step: float | None = None) -> Any:
        return picture_packet([travelled], step)["runs"][0]["trails"]

    assert said()["n"] == 12
    assert said(0) == {"n": 0, "missing": "begun"}
    travelled.embedder.__dict__["steady"] = lambda settings: False
    assert said() == {"n": 0, "missing": "directions"}


def test_main_directions_leave_no_trails_and_other_forms_do() -> None:
    session = Session("parameters", family="sinusoids", n_tasks=6, hidden=4, projection="pca")
    session.step(20)
    assert picture_packet([session])["runs"][0]["trails"]["n"] == 2
    session.set(form="pca")
    assert picture_packet([session])["runs"][0]["trails"] == {"n": 0, "missing": "directions"}
    assert [mark.get("breaks") for mark in packets.marks_packet([session])[0]] == [[20]]
    session.set(form="difference")
    assert picture_packet([session])["runs"][0]["trails"] == {"n": 0, "missing": "anew"}
    session.step(10)
    assert picture_packet([session])["runs"][0]["trails"]["n"] == 1


@pytest.mark.parametrize(("n_tasks", "places"), [(12, 12), (1000, 5), (2500, 2), (2501, None)])
def test_the_page_has_at_most_5000_pieces_to_draw(travelled: Session, n_tasks: int, places: int | None) -> None:
    for frame in list(travelled.history):
        rows = np.arange(n_tasks) % 12
        put(travelled, frame.index, embedding=frame.embedding[rows], layout=frame.layout[rows])
    lines = trails(travelled, travelled.frame)
    assert places == (None if lines is None else lines.shape[1])
    if lines is None:
        assert missing_trails(travelled, travelled.frame) == "crowd"


def test_vectors_of_another_width_are_no_part_of_a_trail(travelled: Session) -> None:
    put(travelled, 0, embedding=travelled.history[0].embedding[:, :3])
    lines = trails(travelled, travelled.frame)
    assert lines is not None
    centre, axes = travelled.frame.embedding.mean(axis=0), travelled.frame.axes
    np.testing.assert_allclose(lines[:, 0], (travelled.history[1].embedding - centre) @ axes, atol=1e-5)


def test_vectors_looked_at_in_another_way_are_no_part_of_a_trail(travelled: Session) -> None:
    travelled.embedder.__dict__["view_settings"] = frozenset({"margin"})
    other = travelled.settings.changed(margin=0.25)
    for index in range(8):
        put(travelled, index, settings=other)
    lines = trails(travelled, travelled.frame, n=2)
    assert lines is not None
    centre, axes = travelled.frame.embedding.mean(axis=0), travelled.frame.axes
    np.testing.assert_allclose(lines[:, 0], (travelled.history[8].embedding - centre) @ axes, atol=1e-5)
    for index in range(20):
        put(travelled, index, settings=other)
    assert trails(travelled, travelled.frame) is None
    assert missing_trails(travelled, travelled.frame) == "anew"


def test_umap_leads_through_the_maps_that_were_shown(travelled: Session) -> None:
    for index in range(5, 21):
        put(travelled, index, projection="umap", umap_restarts=int(index >= 10))
    lines = trails(travelled, travelled.frame, n=3)
    assert lines is not None
    for k, index in enumerate((10, 14, 19)):
        np.testing.assert_array_equal(lines[:, k], travelled.history[index].layout)
    assert trails(travelled, travelled.history[10]) is None
    assert missing_trails(travelled, travelled.history[10]) == "map"


def test_evenly_is_without_twins() -> None:
    assert all(len(set(evenly(n, 12))) == min(n, 12) for n in range(60))


# ---- fits ----------------------------------------------------------------------------------------------------------


def test_a_curve_lies_between_the_ends_of_the_card() -> None:
    values = torch.tensor([[-9.0, -5.0, 0.0, 5.0, 9.0], [1.0, float("nan"), 2.5, float("inf"), -1.0]])
    packet = fit_packet(TaskFit(values=values.numpy()), (0.0, 1.0), (-5.0, 5.0))
    assert (packet["kind"], packet["n"]) == ("curve", 5)
    assert list(packet["points"]) == [0, 0, 128, 255, 255, 153, 0, 191, 255, 102]


def test_classes_and_words_travel_as_they_are() -> None:
    packet = fit_packet(TaskFit(classes=np.array([[0, 2], [1, 1]], np.uint8)), (0.0, 1.0), (0.0, 1.0))
    assert packet == {"kind": "classes", "n": 2, "classes": bytes([0, 2, 1, 1])}
    packet = fit_packet(TaskFit(words=(("uno", "dos"), ("", "zwei"))), (0.0, 1.0), (0.0, 1.0))
    assert packet == {"kind": "words", "words": [["uno", "dos"], ["", "zwei"]]}
    with pytest.raises(ValueError, match="fit: got neither values nor classes nor words"):
        fit_packet(TaskFit(), (0.0, 1.0), (0.0, 1.0))


def test_a_picture_carries_the_answers_on_the_scale_of_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session(family="sinusoids")
    low, high = tasks_packet(session)["card"]["y"]
    put(session, 0, fit=TaskFit(values=np.full((12, 32), low + 0.25 * (high - low), np.float32)))
    monkeypatch.setattr(type(session.split.validation), "sketch", None)  # not once more for a picture
    fit = picture_packet([session])["runs"][0]["fit"]
    assert set(fit["points"]) == {64}
    monkeypatch.undo()
    session.reset(n_tasks=7)
    put(session, 0, fit=TaskFit(values=np.zeros((7, 32), np.float32)))
    assert set(picture_packet([session])["runs"][0]["fit"]["points"]) == {128}
    session.reset(family="gaussians")
    sketch = session.split.validation.sketch(session.tasks)
    assert packets.sketch_axes(session) == (sketch.x, sketch.y)
    assert sketch.y != (low, high)


def test_what_is_known_of_a_session_goes_with_it() -> None:
    session = small_session()
    packets.sketch_axes(session)
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


def test_without_answers_there_is_nothing_to_draw() -> None:
    assert "fit" not in picture_packet([small_session()])["runs"][0]


# ---- words, names ---------------------------------------------------------------------------------------------------


def test_the_card_of_a_language() -> None:
    tasks = NumberWords(part=("es", "ru")).sample(2, n_shot=4, rng=generator())
    card = card_packet(NumberWords().sketch(tasks))
    assert card["kind"] == "words"
    by_name = dict(zip(tasks.names, card["words"], strict=True))
    assert by_name["Spanish"][0] == ["7", "siete", "siete"]
    assert by_name["Russian"][0] == ["7", "семь", "sem"]
    assert len(by_name["Russian"]) == 6


def test_points_have_names_where_the_family_says_so_and_there_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    packet = tasks_packet(session)
    assert (packet["labels"], packet["pairs"]) == (False, True)
    monkeypatch.setattr(type(session.split.validation), "label_points", True)
    monkeypatch.setattr(session.embedder, "has_pairs", False, raising=False)
    packet = tasks_packet(session)
    assert (packet["labels"], packet["pairs"]) == (True, False)
    assert tasks_packet(small_session(n_tasks=64))["labels"]
    assert not tasks_packet(small_session(n_tasks=65))["labels"]
    assert NumberWords.label_points


def test_a_legend_calls_categories_by_their_names() -> None:
    colouring = colour_tasks(np.array([2.0, 0.0, 2.0]), "branch", "category", ("Romance", "Slavic", "Uralic"))
    assert [entry["label"] for entry in colouring.entries] == ["Romance", "Uralic"]
    yes_no = colour_tasks(np.array([0.0, 1.0]), "family", "category", ("Uralic", "Turkic"))
    assert [entry["label"] for entry in yes_no.entries] == ["Uralic", "Turkic"]
    beyond = colour_tasks(np.array([0.0, 7.0]), "family", "category", ("Uralic",))
    assert [entry["label"] for entry in beyond.entries] == ["Uralic", "7"]


def languages(session: Session) -> Session:
    """The run's tasks as if they were twelve languages, for what draws them."""
    family = NumberWords()
    tasks = family.sample(12, n_shot=4, rng=generator())
    session._run.validation_set = dataclasses.replace(session.validation_set, tasks=tasks)
    session._run.split = session.split._replace(validation=family)
    return session


def test_tasks_and_static_pictures_have_the_names_and_the_group_s_colours() -> None:
    session = languages(small_session())
    branches = tasks_packet(session)["colours"][1]
    assert branches["name"] == "branch"
    known = NumberWords().category_names("branch")
    assert {entry["label"] for entry in branches["entries"]} <= set(known)
    put(session, 0, diverged_tasks=(2, 5))
    figure = session_figure(session)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert legend.get_title().get_text().startswith("branch")
    assert legend.get_texts()[0].get_text() in known
    drawn = np.concatenate([np.asarray(c.get_offsets()) for c in figure.axes[0].collections])
    assert not [row for row in session.frame.layout[[2, 5]].tolist() if row in drawn.tolist()]
    assert session.frame.layout[3].tolist() in drawn.tolist()


def test_a_score_that_the_run_never_has_is_not_drawn() -> None:
    session = small_session()
    scores = {name: value for name, value in session.frame.diagnostics.items() if name != "recall@1"}
    put(session, 0, diagnostics={**scores, "purity": 0.5})
    drawn = [line.get_label() for line in session_figure(session).axes[2].lines]
    assert drawn == ["spearman", "purity", "trustworthiness"]


# ---- the exported file ---------------------------------------------------------------------------------------------


def run_of(session: Session) -> dict[str, Any]:
    found = re.search(r'id="te-recorded">(.*?)</script>', exported([session]).decode(), re.DOTALL)
    assert found
    run: dict[str, Any] = unpacked(json.loads(found[1]))["runs"][0]
    return run


def summed(data: bytes, kind: str, *shape: int) -> np.ndarray:
    """What the page does with differences."""
    return np.cumsum(np.frombuffer(data, kind).reshape(shape), axis=0, dtype=kind)


@pytest.fixture
def film() -> Session:
    session = small_session(family="sinusoids")
    session.step(12)
    return session


def test_the_file_holds_trails_in_the_box_of_each_frame(film: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film.embedder, "leaves_trails", True, raising=False)
    for frame in list(film.history):
        put(film, frame.index, axes=axes_of(frame), diverged_tasks=(4,) if frame.index == 2 else ())
    run = run_of(film)
    assert [frame.get("left_out") for frame in run["frames"]] == [None, None, [4], None]
    assert [frame.get("missing") for frame in run["frames"]] == ["begun", None, None, None]
    m = run["trails"]["n"]
    ways = summed(run["trails"]["points"], "<u2", 4, 12, m, 2)
    kept = np.delete(np.arange(12), 4)
    for frame, told, way in zip(film.history, run["frames"], ways, strict=True):
        low, high = np.array(told["box"][:2]), np.array(told["box"][2:])
        places = (low + way / 65535 * (high - low))[kept]
        lines = trails(film, frame)
        expected = frame.layout[:, None] if lines is None else lines
        size = np.ptp(expected[kept], axis=(0, 1)).max() + np.ptp(frame.layout, axis=0).max()
        np.testing.assert_allclose(places[:, -expected.shape[1] :], expected[kept], atol=size / 65535)
        np.testing.assert_array_equal(places[:, 0], places[:, m - expected.shape[1]])


def test_the_file_holds_curves_and_classes(film: Session) -> None:
    axes = packets.sketch_axes(film)
    for frame in list(film.history):
        put(film, frame.index, fit=TaskFit(values=torch.randn(12, 32, generator=generator(frame.index)).numpy()))
    fit = run_of(film)["fit"]
    assert (fit["kind"], fit["n"]) == ("curve", 32)
    for frame, levels in zip(film.history, summed(fit["values"], "u1", 4, 12, 32), strict=True):
        assert frame.fit is not None
        assert levels.tobytes() == fit_packet(frame.fit, *axes)["points"]
    for frame in list(film.history):
        put(film, frame.index, fit=TaskFit(classes=np.full((12, 9), 3 - frame.index, np.uint8)))
    fit = run_of(film)["fit"]
    assert fit["kind"] == "classes"
    assert summed(fit["values"], "u1", 4, 12, 9)[:, 0, 0].tolist() == [3, 2, 1, 0]


def test_the_file_holds_every_word_once(film: Session) -> None:
    for frame in list(film.history):
        put(film, frame.index, fit=TaskFit(words=tuple((f"w{i}", "", f"s{frame.index}") for i in range(12))))
    fit = run_of(film)["fit"]
    words = fit["words"].decode().split("\n")
    assert len(words) == len(set(words)) == 12 + 1 + 4
    values = summed(fit["values"], "<u2", 4, 12, 3)
    assert [words[k] for k in values[2, 7]] == ["w7", "", "s2"]


def test_the_file_does_without_where_not_every_frame_has_an_answer(film: Session) -> None:
    assert run_of(film)["fit"] is None
    put(film, 1, fit=TaskFit(values=np.zeros((12, 32), np.float32)))
    assert run_of(film)["fit"] is None


def test_trails_and_answers_that_take_too_much_are_left_out(film: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film.embedder, "leaves_trails", True, raising=False)
    for frame in list(film.history):
        fit = TaskFit(values=torch.randn(12, 32, generator=generator(frame.index)).numpy())
        put(film, frame.index, axes=axes_of(frame), fit=fit)
    run = run_of(film)
    assert run["trails"] is not None
    assert run["fit"] is not None
    monkeypatch.setattr(export, "_TRAIL_BYTES", 100)
    run = run_of(film)
    assert (run["trails"], run["fit"] is None) == (None, False)
    assert [frame["missing"] for frame in run["frames"]] == ["begun", "room", "room", "room"]
    monkeypatch.setattr(export, "_FIT_BYTES", 100)
    assert run_of(film)["fit"] is None
    monkeypatch.setattr(export, "_MOST_TRAILS", 11)
    monkeypatch.setattr(export, "_TRAIL_BYTES", 10**6)
    run = run_of(film)
    assert run["trails"] is None
    assert {frame["missing"] for frame in run["frames"]} == {"crowd"}


def test_a_film_cut_shorter_keeps_trails_and_answers_beside_their_frames(film: Session) -> None:
    for frame in list(film.history):
        put(film, frame.index, fit=TaskFit(classes=np.full((12, 9), frame.index, np.uint8)))
    whole = export.film(film)._replace(trails=np.arange(4, dtype=np.uint16)[:, None, None, None])
    cut = export._cut(film, whole, 2)
    assert [frame.index for frame in cut.frames] == [0, 3]
    assert cut.missing == ("", ""), "tasks of this run never leave trails"
    assert cut.fits is not None
    assert cut.trails is not None
    assert cut.fits.values[:, 0, 0].tolist() == cut.trails.ravel().tolist() == [0, 3]
