"""The static picture of a session: its map and its curves, for pages without a kernel and for files."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from taskembed_edu.base.checks import check_choice
from taskembed_edu.base.files import whole_file
from taskembed_edu.base.readings import LOSS_PANEL, PANELS, SCORES_PANEL, Reading, panels_of
from taskembed_edu.base.wording import say_setting
from taskembed_edu.figures.captions import as_written, caption, metadata
from taskembed_edu.figures.colours import (
    DARK,
    GREY,
    LINE_COLOURS,
    MARKERS,
    PURPLE,
    VERMILLION,
    Colouring,
    colour_tasks,
    plain_colours,
)
from taskembed_edu.figures.names import draw_names
from taskembed_edu.figures.plots import Still
from taskembed_edu.figures.surface import draw_surface
from taskembed_edu.figures.thumbnails import draw_pictures, thumbnails_of
from taskembed_edu.session.events import coalesced_events
from taskembed_edu.session.history import Frame, value_of
from taskembed_edu.session.on_the_map import start_way
from taskembed_edu.session.session import Session
from taskembed_edu.session.surface import has_plane
from taskembed_edu.tasks.base import MOST_LABELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase
    from numpy.typing import NDArray

# At most this many symbols fit under the map.
_MOST_SIGNS, _SIGNS_A_ROW = 18, 6
# The width of a map, compared with that of the curves; and that of the curves in inches.
_MAP_WIDTH = 1.35
_CURVES_WIDE = 10 / (1 + _MAP_WIDTH)
FIGURE_HIGH = 4.6
# At most this many changes are named in the curves, and a line of the caption has this many letters.
_MOST_CHANGES, _LINE = 6, 150
# The resolution of a picture that is saved: that of print, and enough for any slide.
PRINT_DPI = 300


def session_figure(
    session: Session, colour_by: str | None = None, frame: Frame | int = -1, beside: Frame | None = None
) -> Still:
    """A frame's map beside loss and scores over steps. `frame` is a position in the history, or a frame itself.

    `beside` is the same frame drawn by PCA (`by_pca`): a second map between the first one and the curves.

    `colour_by` names the true parameter that gives the colours (default: the one that groups tasks, else the first; one
    colour for all if there are none). Diverged tasks are not drawn, nor is a score that the run never has. Dotted lines
    in the curves are changes of a setting, a solid grey line is the frame's step if it is not the latest; the legend
    says so, and the line below says with which settings the frame was made. pyplot does not know the figure, so any
    thread may call this.

    Errors: ValueError for an unknown parameter, IndexError for a frame that does not exist.
    """
    shown = session.history[session.history.position(frame)] if isinstance(frame, int) else frame
    maps = [shown] if beside is None or beside is shown else [shown, beside]
    wide = _CURVES_WIDE * (1 + _MAP_WIDTH * (len(maps) + has_plane(session)))
    figure = Still(figsize=(wide, FIGURE_HIGH), layout="constrained", dpi=90)
    draw_session(figure, session, colour_column(session, colour_by), maps)
    return figure


def draw_session(figure: FigureBase, session: Session, column: int | None, maps: Sequence[Frame]) -> None:
    """Draw these maps of one moment, the curves beside them and the settings below, into a figure or a part of one.

    Where the run's learner has two parameters, the loss over the start stands between maps and curves.
    """
    shown = maps[0]
    panels, wide = _panels(session), len(maps) + has_plane(session)
    grid = figure.add_gridspec(len(panels), wide + 1, width_ratios=(*[_MAP_WIDTH] * wide, 1))
    places = [figure.add_subplot(grid[:, place]) for place in range(len(maps))]
    for axes, drawn in zip(places, maps, strict=True):
        draw_map(axes, session, drawn, column)
    if has_plane(session):
        draw_surface(figure.add_subplot(grid[:, -2]), session, shown, column=column)
    for row, readings in enumerate(panels):
        _curves(figure.add_subplot(grid[row, -1]), session, shown, readings, explained=row == 0)
    said = textwrap.fill(as_written(caption(session, shown)), _LINE * len(maps))
    figure.supxlabel(said, fontsize=7, color=DARK)
    named = session.split.validation.label_points and len(session.tasks) <= MOST_LABELS
    pictures = thumbnails_of(session)
    if not named and pictures is None:
        return
    root = figure.get_figure(root=True)
    assert root is not None
    root.draw_without_rendering()  # before this, no position is known
    root.set_layout_engine("none")  # the frame stays where it is now: what follows is placed in it
    for axes, drawn in zip(places, maps, strict=True):
        if pictures is not None:
            sound = ~np.isin(np.arange(len(session.tasks)), drawn.diverged_tasks)
            draw_pictures(axes, drawn.layout, sound, _colours(session, column), pictures)
        if named:
            draw_names(axes, session.tasks.names, drawn.layout, drawn.diverged_tasks)


def save_figure(
    session: Session,
    path: Path,
    title: str,
    *,
    what: str = "png",
    colour_by: str | None = None,
    frame: Frame | None = None,
    beside: Frame | None = None,
) -> Path:
    """Write a frame's picture ("png" or "svg"; default: the latest) for print, with its settings as metadata.

    The file is written whole or not at all; other arguments as `session_figure`. Returns the path.
    """
    frame = session.frame if frame is None else frame
    figure = session_figure(session, colour_by, frame, beside)
    known = metadata(what, session, frame, title)
    with whole_file(path) as part:
        figure.savefig(part, format=what, dpi=PRINT_DPI, metadata=known)
    return path


def colour_column(session: Session, colour_by: str | None = None) -> int | None:
    """The column of `truth` that gives the colours: of this parameter, else the one that groups tasks, else the first.

    None if the tasks have no true parameters. Errors: ValueError for an unknown parameter.
    """
    names = session.tasks.truth_names
    wanted = colour_by or session.split.validation.group or next(iter(names), None)
    return None if wanted is None else names.index(check_choice("colour_by", wanted, names))


def draw_map(axes: Axes, session: Session, frame: Frame, column: int | None) -> None:
    """Draw the frame's map with its legend; `column` of the true parameters gives the colours (None: one for all)."""
    tasks = session.tasks
    colouring = _colours(session, column)
    shown = ~np.isin(np.arange(len(tasks)), frame.diverged_tasks)
    _start(axes, session, frame, shown)
    for shape in np.unique(colouring.shapes):
        chosen = (colouring.shapes == shape) & shown
        axes.scatter(
            frame.layout[chosen, 0],
            frame.layout[chosen, 1],
            c=colouring.rgb[chosen] / 255,
            marker=MARKERS[shape],
            s=28,
            edgecolors="white",
            linewidths=0.4,
        )
    axes.set_title(f"{len(tasks)} tasks at step {frame.step} ({frame.projection.upper()})", fontsize=10)
    axes.set(xticks=[], yticks=[])
    axes.set_aspect("equal", adjustable="datalim")
    if colouring.entries:
        _legend(axes, colouring)


def _start(axes: Axes, session: Session, frame: Frame, shown: NDArray[np.bool_]) -> None:
    """The start of the inner loops: its way, an arrow to each task's place, and a cross; nothing where it has none."""
    if (way := start_way(session, frame)) is None:
        return
    (x, y), ends = way[-1], frame.layout[shown]
    # As an artist: the map is as large as its tasks and the start, however far the start has come.
    axes.add_artist(Line2D(*way.T, color=VERMILLION, linewidth=1.5, alpha=0.6, zorder=0.9))
    arrows: dict[str, Any] = {
        "angles": "xy",
        "scale_units": "xy",
        "scale": 1,
        "width": 0.0022,
        "headwidth": 5,
        "headlength": 6,
    }
    alpha = min(0.6, 5 / len(ends) ** 0.5)
    axes.quiver(*np.tile([[x], [y]], len(ends)), *(ends - (x, y)).T, color=GREY, alpha=alpha, zorder=0.8, **arrows)
    axes.scatter(x, y, marker="P", s=110, color=VERMILLION, edgecolors="white", linewidths=1.2, zorder=3)
    name = axes.annotate("start", (x, y), (8, 0), textcoords="offset points", fontsize=8, va="center", zorder=3)
    name.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def _colours(session: Session, column: int | None) -> Colouring:
    tasks, family = session.tasks, session.split.validation
    if column is None:
        return plain_colours(len(tasks))
    kind, name = family.truth_kinds[column], tasks.truth_names[column]
    return colour_tasks(tasks.truth[:, column].numpy(), name, kind, family.category_names(name))


def _legend(axes: Axes, colouring: Colouring) -> None:
    signs = [
        axes.scatter(
            [], [], color=entry["colour"], marker=MARKERS[entry["shape"]], s=28, label=as_written(entry["label"])
        )
        for entry in colouring.entries[:_MOST_SIGNS]
    ]
    diverged_tasks = len(colouring.entries) - len(signs)
    title = colouring.name + (f" (and {diverged_tasks} more)" if diverged_tasks else "")
    axes.legend(
        handles=signs,
        title=as_written(title),
        frameon=False,
        fontsize=8,
        title_fontsize=8,
        ncols=min(len(signs), _SIGNS_A_ROW),
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        handletextpad=0.1,
        columnspacing=0.8,
    )


def _panels(session: Session) -> list[list[Reading]]:
    """The readings of each panel, from top to bottom: the loss, the scores, and panels that the user has declared."""
    panels = panels_of(session.validation_set.readings)
    drawn = (LOSS_PANEL, SCORES_PANEL, *(title for title in panels if title not in PANELS))
    return [panels.get(title, []) for title in drawn]


def _curves(axes: Axes, session: Session, shown: Frame, readings: Sequence[Reading], explained: bool) -> None:
    """The curves of these readings; `explained`: the panel says what the upright lines are."""
    steps = [frame.step for frame in session.history]
    for reading in readings:
        values = [value_of(frame, reading.name) for frame in session.history]
        if reading.panel == LOSS_PANEL or np.isfinite(values).any():
            colour = LINE_COLOURS[reading.colour][0]  # the picture's background is light
            axes.plot(steps, values, reading.dash, color=colour, label=as_written(reading.name))
    _changes(axes, session, explained)
    if shown is not session.frame:
        axes.axvline(shown.step, color=GREY, linewidth=1, label="the step shown" if explained else None)
    axes.set(xlabel="step", ylim=(min(0.0, axes.get_ylim()[0]), None))
    axes.spines[["top", "right"]].set_visible(False)
    _legend_above(axes)


def _legend_above(axes: Axes) -> None:
    """Above the axes, where no curve can run through it."""
    handles = axes.get_legend_handles_labels()[0]
    if handles:  # before the first step there may be no curve
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=min(len(handles), 4),
            frameon=False,
            fontsize=8,
            borderaxespad=0.1,
            handlelength=1.4,
            columnspacing=1.0,
        )


def _changes(axes: Axes, session: Session, explained: bool) -> None:
    """A dotted line at each change of settings; where they are few, with what was changed."""
    declared, events = session.declared(), coalesced_events(session.events)
    for k, event in enumerate(events):
        label = "a setting was changed" if explained and not k else None
        axes.axvline(event.step, color=PURPLE, linestyle=":", linewidth=1, label=label)
        shown = [name for name in event.changes if not declared[name].hidden]
        if explained and len(events) <= _MOST_CHANGES:
            text = ", ".join(say_setting(declared[name], event.changes[name]) for name in shown)
            written = axes.annotate(text, (event.step, 1.0), (2, -2), axes.get_xaxis_transform(), "offset points")
            written.set(rotation=90, va="top", fontsize=6, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
