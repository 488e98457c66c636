"""What a learner made or asked for is not lost: found by reading and by use, each held by a test."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from taskembed_edu.base.memory import tune_malloc
from taskembed_edu.commands.run import main
from taskembed_edu.live.player import Player
from taskembed_edu.projection.live_umap import _starting_layout
from taskembed_edu.projection.neighbours import nearest_tasks
from taskembed_edu.projection.pca import pca_layout
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import FAMILIES
from tests.runs import assert_same_frames, generator, small_session


def test_a_setting_moved_just_before_reset_counts() -> None:
    session = small_session()
    player = Player(session, lambda: None)
    try:
        player.set(margin=0.5)
        player.reset()
        assert player.wait()
        assert session.settings.margin == 0.5
        assert session.recording()["initial"]["margin"] == 0.5
    finally:
        player.stop()


def test_a_replaced_player_says_so_whatever_is_asked_of_it() -> None:
    session = small_session()
    player = Player(session, lambda: None)
    player.stop()
    assert player.stopped
    player.reset(seed=3)
    player.play()
    assert session.setup.seed == 0
    assert not player.playing


@pytest.mark.parametrize("where", ["step", "embed"])
def test_an_interrupted_step_goes_back_to_the_last_frame(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session, plain = small_session(), small_session()
    every = session.setup.frame_every
    session.step(2 * every)
    session.set(margin=2.0)
    real = getattr(session.embedder, where)

    def interrupted(*given: object) -> object:
        real(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(session.embedder, where, interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.step(every)
    monkeypatch.undo()
    assert session.steps == 2 * every
    session.step(2 * every)
    plain.step(2 * every)
    plain.set(margin=2.0)
    plain.step(2 * every)
    assert_same_frames(session, plain)
    assert_same_frames(Session.replay(session.recording()), plain)


def test_an_interrupted_reset_leaves_the_old_run(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    session.step(session.setup.frame_every)
    before, seen = session.recording(), session.frame

    def interrupted(*given: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(session.embedder, "embed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.reset(seed=5)
    monkeypatch.undo()
    assert session.recording() == before
    assert session.frame is seen
    assert session.past == []


def test_frames_and_recordings_cannot_be_changed_from_outside() -> None:
    session = small_session()
    for array in (session.frame.layout, session.frame.embedding):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    session.recording()["initial"]["margin"] = 99.0
    assert session.recording()["initial"]["margin"] == 1.0


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_a_part_is_not_dealt_out_again(family: type) -> None:
    part = family().split(generator()).train
    with pytest.raises(ValueError, match=r"split: got a part of .*Split it once"):
        part.split(generator())


def test_a_folder_that_cannot_be_made_costs_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file", encoding="utf-8")
    assert main(["metric", "--family", "gaussians", "--steps", "10", "--out", str(taken)]) == 1
    said = capsys.readouterr()
    assert "taskembed run:" in said.err
    assert "10/10" not in said.out


def test_a_second_run_keeps_the_first_recording(tmp_path: Path) -> None:
    asked = ["metric", "--family", "gaussians", "--steps", "4", "--n-tasks", "12", "--projection", "pca"]
    for seed in ("1", "2"):
        assert main([*asked, "--seed", seed, "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["recording-2.json", "recording.json"]


def test_tight_clusters_far_apart_lose_no_neighbour() -> None:
    rng = generator()
    points = 1e-3 * torch.randn(60, 8, generator=rng)
    points[30:] += 6.0
    distances, indices = nearest_tasks(points, 10)
    exact = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist")
    best = exact.topk(10, largest=False)
    torch.testing.assert_close(distances.double(), best.values, rtol=1e-3, atol=1e-7)
    shared = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(indices.tolist(), best.indices.tolist(), strict=True)])
    assert shared > 0.99


def test_the_first_umap_frame_does_not_start_mirrored_against_the_map_on_screen() -> None:
    points = torch.randn(60, 5, generator=generator()) * torch.tensor([5.0, 3.0, 1.0, 1.0, 1.0])
    shown = -pca_layout(points)
    start = _starting_layout(points, shown)
    along = [float(np.corrcoef(start[:, k], shown[:, k])[0, 1]) for k in range(2)]
    assert min(along) > 0.99


def test_glibc_is_told_to_give_memory_back() -> None:
    told = tune_malloc()
    assert told or sys.platform != "linux" or not Path("/lib64/ld-linux-x86-64.so.2").exists()
