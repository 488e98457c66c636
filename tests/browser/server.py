"""A real JupyterLab, of our own and for the tests only: one process, loopback, a token, folders that nobody else uses.

    with running_server(folder) as server:
        server.url       # http://127.0.0.1:PORT
        server.notebooks # the folder that JupyterLab shows

The server reads nothing of the user's Jupyter configuration and leaves nothing behind: it is ended by its own process
id, and its kernels with it.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from taskembed_edu.commands.lab import SETTINGS_FOLDER, is_root
from tests.listening import wait_until_it_listens
from tools.notebooks import PATIENT_THREADS

REPOSITORY = Path(__file__).resolve().parents[2]
STARTUP_SECONDS = 60
CAN_FORK = sys.platform == "linux"  # macOS forks too, but its own libraries do not outlive it
FORKED_KERNELS = "tests.browser.forked_kernels.ForkedKernelManager"


@dataclass(frozen=True)
class JupyterServer:
    """Where a running JupyterLab is reached, and the folder that it serves."""

    port: int
    token: str
    notebooks: Path
    pid: int
    door: int = 0  # the port that pages use, where it is another one (see line.py)

    @property
    def data(self) -> Path:
        """Where this server, and no other, looks for kernels."""
        return self.notebooks.parent / "data"

    @property
    def log(self) -> str:
        """What the server and its kernels have said so far."""
        return (self.notebooks.parent / "server.log").read_text(encoding="utf-8")

    @contextmanager
    def settings(self, plugin: str, values: dict[str, Any]) -> Iterator[None]:
        """JupyterLab's settings as a user sets them, for the pages opened within the block."""
        extension, _, name = plugin.partition(":")
        file = self.notebooks.parent / "user-settings" / extension / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
        try:
            yield
        finally:
            file.unlink()

    def open_in(self, workspace: str) -> set[str]:
        """The notebooks that JupyterLab has noted as open in this workspace: it opens them again with the page.

        None at the moment at which it writes that down: whoever waits for some must ask again.
        """
        for file in (self.notebooks.parent / "workspaces").glob("*.jupyterlab-workspace"):
            try:
                noted = json.loads(file.read_text(encoding="utf-8"))
            except json.JSONDecodeError:  # it is being written just now
                return set()
            if noted["metadata"]["id"] == workspace:
                return {key.removeprefix("notebook:") for key in noted["data"] if key.startswith("notebook:")}
        return set()

    @property
    def url(self) -> str:
        """The address for pages, without a slash at its end."""
        return f"http://127.0.0.1:{self.door or self.port}"

    def api(self, path: str, method: str = "GET") -> Any:
        """The answer of the server's REST interface, read as JSON (None where it is empty)."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not know our loopback
        with direct.open(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None


@contextmanager
def running_server(folder: Path, *, forked_kernels: bool = False) -> Iterator[JupyterServer]:
    """A JupyterLab that lives in `folder` until the block ends; its kernels may be forks (see forked_kernels.py)."""
    notebooks = folder / "notebooks"
    notebooks.mkdir(parents=True)
    port, token = free_port(), secrets.token_hex(16)
    process = subprocess.Popen(
        _command(port, notebooks, forked_kernels),
        cwd=notebooks,
        env=_environment(folder, token),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=os.name == "posix",  # Ctrl-C in the terminal must reach pytest, which then ends the server
    )
    server = JupyterServer(port, token, notebooks, process.pid)
    output = _Output(process, folder / "server.log")
    try:
        output.wait_until_ready()
        wait_until_it_listens(process, port)
        yield server
    finally:
        _end(process, server)
        output.thread.join(timeout=10)


def _command(port: int, notebooks: Path, forked_kernels: bool) -> list[str]:
    options = [
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={notebooks}",
        "--ServerApp.shutdown_no_activity_timeout=3600",  # should pytest be killed, the server ends itself
        f"--LabApp.app_settings_dir={SETTINGS_FOLDER}",  # as `taskembed lab` does
        "--LabApp.expose_app_in_browser=True",
    ]
    if forked_kernels and CAN_FORK:
        options.append(f"--AsyncMappingKernelManager.kernel_manager_class={FORKED_KERNELS}")
    return [sys.executable, "-m", "jupyterlab", *options, *(["--allow-root"] if is_root() else [])]


def _environment(folder: Path, token: str) -> dict[str, str]:
    """The caller's environment with every Jupyter folder moved into `folder`, and this working tree importable."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTEST"))}
    paths = [str(REPOSITORY), *filter(None, [inherited.get("PYTHONPATH")])]
    return {
        **PATIENT_THREADS,
        **inherited,
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join(paths),
    }


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class _Output:
    """What the server says: read to its end on a thread, kept in `log`, and listened to for the line that matters."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.listens: SimpleQueue[bool] = SimpleQueue()
        self.last: deque[str] = deque(maxlen=40)
        self.thread = threading.Thread(target=self._read, args=(process, log), daemon=True, name="jupyter-log")
        self.thread.start()

    def wait_until_ready(self) -> None:
        """Return when the server listens; raise with its last words where it does not."""
        try:
            started = self.listens.get(timeout=STARTUP_SECONDS)
        except Empty:
            started = False
        if not started:
            raise RuntimeError(f"JupyterLab did not start within {STARTUP_SECONDS} s. It said:\n{''.join(self.last)}")

    def _read(self, process: subprocess.Popen[str], log: Path) -> None:
        assert process.stdout is not None
        with process.stdout as lines, log.open("w", encoding="utf-8") as file:
            for line in lines:
                self.last.append(line)
                file.write(line)
                file.flush()
                if "is running at" in line:
                    self.listens.put(True)
        self.listens.put(False)  # the server has ended


def _end(process: subprocess.Popen[str], server: JupyterServer) -> None:
    """Ask the server to end (it then ends its kernels); insist where it does not."""
    if process.poll() is None:
        try:
            server.api("shutdown", "POST")
            process.wait(timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            process.terminate()  # the server ends its kernels on this signal too
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
