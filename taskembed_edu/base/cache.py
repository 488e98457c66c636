"""What can be made or fetched again: files in a folder of this user's that may be deleted at any time.

Floor 0: it handles arrays, and imports nothing else of the package but files and checks.
"""

from __future__ import annotations

import io
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from taskembed_edu.base.files import check_writable, reason, write_whole

# Names another folder: for a class on one account, for a disk with more room, and for tests.
PLACE = "TASKEMBED_CACHE"

Arrays = Mapping[str, NDArray[Any]]


def cache_folder() -> Path:
    """Where this user's cache is: a folder of their own, or what TASKEMBED_CACHE names. It may not be there yet."""
    import platformdirs  # not at the top: most of what is imported needs no cache

    named = os.environ.get(PLACE)
    return Path(os.path.expanduser(named)) if named else platformdirs.user_cache_path("taskembed_edu", False)


def cached_arrays(name: str, make: Callable[[], Arrays], folder: Path | None = None) -> Arrays:
    """The arrays of the file `name`.npz in the cache; where there is none that can be read, they are made and kept.

    `name` must change whenever what is made would. Two processes that want the same file make it once: one waits for
    the other. Where the folder cannot be written to, a warning says so, and the arrays are made in memory.
    """
    path = (cache_folder() if folder is None else folder) / f"{name}.npz"
    if (found := _read(path)) is not None:
        return found
    try:
        check_writable(path.parent)
        lock = FileLock(path.with_name(f".{path.name}.lock")).acquire()
    except OSError as error:
        _warn(path.parent, error)
        return make()
    with lock:
        if (found := _read(path)) is not None:
            return found
        made = make()
        try:
            _keep(path, made)
        except OSError as error:
            _warn(path.parent, error)
        return made


def _keep(path: Path, made: Arrays) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **made)  # type: ignore[arg-type]  # numpy's stub takes its names for options
    write_whole(path, buffer.getvalue())


def _warn(folder: Path, error: OSError) -> None:
    what = "what takes a while to make cannot be kept there, and is made again in every program."
    warnings.warn(f"{folder}: {what} {reason(error)} {PLACE} names another folder.", UserWarning, stacklevel=3)


def _read(path: Path) -> Arrays | None:
    """The arrays of this file; None if there is none, or if it is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {part: arrays[part] for part in arrays.files}
    except (OSError, ValueError, TypeError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, zlib.error):
        return None  # MemoryError: a damaged head may ask for any size
    return found if all(isinstance(part, np.ndarray) for part in found.values()) else None
