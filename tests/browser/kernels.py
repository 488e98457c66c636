"""Kernels with another ipykernel than the installed one, for a JupyterLab of the tests.

    name = other_ipykernel(server, "6.31.0", folder)
    open_notebook(cells, kernel=name)

The other version stands in a folder of its own, which comes first on that kernel's path: everything else, torch and
this package with it, is what is installed here.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.browser.server import REPOSITORY, JupyterServer
from tests.offline.sitecustomize import environment_with_network

# What ipykernel 6 needs and ipykernel 7 no longer brings along.
_BESIDE = {"6": ("nest_asyncio",)}


class CannotGetError(Exception):
    """pip could not fetch that version: most likely there is no network."""


def other_ipykernel(server: JupyterServer, version: str, cache: Path) -> str:
    """The name of a kernel that runs on this ipykernel; `cache` keeps what pip fetched for the next run."""
    if importlib.metadata.version("ipykernel") == version:
        return "python3"
    folder = _fetched(version, cache)
    name = f"ipykernel-{version}"
    kernel = server.data / "kernels" / name / "kernel.json"
    kernel.parent.mkdir(parents=True, exist_ok=True)
    specification = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": f"Python 3 (ipykernel {version})",
        "language": "python",
        "metadata": {"debugger": True},
        "env": {"PYTHONPATH": os.pathsep.join([str(folder), str(REPOSITORY)])},
    }
    kernel.write_text(json.dumps(specification), encoding="utf-8")
    return name


def _fetched(version: str, cache: Path) -> Path:
    folder = cache / f"ipykernel-{version}"
    complete = folder / "complete"
    if not complete.exists():
        wanted = [f"ipykernel=={version}", *_BESIDE.get(version.split(".")[0], ())]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", str(folder)]
        network = environment_with_network()
        done = subprocess.run([*pip, *wanted], env=network, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise CannotGetError(f"pip could not fetch {' '.join(wanted)}: {done.stderr.strip()[-400:]}")
        complete.touch()
    return folder
