"""The leaderboard as a figure: what is drawn is what the board says, in words that a hall can read."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from PIL import Image

from taskembed_edu import leaderboard_figure
from taskembed_edu.commands.benchmark import _draw, parse
from taskembed_edu.evaluation.benchmark import leaderboard, markdown
from taskembed_edu.evaluation.results import Cell, Outcome
from taskembed_edu.figures.colours import OKABE_ITO


def outcome(embedder: str, family: str, seed: int, **scores: float) -> Outcome:
    named = {name.replace("_", " ").replace("recall at 1", "recall@1"): value for name, value in scores.items()}
    return Outcome(Cell(embedder, family, seed, 300), named, 1.0)


BOARD = leaderboard(
    [
        outcome("metric", "sinusoids", 0, recall_at_1=0.5, ms_an_embedding=0.1),
        outcome("metric", "sinusoids", 1, recall_at_1=0.7, ms_an_embedding=0.1),
        outcome("context", "sinusoids", 0, recall_at_1=0.2, ms_an_embedding=math.nan),
        outcome("summary", "sinusoids", 0, ms_an_embedding=10.0),
        outcome("summary", "digits", 0, recall_at_1=0.1),
    ]
)


def test_a_point_is_the_mean_and_its_line_the_spread() -> None:
    figure = leaderboard_figure(BOARD, "sinusoids")
    recall, took = figure.axes
    assert [recall.get_title(), took.get_title()] == ["recall@1", "ms an embedding"]
    assert [recall.get_xlabel(), took.get_xlabel()] == ["better →", "← better"]
    assert [label.get_text() for label in recall.get_yticklabels()] == ["metric", "context", "summary"]
    metric, context = recall.containers  # summary has no recall: its row stays empty
    point, _caps, (line,) = metric
    assert point.get_xdata().tolist() == pytest.approx([0.6])
    half = math.sqrt(0.02)
    (ends,) = line.get_segments()
    assert ends[:, 0].tolist() == pytest.approx([0.6 - half, 0.6 + half])
    assert [text.get_text() for text in took.texts] == ["not finite"]
    assert figure.get_suptitle() == "sinusoids: mean and standard deviation, 1 to 2 seeds"
    assert context[0].get_color() == OKABE_ITO[0]


@pytest.mark.parametrize("lost", [math.inf, math.nan])
def test_one_seed_that_diverged_does_not_take_the_board_with_it(lost: float) -> None:
    outcomes = [outcome("metric", "sinusoids", seed, recall_at_1=value) for seed, value in enumerate((0.5, lost, 0.7))]
    board = leaderboard([*outcomes, outcome("context", "sinusoids", 0, recall_at_1=0.2)])
    mean, spread, n = board["sinusoids"]["metric"]["recall@1"]
    assert (str(mean), math.isnan(spread), n) == (str(lost), True, 3)
    assert f"| metric | {lost} ±nan |" in markdown(board)
    assert "| context | **0.2** ±0 |" in markdown(board)
    (recall,) = leaderboard_figure(board, "sinusoids").axes
    assert [text.get_text() for text in recall.texts] == ["not finite"]


def test_an_embedder_looks_the_same_for_every_family_and_differs_by_more_than_colour() -> None:
    took = leaderboard_figure(BOARD, "sinusoids").axes[1]
    looks = {round(point.get_ydata()[0]): (point.get_color(), point.get_marker()) for point, *_ in took.containers}
    summary = leaderboard_figure(BOARD, "digits").axes[0].containers[0][0]
    assert (summary.get_color(), summary.get_marker()) == looks[2]
    assert len({marker for _colour, marker in looks.values()}) == len(looks)


def test_all_words_can_be_read_from_afar() -> None:
    """At 1280 pixels for 11 inches, 13 points are 21 pixels of 720."""
    for axes in leaderboard_figure(BOARD, "sinusoids").axes:
        for text in (axes.title, axes.xaxis.label, *axes.get_yticklabels()):
            assert float(text.get_fontsize()) >= 13
        assert all(float(tick.get_fontsize()) >= 10 for tick in axes.get_xticklabels())


def test_the_command_draws_a_picture_each_family(tmp_path: Path) -> None:
    _draw(BOARD, parse(["--figure", str(tmp_path / "board.png")]).figure)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board-digits.png", "board-sinusoids.png"]
    with Image.open(tmp_path / "board-sinusoids.png") as picture:
        assert picture.size == (1280, 720)
    _draw({"digits": BOARD["digits"]}, tmp_path / "one.svg")
    assert "<svg" in (tmp_path / "one.svg").read_text(encoding="utf-8")


def test_errors_teach(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"family: got 'digit'.*Did you mean 'digits'"):
        leaderboard_figure(BOARD, "digit")
    with pytest.raises(ValueError, match="board: got no family"):
        leaderboard_figure({}, "digits")
    with pytest.raises(SystemExit):
        parse(["--figure", "board.jpeg"])
    assert "expected a name that ends with .png, .svg or .pdf" in " ".join(capsys.readouterr().err.split())
