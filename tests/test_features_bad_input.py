"""What is given wrongly to the training of features, to what judges them and to their pictures, is said in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from taskembed_edu import Alphabets, ClassTraining, EpisodeTraining, LanguageNames, confusions, conv_blocks
from taskembed_edu.adaptation.augmentation import augmented
from taskembed_edu.adaptation.prototypes import one_shot_losses, prototype_losses
from taskembed_edu.course.artefacts.letters import train_letters
from taskembed_edu.evaluation.scripts import mean_and_spread
from taskembed_edu.evaluation.solvers import Prototypes
from taskembed_edu.evaluation.text_baseline import TfidfPrototypes
from taskembed_edu.figures.picture_map import picture_map_figure
from taskembed_edu.tasks.hand import drawn_anew


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


TASKS = Alphabets(part=("Ogham",)).sample(2, 1, rng=seeded())
LOSSES = (prototype_losses, one_shot_losses)


def flat(x: Tensor) -> Tensor:
    return x.flatten(1)


def network() -> nn.Module:
    return conv_blocks(seeded(), channels=(2, 2, 2))


@pytest.mark.parametrize("losses", LOSSES)
@pytest.mark.parametrize("given", [None, "flat", 3])
def test_losses_say_what_they_need(losses: Callable[..., Tensor], given: Any) -> None:
    with pytest.raises(TypeError, match=r"features: got a \w+, expected a function of samples"):
        losses(given, TASKS)
    with pytest.raises(TypeError, match=r"tasks: got .*, expected tasks with samples"):
        losses(flat, given)
    with pytest.raises(ValueError, match=r"metric: got .*, expected one of"):
        losses(flat, TASKS, given)


@pytest.mark.parametrize("found", [None, 0.0, torch.zeros(20), torch.zeros(3, 2), torch.zeros(20, 2, 3)])
def test_features_are_rows(found: Any) -> None:
    calls: list[Callable[[], object]] = [partial(losses, lambda x: found, TASKS) for losses in LOSSES]
    calls.append(lambda: mean_and_spread(lambda x: found)(TASKS))
    calls.append(lambda: augmented(lambda x: found)(TASKS.support_x[0]))
    for call in calls:
        with pytest.raises(ValueError, match=r"features: got .*, expected a row of numbers for each sample"):
            call()


def test_a_task_has_to_be_given() -> None:
    with pytest.raises(TypeError, match="tasks: got None, expected tasks with samples"):
        mean_and_spread(flat)(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="features: got None"):
        mean_and_spread(None)(TASKS)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.half, torch.double, torch.long])
def test_pictures_and_weights_are_of_one_type(dtype: torch.dtype) -> None:
    x = TASKS.support_x[0].to(dtype)
    with pytest.raises(TypeError, match=r"x: got .*, expected pictures of dtype float32. Weights and pictures"):
        EpisodeTraining(network()).features(x)
    with pytest.raises(TypeError, match=r"x: got .*, expected pictures of dtype float32"):
        ClassTraining(network(), 18, 5, seeded()).step(x, TASKS.support_y[0])


def test_a_network_that_cannot_learn_is_said_before_its_first_step() -> None:
    with pytest.raises(ValueError, match="network: got no weights that learn"):
        EpisodeTraining(network().requires_grad_(False))


def test_the_number_of_features_is_the_networks() -> None:
    with pytest.raises(ValueError, match=r"network: got .*\(5, 18\).*expected 7 numbers of each sample, as n_features"):
        ClassTraining(network(), 7, 5, seeded()).step(TASKS.support_x[0], TASKS.support_y[0])


@pytest.mark.parametrize("drawn", [None, TASKS, [1, 2], (1, 2, 3)])
def test_classes_are_learned_from_pairs(drawn: Any) -> None:
    with pytest.raises(TypeError, match=r"draw: got a .*, expected a function that returns a pair: x, y"):
        ClassTraining(network(), 18, 5, seeded()).fit(lambda: drawn, 1)


@pytest.mark.parametrize("pictures", [torch.zeros(2, 1, 0, 0), torch.zeros(2, 1, 8, 8, dtype=torch.long)])
def test_drawings_are_pictures(pictures: Tensor) -> None:
    with pytest.raises((TypeError, ValueError), match=r"pictures: got .*, expected"):
        drawn_anew(pictures, seeded())


@pytest.mark.parametrize("seed", [None, "0", -1, 0.5])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="seed: got"):
        train_letters("episodes", seed, 1)


# ---- judges ----------------------------------------------------------------------------------------------------------


def test_texts_are_of_the_alphabet() -> None:
    family = LanguageNames(n_way=2, part=("fi", "es"))
    texts, _ = family.all_names()
    for wrong, said in ((-texts, "letter -"), (0 * texts, "letter 0"), (texts + 5, "letter 3")):
        with pytest.raises(ValueError, match=f"texts: got {said}.*expected letters of the alphabet"):
            TfidfPrototypes(wrong, family.alphabet)
    for alphabet in (None, 28):
        with pytest.raises(TypeError, match=r"alphabet: got .*, expected letters in a tuple"):
            TfidfPrototypes(texts, alphabet)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="tasks: got a NoneType, expected a batch of tasks"):
        TfidfPrototypes(texts, family.alphabet).solve(None, [0])  # type: ignore[arg-type]


def test_a_class_is_no_yes_or_no() -> None:
    with pytest.raises(ValueError, match=r"classes: got .*bool.*expected whole numbers"):
        confusions(Prototypes(flat), TASKS, torch.zeros(2, 5, dtype=torch.bool))


# ---- pictures --------------------------------------------------------------------------------------------------------

MAP: dict[str, Any] = {
    "layout": torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
    "pictures": torch.zeros(3, 8, 8),
    "groups": torch.tensor([0, 1, 0]),
    "names": ("Lao", "Ogham"),
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layout": torch.tensor(0.0)}, "layout: got"),
        ({"pictures": torch.full((3, 8, 8), torch.nan)}, "pictures: got 192 NaN or infinite"),
        ({"groups": torch.tensor([0.5, 1.5, 0.5])}, "groups: got"),
        ({"names": None}, "names: got None, expected the groups' names"),
        ({"names": "ab"}, "names: got 'ab', expected the groups' names"),
        ({"names": (None, "b")}, "title or name: got a NoneType, expected a text"),
        ({"title": 3}, "title or name: got a int, expected a text"),
        ({"own": "me"}, "own: got a str, expected a pair"),
        ({"own": (None, torch.zeros(8, 8))}, "own: got a NoneType for its place"),
        ({"own": ((0, 0, 0), torch.zeros(8, 8))}, r"own: got shapes \(3,\)"),
        ({"own": ((0, torch.nan), torch.zeros(8, 8))}, "own: got 1 NaN"),
        ({"own": ((0, 0), None)}, "own: got a NoneType, expected a tensor"),
        ({"own": ((0, 0), torch.zeros(3, 8, 8))}, r"own: got shapes \(2,\) and \(3, 8, 8\)"),
    ],
)
def test_a_map_of_pictures_says_what_it_needs(changed: dict[str, Any], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        picture_map_figure(**{**MAP, **changed})


def test_ones_own_place_may_be_a_tensor() -> None:
    picture_map_figure(**MAP, own=(torch.tensor([0.5, 0.5]), torch.zeros(1, 8, 8)))  # type: ignore[arg-type]
