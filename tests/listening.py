"""Waiting for a server of our own."""

from __future__ import annotations

import contextlib
import socket
import subprocess


def wait_until_it_listens(process: subprocess.Popen[str], port: int) -> None:
    """Jupyter prints its address shortly before it listens there; wait for the second, or for the process's end."""
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"the process ended, with exit code {process.wait(timeout=0.1)}")
    raise AssertionError(f"nothing listens at port {port}")
