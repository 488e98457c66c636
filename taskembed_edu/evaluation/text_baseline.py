"""What few-shot learning of texts has to beat: TF-IDF, which learns nothing but how common each n-gram is."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.evaluation.solvers import Solution, Solver
from taskembed_edu.networks.learners import Answers
from taskembed_edu.tasks.base import TaskBatch

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@compared_by_value
@dataclass(frozen=True)
class TfidfPrototypes(Solver):
    r"""Prototypes of TF-IDF vectors: runs of one to four letters within a word, the common ones weighted down.

    .. math:: \text{tf}(g, x) \, (1 + \log \frac{1 + n}{1 + \text{df}(g)}), \text{ divided by its length}

    `texts` (n, length) are those of training, in which df counts how many have a run g; a run that none of them has is
    left out. `alphabet` is the family's. A query belongs to the class with the nearest mean (as in `Prototypes`).

    Source: Sparck Jones 1972; scikit-learn's `TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4))`. Errors:
    ValueError for tasks that are no texts of this length, or have no classes. Worked number: of two orthogonal
    prototypes of one name each, a query that equals the first has the logits 0 and -2.
    """

    texts: Tensor
    alphabet: tuple[str, ...]

    answers: ClassVar[Answers] = "classes"

    def __post_init__(self) -> None:
        expected = "texts, (n, length), as all_names() of a family gives them"
        if not isinstance(self.texts, Tensor):
            raise TypeError(problem("texts", self.texts, expected))
        if self.texts.ndim != 2 or not len(self.texts) or self.texts.is_floating_point():
            raise ValueError(problem("texts", self.texts, expected))
        if not isinstance(self.alphabet, (tuple, list, str)):
            raise TypeError(problem("alphabet", self.alphabet, "letters in a tuple", "family.alphabet is one."))
        lowest, highest = int(self.texts.min()), int(self.texts.max())
        if lowest < 0 or not 0 < highest <= len(self.alphabet):
            cause = f"The alphabet has {len(self.alphabet)}: a letter is 1 + its index, and 0 stands for nothing."
            came = f"letter {lowest if lowest < 0 else highest}"
            raise ValueError(problem("texts", came, "letters of the alphabet", cause))

    def solve(self, support: TaskBatch, steps: Sequence[int]) -> list[Solution]:
        if not isinstance(support, TaskBatch):
            raise TypeError(problem("tasks", f"a {type(support).__name__}", "a batch of tasks"))
        if support.support_y.is_floating_point() or support.support_x.shape[2:] != self.texts.shape[1:]:
            expected = f"classes of texts, (n_tasks, n, {self.texts.shape[1]})"
            raise ValueError(problem("tasks", support.support_x, expected, "It was made of a family's all_names()."))
        n_way = int(support.support_y.max()) + 1
        prototypes = [
            _class_means(vectors, labels.numpy(), n_way)
            for vectors, labels in zip(self._vectors(support.support_x), support.support_y.cpu(), strict=True)
        ]

        def solution(x: Tensor, y: Tensor) -> Tensor:
            return torch.stack([-_squared(*both) for both in zip(self._vectors(x), prototypes, strict=True)])

        return [solution for _ in steps]

    def _vectors(self, x: Tensor) -> list[csr_matrix]:
        """The vectors of each task's texts: n_tasks sparse (n, n_runs)."""
        found = self._vectoriser.transform(self._read(x.flatten(0, 1)))
        return [found[at : at + x.shape[1]] for at in range(0, found.shape[0], x.shape[1])]

    @functools.cached_property
    def _vectoriser(self) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer  # heavy, and only texts need it

        return TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4)).fit(self._read(self.texts))

    def _read(self, x: Tensor) -> list[str]:
        return ["".join(self.alphabet[letter - 1] for letter in text if letter) for text in x.tolist()]


def _class_means(vectors: csr_matrix, labels: np.ndarray[Any, Any], n_way: int) -> csr_matrix:
    from scipy.sparse import csr_matrix

    member = (labels == np.arange(n_way)[:, None]).astype(float)
    return csr_matrix(member / np.maximum(member.sum(1, keepdims=True), 1)) @ vectors


def _squared(queries: csr_matrix, prototypes: csr_matrix) -> Tensor:
    """Squared Euclidean distances of sparse rows, (n_queries, n_way)."""
    lengths = [np.asarray(each.multiply(each).sum(axis=1)).ravel() for each in (queries, prototypes)]
    products = np.asarray((queries @ prototypes.T).todense())
    return torch.from_numpy(lengths[0][:, None] + lengths[1] - 2 * products).float()
