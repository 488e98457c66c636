"""Randomness is an argument: what draws refuses None, by which PyTorch would draw from the global generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from taskembed_edu import Alphabets, LanguageNames, NumberWords, Sinusoids, conv_blocks, set_encoder, turned_classes
from taskembed_edu.networks.ngrams import ngram_features
from taskembed_edu.tasks.hand import drawn_anew
from taskembed_edu.tasks.pictures import turned_tasks
from tests.runs import generator

SINES, LETTERS = Sinusoids(), Alphabets(part=("Greek",))
DRAWN = LETTERS.sample(2, 1, rng=generator())

DRAW: dict[str, Callable[[Any], object]] = {
    "sample": lambda rng: SINES.sample(2, rng=rng),
    "redraw": lambda rng: LETTERS.redraw(DRAWN, rng),
    "few_shot": lambda rng: NumberWords().few_shot(rng=rng),
    "names": lambda rng: LanguageNames().sample(2, rng=rng),
    "sample_halves": lambda rng: LETTERS.sample_halves(2, rng=rng),
    "draw_letters": lambda rng: LETTERS.draw_letters(torch.tensor([1]), 2, rng),
    "drawn_anew": lambda rng: drawn_anew(DRAWN.support_x.flatten(0, 1), rng),
    "turned_classes": lambda rng: turned_classes(DRAWN, rng),
    "turned_tasks": lambda rng: turned_tasks(DRAWN, rng),
    "conv_blocks": conv_blocks,
    "set_encoder": lambda rng: set_encoder(SINES, rng),
    "ngram_features": lambda rng: ngram_features(rng, 8, 2),
}


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
@pytest.mark.parametrize("rng", [None, 3])
def test_what_draws_refuses_what_is_no_generator(draw: Callable[[Any], object], rng: object) -> None:
    before = torch.get_rng_state()
    with pytest.raises(TypeError, match=r"rng: got (None|3), expected a torch\.Generator"):
        draw(rng)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_what_draws_leaves_the_global_generator_alone(draw: Callable[[Any], object]) -> None:
    before = torch.get_rng_state()
    draw(generator())
    assert torch.equal(torch.get_rng_state(), before)
