"""Generalisation and cost as curves with bands, legible from the last seat at 1280x720."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taskembed_edu.base.checks import check_choice
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.evaluation.challenges import Cost, Curve
from taskembed_edu.figures.plots import Still
from taskembed_edu.figures.rows import curves_figure

_PRICES = {"steps": "steps", "seconds": "seconds of training", "tasks": "tasks seen", "MB": "MB in training"}


@short_errors
def shift_figure(curves: Mapping[str, Curve], x_label: str, y_label: str, *, log_y: bool = False) -> Still:
    """What `shift_curve` found: `x_label` says what is shifted, `y_label` what is measured.

    `log_y` for losses of which one diverges. Errors: as `curves_figure`.
    """
    panels = {y_label: {name: curve.line for name, curve in curves.items()}}
    return curves_figure(panels, x_label, log_y=log_y)


@short_errors
def cost_figure(
    costs: Mapping[str, Cost], y_label: str, prices: Sequence[str] = ("seconds", "tasks", "MB"), *, log_y: bool = False
) -> Still:
    """What `cost_curve` found: the same quality over each price, in a panel of its own. In MB it is one point.

    Errors: ValueError for an unknown price; as `curves_figure`.
    """
    for price in prices:
        check_choice("price", price, _PRICES)
    panels = {
        f"{y_label} by {price}": {name: cost.against(price).line for name, cost in costs.items()} for price in prices
    }
    return curves_figure(panels, [_PRICES[price] for price in prices], log_y=log_y)
