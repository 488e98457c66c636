"""Networks: encoders (from a task or a sample to a vector), Siamese and triplet networks, and learners of one task."""

from __future__ import annotations

from taskembed_edu.networks.encoders import (
    CurveFeatures,
    FourierFeatures,
    ImageFeatures,
    LabelledFeatures,
    PlainFeatures,
    SampleEncoder,
    SetEncoder,
    set_encoder,
)
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.networks.functions import function_distance, outputs_at
from taskembed_edu.networks.learners import (
    MLP,
    ConvNet,
    Learner,
    Parameters,
    flatten,
    stack,
    unflatten,
)
from taskembed_edu.networks.recurrent import GRU, LSTM
from taskembed_edu.networks.siamese import SiameseNetwork, TripletNetwork
from taskembed_edu.networks.symmetries import (
    Matched,
    MatchedStack,
    flip_signs,
    match_all,
    match_weights,
    permute_units,
    rescale_units,
)

__all__ = [
    "GRU",
    "LSTM",
    "MLP",
    "ConvNet",
    "CurveFeatures",
    "FourierFeatures",
    "ImageFeatures",
    "LabelledFeatures",
    "Learner",
    "Matched",
    "MatchedStack",
    "Parameters",
    "PlainFeatures",
    "SampleEncoder",
    "SetEncoder",
    "SiameseNetwork",
    "TripletNetwork",
    "flatten",
    "flip_signs",
    "function_distance",
    "match_all",
    "match_weights",
    "outputs_at",
    "permute_units",
    "rescale_units",
    "set_encoder",
    "stack",
    "task_learner",
    "unflatten",
]
