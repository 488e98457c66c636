"""Measure the seeds that lessons keep: `make seeds` calls it.

    python tools/seeds.py                     # all lessons that draw a conclusion over seeds
    python tools/seeds.py 05                  # those whose names start so
    python tools/seeds.py --check             # is what is kept of the lines that the lessons hold? Measures nothing

It runs a lesson from top to bottom, and each `over_seeds(...)` in it measures its other seeds and writes them
(`taskembed_edu/course/seeds.py`). Run it after an experiment was changed, then `make notebooks`.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
import time
from collections.abc import Iterator, Sequence
from types import CodeType

from taskembed_edu.course import seeds
from tools import hygiene, notebooks
from tools.notebooks import Lesson


def experiments(lesson: Lesson) -> Iterator[tuple[str, list[str]]]:
    """The name of each experiment of a lesson, and the lines of its functions as `seeds.sources` gives them."""
    functions: dict[str, str] = {}
    for cell in hygiene.code_cells(notebooks.read_text(lesson)):
        tree, lines = ast.parse(cell.source), cell.source.splitlines()
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                functions[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "over_seeds":
                name, experiment = (ast.unparse(argument) for argument in call.args[:2])
                yield ast.literal_eval(name), [functions[each] for each in _reached(experiment, functions)]


def _reached(name: str, functions: dict[str, str]) -> set[str]:
    reached, waiting = set[str](), [name]
    while waiting:
        each = waiting.pop()
        if each not in reached:
            reached.add(each)
            waiting += seeds.names(_code(functions[each])) & functions.keys()
    return reached


def _code(lines: str) -> CodeType:
    """The function as Python compiles it, so that its names are those that a kernel finds, and no local one is."""
    return next(each for each in compile(lines, "lesson", "exec").co_consts if isinstance(each, CodeType))


def check(lesson: Lesson) -> list[str]:
    """What is wrong with the seeds that are kept for a lesson."""
    found = []
    for name, lines in experiments(lesson):
        kept = seeds.read(name)
        if kept is None:
            found.append(f"{name}: seeds {seeds.KEPT} are not kept: run `make seeds`")
        elif kept["source"] != seeds.digest(lines):
            found.append(f"{name}: its lines were changed after its seeds were measured: run `make seeds`")
    return found


def measure(lesson: Lesson) -> list[str]:
    """Run a lesson so that its seeds are measured and written; what is wrong afterwards."""
    if not list(experiments(lesson)):
        return []
    started = time.perf_counter()
    os.environ[seeds.MEASURE] = "measure"
    notebooks.execute(notebooks.read_text(lesson), lesson.folder, cell_seconds=600)
    print(f"{lesson.name}: seeds measured, {time.perf_counter() - started:.0f} s", flush=True)
    return check(lesson)


def main(argv: Sequence[str] | None = None) -> int:
    """0 where all that is kept is of the lines that the lessons hold."""
    parser = argparse.ArgumentParser(description="Measure the seeds that lessons keep.")
    parser.add_argument("lessons", nargs="*", help="names, or how they start (default: all)")
    parser.add_argument("--check", action="store_true", help="only say whether what is kept is of the lessons' lines")
    arguments = parser.parse_args(argv)
    work = check if arguments.check else measure
    bad = [problem for lesson in notebooks.lessons(prefixes=arguments.lessons) for problem in work(lesson)]
    for problem in bad:
        print(f"PROBLEM: {problem}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
