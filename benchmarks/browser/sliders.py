"""From a key that moves the margin's slider until training uses the new margin, and until the map shows it.

The lab with its 200 tasks trains all the while, on the UMAP map. The clock starts when the key goes down in the page
and stops first when the first training step with the new margin begins in the kernel, then when the page draws the
first picture on the way to a frame that such a step has shaped.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator
from itertools import takewhile

from benchmarks.browser.pages import (
    CELLS,
    Change,
    Laboratory,
    changes,
    from_kernel,
    laboratory,
    moves,
    percentile,
    wait_for_changes,
    watch,
)
from benchmarks.table import Row
from tests.browser.notebook_page import NotebookPage

N_MOVES = 100
SLIDERS = {"lab": ".te-panel input[name=margin]", "plotly": ".widget-slider [role=slider]"}
REACHED = "step => watch.changes.some(change => change[1] >= step)"


def rows() -> Iterator[Row]:
    """The 95th percentiles, beside ipywidgets and a FigureWidget."""
    with laboratory() as lab:
        (used, shown), (used_there, shown_there) = (reactions(lab, kind) for kind in SLIDERS)
    about = f"p95 of {N_MOVES} moves, while training"
    for work, ours, theirs, limit in (
        ("slider moved until training uses it", used, used_there, 60),
        ("slider moved until the map shows it", shown, shown_there, 250),
    ):
        mine, other = (1e3 * percentile(seconds, 0.95) for seconds in (ours, theirs))
        name = "ipywidgets, FigureWidget"
        yield Row(f"{work}, {about}", mine, "ms", name, other, f"at most {limit} ms", mine <= limit)


def reactions(lab: Laboratory, kind: str, n_moves: int = N_MOVES) -> tuple[list[float], list[float]]:
    """The seconds of every move until training used it, and until the map showed it."""
    with lab.notebook(f"sliders-{kind}", CELLS["plotly, UMAP" if kind == "plotly" else "lab"]) as page:
        page.run_all()
        watch(page, kind)
        wait_for_changes(page, 1)
        page.run("from benchmarks.in_kernel import Stopwatch\nstopwatch = Stopwatch(lab.session)")
        page.evaluate("watch.playAtOnce()")
        _wait_for_umap(page)
        _move(page, SLIDERS[kind], n_moves)
        wait_for_changes(page, len(changes(page)) + 10)  # the last move has been used by now ...
        steps = from_kernel(page, "stopwatch.steps")
        page.wait_for_function(REACHED, arg=steps[-1][2], timeout=60_000)  # ... and has been drawn
        return reaction_times(moves(page), steps, changes(page))


def _wait_for_umap(page: NotebookPage) -> None:
    """Until UMAP has drawn its first maps: from then on a frame costs what it will cost."""
    step = 0
    while from_kernel(page, "lab.session.setup.projection") != "umap":
        step += 10
        page.wait_for_function(REACHED, arg=step, timeout=120_000)
    wait_for_changes(page, len(changes(page)) + 30)


def _move(page: NotebookPage, slider: str, n_moves: int) -> None:
    page.locator(slider).first.evaluate("slider => { slider.focus(); watch.listenTo(slider); }")
    pauses = random.Random(0)
    for i in range(n_moves):
        page.keyboard.press("ArrowRight" if i // 20 % 2 == 0 else "ArrowLeft")
        # A hand's pace, out of step with the frames: longer than what is measured, so that no move replaces another.
        page.wait_for_timeout(pauses.uniform(250, 400))


def reaction_times(
    moved: list[tuple[float, float]], steps: list[tuple[float, float, int, float]], drawn: list[Change]
) -> tuple[list[float], list[float]]:
    """For every move: until the first step with its margin, or with a later one that has overtaken it."""
    used, shown, begins = [], [], [step[0] for step in steps]
    for k, (when, margin) in enumerate(moved):
        first = next((step for step in steps[bisect(begins, when) :] if _moved_to(step, moved[k:])), None)
        if first is None:
            raise RuntimeError(f"margin {margin:g}: training never used it, so there is no time to tell.")
        begun, _, number, _ = first
        picture = next(change for change in drawn if change.when > begun and change.step >= number)
        used.append(begun - when)
        shown.append(picture.when - when)
    return used, shown


def _moved_to(step: tuple[float, float, int, float], moved: list[tuple[float, float]]) -> bool:
    """Whether the step has the margin of the first of these moves, or of one made before the step after it."""
    made = takewhile(lambda move: move[0] < step[0], moved)
    return any(abs(step[3] - margin) < 1e-6 for _, margin in made)
