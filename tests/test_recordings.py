"""Recordings: small readable JSON; what cannot be replayed is refused with the reason and what to do."""

from __future__ import annotations

import copy
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from taskembed_edu.base.files import whole_file, write_whole
from taskembed_edu.labs.metric import MetricLab
from taskembed_edu.session.recordings import (
    FORMAT,
    check_recording,
    free_path,
    free_paths,
    load_recording,
    save_recording,
)
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Digits, Gaussians, Sinusoids, TaskFamily
from tests.runs import assert_same_frames, small_session


@pytest.fixture(scope="module")
def recording() -> dict[str, Any]:
    session = small_session()
    session.step(4)
    session.set(margin=2.0)
    session.step(3)
    return session.recording()


def test_what_is_recorded(recording: dict[str, Any]) -> None:
    assert recording["format"] == FORMAT == 1
    assert recording["embedder"] == "metric"
    assert recording["family"] == {"name": "gaussians", "n_way": 2, "dim": 2, "box": 3.0, "spread": 0.5}
    assert recording["initial"]["margin"] == 1.0
    assert recording["events"] == [{"step": 4, "changes": {"margin": 2.0}}]
    assert recording["steps"] == 7
    assert {"recall@1", "recall@5", "spearman", "trustworthiness"} <= set(recording["scores"])
    json.dumps(recording, allow_nan=False)


def test_saved_and_loaded_it_is_the_same(recording: dict[str, Any], tmp_path: Path) -> None:
    path = save_recording(recording, tmp_path / "run.json")
    assert path == tmp_path / "run.json"
    assert path.stat().st_size < 4000
    assert load_recording(path) == recording
    assert load_recording(str(path), "gaussians") == recording
    assert check_recording(recording) is recording


def changed(recording: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    other = copy.deepcopy(recording)
    change(other)
    return other


@pytest.mark.parametrize("broken", [None, [], "run.json", {}, {"steps": 3}])
def test_what_is_no_recording(broken: Any) -> None:
    with pytest.raises(ValueError, match=r"recording: got .*a recording with a 'format' entry.*taskembed run"):
        Session.replay(broken)


@pytest.mark.parametrize("other", [0, 2, "1"])
def test_an_outdated_recording(recording: dict[str, Any], other: object) -> None:
    old = changed(recording, lambda r: r.update(format=other))
    with pytest.raises(ValueError, match=rf"got format {other!r}, expected format 1.*another version"):
        Session.replay(old)


@pytest.mark.parametrize("key", ["embedder", "family", "initial", "events", "steps", "scores"])
def test_a_recording_with_an_entry_cut_out(recording: dict[str, Any], key: str) -> None:
    with pytest.raises(ValueError, match=rf"got no entry {key}, expected entries format, .*cut or edited"):
        Session.replay(changed(recording, lambda r: r.pop(key)))


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "embedder is a number": lambda r: r.update(embedder=3),
    "steps are words": lambda r: r.update(steps="7"),
    "steps are a truth value": lambda r: r.update(steps=True, events=[]),
    "steps are negative": lambda r: r.update(steps=-1, events=[]),
    "scores are a list": lambda r: r.update(scores=[]),
    "family has no name": lambda r: r.update(family={}),
    "an event comes after the end": lambda r: r["events"][0].update(step=8),
    "an event comes before its elder": lambda r: r["events"].append({"step": 3, "changes": {"margin": 1.0}}),
    "an event undoes perhaps": lambda r: r["events"][0].update(undo="perhaps"),
    "family is a name": lambda r: r.update(family="gaussians"),
    "family has an unknown field": lambda r: r["family"].update(colour="red"),
    "initial is a list": lambda r: r.update(initial=[]),
    "events is a dict": lambda r: r.update(events={}),
    "an event is a number": lambda r: r["events"].append(3),
    "an event has no step": lambda r: r["events"][0].pop("step"),
    "an event's changes are a list": lambda r: r["events"][0].update(changes=["margin"]),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_recording_of_another_form(recording: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ValueError, match=r"recording: got entries of another form \(.*cut or edited"):
        Session.replay(changed(recording, change))


def test_settings_that_are_unknown_or_out_of_range(recording: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="setting: got 'margins'"):
        Session.replay(changed(recording, lambda r: r["events"][0].update(changes={"margins": 1})))
    with pytest.raises(ValueError, match="margin: got 99"):
        Session.replay(changed(recording, lambda r: r["events"][0].update(changes={"margin": 99})))
    with pytest.raises(ValueError, match="setting: got 'seeds'"):
        Session.replay(changed(recording, lambda r: r["initial"].update(seeds=1)))
    with pytest.raises(ValueError, match="embedder: got 'metrics'"):
        Session.replay(changed(recording, lambda r: r.update(embedder="metrics")))


def test_a_recording_of_another_family(recording: dict[str, Any], tmp_path: Path) -> None:
    path = save_recording(recording, tmp_path / "run.json")
    expected = r"got a run on 'gaussians', expected a run on 'digits'.*Reset with family='gaussians'"
    with pytest.raises(ValueError, match=expected):
        load_recording(path, "digits")
    unknown = changed(recording, lambda r: r.update(family={"name": "fractals"}))
    with pytest.raises(ValueError, match="got tasks 'fractals', expected one of sinusoids, gaussians, digits"):
        check_recording(unknown)


def test_a_cut_file(recording: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text(json.dumps(recording)[:-40], encoding="utf-8")
    with pytest.raises(ValueError, match=r"recording: got .*cut\.json.*expected a JSON file.*cut or edited"):
        load_recording(path)
    with pytest.raises(FileNotFoundError):
        load_recording(tmp_path / "none.json")


@pytest.mark.parametrize(
    "events",
    [
        [{"step": 0, "changes": {"margin": 2.0}, "undo": True}],
        [
            {"step": 0, "changes": {"margin": 2.0}},
            {"step": 1, "changes": {"margin": 1.0}, "undo": True},
            {"step": 2, "changes": {"margin": 3.0}, "undo": True},
        ],
    ],
)
def test_an_undo_of_nothing_is_refused(recording: dict[str, Any], events: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match=r"recording: got an event that undoes a change before there was one"):
        Session.replay({**recording, "events": events})


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ("long " * 40 + "name.json")
    write_whole(path, b"first")
    stopped = whole_file(path)
    stopped.__enter__().write_bytes(b"half")
    assert stopped.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None) is not True
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"first"]

    def full(part: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        save_recording({}, path)
    assert path.read_bytes() == b"first"


def test_a_link_is_followed_and_what_is_no_file_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o600)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    if os.path.exists(os.devnull):
        write_whole(Path(os.devnull), b"gone")
        assert not Path(os.devnull).is_file()


def test_two_files_of_one_name_are_written_at_once(tmp_path: Path) -> None:
    with whole_file(tmp_path / "run.csv") as table, whole_file(tmp_path / "run.html") as page:
        table.write_bytes(b"table")
        page.write_bytes(b"page")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"run.csv": b"table", "run.html": b"page"}


def test_files_that_belong_together_share_a_number(tmp_path: Path) -> None:
    names = ["map.png", "map.csv"]
    assert free_paths([tmp_path / name for name in names]) == [tmp_path / name for name in names]
    (tmp_path / "map.csv").touch()
    (tmp_path / "map-2.png").touch()
    assert free_paths([tmp_path / name for name in names]) == [tmp_path / "map-3.png", tmp_path / "map-3.csv"]


def test_nothing_saved_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    assert free_path(path) == path
    path.touch()
    assert free_path(path) == tmp_path / "run-2.json"
    (tmp_path / "run-2.json").touch()
    assert free_path(path) == tmp_path / "run-3.json"


ODD: tuple[Any, ...] = (None, True, -1, 1.5, 10**400, math.inf, math.nan, "x", "3", "", [], [1], {}, {"a": 1}, [[1], 2])


def places(entry: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is a value in a recording, however deep."""
    inside = entry.items() if isinstance(entry, dict) else enumerate(entry) if isinstance(entry, list) else ()
    for key, value in inside:
        yield (*place, key)
        yield from places(value, (*place, key))


def put(recording: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(recording)
    within: Any = changed
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = value
    return changed


def refusal(recording: dict[str, Any]) -> str | None:
    """What is said of a recording that cannot be replayed; None if it can."""
    try:
        Session.replay(recording)
    except (ValueError, TypeError) as error:
        return str(error)
    return None


@pytest.mark.parametrize("family", [Gaussians(), Sinusoids(), Digits()])
def test_an_edited_recording_replays_or_says_what_is_wrong(family: TaskFamily) -> None:
    session = Session("metric", family, n_tasks=8, projection="pca", hidden=8, batch=4, dim=2, frame_every=1)
    session.step(1)
    session.set(margin=2.0)
    session.step(1)
    session.undo()
    whole = session.recording()
    found = [place for place in places(whole) if place[0] != "scores" and place != ("steps",)]
    assert len(found) > 30
    for k, place in enumerate(found):
        every = ODD if place[0] in ("family", "events") else tuple(ODD[(3 * k + j) % len(ODD)] for j in range(3))
        for value in every:
            said = refusal(put(whole, place, value))
            assert said is None or ("got" in said and "expected" in said), (place, value, said)


@dataclass(frozen=True)
class Waves(Sinusoids):
    """A family of one's own that kept the name of the package's."""

    height: float = 2.0

    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        x, y = super().draw_samples(truth, n_shot, rng)
        return x, self.height * y


def test_an_own_family_with_a_name_of_the_package_is_not_taken_for_it(tmp_path: Path) -> None:
    session = small_session(family=Waves())
    session.step(4)
    whole = json.loads(json.dumps(session.recording()))
    assert (whole["family"]["name"], whole["family"]["own"]) == ("sinusoids", "Waves")
    words = r"got a run on Waves, a family of your own that is called 'sinusoids' too, expected .*family=Waves\(\)"
    path = save_recording(whole, tmp_path / "run.json")
    for refused in (
        lambda: Session.replay(whole),
        lambda: Session.replay(whole, Sinusoids()),
        lambda: load_recording(path),
        lambda: MetricLab("sinusoids").replay(path),
        lambda: MetricLab(Sinusoids()).replay(whole),
    ):
        with pytest.raises(ValueError, match=words):
            refused()
    again = Session.replay(whole, Waves())
    assert_same_frames(session, again)
    in_lab = MetricLab(Waves()).replay(path)
    assert type(in_lab.family) is Waves
    assert_same_frames(session, in_lab)


def test_a_lab_of_an_own_family_replays_the_package_s_with_the_package_s() -> None:
    session = small_session(family=Sinusoids())
    session.step(4)
    again = MetricLab(Waves()).replay(session.recording())
    assert not isinstance(again.family, Waves)
    assert_same_frames(session, again)


def test_the_package_s_own_family_is_recorded_as_ever() -> None:
    whole = small_session(family=Gaussians(n_way=3)).recording()
    assert "own" not in whole["family"]
    assert MetricLab(Gaussians()).replay(whole).family == Gaussians(n_way=3)


@dataclass(frozen=True)
class Bent(Gaussians):
    name = "bent"
    by: Any = None


@pytest.mark.parametrize(
    "by", [torch.sin, 1j, {1, 2}, {(1, 2): 3}, [object()]], ids=["function", "complex", "set", "keys", "object"]
)
def test_a_run_on_a_family_with_any_field_is_saved_and_replayed(by: Any, tmp_path: Path) -> None:
    session = small_session(family=Bent(by=by))
    session.step(4)
    save_recording(session.recording(), tmp_path / "run.json")
    again = Session.replay(load_recording(tmp_path / "run.json", known=True), session.family)
    assert_same_frames(session, again)
