"""Omniglot's files: where they are, how they are fetched, and how pictures are read from them.

Omniglot is fetched once from its authors' repository, checked by its hash, and kept in the cache. Nothing of it comes
with this package. A folder that TASKEMBED_DATA names is looked into first (`$TASKEMBED_DATA/omniglot/*.zip`): what lies
there is checked in the same way, and nothing is fetched. Archives are never unpacked to the disk: pictures are read
straight from them.

Licence: MIT. Source: Lake, Salakhutdinov and Tenenbaum 2015, "Human-level concept learning through probabilistic
program induction", Science 350, 1332-1338.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.base.cache import PLACE, cache_folder
from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.files import reason

# Names a folder that has the files already: `omniglot/images_background_small1.zip` and so on.
DATA = "TASKEMBED_DATA"

LICENCE = "Omniglot, MIT licence, Lake, Salakhutdinov and Tenenbaum 2015"
HOME = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"

# Each file: where it lies below HOME, and its hash (SHA-256, or the MD5 by which other libraries know it).
FILES: dict[str, tuple[str, str]] = {
    "small1": (
        "images_background_small1.zip",
        "sha256:f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
    ),
    "small2": (
        "images_background_small2.zip",
        "sha256:3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
    ),
    "background": ("images_background.zip", "md5:68d2efa1b9178cc56df9314c21c6e718"),
    "evaluation": ("images_evaluation.zip", "md5:6b91aef0f799c5bb55b94e3f2daec811"),
    "runs": (
        "one-shot-classification/all_runs.zip",
        "sha256:437c1eeab0af8484112e1b4cc0f3d541ec727f7c47b9b202da738af9dfd6c325",
    ),
}

# A picture as it was published is so many pixels high and wide; a line of the pen is about two of them.
DRAWN_SIDE = 105

# A connection that says nothing for so many seconds is given up; one that breaks is begun again so often.
PATIENCE, AGAIN = 30, 2

# The largest published picture has 980 bytes, and all of them together some 10 MB.
_MOST_BYTES, _MOST_BYTES_IN_ALL = 100_000, 200_000_000


def is_here(*names: str) -> bool:
    """Whether these files are on this machine already, so that nothing would be fetched. It reads none of them."""
    return all(_given(name) is not None or (_cached() / FILES[name][0]).is_file() for name in names)


def published(name: str) -> Path:
    """The path of one of `FILES` on this machine, fetched if it is not there yet.

    It is the published file, by its hash: one that was cut short or changed on its way, or in the cache, is fetched
    anew and never used. Errors: ValueError for an unknown name, and for another file in the folder that TASKEMBED_DATA
    names; OSError where it cannot be fetched or kept: it says what to do.
    """
    import pooch  # not at the top: only this family fetches anything

    place, known_hash = FILES[check_choice("file", name, FILES)]
    given = _given(name)
    if given is not None:
        algorithm, _, expected = known_hash.partition(":")
        if pooch.file_hash(str(given), alg=algorithm) != expected:
            cause = f"Is it whole? {DATA} names the folder; without it the file is fetched."
            raise ValueError(problem("file", str(given), "the published file, by its hash", cause))
        return given
    return _fetched(place, known_hash)


def _fetched(place: str, known_hash: str) -> Path:
    import pooch

    store = pooch.create(_cached(), HOME, registry={place: known_hash}, retry_if_failed=AGAIN)
    if not (store.abspath / place).is_file():
        pooch.get_logger().info("%s: from %s", LICENCE, HOME)
    try:
        return Path(store.fetch(place, downloader=pooch.HTTPDownloader(timeout=PATIENCE)))
    except ValueError as error:  # what came has another hash
        raise OSError(_not_fetched(place, "another file than the published one")) from error
    except OSError as error:
        if error.errno is None:  # an error of the connection; the disk's have a number
            raise OSError(_not_fetched(place, f"no answer from {HOME} ({type(error).__name__})")) from error
        raise OSError(f"{reason(error)} {PLACE} names another folder for what is fetched.") from error


def _not_fetched(place: str, came: str) -> str:
    name = PurePosixPath(place).name
    cause = (
        f"Connect to the internet and try again; or put {name} into a folder omniglot, and let {DATA} name the folder "
        "that it lies in."
    )
    return problem("omniglot", came, f"{name}, which is fetched once", cause)


def _given(name: str) -> Path | None:
    """The file in the folder that TASKEMBED_DATA names, if it is there."""
    if not (folder := os.environ.get(DATA)):
        return None
    path = Path(os.path.expanduser(folder)) / "omniglot" / PurePosixPath(FILES[name][0]).name
    return path if path.is_file() else None


def _cached() -> Path:
    return cache_folder() / "omniglot"


# ---- reading ---------------------------------------------------------------------------------------------------------


def letters(path: Path) -> dict[str, list[Tensor]]:
    """The drawings of an archive by alphabet: a tensor (n_drawings, 105, 105) of ink for each of its letters, in order.

    The k-th drawings of an alphabet's letters are of one person. Errors: ValueError for what `entries` refuses, and
    for an archive with something else in it than pictures of letters.
    """
    found: dict[str, dict[str, list[Tensor]]] = {}
    for name, content in entries(path):
        parts = PurePosixPath(name).parts
        if len(parts) != 4 or not name.endswith(".png"):
            raise ValueError(problem("archive", repr(name), "folder/alphabet/letter/drawing.png"))
        found.setdefault(parts[1], {}).setdefault(parts[2], []).append(ink(name, content))
    alphabets = {alphabet: [torch.stack(drawn) for drawn in of.values()] for alphabet, of in found.items()}
    for alphabet, drawn in alphabets.items():
        if len({len(drawings) for drawings in drawn}) > 1:
            raise ValueError(problem("archive", f"{alphabet} with gaps", "as many drawings of each letter"))
    return alphabets


def entries(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, by name and content, in the order of their names; nothing is written to the disk.

    Errors: ValueError for what is no archive, for a name that leaves its folder, and for what is too large unpacked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check_members(members)
            for member in sorted(members, key=lambda member: member.filename):
                with archive.open(member) as file:
                    yield member.filename, file.read(_MOST_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, IndexError, RuntimeError) as error:
        raise ValueError(problem("archive", f"{path.name} ({error})", "a zip archive that can be read")) from error


def _check_members(members: Sequence[zipfile.ZipInfo]) -> None:
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0]:
            raise ValueError(problem("archive", f"{member.filename!r}", "names that stay in their folder"))
        if member.file_size > _MOST_BYTES:
            came = f"{member.filename!r} of {member.file_size:,} bytes unpacked"
            raise ValueError(problem("archive", came, f"at most {_MOST_BYTES:,} for a picture of a letter"))
    if (total := sum(member.file_size for member in members)) > _MOST_BYTES_IN_ALL:
        came = f"{total:,} bytes unpacked"
        raise ValueError(problem("archive", came, f"at most {_MOST_BYTES_IN_ALL:,}, more than Omniglot has"))


def ink(name: str, content: bytes) -> Tensor:
    """A published picture as (105, 105) bytes: 1 is ink, 0 paper. Errors: ValueError for anything else."""
    from PIL import Image, UnidentifiedImageError  # not at the top: only who draws these tasks needs it

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if picture.size != (DRAWN_SIDE, DRAWN_SIDE):  # told by its head, before anything is unpacked
                came = f"{name!r} of {picture.width}x{picture.height} pixels"
                raise ValueError(problem("picture", came, f"{DRAWN_SIDE}x{DRAWN_SIDE} pixels"))
            return torch.from_numpy(np.asarray(picture.convert("L")) < 128).to(torch.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(problem("picture", f"{name!r}, which cannot be read", "a picture (PNG)")) from error
