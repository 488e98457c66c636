"""Letters of the world's writing systems, drawn as if by hand."""

from __future__ import annotations

import dataclasses
import functools
import unicodedata
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.checks import check_choice, check_number, check_range, check_rng, check_whole, problem
from taskembed_edu.tasks.characters import Characters, check_letters
from taskembed_edu.tasks.font_letters import SCRIPTS, LookAlike, font_letters
from taskembed_edu.tasks.hand import places_by_hand
from taskembed_edu.tasks.pen import SIDE, check_pen, ink

TRAINED = ("Latin", "Greek", "Cyrillic", "Canadian Aboriginal", "Georgian")
VALIDATED = ("Armenian", "Old Italic", "Lisu", "Coptic")
NEVER_SEEN = ("Hebrew", "Arabic", "N'Ko", "Tifinagh", "Lao", "Ogham")


@dataclass(frozen=True)
class Alphabets(Characters):
    r"""N-way tasks on the letters of one script: Latin, Arabic, Ogham, ... (`Characters` has truth and geometry).

    The letters come from the fonts that matplotlib carries; `font_letters.py` says how. A drawing is one font's letter,
    turned, sheared, scaled and bent at random, and drawn with a round pen:

    - `pen`: the range of its width, in pixels (1 to 10);
    - `slant`: letters are turned by up to so many degrees either way, and sheared by up to three quarters of that;
    - `distortion`: how far they are scaled and bent; 0 not at all, 1 like handwriting.

    `printed()` is the same family without a hand. `part` names the scripts to sample from; empty: all.

    Shapes: x (n_tasks, n_way * n_shot, 1, 28, 28) in [0, 1], ink is 1; y (n_tasks, n_way * n_shot), int64.
    Errors: ValueError for an unknown script, for more ways than a script of the part has letters, and for a script of
    which this installation's fonts have no letters.

    >>> tasks = Alphabets(part=("Greek",)).sample(3, n_shot=1, rng=torch.Generator().manual_seed(0))
    >>> tasks.support_x.shape
    torch.Size([3, 5, 1, 28, 28])
    """

    n_way: int = 5
    pen: tuple[float, float] = (2.0, 4.0)
    slant: float = 15.0
    distortion: float = 1.0
    part: tuple[str, ...] = ()

    name: ClassVar[str] = "alphabets"
    label: ClassVar[str] = "Writing systems"
    alphabet_column: ClassVar[str] = "script"

    def __post_init__(self) -> None:
        check_range("pen", self.pen)
        object.__setattr__(self, "pen", tuple(self.pen))  # a list has no hash
        for end in self.pen:
            check_pen(end)
        check_number("slant", self.slant, 0, 45, "In degrees: letters that are turned further are other letters.")
        check_number("distortion", self.distortion, 0, 2, "0 is as printed, 1 like handwriting; 2 is hard to read.")
        super().__post_init__()

    def alphabets(self) -> tuple[str, ...]:
        return tuple(SCRIPTS)

    def letters_of(self, alphabet: str) -> tuple[int, ...]:
        letters = _by_script().get(check_choice("script", alphabet, SCRIPTS), ())
        if not letters:
            cause = "Reinstall matplotlib, whose DejaVu fonts have them, or leave this script out of `part`."
            raise ValueError(problem("script", f"{alphabet}, of which the fonts lack the letters", "another", cause))
        return letters

    def letter_name(self, letter: int) -> str:
        known = font_letters().letters
        return known[check_whole("letter", letter, 0, len(known) - 1, "letters_of(script) lists a script's letters.")]

    def letter_title(self, letter: int) -> str:
        """What Unicode calls this letter: "HEBREW LETTER ALEF"."""
        return unicodedata.name(self.letter_name(letter), "")

    def held_out(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        return TRAINED, VALIDATED, NEVER_SEEN

    def printed(self) -> Alphabets:
        """The same tasks as a font prints them, drawn with a pen of one width: not turned, scaled or bent."""
        middle = sum(self.pen) / 2
        return dataclasses.replace(self, pen=(middle, middle), slant=0.0, distortion=0.0)

    @staticmethod
    def removed() -> tuple[LookAlike, ...]:
        """The letters that are left out, since another script's, or their own capital, looks like them."""
        return font_letters().removed

    def draw_letters(self, letters: Tensor, n: int, rng: torch.Generator) -> Tensor:
        known = font_letters()
        check_letters(letters, len(known.letters))
        check_rng(rng)
        drawn = letters.flatten().repeat_interleave(int(check_whole("n", n, 1, None)))
        styles = (torch.rand(len(drawn), generator=rng) * known.n_styles[drawn]).long()
        fields = known.distances(known.first[drawn] + styles)
        places, scale = places_by_hand(len(drawn), SIDE, rng, self.slant, self.distortion)
        moved = F.grid_sample(fields.unsqueeze(1), places, padding_mode="border", align_corners=False)
        low, high = self.pen
        pen = low + (high - low) * torch.rand(len(drawn), 1, 1, 1, generator=rng)
        pictures = ink(moved * scale[:, None, None, None], pen)
        return pictures.view(*letters.shape, n, 1, SIDE, SIDE)


@functools.cache
def _by_script() -> dict[str, tuple[int, ...]]:
    """The letters of each script, as indices into all letters."""
    found: dict[str, list[int]] = {}
    for index, script in enumerate(font_letters().scripts):
        found.setdefault(script, []).append(index)
    return {script: tuple(letters) for script, letters in found.items()}
