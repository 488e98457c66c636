"""`taskembed lab`: JupyterLab, opened on the first lesson, with the course's settings.

It listens on this machine only and asks for a token. The settings (taskembed_edu/jupyter/overrides.json) are defaults
for this server alone: the learner's own Jupyter settings stay as they are, and win.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from taskembed_edu.commands.checkout import FIRST_LESSON, NO_CHECKOUT, find_checkout

HELP = f"""usage: taskembed lab [options of `jupyter lab`]

Opens JupyterLab on {FIRST_LESSON}. Every option is passed on, for example:

  taskembed lab --no-browser --port 8899
"""

# The course's JupyterLab settings: no news popup, and comms not over subshells (whether a slider's callback runs while
# a cell is busy would otherwise depend on the ipykernel version).
SETTINGS_FOLDER = Path(__file__).resolve().parents[1] / "jupyter"

# A workspace of its own: the tabs that someone left open in another project do not reappear here.
OPENS_ON = f"/lab/workspaces/taskembed_edu/tree/{FIRST_LESSON}"


def main(argv: Sequence[str]) -> int:
    """Start JupyterLab in this process; returns when it is shut down."""
    if {"-h", "--help"} & set(argv):
        print(HELP)
        return 0
    checkout = find_checkout()
    if checkout is None:
        print(NO_CHECKOUT, file=sys.stderr)
        return 1
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(jupyterlab_options(checkout, argv, as_root=is_root()))
    return 0


def jupyterlab_options(checkout: Path, argv: Sequence[str], as_root: bool) -> list[str]:
    """The command line of `jupyter lab`: the course's options, less those that the caller sets, then the caller's."""
    ours = {
        "--ServerApp.root_dir": checkout,
        "--LabApp.app_settings_dir": SETTINGS_FOLDER,
        "--LabApp.default_url": OPENS_ON,
    }
    theirs = {argument.split("=")[0] for argument in argv}  # Jupyter refuses an option that comes twice
    options = [f"{name}={value}" for name, value in ours.items() if name not in theirs]
    return [*options, *(["--allow-root"] if as_root else []), *argv]


def is_root() -> bool:
    """Whether this process runs as root, as it does in most containers; JupyterLab asks to be told."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
