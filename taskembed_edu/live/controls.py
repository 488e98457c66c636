"""Controls made from declared settings: what the page needs to know to draw one slider, menu or number field for each.

And the way back: what a page sends is brought to the setting's kind and range here, or refused in words.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from typing import Any

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.settings import Setting
from taskembed_edu.session.session import Session

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
    "number_words": "Languages",
    "mlp": "Perceptron",
    "conv": "Convolutional",
    "gru": "GRU",
    "lstm": "LSTM",
    "shared": "One for all",
    "own": "One each",
    "adam": "Adam",
    "sgd": "SGD",
    "weights": "Weights",
    "outputs": "Outputs",
    "fisher": "Fisher information",
    "raw": "As they are",
    "difference": "From the start",
    "whitened": "Whitened",
    "hidden_1": "Hidden 1",
    "hidden_2": "Hidden 2",
    "convolution_1": "Convolution 1",
    "convolution_2": "Convolution 2",
    "number": "Number",
    "input": "Input",
    "recurrent": "Recurrent",
    "output": "Output",
    "none": "None",
    "relu": "ReLU",
    "filter": "By filter",
    "weight": "By weight",
    "drawn": "Drawn from the prediction",
    "expected": "All, by their probability",
    "yes": "Yes",
    "no": "No",
    "tanh": "tanh",
    "umap": "UMAP",
    "pca": "PCA",
    "auto": "Automatic",
    "cpu": "CPU",
    "cuda": "CUDA GPU",
    "fourier": "Fourier features",
    "plain": "Plain coordinates",
}

# A slider over more whole numbers than this could not be put on any of them by hand.
_MOST_STOPS = 10_000


def say(value: Any) -> str:
    """A value in words: its label for a name, at most three digits for a number."""
    return f"{value:.3g}" if isinstance(value, float) else WORDS.get(str(value), str(value))


def say_setting(declared: Setting, value: Any) -> str:
    """A setting and its value in words: "margin 1"; "Cosine distance", which says by itself what it is."""
    label, words = declared.label.lower(), say(value)
    return words if label in words.lower() else f"{label} {words}"


def control_specs(session: Session, main: Collection[str], pending: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One control a setting, as plain dictionaries: those named in `main` first, the others in their own order.

    `pending` are values that wait for a reset: they are what the control shows. Each entry has

    - `name`, `label`, `help`; `value`; `enabled` (it has an effect just now), `live` (it applies while training runs),
      `main` (always in sight), `wished` (it waits for a reset);
    - `kind`: "range" (a slider from `low` to `high` by `step`), "number" (a field with these bounds), "choice" (a menu
      of `options`) or "steps" (a slider over `options`, for settings that grow by factors).
    """
    shown = {name: declared for name, declared in session.declared().items() if not declared.hidden}
    names = [*(name for name in main if name in shown), *(name for name in shown if name not in main)]
    values = {**session.values(), **pending}
    return [
        {
            "name": name,
            "label": shown[name].label,
            "help": shown[name].help,
            **_kind(_as_offered(session, name, pending), values[name], owner_of(session, name), session.own_families),
            "value": values[name],
            "live": shown[name].live,
            "enabled": bool(shown[name].applies(owner_of(session, name))),
            "main": name in main,
            "wished": name in pending,
        }
        for name in names
    ]


def _as_offered(session: Session, name: str, pending: Mapping[str, Any] | None) -> Setting:
    """A setting's declaration, with the choices that make sense here: families that can be read, layers that are.

    What applies at reset must suit the tasks that are wished; what applies at once, the run as it is.
    """
    declared = session.declared()[name]
    offered = session.offers(name, None if declared.live else pending)
    return declared if offered is None else dataclasses.replace(declared, choices=offered, open=name == "family")


def owner_of(session: Session, name: str) -> Any:
    """The settings object that holds this setting: the session's own, or the embedder's."""
    return session.setup if name in session.setup.declared() else session.settings


def page_value(session: Session, name: str, value: Any, pending: Mapping[str, Any] | None = None) -> Any:
    """A value that came from a page, as the setting's own kind and within its range; `pending` wait for a reset.

    Sliders learn of a new range late, so a number beyond it is brought into it. Errors: ValueError or TypeError, with
    words for the learner, for an unknown name, a choice that is none, text or NaN where a number belongs.
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
    high = wanted.highest(owner)
    value = max(value, wanted.low) if wanted.low is not None else value
    value = min(value, high) if high is not None else value
    return round(value) if isinstance(session.values()[name], int) else float(value)


def _kind(declared: Setting, value: Any, owner: Any, own: Collection[str]) -> dict[str, Any]:
    low, high = declared.low, declared.highest(owner)
    if declared.choices:
        return _chosen_from("choice", [(choice, say(choice)) for choice in _choices(declared, value, owner, own)])
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
    # A menu is sent along with the setting that narrows it: what the narrower one will not take is set right there.
    choices = list(declared.choices if all_of_them else declared.choices_for(owner))
    # An open menu holds what is set and the families of one's own too: who leaves one finds the way back.
    return list(dict.fromkeys([*choices, *own, value])) if declared.open else choices


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times each power of ten from low to high: what a person would type."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = (float(f"{first}e{power}") for power in powers for first in (1, 2, 5))
    return [number for number in numbers if low <= number <= high]
