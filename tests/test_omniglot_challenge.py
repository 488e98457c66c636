"""The official runs, the challenge, and what is learned for it, on archives of their form."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from taskembed_edu import omniglot_challenge
from taskembed_edu.course.artefacts import RECIPES, keep, kept
from taskembed_edu.course.artefacts import omniglot as recipe
from taskembed_edu.evaluation.omniglot import PUBLISHED, ChallengeErrors
from taskembed_edu.tasks.omniglot_runs import official_runs
from tests.omniglot_archives import standing_in
from tests.runs import generator


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with standing_in(tmp_path_factory.mktemp("data")) as folder:
        yield folder


# ---- the official runs -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("files")
def test_the_runs_are_tasks_of_twenty_letters() -> None:
    runs = official_runs()
    assert runs.support_x.shape == runs.query_x.shape == (20, 20, 1, 28, 28)
    assert runs.query_y.tolist() == [list(range(19, -1, -1))] * 20
    assert torch.equal(runs.query_x, runs.support_x.flip(1))


@pytest.mark.usefixtures("files")
def test_the_challenge_counts_what_is_mistaken() -> None:
    assert omniglot_challenge(lambda x: x.flatten(1)) == ChallengeErrors((0.0,) * 20), "the very pictures are found"
    assert omniglot_challenge(lambda x: torch.zeros(len(x), 3)).mean == 95, "all are taken for the first letter"
    calls: list[int] = []

    def heard(x: torch.Tensor) -> torch.Tensor:
        calls.append(len(x))
        return x.flatten(1)

    found = omniglot_challenge(heard, "cosine")
    assert found.mean == 0
    assert calls == [20] * 40, "query and support pictures of each run apart"
    assert repr(found) == "0.0 % of 20 runs (0 to 0 %)"


@pytest.mark.usefixtures("files")
def test_the_challenge_against_plain_loops() -> None:
    runs, weights = official_runs(), torch.randn(784, 2, generator=generator())
    errors = []
    for task in runs:
        support, query = (x.flatten(1) @ weights for x in (task.episode.support_x, task.episode.query_x))
        wrong = 0
        for q, answer in zip(query + 0.3, task.episode.query_y.tolist(), strict=True):
            wrong += min(range(20), key=lambda k: float((support[k] - q).norm())) != answer
        errors.append(5.0 * wrong)
    shifted = iter([0.3, 0.0] * 20)  # query pictures first
    found = omniglot_challenge(lambda x: x.flatten(1) @ weights + next(shifted))
    assert found.errors == pytest.approx(errors)
    assert 0 < found.mean < 95


@pytest.mark.usefixtures("files")
def test_what_is_no_embedding_is_explained() -> None:
    for bad in (None, 3, "features"):
        with pytest.raises(TypeError, match=r"embed: got .*expected a function from samples"):
            omniglot_challenge(bad)  # type: ignore[arg-type]
    for wrong in (lambda x: None, lambda x: x, lambda x: x[:3].flatten(1)):
        with pytest.raises(ValueError, match=r"embed: got .*each sample, \(20, dim\)"):
            omniglot_challenge(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="embed: got 15680 NaN or infinite"):
        omniglot_challenge(lambda x: x.flatten(1) * torch.nan)
    with pytest.raises(ValueError, match="metric: got 'euclid'"):
        omniglot_challenge(lambda x: x.flatten(1), "euclid")


def test_what_was_published_has_its_source() -> None:
    assert all(0 < one.error < 95 and "2015" in one.source for one in PUBLISHED)
    assert [one.error for one in PUBLISHED] == sorted(one.error for one in PUBLISHED)


# ---- what is learned and kept ----------------------------------------------------------------------------------------


@pytest.fixture
def small_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of two channels a block, two steps, one seed."""
    small: dict[str, object] = {"CHANNELS": (2, 2, 2), "N_DRAWINGS": 2, "SEEDS": (0,), "N_LOOKS": 2}
    small["N_WAY"] = dict.fromkeys(recipe.SOURCES, 4)
    small["train_omniglot"] = functools.partial(recipe.train_omniglot, n_steps=2)
    for name, value in small.items():
        monkeypatch.setattr(recipe, name, value)
    monkeypatch.setitem(RECIPES, "omniglot", "omniglot")  # the package keeps no such file yet


@pytest.mark.usefixtures("files", "small_recipe")
def test_what_is_trained_is_kept_with_its_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recipe.RECIPE.train()
    keep("omniglot", made, {}, tmp_path)
    monkeypatch.setattr(recipe, "kept", functools.partial(kept, folder=tmp_path))
    for source in recipe.SOURCES:
        assert [of.errors for of in recipe.recorded_errors(source)] == [tuple(made[f"{source}.errors"][0].tolist())]
        trained = recipe.judged(recipe.train_omniglot(source).network)
        pictures = official_runs().support_x[0]
        found = recipe.omniglot_features(source)(pictures)
        assert found.shape == (20, 18)
        torch.testing.assert_close(found, trained(pictures), atol=1e-2, rtol=1e-2)
    for ask in (recipe.train_omniglot, recipe.omniglot_features, recipe.recorded_errors):
        with pytest.raises(ValueError, match="source: got 'evaluation', expected one of small1, small1"):
            ask("evaluation")
    with pytest.raises(ValueError, match="seed: got 1"):
        recipe.omniglot_features("small1", 1)


@pytest.mark.usefixtures("files", "small_recipe")
def test_the_same_seed_learns_the_same() -> None:
    one, again, other = (recipe.train_omniglot("small1", seed).network.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(value, again[name]) for name, value in one.items())
    assert not torch.equal(one["blocks.0.weight"], other["blocks.0.weight"])
