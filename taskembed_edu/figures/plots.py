"""Functions from numbers to figures: plotly for interactive ones, matplotlib for those that must show everywhere.

Nothing here trains, embeds or keeps a state, and nothing uses pyplot: only the caller holds the figure.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import torch
from matplotlib.figure import Figure

from taskembed_edu.base.checks import check_choice, check_number, problem
from taskembed_edu.figures.colours import BLUE, GREEN, GREY, VERMILLION
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.formulas.losses import contrastive_loss

# The curves of a loss figure: name, label of the pair, squared or not, colour, dash.
LONGEST_DISTANCE = 6.0
CURVES = (
    ("similar, linear", 1, False, GREEN, "solid"),
    ("different, linear", 0, False, VERMILLION, "solid"),
    ("similar, squared", 1, True, GREEN, "dash"),
    ("different, squared", 0, True, VERMILLION, "dash"),
)


class Still(Figure):
    """A matplotlib figure that a notebook shows as a picture, with no pyplot and no backend.

    As a cell's output its text is `<Still size 900x500 with 1 Axes>`: short, and the same on every machine.
    """

    def _repr_png_(self) -> bytes:
        memory = io.BytesIO()
        self.savefig(memory, format="png")
        return memory.getvalue()


def loss_surface_figure(
    margin: float = 1.0,
    metric: str = "euclidean",
    margins: Sequence[float] | None = None,
    marks: Mapping[str, float] | None = None,
) -> go.Figure:
    r"""The contrastive loss of one pair against its distance, with a slider for the margin.

    Four curves, in this order: the similar and the different pair in the linear form, d and max(0, m - d), then both
    in Hadsell's, d^2 / 2 and max(0, m - d)^2 / 2. The values are those of `contrastive_loss`. Only the curves of the
    different pair depend on the margin. The metric sets the end of the axis: 2, the largest distance, for the cosine,
    else 6.

    `margins` are the stops of the slider (default: every 0.5, or every 0.1 if the axis ends at 2 or less); the slider
    starts at the stop nearest to `margin`. `marks` maps names to distances that are marked on the axis.

    Source: Hadsell, Chopra and LeCun 2006, equation 4; the linear form is the course's.

    >>> figure = loss_surface_figure(margin=4.0)
    >>> [trace.name for trace in figure.data]
    ['similar, linear', 'different, linear', 'similar, squared', 'different, squared']
    >>> [float(trace.y[30]) for trace in figure.data]  # at distance 3
    [3.0, 1.0, 4.5, 0.5]
    """
    check_choice("metric", metric, METRICS)
    end = min(LONGEST_DISTANCE, METRICS[metric].largest)
    step = 0.5 if end > 2.0 else 0.1
    stops = [round(step * k, 1) for k in range(round(end / step) + 1)] if margins is None else sorted(margins)
    if not stops:
        raise ValueError(problem("margins", "no stop", "one margin or more"))
    for stop in (margin, *stops):
        check_number("margin", stop, 0.0, end, f"A margin is a distance, and this axis ends at {end:g}.")
    first = min(range(len(stops)), key=lambda k: abs(stops[k] - margin))
    distances = [round(end * k / 60, 4) for k in range(61)]
    figure = go.Figure()
    for name, label, squared, colour, dash in CURVES:
        y = _terms(distances, label, stops[first], squared)
        hover = f"{name}: %{{y:.4f}}<extra></extra>"
        line = {"color": colour, "dash": dash, "width": 3}
        figure.add_scatter(x=distances, y=y, name=name, mode="lines", line=line, hovertemplate=hover)
    figure.update_layout(_plain_layout(f"{METRICS[metric].label} distance of the pair", "term of the loss", end))
    sliders = [_margin_slider(stops, first, distances)]
    figure.update_layout(shapes=[_upright(stops[first], BLUE, "dot")], sliders=sliders)
    for text, distance in (marks or {}).items():
        figure.add_shape(_upright(distance, GREY, "solid", to=0.93))
        figure.add_annotation(x=distance, y=0.94, yref="paper", text=text, showarrow=False, yanchor="bottom")
    return figure


def _terms(distances: Sequence[float], label: int, margin: float, squared: bool) -> list[float]:
    """The contrastive loss of the pairs (0, d), rounded to keep the figure's data small."""
    apart = torch.tensor(distances, dtype=torch.float64)[:, None]
    labels = torch.full((len(distances),), label)
    terms = contrastive_loss(torch.zeros_like(apart), apart, labels, margin, squared=squared, reduction="none")
    return [round(term, 4) for term in terms.tolist()]


def _margin_slider(stops: Sequence[float], first: int, distances: Sequence[float]) -> dict[str, Any]:
    """One stop for each margin: it redraws the two curves of the different pair and moves the margin's line."""
    steps = []
    for stop in stops:
        curves = {"y": [_terms(distances, 0, stop, squared) for squared in (False, True)]}
        line = {"shapes[0].x0": stop, "shapes[0].x1": stop}
        steps.append({"label": f"{stop:g}", "method": "update", "args": [curves, line, [1, 3]]})
    current = {"prefix": "margin ", "font": {"size": 18}}
    return {"active": first, "steps": steps, "currentvalue": current, "pad": {"t": 65}, "tickcolor": GREY}


def _upright(x: float, colour: str, dash: str, to: float = 1.0) -> dict[str, Any]:
    line = {"color": colour, "dash": dash, "width": 2}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": to, "yref": "paper", "line": line}


def _plain_layout(x_title: str, y_title: str, end: float) -> dict[str, Any]:
    """No background and grey text: readable on JupyterLab's light theme and on its dark one."""
    axis = {"gridcolor": "rgba(128,128,128,0.25)", "zerolinecolor": GREY, "title": {"font": {"size": 16}}}
    return {
        "template": None,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": GREY, "size": 14},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "#ffffff", "font": {"color": "#1f2328"}},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 60, "r": 20, "t": 50, "b": 20},
        "height": 540,
        "xaxis": {**axis, "title": {"text": x_title}, "range": [0, end]},
        "yaxis": {**axis, "title": {"text": y_title}, "range": [0, end * 1.02]},
    }
