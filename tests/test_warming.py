"""UMAP is made ready once, whoever asks; and who waits for it is told, whatever happens."""

from __future__ import annotations

import subprocess
import threading
from typing import Any

import pytest

from taskembed_edu.live import precompile as warming


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was compiled where: nothing is, really."""
    done: list[str] = []
    monkeypatch.setattr(warming, "_is_ready", threading.Event())
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


def warm() -> list[Any]:
    waiting = Waiting()
    thread = warming.precompile_in_background(waiting.ready, waiting.failed)
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
