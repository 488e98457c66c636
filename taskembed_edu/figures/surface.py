"""The loss over the start as a picture: the surface, the tasks' optima and inner loops, the start, methods' ways."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.patheffects import AbstractPathEffect, withStroke

from taskembed_edu.base.checks import problem
from taskembed_edu.figures.captions import as_written, caption
from taskembed_edu.figures.colours import DARK, SURFACE, WAYS, colour_tasks, plain_colours
from taskembed_edu.figures.plots import Still
from taskembed_edu.session.surface import method_under, optima_of, surface_of, way_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from taskembed_edu.adaptation.surface import LossSurface
    from taskembed_edu.session.history import Frame
    from taskembed_edu.session.session import Session

Ways = Mapping[str, "NDArray[np.float32]"]

_LEVELS = 24
_LINE = 100  # letters in a line of the caption
_APART = 0.05  # of the height: how far apart the names of two ways stand
_INK = "#16202b"
_HALO: list[AbstractPathEffect] = [withStroke(linewidth=3, foreground="white")]


def surface_figure(
    session: Session, frame: int = -1, *, steps: int | None = None, ways: Ways | None = None, column: int | None = 0
) -> Still:
    """The mean query loss over the start after so many inner steps (None: the run's own), at a frame of the history.

    On it: the tasks' optima, in colours by `column` of their true parameters (None: one colour), the start with its
    way, the tasks' inner loops, and `ways` of methods where they are given (`session.surface.ways_of`).
    Errors: ValueError for a run whose learner has not two parameters.
    """
    shown = session.history[session.history.position(frame)]
    if method_under(session, shown.settings) is None:
        came = f"a run of the {session.embedder.name} embedder"
        cause = "AdaptationLab(learner='wave') makes one."
        raise ValueError(problem("session", came, "a run whose learner has two parameters", cause))
    figure = Still(figsize=(7.2, 4.8), layout="constrained", dpi=90)
    draw_surface(figure.add_subplot(), session, shown, steps=steps, ways=ways, column=column)
    figure.supxlabel(textwrap.fill(as_written(caption(session, shown)), _LINE), fontsize=7, color=DARK)
    return figure


def draw_surface(
    axes: Axes,
    session: Session,
    frame: Frame,
    *,
    steps: int | None = None,
    ways: Ways | None = None,
    column: int | None = 0,
) -> None:
    """Draw the surface at this frame, with all that lies on it; the run's learner has two parameters."""
    settings: Any = frame.settings
    steps = settings.inner_steps if steps is None else steps
    surface = surface_of(session, settings, sorted({0, steps}))
    assert surface is not None
    _ground(axes, surface, steps)
    optima, starts = optima_of(session), [one.start for one in session.history[: frame.index + 1]]
    assert optima is not None
    rgb = _colours(session, column)
    way = np.stack([start for start in starts if start is not None])
    arrows: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.002, "headwidth": 5}
    ends, here = np.delete(frame.embedding, frame.diverged_tasks, axis=0), way[-1]
    axes.quiver(*np.tile(here[:, None], len(ends)), *(ends - here).T, color=_INK, alpha=0.35, zorder=2, **arrows)
    axes.scatter(optima[:, 0], optima[:, 1], c=rgb, s=22, edgecolors="white", linewidths=0.6, zorder=3)
    lines = [(way_label(name), WAYS.get(name, _INK), places) for name, places in (ways or {}).items()]
    _lines(axes, [*lines, ("start", _INK, way)], _APART * float(surface.y[-1] - surface.y[0]))
    axes.scatter(here[0], here[1], marker="P", s=110, color=_INK, edgecolors="white", linewidths=1.2, zorder=6)
    axes.set(xlim=surface.x[[0, -1]], ylim=surface.y[[0, -1]])


def _ground(axes: Axes, surface: LossSurface, steps: int) -> None:
    """The losses, with lines of one height and their scale, whose roots are evenly spaced."""
    shown, before = surface.after(steps), surface.after(0)
    darkest = float(np.quantile(before[np.isfinite(before)], 0.8))
    lowest = float(np.nanmin(np.where(np.isfinite(shown), shown, np.nan)))
    levels = np.linspace(lowest**0.5, darkest**0.5, _LEVELS) ** 2
    scale = LinearSegmentedColormap.from_list("loss", list(SURFACE))
    losses = np.clip(np.nan_to_num(shown, nan=np.inf), None, 1.5 * darkest)
    norm = PowerNorm(0.5, vmin=lowest, vmax=darkest)
    ground = axes.contourf(surface.x, surface.y, losses, levels, cmap=scale, norm=norm, extend="both")
    axes.contour(surface.x, surface.y, losses, levels[::3], colors=_INK, linewidths=0.6, alpha=0.4)
    bar = axes.get_figure(root=False).colorbar(ground, ax=axes, label="loss", pad=0.02)  # type: ignore[union-attr]
    bar.set_ticks([round(float(level), 2) for level in levels[::4]])
    parts = {-np.pi: "−π", 0.0: "0", np.pi: "π", 2 * np.pi: "2π"}
    if surface.names[0] == "phase":
        axes.set_xticks(list(parts), list(parts.values()))
    after = "before any inner loop" if steps == 0 else f"after {steps} inner step{'s' if steps > 1 else ''}"
    axes.set_title(f"The loss over the start, {after}", fontsize=10)
    axes.set(xlabel=surface.names[0], ylabel=surface.names[1])


def _lines(axes: Axes, lines: Sequence[tuple[str, str, NDArray[np.float32]]], apart: float) -> None:
    """These ways, each with its name beside its end; names that would meet are moved up."""
    level = -np.inf
    for name, colour, places in sorted(lines, key=lambda line: float(line[2][-1, 1])):
        (line,) = axes.plot(*places.T, color=colour, linewidth=1.8, zorder=4)
        line.set_path_effects(_HALO)
        x, y = places[-1]
        level = max(float(y), level + apart)
        written = axes.annotate(name, (x, level), (9, 0), textcoords="offset points", color=colour, fontsize=8)
        written.set(path_effects=_HALO, zorder=7, fontweight="bold", va="center")


def _colours(session: Session, column: int | None) -> NDArray[np.floating[Any]]:
    tasks, family = session.tasks, session.split.validation
    if column is None or not tasks.truth_names:
        return plain_colours(len(tasks)).rgb / 255
    kind, name = family.truth_kinds[column], tasks.truth_names[column]
    return colour_tasks(tasks.truth[:, column].numpy(), name, kind, family.category_names(name)).rgb / 255
