"""The parameter-based embedder: weights that sort themselves from one start, and do not from many."""

from __future__ import annotations

import math
import statistics
import warnings
from typing import Any

import pytest
import torch

from taskembed_edu.embedders import ParameterEmbedder, ParameterSettings
from taskembed_edu.embedders.batched import start_networks
from taskembed_edu.embedders.parameter_settings import VECTORS
from taskembed_edu.embedders.parameters import shared_probe
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.embedders.weights import FORMS, principal, weight_vectors
from taskembed_edu.evaluation.geometry import TrueGeometry
from taskembed_edu.evaluation.scores import neighbour_purity, purity_by_chance
from taskembed_edu.networks.learners import MLP, flatten
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Digits, Gaussians, NumberWords, Sinusoids
from tests.runs import assert_same_frames, generator

SMALL: dict[str, Any] = {"projection": "pca", "n_tasks": 12, "hidden": 8}
FAMILIES = ["sinusoids", "gaussians", "digits", "number_words"]


def run(family: str = "sinusoids", **values: Any) -> Session:
    return Session("parameters", family, **{**SMALL, **values})


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_begins_steps_and_embeds(family: str) -> None:
    session = run(family, optimiser="adam")
    session.step(30)
    assert session.frame.loss < session.history[1].loss
    assert session.frame.fit is not None
    for metric, form in (("euclidean", "raw"), ("euclidean", "difference"), ("cosine", "difference")):
        start = run(family, metric=metric, form=form).frame.diagnostics
        assert start["mean_distance"] == 0  # one start: all tasks are one point
        assert math.isnan(start["spearman"])
    assert session.frame.diagnostics["mean_distance"] > 0
    assert "recall@1" not in session.frame.diagnostics
    assert ("purity" in session.frame.diagnostics) == (family == "number_words")
    assert session.frame.axes is not None
    assert session.frame.axes.shape == (session.frame.embedding.shape[1], 2)


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_every_way_to_look_redraws_the_newest_picture_without_a_step(vector: str, form: str, metric: str) -> None:
    session = run()
    for steps in (0, 10):
        session.step(steps)
        session.set(vector=vector, form=form, metric=metric)
        assert session.steps == steps
        assert math.isfinite(session.frame.diagnostics["mean_distance"])
    again = Session.replay(session.recording())
    assert_same_frames(again, session)


def test_looking_trains_nothing() -> None:
    looked, plain = run(), run()
    looked.step(10)
    looked.set(vector="outputs")
    looked.set(vector="weights", layer="output")
    looked.set(layer="all")
    looked.step(10)
    plain.step(20)
    assert (looked.frame.embedding == plain.frame.embedding).all()


def test_a_layer_that_does_not_exist_is_named_with_those_that_do() -> None:
    session = run()
    with pytest.raises(ValueError, match=r"layer: got 'hidden_9', expected one of all, hidden_1, hidden_2, output"):
        session.set(layer="hidden_9")
    assert session.settings.layer == "all"  # what failed has not been
    with pytest.raises(ValueError, match="convolution_1"):
        run(layer="convolution_1")


def test_a_network_that_cannot_read_the_tasks_is_named_with_those_that_can() -> None:
    with pytest.raises(ValueError, match=r"learner: got conv, expected one of mlp, wave for these tasks"):
        run("sinusoids", learner="conv")
    session = run("sinusoids")
    with pytest.raises(ValueError, match="gru, lstm"):
        session.reset(family="number_words", learner="mlp")
    assert session.setup.family == "sinusoids"


def test_the_metric_embedder_says_that_it_cannot_read_words() -> None:
    with pytest.raises(ValueError, match=r"family: got number_words, expected one of sinusoids, gaussians, digits"):
        Session("metric", "number_words", projection="pca")


def test_all_languages_are_watched_and_never_more_than_there_are() -> None:
    family = NumberWords()
    session = run("number_words", n_tasks=200)
    assert sorted(session.tasks.names) == sorted(family.sample(family.n_distinct, rng=generator()).names)
    assert len(run("number_words", n_tasks=10).tasks) == 10


def test_a_task_that_diverges_leaves_the_map_and_the_scores_and_the_others_go_on() -> None:
    session = run(learning_rate=0.01, n_tasks=12)
    sick, well = session, run(learning_rate=0.01, n_tasks=12)
    sick._now.state.given.support_y[3] *= 1e30
    for each in (sick, well):
        each.step(20)
    assert sick.frame.diverged_tasks == (3,)
    assert well.frame.diverged_tasks == ()
    kept = [i for i in range(12) if i != 3]
    assert (sick.frame.embedding[kept] == well.frame.embedding[kept]).all()
    assert math.isfinite(sick.frame.loss)
    assert 3 not in sick.frame.neighbours(5)[kept]
    assert 3 not in sick.nearest(sick.frame, 0, 10)[0]
    assert sick.geometry is not None
    geometry = TrueGeometry(sick.geometry.true_distance[kept][:, kept])
    expected = geometry.spearman(torch.tensor(sick.frame.embedding[kept]))
    assert sick.frame.diagnostics["spearman"] == pytest.approx(expected)


def test_where_nearly_all_diverge_the_run_stops_and_keeps_its_frames() -> None:
    session = run("sinusoids", learning_rate=1.0, hidden=32)
    with pytest.raises(FloatingPointError, match="Lower the learning rate"):
        session.step(200)
    assert len(session.history) >= 1


def test_unseen_tasks_are_trained_for_as_many_steps_from_the_same_start() -> None:
    session = run()
    session.step(30)
    state = session._now.state
    assert torch.equal(session.embedder.embed(state, state.tasks), session.embedder.embed(state))
    scores = session.closing_scores(12)
    assert list(scores) == ["spearman"]
    assert scores == session.closing_scores(12)


def test_fit_and_embed_in_two_lines() -> None:
    settings = ParameterSettings(hidden=8)
    tasks = Sinusoids().sample(6, rng=generator(1))
    vectors = ParameterEmbedder().fit(Sinusoids(), 20, settings, rng=generator()).embed(tasks)
    assert vectors.shape == (6, MLP(1, 1, (8, 8)).n_parameters)


def test_a_state_and_its_copy_go_the_same_way_and_share_nothing() -> None:
    session = run(batch=4, optimiser="adam")
    session.step(10)
    twin = session.branch()
    session.step(13)
    twin.step(13)
    assert_same_frames(session, twin)


def test_minibatches_are_drawn_from_the_runs_own_generator() -> None:
    one, same, other = run(batch=4), run(batch=4), run(batch=0)
    for each in (one, same, other):
        each.step(10)
    assert (one.frame.embedding == same.frame.embedding).all()
    assert not (one.frame.embedding == other.frame.embedding).all()


def test_a_task_without_a_class_is_named_and_goes_on() -> None:
    tasks = Gaussians().sample(4, n_shot=3, rng=generator())
    tasks.support_y[2][tasks.support_y[2] == 1] = 0
    with pytest.warns(UserWarning, match=r"task 2 .* with no sample of class 1"):
        state = ParameterEmbedder().begin(Gaussians(), tasks, ParameterSettings(hidden=8), generator())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state, record = ParameterEmbedder().step(state, state.settings)
    assert bool(torch.isfinite(record.loss))


def test_memory_is_asked_for_before_anything_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    from taskembed_edu.embedders import batched

    monkeypatch.setattr(batched, "_SHARE", 1e-9)
    with pytest.raises(MemoryError, match="At most"):
        run()


# ---- what weights say ----------------------------------------------------------------------------------------------


def spearman(seed: int, start: str) -> float:
    family = Sinusoids()
    session = Session("parameters", family, n_tasks=60, seed=seed, start=start, projection="pca", frame_every=300)
    session.step(300)
    return session.closing_scores(60)["spearman"]


def test_one_start_sorts_unseen_sine_waves_and_one_each_does_not() -> None:
    shared = statistics.median(spearman(seed, "shared") for seed in range(3))
    own = statistics.median(spearman(seed, "own") for seed in range(3))
    assert shared > 0.85
    assert own < 0.65


def test_a_difference_from_a_shared_start_keeps_euclidean_distances_and_not_angles() -> None:
    learner, tasks = MLP(1, 1, (8, 8)), Sinusoids().sample(6, rng=generator())
    start = start_networks(learner, 6, generator())
    trained = train_tasks(learner, tasks, 20, start=start).parameters
    raw, moved = (weight_vectors(learner, trained, form=form, start=start) for form in ("raw", "difference"))
    torch.testing.assert_close(torch.cdist(raw, raw), torch.cdist(moved, moved), atol=1e-4, rtol=1e-3)
    assert torch.equal(raw, flatten(trained))
    with pytest.raises(ValueError, match="start"):
        weight_vectors(learner, trained, form="difference")


def test_main_directions_keep_distances_and_whitened_ones_have_one_size() -> None:
    vectors = torch.randn(30, 5, generator=generator(), dtype=torch.double) * torch.tensor([5.0, 3.0, 1.0, 0.5, 0.1])
    turned = principal(vectors, 5)
    torch.testing.assert_close(torch.cdist(turned, turned), torch.cdist(vectors, vectors), atol=1e-4, rtol=1e-4)
    white = principal(vectors, 3, whiten=True)
    torch.testing.assert_close(white.T.cov(), torch.eye(3, dtype=torch.double), atol=1e-4, rtol=1e-4)
    assert torch.equal(principal(torch.ones(4, 3), 2), torch.zeros(4, 1))  # one place: no direction is left


def test_all_networks_are_asked_at_the_same_inputs() -> None:
    for family in (Sinusoids(), Gaussians(), Digits()):
        tasks = family.sample(5, rng=generator())
        probe = shared_probe(tasks)
        assert probe.shape[1:] == family.x_shape
        assert len(probe) <= 64


# ---- purity --------------------------------------------------------------------------------------------------------


def test_purity_counts_tasks_that_have_a_mate() -> None:
    places = torch.tensor([[0.0], [1.0], [5.0], [5.5], [9.0]])
    distances = torch.cdist(places, places)
    groups = torch.tensor([0.0, 0.0, 1.0, 2.0, 1.0])
    # 0 and 1 find each other; 2 finds 3, who is alone; 4 finds 3 too.
    assert neighbour_purity(distances, groups) == 0.5
    assert purity_by_chance(groups) == 0.25
    assert math.isnan(neighbour_purity(distances, torch.arange(5.0)))
    assert math.isnan(purity_by_chance(torch.arange(5.0)))


def test_purity_is_what_a_plain_loop_counts() -> None:
    rng = generator()
    places, groups = torch.randn(20, 3, generator=rng), torch.randint(4, (20,), generator=rng)
    distances = torch.cdist(places, places)
    found, asked = 0, 0
    for i in range(20):
        others = [j for j in range(20) if j != i]
        if not any(groups[j] == groups[i] for j in others):
            continue
        asked += 1
        found += int(groups[min(others, key=lambda j: float(distances[i, j]))] == groups[i])
    assert neighbour_purity(distances, groups) == pytest.approx(found / asked)


def test_networks_of_another_learner_or_another_number_are_named() -> None:
    learner, other = MLP(1, 1, (4,)), MLP(1, 1, (5,))
    tasks = Sinusoids().sample(3, n_shot=4, rng=generator())
    with pytest.raises(ValueError, match=r"parameters: got hidden_1.weight of shape \(1, 5\) each, expected .*1, 4"):
        weight_vectors(learner, start_networks(other, 3, generator()))
    with pytest.raises(ValueError, match="without its first dimension"):
        weight_vectors(learner, learner.init(generator()))
    with pytest.raises(ValueError, match=r"start: got hidden_1\.weight"):
        train_tasks(learner, tasks, 1, start=start_networks(other, 3, generator()))
    with pytest.raises(ValueError, match=r"start: got 4 networks in .*, expected 3, one for each task"):
        train_tasks(learner, tasks, 1, start=start_networks(learner, 4, generator()))
