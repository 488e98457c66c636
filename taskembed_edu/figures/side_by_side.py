"""The static picture of two runs side by side: their maps, their scores and, where made, their scorecards."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from taskembed_edu.base.files import whole_file
from taskembed_edu.base.readings import SCORES_PANEL, Reading
from taskembed_edu.evaluation.card_rows import as_shown, better_of, row_of, rows_of_card
from taskembed_edu.evaluation.scorecard import NEAREST, RANDOM
from taskembed_edu.figures.captions import as_written, caption, metadata
from taskembed_edu.figures.colours import BLUE, DARK, GREY, LINE_COLOURS, VERMILLION
from taskembed_edu.figures.plots import Still
from taskembed_edu.figures.snapshots import PRINT_DPI, colour_column, draw_map
from taskembed_edu.session.history import Frame, value_of
from taskembed_edu.session.session import Session
from taskembed_edu.session.side_by_side import Judged, run_names, same_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# In inches: the width of two maps and the curves, and the height without and with scorecards below.
_WIDE, _HIGH, _HIGH_WITH_CARDS = 13.5, 4.8, 8.0
_LINE = 190  # letters of the caption in a line
# The first run's lines are solid, the second one's dashed; the start that no embedding chose is dotted.
_DASHES = ("-", "--", ":")


def side_by_side_figure(
    sessions: Sequence[Session],
    judged: Judged | None = None,
    *,
    colour_by: str | None = None,
    frames: Sequence[Frame] | None = None,
) -> Still:
    """The maps of two runs on the same tasks and their scores over steps, with their scorecards below where given.

    `frames` are those of the maps, one a run (None: of the newest step that both have reached); `colour_by` is as in
    `session_figure`. pyplot does not know the figure. Errors: ValueError for an unknown parameter.
    """
    frames = same_step(sessions) if frames is None else frames
    names, column = run_names(sessions), colour_column(sessions[0], colour_by)
    figure = Still(figsize=(_WIDE, _HIGH_WITH_CARDS if judged else _HIGH), layout="constrained", dpi=90)
    grid = figure.add_gridspec(
        2 if judged else 1, 3, width_ratios=(1.35, 1.35, 1), height_ratios=(1.5, 1)[: 1 + bool(judged)]
    )
    for place, (session, frame, name) in enumerate(zip(sessions, frames, names, strict=True)):
        axes = figure.add_subplot(grid[0, place])
        draw_map(axes, session, frame, column)
        axes.set_title(as_written(f"{name}: step {frame.step} ({frame.projection.upper()})"), fontsize=12)
    _scores(figure.add_subplot(grid[0, 2]), sessions, names)
    if judged:
        _table(figure.add_subplot(grid[1, :2]), judged, names)
        _transfer(figure.add_subplot(grid[1, 2]), judged, names)
    told = (f"{name}: {caption(*run)}" for name, run in zip(names, zip(sessions, frames, strict=True), strict=True))
    said = "\n".join(textwrap.fill(as_written(words), _LINE) for words in told)
    figure.supxlabel(said, fontsize=7, color=DARK)
    return figure


def save_side_by_side(
    sessions: Sequence[Session], path: Path, title: str, *, what: str = "png", frames: Sequence[Frame], **drawn: Any
) -> Path:
    """Write the picture ("png" or "svg") for print, with the first run's settings as metadata; returns the path.

    The file is written whole or not at all; other arguments as `side_by_side_figure`.
    """
    figure = side_by_side_figure(sessions, frames=frames, **drawn)
    known = metadata(what, sessions[0], frames[0], title)
    with whole_file(path) as part:
        figure.savefig(part, format=what, dpi=PRINT_DPI, metadata=known)
    return path


def _scores(axes: Axes, sessions: Sequence[Session], names: Sequence[str]) -> None:
    """The scores of both runs over their steps: the same colour, another dash."""
    for session, name, dash in zip(sessions, names, _DASHES, strict=False):
        steps = [frame.step for frame in session.history]
        for reading in _shown(session):
            values = [value_of(frame, reading.name) for frame in session.history]
            if np.isfinite(values).any():
                colour, label = LINE_COLOURS[reading.colour][0], as_written(f"{reading.name}, {name}")
                axes.plot(steps, values, dash, color=colour, label=label)
    axes.set(xlabel="step", title="Scores on the map's tasks")
    _plain(axes)


def _shown(session: Session) -> list[Reading]:
    return [reading for reading in session.validation_set.readings if reading.panel == SCORES_PANEL]


def _table(axes: Axes, judged: Judged, names: Sequence[str]) -> None:
    """The scorecards' rows; the better number of two is bold and marked."""
    axes.set_axis_off()
    cards = [rows_of_card(card) for card in judged.cards]
    rows = list(dict.fromkeys(name for card in cards for name in card))
    values = [[card.get(name) for card in cards] for name in rows]
    best = [better_of(row_of(name).better, pair[0], pair[1]) for name, pair in zip(rows, values, strict=True)]
    texts = [
        [f"{as_shown(value)}{' ✓' if place == better else ''}" for place, value in enumerate(pair)]
        for pair, better in zip(values, best, strict=True)
    ]
    heads = [as_written(f"{name}, step {step}") for name, step in zip(names, judged.steps, strict=True)]
    labels = [as_written(row_of(name).label) for name in rows]
    table = axes.table(texts, rowLabels=labels, colLabels=heads, loc="center", cellLoc="center", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    for row, better in enumerate(best):
        if better is not None:
            table[row + 1, better].get_text().set_fontweight("bold")
    card = judged.cards[0]
    axes.set_title(f"Scorecards on {card.n_tasks} tasks never seen (✓ the better one)", fontsize=10)


def _transfer(axes: Axes, judged: Judged, names: Sequence[str]) -> None:
    """The query loss against gradient steps, with the bootstrap interval of each mean."""
    lines = [(name, NEAREST, card) for name, card in zip(names, judged.cards, strict=True)]
    lines.append(("random start", RANDOM, judged.cards[0]))
    for (name, solver, card), colour, dash in zip(lines, (BLUE, VERMILLION, GREY), _DASHES, strict=True):
        if card.transfer is not None:
            steps = card.transfer.steps
            means = [card.transfer.mean(solver, "loss", step) for step in steps]
            low, high = zip(*(card.transfer.interval(solver, "loss", step) for step in steps), strict=True)
            axes.plot(steps, means, dash, color=colour, label=as_written(name), marker="o", markersize=3)
            axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="gradient steps on the support set", title="Loss on a new task's query set")
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.title.set_fontsize(10)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
