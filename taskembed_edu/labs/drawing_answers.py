"""What a DrawingPad's drawing is compared with: the classes of a support set, and a map of scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from taskembed_edu.adaptation.feature_functions import Features
from taskembed_edu.base.checks import check_finite, problem
from taskembed_edu.figures.colours import colour_tasks
from taskembed_edu.formulas.distances import pairwise_distances
from taskembed_edu.labs.distance_readings import numbers_of
from taskembed_edu.projection.pca import pca
from taskembed_edu.tasks.pen import SIDE

_MOST_CLASSES, _MOST_PLACES = 20, 3000


class Answers:
    r"""The classes of a support set, and how near a drawing is to each.

    .. math:: p(k) = \frac{\exp(-|f(x) - c_k|^2)}{\sum_j \exp(-|f(x) - c_j|^2)}, \qquad c_k = \text{mean of class } k

    `support` holds the pictures of each class by its name: (1, 28, 28), or (n, 1, 28, 28) of several. Source: Snell,
    Swersky and Zemel 2017, equation 2. Worked number: at distances 0 and 1 of two classes, the first has 0.73.
    """

    def __init__(self, support: Any, features: Features) -> None:
        self.pictures = _pictures_by_class(support)
        self.names = tuple(self.pictures)
        self._features = features
        self._prototypes = torch.stack(
            [features(pictures).cpu().double().mean(dim=0) for pictures in self.pictures.values()]
        )

    def distances(self, picture: Tensor) -> Tensor:
        """The squared distance of a picture's features to each class's prototype, (n_classes,)."""
        vector = self._features(picture[None]).cpu().double()  # squares of large features are no numbers in single
        return pairwise_distances(vector, self._prototypes, "squared_euclidean")[0]

    def probabilities(self, picture: Tensor) -> Tensor:
        """The probability of each class, (n_classes,)."""
        return torch.softmax(-self.distances(picture), dim=0)


def _pictures_by_class(support: Any) -> dict[str, Tensor]:
    expected = 'pictures of each class by its name, such as {"a": pictures, "b": pictures}'
    if not isinstance(support, Mapping):
        raise TypeError(problem("support", support, expected))
    if not 2 <= len(support) <= _MOST_CLASSES:
        came = f"{len(support)} classes"
        raise ValueError(problem("support", came, f"2 to {_MOST_CLASSES} classes", "An answer is one of several."))
    return {str(name): _pictures(f"support[{name!r}]", pictures) for name, pictures in support.items()}


def _pictures(name: str, given: Any) -> Tensor:
    pictures = numbers_of(name, given, "pictures (n, 1, 28, 28)").float()
    pictures = pictures[None] if pictures.ndim == 3 else pictures
    if pictures.shape[1:] != (1, SIDE, SIDE) or not len(pictures):
        raise ValueError(problem(name, pictures, "pictures (n, 1, 28, 28), or one (1, 28, 28)"))
    return check_finite(name, pictures)


class ScriptMap:
    """Where a drawing lies among letters of several scripts: the two main directions of their features (PCA).

    `scripts` holds vectors (n, dim) by each script's name, made by the same `features`. A new drawing is projected
    onto the directions that these letters have. Worked number: the mean of all letters lies at (0, 0).
    """

    def __init__(self, scripts: Any, features: Features) -> None:
        vectors = _vectors_by_script(scripts)
        self.names = tuple(vectors)
        every = torch.cat(list(vectors.values()))
        self.layout, axes = pca(every)
        self._every, self._axes, self._mean = every, torch.from_numpy(axes).double(), every.mean(dim=0)
        self._features = features
        self.of = torch.arange(len(vectors)).repeat_interleave(torch.tensor([len(rows) for rows in vectors.values()]))
        self.colouring = colour_tasks(self.of.double().numpy(), "script", "category", self.names)

    def place(self, picture: Tensor) -> tuple[tuple[float, float], str]:
        """Where a picture lies on the map, and the script of the letter with the nearest features (not on the map)."""
        vector = self._features(picture[None]).cpu().double()
        if vector.shape[1] != len(self._mean):
            cause = "The vectors of the scripts are made by the same features."
            raise ValueError(problem("features", f"{vector.shape[1]} numbers", f"{len(self._mean)}", cause))
        x, y = ((vector[0] - self._mean) @ self._axes).tolist()
        nearest = int(pairwise_distances(vector, self._every)[0].argmin())
        return (x, y), self.names[int(self.of[nearest])]


def _vectors_by_script(scripts: Any) -> dict[str, Tensor]:
    expected = 'vectors (n, dim) of letters by their script, such as {"Greek": vectors, "Latin": vectors}'
    if not isinstance(scripts, Mapping):
        raise TypeError(problem("scripts", scripts, expected))
    named = {str(name): numbers_of(f"scripts[{name!r}]", given, "vectors (n, dim)") for name, given in scripts.items()}
    for name, rows in named.items():
        if rows.ndim != 2 or not len(rows):
            raise ValueError(problem(f"scripts[{name!r}]", rows, "vectors (n, dim)"))
        check_finite(f"scripts[{name!r}]", rows)
    if not named or len({rows.shape[1] for rows in named.values()}) > 1:
        widths = sorted({rows.shape[1] for rows in named.values()})
        raise ValueError(problem("scripts", f"vectors of {widths or 'no'} numbers", "vectors of one length"))
    n = sum(map(len, named.values()))
    if not 2 <= n <= _MOST_PLACES:
        raise ValueError(problem("scripts", f"{n} vectors", f"2 to {_MOST_PLACES}", "The page draws each of them."))
    return named
