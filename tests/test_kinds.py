"""A kind of sample of one's own, without true distances, added in one file: watched, mapped, exported and reopened."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from taskembed_edu import MLP, ParameterLab, SampleEncoder, Session, Sinusoids, register_kind, set_encoder, task_learner
from taskembed_edu.commands.run import write_run
from taskembed_edu.embedders.summary import SUMMARIES, summary
from taskembed_edu.live.export import exported
from taskembed_edu.live.packets import picture_packet, tasks_packet
from taskembed_edu.live.saving import save
from taskembed_edu.live.words import help_packet, map_words
from taskembed_edu.networks.encoders import ENCODERS
from taskembed_edu.networks.factory import LEARNERS, LEARNERS_OF, readers
from taskembed_edu.session.side_by_side import same_tasks
from tests.outside import walks
from tests.outside.walks import Walkers
from tests.runs import as_json, assert_same_frame, generator

SMALL: dict[str, Any] = {"n_tasks": 12, "projection": "pca", "frame_every": 5, "device": "cpu", "hidden": 8}


@pytest.fixture
def registries() -> Iterator[None]:
    """What is registered in a test is gone afterwards."""
    known = [(of, dict(of._entries)) for of in (ENCODERS, LEARNERS_OF, SUMMARIES)]
    names = dict(LEARNERS)
    yield
    for registry, before in known:
        registry._entries = before  # type: ignore[assignment]
    LEARNERS.clear()
    LEARNERS.update(names)


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session("parameters", Walkers(), learner="forecaster", **SMALL)
    session.step(10)
    return session


# ---- the family of one file ------------------------------------------------------------------------------------------


def test_the_example_is_one_short_file() -> None:
    assert len(Path(walks.__file__).read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("embedder", ["metric", "parameters", "fisher", "summary"])
def test_every_embedder_watches_it_and_a_recording_makes_the_run_again(embedder: str) -> None:
    settings = SMALL if embedder != "summary" else {k: v for k, v in SMALL.items() if k not in ("device", "hidden")}
    session = Session(embedder, Walkers(), **settings)
    session.step(10)
    assert "spearman" not in session.frame.diagnostics
    assert "spearman" not in session.closing_scores(12)
    assert np.isfinite(session.frame.layout).all()
    again = Session.replay(as_json(session.recording()), family=Walkers())
    for mine, theirs in zip(session.history, again.history, strict=True):
        assert_same_frame(mine, theirs)


def test_nothing_is_said_of_a_truth_that_nobody_knows(session: Session) -> None:
    assert session.geometry is None
    near, truth = session.nearest(session.frame, 3, k=4)
    assert (len(near), len(truth)) == (4, 0)
    said = map_words(session, session.frame, chosen=3)
    assert "Nearest in the embedding" in said
    assert "truth" not in said
    assert "true parameter" not in said
    explained = help_packet(session)
    assert "colour" not in explained["reading"][2]
    assert "spearman" not in explained["scores"]
    packet = tasks_packet(session)
    assert packet["truth"] is None
    assert packet["colours"] == []
    assert picture_packet([session], chosen=3)["runs"][0]["links"]["truth"] == []


def test_its_card_is_drawn_in_lines_and_words(session: Session) -> None:
    card = tasks_packet(session)["card"]
    assert (card["kind"], len(card["drawings"])) == ("drawing", 12)
    drawing = card["drawings"][0]
    assert drawing["lines"][0] == {"tone": "soft", "dashed": False, "points": [(0.5, 0.5)]}
    assert len(drawing["lines"]) == 5
    x, y = session.tasks.support_x[0, 0, -1].tolist()
    assert drawing["lines"][1]["points"][-1] == pytest.approx((0.5 + x / 24, 0.5 + y / 24), abs=1e-3)
    assert drawing["labels"][0]["text"] == "3 walks"
    assert drawing["spoken"].startswith("three walks, ")


def test_what_its_networks_answer_lies_over_the_card(session: Session) -> None:
    fit = picture_packet([session])["runs"][0]["fit"]
    assert (fit["kind"], fit["n"]) == ("path", 6)
    assert session.frame.fit is not None
    paths = session.frame.fit.paths
    assert paths is not None
    levels = np.frombuffer(fit["points"], np.uint8).reshape(12, 3, 2)
    np.testing.assert_allclose(levels / 255 * 24 - 12, np.clip(paths, -12, 12), atol=24 / 255)


def test_it_is_exported_and_saved(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert b"3 walks" in exported([session])
    monkeypatch.chdir(tmp_path)
    for what in ("png", "csv", "parquet", "json", "html"):
        path, _words = save(what, [session], 0, session.frame, 0, "Walkers")
        assert path.stat().st_size > 100
    header = (tmp_path / "parameters-walkers-step-10.csv").read_text("utf-8").splitlines()[0]
    assert header.startswith("task,name,map_x,map_y")
    assert len(list(write_run(session, {"loss": 0.0}, tmp_path / "run"))) == 5
    assert (tmp_path / "run" / "map.csv").read_text("utf-8").splitlines()[0] == header


def test_a_lab_chooses_its_learner_and_opens_its_recording(session: Session, tmp_path: Path) -> None:
    lab = ParameterLab(Walkers(), learner="forecaster", **SMALL)
    assert lab.session.offers("learner") == ("auto", "forecaster")
    assert lab.replay(session.recording()).steps == 10
    with pytest.raises(ValueError, match=r"^learner: got 'forcaster', expected one of .* mean 'forecaster'"):
        ParameterLab(Walkers(), learner="forcaster")
    with pytest.raises(ValueError, match=r"^learner: got mlp, expected one of forecaster .* of kind 'trajectory'"):
        task_learner(Walkers(), "mlp")


def test_tasks_without_names_of_their_truth_are_told_apart_by_their_own() -> None:
    one, other = (Walkers().sample(5, rng=generator(seed)) for seed in (0, 1))
    assert same_tasks(one, Walkers().redraw(one, generator(2)))
    assert not same_tasks(one, other)
    bare, stranger = (replace(batch, truth=torch.zeros(5, 0)) for batch in (one, other))
    assert same_tasks(bare, replace(bare))
    assert not same_tasks(bare, stranger)


# ---- truth -----------------------------------------------------------------------------------------------------------


def test_a_family_without_coordinates_says_so_or_is_told() -> None:
    @dataclass(frozen=True)
    class Forgetful(Walkers):
        has_geometry = True

    with pytest.raises(ValueError, match=r"^coordinates: got none of walkers .* has_geometry = False"):
        Session("summary", Forgetful(), n_tasks=12)


def test_tasks_may_have_no_truth_at_all() -> None:
    @dataclass(frozen=True)
    class Nameless(Walkers):
        def draw_truth(self, n_tasks: int, rng: torch.Generator) -> torch.Tensor:
            return torch.zeros(n_tasks, 0)

        def draw_samples(self, truth: torch.Tensor, n_shot: int, rng: torch.Generator) -> Any:
            return super().draw_samples(torch.arange(len(truth), dtype=torch.float32)[:, None], n_shot, rng)

        def task_name(self, truth: torch.Tensor) -> str:
            return "somebody"

    session = Session("summary", Nameless(), n_tasks=12, projection="pca")
    assert "true parameter" not in map_words(session, session.frame, chosen=1)
    assert len(exported([session])) > 1000


# ---- kinds and their registries ------------------------------------------------------------------------------------


def test_a_family_that_does_not_say_has_the_kind_of_its_question() -> None:
    assert [family.kind for family in (Sinusoids(), Walkers())] == ["numbers", "trajectory"]


@pytest.mark.usefixtures("registries")
def test_what_is_missing_for_a_kind_is_said_with_how_to_register_it() -> None:
    @dataclass(frozen=True)
    class Tables(Walkers):
        kind = "table row"

    with pytest.raises(
        ValueError, match=r"^kind: got 'table row', expected a kind with an encoder: numbers, .*encoder=\.\.\."
    ):
        set_encoder(Tables(), generator())
    with pytest.raises(ValueError, match=r"a kind with a learner: .*register_kind\('table row', learners=\.\.\."):
        readers(Tables())
    with pytest.raises(ValueError, match=r"a kind with a summary: .*summary=\.\.\."):
        summary(Tables(), Tables().sample(2, rng=generator()))
    with pytest.raises(ValueError, match=r"^family: got walkers.*register_kind\('table row', \.\.\.\) says how"):
        Session("metric", Tables())
    with pytest.raises(ValueError, match=r"Did you mean 'image'\?"):
        ENCODERS["imgae"]


@pytest.mark.usefixtures("registries")
@pytest.mark.parametrize(
    "kind, given, error, words",
    [
        ("", {"summary": summary}, ValueError, r"^kind: got '', expected a word"),
        ("rows", {}, ValueError, r"^register_kind: got only the word 'rows'"),
        ("rows", {"encoder": 3}, TypeError, r"^encoder: got 3, expected a function"),
        ("rows", {"learners": {}}, ValueError, r"^learners: got none, expected at least one"),
        ("rows", {"learners": {"auto": summary}}, ValueError, r"^learners: got one called 'auto'"),
        ("rows", {"learners": {"mine": 3}}, TypeError, r"^learners: got 3, expected a function .* 'mine'"),
        ("image", {"summary": summary}, ValueError, r"^kind: got 'image', expected a word of your own"),
        ("tokens", {"encoder": summary, "learners": {"mine": summary}}, ValueError, r"have a learner already"),
    ],
)
def test_nothing_is_registered_where_something_is_wrong(kind: str, given: Any, error: type, words: str) -> None:
    before = [list(registry) for registry in (ENCODERS, LEARNERS_OF, SUMMARIES)]
    with pytest.raises(error, match=words):
        register_kind(kind, **given)
    assert [list(registry) for registry in (ENCODERS, LEARNERS_OF, SUMMARIES)] == before
    assert "mine" not in LEARNERS


@pytest.mark.usefixtures("registries")
def test_ones_own_kind_may_be_registered_again_and_is_checked_when_used() -> None:
    register_kind("trajectory", encoder=lambda *_: SampleEncoder(walks.Strides(8), 9))
    with pytest.raises(ValueError, match=r"^encoder: got samples as \(1, 8, 8\), expected \(1, 8, 9\)"):
        set_encoder(Walkers(), generator())
    register_kind("trajectory", encoder=lambda *_: SampleEncoder(torch.nn.LayerNorm(2), 2))
    with pytest.raises(TypeError, match=r"^make: got LayerNorm.*initialise\(rng\)"):
        set_encoder(Walkers(), generator())
    register_kind("trajectory", learners={"mlp": lambda *_: MLP(5, 2)}, summary=lambda *_: torch.zeros(3))
    with pytest.raises(ValueError, match=r"^x_shape: got \(12, 2\), expected samples that a mlp reads"):
        task_learner(Walkers(), "mlp")
    with pytest.raises(ValueError, match=r"^summary: got a tensor of shape \(3,\)"):
        summary(Walkers(), Walkers().sample(2, rng=generator()))
    register_kind("trajectory", learners={"mlp": lambda *_: 3})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match=r"^learner: got 3, expected a Learner"):
        task_learner(Walkers(), "mlp")


def test_a_kind_that_does_not_fit_the_samples_is_named() -> None:
    @dataclass(frozen=True)
    class Square(Sinusoids):
        kind = "image"

    @dataclass(frozen=True)
    class Flat(Walkers):
        kind = "numbers"

    @dataclass(frozen=True)
    class Silent(Walkers):
        kind = "tokens"

    with pytest.raises(ValueError, match=r"^x_shape: got \(1,\), expected \(channels, height, width\)"):
        task_learner(Square())
    with pytest.raises(ValueError, match=r"^x_shape: got \(12, 2\), expected \(entries,\)"):
        set_encoder(Flat(), generator())
    with pytest.raises(ValueError, match=r"^family: got Silent without them, expected an alphabet and a length"):
        task_learner(Silent())


def test_a_part_is_only_for_a_family_that_has_parts() -> None:
    @dataclass(frozen=True)
    class Whole(Sinusoids):
        part: tuple[int, ...] = ()

    assert Whole().with_part((1,)).part == (1,)
    assert not math.isnan(float(Whole(part=(1,)).sample(1, rng=generator()).truth[0, 0]))
