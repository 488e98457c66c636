"""Equality of objects that hold arrays or tensors: equal where everything in them is.

The `==` that a dataclass makes compares tuples of its fields. With a tensor of several entries among them that raises
"truth value of more than one value is ambiguous", or on some Python versions passes for objects that are the same.

Floor 0: it handles tensors and imports nothing else of the package.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch

T = TypeVar("T")


def compared_by_value(cls: type[T]) -> type[T]:
    """A decorator for a dataclass or a named tuple with arrays in it: `a == b` is True or False, and never raises.

        @compared_by_value
        @dataclass(frozen=True)
        class Frame: ...

    Fields that the dataclass leaves out (`compare=False`) are left out here too. Modules and generators equal only
    themselves, as ever. Such an object has no hash.
    """
    cls.__eq__ = _equal_objects  # type: ignore[method-assign]
    cls.__ne__ = _different_objects  # type: ignore[method-assign]
    cls.__hash__ = None  # type: ignore[method-assign, assignment]
    return cls


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, entry by entry where they hold arrays; NaN equals NaN, dtypes and devices count.

    Worked number: tensors [1, NaN] and [1, NaN] are the same; [1, 2] in float32 and in float64 are not.
    """
    if one is other:
        return True
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):
        return _same_tensors(one, other)
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return _same_arrays(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and type(one) is type(other):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or bool(one != one and other != other)


def _equal_objects(self: Any, other: Any) -> bool:
    return type(self) is type(other) and all(map(same, _values(self), _values(other)))


def _different_objects(self: Any, other: Any) -> bool:
    return not _equal_objects(self, other)


def _values(of: Any) -> tuple[Any, ...]:
    if isinstance(of, tuple):
        return tuple(iter(of))
    return tuple(getattr(of, field.name) for field in dataclasses.fields(of) if field.compare)


def _same_tensors(one: Any, other: Any) -> bool:
    if not (isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor)):
        return False
    alike = one.shape == other.shape and one.dtype == other.dtype and one.device == other.device
    return alike and bool(((one == other) | ((one != one) & (other != other))).all())


def _same_arrays(one: Any, other: Any) -> bool:
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)) or one.dtype != other.dtype:
        return False
    if one.dtype == object:
        return one.shape == other.shape and all(map(same, one.flat, other.flat))
    return np.array_equal(one, other, equal_nan=one.dtype.kind in "fcmM")
