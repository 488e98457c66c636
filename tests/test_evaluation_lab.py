"""EvaluationLab in a script: two runs on the same tasks, what differs between them, and a scorecard for each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from taskembed_edu import EvaluationLab, Gaussians, MetricEmbedder, OwnTasks, Session
from taskembed_edu.evaluation.card_rows import CARD_ROWS, MEASURES, better_of, row_of, rows_of_card
from taskembed_edu.evaluation.known_tasks import known_tasks
from taskembed_edu.evaluation.scorecard import scorecard_of
from taskembed_edu.session.recordings import save_recording
from taskembed_edu.session.side_by_side import changed_neighbours, common_families, run_names, same_tasks, scorecards
from taskembed_edu.tasks import FAMILIES
from tests.runs import assert_same_frames, generator, small_session

SMALL: dict[str, Any] = {"family": "gaussians", "projection": "pca", "n_tasks": 12, "frame_every": 4, "hidden": 8}
QUICK: dict[str, Any] = {"n_tasks": 20, "transfer_to": 5}
SCORES_ONLY: dict[str, Any] = {"n_tasks": 20, "transfer_to": 0}  # no network of a known task is trained


def small_lab(*embedders: Any, **values: Any) -> EvaluationLab:
    return EvaluationLab(*embedders, **{**SMALL, **values})


# ---- two runs ----


def test_it_is_two_sessions_of_two_embedders_on_the_same_tasks() -> None:
    lab = small_lab("metric", "summary")
    left, right = lab.sessions
    assert [session.embedder.name for session in lab.sessions] == ["metric", "summary"]
    assert same_tasks(left.tasks, right.tasks)
    assert lab.sessions is lab.sessions
    frames = lab.step(8)
    assert [frame.step for frame in frames] == [left.steps, right.steps] == [8, 8]
    plain = Session("metric", **SMALL)
    plain.step(8)
    assert_same_frames(left, plain)  # what stands beside a run changes nothing in it


def test_a_setting_goes_to_those_that_have_it() -> None:
    lab = small_lab("metric", "context", margin=2.0, metric="manhattan", inner_steps=3, seed=5)
    left, right = (session.values() for session in lab.sessions)
    assert (left["metric"], right["metric"], left["seed"], right["seed"]) == ("manhattan", "manhattan", 5, 5)
    assert (left["margin"], right["inner_steps"]) == (2.0, 3)
    assert "margin" not in right
    assert "inner_steps" not in left
    lab.set(metric="cosine", margin=0.5)
    assert [session.values()["metric"] for session in lab.sessions] == ["cosine", "cosine"]
    assert lab.sessions[0].values()["margin"] == 0.5


def test_settings_of_one_side_alone() -> None:
    lab = small_lab("metric", "metric", left_settings={"margin": 1.5}, right_settings={"margin": 3.0})
    assert [session.values()["margin"] for session in lab.sessions] == [1.5, 3.0]
    assert run_names(lab.sessions) == ("Run A", "Run B")
    assert run_names(small_lab().sessions) == ("Metric", "Context")
    same = small_lab("metric", "metric")
    same.step(4)
    assert lab.sessions[0].tasks is not lab.sessions[1].tasks
    assert_same_frames(*same.sessions)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"left": "metrik"}, "left: got 'metrik'.*Did you mean 'metric'"),
        ({"right": "contex"}, "right: got 'contex'.*Did you mean 'context'"),
        ({"marginn": 1.0}, "setting: got 'marginn'.*Did you mean 'margin'"),
        ({"margin": -1.0}, "margin: got -1.0"),
        ({"family": "digit"}, "family: got 'digit'.*Did you mean 'digits'"),
        ({"family": "number_words"}, r"left: got 'metric', expected one that reads languages.*\(parameters, fisher"),
        (
            {"left": "parameters", "family": "number_words"},
            "left and right: got 'parameters' and 'context'.*same tasks",
        ),
        ({"left_settings": {"seed": 1}}, "left_settings: got 'seed'.*Both sides share it.*seed=1"),
        ({"right_settings": {"margin": 1}}, "right_settings: got 'margin'"),
        ({"n_tasks": 1}, "n_tasks: got 1"),
    ],
)
def test_what_is_wrong_fails_where_it_was_typed(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        EvaluationLab(**values)


def test_settings_that_are_no_dictionary_and_a_class_in_the_place_of_an_embedder() -> None:
    with pytest.raises(TypeError, match=r"left_settings: got 3, expected settings by name. Write left_settings="):
        small_lab(left_settings=3)
    wrong: Any = MetricEmbedder
    with pytest.raises(TypeError, match=r"write MetricEmbedder\(\)"):
        small_lab(wrong)


def test_families_on_which_both_maps_show_the_same_tasks() -> None:
    lab = small_lab()
    both = common_families([session.embedder for session in lab.sessions])
    assert both == [name for name in FAMILIES if name != "number_words"]
    pair = [small_lab("parameters", "context").sessions[side].embedder for side in (0, 1)]
    assert "number_words" not in common_families(pair)
    assert "number_words" in common_families(pair[1:])


def test_own_tasks_are_read_by_both() -> None:
    x, y = torch.randn(40, 8, 1, generator=generator()), torch.randn(40, 8, 1, generator=generator(1))
    lab = EvaluationLab("metric", "context", OwnTasks(x, y), n_tasks=8, projection="pca", hidden=8)
    lab.step(2)
    assert same_tasks(*(session.tasks for session in lab.sessions))
    assert 0 <= lab.changed_neighbours(3).share <= 1


# ---- changes of both, in any order ----


def test_a_change_that_one_side_refuses_changes_neither() -> None:
    lab = small_lab("metric", "context")
    before = [session.values() for session in lab.sessions]
    with pytest.raises(ValueError, match="inner_steps: got 100"):
        lab.set(margin=2.0, inner_steps=100)
    with pytest.raises(ValueError, match="Use reset"):
        lab.set(margin=2.0, seed=4)
    with pytest.raises(ValueError, match="left: got 'metric', expected one that reads"):
        lab.reset(family="number_words")
    with pytest.raises(ValueError, match="inner_steps: got 0"):
        lab.reset(margin=2.0, inner_steps=0)
    assert [session.values() for session in lab.sessions] == before


def test_a_reset_of_the_tasks_is_of_both_and_keeps_what_each_has_of_its_own() -> None:
    lab = small_lab("metric", "context", margin=2.0)
    lab.step(4)
    lab.reset(family="sinusoids", seed=3, inner_steps=5)
    left, right = lab.sessions
    assert same_tasks(left.tasks, right.tasks)
    assert (left.setup.family, right.setup.seed, left.steps, right.steps) == ("sinusoids", 3, 0, 0)
    assert (left.values()["margin"], right.values()["inner_steps"]) == (2.0, 5)
    assert len(left.past) == len(right.past) == 1


def test_tasks_that_went_apart_are_said_and_brought_together() -> None:
    lab = small_lab()
    lab.sessions[0].reset(seed=9)
    for asked in (lab.changed_neighbours, lab.scorecards):
        with pytest.raises(ValueError, match=r"sessions: got gaussians, seed 9, .* Reset both with lab.reset"):
            asked()
    lab.reset(seed=9)
    assert lab.changed_neighbours().counts.shape == (12,)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(0, 5)),
        st.tuples(
            st.just("set"),
            st.sampled_from([{"metric": "cosine"}, {"margin": 0.5}, {"n_shot": 3}, {"metric": "euclidean"}]),
        ),
        st.tuples(st.just("reset"), st.sampled_from([{}, {"seed": 2}, {"n_tasks": 9}, {"margin": 1.5}])),
        st.tuples(st.just("one"), st.integers(0, 1)),
    ),
    max_size=6,
)


@given(acts=ACTS)
@settings(max_examples=12, deadline=None)
def test_in_any_order_both_have_the_same_tasks_and_each_replays(acts: list[tuple[str, Any]]) -> None:
    lab = small_lab("metric", "summary")
    for act, what in acts:
        if act == "step":
            lab.step(what)
        elif act == "one":
            lab.sessions[what].step(3)
        else:
            getattr(lab, act)(**what)
    left, right = lab.sessions
    assert same_tasks(left.tasks, right.tasks)
    lab.changed_neighbours(3)
    again = small_lab("metric", "summary", seed=left.setup.seed)
    again.replay(right.recording(), left.recording())  # whichever comes first
    for mine, theirs in zip(again.sessions, lab.sessions, strict=True):
        assert [frame.step for frame in mine.history] == [frame.step for frame in theirs.history]
        np.testing.assert_array_equal(mine.frame.embedding, theirs.frame.embedding)


def test_a_saved_recording_is_replayed_on_its_side(tmp_path: Path) -> None:
    lab = small_lab("metric", "context")
    lab.step(4)
    path = tmp_path / "context.json"
    save_recording(lab.sessions[1].recording(), path)
    again = small_lab("metric", "context")
    again.replay(path)
    assert [session.steps for session in again.sessions] == [0, 4]
    with pytest.raises(ValueError, match="got a run of the 'summary' embedder, expected one of metric and context"):
        again.replay(small_lab("summary", "metric").sessions[0].recording())
    with pytest.raises(ValueError, match="sessions: got gaussians, seed 1"):
        small_lab("metric", "context").replay(small_lab("metric", "context", seed=1).sessions[0].recording())


def test_two_of_one_embedder_are_replayed_left_then_right() -> None:
    lab = small_lab("metric", "metric", left_settings={"margin": 1.5}, right_settings={"margin": 3.0})
    recordings = [session.recording() for session in lab.sessions]
    again = small_lab("metric", "metric")
    again.replay(*recordings)
    assert [session.values()["margin"] for session in again.sessions] == [1.5, 3.0]
    with pytest.raises(ValueError, match="no other: both are replayed"):
        small_lab("metric", "metric").replay(*recordings, recordings[0])


# ---- which neighbours differ ----


def test_changed_neighbours_are_those_of_one_side_alone() -> None:
    lab = small_lab()
    lab.step(8)
    lab.sessions[0].step(4)  # it is ahead: they are compared at step 8
    found = lab.changed_neighbours(4)
    frames = [session.history.at_step(8) for session in lab.sessions]
    for task in range(12):
        near = []
        for frame in frames:
            apart = np.linalg.norm(frame.embedding - frame.embedding[task], axis=1)
            near.append({*np.argsort(np.where(np.arange(12) == task, np.inf, apart))[:4].tolist()})
        assert set(found.lost(task).tolist()) == near[0] - near[1]
        assert set(found.gained(task).tolist()) == near[1] - near[0]
        assert found.counts[task] == len(near[0] - near[1])
    assert found.share == found.counts.sum() / 48


def test_a_run_beside_itself_has_no_other_neighbours() -> None:
    lab = small_lab("metric", "metric")
    lab.step(4)
    assert lab.changed_neighbours().share == 0


def test_a_task_that_diverged_counts_as_unchanged_and_is_nobodys_neighbour() -> None:
    frame = small_session().frame
    moved = replace(frame, embedding=frame.embedding[::-1].copy(), diverged_tasks=(3,))
    found = changed_neighbours(frame, moved, 20)
    assert found.before.shape == (12, 10)  # as many as a task has near it in both
    assert found.counts[3] == 0
    assert not (found.after == 3).any(where=(np.arange(12) != 3)[:, None])
    with pytest.raises(ValueError, match="got 12 and 9 tasks"):
        changed_neighbours(frame, small_session(n_tasks=9).frame)


# ---- scorecards ----


def test_both_are_judged_on_the_same_unseen_tasks_and_nothing_moves() -> None:
    lab = small_lab("metric", "context")
    lab.step(8)
    before = [session.frame.embedding.copy() for session in lab.sessions]
    left, right = lab.scorecards(**QUICK)
    assert (left.embedder, right.embedder, left.n_tasks) == ("metric", "context", 20)
    assert left.scores.keys() == right.scores.keys() >= {"recall@1", "spearman", "neighbours kept", "linear probe"}
    assert left.transfer is not None
    assert right.transfer is not None
    for step in left.transfer.steps:  # the same new tasks from the same random starts
        assert left.transfer.mean("random weights", "loss", step) == right.transfer.mean("random weights", "loss", step)
    assert lab.judged is not None
    assert lab.judged.steps == (8, 8)
    lab.step(4)
    assert lab.judged.steps == (8, 8)  # it says when it was judged
    assert [session.history.at_step(8).embedding.tolist() for session in lab.sessions] == [b.tolist() for b in before]
    assert lab.scorecards(**QUICK)[0].scores != left.scores


def test_a_card_of_a_run_is_that_of_its_embedder_alone() -> None:
    session = Session("metric", **SMALL)
    session.step(4)
    judged = scorecards([session], **SCORES_ONLY)
    state = session._now.state
    alone = scorecard_of(session.embedder, state, session.settings, session.split, **SCORES_ONLY)
    assert judged.cards[0].scores == alone.scores
    assert (
        scorecard_of(session.embedder, state, session.settings, session.split, seed=1, **SCORES_ONLY).scores
        != alone.scores
    )


def test_a_view_is_judged_as_it_is_looked_at() -> None:
    lab = small_lab("parameters", "parameters", right_settings={"vector": "outputs"})
    lab.step(4)
    weights, outputs = lab.scorecards(**QUICK)
    assert weights.numbers != outputs.numbers


@pytest.mark.parametrize("shots", [{}, {"left_settings": {"n_shot": 2}}])
def test_other_shots_are_judged_on_the_same_tasks(shots: dict[str, Any]) -> None:
    lab = small_lab("metric", "summary", **shots)
    left, right = lab.scorecards(n_tasks=10, transfer_to=2)
    assert left.scores.keys() == right.scores.keys()


def test_what_cannot_be_measured_is_absent() -> None:
    lab = small_lab("metric", "summary", family="sinusoids")
    card, _other = lab.scorecards(n_tasks=10, transfer_to=0)
    assert card.transfer is None
    assert "purity" not in card.scores
    with pytest.raises(ValueError, match="n_tasks: got 5"):
        lab.scorecards(n_tasks=5)


def test_work_that_is_cancelled_ends_at_once() -> None:
    calls = 0

    class CancelledError(Exception):
        pass

    def cancel() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise CancelledError

    lab = small_lab()
    with pytest.raises(CancelledError):
        scorecards(lab.sessions, **QUICK, cancelled=cancel)
    assert calls == 3


@pytest.mark.gpu
@pytest.mark.parametrize("right", ["context", "parameters"])
def test_embedders_on_a_gpu_are_judged_as_on_the_cpu(right: str) -> None:
    def scores(device: str) -> list[float]:
        lab = small_lab("metric", right, device=device)
        lab.step(4)
        return [card.scores["spearman"] for card in lab.scorecards(n_tasks=12, transfer_to=0)]

    assert scores("cuda") == pytest.approx(scores("cpu"), abs=0.02)


def test_known_tasks_tell_of_every_fiftieth_step() -> None:
    told: list[int] = []
    train = Gaussians().split(generator())[0]
    found = known_tasks(train, None, generator(), lambda: told.append(1), steps=120)
    assert len(told) == 2
    assert len(found.tasks) == 200
    assert {len(value) for value in found.networks.values()} == {200}


def test_rows_are_declared_and_the_better_one_is_known() -> None:
    assert {name for name, row in {**CARD_ROWS, **MEASURES}.items() if not row.help.endswith(".")} == set()
    card, _other = small_lab("metric", "summary").scorecards(n_tasks=10, transfer_to=0)
    rows = rows_of_card(card)
    assert {"ms", "numbers", "recall@1"} <= rows.keys()
    assert all(row_of(name).label for name in rows)
    assert (better_of("larger", 0.2, 0.3), better_of("smaller", 0.2, 0.3), better_of("", 1, 2)) == (1, 0, None)
    assert better_of("larger", 0.2, None) is better_of("larger", 0.20001, 0.2) is None


# ---- how it is told and drawn ----


def test_its_description_is_short() -> None:
    lab = small_lab("metric", "summary")
    assert repr(lab) == "EvaluationLab(metric and summary on gaussians: step 0, 12 tasks)"
    assert repr(EvaluationLab()) == "EvaluationLab(metric and context on sinusoids: step 0, 200 tasks)"
    lab.step(4)
    assert repr(lab).startswith("EvaluationLab(gaussians: metric at step 4, recall@1 ")
    assert "; summary at step 4, recall@1 " in repr(lab)


def test_the_line_of_code_opens_the_same_lab() -> None:
    lab = EvaluationLab(
        "metric",
        "context",
        Gaussians(n_way=3),
        seed=2,
        n_tasks=9,
        frame_every=4,
        projection="pca",
        left_settings={"margin": 0.5},
    )
    lab.set(inner_steps=4)
    before, line = lab.code_line().split("\n")
    names: dict[str, Any] = {}
    exec(before, names)
    again = eval(line, names)
    assert [session.values() for session in again.sessions] == [session.values() for session in lab.sessions]
    assert same_tasks(again.sessions[0].tasks, lab.sessions[0].tasks)
    assert EvaluationLab().code_line().endswith('EvaluationLab(family="sinusoids", left="metric", right="context")')


def test_the_picture_has_both_maps_and_the_scorecards_once_made() -> None:
    lab = small_lab("metric", "context")
    lab.step(4)
    figure = lab.picture()
    assert isinstance(figure, Figure)
    maps = figure.axes[:2]
    assert [axes.get_title() for axes in maps] == ["Metric: step 4 (PCA)", "Context: step 4 (PCA)"]
    for axes in maps:
        # Beside the 12 tasks there may be a start, and the arrows from it.
        assert 12 in [len(np.asarray(points.get_offsets())) for points in axes.collections]
    assert len(figure.axes) == 3
    lab.scorecards(**QUICK)
    *_maps, table, curves = lab.picture().axes
    cells = {text.get_text() for cell in table.tables[0].get_celld().values() for text in [cell.get_text()]}
    assert {"Metric, step 4", "Context, step 4", "Recall@1", "Numbers in a vector"} <= cells
    assert any(text.endswith("✓") for text in cells)
    assert [line.get_label() for line in curves.lines] == ["Metric", "Context", "random start"]
