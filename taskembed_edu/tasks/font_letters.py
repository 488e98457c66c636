"""The letters of the world's writing systems, from the fonts that come with matplotlib (DejaVu), as lines to draw.

Built once, in some seconds, and cached: fonts differ between installations, so the cache's name holds their hash. The
protocol: letters are what Unicode calls a letter with or without case, and what it does not take apart (no accents);
each is brought to one size; letters that look alike in two scripts, or as capital and small letter, are kept once;
their lines are thinned, and the distance from every pixel to them is what is kept, for a pen of any width.

DejaVu's licence (that of Bitstream Vera, public domain for its own changes) allows it. matplotlib is not imported: its
folder is looked up.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.cache import Arrays, cached_arrays
from taskembed_edu.base.checks import problem
from taskembed_edu.base.progress import counted
from taskembed_edu.tasks.pen import FARTHEST, REACH, SHAPE_SIDE, SIDE, distance_fields, resized
from taskembed_edu.tasks.thinning import thinned

# The scripts of the family, in the order in which of two that look alike the first is kept.
SCRIPTS = {
    "Latin": "Latn",
    "Greek": "Grek",
    "Cyrillic": "Cyrl",
    "Canadian Aboriginal": "Cans",
    "Georgian": "Geor",
    "Armenian": "Armn",
    "Old Italic": "Ital",
    "Lisu": "Lisu",
    "Coptic": "Copt",
    "Hebrew": "Hebr",
    "Arabic": "Arab",
    "N'Ko": "Nkoo",
    "Tifinagh": "Tfng",
    "Lao": "Laoo",
    "Ogham": "Ogam",
}

# Two shapes of one size that share more than this (intersection over union) look alike.
ALIKE = 0.85

# A change of what is built needs another number here: it is part of the cache's name.
PROTOCOL = 1

_DRAWN_AT = 96  # the size at which a font draws a letter, before it is brought to one size
_BATCH = 512
_STEPS_A_PIXEL = 32  # distances are kept in bytes


class LookAlike(NamedTuple):
    """A letter that was removed, the letter that it looks like, and how much of the two shapes is shared."""

    letter: str
    kept: str
    overlap: float


@compared_by_value
class FontLetters(NamedTuple):
    """All letters, sorted by script; `fields` (n_pictures, 28, 28) are distances in steps of 1/32 pixel, uint8.

    `letters[i]` has its pictures, one for each style of the fonts, in `fields[first[i] : first[i] + n_styles[i]]`.
    """

    letters: tuple[str, ...]
    scripts: tuple[str, ...]
    first: Tensor
    n_styles: Tensor
    fields: Tensor
    removed: tuple[LookAlike, ...]

    def distances(self, which: Tensor) -> Tensor:
        """The distances in pixels of some of the pictures: (n,) -> (n, 28, 28)."""
        return self.fields[which].to(torch.get_default_dtype()) / _STEPS_A_PIXEL


@functools.cache
def font_letters() -> FontLetters:
    """The letters of this installation's fonts: from the cache, or built now. Errors: ValueError without the fonts."""
    fonts = _fonts()
    digest = hashlib.sha256(f"{PROTOCOL} {unicodedata.unidata_version}".encode())
    for font in fonts:
        digest.update(font.read_bytes())
    found = cached_arrays(f"letters-{digest.hexdigest()[:16]}", functools.partial(_build, fonts))
    return _unpacked(found)


def plain_font() -> Path:
    """The file of the plain sans-serif, which has all letters."""
    return _fonts()[0]


def _fonts() -> list[Path]:
    """The files of DejaVu that matplotlib carries, the plain sans-serif first."""
    spec = importlib.util.find_spec("matplotlib")
    folder = Path(*(spec.submodule_search_locations or [""])[:1]) / "mpl-data" / "fonts" / "ttf" if spec else Path()
    fonts = sorted(path for path in folder.glob("DejaVu*.ttf") if "Display" not in path.name)
    if not fonts:
        cause = "The letters are drawn from them: is matplotlib installed from a package without fonts?"
        raise ValueError(problem("fonts", f"no DejaVu*.ttf in {folder}", "the fonts that come with matplotlib", cause))
    return sorted(fonts, key=lambda path: (path.name != "DejaVuSans.ttf", path.name))


def _unpacked(found: Arrays) -> FontLetters:
    names = list(SCRIPTS)
    n_styles = torch.from_numpy(found["n_styles"]).long()
    removed = zip(found["removed"], found["kept"], found["overlap"], strict=True)
    return FontLetters(
        tuple(map(chr, found["letters"])),
        tuple(names[script] for script in found["scripts"]),
        n_styles.cumsum(0) - n_styles,
        n_styles,
        torch.from_numpy(found["fields"]),
        tuple(LookAlike(chr(one), chr(other), round(float(overlap), 3)) for one, other, overlap in removed),
    )


# ---- building --------------------------------------------------------------------------------------------------------


def _build(fonts: list[Path]) -> Arrays:
    styles = _styles(fonts)
    letters = sorted(styles, key=lambda letter: (list(SCRIPTS).index(script_of(letter)), ord(letter)))
    plain = _shapes(fonts, [(styles[letter][0], letter) for letter in letters])
    alike = look_alikes(letters, plain)
    gone = {one.letter for one in alike}
    letters = [letter for letter in letters if letter not in gone]
    drawn = [(style, letter) for letter in letters for style in styles[letter]]
    fields, kept = [], []
    for batch in counted(-(-len(drawn) // _BATCH), "batch of letters"):
        shapes = _shapes(fonts, drawn[batch * _BATCH : (batch + 1) * _BATCH])
        lines = thinned(shapes)
        kept.append(has_lines(shapes, lines))
        fields.append((_fields(lines[kept[-1]]) * _STEPS_A_PIXEL).round().to(torch.uint8))
    n_styles = Counter(letter for (_, letter), is_kept in zip(drawn, torch.cat(kept).tolist(), strict=True) if is_kept)
    return {
        "letters": np.array([ord(letter) for letter in letters]),
        "scripts": np.array([list(SCRIPTS).index(script_of(letter)) for letter in letters]),
        "n_styles": np.array([n_styles[letter] for letter in letters]),
        "fields": torch.cat(fields).numpy(),
        "removed": np.array([ord(one.letter) for one in alike], dtype=int),
        "kept": np.array([ord(one.kept) for one in alike], dtype=int),
        "overlap": np.array([one.overlap for one in alike], dtype=float),
    }


def script_of(letter: str) -> str:
    """The script of this letter among `SCRIPTS`; "" if it is of another, or no letter by the protocol."""
    from fontTools import unicodedata as scripts

    whole = unicodedata.category(letter) in ("Lu", "Ll", "Lo") and unicodedata.normalize("NFKD", letter) == letter
    return _NAMES.get(scripts.script(letter), "") if whole else ""


_NAMES = {code: name for name, code in SCRIPTS.items()}


def _styles(fonts: list[Path]) -> dict[str, list[int]]:
    """Which of the fonts have each letter."""
    from fontTools.ttLib import TTFont

    styles: dict[str, list[int]] = {}
    for style, font in enumerate(fonts):
        with TTFont(font, lazy=True) as opened:
            for letter in map(chr, opened.getBestCmap()):
                if script_of(letter):
                    styles.setdefault(letter, []).append(style)
    return styles


def _shapes(fonts: list[Path], drawn: list[tuple[int, str]]) -> Tensor:
    """Letters in styles, each brought to one size, in the middle of a square: (n, SHAPE_SIDE, SHAPE_SIDE), booleans."""
    shapes = torch.zeros(len(drawn), SHAPE_SIDE, SHAPE_SIDE, dtype=torch.bool)
    for shape, box in zip(shapes, _boxes(fonts, drawn), strict=True):
        height, width = box.shape
        top, left = (SHAPE_SIDE - height) // 2, (SHAPE_SIDE - width) // 2
        shape[top : top + height, left : left + width] = box
    return shapes


def _boxes(fonts: list[Path], drawn: list[tuple[int, str]]) -> Iterator[Tensor]:
    from PIL import Image, ImageDraw, ImageFont

    faces = [ImageFont.truetype(str(font), _DRAWN_AT, layout_engine=ImageFont.Layout.BASIC) for font in fonts]
    for style, letter in drawn:
        image = Image.new("L", (4 * _DRAWN_AT, 3 * _DRAWN_AT))
        place = (2 * _DRAWN_AT, 3 * _DRAWN_AT // 2)
        ImageDraw.Draw(image).text(place, letter, fill=255, font=faces[style], anchor="mm")
        yield resized(image.crop(image.getbbox()))


def look_alikes(letters: list[str], shapes: Tensor) -> list[LookAlike]:
    """The letters to be removed, in order: each looks like an earlier one of another script, or is its other case."""
    flat = shapes.flatten(1).float()
    sizes = flat.sum(1)
    shared = flat @ flat.T
    overlap = shared / (sizes[:, None] + sizes[None, :] - shared).clamp(min=1)
    scripts = [script_of(letter) for letter in letters]
    removed: dict[int, LookAlike] = {}
    for row, earlier in (overlap.tril(-1) > ALIKE).nonzero().tolist():
        one, other = letters[row], letters[earlier]
        is_case = one in (other.lower(), other.upper())
        if earlier not in removed and row not in removed and (scripts[row] != scripts[earlier] or is_case):
            removed[row] = LookAlike(one, other, float(overlap[row, earlier]))
    return list(removed.values())


def has_lines(shapes: Tensor, lines: Tensor) -> Tensor:
    """Whether a shape's lines are there still (n,): thinning removes strokes of an even width at 45 degrees.

    A shape that is a blot has no lines, and is drawn as a dot.
    """
    is_blot = shapes.flatten(1).sum(1) > SHAPE_SIDE**2 / 4
    return is_blot | (torch.maximum(_extent(lines.any(1)), _extent(lines.any(2))) >= SHAPE_SIDE / 2)


def _extent(inked: Tensor) -> Tensor:
    """From the first inked place of each row to the last (n, SHAPE_SIDE) -> (n,)."""
    places = torch.arange(1, SHAPE_SIDE + 1)
    last, from_the_end = (inked * places).amax(1), (inked * places.flip(0)).amax(1)
    return last + from_the_end - SHAPE_SIDE


def _fields(lines: Tensor) -> Tensor:
    """Distances (n, 28, 28) to lines in squares (n, SHAPE_SIDE, SHAPE_SIDE), brought to the size of a drawing."""
    where = lines.nonzero()
    counts = lines.flatten(1).sum(1)
    slot = torch.arange(len(where)) - (counts.cumsum(0) - counts)[where[:, 0]]
    points = torch.zeros(len(lines), int(counts.max()), 2)
    there = torch.arange(points.shape[1]) < counts[:, None]
    points[where[:, 0], slot] = where[:, [2, 1]].float()
    low = points.masked_fill(~there[..., None], torch.inf).amin(1, keepdim=True)
    high = points.masked_fill(~there[..., None], -torch.inf).amax(1, keepdim=True)
    # A thick letter's line is shorter than a thin one's. What is almost a dot stays one.
    size = (high - low).amax(2, keepdim=True).clamp(min=SHAPE_SIDE * 0.7)
    points = SIDE / 2 + (points - (low + high) / 2) * (REACH / size)
    fields = [distance_fields(*some) for some in zip(points.split(8), there.split(8), strict=True)]
    return torch.cat(fields).clamp(max=FARTHEST)
