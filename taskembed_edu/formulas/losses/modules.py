"""The losses as nn.Modules: each holds its settings and calls its function, whose docstring is the documentation.

Settings are checked in the constructor and again at every call, so a value that is changed later is checked too.
"""

from __future__ import annotations

import torch
from torch import nn

from taskembed_edu.formulas.losses.pairs import (
    balanced_contrastive_loss,
    contrastive_loss,
    pairwise_contrastive_loss,
)
from taskembed_edu.formulas.losses.softmax import info_nce_loss, prototypical_loss
from taskembed_edu.formulas.losses.terms import check_margin, check_settings, check_temperature
from taskembed_edu.formulas.losses.triplets import batch_triplet_loss, triplet_loss
from taskembed_edu.formulas.mining import check_pair_mining, check_triplet_mining


class _Loss(nn.Module):
    def extra_repr(self) -> str:
        """The settings, as `print(module)` shows them."""
        settings = {k: v for k, v in vars(self).items() if not k.startswith("_") and k != "training"}
        return ", ".join(f"{name}={value!r}" for name, value in settings.items())


class ContrastiveLoss(_Loss):
    """`contrastive_loss` with its settings held.

    >>> criterion = ContrastiveLoss(margin=1.0)
    >>> criterion(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[2.0, 3.0, 4.0]]), torch.tensor([1]))
    tensor(1.7321)
    """

    def __init__(
        self, margin: float = 1.0, metric: str = "euclidean", squared: bool = False, reduction: str = "sum"
    ) -> None:
        super().__init__()
        check_settings(metric, reduction)
        check_margin(margin, metric)
        self.margin, self.metric, self.squared, self.reduction = margin, metric, squared, reduction

    def forward(self, output1: torch.Tensor, output2: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """The loss of the pairs (output1, output2), label 1 meaning similar."""
        return contrastive_loss(output1, output2, label, self.margin, self.metric, self.squared, self.reduction)


class PairwiseContrastiveLoss(_Loss):
    """`pairwise_contrastive_loss` with its settings held."""

    def __init__(
        self,
        margin: float = 1.0,
        metric: str = "euclidean",
        squared: bool = False,
        mining: str = "all",
        reduction: str = "sum",
    ) -> None:
        super().__init__()
        check_settings(metric, reduction)
        check_margin(margin, metric)
        check_pair_mining(mining)
        self.margin, self.metric, self.squared, self.mining, self.reduction = margin, metric, squared, mining, reduction

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of the pairs of the batch."""
        return pairwise_contrastive_loss(
            embeddings, labels, self.margin, self.metric, self.squared, self.mining, self.reduction
        )


class BalancedContrastiveLoss(_Loss):
    """`balanced_contrastive_loss` with its settings held."""

    def __init__(
        self, margin: float = 1.0, metric: str = "euclidean", squared: bool = False, mining: str = "all"
    ) -> None:
        super().__init__()
        check_settings(metric, "mean")
        check_margin(margin, metric)
        check_pair_mining(mining)
        self.margin, self.metric, self.squared, self.mining = margin, metric, squared, mining

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of the pairs of the batch."""
        return balanced_contrastive_loss(embeddings, labels, self.margin, self.metric, self.squared, self.mining)


class TripletLoss(_Loss):
    """`triplet_loss` with its settings held."""

    def __init__(self, margin: float = 1.0, metric: str = "euclidean", reduction: str = "sum") -> None:
        super().__init__()
        check_settings(metric, reduction)
        check_margin(margin, metric)
        self.margin, self.metric, self.reduction = margin, metric, reduction

    def forward(self, anchor: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor) -> torch.Tensor:
        """The loss of the triplets."""
        return triplet_loss(anchor, positive, negative, self.margin, self.metric, self.reduction)


class BatchTripletLoss(_Loss):
    """`batch_triplet_loss` with its settings held."""

    def __init__(
        self, margin: float = 1.0, metric: str = "euclidean", mining: str = "all", reduction: str = "sum"
    ) -> None:
        super().__init__()
        check_settings(metric, reduction)
        check_margin(margin, metric)
        check_triplet_mining(mining)
        self.margin, self.metric, self.mining, self.reduction = margin, metric, mining, reduction

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of the triplets of the batch."""
        return batch_triplet_loss(embeddings, labels, self.margin, self.metric, self.mining, self.reduction)


class InfoNCELoss(_Loss):
    """`info_nce_loss` with its settings held."""

    def __init__(self, temperature: float = 0.1, metric: str = "cosine", reduction: str = "mean") -> None:
        super().__init__()
        check_settings(metric, reduction)
        check_temperature(temperature)
        self.temperature, self.metric, self.reduction = temperature, metric, reduction

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of the batch."""
        return info_nce_loss(embeddings, labels, self.temperature, self.metric, self.reduction)


class PrototypicalLoss(_Loss):
    """`prototypical_loss` with its settings held."""

    def __init__(self, metric: str = "squared_euclidean", reduction: str = "mean") -> None:
        super().__init__()
        check_settings(metric, reduction)
        self.metric, self.reduction = metric, reduction

    def forward(
        self, support: torch.Tensor, support_labels: torch.Tensor, query: torch.Tensor, query_labels: torch.Tensor
    ) -> torch.Tensor:
        """The loss of the episode."""
        return prototypical_loss(support, support_labels, query, query_labels, self.metric, self.reduction)
