"""The summary embedder: a task as a few simple statistics, without any training.

It is the baseline for every trained embedding. It shows whether a method has found the tasks' geometry, or only what
the mean and the spread of a support set say already.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.base.by_value import compared_by_value
from taskembed_edu.base.checks import problem
from taskembed_edu.base.copies import copy_generator
from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.embedders.base import Embedder, StepRecord, metric_setting, shots_setting
from taskembed_edu.tasks.base import TaskBatch, TaskFamily
from taskembed_edu.tasks.kinds import KindRegistry, check_speller, check_written


@dataclass(frozen=True)
class SummarySettings(Settings):
    """What there is to choose: nothing of it is learnt."""

    metric: str = metric_setting()
    standardise: str = setting(
        "yes",
        label="Standardise",
        help="Whether each statistic is brought to mean 0 and standard deviation 1 over training tasks. If not, the "
        "largest statistic decides every distance.",
        choices={"yes": "Yes", "no": "No"},
        live=False,
    )
    n_shot: int = shots_setting("of which the statistics are taken")


# What a copy takes: a generator, and Python's objects round it.
_OBJECTS = 8 * 1024

# The number of training tasks over which statistics are standardised; all tasks if there are fewer.
N_STANDARDISING = 256


@compared_by_value
@dataclass
class SummaryState:
    """A run of the summary embedder: what its statistics are compared with, and a count of steps that do nothing.

    `scales` are mean and spread of each statistic over `training`, by the setting `n_shot`: the statistics of few
    samples differ more. An entry depends on that number alone, so that copies may share them.
    """

    family: TaskFamily
    tasks: TaskBatch
    rng: torch.Generator
    training: TaskBatch
    scales: dict[int, tuple[Tensor, Tensor]]
    settings: SummarySettings  # those that it began with
    step: int = 0

    def copy(self) -> SummaryState:
        """The same run at the same step, sharing nothing that changes with this one."""
        return dataclasses.replace(self, rng=copy_generator(self.rng))

    def n_bytes(self) -> int:
        """Memory of a copy: a generator and Python's objects; it shares what never changes."""
        return _OBJECTS

    def scale(self, n_shot: int) -> tuple[Tensor, Tensor]:
        """Mean and spread of each statistic over support sets of `n_shot` samples; 0: as many as tasks come with."""
        if n_shot not in self.scales:
            training = self.training
            if n_shot:
                training = self.family.redraw(training, torch.Generator().manual_seed(n_shot), n_shot)
            rows = summary(self.family, training).double()
            mean, spread = rows.mean(0), rows.std(0, correction=0)
            # A constant statistic carries no information: divided by 1, it stays 0. Rounding is not variation.
            spread = torch.where(spread > 1e-6 * (1 + mean.abs()), spread, 1.0)
            self.scales[n_shot] = mean, spread
        return self.scales[n_shot]


class SummaryEmbedder(Embedder[SummaryState, SummarySettings]):
    """Hand-made statistics of each support set (see `summary`), standardised over tasks of the training family."""

    name = "summary"
    about = "statistics of the task's data, without training: what the others have to beat"
    settings_class = SummarySettings
    view_settings: ClassVar[frozenset[str]] = frozenset({"n_shot"})

    def takes(self, family: TaskFamily) -> bool:
        """Kinds of samples that have a summary."""
        return family.kind in SUMMARIES

    def begin(
        self, family: TaskFamily, tasks: TaskBatch, settings: SummarySettings, rng: torch.Generator
    ) -> SummaryState:
        training = family.sample(family.at_most(N_STANDARDISING), rng=rng)
        return SummaryState(family, tasks, rng, training, {}, settings)

    def step(self, state: SummaryState, settings: SummarySettings) -> tuple[SummaryState, StepRecord]:
        """Counts, and learns nothing: a run needs a finite loss, and there is none, so it is 0."""
        state.step += 1
        return state, StepRecord(torch.zeros(()))

    def embed(self, state: SummaryState, tasks: TaskBatch | None = None) -> Tensor:
        return self.view(state, state.settings, tasks)

    def view(self, state: SummaryState, settings: SummarySettings, tasks: TaskBatch | None = None) -> Tensor:
        rows = summary(state.family, state.tasks if tasks is None else tasks).cpu()
        if settings.standardise == "no":
            return rows.float()
        mean, spread = state.scale(settings.n_shot)
        return ((rows - mean) / spread).float()


def summary(family: TaskFamily, tasks: TaskBatch) -> Tensor:
    """Each task's statistics in double precision, (n_tasks, n_statistics), from its support set alone.

    Numbers: of y mean, standard deviation, least and largest; for each coordinate of x its correlation with y, the
    share of sign changes of y in the order of that coordinate, and the four coefficients of the cubic that fits best.
    Classes: the mean and the standard deviation of each entry of x, class by class. Words: how often each letter comes,
    and a word's mean length. Texts: the mean and the standard deviation of each letter's share and of the length, class
    by class. Of a kind of your own: what was registered for it. Padding is left out. Standard
    deviations are those of the set itself (divided by n).

    Worked number: a regression task of one coordinate has 10 statistics, three classes of 8x8 pictures have 384.
    """
    rows = SUMMARIES[family.kind](family, tasks)
    if rows.ndim != 2 or len(rows) != len(tasks):
        raise ValueError(problem("summary", rows, f"({len(tasks)}, n_statistics): a row of numbers for each task"))
    return rows


# A summary's statistics of each task's support set, (n_tasks, n_statistics).
SummaryFunction = Callable[[TaskFamily, TaskBatch], Tensor]


def _by_letters(family: TaskFamily, tasks: TaskBatch) -> Tensor:
    return _of_words(tasks.support_y, _real(tasks), len(check_speller(family).alphabet))


def _by_classes(family: TaskFamily, tasks: TaskBatch) -> Tensor:
    return _of_classes(tasks.support_x.flatten(2).double(), tasks.support_y, _real(tasks), family.n_way)


def _by_text(family: TaskFamily, tasks: TaskBatch) -> Tensor:
    n_letters = len(check_written(family).alphabet)
    return _of_classes(_shares(tasks.support_x, n_letters), tasks.support_y, _real(tasks), family.n_way)


def _by_numbers(family: TaskFamily, tasks: TaskBatch) -> Tensor:
    return _of_numbers(tasks.support_x.flatten(2).double(), tasks.support_y.flatten(2).double(), _real(tasks))


SUMMARIES: KindRegistry[SummaryFunction] = KindRegistry(
    "a summary",
    "summary",
    {"numbers": _by_numbers, "points": _by_classes, "image": _by_classes, "tokens": _by_letters, "text": _by_text},
)


def _real(tasks: TaskBatch) -> Tensor:
    """1 where a sample is real and 0 where it only pads, in double precision."""
    mask = tasks.support_mask
    if mask is None:
        return torch.ones(tasks.support_x.shape[:2], dtype=torch.double, device=tasks.support_x.device)
    return mask.double()


def _of_words(y: Tensor, real: Tensor, n_letters: int) -> Tensor:
    """Shares of the letters (the last of the alphabet ends a word and is not counted), and the mean length."""
    places = torch.arange(n_letters - 1, device=y.device)
    counts = ((y.unsqueeze(-1) == places) & (real > 0)[..., None, None]).sum((1, 2)).double()
    total = counts.sum(1, keepdim=True)
    return torch.cat((counts / total.clamp(min=1), total / real.sum(1, keepdim=True).clamp(min=1)), dim=1)


def _shares(texts: Tensor, n_letters: int) -> Tensor:
    """Each letter's share of a text, and the text's length: (n_tasks, n, n_letters + 1)."""
    counts = torch.stack([(texts == letter).sum(-1) for letter in range(1, n_letters + 1)], dim=-1).double()
    length = counts.sum(-1, keepdim=True)
    return torch.cat((counts / length.clamp(min=1), length), dim=-1)


def _of_classes(x: Tensor, y: Tensor, real: Tensor, n_way: int) -> Tensor:
    """Means and standard deviations of x's entries, (n_tasks, 2 n_way width); zeros for a class without samples."""
    member = (y.unsqueeze(1) == torch.arange(n_way, device=y.device)[:, None]) * real.unsqueeze(1)
    share = member / member.sum(-1, keepdim=True).clamp(min=1)
    means = share @ x
    spreads = torch.stack(
        [(share[:, k, None] @ (x - means[:, k, None]).square()).squeeze(1) for k in range(n_way)], dim=1
    ).sqrt()
    return torch.cat((means, spreads), dim=-1).flatten(1)


def _of_numbers(x: Tensor, y: Tensor, real: Tensor) -> Tensor:
    """Statistics of each output y, and of each coordinate of x with it."""
    columns = []
    for of_output in y.unbind(-1):
        low, high = (of_output.masked_fill(real == 0, end) for end in (torch.inf, -torch.inf))
        mean, spread = _mean_and_spread(of_output, real)
        columns += [mean, spread, low.amin(1), high.amax(1)]
        for of_input in x.unbind(-1):
            columns += [_correlation(of_input, of_output, real), _sign_changes(of_input, of_output, real)]
            columns += _cubic(of_input, of_output, real).unbind(1)
    return torch.stack(columns, dim=1)


def _mean_and_spread(values: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    share = real / real.sum(1, keepdim=True)
    mean = (share * values).sum(1)
    return mean, (share * (values - mean.unsqueeze(1)).square()).sum(1).sqrt()


def _correlation(x: Tensor, y: Tensor, real: Tensor) -> Tensor:
    """Pearson's correlation (Pearson 1895), (n_tasks,); 0 where either never differs."""
    (mean_x, spread_x), (mean_y, spread_y) = _mean_and_spread(x, real), _mean_and_spread(y, real)
    products = real * (x - mean_x.unsqueeze(1)) * (y - mean_y.unsqueeze(1))
    scale = spread_x * spread_y
    return torch.where(scale > 0, products.sum(1) / real.sum(1) / torch.where(scale > 0, scale, 1), 0.0)


def _sign_changes(x: Tensor, y: Tensor, real: Tensor) -> Tensor:
    """The share of neighbours in the order of x whose y lie on two sides of 0. Worked number: of 1, -1, 2 it is 1."""
    order = x.masked_fill(real == 0, torch.inf).argsort(dim=1, stable=True)
    above, there = (y > 0).gather(1, order), real.gather(1, order)
    changes = (above[:, 1:] != above[:, :-1]) & (there[:, 1:] > 0)
    return changes.sum(1) / (real.sum(1) - 1).clamp(min=1)


def _cubic(x: Tensor, y: Tensor, real: Tensor) -> Tensor:
    """c of the best fit c_0 + c_1 x + c_2 x^2 + c_3 x^3, (n_tasks, 4); the shortest c where fewer than four points lie.

    Source: least squares (Legendre 1805), by the pseudoinverse (Penrose 1955).
    """
    powers = torch.stack([x**k for k in range(4)], dim=-1) * real.unsqueeze(-1)
    return (torch.linalg.pinv(powers) @ (y * real).unsqueeze(-1)).squeeze(-1)
