"""Tasks that diverge: marked, named, left out of everything that is counted or drawn, and the others go on."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu.embedders import compiling
from taskembed_edu.embedders.batched import start_networks
from taskembed_edu.embedders.metric import MetricEmbedder
from taskembed_edu.embedders.parameters import ParameterEmbedder
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.labs.parameter import ParameterLab
from taskembed_edu.live import export, overlays, packets
from taskembed_edu.live.panel import SessionPanel
from taskembed_edu.live.player import Player
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.networks.learners import flatten
from taskembed_edu.session.alarms import last_stable_frame
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import NumberWords
from tests.runs import assert_same_frames, generator
from tests.test_panel import Page


def run(family: str = "sinusoids", **values: Any) -> Session:
    asked = {**ParameterLab.defaults(family), "n_tasks": 20, "hidden": 8, **values}
    return Session("parameters", family, **asked)


def lose(session: Session, *tasks: int) -> None:
    """The networks of these tasks are no numbers any more."""
    session._now.state.training.parameters["output.bias"][list(tasks)] = torch.nan


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_weights_that_burst_before_their_loss_shows_it_are_left_out(rate: float) -> None:
    session = run(n_tasks=40, hidden=32, learning_rate=rate, activation="relu", frame_every=1)
    for _ in range(25):
        try:
            session.step(1)
        except FloatingPointError:
            assert len(session.tasks) - len(session.embedder.diverged_tasks(session._now.state)) < 6
            return
        kept = np.delete(session.frame.embedding, session.frame.diverged_tasks, axis=0)
        assert np.abs(kept).max() < 1e6
        assert session.frame.diagnostics["mean_distance"] < 1e6
    assert session.frame.diverged_tasks


@pytest.mark.parametrize("family", ["sinusoids", "gaussians"])
def test_pictures_neighbours_and_the_exported_page_go_on_without_them(family: str) -> None:
    session = run(family)
    session.step(10)
    lose(session, 3, 5)
    session.step(10)
    frame = session.frame
    assert frame.diverged_tasks == (3, 5)
    near = frame.neighbours(5)
    assert not np.isin(np.delete(near, (3, 5), axis=0), (3, 5)).any()
    for found in session.nearest(frame, 2, 5):
        assert len(found) == 5
        assert not np.isin(found, (2, 3, 5)).any()
    assert packets.run_picture(session, frame, 0, 2, "manhattan")["links"] is not None
    assert packets.run_picture(session, frame, 0, 3, "")["links"] is None
    assert export.exported([session])


def test_by_main_directions_too_they_have_no_part_in_the_others_places() -> None:
    whole, without = run(form="pca", components=2), run(form="pca", components=2)
    for session in (whole, without):
        session.step(20)
    lose(without, 4)
    kept = [task for task in range(20) if task != 4]
    seen = torch.tensor(without.embedder.view(without._now.state, without.settings).numpy()[kept])
    weights = flatten(whole._now.state.training.parameters).cpu()[kept]
    u, s, _v = torch.linalg.svd(weights.double() - weights.double().mean(0), full_matrices=False)
    expected = torch.cdist((u * s)[:, :2], (u * s)[:, :2])
    torch.testing.assert_close(torch.cdist(seen.double(), seen.double()), expected, atol=1e-4, rtol=1e-3)


def test_a_map_of_fewer_tasks_begins_anew_and_has_no_jitter_and_no_trail_across() -> None:
    session = run(projection="umap", n_neighbors=5)
    session.step(30)
    lose(session, 3)
    session.step(10)
    assert np.isnan(session.frame.diagnostics["jitter"])
    assert overlays.trails(session, session.frame) is None


# ---- the way back ---------------------------------------------------------------------------------------------------


def fail(session: Session, steps: int = 100) -> None:
    with pytest.raises(FloatingPointError):
        session.step(steps)


def test_the_way_back_leads_to_before_the_loss_grew_and_on_from_there() -> None:
    session = run(n_tasks=40, hidden=32, frame_every=1)
    session.step(20)
    session.set(learning_rate=1.0)
    fail(session)
    useless = session.history[-1]
    assert np.isfinite(useless.embedding).all()
    assert useless.loss > 1000 * session.history[20].loss
    sound = session.last_stable_frame()
    assert 20 <= sound.step < useless.step - 2
    assert session.rewind(-1).step == useless.step, "a frame that is asked for is the frame that comes"
    session.rewind()
    assert (session.steps, session.frame.step) == (sound.step, sound.step)
    session.set(learning_rate=0.01)
    session.step(30)
    assert session.frame.loss < 0.8 * session.history[20].loss, "from there the run learns on"


def test_the_button_leads_there_and_says_so() -> None:
    session = run(n_tasks=40, hidden=32, frame_every=1)
    page = Page(SessionPanel(session, "A lab", ("learning_rate",)))
    try:
        session.step(20)
        session.set(learning_rate=1.0)
        page.say("play")
        step = session.last_stable_frame().step
        assert page.transport["tone"] == "alarm"
        assert "Lower the learning rate (1 now)" in page.status
        assert page.status.endswith(f" The way back leads to step {step}, before tasks diverged.")
        page.say("rewind")
        assert (session.steps, page.transport["rewind"]) == (step, False)
        assert page.status == f"Back at step {step}, before tasks diverged. Change what made it fail, then press Play."
    finally:
        page.panel.stop()


def frames(*losses: float, diverged_tasks: tuple[int, ...] = (), **settings: Any) -> list[Frame]:
    """Frames of these losses, of which `diverged_tasks` says how many tasks each has left out."""
    first, made = run().frame, run().settings.changed(**settings)
    lost = [*diverged_tasks, *(0,) * (len(losses) + 1)]
    return [
        dataclasses.replace(first, index=k, step=k, loss=loss, settings=made, diverged_tasks=tuple(range(lost[k])))
        for k, loss in enumerate((math.nan, *losses))
    ]


@pytest.mark.parametrize(
    ("losses", "diverged_tasks", "step"),
    [
        ((), (), 0),
        ((4.0, 3.0, 5.0, 90.0), (), 3),  # the docstring's
        ((4.0, 8.0), (), 2),  # twice is not more than twice
        ((4.0, 8.1), (), 1),
        ((4.0, 100.0, 50.0, 7.0), (), 4),  # it came down again by itself
        ((4.0, 0.001, 0.05), (), 3),  # nearly zero, and still so
        ((4.0, 0.001, 0.09), (), 2),
        ((4.0, 3.0, 2.0), (0, 0, 1, 1), 3),  # one of twelve diverged, and the others go on
        ((4.0, 3.0, 2.0), (0, 0, 3, 3), 1),
        ((4.0, 3.0, 2.0), (0, 0, 0, 1), 2),
        ((4.0, 3.0, 2.0), (0, 0, 1, 0), 3),
    ],
)
def test_the_last_sound_frame(losses: tuple[float, ...], diverged_tasks: tuple[int, ...], step: int) -> None:
    assert last_stable_frame(frames(*losses, diverged_tasks=diverged_tasks), frozenset()).step == step


def test_losses_of_different_things_are_not_compared() -> None:
    low = frames(1.0, 0.5)
    high = [dataclasses.replace(f, step=f.step + 3) for f in frames(9.0, 8.0, 7.0, batch=4)[1:]]
    assert last_stable_frame([*low, *high], frozenset()).step == 6
    assert last_stable_frame([*low, *high], frozenset({"batch"})).step == 2
    assert MetricEmbedder.same_loss == {"learning_rate"}
    assert {"batch", "learning_rate", "form"} <= ParameterEmbedder.same_loss


@pytest.mark.parametrize("family", ["sinusoids", "gaussians", "digits", "number_words"])
def test_of_a_run_that_learns_every_last_frame_is_sound(family: str) -> None:
    session = run(family)
    session.step(40)
    for k, frame in enumerate(session.history):
        assert session.last_stable_frame(k) is frame


# ---- what else must be exact -----------------------------------------------------------------------------------------


def test_a_branch_of_words_rounds_as_the_run_does() -> None:
    session = run("number_words", n_tasks=42, batch=5, hidden=8)
    session.step(30)
    twin = session.branch(at=2)
    twin.step(session.steps - twin.steps)
    assert_same_frames(twin, session)


def test_a_network_with_steps_in_time_is_never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    family = NumberWords()
    learner, tasks = task_learner(family, hidden=4), family.sample(3, n_shot=4, rng=generator())
    start = start_networks(learner, 3, generator())
    monkeypatch.setattr(compiling, "_COMPILE_SECONDS", 0.0)
    assert not train_tasks(learner, tasks, 25, start=start).compiled
    with pytest.raises(RuntimeError, match="the results are the same"):
        train_tasks(learner, tasks, 1, start=start, compiled="on")


def test_closing_scores_look_as_the_settings_say_now() -> None:
    session = run()
    session.step(20)
    before = session.closing_scores(20)
    session.set(vector="outputs")
    after = session.closing_scores(20)
    assert after != before
    session.step(0)
    assert session.closing_scores(20) == after


def test_another_way_of_looking_can_be_undone_too() -> None:
    session = run()
    session.step(10)
    before = session.frame.embedding
    session.set(learning_rate=0.02)
    session.set(vector="outputs")
    assert session.undo() == {"vector": "weights"}
    assert (session.frame.embedding == before).all()
    assert session.undoable() == {"learning_rate": 0.01}


def test_two_runs_play_on_though_one_stands_at_its_stop() -> None:
    session = run(stop_at=50)
    player = Player(session, lambda: None)
    try:
        player.play()
        assert player.wait()
        assert session.steps == 50
        twin = session.branch(at=1)
        player.set_sessions(session, twin)
        player.play()
        assert player.wait()
        assert (session.steps, twin.steps) == (50, 50)
    finally:
        player.stop()


def test_layers_are_offered_as_the_network_has_them_and_refused_before_a_step() -> None:
    session = run()
    assert session.offers("layer") == ("all", "hidden_1", "hidden_2", "output")
    session.step(13)
    with pytest.raises(ValueError, match="layer: got 'convolution_1'"):
        session.set(layer="convolution_1")
    assert session.steps == 13
    with pytest.raises(ValueError, match="frozen: got 'convolution_1'"):
        run(frozen="convolution_1")
