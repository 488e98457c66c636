"""Exports say what they show: the settings of the moment, in the picture and in the file; and the film of a run."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from taskembed_edu.base.progress import heard_by
from taskembed_edu.figures.captions import caption
from taskembed_edu.figures.film import gif
from taskembed_edu.figures.snapshots import session_figure
from taskembed_edu.live.saving import MOST_GIF_FRAMES, save
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import Gaussians, OwnTasks
from tests.runs import small_session

Saved = Callable[..., Path]


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    monkeypatch.chdir(tmp_path)

    def write(what: str, session: Session, frame: Frame | None = None, **more: Any) -> Path:
        return tmp_path / save(what, [session], 0, frame or session.frame, 0, "A lab: “margins”", **more)[0]

    return write


def two_margins() -> Session:
    session = small_session(seed=3)
    session.step(8)
    session.set(margin=2.5)
    session.step(8)
    return session


def test_the_caption_has_the_settings_of_the_moment() -> None:
    session = two_margins()
    assert caption(session, session.history[2]) == (
        "Gaussian classes, Contrastive loss, Euclidean distance, margin 1, mining All, learning rate 0.001, "
        "shots as the tasks come, seed 3, step 8, PCA"
    )
    assert "margin 2.5, " in caption(session, session.frame)
    session.set(metric="cosine", margin=0.5)
    assert "Cosine distance, margin 0.5, " in caption(session, session.frame), "the distance draws the frame anew"
    session.set(margin=1.5)
    assert caption(session, session.frame).endswith("step 16, PCA, changed since: margin 1.5")


def test_a_png_is_for_print_and_says_what_it_shows(saved: Saved) -> None:
    session = two_margins()
    with Image.open(saved("png", session, session.history[1])) as picture:
        known = picture.text  # type: ignore[attr-defined]
        assert round(picture.info["dpi"][0]) == 300
        assert picture.width == 3000
    assert known["Title"] == "A lab: ?margins?"
    assert known["Description"] == caption(session, session.history[1])
    assert known["Software"].startswith("taskembed_edu ")
    facts = json.loads(known["Settings"])
    assert (facts["title"], facts["method"], facts["step"]) == ("A lab: “margins”", "metric", 4)
    assert facts["settings"] == session.values_at(session.history[1])
    assert facts["settings"]["margin"] == 1.0


def test_an_svg_says_what_it_shows(saved: Saved) -> None:
    session = two_margins()
    text = saved("svg", session).read_text(encoding="utf-8")
    assert text.startswith("<?xml")
    assert "A lab: “margins”" in text
    assert '"margin": 2.5' in text.replace("&quot;", '"')


def test_exports_at_two_margins_can_be_told_apart() -> None:
    session = two_margins()
    one, other = (written(session, session.history[k]) for k in (2, -1))
    assert "margin 1," in one
    assert "margin 2.5," in other


def written(session: Session, frame: Frame) -> str:
    """The caption under a figure."""
    return str(session_figure(session, frame=frame).get_supxlabel())


def test_every_line_of_the_picture_is_explained() -> None:
    session = two_margins()
    loss = session_figure(session, frame=1).axes[1]
    legend = loss.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["loss", "a setting was changed", "the step shown"]
    assert [text.get_text() for text in loss.texts] == ["margin 2.5"]


def test_a_film_has_the_run_from_its_start_thinned_and_begins_again(saved: Saved) -> None:
    session = small_session(n_tasks=6, frame_every=1)
    session.step(90)
    told: list[tuple[int, int]] = []
    with heard_by(lambda done, of: told.append((done, of))):
        path = saved("gif", session)
    assert path.name == "metric-gaussians-step-90.gif"
    assert told == [(k + 1, MOST_GIF_FRAMES) for k in range(MOST_GIF_FRAMES)]
    with Image.open(path) as film:
        assert (film.info["loop"], film.n_frames) == (0, MOST_GIF_FRAMES)  # type: ignore[attr-defined]


def test_a_run_of_one_frame_is_a_still_film(saved: Saved) -> None:
    with Image.open(saved("gif", small_session(n_tasks=6))) as film:
        assert film.n_frames == 1  # type: ignore[attr-defined]


def test_a_film_keeps_its_scale_where_a_map_shrinks() -> None:
    session = small_session(n_tasks=6)
    session.step(4)
    first = session.history[0]
    last = dataclasses.replace(session.history[1], layout=0.01 * first.layout)
    frames = ImageSequence.Iterator(Image.open(io.BytesIO(gif(session, [first, last]))))
    ink = [np.ptp(np.argwhere(np.asarray(frame.convert("L"))[80:500, 130:580] < 150), axis=0).max() for frame in frames]
    assert ink[1] < 0.2 * ink[0]


@pytest.mark.parametrize("what", ["png", "svg", "gif"])
def test_a_name_with_dollars_is_no_formula(saved: Saved, what: str) -> None:
    x, y, size = np.random.rand(30, 8, 1), np.random.rand(30, 8), np.arange(30)
    tasks = OwnTasks(x, y, truth={"size $x^$": size}, label="from $ 5 to $ 9, as $\\frac$")
    session = small_session(family=tasks, n_tasks=6)
    session.step(4)
    assert saved(what, session).stat().st_size


@dataclasses.dataclass(frozen=True)
class LongName(Gaussians):
    name = "ש" * 200


@pytest.mark.parametrize("what", ["csv", "json", "html"])
def test_a_long_name_of_a_family_makes_no_file_name_that_is_too_long(saved: Saved, what: str) -> None:
    session = small_session(family=LongName())
    session.step(4)
    assert saved(what, session).name.startswith("metric-ששש")
