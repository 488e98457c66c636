"""Test-time augmentation: features that are surer, since they are the mean over several looks at a picture."""

from __future__ import annotations

import torch
from torch import Tensor

from taskembed_edu.adaptation.feature_functions import Features, checked_features
from taskembed_edu.base.checks import check_whole
from taskembed_edu.tasks.hand import drawn_anew


def augmented(features: Features, n_looks: int = 8, seed: int = 0, **hand: float) -> Features:
    r"""Features that are the mean over a picture as it is and as other hands might have drawn it (`drawn_anew`).

    .. math:: \bar f(x) = \frac1n \Big(f(x) + \sum_{i=1}^{n-1} f(h_i(x))\Big)

    A letter's features then say less of how just this one was written. The hands h_i are drawn from `seed`, anew for
    every call, so that the same pictures have the same features. `hand` are the arguments of `drawn_anew`.

    Shapes: as `features`, (n, 1, side, side) to (n, dim). Source: Krizhevsky, Sutskever and Hinton 2012, section 4.1
    (their predictions are means over ten patches). Errors: TypeError for what is no function, ValueError for fewer than
    one look. Worked number: one look is `features` itself, at the same cost; eight cost eight times as much.
    """
    each = checked_features(features)
    check_whole("n_looks", n_looks, 1, None, "The first look is at the picture as it is.")
    check_whole("seed", seed, 0, None)

    def mean(x: Tensor) -> Tensor:
        rng = torch.Generator().manual_seed(seed)
        found = each(x)
        for _ in range(n_looks - 1):
            found = found + each(drawn_anew(x, rng, **hand))
        return found / n_looks

    return mean
