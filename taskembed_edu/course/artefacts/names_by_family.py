"""Features of names where whole families of languages were held out: trained as `names.py` says (lesson 12)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from taskembed_edu.course.artefacts import Recipe
from taskembed_edu.course.artefacts.names import RECIPE as AT_RANDOM
from taskembed_edu.course.artefacts.names import train_names
from taskembed_edu.tasks.language_names import LanguageNames


def _train() -> Mapping[str, Tensor]:
    train = LanguageNames().split_by_family(torch.Generator().manual_seed(0)).train
    assert isinstance(train, LanguageNames)
    return train_names(train).network.state_dict()


RECIPE = Recipe(
    "features of names, learned by episodes without some families",
    _train,
    {**AT_RANDOM.settings, "held out": "families"},
)
