"""A recorded run in a lab: replayed on the lab's own tasks, from a recording or the path of a saved one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from taskembed_edu.base.checks import problem
from taskembed_edu.session.recordings import check_recording, is_of_own_family, load_recording
from taskembed_edu.session.session import Session
from taskembed_edu.tasks import is_of_the_package
from taskembed_edu.tasks.base import TaskFamily


def loaded(recording: dict[str, Any] | str | Path, family: TaskFamily | str) -> dict[str, Any]:
    """The recording itself, read from its file where a path is given.

    Errors: as `load_recording`; TypeError for what is neither.
    """
    if not isinstance(recording, (dict, str, Path)):
        cause = "lab.session.recording() gives one; the lab's Export saves one."
        raise TypeError(problem("recording", repr(recording), "a recording, or the path of a saved one", cause))
    return recording if isinstance(recording, dict) else load_recording(recording, known=_own(family) is not None)


def replayed(recording: dict[str, Any] | str | Path, embedder: str, family: TaskFamily | str) -> Session:
    """A session that repeats the recorded run of this embedder on this family.

    Errors: ValueError for an outdated or broken recording, or one of another family or embedder.
    """
    own, given = _own(family), loaded(recording, family)
    check_recording(given, family_name(family), known=own is not None, embedder=embedder)
    return Session.replay(given, own if is_of_own_family(given) else None)


def _own(family: TaskFamily | str) -> TaskFamily | None:
    # One of the package's is made as it was recorded, whatever the fields of the lab's.
    return family if isinstance(family, TaskFamily) and not is_of_the_package(family) else None


def family_name(family: TaskFamily | str) -> str:
    """The family's name, of the family or of its name."""
    return family.name if isinstance(family, TaskFamily) else str(family)
