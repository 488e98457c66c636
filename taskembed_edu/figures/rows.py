"""Figures for a lesson and for a hall: a row of maps, or a row of curves, legible from the last seat at 1280x720."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from taskembed_edu.base.checks import problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.figures.captions import as_written
from taskembed_edu.figures.colours import OKABE_ITO
from taskembed_edu.figures.plots import Still
from taskembed_edu.session.history import value_of
from taskembed_edu.session.session import Session

# In points: a figure of 11 inches is shown about as wide as the notebook, and this is then read from far away.
FONT, TITLE = 13, 14
# In inches: as wide as the notebook, and 1280x720 where that is 1280 pixels.
PROJECTED = (11.0, 6.1875)
_WIDE, _HIGH = PROJECTED[0], 3.8
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
    suits maps whose units differ. Errors: ValueError for no map, or places and values of different numbers; TypeError
    for maps without titles.
    """
    drawn = {title: _numbers(f"map {title}", places) for title, places in _by_title("maps", maps).items()}
    values = _numbers("values", values)
    if not drawn:
        raise ValueError(problem("maps", "none", "at least one map by its title"))
    if values.ndim != 1:
        raise ValueError(problem("values", f"shape {values.shape}", "one number for each task"))
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
    panels: Mapping[str, Mapping[str, tuple[ArrayLike, ...]]],
    x_label: str | Sequence[str],
    *,
    log_x: bool = False,
    log_y: bool = False,
    marks: Sequence[float] = (),
) -> Still:
    """Curves side by side: {panel: {line: (x, y)}}. A line has the same colour and dash in every panel.

    (x, y, low, high) is a line with a band, such as an interval; a line of one point is drawn as a point. `x_label` is
    one for all panels, or one for each. `marks` are levels that a panel's grey line shows, such as a margin.
    Errors: ValueError for no panel, or a line whose x and y are not as long; TypeError for panels or lines without
    names.
    """
    for title, lines in _by_title("panels", panels).items():
        for name, line in _by_title(f"panel {title}", lines).items():
            _check_line(name, line)
    if not panels:
        raise ValueError(problem("panels", "none", "at least one panel by its title"))
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    style = {
        name: {"color": OKABE_ITO[k % len(OKABE_ITO)], "linestyle": DASHES[k % len(DASHES)]}
        for k, name in enumerate(names)
    }
    x_labels = [x_label] * len(panels) if isinstance(x_label, str) else list(x_label)
    if len(x_labels) != len(panels):
        raise ValueError(problem("x_label", f"{len(x_labels)} of them", f"one for all, or {len(panels)}"))
    figure = Still(figsize=(_WIDE, _HIGH), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for panel, (title, lines), below in zip(row, panels.items(), x_labels, strict=True):
        for name, line in lines.items():
            _draw_line(panel, name, [_numbers(name, values) for values in line], style[name])
        for level in marks:
            panel.axhline(level, color="#808080", linewidth=1)
        _named(panel, title, below)
        if log_x:
            panel.set_xscale("symlog")
            panel.xaxis.set_major_formatter("{x:g}")  # 10 and 100, as steps are written everywhere else
        if log_y:
            panel.set_yscale("log")
    if len(names) > 1:
        handles = {line.get_label(): line for panel in row for line in panel.get_lines() if line.get_label()[0] != "_"}
        figure.legend(handles=list(handles.values()), loc="outside lower center", ncols=len(names), fontsize=FONT)
    return figure


def _draw_line(panel: Axes, name: str, line: Sequence[NDArray[np.float64]], style: dict[str, Any]) -> None:
    (x, y), band, is_point = line[:2], line[2:], len(line[0]) == 1
    panel.plot(x, y, label=as_written(name), linewidth=2, marker="o" if is_point else None, markersize=10, **style)
    if band and is_point:
        panel.vlines(x, band[0], band[1], color=style["color"], linewidth=2)
    elif band:
        panel.fill_between(x, band[0], band[1], color=style["color"], alpha=0.2, linewidth=0)


@short_errors
def history_figure(runs: Mapping[str, Session], readings: Sequence[str], **drawn: Any) -> Still:
    """Readings of some runs over their steps, one panel a reading: history_figure({"hard": run}, ["loss", "recall@1"]).

    More arguments are `curves_figure`'s. A lab stands for its session. Errors: ValueError for no run, or a reading that
    a run does not have; TypeError for what is no run.
    """
    panels: dict[str, Any] = {}
    runs = {label: _session(label, run) for label, run in _by_title("runs", runs).items()}
    if not runs:
        raise ValueError(problem("runs", "none", "at least one session by its name"))
    if isinstance(readings, str):
        raise TypeError(
            problem("readings", repr(readings), "names in a list", f"One is a list of one: [{readings!r}].")
        )
    for name in readings:
        known = {reading.name: reading.label for run in runs.values() for reading in run.validation_set.readings}
        if name not in known:
            raise ValueError(problem("readings", repr(name), f"one of {', '.join(known)}"))
        panels[known[name]] = {
            label: ([frame.step for frame in run.history], [value_of(frame, name) for frame in run.history])
            for label, run in runs.items()
        }
    return curves_figure(panels, "step", **drawn)


def _by_title(argument: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping) or not all(isinstance(title, str) for title in given):
        came = f"a {type(given).__name__}" if not isinstance(given, Mapping) else f"the titles {list(given)}"
        raise TypeError(problem(argument, came, "a dict, by title: {'my run': ...}"))
    return given


def _numbers(argument: str, given: Any) -> NDArray[np.float64]:
    """Numbers, tensors or arrays as an array. Errors: TypeError."""
    try:
        return np.asarray(given.detach().cpu() if isinstance(given, torch.Tensor) else given, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(problem(argument, given, "numbers")) from None


def _check_line(name: str, line: Any) -> None:
    if not isinstance(line, (tuple, list, np.ndarray, torch.Tensor)) or len(line) not in (2, 4):
        raise TypeError(problem(f"line {name}", line, "two lists of numbers: (x, y), or four: (x, y, low, high)"))
    x, *others = (_numbers(f"line {name}", each) for each in line)
    for what, y in zip(("y", "low", "high"), others, strict=False):
        if x.ndim != 1 or x.shape != y.shape:
            came = f"x of shape {x.shape} and {what} of shape {y.shape}"
            raise ValueError(problem(f"line {name}", came, f"as many {what} as x"))


def _session(label: str, run: Any) -> Session:
    session = getattr(run, "session", run)  # a lab's
    if not isinstance(session, Session):
        raise TypeError(problem(f"run {label}", f"a {type(run).__name__}", "a session or a lab"))
    return session


def _named(panel: Axes, title: str, x_label: str) -> None:
    panel.set_title(as_written(title), fontsize=TITLE)
    panel.set_xlabel(as_written(x_label), fontsize=FONT)
    panel.tick_params(labelsize=FONT - 2)
    panel.spines[["top", "right"]].set_visible(False)
