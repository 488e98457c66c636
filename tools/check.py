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
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from taskembed_edu.commands import test as suite
from tools.budget import remembered_seconds
from tools.reach import Reached, changed_files, reached, read_imports

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 90.0
TO_END = 12.0  # seconds that the last tests to begin are given to end
# Two processes at a time take a batch of files, the next batch as long as there is time to begin it.
BATCHES = (6, 18, 1000)
TO_BEGIN, TO_COLLECT = 10.0, 0.3  # seconds, for a batch and for each of its files
TEST = re.compile(r"^\s*def test_", re.MULTILINE)
SLOW_STAGES = ("unit", "lessons", "browser")


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
    tests = reached(read_imports(ROOT), changed, remembered_seconds(ROOT))
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
    console.rule("[bold]tests[/]: those that the change can reach, the nearest first", align="left")
    results: list[suite.Result] = []
    for batch in batches(tests):
        if results and time.time() + TO_BEGIN + TO_COLLECT * len(batch) > deadline:
            left_out.update({test.path: count_tests(root / test.path) for test in batch})
        else:
            results.append(_run_batch([test.path for test in batch], deadline, left_out, console, root))
    verdict = next((result.verdict for result in results if result.verdict != "passed"), "passed")
    return [suite.Result(results[0].stage, verdict, sum(result.seconds for result in results))]


def batches(tests: list[Reached]) -> Iterator[list[Reached]]:
    """The nearest few first: before a process runs its first test, it must have read the files of all of them."""
    begin = 0
    for size in BATCHES:
        if tests[begin : begin + size]:
            yield tests[begin : begin + size]
        begin += size


def count_tests(path: Path) -> int:
    """How many tests a file has at the least: a function with parameters is more than one."""
    return len(TEST.findall(path.read_text(encoding="utf-8"))) or 1  # else: examples in docstrings, one test


def _run_batch(
    paths: list[str], deadline: float, left_out: dict[str, int], console: Console, root: Path
) -> suite.Result:
    workers = min(suite.WORKERS, len(paths))
    parallel = ("-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder") if workers > 1 else ()
    with tempfile.TemporaryDirectory() as folder:
        notes, output = Path(folder) / "left_out.json", Path(folder) / "output"
        # Without nbval, which takes two seconds of each process and is for lessons.
        budget = ("-p", "no:nbval", "-p", "tools.budget", f"--deadline={deadline}", f"--left-out={notes}")
        stage = suite.Stage("tests", "pytest", ("-m", "pytest", *budget, "-q", "-rfE", *parallel, *paths), workers)
        with output.open("w+", encoding="utf-8") as file:
            result = suite.run_stage(stage, root, os.environ, file)
        console.print(output.read_text(encoding="utf-8"), markup=False, soft_wrap=True)
        if notes.exists():
            left_out.update(json.loads(notes.read_text(encoding="utf-8")))
    return result


def closing_lines(tests: list[Reached], left_out: dict[str, int], results: list[suite.Result]) -> list[str]:
    """What was not run, by name: it must not be taken for what has passed."""
    lines = [f"NOT RUN: {result.stage.name}" for result in results if result.verdict == "NOT RUN"]
    if left_out:
        names = ", ".join(f"{path} ({left_out[path]})" for path in (test.path for test in tests) if path in left_out)
        lines.append(
            f"NOT RUN: at least {sum(left_out.values())} tests had no time left; `make test` runs them: {names}"
        )
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
