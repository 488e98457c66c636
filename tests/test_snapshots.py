"""The static picture: the frame that was asked for, the colours that were asked for, marks as on the page."""

from __future__ import annotations

import dataclasses
from unittest import mock

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from taskembed_edu.figures.colours import colour_tasks
from taskembed_edu.figures.plots import Still
from taskembed_edu.figures.snapshots import session_figure
from taskembed_edu.figures.thumbnails import MOST_PICTURES, SIDE, thumbnails_of, with_room
from taskembed_edu.session.session import Session
from tests.runs import small_session


@pytest.fixture(scope="module")
def session() -> Session:
    session = small_session(family="sinusoids")
    session.step(8)
    session.set(margin=0.9)
    session.step(4)
    session.set(margin=0.5)
    session.step(8)
    return session


def places(figure: Still) -> np.ndarray:
    drawn = [c for c in figure.axes[0].collections if isinstance(c, PathCollection)]
    return np.concatenate([np.asarray(c.get_offsets()) for c in drawn])


def uprights(figure: Still, dashed: bool) -> list[float]:
    drawn = [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), line) for line in figure.axes[1].lines]
    return [float(x[0]) for x, y, line in drawn if y.tolist() == [0, 1] and (line.get_linestyle() == ":") == dashed]


def test_the_latest_frame_is_drawn_unless_another_is_asked_for(session: Session) -> None:
    figure = session_figure(session)
    np.testing.assert_array_equal(places(figure), session.frame.layout)
    assert "step 20" in figure.axes[0].get_title()
    assert uprights(figure, dashed=False) == []
    for asked in (1, session.history[1]):
        figure = session_figure(session, frame=asked)
        np.testing.assert_array_equal(places(figure), session.history[1].layout)
        assert "step 4" in figure.axes[0].get_title()
        assert uprights(figure, dashed=False) == [4.0]


def test_a_moved_slider_is_one_mark(session: Session) -> None:
    assert len(session.events) == 2
    assert uprights(session_figure(session), dashed=True) == [12.0]


def test_the_colours_are_those_of_the_parameter(session: Session) -> None:
    figure = session_figure(session, "phase")
    expected = colour_tasks(session.tasks.truth[:, 1].numpy(), "phase", "quantity")
    drawn = np.asarray(figure.axes[0].collections[0].get_facecolor())
    np.testing.assert_allclose(drawn[:, :3], expected.rgb / 255)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "phase"
    assert [text.get_text() for text in legend.get_texts()] == [entry["label"] for entry in expected.entries]


def test_what_there_is_not_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="Did you mean 'phase'"):
        session_figure(session, "phases")
    with pytest.raises(IndexError, match="frame from 0 to 5"):
        session_figure(session, frame=6)


@pytest.fixture(scope="module")
def languages() -> Session:
    session = Session("parameters", "number_words", n_tasks=42, hidden=4, projection="pca")
    session.step(20)
    return session


def test_names_stay_in_the_frame_and_lie_on_no_other_name_and_no_point(languages: Session) -> None:
    figure = session_figure(languages)
    axes = figure.axes[0]
    figure.draw_without_rendering()
    names = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert len(names) > 20
    frame, boxes = axes.get_window_extent(), list(names.values())
    for text, box in names.items():
        assert frame.x0 < box.x0 < box.x1 < frame.x1, text
        assert frame.y0 < box.y0 < box.y1 < frame.y1, text
        assert sum(box.overlaps(other) for other in boxes) == 1, text
        points = axes.transData.transform(languages.frame.layout)
        assert not any(box.contains(*point) for point in points), text


def test_no_curve_runs_through_a_legend(languages: Session) -> None:
    figure = session_figure(languages)
    figure.draw_without_rendering()
    for axes in figure.axes[1:]:
        legend = axes.get_legend()
        assert legend is not None
        assert legend.get_window_extent().y0 >= axes.get_window_extent().y1 - 1


def test_a_long_name_is_shortened_and_its_signs_are_no_formula(languages: Session) -> None:
    long = dataclasses.replace(languages.tasks, names=("<b>$x$</b> " + 200 * "x", *languages.tasks.names[1:]))
    with mock.patch.object(type(languages), "tasks", long):
        figure = session_figure(languages)
    texts = [text for text in figure.axes[0].texts if text.get_text().startswith("<b>")]
    assert [text.get_text() for text in texts] in ([], ["<b>$x$</b> xxxxxxxxxxxx…"])


def test_pictures_stand_in_the_place_of_points_where_they_have_room() -> None:
    session = small_session(family="digits")
    figure = session_figure(session)
    boxes = [artist for artist in figure.axes[0].artists if isinstance(artist, AnnotationBbox)]
    assert 1 <= len(boxes) <= len(session.tasks)
    spots = np.array([figure.axes[0].transData.transform(box.xy) for box in boxes])
    apart = np.abs(spots[:, None] - spots).max(axis=-1)[~np.eye(len(spots), dtype=bool)]
    assert (apart >= SIDE * figure.dpi / 72).all()
    shown = [tuple(box.xy) for box in boxes]
    first = session.split.validation.sketch(session.tasks).thumbnails()
    assert first is not None
    which = [tuple(place) for place in session.frame.layout.tolist()].index(shown[0])
    image = boxes[0].offsetbox
    assert isinstance(image, OffsetImage)
    np.testing.assert_allclose(np.asarray(image.get_data()), first[which])


def test_no_room_no_pictures() -> None:
    places = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 9.0]])
    assert with_room(places, 1.5, np.array([True, True, True, True])).tolist() == [True, False, True, True]
    assert with_room(places, 1.5, np.array([False, True, True, True])).tolist() == [False, True, False, True]
    assert thumbnails_of(small_session(family="sinusoids")) is None
    assert thumbnails_of(small_session(family="digits", n_tasks=MOST_PICTURES + 1)) is None
