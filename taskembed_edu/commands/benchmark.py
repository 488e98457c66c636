"""`taskembed benchmark`: every embedder on every family, with several seeds, on all cores; resumable."""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from taskembed_edu.base.checks import check_choice, problem
from taskembed_edu.base.files import reason, write_whole
from taskembed_edu.embedders import EMBEDDERS
from taskembed_edu.evaluation.benchmark import (
    Summary,
    columns_of,
    grid,
    leaderboard,
    markdown,
    on_this_machine,
    run_missing,
    shown,
)
from taskembed_edu.evaluation.cluster import on_cluster
from taskembed_edu.evaluation.results import Outcome, ResultsFile, convert
from taskembed_edu.tasks import FAMILIES, at_hand

EXAMPLES = """for example:
  taskembed benchmark                                     all embedders, all families, three seeds
  taskembed benchmark --embedders metric,context --families sinusoids --seeds 5
  taskembed benchmark --markdown board.md                 also write the leaderboard
  taskembed benchmark --figure board.png                  also draw it
  taskembed benchmark --scheduler tcp://10.0.0.5:8786     on a dask cluster: `dask scheduler` there, and on each worker
                                                          `dask worker tcp://10.0.0.5:8786 --nthreads 1`

Stop it whenever you like: the next run makes what is missing in --results.
"""


def main(argv: Sequence[str]) -> int:
    """Make what is missing, then show the leaderboard. Returns 0 where every cell has its scorecard."""
    options = parse(argv)
    out, errors = Console(), Console(stderr=True)
    try:
        if options.convert is not None:
            out.print(f"written: {convert(options.convert)}", highlight=False, soft_wrap=True)
            return 0
        embedders = _names(options.embedders, EMBEDDERS, "embedders")
        families = at_hand() if options.families is None else _names(options.families, FAMILIES, "families")
        cells = grid(embedders, families, options.seeds, options.steps, _numbers(options.shots))
        pool = on_this_machine(options.jobs) if options.scheduler is None else on_cluster(options.scheduler)
        results = ResultsFile(options.results)
        left = run_missing(cells, results, pool, _Progress(out))
        outcomes = results.of(cells)
        if options.markdown is not None:
            write_whole(options.markdown, markdown(leaderboard(outcomes)).encode())
        if options.figure is not None:
            _draw(leaderboard(outcomes), options.figure)
    except (ValueError, OSError) as error:
        told = reason(error) if isinstance(error, OSError) else str(error)
        errors.print(f"[bold red]taskembed benchmark:[/] {escape(told)}", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        errors.print(f"stopped; what was found is in {options.results}", highlight=False, soft_wrap=True)
        return 130
    for table in tables(outcomes):
        out.print(table)
    for outcome in outcomes:
        if outcome.reason:
            errors.print(f"{_named(outcome)}: {escape(outcome.reason)}", highlight=False, soft_wrap=True)
    return 1 if left else 0


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options of a command line."""
    parser = argparse.ArgumentParser(
        prog="taskembed benchmark",
        description="Judge embedders on families of tasks, on all cores of this machine or on a cluster.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--embedders", metavar="A,B", help=f"some of {', '.join(EMBEDDERS)} (default: all)")
    parser.add_argument("--families", metavar="A,B", help=f"some of {', '.join(FAMILIES)} (default: all that are here)")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (%(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="training steps (%(default)s)")
    parser.add_argument("--shots", default="0", metavar="A,B", help="samples of a support set (0: as the tasks come)")
    parser.add_argument("--jobs", type=int, default=-1, help="how many processes (%(default)s: one a core)")
    trust = "a dask cluster's, instead of this machine's cores. It is trusted: what is sent both ways is pickled code"
    parser.add_argument("--scheduler", metavar="tcp://HOST:PORT", help=trust)
    parser.add_argument("--results", type=Path, default=Path("benchmark.sqlite"), help="the file (%(default)s)")
    parser.add_argument("--markdown", type=Path, help="also write the leaderboard as Markdown")
    several = "also draw it, a picture each family: of several, board.png becomes board-sinusoids.png and so on"
    parser.add_argument("--figure", type=_picture, metavar="board.png", help=f"{several}; or .svg, .pdf")
    parser.add_argument("--convert", type=Path, metavar="OLD", help="only make a file of this version of an old one")
    return parser.parse_args(argv)


def _picture(name: str) -> Path:
    """Errors: argparse's, before hours of computing, for a file that no picture can be written to."""
    path = Path(name)
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise argparse.ArgumentTypeError(problem("figure", name, "a name that ends with .png, .svg or .pdf"))
    return path


def _draw(board: Mapping[str, Mapping[str, Mapping[str, Summary]]], path: Path) -> None:
    """A picture of each family, 1280x720 as PNG. matplotlib is loaded for it alone."""
    from taskembed_edu.figures.leaderboard import DPI, leaderboard_figure

    for family in board:
        memory = io.BytesIO()
        leaderboard_figure(board, family).savefig(memory, format=path.suffix[1:].lower(), dpi=DPI)
        named = (
            path if len(board) == 1 else path.with_stem(f"{path.stem}-{family.replace(', ', '-').replace(' ', '-')}")
        )
        write_whole(named, memory.getvalue())


def _names(given: str | None, known: Iterable[str], argument: str) -> list[str]:
    names = list(known)
    return names if given is None else [check_choice(argument, name.strip(), names) for name in given.split(",")]


def _numbers(given: str) -> list[int]:
    parts = [part.strip() for part in given.split(",")]
    if not all(part.isdigit() for part in parts):
        raise ValueError(problem("shots", repr(given), "whole numbers, such as 0,5"))
    return [int(part) for part in parts]


class _Progress:
    """One line a finished cell, with the time that is left."""

    def __init__(self, out: Console) -> None:
        self.out, self.begun = out, time.monotonic()

    def __call__(self, outcome: Outcome, done: int, of: int) -> None:
        left = (time.monotonic() - self.begun) / done * (of - done)
        how = "failed" if outcome.reason else f"{outcome.seconds:.0f} s"
        rest = f", about {left:.0f} s left" if done < of else ""
        self.out.print(f"{done} of {of}: {_named(outcome)}, {how}{rest}", highlight=False, soft_wrap=True)


def _named(outcome: Outcome) -> str:
    cell = outcome.cell
    shots = f", {cell.n_shot} shots" if cell.n_shot else ""
    return f"{cell.embedder} on {cell.family}{shots}, seed {cell.seed}"


def tables(outcomes: Sequence[Outcome]) -> list[Table]:
    """The leaderboard, one table a family: means over seeds, and their spread."""
    made = []
    for family, by in leaderboard(outcomes).items():
        columns = columns_of(by)
        table = Table("embedder", *columns, title=family)
        for embedder, scores in by.items():
            table.add_row(embedder, *(shown(scores.get(score)) for score in columns))
        made.append(table)
    return made
