"""Starts from which a language never seen is learned: random, joint and meta-learned ones, and languages' networks.

    weights = stacks(kept("spelling"))        # "random", "joint", "reptile" (1, *shape), "languages" (25, *shape)

All are networks of the languages for training of `NumberWords().split(rng)`, whose seed is `SETTINGS["seed"]`; those of
"languages" stand in the order of `known(parts.train)`. No other language has been seen by any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from taskembed_edu.adaptation import JointTraining, MetaLearner, OuterLoop, Reptile, shared_start
from taskembed_edu.base.progress import counted
from taskembed_edu.course.artefacts import Recipe
from taskembed_edu.embedders.batched import BatchedTraining, start_networks
from taskembed_edu.embedders.trained import train_tasks
from taskembed_edu.evaluation.solvers import Start, given_start, nearest_network, random_start
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.networks.learners import Learner, Parameters, flatten
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily
from taskembed_edu.tasks.number_words import N_NUMBERS, NumberWords

SETTINGS: dict[str, Any] = {
    "seed": 0,
    "hidden": 48,
    # Outer steps, each on so many languages with so many numbers in both sets together.
    "outer": {"steps": 500, "languages": 8, "numbers": 20, "rate": 3e-3},
    "reptile": {"inner_lr": 1.0, "inner_steps": 5},
    # Each language's own network: steps of Adam on all its numbers but one.
    "languages": {"steps": 300, "rate": 1e-2},
    # A language is found by what so many steps of Adam on so many of its numbers change.
    "nearest": {"steps": 30, "numbers": 30},
}


def split(seed: int = SETTINGS["seed"]) -> Split:
    """The languages in three parts. Worked number: 25 for training, 8 for validation, 9 never seen."""
    return NumberWords().split(torch.Generator().manual_seed(seed))


def learner(family: TaskFamily) -> Learner:
    """The network that spells: gated recurrent units, 13,805 numbers."""
    return task_learner(family, "gru", hidden=SETTINGS["hidden"])


def known(train: TaskFamily) -> TaskBatch:
    """The languages for training, in alphabetical order of their names, with all numbers but one to learn from."""
    rng = torch.Generator().manual_seed(SETTINGS["seed"])
    tasks = train.sample(train.at_most(N_NUMBERS), N_NUMBERS - 1, rng=rng, n_query=1)
    return tasks[sorted(range(len(tasks)), key=lambda task: tasks.names[task])]


def trained(seed: int = SETTINGS["seed"]) -> dict[str, Parameters]:
    """All stacks by name, trained here and now; `seed` draws split, weights and samples."""
    train, rng = split(seed).train, torch.Generator().manual_seed(seed)
    net = learner(train)
    start = start_networks(net, 1, rng)
    methods: dict[str, MetaLearner] = {"joint": JointTraining(net), "reptile": Reptile(net, **SETTINGS["reptile"])}
    found = {name: _outer(name, method, start, train, rng) for name, method in methods.items()}
    return {"random": start, **found, "languages": _languages(net, start, known(train))}


def _outer(name: str, method: MetaLearner, start: Parameters, train: TaskFamily, rng: torch.Generator) -> Parameters:
    asked, loop = SETTINGS["outer"], OuterLoop(method, start=start)
    for _step in counted(asked["steps"], f"{name}: outer step"):
        half = asked["numbers"] // 2
        loop.step(train.sample(asked["languages"], half, rng=rng, n_query=half), asked["rate"])
    return {part: value.detach() for part, value in loop.start.items()}


def _languages(net: Learner, start: Parameters, tasks: TaskBatch) -> Parameters:
    asked, training = SETTINGS["languages"], BatchedTraining(net, shared_start(net, start, len(tasks)))
    for _step in counted(asked["steps"], "languages: step"):
        training.step(tasks.support_x, tasks.support_y, learning_rate=asked["rate"])
    return {part: value.detach() for part, value in training.parameters.items()}


def flat(weights: Mapping[str, Parameters]) -> dict[str, Tensor]:
    """The stacks as a file keeps them: one dictionary, "reptile/output.weight"."""
    return {f"{name}/{part}": value for name, stack in weights.items() for part, value in stack.items()}


def stacks(weights: Mapping[str, Tensor]) -> dict[str, Parameters]:
    """What `flat` made one dictionary of: the parameters of each stack by its name."""
    found: dict[str, Parameters] = {}
    for place, value in weights.items():
        name, part = place.split("/")
        found.setdefault(name, {})[part] = value
    return found


def moved(net: Learner, start: Parameters, tasks: TaskBatch) -> Tensor:
    """What some steps of Adam on a language's first examples change of a network, (n_tasks, n_weights).

    All begin at `start` (1, *shape), so two languages' changes can be compared: by the cosine distance, since the
    longer words make the longer steps.
    """
    asked = SETTINGS["nearest"]
    few = tasks.with_support(tasks.support_x[:, : asked["numbers"]], tasks.support_y[:, : asked["numbers"]])
    ends = train_tasks(net, few, asked["steps"], start=shared_start(net, start, len(few)), compiled="off")
    return flatten(ends.parameters) - flatten(start)


def starts(weights: Mapping[str, Parameters], train: TaskFamily) -> dict[str, Start]:
    """The ways to begin a language never seen, by name; `train` is the part that the weights were trained on.

    "nearest language" is the network of the language for training that the examples move most alike (`moved`). "any
    language" takes the first networks, whatever the language.
    """
    net, languages = learner(train), weights["languages"]
    embed = partial(moved, net, weights["random"])
    return {
        "random": random_start(net),
        "any language": lambda tasks: {part: value[: len(tasks)] for part, value in languages.items()},
        "joint": given_start(weights["joint"]),
        "nearest language": nearest_network(net, embed, known(train), languages, metric="cosine").start,
        "meta-learned": given_start(weights["reptile"]),
    }


RECIPE = Recipe(
    about="spelling numbers: joint and meta-learned starts, and the networks of 25 languages",
    train=lambda: flat(trained()),
    settings=SETTINGS,
)
