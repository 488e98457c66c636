"""Names of places as tasks: the table of families, the names themselves, what a task is, its truth, and bad input."""

from __future__ import annotations

import csv
import itertools
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from babel import localedata
from hypothesis import given, settings
from hypothesis import strategies as st

from taskembed_edu.embedders import EMBEDDERS, task_embedder
from taskembed_edu.evaluation.benchmark import grid
from taskembed_edu.evaluation.results import Cell
from taskembed_edu.live.packets import card_packet
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import LanguageNames, languages
from taskembed_edu.tasks.base import Split
from taskembed_edu.tasks.cldr_names import ALPHABET, LENGTH, N_NAMES, N_TERRITORIES, letters, names, read, write
from taskembed_edu.tasks.drawn import check_family, check_split
from taskembed_edu.tasks.language_families import CODES, LANGUAGES
from taskembed_edu.tasks.transliteration import transliterate
from tests.runs import generator

FAMILY = LanguageNames()
BY_CODE = {language.code: language for language in LANGUAGES}


# ---- the table ----------------------------------------------------------------------------------------------------


def test_every_row_says_what_glottolog_says() -> None:
    """`glottolog_5_1.csv`: these languages' rows of Glottolog 5.1 (CC BY 4.0; glottolog-cldf 5.1 has them)."""
    renamed = {"Baltic": "Eastern Baltic", "Bantu": "Narrow Bantu", "Hungarian": "Hungaric"}
    with open(Path(__file__).with_name("glottolog_5_1.csv"), encoding="utf-8") as file:
        known = {row["glottocode"]: row for row in csv.DictReader(file)}
    assert known.keys() == {language.glottocode for language in LANGUAGES}
    for language in LANGUAGES:
        row = known[language.glottocode]
        lineage = [*filter(None, row["lineage"].split(" > ")), row["name"]]
        assert row["iso"] in (language.iso, ""), language  # a group of dialects has none there
        assert language.family == lineage[0], language
        branch = renamed.get(language.branch, language.branch)
        assert branch in (lineage[1:] or lineage), language


def test_a_branch_grows_on_one_family() -> None:
    above: dict[str, set[str]] = {}
    for language in LANGUAGES:
        above.setdefault(language.branch, set()).add(language.family)
    assert all(len(families) == 1 for families in above.values())
    assert all(len({getattr(each, column) for each in LANGUAGES}) == len(LANGUAGES) for column in ("code", "name"))


def test_the_courses_two_tables_agree() -> None:
    both = [(one, BY_CODE[one.code]) for one in languages.LANGUAGES if one.code in BY_CODE]
    assert len(both) >= 35
    for one, other in both:
        assert one.family == other.family
        if one.code != "ko":  # there a language alone gives its branch its name
            assert one.branch == other.branch, one


# ---- the names ----------------------------------------------------------------------------------------------------


def test_there_are_many_languages_of_many_families() -> None:
    assert 180 <= len(names()) <= len(LANGUAGES)  # Babel's versions differ
    assert len({BY_CODE[code].family for code in names()}) >= 20
    assert not {"ja", "yue", "eo", "tok"} & names().keys()
    assert all(len(own) == len({name.latin for name in own}) == N_NAMES for own in names().values())
    assert letters().shape == (len(CODES), N_NAMES, LENGTH)


@pytest.mark.parametrize("code", ["de", "el", "sw", "en"])
def test_names_are_cldrs_own_without_the_english_ones(code: str) -> None:
    """By a plain loop over what Babel has."""
    expected: dict[str, str] = {}
    for kind in ("territories", "languages"):
        english = localedata.load("en", merge_inherited=False)[kind]
        for key, name in localedata.load(code, merge_inherited=False)[kind].items():
            latin = transliterate(name)
            same = code != "en" and latin == transliterate(english.get(key, ""))
            if not key.isdigit() and latin and not same and len(latin) <= LENGTH and latin not in expected:
                expected[latin] = name
    assert [tuple(name) for name in names()[code]] == [(b, a) for a, b in expected.items()][:N_NAMES]
    assert len(expected) >= N_TERRITORIES


@settings(deadline=None)
@given(st.text(alphabet=ALPHABET, min_size=1, max_size=LENGTH))
def test_what_is_written_can_be_read(name: str) -> None:
    ids = write(name)
    assert read(ids) == name
    assert ids.tolist() == [1 + ALPHABET.index(letter) for letter in name] + [0] * (LENGTH - len(name))


@pytest.mark.parametrize("name", ["", "é", "A", "x" * 33, "東京"])
def test_what_cannot_be_written_says_how(name: str) -> None:
    with pytest.raises(ValueError, match=r"name: got .* expected 1 to 32 of the letters.*transliterate"):
        write(name)


def test_indian_scripts_have_the_vowels_that_their_consonants_carry() -> None:
    assert [transliterate(word) for word in ("भारत", "ભારત", "ਭਾਰਤ", "ভারত")] == ["bharata"] * 4


# ---- tasks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("related", ["any", "family", "branch"])
def test_a_task_is_names_of_its_languages(related: str) -> None:
    family = LanguageNames(n_way=4, related=related)
    check_family(family)
    tasks = family.sample(8, n_shot=3, rng=generator(), n_query=2)
    assert tasks.support_x.shape == (8, 12, LENGTH)
    assert tasks.support_x.dtype == tasks.support_y.dtype == torch.int64
    for task, truth in enumerate(tasks.truth):
        rows = [LANGUAGES[int(index)] for index in truth[1:]]
        assert tasks.names[task] == ", ".join(row.name for row in rows)
        assert len(set(rows)) == 4
        for x, y in ((tasks.support_x, tasks.support_y), (tasks.query_x, tasks.query_y)):
            for name, label in zip(x[task], y[task], strict=True):
                assert read(name) in {name.latin for name in names()[rows[int(label)].code]}
        for label in range(4):
            given_, asked = (
                {read(name) for name in x[task][y[task] == label]}
                for x, y in ((tasks.support_x, tasks.support_y), (tasks.query_x, tasks.query_y))
            )
            assert (len(given_), len(asked), given_ & asked) == (3, 2, set())
        above = Counter(getattr(row, family.level) for row in rows)
        assert family.category_names(family.level)[int(truth[0])] == min(above, key=lambda name: (-above[name], name))
        if related != "any":
            assert len(above) == 1


def test_the_true_distance_counts_what_differs() -> None:
    """Languages, branches and families, each as a bag, by plain loops."""
    family = LanguageNames(n_way=3)
    tasks = family.sample(12, n_shot=1, rng=generator())
    found = family.true_distance(tasks)
    for (i, one), (j, other) in itertools.product(enumerate(tasks.truth), repeat=2):
        rows = [[LANGUAGES[int(index)] for index in truth[1:]] for truth in (one, other)]
        squared = 0.0
        for level in ("code", "branch", "family"):
            bags = [Counter(getattr(row, level) for row in of_task) for of_task in rows]
            squared += (bags[0] - bags[1]).total() / 3
        assert float(found[i, j]) == pytest.approx(math.sqrt(squared), abs=1e-6)


def test_the_worked_number_of_the_true_distance() -> None:
    family = LanguageNames(n_way=2)
    index = {code: CODES.index(code) for code in ("es", "nl", "pt", "el")}
    tasks = family.sample(2, n_shot=1, rng=generator())
    truth = torch.tensor([[0, index["nl"], index["es"]], [0, index["el"], index["pt"]]]).float()
    coordinates = family.coordinates(truth)
    assert float((coordinates[0] - coordinates[1]).square().sum()) == pytest.approx(1.5)
    assert len(tasks) == 2


def parts_of(split: Split) -> list[set[str]]:
    return [set(part.codes) for part in split if isinstance(part, LanguageNames)]


@pytest.mark.parametrize("seed", range(3))
def test_random_languages_are_held_out(seed: int) -> None:
    split = check_split(FAMILY, FAMILY.split(generator(seed)))
    parts = parts_of(split)
    assert set.union(*parts) == set(names())
    assert sum(map(len, parts)) == len(names())
    assert [round(10 * len(part) / len(names())) for part in parts] == [6, 2, 2]
    # Relatives stay in training: that is what the other split is for.
    assert {BY_CODE[code].family for code in parts[0]} & {BY_CODE[code].family for code in parts[2]}
    drawn = split.unseen.sample(20, n_shot=1, rng=generator()).truth[:, 1:]
    assert {CODES[int(index)] for index in drawn.flatten()} <= parts[2]


@pytest.mark.parametrize("seed", range(3))
def test_whole_families_are_held_out(seed: int) -> None:
    parts = parts_of(check_split(FAMILY, FAMILY.split_by_family(generator(seed))))
    families = [{BY_CODE[code].family for code in part} for part in parts]
    assert set.union(*parts) == set(names())
    for one, other in itertools.combinations(families, 2):
        assert not one & other
    assert len(parts[0]) > len(parts[1]) > 10
    assert len(parts[2]) > 10


def test_every_name_of_a_part() -> None:
    family = LanguageNames(n_way=2, part=("fi", "es"))
    x, y = family.all_names()
    assert family.codes == ("es", "fi")
    assert (x.shape, y.shape) == ((2 * N_NAMES, LENGTH), (2 * N_NAMES,))
    assert [read(name) for name in x[y == 1]] == [name.latin for name in names()["fi"]]


def test_a_card_has_names_in_their_own_script() -> None:
    family = LanguageNames(n_way=2, part=("el", "ka"))
    tasks = family.sample(1, n_shot=3, rng=generator())
    sketch = family.sketch(tasks)
    assert sketch.kind == "names"
    assert sketch.words is not None
    (rows,) = sketch.words
    assert [row[0] for row in rows] == ["Greek"] * 3 + ["Georgian"] * 3
    assert all(transliterate(original) == latin for _language, original, latin in rows)
    assert {read(x) for x in tasks.support_x[0]} == {latin for _language, _original, latin in rows}
    assert not any(original.isascii() for _language, original, _latin in rows)


# ---- who reads them -------------------------------------------------------------------------------------------------

READERS = [name for name in EMBEDDERS if task_embedder(name).takes(FAMILY)]


def test_every_embedder_takes_texts() -> None:
    assert list(EMBEDDERS) == READERS
    assert all(
        Cell(name, "language_names", 0, 1, 0) in grid(families=["language_names"], seeds=1, steps=1) for name in READERS
    )


@pytest.mark.parametrize("embedder", READERS)
def test_an_embedder_learns_some_steps(embedder: str) -> None:
    session = Session(embedder, family="language_names", n_tasks=6, projection="pca", seed=1)
    session.step(2)
    frame = session.history[-1]
    assert len(frame.embedding) == 6
    assert bool(np.isfinite(frame.embedding).all())
    assert {"spearman", "purity"} <= frame.diagnostics.keys()
    if frame.fit is not None:
        assert frame.fit.classes is not None
        assert frame.fit.classes.shape == (6, 10)
        packet = card_packet(FAMILY.sketch(session.tasks))
        assert [len(rows) for rows in packet["words"]] == [10] * 6


# ---- bad input ------------------------------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"n_way": 1}, ValueError, r"n_way: got 1.*at least 2.*tell languages apart"),
    ({"n_way": 1000}, ValueError, r"n_way: got 1000, expected at most \d+ languages. None comes twice"),
    ({"n_way": 40, "related": "branch"}, ValueError, r"n_way: got 40.*All of them are of one branch"),
    ({"n_way": 3, "part": ("fi", "es")}, ValueError, r"n_way: got 3, expected at most 2"),
    ({"n_way": 2.5}, TypeError, r"n_way: got 2.5, expected a whole number"),
    ({"n_way": None}, TypeError, r"n_way: got None"),
    ({"n_way": math.nan}, ValueError, r"n_way: got nan"),
    ({"related": "families"}, ValueError, r"related: got 'families'.*Did you mean 'family'"),
    ({"related": None}, ValueError, r"related: got None, expected one of any, family, branch"),
    ({"part": None}, TypeError, r"part: got None, expected codes in a tuple"),
    ({"part": "fi"}, TypeError, r"part: got 'fi', expected codes in a tuple"),
    ({"part": ("xx",)}, ValueError, r"part: got 'xx', expected one of"),
]


@pytest.mark.parametrize("fields, error, words", BAD, ids=[str(fields) for fields, _, _ in BAD])
def test_a_family_that_cannot_be_says_why(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        LanguageNames(**fields)


def test_more_names_than_there_are() -> None:
    with pytest.raises(ValueError, match=r"n_shot: got 151, expected at most 150 names of each language"):
        FAMILY.sample(1, n_shot=100, n_query=51, rng=generator())
    with pytest.raises(ValueError, match="Split it once"):
        FAMILY.split(generator()).train.split(generator())


def test_a_language_that_this_babel_has_no_names_of(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {code: own for code, own in names().items() if code != "fi"}
    monkeypatch.setattr("taskembed_edu.tasks.language_names.names", lambda: without)
    with pytest.raises(ValueError, match=r"part: got .*expected 2 languages that CLDR has names of"):
        LanguageNames(n_way=2, part=("fi", "es")).sample(1, rng=generator())
