"""What a change of settings implies: other tasks need other settings, and another network has other layers.

A lab has default settings for each family of tasks. If another family is pending, its defaults become pending too,
except for settings that the learner has chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from taskembed_edu.base.wording import say, say_setting
from taskembed_edu.session.parsing import split_settings
from taskembed_edu.session.session import Session
from taskembed_edu.session.setup import Setup

# A lab's rule: the default settings for tasks of this family.
DefaultsFor = Callable[[str], Mapping[str, Any]]


def no_defaults(_family: str) -> Mapping[str, Any]:
    """The rule of a lab that has the same defaults for all tasks."""
    return {}


def implied_changes(
    session: Session, pending: Mapping[str, Any], defaults_for: DefaultsFor, moved: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The settings that change together with these pending ones, at the same reset: names and values.

    `moved` are live settings in the player's queue: they apply before that reset.

    First come the defaults for the new tasks. Settings that had a default for the old tasks go back to their declared
    values. Settings that the user set (`session.user_set`) stay. Then come changes without which the run could not
    begin: a network that cannot read the tasks, or a layer that the network does not have, is replaced by the first
    choice that fits.
    """
    if not pending:
        return {}
    along = _defaults_to_apply(session, pending, defaults_for)
    values = {**session.values(), **(moved or {})}
    # In the order of the declarations the network comes before its layers.
    for name, declared in session.declared().items():
        if declared.choices and name != "family":
            proposed = {**pending, **along}
            offered = session.offers(name, proposed)
            if offered is not None and {**values, **proposed}[name] not in offered:
                along[name] = offered[0]
    return along


def _defaults_to_apply(session: Session, pending: Mapping[str, Any], defaults_for: DefaultsFor) -> dict[str, Any]:
    now = session.setup.family
    family = pending.get("family", now)
    if family == now:
        return {}
    new, values = defaults_for(family), session.values()
    usual = {**Setup().as_dict(), **session.embedder.settings_class().as_dict()}
    free = [name for name in {**defaults_for(now), **new} if name not in session.user_set and name not in pending]
    wanted = {name: new.get(name, usual[name]) for name in free}
    return {name: value for name, value in wanted.items() if value != values[name]}


def words_for(session: Session, pending: Mapping[str, Any], along: Mapping[str, Any]) -> str:
    """The pending settings, and those implied by them, as a message for the status line."""
    declared = session.declared()
    asked = ", ".join(declared[name].label for name in pending if name not in along)
    listed = ", ".join(say_setting(declared[name], value) for name, value in along.items())
    return f"Press Reset to apply: {asked}. These change with it: {listed}."


def out_of_range_words(session: Session, changes: Mapping[str, Any]) -> str:
    """Which other settings leave their range by these live changes, and what they become; "" if none does.

    Worked example: the cosine distance at margin 3 gives "Cosine distance ends at 2: margin 3 became 2."
    """
    declared, before = session.declared(), session.settings
    _of_session, given = split_settings(changes, declared)
    after = before.clamped(**given)
    moved = {name: value for name, value in before.difference(after).items() if name not in given}
    seen = {name: value for name, value in moved.items() if declared[name].applies(after)}
    if not seen:
        return ""
    cause = ", ".join(say_setting(declared[name], value) for name, value in given.items())
    became = ", ".join(
        f"{say_setting(declared[name], getattr(before, name))} became {say(declared[name], value)}"
        for name, value in seen.items()
    )
    ends = next((value for name, value in seen.items() if value == declared[name].highest(after)), None)
    words = f"{cause} ends at {ends:g}: {became}." if ends is not None else f"{cause}: {became}."
    return words[0].upper() + words[1:]
