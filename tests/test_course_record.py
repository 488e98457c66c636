"""A learner's record: nothing is lost between two notebooks, nothing unreadable is thrown away, nothing raises."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from taskembed_edu.commands import progress
from taskembed_edu.course import hint, predict, record
from taskembed_edu.course.record import CHECKED, HINT, OUTCOME, PREDICTED, CourseRecord


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CourseRecord:
    path = tmp_path / "deep" / "record.jsonl"
    monkeypatch.setenv(record.PLACE, str(path))
    return record.mine()


def test_what_is_added_is_read_back_in_order(kept: CourseRecord) -> None:
    kept.add(PREDICTED, "00.far", "both")
    kept.add(OUTCOME, "00.far", "neither", right=False)
    kept.add(CHECKED, "01.manhattan", True)
    entries = record.mine().entries()
    assert [(entry.what, entry.name, entry.value, entry.right) for entry in entries] == [
        (PREDICTED, "00.far", "both", None),
        (OUTCOME, "00.far", "neither", False),
        (CHECKED, "01.manhattan", True, None),
    ]
    assert [entry.lesson for entry in entries] == ["00", "00", "01"]
    assert kept.of("00.far", PREDICTED)[0].value == "both"
    assert (kept.trouble, record.mine().trouble) == ("", "")


WRITER = """
import sys
from taskembed_edu.course import record
kept = record.mine()
for i in range(100):
    kept.add("checked", "00." + sys.argv[1], i)
    assert not kept.trouble, kept.trouble
"""


def test_two_notebooks_at_once_lose_nothing(kept: CourseRecord) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in ("one", "other")]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    for name in ("one", "other"):
        assert [entry.value for entry in kept.of(f"00.{name}", CHECKED)] == list(range(100))


def test_broken_and_newer_lines_stay_and_are_passed_over(kept: CourseRecord) -> None:
    kept.add(PREDICTED, "00.far", "both")
    odd = b'{"version": 1, "what": "predic\n[1, 2]\n\xff\xfe\n{"version": 99, "what": "dreamt"}\n{"what": "x"}\n'
    kept.path.write_bytes(kept.path.read_bytes() + odd)
    kept.add(CHECKED, "00.chance", True)
    assert [entry.what for entry in kept.entries()] == [PREDICTED, CHECKED]
    assert "1 lines are from a newer version" in kept.trouble
    assert "4 lines cannot be read" in kept.trouble
    assert odd in kept.path.read_bytes()
    kept.delete("00")
    assert kept.path.read_bytes() == odd, "what cannot be read belongs to no lesson"


def test_a_hint_of_no_number_is_no_hint(kept: CourseRecord) -> None:
    for odd in (None, "two", [1]):
        kept.add(HINT, "00.chance", odd)
    kept.add(HINT, "00.chance", 1)
    assert repr(hint("00.chance")) == "00.chance, hint 2."


def test_a_line_that_was_cut_off_is_not_continued(kept: CourseRecord) -> None:
    kept.add(PREDICTED, "00.far", "both")
    kept.path.write_bytes(kept.path.read_bytes() + b'{"version": 1, "wh')
    kept.add(CHECKED, "00.chance", True)
    assert [entry.what for entry in kept.entries()] == [PREDICTED, CHECKED]


def test_a_place_that_cannot_be_written_is_said_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    kept = CourseRecord(tmp_path / "file" / "record.jsonl")
    kept.add(PREDICTED, "00.far", "both")
    assert kept.trouble.startswith("This was not recorded.")
    assert kept.entries() == []


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    kept = CourseRecord(tmp_path)
    kept.add(PREDICTED, "00.far", "both")
    assert kept.trouble.startswith("This was not recorded.")
    assert kept.entries() == []
    assert kept.trouble


def test_a_record_that_cannot_be_read_is_not_deleted(kept: CourseRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.add(PREDICTED, "00.far", "both")

    def unreadable(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_bytes", unreadable)
        with pytest.raises(PermissionError):
            kept.delete("02")
    assert [entry.name for entry in kept.entries()] == ["00.far"]


def test_the_place_may_be_named_from_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv(record.PLACE, "~/class/record.jsonl")
    assert record.place() == tmp_path / "class" / "record.jsonl"


# ---- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def some(kept: CourseRecord) -> CourseRecord:
    for name, guess, result in (("00.far", "both", "both"), ("00.near", 1.0, 2.0), ("02.flat", "a", "b")):
        kept.add(PREDICTED, name, guess)
        kept.add(OUTCOME, name, result, right=guess == result)
    for right in (False, True):
        kept.add(CHECKED, "00.chance", right)
    kept.add(CHECKED, "02.hadsell", False)
    return kept


def test_progress_shows_each_lesson(some: CourseRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert progress.main([]) == 0
    said = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line.startswith("│")]
    assert rows == [["00", "2", "1", "1", "1", "1", "0"], ["02", "1", "0", "1", "0", "1", "0"]]
    assert str(some.path) in said


def test_progress_exports_every_line(some: CourseRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert progress.main(["--export", str(tmp_path / "mine.csv")]) == 0
    with (tmp_path / "mine.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [entry.name for entry in some.entries()]
    assert "9 lines" in capsys.readouterr().out


def test_progress_deletes_a_lesson_or_all(some: CourseRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert progress.main(["--delete", "2"]) == 0
    assert {entry.lesson for entry in some.entries()} == {"00"}
    assert progress.main(["--delete"]) == 0
    assert not some.path.exists()
    assert progress.main(["--delete"]) == 0
    assert "Nothing of all lessons is recorded" in capsys.readouterr().out


def test_progress_of_nothing_says_so(kept: CourseRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert progress.main([]) == 0
    assert "Nothing is recorded yet" in capsys.readouterr().out


def test_progress_that_cannot_be_exported_says_why(
    some: CourseRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert progress.main(["--export", str(tmp_path / "nowhere" / "mine.csv")]) == 1
    assert "nowhere" in capsys.readouterr().err
    assert len(some.entries()) == 9


def test_progress_does_not_export_over_the_record_itself(
    some: CourseRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = some.path.read_bytes()
    assert progress.main(["--export", str(some.path.parent / ".." / some.path.parent.name / some.path.name)]) == 1
    assert "is the record itself" in capsys.readouterr().err
    assert some.path.read_bytes() == before


def test_a_record_holds_one_object_a_line(some: CourseRecord) -> None:
    lines = [json.loads(line) for line in some.path.read_text(encoding="utf-8").splitlines()]
    assert all(line["version"] == record.VERSION for line in lines)


def test_lines_with_odd_values_stop_nothing(kept: CourseRecord, tmp_path: Path) -> None:
    values = {"hint": [1], "predicted": 10**400, "checked": "\ud800"}
    lines = [{"version": 1, "what": what, "name": "00.odd", "value": v, "at": "now"} for what, v in values.items()]
    kept.path.parent.mkdir()
    kept.path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert progress.main([]) == 0
    assert progress.main(["--export", str(tmp_path / "odd.csv")]) == 0
    assert predict("00.odd", "How many?").guess is None


def test_a_line_that_is_nested_too_deep_is_passed_over(kept: CourseRecord) -> None:
    kept.path.parent.mkdir()
    kept.path.write_bytes(b"[" * 100_000 + b"\n")
    assert kept.entries() == []
    assert kept.delete("00") == 0
