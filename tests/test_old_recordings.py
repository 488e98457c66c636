"""Recordings that version 0.1 wrote replay today: the same steps and changes, and scores within a band of the file's.

Bit for bit is promised on one machine and one version of torch only, so scores get a band: narrow where they follow
from vectors, wide where UMAP drew the map.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from taskembed_edu import Session
from taskembed_edu.session.recordings import load_recording
from tests.runs import small_session

RECORDINGS = sorted((Path(__file__).parent / "fixtures" / "recordings_0_1").glob("*.json"))

# How far from the file's value a score may be. A gradient that differs in its last digit moves an entry by a step of
# Adam, so 60 steps later a map has moved otherwise.
BAND = {
    "recall@1": 0.1,
    "recall@5": 0.1,
    "spearman": 0.03,
    "purity": 0.1,
    "active_pairs": 0.05,
    "trustworthiness": 0.03,
}
BAND_OF_UMAP = {"trustworthiness": 0.25}


def today(changes: dict[str, Any]) -> dict[str, Any]:
    """These settings as they are called today."""
    return {{"refits": "umap_restarts"}.get(name, name): value for name, value in changes.items()}


def test_there_is_a_recording_of_every_embedder() -> None:
    made_by = {json.loads(path.read_text(encoding="utf-8"))["embedder"] for path in RECORDINGS}
    assert made_by == {"metric", "parameters", "fisher", "summary"}


@pytest.mark.parametrize("path", RECORDINGS, ids=[path.stem for path in RECORDINGS])
def test_a_recording_of_version_0_1_replays(path: Path) -> None:
    recording = load_recording(path)
    session = Session.replay(recording)
    assert session.steps == recording["steps"]
    assert [(event.step, event.changes, event.undo) for event in session.events] == [
        (event["step"], today(event["changes"]), event.get("undo", False)) for event in recording["events"]
    ]
    # Settings that came later have their defaults.
    assert session.recording()["initial"].items() >= today(recording["initial"]).items()
    told, umap = session.frame.diagnostics, session.setup.projection == "umap"
    for name, value in recording["scores"].items():
        if name == "mean_distance":
            assert told[name] == pytest.approx(value, rel=0.05)
        elif name == "jitter":
            assert math.isfinite(told[name]) if umap else told[name] == pytest.approx(value, abs=0.2)
        else:
            assert told[name] == pytest.approx(value, abs=(BAND_OF_UMAP if umap else {}).get(name, BAND[name]))


def test_code_that_was_shown_by_version_0_1_runs() -> None:
    session = small_session()
    with pytest.warns(DeprecationWarning, match="setting 'refits' is now called 'umap_restarts'") as caught:
        session.set(refits=1)
    assert [warning.filename for warning in caught] == [__file__]
    assert session.events[-1].changes == {"umap_restarts": 1}
    assert "session.set(umap_restarts=1)" in session.code()
    with pytest.warns(DeprecationWarning, match="attribute 'refits' of Frame is now called 'umap_restarts'"):
        assert session.frame.refits == 1
    with pytest.warns(DeprecationWarning, match="setting 'refits'"):
        assert session.setup.refits == 1  # type: ignore[attr-defined]
    with pytest.warns(DeprecationWarning, match="setting 'refits'"):
        session.reset(refits=2)
    assert session.setup.umap_restarts == 2
    assert session.user_set >= {"umap_restarts"}
