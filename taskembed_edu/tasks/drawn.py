"""What a family gives, checked where the package takes it: a family of one's own that is wrong is told so in words.

`TaskFamily.sample` and `redraw` check each batch, those of training steps too: drawing a batch takes far longer. A run
that begins calls `check_family` and `check_split`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from taskembed_edu.base.checks import check_choice, check_finite, check_whole, problem
from taskembed_edu.tasks.kinds import KINDS

if TYPE_CHECKING:
    from taskembed_edu.tasks.base import Split, TaskFamily

# What every family declares with its class, and an example of each.
_DECLARED = {"name": "'lines'", "label": "'Straight lines'", "classification": "False", "default_shot": "10"}
_TRUTH_KINDS = ("quantity", "angle", "category")


def check_declared(family: TaskFamily) -> None:
    """Raise a TypeError that names what the family's class does not declare."""
    for name, example in _DECLARED.items():
        if not hasattr(family, name):
            cause = f"Write it in the class: {name} = {example}."
            raise TypeError(problem(name, "none", f"one that {type(family).__name__} declares", cause))


def check_truth(family: TaskFamily, truth: Any, n_tasks: int) -> Tensor:
    """The truth of new tasks, if it is (n_tasks, n_truth) finite numbers on the CPU, a column for each name."""
    what = _what(family, "draw_truth")
    names = family.truth_names
    expected = f"a tensor of shape ({n_tasks}, {'n_truth' if not names else f'{len(names)} or more'}): a row a task"
    if not isinstance(truth, Tensor):
        raise TypeError(problem(what, _shown(truth), expected, _no_tensor(truth)))
    if truth.ndim != 2 or len(truth) != n_tasks:
        cause = "Columns side by side are made by torch.stack((slope, height), dim=1)."
        raise ValueError(problem(what, truth, expected, cause))
    if truth.shape[1] < len(names):
        cause = f"truth_names says {', '.join(names)}: the first columns."
        raise ValueError(problem(what, truth, expected, cause))
    _check_on_cpu(what, truth)
    if truth.is_complex():
        raise TypeError(problem(what, truth, "real numbers", "Two columns, truth.real and truth.imag, say the same."))
    if truth.is_floating_point():
        check_finite(what, truth, "It is what makes a task: every number of it has to be known.")
    return truth


def check_samples(family: TaskFamily, drawn: Any, n_tasks: int, n_shot: int) -> tuple[Tensor, Tensor]:
    """x and y of n_tasks tasks, if each has n_shot samples (of each class, class by class) as the family declares."""
    what = _what(family, "draw_samples")
    if not isinstance(drawn, Sequence) or len(drawn) != 2 or isinstance(drawn, Tensor):
        raise TypeError(problem(what, _shown(drawn), "a pair: return x, y"))
    n_samples = n_shot * family.n_way
    x, y = (_tensor_of(what, name, part) for name, part in zip("xy", drawn, strict=True))
    _check_x(family, what, x, (n_tasks, n_samples, *_x_shape(family)))
    _check_y(family, what, y, (n_tasks, n_samples))
    for name, part in (("x", x), ("y", y)):
        _check_on_cpu(f"{what}, {name}", part)
        if part.is_floating_point():
            check_finite(f"{what}, {name}", part, "A division by zero, or a root or logarithm below zero, is usual.")
    if family.classification and y.ndim == 2:
        _check_classes(family, what, y, n_shot)
    return x, y


def check_names(family: TaskFamily, names: tuple[Any, ...]) -> tuple[str, ...]:
    """The tasks' names, if each is a text."""
    for name in names:
        if not isinstance(name, str):
            raise TypeError(problem(_what(family, "task_name"), _shown(name), "a text", "Does it return one?"))
    return names


def check_coordinates(family: TaskFamily, coordinates: Any, n_tasks: int) -> Tensor:
    """The coordinates of the true geometry, if they are (n_tasks, any) finite numbers."""
    what, expected = _what(family, "coordinates"), f"a tensor of shape ({n_tasks}, any): a row a task"
    if not isinstance(coordinates, Tensor):
        raise TypeError(problem(what, _shown(coordinates), expected, _no_tensor(coordinates)))
    if coordinates.ndim != 2 or len(coordinates) != n_tasks:
        cause = "One number a task? Write truth[:, :1]." if coordinates.ndim == 1 else ""
        raise ValueError(problem(what, coordinates, expected, cause))
    return check_finite(what, coordinates, "The distance to such a task is not known.")


def check_family(family: TaskFamily) -> None:
    """Raise, naming the method, if a family is none that can be drawn from; it draws two small batches of one seed.

    The second batch has to be the first once more; kinds and group have to go with the names of the truth.
    """
    _check_truth_is_described(family)
    n_tasks, n_shot = family.at_most(2), check_whole(_what(family, "default_shot"), family.default_shot, 1, None)
    truths = [check_truth(family, family.draw_truth(n_tasks, _seeded()), n_tasks) for _ in range(2)]
    _check_same(family, "draw_truth", truths[:1], truths[1:])
    before = truths[0].clone()
    samples = [
        check_samples(family, family.draw_samples(truths[0], n_shot, _seeded()), n_tasks, n_shot) for _ in range(2)
    ]
    if not torch.equal(truths[0], before):
        cause = "Work on a copy: truth.clone(), or truth * 2 in place of truth *= 2."
        raise ValueError(problem(_what(family, "draw_samples"), "a truth that it changed", "one left as it is", cause))
    _check_same(family, "draw_samples", *samples)


def _check_truth_is_described(family: TaskFamily) -> None:
    names, kinds = tuple(family.truth_names), tuple(family.truth_kinds)
    if len(kinds) != len(names):
        cause = f"One of {', '.join(_TRUTH_KINDS)} for each name: it decides the colours."
        raise ValueError(problem(_what(family, "truth_kinds"), f"{kinds}", f"{len(names)}, as truth_names has", cause))
    for kind in kinds:
        check_choice(_what(family, "truth_kinds"), kind, _TRUTH_KINDS)
    if family.group is not None:
        check_choice(_what(family, "group"), family.group, names)


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _check_same(family: TaskFamily, method: str, first: Sequence[Tensor], second: Sequence[Tensor]) -> None:
    if not all(map(torch.equal, first, second)):
        cause = "Hand rng on to each draw, torch.rand(n, generator=rng): then a seed gives the same run again."
        came = "two draws of one seed that differ"
        raise ValueError(problem(_what(family, method), came, "the same numbers", cause))


def check_split(family: TaskFamily, split: Any) -> Split:
    """The three parts of a family, if they are families that draw from different parts."""
    what = _what(family, "split")
    is_split = getattr(split, "_fields", ()) == ("train", "validation", "unseen")
    if not is_split or not all(hasattr(part, "draw_truth") for part in split):
        cause = "Split(train, validation, unseen) of taskembed_edu holds them; with_part makes each."
        raise TypeError(problem(what, _shown(split), "a Split of three families", cause))
    drawn = {name: set(part.part) for name, part in zip(split._fields, split, strict=True)}
    for one, other in (("train", "validation"), ("train", "unseen"), ("validation", "unseen")):
        both = drawn[one] & drawn[other]
        if both:
            came = f"{len(both)} in both {one} and {other}, {min(both)!r} among them"
            raise ValueError(
                problem(what, came, "parts that share nothing", "A score of tasks that were trained on says little.")
            )
    return split


# ---- the parts of these checks -------------------------------------------------------------------------------------


def _what(family: TaskFamily, method: str) -> str:
    """How an error names a method of this family."""
    return f"{method} of {type(family).__name__}"


def _shown(value: Any) -> Any:
    """What an error says of a value that is no tensor: its size rather than its numbers."""
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if hasattr(value, "shape") and not isinstance(value, Tensor):
        return f"a {type(value).__name__} of shape {tuple(value.shape)}"
    return repr(value) if isinstance(value, str) else value


def _no_tensor(value: Any) -> str:
    if value is None:
        return "Does the method end with return?"
    return "torch.from_numpy(array).float() makes one." if hasattr(value, "shape") else "torch.tensor(...) makes one."


def _tensor_of(what: str, name: str, part: Any) -> Tensor:
    if not isinstance(part, Tensor):
        raise TypeError(problem(f"{what}, {name}", _shown(part), "a tensor", _no_tensor(part)))
    return part


def _check_on_cpu(what: str, tensor: Tensor) -> None:
    if tensor.device.type != "cpu":
        cause = "Tasks are drawn on the CPU; training takes them to its device itself."
        raise ValueError(problem(what, f"a tensor on {tensor.device}", "one on the CPU", cause))


def _x_shape(family: TaskFamily) -> tuple[int, ...]:
    shape = family.x_shape
    if not isinstance(shape, tuple) or not all(isinstance(size, int) and size > 0 for size in shape):
        cause = "One number is (1,), a point of the plane (2,), a grey picture of 8 x 8 (1, 8, 8)."
        raise TypeError(problem(_what(family, "x_shape"), repr(shape), "a tuple of whole numbers", cause))
    return shape


def _check_x(family: TaskFamily, what: str, x: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(x.shape) != expected:
        raise ValueError(
            problem(f"{what}, x", x, f"shape {expected}: tasks, samples, x_shape", _why(family, x, expected))
        )
    if family.kind == "text" and (x.dtype != torch.int64 or int(x.min()) < 0):
        cause = "A letter is 1 + its index in the alphabet, and 0 stands for nothing: x.long()."
        raise TypeError(problem(f"{what}, x", x, "dtype int64, and no number below 0", cause))
    dtype = torch.get_default_dtype()
    if family.kind in KINDS and family.kind not in ("tokens", "text") and x.dtype != dtype:
        cause = "The networks' weights are of this dtype: write x.float()."
        raise TypeError(problem(f"{what}, x", x, f"dtype {_short(dtype)}", cause))


def _why(family: TaskFamily, x: Tensor, expected: tuple[int, ...]) -> str:
    """The likely cause of a wrong shape of x."""
    if tuple(x.shape) == expected[:2] and expected[2:] == (1,):
        return "One number a sample? Write x[..., None]."
    if x.ndim >= 2 and tuple(x.shape[:2]) == (expected[1], expected[0]):
        return "Tasks come first, then their samples: write x.transpose(0, 1)."
    if family.n_way > 1 and x.ndim >= 2 and x.shape[1] * family.n_way == expected[1]:
        return f"n_shot is the number of samples of each of the {family.n_way} classes."
    if tuple(x.shape[1:]) == expected[1:]:
        return "One set for each row of truth: draw len(truth) of them."
    return (
        "n_shot says how many samples; a support set and a query set are drawn together."
        if x.ndim == len(expected)
        else ""
    )


def _check_y(family: TaskFamily, what: str, y: Tensor, expected: tuple[int, int]) -> None:
    classes = family.kind in ("points", "image", "text") and family.classification
    numbers = family.kind == "numbers"
    shape = (
        f"{expected}"
        if classes
        else f"({expected[0]}, {expected[1]}, 1)"
        if numbers
        else f"({expected[0]}, {expected[1]}, ...)"
    )
    right_size = y.ndim == 2 if classes else y.ndim == 3 if numbers else y.ndim >= 2
    if tuple(y.shape[:2]) != expected or not right_size:
        cause = "One number a sample? Write y[..., None]." if numbers and tuple(y.shape) == expected else ""
        cause = cause or ("A class a sample, and no last dimension." if classes and y.ndim == 3 else "")
        raise ValueError(problem(f"{what}, y", y, f"shape {shape}: an answer for every sample of x", cause))
    dtype = torch.int64 if classes or family.kind == "tokens" else torch.get_default_dtype()
    if family.kind in KINDS and y.dtype != dtype:
        cause = "Classes are whole numbers: write y.long()." if dtype == torch.int64 else "Write y.float()."
        raise TypeError(problem(f"{what}, y", y, f"dtype {_short(dtype)}", cause))


def _check_classes(family: TaskFamily, what: str, y: Tensor, n_shot: int) -> None:
    n_way = family.n_way
    if y.is_floating_point():
        return
    if int(y.min()) < 0 or int(y.max()) >= n_way:
        came = f"classes {int(y.min())} to {int(y.max())}"
        raise ValueError(problem(f"{what}, y", came, f"classes 0 to {n_way - 1}, as n_way = {n_way} says"))
    by_class = y.unflatten(1, (n_way, n_shot))
    if not bool((by_class == by_class[..., :1]).all()):
        cause = "The first of each class are the support set: torch.arange(n_way).repeat_interleave(n_shot)."
        raise ValueError(
            problem(f"{what}, y", "classes in another order", f"{n_shot} samples of one class after another", cause)
        )


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
