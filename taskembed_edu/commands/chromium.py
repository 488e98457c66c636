"""Finds a Chromium for the browser tests, or installs one.

It looks in this order: the one that CHROMIUM names, Playwright's own, the system's by its usual names, and on Windows
Edge, which is a Chromium that every machine has. To install one, Playwright downloads its own; as root on Debian, the
Debian package is another way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")

# Where to find browsers that are not on the PATH: relative to the folders in these variables, and on macOS.
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
WINDOWS_PLACES = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
MACOS_PLACES = tuple(
    f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Chromium", "Google Chrome", "Microsoft Edge")
)

# The Debian package, and the one library that Playwright's driver needs and a minimal Debian lacks.
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

    Raises NamedChromiumError if CHROMIUM names one that does not run: the user did not ask for another one.
    """
    named = environment.get("CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None or not runs(path):
            raise NamedChromiumError(f"CHROMIUM: got {named!r}, expected the path of a Chromium that runs.")
        return path
    return next((path for path in candidates(environment) if runs(path)), None)


def candidates(environment: Mapping[str, str]) -> Iterator[str]:
    """The paths to try, best first; each exists."""
    own = playwrights_own()
    if own is not None and Path(own).is_file():
        yield own
    yield from filter(None, (shutil.which(name, path=environment.get("PATH")) for name in NAMES))
    folders = [Path(environment[name]) for name in WINDOWS_FOLDERS if name in environment]
    places = [*(folder / place for folder in folders for place in WINDOWS_PLACES), *map(Path, MACOS_PLACES)]
    yield from (str(place) for place in places if place.is_file())


def playwrights_own() -> str | None:
    """Where Playwright keeps (or would keep) its own Chromium; None if its driver does not start.

    A child process asks: the driver needs libraries that a minimal system lacks, and would crash with an error message.
    """
    answer = subprocess.run([sys.executable, "-c", ASK_PLAYWRIGHT], capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None


def drivable_chromium(environment: Mapping[str, str] = os.environ) -> str | None:
    """A Chromium on this machine that runs, and that Playwright can drive; or None."""
    path = find_chromium(environment)
    return path if playwrights_own() is not None else None


def runs(path: str) -> bool:
    """Whether the browser starts: a library may be missing, or the package may only refer to a snap.

    On Windows `--version` opens a window and prints nothing, so there it is enough that the file exists.
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
    """Run a command and show its output. Returns whether it succeeded."""
    print("$ " + " ".join(command), flush=True)
    try:
        return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except OSError as error:
        print(error, flush=True)
        return False


def get_chromium(
    is_root: bool, run: Run = run_loudly, find: Callable[[], str | None] = drivable_chromium
) -> str | None:
    """Install a Chromium, trying one way after the other, and return its path; None if all fail."""
    for commands in ways_to_get(is_root):
        if all(run(command) for command in commands):
            path = find()
            if path is not None:
                return path
    return None


def ways_to_get(is_root: bool) -> Iterator[list[list[str]]]:
    """The ways to install one; each is a list of commands that must all succeed."""
    yield [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if is_root and shutil.which("apt-get"):
        yield [["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", *DEBIAN_PACKAGES]]
        yield [[sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]]
