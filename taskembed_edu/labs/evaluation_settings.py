"""Which settings of two embedders side by side go to which of them, and what a wrong one is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.settings import current_values
from taskembed_edu.embedders import EMBEDDERS, task_embedder
from taskembed_edu.embedders.base import Embedder
from taskembed_edu.embedders.begun import check_embedder
from taskembed_edu.labs.parameter import ParameterLab
from taskembed_edu.session.parsing import declared_settings
from taskembed_edu.session.run import readable_families
from taskembed_edu.session.setup import Setup
from taskembed_edu.session.side_by_side import watch_the_same
from taskembed_edu.tasks import FAMILIES, task_family
from taskembed_edu.tasks.base import TaskFamily

SIDES = ("left", "right")

# What an embedder's own lab begins with on these tasks. Nobody stops at a step here: the other one would stop too.
_USUAL: dict[str, Callable[[str], dict[str, Any]]] = {
    "parameters": lambda family: {**ParameterLab.defaults(family), "stop_at": 0}
}


def usual_settings(embedder: Embedder[Any, Any], family: str) -> dict[str, Any]:
    """The settings of its own that this embedder begins with on tasks of this family, where nobody gives others."""
    usual = _USUAL.get(embedder.name, lambda _family: {})(family)
    return {name: value for name, value in usual.items() if name not in Setup.declared()}


def chosen_embedder(side: str, given: Embedder[Any, Any] | str) -> Embedder[Any, Any]:
    """The embedder of this side, by its name or itself. Errors: ValueError with the nearest name; TypeError."""
    if isinstance(given, str):
        return task_embedder(check_choice(side, given, EMBEDDERS))
    return check_embedder(given)


def check_both_take(embedders: Sequence[Embedder[Any, Any]], family: TaskFamily | str) -> None:
    """Raise a ValueError unless both embedders read such tasks, and their maps show the same ones."""
    if not isinstance(family, TaskFamily):
        family = task_family(check_choice("family", family, FAMILIES))
    for side, embedder in zip(SIDES, embedders, strict=True):
        if not embedder.takes(family):
            able = [name for name in EMBEDDERS if task_embedder(name).takes(family)]
            cause = f"{embedder.name} reads {', '.join(readable_families(embedder))}."
            expected = f"one that reads {family.label.lower()} ({', '.join(able)})"
            raise ValueError(problem(side, repr(embedder.name), expected, cause))
    if not watch_the_same(embedders, family):
        names = " and ".join(repr(embedder.name) for embedder in embedders)
        cause = (
            f"Of {family.label.lower()} there are only so many: parameters, which trains a network for each task, "
            "shows them all, and the others show those that they never train on."
        )
        raise ValueError(problem("left and right", names, "two embedders whose maps show the same tasks", cause))


def for_each(
    embedders: Sequence[Embedder[Any, Any]],
    settings: Mapping[str, Any],
    own: Sequence[Mapping[str, Any] | None] = (None, None),
) -> list[dict[str, Any]]:
    """The settings of each side: of `settings` those that it has, and its `own`.

    Errors: ValueError for a setting that neither has, for one of `own` that this side does not have, and for one of
    `own` that both must share; TypeError unless `own` are dictionaries.
    """
    declared = [declared_settings(embedder) for embedder in embedders]
    known = _former(settings, declared)
    for name in settings:
        check_choice("setting", name, known)
    parted = []
    for side, mine, theirs in zip(SIDES, declared, own, strict=True):
        given = _checked_own(side, theirs, mine)
        here = {name: value for name, value in settings.items() if name in mine or name in _former(settings, [mine])}
        parted.append(current_values({**here, **given}, mine))
    return parted


def _checked_own(side: str, own: Mapping[str, Any] | None, declared: Mapping[str, Any]) -> dict[str, Any]:
    if own is None:
        return {}
    if not isinstance(own, Mapping):
        cause = f"Write {side}_settings={{'metric': 'cosine'}}."
        raise TypeError(problem(f"{side}_settings", own, "settings by name", cause))
    for name in own:
        if name in Setup.declared():
            cause = f"Both sides share it: give it to the lab itself, {name}={own[name]!r}."
            raise ValueError(problem(f"{side}_settings", repr(name), "a setting of the embedder's own", cause))
        check_choice(f"{side}_settings", name, _former(own, [declared]))
    return dict(own)


def _former(given: Iterable[str], declared: Sequence[Mapping[str, Any]]) -> list[str]:
    """All names by which these settings may be given: of today, and former ones that were given."""
    today = dict.fromkeys(name for each in declared for name in each)
    former = {old for each in declared for setting in each.values() for old in setting.formerly}
    return [*today, *(name for name in given if name in former)]
