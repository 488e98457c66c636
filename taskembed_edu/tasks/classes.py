"""What families of classes share: which classes a task takes, its labels, and what a card shows of each class."""

from __future__ import annotations

import functools

import torch
from torch import Tensor


def draw_classes(groups: tuple[tuple[int, ...], ...], which: Tensor, n_way: int, rng: torch.Generator) -> Tensor:
    """n_way different classes of a group for each task, ascending: (n_tasks, n_way).

    `groups` are the classes of each group, n_way of them at least; `which` (n_tasks,) says whose a task takes. Worked
    number: of the groups (3, 5) and (7, 8, 9), a task of the first group with two classes has 3 and 5.
    """
    pool, sizes = _padded(groups)
    lottery = torch.rand(len(which), pool.shape[1], generator=rng)
    lottery = lottery.masked_fill_(torch.arange(pool.shape[1]) >= sizes[which].unsqueeze(1), -1.0)
    return pool[which].gather(1, lottery.topk(n_way).indices).sort(dim=1).values


@functools.lru_cache(maxsize=32)
def _padded(groups: tuple[tuple[int, ...], ...]) -> tuple[Tensor, Tensor]:
    """The classes of each group in a row, filled up with 0, and how many there are."""
    rows = [torch.tensor(classes) for classes in groups]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])


def labels_in_order(n_tasks: int, n_way: int, n_shot: int) -> Tensor:
    """The labels of samples that come class by class: (n_tasks, n_way * n_shot), 0 n_shot times, then 1, and so on."""
    return torch.arange(n_way).repeat_interleave(n_shot).expand(n_tasks, -1).contiguous()


def first_of_each_class(x: Tensor, n_way: int, most: int) -> Tensor:
    """At most `most` of each task's samples (n_tasks, n_way * n_shot, ...): as many of each class, its first ones.

    At least one of each. Worked number: of 3 classes of 5 samples, with 9 at most, the first three of each class.
    """
    n_each = max(1, min(most // n_way, x.shape[1] // n_way))
    return x.unflatten(1, (n_way, -1))[:, :, :n_each].flatten(1, 2)
