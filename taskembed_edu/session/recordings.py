"""A recording: the settings a run began with and every change since. Small, readable JSON that can be replayed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from taskembed_edu.base.checks import problem
from taskembed_edu.base.files import write_whole
from taskembed_edu.base.settings import current_values
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders import task_embedder
from taskembed_edu.session.events import Event, undo_values
from taskembed_edu.session.parsing import declared_settings
from taskembed_edu.session.run import Run
from taskembed_edu.tasks import FAMILIES, is_of_the_package
from taskembed_edu.tasks.base import TaskFamily

FORMAT = 1
_KEYS = ("format", "embedder", "family", "initial", "events", "steps", "scores")


class Recorded(NamedTuple):
    """A recording's content, under today's names of settings."""

    embedder: str
    family: TaskFamily
    initial: dict[str, Any]
    events: list[Event]
    steps: int


def recording_of(run: Run) -> dict[str, Any]:
    """Everything needed to replay this run, ready for JSON."""
    steps = run.steps_replayable()
    return {
        "format": FORMAT,
        "version": version("taskembed_edu"),
        "embedder": run.embedder.name,
        "family": _family_entry(run.whole_family),
        "initial": dict(run.initial),
        "events": [_event_entry(event) for event in run.events if event.step <= steps],
        "steps": steps,
        # JSON has no NaN: scores that this frame could not compute are omitted.
        "scores": {n: round(v, 4) for n, v in run.history[-1].diagnostics.items() if math.isfinite(v)},
    }


def _family_entry(family: TaskFamily) -> dict[str, Any]:
    """The family's name and fields; with `own`, its class, where only that tells it from the package's of this name."""
    described = family.describe()
    if family.name in FAMILIES and not is_of_the_package(family):
        described["own"] = type(family).__name__
    return described


def read_recording(recording: Any, family: TaskFamily | None = None) -> Recorded:
    """A recording's content; pass `family` if it is one of the user's own. Errors: see `check_recording`."""
    recording = check_recording(recording, None if family is None else family.name, known=family is not None)
    declared = declared_settings(task_embedder(recording["embedder"]))

    def current(values: dict[str, Any]) -> dict[str, Any]:
        return current_values(values, declared, warn=False)

    initial = {name: value for name, value in current(recording["initial"]).items() if name != "family"}
    events = [Event(e["step"], current(e["changes"]), e.get("undo", False)) for e in recording["events"]]
    _check_undos(recording["embedder"], initial, events)
    if family is not None and _own_class(recording) and is_of_the_package(family):
        raise _of_an_own_family(recording)
    if family is not None and recording["family"].get("data") != family.describe().get("data"):
        cause = "The numbers of its tasks are others, so its steps would be too."
        raise ValueError(problem("recording", "a run on other data", f"a run on {family!r}", cause))
    family = family or _described_family(dict(recording["family"]))
    return Recorded(recording["embedder"], family, initial, events, recording["steps"])


def is_of_own_family(recording: dict[str, Any]) -> bool:
    """Whether a checked recording's tasks are of a user's own family, and not of one of the package's."""
    return recording["family"]["name"] not in FAMILIES or bool(_own_class(recording))


def _own_class(recording: dict[str, Any]) -> str:
    """The class of the recorded family if it is a user's own with the name of one of the package's; else empty."""
    return str(recording["family"].get("own", ""))


def _of_an_own_family(recording: dict[str, Any]) -> ValueError:
    own, name = _own_class(recording), recording["family"]["name"]
    came = f"a run on {own}, a family of your own that is called {name!r} too"
    cause = f"Give it: Session.replay(recording, family={own}()). Under a name of its own it cannot be mistaken."
    return ValueError(problem("recording", came, f"a run on the package's {name!r}", cause))


def _check_undos(embedder: str, initial: dict[str, Any], events: list[Event]) -> None:
    settings = task_embedder(embedder).settings_class().as_dict()
    try:
        undo_values({**settings, **initial}, events, settings, close=1)
    except IndexError:
        cause = "The file was edited; record the run again."
        came = "an event that undoes a change before there was one"
        raise ValueError(problem("recording", came, "events as they were saved", cause)) from None


def _described_family(described: dict[str, Any]) -> TaskFamily:
    family_class = FAMILIES[described.pop("name")]
    return family_class(**{name: tuple(v) if isinstance(v, list) else v for name, v in described.items()})


def _event_entry(event: Event) -> dict[str, Any]:
    return {"step": event.step, "changes": dict(event.changes), **({"undo": True} if event.undo else {})}


def check_recording(
    recording: Any, family: str | None = None, *, known: bool = False, embedder: str | None = None
) -> dict[str, Any]:
    """The recording if it can be replayed; else a ValueError that says why not and what to do.

    `known`: the caller passes the family itself, which need not be one of the package's.

    Errors: not a recording at all, a recording of another format, of an unknown family, or of another family or
    embedder than the one asked for.
    """
    if not isinstance(recording, dict) or "format" not in recording:
        cause = "Is this the recording.json that `taskembed run` or the lab saved?"
        raise ValueError(problem("recording", recording, "a recording with a 'format' entry", cause))
    if recording["format"] != FORMAT:
        cause = "It was made by another version of taskembed_edu: replay it with that one, or record the run again."
        raise ValueError(problem("recording", f"format {recording['format']!r}", f"format {FORMAT}", cause))
    cause = "The file was cut or edited; record the run again."
    missing = [key for key in _KEYS if key not in recording]
    if missing:
        raise ValueError(problem("recording", f"no entry {', '.join(missing)}", f"entries {', '.join(_KEYS)}", cause))
    wrong = _of_another_form(recording)
    if wrong:
        raise ValueError(
            problem("recording", f"entries of another form ({wrong})", "entries as they were saved", cause)
        )
    recorded = recording["family"]["name"]
    if recorded not in FAMILIES and not known:
        cause = "A family of your own? Give it: Session.replay(recording, family=YourFamily())."
        raise ValueError(problem("recording", f"tasks {recorded!r}", f"one of {', '.join(FAMILIES)}", cause))
    if _own_class(recording) and not known:
        raise _of_an_own_family(recording)
    if embedder is not None and recording["embedder"] != embedder:
        came, asked = f"a run of the {recording['embedder']!r} embedder", f"one of the {embedder!r} embedder"
        raise ValueError(problem("recording", came, asked, "Load it in the lab that it was saved in."))
    if family is not None and recorded != family:
        cause = f"Reset with family={recorded!r} first, or load a recording of {family}."
        raise ValueError(problem("recording", f"a run on {recorded!r}", f"a run on {family!r}", cause))
    return recording


def _of_another_form(recording: dict[str, Any]) -> str:
    """The name of the first entry that has not the form of a recording's; empty if all have."""
    family, events, steps = recording["family"], recording["events"], recording["steps"]
    if not isinstance(recording["embedder"], str):
        return "embedder"
    if not isinstance(family, dict) or not isinstance(family.get("name"), str):
        return "family"
    if (
        family["name"] in FAMILIES
        and "own" not in family
        and not family.keys() - {"name"} <= FAMILIES[family["name"]].__dataclass_fields__.keys()
    ):
        return "family"
    if not _is_named(recording["initial"]) or not _is_named(recording["scores"]):
        return "initial or scores"
    if not _is_count(steps):
        return "steps"
    if not isinstance(events, list) or not all(_is_event(event) for event in events):
        return "events"
    when = [event["step"] for event in events]
    # An event may follow the last step: it was logged before a next step that never came. No event can come later.
    return "" if when == sorted(when) and all(step <= steps for step in when) else "events out of order"


def _is_event(event: Any) -> bool:
    return (
        isinstance(event, dict)
        and _is_named(event.get("changes"))
        and _is_count(event.get("step"))
        and isinstance(event.get("undo", False), bool)
    )


def _is_named(values: Any) -> bool:
    return isinstance(values, dict) and all(isinstance(name, str) for name in values)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@short_errors
def save_recording(recording: dict[str, Any], path: str | Path) -> Path:
    """Write a recording as JSON. Returns the path."""
    return write_whole(Path(path), (json.dumps(recording, indent=1) + "\n").encode())


def free_path(path: Path) -> Path:
    """This path, or the first of path-2, path-3 ... that is not taken: nothing a learner saved is overwritten."""
    return free_paths([path])[0]


def free_paths(paths: Sequence[Path]) -> list[Path]:
    """These paths, or all of them with the same number, as map-2.png and frames-2.csv: those that none has taken."""
    free, number = list(paths), 2
    while any(path.exists() for path in free):
        free = [path.with_stem(f"{path.stem}-{number}") for path in paths]
        number += 1
    return free


@short_errors
def load_recording(path: str | Path, family: str | None = None, *, known: bool = False) -> dict[str, Any]:
    """Read and check a recording; see `check_recording` for the errors."""
    try:
        recording = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        cause = "The file was cut or edited; record the run again."
        raise ValueError(problem("recording", f"{path}, {error}", "a JSON file", cause)) from error
    return check_recording(recording, family, known=known)
