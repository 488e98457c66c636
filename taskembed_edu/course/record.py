"""What a learner predicted and solved: one file on their own machine, and nothing leaves it.

The file holds one JSON object a line, in the order of time. A line is only ever added, under a lock that all notebooks
share, so two of them lose nothing of each other's. A line that cannot be read, or that a newer version wrote, is left
where it is and passed over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from taskembed_edu.base.checks import problem
from taskembed_edu.base.files import reason, write_whole

VERSION = 1

# Names another file for the record: for a class on one account, and for tests, which must not touch a learner's own.
PLACE = "TASKEMBED_COURSE_RECORD"

# How long one notebook waits for another that is writing, in seconds; writing a line takes milliseconds.
_PATIENCE = 5.0

PREDICTED, OUTCOME, CHECKED, HINT = "predicted", "outcome", "checked", "hint"


@dataclass(frozen=True)
class Entry:
    """One thing that a learner did: `what` is "predicted", "outcome", "checked" or "hint"; `name` "00.first_score".

    `value` is the guess, the result, whether an answer was right, or the number of a hint. `right` says of an outcome
    whether the guess was right, and is None elsewhere.
    """

    what: str
    name: str
    value: Any
    at: str
    right: bool | None = None

    @property
    def lesson(self) -> str:
        """The number of its lesson: "00" of "00.first_score"."""
        return self.name.partition(".")[0]


class CourseRecord:
    """The file at `path`. For a file that cannot be read or written nothing is raised: `trouble` says what is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""

    def add(self, what: str, name: str, value: Any, right: bool | None = None) -> None:
        """Add a line. If that fails, `trouble` says why, and the lesson goes on without a record."""
        entry = Entry(what, name, value, datetime.now().isoformat(timespec="seconds"), right)
        line = json.dumps({"version": VERSION, **asdict(entry)}, ensure_ascii=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock(), self.path.open("a+b") as file:
                file.write(_line_break(file) + line.encode() + b"\n")
        except Timeout:
            self.trouble = f"{self.path} is in use by another program: this was not recorded."
        except OSError as error:
            self.trouble = f"This was not recorded. {reason(error)}"
        else:
            self.trouble = ""

    def entries(self) -> list[Entry]:
        """All lines that can be read, in the order of time; `trouble` says how many could not."""
        known, odd, newer = list[Entry](), 0, 0
        for line in self._lines():
            try:
                given = json.loads(line)
                if given["version"] > VERSION:
                    newer += 1
                    continue
                known.append(_entry(given))
            except (ValueError, KeyError, TypeError, RecursionError):
                odd += 1
        self._say_unread(odd, newer)
        return known

    def _say_unread(self, odd: int, newer: int) -> None:
        said = []
        if newer:
            said.append(f"{newer} lines are from a newer version of this package: update it to see them.")
        if odd:
            said.append(f"{odd} lines cannot be read, and were passed over.")
        if said:
            self.trouble = f"{self.path}: {' '.join(said)} They stay in the file."

    def of(self, name: str, what: str) -> list[Entry]:
        """The entries of one prediction or exercise, in the order of time."""
        return [entry for entry in self.entries() if entry.name == name and entry.what == what]

    def delete(self, lesson: str | None = None) -> int:
        """Delete the record, or one lesson's lines of it. Returns how many lines went. Errors: OSError, Timeout."""
        if not self.path.exists():
            return 0
        with self._lock():
            lines = _written(self.path.read_bytes())  # a file that cannot be read is not deleted
            kept = [line for line in lines if lesson is not None and not _is_of(line, lesson)]
            if kept:
                write_whole(self.path, b"".join(line + b"\n" for line in kept))
            else:
                self.path.unlink()
        return len(lines) - len(kept)

    def _lock(self) -> FileLock:
        return FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_PATIENCE)

    def _lines(self) -> Iterator[bytes]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            self.trouble = reason(error)
            return
        yield from _written(content)


def _written(content: bytes) -> list[bytes]:
    return [line for line in content.splitlines() if line.strip()]


def _line_break(file: Any) -> bytes:
    """What must stand before a new line: a last line that a full disk cut off is not continued."""
    if file.seek(0, os.SEEK_END) == 0:
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"


def _entry(given: Mapping[str, Any]) -> Entry:
    values = {field.name: given.get(field.name) for field in fields(Entry)}
    if not all(isinstance(values[name], str) for name in ("what", "name", "at")):
        raise TypeError(problem("line", str(given), "what, name and at as texts"))
    return Entry(**values)  # type: ignore[arg-type]  # checked above


def _is_of(line: bytes, lesson: str) -> bool:
    try:
        return _entry(json.loads(line)).lesson == lesson
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def place() -> Path:
    """Where this user's record is: a folder of their own, or what TASKEMBED_COURSE_RECORD names."""
    import platformdirs  # not at the top: a lesson that records nothing does not need it

    named = os.environ.get(PLACE)
    return (
        Path(named).expanduser()
        if named
        else platformdirs.user_data_path("taskembed_edu", False) / "course_record.jsonl"
    )


def mine() -> CourseRecord:
    """This user's record."""
    return CourseRecord(place())
