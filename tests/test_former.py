"""Former names of attributes go on working: the same thing, with a word that points at the line that asked."""

from __future__ import annotations

from typing import Any

import pytest

from taskembed_edu import MetricSettings
from taskembed_edu.session.session import Session


@pytest.mark.parametrize(
    ("of", "former", "present"),
    [
        ("session", "watched", "validation_set"),
        ("session", "named", "user_set"),
        ("session", "last_sound", "last_stable_frame"),
        ("session", "set_within_range", "set_clamped"),
        ("frame", "left_out", "diverged_tasks"),
        ("frame", "refits", "umap_restarts"),
        ("geometry", "agreement", "rank_correlation"),
        ("settings", "brought_into_range", "clamped"),
    ],
)
def test_a_former_name_gives_what_the_present_one_gives(of: str, former: str, present: str) -> None:
    session = Session("summary", family="gaussians", n_tasks=6, projection="pca")
    things: dict[str, Any] = {
        "session": session,
        "frame": session.frame,
        "geometry": session.geometry,
        "settings": MetricSettings(),
    }
    thing = things[of]
    with pytest.warns(DeprecationWarning, match=f"attribute '{former}' of .* is now called '{present}'") as caught:
        old = getattr(thing, former)
    assert old == getattr(thing, present)
    assert [warning.filename for warning in caught] == [__file__]
