"""What all losses share: the checks of their settings, and the reduction of their terms to one number."""

from __future__ import annotations

from math import isfinite

import torch

from taskembed_edu.base.checks import check_choice, check_number, problem
from taskembed_edu.formulas._vectors import Vectors, as_labels, as_vectors, check_rows
from taskembed_edu.formulas.distances import METRICS, check_metric_accepts

REDUCTIONS = ("sum", "mean", "none")


def check_settings(metric: str, reduction: str) -> None:
    """Raise, naming the nearest known one, for an unknown metric or reduction."""
    check_choice("metric", metric, METRICS)
    check_choice("reduction", reduction, REDUCTIONS)


def check_margin(margin: float, metric: str) -> None:
    """Raise for a margin that is negative, or beyond the largest distance that the metric has."""
    largest = METRICS[metric].largest
    if isfinite(largest):
        cause = f"A margin is a distance, and the {METRICS[metric].label.lower()} distance ends at {largest:g}."
        check_number("margin", margin, 0.0, largest, cause)
    else:
        check_number("margin", margin, 0.0, None, "A margin is a distance.")


def check_temperature(temperature: float) -> None:
    """Raise unless the temperature is a number above zero."""
    cause = "Distances are divided by the temperature."
    if check_number("temperature", temperature, 0.0, None, cause) == 0:
        raise ValueError(problem("temperature", temperature, "a number above 0", cause))


def as_labelled_batch(embeddings: Vectors, labels: Vectors, metric: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The batch (n, dim) and its class labels (n,), checked."""
    (embeddings,) = as_vectors(embeddings=embeddings)
    check_rows(embeddings=embeddings)
    check_metric_accepts(metric, embeddings=embeddings)
    return embeddings, as_labels("labels", labels, embeddings, "embeddings")


def reduce_terms(terms: torch.Tensor, reduction: str, chosen: torch.Tensor | None = None) -> torch.Tensor:
    """The terms, their sum, or their mean; with `chosen` (a mask of the same shape), of the chosen terms only."""
    if reduction == "none":
        return terms if chosen is None else terms[chosen]
    total = terms.sum() if chosen is None else (terms * chosen).sum()
    if reduction == "sum":
        return total
    return total / (max(terms.numel(), 1) if chosen is None else chosen.sum().clamp(min=1))
