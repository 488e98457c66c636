"""Modules that have moved: the old path still works, with a warning that names the new one.

A saved notebook imports the paths of the version it was written for. `install()` adds a finder for those paths.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_PACKAGE = "taskembed_edu"

# The old path of each module, and its new one. The former modules `session`, `evaluation` and `projection` are not
# listed: they are now packages with the same path, and export the same names.
MOVED = {
    "alarms": "session.alarms",
    "checks": "base.checks",
    "colours": "figures.colours",
    "distances": "formulas.distances",
    "history": "session.history",
    "losses": "formulas.losses",
    "losses.all_pairs": "formulas.losses.all_pairs",
    "losses.modules": "formulas.losses.modules",
    "losses.pairs": "formulas.losses.pairs",
    "losses.softmax": "formulas.losses.softmax",
    "losses.terms": "formulas.losses.terms",
    "losses.triplets": "formulas.losses.triplets",
    "memory": "base.memory",
    "mining": "formulas.mining",
    "pairwise": "formulas._pairwise",
    "plots": "figures.plots",
    "recipes": "session.codegen",
    "recordings": "session.recordings",
    "session.progress": "base.progress",
    "settings": "base.settings",
    "setup": "session.setup",
    "snapshots": "figures.snapshots",
    "task2vec": "formulas.task2vec",
    "umap_steps": "projection.umap_steps",
    "vectors": "formulas._vectors",
    "watched": "session.validation",
}


class _Moved(MetaPathFinder, Loader):
    """Finds a module by its old path and returns the module at its new path: the same object, not a copy."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, old = fullname.partition(".")
        return ModuleSpec(fullname, self) if package == _PACKAGE and old in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        old = module.__name__
        new = f"{_PACKAGE}.{MOVED[old.partition('.')[2]]}"
        word = f"{old} has moved to {new}. What lessons use is a name of {_PACKAGE} itself: write that import."
        warnings.warn(word, DeprecationWarning, stacklevel=2)
        sys.modules[old] = importlib.import_module(new)  # the import system returns this entry


def install() -> None:
    """Make the old paths importable."""
    if not any(isinstance(finder, _Moved) for finder in sys.meta_path):
        # At the front: otherwise the usual finder would load a file of `formulas/losses` twice, also as `losses.pairs`.
        sys.meta_path.insert(0, _Moved())
