"""The static picture of a session: its map and its curves, for pages without a kernel and for files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from taskembed_edu.base.checks import check_choice
from taskembed_edu.figures.colours import BLUE, GREEN, GREY, PURPLE, VERMILLION, Colouring, colour_tasks
from taskembed_edu.figures.plots import Still
from taskembed_edu.session.history import Frame, coalesced_events
from taskembed_edu.session.session import Session
from taskembed_edu.tasks.base import MOST_LABELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = ("o", "s", "^", "D")


# More signs than this do not fit under the map.
_MOST_SIGNS, _SIGNS_A_ROW = 18, 6


def session_figure(session: Session, colour_by: str | None = None, frame: Frame | int = -1) -> Still:
    """A frame's map beside loss and scores over steps: the latest, or another by its position or as it is.

    `colour_by` names the true parameter that gives the colours (default: the one that groups like tasks, else the
    first). Tasks that a frame leaves out are not drawn, nor is a score that the run never has. Dotted lines in the
    curves are changes of a setting; where the frame is not the latest, a full line says which moment the map shows. The
    figure belongs to nobody: pyplot does not know it, so it is safe from any thread.

    Errors: ValueError for an unknown parameter, IndexError for a frame that there is not.
    """
    names = session.tasks.truth_names
    wanted = colour_by or session.split.validation.group or names[0]
    column = names.index(check_choice("colour_by", wanted, names))
    shown = session.history[session.history.position(frame)] if isinstance(frame, int) else frame
    figure = Still(figsize=(10, 4.6), layout="constrained", dpi=90)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.35, 1))
    _map(figure.add_subplot(grid[:, 0]), session, shown, column)
    _curves(figure.add_subplot(grid[0, 1]), session, shown, ("loss",))
    _curves(figure.add_subplot(grid[1, 1]), session, shown, ("recall@1", "spearman", "purity", "trustworthiness"))
    if session.split.validation.label_points and len(session.tasks) <= MOST_LABELS:
        _names(figure, figure.axes[0], session, shown)
    return figure


def _map(axes: Axes, session: Session, frame: Frame, column: int) -> None:
    tasks, family = session.tasks, session.split.validation
    kind, name = family.truth_kinds[column], tasks.truth_names[column]
    colouring = colour_tasks(tasks.truth[:, column].numpy(), name, kind, family.category_names(name))
    shown = ~np.isin(np.arange(len(tasks)), frame.diverged_tasks)
    for shape in np.unique(colouring.shapes):
        chosen = (colouring.shapes == shape) & shown
        axes.scatter(
            frame.layout[chosen, 0],
            frame.layout[chosen, 1],
            c=colouring.rgb[chosen] / 255,
            marker=_MARKERS[shape],
            s=28,
            edgecolors="white",
            linewidths=0.4,
        )
    axes.set_title(f"{len(tasks)} tasks at step {frame.step} ({frame.projection.upper()})", fontsize=10)
    axes.set(xticks=[], yticks=[])
    axes.set_aspect("equal", adjustable="datalim")
    _legend(axes, colouring)


def _names(figure: Figure, axes: Axes, session: Session, frame: Frame) -> None:
    """Names beside their points; one that would lie over another is left out."""
    texts = [
        axes.annotate(name, (x, y), (4, 2), textcoords="offset points", fontsize=7)
        for task, (name, (x, y)) in enumerate(zip(session.tasks.names, frame.layout, strict=True))
        if task not in frame.diverged_tasks
    ]
    figure.draw_without_rendering()  # only now it is known where they stand
    taken: list[Any] = []
    for text in texts:
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)


def _legend(axes: Axes, colouring: Colouring) -> None:
    signs = [
        axes.scatter([], [], color=entry["colour"], marker=_MARKERS[entry["shape"]], s=28, label=entry["label"])
        for entry in colouring.entries[:_MOST_SIGNS]
    ]
    diverged_tasks = len(colouring.entries) - len(signs)
    title = colouring.name + (f" (and {diverged_tasks} more)" if diverged_tasks else "")
    axes.legend(
        handles=signs,
        title=title,
        frameon=False,
        fontsize=8,
        title_fontsize=8,
        ncols=min(len(signs), _SIGNS_A_ROW),
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        handletextpad=0.1,
        columnspacing=0.8,
    )


def _curves(axes: Axes, session: Session, shown: Frame, names: tuple[str, ...]) -> None:
    steps = [frame.step for frame in session.history]
    # The colours of the live curves.
    colours = {"loss": BLUE, "recall@1": VERMILLION, "spearman": GREEN, "purity": BLUE, "trustworthiness": PURPLE}
    dashes = {"recall@1": "-", "spearman": "--", "purity": "-.", "trustworthiness": ":"}
    for name in names:
        values = [frame.loss if name == "loss" else frame.diagnostics.get(name, np.nan) for frame in session.history]
        if name == "loss" or np.isfinite(values).any():
            axes.plot(steps, values, dashes.get(name, "-"), color=colours[name], label=name)
    for event in coalesced_events(session.events):
        axes.axvline(event.step, color=PURPLE, linestyle=":", linewidth=1)
    if shown is not session.frame:
        axes.axvline(shown.step, color=GREY, linewidth=1)
    axes.set(xlabel="step", ylim=(min(0.0, axes.get_ylim()[0]), None))
    if axes.lines and axes.get_legend_handles_labels()[0]:  # before the first step there may be no score at all
        axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
