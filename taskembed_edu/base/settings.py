"""How a hyperparameter is declared: once, with its range, its label and its help.

A settings class is a frozen dataclass whose fields are made with `setting(...)`. The slider, the name in the event log,
the command line's option, the range check with its message and the documentation's table all follow from that one
declaration.

    @dataclass(frozen=True)
    class MetricSettings(Settings):
        margin: float = setting(1.0, low=0.0, high=6.0, step=0.05, label="Margin", help="How far apart ...")

Floor 0: it handles numbers and strings and knows no user interface.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from taskembed_edu.base.checks import check_choice, check_number, check_whole, problem
from taskembed_edu.base.former import Former, warn_renamed

Choices = Sequence[str] | Mapping[str, Any]
"""Names; or names with their labels, or with records that have a label."""


def _always(settings: object) -> bool:
    return True


@dataclass(frozen=True)
class Setting:
    """The declaration of one hyperparameter: everything about it except its value.

    - `high` may be a function of the whole settings object, if the range depends on another setting (the range of the
      margin depends on the metric).
    - `live`: it may change while training runs; if not, a change applies at reset.
    - `allowed` restricts the choices, given the other settings (semi-hard mining is for triplets).
    - `applies`: whether it has an effect at all, given the other settings (InfoNCE has no margin).
    - `log`: it has a logarithmic slider.
    - `advanced`: its control is in a part of the page that is folded at first.
    - `hidden`: it has no control and no option. A method of its own changes it; it is declared so that a recording can
      name it.
    - `open`: `choices` lists only the names that come with the package; the code that uses the setting may accept more.
    - `projected`: it stays visible in projector mode.
    - `zero`: what its value 0 means, where that is no number like the others.
    - `value_first`: in a sentence the value stands before the label: "Cosine distance", but "margin 1".
    - `above_map`: its control is above the map and not in the column of settings.

    `choices` are names, each with its label: a mapping from name to label, or to a record that has one (`menu_label` if
    that is not empty, else `label`). A registry is not copied: an entry that is added later is a choice too.

    `formerly` lists the names that the setting had in earlier versions, `renamed` maps former names of choices to
    current ones: `current_values` translates both, so that old code and old recordings still work.
    """

    label: str
    help: str
    low: float | None = None
    high: float | Callable[[Any], float] | None = None
    step: float | None = None
    choices: Choices = ()
    allowed: Callable[[Any], tuple[str, ...]] | None = None
    live: bool = True
    log: bool = False
    advanced: bool = False
    hidden: bool = False
    open: bool = False
    projected: bool = False
    zero: str = ""
    above_map: bool = False
    value_first: bool = False
    applies: Callable[[Any], bool] = _always
    formerly: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def highest(self, settings: Any) -> float | None:
        """The upper end of the range, given the other settings."""
        return self.high(settings) if callable(self.high) else self.high

    def clamp(self, value: Any, settings: Any, default: Any) -> Any:
        """The number clamped to the range, and rounded if the default is an int.

        Anything that is not a finite number is returned unchanged, and the check that follows refuses it. This is the
        only place where a value is clamped; `Settings.clamped` says when.
        """
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
            return value
        low, high = self.low, self.highest(settings)
        value = max(value, low) if low is not None else value
        value = min(value, high) if high is not None else value
        return round(value) if isinstance(default, int) and not isinstance(default, bool) else value

    def choices_for(self, settings: Any) -> tuple[str, ...]:
        """The choices that are allowed, given the other settings."""
        return self.allowed(settings) if self.allowed else tuple(self.choices)

    def label_of(self, choice: str) -> str:
        """The label of this choice; its name if no label was declared."""
        record = self.choices.get(choice) if isinstance(self.choices, Mapping) else None
        if record is None or isinstance(record, str):
            return record or str(choice)
        return str(getattr(record, "menu_label", "") or record.label)


def setting(default: Any, *, label: str, help: str, **declaration: Any) -> Any:
    """A dataclass field that carries its declaration; see `Setting` for what can be declared."""
    return dataclasses.field(default=default, metadata={"setting": Setting(label, help, **declaration)})


def current_values(values: Mapping[str, Any], declared: Mapping[str, Setting], *, warn: bool = True) -> dict[str, Any]:
    """The same values, with former names of settings and choices replaced by the current ones.

    With `warn`, a DeprecationWarning gives the current name to the author of the code. Recordings are translated
    without a warning: nobody wrote them by hand. Unknown names stay as they are, for the check that follows.

    Errors: ValueError if a setting is given twice, by a former name and by another of its names.

    >>> declared = {"restarts": Setting("Restarts", "How often.", low=0, formerly=("refits",))}
    >>> current_values({"refits": 2}, declared, warn=False)
    {'restarts': 2}
    """
    today = {old: name for name, setting in declared.items() for old in setting.formerly}
    current: dict[str, Any] = {}
    for given, value in values.items():
        name = today.get(given, given)
        if name in current:
            cause = f"{given!r} is a former name of {name!r}." if given in today else f"{name!r} had another name once."
            raise ValueError(problem("setting", f"{name!r} twice", "each setting once", cause))
        if given in today and warn:
            warn_renamed(f"setting {given!r}", repr(name))
        current[name] = _current_choice(name, value, declared[name], warn) if name in declared else value
    return current


def _current_choice(name: str, value: Any, declared: Setting, warn: bool) -> Any:
    if not isinstance(value, str) or value not in declared.renamed:
        return value
    if warn:
        warn_renamed(f"{name} {value!r}", repr(declared.renamed[value]))
    return declared.renamed[value]


@dataclass(frozen=True)
class Settings:
    """Base of every settings class. It checks its values when it is made, so no bad value reaches the training loop.

    A numpy number is accepted and stored as Python's own int or float: recordings and generated code can contain those.
    """

    def __post_init__(self) -> None:
        for name, declared in self.declared().items():
            object.__setattr__(self, name, _current_choice(name, getattr(self, name), declared, warn=True))
        for name, declared in self.declared().items():
            _check_value(self, name, declared)
        for name in self.declared():
            object.__setattr__(self, name, _plain(getattr(self, name), _default(self, name)))

    if not TYPE_CHECKING:  # a type checker should not believe that every attribute exists

        def __getattr__(self, name: str) -> Any:
            for today, declared in type(self).declared().items():
                if name in declared.formerly:
                    warn_renamed(f"setting {name!r}", repr(today))
                    return getattr(self, today)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @classmethod
    def declared(cls) -> dict[str, Setting]:
        """The declaration of each field, by its name, in order."""
        return {f.name: f.metadata["setting"] for f in dataclasses.fields(cls) if "setting" in f.metadata}

    @classmethod
    def check_names(cls, names: Iterable[str]) -> None:
        """Raise if a name is not a setting of this class; the error suggests the nearest one."""
        for name in names:
            check_choice("setting", name, cls.declared())

    def changed(self, **changes: Any) -> Self:
        """A copy with these values. Other settings are clamped if the change made their range smaller.

        The named values are not clamped: a margin outside its range is an error.
        """
        changes = current_values(changes, self.declared())
        return self._with(changes, clamped=set(self.declared()) - set(changes))

    def clamped(self, **changes: Any) -> Self:
        """As `changed`, but the named numbers are clamped to their range too.

        For sliders: a user may move one before the page has received its new range. A value that is not a finite number
        is still an error.
        """
        return self._with(current_values(changes, self.declared()), clamped=set(self.declared()))

    def _with(self, changes: Mapping[str, Any], clamped: set[str]) -> Self:
        self.check_names(changes)
        values = {**self.as_dict(), **changes}
        proposed = _Unchecked(values)
        for name, declared in self.declared().items():
            if declared.choices and not declared.open:
                # Names first: a range that depends on an unknown name would fail, and its error would not name it.
                check_choice(name, values[name], declared.choices)
        for name, declared in self.declared().items():
            if name in clamped and not declared.choices:
                values[name] = declared.clamp(values[name], proposed, _default(self, name))
            if name in clamped and declared.allowed and values[name] not in (left := declared.allowed(proposed)):
                values[name] = left[0]
        return type(self)(**values)

    brought_into_range = Former("clamped")

    def difference(self, other: Settings) -> dict[str, Any]:
        """The values of `other` where they differ from this one's."""
        theirs = dataclasses.asdict(other)
        return {name: theirs[name] for name, value in dataclasses.asdict(self).items() if theirs[name] != value}

    def as_dict(self) -> dict[str, Any]:
        """Plain names and values, as a recording stores them."""
        return dataclasses.asdict(self)


class _Unchecked:
    """Settings that are not checked yet; a range that depends on another setting reads them."""

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
        check = check_whole if isinstance(_default(settings, name), int) else check_number
        check(name, value, declared.low, declared.highest(settings), declared.help)
    elif isinstance(value, (bool, str)):
        return
    elif not isinstance(value, numbers.Real):
        raise TypeError(problem(name, value, "a number", declared.help))


def as_python(value: Any) -> Any:
    """The same value in Python's own types, for JSON and for code: numpy's numbers, arrays and tensors have none there.

    >>> as_python((np.float32(0.5), np.int64(3), [np.bool_(True)]))
    (0.5, 3, [True])
    """
    if isinstance(value, dict):
        return {as_python(key): as_python(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        parts = map(as_python, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, list):
        return [as_python(entry) for entry in value]
    if isinstance(value, torch.Tensor):
        return as_python(value.detach().cpu().numpy())
    if isinstance(value, np.ndarray):
        return [as_python(entry) for entry in value] if value.ndim else as_python(value[()])
    if isinstance(value, np.generic):
        # A float32 is written as the shortest number that reads back as it: 0.1, not 0.10000000149.
        return float(str(value)) if isinstance(value, np.floating) else value.item()
    return value


def _plain(value: Any, default: Any) -> Any:
    """A number as Python's own int or float (a whole number has the default's type); everything else unchanged."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return value
    if isinstance(value, numbers.Integral):
        return float(value) if isinstance(default, float) else int(value)
    return float(as_python(value))


def _default(settings: Settings, name: str) -> Any:
    return next(field.default for field in dataclasses.fields(settings) if field.name == name)
