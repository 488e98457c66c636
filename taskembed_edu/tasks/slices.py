"""What tells the parts of a split apart: thin slices of a continuous task parameter, or things that are dealt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

Item = TypeVar("Item")

# The range of a continuous task parameter is cut into this many slices, and each slice belongs to one part of the
# split. The slices are thin, so every part covers the whole range, and no task of one part can occur in another.
N_SLICES = 1000


def uniform(n: int, rng: torch.Generator, part: tuple[int, ...] = ()) -> Tensor:
    """n numbers in [0, 1), uniform over all slices or over those of `part` only."""
    inside = torch.rand(n, generator=rng)
    if not part:
        return inside
    slices = torch.tensor(part)[torch.randint(len(part), (n,), generator=rng)]
    # A hundredth of each slice stays unused at both ends: rounding must not move a task into another part's slice.
    return (slices + 0.01 + 0.98 * inside) / N_SLICES


def split_slices(rng: torch.Generator) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """A random split of the slices of [0, 1): 80 % for training, 10 % for validation and 10 % never seen."""
    order = torch.randperm(N_SLICES, generator=rng).tolist()
    first, second = N_SLICES * 8 // 10, N_SLICES * 9 // 10
    return tuple(sorted(order[:first])), tuple(sorted(order[first:second])), tuple(sorted(order[second:]))


def deal(items: Sequence[Item]) -> tuple[tuple[Item, ...], tuple[Item, ...], tuple[Item, ...]]:
    """60 % of these things for training, 20 % for validation and 20 % never seen, in the order in which they come.

    Worked number: of 42 things, 25, 8 and 9.
    """
    first, second = len(items) * 6 // 10, len(items) * 8 // 10
    return tuple(items[:first]), tuple(items[first:second]), tuple(items[second:])
