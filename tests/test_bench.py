"""The bench of a panel without a browser: what lies on it is the learner's, and what is sent follows the run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from taskembed_edu import AdaptationLab, MetricLab
from taskembed_edu.live.bench import Desk
from taskembed_edu.live.export import export_html
from tests.test_panel import Page

SMALL: dict[str, Any] = {"n_tasks": 8, "hidden": 8, "batch": 4, "frame_every": 5}
HERE = [[-2.0, 1.0], [0.5, -1.5]]


class BenchPage(Page):
    """A page that acknowledges the bench too."""

    def acknowledge(self) -> None:
        super().acknowledge()
        number = -1
        while number != self.bench.get("number", 0):
            number = self.bench.get("number", 0)
            self.hear({"do": "bench shown", "number": number})
            assert self.panel.player.wait(60)

    @property
    def bench(self) -> dict[str, Any]:
        return dict(self.view.bench)

    def put(self, what: str, **more: Any) -> dict[str, Any]:
        self.say("bench", what=what, **more)
        return self.bench

    def points(self) -> list[list[float]]:
        return np.frombuffer(self.bench["support"], "<f4").reshape(-1, 2).tolist()

    def way(self, name: str) -> dict[str, Any]:
        return next(way for way in self.bench["ways"] if way["name"] == name)

    def losses(self, name: str = "meta-learned") -> list[float]:
        return np.frombuffer(self.way(name)["support"], "<f4").tolist()


@pytest.fixture
def bench_page() -> Iterator[Callable[..., BenchPage]]:
    made: list[BenchPage] = []

    def make(family: str = "sinusoids", **values: Any) -> BenchPage:
        page = BenchPage(AdaptationLab(family, **{**SMALL, **values}).panel)
        made.append(page)
        assert page.panel.player.wait(60)
        page.acknowledge()
        return page

    yield make
    for page in made:
        page.panel.stop()
        assert page.panel.player.failure is None


def test_where_a_start_is_learned_play_moves_it(bench_page: Callable[..., BenchPage]) -> None:
    assert bench_page().status == "Press Play: the start moves, and the tasks with it."


def test_a_lab_without_a_learned_start_has_no_bench() -> None:
    page = Page(MetricLab("gaussians", n_tasks=8, batch=4, hidden=8, projection="pca").panel)
    try:
        page.say("bench", what="steps", steps=3)
        assert page.view.bench == {}
        assert page.panel.bench is None
    finally:
        page.panel.stop()


def test_the_known_tasks_are_trained_once_a_page_shows_the_bench_and_not_before() -> None:
    page = BenchPage(AdaptationLab("sinusoids", **SMALL).panel)
    try:
        assert page.panel.player.wait(60)
        assert page.panel.bench is not None
        assert page.panel.bench.motion.known(page.panel.sessions[0]).done == 0
        assert "being trained" in page.bench["missing"]["nearest task"]
        page.acknowledge()
        assert [way["name"] for way in page.bench["ways"]] == ["random", "meta-learned", "nearest task"]
    finally:
        page.panel.stop()


def test_moved_points_are_learned_from_and_one_drag_is_one_undo(bench_page: Callable[..., BenchPage]) -> None:
    page = bench_page()
    first, before = page.points(), page.losses()
    for x in (-1.0, -0.5, 0.0):
        page.put("points", points=[[x, 1.0], *first[1:]], gesture=1)
    assert page.points()[0] == [0.0, 1.0]
    assert page.losses() != before
    assert page.bench["moved"]
    assert page.bench["measures"] == {"loss": "Loss"}, "the query set is still the task's"
    page.put("points", points=first[1:], gesture=2)
    assert len(page.points()) == len(first) - 1
    page.put("undo")
    assert page.points()[0] == [0.0, 1.0]
    page.put("undo")
    assert page.points() == first
    assert page.losses() == before
    assert not page.bench["undo"]
    page.put("undo")  # nothing is left, and nothing happens


def test_a_wave_of_ones_own_is_kept_while_one_looks_at_tasks(bench_page: Callable[..., BenchPage]) -> None:
    page = bench_page()
    page.put("points", points=HERE, gesture=1)
    assert page.put("own")["own"]
    assert page.points() == []
    page.put("points", points=[[1.0, 2.0]], gesture=2)
    assert page.bench["measures"] == {}
    assert page.bench["truth"] == b""
    assert len(page.bench["query"]) == 0
    assert page.put("task", task=3)["task"] == 3
    assert page.bench["mine"]
    assert page.put("mine")["own"]
    assert page.points() == [[1.0, 2.0]]
    page.put("back")
    assert not page.bench["own"]
    page.put("task", task=0)
    assert page.points() == HERE, "the moved points of a task are kept too"
    assert not page.put("back")["moved"]
    page.put("undo")
    assert page.points() == HERE


def test_the_task_chosen_on_the_map_lies_on_the_bench(bench_page: Callable[..., BenchPage]) -> None:
    page = bench_page()
    page.view.chosen = 5
    assert page.panel.player.wait(60)
    page.acknowledge()
    assert page.bench["task"] == 5
    assert page.bench["name"] == page.panel.sessions[0].tasks.names[5]


def test_it_follows_the_viewed_frame_and_the_settings(bench_page: Callable[..., BenchPage]) -> None:
    page = bench_page()
    first = page.losses()
    page.say("step")
    assert page.bench["step"] == 5
    later = page.losses()
    assert later != first
    page.say("look", step=0)
    assert (page.bench["step"], page.losses()) == (0, first)
    page.say("look", step=None)
    assert page.losses() == later
    page.say("set", changes={"inner_lr": 0.05})
    assert page.losses()[0] == later[0]
    assert page.losses()[1] != later[1]
    page.say("set", changes={"n_shot": 3})
    assert len(page.points()) == 3
    assert len(page.losses()) == 11
    page.put("steps", steps=4)
    assert len(page.losses()) == 5


def test_two_runs_are_two_learned_starts(bench_page: Callable[..., BenchPage]) -> None:
    page = bench_page()
    page.say("step")
    page.say("branch")
    page.say("set", changes={"method": "reptile"})
    labels = [way["label"] for way in page.bench["ways"]]
    assert labels == ["random", "Run B: meta-learned (Reptile)", "Run A: meta-learned (MAML)", "nearest task"]
    page.say("keep", run=0)
    assert [way["label"] for way in page.bench["ways"]][1] == "meta-learned (MAML)"


def test_other_tasks_take_moved_points_away_and_leave_ones_own(bench_page: Callable[..., BenchPage]) -> None:
    page = bench_page()
    page.put("points", points=HERE, gesture=1)
    page.say("reset")
    assert page.points() == HERE, "the same tasks"
    page.put("own")
    page.put("points", points=[[1.0, 1.0]], gesture=2)
    page.say("new seed")
    assert page.points() == [[1.0, 1.0]]
    page.put("task", task=0)
    assert not page.bench["moved"]
    page.say("set", changes={"family": "gaussians"})
    page.say("reset")
    assert page.bench["kind"] == "card"
    assert page.bench["flat"][0]["name"] == "prototypes"
    assert page.panel.player.failure is None


@pytest.mark.parametrize(
    "message",
    [
        {"what": "dance"},
        {"what": "task", "task": 99},
        {"what": "steps", "steps": 0},
        {"what": "points", "points": [[1, 2, 3]]},
        {"what": "points", "points": [["a", "b"]]},
        {"what": "points", "points": 7},
        {},
    ],
)
def test_nonsense_is_said_and_changes_nothing(bench_page: Callable[..., BenchPage], message: dict[str, Any]) -> None:
    page = bench_page()
    before = page.points()
    page.say("bench", **message)
    assert page.transport["tone"] == "alarm"
    assert page.points() == before


def test_it_is_sent_while_training_runs_and_waits_for_the_page(bench_page: Callable[..., BenchPage]) -> None:
    page = bench_page()
    page.hear({"do": "play"})
    number = page.bench["number"]
    page.until(lambda: page.panel.sessions[0].steps >= 20)
    assert page.bench["number"] <= number + 2, "not acknowledged: at most one, and another after two seconds"

    def moved() -> bool:
        page.hear({"do": "bench shown", "number": page.bench["number"]})
        return page.points() == HERE

    page.hear({"do": "bench", "what": "points", "points": HERE, "gesture": 1})
    page.until(moved)
    page.say("pause")
    assert page.points() == HERE


def test_an_exported_page_holds_the_first_and_the_last(bench_page: Callable[..., BenchPage], tmp_path: Any) -> None:
    page = bench_page()
    page.put("points", points=HERE, gesture=1)
    for _ in range(3):
        page.say("step")
    bench = page.panel.bench
    assert bench is not None
    kept = bench.recorded()
    assert [packet["step"] for packet in kept] == [0, 5, 10, 15]
    assert all(np.frombuffer(packet["support"], "<f4").reshape(-1, 2).tolist() == HERE for packet in kept)
    path = export_html(page.panel.sessions, tmp_path / "page.html", more={"benches": kept})
    assert '"benches"' in path.read_text(encoding="utf-8")


def test_a_desk_gives_the_points_of_what_lies_on_it() -> None:
    desk = Desk().with_points(((1.0, 2.0),))
    assert desk.points == ((1.0, 2.0),)
    assert Desk(task=1, moved=desk.moved).points is None
    assert desk.with_points(None).points is None


def test_a_rate_that_is_too_large_is_said_with_its_step_and_at_rest_with_one_that_is_not(
    bench_page: Callable[..., BenchPage],
) -> None:
    page = bench_page()
    page.say("set", changes={"inner_lr": 2.0})
    lost = page.way("random")["diverged"]
    assert lost > 0
    assert f"diverged at step {lost}" in page.bench["missing"]["random"]
    assert "(2) is too large" in page.bench["missing"]["random"]
    page.until(lambda: "stable here" in page.bench["missing"]["random"])
    rate = re.search(r"stable here is (\d+(?:\.\d+)?)", page.bench["missing"]["random"])
    assert rate is not None
    page.say("set", changes={"inner_lr": float(rate[1])})
    assert page.way("random")["diverged"] == -1
    assert page.panel.player.failure is None
