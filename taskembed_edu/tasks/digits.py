"""Real handwritten digits, rotated: few-shot image tasks that are small enough for a laptop."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from taskembed_edu.base.checks import check_number, check_range, check_whole, problem
from taskembed_edu.tasks.base import Split, TaskBatch, TaskFamily, TruthKind
from taskembed_edu.tasks.classes import first_of_each_class, labels_in_order
from taskembed_edu.tasks.pictures import rotate
from taskembed_edu.tasks.sketch import TaskSketch
from taskembed_edu.tasks.slices import deal

N_DIGITS, SIDE = 10, 8

# A card beside the map has room for this many pictures of a task.
_SKETCHED = 9


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

    Three more parameters of a task can be asked for; each has columns of its own at the end of the truth:

    - `shift`: all its pictures are moved by up to so many pixels, to the right and down ("shift right", "shift down");
    - `scale`: the range of the factor by which they are larger ("scale");
    - `orders`: the number of orders in which a task may have its pixels ("pixel order"). Order 0 is the natural one,
      each other a permutation that is the same for all pictures (Goodfellow and others 2013, permuted MNIST). A split
      does not hold out orders.

    Each adds a term to d^2 that is 4 where two tasks differ most, as the angle does: the squared distance of the
    shifts, that of the logarithms of the scales, and whether the orders differ.

    Shapes: x (n_tasks, n_way * n_shot, 1, 8, 8) in [0, 1]; y (n_tasks, n_way * n_shot), int64.
    Errors: n_way outside 2..9; more shots than a part has pictures of a digit; a shift beyond half a picture, a scale
    outside 0.25..4. Worked number: of 2 orders, two tasks that differ in nothing else are at distance 2.

    >>> tasks = Digits().sample(2, n_shot=5, rng=torch.Generator().manual_seed(0))
    >>> tasks.support_x.shape
    torch.Size([2, 15, 1, 8, 8])
    """

    n_way: int = 3
    angle: tuple[float, float] = (0.0, math.pi / 2)
    part: DigitsPart | tuple[()] = ()
    shift: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    orders: int = 1

    name: ClassVar[str] = "digits"
    label: ClassVar[str] = "Handwritten digits"
    kind: ClassVar[str] = "image"
    classification: ClassVar[bool] = True
    default_shot: ClassVar[int] = 5

    def __post_init__(self) -> None:
        check_whole("n_way", self.n_way, 2, N_DIGITS - 1, "There are ten digits, and a task takes some of them.")
        if self.part and not isinstance(self.part, DigitsPart):
            raise TypeError(problem("part", repr(self.part), "a part of a split", "Digits().split(rng) makes three."))
        check_range("angle", self.angle)
        if not self.angle[0] < self.angle[1]:
            raise ValueError(problem("angle", repr(self.angle), "(low, high) in radians, low below high"))
        check_number("shift", self.shift, 0, SIDE / 2, "In pixels, of eight: further out nothing would be left.")
        check_range("scale", self.scale)
        for end in self.scale:
            check_number("scale", end, 0.25, 4, "A factor: 2 is twice as large.")
        check_whole("orders", self.orders, 1, 10_000, "1 leaves the pixels where they are.")

    @property
    def truth_names(self) -> tuple[str, ...]:
        return ("angle", *(f"contains {digit}" for digit in range(N_DIGITS)), *self._asked())

    @property
    def truth_kinds(self) -> tuple[TruthKind, ...]:
        category: TruthKind = "category"
        return ("angle", *(category,) * N_DIGITS, *self._asked().values())

    def _asked(self) -> dict[str, TruthKind]:
        """The columns at the end of the truth, and their kinds."""
        found: dict[str, TruthKind] = {"shift right": "quantity", "shift down": "quantity"} if self.shift else {}
        if self.scale[0] < self.scale[1]:
            found["scale"] = "quantity"
        return {**found, "pixel order": "category"} if self.orders > 1 else found

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (1, SIDE, SIDE)

    def draw_truth(self, n_tasks: int, rng: torch.Generator) -> Tensor:
        sets = _class_sets(self._allowed().class_sets)
        low, high = self.angle
        angle = low + (high - low) * torch.rand(n_tasks, 1, generator=rng)
        chosen = sets[torch.randint(len(sets), (n_tasks,), generator=rng)]
        usual = torch.cat((angle, F.one_hot(chosen, N_DIGITS).sum(1).float()), dim=1)
        asked = torch.rand(n_tasks, len(self._asked()), generator=rng) if self._asked() else usual[:, :0]
        for column, of_column in zip(self._asked(), asked.unbind(1), strict=True):
            of_column.copy_(self._within(column, of_column))
        return torch.cat((usual, asked), dim=1)

    def _within(self, column: str, share: Tensor) -> Tensor:
        """Values of a column at these shares of its range, from 0 to below 1."""
        if column == "scale":
            low, high = map(math.log, self.scale)
            return (low + (high - low) * share).exp()
        if column == "pixel order":
            return (share * self.orders).floor().clamp(max=self.orders - 1)
        return self.shift * (2 * share - 1)

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
        return self._drawn_as_asked(pictures, truth), labels_in_order(len(truth), self.n_way, n_shot)

    def _drawn_as_asked(self, pictures: Tensor, truth: Tensor) -> Tensor:
        asked = dict(zip(self._asked(), truth[:, 1 + N_DIGITS :].unbind(1), strict=True))
        shift = torch.stack((asked["shift right"], asked["shift down"]), dim=1) if self.shift else None
        scale = asked.get("scale", self.scale[0] if self.scale[0] != 1 else None)
        drawn = rotate(pictures, truth[:, 0], shift, scale)
        if self.orders == 1:
            return drawn
        order = _pixel_orders(self.orders)[asked["pixel order"].long()]
        places = order[:, None, None].expand(-1, *drawn.shape[1:3], -1)
        return drawn.flatten(3).gather(3, places).view(drawn.shape)

    def coordinates(self, truth: Tensor) -> Tensor:
        angle, span = truth[:, :1], self.angle[1] - self.angle[0]
        radius = 1 / math.sin(min(span, math.pi) / 2)
        digits = truth[:, 1 : 1 + N_DIGITS] * math.sqrt(2 / self.n_way)
        places = [radius * angle.cos(), radius * angle.sin(), digits]
        for column, value in zip(self._asked(), truth[:, 1 + N_DIGITS :].unbind(1), strict=True):
            if column == "pixel order":
                places.append(F.one_hot(value.long(), self.orders).to(truth) * math.sqrt(2))
            elif column == "scale":
                places.append(2 * value.unsqueeze(1).log() / math.log(self.scale[1] / self.scale[0]))
            else:
                places.append(value.unsqueeze(1) / (math.sqrt(2) * self.shift))
        return torch.cat(places, dim=1)

    def task_name(self, truth: Tensor) -> str:
        digits = ", ".join(str(d) for d in range(N_DIGITS) if truth[1 + d] > 0.5)
        return ", ".join([f"digits {digits} turned by {math.degrees(float(truth[0])):.0f}°", *self._asked_of(truth)])

    def _asked_of(self, truth: Tensor) -> list[str]:
        asked = dict(zip(self._asked(), truth[1 + N_DIGITS :].tolist(), strict=True))
        words = [f"moved by {asked['shift right']:+.1f}, {asked['shift down']:+.1f}"] if self.shift else []
        words += [f"{asked['scale']:.2f} times as large"] if "scale" in asked else []
        return words + ([f"pixels in order {asked['pixel order']:.0f}"] if self.orders > 1 else [])

    def sketch(self, batch: TaskBatch) -> TaskSketch:
        """At most nine of each task's support pictures, as many of each digit, and which digit each one shows."""
        self._check_mine(batch)
        images = self.probe(batch).cpu().squeeze(2)
        digits = self._digits(batch.truth.cpu()).repeat_interleave(images.shape[1] // self.n_way, dim=1)
        return TaskSketch("images", images=images, classes=digits)

    def probe(self, batch: TaskBatch) -> Tensor:
        """The pictures that the sketch shows."""
        return first_of_each_class(batch.support_x, self.n_way, _SKETCHED)

    def split(self, rng: torch.Generator) -> Split:
        """Whole class sets are held out (60, 20 and 20 %), and each digit's pictures are split in the same way.

        So the set of digits of a never-seen task occurs in no training task, and neither do its pictures.
        """
        self._check_split(rng)
        sets = list(itertools.combinations(range(N_DIGITS), self.n_way))
        sets = [sets[i] for i in torch.randperm(len(sets), generator=rng).tolist()]
        set_parts = deal(sets)
        image_parts = zip(*(deal(_shuffled(images, rng)) for images in _whole().images), strict=True)
        return Split(*(self.with_part(DigitsPart(s, i)) for s, i in zip(set_parts, image_parts, strict=True)))

    def split_by_digit(self, rng: torch.Generator, trained: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Split:
        """Few-shot learning's split: the digits of a never-seen task are in no training task (Vinyals 2016).

        Validation has other pictures of the digits that are trained on (20 %). With n_way of them, all its tasks have
        the same digits: then `TaskBatch.relabelled` keeps a network from learning which is which.
        Errors: ValueError where one side has fewer digits than n_way.
        Worked number: Digits(n_way=5) trains on 0 to 4, and 5 to 9 are never seen.
        """
        self._check_split(rng)
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
        return truth[:, 1 : 1 + N_DIGITS].topk(self.n_way).indices.sort(dim=1).values

    def _allowed(self) -> DigitsPart:
        if isinstance(self.part, DigitsPart):
            return self.part
        return DigitsPart(tuple(itertools.combinations(range(N_DIGITS), self.n_way)), _whole().images)


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
def _pixel_orders(n: int) -> Tensor:
    """n orders of the pixels, (n, 64): the natural one, then permutations that are always the same."""
    rng = torch.Generator().manual_seed(0)
    mixed = [torch.randperm(SIDE**2, generator=rng) for _ in range(n - 1)]
    return torch.stack([torch.arange(SIDE**2), *mixed])


@functools.lru_cache(maxsize=16)
def _class_sets(class_sets: tuple[tuple[int, ...], ...]) -> Tensor:
    return torch.tensor(class_sets)


def _shuffled(items: tuple[int, ...], rng: torch.Generator) -> list[int]:
    return [items[i] for i in torch.randperm(len(items), generator=rng).tolist()]
