"""The still output beside a lab: nothing without a notebook; a dot until a page drew, then a line, then a picture."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from taskembed_edu.live import still as still_module
from taskembed_edu.live.still import LINE, Still
from taskembed_edu.session.history import Frame
from tests.runs import small_session


class Notebook:
    """Stands for a kernel's shell; keeps what was published."""

    kernel = object()

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.display_pub = self

    def publish(self, **content: Any) -> None:
        self.published.append(content)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    shell = Notebook()
    monkeypatch.setattr(still_module, "_kernel_shell", lambda: shell)
    return shell


def drawn(still: Still, frame: Frame | None = None, words: str = "60 tasks") -> None:
    session = small_session()
    still.draw(session, frame or session.frame, words)
    if still._drawing is not None:
        still._drawing.join(60)


def test_outside_a_notebook_nothing_happens() -> None:
    still = Still()
    still.place()
    still.fill()
    drawn(still)
    assert still._drawing is None


def test_it_begins_as_an_empty_picture_that_no_check_compares(notebook: Notebook) -> None:
    Still().place()
    (content,) = notebook.published
    assert list(content["data"]) == ["image/png"]
    assert base64.b64decode(content["data"]["image/png"]).startswith(b"\x89PNG")
    assert not content["update"]


def test_a_page_that_drew_the_lab_leaves_the_line_once(notebook: Notebook) -> None:
    still = Still()
    still.fill()
    assert notebook.published == []
    still.place()
    still.fill()
    still.fill()
    _placed, filled = notebook.published
    assert LINE in filled["data"]["text/html"]
    assert "<img" not in filled["data"]["text/html"]
    assert filled["update"]
    assert filled["transient"] == notebook.published[0]["transient"]


def test_the_picture_is_the_frames_and_drawn_once(notebook: Notebook) -> None:
    still, session = Still(), small_session()
    still.place()
    drawn(still, session.frame, words='a "quoted" <word>')
    drawn(still, session.frame)
    assert len(notebook.published) == 2
    html = notebook.published[-1]["data"]["text/html"]
    assert LINE in html
    assert 'alt="a &quot;quoted&quot; &lt;word&gt;"' in html
    picture = base64.b64decode(html.split("base64,")[1].split('"')[0])
    assert picture.startswith(b"\x89PNG")
    session.step(4)
    drawn(still, session.frame)
    assert len(notebook.published) == 3


def test_a_lab_shown_again_has_its_line_again(notebook: Notebook) -> None:
    still = Still()
    still.place()
    still.fill()
    still.place()
    still.fill()
    assert len(notebook.published) == 4
