"""`taskembed run`: five files and a page, exit codes, the same run again, and errors in words."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from taskembed_edu.cli import main as taskembed
from taskembed_edu.commands import run as command
from taskembed_edu.commands.run import NAMES, main, parse
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.live import page
from taskembed_edu.live.packets import tasks_packet
from taskembed_edu.session.recordings import load_recording
from taskembed_edu.session.session import Session
from tests.runs import assert_same_frames
from tests.test_export import assert_stands_as, document_of, summed

FILES = {"map.png", "frames.csv", "map.csv", "scores.csv", "recording.json"}
ROOT = Path(__file__).resolve().parents[1]
OPTIONS: dict[str, Any] = {"family": "gaussians", "projection": "pca", "n_tasks": 12, "hidden": 8, "batch": 4}
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
    assert [row["step"] for row in frames] == ["0", "10", "20", "25"], "the last row is the end of the run"
    readings = ["recall@1", "recall@5", "spearman", "trustworthiness", "jitter", "mean_distance", "active_pairs"]
    assert list(frames[0]) == ["step", "loss", *readings]
    places = table(run / "map.csv")
    assert len(places) == 12
    assert list(places[0])[:2] == ["task", "name"]
    assert list(places[0])[-5:] == ["e5", "e6", "e7", "nearest", "step"]
    assert list(places[0])[-12:-9] == ["map_x", "map_y", "e0"]
    (scores,) = table(run / "scores.csv")
    assert list(scores) == ["recall@1", "recall@5", "spearman"]
    recording = json.loads((run / "recording.json").read_text(encoding="utf-8"))
    assert (recording["steps"], recording["initial"]["margin"], recording["initial"]["seed"]) == (25, 2.0, 3)


def test_what_is_written_is_the_sessions(run: Path) -> None:
    replayed = Session.replay(load_recording(run / "recording.json"))
    assert (replayed.steps, replayed.frame.step) == (25, 20)
    session = replayed.with_last_step()
    assert session.frame.step == 25
    frames = table(run / "frames.csv")
    assert [float(row["loss"]) for row in frames[1:]] == [frame.loss for frame in session.history[1:]]
    places = table(run / "map.csv")
    assert [row["name"] for row in places] == list(session.tasks.names)
    assert [[np.float32(row["map_x"]), np.float32(row["map_y"])] for row in places] == session.frame.layout.tolist()
    with Image.open(run / "map.png") as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert json.loads(picture.info["Settings"])["settings"]["margin"] == 2.0
        assert "margin 2" in picture.info["Description"]
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
    session = Session.replay(load_recording(written_page.with_name("recording.json"))).with_last_step()
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["metrics"],
            "embedder: got 'metrics', expected one of metric, parameters, fisher, context, adapted, summary.",
        ),
        (["--metric", "cosin"], "Did you mean 'cosine'?"),
        (["--family", "sinusoid"], "Did you mean 'sinusoids'?"),
    ],
)
def test_a_misspelt_name_is_answered_by_the_nearest(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 1
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("arguments", [["--margins", "1"], ["--margin", "far"]])
def test_what_cannot_be_read_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_help_has_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for flag in ("--family", "--margin", "--learning-rate", "--n-neighbors", "--device", "--replay", "--html"):
        assert flag in out
    assert "cosine distance ends at 2" in " ".join(out.split())


@pytest.mark.parametrize("frame_every", ["10", "1000"])
@pytest.mark.parametrize("steps", [7, 25])
def test_what_is_written_shows_the_last_step(
    steps: int, frame_every: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, "--steps", str(steps), "--frame-every", frame_every, "--out", str(tmp_path)]) == 0
    assert f"After {steps} steps" in capsys.readouterr().out
    assert table(tmp_path / "frames.csv")[-1]["step"] == str(steps)
    often = Session("metric", **{**OPTIONS, "frame_every": 1})
    shown = often.step(steps)
    places = [[np.float32(row["map_x"]), np.float32(row["map_y"])] for row in table(tmp_path / "map.csv")]
    assert places == shown.layout.tolist()


def test_the_frame_of_the_last_step_changes_nothing_in_the_run() -> None:
    session, untouched = (Session("metric", **OPTIONS) for _ in range(2))
    for each in (session, untouched):
        each.step(7)
    seen = session.with_last_step()
    assert (seen.frame.step, session.frame.step) == (7, 0)
    assert seen.with_last_step() is seen
    assert_same_frames(session, untouched)
    for each in (session, untouched):
        each.step(13)
    assert_same_frames(session, untouched)


def test_two_runs_in_one_folder_stay_apart(tmp_path: Path) -> None:
    for margin in ("2", "3"):
        assert main([*SMALL, "--steps", "1", "--margin", margin, "--html", "--out", str(tmp_path)]) == 0
    second = {f"{Path(name).stem}-2{Path(name).suffix}" for name in NAMES}
    assert {path.name for path in tmp_path.iterdir()} == {*NAMES, *second}
    for name, began_with in (("recording.json", 2.0), ("recording-2.json", 3.0)):
        assert load_recording(tmp_path / name)["initial"]["margin"] == began_with
    (tmp_path / "map.png").unlink()
    assert main([*SMALL, "--steps", "1", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "recording-3.json").exists(), "no number is used by files of two runs"


def test_a_folder_that_cannot_be_written_is_said_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(command, "_train", lambda *_: pytest.fail("it trained"))
    assert main([*SMALL, "--steps", "1", "--out", str(tmp_path)]) == 1
    assert "Read-only file system" in " ".join(capsys.readouterr().err.split())


def test_a_disk_that_fills_up_keeps_the_recording_and_no_half_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def half(figure: Figure, path: Path, **_options: object) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Figure, "savefig", half)
    assert main([*SMALL, "--steps", "1", "--out", str(tmp_path)]) == 1
    assert "The disk is full" in " ".join(capsys.readouterr().err.split())
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"map.png"}


def test_stopped_twice_it_still_writes(tmp_path: Path) -> None:
    code = f"""
import signal, os
from taskembed_edu.commands import run
table = run.write_csv
def stopped_again(*given):
    os.kill(os.getpid(), signal.SIGINT)
    return table(*given)
run.write_csv = stopped_again
run._train = lambda session, steps, console: (session.step(3), os.kill(os.getpid(), signal.SIGINT), session.step(10**6))
raise SystemExit(run.main({[*SMALL, "--out", str(tmp_path)]!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "stopped; what was trained so far is kept" in " ".join(done.stderr.split())
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"scores.csv"}


def test_stopped_while_it_says_so_it_still_writes(tmp_path: Path) -> None:
    code = f"""
import signal, os
from taskembed_edu.commands import run
def consoles():
    out, complain = made()
    def slowly(words):
        os.kill(os.getpid(), signal.SIGINT)
        complain(words)
    return out, slowly
made, run.consoles = run.consoles, consoles
run._train = lambda session, steps, console: (session.step(3), os.kill(os.getpid(), signal.SIGINT), session.step(10**6))
raise SystemExit(run.main({[*SMALL, "--out", str(tmp_path)]!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"scores.csv"}


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), KeyError("boom")])
def test_whatever_stops_a_run_it_writes_what_was_trained(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(session: Session, steps: int, console: object) -> None:
        session.step(20)
        raise error

    monkeypatch.setattr(command, "_train", fail)
    assert main([*SMALL, "--out", str(tmp_path)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert type(error).__name__ in said
    assert "what was trained so far is kept" in said
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"scores.csv"}
    assert load_recording(tmp_path / "recording.json")["steps"] == 20


def test_a_replay_of_another_method_is_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = str(run / "recording.json")
    assert main(["parameters", "--replay", recording, "--out", str(tmp_path / "run")]) == 1
    assert "a run of the 'metric' embedder" in " ".join(capsys.readouterr().err.split())


@pytest.mark.skipif(os.name == "nt", reason="a pipe of a shell")
def test_a_reader_that_goes_away_costs_no_file(tmp_path: Path) -> None:
    words = shlex.join([sys.executable, "-m", "taskembed_edu", "run", *SMALL, "--steps", "3", "--out", str(tmp_path)])
    done = subprocess.run(f"({words}; echo $? >&2) | head -1", shell=True, capture_output=True, text=True, check=False)
    assert done.stderr.split()[-1:] == ["0"], done.stderr
    assert {path.name for path in tmp_path.iterdir()} == FILES


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_lacks_a_letter_costs_nothing(tmp_path: Path, encoding: str) -> None:
    command_line = [sys.executable, "-m", "taskembed_edu", "run", *SMALL, "--steps", "1", "--out", "Łódź"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command_line, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "Łódź").iterdir()} == FILES


@pytest.mark.parametrize(
    ("arguments", "method", "out"),
    [
        (["--out", "parameters", "--margin", "2"], None, "parameters"),
        (["--margin", "2", "--out", "fisher", "metric"], "metric", "fisher"),
        (["--replay", "summary"], None, "run"),
        (["--hidden", "8", "parameters"], "parameters", "run"),
        ([], None, "run"),
    ],
)
def test_a_folder_is_not_taken_for_a_method(arguments: list[str], method: str | None, out: str) -> None:
    options = parse(arguments)
    assert (options.embedder, options.out) == (method, out)


def test_help_says_what_every_method_is(capsys: pytest.CaptureFixture[str]) -> None:
    for method in EMBEDDERS:
        with pytest.raises(SystemExit):
            main([method, "--help"])
        out = " ".join(capsys.readouterr().out.split())
        assert f"settings of {method}" in out
        for name, embedder in EMBEDDERS.items():
            assert f"{name}: {embedder.about}" in out


def test_networks_that_do_not_fit_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("taskembed_edu.embedders.batched._free_bytes", lambda *_: 10_000)
    assert main(["parameters", *SMALL[1:7], "--steps", "1", "--out", str(tmp_path / "run")]) == 1
    assert "half of what is free" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r["initial"].update(seed="0"), "seed: got '0', expected a number"),
        (lambda r: r["family"].update(n_way="3"), "n_way: got '3', expected a number"),
        (
            lambda r: r.update(family={"name": "sinusoids", "amplitude": [1]}),
            "amplitude: got (1,), expected two numbers, the lower one first",
        ),
        (
            lambda r: r["events"].insert(0, {"step": 0, "changes": {"margin": 1.5}, "undo": True}),
            "recording: got an event that undoes a change before there was one",
        ),
    ],
)
def test_an_edited_recording_is_answered_in_one_line(
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], object],
    words: str,
) -> None:
    recording = json.loads((run / "recording.json").read_text(encoding="utf-8"))
    change(recording)
    (tmp_path / "edited.json").write_text(json.dumps(recording), encoding="utf-8")
    assert main(["--replay", str(tmp_path / "edited.json"), "--out", str(tmp_path / "run")]) == 1
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_run_that_diverges_before_its_first_step_says_so_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["adapted", "--inner-lr", "2", "--inner-steps", "20", "--steps", "1", "--n-tasks", "6"]
    assert main([*given, "--out", str(tmp_path / "run")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "Lower the inner rate (2 now)" in said
    assert "Traceback" not in said
