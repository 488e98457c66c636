"""Characters of many alphabets: what `Alphabets` (drawn from fonts) and `Omniglot` (drawn by people) share.

A task is a handful of letters of one alphabet; its support set are drawings of each. Whole alphabets are held out, so
that a never-seen task has letters, and a writing system, that no training task has.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_choice, check_rng, check_whole, problem
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily, TruthKind
from taskembed_edu.tasks.classes import draw_classes, first_of_each_class, labels_in_order
from taskembed_edu.tasks.pen import SIDE
from taskembed_edu.tasks.sketch import TaskSketch

# A card beside the map has room for this many pictures of a task.
_SKETCHED = 10


@dataclass(frozen=True)
class Characters(TaskFamily):
    r"""N-way tasks on the letters of one alphabet. A subclass says which letters there are, and draws them.

    Truth: (alphabet, letter_1, ..., letter_n), as indices; the labels 0, 1, ... follow the order of the letters. True
    geometry:

        d^2 = [the alphabets differ] + (share of the letters that differ)

    so that two tasks of one alphabet are less than 1 apart or 1, and of two alphabets sqrt(2).

    `part` names the alphabets to sample from; empty: all of them.

    Shapes: x (n_tasks, n_way * n_shot, 1, 28, 28) in [0, 1], ink is 1; y (n_tasks, n_way * n_shot), int64.
    Errors: ValueError for an unknown alphabet, and for more ways than an alphabet of the part has letters.
    """

    n_way: int = 5
    part: tuple[str, ...] = ()

    kind: ClassVar[str] = "image"
    classification: ClassVar[bool] = True
    default_shot: ClassVar[int] = 2
    alphabet_column: ClassVar[str] = "alphabet"
    # So many letters every alphabet has: a family of no more ways is made without looking, since letters are built or
    # fetched when they are first looked at, and a menu makes every family.
    surely: ClassVar[int] = 5

    def __post_init__(self) -> None:
        check_whole("n_way", self.n_way, 2, None, "A task has to tell letters apart.")
        if not isinstance(self.part, (tuple, list)):
            cause = f"One is a tuple of one: ({self.alphabets()[0]!r},)."
            raise TypeError(problem("part", repr(self.part), f"names of a {self.alphabet_column} in a tuple", cause))
        object.__setattr__(self, "part", tuple(self.part))  # a list has no hash
        for name in self.part:
            check_choice("part", name, self.alphabets())
        if self.n_way > self.surely:
            self._check_enough()

    # ---- what a subclass says ----------------------------------------------------------------------------------------

    @abstractmethod
    def alphabets(self) -> tuple[str, ...]:
        """The names of all alphabets, in a fixed order."""

    @abstractmethod
    def letters_of(self, alphabet: str) -> tuple[int, ...]:
        """The letters of an alphabet: indices into all letters of the family, ascending."""

    @abstractmethod
    def letter_name(self, letter: int) -> str:
        """What a person calls this letter: the letter itself, or its number."""

    @abstractmethod
    def draw_letters(self, letters: Tensor, n: int, rng: torch.Generator) -> Tensor:
        """n drawings of each letter, none of them twice: (...,) -> (..., n, 1, 28, 28) in [0, 1]."""

    @abstractmethod
    def held_out(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """The alphabets to train on, to validate on, and never to be seen."""

    # ---- what follows ------------------------------------------------------------------------------------------------

    def in_part(self) -> tuple[str, ...]:
        """The alphabets that tasks are sampled from."""
        return self.part or self.alphabets()

    @property
    def truth_names(self) -> tuple[str, ...]:
        return (self.alphabet_column,)

    @property
    def truth_kinds(self) -> tuple[TruthKind, ...]:
        return ("category",)

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (1, SIDE, SIDE)

    @property
    def group(self) -> str:
        return self.alphabet_column

    def category_names(self, column: str) -> tuple[str, ...]:
        return self.alphabets() if column == self.alphabet_column else ()

    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        self._check_enough()
        names = self.in_part()
        which = torch.randint(len(names), (n_tasks,), generator=rng)
        return self._truth_of(tuple(self.letters_of(name) for name in names), which, rng)

    def _truth_of(self, pools: tuple[tuple[int, ...], ...], which: Tensor, rng: torch.Generator) -> Tensor:
        """Tasks with letters of these pools, one for each alphabet of the part; `which` says of which (n_tasks,)."""
        chosen = draw_classes(pools, which, self.n_way, rng)
        order = self.alphabets()
        index = torch.tensor([order.index(name) for name in self.in_part()])[which]
        return torch.cat((index.unsqueeze(1), chosen), dim=1).float()

    def sample_halves(
        self, n_tasks: int, n_shot: int | None = None, *, rng: torch.Generator
    ) -> tuple[TaskBatch, TaskBatch]:
        """n_tasks tasks of each alphabet of the part, and as many again of it that share no letter with the first.

        Each alphabet's letters are dealt into two halves. Errors: ValueError for more ways than half an alphabet has
        letters. Worked number: of five scripts, n_tasks = 20 makes 100 tasks and 100 others.
        """
        n_shot = self.default_shot if n_shot is None else n_shot
        for argument, value in (("n_tasks", n_tasks), ("n_shot", n_shot)):
            check_whole(argument, value, 1, None)
        check_rng(rng)
        dealt = [_halves(self.letters_of(name), rng) for name in self.in_part()]
        if (fewest := min(len(half) for halves in dealt for half in halves)) < self.n_way:
            cause = f"Two tasks that share no letter need twice as many. Choose the {self.alphabet_column}s by `part`."
            raise ValueError(problem("n_way", self.n_way, f"at most {fewest} letters", cause))
        which = torch.arange(len(dealt)).repeat_interleave(n_tasks)
        first, second = (
            self._with_truth(self._truth_of(tuple(pools), which, rng), len(which), n_shot, n_shot, rng)
            for pools in zip(*dealt, strict=True)
        )
        return first, second

    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        pictures = self.draw_letters(self.letters(truth), n_shot, rng)
        return pictures.flatten(1, 2), labels_in_order(len(truth), self.n_way, n_shot)

    def _check_mine(self, batch: TaskBatch) -> None:
        super()._check_mine(batch)
        self._check_ways(batch.truth.shape[1] - 1)

    def _check_enough(self) -> None:
        """Raise where an alphabet has fewer letters than a task."""
        fewest = min(self.in_part(), key=lambda name: len(self.letters_of(name)))
        if self.n_way > (there := len(self.letters_of(fewest))):
            cause = f"All letters of a task are of one {self.alphabet_column}, and {fewest} has {there}."
            raise ValueError(problem("n_way", self.n_way, f"at most {there} classes", cause))

    def letters(self, truth: Tensor) -> Tensor:
        """The letters of tasks with this truth, (n_tasks, n_way)."""
        return truth[:, 1:].long()

    def coordinates(self, truth: Tensor) -> Tensor:
        alphabet = torch.nn.functional.one_hot(truth[:, 0].long(), len(self.alphabets())).to(truth.dtype)
        letters, places = self.letters(truth).unique(return_inverse=True)
        there = torch.zeros(len(truth), len(letters), dtype=truth.dtype, device=truth.device).scatter_(1, places, 1.0)
        return torch.cat((alphabet * math.sqrt(1 / 2), there * math.sqrt(1 / (2 * self.n_way))), dim=1)

    def task_name(self, truth: Tensor) -> str:
        letters = " ".join(self.letter_name(int(letter)) for letter in truth[1:].tolist())
        return f"{self.alphabets()[int(truth[0])]}: {letters}"

    def sketch(self, batch: TaskBatch) -> TaskSketch:
        """At most ten of each task's support pictures, as many of each letter, and which class each one shows."""
        self._check_mine(batch)
        images = self.probe(batch).cpu().squeeze(2)
        classes = torch.arange(self.n_way).repeat_interleave(images.shape[1] // self.n_way)
        names = tuple(tuple(map(self.letter_name, letters)) for letters in self.letters(batch.truth).tolist())
        return TaskSketch("images", images=images, classes=classes.expand(len(batch), -1), class_names=names)

    def probe(self, batch: TaskBatch) -> Tensor:
        """The pictures that the sketch shows."""
        return first_of_each_class(batch.support_x, self.n_way, _SKETCHED)

    def split(self, rng: torch.Generator) -> Split:
        """Whole alphabets are held out, always the same ones (`held_out`), so that figures can be compared."""
        self._check_split(rng)
        return Split(*map(self.with_part, self.held_out()))


def _halves(letters: tuple[int, ...], rng: torch.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    mixed = [letters[i] for i in torch.randperm(len(letters), generator=rng).tolist()]
    return tuple(sorted(mixed[::2])), tuple(sorted(mixed[1::2]))


def check_letters(letters: Tensor, n_letters: int) -> None:
    """Raise unless these are letters of a family that has so many. Errors: TypeError, ValueError."""
    expected = f"indices of letters, whole numbers from 0 to {n_letters - 1}"
    cause = "letters_of(alphabet) lists those of an alphabet."
    if not isinstance(letters, Tensor) or letters.dtype != torch.long:
        raise TypeError(problem("letters", letters, f"a tensor of {expected}", cause))
    if letters.numel() and not 0 <= int(letters.min()) <= int(letters.max()) < n_letters:
        raise ValueError(problem("letters", f"{int(letters.min())} to {int(letters.max())}", expected, cause))
