"""How long it takes to draw letters as if by hand, on one thread."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.adaptation import one_thread
from benchmarks.table import Row, measure
from taskembed_edu.tasks.alphabets import Alphabets
from taskembed_edu.tasks.font_letters import plain_font

PICTURES, MOST_MS = 500, 20.0


def rows() -> Iterator[Row]:
    """500 pictures, beside Pillow, which prints the same letters one by one and turns them; and tasks for training."""
    family, rng = Alphabets(), torch.Generator().manual_seed(0)
    letters = torch.tensor(family.letters_of("Latin"))[:100]
    names = [family.letter_name(int(letter)) for letter in letters]
    font = ImageFont.truetype(str(plain_font()), 22)
    with one_thread():
        seconds = measure(
            {
                "drawn": lambda: family.draw_letters(letters, PICTURES // len(letters), rng),
                "printed": lambda: [_printed(name, font) for name in names for _ in range(PICTURES // len(letters))],
                "tasks": lambda: family.sample(50, n_shot=1, n_query=1, rng=rng),
            }
        )
    drawn, printed, tasks = (1e3 * seconds[name] for name in ("drawn", "printed", "tasks"))
    what, asked = f"{PICTURES} letters drawn as if by hand, one thread", f"at most {MOST_MS:g} ms"
    yield Row(what, drawn, "ms", "Pillow, printed and turned", printed, asked, drawn <= MOST_MS)
    yield Row(
        "50 tasks of 5 letters, a support and a query picture each", tasks, "ms", asked=asked, reached=tasks <= MOST_MS
    )


def _printed(letter: str, font: ImageFont.FreeTypeFont) -> NDArray[np.uint8]:
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).text((14, 14), letter, fill=255, font=font, anchor="mm")
    cos, sin = math.cos(0.2), math.sin(0.2)
    turned = image.transform(
        image.size, Image.Transform.AFFINE, (cos, -sin, 3, sin, cos, -3), Image.Resampling.BILINEAR
    )
    return np.asarray(turned)
