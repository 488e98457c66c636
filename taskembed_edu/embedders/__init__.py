"""Embedders: tasks in, vectors out, one contract. `EMBEDDERS` names them all."""

from __future__ import annotations

from typing import Any

from taskembed_edu.checks import check_choice
from taskembed_edu.embedders.base import Embedder, EmbedderState, FittedEmbedder, StepRecord, chosen_device, device_name
from taskembed_edu.embedders.metric import MetricEmbedder, MetricSettings, MetricState

EMBEDDERS: dict[str, type[Embedder[Any, Any]]] = {embedder.name: embedder for embedder in (MetricEmbedder,)}


def task_embedder(name: str) -> Embedder[Any, Any]:
    """The embedder of this name; a ValueError names the nearest known one."""
    return EMBEDDERS[check_choice("embedder", name, EMBEDDERS)]()


__all__ = [
    "EMBEDDERS",
    "Embedder",
    "EmbedderState",
    "FittedEmbedder",
    "MetricEmbedder",
    "MetricSettings",
    "MetricState",
    "StepRecord",
    "chosen_device",
    "device_name",
    "task_embedder",
]
