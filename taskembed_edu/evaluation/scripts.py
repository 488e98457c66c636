"""Does a task's vector tell its alphabet, though no letter of it was seen before?"""

from __future__ import annotations

import torch
from torch import Tensor

from taskembed_edu.adaptation.feature_functions import Features, checked_features
from taskembed_edu.base.checks import problem
from taskembed_edu.evaluation.judges import Judge
from taskembed_edu.evaluation.solvers import Embedding
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from taskembed_edu.tasks.batch import check_tasks
from taskembed_edu.tasks.characters import Characters


def alphabet_found_again(embed: Embedding, *, n_tasks: int = 20, n_shot: int = 4, metric: str = "euclidean") -> Judge:
    r"""Whether the nearest of some known tasks is of a new task's alphabet: 1 or 0, a share of 1 among equals.

    Each alphabet's letters are dealt into two halves: `n_tasks` known tasks of it have their letters from one half, as
    many new ones from the other (`sample_halves`). So no letter is found again: only what the letters of an alphabet
    have in common. `embed` gives the vectors (n, dim) of tasks: a fitted embedder's `embed`, or `mean_and_spread` of
    any features. The mean over tasks is the share found; by chance 1 / (number of alphabets).

    Errors: TypeError for a family without alphabets. Worked number: six scripts, equal vectors: 1/6.
    """

    def judge(family: TaskFamily, rng: torch.Generator) -> Tensor:
        if not isinstance(family, Characters):
            cause = "Alphabets(part=(...)) is one."
            raise TypeError(problem("family", f"a {type(family).__name__}", "a family of letters", cause))
        known, new = family.sample_halves(n_tasks, n_shot, rng=rng)
        distances = pairwise_distances(embed(new), embed(known), metric)
        mine = new.truth[:, :1] == known.truth[:, 0]
        nearest = distances == distances.amin(1, keepdim=True)
        return (nearest & mine).sum(1) / nearest.sum(1)

    return judge


def mean_and_spread(features: Features) -> Embedding:
    """A task's vector from its support set: the mean and the standard deviation of each feature.

    `features` maps samples (n, *x_shape) to (n, dim); vectors are (n_tasks, 2 dim). Labels are not looked at.
    Errors: as `checked_features`. Worked number: features 1 and 3 make the vector (2, 1).
    """
    each = checked_features(features)

    def embed(tasks: TaskBatch) -> Tensor:
        check_tasks(tasks)
        found = each(tasks.support_x.flatten(0, 1)).unflatten(0, tasks.support_x.shape[:2])
        return torch.cat((found.mean(1), found.std(1, correction=0)), dim=1)

    return embed
