"""Objects that hold arrays or tensors compare by what they hold, on every Python version."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import taskembed_edu
from taskembed_edu.base.by_value import _equal_objects, same
from taskembed_edu.projection.live_umap import LiveUMAP
from taskembed_edu.tasks import FAMILIES
from tests.runs import generator, small_session

HOLDS_ARRAYS = ("Tensor", "NDArray", "ndarray", "Layout", "Parameters", "TaskBatch")


def classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(taskembed_edu.__path__, "taskembed_edu."):
        if not module.name.endswith("__main__"):
            for thing in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(thing) and thing.__module__ == module.name:
                    yield thing


def field_types(of: type) -> list[str]:
    if dataclasses.is_dataclass(of):
        return [str(field.type) for field in dataclasses.fields(of) if field.compare]
    named = issubclass(of, tuple) and hasattr(of, "_fields")
    return (
        [getattr(kind, "__forward_arg__", str(kind)) for kind in inspect.get_annotations(of).values()] if named else []
    )


def test_every_class_with_arrays_in_it_compares_by_value() -> None:
    with_arrays = {
        of
        for of in classes()
        if any(word in kind and "Callable" not in kind for kind in field_types(of) for word in HOLDS_ARRAYS)
    }
    assert len(with_arrays) > 20
    plain = {of.__name__ for of in with_arrays if vars(of).get("__eq__") is not _equal_objects}
    assert plain <= {"_Corpus"}, "decorate them with @compared_by_value"


def test_live_maps_are_compared_by_their_layouts() -> None:
    layout = np.arange(8, dtype=np.float32).reshape(4, 2)
    assert LiveUMAP(layout=layout) == LiveUMAP(layout=layout.copy())
    assert LiveUMAP(layout=layout) != LiveUMAP(layout=layout + 1)
    assert LiveUMAP(layout=layout) != LiveUMAP()
    assert LiveUMAP(seed=1) != LiveUMAP()


@pytest.mark.parametrize("name", FAMILIES)
def test_tasks_are_compared_by_their_samples(name: str) -> None:
    one, again, other = (FAMILIES[name]().sample(3, n_shot=2, rng=generator(seed)) for seed in (0, 0, 1))
    assert one == again
    assert one != other
    assert one[0] == again[0] != one[1]
    assert one[0].episode == again[0].episode
    assert one[0].episode != one[1].episode
    assert one != one[:2]
    assert one != object()


def test_frames_are_compared_by_what_they_show() -> None:
    one, other = small_session(), small_session()
    assert one.step(4) == other.step(4)
    assert one.frame != one.step(4)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (torch.tensor([1.0, float("nan")]), torch.tensor([1.0, float("nan")]), True),
        (torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64), False),
        (torch.tensor([1.0]), torch.tensor([1.0, 1.0]), False),
        (torch.tensor([1.0]), None, False),
        (float("nan"), float("nan"), True),
        (np.float64("nan"), float("nan"), True),
        (float("nan"), 0.0, False),
        ({"score": float("nan")}, {"score": float("nan")}, True),
        (np.array([np.zeros(2), "a"], dtype=object), np.array([np.zeros(2), "a"], dtype=object), True),
        (np.array(["a"]), np.array(["a"]), True),
        (np.array([1.0]), [1.0], False),
        ({"a": np.zeros(2)}, {"a": np.zeros(2)}, True),
        ({"a": np.zeros(2)}, {"b": np.zeros(2)}, False),
        ([np.zeros(2)], (np.zeros(2),), False),
        ((np.zeros(2), 1), (np.zeros(2), 1), True),
    ],
)
def test_what_is_the_same(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal
