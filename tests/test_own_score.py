"""A score and a reading of one's own, added from outside as CONTRIBUTING.md says, are wherever the package's are."""

from __future__ import annotations

import csv
import dataclasses
import math
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu import MetricEmbedder, Reading, Score, TrueGeometry, register_score
from taskembed_edu.base.readings import PANELS, panels_of
from taskembed_edu.commands.run import main as run_command
from taskembed_edu.embedders import EMBEDDERS, StepRecord
from taskembed_edu.evaluation import all_distances, effective_dimension
from taskembed_edu.evaluation.registry import SCORES, ScoreContext, measured
from taskembed_edu.figures.snapshots import session_figure
from taskembed_edu.live.export import exported
from taskembed_edu.live.packets import columns_of, rows_packet
from taskembed_edu.live.panel import SessionPanel
from taskembed_edu.live.words import help_packet
from taskembed_edu.session.session import Session
from tests.own_score import registries_restored, written_as_told
from tests.runs import SMALL, small_session
from tests.test_export import document_of

OWN = ("dimension", "weight")


@pytest.fixture
def registries() -> Iterator[None]:
    with registries_restored():
        yield


@pytest.fixture
def own(registries: None, tmp_path: Path) -> Session:
    """Twelve steps of the embedder that CONTRIBUTING.md shows, which has run as one file."""
    runpy.run_path(str(written_as_told(tmp_path)), run_name="own")
    session = Session("weighed", **SMALL)
    session.step(12)
    return session


def size_of_weights(session: Session) -> float:
    weights = torch.cat([part.detach().flatten() for part in session._now.state.encoder.parameters()])
    return float(weights.square().mean().sqrt())


# ---- in one file, and everywhere -----------------------------------------------------------------------------------


def test_the_history_has_them_in_every_frame(own: Session) -> None:
    for frame in own.history:
        assert frame.diagnostics["dimension"] == effective_dimension(torch.tensor(frame.embedding))
        assert list(frame.diagnostics)[-3:] == ["dimension", "active_pairs", "weight"]
    weights = [frame.diagnostics["weight"] for frame in own.history]
    assert math.isnan(weights[0])  # nothing was reported before the first step
    sizes = []
    again = Session("weighed", **SMALL)
    for _ in range(4):
        again.step(1)
        sizes.append(size_of_weights(again))
    assert weights[1] == pytest.approx(np.mean(sizes))


def test_the_curves_have_them_in_the_panels_that_they_named(own: Session) -> None:
    (run,) = rows_packet([own])["runs"]
    rows = np.frombuffer(run["values"], "<f4").reshape(len(own.history), -1)
    for name in OWN:
        column = rows[:, run["columns"].index(name)]
        kept = np.array([frame.diagnostics[name] for frame in own.history], np.float32)
        np.testing.assert_array_equal(column, kept)
    told = help_packet(own)
    assert told["panels"] == [*PANELS, "Dimension"]
    dimension, weight = (told["scores"][name] for name in OWN)
    assert (dimension["label"], dimension["panel"], dimension["unit"]) == ("Dimension", "Dimension", False)
    assert (weight["help"], weight["panel"]) == ("The size of a typical weight.", "Loss")


def test_the_exported_page_has_them(own: Session) -> None:
    document = document_of(exported([own]))
    (run,) = document["runs"]
    assert run["columns"] == list(columns_of(own))
    assert document["help"] == help_packet(own)
    assert set(OWN) <= set(run["columns"]) & set(document["help"]["scores"])
    assert run["frames"][-1]["readings"]["dimension"] == pytest.approx(own.frame.diagnostics["dimension"], rel=1e-3)


def test_the_static_picture_has_them(own: Session) -> None:
    _map, loss, scores, dimension = session_figure(own).axes
    assert [line.get_label() for line in loss.lines] == ["loss", "weight"]
    assert [line.get_label() for line in scores.lines] == ["recall@1", "spearman", "trustworthiness"]
    (line,) = dimension.lines
    assert list(np.asarray(line.get_ydata())) == [frame.diagnostics["dimension"] for frame in own.history]


def test_the_closing_table_and_the_files_have_them(
    own: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--family", "gaussians", "--n-tasks", "12", "--hidden", "8", "--steps", "10", "--projection", "pca"]
    assert run_command(["weighed", *options, "--out", str(tmp_path / "run")]) == 0
    rows = {
        words[0]: words
        for line in capsys.readouterr().out.splitlines()
        if len(words := re.split(r"\s*│\s*", line.strip("│ "))) > 3
    }
    assert list(rows) == ["recall@1", "recall@5", "spearman", "dimension", "weight"]
    assert rows["weight"][1] == "–"  # what steps report is of training: never-seen tasks have none of it
    with (tmp_path / "run" / "frames.csv").open(encoding="utf-8") as file:
        frames = list(csv.DictReader(file))
    for name in OWN:
        assert rows[name][2] == f"{float(frames[-1][name]):.3f}"
    with (tmp_path / "run" / "scores.csv").open(encoding="utf-8") as file:
        (scores,) = csv.DictReader(file)
    assert rows["dimension"][1] == f"{float(scores['dimension']):.3f}"
    assert list(scores) == ["recall@1", "recall@5", "spearman", "dimension"]


def test_a_description_says_it_and_a_recording_keeps_it(own: Session) -> None:
    assert f"dimension {own.frame.diagnostics['dimension']:.2f})" in repr(own)
    recording = own.recording()
    assert set(OWN) <= set(recording["scores"])
    again = Session.replay(recording)
    assert again.frame.diagnostics == own.frame.diagnostics
    del SCORES["dimension"]
    fewer = Session.replay(recording)  # names and numbers: who has not the score makes the run again all the same
    assert own.frame.diagnostics.keys() - fewer.frame.diagnostics.keys() == {"dimension"}


# ---- one run, one list of scores -----------------------------------------------------------------------------------


def spread(name: str = "spread", **values: Any) -> Score:
    declared: dict[str, Any] = {"label": "Spread", "help": "How far they spread.", "function": lambda context: 2.5}
    return Score(name=name, **{**declared, **values})


def test_a_score_that_comes_while_a_session_runs_comes_with_its_reset(registries: None) -> None:
    session = small_session()
    panel = SessionPanel(session, "Lab", ())
    try:
        before = columns_of(session)
        register_score(spread())
        session.step(4)
        assert columns_of(session) == before
        assert "spread" not in session.frame.diagnostics
        assert "spread" not in panel.view.help["scores"]
        session.reset()
        assert columns_of(session) == (*before[:-1], "spread", before[-1])
        assert session.frame.diagnostics["spread"] == 2.5
        assert panel._updater is not None
        panel._updater.refresh(now=True)
        assert panel.view.help["scores"]["spread"]["label"] == "Spread"
        session.undo_reset()
        assert columns_of(session) == before
    finally:
        panel.stop()


# ---- what a run lacks ----------------------------------------------------------------------------------------------


def context(**values: Any) -> ScoreContext:
    vectors = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    return ScoreContext(vectors=vectors, distances=all_distances(vectors), **values)


def test_a_score_that_writes_into_its_vectors_changes_no_frame(registries: None) -> None:
    plain = small_session().step(4)

    def wipe(seen: ScoreContext) -> float:
        seen.vectors.zero_()
        return 0.0

    register_score(spread("wiped", function=wipe))
    assert np.array_equal(small_session().step(4).embedding, plain.embedding)


def test_a_score_that_lacks_what_it_needs_is_absent_and_not_zero() -> None:
    assert measured(SCORES.values(), context()) == {"mean_distance": pytest.approx(23 / 6)}
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    told = measured(SCORES.values(), context(geometry=TrueGeometry(torch.cdist(line, line))))
    assert told == {"spearman": 1.0, "mean_distance": pytest.approx(23 / 6)}
    told = measured(SCORES.values(), context(groups=torch.tensor([0, 0, 1, 1])))
    assert told == {"purity": 0.75, "mean_distance": pytest.approx(23 / 6)}


def test_a_run_whose_family_knows_no_true_distance_has_frames_without_spearman() -> None:
    session = small_session()
    blind = dataclasses.replace(session.validation_set, geometry=None)
    frame = blind.frame(session._now, session.history, 0, math.nan, {})
    assert session.frame.diagnostics.keys() - frame.diagnostics.keys() == {"spearman"}


def test_tasks_that_are_one_point_have_no_neighbours_to_tell_of() -> None:
    point = torch.full((4, 2), 0.3)
    noise = torch.rand(4, 4, generator=torch.Generator().manual_seed(0)).mul(1e-8)  # what rounding leaves of a cosine
    told = measured(
        SCORES.values(),
        ScoreContext(
            vectors=point,
            distances=noise,
            geometry=TrueGeometry(torch.cdist(torch.arange(4.0)[:, None], torch.arange(4.0)[:, None])),
            groups=torch.tensor([0, 0, 1, 1]),
            layout=np.zeros((4, 2), np.float32),
        ),
    )
    assert told.pop("mean_distance") == 0
    assert told.keys() == {"spearman", "purity", "trustworthiness", "jitter"}
    assert all(math.isnan(value) for value in told.values())


def test_recall_is_computed_once_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    from taskembed_edu.evaluation import registry

    calls: list[tuple[int, ...]] = []

    def counted(queries: Any, gallery: Any, ks: tuple[int, ...], metric: str) -> dict[int, float]:
        calls.append(ks)
        return dict.fromkeys(ks, 0.5)

    monkeypatch.setattr(registry, "recall_at_k", counted)
    told = measured(SCORES.values(), context(resampled=torch.zeros(4, 1)))
    assert (told["recall@1"], told["recall@5"], calls) == (0.5, 0.5, [(1, 5)])


# ---- errors that teach ---------------------------------------------------------------------------------------------


def test_a_name_that_is_taken_is_refused(registries: None) -> None:
    with pytest.raises(
        ValueError, match=r"score: got a second 'spearman', expected a name that no score has\. .*another"
    ):
        register_score(spread("spearman"), replace=True)
    with pytest.raises(ValueError, match="a second 'loss'"):
        register_score(spread("loss"))
    assert register_score(spread()).of(context()) == 2.5
    with pytest.raises(ValueError, match=r"a second 'spread'.*register_score\(score, replace=True\)"):
        register_score(spread())
    register_score(spread(function=lambda context: 3), replace=True)
    assert SCORES["spread"].of(context()) == 3
    assert list(SCORES)[-1] == "spread"
    with pytest.raises(TypeError, match=r"score: got .*expected a Score: Score"):
        register_score(effective_dimension)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "Recall 1"}, "name: got 'Recall 1', expected a word of a-z"),
        ({"name": "step"}, "name: got 'step'.*none of step"),
        ({"help": "No full stop"}, "label and help: got 'Spread' and 'No full stop'"),
        ({"label": ""}, "label and help: got ''"),
        ({"low": 1.0, "high": 1.0}, "low and high: got 1 and 1, expected low below high"),
        ({"colour": "bleu"}, "colour: got 'bleu'.*Did you mean 'blue'"),
        ({"dash": "---"}, "dash: got '---'"),
        ({"needs": ("geometri",)}, "needs: got 'geometri'.*Did you mean 'geometry'"),
    ],
)
def test_a_declaration_that_makes_no_sense_fails_where_it_is_written(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        spread(**values)


@pytest.mark.parametrize("value", [None, "0.5", torch.zeros(2)])
def test_a_score_that_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match=r"score spread: got .*expected one number\. NaN says"):
        spread(function=lambda context: value).of(context())


def test_a_score_may_be_any_kind_of_number() -> None:
    for value in (2, np.float32(2), torch.tensor(2.0), torch.tensor([2.0])):
        assert spread(function=lambda context, value=value: value).of(context()) == 2.0


def test_what_steps_report_must_be_declared_and_have_a_name_of_its_own(registries: None) -> None:
    class Talkative(MetricEmbedder):
        def step(self, state: Any, settings: Any) -> Any:
            state, record = super().step(state, settings)
            return state, StepRecord(record.loss, {"wieght": record.loss})

    session = Session(Talkative(), **SMALL)
    with pytest.raises(
        ValueError, match=r"StepRecord.readings: got 'wieght', expected declared names \(active_pairs\)"
    ):
        session.step(4)
    assert (session.steps, len(session.history)) == (0, 1)
    with pytest.raises(TypeError, match=r'readings: got a tensor.*StepRecord\(loss, {"active_pairs": share}\)'):
        StepRecord(torch.zeros(()), torch.zeros(()))  # type: ignore[arg-type]

    class Twice(MetricEmbedder):
        readings = (*MetricEmbedder.readings, Reading(name="spearman", label="S", help="Again."))

    with pytest.raises(ValueError, match="readings: got two called 'spearman', expected a name for each"):
        Session(Twice(), **SMALL)


def test_a_step_that_has_nothing_to_tell_leaves_the_mean_to_the_others() -> None:
    class Seldom(MetricEmbedder):
        readings = (*MetricEmbedder.readings, Reading(name="seldom", label="Seldom", help="Of every other step."))

        def step(self, state: Any, settings: Any) -> Any:
            state, record = super().step(state, settings)
            told = {"seldom": torch.tensor(float(state.step))} if state.step % 2 else {}
            return state, StepRecord(record.loss, told)

    session = Session(Seldom(), **SMALL)
    session.step(4)
    assert session.frame.diagnostics["seldom"] == 2  # of steps 1 and 3
    assert math.isnan(session.frame.diagnostics["active_pairs"])


def test_every_embedder_reports_a_loss_and_panels_are_in_the_page_s_order() -> None:
    for embedder in EMBEDDERS.values():
        assert embedder.readings[0].name == "loss"
    readings = [
        spread("b", panel="Mine"),
        spread("a", panel="Scores"),
        spread("c", panel=None),
        *MetricEmbedder.readings,
    ]
    assert list(panels_of(readings)) == ["Loss", "Scores", "Active pairs", "Mine"]
