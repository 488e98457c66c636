"""Values as Python writes them: for the lines of code that repeat a run."""

from __future__ import annotations

import ast
import dataclasses
import json
from typing import Any

from taskembed_edu.base.by_value import same
from taskembed_edu.base.settings import as_python


def spelt(value: Any) -> str:
    """A value as a Python literal; text in double quotes, as everywhere in the course.

    >>> spelt({"metric": "cosine", "margin": 0.5})
    '{"metric": "cosine", "margin": 0.5}'
    """
    value = as_python(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{spelt(key)}: {spelt(entry)}" for key, entry in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def as_json(value: Any) -> Any:
    """The value in Python's own types where JSON can hold it; else as text, so that what it belongs to can be saved.

    >>> as_json((1, 2)), as_json(1j)
    ((1, 2), '1j')
    """
    value = as_python(value)
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return repr(value)
    return value


def can_be_spelt(made: Any) -> bool:
    """Whether `constructor` writes this dataclass so that Python reads it again: a function or NaN has no literal."""
    try:
        for field in dataclasses.fields(made):
            if field.init and not same(value := getattr(made, field.name), _default(field)):
                ast.literal_eval(spelt(value))
    except (ValueError, SyntaxError, TypeError):
        return False
    return True


def constructor(made: Any) -> str:
    """The call that makes this dataclass again, without the fields that have their defaults.

    >>> from taskembed_edu.tasks import Gaussians
    >>> constructor(Gaussians(n_way=3))
    'Gaussians(n_way=3)'
    """
    given = [
        f"{field.name}={spelt(value)}"
        for field in dataclasses.fields(made)
        if field.init and not same(value := getattr(made, field.name), _default(field))
    ]
    return f"{type(made).__name__}({', '.join(given)})"


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
