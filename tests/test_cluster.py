"""`taskembed benchmark --scheduler`: a real scheduler and workers in processes of their own, one of them killed."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from taskembed_edu.commands.benchmark import main
from taskembed_edu.evaluation import cluster
from taskembed_edu.evaluation.benchmark import run_cell, run_missing
from taskembed_edu.evaluation.cluster import on_cluster
from taskembed_edu.evaluation.results import Cell, Outcome, ResultsFile

ROOT = Path(__file__).resolve().parents[1]
CELLS = [Cell("summary", "sinusoids", seed, 1) for seed in range(4)]
# A cell that writes its process' number here, and then waits for its end.
MARK = "TASKEMBED_TEST_MARK"


@pytest.fixture
def results(tmp_path: Path) -> ResultsFile:
    return ResultsFile(tmp_path / "results.sqlite")


@contextmanager
def process(*arguments: str, mark: Path) -> Iterator[subprocess.Popen[str]]:
    """`dask ...` in a process of its own, ended by its number."""
    code = "import sys; from dask.__main__ import main; sys.exit(main())"
    environment = {**os.environ, MARK: str(mark), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code, *arguments]
    running = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


@contextmanager
def scheduler(mark: Path) -> Iterator[tuple[str, int]]:
    """A scheduler on loopback: its address, and its process' number."""
    with process("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", mark=mark) as running:
        assert running.stderr is not None
        address = next(found[0] for line in running.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
        threading.Thread(target=running.stderr.read, daemon=True).start()
        yield address, running.pid


@contextmanager
def worker(address: str, mark: Path) -> Iterator[None]:
    arguments = ("--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")
    with process("worker", address, *arguments, "--local-directory", str(mark.parent), mark=mark) as running:
        assert running.stderr is not None
        threading.Thread(target=running.stderr.read, daemon=True).start()
        yield


def held_once(cell: Cell) -> Outcome:
    """The second cell, tried for the first time, is held until its process is killed. The others are quick."""
    mark = Path(os.environ[MARK])
    if cell == CELLS[1] and not mark.exists():
        mark.with_suffix(".part").write_text(str(os.getpid()))
        mark.with_suffix(".part").rename(mark)
        threading.Event().wait()
    return Outcome(cell, {"recall@1": 1.0}, 0.1) if cell != CELLS[1] else run_cell(cell)


def kill_who_holds(mark: Path) -> None:
    """SIGKILL for the process that wrote its number, as soon as it has."""
    while not mark.exists():
        time.sleep(0.02)
    os.kill(int(mark.read_text()), signal.SIGKILL)


def test_a_worker_is_killed_and_every_cell_finishes_once(
    results: ResultsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "run_cell", held_once)
    mark = tmp_path / "mark"
    told: list[tuple[Cell, int, int]] = []
    versions: list[dict[str, Any]] = []
    check = cluster._check_versions

    def checked(found: dict[str, Any]) -> None:
        versions.append(found)
        check(found)

    monkeypatch.setattr(cluster, "_check_versions", checked)
    killer = threading.Thread(target=kill_who_holds, args=(mark,), daemon=True)
    with scheduler(mark) as (address, _pid), worker(address, mark), worker(address, mark):
        killer.start()
        pool = on_cluster(address, timeout=60)
        assert run_missing(CELLS, results, pool, lambda outcome, *place: told.append((outcome.cell, *place))) == 0
        killer.join()
        assert mark.exists(), "one was killed"
        for of in (versions[0]["scheduler"], *versions[0]["workers"].values()):
            assert set(cluster._versions(of)) == set(cluster.SAME_EVERYWHERE)
            assert None not in cluster._versions(of).values()
        assert sorted(cell for cell, *_ in told) == CELLS, "none is recorded twice"
        assert [place for _, *place in told] == [[done, 4] for done in range(1, 5)]
        asked = ["--embedders", "summary", "--families", "sinusoids", "--seeds", "5", "--steps", "1"]
        assert main([*asked, "--scheduler", address, "--results", str(results.path)]) == 0
    assert "1 of 1: summary on sinusoids, seed 4" in capsys.readouterr().out
    assert "transfer loss, 20 steps" in results.outcomes()[1].scores, "it was made by another worker"


def test_a_scheduler_that_dies_leaves_what_was_found(
    results: ResultsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cluster, "run_cell", held_once)
    mark, cells = tmp_path / "mark", [CELLS[2], CELLS[1]]
    with scheduler(mark) as (address, pid), worker(address, mark):

        def told(outcome: Outcome, done: int, of: int) -> None:
            os.kill(pid, signal.SIGKILL)

        caplog.clear()
        with pytest.raises(ConnectionError, match=r"gone with 1 of 2 cells to do.*the next run goes on"):
            run_missing(cells, results, on_cluster(address, timeout=60), told)
    assert results.missing(cells) == [CELLS[1]]
    assert caplog.text == "", "one sentence, and no pages of tracebacks"


def test_a_scheduler_that_does_not_answer_or_has_no_worker(results: ResultsFile, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"tcp://127\.0\.0\.1:1 \(.*Does `dask scheduler` run there"):
        run_missing(CELLS, results, on_cluster("tcp://127.0.0.1:1", timeout=0.2))
    with (
        scheduler(tmp_path / "mark") as (address, _pid),
        pytest.raises(ConnectionError, match=rf"{address} without a worker.*dask worker {address}"),
    ):
        run_missing(CELLS, results, on_cluster(address, timeout=1))
    assert results.missing(CELLS) == CELLS


@pytest.mark.parametrize("address", ["", "127.0.0.1:8786", "foo://127.0.0.1:8786", "tcp://127.0.0.1"])
def test_an_address_that_is_none_is_refused_at_once(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--scheduler", address, "--results", str(tmp_path / "results.sqlite")]) == 1
    assert "expected an address such as tcp://10.0.0.5:8786" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "results.sqlite").exists()


def test_without_the_library_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'pip install -c constraints.txt -e "\.\[cluster\]"'):
        on_cluster("tcp://127.0.0.1:8786")


def same() -> dict[str, Any]:
    def one() -> dict[str, Any]:
        packages = {"python": "3.11.4.final.0", "dask": "2026.8.0", "distributed": "2026.8.0", "taskembed_edu": "0.1.0"}
        return {"packages": packages}

    return {"client": one(), "scheduler": one(), "workers": {"tcp://a:1": one(), "tcp://b:2": one()}}


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("taskembed_edu", None, "taskembed_edu not at all at tcp://b:2, expected taskembed_edu 0.1.0, as here"),
        ("taskembed_edu", "0.2.0", "taskembed_edu 0.2.0 at tcp://b:2"),
        ("dask", "2025.1.0", "dask 2025.1.0 at tcp://b:2, expected dask 2026.8.0"),
        ("python", "3.12.1.final.0", "python 3.12 at tcp://b:2, expected python 3.11"),
    ],
)
def test_another_version_is_refused(name: str, version: str | None, said: str) -> None:
    found = same()
    found["workers"]["tcp://b:2"]["packages"][name] = version
    with pytest.raises(ValueError, match=re.escape(said)):
        cluster._check_versions(found)


def test_another_version_of_the_scheduler_is_refused_and_a_third_number_of_python_is_not() -> None:
    found = same()
    found["workers"]["tcp://a:1"]["packages"]["python"] = "3.11.9.final.0"
    cluster._check_versions(found)
    found["scheduler"]["packages"]["distributed"] = "2025.1.0"
    with pytest.raises(ValueError, match=r"distributed 2025\.1\.0 at the scheduler"):
        cluster._check_versions(found)


def test_a_scheduler_that_refuses_this_version_is_said(monkeypatch: pytest.MonkeyPatch, results: ResultsFile) -> None:
    def client(*_: object, **__: object) -> None:
        raise ImportError("Mismatched versions found: msgpack")

    monkeypatch.setattr("distributed.Client", client)
    with pytest.raises(ValueError, match=r"cluster: got tcp://a:1 \(Mismatched versions.*one version everywhere"):
        run_missing(CELLS, results, on_cluster("tcp://a:1"))


class Deserted:
    """A client of a scheduler that its workers have left."""

    def submit(self, *_: object, **__: object) -> object:
        return object()

    def wait_for_workers(self, n_workers: int, timeout: float) -> None:
        raise TimeoutError


def test_a_scheduler_whose_workers_have_all_left_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("distributed.wait", wait)
    with pytest.raises(ConnectionError, match="tcp://a:1 without a worker"):
        list(cluster._outcomes(Deserted(), "tcp://a:1", CELLS, 0.1))


class Died:
    """A future whose workers all died while they had it, or whose worker could not read what it was sent."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        self.error = error

    def result(self) -> Outcome:
        raise self.error()


def test_a_cell_that_the_cluster_could_not_make_is_an_outcome() -> None:
    from distributed import KilledWorker

    died = cluster._outcome(Died(lambda: KilledWorker("key", None, 3)), CELLS[0])
    assert died.reason == "its worker died 4 times: out of memory, or ended"
    unread = cluster._outcome(Died(lambda: ModuleNotFoundError("No module named 'x'")), CELLS[0])
    assert unread.reason == "ModuleNotFoundError: No module named 'x'"
