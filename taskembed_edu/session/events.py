"""Changes of settings, each with the step that it precedes: what a replay repeats and an undo takes back."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """A change of settings, logged with the step that it precedes; `undo`: it took back an earlier change."""

    step: int
    changes: dict[str, Any]
    undo: bool = False


def undo_values(
    initial: Mapping[str, Any], events: Sequence[Event], names: Collection[str], close: int
) -> dict[str, Any]:
    """The values that undo the last change of these settings that has not been undone; {} if there is none.

    Changes of the same settings fewer than `close` steps apart count as one: a dragged slider sends many.
    The result depends on the events alone, so a replay and a branch can undo what the run could.
    """
    now = {name: initial[name] for name in names}
    stack: list[tuple[int, dict[str, Any]]] = []  # the step of a change, and the values before it
    dragging = False  # whether the event before was a change that this one may continue
    for event in events:
        changes = {name: value for name, value in event.changes.items() if name in now}
        if not changes:
            continue
        if event.undo:
            stack.pop()
            dragging = False
        else:
            before = {name: now[name] for name in changes}
            if dragging and stack and stack[-1][1].keys() == before.keys() and event.step - stack[-1][0] < close:
                before = stack.pop()[1]
            dragging = before != changes
            if dragging:
                stack.append((event.step, before))
        now.update(changes)
    return dict(stack[-1][1]) if stack else {}


def without_setting(events: list[Event], name: str) -> list[Event]:
    """These events without the changes of one setting; the same list if none of them changed it."""
    if not any(name in event.changes for event in events):
        return events
    left = [
        dataclasses.replace(event, changes={each: value for each, value in event.changes.items() if each != name})
        for event in events
    ]
    return [event for event in left if event.changes]


# Changes of the same settings within this many steps of each other are one drag of a slider.
ONE_MOVE = 50


def coalesced_events(events: Sequence[Event]) -> list[Event]:
    """The changes as a person made them: all events of one drag of a slider become one, with its last value."""
    made: list[Event] = []
    for event in events:
        if made and event.step - made[-1].step <= ONE_MOVE and event.changes.keys() == made[-1].changes.keys():
            made.pop()
        made.append(event)
    return made
