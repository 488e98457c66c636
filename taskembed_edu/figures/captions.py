"""What a picture shows, in words and as data: its settings, step and seed. So two pictures can be told apart."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from taskembed_edu.base.checks import problem
from taskembed_edu.base.wording import say_setting
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session


def as_written(text: str) -> str:
    """A name of the user's as matplotlib shows it letter by letter: between two dollars it would read a formula."""
    if not isinstance(text, str):
        raise TypeError(problem("title or name", f"a {type(text).__name__}", "a text"))
    return text.replace("$", r"\$")


def caption(session: Session, frame: Frame) -> str:
    """The frame's tasks, main settings, seed, step and map in one line, as they were when it was recorded.

    If the frame is the newest and a setting was changed since, the line ends with the change.
    """
    declared, values = session.declared(), session.values_at(frame)
    said = [session.split.validation.label, *_settings_in_words(session, frame, values)]
    said += [f"seed {values['seed']}", f"step {frame.step}", frame.projection.upper()]
    since = {name: value for name, value in session.values().items() if value != values[name]}
    if frame is session.frame and since:
        changes = [say_setting(declared[name], value) for name, value in since.items() if not declared[name].hidden]
        said += [f"changed since: {', '.join(changes)}"] if changes else []
    return ", ".join(said)


def _settings_in_words(session: Session, frame: Frame, values: dict[str, Any]) -> list[str]:
    """The embedder's main settings that have an effect, without the device: it changes nothing that is shown."""
    declared = session.embedder.settings_class.declared()
    shown = [name for name, each in declared.items() if not (each.advanced or each.hidden) and name != "device"]
    return [say_setting(declared[name], values[name]) for name in shown if declared[name].applies(frame.settings)]


def facts_of(session: Session, frame: Frame, title: str) -> dict[str, Any]:
    """The same as data, ready for JSON: title, method, step, all settings, and the version of the package."""
    return {
        "title": title,
        "method": session.embedder.name,
        "step": frame.step,
        "settings": session.values_at(frame),
        "taskembed_edu": version("taskembed_edu"),
    }


def metadata(what: str, session: Session, frame: Frame, title: str) -> dict[str, Any]:
    """The metadata of a picture file, as matplotlib takes them: "png" (text chunks) or "svg" (Dublin Core)."""
    maker = f"taskembed_edu {version('taskembed_edu')}"
    facts = json.dumps(facts_of(session, frame, title), ensure_ascii=False)
    if what == "svg":
        return {"Title": title, "Description": facts, "Creator": maker, "Date": None}
    # A PNG's text chunks hold Latin-1 only; `ensure_ascii` writes every other letter as an escape.
    settings = json.dumps(facts_of(session, frame, title))
    texts = {"Title": title, "Description": caption(session, frame), "Software": maker, "Settings": settings}
    return {name: text.encode("latin-1", "replace").decode("latin-1") for name, text in texts.items()}
