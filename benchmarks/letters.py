"""Letters of scripts never seen: features by episodes and by classes beside raw pixels and a random network; shifts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.mouse import mouse_drawn
from benchmarks.table import Row
from taskembed_edu.adaptation.feature_functions import Features, frozen_features
from taskembed_edu.course.artefacts.letters import CHANNELS, train_letters
from taskembed_edu.evaluation.scripts import alphabet_found_again, mean_and_spread
from taskembed_edu.evaluation.solvers import Prototypes
from taskembed_edu.evaluation.transfer import Transfer, transfer
from taskembed_edu.networks.conv_blocks import conv_blocks
from taskembed_edu.tasks.alphabets import Alphabets
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from taskembed_edu.tasks.digits import Digits

SEEDS, EPISODES, N_QUERY = (0, 1, 2), 600, 5
BY_EPISODES, BY_CLASSES = "prototypes", "supervised features"
# Percent, after one shot and after five.
ASKED = {"letters": (87, 95), "digits": (84, 94), "mouse": (94, 97)}
# A script is found again by tasks of so many letters: so often at least, and so much more often than by chance weights.
LETTERS, FOUND, ABOVE_RANDOM, DEALINGS = 10, 0.80, 0.08, 5

Found = list[dict[str, Transfer]]


def rows() -> Iterator[Row]:
    """The means over three seeds, each of them beside raw pixels."""
    features = [dict(_features(seed)) for seed in SEEDS]
    unseen = _letters()
    printed = partial(_printed, unseen)
    yield from _few_shot("letters", "letters of a script never seen", features, partial(_tasks, unseen))
    yield from _few_shot("digits", "scikit-learn's digits, enlarged to 28 x 28", features, _digits)
    yield from _few_shot("mouse", "the same letters, drawn as with a mouse", features, partial(_by_mouse, unseen))
    yield from _few_shot("", "printed support pictures, drawn queries", features, printed)
    yield from _scripts(unseen, features)


def _letters() -> Alphabets:
    return Alphabets().split(torch.Generator().manual_seed(0)).unseen  # type: ignore[return-value]


def _features(seed: int) -> Iterator[tuple[str, Features]]:
    yield "raw pixels", partial(torch.flatten, start_dim=1)
    yield "random network", frozen_features(conv_blocks(torch.Generator().manual_seed(seed), channels=CHANNELS))
    yield BY_EPISODES, train_letters("episodes", seed).features
    yield BY_CLASSES, train_letters("classes", seed).features


# ---- tasks -----------------------------------------------------------------------------------------------------------


def _tasks(family: TaskFamily, n_shot: int) -> TaskBatch:
    return family.sample(EPISODES, n_shot, rng=torch.Generator().manual_seed(1000 + n_shot), n_query=N_QUERY)


def _digits(n_shot: int) -> TaskBatch:
    """Digits of 8 x 8 pixels, not turned, made 20 x 20 with a border of 4: as large as the letters are."""
    tasks = _tasks(Digits(n_way=5, angle=(-0.01, 0.01)), n_shot)
    return dataclasses.replace(tasks, support_x=_enlarged(tasks.support_x), query_x=_enlarged(tasks.query_x))


def _enlarged(x: Tensor) -> Tensor:
    """Between pixels the grey is interpolated, and its contrast doubled: a letter's edge is as wide as a pixel, too."""
    large = F.interpolate(x.flatten(0, 1), size=(20, 20), mode="bicubic", align_corners=False)
    return F.pad((2 * large - 0.5).clamp(0, 1), (4, 4, 4, 4)).unflatten(0, x.shape[:2])


def _by_mouse(family: Alphabets, n_shot: int) -> TaskBatch:
    """The same tasks, each letter's lines followed by a hand that trembles (`mouse.py`), support and query alike."""
    tasks, rng = _tasks(family, n_shot), torch.Generator().manual_seed(n_shot)
    letters = family.letters(tasks.truth)
    drawn = (mouse_drawn(letters, n, rng).flatten(1, 2) for n in (n_shot, N_QUERY))
    return dataclasses.replace(tasks, support_x=next(drawn), query_x=next(drawn))


def _printed(family: Alphabets, n_shot: int) -> TaskBatch:
    return family.printed().redraw(_tasks(family, n_shot), torch.Generator().manual_seed(n_shot), n_shot)


# ---- rows ------------------------------------------------------------------------------------------------------------


def _few_shot(
    key: str, what: str, features: list[dict[str, Features]], draw: Callable[[int], TaskBatch]
) -> Iterator[Row]:
    for column, n_shot in enumerate((1, 5)):
        tasks = draw(n_shot)
        found = [transfer({way: Prototypes(each) for way, each in of.items()}, tasks, (0,)) for of in features]
        asked = ASKED[key][column] if key else None
        for way in features[0]:
            yield _row(f"5-way {n_shot}-shot, {what}: {way}", found, way, asked if way == BY_EPISODES else None)


def _row(work: str, found: list[Transfer], way: str, asked: int | None) -> Row:
    """A mean over seeds; the interval is that over episodes, of each episode's mean over seeds."""
    mean = dataclasses.replace(found[0], measured={way: _mean_over_seeds(found, way)})
    low, high = (100 * end for end in mean.interval(way, "accuracy", 0))
    of_seeds = ", ".join(f"{100 * each.mean(way, 'accuracy', 0):.1f}" for each in found)
    work += f"; 95 % [{low:.1f}, {high:.1f}], by seed {of_seeds}, macro-F1 {100 * mean.mean(way, 'macro-F1', 0):.1f}"
    accuracy, raw = (
        100 * sum(each.mean(of, "accuracy", 0) for each in found) / len(found) for of in (way, "raw pixels")
    )
    reached = None if asked is None else accuracy >= asked
    words = "" if asked is None else f"at least {asked}"
    return Row(work, accuracy, "%", "raw pixels", raw, words, reached, larger_is_better=True)


def _mean_over_seeds(found: list[Transfer], way: str) -> Mapping[str, Tensor]:
    return {name: torch.stack([each.of(way, name) for each in found]).mean(0) for name in found[0].measured[way]}


def _scripts(unseen: Alphabets, features: list[dict[str, Features]]) -> Iterator[Row]:
    """Is a script found again from a task's vector, by letters that are not shared? They are dealt anew five times."""
    shares = {
        way: sum(_share(unseen, of[way], seed) for seed, of in enumerate(features)) / len(features)
        for way in features[0]
    }
    random = shares["random network"]
    for way, share in shares.items():
        mine = way == BY_EPISODES
        asked = f"at least {FOUND:g}, and {ABOVE_RANDOM:g} above a random network" if mine else ""
        reached = share >= FOUND and share - random >= ABOVE_RANDOM if mine else None
        what = f"a never-seen script found by a task's vector ({LETTERS} letters, none shared; chance .17): {way}"
        yield Row(what, share, "of tasks", "random network", random, asked, reached, larger_is_better=True)


def _share(unseen: Alphabets, features: Features, seed: int) -> float:
    judge, rng = alphabet_found_again(mean_and_spread(features)), torch.Generator().manual_seed(seed)
    unseen = dataclasses.replace(unseen, n_way=LETTERS)
    return float(torch.stack([judge(unseen, rng).mean() for _ in range(DEALINGS)]).mean())
