"""Omniglot: letters of fifty alphabets, each drawn by twenty people."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, check_rng, check_whole, problem
from taskembed_edu.tasks.characters import Characters, check_letters
from taskembed_edu.tasks.omniglot_files import is_here, letters, published
from taskembed_edu.tasks.pen import SIDE

# The files of each source. The minimal sets have five alphabets each, two of them in both; `full` has all fifty.
SOURCES: dict[str, tuple[str, ...]] = {
    "small1": ("small1",),
    "small2": ("small2",),
    "small1+small2": ("small1", "small2"),
    "full": ("background", "evaluation"),
}

# How many letters the alphabets of the minimal sets have: a family of them is made before anything is fetched.
MINIMAL: dict[str, dict[str, int]] = {
    "small1": {"Balinese": 24, "Early_Aramaic": 22, "Greek": 24, "Korean": 40, "Latin": 26},
    "small2": {"Greek": 24, "Japanese_(katakana)": 47, "Latin": 26, "Sanskrit": 42, "Tagalog": 17},
}

# Alphabets of the background that are not trained on: for validation, and never to be seen where there is no
# evaluation set, whose alphabets are judged by and nothing else.
VALIDATED = ("Early_Aramaic", "Tagalog")
NEVER_SEEN = ("Balinese", "Sanskrit")

# A line of the published pictures is about two of their pixels wide: of 28 pixels, half of one. So much darker,
# a pixel that such a line crosses is ink.
_DARKER = 2.0


@compared_by_value
class _Drawings(NamedTuple):
    """The letters of a source: alphabet by alphabet, and the drawings (n_drawings, 1, 28, 28) of each letter."""

    n_letters: dict[str, int]
    pictures: Tensor


@dataclass(frozen=True)
class Omniglot(Characters):
    r"""N-way tasks on the letters of one alphabet, drawn by people (`Characters` has truth and geometry).

    Each letter was drawn by twenty people. In a task the k-th drawings of all letters are one person's, as in the
    official runs (`omniglot_challenge`), and no drawing is of the support and the query set.

    `source` says which files it draws from: the minimal sets "small1" and "small2" (1.3 and 1.6 MB), both of them, or
    "full" (background and evaluation, all fifty alphabets). They are fetched when they are first needed, and checked;
    without a network see `omniglot_files.py`. A family is made, and shown in a menu, before.

    `split` holds out whole alphabets. Of the full set, the never-seen ones are those of the evaluation set. The minimal
    sets have none of these: two of their own alphabets each are kept apart.

    `part` names the alphabets to sample from; empty: all of the source.

    Shapes: x (n_tasks, n_way * n_shot, 1, 28, 28) in [0, 1], ink is 1; y (n_tasks, n_way * n_shot), int64.
    Errors: ValueError for an unknown source or alphabet, for more ways than an alphabet of the part has letters, and
    for more drawings than there are people; OSError where the files are not here and cannot be fetched.
    Source: Lake, Salakhutdinov and Tenenbaum 2015. Worked number: small1 has 136 letters, 20 drawings of each.
    """

    n_way: int = 5
    source: str = "small1+small2"
    part: tuple[str, ...] = ()

    name: ClassVar[str] = "omniglot"
    label: ClassVar[str] = "Omniglot (drawn by people)"
    fetched: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_choice("source", self.source, SOURCES)
        super().__post_init__()

    @classmethod
    def is_at_hand(cls) -> bool:
        return is_here(*SOURCES[cls.source])

    def alphabets(self) -> tuple[str, ...]:
        return tuple(_letters(self.source))

    def letters_of(self, alphabet: str) -> tuple[int, ...]:
        known = _letters(self.source)
        return tuple(known[check_choice("alphabet", alphabet, known)])

    def letter_name(self, letter: int) -> str:
        """Its number in its alphabet: 1, 2, and so on. Omniglot has no names of letters."""
        within = next(letters for letters in _letters(self.source).values() if letter in letters)
        return str(letter - within.start + 1)

    def draw_letters(self, letters: Tensor, n: int, rng: torch.Generator) -> Tensor:
        pictures = _drawings(self.source).pictures
        check_letters(letters, len(pictures))
        check_whole("n", n, 1, None)
        check_rng(rng)
        if n > (people := pictures.shape[1]):
            cause = "Support and query sets together take n_shot + n_query drawings of each letter."
            raise ValueError(problem("n_shot", n, f"at most {people} drawings of each letter", cause))
        # One choice of people for each row of letters: a task's k-th drawings are one person's.
        people_of = torch.rand(*letters.shape[:-1], 1, people, generator=rng).topk(n).indices
        chosen = pictures[letters.unsqueeze(-1), people_of].view(*letters.shape, n, 1, SIDE, SIDE)
        return chosen.to(torch.get_default_dtype()) / 255

    def held_out(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        known = self.alphabets()
        if self.source == "full":
            judged = tuple(_drawings_of("evaluation").n_letters)
            validated = tuple(name for name in known if name in VALIDATED + NEVER_SEEN)
        else:
            judged, validated = (tuple(name for name in known if name in kept) for kept in (NEVER_SEEN, VALIDATED))
        return tuple(name for name in known if name not in judged + validated), validated, judged


@functools.cache
def _letters(source: str) -> dict[str, range]:
    """The letters of each alphabet of a source, as indices into all its letters."""
    if source == "full":
        n_letters = _drawings(source).n_letters
    else:
        n_letters = dict(sorted(itertools.chain.from_iterable(MINIMAL[file].items() for file in SOURCES[source])))
    ends = itertools.accumulate(n_letters.values())
    return {name: range(end - n, end) for (name, n), end in zip(n_letters.items(), ends, strict=True)}


@functools.cache
def _drawings(source: str) -> _Drawings:
    """All files of a source, their alphabets in the order of their names; one that is in two files is taken once."""
    found: dict[str, Tensor] = {}
    for of in map(_drawings_of, SOURCES[source]):
        found.update(zip(of.n_letters, of.pictures.split(list(of.n_letters.values())), strict=True))
    found = dict(sorted(found.items()))
    return _Drawings({name: len(drawn) for name, drawn in found.items()}, torch.cat(list(found.values())))


@functools.cache
def _drawings_of(file: str) -> _Drawings:
    """One file's letters, as bytes. Errors: ValueError for other alphabets than the minimal sets have."""
    found = {name: torch.stack(drawn) for name, drawn in letters(published(file)).items()}
    n_letters = {name: len(drawn) for name, drawn in found.items()}
    if n_letters != MINIMAL.get(file, n_letters):
        raise ValueError(problem("archive", f"{n_letters}", f"the alphabets of {file}: {MINIMAL[file]}"))
    return _Drawings(n_letters, (small(torch.cat(list(found.values()))) * 255).round().to(torch.uint8))


def small(drawn: Tensor) -> Tensor:
    """Published pictures (..., 105, 105) of ink 0 or 1 as the network sees them: (..., 1, 28, 28) in [0, 1].

    Each pixel is twice the share of its area that is ink, at most 1. Worked number: a line of two pixels of 105 across
    the middle of a pixel of 28 (3.75 of 105) covers 0.53 of it, and is ink.
    """
    flat = drawn.reshape(-1, 1, *drawn.shape[-2:]).to(torch.get_default_dtype())
    shrunk = F.interpolate(flat, size=(SIDE, SIDE), mode="area")
    return (shrunk * _DARKER).clamp(max=1).view(*drawn.shape[:-2], 1, SIDE, SIDE)
