"""`python -m benchmarks [name ...] [--markdown FILE]`: run the measuring modules and print one table."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.table import Row, header, print_table, write_markdown

MODULES = ("startup", "losses", "frames", "embedder")
"""Every module of this folder that has a function `rows() -> Iterator[Row]`, in the order of the table."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was named (everything, if nothing was) and say how much of what is asked was reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the project is to reach.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"what to measure: {', '.join(MODULES)} (default: all)"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also replace the marked section of this file")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in MODULES]
    if unknown:
        parser.error(f"name: got {unknown[0]!r}, expected one of {', '.join(MODULES)}")
    where = header(" ".join(["python -m benchmarks", *(sys.argv[1:] if arguments is None else arguments)]))
    rows = list(measured(options.names or MODULES))
    print_table(rows, where)
    if options.markdown:
        write_markdown(options.markdown, rows, where)
    asked = [row for row in rows if row.reached is not None]
    print(f"{sum(bool(row.reached) for row in asked)} of {len(asked)} asked figures reached")
    return 0


def measured(names: Sequence[str]) -> Iterator[Row]:
    """The rows of these modules, saying on stderr what is being measured."""
    console = Console(stderr=True)
    for name in names:
        with console.status(f"measuring {name} ..."):
            yield from importlib.import_module(f"benchmarks.{name}").rows()


if __name__ == "__main__":
    sys.exit(main())
