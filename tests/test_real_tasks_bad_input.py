"""What is given wrongly to the families of letters and names, and to what learns from them, is said in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from taskembed_edu import Alphabets, Digits, Gaussians, LanguageNames, NumberWords, Sinusoids, conv_blocks
from taskembed_edu.networks.ngrams import NgramFeatures, ngram_buckets, ngram_features
from taskembed_edu.tasks.base import TaskFamily
from taskembed_edu.tasks.hand import drawn_anew
from taskembed_edu.tasks.pictures import turned_classes, turned_tasks

FAMILIES = (Alphabets(), LanguageNames(), NumberWords(), Digits(), Gaussians(), Sinusoids())
by_name = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


# ---- randomness ------------------------------------------------------------------------------------------------------

LETTERS = Alphabets(part=("Ogham",)).sample(2, 1, rng=seeded())

DRAWS: dict[str, Callable[[Any], object]] = {
    "sample_halves": lambda rng: Alphabets(part=("Latin",)).sample_halves(1, 1, rng=rng),
    "draw_letters": lambda rng: Alphabets().draw_letters(torch.tensor([1]), 1, rng),
    "split_by_family": lambda rng: LanguageNames().split_by_family(rng),
    "split_by_digit": lambda rng: Digits(n_way=2).split_by_digit(rng),
    "few_shot": lambda rng: NumberWords().few_shot(2, 2, rng=rng),
    "drawn_anew": lambda rng: drawn_anew(LETTERS.support_x[0], rng),
    "turned_classes": lambda rng: turned_classes(LETTERS, rng),
    "turned_tasks": lambda rng: turned_tasks(LETTERS, rng),
    "conv_blocks": lambda rng: conv_blocks(rng),
    "ngram_features": lambda rng: ngram_features(rng, 8, 2),
}


@pytest.mark.parametrize("rng", [None, "0", 3])
@by_name
def test_nothing_is_drawn_without_a_generator(family: TaskFamily, rng: Any) -> None:
    """None would be torch's global generator: another picture each time, and every other draw is moved."""
    before = torch.get_rng_state()
    for draw in (lambda: family.sample(2, 1, rng=rng), lambda: family.split(rng)):
        with pytest.raises(TypeError, match=r"rng: got .*, expected a torch.Generator. torch.Generator\(\)"):
            draw()
    tasks = family.sample(2, 1, rng=seeded())
    with pytest.raises(TypeError, match=r"rng: got .*, expected a torch.Generator"):
        family.redraw(tasks, rng)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("rng", [None, "0", 3])
@pytest.mark.parametrize("draw", DRAWS.values(), ids=list(DRAWS))
def test_no_other_draw_either(draw: Callable[[Any], object], rng: Any) -> None:
    with pytest.raises(TypeError, match=r"rng: got .*, expected a torch.Generator"):
        draw(rng)


# ---- families --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["n_tasks", "n_shot", "n_query"])
@by_name
def test_samples_are_counted_in_whole_numbers(family: TaskFamily, which: str) -> None:
    counts: dict[str, Any] = {"n_tasks": 2, "n_shot": 1, "n_query": 1, which: 2.5}
    with pytest.raises(TypeError, match=f"{which}: got 2.5, expected a whole number"):
        family.sample(**counts, rng=seeded())


@pytest.mark.parametrize("given", [None, "tasks", torch.zeros(2, 3), []])
@by_name
def test_what_are_no_tasks_has_no_card(family: TaskFamily, given: Any) -> None:
    for of in (family.sketch, family.true_distance):
        with pytest.raises(TypeError, match=r"batch: got a .*, expected tasks of this family"):
            of(given)


@pytest.mark.parametrize("made", [lambda n: Alphabets(n_way=n), lambda n: LanguageNames(n_way=n)])
def test_tasks_of_another_number_of_classes_have_no_distance_here(made: Callable[[int], TaskFamily]) -> None:
    """The share of letters that differ is another one of three letters than of five: 3/5 was no share at all."""
    mine, other = made(5), made(3)
    tasks = other.sample(4, 1, rng=seeded())
    for of in (mine.true_distance, mine.sketch):
        with pytest.raises(ValueError, match="batch: got tasks of 3 classes, expected tasks of 5"):
            of(tasks)
    with pytest.raises(ValueError, match="batch: got tasks of 3 classes"):
        mine.redraw(tasks, seeded())
    assert other.true_distance(tasks).shape == (4, 4)


# ---- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32])
def test_a_text_has_one_hash_however_its_letters_are_kept(dtype: torch.dtype) -> None:
    texts = torch.tensor([[1, 2, 28, 0], [28, 28, 28, 28]])
    assert torch.equal(ngram_buckets(texts.to(dtype), 1000), ngram_buckets(texts, 1000))


def test_texts_of_no_letter_and_no_texts() -> None:
    with pytest.raises(ValueError, match=r"x: got a tensor of shape \(2, 0\).*expected whole numbers"):
        ngram_buckets(torch.zeros(2, 0, dtype=torch.long), 10)
    network: NgramFeatures = ngram_features(seeded(), 10, 4)
    assert network(torch.zeros(0, 5, dtype=torch.long)).shape == (0, 4)


# ---- parts -----------------------------------------------------------------------------------------------------------


def test_a_list_makes_the_same_family_as_a_tuple() -> None:
    """It made one that is equal to no other, and has no hash."""
    listed, other = Alphabets(part=["Lao"], pen=[2.0, 3.0]), Alphabets(part=("Lao",), pen=(2.0, 3.0))  # type: ignore[arg-type]
    assert listed == other
    assert hash(listed) == hash(other)


@pytest.mark.parametrize("part", [None, "es", 3, (None,), (["es"],)])
def test_a_part_of_number_words_lists_codes(part: Any) -> None:
    with pytest.raises(TypeError, match=r"part: got .*, expected codes in a tuple"):
        NumberWords(part)


@pytest.mark.parametrize("part", ["x", 3, (1, 2), [0]])
def test_a_part_of_digits_is_of_a_split(part: Any) -> None:
    with pytest.raises(TypeError, match=r"part: got .*, expected a part of a split"):
        Digits(part=part)
