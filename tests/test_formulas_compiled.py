"""torch.compile takes each formula as one graph: the checks that look at values step aside there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch

from taskembed_edu.formulas.distances import METRICS, cosine_similarity, pairwise_distances
from taskembed_edu.formulas.losses import (
    batch_triplet_loss,
    contrastive_loss,
    info_nce_loss,
    pairwise_contrastive_loss,
    triplet_loss,
)
from tests.test_distances import random_rows

ROWS, LABELS = random_rows(12, 3, dtype=torch.float32), torch.arange(12) % 3
Formula = Callable[[torch.Tensor], torch.Tensor]
FORMULAS: dict[str, Formula] = {
    **{name: partial(metric.distance, ROWS) for name, metric in METRICS.items()},
    **{f"{name} pairwise": partial(pairwise_distances, metric=name) for name in METRICS},
    "cosine similarity": lambda x: cosine_similarity(x, ROWS),
    "contrastive": lambda x: contrastive_loss(x, ROWS.flip(0), LABELS % 2),
    "triplet": lambda x: triplet_loss(x, ROWS.flip(0), ROWS.roll(1)),
    "pairwise contrastive": lambda x: pairwise_contrastive_loss(x, LABELS),
    "InfoNCE": lambda x: info_nce_loss(x, LABELS),
}


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # raised by torch.compile itself
@pytest.mark.parametrize("name", FORMULAS)
def test_one_graph_with_the_same_value_and_gradient(name: str) -> None:
    formula = FORMULAS[name]
    compiled = torch.compile(formula, backend="eager", fullgraph=True)

    def value_and_gradient(function: Formula) -> tuple[torch.Tensor, torch.Tensor]:
        x = (ROWS + 0.5).requires_grad_()
        value = function(x)
        return value.detach(), torch.autograd.grad(value.sum(), x)[0]

    for ours, expected in zip(value_and_gradient(compiled), value_and_gradient(formula), strict=True):
        assert torch.allclose(ours, expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # likewise
def test_choosing_triplets_by_value_breaks_the_graph_and_no_more() -> None:
    compiled = torch.compile(batch_triplet_loss, backend="eager")
    assert torch.allclose(compiled(ROWS, LABELS, mining="hard"), batch_triplet_loss(ROWS, LABELS, mining="hard"))
