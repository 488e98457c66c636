"""The leaderboard on which the lessons rest: an hour of work, kept in a file that `make leaderboard` makes.

    board = kept_leaderboard()
    board["sinusoids, 5 shots"]["metric"]["recall@1"]       # mean over seeds, spread, number of seeds

The file remembers what was asked of each embedder: its settings, and the scores. Where one of them has changed since,
that embedder's cells are another's, a test says so, and `make leaderboard` makes them again; it keeps the others.
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
from taskembed_edu.tasks import FAMILIES

FILE = Path(__file__).with_name("leaderboard.json")

# Support sets as the tasks come (a wave: 16 points), and of 5 samples, of each class where there are classes.
SHOTS = (0, 5)

# A cell of theirs takes minutes: 36 cells are still to be made.
NOT_YET = frozenset({"alphabets", "language_names"})


@dataclass(frozen=True)
class Kept:
    """What is kept: `where` says by which command, on which machine and when; `asked` are hashes (see `asked`)."""

    where: Mapping[str, str]
    asked: Mapping[str, str]
    outcomes: tuple[Outcome, ...]

    def still_asked(self) -> list[Outcome]:
        """Those of the grid that were asked for as they would be today."""
        now, grid = asked(), set(cells())
        return [
            one
            for one in self.outcomes
            if one.cell in grid and self.asked.get(one.cell.embedder) == now[one.cell.embedder]
        ]


def cells() -> list[Cell]:
    """The grid: every embedder of the package on every family that it takes, three seeds, with few and many samples.

    Families that have to be fetched are left out, so that every machine makes the same leaderboard; so are, until their
    cells are made, those `NOT_YET`. Where tasks come with fewer than `SHOTS[-1]` samples of a class, they are few as
    they come.
    """
    carried = {name: family for name, family in FAMILIES.items() if not family.fetched and name not in NOT_YET}
    few = {name for name, family in carried.items() if family.default_shot < max(SHOTS)}
    return [cell for cell in grid(families=carried, shots=SHOTS) if not (cell.n_shot and cell.family in few)]


def asked() -> dict[str, str]:
    """A hash of what is asked of each embedder: its settings, and the names of the scores."""
    scores = [name for name, score in SCORES.items() if score.closing]
    return {name: _hash([embedder.settings_class().as_dict(), scores]) for name, embedder in EMBEDDERS.items()}


def _hash(asked_for: object) -> str:
    return hashlib.sha256(json.dumps(asked_for, sort_keys=True).encode()).hexdigest()[:16]


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
