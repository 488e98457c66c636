"""The starts of lesson 12: of what they are made, that no never-seen language is in them, and what they gain."""

from __future__ import annotations

import pytest
import torch

from taskembed_edu.course.artefacts import kept, spelling
from taskembed_edu.evaluation.solvers import FromStart
from taskembed_edu.evaluation.transfer import transfer
from taskembed_edu.networks.learners import Parameters, check_stack
from taskembed_edu.tasks.languages import LANGUAGES
from taskembed_edu.tasks.number_words import NumberWords
from tests.runs import generator

PARTS = spelling.split()
NET = spelling.learner(PARTS.train)


@pytest.fixture(scope="module")
def weights() -> dict[str, Parameters]:
    return spelling.stacks(kept("spelling"))


def test_a_stack_for_each_way_to_begin(weights: dict[str, Parameters]) -> None:
    sizes = {"random": 1, "joint": 1, "reptile": 1, "languages": len(spelling.known(PARTS.train))}
    assert {name: len(check_stack(NET, stack)["output.weight"]) for name, stack in weights.items()} == sizes
    flat = spelling.flat(weights)
    assert spelling.stacks(flat).keys() == weights.keys()
    assert torch.equal(flat["reptile/output.bias"], weights["reptile"]["output.bias"])


def test_the_known_languages_are_those_for_training_in_their_order() -> None:
    known = spelling.known(PARTS.train)
    assert list(known.names) == sorted(known.names)
    assert isinstance(PARTS.train, NumberWords)
    assert len(known) == len(PARTS.train.codes)
    new = PARTS.unseen.sample(5, 10, rng=generator())
    assert not set(known.names) & set(new.names)


def test_a_language_s_own_network_spells_it_and_another_s_does_not(weights: dict[str, Parameters]) -> None:
    known = spelling.known(PARTS.train)[:6]
    own = {part: value[:6] for part, value in weights["languages"].items()}
    other = {part: value.roll(1, 0) for part, value in own.items()}
    reached = [
        transfer({"": FromStart(NET, lambda _tasks, of=of: of, 0.1)}, known, (0,)).mean("", "letters right", 0)  # type: ignore[misc]
        for of in (own, other)
    ]
    assert reached[0] > 0.9
    assert reached[1] < 0.5


def test_relatives_are_found_by_ten_words(weights: dict[str, Parameters]) -> None:
    known, new = spelling.known(PARTS.train), PARTS.unseen.sample(9, 10, rng=generator(1000), n_query=90)
    start = spelling.starts(weights, PARTS.train)["nearest language"](new)
    branches = [[LANGUAGES[int(row)].branch for row in tasks.truth[:, 2]] for tasks in (known, new)]
    found = [
        int((weights["languages"]["output.bias"] == start["output.bias"][task]).flatten(1).all(1).nonzero())
        for task in range(len(new))
    ]
    have = [task for task in range(len(new)) if branches[1][task] in branches[0]]
    right = [task for task in have if branches[0][found[task]] == branches[1][task]]
    assert len(right) >= 0.6 * len(have)


def test_the_learned_start_gains_from_a_few_steps(weights: dict[str, Parameters]) -> None:
    new = PARTS.unseen.sample(9, 10, rng=generator(7), n_query=90)
    starts = spelling.starts(weights, PARTS.train)
    solvers = {name: FromStart(NET, starts[name], rate) for name, rate in (("random", 3.0), ("meta-learned", 2.0))}
    found = transfer(solvers, new, (20,))
    gain = found.mean("meta-learned", "letters right", 20) - found.mean("random", "letters right", 20)
    assert gain > 0.2


def test_training_a_little_gives_the_same_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"outer": {"steps": 2, "languages": 3, "numbers": 4, "rate": 1e-3}, "languages": {"steps": 1, "rate": 1e-2}}
    monkeypatch.setattr(spelling, "SETTINGS", {**spelling.SETTINGS, **small, "hidden": 4})
    first, again = spelling.trained(3), spelling.trained(3)
    assert {name: set(map(len, of.values())) for name, of in first.items()} == {
        "random": {1},
        "joint": {1},
        "reptile": {1},
        "languages": {25},
    }
    for name, of in first.items():
        for part, value in of.items():
            assert torch.equal(value, again[name][part])
    assert not torch.equal(first["reptile"]["output.weight"], first["random"]["output.weight"])
