"""A lab's picture beside its widget, in a notebook that is made to be read without a kernel.

Only where `TASKEMBED_PICTURES=on`, as when lessons are made: a lab that somebody opens should not wait for matplotlib.
"""

from __future__ import annotations

import base64
import io
import os
from typing import Any

PICTURES = "TASKEMBED_PICTURES"


def with_picture(bundle: Any, lab: object) -> Any:
    """The widget's data and, where pictures are on, the figure of the lab's method `figure` or `picture` as a PNG."""
    picture = getattr(lab, "figure", None) or getattr(lab, "picture", None)
    if picture is None or os.environ.get(PICTURES) != "on":
        return bundle
    memory = io.BytesIO()
    picture().savefig(memory, format="png")
    png = {"image/png": base64.b64encode(memory.getvalue()).decode()}
    return ({**bundle[0], **png}, *bundle[1:]) if isinstance(bundle, tuple) else {**(bundle or {}), **png}
