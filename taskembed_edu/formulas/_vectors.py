"""Converts arguments to tensors of vectors and checks them, each alone and against each other.

`euclidean_distance([1, 2, 3], [2, 3, 4])` should work, and `euclidean_distance(support, batch)` should say what is
wrong. Every formula first passes its arguments through this module; the formulas themselves then read like the paper.

Floor 0: tensors in, tensors out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.autograd import forward_ad

from taskembed_edu.base.checks import check_finite, describe, problem
from taskembed_edu.formulas.known_batch import is_known

Vectors = torch.Tensor | np.ndarray | Sequence[Any]
"""A tensor, an array, a list of numbers, or a list of such rows."""


def values_readable() -> bool:
    """Whether the code may read a tensor's values at this point.

    Inside `torch.func` (vmap, grad) and `torch.compile` a tensor stands for many values, or has no values yet. There,
    checks that need values are skipped; checks of shapes still run.
    """
    return not (torch._C._are_functorch_transforms_active() or torch.compiler.is_compiling())


def is_transformed() -> bool:
    """Whether a derivative is taken that hand-written gradients do not know: `torch.func`, or forward mode."""
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


def as_vectors(**given: Vectors) -> tuple[torch.Tensor, ...]:
    """Each argument as a floating tensor of at least one dimension; all with the same dtype, device and width.

    Lists and whole numbers take the dtype of the first floating tensor or array among the arguments, else the default
    dtype. Lists and arrays go to the device of the first tensor. Two floating dtypes are promoted to the wider one, and
    half precision, which autocast gives, is widened to single: the square of a distance of 300 does not fit float16.

    Raises, naming the argument, for anything that is not an array of real numbers, for NaN and infinite entries, for a
    single number where a vector is expected, for tensors on two devices and for vectors of two widths.
    """
    device = next((value.device for value in given.values() if isinstance(value, torch.Tensor)), None)
    came = {name: as_tensor(name, value, device) for name, value in given.items()}
    dtype = _common_dtype(given, came)
    tensors = {name: _as_floating(name, value, dtype) for name, value in came.items()}
    _check_together(tensors)
    if values_readable():
        for name, tensor in tensors.items():
            if not is_known(tensor):
                check_finite(name, tensor)
    return tuple(tensors.values())


def as_matching_vectors(**given: Vectors) -> tuple[torch.Tensor, ...]:
    """`as_vectors` of arguments that are compared row by row: their leading dimensions must broadcast."""
    tensors = as_vectors(**given)
    try:
        torch.broadcast_shapes(*(tensor.shape for tensor in tensors))
    except RuntimeError:
        (first, one), *others = zip(given, tensors, strict=True)
        for name, other in others:
            if other.shape != one.shape:
                expected = f"a shape that goes with {first}: {tuple(one.shape)}"
                cause = "Row is compared with row; pairwise_distances compares every row with every row."
                raise ValueError(problem(name, other, expected, cause)) from None
    return tensors


def as_tensor(name: str, value: Any, device: torch.device | None = None) -> torch.Tensor:
    """A tensor unchanged; a list, number or array as a new tensor on the device. Tensors in a list keep gradients."""
    if isinstance(value, torch.Tensor):
        return _strided(name, value)
    if np.ma.is_masked(value):
        cause = "What is masked would count with the number that lies below it: leave it out, or fill it, x.filled(0)."
        raise ValueError(
            problem(name, f"an array of which {np.ma.count_masked(value)} numbers are masked", "all", cause)
        )
    try:
        if isinstance(value, (list, tuple)) and any(isinstance(row, torch.Tensor) for row in value):
            there = next(row.device for row in value if isinstance(row, torch.Tensor))
            rows = (row if isinstance(row, torch.Tensor) else torch.as_tensor(row, device=there) for row in value)
            return torch.stack(list(rows))
        return torch.tensor(_as_torch_reads(np.asarray(value)), device=device)
    except (TypeError, ValueError, RuntimeError) as error:
        came = repr(value) if isinstance(value, str) else value
        cause = _why_no_numbers(value)
        raise TypeError(problem(name, came, "numbers: a tensor, an array or a list of equal rows", cause)) from error


def _strided(name: str, tensor: torch.Tensor) -> torch.Tensor:
    if tensor.layout is not torch.strided:
        came = f"{describe(tensor)} that is sparse"
        raise ValueError(problem(name, came, "one that holds every number", "Write .to_dense()."))
    return tensor


def _why_no_numbers(value: Any) -> str:
    """The likely cause: rows of several shapes, or words in place of numbers."""
    if not isinstance(value, (list, tuple)) or not value:
        return ""
    shapes = [tuple(row.shape) if hasattr(row, "shape") else (len(row),) for row in value if hasattr(row, "__len__")]
    other = next((shape for shape in shapes if shape != shapes[0]), None)
    first: Any = value
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if isinstance(first, str):
        return f"{first!r} is a word: give each word a number."
    return "" if other is None else f"Its rows differ: one is of shape {shapes[0]}, another of {other}."


def _as_torch_reads(array: np.ndarray) -> np.ndarray:
    """The array forwards in memory, in this machine's byte order, and no wider than double precision."""
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def check_rows(**given: torch.Tensor) -> None:
    """Raise unless each tensor is a batch of vectors, shape (n, dim)."""
    for name, tensor in given.items():
        if tensor.dim() != 2:
            one = "One vector is a batch of one: write x[None]."
            cause = one if tensor.dim() == 1 else f"Bring the leading dimensions together: {name}.flatten(0, -2)."
            raise ValueError(problem(name, tensor, "a batch of vectors, shape (n, dim)", cause))


def as_batch(*, least: int = 1, **given: Vectors) -> tuple[torch.Tensor, ...]:
    """`as_vectors` of batches of vectors, shape (n, dim), each of at least so many rows."""
    tensors = as_vectors(**given)
    check_rows(**dict(zip(given, tensors, strict=True)))
    for name, tensor in zip(given, tensors, strict=True):
        if len(tensor) < least:
            raise ValueError(problem(name, tensor, f"at least {least} row{'s' if least > 1 else ''}, one a task"))
    return tensors


def as_distances(name: str, value: Vectors) -> torch.Tensor:
    """Distances of n tasks to each other as a floating tensor (n, n). They may be infinite; NaN is refused."""
    tensor = as_tensor(name, value)
    if tensor.dim() != 2 or tensor.shape[0] != tensor.shape[1] or not len(tensor):
        cause = "pairwise_distances(embedding) makes it." if tensor.dim() == 2 else ""
        raise ValueError(problem(name, tensor, "a square matrix, one row and column a task", cause))
    tensor = _as_floating(name, tensor, _common_dtype({name: value}, {name: tensor}))
    if values_readable() and bool(tensor.isnan().any()):
        where = tuple(int(i) for i in tensor.isnan().nonzero()[0])
        raise ValueError(problem(name, f"NaN at {where}", "distances", "Has one of these tasks diverged?"))
    return tensor


def check_directions(**given: torch.Tensor) -> None:
    """Raise, naming the row, if a vector has no direction: it is zero, or its length leaves the range of its dtype."""
    if not values_readable():
        return
    for name, vectors in given.items():
        if is_known(vectors):
            continue
        usable = has_direction(vectors)
        if not bool(usable.all()):
            where = tuple(int(i) for i in (~usable).nonzero()[0])
            raise ValueError(_no_direction(name, vectors[where], where))


def has_direction(vectors: torch.Tensor) -> torch.Tensor:
    """Which vectors (..., dim) have a direction: a mask (...)."""
    norms = torch.linalg.vector_norm(vectors.detach(), dim=-1)
    return (norms > 0) & (norms < torch.inf)


def as_labels(name: str, labels: Vectors, rows: torch.Tensor | None = None, of: str = "") -> torch.Tensor:
    """Class labels as a tensor (n,). With `rows`: on their device, one per row; `of` is the name of that argument."""
    tensor = as_tensor(name, labels)
    if tensor.dim() != 1 or (rows is not None and len(tensor) != len(rows)):
        shape = f"shape ({len(rows)},): one class for each row of {of}" if rows is not None else "shape (n,)"
        cause = "One-hot labels become class numbers by .argmax(1)." if tensor.dim() == 2 else ""
        raise ValueError(problem(name, tensor, shape, cause))
    if tensor.is_floating_point() and values_readable():
        check_finite(name, tensor, "A class is a number that can be compared, and NaN equals nothing.")
    return tensor if rows is None else tensor.to(rows.device)


def as_similarity(name: str, label: Vectors | float, distances: torch.Tensor) -> torch.Tensor:
    """Pair labels (1 similar, 0 different) in the dtype of `distances`, one for each; one number serves all pairs."""
    tensor = as_tensor(name, label, distances.device)
    if tensor.dim() > 0 and tensor.shape != distances.shape:
        column = tensor.shape == (*distances.shape, 1)
        cause = f"A column broadcasts against a row: write {name}.squeeze(-1)." if column else ""
        one = "one label for each pair" if distances.dim() else "one label for the one pair"
        raise ValueError(problem(name, tensor, f"shape {tuple(distances.shape)}: {one}", cause))
    if values_readable():
        neither = (tensor != 0) & (tensor != 1)
        if bool(neither.any()):
            cause = "Classes of a batch go to pairwise_contrastive_loss, which makes the pairs itself."
            bad = f"{tensor[neither].flatten()[0].item():g}"
            raise ValueError(problem(name, bad, "1 for a similar pair and 0 for a different one", cause))
    return tensor.to(distances)


def _common_dtype(given: dict[str, Vectors], came: dict[str, torch.Tensor]) -> torch.dtype:
    """The dtype that all arguments are converted to; the entries of a list do not influence it."""
    dtype: torch.dtype | None = None
    for name, tensor in came.items():
        typed = hasattr(given[name], "dtype") or (tensor.requires_grad and tensor.is_floating_point())
        if typed and tensor.is_floating_point():
            dtype = tensor.dtype if dtype is None else torch.promote_types(dtype, tensor.dtype)
    dtype = torch.get_default_dtype() if dtype is None else dtype
    return torch.float32 if torch.finfo(dtype).bits < 32 else dtype


def _as_floating(name: str, tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    if tensor.is_complex():
        raise TypeError(problem(name, tensor, "real numbers"))
    if tensor.dim() == 0:
        came = f"the number {tensor.item():g}" if values_readable() else tensor
        raise ValueError(problem(name, came, "a vector", "A single number is a vector of one: write [x]."))
    return tensor.to(dtype)


def _check_together(tensors: dict[str, torch.Tensor]) -> None:
    (first, one), *others = tensors.items()
    for name, other in others:
        if other.device != one.device:
            cause = f"Bring them together: {name}.to({first}.device)."
            raise ValueError(problem(name, f"a tensor on {other.device}", f"one on {one.device}, like {first}", cause))
        if other.shape[-1] != one.shape[-1]:
            expected = f"vectors of {one.shape[-1]} entries, like {first} of shape {tuple(one.shape)}"
            raise ValueError(problem(name, other, expected, "Two vectors are compared entry by entry."))


def _no_direction(name: str, vector: torch.Tensor, where: tuple[int, ...]) -> str:
    row = "" if not where else f" at row {where[0] if len(where) == 1 else where}"
    dtype = str(vector.dtype).removeprefix("torch.")
    if not bool((vector != 0).any()):
        cause = "The zero vector has no direction, so its cosine with another vector is undefined."
        return problem(name, f"the zero vector{row}", "vectors of length above 0", cause)
    cause = "Multiply all of them by one number: the cosine does not change."
    return problem(name, f"a vector{row} whose squared length leaves the range of {dtype}", "lengths near 1", cause)
