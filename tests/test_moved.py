"""Old paths of modules go on working, with a word; and what lessons used from inside is a name of the package."""

from __future__ import annotations

import importlib
import sys
import warnings

import pytest

import taskembed_edu
from taskembed_edu.base.moved import MOVED


@pytest.mark.parametrize("old", MOVED)
def test_an_old_path_gives_the_module_of_the_new_one(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, f"taskembed_edu.{old}", raising=False)
    with pytest.warns(DeprecationWarning, match=f"taskembed_edu.{old} has moved to taskembed_edu.{MOVED[old]}"):
        module = importlib.import_module(f"taskembed_edu.{old}")
    new = importlib.import_module(f"taskembed_edu.{MOVED[old]}")
    assert module is new
    assert new.__spec__ is not None
    assert new.__spec__.name == new.__name__ == f"taskembed_edu.{MOVED[old]}"


def test_the_word_points_at_the_line_that_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "taskembed_edu.mining", raising=False)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        exec(compile("from taskembed_edu.mining import hard_triplets", "a learner's cell", "exec"), {})
    assert [word.filename for word in said] == ["a learner's cell"]


def test_folders_give_the_names_of_the_module_that_they_were() -> None:
    from taskembed_edu.evaluation import TrueGeometry, recall_at_k
    from taskembed_edu.projection import LiveUMAP, pca_layout, trustworthiness
    from taskembed_edu.session import Session

    public = {name: getattr(taskembed_edu, name) for name in dir(taskembed_edu)}
    assert all(one in public.values() for one in (TrueGeometry, recall_at_k, LiveUMAP, pca_layout, trustworthiness))
    assert public["Session"] is Session


def test_what_lessons_used_from_inside_is_a_name_of_the_package() -> None:
    from taskembed_edu.figures.plots import loss_surface_figure
    from taskembed_edu.formulas.mining import hard_triplets

    assert taskembed_edu.hard_triplets is hard_triplets
    assert taskembed_edu.loss_surface_figure is loss_surface_figure


def test_a_path_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"taskembed_edu\.utils"):
        importlib.import_module("taskembed_edu.utils")
