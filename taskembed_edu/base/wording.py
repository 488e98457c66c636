"""A setting and its value in words: the same on the page, in a picture's caption and in a mark on a curve."""

from __future__ import annotations

from typing import Any

from taskembed_edu.base.settings import Setting


def say(declared: Setting, value: Any) -> str:
    """A setting's value in words: a choice by its label, a number with at most three digits."""
    if declared.zero and value == 0:
        return declared.zero
    return f"{value:.3g}" if isinstance(value, float) else declared.label_of(value)


def say_setting(declared: Setting, value: Any) -> str:
    """A setting and its value, the label never twice: "margin 1", "mining All", "Cosine distance"."""
    label = declared.label.lower()
    words = " ".join(word for word in say(declared, value).split() if word.lower() != label)
    return f"{words} {label}" if declared.value_first else f"{label} {words}"
