"""A run as the few lines of Python that repeat it: "show me the code".

The lines hold only what differs from the defaults, and every change at its step. They can be run: the frames are then
the same, bit for bit, on the same machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from taskembed_edu.base.settings import Settings
from taskembed_edu.base.spelling import spelt
from taskembed_edu.session.events import ONE_MOVE, Event
from taskembed_edu.session.setup import Setup
from taskembed_edu.tasks import is_of_the_package
from taskembed_edu.tasks.base import TaskFamily

# More changes than this are written as a table: it is easier to read than a page of calls.
_FEW = 6
_WIDTH = 88
# The last lines show the map: in a notebook as the cell's output.
_FIGURE = "from taskembed_edu.figures.snapshots import session_figure"
_SHOWN = "session_figure(session)"


def run_code(
    embedder: str, family: TaskFamily | str, started: Sequence[Settings], events: Sequence[Event], steps: int
) -> str:
    """The lines that begin a session with these settings, repeat the events and end at step `steps`.

    `started` are the settings that the run began with, the session's own and the embedder's; settings at their
    defaults are omitted. `family` is a name, or the object if some of its fields differ from their defaults.
    """
    names, lines, argument = _spelt_family(family)
    given = [spelt(embedder), argument]
    for settings in started:
        chosen = type(settings)().difference(settings)
        given += [f"{name}={spelt(value)}" for name, value in chosen.items() if name != "family"]
    lines = [_imported("Session", *names), _FIGURE, *lines, ""]
    lines += [_call("session = Session", given)]
    return "\n".join([*lines, *_change_lines(events, steps), _SHOWN]) + "\n"


def opening_code(lab: type, family: TaskFamily | str, settings: Mapping[str, Any], *, family_first: bool = True) -> str:
    """The one line that opens a lab of this class with these settings, below the lines that must stand before it.

    `family` is a name, or the object if some of its fields differ from their defaults; `family_first`: the lab takes it
    as its first argument.
    """
    names, lines, argument = _spelt_family(family)
    if not (family_first or isinstance(family, str)):
        argument = f"family={argument}"
    if lab.__module__.partition(".")[0] == __name__.partition(".")[0]:
        names = [lab.__name__, *names]
    else:
        lines = [_where_from(lab, "lab"), *lines]
    lines = [*([_imported(*names)] if names else []), *lines]
    given = [argument, *(f"{name}={spelt(value)}" for name, value in settings.items())]
    return "\n".join([*lines, f"{lab.__name__}({', '.join(given)})"])


class _SpeltFamily(NamedTuple):
    """A family in code: names to import from the package, lines that must stand before, and the argument."""

    names: list[str]
    before: list[str]
    argument: str


def _spelt_family(family: TaskFamily | str) -> _SpeltFamily:
    if isinstance(family, str):
        return _SpeltFamily([], [], f"family={spelt(family)}")
    written, made_first = family.in_code()
    if made_first:
        return _SpeltFamily([], [made_first], written)
    if is_of_the_package(family):
        return _SpeltFamily([type(family).__name__], [], written)
    return _SpeltFamily([], [_where_from(type(family), "family of tasks")], written)


def _imported(*names: str) -> str:
    return f"from taskembed_edu import {', '.join(sorted(names))}"


# Some changes with their steps. More than one are the stops of one slider that was moved while training ran.
_Move = list[tuple[int, dict[str, Any]]]


def _change_lines(events: Sequence[Event], steps: int) -> list[str]:
    moves = _moves(events)
    return _table(moves, steps) if len(moves) > _FEW else _calls(moves, steps)


def _moves(events: Sequence[Event]) -> list[_Move]:
    """The changes, move by move. Of several stops before the same step only the last one counts."""
    moves: list[_Move] = []
    for event in events:
        last = moves[-1] if moves else []
        one_slider = bool(last) and _is_slider(event.changes) and last[-1][1].keys() == event.changes.keys()
        if one_slider and event.step == last[-1][0]:
            last[-1] = (event.step, event.changes)
        elif one_slider and event.step - last[-1][0] <= ONE_MOVE:
            last.append((event.step, event.changes))
        else:
            moves.append([(event.step, event.changes)])
    return moves


def _is_slider(changes: Mapping[str, Any]) -> bool:
    """Whether this is one number that training reads. A map's setting draws the map at each stop: all of them count."""
    ((name, value), *others) = changes.items()
    return not others and not isinstance(value, (str, bool)) and name not in Setup.declared()


def _calls(moves: Sequence[_Move], steps: int) -> list[str]:
    lines, now = [], 0
    for move in moves:
        (step, changed), (end, _changed) = move[0], move[-1]
        if len(move) > 1:
            ((name, _value),) = changed.items()
            stops = ", ".join(f"({at}, {spelt(each[name])})" for at, each in move)
            lines += [f"for step, value in [{stops}]:  # one move of {name}"]
            lines += ["    session.step(step - session.steps)", f"    session.set({name}=value)"]
        else:
            lines += [f"session.step({step - now})"] if step > now else []
            lines += [_call("session.set", [f"{name}={spelt(value)}" for name, value in changed.items()])]
        now = end
    return lines + ([f"session.step({steps - now})"] if steps > now else [])


def _table(moves: Sequence[_Move], steps: int) -> list[str]:
    lines = ["", "# What was changed, and before which step: one line for each move.", "changes = ["]
    lines += ["    " + " ".join(f"({step}, {spelt(changed)})," for step, changed in move) for move in moves]
    lines += [
        "]",
        "for step, change in changes:",
        "    session.step(step - session.steps)",
        "    session.set(**change)",
    ]
    return lines + ([f"session.step({steps} - session.steps)"] if steps > moves[-1][-1][0] else [])


def _call(what: str, arguments: Sequence[str]) -> str:
    line = f"{what}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{what}(", *(f"    {argument}," for argument in arguments), ")"])


def _where_from(made: type, what: str) -> str:
    if made.__module__ == "__main__" or "<locals>" in made.__qualname__:
        return f"# {made.__name__} is your own {what}: define it first."
    return f"from {made.__module__} import {made.__name__}"
