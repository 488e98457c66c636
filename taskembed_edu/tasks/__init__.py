"""Task families: each samples tasks and knows their truth. `FAMILIES` lists them all by name."""

from __future__ import annotations

from taskembed_edu.base.checks import check_choice
from taskembed_edu.tasks.alphabets import Alphabets
from taskembed_edu.tasks.base import Episode, Split, Task, TaskBatch, TaskFamily
from taskembed_edu.tasks.digits import Digits
from taskembed_edu.tasks.gaussians import Gaussians
from taskembed_edu.tasks.language_names import LanguageNames
from taskembed_edu.tasks.number_words import NumberWords
from taskembed_edu.tasks.omniglot import Omniglot
from taskembed_edu.tasks.own import OwnTasks
from taskembed_edu.tasks.sinusoids import Sinusoids

# In the order of the labs' menu.
_OF_THE_PACKAGE = (Sinusoids, Gaussians, Digits, Alphabets, Omniglot, NumberWords, LanguageNames)
FAMILIES: dict[str, type[TaskFamily]] = {family.name: family for family in _OF_THE_PACKAGE}


def task_family(name: str) -> TaskFamily:
    """The family of this name with its defaults; a ValueError names the nearest known one."""
    return FAMILIES[check_choice("family", name, FAMILIES)]()


def at_hand() -> list[str]:
    """The names of the families that need nothing which has to be fetched first."""
    return [name for name, family in FAMILIES.items() if family.is_at_hand()]


def is_of_the_package(family: TaskFamily) -> bool:
    """Whether this is a family of the package, and not one of your own with its name."""
    return FAMILIES.get(family.name) is type(family)


__all__ = [
    "FAMILIES",
    "Alphabets",
    "Digits",
    "Episode",
    "Gaussians",
    "LanguageNames",
    "NumberWords",
    "Omniglot",
    "OwnTasks",
    "Sinusoids",
    "Split",
    "Task",
    "TaskBatch",
    "TaskFamily",
    "at_hand",
    "is_of_the_package",
    "task_family",
]
