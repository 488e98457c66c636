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
    """A setting and its value in words: "margin 1"; only "Cosine distance" if the value contains the label."""
    label, words = declared.label.lower(), say(declared, value)
    return words if label in words.lower() else f"{label} {words}"


def say_named(declared: Setting, value: Any) -> str:
    """A setting and its value, the label always first and never twice: "distance Cosine", "mining All"."""
    label, words = declared.label.lower(), say(declared, value)
    kept = [word for word in words.split() if word.lower() != label]
    return " ".join([label, *kept])
