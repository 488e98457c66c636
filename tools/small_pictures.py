"""Pictures as a lesson keeps them: drawn with 256 colours of their own, which takes about a third of the bytes.

Curves, dots and maps have few colours; only the soft edges of lines are rounded to the nearest of the 256.
"""

from __future__ import annotations

import base64
import io

from nbformat import NotebookNode
from PIL import Image

PNG = "image/png"
COLOURS = 256


def with_small_pictures(notebook: NotebookNode) -> NotebookNode:
    """The notebook itself, its PNGs with 256 colours where that is smaller; a second time changes nothing."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if PNG in data:
                data[PNG] = base64.b64encode(small_picture(base64.b64decode(data[PNG]))).decode()
    return notebook


def small_picture(png: bytes) -> bytes:
    """The same picture with 256 colours; a picture that has a palette, or that would not become smaller, as it is."""
    picture = Image.open(io.BytesIO(png))
    if picture.mode == "P":
        return png
    clear = Image.new("RGBA", picture.size, "white")
    on_white = Image.alpha_composite(clear, picture.convert("RGBA")).convert("RGB")
    memory = io.BytesIO()
    on_white.quantize(COLOURS, dither=Image.Dither.NONE).save(memory, "png", optimize=True)
    return min(png, memory.getvalue(), key=len)
