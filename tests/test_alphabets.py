"""Letters of the world's writing systems: which there are, how they are drawn, and that held-out scripts are new."""

from __future__ import annotations

import dataclasses
import itertools
import math
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fontTools import unicodedata as scripts_of_unicode

from taskembed_edu import Alphabets, Digits, Session
from taskembed_edu.base import cache
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.evaluation.scripts import alphabet_found_again, mean_and_spread
from taskembed_edu.tasks import alphabets as module
from taskembed_edu.tasks import font_letters as letters_module
from taskembed_edu.tasks.alphabets import NEVER_SEEN, TRAINED, VALIDATED
from taskembed_edu.tasks.font_letters import ALIKE, SCRIPTS, font_letters, has_lines, look_alikes, script_of
from tests.runs import generator

FAMILY = Alphabets()
# By name, since they look like others.
ALPHA, BETA = "\N{GREEK CAPITAL LETTER ALPHA}", "\N{GREEK CAPITAL LETTER BETA}"
CYRILLIC_O, BE = "\N{CYRILLIC CAPITAL LETTER O}", "\N{CYRILLIC SMALL LETTER BE}"


# ---- which letters there are -----------------------------------------------------------------------------------------


def test_letters_are_what_the_protocol_says() -> None:
    known = font_letters()
    assert len(known.letters) == len(set(known.letters)) == len(known.scripts)
    for letter, script in zip(known.letters, known.scripts, strict=True):
        assert unicodedata.category(letter) in ("Lu", "Ll", "Lo")
        assert unicodedata.normalize("NFKD", letter) == letter
        assert scripts_of_unicode.script(letter) == SCRIPTS[script]
    assert set(known.scripts) == set(SCRIPTS)
    assert int(known.n_styles.min()) >= 1
    assert len(known.fields) == int(known.n_styles.sum())
    assert torch.equal(known.first, known.n_styles.cumsum(0) - known.n_styles)


@pytest.mark.parametrize(
    "sign, script",
    [
        ("a", "Latin"),
        ("Ω", "Greek"),
        ("א", "Hebrew"),
        ("\N{NKO LETTER A}", "N'Ko"),
        ("é", ""),
        ("1", ""),
        ("中", ""),
        ("ﬁ", ""),
        ("ʰ", ""),
    ],
)
def test_what_a_letter_is(sign: str, script: str) -> None:
    assert script_of(sign) == script


def test_scripts_have_enough_letters_for_a_task() -> None:
    for script in FAMILY.alphabets():
        letters = FAMILY.letters_of(script)
        assert len(letters) >= Alphabets.surely
        assert list(letters) == sorted(letters)
        assert {font_letters().scripts[letter] for letter in letters} == {script}
    every = [letter for script in FAMILY.alphabets() for letter in FAMILY.letters_of(script)]
    assert every == list(range(len(font_letters().letters)))


def test_look_alikes_were_removed_and_the_list_is_kept() -> None:
    left = set(font_letters().letters)
    pairs = {(one.letter, one.kept) for one in FAMILY.removed()}
    assert {(ALPHA, "A"), (CYRILLIC_O, "O"), ("s", "S")} <= pairs
    order = list(SCRIPTS)
    for one in FAMILY.removed():
        assert one.letter not in left
        assert one.kept in left
        assert one.overlap > ALIKE
        mine, kept = script_of(one.letter), script_of(one.kept)
        assert order.index(mine) > order.index(kept) or one.kept in (one.letter.upper(), one.letter.lower())


def test_no_two_scripts_have_a_letter_that_looks_alike() -> None:
    """By plain sums over pixels, of letters drawn anew by the plain font."""
    fonts = letters_module._fonts()
    some = [letter for script in ("Latin", "Greek", "Coptic") for letter in FAMILY.letters_of(script)[:120]]
    drawn = [FAMILY.letter_name(letter) for letter in some]
    styles = letters_module._styles(fonts)
    shapes = letters_module._shapes(fonts, [(styles[letter][0], letter) for letter in drawn]).numpy()
    for (one, shape), (other, its) in itertools.combinations(zip(drawn, shapes, strict=True), 2):
        if script_of(one) != script_of(other):
            assert (shape & its).sum() <= ALIKE * (shape | its).sum(), (one, other)


def test_of_look_alikes_the_earlier_is_kept() -> None:
    square = torch.zeros(48, 48, dtype=torch.bool)
    square[4:44, 4:44] = True
    nearly = square.clone()
    nearly[4:7] = False
    other = torch.zeros_like(square)
    other[:, 20:28] = True
    found = look_alikes(
        ["A", "B", ALPHA, BETA, BE, "א", "ב"], torch.stack((square, other, nearly, other, square, other, ~other))
    )
    assert [(one.letter, one.kept) for one in found] == [(ALPHA, "A"), (BETA, "B"), (BE, "A"), ("א", "B")]
    assert found[0].overlap == pytest.approx(37 / 40)
    two_of_one_script = look_alikes(["A", "B"], torch.stack((square, square)))
    assert not two_of_one_script
    assert [one.letter for one in look_alikes(["S", "s"], torch.stack((square, square)))] == ["s"]


def test_a_shape_whose_lines_vanished_is_told_from_a_blot() -> None:
    thin, blot = torch.zeros(2, 48, 48, dtype=torch.bool)
    thin[:, 20:24] = True
    blot[4:44, 4:44] = True
    dot = torch.zeros_like(thin)
    dot[24, 22] = True
    line = torch.zeros_like(thin)
    line[2:46, 22] = True
    shapes = torch.stack((thin, thin, blot))
    assert has_lines(shapes, torch.stack((dot, line, dot))).tolist() == [False, True, True]


# ---- how they are drawn ----------------------------------------------------------------------------------------------


def test_a_batch_has_the_shapes_that_it_says() -> None:
    tasks = Alphabets(n_way=4).sample(6, n_shot=3, n_query=2, rng=generator())
    assert tasks.support_x.shape == (6, 12, 1, 28, 28)
    assert tasks.query_x.shape == (6, 8, 1, 28, 28)
    assert tasks.support_y[0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert tasks.support_x.min() == 0
    assert tasks.support_x.max() == 1
    assert tasks.truth_names == ("script",)
    ink = tasks.support_x.mean((2, 3, 4))
    assert ink.min() > 0.005
    assert ink.max() < 0.6


def test_the_letters_of_a_task_are_different_and_of_one_script() -> None:
    truth = FAMILY.draw_truth(300, generator())
    for row in truth.long().tolist():
        assert len(set(row[1:])) == 5
        assert {font_letters().scripts[letter] for letter in row[1:]} == {FAMILY.alphabets()[row[0]]}
        assert row[1:] == sorted(row[1:])


def test_the_same_seed_draws_the_same_pictures() -> None:
    one, again, other = (FAMILY.sample(3, rng=generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(one.support_x, again.support_x)
    assert torch.equal(one.query_x, again.query_x)
    assert not torch.equal(one.support_x, other.support_x)


def test_no_drawing_comes_twice() -> None:
    pictures = FAMILY.draw_letters(torch.tensor([0, 0, 700]), 20, generator())
    assert pictures.shape == (3, 20, 1, 28, 28)
    assert len(torch.unique(pictures.flatten(0, 1), dim=0)) == 60


def test_a_letter_keeps_its_shape() -> None:
    """Drawings of a letter are nearer to each other than to those of most others: chance is 1 in 27."""
    letters = torch.tensor(FAMILY.letters_of("Hebrew"))
    one, other = (
        FAMILY.draw_letters(letters, 8, generator()).flatten(2).mean(1),
        FAMILY.draw_letters(letters, 8, generator(1)),
    )
    distances = torch.cdist(other.flatten(2).mean(1), one)
    assert (distances.argmin(1) == torch.arange(len(letters))).float().mean() > 0.7


def test_printed_letters_are_the_fonts_own() -> None:
    """Without a hand, a picture is what the pen leaves along the lines of one of the letter's styles."""
    printed = FAMILY.printed()
    assert (printed.pen, printed.slant, printed.distortion) == ((3.0, 3.0), 0.0, 0.0)
    known, letter = font_letters(), FAMILY.letters_of("Greek")[3]
    drawn = printed.draw_letters(torch.tensor([letter]), 12, generator())[0, :, 0]
    styles = known.fields[known.first[letter] : known.first[letter] + known.n_styles[letter]].float() / 32
    expected = (2.0 - styles).clamp(0, 1)
    for picture in drawn:
        assert (expected - picture).abs().amax((1, 2)).min() < 1e-4


def test_a_wider_pen_leaves_more_ink() -> None:
    letters = torch.arange(50)
    thin, wide = (
        dataclasses.replace(FAMILY, pen=(pen, pen)).draw_letters(letters, 2, generator()) for pen in (2.0, 4.0)
    )
    assert (wide >= thin).all()
    assert wide.sum() > 1.3 * thin.sum()


def test_slant_turns_the_letters() -> None:
    """A vertical stroke's main axis: upright without slant, up to so many degrees (and a shear) with it."""
    bar = next(
        index for index, letter in enumerate(font_letters().letters) if letter == "\N{LATIN LETTER DENTAL CLICK}"
    )

    def angles(slant: float) -> np.ndarray[Any, Any]:
        family = dataclasses.replace(FAMILY, slant=slant, distortion=0.0)
        pictures = family.draw_letters(torch.tensor([bar]), 100, generator())[0, :, 0].numpy()
        return np.array([_main_axis(picture) for picture in pictures])

    upright, slanted = angles(0.0), angles(15.0)
    spread = np.abs(slanted - np.median(upright))
    assert np.ptp(upright) < 25  # the fonts' own italics
    assert spread.max() > 15
    assert spread.max() < 15 + 0.75 * 15 + np.ptp(upright) + 3


def _main_axis(picture: np.ndarray[Any, Any]) -> float:
    """The angle of a picture's longer axis against the vertical, in degrees."""
    rows, columns = np.nonzero(picture > 0.5)
    spread = np.cov(np.stack((rows, columns)))
    _, vectors = np.linalg.eigh(spread)
    down, right = vectors[:, -1] * np.sign(vectors[0, -1])
    return math.degrees(math.atan2(right, down))


def test_distortion_of_two_is_farther_from_print_than_of_one() -> None:
    letters = torch.tensor(FAMILY.letters_of("Ogham"))
    plain = dataclasses.replace(FAMILY, slant=0.0, pen=(3.0, 3.0))

    def far(distortion: float) -> float:
        one, other = (
            dataclasses.replace(plain, distortion=to).draw_letters(letters, 10, generator()) for to in (distortion, 0.0)
        )
        return float((one - other).abs().mean())

    assert 0 == far(0.0) < far(0.5) < far(1.0) < far(2.0)


def test_letters_have_names_and_titles() -> None:
    alef = FAMILY.letters_of("Hebrew")[0]
    assert FAMILY.letter_name(alef) == "א"
    assert FAMILY.letter_title(alef) == "HEBREW LETTER ALEF"
    tasks = Alphabets(part=("Hebrew",)).sample(1, rng=generator())
    letters = " ".join(FAMILY.letter_name(letter) for letter in tasks.truth[0, 1:].long().tolist())
    assert tasks.names == (f"Hebrew: {letters}",)


def test_a_sketch_shows_as_many_of_each_letter() -> None:
    tasks = Alphabets(n_way=3).sample(4, n_shot=5, rng=generator())
    sketch = Alphabets(n_way=3).sketch(tasks)
    assert sketch.images is not None
    assert sketch.classes is not None
    assert sketch.images.shape == (4, 9, 28, 28)
    assert sketch.classes[0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


# ---- truth and split -------------------------------------------------------------------------------------------------


def test_true_distance_by_plain_counting() -> None:
    family = Alphabets(part=("Ogham", "Coptic"))
    tasks = family.sample(40, n_shot=1, rng=generator())
    found = family.true_distance(tasks)
    rows = tasks.truth.long().tolist()
    for i, j in itertools.product(range(40), repeat=2):
        shared = len({*rows[i][1:]} & {*rows[j][1:]}) / 5
        expected = math.sqrt((rows[i][0] != rows[j][0]) + (1 - shared))
        assert float(found[i, j]) == pytest.approx(expected, abs=1e-6)


def test_parts_share_neither_scripts_nor_letters() -> None:
    parts = FAMILY.split(generator())
    assert (parts.train.part, parts.validation.part, parts.unseen.part) == (TRAINED, VALIDATED, NEVER_SEEN)
    assert sorted(TRAINED + VALIDATED + NEVER_SEEN) == sorted(SCRIPTS)
    seen = [set(part.sample(400, n_shot=1, rng=generator()).truth[:, 1:].flatten().tolist()) for part in parts]
    assert all(not one & other for one, other in itertools.combinations(seen, 2))
    with pytest.raises(ValueError, match="Split it once"):
        parts.train.split(generator())


def test_halves_share_no_letter() -> None:
    family = Alphabets(part=NEVER_SEEN)
    known, new = family.sample_halves(7, 2, rng=generator())
    assert len(known) == len(new) == 7 * len(NEVER_SEEN)
    assert torch.equal(known.truth[:, 0], new.truth[:, 0])
    assert not set(known.truth[:, 1:].flatten().tolist()) & set(new.truth[:, 1:].flatten().tolist())
    for row in known.truth.long().tolist():
        assert {font_letters().scripts[letter] for letter in row[1:]} == {family.alphabets()[row[0]]}
    with pytest.raises(ValueError, match=r"n_way: got 5, expected at most 4 letters\. Two tasks that share no letter"):
        Alphabets(part=("Lisu",)).sample_halves(2, rng=generator())


# ---- scripts found again ---------------------------------------------------------------------------------------------


def test_scripts_are_found_again_by_vectors_that_tell_them_and_by_chance_without() -> None:
    family = Alphabets(part=NEVER_SEEN)
    told = alphabet_found_again(lambda tasks: torch.nn.functional.one_hot(tasks.truth[:, 0].long()).float(), n_tasks=5)
    assert torch.equal(told(family, generator()), torch.ones(30))
    silent = alphabet_found_again(lambda tasks: torch.ones(len(tasks), 3), n_tasks=5)
    assert torch.allclose(silent(family, generator()), torch.full((30,), 1 / 6))
    pixels = alphabet_found_again(mean_and_spread(lambda x: x.flatten(1)), n_tasks=10, metric="cosine")
    found = float(pixels(family, generator()).mean())
    assert 1 / 6 + 0.1 < found < 1
    with pytest.raises(TypeError, match="family: got a Digits, expected a family of letters"):
        told(Digits(), generator())


def test_mean_and_spread_by_numpy() -> None:
    tasks = FAMILY.sample(3, n_shot=2, rng=generator())
    found = mean_and_spread(lambda x: x.flatten(1)[:, ::100])(tasks)
    plain = tasks.support_x.flatten(2)[:, :, ::100].numpy()
    assert np.allclose(found, np.concatenate((plain.mean(1), plain.std(1)), axis=1), atol=1e-6)


# ---- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"n_way": 1}, r"n_way: got 1, expected a number of at least 2"),
        ({"n_way": 2.5}, r"n_way: got 2\.5, expected a whole number"),
        ({"n_way": 13}, r"n_way: got 13, expected at most \d+ classes\. All letters of a task are of one script, and "),
        ({"n_way": 100, "part": ("Ogham",)}, r"n_way: got 100, expected at most 26 classes.*Ogham has 26"),
        ({"part": ("Klingon",)}, r"part: got 'Klingon', expected one of Latin, "),
        ({"part": ("Greec",)}, r"Did you mean 'Greek'"),
        ({"part": "Greek"}, r"part: got 'Greek', expected names of a script in a tuple.*\('Latin',\)"),
        ({"part": None}, r"part: got None"),
        ({"pen": 3}, r"pen: got 3, expected two numbers"),
        ({"pen": (4.0, 2.0)}, r"pen: got"),
        ({"pen": (0.0, 2.0)}, r"pen: got 0\.0, expected a number from 1 to 10"),
        ({"slant": -1}, r"slant: got -1, expected a number from 0 to 45"),
        ({"slant": math.nan}, r"slant: got nan"),
        ({"distortion": None}, r"distortion: got None, expected a number"),
        ({"distortion": 3}, r"distortion: got 3, expected a number from 0 to 2"),
    ],
)
def test_fields_out_of_range_are_said(fields: dict[str, Any], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        Alphabets(**fields)


@pytest.mark.parametrize(
    "letters, n, said",
    [
        (None, 1, "letters: got None, expected a tensor of indices of letters"),
        (torch.tensor([0.0]), 1, "letters: got a tensor"),
        (torch.tensor([10_000]), 1, "letters: got 10000 to 10000, expected indices of letters, whole numbers from 0"),
        (torch.tensor([-1, 3]), 1, "letters: got -1 to 3"),
        (torch.tensor([0]), 0, "n: got 0, expected a number of at least 1"),
    ],
)
def test_what_is_no_letter_is_said(letters: Any, n: int, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        FAMILY.draw_letters(letters, n, generator())


@pytest.mark.parametrize("letter", [-1, 10_000, None])
def test_a_name_of_no_letter_is_refused(letter: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="letter: got"):
        FAMILY.letter_name(letter)


def test_no_letters_are_no_pictures() -> None:
    assert FAMILY.draw_letters(torch.zeros(0, 5, dtype=torch.long), 3, generator()).shape == (0, 5, 3, 1, 28, 28)


def test_a_script_that_the_fonts_lack_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_by_script", lambda: {"Latin": (0, 1, 2, 3, 4, 5)})
    with pytest.raises(
        ValueError, match=r"script: got Ogham, of which the fonts lack the letters.*Reinstall matplotlib"
    ):
        Alphabets(part=("Latin", "Ogham")).sample(2, rng=generator())
    assert len(Alphabets(part=("Latin",)).sample(2, rng=generator())) == 2


def test_an_installation_without_the_fonts_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"fonts: got no DejaVu.*expected the fonts that come with matplotlib"):
        font_letters.__wrapped__()


def test_the_cache_is_built_whole_under_the_hash_of_the_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Building, with two letters of one font: what is kept is what is read again."""
    monkeypatch.setenv(cache.PLACE, str(tmp_path))
    monkeypatch.setattr(letters_module, "_styles", lambda fonts: {"A": [0, 1], ALPHA: [0], "Ж": [0]})
    built, read = font_letters.__wrapped__(), font_letters.__wrapped__()
    assert built.letters == read.letters == ("A", "Ж")
    assert built.removed == read.removed
    assert [(one.letter, one.kept) for one in read.removed] == [(ALPHA, "A")]
    assert torch.equal(built.fields, read.fields)
    assert read.fields.shape == (3, 28, 28)
    (file,) = tmp_path.glob("letters-*.npz")
    monkeypatch.setattr(letters_module, "PROTOCOL", letters_module.PROTOCOL + 1)
    font_letters.__wrapped__()
    assert len(list(tmp_path.glob("letters-*.npz"))) == 2
    assert file.exists()


# ---- embedders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("embedder", [name for name, cls in EMBEDDERS.items() if cls().takes(FAMILY)])
def test_an_embedder_trains_on_it(embedder: str) -> None:
    session = Session(embedder, family=Alphabets(n_way=3), n_tasks=6, projection="pca")
    session.step(2)
    assert np.isfinite(session.frame.embedding).all()
    assert "script" in session.tasks.truth_names


def test_every_embedder_of_the_package_takes_it() -> None:
    assert all(cls().takes(FAMILY) for cls in EMBEDDERS.values())
