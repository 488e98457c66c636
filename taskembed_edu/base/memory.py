"""Memory of a long run: allocation is quick, and unused pages return to the system, so the kernel does not grow."""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any

# Parameter numbers of glibc's `mallopt`, and the values that we set.
#
# malloc returns a freed block to the system at once if the block is at least M_MMAP_THRESHOLD large. It trims the heap
# if the free end of the heap is at least M_TRIM_THRESHOLD large. Both are 128 KB by default: then the tensors of every
# step are fresh memory, and the system zeroes a thousand pages a step, which takes as long as the arithmetic. With the
# values below, a step of the default run takes about half of the time (docs/results.md, "Beside the tables").
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_LARGE_BLOCK = 32 * 2**20
_FREE_END = 64 * 2**20


@functools.cache
def _glibc() -> Any:
    """The C library of this process if it is glibc; else None."""
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL("libc.so.6")
        return library if hasattr(library, "malloc_trim") else None
    except OSError:
        return None


@functools.cache
def tune_malloc() -> bool:
    """Make glibc keep the memory that a training step frees, for the next step. True if the settings took effect.

    Runs once per process. On other systems, or with another C library, it changes nothing and returns False.
    """
    glibc = _glibc()
    if glibc is None:
        return False
    return bool(glibc.mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK)) and bool(glibc.mallopt(_TRIM_THRESHOLD, _FREE_END))


def trim_heap() -> bool:
    """Return all empty pages to the system, also those in the middle of the heap. True if there were any.

    A run keeps a frame now and then, and these frames lie scattered between the blocks that its steps freed. Unless the
    heap is trimmed from time to time, it only grows.
    """
    glibc = _glibc()
    return glibc is not None and bool(glibc.malloc_trim(0))
