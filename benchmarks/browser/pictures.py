"""How many pictures a second a map draws while frames come, and how long it goes on drawing when none come any more.

The same film for both: the recorded frames of one run, offered by the kernel 30 times a second for a few seconds. The
lab's kernel side lets a frame go only when the page has taken the one before (at most 15 a second), and the page glides
between them; plotly's sends every frame, and the page draws what has arrived, however late. Nothing is trained
meanwhile: it is the page that is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.browser.pages import (
    Laboratory,
    changes,
    from_kernel,
    laboratory,
    wait_for_changes,
    wait_until_quiet,
    watch,
)
from benchmarks.table import Row
from tests.browser.notebook_page import NotebookPage

SIZES = {1000: 30, 5000: 20}
"""Points, and the pictures a second that are asked for."""
SECONDS = 5.0
FILMS = {"lab": "LabFilm", "plotly": "PlotlyFilm"}


class Seen(NamedTuple):
    """What a page showed of the film."""

    pictures: float  # a second, while frames came
    frames: float  # new frames a second: plotly's pictures are all new frames
    late: float  # seconds from the end of the film until the last new picture


def rows() -> Iterator[Row]:
    """For each number of points: pictures a second, new frames a second, drawing on after the stop."""
    with laboratory() as lab:
        for n, asked in SIZES.items():
            ours, theirs = (film(lab, kind, n) for kind in FILMS)
            yield from _beside(n, asked, ours, theirs)


def _beside(n: int, asked: int, ours: Seen, theirs: Seen) -> Iterator[Row]:
    other, points = "FigureWidget", f"{n:,} points"
    fluent, prompt = ours.pictures >= asked, ours.late <= 0.2
    work = f"pictures a second, {points}"
    yield Row(work, ours.pictures, "", other, theirs.pictures, f"at least {asked}", fluent, True)
    work = f"new frames drawn a second, {points}"
    yield Row(work, ours.frames, "", other, theirs.frames, larger_is_better=True)
    work = f"last picture drawn after the film's end, {points}"
    yield Row(work, 1e3 * ours.late, "ms", other, 1e3 * theirs.late, "at most 200 ms", prompt)


def film(lab: Laboratory, kind: str, n: int) -> Seen:
    """Show the film once and watch it."""
    cell = f"from benchmarks.in_kernel import {FILMS[kind]}\nfilm = {FILMS[kind]}({n})\nfilm.shown"
    with lab.notebook(f"film-{kind}-{n}", cell) as page:
        page.run_all()
        watch(page, kind)
        wait_for_changes(page, 1)
        wait_until_quiet(page)
        page.run(f"film.run({SECONDS})")
        return _seen(page)


def _seen(page: NotebookPage) -> Seen:
    page.wait_for_timeout(1e3 * SECONDS)  # the film's own length: what is awaited is its end
    wait_until_quiet(page)
    told = from_kernel(page, "film.told")
    drawn = [change for change in changes(page) if change.when > told["begun"]]
    within = [change for change in drawn if change.when <= told["stopped"]]
    seconds = told["stopped"] - told["begun"]
    frames = len({change.frame for change in within})
    return Seen(len(within) / seconds, frames / seconds, max(0.0, drawn[-1].when - told["stopped"]))
