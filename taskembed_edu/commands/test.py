"""`taskembed test`: everything that must hold, one stage after the other; `make test` calls it.

A failing stage does not stop the next. At the end come a table of the stages and, in bold red, what could not be run on
this machine and what to install for it. With BROWSER=required (as in CI), browser tests and checks of the page's
scripts that could not be run count as failures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from taskembed_edu.commands.checkout import LESSONS, NO_CHECKOUT, find_checkout
from taskembed_edu.commands.chromium import HOW_TO_GET, NamedChromiumError, drivable_chromium, get_chromium
from taskembed_edu.commands.lab import is_root
from taskembed_edu.commands.node import HOW_TO_GET as HOW_TO_GET_NODE
from taskembed_edu.commands.node import find_node, install

WORKERS = 2
LESSON_CELL_SECONDS = 120
TEST_TOOLS = (
    "pytest",
    "xdist",
    "pytest_rerunfailures",
    "nbval",
    "playwright",
    "ruff",
    "mypy",
    "importlinter",
    "pre_commit",
)
NO_TOOLS = 'The test tools are not installed. Get them: python -m pip install -c constraints.txt -e ".[test]"'
# A browser, a server and a kernel share two cores with another set of the three. What fails for want of a processor
# passes at a second try; pytest's last lines name it, so that its wait can be mended.
SECOND_TRY = ("--reruns", "1", "-raR")
HAS_STAGES_OF_ITS_OWN = "ruff-format,ruff-check,mypy,lint-imports"

NO_GPU = (
    "tests marked gpu on a real GPU: there is no CUDA device here, so they ran on a simulated one or not at all. "
    "Run them where there is one: python -m pytest -m gpu"
)
NO_DATA = (
    "tests marked data, of the real Omniglot: its files are not here. Let TASKEMBED_DATA name a folder that has them: "
    "omniglot/images_background_small1.zip, images_background_small2.zip and all_runs.zip"
)
NO_NODE = f"NOT RUN: the checks of the page's scripts: there is no Node here with what it needs. {HOW_TO_GET_NODE}"
NO_BROWSER = f"NOT RUN: the browser tests: there is no Chromium here that runs. {HOW_TO_GET}"


class CannotRunError(Exception):
    """Something that a stage needs is missing on this machine; the message says what."""


def needs_nothing(checkout: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The preparation of most stages: none."""
    return {}


def needs_git(checkout: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """pre-commit checks the files that git tracks; hooks that are stages of their own here need not run twice."""
    if not (checkout / ".git").exists():
        raise CannotRunError("This is no git checkout, so there is nothing for pre-commit to look through.")
    return {"SKIP": HAS_STAGES_OF_ITS_OWN}


def needs_chromium(checkout: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Find a Chromium, or install one, and pass its path to the tests."""
    chromium = drivable_chromium(environment) or get_chromium(is_root())
    if chromium is None:
        raise CannotRunError("No Chromium that Playwright can drive is here, and none could be installed.")
    print(f"Chromium: {chromium}")
    return {"CHROMIUM": chromium}


def needs_node(checkout: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Find Node, install what it runs, and pass its path to the checks."""
    node = find_node()
    if node is None:
        raise CannotRunError("No Node is here that is new enough.")
    if not install(checkout, node):
        raise CannotRunError("npm could not install what package-lock.json names.")
    return {"NODE": str(node.program)}


# What is printed at the end if a stage could not run; the browser tests last: they are the larger loss.
NOT_RUN = {needs_node: NO_NODE, needs_chromium: NO_BROWSER}


@dataclass(frozen=True)
class Stage:
    """One check: its name, its description, and the arguments of `python` that run it.

    `prepare` returns additional environment variables, or raises CannotRunError. `workers` processes share the cores.
    """

    name: str
    title: str
    arguments: tuple[str, ...]
    workers: int = 1
    prepare: Callable[[Path, Mapping[str, str]], dict[str, str]] = needs_nothing


@dataclass(frozen=True)
class Result:
    """The result of a stage."""

    stage: Stage
    verdict: str  # "passed", "FAILED" or "NOT RUN"
    seconds: float


def stages(checkout: Path, workers: int = WORKERS) -> list[Stage]:
    """All stages, in order: the quick ones first."""
    parallel = ("-n", str(workers), "--dist", "loadscope") if workers > 1 else ()
    spread = ("-n", str(workers), "--dist", "worksteal") if workers > 1 else ()
    lessons = sorted(str(path.relative_to(checkout)) for path in (checkout / LESSONS).glob("*.ipynb"))
    nbval = ("--nbval", "--nbval-current-env", f"--nbval-cell-timeout={LESSON_CELL_SECONDS}")
    lint_imports = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return [
        Stage("format", "ruff format: one style, in code and lessons", ("-m", "ruff", "format", "--check", ".")),
        Stage("lint", "ruff check: no likely bugs, in code and lessons", ("-m", "ruff", "check", ".")),
        Stage("types", "mypy: the types hold", ("-m", "mypy")),
        Stage("imports", "import-linter: imports go down the floors only", ("-c", lint_imports)),
        Stage(
            "scripts",
            "eslint, tsc: no likely bugs in the page's scripts, and their types hold",
            ("-m", "taskembed_edu.commands.node", "lint", "types"),
            prepare=needs_node,
        ),
        Stage(
            "page",
            "node --test: the page's arithmetic, without a browser",
            ("-m", "taskembed_edu.commands.node", "unit"),
            prepare=needs_node,
        ),
        Stage("hooks", "pre-commit: the remaining hooks", ("-m", "pre_commit", "run", "--all-files"), 1, needs_git),
        Stage(
            "unit",
            "pytest: unit tests, and the examples in the docstrings",
            ("-m", "pytest", "tests", "taskembed_edu", "--ignore=tests/browser", *parallel),
            workers,
        ),
        Stage(
            "lessons",
            f"nbval: {len(lessons)} lessons run, and print what they say they print",
            ("-m", "pytest", *nbval, *parallel, *(lessons or [LESSONS])),
            workers,
        ),
        Stage(
            "browser",
            "pytest: the labs in a real JupyterLab, in a real Chromium",
            ("-m", "pytest", "tests/browser", *SECOND_TRY, *spread),
            workers,
            prepare=needs_chromium,
        ),
    ]


def main(argv: Sequence[str]) -> int:
    """Run the chosen stages (default: all). Returns 0 if none failed."""
    arguments = parse(argv)
    checkout = find_checkout()
    if checkout is None:
        print(NO_CHECKOUT, file=sys.stderr)
        return 1
    if not all(find_spec(tool) for tool in TEST_TOOLS):
        print(NO_TOOLS, file=sys.stderr)
        return 1
    chosen = [stage for stage in stages(checkout, arguments.workers) if stage.name in arguments.only]
    return run_all(chosen, checkout, required=os.environ.get("BROWSER") == "required")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options of `taskembed test`."""
    names = [stage.name for stage in stages(Path())]
    parser = argparse.ArgumentParser(prog="taskembed test", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="STAGE", help=" ".join(names))
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes to share the tests (%(default)s)")
    return parser.parse_args(argv)


def run_all(chosen: list[Stage], checkout: Path, required: bool) -> int:
    """Run the stages, then print the table and what was not run. Returns the exit code."""
    console = Console(highlight=False)
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes"
        for stage in chosen:
            console.rule(f"[bold]{stage.name}[/]: {stage.title}", align="left")
            results.append(run_stage(stage, checkout, {**os.environ, "TASKEMBED_TEST_NOTES": str(notes)}))
        not_run = read_notes(notes)
    unmet = {result.stage.prepare for result in results if result.verdict == "NOT RUN"}
    missing = [words for need, words in NOT_RUN.items() if need in unmet]
    console.print(summary(results))
    for line in closing_lines(not_run, missing, required):
        console.print(line, style="bold red", soft_wrap=True, markup=False)
    failed = any(result.verdict == "FAILED" for result in results) or (bool(missing) and required)
    return 1 if failed else 0


def run_stage(stage: Stage, checkout: Path, environment: Mapping[str, str], output: TextIO | None = None) -> Result:
    """Run one stage; its output goes to the terminal, or into the file `output`."""
    started = time.perf_counter()
    verdict = "FAILED"
    try:
        extra = {**limit_threads(stage.workers, environment), **stage.prepare(checkout, environment)}
        # pytest compiles every file of tests anew where it may not keep them: some seconds of each process.
        kept = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
        sys.stdout.flush()
        command = [sys.executable, *stage.arguments]
        told: dict[str, Any] = {} if output is None else {"stdout": output, "stderr": subprocess.STDOUT}
        if subprocess.run(command, cwd=checkout, env={**kept, **extra}, check=False, **told).returncode == 0:
            verdict = "passed"
    except CannotRunError as error:
        print(error, file=output)
        verdict = "NOT RUN"
    except NamedChromiumError as error:
        print(error, file=output)
    return Result(stage, verdict, time.perf_counter() - started)


def limit_threads(workers: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Share the cores among the workers: two processes that each take every core wait for one another."""
    if workers == 1:
        return {}
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {name: threads for name in names if name not in environment}


def read_notes(notes: Path) -> Counter[str]:
    """How many tests of each mark the pytest stages skipped, as tests/conftest.py recorded them."""
    counts: Counter[str] = Counter()
    if notes.exists():
        for line in notes.read_text(encoding="utf-8").splitlines():
            counts.update(json.loads(line))
    return counts


def summary(results: list[Result]) -> Table:
    """The closing table: stage, result, seconds."""
    table = Table(title="What was run", title_justify="left", title_style="bold")
    table.add_column("stage")
    table.add_column("result")
    table.add_column("seconds", justify="right")
    colours = {"passed": "green", "FAILED": "bold red", "NOT RUN": "bold yellow"}
    for result in results:
        verdict = f"[{colours[result.verdict]}]{result.verdict}[/]"
        table.add_row(result.stage.name, verdict, f"{result.seconds:.1f}")
    return table


def closing_lines(not_run: Mapping[str, int], missing: Sequence[str], required: bool) -> list[str]:
    """What was not run, and what to install for it."""
    marks = {"gpu": NO_GPU, "data": NO_DATA}
    lines = [f"NOT RUN: {not_run[mark]} {words}" for mark, words in marks.items() if not_run.get(mark)]
    return lines + [words + (". BROWSER=required makes this a FAILURE." if required else "") for words in missing]
