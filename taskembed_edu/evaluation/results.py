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

VERSION = 1

# There is no converting: what was measured in another way is to be measured again.
_ANOTHER = (
    "Results of another version cannot be compared with these, nor converted. Keep the file for the version that wrote "
    "it, and begin a new one: taskembed benchmark --results new.sqlite."
)

_TABLE = """CREATE TABLE IF NOT EXISTS cells (
    embedder TEXT, family TEXT, seed INTEGER, steps INTEGER, scores TEXT, seconds REAL, reason TEXT,
    PRIMARY KEY (embedder, family, seed, steps)
)"""


@dataclass(frozen=True, order=True)
class Cell:
    """One scorecard to make: an embedder on a family, with a seed, after so many steps."""

    embedder: str
    family: str
    seed: int
    steps: int


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
                raise ValueError(problem("results", f"version {version} in {path}", f"version {VERSION}", _ANOTHER))
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
                "INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET scores = excluded.scores, "
                "seconds = excluded.seconds, reason = excluded.reason WHERE cells.reason != ''",
                row,
            )

    def outcomes(self) -> list[Outcome]:
        """All that is known, in the order of the cells."""
        with self._open() as file:
            rows = file.execute("SELECT * FROM cells ORDER BY family, embedder, steps, seed").fetchall()
        return [Outcome(Cell(*row[:4]), json.loads(row[4]), row[5], row[6]) for row in rows]

    def missing(self, cells: Iterable[Cell]) -> list[Cell]:
        """Those of the cells that have not succeeded yet, in their order."""
        done = {outcome.cell for outcome in self.outcomes() if not outcome.reason}
        return [cell for cell in cells if cell not in done]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            file = sqlite3.connect(self.path)
        except sqlite3.OperationalError as error:
            raise OSError(f"{self.path}: {error}") from error
        try:
            with file:
                yield file
        except sqlite3.OperationalError as error:
            raise OSError(f"{self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            cause = "Was it cut short, or is it another program's file? Move it away, and run again."
            raise ValueError(problem("results", f"{self.path} ({error})", "a file of results", cause)) from error
        finally:
            file.close()
