"""UMAP is made ready once, whoever asks; and who waits for it is told, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest

from taskembed_edu.live import precompile as warming
from taskembed_edu.projection import umap_steps


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was compiled where: nothing is, really."""
    done: list[str] = []
    monkeypatch.setattr(warming, "_is_ready", threading.Event())
    monkeypatch.setattr(warming, "is_cached", lambda: False)
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: done.append("child"))
    monkeypatch.setattr(warming, "warm_up", lambda: done.append("here"))
    return done


class Waiting:
    def __init__(self) -> None:
        self.told: list[Any] = []

    def ready(self) -> None:
        self.told.append("ready")

    def failed(self, error: Exception) -> None:
        self.told.append(error)


def warm(moves: threading.Event | None = None) -> list[Any]:
    waiting = Waiting()
    thread = warming.precompile_in_background(waiting.ready, waiting.failed, moves or threading.Event())
    thread.join(60)
    assert not thread.is_alive()
    return waiting.told


def test_two_labs_need_one_compilation(compiled: list[str]) -> None:
    assert warm() == ["ready"]
    assert warm() == ["ready"]
    assert compiled == ["child", "here"]


def test_without_a_child_this_process_compiles(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_child(*_args: Any, **_options: Any) -> subprocess.CompletedProcess[str]:
        raise OSError("no processes left")

    monkeypatch.setattr(subprocess, "run", no_child)
    assert warm() == ["ready"]
    assert compiled == ["here"]


def test_who_waits_is_told_of_a_failure_and_the_next_may_try_again(
    compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("numba: no cache")

    with monkeypatch.context() as patch:
        patch.setattr(warming, "warm_up", broken)
        (error,) = warm()
        assert str(error) == "numba: no cache"
    assert warm() == ["ready"]


def test_what_an_earlier_kernel_compiled_needs_no_child(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "is_cached", lambda: True)
    monkeypatch.setattr(warming, "_MOST_WAITED", 0.0)
    assert warm() == ["ready"]
    assert compiled == ["here"]


def test_what_is_compiled_already_is_loaded_once_the_map_moves(
    compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "is_cached", lambda: True)
    monkeypatch.setattr(warming, "_MOST_WAITED", 3600.0)
    waiting, moves = Waiting(), threading.Event()
    thread = warming.precompile_in_background(waiting.ready, waiting.failed, moves)
    assert (compiled, waiting.told) == ([], [])
    moves.set()
    thread.join(60)
    assert (compiled, waiting.told) == (["here"], ["ready"])


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python's folder with an umap-learn and a numba in it, installed just now."""
    for file in ("umap/umap_.py", "umap/__init__.py", "numba/__init__.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    monkeypatch.setattr(umap_steps, "find_spec", lambda name: PathFinder.find_spec(name, [str(tmp_path)]))
    return tmp_path


def compile_into(installed: Path, *, without: str = "", seconds_later: float = 10) -> bool:
    """Whether it counts as cached, with the files that a compilation leaves, less one, dated so much later."""
    cache = installed / "umap" / "__pycache__"
    cache.mkdir(exist_ok=True)
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    for name in set(umap_steps._CACHED) - {without}:
        file = cache / f"{name}-12.{python}.nbi"
        file.touch()
        date = (installed / "numba" / "__init__.py").stat().st_ctime + seconds_later
        os.utime(file, (date, date))
    return umap_steps.is_cached()


def test_it_is_cached_once_every_function_is(installed: Path) -> None:
    assert not umap_steps.is_cached()
    assert not compile_into(installed, without=umap_steps._CACHED[1])
    assert compile_into(installed)


def test_a_cache_in_another_place_counts_as_none(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compile_into(installed)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(installed / "elsewhere"))
    assert not umap_steps.is_cached()


def test_what_was_compiled_before_numba_was_installed_is_out_of_date(installed: Path) -> None:
    assert not compile_into(installed, seconds_later=-10)


def test_the_files_are_named_as_numba_names_them() -> None:
    umap_steps.warm_up()
    umap = umap_steps._umap()
    folders = {
        "umap_.smooth_knn_dist": umap.umap_.smooth_knn_dist.stats.cache_path,
        "umap_.compute_membership_strengths": umap.umap_.compute_membership_strengths.stats.cache_path,
        "layouts._optimize_layout_euclidean_single_epoch": (
            umap.layouts._nb_optimize_layout_euclidean_single_epoch.stats.cache_path
        ),
    }
    assert set(folders) == set(umap_steps._CACHED)
    for name, folder in folders.items():
        assert list(Path(folder).glob(f"{name}-*.nbi"))
