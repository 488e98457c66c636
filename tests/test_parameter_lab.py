"""ParameterLab without a page: its session, its settings, its recording and its picture."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import torch

from taskembed_edu import MetricLab, ParameterLab
from taskembed_edu.commands.run import main as run_command
from taskembed_edu.evaluation.scores import purity_by_chance
from taskembed_edu.live.controls import control_specs
from taskembed_edu.live.packets import tasks_packet
from taskembed_edu.live.view_updater import first_colour
from taskembed_edu.live.words import help_packet, map_words
from taskembed_edu.session.recordings import save_recording
from taskembed_edu.tasks import FAMILIES
from tests.runs import assert_same_frames


def small(family: str = "sinusoids", **values: object) -> ParameterLab:
    return ParameterLab(family, n_tasks=12, hidden=8, **values)


def test_a_lab_says_what_it_is_and_how_far_it_is() -> None:
    lab = small("number_words")
    assert repr(lab) == "ParameterLab(number_words, weights, shared start, cosine distance: step 0, 12 tasks)"
    lab.session.step(5)
    assert repr(lab).startswith("ParameterLab(number_words, weights, shared start, cosine distance: step 5, spearman ")
    assert "purity" in repr(lab)


def test_a_wrong_setting_fails_where_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="Did you mean 'optimiser'"):
        ParameterLab(optimizer="adam")
    with pytest.raises(ValueError, match="start"):
        ParameterLab(start="mine")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="CUDA"):
        ParameterLab(device="cuda")


def test_what_is_asked_for_goes_before_what_a_family_begins_with() -> None:
    assert ParameterLab("digits")._asked["learning_rate"] == 0.1
    assert ParameterLab("digits", learning_rate=0.5)._asked["learning_rate"] == 0.5
    assert small(projection="pca").session.setup.projection == "pca"


def test_all_families_are_offered_here_and_words_not_to_the_metric_lab() -> None:
    def offered(lab: ParameterLab | MetricLab) -> list[str]:
        control = next(c for c in control_specs(lab.session, (), {}) if c["name"] == "family")
        return [option["value"] for option in control["options"]]

    assert offered(small()) == list(FAMILIES)
    metric = offered(MetricLab("gaussians", n_tasks=8, hidden=8, projection="pca"))
    assert metric == [name for name in FAMILIES if name != "number_words"]


def test_languages_are_coloured_by_branch_and_labelled() -> None:
    session = small("number_words").session
    assert session.tasks.truth_names[first_colour(session)] == "branch"
    packet = tasks_packet(session)
    assert packet["labels"]
    assert packet["card"]["kind"] == "words"
    assert not tasks_packet(small().session)["labels"]


def test_a_recording_is_replayed_by_its_own_kind_of_lab(tmp_path: Path) -> None:
    lab = small()
    lab.session.step(10)
    lab.session.set(form="pca", metric="cosine")
    lab.session.step(10)
    path = save_recording(lab.session.recording(), tmp_path / "run.json")
    assert_same_frames(small().replay(path), lab.session)
    with pytest.raises(ValueError, match=r"'parameters' embedder.*'metric' embedder"):
        MetricLab("sinusoids").replay(path)


def test_the_code_makes_the_same_run() -> None:
    lab = small()
    lab.session.step(10)
    lab.session.set(learning_rate=0.005)
    lab.session.step(10)
    code = lab.session.code()
    assert "Session(" in code
    made: dict[str, object] = {}
    exec(code, made)
    assert_same_frames(made["session"], lab.session)  # type: ignore[arg-type]


def test_a_picture_for_a_page_without_a_kernel() -> None:
    lab = small("number_words")
    lab.session.step(5)
    figure = lab.picture()
    assert any("12 tasks at step 5" in axes.get_title() for axes in figure.axes)
    said = [text.get_text() for text in figure.axes[0].texts]
    assert 5 <= len(said) <= 12
    assert set(said) <= set(lab.session.tasks.names)
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert not len(small("sinusoids").picture().axes[0].texts)


def test_before_the_first_step_nobody_is_nearest() -> None:
    told = small("number_words").session.frame.diagnostics
    assert told["mean_distance"] == 0
    assert all(math.isnan(told[name]) for name in ("purity", "spearman", "trustworthiness"))


def test_a_run_pauses_where_it_was_asked_to() -> None:
    session = small(stop_at=50).session
    session.step(49)
    assert not session.at_stop
    session.step(1)
    assert session.at_stop
    session.set(stop_at=0)
    assert not session.at_stop


def test_help_and_words_are_of_this_lab_and_give_chance_beside_purity() -> None:
    session = small("number_words").session
    session.step(5)
    told = help_packet(session)
    text = " ".join([*told["reading"], *told["try"]])
    assert "Start: one each" in text
    assert "margin" not in text.lower()
    assert not {"recall@1", "active_pairs"} & set(told["scores"])
    words = map_words(session, session.frame)
    found = session.frame.diagnostics["purity"]
    chance = purity_by_chance(session.tasks.truth[:, 1])
    assert f"{found:.0%} have their nearest neighbour in their own branch. By chance it would be {chance:.0%}." in words


def test_a_run_without_a_page(tmp_path: Path) -> None:
    options = ["--family", "number_words", "--n-tasks", "8", "--hidden", "4", "--steps", "5", "--projection", "pca"]
    assert run_command(["parameters", *options, "--out", str(tmp_path)]) == 0
    header = (tmp_path / "scores.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "spearman,purity"
