"""What `import taskembed_edu` costs a process that already has torch and numpy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.table import Row

_TIMED = """
import time
import numpy, torch
begun = time.perf_counter()
import {package}
print(time.perf_counter() - begun)
"""


def rows() -> Iterator[Row]:
    """The best of five fresh processes, beside umap alone."""
    ours, umap = (min(_seconds(package) for _ in range(5)) for package in ("taskembed_edu", "umap"))
    work = "import taskembed_edu on top of torch and numpy"
    yield Row(work, ours, "s", "import umap", umap, "at most 0.3 s", ours <= 0.3)


def _seconds(package: str) -> float:
    command = [sys.executable, "-c", _TIMED.format(package=package)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
