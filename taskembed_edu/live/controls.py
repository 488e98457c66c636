"""Controls made from declared settings: one slider, menu or number field for each, with its label and its help."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets

from taskembed_edu.settings import Setting

# How values are read by people; names without an entry are shown as they are.
WORDS = {
    "contrastive": "Contrastive",
    "contrastive_squared": "Contrastive, squared (Hadsell)",
    "triplet": "Triplet",
    "info_nce": "InfoNCE",
    "prototypical": "Prototypical",
    "euclidean": "Euclidean",
    "squared_euclidean": "Squared Euclidean",
    "manhattan": "Manhattan",
    "cosine": "Cosine distance",
    "all": "All",
    "hard": "Hardest",
    "semi-hard": "Semi-hard",
    "sinusoids": "Sine waves",
    "gaussians": "Gaussian classes",
    "digits": "Handwritten digits",
    "umap": "UMAP",
    "pca": "PCA",
    "auto": "Automatic",
    "cpu": "CPU",
    "cuda": "CUDA GPU",
}

_AT_RESET = " (applies at reset)"


def say(value: Any) -> str:
    """A value in words: its label for a name, at most three digits for a number."""
    return f"{value:.3g}" if isinstance(value, float) else WORDS.get(str(value), str(value))


class Control:
    """One setting's label and widget. `show(value, ...)` moves it without telling anyone."""

    def __init__(self, name: str, declared: Setting, value: Any, on_change: Callable[[str, Any], None]) -> None:
        self.name, self.declared = name, declared
        self._on_change = on_change
        # The thread that is showing a value just now: only its changes are the lab's own and not a person's.
        self._quiet: int | None = None
        # What a person asked for and the session has not yet confirmed. Until then the widget is theirs: news of an
        # older value must not pull the slider from under a moving hand.
        self._asked: Any = None
        self.widget = _widget(declared, value)
        self.widget.tooltip = declared.help
        self.widget.add_class(f"te-set-{name}")
        self.label = widgets.Label(_label(declared), tooltip=declared.help)
        self.label.add_class("te-control-label")
        self.box = widgets.VBox([self.label, self.widget])
        self.box.add_class("te-control")
        self.widget.observe(self._changed, names="value")

    def show(self, value: Any, settings: Any) -> None:
        """Show this value, with the range, the choices and the use that the other settings leave it."""
        self._quiet = threading.get_ident()
        try:
            self._fit(settings)
            if isinstance(self.widget, widgets.SelectionSlider) and value not in self._options():
                self.widget.options = _labelled(sorted({*self._options(), value}))
            if self._asked is None and self.widget.value != value:
                self.widget.value = value
            if self._asked == value:
                self._asked = None
            self.widget.disabled = not self.declared.applies(settings)
        finally:
            self._quiet = None

    def forget(self) -> None:
        """What was asked for is settled, one way or the other: show the session's value again."""
        self._asked = None

    def _fit(self, settings: Any) -> None:
        choices = self.declared.choices_for(settings)
        if choices and tuple(self._options()) != choices:
            self.widget.options = [(say(choice), choice) for choice in choices]
        if callable(self.declared.high):
            self.widget.max = self.declared.high(settings)

    def _options(self) -> list[Any]:
        return [value for _words, value in self.widget.options]

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self._quiet != threading.get_ident():
            self._asked = change["new"]
            self._on_change(self.name, change["new"])


def _label(declared: Setting) -> str:
    return declared.label + ("" if declared.live else _AT_RESET)


def _widget(declared: Setting, value: Any) -> Any:
    full = widgets.Layout(width="auto")
    if declared.choices:
        return widgets.Dropdown(options=[(say(c), c) for c in declared.choices], value=value, layout=full)
    low, high = declared.low, declared.high
    if declared.log and low is not None and isinstance(high, (int, float)):
        options = _labelled(sorted({*_round_numbers(low, high), value}))
        return widgets.SelectionSlider(options=options, value=value, layout=full)
    ends = {"min": low, "max": high if isinstance(high, (int, float)) else max(value, 1.0), "layout": full}
    if isinstance(value, float):
        return widgets.FloatSlider(value=value, step=declared.step, readout_format=".2f", **ends)
    if ends["max"] > 10_000:
        return widgets.BoundedIntText(value=value, **ends)
    return widgets.IntSlider(value=value, step=int(declared.step or 1), **ends)


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times each power of ten from low to high: what a person would type."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = (float(f"{first}e{power}") for power in powers for first in (1, 2, 5))
    return [number for number in numbers if low <= number <= high]


def _labelled(numbers: list[float]) -> list[tuple[str, float]]:
    return [(f"{number:g}", number) for number in numbers]
