"""MetricLab in a script: a session with a stable description, a picture, and an error where a wrong name was typed."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets as widgets
import pytest
import torch
from matplotlib.figure import Figure

from taskembed_edu.base.wording import say_setting
from taskembed_edu.labs.metric import MetricLab
from taskembed_edu.labs.parameter import ParameterLab
from taskembed_edu.live import panel as panel_module
from taskembed_edu.live.controls import control_specs, page_value
from taskembed_edu.live.packets import marks_packet
from taskembed_edu.session.recordings import save_recording
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import FAMILIES, Gaussians, OwnTasks
from tests.runs import SMALL, assert_same_frames, small_session


def small_lab(**values: Any) -> MetricLab:
    return MetricLab(**{**SMALL, **values})


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MetricLab]]:
    """Labs to be shown: no UMAP is compiled for them, and their threads are ended."""
    warmed: list[Any] = []
    monkeypatch.setattr(panel_module, "precompile_in_background", warmed.append)
    labs: list[MetricLab] = []
    yield labs
    for lab in labs:
        lab.panel.player.stop()
        assert not lab.panel.player.alive
    widgets.Widget.close_all()


def test_a_lab_is_a_session_in_a_script() -> None:
    lab, plain = small_lab(), small_session()
    lab.session.step(8)
    plain.step(8)
    assert_same_frames(lab.session, plain)
    assert lab.session is lab.session
    assert not [t for t in threading.enumerate() if t.name.startswith("taskembed")]


def test_its_description_is_short_and_stable() -> None:
    lab = small_lab(metric="cosine", margin=0.5)
    before = "MetricLab(gaussians, contrastive loss, cosine distance, margin 0.5: step 0, 12 tasks)"
    assert repr(lab) == before
    lab.session.step(0)
    assert repr(lab) == before
    lab.session.step(4)
    scores = lab.session.frame.diagnostics
    assert repr(lab) == (
        "MetricLab(gaussians, contrastive loss, cosine distance, margin 0.5: step 4, "
        f"recall@1 {scores['recall@1']:.2f}, spearman {scores['spearman']:.2f})"
    )
    lab.session.set(loss="triplet", metric="euclidean", margin=1.0)
    assert repr(lab).startswith("MetricLab(gaussians, triplet loss, euclidean distance, margin 1: step 4, ")
    assert (
        repr(MetricLab()) == "MetricLab(sinusoids, contrastive loss, euclidean distance, margin 1: step 0, 200 tasks)"
    )


def test_a_family_object() -> None:
    lab = small_lab(family=Gaussians(n_way=3))
    assert repr(lab).startswith("MetricLab(gaussians, ")
    assert lab.session.tasks.truth.shape == (12, 6)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"marginn": 1.0}, "setting: got 'marginn'.*Did you mean 'margin'"),
        ({"margin": 3.0, "metric": "cosine"}, "margin: got 3.0, expected a number from 0 to 2"),
        ({"margin": -1.0}, "margin: got -1.0"),
        ({"family": "digit"}, "family: got 'digit'.*Did you mean 'digits'"),
        ({"loss": "tripet"}, "loss: got 'tripet'"),
        ({"n_tasks": 1}, "n_tasks: got 1"),
    ],
)
def test_what_is_wrong_fails_where_it_was_typed(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        small_lab(**values)


def test_the_picture_is_a_figure_that_pyplot_does_not_know() -> None:
    lab = small_lab(family="gaussians")  # its tasks are points, and not pictures of their own
    lab.session.step(4)
    lab.session.set(margin=2.0)
    lab.session.step(8)
    figure = lab.picture()
    assert isinstance(figure, Figure)
    axes: Any = figure.axes
    places, loss, scores = axes
    assert "12 tasks at step 12 (PCA)" in places.get_title()
    assert sum(len(points.get_offsets()) for points in places.collections) == 12
    steps, values = loss.lines[0].get_data()
    assert list(steps) == [0, 4, 8, 12]
    assert values[-1] == lab.session.frame.loss
    assert [line.get_label() for line in scores.lines[:3]] == ["recall@1", "spearman", "trustworthiness"]
    assert list(scores.lines[1].get_ydata()) == [f.diagnostics["spearman"] for f in lab.session.history]
    assert list(loss.lines[1].get_xdata()) == [4, 4]


def test_no_picture_imports_pyplot() -> None:
    code = (
        "import sys; from taskembed_edu import MetricLab;"
        "lab = MetricLab(family='gaussians', projection='pca', n_tasks=8, hidden=8);"
        "lab.picture(); assert 'matplotlib' in sys.modules; assert 'matplotlib.pyplot' not in sys.modules;"
        "assert 'ipywidgets' not in sys.modules; assert 'umap' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_replay_makes_the_run_again(tmp_path: Path) -> None:
    from taskembed_edu.session.recordings import save_recording

    lab = small_lab()
    lab.session.step(5)
    lab.session.set(metric="cosine", margin=0.3)
    lab.session.step(3)
    recording = lab.session.recording()
    again = MetricLab(family="gaussians")
    assert again.replay(recording) is again.session
    assert_same_frames(again.session, lab.session)
    assert repr(again) == repr(lab)
    path = save_recording(recording, tmp_path / "run.json")
    for given in (path, str(path)):
        from_file = MetricLab(family="gaussians")
        from_file.replay(given)
        assert_same_frames(from_file.session, lab.session)


def test_a_replay_has_no_mark_that_the_run_had_not() -> None:
    session = small_session(n_neighbors=5)
    session.user_set.discard("projection")
    session.step(4)
    session.set_clamped(projection="umap")
    assert marks_packet([session]) == [[]]
    again = MetricLab(family="gaussians").replay(session.recording())
    assert marks_packet([again]) == [[]]
    session.set(projection="pca")
    session.set(margin=0.5)
    (mark,) = marks_packet([MetricLab(family="gaussians").replay(session.recording())])[0]
    assert mark["text"] == "margin 0.5"


@pytest.mark.parametrize("wrong", [{"margni": 1.0}, {"margin": -1.0}, {"margin": "1"}, {"family": "gausians"}])
def test_a_misspelt_setting_is_a_short_error(wrong: dict[str, Any]) -> None:
    session = small_session()
    calls: list[Any] = [lambda: MetricLab(**wrong), lambda: Session("metric", **wrong)]
    calls += [] if "family" in wrong else [lambda: session.set(**wrong)]
    for call in calls:
        with pytest.raises((ValueError, TypeError)) as caught:
            call()
        frames = traceback.extract_tb(caught.value.__traceback__)
        assert len(frames) <= 3, "this test, the call, and where the package was entered"
        assert caught.value.__cause__ is None


def test_a_family_of_ones_own_is_called_by_its_label() -> None:
    class Lines(Gaussians):
        name, label = "lines", "Straight lines"

    session = small_session(family=Lines(dim=2))
    (tasks,) = [made for made in control_specs(session, (), {}) if made["name"] == "family"]
    labels = {option["value"]: option["label"] for option in tasks["options"]}
    assert labels["lines"] == "Straight lines"
    assert labels["gaussians"] == "Gaussian classes"
    assert say_setting(session.declared()["family"], "lines") == "tasks Straight lines"
    assert say_setting(session.branch().declared()["family"], "lines") == "tasks Straight lines"


def test_a_gpu_is_offered_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for present, devices in ((False, ["auto", "cpu"]), (True, ["auto", "cpu", "cuda"])):
        monkeypatch.setattr("torch.cuda.is_available", lambda present=present: present)
        (made,) = [each for each in control_specs(small_session(), (), {}) if each["name"] == "device"]
        assert [option["value"] for option in made["options"]] == devices


def test_a_recording_of_another_family_is_refused() -> None:
    recording = small_session().recording()
    lab = MetricLab(family="digits")
    with pytest.raises(ValueError, match=r"got a run on 'gaussians', expected a run on 'digits'"):
        lab.replay(recording)
    assert repr(lab).startswith("MetricLab(digits, ")


def test_the_family_that_a_recording_must_have_is_the_sessions() -> None:
    recording = small_session().recording()
    lab = MetricLab(family="digits")
    lab.session.reset(family="gaussians")
    assert lab.replay(recording).setup.family == "gaussians"


def test_a_family_of_ones_own_in_a_lab_and_its_recording(tmp_path: Path) -> None:
    @dataclasses.dataclass(frozen=True)
    class Own(Gaussians):
        name: ClassVar[str] = "own"

    lab = MetricLab(Own(dim=3), n_tasks=8, hidden=8, batch=4, projection="pca")
    assert repr(lab).startswith("MetricLab(own, ")
    lab.session.step(10)
    path = save_recording(lab.session.recording(), tmp_path / "own.json")
    again = MetricLab(Own(dim=3)).replay(path)
    assert_same_frames(again, lab.session)
    menu = next(c for c in control_specs(lab.session, (), {"family": "digits"}) if c["name"] == "family")
    assert [option["value"] for option in menu["options"]] == [
        *(name for name in FAMILIES if name != "number_words"),
        "own",
    ]
    assert page_value(lab.session, "family", "own") == "own"


# ---- shown (what its page can do: see test_panel.py) ----------------------------------------------------------------


def test_shown_it_is_a_view_with_its_description_beside(shown: list[MetricLab]) -> None:
    lab = small_lab()
    shown.append(lab)
    bundle = lab._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"] == repr(lab)
    view = data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == lab.panel.view.model_id == lab.panel.view.model_id_
    assert lab.panel.sessions == (lab.session,)
    assert lab.panel.player.alive
    again = lab._repr_mimebundle_()
    assert (again[0] if isinstance(again, tuple) else again)["application/vnd.jupyter.widget-view+json"] == view


def test_a_lab_shows_the_frame_it_is_at(shown: list[MetricLab]) -> None:
    lab = small_lab()
    shown.append(lab)
    lab.session.step(8)
    view = lab.panel.view
    assert (view.picture["number"], view.picture["step"]) == (1, 8)
    assert view.tasks["names"] == list(lab.session.tasks.names)
    assert [control["name"] for control in view.controls if control["main"]] == [
        "family",
        "loss",
        "metric",
        "margin",
        "learning_rate",
        "n_shot",
        "projection",
    ]


def test_the_map_goes_over_to_umap_only_where_nobody_chose(shown: list[MetricLab]) -> None:
    chosen = small_lab()
    undecided = MetricLab(**{name: value for name, value in SMALL.items() if name != "projection"})
    shown.extend((chosen, undecided))
    for lab in shown:
        assert lab.panel.sessions[0].setup.projection == "pca"
    assert undecided.panel.view.transport["warming"]
    assert not chosen.panel.view.transport["warming"]


def test_a_lab_on_screen_takes_no_recording(shown: list[MetricLab]) -> None:
    lab = small_lab()
    shown.append(lab)
    assert lab.panel.sessions
    with pytest.raises(RuntimeError, match=r"already on screen.*fresh lab"):
        lab.replay(small_session().recording())


def test_a_lab_says_how_many_tasks_there_are_and_not_how_many_were_asked_for() -> None:
    tasks = OwnTasks(torch.rand(40, 8, 1), torch.rand(40, 8))
    for lab, n in (
        (MetricLab(tasks, projection="pca"), 8),
        (MetricLab(tasks, n_tasks=5, projection="pca"), 5),
        (ParameterLab(tasks), 40),
        (ParameterLab("number_words", hidden=4), 42),
        (MetricLab("gaussians"), 200),
    ):
        assert repr(lab).endswith(f": step 0, {n} tasks)")
        assert len(lab.session.tasks) == n
        assert repr(lab).endswith(f": step 0, {n} tasks)")
        (control,) = [each for each in control_specs(lab.session, (), {}) if each["name"] == "n_tasks"]
        assert control["value"] == n
        assert control["high"] == (5000 if n == 200 else len(lab.session.tasks) if n != 5 else 8)
