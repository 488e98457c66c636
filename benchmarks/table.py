"""One row a piece of work, ours beside a reference measured in the same run; printed, or written as Markdown."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

COLUMNS = ("work", "ours", "reference", "ratio", "asked", "reached")
PACKAGES = ("torch", "numpy", "umap-learn", "numba", "scikit-learn", "pytorch-metric-learning", "plotly", "jupyterlab")


@dataclass(frozen=True)
class Row:
    """A figure that was measured, and the one beside it.

    `ours` and `reference` are in `unit`; smaller is better unless `larger_is_better`. `asked` says in words what is to
    be reached, `reached` whether it was (None: nothing was asked).
    """

    work: str
    ours: float
    unit: str
    reference_name: str = ""
    reference: float | None = None
    asked: str = ""
    reached: bool | None = None
    larger_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better than the reference."""
        if self.reference is None:
            return None
        better, worse = (self.reference, self.ours) if self.larger_is_better else (self.ours, self.reference)
        return worse / better if better else None

    def cells(self) -> tuple[str, ...]:
        """The row as text, one for each of `COLUMNS`."""
        beside = "" if self.reference is None else f"{figure(self.reference)} {self.unit} ({self.reference_name})"
        ratio = "" if self.ratio is None else f"{figure(self.ratio)}x"
        reached = {True: "yes", False: "NO", None: ""}[self.reached]
        return self.work, f"{figure(self.ours)} {self.unit}", beside, ratio, self.asked, reached


def figure(value: float) -> str:
    """Three figures, which is more than a median of times deserves.

    >>> figure(0.01234), figure(5.678), figure(1234.5)
    ('0.0123', '5.68', '1,234')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def measure(candidates: Mapping[str, Callable[[], object]], repeats: int = 15, warm_up: int = 3) -> dict[str, float]:
    """The median seconds of each candidate, all of them in turn in every round.

    What disturbs the machine for a while disturbs them all alike; every second round goes backwards, so that none
    always comes after the same other. The garbage collector waits until the end.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for candidate in candidates.values():
        for _ in range(warm_up):
            candidate()
    order = list(candidates)
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeats):
            for name in order:
                begin = time.perf_counter()
                candidates[name]()
                seconds[name].append(time.perf_counter() - begin)
            order.reverse()
    finally:
        if collecting:
            gc.enable()
    return {name: statistics.median(times) for name, times in seconds.items()}


def header(command: str) -> dict[str, str]:
    """Where and when the figures were measured."""
    return {
        "command": command,
        "machine": f"{cpu_model()}, {available_cores()} cores, {platform.system()} {platform.machine()}",
        "versions": ", ".join(filter(None, [f"Python {platform.python_version()}", *map(_versioned, PACKAGES)])),
        "date": date.today().isoformat(),
        **({"load": f"{os.getloadavg()[0]:.1f} before the run"} if hasattr(os, "getloadavg") else {}),
    }


def cpu_model() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return next(filter(None, [*names[:1], platform.processor(), platform.machine()]), "unknown processor")


def available_cores() -> int:
    """How many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def print_table(rows: Iterable[Row], where: Mapping[str, str], console: Console | None = None) -> None:
    """The header and the table, on the terminal."""
    console = console or Console()
    if not console.is_terminal:
        console = Console(file=console.file, width=160)  # a file has no width of its own
    for name, value in where.items():
        console.print(f"[bold]{name:>8}[/bold]  {value}", highlight=False)
    table = Table(*COLUMNS)
    for row in rows:
        style = "bold red" if row.reached is False else ""
        table.add_row(*row.cells(), style=style)
    console.print(table)


def as_markdown(rows: Iterable[Row], where: Mapping[str, str]) -> str:
    """The header and the table, for a file."""
    lines = [f"- {name}: {f'`{value}`' if name == 'command' else value}" for name, value in where.items()]
    lines += ["", f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row.cells())} |" for row in rows]
    return "\n".join(lines) + "\n"


def markers(section: str) -> tuple[str, str]:
    """The two lines between which a file's section is renewed.

    >>> markers("bench")
    ('<!-- bench:start -->', '<!-- bench:end -->')
    """
    return f"<!-- {section}:start -->", f"<!-- {section}:end -->"


def write_markdown(path: Path, rows: Iterable[Row], where: Mapping[str, str], section: str = "bench") -> None:
    """Replace the section's table in the file; a file that is not there is made."""
    write_section(path, as_markdown(rows, where), section)


def write_section(path: Path, content: str, section: str) -> None:
    """Replace what stands between the section's markers in the file; a file that is not there is made."""
    first, last = markers(section)
    text = path.read_text(encoding="utf-8") if path.exists() else f"# What was measured\n\n{first}\n{last}\n"
    before, start, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (start and end):
        raise ValueError(f"{path}: got no section between {first} and {last}, expected one to replace.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{before}{start}\n{content}{end}{after}", encoding="utf-8")


def _versioned(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""
