"""The published Omniglot, where this machine has its files: the family says what they hold, the protocol is theirs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from taskembed_edu import Omniglot, omniglot_challenge
from taskembed_edu.tasks import omniglot
from taskembed_edu.tasks.omniglot import MINIMAL
from taskembed_edu.tasks.omniglot_runs import drawn_runs

pytestmark = pytest.mark.data


def test_the_published_files_are_what_the_family_says() -> None:
    for file, n_letters in MINIMAL.items():
        assert omniglot._drawings_of(file).n_letters == n_letters
        assert omniglot._drawings_of(file).pictures.shape[1] == 20
    both = [omniglot._drawings(source).pictures for source in ("small1", "small2")]
    latin = [torch.tensor(Omniglot(source=source).letters_of("Latin")) for source in ("small1", "small2")]
    assert torch.equal(both[0][latin[0]], both[1][latin[1]])
    share = both[0].float().div(255)
    assert 0.1 < share.mean() < 0.2
    assert share.flatten(2).max(2).values.min() > 0.9, "there is ink in every picture"


def test_the_official_baseline_is_reproduced() -> None:
    """The demo of the data's repository: the modified Hausdorff distance makes 38.8 % errors (Lake 2015)."""

    def points(picture: torch.Tensor) -> np.ndarray:
        found = picture.nonzero().double().numpy()
        return found - found.mean(0)

    support, query, answers = drawn_runs()
    errors = []
    for run in range(20):
        known = [points(picture) for picture in support[run]]
        starts = np.cumsum([0, *map(len, known[:-1])])
        for picture, answer in zip(query[run], answers[run].tolist(), strict=True):
            apart = cdist(points(picture), np.concatenate(known))
            there = np.minimum.reduceat(apart, starts, axis=1).mean(0)  # from each point asked to the nearest known
            back = np.add.reduceat(apart.min(0), starts) / [len(each) for each in known]
            errors.append(int(np.argmin(np.maximum(there, back))) != answer)
    assert 100 * np.mean(errors) == pytest.approx(38.8, abs=0.06)


def test_raw_pixels_say_little() -> None:
    found = omniglot_challenge(lambda x: x.flatten(1))
    assert 70 < found.mean < 80
    assert found.errors == omniglot_challenge(lambda x: x.flatten(1), "squared_euclidean").errors
