"""MetricLab: watch a space of tasks organise itself while you move the margin and switch the distance."""

from __future__ import annotations

from typing import Any, ClassVar

from taskembed_edu.labs.session_lab import SessionLab


class MetricLab(SessionLab):
    """The live lab of the metric-based embedder. One object has three uses.

    Displayed in a notebook it is a panel: the map of the task space with its history, settings that may be changed
    while training runs, loss and scores, and a second run beside the first when branched. In a script it is a session:
    `lab.session.step(200)`. And `lab.picture()` is the static picture for a page without a kernel.

    Any setting can be given by name: `MetricLab(family="digits", loss="triplet", margin=0.5, seed=1)`.
    Errors: ValueError for an unknown setting, or a value beyond its range; RuntimeError for device="cuda" without one.

    >>> MetricLab(family="gaussians")
    MetricLab(gaussians, contrastive loss, euclidean distance, margin 1: step 0, 200 tasks)
    """

    embedder: ClassVar[str] = "metric"
    title: ClassVar[str] = "Metric-based task embedding"
    main: ClassVar[tuple[str, ...]] = ("family", "loss", "metric", "margin", "learning_rate", "n_shot", "projection")

    def about(self, values: dict[str, Any]) -> str:
        family, loss, metric = values["family"], values["loss"], values["metric"]
        return f"{family}, {loss} loss, {metric} distance, margin {values['margin']:g}"
