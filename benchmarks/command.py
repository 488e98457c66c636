"""What both commands share: names of measuring modules in, one table out, and on request a file renewed."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.table import Row, header, print_table, write_markdown


@dataclass(frozen=True)
class Command:
    """A command that measures: `python -m PACKAGE [name ...] [--markdown FILE]`.

    `modules` are the modules of `package` that have a function `rows() -> Iterator[Row]`, in the order of the table;
    those of `long` take minutes, and are measured only where they are named. A name's hyphen is a module's underscore.
    `section` names the pair of markers between which a file is renewed.
    """

    package: str
    about: str
    modules: tuple[str, ...]
    section: str
    long: tuple[str, ...] = ()

    def __call__(self, arguments: Sequence[str] | None = None) -> int:
        """Measure what was named (everything, if nothing was) and say how much of what is asked was reached."""
        options = self._parse(arguments)
        given = sys.argv[1:] if arguments is None else arguments
        where = header(" ".join([f"python -m {self.package}", *given]))
        rows = list(self.measured(options.names or self.modules))
        print_table(rows, where)
        if options.markdown:
            write_markdown(options.markdown, rows, where, self.section)
        asked = [row for row in rows if row.reached is not None]
        print(f"{sum(bool(row.reached) for row in asked)} of {len(asked)} asked figures reached")
        return 0

    def measured(self, names: Sequence[str]) -> Iterator[Row]:
        """The rows of these modules, saying on stderr what is being measured."""
        console = Console(stderr=True)
        for name in names:
            with console.status(f"measuring {name} ..."):
                yield from importlib.import_module(f"{self.package}.{name.replace('-', '_')}").rows()

    def _parse(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        parser = argparse.ArgumentParser(prog=f"python -m {self.package}", description=self.about)
        listed = ", ".join((*self.modules, *self.long))
        default = f"all{' but ' + ', '.join(self.long) if self.long else ''}"
        parser.add_argument("names", nargs="*", metavar="name", help=f"what to measure: {listed} (default: {default})")
        words = "also replace the marked section of this file"
        parser.add_argument("--markdown", type=Path, metavar="FILE", help=words)
        options = parser.parse_args(arguments)
        unknown = [name for name in options.names if name not in (*self.modules, *self.long)]
        if unknown:
            parser.error(f"name: got {unknown[0]!r}, expected one of {listed}")
        return options
