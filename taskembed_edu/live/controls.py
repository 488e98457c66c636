"""Controls made from declared settings: what the page needs to draw one slider, menu or number field for each.

And the way back: values from the page are converted to the setting's type and clamped to its range, or refused with an
error for the learner.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from typing import Any

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.settings import Setting
from taskembed_edu.session.session import Session

# With more whole numbers than this, nobody can set a slider to one of them by hand: the page gets a number field.
_MOST_STOPS = 10_000


def control_specs(
    session: Session, main: Collection[str], pending: Mapping[str, Any], families: Collection[str] = ()
) -> list[dict[str, Any]]:
    """One control for each setting, as plain dictionaries: those in `main` first, then the others as declared.

    `pending` are values that wait for a reset: the controls show these. `families` are the only ones offered (none
    given: all that the run can read). Each entry has

    - `name`, `label`, `help`; `value`; `zero` (what 0 is called, or ""); `enabled` (it has an effect with the other
      settings), `live` (it applies while training runs), `main` (always visible), `projected` (visible in projector
      mode), `above_map` (it is above the map), `wished` (it is pending: it waits for a reset);
    - `kind`: "range" (a slider from `low` to `high` by `step`), "number" (a field with these bounds), "choice" (a menu
      of `options`) or "steps" (a slider over `options`, for settings that grow by factors).
    """
    shown = {name: declared for name, declared in session.declared().items() if not declared.hidden}
    names = [*(name for name in main if name in shown), *(name for name in shown if name not in main)]
    values = {**session.values(), **pending}
    most = None if "family" in pending else session.most_tasks()  # of other tasks there may be more
    if most is not None:
        values["n_tasks"] = min(values["n_tasks"], most)
        shown["n_tasks"] = dataclasses.replace(shown["n_tasks"], high=most)
    return [
        {
            "name": name,
            "label": shown[name].label,
            "help": shown[name].help,
            **_kind(session, shown[name], name, values[name], pending, families if name == "family" else ()),
            "value": values[name],
            "live": shown[name].live,
            "zero": shown[name].zero,
            "enabled": bool(shown[name].applies(owner_of(session, name))),
            "main": name in main,
            "projected": shown[name].projected,
            "above_map": shown[name].above_map,
            "wished": name in pending,
        }
        for name in names
    ]


def _as_offered(session: Session, name: str, pending: Mapping[str, Any] | None) -> Setting:
    """A setting's declaration with the choices that fit: families that can be read, layers that the network has.

    A setting that applies at reset must fit the pending tasks; one that applies at once must fit the current run.
    """
    declared = session.declared()[name]
    offered = session.offers(name, None if declared.live else pending)
    return declared if offered is None else dataclasses.replace(declared, choices=offered, open=name == "family")


def owner_of(session: Session, name: str) -> Any:
    """The settings object that holds this setting: the session's own, or the embedder's."""
    return session.setup if name in session.setup.declared() else session.settings


def page_value(session: Session, name: str, value: Any, pending: Mapping[str, Any] | None = None) -> Any:
    """A value from a page, converted to the setting's type and clamped to its range; `pending` wait for a reset.

    It is clamped because sliders receive a new range late. Errors: ValueError or TypeError, with a message for the
    learner, for an unknown name, an unknown choice, or text or NaN where a number belongs.
    """
    declared = session.declared()
    check_choice("setting", name, [known for known in declared if not declared[known].hidden])
    wanted, owner = _as_offered(session, name, pending), owner_of(session, name)
    if wanted.choices:
        known = _choices(wanted, session.values()[name], owner, session.own_families, all_of_them=True)
        check_choice(name, value, known)
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(problem(wanted.label, value, "a number", wanted.help))
    return getattr(owner.clamped(**{name: value}), name)


def _kind(
    session: Session,
    declared: Setting,
    name: str,
    value: Any,
    pending: Mapping[str, Any],
    only: Collection[str] = (),
) -> dict[str, Any]:
    owner = owner_of(session, name)
    low, high = declared.low, declared.highest(owner)
    if declared.choices:
        choices = _choices(_as_offered(session, name, pending), value, owner, session.own_families)
        choices = [each for each in choices if not only or each in (*only, *session.own_families, value)]
        return _chosen_from("choice", [(choice, declared.label_of(choice)) for choice in choices])
    if declared.log and low is not None and high is not None:
        stops = sorted({*_round_numbers(low, high), value})
        return _chosen_from("steps", [(stop, f"{stop:g}") for stop in stops])
    whole = isinstance(value, int)
    kind = "range" if low is not None and high is not None and not (whole and high > _MOST_STOPS) else "number"
    step = declared.step or (1 if whole else None)
    return {"kind": kind, "low": low, "high": high, "step": int(step) if whole and step else step, "options": []}


def _chosen_from(kind: str, options: list[tuple[Any, str]]) -> dict[str, Any]:
    listed = [{"value": value, "label": label} for value, label in options]
    return {"kind": kind, "low": None, "high": None, "step": None, "options": listed}


def _choices(declared: Setting, value: Any, owner: Any, own: Collection[str], all_of_them: bool = False) -> list[str]:
    # all_of_them: a message may set a menu together with the setting that limits its choices. `clamped` then replaces
    # a value that the limit excludes.
    choices = list(declared.choices if all_of_them else declared.choices_for(owner))
    # An open menu also lists the current value and the user's own families, so that a user can go back to them.
    return list(dict.fromkeys([*choices, *own, value])) if declared.open else choices


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times each power of ten, from low to high: round numbers."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = (float(f"{first}e{power}") for power in powers for first in (1, 2, 5))
    return [number for number in numbers if low <= number <= high]
