"""One encoder applied to two inputs is a Siamese network, applied to three inputs a triplet network."""

from __future__ import annotations

from torch import Tensor, nn

# The vectors of the course's worked examples have three features; networks made without arguments take these.
COURSE_FEATURES = 3


def course_encoder() -> nn.Module:
    """The small encoder of the networks made without arguments: three features in, a point of the plane out."""
    return nn.Sequential(nn.Linear(COURSE_FEATURES, 32), nn.ReLU(), nn.Linear(32, 2))


class SiameseNetwork(nn.Module):
    """One encoder, applied to two inputs with the same weights (Bromley 1993).

        output1, output2 = f(x1), f(x2)

    The loss depends only on how far apart the two outputs are. By default the encoder takes the course's vectors of
    three features.

    Shapes: x1, x2 as the encoder takes them, (n, 3) by default -> two tensors (n, dim), (n, 2) by default.
    Worked number: equal inputs give equal outputs, at distance 0.
    """

    def __init__(self, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.encoder = course_encoder() if encoder is None else encoder

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        return self.encoder(x1), self.encoder(x2)


class TripletNetwork(nn.Module):
    """One encoder, applied to an anchor, a positive and a negative (Hoffer and Ailon 2015).

        f(anchor), f(positive), f(negative)

    Shapes: each as the encoder takes it, (n, 3) by default -> three tensors (n, dim), (n, 2) by default.
    Worked number: a positive equal to its anchor comes out at distance 0 from it.
    """

    def __init__(self, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.encoder = course_encoder() if encoder is None else encoder

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.encoder(anchor), self.encoder(positive), self.encoder(negative)
