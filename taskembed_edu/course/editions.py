"""Two editions of a lesson from one source: the lecturer's with solutions and outputs, the learner's without.

A cell of an exercise holds both, between marks:

    # solution
    my_distance = math.sqrt(18)
    # stub
    # my_distance = None  # put your number in place of None
    # end
    check("00.opposite_waves", my_distance)

The committed lesson is the lecturer's edition: it runs as it stands, and nbval compares it. The learner's edition has
the stub in place of the solution and no outputs, which would give away what happens; the picture of a lab before its
first step stays. For the same reason an explanation that follows the outcome of a prediction is folded there.
Nothing here imports torch: `taskembed lab` must start quickly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SOLUTION, STUB, END = "# solution", "# stub", "# end"

# Cells and outputs with these tags: a cell for the lecturer only; an output that shows nothing but the beginning.
LECTURER_ONLY, KEEPS_ITS_OUTPUT = "lecturer", "step-0"

_MARKED = re.compile(
    rf"^(?P<indent>[ \t]*){SOLUTION}\n(?P<solution>.*?)^[ \t]*{STUB}\n(?P<stub>.*?)^[ \t]*{END}(?:\n|\Z)", re.M | re.S
)
_COMMENTED = re.compile(r"^([ \t]*)# ?", re.M)
_OUTCOME = re.compile(r"\boutcome\(")
_EXPLAIN = re.compile(r"\A\*\*Explain\.\*\*\s+(?P<explanation>.*?)\s*(?P<rest>^#+ .*)?\Z", re.M | re.S)
_FOLDED = "<details><summary><b>Explain.</b> Say it in one sentence of your own. Then open ours.</summary>"
_CHECKS = re.compile(r"\bcheck\(\s*[\"']([^\"']+)[\"']")


def learner_edition(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """The learner's edition of a notebook's JSON: stubs for solutions, no outputs, no cell for the lecturer only."""
    kept = [cell for cell in notebook["cells"] if LECTURER_ONLY not in _tags(cell)]
    cells = [_learner_cell(cell, before) for before, cell in zip([None, *kept], kept, strict=False)]
    return {**notebook, "cells": cells}


def _learner_cell(cell: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        gives_away = before is not None and before["cell_type"] == "code" and _OUTCOME.search(text_of(before))
        return {**cell, "source": folded(text_of(cell))} if gives_away else dict(cell)
    source = stub(text_of(cell))
    kept: dict[str, Any] = {"outputs": [], "execution_count": None}
    return {**cell, "source": source, **({} if KEEPS_ITS_OUTPUT in _tags(cell) else kept)}


def folded(text: str) -> str:
    """A text whose explanation, up to the next heading, is opened by a click.

    >>> print(folded("**Explain.** It is 3.\\n\\n## Next"))
    <details><summary><b>Explain.</b> Say it in one sentence of your own. Then open ours.</summary>
    <BLANKLINE>
    It is 3.
    <BLANKLINE>
    </details>
    <BLANKLINE>
    ## Next
    """
    found = _EXPLAIN.match(text)
    if not found:
        return text
    parts = [_FOLDED, found["explanation"], "</details>", found["rest"] or ""]
    return "\n\n".join(parts).rstrip()


def stub(source: str) -> str:
    """A cell's source as the learner finds it: each solution is replaced by its stub.

    >>> print(stub("# solution\\nx = 3\\n# stub\\n# x = None  # your number\\n# end\\ncheck('00.x', x)"))
    x = None  # your number
    check('00.x', x)
    """
    return _MARKED.sub(lambda found: _COMMENTED.sub(r"\1", found["stub"]), source)


def solution(source: str) -> str:
    """A cell's source without the marks and the stub."""
    return _MARKED.sub(lambda found: found["solution"], source)


def exercises_in(source: str) -> list[str]:
    """The names of the exercises that a cell checks."""
    return _CHECKS.findall(source)


def problems(source: str) -> list[str]:
    """What is wrong with the marks of a cell: one that is missing, or an exercise without a stub."""
    counts = [len(re.findall(rf"^[ \t]*{mark}$", source, re.M)) for mark in (SOLUTION, STUB, END)]
    found = []
    if len(set(counts)) > 1 or counts[0] != len(_MARKED.findall(source)):
        found.append(f"the marks {SOLUTION!r}, {STUB!r}, {END!r} are not in order: found {counts}")
    if exercises_in(source) and not counts[0]:
        found.append(f"it checks {exercises_in(source)[0]} and holds no solution and stub")
    made = (("stub", stub(source)), ("solution", solution(source))) if counts[0] else ()
    for which, text in made:
        try:
            compile(text, which, "exec")
        except SyntaxError as error:
            found.append(f"its {which} is no Python: {error.msg}, line {error.lineno}")
    return found


def text_of(cell: Mapping[str, Any]) -> str:
    """A cell's source as one string."""
    source: str = joined(cell["source"])
    return source


def joined(text: Any) -> Any:
    """A text as one string: a notebook stores it as one string or as a list of lines. Anything else stays as it is."""
    is_lines = isinstance(text, list) and all(isinstance(line, str) for line in text)
    return "".join(text) if is_lines else text


def _tags(cell: Mapping[str, Any]) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", []))
