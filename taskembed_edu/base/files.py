"""Files are written whole or not at all: a full disk or Ctrl-C leaves no half of one, and no old file is lost.

Floor 0: it imports nothing else of the package, and no torch.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to: it becomes `path` when the block ends, and goes if the block fails.

    A link is followed, and a file that is there keeps its permissions. What is no file (a pipe, a device) is written to
    as it is.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        yield target
        return
    part = part_of(target)
    try:
        yield part
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes) -> Path:
    """Write these bytes, all or none. Returns the path."""
    with whole_file(path) as part:
        part.write_bytes(content)
    return path


def write_part(path: Path, content: bytes) -> Path:
    """Write these bytes beside `path`, for a caller that replaces `path` itself. Returns where they are."""
    part = part_of(path)
    try:
        part.write_bytes(content)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def part_of(path: Path) -> Path:
    """A place beside `path` that nobody else writes to, with a short name: a name has 255 bytes at most."""
    return path.with_name(f".{path.stem[:30]}.{os.getpid()}-{next(_PARTS)}.part")


_PARTS = itertools.count()


def check_writable(folder: Path) -> None:
    """Make the folder where it is missing, and raise the OSError now that a file in it would raise later."""
    folder.mkdir(parents=True, exist_ok=True)
    write_part(folder / "taskembed", b"").unlink()


def reason(error: OSError) -> str:
    """A file error as a message: what failed, and what to do about it."""
    if error.errno is None:
        return str(error)
    said = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"{said}. The disk is full: make room, then try again. Nothing was lost."
    if error.errno == errno.EROFS or isinstance(error, PermissionError):
        return (
            f"{said}. It cannot be written to. Close the file where another program has it open; "
            "where the folder is not yours, copy the whole project to a folder of your own, and start there."
        )
    return f"{said}. Nothing was lost."
