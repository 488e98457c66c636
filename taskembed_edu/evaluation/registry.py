"""Every score, declared once: its name, its meaning, where it is shown, and the function that computes it.

    register_score(Score(name="spread", label="Spread", help="...", function=lambda context: ...))

adds a score to the history, the curves, the exported page and the static picture, and with `closing=True` to the table
at the end of `taskembed run`.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.readings import DISTANCE_PANEL, Reading
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders.base import LOSS
from taskembed_edu.evaluation.geometry import TrueGeometry
from taskembed_edu.evaluation.scores import mean_distance, neighbour_purity, recall_at_k
from taskembed_edu.projection.quality import jitter, map_trust


@compared_by_value
@dataclass(frozen=True, kw_only=True)
class ScoreContext:
    """What a score is computed from: the embedding of n tasks at one step, without diverged tasks.

    `vectors` (n, dim) are their vectors and `distances` (n, n) the distances between them, under `metric`; `settings`
    are the embedder's. The others may be None: `resampled` (n, dim) are vectors of second support sets, in the same
    order; `geometry` holds the true distances; `groups` (n,) is each task's group; `layout` (n, 2) is the map, and
    `previous_layout` is the same map one frame before.
    """

    vectors: Tensor
    distances: Tensor
    metric: str = "euclidean"
    settings: Any = None
    resampled: Tensor | None = None
    geometry: TrueGeometry | None = None
    groups: Tensor | None = None
    layout: NDArray[Any] | None = None
    previous_layout: NDArray[Any] | None = None
    n_neighbors: int = 15

    @cached_property
    def is_one_point(self) -> bool:
        """Whether all tasks have the same vector: then rounding alone would decide which task is nearest."""
        return bool((self.vectors == self.vectors[:1]).all())

    @cached_property
    def recall(self) -> Mapping[int, float]:
        """Recall at 1 and at 5, from one pass over the distances; needs `resampled`."""
        assert self.resampled is not None
        return recall_at_k(self.resampled, self.vectors, ks=(1, 5), metric=self.metric)


# The parts of the context that a score may need, beside vectors and distances.
NEEDS = ("resampled", "geometry", "groups", "layout")


@dataclass(frozen=True, kw_only=True)
class Score(Reading):
    """A reading that is computed from the embedding: `function` takes a `ScoreContext` and returns a number.

    `needs` names the parts of the context that must not be None (see `NEEDS`); if one is, the frame lacks the score and
    `function` is not called. NaN means that the score is undefined at this step.

    Errors: as `Reading`; ValueError for an unknown need.

    >>> import torch
    >>> from taskembed_edu.evaluation import effective_dimension
    >>> spread = Score(
    ...     name="dimension",
    ...     label="Dimension",
    ...     help="How many directions the vectors fill.",
    ...     panel="Dimension",
    ...     function=lambda context: effective_dimension(context.vectors),
    ... )
    >>> spread.of(ScoreContext(vectors=(line := torch.tensor([[1.0], [2.0]])), distances=torch.cdist(line, line)))
    1.0
    """

    function: Callable[[ScoreContext], float]
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.needs, str):
            raise TypeError(problem("needs", repr(self.needs), "a tuple of names", f"Write needs=({self.needs!r},)."))
        for need in self.needs:
            check_choice("needs", need, NEEDS)
        if not callable(self.function):
            cause = "It gets a ScoreContext: function=lambda context: context.distances.mean()."
            raise TypeError(problem("function", self.function, "a function of one argument", cause))

    def of(self, context: ScoreContext) -> float | None:
        """The score; None if the context lacks what it needs.

        Errors: TypeError if it is not a number; RuntimeError, with the cause, where the score's function raises.
        """
        if any(getattr(context, need) is None for need in self.needs):
            return None
        try:
            value = self.function(context)
        except Exception as error:
            came = f"{type(error).__name__}: {error}"
            raise RuntimeError(
                problem(f"score {self.name}", came, "one number", _likely_cause(context, error))
            ) from error
        real = isinstance(value, numbers.Real) or (isinstance(value, Tensor) and not value.is_complex())
        if not real or (isinstance(value, Tensor) and value.numel() != 1):
            cause = "NaN says that there is none just now."
            if value is None:
                cause += " Does the function end with return?"
            raise TypeError(problem(f"score {self.name}", value, "one number", cause))
        return float(value)


def _likely_cause(context: ScoreContext, error: Exception) -> str:
    """Why a score's function raised: it read what is None here, or its argument is not what it takes it for."""
    absent = [need for need in NEEDS if getattr(context, need) is None]
    if absent and "None" in str(error):
        return f"These are None here: {', '.join(absent)}. A score that reads one says so: needs=({absent[0]!r},)."
    fields = ", ".join(field.name for field in dataclasses.fields(ScoreContext))
    return f"Its argument is a ScoreContext, with {fields}; vectors are of shape {tuple(context.vectors.shape)}."


def measured(scores: Iterable[Score], context: ScoreContext) -> dict[str, float]:
    """These scores by name; those that lack what they need are absent."""
    told = {score.name: score.of(context) for score in scores}
    return {name: value for name, value in told.items() if value is not None}


def _spearman(context: ScoreContext) -> float:
    assert context.geometry is not None
    return math.nan if context.is_one_point else context.geometry.rank_correlation(context.distances)


def _purity(context: ScoreContext) -> float:
    assert context.groups is not None
    return math.nan if context.is_one_point else neighbour_purity(context.distances, context.groups)


def _trustworthiness(context: ScoreContext) -> float:
    # If all tasks are one point, every map is equally true.
    assert context.layout is not None
    return math.nan if context.is_one_point else map_trust(context.distances, context.layout, context.n_neighbors)


def _jitter(context: ScoreContext) -> float:
    if context.layout is None or context.previous_layout is None:
        return math.nan
    return jitter(context.layout, context.previous_layout)


SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        Score(
            name="recall@1",
            label="Recall@1",
            help="Each task has two support sets. For how many tasks is the nearest vector to the second set that of "
            "the first set? 1 means all tasks.",
            high=1.0,
            colour="vermillion",
            closing=True,
            short="its second support set finds its first as the nearest of all",
            needs=("resampled",),
            function=lambda context: context.recall[1],
        ),
        Score(
            name="recall@5",
            label="Recall@5",
            help="As recall@1, but the first set may be any of the five nearest.",
            high=1.0,
            panel=None,
            closing=True,
            short="... among the five nearest",
            needs=("resampled",),
            function=lambda context: context.recall[5],
        ),
        Score(
            name="spearman",
            label="Spearman",
            help="Are tasks that are similar in truth also near in the embedding? 1: the order of all distances is the "
            "same. 0: no relation (Spearman's rank correlation).",
            low=-1.0,
            high=1.0,
            colour="green",
            dash="--",
            closing=True,
            short="rank correlation of distances with the true ones",
            needs=("geometry",),
            function=_spearman,
        ),
        Score(
            name="purity",
            label="Purity",
            help="Share of the tasks whose nearest neighbour is of the same group (a branch of languages, for "
            "example). Tasks that are alone in their group do not count.",
            high=1.0,
            colour="blue",
            dash="-.",
            closing=True,
            short="of tasks with a mate, how many have one as their nearest",
            needs=("groups",),
            function=_purity,
        ),
        Score(
            name="trustworthiness",
            label="Trustworthiness",
            help="Are neighbours on the map also neighbours in the embedding? 1: all of them. About 0.5: no better "
            "than chance.",
            high=1.0,
            colour="purple",
            dash=":",
            beside_map=True,
            needs=("layout",),
            function=_trustworthiness,
        ),
        Score(
            name="jitter",
            label="Jitter",
            help="How far the points moved since the last picture, as a share of the map's size. 0: they did not move.",
            panel=None,
            beside_map=True,
            needs=("layout",),
            function=_jitter,
        ),
        Score(
            name="mean_distance",
            label="Mean distance",
            help="The mean distance between two tasks in the embedding. Near 0, all tasks lie on one point.",
            panel=DISTANCE_PANEL,
            colour="blue",
            in_distance_units=True,
            function=lambda context: 0.0 if context.is_one_point else mean_distance(context.distances),
        ),
    )
}


@short_errors
def register_score(score: Score, replace: bool = False) -> Score:
    """Add a score to `SCORES`: every session that begins or is reset after this call has it. Returns the score.

    With `replace`, it may replace one that was registered before: for a notebook's cell that is run again.
    Errors: ValueError for a name that is taken, TypeError for anything but a `Score`.
    """
    if not isinstance(score, Score):
        raise TypeError(problem("score", score, "a Score: Score(name=..., label=..., help=..., function=...)"))
    if score.name in _BUILT_IN or (score.name in SCORES and not replace):
        cause = "Frames keep one number under each name: choose another."
        if score.name not in _BUILT_IN:
            cause += " If this is a cell run again, register_score(score, replace=True) takes the newer one."
        raise ValueError(problem("score", f"a second {score.name!r}", "a name that no score has", cause))
    SCORES[score.name] = score
    return score


# The names that the package's own pictures, alarms and texts use: they cannot be replaced.
_BUILT_IN = frozenset((LOSS.name, *SCORES))
