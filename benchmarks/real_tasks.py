"""Real tasks: what is learned of new ones from a few examples. Its parts train for minutes; each is a module."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from benchmarks.table import Row

PARTS = ("letters", "names", "spelling", "omniglot")


def rows() -> Iterator[Row]:
    """The rows of all parts."""
    for part in PARTS:
        yield from importlib.import_module(f"benchmarks.{part}").rows()
