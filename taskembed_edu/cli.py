"""The command line: `taskembed lab`, or `python -m taskembed_edu lab`, and the other commands.

    taskembed lab      opens the course in JupyterLab
    taskembed lesson   lists the lessons, or starts one afresh
    taskembed progress shows what you predicted and solved
    taskembed run      trains without a page
    taskembed benchmark judges every embedder on every family
    taskembed test     runs every test
    taskembed check    runs the quick checks, and the tests that a change can reach
    taskembed doctor   says what is wrong with this installation, and what to do

A subcommand is a module of `taskembed_edu.commands` with a function `main(argv) -> exit code`. It is imported only when
it is called, so that `lab` starts without waiting for torch.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

COMMANDS = {
    "lab": "open the course in JupyterLab",
    "lesson": "list the lessons; --afresh 02 begins one again and keeps your old copy",
    "progress": "what you predicted and solved; --export writes it, --delete deletes it",
    "run": "train a task embedder without a page; write scores, picture and recording",
    "benchmark": "judge every embedder on every family, on all cores; a second run makes what is missing",
    "test": "run everything: style, types, imports, unit tests, lessons, browser tests",
    "check": "run what is quick: style, types, imports, and the unit tests that a change can reach",
    "doctor": "say what is installed here, what is wrong with it, and what to do",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand that the arguments name (default: the process's own) and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file name may have letters that the terminal does not know
            stream.reconfigure(errors="backslashreplace")
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from importlib.metadata import version

        print(f"taskembed_edu {version('taskembed_edu')}")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        print(unknown(name), file=sys.stderr)
        return 2
    try:
        exit_code: int = import_module(f"taskembed_edu.commands.{name}").main(rest)
    except KeyboardInterrupt:
        return 130  # what a shell reports for a program ended by Ctrl-C
    return exit_code


def usage() -> str:
    """The help text: every command in one line."""
    lines = [f"  taskembed {name:11}{what}" for name, what in COMMANDS.items()]
    return "\n".join(["usage: taskembed COMMAND [options]", "", *lines, "", "`taskembed COMMAND --help` says more."])


def unknown(name: str) -> str:
    """The error for a command that does not exist, with the nearest one that does.

    >>> print(unknown("labs"))
    command: got 'labs', expected one of lab, lesson, progress, run, benchmark, test, check, doctor. Did you mean 'lab'?
    """
    near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"command: got {name!r}, expected one of {', '.join(COMMANDS)}.{hint}"
