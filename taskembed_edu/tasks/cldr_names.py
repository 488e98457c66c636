"""Names of territories and languages in 200 languages, from Unicode's CLDR (Unicode licence), which Babel brings.

`transliteration.py` writes them in plain letters, so that no script gives its language away: Greek, Georgian and Thai
names have the letters of Latin. Which languages there are depends on the version of Babel.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from taskembed_edu.base.checks import problem
from taskembed_edu.tasks.language_families import LANGUAGES
from taskembed_edu.tasks.transliteration import transliterate

ALPHABET: tuple[str, ...] = tuple(" -abcdefghijklmnopqrstuvwxyz")

_PLACES = {ord(letter): chr(1 + place) for place, letter in enumerate(ALPHABET)}

# A name has at most so many letters; one in 200 is longer, and left out.
LENGTH = 32

# A language takes part with so many names of its own; of its territories alone, so many have to be.
N_NAMES, N_TERRITORIES = 150, 120

# What CLDR names, in the order in which names are taken.
_KINDS = ("territories", "languages")


class Name(NamedTuple):
    """A name in the language's own script, and in the letters of ALPHABET."""

    original: str
    latin: str


def write(name: str) -> Tensor:
    """The name's letters, (32,): 1 + an index into ALPHABET, then 0. Errors: ValueError for what cannot be written.

    >>> write("chad")[:6]
    tensor([ 5, 10,  3,  6,  0,  0])
    """
    if not isinstance(name, str):
        raise TypeError(problem("name", name, "a name in plain letters, such as 'chad'"))
    unknown = sorted(set(name) - set(ALPHABET))
    if unknown or not 0 < len(name) <= LENGTH:
        expected = f"1 to {LENGTH} of the letters a to z, spaces and hyphens"
        raise ValueError(problem("name", repr(name), expected, "transliterate(name) writes any script in these."))
    return _ids(name).long()


def _ids(name: str) -> Tensor:
    places = name.ljust(LENGTH, "\0").translate(_PLACES).encode("ascii")
    return torch.frombuffer(bytearray(places), dtype=torch.uint8)


def read(ids: Tensor) -> str:
    """The name that these letters spell, up to the first 0: the inverse of `write`."""
    return "".join(ALPHABET[i - 1] for i in ids.tolist() if i)


@functools.cache
def names() -> Mapping[str, tuple[Name, ...]]:
    """By code, in the table's order: each language's first 150 names, territories before languages, none of them twice.

    A language for which CLDR has fewer is left out.
    """
    english = {kind: {key: transliterate(name) for key, name in _written("en", kind)} for kind in _KINDS}
    found = ((language.code, _own_names(language.code, english)) for language in LANGUAGES)
    return {code: own for code, own in found if len(own) == N_NAMES}


def _own_names(code: str, english: Mapping[str, Mapping[str, str]]) -> tuple[Name, ...]:
    """The first 150 names that are not as in English; none of a language that names too few territories itself."""
    own: dict[str, Name] = {}
    for kind in _KINDS:
        of_english = {} if code == "en" else english[kind]
        for key, original in _written(code, kind):
            latin = transliterate(original)
            if 0 < len(latin) <= LENGTH and latin != of_english.get(key):
                own.setdefault(latin, Name(original, latin))
            if len(own) == N_NAMES:
                return tuple(own.values())
        if len(own) < N_TERRITORIES:
            return ()
    return tuple(own.values())


def _written(code: str, kind: str) -> Iterator[tuple[str, str]]:
    """What CLDR says in this language itself, nothing inherited: codes of territories or languages, and their names."""
    from babel import localedata

    known: Mapping[str, Any] = localedata.load(code, merge_inherited=False) if localedata.exists(code) else {}
    for key, name in known.get(kind, {}).items():
        if isinstance(name, str) and not key.isdigit():  # 150 is Europe
            yield key, name


@functools.cache
def letters() -> Tensor:
    """The names of each language of the table, as `write` writes them: (n_languages, 150, 32); 0 without names."""
    found = torch.zeros(len(LANGUAGES), N_NAMES, LENGTH, dtype=torch.uint8)
    for row, language in zip(found, LANGUAGES, strict=True):
        for place, name in enumerate(names().get(language.code, ())):
            row[place] = _ids(name.latin)
    return found
