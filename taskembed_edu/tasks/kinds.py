"""Kinds of samples: a family names its kind, and encoders, learners and summaries are looked up by that name.

Each of them is registered on the floor that defines it: encoders and learners with the networks, summaries with the
embedders. The package's kinds:

- "numbers": x is a vector, y a number; curves.
- "points": x is a vector, y the class of the point.
- "image": x is a picture (channels, height, width), y its class.
- "tokens": x is a vector of whole numbers, y a word, letter by letter (see `Spells`).
- "text": x is a short text, letter by letter, y its class (see `Written`).

A kind of your own has any other name: `register_kind` registers how its samples are read.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar, runtime_checkable

from taskembed_edu.base.checks import problem

# The package's kinds, and the common word for such samples.
KINDS: Mapping[str, str] = {
    "numbers": "numbers",
    "points": "points",
    "image": "pictures",
    "tokens": "words",
    "text": "texts",
}

Entry = TypeVar("Entry")


def picture_shape(x_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width of samples of kind "image". Errors: ValueError for another shape."""
    if len(x_shape) != 3:
        cause = "Samples of kind 'image' are pictures; vectors are of kind 'numbers' or 'points'."
        raise ValueError(problem("x_shape", f"{x_shape}", "(channels, height, width)", cause))
    channels, height, width = x_shape
    return channels, height, width


def vector_size(x_shape: tuple[int, ...]) -> int:
    """Entries of samples of kind "numbers" or "points". Errors: ValueError for what is not a vector."""
    if len(x_shape) != 1:
        cause = "Samples of kind 'numbers' or 'points' are vectors: say kind = 'image' for pictures."
        raise ValueError(problem("x_shape", f"{x_shape}", "(entries,)", cause))
    return x_shape[0]


class KindRegistry(Generic[Entry]):
    """What one floor has for each kind of sample: `registry["image"]`, `"image" in registry`, `list(registry)`.

    `what` describes an entry ("an encoder"); `argument` is the argument of `register_kind` that registers one. Entries
    of the package cannot be replaced, so that runs on its families are the same for everybody. Your own entries can be
    replaced, so that a cell can run again.

    Errors: ValueError for a kind without an entry; it suggests the nearest kind and how to register one.

    >>> encoders = KindRegistry("an encoder", "encoder", {"points": "waves"})
    >>> encoders.register("tracks", "turns")
    >>> encoders["tracks"], list(encoders)
    ('turns', ['points', 'tracks'])
    """

    def __init__(self, what: str, argument: str, entries: Mapping[str, Entry]) -> None:
        self.what, self.argument = what, argument
        self._entries = dict(entries)
        self._of_the_package = frozenset(entries)

    def __getitem__(self, kind: str) -> Entry:
        if kind in self._entries:
            return self._entries[kind]
        near = difflib.get_close_matches(kind, self._entries, n=1, cutoff=0.6)
        hint = f"Did you mean {near[0]!r}? If not, register" if near else "Register"
        cause = (
            f"There is not {self.what} for such samples yet. {hint} one: register_kind({kind!r}, {self.argument}=...)."
        )
        raise ValueError(problem("kind", repr(kind), f"a kind with {self.what}: {', '.join(self._entries)}", cause))

    def __contains__(self, kind: object) -> bool:
        return kind in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def check_own(self, kind: str) -> None:
        """Raise a ValueError if this entry is the package's, which cannot be replaced."""
        if kind in self._of_the_package:
            cause = f"Samples of this kind have {self.what} already, and it stays, so that all runs on them are alike."
            raise ValueError(problem("kind", repr(kind), "a word of your own", cause))

    def register(self, kind: str, entry: Entry) -> None:
        """Register an entry for this kind; it replaces an earlier one of your own. Errors: as `check_own`."""
        self.check_own(kind)
        self._entries[kind] = entry


@runtime_checkable
class Spells(Protocol):
    """What a family of kind "tokens" defines in addition to `TaskFamily`."""

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The letters; the entries of y are indices into it. The last letter ends a word."""

    @property
    def length(self) -> int:
        """The length of y: the largest number of letters in a word, its end included."""


def check_speller(family: object) -> Spells:
    """The family, if it has what kind "tokens" requires; else a ValueError."""
    if not isinstance(family, Spells):
        expected = "an alphabet and a length: samples of kind 'tokens' are words"
        raise ValueError(problem("family", f"{type(family).__name__} without them", expected))
    return family


@runtime_checkable
class Written(Protocol):
    """What a family of kind "text" defines in addition to `TaskFamily`."""

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The letters; an entry of x is 1 + an index into it, and 0 stands for nothing, after a text's last letter."""


def check_written(family: object) -> Written:
    """The family, if it has what kind "text" requires; else a ValueError."""
    if not isinstance(family, Written):
        expected = "an alphabet: samples of kind 'text' are made of its letters"
        raise ValueError(problem("family", f"{type(family).__name__} without one", expected))
    return family
