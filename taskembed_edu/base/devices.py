"""What a GPU needs that a CPU does not: copies that nobody waits for, and sums in the same order every time.

A copy from ordinary memory is waited for: the processor stands still until the GPU has done all that it was given
before. A copy from page-locked memory is queued like any other operation. PyTorch keeps that memory until the copy is
over, so the tensor that was copied may change at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on this device; from the CPU to a GPU the copy is only queued.

    On its own device it is the tensor itself. From a GPU to the CPU the copy is waited for: its values are to be read.
    """
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


@contextmanager
def repeatable_convolutions(device: torch.device) -> Iterator[None]:
    """Inside, forwards and backwards, cuDNN takes only algorithms that give the same numbers every time.

    By default it may add up a gradient in any order, and two runs of one seed would round differently. The setting is
    PyTorch's own and holds for all threads; afterwards it is as before. On a CPU nothing changes.
    """
    if device.type != "cuda":
        yield
        return
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before
