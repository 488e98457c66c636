"""The quick check while one works: style, types, imports, and the unit tests that the change can reach.

    make check                          # what is not committed or not pushed; else the last commit
    make check ARGS="--base main~3"     # all that has changed since
    python -m taskembed_edu check       # without make

Two lanes side by side: the quick stages of `make test` one after the other, and the tests in two processes, the nearest
to the change first. No test begins after `--seconds`; those that did not are named, with their number, and wait for
`make test`. The exit code is 0 only where all that was run went well.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from taskembed_edu.commands import test as suite
from tools.reach import Reached, changed_files, reached, read_imports

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 90.0
TO_END = 8.0  # seconds that the last tests to begin are given to end
SLOW_STAGES = ("unit", "lessons", "browser")
NO_TESTS_COLLECTED = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Check what has changed; 0 where all that was run went well."""
    arguments = parse(argv)
    if not all(find_spec(tool) for tool in suite.TEST_TOOLS):
        print(suite.NO_TOOLS, file=sys.stderr)
        return 1
    started, console = time.time(), Console(highlight=False)
    try:
        changed = changed_files(ROOT, arguments.base)
    except ValueError as error:
        print(f"base: got {arguments.base!r}, expected what git knows. {error}", file=sys.stderr)
        return 2
    tests = reached(read_imports(ROOT), changed)
    console.print(f"{len(changed)} files have changed; {len(tests)} files with tests can be reached.")
    stages = [stage for stage in suite.stages(ROOT) if stage.name not in SLOW_STAGES]
    return run(stages, tests, started + arguments.seconds - TO_END, console)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of `taskembed check`."""
    parser = argparse.ArgumentParser(prog="taskembed check", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--base", metavar="COMMIT", help="what has changed since (default: since the last push)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long all may take (%(default)s)")
    return parser.parse_args(argv)


def run(stages: list[suite.Stage], tests: list[Reached], deadline: float, console: Console, root: Path = ROOT) -> int:
    """Both lanes; then the table, and what was left out, in the last lines."""
    results: list[suite.Result] = []
    quick = threading.Thread(target=_run_quick_stages, args=(stages, results, console, root), name="quick-stages")
    quick.start()
    left_out: dict[str, int] = {}
    unit = run_tests(tests, deadline, left_out, console, root) if tests else []
    quick.join()
    console.print(suite.summary([*results, *unit]))
    for line in closing_lines(tests, left_out, results):
        console.print(line, style="bold red", soft_wrap=True, markup=False)
    return int(any(result.verdict == "FAILED" for result in [*results, *unit]))


def _run_quick_stages(stages: list[suite.Stage], results: list[suite.Result], console: Console, root: Path) -> None:
    for stage in stages:
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            result = suite.run_stage(stage, root, os.environ, output)
            output.seek(0)
            told = output.read()
        results.append(result)
        if result.verdict != "passed":  # what went well need not be read
            console.rule(f"[bold]{stage.name}[/]: {stage.title}", align="left")
            console.print(told, markup=False, soft_wrap=True)


def run_tests(
    tests: list[Reached], deadline: float, left_out: dict[str, int], console: Console, root: Path
) -> list[suite.Result]:
    """The tests until the deadline; `left_out` is given how many of which file had no time."""
    workers = min(suite.WORKERS, len(tests))
    parallel = ("-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder") if workers > 1 else ()
    paths = [test.path for test in tests]
    with tempfile.TemporaryDirectory() as folder:
        notes, output = Path(folder) / "left_out.json", Path(folder) / "output"
        budget = ("-p", "tools.budget", f"--deadline={deadline}", f"--left-out={notes}", "-q", "-rfE")
        stage = suite.Stage("tests", "pytest", ("-m", "pytest", *budget, *parallel, *paths), suite.WORKERS)
        with output.open("w+", encoding="utf-8") as file:
            result = suite.run_stage(stage, root, os.environ, file)
        console.rule("[bold]tests[/]: those that the change can reach, the nearest first", align="left")
        console.print(output.read_text(encoding="utf-8"), markup=False, soft_wrap=True)
        if notes.exists():
            left_out.update(json.loads(notes.read_text(encoding="utf-8")))
    return [result]


def closing_lines(tests: list[Reached], left_out: dict[str, int], results: list[suite.Result]) -> list[str]:
    """What was not run, by name: it must not be taken for what has passed."""
    lines = [f"NOT RUN: {result.stage.name}" for result in results if result.verdict == "NOT RUN"]
    if left_out:
        names = ", ".join(f"{path} ({left_out[path]})" for path in (test.path for test in tests) if path in left_out)
        lines.append(f"NOT RUN: {sum(left_out.values())} tests had no time left; `make test` runs them: {names}")
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
