"""A conclusion over three seeds: the first is measured live, the others are kept in a file that one command makes.

    def mining(seed):
        ...
        return {"hard: recall@1": 0.31, "all: recall@1": 0.52}

    mine = mining(0)
    over_seeds("05.mining", mining, mine, ("hard: recall@1", 0.2, 0.5), ("all: recall@1", 0.4, 0.7))

One training run proves little, and three take three times as long. So a lesson runs one, and shows beside it what the
same lines gave with seeds 1 and 2. `make seeds` measures these two by running the lesson. The file remembers a hash of
the experiment's lines: where a learner changes them, the kept numbers are no longer of the same experiment, and are not
shown.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.files import write_whole
from taskembed_edu.course.expected import bands, checked_band
from taskembed_edu.course.shown import Shown, box, escaped

# The seed that a lesson runs, and those that are kept.
LIVE, KEPT = 0, (1, 2)

# Set to "measure" by `make seeds`: the kept seeds are then measured, and written.
MEASURE = "TASKEMBED_SEEDS"

FOLDER = Path(__file__).parent / "seeds"

Numbers = Mapping[str, float]
Experiment = Callable[[int], Numbers]

_CHANGED = "The experiment was changed, so seeds 1 and 2 are not shown: they were measured with other lines."
_HOW = "To measure them here, add again=True as the last argument. It takes twice as long as your own run."


@dataclass(frozen=True, repr=False)
class OverSeeds(Shown):
    """What `over_seeds` shows. `runs` holds the numbers of each seed, the learner's own first."""

    runs: tuple[Numbers, ...] = ()


def over_seeds(
    name: str, experiment: Experiment, mine: Numbers, *rows: tuple[str, float, float], again: bool = False
) -> OverSeeds:
    """The learner's numbers beside those of two more seeds, and the band: (label, low, high); end the cell with it.

    `experiment` takes a seed and gives numbers by label; `mine` is what it gave for seed 0. `again` measures seeds 1
    and 2 here. What nbval compares is whether all numbers lie in their bands.
    Errors: ValueError for a label that `mine` does not have, or no row; TypeError for numbers that are none, or an
    experiment that is no function.
    """
    if not rows:
        raise ValueError(problem("rows", "none", "one or more of (label, low, high)"))
    if not callable(experiment):
        cause = "Give its name without brackets."
        raise TypeError(problem("experiment", experiment, "the function that takes a seed", cause))
    labels = [_checked_row(row, mine) for row in rows]
    others, note = _others(name, experiment, again, labels)
    runs = (mine, *others)
    seeds = [f"yours (seed {LIVE})", *(f"seed {seed}" for seed in KEPT[: len(others)])]
    shown = bands([(label, [run[label] for run in runs], low, high) for label, low, high in rows], seeds)
    more = box("Your seed alone", escaped(note), tone="open") if note else ""
    return OverSeeds(shown.text, shown.page + more, f"{shown.said} {note}".rstrip(), runs)


def _checked_row(row: Any, mine: Any) -> str:
    """The label of a row that `mine` has a number for. Errors: TypeError, ValueError."""
    if not isinstance(mine, Mapping):
        cause = "It is what the experiment gave for seed 0. Is its `return` missing?"
        raise TypeError(problem("mine", mine, "numbers by label", cause))
    if isinstance(row, str) or not isinstance(row, Sequence) or len(row) != 3:
        raise ValueError(problem("row", repr(row), "(label, low, high)", "One row is a tuple of its own."))
    label, low, high = row
    check_choice("label", label, mine)
    checked_band((label, mine[label], low, high))
    return str(label)


def _others(name: str, experiment: Experiment, again: bool, labels: Sequence[str]) -> tuple[tuple[Numbers, ...], str]:
    """The numbers of the other seeds, and what is to be said where there are none."""
    measure = os.environ.get(MEASURE) == "measure"
    if measure or again:
        measured = tuple(_plain(experiment(seed)) for seed in KEPT)
        if not all(_has(run, labels) for run in measured):
            cause = "It must give the same labels for every seed."
            raise ValueError(problem("experiment", str(measured), f"numbers for {', '.join(labels)}", cause))
        if measure:
            keep(name, digest(sources(experiment)), measured)
        return measured, ""
    kept = read(name)
    if kept is None:
        return (), f"Seeds 1 and 2 of {name} are not kept with this course. {_HOW}"
    try:
        is_same = digest(sources(experiment)) == kept["source"]
    except (OSError, TypeError, AttributeError):  # not written in a cell: there are no lines to compare
        is_same = False
    if not is_same:
        return (), f"{_CHANGED} {_HOW}"
    if len(kept["runs"]) != len(KEPT) or not all(_has(run, labels) for run in kept["runs"]):
        return (), f"What is kept of {name} has not the numbers of these rows. {_HOW}"
    return tuple(kept["runs"]), ""


def _has(run: Numbers, labels: Sequence[str]) -> bool:
    return all(isinstance(run.get(label), (int, float)) for label in labels)


def _plain(numbers: Any) -> dict[str, float]:
    """Numbers of numpy and torch as Python's, rounded as far as two machines may agree. Errors: TypeError, ValueError.

    ValueError where a number is not finite.
    """
    if not isinstance(numbers, Mapping):
        raise TypeError(problem("experiment", numbers, "numbers by label", "Is its `return` missing?"))
    plain = {str(label): float(f"{float(value):.4g}") for label, value in numbers.items()}
    if not all(map(math.isfinite, plain.values())):
        raise ValueError(problem("experiment", str(plain), "finite numbers", "A run diverged."))
    return plain


# ---- the file ------------------------------------------------------------------------------------------------------


def place(name: str) -> Path:
    """The file of the experiment's kept seeds."""
    return FOLDER / f"{name}.json"


def keep(name: str, source: str, runs: Sequence[Numbers]) -> None:
    """Write the numbers of the kept seeds, with the hash of the lines that gave them."""
    FOLDER.mkdir(exist_ok=True)
    content = {"name": name, "source": source, "seeds": list(KEPT), "runs": [dict(run) for run in runs]}
    write_whole(place(name), (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def read(name: str) -> dict[str, Any] | None:
    """What is kept of an experiment; None where there is nothing, or nothing that is what `keep` writes."""
    try:
        found: Any = json.loads(place(name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    runs = found.get("runs") if isinstance(found, dict) else None
    is_whole = isinstance(runs, list) and all(isinstance(run, dict) for run in runs)
    return found if is_whole and isinstance(found.get("source"), str) else None


# ---- the lines of an experiment --------------------------------------------------------------------------------------


def digest(texts: Iterable[str]) -> str:
    """A hash of some functions' lines, whatever their order; empty lines and spaces at the end do not count."""
    plain = sorted("\n".join(line.rstrip() for line in text.splitlines() if line.strip()) for text in set(texts))
    return hashlib.sha256("\n\n".join(plain).encode()).hexdigest()


def sources(experiment: Experiment) -> list[str]:
    """The lines of a function of the notebook, and of those of the notebook that it calls, and so on.

    Errors: OSError, TypeError for what was not written in a cell.
    """
    if not isinstance(experiment, FunctionType):
        raise TypeError(problem("experiment", type(experiment).__name__, "a function that a cell defines"))
    found: dict[str, FunctionType] = {}
    waiting = [experiment]
    while waiting:
        function = inspect.unwrap(waiting.pop())  # the lines are those below a decorator
        if function.__name__ not in found:
            found[function.__name__] = function
            waiting += [each for each in _called(function) if each.__module__ == function.__module__]
    return [inspect.getsource(function) for function in found.values()]


def _called(function: FunctionType) -> list[FunctionType]:
    return [
        value for name in names(function.__code__) if isinstance(value := function.__globals__.get(name), FunctionType)
    ]


def names(code: CodeType) -> set[str]:
    """The global names that a function uses, and those inside it."""
    inner = (names(each) for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*inner)
