"""Copies that share no memory with their original: a generator of random numbers, and what an optimiser remembers.

Floor 0: it handles tensors and imports nothing else of the package.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def copy_generator(rng: torch.Generator) -> torch.Generator:
    """A generator that goes on as this one does; neither moves the other."""
    twin = torch.Generator()
    twin.set_state(rng.get_state())
    return twin


def copy_moments(
    theirs: torch.optim.Optimizer, mine: torch.optim.Optimizer, pairs: Iterable[tuple[Tensor, Tensor]]
) -> None:
    """Give `mine` a copy of what `theirs` remembers of each weight: pairs of (their weight, my weight).

    Only this has to be copied: the learning rate is set at every step.
    """
    for their_weight, my_weight in pairs:
        kept = theirs.state.get(their_weight)
        if kept:
            copied = {name: value.clone() if isinstance(value, Tensor) else value for name, value in kept.items()}
            mine.state[my_weight] = copied
