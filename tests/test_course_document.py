"""The course document's section 5, word for word, its dots filled in: it runs, and the loss falls.

And every public name is a name of the top level.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import optim
from torch.utils.data import DataLoader, TensorDataset

import taskembed_edu
from taskembed_edu import ContrastiveLoss, SiameseNetwork, TripletLoss, TripletNetwork

STUB = Path(taskembed_edu.__file__).with_name("__init__.pyi").read_text(encoding="utf-8")
PUBLIC = re.findall(r"^from \S+ import (\w+) as \1$", STUB, re.MULTILINE)


def two_classes(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of three features in two classes, whose difference hides in noise."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 2
    centres = torch.tensor([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]])
    return centres[labels] + 0.3 * torch.randn(n, 3, generator=rng), labels


def pairs() -> DataLoader[tuple[torch.Tensor, ...]]:
    x, y = two_classes(128)
    order = torch.randperm(128, generator=torch.Generator().manual_seed(1))
    return DataLoader(TensorDataset(x, x[order], (y == y[order]).float()), batch_size=16)


def triplets() -> DataLoader[tuple[torch.Tensor, ...]]:
    x, _y = two_classes(128)
    return DataLoader(TensorDataset(x, x.roll(2, 0), x.roll(1, 0)), batch_size=16)


@pytest.fixture(autouse=True)
def _a_known_start() -> None:
    torch.manual_seed(0)


def test_section_5_runs_to_a_falling_loss() -> None:
    dataloader, num_epochs, losses = pairs(), 15, []

    model = SiameseNetwork()
    criterion = ContrastiveLoss()
    optimizer = optim.Adam(model.parameters())
    for _epoch in range(num_epochs):
        total = 0.0
        for data in dataloader:
            x1, x2, label = data
            optimizer.zero_grad()
            output1, output2 = model(x1, x2)
            loss = criterion(output1, output2, label)
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total)

    assert criterion.margin == 1.0
    assert losses[-1] < 0.8 * losses[0]


def test_section_5_as_a_triplet_network() -> None:
    dataloader, num_epochs, losses = triplets(), 15, []

    model = TripletNetwork()
    criterion = TripletLoss()
    optimizer = optim.Adam(model.parameters())
    for _epoch in range(num_epochs):
        total = 0.0
        for data in dataloader:
            anchor, positive, negative = data
            optimizer.zero_grad()
            loss = criterion(*model(anchor, positive, negative))
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total)

    assert criterion.margin == 1.0
    assert losses[-1] < 0.8 * losses[0]


def test_the_documents_example_is_the_root_of_three() -> None:
    x, near, far = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[2.0, 3.0, 4.0]]), torch.tensor([[4.0, 5.0, 6.0]])
    loss = ContrastiveLoss()(torch.cat((x, x)), torch.cat((near, far)), torch.tensor([1.0, 0.0]))
    assert float(loss) == pytest.approx(3**0.5, rel=1e-6)


def test_the_list_of_public_names_was_read() -> None:
    assert {"SiameseNetwork", "ContrastiveLoss", "MetricLab", "Session", "LiveUMAP"} <= set(PUBLIC)
    assert len(PUBLIC) == len(set(PUBLIC)) == STUB.count(" import ")


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_can_be_imported_from_the_top(name: str) -> None:
    value = getattr(taskembed_edu, name)
    assert getattr(value, "__name__", name) == name
    assert name in dir(taskembed_edu)
    assert name in vars(taskembed_edu)["__all__"]
