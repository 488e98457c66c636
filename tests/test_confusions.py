"""Confusions against plain loops, and their picture: it shows what was counted, and says what it cannot draw."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu import Gaussians, Sinusoids
from taskembed_edu.evaluation.confusions import Confusions, confusions
from taskembed_edu.evaluation.solvers import Prototypes
from taskembed_edu.evaluation.transfer import support_only
from taskembed_edu.figures.confusions import confusion_figure
from taskembed_edu.figures.pictures import pictures_figure
from tests.runs import generator

TASKS = Gaussians().sample(40, 1, rng=generator(0), n_query=4)
# What the labels of each task stand for: three of seven letters.
CLASSES = torch.stack([10 + torch.randperm(7, generator=generator(k))[: TASKS.n_way] for k in range(40)])
SOLVER = Prototypes(lambda x: x)
COUNTS = Confusions(
    torch.tensor([3, 5, 8]),
    torch.tensor([[8, 2, 0], [1, 9, 0], [0, 0, 5]]),
    torch.tensor([[10, 10, 4], [10, 10, 0], [4, 0, 5]]),
)
PICTURES = torch.rand(3, 1, 28, 28, generator=generator(1))


def test_counts_are_those_of_plain_loops() -> None:
    found = confusions(SOLVER, TASKS, CLASSES)
    answers = SOLVER.solve(support_only(TASKS), [0])[0](TASKS.query_x, TASKS.query_y).argmax(-1)
    taken: Counter[tuple[int, int]] = Counter()
    met: Counter[tuple[int, int]] = Counter()
    for task in range(40):
        letters = CLASSES[task].tolist()
        for label, answer in zip(TASKS.query_y[task].tolist(), answers[task].tolist(), strict=True):
            taken[letters[label], letters[answer]] += 1
            met.update((letters[label], other) for other in letters)
    names = found.classes.tolist()
    assert names == sorted({*CLASSES.flatten().tolist()})
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            assert (int(found.taken[i, j]), int(found.met[i, j])) == (taken[one, other], met[one, other])
    assert int(found.taken.sum()) == TASKS.query_y.numel()
    right = sum(count for (one, other), count in taken.items() if one == other)
    assert int(found.taken.trace()) == right


def test_what_is_padded_counts_nothing() -> None:
    mask = torch.rand(TASKS.query_y.shape, generator=generator(3)) < 0.5
    found = confusions(SOLVER, dataclasses.replace(TASKS, query_mask=mask), CLASSES)
    assert int(found.taken.sum()) == int(mask.sum())
    assert int(found.met.diagonal().sum()) == int(mask.sum())


def test_pairs_come_by_their_share_and_never_met_is_none() -> None:
    assert COUNTS.pairs() == [(0, 1), (1, 0)]
    assert COUNTS.shares[0].tolist() == pytest.approx([0.8, 0.2, 0.0])
    assert COUNTS.shares[1, 2].isnan()
    few = COUNTS.of([2, 0])
    assert (few.classes.tolist(), few.taken.tolist(), few.met.tolist()) == ([8, 3], [[5, 0], [0, 8]], [[5, 4], [4, 10]])


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ((None, TASKS, CLASSES), TypeError, "solver: got None"),
        ((SOLVER, None, CLASSES), ValueError, "tasks: got None"),
        ((SOLVER, TASKS[:0], CLASSES[:0]), ValueError, "at least one new task"),
        ((SOLVER, TASKS, CLASSES.tolist()), TypeError, "classes: got a list"),
        ((SOLVER, TASKS, CLASSES.float()), ValueError, r"classes: got .*float32"),
        ((SOLVER, TASKS, CLASSES[:3]), ValueError, r"classes: got .* expected whole numbers, \(40, "),
        ((SOLVER, TASKS, CLASSES, -1), ValueError, "step: got -1"),
        ((SOLVER, Sinusoids().sample(2, 2, rng=generator(0)), CLASSES), ValueError, "query_y: got"),
    ],
)
def test_what_cannot_be_counted_is_refused(arguments: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        confusions(*arguments)


# ---- the picture -----------------------------------------------------------------------------------------------------


def test_the_picture_shows_shares_and_letters() -> None:
    figure = confusion_figure(COUNTS, PICTURES, title="$ is no formula")
    figure.draw_without_rendering()
    table, pairs = figure.axes
    words = [text.get_text() for text in table.texts]
    assert words == ["80", "20", "10", "90", "100"], "no share is drawn where two never met, or of 0"
    assert len(table.images) == 6, "a picture for each row and for each column"
    assert [text.get_text() for text in pairs.texts if text.get_text()] == ["20 %", "10 %"]
    assert len(pairs.images) == 4
    assert np.array_equal(np.asarray(table.images[0].get_array()), PICTURES[0, 0].numpy())


def test_the_most_often_confused_are_drawn_first_and_no_more_than_asked() -> None:
    swapped = COUNTS.of([2, 1, 0])
    table = confusion_figure(swapped, PICTURES, most=2).axes[0]
    assert len(table.images) == 4
    assert np.array_equal(np.asarray(table.images[0].get_array()), PICTURES[2, 0].numpy())


def test_nothing_confused_is_said() -> None:
    sure = Confusions(COUNTS.classes, torch.diag(torch.tensor([3, 4, 5])), COUNTS.met)
    assert confusion_figure(sure, PICTURES).axes[1].get_title() == "nothing was confused"


@pytest.mark.parametrize(
    ("pictures", "error", "says"),
    [
        (None, TypeError, "pictures: got a NoneType, expected pictures in a tensor"),
        (PICTURES[:2], ValueError, r"pictures: got .* expected \(3, height, width\)"),
        (PICTURES.flatten(1), ValueError, "pictures: got"),
        (PICTURES[:0], ValueError, "pictures: got"),
    ],
)
def test_what_cannot_be_drawn_is_refused(pictures: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        confusion_figure(COUNTS, pictures)
    with pytest.raises(ValueError, match="most: got 1"):
        confusion_figure(COUNTS, PICTURES, most=1)
    with pytest.raises(TypeError, match="counts: got"):
        confusion_figure(None, PICTURES)  # type: ignore[arg-type]


def test_rows_of_pictures_are_drawn_by_their_names() -> None:
    figure = pictures_figure({"support": PICTURES, "one $ query": PICTURES[:1, 0]})
    figure.draw_without_rendering()
    assert [len(panel.images) for panel in figure.axes] == [3, 1]
    assert [panel.get_title("left") for panel in figure.axes] == ["support", r"one \$ query"]
    assert np.array_equal(np.asarray(figure.axes[1].images[0].get_array()), PICTURES[0, 0].numpy())


@pytest.mark.parametrize(
    ("rows", "error", "says"),
    [
        (None, TypeError, "rows: got a NoneType, expected pictures by the name"),
        ({}, ValueError, "rows: got none"),
        ({"support": None}, TypeError, "row support: got a NoneType"),
        ({"support": PICTURES[0, 0]}, ValueError, "row support: got a tensor"),
        ({"support": torch.zeros(31, 2, 2)}, ValueError, "rows: got 31 pictures in a row, expected at most 30"),
    ],
)
def test_rows_that_are_none_are_refused(rows: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        pictures_figure(rows)
