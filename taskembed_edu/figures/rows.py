"""Figures for a lesson and for a hall: a row of maps, or a row of curves, legible from the last seat at 1280x720."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from taskembed_edu.base.checks import problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.figures.captions import as_written
from taskembed_edu.figures.colours import OKABE_ITO
from taskembed_edu.figures.plots import Still
from taskembed_edu.session.history import value_of
from taskembed_edu.session.session import Session

# In points: a figure of 11 inches is shown about as wide as the notebook, and this is then read from far away.
FONT, TITLE = 13, 14
_WIDE, _HIGH = 11.0, 3.8
# Lines of one panel differ by colour and by dash, so that nobody has to tell colours apart.
DASHES = ("-", "--", ":", "-.")


@short_errors
def maps_figure(
    maps: Mapping[str, ArrayLike],
    values: ArrayLike,
    label: str,
    *,
    sizes: ArrayLike = 24.0,
    axes: tuple[str, str] = ("PCA 1", "PCA 2"),
    same_scale: bool = False,
) -> Still:
    """Maps side by side, with one bar of colours: {title: places (n, 2)}, and a value of each of the n tasks.

    `label` says what the colours are. `same_scale` draws all maps to one scale; otherwise each fills its frame, which
    suits maps whose units differ. Errors: ValueError for no map, or places and values of different numbers.
    """
    drawn = {title: np.asarray(places, dtype=float) for title, places in maps.items()}
    values = np.asarray(values, dtype=float)
    if not drawn:
        raise ValueError(problem("maps", "none", "at least one map by its title"))
    for title, places in drawn.items():
        if places.shape != (len(values), 2):
            cause = "A map has a place for each task: pca_layout(vectors) makes one."
            raise ValueError(problem(f"map {title}", f"shape {places.shape}", f"({len(values)}, 2)", cause))
    figure = Still(figsize=(_WIDE, _HIGH), layout="constrained")
    row = figure.subplots(1, len(drawn), sharex=same_scale, sharey=same_scale, squeeze=False)[0]
    for panel, (title, places) in zip(row, drawn.items(), strict=True):
        points = panel.scatter(*places.T, c=values, s=sizes, cmap="cividis")
        panel.set_title(as_written(title), fontsize=TITLE)
        panel.set_xlabel(axes[0], fontsize=FONT)
        panel.tick_params(labelsize=FONT - 2)
        panel.set_aspect("equal", adjustable="box" if same_scale else "datalim")
    row[0].set_ylabel(axes[1], fontsize=FONT)
    figure.colorbar(points, ax=row).set_label(as_written(label), fontsize=FONT)
    return figure


@short_errors
def curves_figure(
    panels: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]],
    x_label: str,
    *,
    log_x: bool = False,
    marks: Sequence[float] = (),
) -> Still:
    """Curves side by side: {panel: {line: (x, y)}}. A line has the same colour and dash in every panel.

    `marks` are levels that a panel's grey line shows, such as a margin. Errors: ValueError for no panel.
    """
    if not panels:
        raise ValueError(problem("panels", "none", "at least one panel by its title"))
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    style = {
        name: {"color": OKABE_ITO[k % len(OKABE_ITO)], "linestyle": DASHES[k % len(DASHES)]}
        for k, name in enumerate(names)
    }
    figure = Still(figsize=(_WIDE, _HIGH), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for panel, (title, lines) in zip(row, panels.items(), strict=True):
        for name, (x, y) in lines.items():
            panel.plot(x, y, label=as_written(name), linewidth=2, **style[name])
        for level in marks:
            panel.axhline(level, color="#808080", linewidth=1)
        _named(panel, title, x_label)
        if log_x:
            panel.set_xscale("symlog")
    if len(names) > 1:
        handles = {line.get_label(): line for panel in row for line in panel.get_lines() if line.get_label()[0] != "_"}
        figure.legend(handles=list(handles.values()), loc="outside lower center", ncols=len(names), fontsize=FONT)
    return figure


@short_errors
def history_figure(runs: Mapping[str, Session], readings: Sequence[str], **drawn: Any) -> Still:
    """Readings of some runs over their steps, one panel a reading: history_figure({"hard": run}, ["loss", "recall@1"]).

    More arguments are `curves_figure`'s. Errors: ValueError for no run, or a reading that no run has.
    """
    if not runs:
        raise ValueError(problem("runs", "none", "at least one session by its name"))
    panels: dict[str, Any] = {}
    for name in readings:
        known = {reading.name: reading.label for run in runs.values() for reading in run.validation_set.readings}
        if name not in known:
            raise ValueError(problem("readings", repr(name), f"one of {', '.join(known)}"))
        panels[known[name]] = {
            label: ([frame.step for frame in run.history], [value_of(frame, name) for frame in run.history])
            for label, run in runs.items()
        }
    return curves_figure(panels, "step", **drawn)


def _named(panel: Axes, title: str, x_label: str) -> None:
    panel.set_title(as_written(title), fontsize=TITLE)
    panel.set_xlabel(as_written(x_label), fontsize=FONT)
    panel.tick_params(labelsize=FONT - 2)
    panel.spines[["top", "right"]].set_visible(False)
