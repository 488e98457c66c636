"""`taskembed lab`: JupyterLab, opened on the first of the learner's own lessons, with the course's settings.

The lessons are copied to `my_lessons/` first (see my_lessons.py). JupyterLab listens on this machine only and asks for
a token. The settings (taskembed_edu/jupyter/overrides.json) are defaults for this server alone: the learner's own
Jupyter settings stay as they are and override them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from taskembed_edu.base.files import reason
from taskembed_edu.commands.checkout import FIRST_LESSON, NO_CHECKOUT, find_checkout
from taskembed_edu.commands.my_lessons import LEARNERS, LECTURER, LECTURERS, Copies, update

HELP = f"""usage: taskembed lab [{LECTURER}] [options of `jupyter lab`]

Opens JupyterLab on {LEARNERS.folder}/{FIRST_LESSON}: your own copy of the lessons, in which you may run,
change and save what you like. It is made the first time, and nothing of yours in it is ever written over.
To begin a lesson again: taskembed lesson --afresh 02

{LECTURER} opens the edition with solutions and outputs, a copy of its own in {LECTURERS.folder}/.

Every other option is passed on, for example:

  taskembed lab --no-browser --port 8899
"""

# The course's JupyterLab settings: no news popup, and comms not over subshells (whether a slider's callback runs while
# a cell is busy would otherwise depend on the ipykernel version).
SETTINGS_FOLDER = Path(__file__).resolve().parents[1] / "jupyter"


def main(argv: Sequence[str]) -> int:
    """Start JupyterLab in this process; returns when it is shut down."""
    if {"-h", "--help"} & set(argv):
        print(HELP)
        return 0
    checkout = find_checkout()
    if checkout is None:
        print(NO_CHECKOUT, file=sys.stderr)
        return 1
    copies = LECTURERS if LECTURER in argv else LEARNERS
    if not prepare_lessons(checkout, copies):
        return 1
    # So that `!taskembed progress` in a cell finds this environment's command.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    from jupyterlab.labapp import LabApp

    passed_on = [argument for argument in argv if argument != LECTURER]
    LabApp.launch_instance(jupyterlab_options(checkout, passed_on, as_root=is_root(), copies=copies))
    return 0


def prepare_lessons(checkout: Path, copies: Copies = LEARNERS) -> bool:
    """Update the copy, and print where it is and what is new. Returns whether the first lesson exists."""
    try:
        lines = update(checkout, copies)
    except OSError as error:
        print(f"taskembed lab: {reason(error)}", file=sys.stderr)
        return False
    print(f"Your copy of the lessons: {checkout / copies.folder}", *lines, sep="\n", flush=True)
    first = checkout / copies.folder / FIRST_LESSON
    if not first.exists():
        print(f"taskembed lab: {first} could not be made, so there is nothing to open.", file=sys.stderr)
    return first.exists()


def opens_on(copies: Copies) -> str:
    """The address of the first lesson.

    In a workspace of its own: tabs left open in another project, or in the other edition, do not reappear.
    """
    return f"/lab/workspaces/taskembed_edu_{copies.folder.replace('/', '_')}/tree/{copies.folder}/{FIRST_LESSON}"


def jupyterlab_options(checkout: Path, argv: Sequence[str], as_root: bool, copies: Copies = LEARNERS) -> list[str]:
    """The command line of `jupyter lab`: the course's options without those that the caller sets, then the caller's."""
    ours = {
        "--ServerApp.root_dir": checkout,
        "--LabApp.app_settings_dir": SETTINGS_FOLDER,
        "--LabApp.default_url": opens_on(copies),
    }
    theirs = {argument.split("=")[0] for argument in argv}  # Jupyter refuses an option that comes twice
    options = [f"{name}={value}" for name, value in ours.items() if name not in theirs]
    return [*options, *(["--allow-root"] if as_root else []), *argv]


def is_root() -> bool:
    """Whether this process runs as root, as in most containers; JupyterLab then needs `--allow-root`."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
