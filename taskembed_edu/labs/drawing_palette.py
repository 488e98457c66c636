"""The letters that a DrawingPad offers to those who do not draw: all of `Alphabets`, by script and by name."""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from taskembed_edu.base.checks import problem
from taskembed_edu.tasks.alphabets import Alphabets


@dataclass(frozen=True)
class Palette:
    """All letters: what each one is, its name, the index of its script, and its index in `Alphabets`."""

    scripts: tuple[str, ...]
    letters: tuple[str, ...]
    names: tuple[str, ...]
    script_of: tuple[int, ...]
    indices: tuple[int, ...]

    def index(self, letter: Any) -> int:
        """The index of a letter, by itself ("α") or by its name in Unicode ("GREEK SMALL LETTER ALPHA")."""
        if not isinstance(letter, str):
            raise TypeError(problem("letter", letter, 'a letter, such as "α", or its name'))
        if letter in self.letters:
            return self.letters.index(letter)
        if letter.upper() in self.names:
            return self.names.index(letter.upper())
        near = difflib.get_close_matches(letter.upper(), self.names, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}?" if near else ""
        raise ValueError(problem("letter", repr(letter), f"one of {len(self.letters):,} letters, or its name", hint))

    def packet(self) -> tuple[dict[str, Any], bytes]:
        """What the page gets once: names and scripts, and the pictures, a byte for each pixel."""
        facts = {
            "scripts": list(self.scripts),
            "letters": list(self.letters),
            "names": list(self.names),
            "script_of": list(self.script_of),
        }
        return facts, as_bytes(printed_letters())


def as_bytes(pictures: Tensor) -> bytes:
    """Pictures in [0, 1] as bytes, ink is 255."""
    return (pictures.clamp(0, 1) * 255).round().to(torch.uint8).numpy().tobytes()


@functools.cache
def palette() -> Palette:
    """The palette of this machine's fonts. The first call of all builds the letters, which takes some seconds."""
    family = Alphabets()
    scripts = tuple(script for script in family.alphabets() if _has_letters(family, script))
    of_script = [family.letters_of(script) for script in scripts]
    indices = [index for letters in of_script for index in letters]
    names = tuple(family.letter_title(index) for index in indices)
    script_of = tuple(k for k, letters in enumerate(of_script) for _ in letters)
    letters = tuple(family.letter_name(index) for index in indices)
    return Palette(scripts, letters, names, script_of, tuple(indices))


def _has_letters(family: Alphabets, script: str) -> bool:
    try:
        return bool(family.letters_of(script))
    except ValueError:  # this machine's fonts lack them
        return False


@functools.lru_cache(maxsize=8)
def printed_letters(pen: float = 3.0) -> Tensor:
    """All letters of the palette as a font prints them, (n, 1, 28, 28), drawn with a pen of this width."""
    family = Alphabets(pen=(pen, pen)).printed()
    return family.draw_letters(torch.tensor(palette().indices), 1, torch.Generator().manual_seed(0)).squeeze(1)
