"""A file of scorecards: one row a cell of the grid, kept as soon as it is known, so that a run can be taken up again.

It is one SQLite file. A cell that failed keeps its reason, and is tried again by the next run.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from taskembed_edu.base.checks import problem

VERSION = 2

# In version 1 a cell had no number of shots: all had as many as the tasks come with, which is 0 here.
_OLD = "SELECT embedder, family, seed, steps, 0, scores, seconds, reason FROM cells"
_CONVERTED = "taskembed benchmark --convert {path} makes a file of this version beside it."
_ANOTHER = "Keep it for the version that wrote it, and begin a new one: taskembed benchmark --results new.sqlite."

_TABLE = """CREATE TABLE IF NOT EXISTS cells (
    embedder TEXT, family TEXT, seed INTEGER, steps INTEGER, n_shot INTEGER, scores TEXT, seconds REAL, reason TEXT,
    PRIMARY KEY (embedder, family, seed, steps, n_shot)
)"""


@dataclass(frozen=True, order=True)
class Cell:
    """One scorecard to make: an embedder on a family, with a seed, after so many steps, from support sets of `n_shot`.

    0 shots: as many samples as the tasks come with.
    """

    embedder: str
    family: str
    seed: int
    steps: int
    n_shot: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: its scores and the seconds it took, or the reason why it failed ("" if it did not)."""

    cell: Cell
    scores: Mapping[str, float]
    seconds: float
    reason: str = ""


class ResultsFile:
    """The file at `path`; `with results.writing():` holds it for one run. Errors: ValueError for a file of another kind
    or version, or one that is cut short; OSError where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._open() as file:
            version = file.execute("PRAGMA user_version").fetchone()[0]
            tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            if tables and version != VERSION:
                way = _CONVERTED.format(path=path) if version == 1 else _ANOTHER
                raise ValueError(problem("results", f"version {version} in {path}", f"version {VERSION}", way))
            if not tables:
                file.execute(_TABLE)
                file.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the file for this run. Errors: ValueError where another run holds it; OSError where it is read-only."""
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            cause = "Wait for it, or name another file. Nothing that it has found is lost."
            raise ValueError(
                problem("results", f"{self.path}, which another run holds", "a free file", cause)
            ) from None
        try:
            with self._open() as file:
                file.execute(f"PRAGMA user_version = {VERSION}")  # a read-only file is said now, before any cell
            yield
        finally:
            lock.release()

    def add(self, outcome: Outcome) -> None:
        """Keep what became of a cell: a success takes the place of a failure, and stays."""
        row = (*astuple(outcome.cell), json.dumps(dict(outcome.scores)), outcome.seconds, outcome.reason)
        with self._open() as file:
            file.execute(
                "INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET scores = excluded.scores, "
                "seconds = excluded.seconds, reason = excluded.reason WHERE cells.reason != ''",
                row,
            )

    def outcomes(self) -> list[Outcome]:
        """All that is known, in the order of the cells."""
        with self._open() as file:
            rows = file.execute("SELECT * FROM cells ORDER BY family, n_shot, embedder, steps, seed").fetchall()
        return [Outcome(Cell(*row[:5]), json.loads(row[5]), row[6], row[7]) for row in rows]

    def of(self, cells: Iterable[Cell]) -> list[Outcome]:
        """What is known of these cells alone, in the order of `outcomes`."""
        asked = set(cells)
        return [outcome for outcome in self.outcomes() if outcome.cell in asked]

    def missing(self, cells: Iterable[Cell]) -> list[Cell]:
        """Those of the cells that have not succeeded yet, in their order."""
        done = {outcome.cell for outcome in self.outcomes() if not outcome.reason}
        return [cell for cell in cells if cell not in done]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with opened(self.path) as file:
            yield file


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, in one transaction. Errors: OSError, and ValueError for what is no file of results."""
    if path.is_dir():
        raise OSError(f"{path} is a folder: name a file in it, such as {path / 'results.sqlite'}")
    if not path.parent.is_dir():
        raise OSError(f"{path}: there is no folder {path.parent}. Make it first.")
    try:
        file = sqlite3.connect(path)
    except sqlite3.OperationalError as error:
        raise OSError(f"{path}: {error}") from error
    try:
        with file:
            yield file
    except sqlite3.OperationalError as error:
        raise OSError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        cause = "Was it cut short, or is it another program's file? Move it away, and run again."
        raise ValueError(problem("results", f"{path} ({error})", "a file of results", cause)) from error
    finally:
        file.close()


def convert(old: Path) -> Path:
    """Write a file of this version beside one of version 1, with all that it knows; the old one stays as it is.

    Errors: ValueError for a file of another version, or where the new one's name is taken; OSError for no file.
    Worked number: results.sqlite becomes results.v2.sqlite.
    """
    if not old.exists():
        raise OSError(f"{old}: there is no such file")
    new = old.with_suffix(f".v{VERSION}{old.suffix}")
    if new.exists():
        raise ValueError(problem("convert", f"{new}, which is there already", "a free name", "Move it away first."))
    with opened(old) as file:
        version = file.execute("PRAGMA user_version").fetchone()[0]
        if version != 1:
            raise ValueError(problem("convert", f"version {version} in {old}", "version 1", _ANOTHER))
        rows = file.execute(_OLD).fetchall()
    results = ResultsFile(new)
    with results.writing():
        for row in rows:
            results.add(Outcome(Cell(*row[:5]), json.loads(row[5]), row[6], row[7]))
    return new
