"""Which language is this name in? Few-shot classification of short texts, in 200 languages of 24 families."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.checks import check_choice, check_whole, problem
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily, TruthKind
from taskembed_edu.tasks.classes import draw_classes, first_of_each_class, labels_in_order
from taskembed_edu.tasks.cldr_names import ALPHABET, LENGTH, N_NAMES, letters, names, read
from taskembed_edu.tasks.language_families import CODES, GROUPS, LANGUAGES
from taskembed_edu.tasks.sketch import TaskSketch
from taskembed_edu.tasks.slices import deal

# A card beside the map has room for this many names of a task.
_SKETCHED = 10


@dataclass(frozen=True)
class LanguageNames(TaskFamily):
    r"""N-way tasks: which of n languages is this name in? x is the name, letter by letter, y the language.

    Each language has 150 names, most of them of territories; those that are as in English are left out. `related` says
    which languages meet in a task: "any" of them, "family" those of one family, "branch" those of one branch (Romance),
    which is harder. Labels 0, 1, ... follow the order of the table, where relatives stand together.

    Truth: (group, language_1, ..., language_n), as indices. The group is the family, or with related="branch" the
    branch, of most of the task's languages; among equals the first by the alphabet. True geometry:

        d^2 = share of the languages that differ + share of the branches + share of the families

    where each language brings its branch and its family: {Spanish, Dutch} and {Portuguese, Greek} share no language,
    one of two branches and both families, so that d^2 = 1 + 1/2 + 0.

    `part` lists the codes of the languages to sample from; empty: all. Which languages there are depends on Babel.

    Shapes: x (n_tasks, n_way * n_shot, 32), 1 + an index into `alphabet` for each letter, then 0; y (n_tasks,
    n_way * n_shot). Both int64. Errors: ValueError for an unknown code; for more ways than languages (of one family or
    branch); for more than 150 samples of a language.

    >>> tasks = LanguageNames(n_way=2, part=("fi", "es")).sample(1, n_shot=1, rng=torch.Generator().manual_seed(0))
    >>> tasks.names, tasks.support_x.shape
    (('Spanish, Finnish',), torch.Size([1, 2, 32]))
    """

    n_way: int = 5
    related: str = "any"
    part: tuple[str, ...] = ()

    name: ClassVar[str] = "language_names"
    label: ClassVar[str] = "Languages: names of places"
    menu_label: ClassVar[str] = "Names of places"
    kind: ClassVar[str] = "text"
    classification: ClassVar[bool] = True
    default_shot: ClassVar[int] = 5
    alphabet: ClassVar[tuple[str, ...]] = ALPHABET

    def __post_init__(self) -> None:
        check_whole("n_way", self.n_way, 2, None, "A task has to tell languages apart.")
        check_choice("related", self.related, ("any", *GROUPS))
        if not isinstance(self.part, tuple):
            raise TypeError(problem("part", repr(self.part), "codes in a tuple", "One is a tuple of one: ('fi',)."))
        for code in self.part:
            check_choice("part", code, CODES)
        largest = max(map(len, _members(self.part or CODES, self.related).values()))
        if self.n_way > largest:
            cause = "None comes twice." if self.related == "any" else f"All of them are of one {self.related}."
            raise ValueError(problem("n_way", self.n_way, f"at most {largest} languages", cause))

    @property
    def codes(self) -> tuple[str, ...]:
        """The languages to sample from: those of `part` that have names, in the table's order."""
        return tuple(code for code in names() if not self.part or code in self.part)

    @property
    def level(self) -> str:
        """The column of the truth that groups tasks: "family" or "branch"."""
        return "family" if self.related == "any" else self.related

    @property
    def truth_names(self) -> tuple[str, ...]:
        return (self.level,)

    @property
    def truth_kinds(self) -> tuple[TruthKind, ...]:
        return ("category",)

    @property
    def group(self) -> str:
        return self.level

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (LENGTH,)

    def category_names(self, column: str) -> tuple[str, ...]:
        return GROUPS[column] if column == self.level else ()

    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        groups = [members for members in _members(self.codes, self.related).values() if len(members) >= self.n_way]
        if not groups:
            expected = f"{self.n_way} languages that CLDR has names of"
            raise ValueError(problem("part", f"{self.codes}", expected, "A later Babel may have more."))
        which = torch.randint(len(groups), (n_tasks,), generator=rng)
        languages = draw_classes(tuple(groups), which, self.n_way, rng)
        groups_of = F.one_hot(_tree()[self.level][languages], len(GROUPS[self.level])).sum(1)
        return torch.cat((groups_of.argmax(1, keepdim=True), languages), dim=1).float()

    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        if n_shot > N_NAMES:
            cause = "Support and query sets together take n_shot + n_query names of each language, and share none."
            raise ValueError(problem("n_shot", n_shot, f"at most {N_NAMES} names of each language", cause))
        chosen = torch.rand(len(truth), self.n_way, N_NAMES, generator=rng).topk(n_shot, sorted=False).indices
        x = letters()[self.languages(truth).unsqueeze(-1), chosen].long()
        return x.flatten(1, 2), labels_in_order(len(truth), self.n_way, n_shot)

    def all_names(self) -> tuple[Tensor, Tensor]:
        """Every name of the languages to sample from, (n, 32), and which of `codes` each is in, (n,)."""
        rows = torch.tensor([CODES.index(code) for code in self.codes])
        return letters()[rows].flatten(0, 1).long(), torch.arange(len(rows)).repeat_interleave(N_NAMES)

    def languages(self, truth: Tensor) -> Tensor:
        """The languages of tasks with this truth, (n_tasks, n_way): indices into the table."""
        return truth[:, 1:].long()

    def coordinates(self, truth: Tensor) -> Tensor:
        languages = self.languages(truth).cpu()
        levels = (languages, *(of_level[languages] for of_level in _tree().values()))
        bags = torch.cat([_bag(level) for level in levels], dim=1).to(truth)
        return bags * math.sqrt(1 / (2 * self.n_way))

    def task_name(self, truth: Tensor) -> str:
        return ", ".join(LANGUAGES[language].name for language in truth[1:].long().tolist())

    def sketch(self, batch: TaskBatch) -> TaskSketch:
        """At most ten of each task's names, as many of each language: the language, the name, its plain letters."""
        self._check_mine(batch)
        shown = self.probe(batch).cpu()
        n_each = shown.shape[1] // self.n_way
        languages = self.languages(batch.truth).cpu().repeat_interleave(n_each, dim=1).tolist()
        rows = tuple(
            tuple(_row(language, read(name)) for language, name in zip(of_task, task_names, strict=True))
            for of_task, task_names in zip(languages, shown, strict=True)
        )
        return TaskSketch("names", words=rows)

    def _check_mine(self, batch: TaskBatch) -> None:
        super()._check_mine(batch)
        self._check_ways(batch.truth.shape[1] - 1)

    def probe(self, batch: TaskBatch) -> Tensor:
        """The names that the sketch shows."""
        return first_of_each_class(batch.support_x, self.n_way, _SKETCHED)

    def split(self, rng: torch.Generator) -> Split:
        """Random languages are held out (60, 20 and 20 %): most of them have relatives in training."""
        self._check_split(rng)
        codes = [self.codes[i] for i in torch.randperm(len(self.codes), generator=rng).tolist()]
        return Split(*map(self.with_part, deal(codes)))

    def split_by_family(self, rng: torch.Generator) -> Split:
        """Whole families are held out, so that no relative of a never-seen language is in training.

        About 60, 20 and 20 % of the languages: in a random order, each family goes where most are missing.
        """
        self._check_split(rng)
        families = list(_members(self.codes, "family").values())
        parts: tuple[list[str], ...] = ([], [], [])
        for i in torch.randperm(len(families), generator=rng).tolist():
            missing = [share - len(part) / len(self.codes) for share, part in zip((0.6, 0.2, 0.2), parts, strict=True)]
            parts[missing.index(max(missing))].extend(LANGUAGES[language].code for language in families[i])
        return Split(*map(self.with_part, map(tuple, parts)))


def _row(language: int, latin: str) -> tuple[str, str, str]:
    """A row of a card."""
    original = next(name.original for name in names()[CODES[language]] if name.latin == latin)
    return LANGUAGES[language].name, original, latin


@functools.cache
def _tree() -> Mapping[str, Tensor]:
    """Each language's branch and family, as indices into GROUPS: (n_languages,) each."""
    return {
        level: torch.tensor([known.index(getattr(language, level)) for language in LANGUAGES])
        for level, known in GROUPS.items()
    }


@functools.lru_cache(maxsize=32)
def _members(codes: tuple[str, ...], level: str) -> Mapping[str, tuple[int, ...]]:
    """The indices of these languages by the name of their family or branch; level "any": all in one group."""
    members: dict[str, tuple[int, ...]] = {}
    for index, language in enumerate(LANGUAGES):
        if language.code in codes:
            group = getattr(language, level, level)
            members[group] = (*members.get(group, ()), index)
    return members


def _bag(groups: Tensor) -> Tensor:
    """What each task has of each group, so that squared distances count what differs: (n_tasks, n_way) -> (n_tasks, n).

    A group that comes three times is 1, 1, 1, 0, ... Worked number: the bags a, a, b and a, b, c differ by one a and
    one c, so their squared distance is 2.
    """
    _, places = groups.unique(return_inverse=True)
    counts = F.one_hot(places).sum(1)
    return (counts.unsqueeze(-1) > torch.arange(groups.shape[1])).flatten(1).double()
