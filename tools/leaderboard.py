"""Make the leaderboard that the lessons and docs/results.md keep: `make leaderboard` calls it.

    python -m tools.leaderboard              # what is missing, or was asked for otherwise; all of it takes an hour
    python -m tools.leaderboard --afresh     # all of it: for times that were measured on a quiet machine
    python -m tools.leaderboard --check      # is what is kept of this grid, these settings and these scores?

It writes `taskembed_edu/course/leaderboard.json` and the section "Leaderboard" of docs/results.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.table import header, write_section
from taskembed_edu.course import leaderboard as kept
from taskembed_edu.evaluation.benchmark import leaderboard, markdown, on_this_machine, run_missing
from taskembed_edu.evaluation.results import Outcome, ResultsFile

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results.md"
STALE = "the kept leaderboard is of another grid, of other settings or scores: run `make leaderboard`"


def check() -> list[str]:
    """What is wrong with what is kept."""
    missing = {*kept.cells()} - {outcome.cell for outcome in kept.kept().still_asked()}
    return [STALE, *(f"{cell} is missing" for cell in sorted(missing))] if missing else []


def told(outcome: Outcome, done: int, of: int) -> None:
    """One line a cell."""
    print(f"{done} of {of}: {outcome.cell}, {outcome.reason or f'{outcome.seconds:.0f} s'}", flush=True)


def section(outcomes: Sequence[Outcome], where: Mapping[str, str]) -> str:
    """The section of docs/results.md."""
    lines = [f"- {name}: {f'`{value}`' if name == 'command' else value}" for name, value in where.items()]
    failed = [f"- without a scorecard: {one.cell}: {one.reason}" for one in outcomes if one.reason]
    return "\n".join([*lines, *failed, "", markdown(leaderboard(outcomes))])


def main(argv: Sequence[str] | None = None) -> int:
    """Make what is missing, and write both files; with --check only look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--jobs", type=int, default=-1, help="how many processes (-1: one a core)")
    parser.add_argument("--results", type=Path, default=Path("benchmark.sqlite"), help="where cells are kept meanwhile")
    parser.add_argument("--afresh", action="store_true", help="make again also what is kept and still asked for")
    options = parser.parse_args(argv)
    if options.check:
        problems = check()
        print("\n".join(problems) or "The kept leaderboard is the one that is asked for.")
        return 1 if problems else 0
    results, begun = ResultsFile(options.results), time.monotonic()
    where = header("make leaderboard")
    cells = kept.cells()
    if not options.afresh:
        with results.writing():
            for outcome in kept.kept().still_asked():
                results.add(outcome)
    left = run_missing(cells, results, on_this_machine(options.jobs), told)
    outcomes = results.of(cells)
    took = sum(outcome.seconds for outcome in outcomes)
    where |= {
        "time": f"{len(outcomes)} cells, {took / 60:.0f} minutes of one core ({time.monotonic() - begun:.0f} s now)"
    }
    kept.keep(outcomes, where)
    write_section(RESULTS, section(outcomes, where), "leaderboard")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
