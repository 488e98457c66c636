"""Memory of a long run: what is freed goes back, and the kernel stays the size of what it holds."""

from __future__ import annotations

import ctypes
import functools
import sys

# glibc raises this threshold by itself as blocks are freed. Matrices of a few hundred kilobytes, made and freed at
# every frame, then lie scattered over a heap that only grows: 0.8 MB a frame where nothing was kept (measured).
_MMAP_THRESHOLD = -3
_BYTES = 128 * 1024


@functools.cache
def keep_memory_steady() -> bool:
    """Have glibc give every block of 128 KB or more back when it is freed; whether this process could be told so.

    Once a process. On other systems, and with another C library, nothing is changed and nothing is needed.
    """
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL("libc.so.6").mallopt(_MMAP_THRESHOLD, _BYTES))
    except (OSError, AttributeError):
        return False
