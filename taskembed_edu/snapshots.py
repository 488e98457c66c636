"""The static picture of a session: its map and its curves, for pages without a kernel and for files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from taskembed_edu.colours import BLUE, GREEN, PURPLE, VERMILLION, colour_tasks
from taskembed_edu.plots import Still
from taskembed_edu.session import Session

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = ("o", "s", "^", "D")


def session_figure(session: Session, colour_by: str | None = None) -> Still:
    """The latest frame's map beside loss and scores over steps; `colour_by` names a true parameter (default: first).

    The figure belongs to nobody: pyplot does not know it, so it is safe from any thread.
    """
    figure = Still(figsize=(10, 4.6), layout="constrained", dpi=90)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.35, 1))
    _map(figure.add_subplot(grid[:, 0]), session, colour_by or session.tasks.truth_names[0])
    _curves(figure.add_subplot(grid[0, 1]), session, ("loss",))
    _curves(figure.add_subplot(grid[1, 1]), session, ("recall@1", "spearman", "trustworthiness"))
    return figure


def _map(axes: Axes, session: Session, colour_by: str) -> None:
    frame, tasks, family = session.frame, session.tasks, session.split.validation
    column = tasks.truth_names.index(colour_by)
    colouring = colour_tasks(tasks.truth[:, column].numpy(), colour_by, family.truth_kinds[column])
    for shape in np.unique(colouring.shapes):
        chosen = colouring.shapes == shape
        axes.scatter(
            frame.layout[chosen, 0],
            frame.layout[chosen, 1],
            c=colouring.rgb[chosen] / 255,
            marker=_MARKERS[shape],
            s=28,
            edgecolors="white",
            linewidths=0.4,
        )
    ends = " to ".join(entry["label"] for entry in (colouring.legend["entries"][0], colouring.legend["entries"][-1]))
    axes.set_title(f"{len(tasks)} tasks at step {frame.step} ({frame.projection.upper()}), colour: {colour_by} {ends}")
    axes.title.set_fontsize(10)
    axes.set(xticks=[], yticks=[], aspect="equal")


def _curves(axes: Axes, session: Session, names: tuple[str, ...]) -> None:
    steps = [frame.step for frame in session.history]
    # The colours of the live curves.
    colours = {"loss": BLUE, "recall@1": VERMILLION, "spearman": GREEN, "trustworthiness": PURPLE}
    for name, dash in zip(names, ("-", "--", ":"), strict=False):
        values = [frame.loss if name == "loss" else frame.diagnostics[name] for frame in session.history]
        axes.plot(steps, values, dash, color=colours[name], label=name)
    for event in session.events:
        axes.axvline(event.step, color=PURPLE, linestyle=":", linewidth=1)
    axes.set(xlabel="step", ylim=(min(0.0, axes.get_ylim()[0]), None))
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
