"""The leaderboard on which the lessons rest: half an hour of work, kept in a file that `make leaderboard` makes.

    board = kept_leaderboard()
    board["sinusoids, 5 shots"]["metric"]["recall@1"]       # mean over seeds, spread, number of seeds

The file remembers what was asked: the grid, each embedder's settings, and the scores. Where one of them has changed
since, the file is of another leaderboard, and a test says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from taskembed_edu.base.checks import check_choice
from taskembed_edu.base.files import write_whole
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.evaluation.benchmark import Summary, grid, leaderboard
from taskembed_edu.evaluation.registry import SCORES
from taskembed_edu.evaluation.results import Cell, Outcome

FILE = Path(__file__).with_name("leaderboard.json")

# Support sets as the tasks come (a wave: 16 points), and of 5 samples, of each class where there are classes.
SHOTS = (0, 5)


@dataclass(frozen=True)
class Kept:
    """What is kept: `where` says by which command, on which machine and when; `asked` is a hash (see `asked`)."""

    where: Mapping[str, str]
    asked: str
    outcomes: tuple[Outcome, ...]


def cells() -> list[Cell]:
    """The grid: every embedder of the package on every family that it takes, three seeds, with few and many samples."""
    return grid(shots=SHOTS)


def asked() -> str:
    """A hash of what a leaderboard is asked: its cells, the embedders' settings, and the names of the scores."""
    settings = {name: embedder.settings_class().as_dict() for name, embedder in EMBEDDERS.items()}
    scores = [name for name, score in SCORES.items() if score.closing]
    text = json.dumps([[asdict(cell) for cell in cells()], settings, scores], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def kept(file: Path = FILE) -> Kept:
    """What stands in the file. Errors: OSError without one."""
    data = json.loads(file.read_text(encoding="utf-8"))
    rows = (Outcome(Cell(**row.pop("cell")), **row) for row in data["outcomes"])
    return Kept(data["where"], data["asked"], tuple(rows))


def keep(outcomes: Sequence[Outcome], where: Mapping[str, str], file: Path = FILE) -> None:
    """Write the file."""
    rows = [_row(outcome) for outcome in outcomes]
    lines = ",\n  ".join(json.dumps(row, sort_keys=True) for row in rows)
    head = f'"asked": {json.dumps(asked())},\n "where": {json.dumps(dict(where))}'
    write_whole(file, f'{{{head},\n "outcomes": [\n  {lines}\n]}}\n'.encode())


def _row(outcome: Outcome) -> dict[str, Any]:
    scores = {name: float(f"{value:.4g}") for name, value in outcome.scores.items()}
    return {
        "cell": asdict(outcome.cell),
        "scores": scores,
        "seconds": round(outcome.seconds, 1),
        "reason": outcome.reason,
    }


def kept_leaderboard(families: Iterable[str] | None = None) -> dict[str, dict[str, dict[str, Summary]]]:
    """The tables by name ("sinusoids", "sinusoids, 5 shots"), embedder and score; some families' alone if named.

    Errors: ValueError for a family that is not in it.
    """
    outcomes = kept().outcomes
    if families is not None:
        named = [families] if isinstance(families, str) else families
        known = dict.fromkeys(one.cell.family for one in outcomes)
        chosen = {check_choice("families", name, known) for name in named}
        outcomes = tuple(one for one in outcomes if one.cell.family in chosen)
    return leaderboard(outcomes)
