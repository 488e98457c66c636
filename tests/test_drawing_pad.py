"""DrawingPad with no page: what is on it, what the network sees, its answers, and what it refuses in words."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from taskembed_edu import DrawingPad
from taskembed_edu.labs import drawing_kept
from taskembed_edu.labs.drawing_palette import palette, printed_letters
from taskembed_edu.labs.drawing_state import MOST_BYTES, MOST_STROKES, strokes_of
from taskembed_edu.live import cells
from taskembed_edu.live.cells import CellRun
from taskembed_edu.tasks.pen import from_picture, from_strokes

CROSS = [[(0.2, 0.2), (0.8, 0.8)], [(0.8, 0.2), (0.2, 0.8)]]
BAR = [[(0.5, 0.1), (0.5, 0.9)]]


def flat(pictures: torch.Tensor) -> torch.Tensor:
    return pictures.flatten(1)


def picture_file(form: str = "PNG", ink: int = 0, paper: int = 255) -> bytes:
    image, memory = Image.new("L", (200, 160), paper), io.BytesIO()
    ImageDraw.Draw(image).line([(60, 20), (60, 140)], fill=ink, width=14)
    image.save(memory, form)
    return memory.getvalue()


@pytest.fixture
def support() -> dict[str, torch.Tensor]:
    both = [from_strokes(BAR, pen) for pen in (2.0, 4.0)]
    return {"bar": torch.stack(both), "cross": from_strokes(CROSS)}


@pytest.fixture
def pad(support: dict[str, torch.Tensor]) -> DrawingPad:
    scripts = {"bars": flat(support["bar"]), "crosses": flat(support["cross"][None]) + torch.eye(784)[:3]}
    return DrawingPad(features=flat, support=support, scripts=scripts)


# ---- what is on it ----


def test_strokes_become_the_picture_of_the_family() -> None:
    pad = DrawingPad()
    pad.draw(CROSS[:1])
    pad.draw(CROSS[1:])
    assert pad.strokes == CROSS
    assert torch.equal(pad.picture, from_strokes(CROSS, 3.0))
    pad.set(pen=2)
    assert torch.equal(pad.picture, from_strokes(CROSS, 2.0))
    assert repr(pad) == "DrawingPad(2 strokes)"
    assert torch.equal(DrawingPad(pad.strokes, pen=2).picture, pad.picture)


def test_undo_clear_and_what_replaces_what() -> None:
    pad = DrawingPad()
    pad.draw(CROSS)
    pad.choose("α")
    assert repr(pad) == "DrawingPad(GREEK SMALL LETTER ALPHA)"
    pad.clear()
    assert pad.strokes == []
    pad.undo()
    pad.undo()
    assert pad.strokes == CROSS
    pad.open(picture_file())
    pad.draw(BAR)  # a stroke begins a drawing of its own
    assert pad.strokes == BAR
    pad.undo()
    pad.undo()
    assert pad.strokes == CROSS
    pad.undo()
    pad.undo()  # nothing is left to undo
    assert pad.strokes == []


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=2, max_size=20))
def test_a_drawing_to_any_measure_lies_on_the_pad_and_keeps_its_form(points: list[tuple[float, float]]) -> None:
    (stroke,) = strokes_of([points])
    fitted, raw = np.array(stroke), np.array(points)
    assert (fitted >= 0).all()
    assert (fitted <= 1).all()
    size = float((raw.max(0) - raw.min(0)).max())
    if size > 1e-3 and not (raw.min() >= 0 and raw.max() <= 1):
        expected = (raw - raw.min(0)) / size * 0.8
        np.testing.assert_allclose(fitted - fitted.min(0), expected, atol=2e-4)


def test_listeners_hear_of_changes_and_of_nothing_else() -> None:
    pad, heard = DrawingPad(), list[str]()
    pad.on_change(lambda one: heard.append(repr(one)))
    pad.draw(BAR)
    pad.hear({"do": "fly"})
    pad.undo()
    pad.undo()
    assert heard == ["DrawingPad(1 stroke)", "DrawingPad(empty)"]


def test_a_picture_file_and_its_bytes_are_one(tmp_path: Path) -> None:
    path = tmp_path / "bar.png"
    path.write_bytes(picture_file())
    pad = DrawingPad()
    for source in (path, str(path), picture_file(), picture_file("JPEG"), picture_file("BMP", ink=255, paper=0)):
        pad.open(source)
        assert float((pad.picture - from_picture(path)).abs().mean()) < 0.05
    assert repr(pad) == "DrawingPad(a picture)"


def test_the_palette_has_every_letter_once_under_its_name() -> None:
    letters = palette()
    assert len(set(letters.letters)) == len(letters.letters) == len(letters.names) > 1000
    assert len(letters.scripts) > 10
    pad = DrawingPad()
    pad.choose("hebrew letter alef")
    assert torch.equal(pad.picture, printed_letters(3.0)[letters.letters.index("א")])
    facts, pixels = letters.packet()
    assert len(pixels) == 784 * len(facts["letters"]) == 784 * len(facts["script_of"])
    assert facts["scripts"][facts["script_of"][facts["letters"].index("א")]] == "Hebrew"


def test_a_cell_that_runs_again_begins_with_what_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing_kept, "_BY_CELL", {})

    def made(cell: str, run: str, **given: Any) -> DrawingPad:
        monkeypatch.setattr(cells, "running_cell", lambda: CellRun(cell, run))
        return DrawingPad(**given)

    made("a", "1").draw(CROSS)
    first = made("a", "1")
    first.draw(BAR)
    assert made("b", "1").strokes == []
    assert [made("a", "2").strokes, made("a", "2", pen=2.0).strokes] == [CROSS, BAR]
    assert made("a", "3", strokes=[]).strokes == []
    second = made("a", "3")
    assert second.strokes == BAR
    second.undo()
    assert second.strokes == []
    assert made("a", "3").strokes == []


# ---- what is computed ----


def test_answers_are_a_softmax_over_squared_distances_to_the_means(pad: DrawingPad, support: Any) -> None:
    pad.draw(CROSS)
    drawn = pad.picture.flatten().tolist()
    expected = {}
    for name, pictures in support.items():
        rows = pictures.reshape(-1, 784).tolist()
        mean = [sum(row[k] for row in rows) / len(rows) for k in range(784)]
        expected[name] = sum((a - b) ** 2 for a, b in zip(drawn, mean, strict=True))
    assert pad.distances == pytest.approx(expected, abs=1e-3)
    total = sum(math.exp(-each) for each in expected.values())
    assert pad.answers == pytest.approx({name: math.exp(-each) / total for name, each in expected.items()}, abs=1e-3)
    assert pad.answer == "cross"
    assert repr(pad) == "DrawingPad(2 strokes: cross, 100%)"


def test_a_letter_of_the_map_lies_where_the_map_has_it(pad: DrawingPad) -> None:
    pad.draw(CROSS)
    words, readings = pad.words(), pad.readings()
    near = min(math.dist(pad.place, point) for point in words["map"]["points"])
    assert near < 0.2
    assert readings["near"] == "crosses"
    assert [entry["label"] for entry in words["map"]["entries"]] == ["bars", "crosses"]
    assert len(words["map"]["points"]) == len(words["map"]["groups"]) == 5


def test_the_page_is_told_all_of_it(pad: DrawingPad) -> None:
    assert pad.readings()["pixels"] == ""
    pad.hear({"do": "stroke", "points": BAR[0]})
    told = pad.readings()
    assert np.frombuffer(base64.b64decode(told["pixels"]), np.uint8).reshape(28, 28)[14].max() == 255
    assert (told["strokes"], told["said"], told["can_undo"], told["problem"]) == (
        [list(map(list, BAR[0]))],
        "1 stroke",
        True,
        "",
    )
    assert told["answer"].startswith("bar, ")
    pad.hear({"do": "file", "name": "b.png", "buffers": [memoryview(picture_file())]})
    assert pad.readings()["said"] == "b.png"
    pad.hear({"do": "letter", "index": palette().index("β")})
    assert pad.readings()["said"] == "GREEK SMALL LETTER BETA"
    pad.hear({"do": "clear"})
    pad.hear({"do": "undo"})
    pad.hear({"do": "set", "settings": {"pen": 2.5}})
    assert pad.readings()["settings"] == {"pen": 2.5}
    sent: list[Any] = []
    pad.widget.send = lambda *given: sent.append(given)
    pad.hear({"do": "palette"})
    assert sent[0][0]["palette"]["letters"]
    assert [len(part) for part in sent[0][1]] == [784 * len(sent[0][0]["palette"]["letters"])]


def test_a_static_picture_shows_whatever_there_is(pad: DrawingPad) -> None:
    assert len(DrawingPad().figure().axes) == 2
    pad.draw(CROSS)
    assert len(pad.figure().axes) == 4
    pad.figure().savefig(io.BytesIO())


# ---- what it refuses ----

REFUSED: dict[str, tuple[Any, str]] = {
    "an empty pad": (lambda: DrawingPad().picture, "strokes: got an empty pad.*Draw a letter"),
    "a single dot": (lambda: DrawingPad([[(0.5, 0.5)]]).picture, "got a single dot"),
    "no strokes": (lambda: DrawingPad().draw([]), "strokes: got an empty list"),
    "None": (lambda: DrawingPad().draw(None), "strokes: got None, expected a list of strokes"),  # type: ignore[arg-type]
    "a word": (lambda: DrawingPad("ab"), "strokes: got 'ab'"),
    "one stroke that is no list of strokes": (lambda: DrawingPad([(0.1, 0.2)]), r"strokes\[0\].*list of lists"),
    "a stroke without points": (lambda: DrawingPad([[]]), r"strokes\[0\]"),
    "NaN": (lambda: DrawingPad([[(0.1, math.nan)]]), r"strokes\[0\]: got 1 NaN"),
    "too many strokes": (lambda: DrawingPad(CROSS * MOST_STROKES), f"at most {MOST_STROKES} strokes"),
    "a file that is none": (lambda: DrawingPad().open("there_is_no.png"), "There is no such file"),
    "bytes that are no picture": (lambda: DrawingPad().open(b"no picture"), "a picture file"),
    "a large file": (lambda: DrawingPad().open(bytes(MOST_BYTES + 1)), "at most 10,000,000"),
    "a number for a file": (lambda: DrawingPad().open(3), "path of a picture file"),  # type: ignore[arg-type]
    "an unknown letter": (lambda: DrawingPad().choose("hebrew letter alf"), "Did you mean 'HEBREW LETTER ALEF'"),
    "no letter": (lambda: DrawingPad().choose(None), "letter: got None"),  # type: ignore[arg-type]
    "a wide pen": (lambda: DrawingPad(pen=9), "pen: got 9, expected a number from 2 to 4"),
    "an unknown setting": (lambda: DrawingPad().set(pin=3), "Did you mean 'pen'"),
    "no features": (lambda: DrawingPad(support={}), "features: got None"),
    "features that cannot be called": (lambda: DrawingPad(features=3), "features: got 3"),  # type: ignore[arg-type]
    "features of another form": (
        lambda: DrawingPad(features=lambda x: x, support={"a": torch.ones(1, 28, 28), "b": torch.ones(1, 28, 28)}),
        "features: got a tensor of shape",
    ),
    "one class": (lambda: DrawingPad(features=flat, support={"a": torch.ones(1, 28, 28)}), "support: got 1 classes"),
    "a support of no classes": (lambda: DrawingPad(features=flat, support=3), "support: got 3"),  # type: ignore[arg-type]
    "pictures of another size": (
        lambda: DrawingPad(features=flat, support={"a": torch.ones(1, 8, 8), "b": torch.ones(1, 8, 8)}),
        r"support\['a'\].*28, 28",
    ),
    "no scripts": (lambda: DrawingPad(features=flat, scripts={}), "scripts: got vectors of no numbers"),
    "scripts of two widths": (
        lambda: DrawingPad(features=flat, scripts={"a": torch.ones(2, 3), "b": torch.ones(2, 4)}),
        "vectors of one length",
    ),
    "answers without classes": (lambda: DrawingPad(BAR).answers, "support: got None"),
    "a place without a map": (lambda: DrawingPad(BAR).place, "scripts: got None"),
    "a listener that cannot be called": (lambda: DrawingPad().on_change(3), "call: got 3"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("act", "words"), REFUSED.values(), ids=REFUSED)
def test_what_it_refuses_it_says_in_words(act: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        act()


def test_a_picture_of_fifty_megapixels_and_a_dot_are_refused_on_the_page() -> None:
    large = io.BytesIO()
    Image.new("1", (8000, 7000)).save(large, "PNG")
    pad = DrawingPad(BAR)
    pad.widget  # noqa: B018  (it hears of refusals)
    pad.hear({"do": "file", "name": "large.png", "buffers": [memoryview(large.getvalue())]})
    assert "8,000 x 7,000 pixels" in pad.widget.readings["problem"]
    assert pad.strokes == BAR
    pad.clear()
    pad.hear({"do": "stroke", "points": [[0.5, 0.5]]})
    assert "a single dot" in pad.widget.readings["problem"]
    pad.hear({"do": "stroke", "points": [[0.5, 0.1], [0.5, 0.4]]})
    assert pad.widget.readings["problem"] == ""  # the dot of an i


CLASSES = {"down": from_strokes([[(0, 0), (1, 1)]]), "across": from_strokes([[(0, 0.5), (1, 0.5)]])}


def test_features_that_go_bad_are_said_and_the_page_goes_on() -> None:
    """A network that diverged while the pad was there: each stroke was an error in the kernel, and the page stood."""
    scale = [1.0]
    pad = DrawingPad(features=lambda x: x.flatten(1) * scale[0], support=CLASSES)
    pad.widget  # noqa: B018  (it hears of refusals)
    scale[0] = math.nan
    pad.hear({"do": "stroke", "points": [[0.1, 0.1], [0.9, 0.9]]})
    told = pad.widget.readings
    assert told["problem"].startswith("features: got 784 NaN or infinite of 784 entries")
    assert (told["said"], told["probabilities"], told["answer"]) == ("1 stroke", [], "")
    assert told["pixels"]
    for read in (lambda: pad.answers, lambda: pad.answer, lambda: pad.distances):
        with pytest.raises(ValueError, match="features: got 784 NaN"):
            read()
    assert repr(pad) == "DrawingPad(1 stroke)"
    scale[0] = 1.0
    pad.draw([[(0.1, 0.9), (0.9, 0.1)]])
    assert sum(pad.answers.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "change", [lambda x: 1e30 * x, lambda x: (x > 0.5).long(), lambda x: x > 0.5, lambda x: x.half()]
)
def test_features_of_any_size_and_type_are_compared(change: Any) -> None:
    """The squares of large ones were infinite, and so no class was near; of whole numbers there was no mean."""
    pad = DrawingPad([[(0.1, 0.1), (0.9, 0.9)]], features=lambda x: change(x.flatten(1)), support=CLASSES)
    assert sum(pad.answers.values()) == pytest.approx(1)
    assert pad.answer == "down"


def test_features_are_real_numbers() -> None:
    with pytest.raises(TypeError, match=r"features: got a tensor.*complex64, expected real numbers"):
        DrawingPad(features=lambda x: x.flatten(1) + 1j, support=CLASSES)
