"""A batch whose values its trainer knows: no formula has to read them, which on a GPU would wait for the device.

    with known_batch(embeddings, labels):
        loss = LOSSES["triplet"](embeddings, labels, settings)

The embeddings (2 n, dim) are finite, and have a direction where the metric needs one. The labels are 0, ..., n - 1 and
again 0, ..., n - 1: two sets of each task, as `Loss` says. Only these two tensors are known, not what is made of them,
so a loss of one's own that takes a part of the batch is checked as ever.

Floor 0: tensors in, tensors out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_KNOWN: ContextVar[tuple[Tensor, ...]] = ContextVar("known_batch", default=())


@contextmanager
def known_batch(embeddings: Tensor, labels: Tensor) -> Iterator[None]:
    """Inside, the values of these embeddings and labels are not read."""
    token = _KNOWN.set((embeddings, labels))
    try:
        yield
    finally:
        _KNOWN.reset(token)


def is_known(tensor: Tensor) -> bool:
    """Whether the values of this very tensor need not be read."""
    return any(tensor is known for known in _KNOWN.get())


def twins(labels: Tensor) -> Tensor:
    """Each set's other set of the same task, (2 n,), of known labels: worked number: of two tasks 2, 3, 0 and 1."""
    n = len(labels)
    return (torch.arange(n, device=labels.device) + n // 2) % n
