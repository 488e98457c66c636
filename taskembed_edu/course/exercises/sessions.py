"""Sessions with which the tests of an open investigation answer it."""

from __future__ import annotations

from typing import Any


def trained(steps: int, family: str = "sinusoids", **settings: Any) -> Any:
    """A session of the metric-based embedder after some steps; imported here, since torch takes a while to load."""
    from taskembed_edu.session.session import Session

    session = Session("metric", family, projection="pca", **settings)
    session.step(steps)
    return session
