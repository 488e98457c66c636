"""What CONTRIBUTING says about adding a lab works as it stands there, in Python."""

from __future__ import annotations

from pathlib import Path

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
