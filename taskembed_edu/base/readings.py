"""A reading is a number that is kept with every frame. It is declared once: its name, its meaning, where it is shown.

The history, the page's curves and help, the closing table of `taskembed run` and the static picture all work from this
declaration; none of them names a single reading. A score (`evaluation.registry.Score`) is a reading that knows how it
is computed. An embedder declares the readings that its own steps report (`Embedder.readings`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from taskembed_edu.base.checks import check_choice, problem

# The panels of curves, in the order of the page. A reading may name a panel of its own, which comes after these.
LOSS_PANEL, DISTANCE_PANEL, SCORES_PANEL, PAIRS_PANEL = "Loss", "Mean distance", "Scores", "Active pairs"
PANELS = (LOSS_PANEL, DISTANCE_PANEL, SCORES_PANEL, PAIRS_PANEL)

# figures/colours.py defines the actual colour of each name in the light and the dark theme.
COLOURS = ("blue", "vermillion", "green", "purple", "orange", "sky")
DASHES = ("-", "--", "-.", ":")

# Reserved: the first columns of every table have these names.
_TAKEN = ("step", "task", "name")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The declaration of one number: `name` in tables and in code, `label` on the page, `help` in one sentence.

    `low` and `high` are the ends of its range. `panel` is the title of the panel that shows its curve (None: no curve).
    The curve has this `colour` (one of `COLOURS`) and, in the static picture, this `dash` (as matplotlib writes it).
    The axis of a panel ends at 1 if the range of each of its readings does.

    `beside_map`: it is also shown below the map. `closing`: the report at the end of a run includes it; `short` is its
    description in that table (default: the help). `in_distance_units`: its unit is that of the embedding's distance, so
    its curve is interrupted where that unit changes. `of_pairs`: it has a meaning only if training compares pairs.

    Errors: ValueError for a name that is not a word, a help that is not a sentence, an empty range, an unknown colour
    or dash.

    >>> Reading(name="gap", label="Gap", help="How far the groups lie apart.", high=1.0).shown
    True
    """

    name: str
    label: str
    help: str
    low: float = 0.0
    high: float = math.inf
    panel: str | None = SCORES_PANEL
    colour: str = "orange"
    dash: str = "-"
    beside_map: bool = False
    closing: bool = False
    short: str = ""
    in_distance_units: bool = False
    of_pairs: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_@]*", self.name) or self.name in _TAKEN:
            cause = "It names a column of tables and a key of `frame.diagnostics`; `label` is what a reader sees."
            expected = f"a word of a-z, 0-9, _ and @ that begins with a letter, and none of {', '.join(_TAKEN)}"
            raise ValueError(problem("name", repr(self.name), expected, cause))
        if not self.label or not self.help.endswith("."):
            cause = f"The page explains {self.name!r} with it."
            raise ValueError(
                problem("label and help", f"{self.label!r} and {self.help!r}", "a word and a sentence", cause)
            )
        if not self.low < self.high:
            raise ValueError(problem("low and high", f"{self.low:g} and {self.high:g}", "low below high"))
        check_choice("colour", self.colour, COLOURS)
        check_choice("dash", self.dash, DASHES)

    @property
    def shown(self) -> bool:
        """Whether the page shows it anywhere. A reading that is not shown appears only in tables and files."""
        return self.panel is not None or self.beside_map


def panels_of(readings: Iterable[Reading]) -> dict[str, list[Reading]]:
    """The panels that have a curve, by title, each with its readings: the page's panels first, then custom ones."""
    readings = list(readings)
    own = dict.fromkeys(reading.panel for reading in readings if reading.panel is not None)
    filled = {title: [each for each in readings if each.panel == title] for title in dict.fromkeys((*PANELS, *own))}
    return {title: members for title, members in filled.items() if members}


def check_names_differ(readings: Iterable[Reading]) -> None:
    """Raise a ValueError if two readings have the same name: a frame keeps one number per name."""
    names: set[str] = set()
    for reading in readings:
        if reading.name in names:
            cause = "A score or another reading of the embedder has it: rename yours."
            raise ValueError(problem("readings", f"two called {reading.name!r}", "a name for each", cause))
        names.add(reading.name)
