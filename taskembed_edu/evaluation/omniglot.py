"""The Omniglot challenge: the official runs of one-shot classification, beside what was published."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from taskembed_edu.adaptation.feature_functions import Features, checked_features
from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.formulas.distances import METRICS
from taskembed_edu.tasks.omniglot_runs import official_runs

_LAKE = "Lake, Salakhutdinov and Tenenbaum 2015, results, one-shot classification"


class Published(NamedTuple):
    """An error on the official runs that others reached, in percent, and the page that says so."""

    who: str
    error: float
    source: str


# Only what was read in its source. All learners among them learned from the thirty alphabets of the background set, not
# from a minimal one. A guess is right once in twenty.
PUBLISHED: tuple[Published, ...] = (
    Published("Bayesian program learning", 3.3, _LAKE),
    Published("people (40 of them)", 4.5, _LAKE),
    Published("deep Siamese network", 8.0, f"Koch, Zemel and Salakhutdinov 2015, as told by {_LAKE}"),
    Published("deep convolutional network", 13.5, _LAKE),
    Published("hierarchical deep model", 34.8, _LAKE),
    Published("modified Hausdorff distance", 38.8, f"{_LAKE}; and the demo of the data's repository"),
)


@compared_by_value
@dataclass(frozen=True)
class ChallengeErrors:
    """The error of each official run in percent; `mean` is what is published."""

    errors: tuple[float, ...]

    @property
    def mean(self) -> float:
        return fmean(self.errors)

    def __repr__(self) -> str:
        return f"{self.mean:.1f} % of {len(self.errors)} runs ({min(self.errors):.0f} to {max(self.errors):.0f} %)"


@short_errors
def omniglot_challenge(embed: Features, metric: str = "euclidean") -> ChallengeErrors:
    r"""How often a query picture of the official runs is nearest to another letter than its own, in percent.

    .. math:: \frac{100}{20} \sum_{j=1}^{20} \big[\arg\min_k d(f(q_j), f(s_k)) \ne y_j\big]

    for each of the 20 runs: a support picture s_k of each of 20 letters of one alphabet, and a query picture q_j of
    each, by another person. `embed` is f: it maps pictures (n, 1, 28, 28) to features (n, dim), and is given the
    support and the query pictures of each run apart, so that none helps with another. It must not have learned from
    the evaluation set. Each query picture is named by itself, though one could know that no two are of one letter.

    Range: 0 to 100; a guess has 95. Source: Lake, Salakhutdinov and Tenenbaum 2015, and the demo in their repository.
    Errors: ValueError for features of another shape, or not finite, and for an unknown metric; OSError where the runs
    are not on this machine and cannot be fetched. Worked number: a picture that is mistaken costs 5 % of its run, and
    .25 % of the mean.
    """
    features = checked_features(embed, "embed")
    check_choice("metric", metric, METRICS)
    errors = []
    for task in official_runs():
        run = task.episode
        apart = METRICS[metric].matrix(features(run.query_x), features(run.support_x))
        wrong = run.support_y[apart.argmin(dim=1).cpu()] != run.query_y
        errors.append(100 * float(wrong.double().mean()))
    return ChallengeErrors(tuple(errors))
