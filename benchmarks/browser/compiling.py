"""How long training steps take while UMAP is being compiled, from the first picture until UMAP has the map.

Numba's cache is empty, as on the first day of a course. The lab compiles in a child process and then reads what that
left behind; beside it, the same lab made to compile in a thread of its own kernel.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from benchmarks.browser.pages import CELLS, Laboratory, from_kernel, laboratory, percentile, wait_for_changes, watch
from benchmarks.table import Row

EMPTY_CACHE = "import os; os.environ['NUMBA_CACHE_DIR'] = {folder!r}"


def rows() -> Iterator[Row]:
    """The 99th percentile and the worst, beside compiling in a thread."""
    with laboratory() as lab:
        ours, theirs = (step_times(lab, in_thread) for in_thread in (False, True))
    work = "a training step while UMAP compiles"
    for name, share, limit in (("p99", 0.99, 100), ("the worst", 1.0, None)):
        mine, other = (1e3 * percentile(seconds, share) for seconds in (ours, theirs))
        asked, reached = (f"at most {limit} ms", mine <= limit) if limit else ("", None)
        yield Row(f"{work}, {name} of {len(ours):,}", mine, "ms", "compiled in a thread", other, asked, reached)


def step_times(lab: Laboratory, in_thread: bool) -> list[float]:
    """The seconds of every training step until UMAP took over."""
    with (
        tempfile.TemporaryDirectory() as folder,
        lab.notebook(f"compiling-{'thread' if in_thread else 'child'}", CELLS["lab"]) as page,
    ):
        page.run(EMPTY_CACHE.format(folder=folder))
        page.run("from benchmarks.in_kernel import Stopwatch, compile_in_a_thread, steps_before_umap")
        if in_thread:
            page.run("compile_in_a_thread()")
        page.run_all()
        watch(page, "lab")
        page.run("stopwatch = Stopwatch(lab.session)")
        page.evaluate("watch.playAtOnce()")
        n = 1
        while from_kernel(page, "lab.session.setup.projection") != "umap":
            n += 5
            wait_for_changes(page, n)
        seconds: list[float] = from_kernel(page, "steps_before_umap(lab.session, stopwatch)")
        return seconds
