"""From names and values to checked settings: which belong to the session and which to its embedder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.settings import Setting, Settings, current_values
from taskembed_edu.embedders.base import Embedder
from taskembed_edu.session.setup import Setup
from taskembed_edu.tasks import FAMILIES
from taskembed_edu.tasks.base import TaskFamily


def declared_settings(embedder: Embedder[Any, Any]) -> dict[str, Setting]:
    """All declarations by name, the session's own first: what a page or a command line builds its controls from.

    Errors: ValueError if the embedder has a setting of a name that is the session's own.
    """
    mine, theirs = Setup.declared(), embedder.settings_class.declared()
    for name in mine.keys() & theirs.keys():
        cause = "One of the two would be set in place of the other: give the embedder's another name."
        raise ValueError(problem(embedder.settings_class.__name__, f"a setting {name!r}", "names of its own", cause))
    return {**mine, **theirs}


def parse_settings(embedder: Embedder[Any, Any], values: Mapping[str, Any]) -> tuple[Setup, Settings]:
    """Checked settings from names and values: the session's own, and the embedder's.

    The family may be a name or a family of tasks. Errors: ValueError that names the nearest known name.
    """
    declared = declared_settings(embedder)
    values = current_values(values, declared)
    if "family" in values:
        family = values["family"]
        if isinstance(family, type):
            cause = f"That is the class: write {family.__name__}()."
            raise TypeError(problem("family", family.__name__, "a name, or a family of tasks", cause))
        values["family"] = family.name if isinstance(family, TaskFamily) else check_choice("family", family, FAMILIES)
    mine, theirs = split_settings(values, declared)
    return Setup(**mine), embedder.settings_class(**theirs)


def split_settings(values: Mapping[str, Any], known: Mapping[str, Setting]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Names and values, split into the session's own and the embedder's. Errors: ValueError for an unknown name."""
    for name in values:
        check_choice("setting", name, known)
    mine = {name: value for name, value in values.items() if name in Setup.declared()}
    return mine, {name: value for name, value in values.items() if name not in mine}


def check_live(
    changes: Mapping[str, Any], declared: Mapping[str, Setting], offers: Callable[[str], tuple[str, ...] | None]
) -> None:
    """Raise ValueError if one of these settings applies at reset only, or has a value that this run does not offer.

    `offers(name)` gives the choices that make sense for the run; None: all that are declared.
    """
    fixed = [name for name in changes if name in declared and not declared[name].live]
    if fixed:
        listed = ", ".join(f"{name}={changes[name]!r}" for name in fixed)
        cause = f"Use reset({listed}): it begins again with the new value."
        raise ValueError(problem("set", listed, "settings that may change while training runs", cause))
    for name, value in changes.items():
        offered = offers(name)
        if offered is not None:
            check_choice(name, value, offered)
