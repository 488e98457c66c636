"""Kinds of samples: a family says its kind in a word, and whatever reads samples is looked up by that word.

What a kind has is registered on the floor where it is defined: encoders and learners with the networks, summaries with
the embedders. The package's kinds:

- "numbers": x is a vector, y a number; curves.
- "points": x is a vector, y the class of the point.
- "image": x is a picture (channels, height, width), y its class.
- "tokens": x is a vector of whole numbers, y a word, letter by letter (see `Spells`).

A kind of your own is any other word: `register_kind` says how its samples are read.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar, runtime_checkable

from taskembed_edu.base.checks import problem

# The package's kinds, and what a person calls such samples.
KINDS: Mapping[str, str] = {"numbers": "numbers", "points": "points", "image": "pictures", "tokens": "words"}

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

    `what` says in words what it holds ("an encoder"), `argument` by which argument of `register_kind` it is registered.
    Entries of the package cannot be replaced, so that everybody's runs on its families are the same; your own can, so
    that a cell may run again.

    Errors: ValueError for a kind without an entry, naming the nearest one and how to register it.

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
        """A ValueError where this entry is the package's, and cannot be replaced."""
        if kind in self._of_the_package:
            cause = f"Samples of this kind have {self.what} already, and it stays, so that all runs on them are alike."
            raise ValueError(problem("kind", repr(kind), "a word of your own", cause))

    def register(self, kind: str, entry: Entry) -> None:
        """Give this kind an entry, in place of one of your own that it may have. Errors: as `check_own`."""
        self.check_own(kind)
        self._entries[kind] = entry


@runtime_checkable
class Spells(Protocol):
    """What a family of kind "tokens" has beside what every family has."""

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The letters that y is places in; the last one ends a word."""

    @property
    def length(self) -> int:
        """Places in y."""


def check_speller(family: object) -> Spells:
    """The family, if it has what kind "tokens" asks for; else a ValueError."""
    if not isinstance(family, Spells):
        expected = "an alphabet and a length: samples of kind 'tokens' are words"
        raise ValueError(problem("family", f"{type(family).__name__} without them", expected))
    return family
