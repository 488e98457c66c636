"""What takes longer to train than a lesson may: weights, kept in files that one command makes (`make artefacts`).

    weights = kept("letters")             # a dictionary of tensors, checked by hash
    weights = trained_again("letters")    # the same training, here and now, with a line of progress

A file of this folder is data alone (npz, never unpickled), at most 2 MB, and all of them at most 10 MB. The manifest
remembers each file's hash, and what was asked of its training: where a recipe's settings have changed since, the file
is of another recipe, and a test says so.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.files import write_whole

FOLDER = Path(__file__).parent
MOST_BYTES, MOST_BYTES_IN_ALL = 2_000_000, 10_000_000

# Each artefact, and the module of this folder that has its RECIPE.
RECIPES: dict[str, str] = {
    "letters": "letters",
    "letters_supervised": "letters_supervised",
    "names": "names",
    "names_by_family": "names_by_family",
    "spelling": "spelling",
}


@dataclass(frozen=True)
class Recipe:
    """How an artefact is made. `train` counts its steps with `base.progress.counted`, and takes all of them.

    `settings` are what the training depends on: a changed number makes the kept file another recipe's. `half`: whether
    the file holds half the digits (float16).
    """

    about: str
    train: Callable[[], Mapping[str, Tensor]]
    settings: Mapping[str, Any]
    half: bool = True

    def asked(self) -> str:
        """A hash of the settings."""
        return hashlib.sha256(json.dumps(dict(self.settings), sort_keys=True).encode()).hexdigest()[:16]


def recipe(name: str) -> Recipe:
    """The recipe of this artefact. Errors: ValueError for an unknown name."""
    module = RECIPES[check_choice("artefact", name, RECIPES)]
    found: Recipe = importlib.import_module(f"{__name__}.{module}").RECIPE
    return found


def kept(name: str, folder: Path = FOLDER) -> dict[str, Tensor]:
    """The weights that were kept, in single precision.

    Errors: ValueError for an unknown name, and for a file that is missing or is not the one that was made; it says how
    to make it again.
    """
    check_choice("artefact", name, RECIPES)
    path, made = folder / f"{name}.npz", _manifest(folder).get(name)
    cause = f"make artefacts ARGS={name} makes it again; trained_again({name!r}) trains here and now."
    if made is None or not path.is_file():
        raise ValueError(problem("artefact", f"no file {path.name}", "one that was made", cause))
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != made["sha256"]:
        raise ValueError(problem("artefact", f"another {path.name}", "the file that was made, by its hash", cause))
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        found = {part: torch.from_numpy(arrays[part]) for part in arrays.files}
    return {part: value.float() if value.is_floating_point() else value for part, value in found.items()}


def below(prefix: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of several networks that are kept in one file, the weights of the one whose names have this prefix, without it.

    Worked number: below("0.", {"0.bias": b, "1.bias": c}) is {"bias": b}.
    """
    return {part.removeprefix(prefix): value for part, value in weights.items() if part.startswith(prefix)}


def trained_again(name: str) -> dict[str, Tensor]:
    """The weights that the recipe trains now. On another machine they differ in their last digits."""
    return dict(recipe(name).train())


def keep(name: str, weights: Mapping[str, Tensor], where: Mapping[str, str], folder: Path = FOLDER) -> Path:
    """Write an artefact's file, and its entry of the manifest. Errors: ValueError for more than 2 MB."""
    made = recipe(name)
    arrays = {part: _array(value, made.half) for part, value in weights.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stub takes its names for options
    content = buffer.getvalue()
    if len(content) > MOST_BYTES:
        cause = "A smaller network, or half=True, makes a smaller file."
        raise ValueError(problem("weights", f"{len(content):,} bytes", f"at most {MOST_BYTES:,}", cause))
    path = write_whole(folder / f"{name}.npz", content)
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "asked": made.asked(), **where}
    manifest = {**_manifest(folder), name: entry}
    text = json.dumps(dict(sorted(manifest.items())), indent=1, ensure_ascii=False)
    write_whole(folder / "manifest.json", f"{text}\n".encode())
    return path


def stale(folder: Path = FOLDER) -> dict[str, str]:
    """The artefacts that have to be made again, and why: missing, another file, or of other settings."""
    manifest, found = _manifest(folder), {}
    for name in RECIPES:
        try:
            kept(name, folder)
        except ValueError as error:
            found[name] = str(error)
            continue
        if manifest[name]["asked"] != recipe(name).asked():
            found[name] = f"{name}: of other settings than its recipe's; make artefacts ARGS={name} makes it again"
    return found


def wrong(folder: Path = FOLDER) -> list[str]:
    """What is wrong with what is kept, a line each; [] if nothing is."""
    manifest, lines = _manifest(folder), list(stale(folder).values())
    lines += [f"{name}: nobody's recipe" for name in manifest if name not in RECIPES]
    total = sum(path.stat().st_size for path in folder.glob("*.npz"))
    if total > MOST_BYTES_IN_ALL:
        lines.append(f"{total:,} bytes in all, and at most {MOST_BYTES_IN_ALL:,} are carried along")
    return lines


def _manifest(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "manifest.json"
    found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _array(value: Tensor, half: bool) -> np.ndarray[Any, Any]:
    value = value.detach().cpu()
    return (value.half() if half and value.is_floating_point() else value).numpy()
