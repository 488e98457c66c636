"""Pictures of lessons are kept with 256 colours: smaller, hardly another picture, and the same a second time."""

from __future__ import annotations

import base64
import io

import nbformat
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from tools.small_pictures import PNG, small_picture, with_small_pictures


def drawn() -> bytes:
    figure, memory = Figure(figsize=(6, 3)), io.BytesIO()
    ax = figure.subplots()
    x, y = np.random.default_rng(0).random((2, 300))
    ax.scatter(x, y, c=np.arange(300), cmap="cividis")
    figure.savefig(memory, format="png")
    return memory.getvalue()


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float)


def test_a_picture_takes_less_than_half_and_looks_the_same() -> None:
    png = drawn()
    small = small_picture(png)
    assert len(small) < len(png) / 2
    assert np.abs(pixels(small) - pixels(png)).mean() < 1
    assert small_picture(small) == small


def test_what_would_not_become_smaller_stays() -> None:
    memory = io.BytesIO()
    Image.new("RGB", (1, 1), "white").save(memory, "png")
    assert small_picture(memory.getvalue()) == memory.getvalue()


def test_the_pictures_of_a_notebook_are_made_small_and_nothing_else() -> None:
    data = {PNG: base64.b64encode(drawn()).decode(), "text/plain": "a figure"}
    output = nbformat.v4.new_output("display_data", data=data)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A"), nbformat.v4.new_code_cell("x", outputs=[output])]
    )
    kept = with_small_pictures(notebook).cells[1].outputs[0].data
    assert base64.b64decode(kept[PNG]) == small_picture(drawn())
    assert kept["text/plain"] == "a figure"
