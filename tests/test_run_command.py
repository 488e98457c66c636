"""`taskembed run`: five files and a page, exit codes, the same run again, and errors in words."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from taskembed_edu.cli import main as taskembed
from taskembed_edu.commands.run import main
from taskembed_edu.live import page
from taskembed_edu.live.packets import tasks_packet
from taskembed_edu.session.recordings import load_recording
from taskembed_edu.session.session import Session
from tests.test_export import assert_stands_as, document_of, summed

FILES = {"map.png", "frames.csv", "map.csv", "scores.csv", "recording.json"}
SMALL = ["metric", "--family", "gaussians", "--projection", "pca", "--n-tasks", "12", "--hidden", "8", "--batch", "4"]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "deep" / "er"
    assert main([*SMALL, "--steps", "25", "--margin", "2", "--seed", "3", "--out", str(folder)]) == 0
    return folder


def test_it_writes_five_files(run: Path) -> None:
    assert {path.name for path in run.iterdir()} == FILES
    assert (run / "map.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    frames = table(run / "frames.csv")
    assert [row["step"] for row in frames] == ["0", "10", "20"]
    readings = ["recall@1", "recall@5", "spearman", "trustworthiness", "jitter", "mean_distance", "active_pairs"]
    assert list(frames[0]) == ["step", "loss", *readings]
    places = table(run / "map.csv")
    assert len(places) == 12
    assert next(iter(places[0])) == "task"
    assert list(places[0])[-2:] == ["x", "y"]
    (scores,) = table(run / "scores.csv")
    assert list(scores) == ["recall@1", "recall@5", "spearman"]
    recording = json.loads((run / "recording.json").read_text(encoding="utf-8"))
    assert (recording["steps"], recording["initial"]["margin"], recording["initial"]["seed"]) == (25, 2.0, 3)


def test_what_is_written_is_the_sessions(run: Path) -> None:
    session = Session.replay(load_recording(run / "recording.json"))
    assert session.steps == 25
    frames = table(run / "frames.csv")
    assert [float(row["loss"]) for row in frames[1:]] == [frame.loss for frame in session.history[1:]]
    places = table(run / "map.csv")
    assert [row["task"] for row in places] == list(session.tasks.names)
    assert [[float(row["x"]), float(row["y"])] for row in places] == session.frame.layout.tolist()
    (scores,) = table(run / "scores.csv")
    assert {name: float(value) for name, value in scores.items()} == session.closing_scores()


def test_a_replay_writes_the_same(run: Path, tmp_path: Path) -> None:
    assert main(["metric", "--replay", str(run / "recording.json"), "--out", str(tmp_path)]) == 0
    for name in FILES - {"map.png"}:
        assert (tmp_path / name).read_bytes() == (run / name).read_bytes(), name


def test_it_prints_the_closing_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert taskembed(["run", *SMALL, "--steps", "0", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for words in ("After 0 steps", "never-seen tasks", "recall@1", "recall@5", "spearman", "wrote", "recording.json"):
        assert words in out
    assert {path.name for path in tmp_path.iterdir()} == FILES


@pytest.fixture(scope="module")
def written_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run of 25 steps, among the run's other files."""
    folder = tmp_path_factory.mktemp("page")
    assert main([*SMALL, "--steps", "25", "--margin", "2", "--html", "--out", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == FILES | {"run.html"}
    return folder / "run.html"


def test_the_page_needs_nothing_outside_itself(written_page: Path) -> None:
    html = written_page.read_text(encoding="utf-8")
    assert "default-src 'none'" in html
    code = re.sub(r'<script type="application/json".*?</script>', "", html, flags=re.DOTALL)
    code = re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL)  # comments name the types of other scripts
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!data:|#|\$)\w""", code)
    assert not re.search(r"""@import|\bimport\s*[("']|url\((?!["']?data:)""", code)
    assert page.script() in html
    assert page.style() in html


def test_the_page_holds_the_run(written_page: Path) -> None:
    session = Session.replay(load_recording(written_page.with_name("recording.json")))
    document = document_of(written_page.read_bytes())
    assert document["title"] == "metric on gaussians, 25 steps"
    assert document["exported"]["steps"] == 25
    assert document["tasks"] == tasks_packet(session)
    (run,) = document["runs"]
    assert [frame["step"] for frame in run["frames"]] == [frame.step for frame in session.history]
    places = summed(run["points"], len(session.history), 12, 2)
    for frame, told, of_frame in zip(session.history, run["frames"], places, strict=True):
        assert_stands_as(frame.layout, told["box"], of_frame)


def test_a_page_that_would_be_too_large_costs_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("taskembed_edu.live.export.MOST_BYTES", 1000)
    assert main([*SMALL, "--steps", "1", "--html", "--out", str(tmp_path)]) == 1
    assert "--html: sessions: got 12 tasks in 1 runs" in " ".join(capsys.readouterr().err.split())
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_the_method_may_be_left_out(tmp_path: Path) -> None:
    assert main([*SMALL[1:], "--steps", "1", "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "recording.json").read_text(encoding="utf-8"))["steps"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--margin", "3", "--metric", "cosine"],
            "margin: got 3.0, expected a number from 0 to 2. How far apart different tasks should be.",
        ),
        (["--n-tasks", "2"], "n_tasks: got 2, expected a number from 5 to 5000"),
        (["--steps", "-5"], "steps: got -5, expected a number of at least 0"),
        (["--mining", "semi-hard"], "mining: got 'semi-hard', expected one of all, hard"),
        (["--replay", "no-such-file.json"], "no-such-file.json"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["metric", *arguments, "--out", str(tmp_path / "run")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert words in said
    assert "taskembed run" in said
    assert not (tmp_path / "run").exists()


def test_a_replay_takes_no_other_settings(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = str(run / "recording.json")
    assert main(["metric", "--replay", recording, "--margin", "3", "--out", str(tmp_path)]) == 1
    assert "--replay: got it together with margin" in " ".join(capsys.readouterr().err.split())
    assert main(["metric", "--replay", recording, "--family", "digits", "--out", str(tmp_path)]) == 1
    assert "got a run on 'gaussians', expected a run on 'digits'" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("arguments", [["metrics"], ["--metric", "cosin"], ["--margins", "1"], ["--margin", "far"]])
def test_what_cannot_be_read_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


def test_help_has_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for flag in ("--family", "--margin", "--learning-rate", "--n-neighbors", "--device", "--replay", "--html"):
        assert flag in out
    assert "cosine distance ends at 2" in " ".join(out.split())
