"""Functions from samples to features: one that somebody gives is checked at every call, and a network's learns nothing.

A solver, a map and a drawing pad take any such function: `Prototypes(features)`, `DrawingPad(features=features)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from taskembed_edu.base.checks import check_finite, problem

# Maps samples (n, *x_shape) to features (n, dim).
Features = Callable[[Tensor], Tensor]


def checked_features(features: Any, argument: str = "features") -> Features:
    """The same function, without gradients, whose results are checked: a row of finite numbers for each sample.

    Errors: TypeError for what is no function; each call: ValueError for a result of another shape, or not finite.
    """
    if not callable(features):
        expected = "a function from samples, (n, *x_shape), to features, (n, dim)"
        raise TypeError(problem(argument, features, expected, "EpisodeTraining(network).features is one."))

    @torch.no_grad()
    def checked(x: Tensor) -> Tensor:
        found = features_of(features, x, argument)
        return check_finite(argument, found, "A network that diverged gives such features.")

    return checked


def features_of(features: Features, x: Tensor, argument: str = "features") -> Tensor:
    """The features (n, dim) of samples (n, *x_shape), with their gradients.

    Errors: TypeError for what is no function, or no real numbers; ValueError for another shape.
    """
    if not callable(features):
        cause = "EpisodeTraining(network).features is one."
        raise TypeError(problem(argument, f"a {type(features).__name__}", "a function of samples", cause))
    found = features(x)
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(x):
        came = found if isinstance(found, Tensor) else f"a {type(found).__name__}"
        cause = "A network whose features are maps ends with Flatten()."
        raise ValueError(problem(argument, came, f"a row of numbers for each sample, ({len(x)}, dim)", cause))
    if found.is_complex():
        raise TypeError(problem(argument, found, "real numbers", "Two columns, .real and .imag, say the same."))
    return found


def frozen_features(network: nn.Module) -> Features:
    """The features that a network gives when it is judged: no gradients, and the statistics of training (`eval`).

    Samples go to the network's device. Errors: TypeError for what is no tensor. Worked number: a block of batch
    normalisation gives a picture the same features alone and among a thousand others.
    """

    @torch.no_grad()
    def features(x: Tensor) -> Tensor:
        if not isinstance(x, Tensor):
            raise TypeError(problem("x", f"a {type(x).__name__}", "samples in a tensor, (n, *x_shape)"))
        network.eval()
        weight = next(network.parameters(), None)
        found: Tensor = network(x if weight is None else x.to(weight.device))
        return found

    return features
