"""From the run of the lab's cell in a fresh kernel until the first picture moves.

The kernel has started and is idle, and has imported nothing; the files that it will read are in the system's cache,
since one run before went uncounted. The clock starts when the cell is run and stops when the points first stand
elsewhere than at step 0. Between: the imports, the cell, the page that comes up, Play (pressed by a script as soon as
the button is there), and the first ten training steps.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.browser.pages import CELLS, Laboratory, changes, laboratory
from benchmarks.table import Row

REPEATS = 3


class Begun(NamedTuple):
    """Seconds."""

    kernel: float  # the start of the kernel's process until it is idle
    button: float  # from the cell until Play could be pressed
    moving: float  # from the cell until the first picture moved


def rows() -> Iterator[Row]:
    """The lab, beside a FigureWidget that begins with PCA, and beside one that begins with UMAP."""
    with laboratory() as lab:
        ours, pca, umap = (median_of([*begin(lab, kind)][1:]) for kind in CELLS)
    asked, reached = "at most 3 s", ours.moving <= 3
    work = "fresh kernel until the first picture moves"
    yield Row(work, ours.moving, "s", "FigureWidget, PCA", pca.moving, asked, reached)
    yield Row(f"{work}, beside UMAP from the start", ours.moving, "s", "FigureWidget, UMAP", umap.moving)
    yield Row("of it until Play can be pressed", ours.button, "s", "FigureWidget, PCA", pca.button)
    yield Row(f"{work}, with the kernel's own start", ours.kernel + ours.moving, "s")


def median_of(runs: list[Begun]) -> Begun:
    """Each figure's median."""
    return Begun(*(statistics.median(each) for each in zip(*runs, strict=True)))


def begin(lab: Laboratory, kind: str, repeats: int = REPEATS) -> Iterator[Begun]:
    """One run that warms the caches, then so many that count, each in a kernel of its own."""
    with lab.notebook(f"first-{kind.replace(', ', '-')}", CELLS[kind]) as page:
        if kind != "lab":
            page.tolerate("Error setting state")  # plotly's own, when a FigureWidget is cleared away with its kernel
        for _ in range(1 + repeats):
            kernel = page.evaluate("watch.freshKernel()") / 1e3
            # JupyterLab's own debugger panel complains when its kernel is ended; the lab has no part in that.
            page.problems[:] = [problem for problem in page.problems if "debugger state" not in problem]
            begun = page.evaluate("kind => watch.runAndPlay(kind)", kind.split(",")[0]) / 1e3
            page.wait_for_function("watch.changes.some(change => change[1] > 0)", timeout=120_000)
            first = next(change.when for change in changes(page) if change.step > 0)
            yield Begun(kernel, page.evaluate("watch.pressed") / 1e3 - begun, first - begun)
