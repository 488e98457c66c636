"""Rows of maps and of curves: what is drawn, in words and sizes that a hall can read."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from taskembed_edu import MetricLab, curves_figure, history_figure, maps_figure
from tests.runs import small_session

PLACES = torch.rand(7, 2, generator=torch.Generator().manual_seed(0))


def test_maps_stand_side_by_side_with_one_bar_of_colours() -> None:
    figure = maps_figure({"one": PLACES, "two": 10 * PLACES}, range(7), "amplitude")
    one, two, bar = figure.axes
    assert [one.get_title(), two.get_title(), bar.get_ylabel()] == ["one", "two", "amplitude"]
    np.testing.assert_allclose(np.asarray(one.collections[0].get_offsets()), PLACES)
    np.testing.assert_allclose(np.asarray(two.collections[0].get_offsets()), 10 * PLACES, rtol=1e-6)
    assert one.get_shared_x_axes().joined(one, two) is False
    same = maps_figure({"one": PLACES, "two": 10 * PLACES}, range(7), "amplitude", same_scale=True)
    assert same.axes[0].get_shared_x_axes().joined(*same.axes[:2])
    assert same._repr_png_(), "it can be drawn: equal axes that are shared must keep their box"


def test_a_line_looks_the_same_in_every_panel_and_differs_by_more_than_colour() -> None:
    lines = {"hard": ([0, 1], [1, 2]), "all": ([0, 1], [3, 4])}
    figure = curves_figure({"loss": lines, "recall": {"all": ([0, 1], [0, 1])}}, "step", marks=[1.0])
    left, right = figure.axes
    hard, every = left.get_lines()[:2]
    assert (hard.get_color(), hard.get_linestyle()) != (every.get_color(), every.get_linestyle())
    assert hard.get_linestyle() != every.get_linestyle()
    assert right.get_lines()[0].get_color() == every.get_color()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["hard", "all"]
    assert np.asarray(left.get_lines()[2].get_ydata())[0] == 1.0


def test_a_history_is_drawn_by_its_readings() -> None:
    run = small_session()
    run.step(8)
    figure = history_figure({"a run": run}, ["loss", "recall@1"])
    loss, recall = figure.axes
    assert [loss.get_title(), recall.get_title()] == ["Loss", "Recall@1"]
    assert np.asarray(recall.get_lines()[0].get_xdata()).tolist() == [frame.step for frame in run.history]
    assert np.asarray(recall.get_lines()[0].get_ydata()).tolist() == [
        frame.diagnostics["recall@1"] for frame in run.history
    ]
    with pytest.raises(ValueError, match="readings: got 'recal'"):
        history_figure({"a run": run}, ["recal"])


def test_all_words_can_be_read_from_afar() -> None:
    """At 1280 pixels for 11 inches, 13 points are 21 pixels of 720."""
    for figure in (maps_figure({"a": PLACES}, range(7), "x"), curves_figure({"a": {"b": ([0], [0])}}, "step")):
        for axes in figure.axes:
            for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
                assert not text.get_text() or float(text.get_fontsize()) >= 13
            assert all(float(tick.get_fontsize()) >= 10 for tick in axes.get_xticklabels())


def test_errors_teach() -> None:
    with pytest.raises(ValueError, match="maps: got none"):
        maps_figure({}, [], "x")
    with pytest.raises(ValueError, match=r"map a: got shape \(7, 2\), expected \(3, 2\)"):
        maps_figure({"a": PLACES}, range(3), "x")
    with pytest.raises(ValueError, match="panels: got none"):
        curves_figure({}, "step")
    with pytest.raises(ValueError, match="runs: got none"):
        history_figure({}, ["loss"])


def test_maps_that_cannot_be_drawn_are_said() -> None:
    places, values = np.zeros((3, 2)), [1.0, 2.0, 3.0]
    with pytest.raises(TypeError, match="maps: got a list, expected a dict, by title"):
        maps_figure([places], values, "value")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"values: got .*, expected numbers"):
        maps_figure({"one": places}, ["a", "b", "c"], "value")
    for odd in (3.0, places):
        with pytest.raises(ValueError, match=r"values: got shape .*, expected one number for each task"):
            maps_figure({"one": places}, odd, "value")
    assert maps_figure({"one": torch.zeros(3, 2, requires_grad=True)}, values, "value")._repr_png_()
    assert maps_figure({"one": np.full((3, 2), np.nan)}, values, "value")._repr_png_()


def test_curves_that_cannot_be_drawn_are_said() -> None:
    with pytest.raises(TypeError, match="panels: got a list"):
        curves_figure([1], "x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="panel p: got a list"):
        curves_figure({"p": [1]}, "x")  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="line a: got 5, expected two lists of numbers"):
        curves_figure({"p": {"a": 5}}, "x")  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"line a: got x of shape .*expected as many y as x"):
        curves_figure({"p": {"a": ([1, 2], [1])}}, "x")
    assert curves_figure({"p": {str(k): ([1, 2], [k, np.nan]) for k in range(20)}}, "x")._repr_png_()


def test_runs_that_are_none_are_said_and_a_lab_is_one() -> None:
    with pytest.raises(ValueError, match="runs: got none"):
        history_figure({}, ["loss"])
    with pytest.raises(TypeError, match="run a: got a NoneType, expected a session or a lab"):
        history_figure({"a": None}, ["loss"])  # type: ignore[dict-item]
    lab = MetricLab(projection="pca", n_tasks=10)
    with pytest.raises(TypeError, match="One is a list of one"):
        history_figure({"a": lab}, "loss")  # type: ignore[dict-item]
    assert history_figure({"a": lab}, ["loss"])._repr_png_()  # type: ignore[dict-item]
