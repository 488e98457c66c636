"""What families of classes share, on cases that can be counted by hand."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
import torch

from taskembed_edu.tasks.classes import draw_classes, first_of_each_class, labels_in_order
from taskembed_edu.tasks.slices import deal


def test_each_choice_of_classes_of_a_group_is_as_likely() -> None:
    groups, rng = ((3, 5, 0, 9), (7, 8)), torch.Generator().manual_seed(0)
    which = torch.tensor([0, 1]).repeat(3000)
    found = draw_classes(groups, which, 2, rng)
    assert {tuple(row) for row in found[1::2].tolist()} == {(7, 8)}
    counts = Counter(map(tuple, found[::2].tolist()))
    assert set(counts) == set(combinations(sorted(groups[0]), 2))
    assert all(abs(count - 500) < 100 for count in counts.values())  # 5 standard deviations


def test_labels_name_samples_class_by_class() -> None:
    assert labels_in_order(2, 3, 2).tolist() == [[0, 0, 1, 1, 2, 2]] * 2


@pytest.mark.parametrize("most, each", [(9, 3), (8, 2), (2, 1), (100, 5)])
def test_a_card_shows_as_many_samples_of_each_class(most: int, each: int) -> None:
    x = torch.arange(2 * 15).view(2, 15)
    expected = [[task * 15 + 5 * k + i for k in range(3) for i in range(each)] for task in range(2)]
    assert first_of_each_class(x, 3, most).tolist() == expected


@pytest.mark.parametrize("n, sizes", [(42, (25, 8, 9)), (10, (6, 2, 2)), (1, (0, 0, 1))])
def test_things_are_dealt_in_their_order_and_none_is_lost(n: int, sizes: tuple[int, ...]) -> None:
    parts = deal(range(n))
    assert tuple(map(len, parts)) == sizes
    assert [thing for part in parts for thing in part] == list(range(n))
