"""What the lessons keep instead of training it: files that are data alone, checked by hash, made by one command."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from taskembed_edu.course import artefacts
from taskembed_edu.course.artefacts import Recipe
from tools import artefacts as tool


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An artefact of two numbers, beside the package's own."""
    module = ModuleType("taskembed_edu.course.artefacts.toy")
    module.RECIPE = Recipe(  # type: ignore[attr-defined]
        "two numbers", lambda: {"weight": torch.tensor([0.1, 2.0]), "count": torch.tensor([3])}, {"seed": 0}
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(artefacts, "RECIPES", {"toy": "toy"})
    return module


def test_what_is_kept_is_read_as_it_was_made(toy: ModuleType, tmp_path: Path) -> None:
    artefacts.keep("toy", artefacts.trained_again("toy"), {"machine": "one"}, tmp_path)
    found = artefacts.kept("toy", tmp_path)
    assert found["weight"].dtype == torch.float32
    assert found["count"].tolist() == [3]
    torch.testing.assert_close(found["weight"], torch.tensor([0.1, 2.0]), atol=1e-4, rtol=0)
    assert artefacts.wrong(tmp_path) == []


def test_a_changed_file_and_a_missing_one_say_how_to_make_them(toy: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no file toy\.npz.*make artefacts ARGS=toy"):
        artefacts.kept("toy", tmp_path)
    path = artefacts.keep("toy", artefacts.trained_again("toy"), {}, tmp_path)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ValueError, match=r"by its hash.*trained_again\('toy'\)"):
        artefacts.kept("toy", tmp_path)
    with pytest.raises(ValueError, match="Did you mean 'toy'"):
        artefacts.kept("toi", tmp_path)


def test_a_recipe_that_changed_is_said(toy: ModuleType, tmp_path: Path) -> None:
    artefacts.keep("toy", artefacts.trained_again("toy"), {}, tmp_path)
    toy.RECIPE = Recipe("two numbers", toy.RECIPE.train, {"seed": 1})  # type: ignore[attr-defined]
    assert artefacts.wrong(tmp_path) == [
        "toy: of other settings than its recipe's; make artefacts ARGS=toy makes it again"
    ]


def test_an_artefact_whose_name_begins_like_another_is_left_alone(
    toy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artefacts, "RECIPES", {"toy": "toy", "toy_longer": "toy"})
    artefacts.keep("toy", artefacts.trained_again("toy"), {}, tmp_path)
    assert list(artefacts.stale(tmp_path)) == ["toy_longer"]


def test_a_file_of_more_than_two_megabytes_is_refused(toy: ModuleType, tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="at most 2,000,000"):
        artefacts.keep("toy", {"weight": torch.randn(1_200_000, generator=rng)}, {}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_array_of_objects_is_not_unpickled(toy: ModuleType, tmp_path: Path) -> None:
    import hashlib
    import io
    import json

    import numpy as np

    buffer = io.BytesIO()
    np.savez(buffer, weight=np.array([{"a": 1}], dtype=object))
    (tmp_path / "toy.npz").write_bytes(buffer.getvalue())
    entry = {"sha256": hashlib.sha256(buffer.getvalue()).hexdigest(), "asked": ""}
    (tmp_path / "manifest.json").write_text(json.dumps({"toy": entry}))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        artefacts.kept("toy", tmp_path)


def test_all_that_the_lessons_keep_is_of_the_recipes_that_stand_here() -> None:
    assert artefacts.wrong() == []
    assert tool.main(["--check"]) == 0
