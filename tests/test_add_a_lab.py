"""What CONTRIBUTING says about adding a lab works as it stands there, in Python."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from taskembed_edu import MetricEmbedder
from taskembed_edu.labs.session_lab import SessionLab
from tests.lab_guide import blocks, written


def test_the_two_labs_of_the_guide_work_and_are_short(tmp_path: Path) -> None:
    session_labs, point_labs = written(tmp_path)
    assert repr(session_labs.TripletLab("gaussians")) == "TripletLab(gaussians, margin 1: step 0, 200 tasks)"
    assert sum(code.count("\n") for _, code in blocks()) <= 120

    lab = point_labs.MiddleLab()
    lab.hear({"do": "move", "name": "a", "to": [0, 0], "gesture": "drag"})
    lab.hear({"do": "move", "name": "a", "to": [2, 4], "gesture": "drag"})
    assert lab.readings()["middle"] == "(3, 3)"
    lab.reset()
    lab.undo()
    assert lab.readings()["middle"] == "(3, 3)"
    lab.undo()  # the whole drag
    assert (lab.readings()["middle"], lab.readings()["can_undo"]) == ("(1, 1)", False)
    assert "class MiddleLab" not in str(lab.widget._esm)
    assert "function messageQueue" in str(lab.widget._esm)
    lab.hear({"do": "fly"})
    assert lab.widget.readings["problem"].startswith("do: got 'fly', expected one of")


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, ModuleType]:
    return written(tmp_path_factory.mktemp("labs"))


SESSION_LAB: dict[str, tuple[dict[str, Any], str]] = {
    "no embedder": ({"embedder": None}, "embedder of Wrong: got None, expected the name of an embedder"),
    "an embedder's class": ({"embedder": MetricEmbedder}, "embedder of Wrong: got .*EMBEDDERS"),
    "an unknown embedder": ({"embedder": "metrics"}, "embedder: got 'metrics'.*Did you mean 'metric'"),
    "one name": ({"main": "margin"}, r"main of Wrong: got 'margin', expected a tuple of names.*main = \('margin',\)"),
    "an unknown setting": ({"main": ("margins",)}, "main of Wrong: got 'margins'.*Did you mean 'margin'"),
    "an unknown default": (
        {"defaults": classmethod(lambda cls, family: {"losss": "triplet"})},
        "setting: got 'losss'.*Did you mean 'loss'",
    ),
    "a default out of range": ({"defaults": classmethod(lambda cls, family: {"margin": -1})}, "margin: got -1"),
}


@pytest.mark.parametrize(("changes", "words"), SESSION_LAB.values(), ids=SESSION_LAB)
def test_a_lab_of_a_session_that_is_wrong_is_told_so(
    labs: tuple[ModuleType, ModuleType], changes: dict[str, Any], words: str
) -> None:
    wrong = type("Wrong", (labs[0].TripletLab,), changes)
    with pytest.raises((ValueError, TypeError), match=words):
        wrong("gaussians")


@pytest.mark.parametrize("name", ["embedder", "title", "main"])
def test_what_a_lab_does_not_declare_is_named(name: str) -> None:
    declared = {"embedder": "metric", "title": "Mine", "main": ("margin",)}
    del declared[name]
    with pytest.raises(TypeError, match=f"{name}: got none, expected one that Bare declares. Write {name} ="):
        type("Bare", (SessionLab,), declared)("gaussians")


def test_a_lab_that_says_nothing_of_itself_and_has_no_device_is_a_lab() -> None:
    lab = type("Bare", (SessionLab,), {"embedder": "summary", "title": "Mine", "main": ("family",)})("gaussians")
    assert repr(lab) == "Bare(gaussians: step 0, 200 tasks)"


def said(**changes: Any) -> Any:
    """A `readings` with these entries in place of its own; None leaves one out."""

    def readings(self: Any, refusal: str = "") -> dict[str, Any]:
        told = {"points": {}, "settings": {}, "can_undo": False, "problem": refusal, **changes}
        return {name: value for name, value in told.items() if value is not None}

    return {"readings": readings}


POINT_LAB: dict[str, tuple[dict[str, Any], str]] = {
    "no page": ({"page": None}, "page of Wrong: got None, expected a Path without its ending"),
    "a page that is a text": ({"page": "page/middle_lab"}, "page of Wrong: got 'page/middle_lab', expected a Path"),
    "no files": (
        {"page": Path("here/other_lab")},
        "page of Wrong: got no file other_lab.html and no other_lab.js.*here",
    ),
    "words without presets": (
        {"words": lambda self: {"settings": {}}},
        "words of Wrong: got no presets, expected a dict",
    ),
    "no words": (
        {"words": lambda self: None},
        "words of Wrong: got a NoneType, expected a dict with presets, settings",
    ),
    "no points": (said(points=None), "readings of Wrong: got no points, expected a dict with points"),
    "a tensor": (said(middle=torch.ones(2)), r"readings of Wrong, 'middle': got a tensor of shape \(2,\).*\.tolist"),
    "no state": ({"__init__": lambda self: None}, r"Wrong: got no state.*super\(\).__init__"),
}


@pytest.mark.parametrize(("changes", "words"), POINT_LAB.values(), ids=POINT_LAB)
def test_a_lab_of_points_that_is_wrong_is_told_so(
    labs: tuple[ModuleType, ModuleType], changes: dict[str, Any], words: str
) -> None:
    wrong = type("Wrong", (labs[1].MiddleLab,), changes)
    with pytest.raises((ValueError, TypeError), match=words):
        wrong().widget  # noqa: B018


def test_a_message_without_an_entry_is_refused_on_the_page(labs: tuple[ModuleType, ModuleType]) -> None:
    lab = labs[1].MiddleLab()
    assert lab.widget.readings["problem"] == ""
    lab.hear({"do": "move", "name": "a"})
    assert lab.widget.readings["problem"].startswith("message: got a message 'move' without 'to', expected")
