"""Arrays in a JSON document: frames as differences, bytes compressed and in base64. `page/recorded.js` unpacks them."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray


def frame_deltas(frames: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """The first frame unchanged, every other as its difference from the one before, modulo 65,536; little-endian.

    uint8 values are taken modulo 256.

    >>> list(frame_deltas(np.array([[3], [5], [4]], np.uint16)))
    [3, 0, 2, 0, 255, 255]
    """
    changed = frames.copy()
    changed[1:] -= frames[:-1]  # unsigned integers wrap around
    return changed.astype(changed.dtype.newbyteorder("<")).tobytes()


def packed(document: Any) -> Any:
    """The document ready for JSON: bytes become {"$bytes": base64, "gzip": whether they were compressed}."""
    if isinstance(document, dict):
        return {name: packed(value) for name, value in document.items()}
    if isinstance(document, list):
        return [packed(value) for value in document]
    if not isinstance(document, bytes):
        return document
    small = gzip.compress(document, 9, mtime=0)
    smaller = len(small) < len(document)
    return {"$bytes": base64.b64encode(small if smaller else document).decode("ascii"), "gzip": smaller}


def unpacked(document: Any) -> Any:
    """The inverse of `packed`: for tests, and for reading an exported file from Python."""
    if isinstance(document, list):
        return [unpacked(value) for value in document]
    if not isinstance(document, dict):
        return document
    if "$bytes" not in document:
        return {name: unpacked(value) for name, value in document.items()}
    data = base64.b64decode(document["$bytes"])
    return gzip.decompress(data) if document["gzip"] else data
