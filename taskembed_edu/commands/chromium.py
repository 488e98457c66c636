"""Which Chromium drives the browser tests: one that is here, or one that can be got.

In this order: the one that CHROMIUM names, Playwright's own, the system's by its usual names, and on Windows Edge,
which is a Chromium that every machine has. To get one: Playwright downloads its own; where we are root on a Debian,
its package is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")

# Where browsers live that are not on the PATH: relative to the folders that these variables name, and on macOS.
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
WINDOWS_PLACES = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
MACOS_PLACES = tuple(
    f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Chromium", "Google Chrome", "Microsoft Edge")
)

# What Debian calls it, with the one library that Playwright's driver needs and a bare Debian lacks.
DEBIAN_PACKAGES = ("chromium", "libatomic1")

HOW_TO_GET = (
    "Get one: `python -m playwright install --with-deps chromium`, or your system's package (Debian: `sudo apt-get "
    f"install {' '.join(DEBIAN_PACKAGES)}`), or name a Chrome that you have: CHROMIUM=/path/to/chrome"
)

ASK_PLAYWRIGHT = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


class NamedChromiumError(FileNotFoundError):
    """CHROMIUM names a browser that does not run."""


def find_chromium(environment: Mapping[str, str] = os.environ) -> str | None:
    """Path of a Chromium on this machine that runs, or None.

    Raises NamedChromiumError where CHROMIUM names one that does not run: another one would not be what was asked for.
    """
    named = environment.get("CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None or not runs(path):
            raise NamedChromiumError(f"CHROMIUM: got {named!r}, expected the path of a Chromium that runs.")
        return path
    return next((path for path in candidates(environment) if runs(path)), None)


def candidates(environment: Mapping[str, str]) -> Iterator[str]:
    """The paths worth trying, best first; each exists."""
    own = playwrights_own()
    if own is not None and Path(own).is_file():
        yield own
    yield from filter(None, (shutil.which(name, path=environment.get("PATH")) for name in NAMES))
    folders = [Path(environment[name]) for name in WINDOWS_FOLDERS if name in environment]
    places = [*(folder / place for folder in folders for place in WINDOWS_PLACES), *map(Path, MACOS_PLACES)]
    yield from (str(place) for place in places if place.is_file())


def playwrights_own() -> str | None:
    """Where Playwright keeps (or would keep) its own Chromium; None where its driver does not start.

    Asked in a process of its own: the driver needs libraries that a bare system lacks, and says so on its way down.
    """
    answer = subprocess.run([sys.executable, "-c", ASK_PLAYWRIGHT], capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None


def drivable_chromium(environment: Mapping[str, str] = os.environ) -> str | None:
    """A Chromium on this machine that runs, and that Playwright can drive; or None."""
    path = find_chromium(environment)
    return path if playwrights_own() is not None else None


def runs(path: str) -> bool:
    """Whether the browser starts at all: a library may be missing, or a package be a mere pointer to a snap.

    On Windows `--version` opens a window instead of answering, so being there has to do.
    """
    if sys.platform == "win32":
        return True
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


Run = Callable[[list[str]], bool]


def run_loudly(command: list[str]) -> bool:
    """Run a command whose output the person sees; whether it went well."""
    print("$ " + " ".join(command), flush=True)
    try:
        return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except OSError as error:
        print(error, flush=True)
        return False


def get_chromium(
    is_root: bool, run: Run = run_loudly, find: Callable[[], str | None] = drivable_chromium
) -> str | None:
    """Install a Chromium, trying one way after the other, and return its path; None where none could be had."""
    for commands in ways_to_get(is_root):
        if all(run(command) for command in commands):
            path = find()
            if path is not None:
                return path
    return None


def ways_to_get(is_root: bool) -> Iterator[list[list[str]]]:
    """Each way is a list of commands, of which all must succeed."""
    yield [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if is_root and shutil.which("apt-get"):
        yield [["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", *DEBIAN_PACKAGES]]
        yield [[sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]]
