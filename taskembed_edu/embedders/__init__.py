"""Embedders: tasks in, vectors out, one contract. `EMBEDDERS` names them all."""

from __future__ import annotations

from typing import Any

from taskembed_edu.base.checks import check_choice
from taskembed_edu.embedders.adapted import AdaptedEmbedder, AdaptedSettings
from taskembed_edu.embedders.base import Embedder, EmbedderState, FittedEmbedder, StepRecord, chosen_device, device_name
from taskembed_edu.embedders.context import ContextEmbedder, ContextSettings
from taskembed_edu.embedders.fisher import FisherEmbedder, FisherSettings, FisherState
from taskembed_edu.embedders.meta import MetaState
from taskembed_edu.embedders.metric import MetricEmbedder, MetricSettings, MetricState
from taskembed_edu.embedders.parameter_settings import ParameterSettings
from taskembed_edu.embedders.parameters import ParameterEmbedder, ParameterState
from taskembed_edu.embedders.summary import SummaryEmbedder, SummarySettings, SummaryState

EMBEDDERS: dict[str, type[Embedder[Any, Any]]] = {
    embedder.name: embedder
    for embedder in (
        MetricEmbedder,
        ParameterEmbedder,
        FisherEmbedder,
        ContextEmbedder,
        AdaptedEmbedder,
        SummaryEmbedder,
    )
}


def task_embedder(name: str) -> Embedder[Any, Any]:
    """The embedder of this name; a ValueError names the nearest known one."""
    return EMBEDDERS[check_choice("embedder", name, EMBEDDERS)]()


__all__ = [
    "EMBEDDERS",
    "AdaptedEmbedder",
    "AdaptedSettings",
    "ContextEmbedder",
    "ContextSettings",
    "Embedder",
    "EmbedderState",
    "FisherEmbedder",
    "FisherSettings",
    "FisherState",
    "FittedEmbedder",
    "MetaState",
    "MetricEmbedder",
    "MetricSettings",
    "MetricState",
    "ParameterEmbedder",
    "ParameterSettings",
    "ParameterState",
    "StepRecord",
    "SummaryEmbedder",
    "SummarySettings",
    "SummaryState",
    "chosen_device",
    "device_name",
    "task_embedder",
]
