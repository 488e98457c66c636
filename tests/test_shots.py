"""The setting n_shot, in every embedder: how many samples a support set has, in training and on the map."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from taskembed_edu import OwnTasks, ParameterLab, Session
from taskembed_edu.embedders import EMBEDDERS, task_embedder
from taskembed_edu.embedders.summary import summary
from taskembed_edu.live.controls import control_specs
from taskembed_edu.tasks import Sinusoids, TaskBatch, TaskFamily
from tests.runs import generator

SMALL: dict[str, Any] = {"n_tasks": 12, "frame_every": 4, "projection": "pca"}
LIVE = ["metric", "summary", "fisher", "context", "adapted"]


def session(embedder: str, family: Any = "gaussians", **values: Any) -> Session:
    small = {} if embedder == "summary" else {"hidden": 8}
    return Session(embedder, family, **{**SMALL, **small, **values})


@pytest.mark.parametrize("embedder", EMBEDDERS)
def test_every_embedder_has_it_and_says_what_0_means(embedder: str) -> None:
    made = session(embedder)
    declared = made.declared()["n_shot"]
    assert (declared.label, declared.low, declared.zero, declared.live) == (
        "Shots",
        0,
        "as the tasks come",
        embedder in LIVE,
    )
    (control,) = [each for each in control_specs(made, (), {}) if each["name"] == "n_shot"]
    assert (control["value"], control["zero"]) == (0, "as the tasks come")


@pytest.mark.parametrize("embedder", EMBEDDERS)
@pytest.mark.parametrize("n_shot", [1, 3])
def test_the_support_sets_have_so_many_samples(embedder: str, n_shot: int) -> None:
    made = session(embedder, n_shot=n_shot)
    made.step(4)
    assert made.tasks.support_x.shape[1] == n_shot * made.split.train.n_way
    assert made._now.state.tasks is made.tasks
    if embedder == "parameters":
        assert (made._now.state.given.support_x == made.tasks.support_x).all()
    twin = Session.replay(made.recording())
    assert (twin.frame.embedding == made.frame.embedding).all()


@pytest.mark.parametrize("embedder", LIVE)
def test_it_may_change_while_it_runs_and_is_undone(embedder: str) -> None:
    made = session(embedder)
    made.step(4)
    before = made.frame.embedding
    made.set(n_shot=1)
    one = made.frame.embedding
    assert not (one == before).all()
    made.step(4)
    made.undo()
    twin = Session.replay(made.recording())
    assert (twin.frame.embedding == made.frame.embedding).all()
    back = session(embedder, n_shot=1)
    assert back.tasks.support_x.shape == made.branch(at=1).tasks.support_x.shape


def test_of_networks_of_the_tasks_own_it_waits_for_a_reset() -> None:
    made = session("parameters")
    with pytest.raises(ValueError, match=r"Use reset\(n_shot=2\)"):
        made.set(n_shot=2)
    made.step(4)
    made.reset(n_shot=2)
    assert made.tasks.support_x.shape[1] == 2 * made.split.train.n_way
    assert "n_shot=2" in made.code()
    assert ParameterLab("sinusoids", n_shot=5, n_tasks=20).session.tasks.support_x.shape[1] == 5


@pytest.mark.parametrize("embedder", ["parameters", "fisher", "context", "summary"])
def test_words_have_shots_too(embedder: str) -> None:
    made = session(embedder, "number_words", n_shot=7, n_tasks=9, **({} if embedder == "summary" else {"hidden": 4}))
    made.step(1)
    assert made.tasks.support_x.shape[1] == 7


def test_a_summary_is_standardised_by_training_tasks_of_as_many_samples() -> None:
    made = session("summary", "sinusoids", n_shot=2)
    state = made._now.state
    rows = summary(state.family, state.family.redraw(state.training, generator(2), 2)).double()
    mean, spread = rows.mean(0), rows.std(0, correction=0)
    here = summary(state.family, made.tasks)
    there = torch.where(spread > 1e-6 * (1 + mean.abs()), spread, 1.0)
    torch.testing.assert_close(torch.tensor(made.frame.embedding), ((here - mean) / there).float())
    assert torch.tensor(made.frame.embedding).std(0).max() < 3, "one scale for few samples, another for many"
    made.set(n_shot=0)
    plain = session("summary", "sinusoids")
    assert (made.frame.embedding == plain.frame.embedding).all()


class Counting(Sinusoids):
    """Notes the sizes of the sets that a step asks for."""

    asked: list[tuple[int, int | None]]

    def sample(self, n_tasks: int, n_shot: int | None = None, *, rng: Any, n_query: int | None = None) -> TaskBatch:
        Counting.asked.append((n_shot or self.default_shot, n_query))
        return super().sample(n_tasks, n_shot, rng=rng, n_query=n_query)


def test_a_fisher_step_refits_on_few_and_judges_on_as_many_as_ever() -> None:
    Counting.asked = []
    embedder, family = task_embedder("fisher"), Counting()
    chosen = embedder.settings_class(n_shot=2, batch=3, hidden=4)
    state = embedder.begin(family, family.sample(4, rng=generator()), chosen, generator())
    Counting.asked = []
    embedder.step(state, chosen)
    assert Counting.asked == [(2, family.default_shot)]


def test_more_than_a_task_has_is_said_and_changes_nothing() -> None:
    tasks: TaskFamily = OwnTasks(torch.rand(30, 8, 1), torch.rand(30, 8))
    for embedder in LIVE:
        made = session(embedder, tasks, n_tasks=6)
        with pytest.raises(ValueError, match="n_shot: got 9, expected at most 8 rows"):
            made.set(n_shot=9)
        assert made.settings.n_shot == 0
