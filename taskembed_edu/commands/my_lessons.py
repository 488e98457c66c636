"""The learner's own copy of the lessons: `my_lessons/`, beside `notebooks/`, which git ignores.

JupyterLab saves open notebooks automatically. In their own copy learners may run, change and save everything, and the
project's lessons stay as they were published. A learner's work in the copy is never overwritten:

- a lesson that is missing is copied, as the learner's edition of it (see course/editions.py);
- a newer edition replaces a copy in which the learner has changed nothing;
- beside a copy that was changed, the newer edition is written as `NAME.new.ipynb`, once.

A lecturer's copies, with solutions and outputs, stand in `my_lessons/lecturer/` and follow the same rules.

`.editions.json` in either folder records the edition from which each copy was made. Nothing here imports torch:
`taskembed lab` must start quickly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from taskembed_edu.base.files import reason, write_part, write_whole
from taskembed_edu.commands.checkout import LESSONS, MY_LESSONS
from taskembed_edu.commands.notebook_contents import (
    BrokenNotebookError,
    Copied,
    copied,
    learners,
    lecturers,
    read_notebook,
    sources,
)

EDITIONS = ".editions.json"

IN_AN_OPEN_TAB = "Is the lesson open in JupyterLab? Choose File, Reload Notebook from Disk there, before it saves."


@dataclass(frozen=True)
class Copies:
    """One folder of copies, and how a copy is made of a published lesson."""

    folder: str
    make: Callable[[Path], tuple[bytes, Copied]]


LEARNERS = Copies(MY_LESSONS, learners)
LECTURERS = Copies(f"{MY_LESSONS}/lecturer", lecturers)
# The option of a command that asks for the lecturers'.
LECTURER = "--lecturer"


# ---- the folder ----------------------------------------------------------------------------------------------------


def published_lessons(checkout: Path) -> list[Path]:
    """The lessons as the project publishes them, in the order of their numbers."""
    return sorted((checkout / LESSONS).glob("*.ipynb"))


def update(checkout: Path, copies: Copies = LEARNERS) -> list[str]:
    """Copy missing lessons to the folder and handle newer editions. Returns lines: what was done, and errors.

    A lesson that cannot be copied or read does not stop the others. Errors: OSError if the folder cannot be created.
    """
    folder = open_folder(checkout, copies)
    before = read_editions(folder)
    editions, lines = dict(before), list[str]()
    for published in published_lessons(checkout):
        try:
            lines += _update_one(published, folder, editions, copies)
        except BrokenNotebookError as error:
            lines.append(str(error))
        except OSError as error:
            lines.append(f"{published.stem}: {reason(error)}")
    return lines + (_write_editions(folder, editions) if editions != before else [])


def open_folder(checkout: Path, copies: Copies = LEARNERS) -> Path:
    """The folder of these copies, created if it does not exist."""
    folder = checkout / copies.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        words = f"{folder} is a file; your copy of the lessons needs a folder of that name. Rename the file"
        raise FileExistsError(f"{words}, then try again.") from error
    return folder


def start_afresh(checkout: Path, published: Path, today: date, copies: Copies = LEARNERS) -> list[str]:
    """Replace the learner's copy by the published edition, and keep it under another name. Returns what was done.

    Errors: OSError if a file cannot be written or moved, BrokenNotebookError if the published lesson is broken. After
    both the copy is as it was.
    """
    folder = open_folder(checkout, copies)
    mine, edition, newest = folder / published.name, *copies.make(published)
    lines = [] if newest.edition else [_changed_by_hand(published)]
    if mine.exists() and mine.read_bytes() == edition:
        return [*lines, f"{mine} is as it was published: nothing was changed."]
    part = write_part(mine, edition)  # before anything is moved: if the disk is full, nothing changes
    if mine.exists():
        lines += [f"Kept what you had: {_move_aside(mine, part, today)}", IN_AN_OPEN_TAB]
    else:
        part.replace(mine)
    offered = mine.with_name(f"{mine.stem}.new.ipynb")
    if offered.exists() and offered.read_bytes() == edition:
        offered.unlink()  # the lesson itself is now the same file, byte for byte
    return [*lines, f"A fresh one: {mine}", *_write_editions(folder, {**read_editions(folder), mine.name: newest})]


def _move_aside(mine: Path, fresh: Path, today: date) -> Path:
    """Rename the learner's file to a free name, and put `fresh` in its place: both or neither. Returns that name."""
    from taskembed_edu.session.recordings import free_path  # it needs torch

    kept = free_path(mine.with_stem(f"{mine.stem}_kept_{today.isoformat()}"))
    try:
        mine.rename(kept)
        fresh.replace(mine)
    except OSError:
        fresh.unlink(missing_ok=True)
        if kept.exists():
            kept.rename(mine)
        raise
    return kept


# ---- one lesson ----------------------------------------------------------------------------------------------------


def _update_one(published: Path, folder: Path, editions: dict[str, Copied], copies: Copies) -> list[str]:
    """Copy, renew or offer one lesson, and update `editions`. Returns lines for the learner."""
    mine, name = folder / published.name, published.stem
    edition, newest = copies.make(published)
    if not mine.exists():
        write_whole(mine, edition)
        editions[mine.name] = newest
        return [] if newest.edition else [_changed_by_hand(published)]
    own, past = copied(mine), editions.get(mine.name, Copied("", ""))
    if past.edition and own.contents == past.contents:
        return _renew(edition, mine, past, newest, editions)
    if sources(read_notebook(mine)["cells"]) == sources(json.loads(edition)["cells"]):
        editions[mine.name] = newest
        return []
    if newest.edition in ("", past.edition):
        return []
    beside = _put_beside(edition, mine, newest, editions)
    which = "a newer edition" if past.edition else "another edition"
    return [f"{name}: there is {which}, {beside.name}. Your copy stays as it is."] if beside else []


def _renew(edition: bytes, mine: Path, past: Copied, newest: Copied, editions: dict[str, Copied]) -> list[str]:
    """Update a copy in which the learner has changed nothing."""
    if newest.contents == past.contents or not newest.edition:
        return []
    write_whole(mine, edition)
    editions[mine.name] = newest
    return [f"{mine.stem}: renewed. There is a newer edition, and you had changed nothing in yours."]


def _put_beside(edition: bytes, mine: Path, newest: Copied, editions: dict[str, Copied]) -> Path | None:
    """Write the newest edition beside the learner's copy; None if it was offered before."""
    prefix = f"{mine.stem}.new"
    if any(name.startswith(prefix) and was.edition == newest.edition for name, was in editions.items()):
        return None
    beside = next(path for path in _names_beside(mine) if _may_be_replaced(path, editions))
    write_whole(beside, edition)
    editions[beside.name] = newest
    return beside


def _names_beside(mine: Path) -> Iterator[Path]:
    """NAME.new.ipynb, NAME.new_2.ipynb, and so on."""
    yield mine.with_name(f"{mine.stem}.new.ipynb")
    number = 2
    while True:
        yield mine.with_name(f"{mine.stem}.new_{number}.ipynb")
        number += 1


def _may_be_replaced(path: Path, editions: dict[str, Copied]) -> bool:
    """Whether the file does not exist, or was written by this module and not changed since."""
    if not path.exists():
        return True
    try:
        return path.name in editions and copied(path).contents == editions[path.name].contents
    except BrokenNotebookError:
        return False


def _changed_by_hand(published: Path) -> str:
    return (
        f"{published.stem}: {LESSONS}/{published.name} was changed and saved; your copy begins with these changes. "
        f"To have the project's own lesson back: git checkout {LESSONS}/{published.name}"
    )


# ---- files ---------------------------------------------------------------------------------------------------------


def read_editions(folder: Path) -> dict[str, Copied]:
    """The edition of each copy; empty if the file is lost or broken: then no copy counts as unchanged."""
    try:
        entries = json.loads((folder / EDITIONS).read_text(encoding="utf-8"))
        return {name: Copied(**entry) for name, entry in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_editions(folder: Path, editions: dict[str, Copied]) -> list[str]:
    """Save the record. Returns a line if that fails; the worst result is that an edition is offered twice."""
    entries = {name: asdict(edition) for name, edition in sorted(editions.items())}
    try:
        write_whole(folder / EDITIONS, (json.dumps(entries, indent=1) + "\n").encode())
    except OSError as error:
        return [f"{folder / EDITIONS}: {reason(error)}"]
    return []
