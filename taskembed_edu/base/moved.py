"""Modules that have moved: the old path goes on working, with a warning that names the new one.

A notebook that a learner saved imports by the paths of its day. `install()` adds a finder for those paths.
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

# The old path of a module, and where it is now. `session`, `evaluation` and `projection` are folders of that name,
# and give the same names.
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
    "settings": "base.settings",
    "setup": "session.setup",
    "snapshots": "figures.snapshots",
    "task2vec": "formulas.task2vec",
    "umap_steps": "projection.umap_steps",
    "vectors": "formulas._vectors",
    "watched": "session.validation",
}


class _Moved(MetaPathFinder, Loader):
    """Finds a module under its old path and gives the module of its new one: the same object, not a copy."""

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
        sys.modules[old] = importlib.import_module(new)  # the import system takes what stands here


def install() -> None:
    """Let the old paths be found."""
    if not any(isinstance(finder, _Moved) for finder in sys.meta_path):
        # First: the files of `formulas/losses` would otherwise be found again, and loaded twice, as `losses.pairs`.
        sys.meta_path.insert(0, _Moved())
