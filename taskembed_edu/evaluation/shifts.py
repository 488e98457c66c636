"""Families that are moved away from what was trained on, step by step: waves, digits and languages."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import torch

from taskembed_edu.base.checks import check_number, problem
from taskembed_edu.tasks.base import TaskFamily
from taskembed_edu.tasks.digits import Digits
from taskembed_edu.tasks.languages import BY_CODE, LANGUAGES, Language
from taskembed_edu.tasks.number_words import NumberWords
from taskembed_edu.tasks.sinusoids import Sinusoids

# About so many languages are held out for each distance: whole groups, until there are as many.
_HELD_OUT = 6


def shifted_waves(family: TaskFamily, shifts: Sequence[float]) -> dict[float, Sinusoids]:
    """The waves with all amplitudes larger by each of these numbers; give it the part that is never seen.

    Errors: TypeError for another family. Worked number: amplitudes of 0.1 to 5, shifted by 2: 2.1 to 7.
    """
    if not isinstance(family, Sinusoids):
        raise TypeError(problem("family", family, "waves: Sinusoids()"))
    low, high = family.amplitude
    _check_shifts("shifts", shifts)
    return {shift: dataclasses.replace(family, amplitude=(low + shift, high + shift)) for shift in shifts}


def _check_shifts(name: str, shifts: Sequence[float]) -> None:
    if isinstance(shifts, str) or not isinstance(shifts, Iterable):
        raise TypeError(problem(name, shifts, "numbers in a list", "One is a list of one: [1.0]."))
    for shift in shifts:
        check_number(name, shift, None, None)


def turned_digits(family: TaskFamily, angles: Sequence[float]) -> dict[float, Digits]:
    """The digits turned further by each of these angles, in radians; give it the part that is never seen.

    Errors: TypeError for another family. Worked number: angles of 0 to 90 degrees, turned by pi / 2: 90 to 180 degrees.
    """
    if not isinstance(family, Digits):
        raise TypeError(problem("family", family, "digits: Digits()"))
    low, high = family.angle
    _check_shifts("angles", angles)
    return {angle: dataclasses.replace(family, angle=(low + angle, high + angle)) for angle in angles}


def farther_languages(rng: torch.Generator) -> tuple[NumberWords, dict[float, NumberWords]]:
    """Languages to train on, and others by how far up the tree their nearest training language is.

    1: of a branch that was trained on; 2: of a new branch of a family that was; 3: of a new family. The largest family,
    Indo-European, is always trained on. Worked number: trained on Spanish and German, Italian is at 1, Russian at 2 and
    Finnish at 3.
    """
    left = [BY_CODE[code] for code in NumberWords().codes]
    largest = Counter(language.family for language in LANGUAGES).most_common(1)[0][0]
    held: dict[float, list[Language]] = {}
    for distance, candidates in (
        (3.0, _grouped(left, "family", lambda language: language.family != largest)),
        (2.0, _grouped(left, "branch", lambda language: language.family == largest)),
    ):
        held[distance] = _some(candidates, rng)
        left = [language for language in left if language not in held[distance]]
    several = [group for group in _grouped(left, "branch") if len(group) > 1]
    held[1.0] = _some([[group[int(torch.randint(len(group), (), generator=rng))]] for group in several], rng)
    left = [language for language in left if language not in held[1.0]]
    return _of(left), {distance: _of(held[distance]) for distance in sorted(held)}


def _grouped(
    languages: Iterable[Language], by: str, where: Callable[[Language], bool] = lambda language: True
) -> list[list[Language]]:
    groups: dict[str, list[Language]] = {}
    for language in filter(where, languages):
        groups.setdefault(getattr(language, by), []).append(language)
    return list(groups.values())


def _some(groups: Sequence[list[Language]], rng: torch.Generator) -> list[Language]:
    """Whole groups in random order, until there are enough languages."""
    chosen: list[Language] = []
    for k in torch.randperm(len(groups), generator=rng).tolist():
        if len(chosen) < _HELD_OUT:
            chosen += groups[k]
    return chosen


def _of(languages: Iterable[Language]) -> NumberWords:
    return NumberWords(part=tuple(language.code for language in languages))
