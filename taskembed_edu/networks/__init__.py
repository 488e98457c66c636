"""Networks: encoders (a task or a sample becomes a vector) and their Siamese and triplet faces."""

from __future__ import annotations

from taskembed_edu.networks.encoders import (
    CurveFeatures,
    FourierFeatures,
    ImageFeatures,
    LabelledFeatures,
    PlainFeatures,
    SetEncoder,
    set_encoder,
)
from taskembed_edu.networks.siamese import SiameseNetwork, TripletNetwork

__all__ = [
    "CurveFeatures",
    "FourierFeatures",
    "ImageFeatures",
    "LabelledFeatures",
    "PlainFeatures",
    "SetEncoder",
    "SiameseNetwork",
    "TripletNetwork",
    "set_encoder",
]
