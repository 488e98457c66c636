"""The exported page's document: every frame comes back, the film is thinned fairly, the file never grows too large."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from taskembed_edu.figures.captions import caption
from taskembed_edu.live import export
from taskembed_edu.live.export import MOST_BYTES, _thinned, export_html, exported, film, frame_deltas, packed, unpacked
from taskembed_edu.live.packets import columns_of, tasks_packet
from taskembed_edu.live.words import map_words
from taskembed_edu.session.history import Event
from taskembed_edu.session.session import Session
from tests.runs import small_session


def document_of(html: bytes) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="te-recorded">(.*?)</script>', html.decode(), re.DOTALL)
    assert found
    return unpacked(json.loads(found[1]))


def summed(data: bytes, *shape: int) -> np.ndarray:
    """What the page does with differences: add them up, modulo 65,536."""
    return np.cumsum(np.frombuffer(data, "<u2").reshape(shape), axis=0, dtype=np.uint64).astype(np.uint16)


def assert_stands_as(layout: np.ndarray, box: list[float], places: np.ndarray) -> None:
    low, high = np.array(box[:2]), np.array(box[2:])
    np.testing.assert_allclose(low + places / 65535 * (high - low), layout, atol=np.ptp(layout, axis=0).max() / 65535)


@pytest.fixture(scope="module")
def session() -> Session:
    session = small_session()
    session.step(20)
    session.set(margin=0.5)
    session.step(20)
    return session


def test_every_frame_comes_back(session: Session) -> None:
    document = document_of(exported([session], colour=2, title="A run <of> ours"))
    assert (document["title"], document["colour"]) == ("A run <of> ours", 2)
    assert document["exported"]["steps"] == 40
    assert document["tasks"] == tasks_packet(session)
    (run,) = document["runs"]
    assert [frame["step"] for frame in run["frames"]] == [frame.step for frame in session.history]
    points = summed(run["points"], 11, 12, 2)
    for frame, told, places in zip(session.history, run["frames"], points, strict=True):
        assert_stands_as(frame.layout, told["box"], places)
        assert told["words"] == map_words(session, frame)
    neighbours = summed(run["neighbours"], 11, 12, run["k"])
    for frame, lists in zip(session.history, neighbours, strict=True):
        assert lists[3].tolist() == session.nearest(frame, 3)[0].tolist()
    rows = np.frombuffer(run["values"], "<f4").reshape(-1, len(columns_of(session)))
    assert rows[:, 0].tolist() == [frame.step for frame in session.history]
    assert document["marks"] == [[{"step": 20, "text": "margin 0.5"}]]


def test_a_map_that_grows_a_thousandfold_leaves_the_frames_before_it_exact() -> None:
    session = small_session()
    session.step(8)
    first = session.frame
    session.history.keep(
        dataclasses.replace(first, index=first.index + 1, step=12, layout=5000 * first.layout), 0, session._now
    )
    (run,) = document_of(exported([session]))["runs"]
    points = summed(run["points"], 4, 12, 2)
    for frame, told, places in zip(session.history, run["frames"], points, strict=True):
        assert_stands_as(frame.layout, told["box"], places)


def test_what_stands_still_while_the_map_grows_does_not_tremble() -> None:
    session = small_session()
    still = session.frame.layout
    for index in range(1, 20):
        layout = still.copy()
        layout[0] = still.max(axis=0) * (1 + index / 50)
        session.history.keep(
            dataclasses.replace(session.frame, index=index, step=4 * index, layout=layout), 0, session._now
        )
    (run,) = document_of(exported([session]))["runs"]
    for told, places in zip(run["frames"], summed(run["points"], 20, 12, 2), strict=True):
        assert_stands_as(still[1:], told["box"], places[1:])


def test_two_runs_stand_side_by_side(session: Session) -> None:
    branch = session.branch(3)
    branch.set(metric="cosine")
    branch.step(8)
    html = exported([session, branch])
    one, other = document_of(html)["runs"]
    assert (one["name"], other["name"]) == ("Run A", "Run B")
    assert "Cosine" in other["about"]
    assert other["frames"][-1]["words"] == "Run B: " + map_words(branch, branch.frame)
    assert "<h2>Run B</h2>" in html.decode()


def test_the_file_says_how_it_was_made(session: Session) -> None:
    import html as entities

    text = exported([session]).decode()
    made = re.search(r"<details.*?</details>", text, re.DOTALL)
    assert made
    assert entities.unescape(made[0]).count(session.code()) == 1
    assert re.search(r"Margin</th><td>0.5</td>", made[0])
    hidden = [declared.label for declared in session.declared().values() if declared.hidden]
    assert hidden
    assert not [label for label in hidden if f">{label}</th>" in made[0]]


def test_every_moment_says_with_which_settings_it_was_made(session: Session) -> None:
    (run,) = document_of(exported([session]))["runs"]
    told = {frame["step"]: frame["about"] for frame in run["frames"]}
    assert all(f"step {step}" in words for step, words in told.items())
    assert "margin 1," in told[20]
    assert "margin 0.5," in told[24]
    assert "seed 0" in told[24]
    assert "learning rate 0.001" in told[24]
    assert f'content="{caption(session, session.frame)}"' in exported([session]).decode()


def test_nothing_in_the_data_ends_its_element_early() -> None:
    session = small_session(n_tasks=5)
    html = exported([session], title="</script><script>alert(1)</script>").decode()
    assert "alert(1)</script>" not in html.replace("&lt;/script&gt;", "")
    assert document_of(html.encode())["title"] == "</script><script>alert(1)</script>"


def test_the_same_run_makes_the_same_file(session: Session, tmp_path: Path) -> None:
    one, other = (export_html([session], tmp_path / name) for name in ("one.html", "other.html"))
    assert one.read_bytes() == other.read_bytes()


# ---- thinning ------------------------------------------------------------------------------------------------------


def test_a_short_run_keeps_all_its_frames() -> None:
    assert _thinned(300, [5], 300) == list(range(300))


@pytest.mark.parametrize("n", [301, 450, 1000, 20_000])
def test_a_long_run_is_thinned_evenly_with_its_ends_and_its_changes(n: int) -> None:
    stay = _thinned(n, [17, n // 2], 300)
    assert len(stay) == 300
    assert {0, 17, 18, n // 2, n // 2 + 1, n - 1} <= set(stay)
    assert stay == sorted(set(stay))
    assert np.diff(stay).max() <= 2 * n / 300 + 1


def test_a_slider_moved_all_along_leaves_no_more_than_there_is_room_for() -> None:
    stay = _thinned(5000, range(5000), 300)
    assert len(stay) <= 300
    assert (stay[0], stay[-1]) == (0, 4999)


def test_frames_at_a_change_stay(monkeypatch: pytest.MonkeyPatch, session: Session) -> None:
    steps = [frame.step for frame in film(session, 5).frames]
    assert len(steps) == 5
    assert {0, 20, 24, 40} <= set(steps)
    assert session.events == [Event(20, {"margin": 0.5})]


# ---- size ----------------------------------------------------------------------------------------------------------


def test_a_smaller_budget_costs_neighbours_first_and_then_frames(
    monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    whole = len(exported([session]))
    seen = []
    for less in range(0, 2000, 100):
        monkeypatch.setattr(export, "MOST_BYTES", whole - less)
        html = exported([session])
        assert len(html) <= whole - less
        (run,) = document_of(html)["runs"]
        seen.append((len(run["frames"]), run["k"]))
    assert seen[0] == (11, 5)
    assert seen == sorted(seen, reverse=True)
    assert any(frames == 11 and k < 5 for frames, k in seen)


def test_a_film_of_300_frames_and_1000_tasks_fits_even_where_nothing_stands_still() -> None:
    """The worst there is: places and neighbours drawn anew in every frame, so that nothing can be compressed."""
    session = small_session(n_tasks=1000)
    random = np.random.default_rng(0)
    for index in range(1, 320):
        layout, embedding = (random.normal(size=(1000, 2)).astype(np.float32) for _ in range(2))
        frame = dataclasses.replace(session.frame, index=index, step=4 * index, layout=layout, embedding=embedding)
        session.history.keep(frame, 0, session._now)
    html = exported([session])
    assert len(html) <= MOST_BYTES == 4_000_000
    (run,) = document_of(html)["runs"]
    assert len(run["frames"]) == 300
    assert [run["frames"][0]["step"], run["frames"][-1]["step"]] == [0, 4 * 319]
    assert run["k"] >= 1
    assert len(run["values"]) == 320 * 4 * len(columns_of(session))  # the curves keep every row


def test_what_cannot_fit_is_said(monkeypatch: pytest.MonkeyPatch, session: Session) -> None:
    monkeypatch.setattr(export, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match=r"12 tasks in 1 runs, expected a file of at most 1,000 bytes"):
        exported([session])


def test_differences_wrap_round() -> None:
    frames = np.array([[65535, 0], [0, 65535], [7, 7]], np.uint16)
    np.testing.assert_array_equal(summed(frame_deltas(frames), 3, 2), frames)


def test_packing_is_undone_by_unpacking() -> None:
    document = {"a": [b"\x00" * 1000, b"", b"xyz"], "b": {"c": "words", "d": None, "e": 1.5}}
    text = json.dumps(packed(document))
    assert len(text) < 400
    assert unpacked(json.loads(text)) == document
