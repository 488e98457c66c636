r"""`LOSSES`: a record of each loss, by name. The embedder, the alarms and the menus read the records.

A file or a notebook cell can add a loss of its own:

    def lazy_loss(embeddings, labels, metric, margin):
        return pairwise_contrastive_loss(embeddings, labels, margin, metric, reduction="mean")

    register_loss(Loss("lazy", "Lazy", "A plain mean over all pairs.", lazy_loss, needs_margin=True, terms="pairs"))
    MetricLab(loss="lazy")

Floor 0: tensors in, tensors out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.formulas.mining import TRIPLET_MINING


@dataclass(frozen=True)
class Loss:
    """The record of a loss that an embedder can train with.

    `name` is its name in settings and recordings, `label` its name in a menu; `help` says in one sentence what it
    trains for. `of_batch(embeddings, labels, metric=..., ...)` returns one number. The embeddings (2 n, dim) are of two
    support sets of each of n tasks: all first sets, then all second sets. The labels (2 n,) give the task of each set.
    `of_batch` also receives `margin`, `temperature` and `mining`, if the record says that it needs them.

    `terms` says what one term of the loss is about: a pair, for which the margin is the distance to keep; a triplet,
    for which the margin is how much farther the negative must be; or a point. `minings` lists the ways of mining pairs
    or triplets that it supports.
    """

    name: str
    label: str
    help: str
    of_batch: Callable[..., torch.Tensor]
    needs_margin: bool = False
    needs_temperature: bool = False
    minings: tuple[str, ...] = ()
    terms: Literal["pairs", "triplets", "points"] = "points"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the settings that `of_batch` receives, besides embeddings and labels."""
        needs = {"margin": self.needs_margin, "temperature": self.needs_temperature, "mining": bool(self.minings)}
        return ("metric", *(name for name, needed in needs.items() if needed))

    def __call__(self, embeddings: torch.Tensor, labels: torch.Tensor, settings: Any) -> torch.Tensor:
        """The loss of a batch under these settings: an object with the attributes that `arguments` names."""
        return self.of_batch(embeddings, labels, **{name: getattr(settings, name) for name in self.arguments})

    @property
    def margin_decides(self) -> bool:
        """Whether the margin decides which negatives push: see `active`."""
        return self.needs_margin and self.terms != "points"

    def active(self, distances: torch.Tensor, own: torch.Tensor, margin: float) -> torch.Tensor:
        """Which negatives still push: a mask of the shape of `distances` (n, n), for losses whose margin decides this.

        A pair pushes while d < m, a triplet while d(a, p) - d(a, n) + m > 0; `own` (n, 1) holds each d(a, p).
        """
        return distances < (own + margin if self.terms == "triplets" else margin)


LOSSES: dict[str, Loss] = {}
"""Every loss that can be trained with, by its name, in the order of the menu."""

_OWN: set[str] = set()


@short_errors
def register_loss(loss: Loss) -> Loss:
    """Add a loss of your own, so that labs, sessions and recordings can refer to it by its name.

    A recording keeps only the name: register the loss again before you replay it. A name may be registered again (when
    a cell runs twice); it then refers to the new loss. The names of the package's own losses cannot be reused.

    Errors, naming the field: TypeError if `loss` is not a `Loss`, or if its function does not accept the arguments that
    the record says it needs. ValueError for a name that is the package's or not a plain word, for an unknown mining,
    and for a function that does not return a single finite number with a finite gradient, the same one each time. To
    check this, the function is called on two small batches.
    """
    _check_record(loss)
    _check_takes(loss)
    _check_gives(loss)
    _OWN.add(loss.name)
    LOSSES[loss.name] = loss
    return loss


def _check_record(loss: Loss) -> None:
    if not isinstance(loss, Loss):
        raise TypeError(problem("loss", loss, "a Loss", "Loss(name, label, help, of_batch) makes one."))
    if not str(loss.name).isidentifier():
        cause = "It stands in code and in recordings: letters, digits and underscores."
        raise ValueError(problem("name", repr(loss.name), "a plain word such as 'my_loss'", cause))
    if loss.name in LOSSES and loss.name not in _OWN:
        raise ValueError(problem("name", repr(loss.name), "another name", "The package has a loss of this name."))
    for field in ("label", "help"):
        if not isinstance(getattr(loss, field), str) or not getattr(loss, field):
            raise TypeError(problem(field, getattr(loss, field), "a text", "The menu of the lab shows it."))
    if isinstance(loss.minings, str):
        cause = f"One is a tuple of one: ({loss.minings!r},)."
        raise TypeError(problem("minings", repr(loss.minings), "a tuple of names", cause))
    for mining in loss.minings:
        check_choice("minings", mining, TRIPLET_MINING)
    if loss.minings and "all" not in loss.minings:
        raise ValueError(problem("minings", loss.minings, "'all' among them", "A run begins with it."))
    check_choice("terms", loss.terms, ("pairs", "triplets", "points"))


def _check_takes(loss: Loss) -> None:
    if not callable(loss.of_batch):
        raise TypeError(problem("of_batch", loss.of_batch, "a function of embeddings and labels"))
    try:
        inspect.signature(loss.of_batch).bind(None, None, **dict.fromkeys(loss.arguments))
    except TypeError as error:
        expected = f"of_batch(embeddings, labels, {', '.join(loss.arguments)})"
        cause = "The distance is always given; needs_margin, needs_temperature and minings ask for the others."
        raise TypeError(problem("of_batch", f"a function with {error}", expected, cause)) from None


# What a loss is tried on: two sets of 2 tasks with 2 numbers each, and of 3 tasks with 3.
_TRIED = (
    [[0.0, 1.0], [1.0, 0.5], [0.5, 1.0], [2.0, 1.0]],
    [[0.0, 1.0, 0.2], [1.0, 0.5, 0.1], [0.5, 1.0, 0.3], [2.0, 1.0, 0.4], [0.1, 0.9, 0.5], [1.5, 0.2, 0.6]],
)


def _check_gives(loss: Loss) -> None:
    for rows in _TRIED:
        embeddings = torch.tensor(rows, requires_grad=True)
        value = _value_on(loss, embeddings)
        _check_value(value)
        if not torch.equal(embeddings.detach(), torch.tensor(rows)):
            cause = "Write x = x * 2 in place of x *= 2, and clone() before you write into a tensor."
            raise ValueError(problem("of_batch", "embeddings that it has changed", "its arguments as they were", cause))
        if not torch.equal(value, _value_on(loss, embeddings)):
            cause = "A random draw makes a run that cannot be repeated."
            raise ValueError(problem("of_batch", "two values of one batch", "the same number each time", cause))
        (gradient,) = torch.autograd.grad(value, embeddings, allow_unused=True)
        if gradient is None or not bool(gradient.isfinite().all()):
            came = "no gradient for the embeddings" if gradient is None else "a gradient that is not finite"
            cause = "A root at 0 has an infinite slope: the package's distances have a finite one."
            raise ValueError(problem("of_batch", came, "a finite gradient", "" if gradient is None else cause))


def _value_on(loss: Loss, embeddings: torch.Tensor) -> Any:
    some = {"metric": "euclidean", "margin": 1.0, "temperature": 1.0, "mining": next(iter(loss.minings), "all")}
    n_tasks = len(embeddings) // 2
    given = {name: some[name] for name in loss.arguments}
    try:
        return loss.of_batch(embeddings, torch.arange(n_tasks).repeat(2), **given)
    except Exception as error:
        expected = f"one number for embeddings of shape {tuple(embeddings.shape)} and labels of shape ({2 * n_tasks},)"
        cause = "labels say the task of each row, and distances of all rows are (2 n, 2 n)."
        raise ValueError(problem("of_batch", f"{type(error).__name__}: {error}", expected, cause)) from error


def _check_value(value: Any) -> None:
    if not isinstance(value, torch.Tensor) or value.dim():
        cause = "A batch has one loss: end with .mean() or .sum()."
        if value is None:
            cause = "Does it end with return?"
        elif not isinstance(value, torch.Tensor):
            cause = "Keep it a tensor, so that it has a gradient: no .item(), no float()."
        raise ValueError(problem("of_batch", value, "one number, a tensor of shape ()", cause))
    if value.is_complex():
        raise ValueError(problem("of_batch", value, "a real number", "Of two losses, neither is smaller: take .abs()."))
    if not bool(value.isfinite()):
        raise ValueError(problem("of_batch", f"{value.item():g}", "a finite number"))
    if not value.requires_grad:
        cause = "Without one nothing can be learnt: does it call .item(), .detach() or numpy on the way?"
        raise ValueError(problem("of_batch", "a number without a gradient", "one with a gradient", cause))
