"""A recording: the settings a run began with and every change since. Small, readable JSON that makes the run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from taskembed_edu.checks import problem
from taskembed_edu.tasks import FAMILIES

FORMAT = 1
_KEYS = ("format", "embedder", "family", "initial", "events", "steps", "scores")


def check_recording(recording: Any, family: str | None = None) -> dict[str, Any]:
    """The recording if it can be replayed; else a ValueError that says why not and what to do.

    Errors: not a recording at all, a recording of another format, of an unknown family, or of another family than the
    one asked for.
    """
    if not isinstance(recording, dict) or "format" not in recording:
        cause = "Is this the recording.json that `taskembed run` or the lab saved?"
        raise ValueError(problem("recording", recording, "a recording with a 'format' entry", cause))
    if recording["format"] != FORMAT:
        cause = "It was made by another version of taskembed_edu: replay it with that one, or record the run again."
        raise ValueError(problem("recording", f"format {recording['format']!r}", f"format {FORMAT}", cause))
    missing = [key for key in _KEYS if key not in recording]
    if missing:
        cause = "The file was cut or edited; record the run again."
        raise ValueError(problem("recording", f"no entry {', '.join(missing)}", f"entries {', '.join(_KEYS)}", cause))
    if not _well_formed(recording):
        cause = "The file was cut or edited; record the run again."
        raise ValueError(problem("recording", "entries of another form", "family, initial and events as saved", cause))
    recorded = recording["family"].get("name")
    if recorded not in FAMILIES:
        raise ValueError(problem("recording", f"tasks {recorded!r}", f"one of {', '.join(FAMILIES)}"))
    if family is not None and recorded != family:
        cause = f"Reset with family={recorded!r} first, or load a recording of {family}."
        raise ValueError(problem("recording", f"a run on {recorded!r}", f"a run on {family!r}", cause))
    return recording


def _well_formed(recording: dict[str, Any]) -> bool:
    family, events = recording["family"], recording["events"]
    if not (isinstance(family, dict) and isinstance(recording["initial"], dict) and isinstance(events, list)):
        return False
    known = FAMILIES[family["name"]].__dataclass_fields__ if family.get("name") in FAMILIES else family
    return family.keys() - {"name"} <= known.keys() and all(
        isinstance(event, dict) and isinstance(event.get("changes"), dict) and isinstance(event.get("step"), int)
        for event in events
    )


def save_recording(recording: dict[str, Any], path: str | Path) -> Path:
    """Write a recording as JSON; the path."""
    path = Path(path)
    path.write_text(json.dumps(recording, indent=1) + "\n", encoding="utf-8")
    return path


def free_path(path: Path) -> Path:
    """This path, or the first of path-2, path-3 ... that is not taken: nothing a learner saved is overwritten."""
    taken, number = path, 2
    while path.exists():
        path = taken.with_stem(f"{taken.stem}-{number}")
        number += 1
    return path


def load_recording(path: str | Path, family: str | None = None) -> dict[str, Any]:
    """Read and check a recording; see `check_recording` for the errors."""
    try:
        recording = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        cause = "The file was cut or edited; record the run again."
        raise ValueError(problem("recording", f"{path}, {error}", "a JSON file", cause)) from error
    return check_recording(recording, family)
