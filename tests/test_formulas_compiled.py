"""torch.compile takes each formula as one graph: the checks that look at values step aside there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from taskembed_edu.distances import METRICS, cosine_similarity, pairwise_distances
from taskembed_edu.losses import (
    batch_triplet_loss,
    contrastive_loss,
    info_nce_loss,
    pairwise_contrastive_loss,
    triplet_loss,
)
from tests.test_distances import random_rows

ROWS, LABELS = random_rows(12, 3, dtype=torch.float32), torch.arange(12) % 3
FORMULAS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    **{name: lambda x, name=name: METRICS[name].distance(x, ROWS) for name in METRICS},
    **{f"{name} pairwise": lambda x, name=name: pairwise_distances(x, metric=name) for name in METRICS},
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
    values, gradients = [], []
    for function in (formula, compiled):
        x = (ROWS + 0.5).requires_grad_()
        values.append(function(x))
        gradients.append(torch.autograd.grad(values[-1].sum(), x)[0])
    assert torch.allclose(*values)
    assert torch.allclose(*gradients, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # likewise
def test_choosing_triplets_by_value_breaks_the_graph_and_no_more() -> None:
    compiled = torch.compile(batch_triplet_loss, backend="eager")
    assert torch.allclose(compiled(ROWS, LABELS, mining="hard"), batch_triplet_loss(ROWS, LABELS, mining="hard"))
