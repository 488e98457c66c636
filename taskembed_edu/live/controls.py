"""Controls made from declared settings: one slider, menu or number field for each, with its label and its help."""

from __future__ import annotations

import math
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
        self._on_change, self._quiet = on_change, False
        self.widget = _widget(declared, value)
        self.widget.tooltip = declared.help
        self.widget.add_class(f"te-set-{name}")
        self.label = widgets.Label(_label(declared), tooltip=declared.help)
        self.label.add_class("te-control-label")
        self.box = widgets.VBox([self.label, self.widget])
        self.box.add_class("te-control")
        self.widget.observe(self._changed, names="value")

    def show(self, value: Any, high: float | None, applies: bool) -> None:
        """Show this value, this upper end of the range, and whether the setting has an effect now."""
        self._quiet = True
        try:
            if high is not None and hasattr(self.widget, "max") and not self.declared.log:
                self.widget.max = max(high, self.widget.min) if isinstance(high, float) else int(high)
            if self.widget.value != value:
                self.widget.value = value
            self.widget.disabled = not applies
        finally:
            self._quiet = False

    def _changed(self, change: Mapping[str, Any]) -> None:
        if not self._quiet:
            self._on_change(self.name, change["new"])


def _label(declared: Setting) -> str:
    return declared.label + ("" if declared.live else _AT_RESET)


def _widget(declared: Setting, value: Any) -> Any:
    full = widgets.Layout(width="auto")
    if declared.choices:
        options = [(WORDS.get(choice, choice), choice) for choice in declared.choices]
        return widgets.Dropdown(options=options, value=value, layout=full)
    high = declared.high if isinstance(declared.high, (int, float)) else None
    if declared.log and declared.low is not None and high is not None:
        ends = (math.log10(declared.low), math.log10(high))
        return widgets.FloatLogSlider(
            value=value, min=ends[0], max=ends[1], step=0.05, readout_format=".2g", layout=full
        )
    if isinstance(value, float):
        ceiling = high if high is not None else max(value, 6.0)
        return widgets.FloatSlider(
            value=value, min=declared.low, max=ceiling, step=declared.step, readout_format=".2f", layout=full
        )
    if high is not None and high > 10_000:
        return widgets.BoundedIntText(value=value, min=int(declared.low or 0), max=int(high), layout=full)
    return widgets.IntSlider(
        value=value, min=int(declared.low or 0), max=int(high or 100), step=int(declared.step or 1), layout=full
    )
