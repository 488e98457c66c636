"""Real handwritten digits, rotated: few-shot image tasks that are small enough for a laptop."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.checks import check_range, check_whole, problem
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily, TruthKind
from taskembed_edu.tasks.sketch import TaskSketch

N_DIGITS = 10

# A card beside the map has room for this many pictures of a task.
_SKETCHED = 9

Item = TypeVar("Item")


class DigitsPart(NamedTuple):
    """What one part of a split may use: class sets, and images by digit (positions in the data set)."""

    class_sets: tuple[tuple[int, ...], ...]
    images: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Digits(TaskFamily):
    r"""N-way tasks on the 1,797 handwritten digits that ship with scikit-learn (Alpaydin and Kaynak 1998).

    A task is a set of n_way digits and an angle by which all its pictures are rotated. Labels 0, 1, ... follow the
    order of the digits. Truth: (angle, contains 0, ..., contains 9), the angle in radians. True geometry:

        d^2 = r^2 |exp(i angle_1) - exp(i angle_2)|^2 + 4 * (share of the digits that differ)

    where r is such that the most different angles are at distance 2, like disjoint sets of digits. By default angles
    cover a quarter of a circle, because handwriting that is rotated by half a circle looks much the same. Over a full
    circle (`angle=(0, 2 * math.pi)`) a network learns the slant of the strokes and treats opposite angles as
    neighbours, with good reason.

    Shapes: x (n_tasks, n_way * n_shot, 1, 8, 8) in [0, 1]; y (n_tasks, n_way * n_shot), int64.
    Errors: n_way outside 2..9; more shots than a part has pictures of a digit.

    >>> tasks = Digits().sample(2, n_shot=5, rng=torch.Generator().manual_seed(0))
    >>> tasks.support_x.shape
    torch.Size([2, 15, 1, 8, 8])
    """

    n_way: int = 3
    angle: tuple[float, float] = (0.0, math.pi / 2)
    part: DigitsPart | tuple[()] = ()

    name: ClassVar[str] = "digits"
    label: ClassVar[str] = "Handwritten digits"
    kind: ClassVar[str] = "image"
    classification: ClassVar[bool] = True
    default_shot: ClassVar[int] = 5

    def __post_init__(self) -> None:
        check_whole("n_way", self.n_way, 2, N_DIGITS - 1, "There are ten digits, and a task takes some of them.")
        check_range("angle", self.angle)
        if not self.angle[0] < self.angle[1]:
            raise ValueError(problem("angle", repr(self.angle), "(low, high) in radians, low below high"))

    @property
    def truth_names(self) -> tuple[str, ...]:
        return ("angle", *(f"contains {digit}" for digit in range(N_DIGITS)))

    @property
    def truth_kinds(self) -> tuple[TruthKind, ...]:
        category: TruthKind = "category"
        return ("angle", *(category,) * N_DIGITS)

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (1, 8, 8)

    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        sets = _class_sets(self._allowed().class_sets)
        low, high = self.angle
        angle = low + (high - low) * torch.rand(n_tasks, 1, generator=rng)
        chosen = sets[torch.randint(len(sets), (n_tasks,), generator=rng)]
        return torch.cat((angle, F.one_hot(chosen, N_DIGITS).sum(1).float()), dim=1)

    def draw_samples(self, truth: Tensor, n_shot: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        pool, sizes = _image_pool(self._allowed().images)
        if n_shot > (fewest := int(sizes[sizes > 0].min())):  # a digit without pictures is in no class set
            cause = "Support and query sets together take n_shot + n_query pictures of each digit."
            raise ValueError(problem("n_shot", n_shot, f"at most {fewest} pictures of each digit", cause))
        digits = self._digits(truth)
        lottery = torch.rand(len(truth), self.n_way, pool.shape[1], generator=rng)
        absent = torch.arange(pool.shape[1]) >= sizes[digits].unsqueeze(-1)
        chosen = lottery.masked_fill_(absent, -1.0).topk(n_shot, sorted=False).indices
        pictures = _all_images()[pool[digits].gather(2, chosen)].flatten(1, 2)
        labels = torch.arange(self.n_way).repeat_interleave(n_shot).expand(len(truth), -1)
        return rotate(pictures, truth[:, 0]), labels.contiguous()

    def coordinates(self, truth: Tensor) -> Tensor:
        angle, span = truth[:, :1], self.angle[1] - self.angle[0]
        radius = 1 / math.sin(min(span, math.pi) / 2)
        return torch.cat((radius * angle.cos(), radius * angle.sin(), truth[:, 1:] * math.sqrt(2 / self.n_way)), dim=1)

    def task_name(self, truth: Tensor) -> str:
        digits = ", ".join(str(d) for d in range(N_DIGITS) if truth[1 + d] > 0.5)
        return f"digits {digits} turned by {math.degrees(float(truth[0])):.0f}°"

    def sketch(self, batch: TaskBatch) -> TaskSketch:
        """At most nine of each task's support pictures, as many of each digit, and which digit each one shows."""
        self._check_mine(batch)
        images = self.probe(batch).cpu().squeeze(2)
        digits = self._digits(batch.truth.cpu()).repeat_interleave(images.shape[1] // self.n_way, dim=1)
        return TaskSketch("images", images=images, classes=digits)

    def probe(self, batch: TaskBatch) -> Tensor:
        """The pictures that the sketch shows."""
        shown = max(1, min(_SKETCHED // self.n_way, batch.support_x.shape[1] // self.n_way))
        return batch.support_x.unflatten(1, (self.n_way, -1))[:, :, :shown].flatten(1, 2)

    def split(self, rng: torch.Generator) -> Split:
        """Whole class sets are held out (60, 20 and 20 %), and each digit's pictures are split in the same way.

        So the set of digits of a never-seen task occurs in no training task, and neither do its pictures.
        """
        self._check_whole()
        sets = list(itertools.combinations(range(N_DIGITS), self.n_way))
        sets = [sets[i] for i in torch.randperm(len(sets), generator=rng).tolist()]
        set_parts = _deal(sets)
        image_parts = zip(*(_deal(_shuffled(images, rng)) for images in _whole().images), strict=True)
        return Split(*(self.with_part(DigitsPart(s, i)) for s, i in zip(set_parts, image_parts, strict=True)))

    def split_by_digit(self, rng: torch.Generator, trained: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Split:
        """Few-shot learning's split: the digits of a never-seen task are in no training task (Vinyals 2016).

        Validation has other pictures of the digits that are trained on (20 %). With n_way of them, all its tasks have
        the same digits: then `TaskBatch.relabelled` keeps a network from learning which is which.
        Errors: ValueError where one side has fewer digits than n_way.
        Worked number: Digits(n_way=5) trains on 0 to 4, and 5 to 9 are never seen.
        """
        self._check_whole()
        known, new = sorted(set(trained)), sorted(set(range(N_DIGITS)) - set(trained))
        if len(known) < self.n_way or len(new) < self.n_way or not set(known) <= set(range(N_DIGITS)):
            cause = f"A task has {self.n_way} digits, in training and in the part that is never seen."
            raise ValueError(problem("trained", repr(trained), "digits that leave enough on both sides", cause))
        mixed = [_shuffled(images, rng) for images in _whole().images]
        first = [images[: len(images) * 8 // 10] for images in mixed]
        second = [images[len(images) * 8 // 10 :] for images in mixed]
        return Split(*(self._of(*part) for part in ((known, first), (known, second), (new, mixed))))

    def _of(self, digits: list[int], images: list[list[int]]) -> Digits:
        """The part with these digits and their images alone."""
        kept = tuple(tuple(images[digit]) if digit in digits else () for digit in range(N_DIGITS))
        return self.with_part(DigitsPart(tuple(itertools.combinations(digits, self.n_way)), kept))

    def _digits(self, truth: Tensor) -> Tensor:
        return truth[:, 1:].topk(self.n_way).indices.sort(dim=1).values

    def _allowed(self) -> DigitsPart:
        if isinstance(self.part, DigitsPart):
            return self.part
        return DigitsPart(tuple(itertools.combinations(range(N_DIGITS), self.n_way)), _whole().images)


def rotate(images: Tensor, angle: Tensor) -> Tensor:
    """Images (n_tasks, n, 1, h, w) rotated by each task's angle in radians, bilinear, black outside."""
    cos, sin = angle.to(images).cos(), angle.to(images).sin()
    zero = torch.zeros_like(cos)
    matrix = torch.stack((torch.stack((cos, -sin, zero), 1), torch.stack((sin, cos, zero), 1)), 1)
    # One grid per task, with its pictures as channels: a rotation is one gather for any number of pictures.
    stacked = images.squeeze(2)
    grid = F.affine_grid(matrix, list(stacked.shape), align_corners=False)
    return F.grid_sample(stacked, grid, align_corners=False).unsqueeze(2)


def turned_classes(tasks: TaskBatch, rng: torch.Generator) -> TaskBatch:
    """The same tasks with each class turned or mirrored in a way of its own, its support and its query set alike.

    So five digits give forty classes, as many as a square has symmetries: with few classes a network learns these few
    and nothing else. Source: Santoro, Bartunov, Botvinick, Wierstra and Lillicrap 2016, section 4.1 (quarter turns).
    Errors: ValueError for tasks without classes or of samples that are no square pictures.
    Worked number: one class in eight stays as it is.
    """
    if tasks.support_y.is_floating_point() or tasks.support_x.ndim != 5 or len(set(tasks.support_x.shape[-2:])) > 1:
        expected = "classes of square pictures, (n_tasks, n, channels, side, side)"
        raise ValueError(problem("tasks", tasks.support_x, expected, "A class is turned by quarter turns."))
    which = torch.randint(8, (len(tasks), tasks.n_way), generator=rng).to(tasks.support_y.device)

    def turned(x: Tensor, y: Tensor) -> Tensor:
        of_sample = which.gather(1, y)
        both = (x, x.flip(-1))
        ways = torch.stack([torch.rot90(each, k, (-2, -1)) for each in both for k in range(4)])
        return ways.gather(0, of_sample[None, :, :, None, None, None].expand(1, *x.shape)).squeeze(0)

    support_x, query_x = turned(tasks.support_x, tasks.support_y), turned(tasks.query_x, tasks.query_y)
    return dataclasses.replace(tasks, support_x=support_x, query_x=query_x)


@functools.cache
def _data() -> tuple[Tensor, Tensor]:
    from sklearn.datasets import load_digits  # heavy, and only this family needs it

    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1) / 16
    return images, torch.tensor(bunch.target)


def _all_images() -> Tensor:
    return _data()[0].to(torch.get_default_dtype())  # that of the networks which read them


@functools.cache
def _whole() -> DigitsPart:
    target = _data()[1]
    return DigitsPart((), tuple(tuple((target == d).nonzero()[:, 0].tolist()) for d in range(N_DIGITS)))


@functools.lru_cache(maxsize=16)
def _image_pool(images: tuple[tuple[int, ...], ...]) -> tuple[Tensor, Tensor]:
    sizes = torch.tensor([len(of_digit) for of_digit in images])
    pool = torch.zeros(N_DIGITS, int(sizes.max()), dtype=torch.long)
    for digit, of_digit in enumerate(images):
        pool[digit, : len(of_digit)] = torch.tensor(of_digit)
    return pool, sizes


@functools.lru_cache(maxsize=16)
def _class_sets(class_sets: tuple[tuple[int, ...], ...]) -> Tensor:
    return torch.tensor(class_sets)


def _shuffled(items: tuple[int, ...], rng: torch.Generator) -> list[int]:
    return [items[i] for i in torch.randperm(len(items), generator=rng).tolist()]


def _deal(items: list[Item]) -> tuple[tuple[Item, ...], tuple[Item, ...], tuple[Item, ...]]:
    first, second = len(items) * 6 // 10, len(items) * 8 // 10
    return tuple(items[:first]), tuple(items[first:second]), tuple(items[second:])
