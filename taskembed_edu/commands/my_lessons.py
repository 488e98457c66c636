"""The learner's own copy of the lessons: `my_lessons/`, beside `notebooks/`, which git ignores.

JupyterLab saves open notebooks automatically. In their own copy learners may run, change and save everything, and the
project's lessons stay as they were published. A learner's work in the copy is never overwritten:

- a lesson that is missing is copied;
- a newer edition replaces a copy in which the learner has changed nothing;
- beside a copy that was changed, the newer edition is written as `NAME.new.ipynb`, once.

`my_lessons/.editions.json` records the edition from which each copy was made. Nothing here imports torch: `taskembed
lab` must start quickly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from taskembed_edu.base.files import reason, write_part, write_whole
from taskembed_edu.commands.checkout import LESSONS, MY_LESSONS

EDITIONS = ".editions.json"

# The cell metadata that JupyterLab writes by itself. All other metadata, such as tags, are the learner's.
_WRITTEN_BY_JUPYTERLAB = {"collapsed", "execution", "scrolled", "trusted"}

# The `language_info` of a published lesson; an editor that saves a lesson adds the version and more.
_PUBLISHED_LANGUAGE = {"name": "python"}


IN_AN_OPEN_TAB = "Is the lesson open in JupyterLab? Choose File, Reload Notebook from Disk there, before it saves."


class BrokenNotebookError(ValueError):
    """A file that is not a valid notebook: a save was interrupted, or a merge was not finished."""


@dataclass(frozen=True)
class Copied:
    """A copy at the time it was made: its edition ("" if unknown), and a fingerprint of all its cells."""

    edition: str
    contents: str


# ---- the folder ----------------------------------------------------------------------------------------------------


def published_lessons(checkout: Path) -> list[Path]:
    """The lessons as the project publishes them, in the order of their numbers."""
    return sorted((checkout / LESSONS).glob("*.ipynb"))


def update(checkout: Path) -> list[str]:
    """Copy missing lessons to `my_lessons/` and handle newer editions. Returns lines: what was done, and errors.

    A lesson that cannot be copied or read does not stop the others. Errors: OSError if the folder cannot be created.
    """
    folder = open_folder(checkout)
    before = read_editions(folder)
    editions, lines = dict(before), list[str]()
    for published in published_lessons(checkout):
        try:
            lines += _update_one(published, folder, editions)
        except BrokenNotebookError as error:
            lines.append(str(error))
        except OSError as error:
            lines.append(f"{published.stem}: {reason(error)}")
    return lines + (_write_editions(folder, editions) if editions != before else [])


def open_folder(checkout: Path) -> Path:
    """The folder `my_lessons/`, created if it does not exist."""
    folder = checkout / MY_LESSONS
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError as error:
        words = f"{folder} is a file; your copy of the lessons needs a folder of that name. Rename the file"
        raise FileExistsError(f"{words}, then try again.") from error
    return folder


def start_afresh(checkout: Path, published: Path, today: date) -> list[str]:
    """Replace the learner's copy by the published edition, and keep it under another name. Returns what was done.

    Errors: OSError if a file cannot be written or moved, BrokenNotebookError if the published lesson is broken. After
    both the copy is as it was.
    """
    folder = open_folder(checkout)
    mine, edition, newest = folder / published.name, published.read_bytes(), copied(published)
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


def _update_one(published: Path, folder: Path, editions: dict[str, Copied]) -> list[str]:
    """Copy, renew or offer one lesson, and update `editions`. Returns lines for the learner."""
    mine, name = folder / published.name, published.stem
    newest = copied(published)
    if not mine.exists():
        write_whole(mine, published.read_bytes())
        editions[mine.name] = newest
        return [] if newest.edition else [_changed_by_hand(published)]
    own, past = copied(mine), editions.get(mine.name, Copied("", ""))
    if past.edition and own.contents == past.contents:
        return _renew(published, mine, past, newest, editions)
    if sources(read_notebook(mine)["cells"]) == sources(read_notebook(published)["cells"]):
        editions[mine.name] = newest
        return []
    if newest.edition in ("", past.edition):
        return []
    beside = _put_beside(published, mine, newest, editions)
    which = "a newer edition" if past.edition else "another edition"
    return [f"{name}: there is {which}, {beside.name}. Your copy stays as it is."] if beside else []


def _renew(published: Path, mine: Path, past: Copied, newest: Copied, editions: dict[str, Copied]) -> list[str]:
    """Update a copy in which the learner has changed nothing."""
    if newest.contents == past.contents or not newest.edition:
        return []
    write_whole(mine, published.read_bytes())
    editions[mine.name] = newest
    return [f"{mine.stem}: renewed. There is a newer edition, and you had changed nothing in yours."]


def _put_beside(published: Path, mine: Path, newest: Copied, editions: dict[str, Copied]) -> Path | None:
    """Write the newest edition beside the learner's copy; None if it was offered before."""
    prefix = f"{mine.stem}.new"
    if any(name.startswith(prefix) and was.edition == newest.edition for name, was in editions.items()):
        return None
    beside = next(path for path in _names_beside(mine) if _may_be_replaced(path, editions))
    write_whole(beside, published.read_bytes())
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


# ---- what is in a notebook -----------------------------------------------------------------------------------------


def copied(path: Path) -> Copied:
    """The file's edition, and the fingerprint of everything in its cells.

    A lesson that an editor has saved may contain a learner's work. Its edition is "", so that no copy of it ever counts
    as unchanged.
    """
    notebook = read_notebook(path)
    is_published = notebook.get("metadata", {}).get("language_info") == _PUBLISHED_LANGUAGE
    edition = sources(notebook["cells"]) if is_published else ""
    return Copied(edition, fingerprint([_made(cell) for cell in notebook["cells"]]))


def sources(cells: list[dict[str, Any]]) -> str:
    """The fingerprint of code and text, which identifies an edition. Outputs do not count: they differ between runs."""
    return fingerprint([(cell["cell_type"], _joined(cell["source"])) for cell in cells])


def _made(cell: dict[str, Any]) -> list[Any]:
    """All parts of a cell that a learner can change: its text, outputs, pasted pictures and tags."""
    metadata = {name: value for name, value in cell.get("metadata", {}).items() if name not in _WRITTEN_BY_JUPYTERLAB}
    outputs = [
        {name: _joined(value) for name, value in output.items() if name != "execution_count"}
        | {"data": {mime: _joined(value) for mime, value in output.get("data", {}).items()}}
        for output in cell.get("outputs", [])
    ]
    return [cell["cell_type"], _joined(cell["source"]), outputs, cell.get("attachments", {}), metadata]


def _joined(text: Any) -> Any:
    """A text as one string: a notebook stores it as one string or as a list of lines."""
    is_lines = isinstance(text, list) and all(isinstance(line, str) for line in text)
    return "".join(text) if is_lines else text


def fingerprint(value: Any) -> str:
    """A short hash of a JSON value: equal values have equal hashes."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook's JSON. Errors: BrokenNotebookError, with what to do, if it is not a valid notebook."""
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            _made(cell)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        words = f"{path.stem}: {path} is no notebook that can be read. {_remedy(path)}"
        raise BrokenNotebookError(words) from error
    return notebook


def _remedy(path: Path) -> str:
    if path.parent.name == LESSONS:
        return f"Get the project's own one back: git checkout {LESSONS}/{path.name}"
    checkpoint = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint.ipynb"
    earlier = f" JupyterLab's own earlier save of it: {checkpoint}." if checkpoint.exists() else ""
    afresh = f"python -m taskembed_edu lesson --afresh {path.stem}"
    return f"A save that was cut off is the usual cause. To begin again, and keep this file too: {afresh}.{earlier}"


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
