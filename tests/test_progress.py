"""A long call in a notebook shows one line of progress; a short one, a script and a check of lessons show nothing."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from taskembed_edu.base import progress
from tests.runs import assert_same_frames, small_session


class Notebook:
    """A kernel's shell and its display, and a clock that the test moves."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = []
        self.now = 0.0
        self.kernel = object()
        self.display = SimpleNamespace(display=self.show)

    def get_ipython(self) -> Any:
        return self

    def show(self, data: dict[str, str], **_more: Any) -> Any:
        line = [data["text/plain"]]
        self.lines.append(line)
        return SimpleNamespace(update=lambda data, **_more: line.append(data["text/plain"]))


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    made = Notebook()
    monkeypatch.delenv("TASKEMBED_PROGRESS", raising=False)
    monkeypatch.setitem(sys.modules, "IPython", made)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def make(notebook: Notebook, n: int, seconds: float) -> None:
    for _ in progress.counted(n):
        notebook.now += seconds


def test_a_long_call_has_one_line(notebook: Notebook) -> None:
    make(notebook, 6, 1.0)
    assert notebook.lines == [
        [*(f"step {done} of 6, about {6 - done} s left" for done in (3, 4, 5, 6)), "6 steps in 6 s"]
    ]


def test_a_short_call_shows_nothing(notebook: Notebook) -> None:
    make(notebook, 100, 0.01)
    assert notebook.lines == []


def test_a_check_a_script_and_another_thread_show_nothing(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = threading.Thread(target=make, args=(notebook, 6, 1.0))
    worker.start()
    worker.join()
    monkeypatch.setenv("TASKEMBED_PROGRESS", "off")
    make(notebook, 6, 1.0)
    monkeypatch.delenv("TASKEMBED_PROGRESS")
    monkeypatch.setattr(notebook, "kernel", None)
    make(notebook, 6, 1.0)
    monkeypatch.delitem(sys.modules, "IPython")
    make(notebook, 6, 1.0)
    assert notebook.lines == []


def test_a_session_s_steps_are_counted(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_session()
    step = session._run.step

    def slow() -> None:
        notebook.now += 1.0
        step()

    monkeypatch.setattr(session._run, "step", slow)
    session.step(5)
    assert notebook.lines[0][-1] == "5 steps in 5 s"


def test_who_hears_a_thread_is_told_and_nothing_is_shown(notebook: Notebook) -> None:
    told: list[tuple[int, int]] = []
    with progress.heard_by(lambda done, of: told.append((done, of))):
        make(notebook, 3, 10.0)
        worker = threading.Thread(target=make, args=(notebook, 2, 1.0))
        worker.start()
        worker.join()
        with progress.heard_by(lambda _done, _of: None):
            make(notebook, 2, 10.0)
        make(notebook, 1, 10.0)
    assert told == [(1, 3), (2, 3), (3, 3), (1, 1)]
    assert notebook.lines == []
    make(notebook, 6, 1.0)
    assert len(notebook.lines) == 1, "afterwards it is as before"


def test_a_replay_is_counted(notebook: Notebook) -> None:
    session = small_session()
    session.step(9)
    session.set(margin=2.0)
    session.step(4)
    told: list[tuple[int, int]] = []
    with progress.heard_by(lambda done, of: told.append((done, of))):
        twin = session.replay(session.recording())
    assert told == [(k, 13) for k in range(1, 14)]
    assert_same_frames(twin, session)


def test_a_long_rest_is_said_in_minutes() -> None:
    assert progress.time_left(1.0, 1, 100) == "about 99 s left"
    assert progress.time_left(1.0, 1, 121) == "about 2 min left"
