"""How a hyperparameter is declared: once, with its range, its label and its help.

A settings class is a frozen dataclass whose fields are made with `setting(...)`. From that one declaration come the
slider, the event log's name, the command line's option, the range check with its message and the documentation's table.

    @dataclass(frozen=True)
    class MetricSettings(Settings):
        margin: float = setting(1.0, low=0.0, high=6.0, step=0.05, label="Margin", help="How far apart ...")

Floor 0: knows numbers and words, no screen.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from taskembed_edu.base.checks import check_choice, check_number, problem


def _always(settings: object) -> bool:
    return True


@dataclass(frozen=True)
class Setting:
    """What is known of one hyperparameter, beside its value.

    `high` may be a function of the whole settings object, where the range follows another setting (the margin's
    follows the metric). `live` says whether it may change while training runs; if not, it applies at reset.
    `allowed` narrows the choices by the other settings (semi-hard mining is for triplets).
    `applies` says whether it has an effect at all, given the others (InfoNCE has no margin). `log` asks for a
    logarithmic slider, `advanced` for a place behind a fold. `hidden` settings have no control and no option: they are
    moved by a verb of their own and are declared so that a recording can name them. `open` choices are the names that
    come with the package, and whoever takes the setting may know others.
    """

    label: str
    help: str
    low: float | None = None
    high: float | Callable[[Any], float] | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    allowed: Callable[[Any], tuple[str, ...]] | None = None
    live: bool = True
    log: bool = False
    advanced: bool = False
    hidden: bool = False
    open: bool = False
    applies: Callable[[Any], bool] = _always

    def highest(self, settings: Any) -> float | None:
        """The upper end of the range, given the other settings."""
        return self.high(settings) if callable(self.high) else self.high

    def choices_for(self, settings: Any) -> tuple[str, ...]:
        """The choices that are left, given the other settings."""
        return self.allowed(settings) if self.allowed else self.choices


def setting(default: Any, *, label: str, help: str, **declaration: Any) -> Any:
    """A dataclass field that carries its declaration; see `Setting` for what can be declared."""
    return dataclasses.field(default=default, metadata={"setting": Setting(label, help, **declaration)})


@dataclass(frozen=True)
class Settings:
    """Base of every settings class: checks itself when made, so that no bad value ever reaches the training loop.

    A number may come from numpy; what is kept is Python's own, which a recording and a line of code can spell.
    """

    def __post_init__(self) -> None:
        for name, declared in self.declared().items():
            _check_value(self, name, declared)
        for name in self.declared():
            object.__setattr__(self, name, _plain(getattr(self, name), _default(self, name)))

    @classmethod
    def declared(cls) -> dict[str, Setting]:
        """The declaration of each field, by its name, in order."""
        return {f.name: f.metadata["setting"] for f in dataclasses.fields(cls) if "setting" in f.metadata}

    @classmethod
    def check_names(cls, names: Iterable[str]) -> None:
        """Raise, naming the nearest known one, if a name is not a setting of this class."""
        for name in names:
            check_choice("setting", name, cls.declared())

    def changed(self, **changes: Any) -> Self:
        """A copy with these values; others whose range shrank by the change are brought back into it.

        A value that the caller named is not: asking for a margin beyond the range is an error.
        """
        return self._with(changes, forgiven=set(self.declared()) - set(changes))

    def clamped(self, **changes: Any) -> Self:
        """As `changed`, but a named value beyond its range is brought into it too.

        For sliders: one may be moved before it has learnt of its new end.
        """
        return self._with(changes, forgiven=set(self.declared()))

    def _with(self, changes: Mapping[str, Any], forgiven: set[str]) -> Self:
        self.check_names(changes)
        values = {**self.as_dict(), **changes}
        wished = _Unchecked(values)
        for name, declared in self.declared().items():
            if declared.choices and not declared.open:
                # First: a range that follows an unknown name would fail without naming it.
                check_choice(name, values[name], declared.choices)
        for name, declared in self.declared().items():
            if name in forgiven and callable(declared.high):
                values[name] = min(values[name], declared.high(wished))
            if name in forgiven and declared.allowed and values[name] not in (left := declared.allowed(wished)):
                values[name] = left[0]
        return type(self)(**values)

    def difference(self, other: Settings) -> dict[str, Any]:
        """The values of `other` where they differ from this one's."""
        theirs = dataclasses.asdict(other)
        return {name: theirs[name] for name, value in dataclasses.asdict(self).items() if theirs[name] != value}

    def as_dict(self) -> dict[str, Any]:
        """Plain names and values, as a recording stores them."""
        return dataclasses.asdict(self)


class _Unchecked:
    """Settings that are being put together: readable by a range that follows another setting, not yet checked."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def _check_value(settings: Settings, name: str, declared: Setting) -> None:
    value = getattr(settings, name)
    if declared.open:
        if not isinstance(value, str):
            raise TypeError(problem(name, value, "a name", declared.help))
    elif declared.choices:
        check_choice(name, value, declared.choices_for(settings))
    elif declared.low is not None or declared.high is not None:
        check_number(name, value, declared.low, declared.highest(settings), declared.help)
        if isinstance(_default(settings, name), int) and not isinstance(value, numbers.Integral):
            raise TypeError(problem(name, value, "a whole number", declared.help))
    elif isinstance(value, (bool, str)):
        return
    elif not isinstance(value, numbers.Real):
        raise TypeError(problem(name, value, "a number", declared.help))


def _plain(value: Any, default: Any) -> Any:
    """A number as Python's own int or float, a whole one as the default's kind; everything else as it came."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return value
    if isinstance(value, numbers.Integral):
        return float(value) if isinstance(default, float) else int(value)
    return float(value)


def _default(settings: Settings, name: str) -> Any:
    return next(field.default for field in dataclasses.fields(settings) if field.name == name)
