"""Tensors on their way from the processor to a GPU, without a wait for it.

A copy from ordinary memory is waited for: the processor stands still until the GPU has done all that it was given
before. A copy from page-locked memory is queued like any other operation. PyTorch keeps that memory until the copy is
over, so the tensor that was copied may change at once.
"""

from __future__ import annotations

import torch
from torch import Tensor


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on this device; from the CPU to a GPU the copy is only queued.

    On its own device it is the tensor itself. From a GPU to the CPU the copy is waited for: its values are to be read.
    """
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
