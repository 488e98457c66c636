"""Kernels that have torch and this package loaded when they begin: forked from a process that loaded them once.

A fresh Python spends five seconds of a processor on these imports, a fork of one that has them next to nothing. What a
test meets is a new process all the same: its own memory, its own session, ended like any other kernel. What minds
whether it is in a notebook is not loaded before the fork (loaded_before.py).

The server is given `ForkedKernelManager`. Where there is no safe fork (Windows, macOS), and for every kernel but
`python3`, kernels begin as they always do.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager

if TYPE_CHECKING:  # Windows has neither
    from multiprocessing.context import ForkServerContext, ForkServerProcess

FORKED_KERNEL = "python3"
LOADED_BEFORE = "tests.browser.loaded_before"


class ForkedKernel:
    """What a provisioner asks of a process, for one that multiprocessing's fork server made."""

    stdin = stdout = stderr = None

    def __init__(self, process: ForkServerProcess) -> None:
        assert process.pid is not None
        self.process, self.pid = process, process.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self.process.exitcode

    def wait(self) -> int | None:
        """Wait for its end; the exit code."""
        self.process.join()
        return self.process.exitcode

    def send_signal(self, signum: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class ForkProvisioner(LocalProvisioner):
    """Begins kernels by a fork; all else is what jupyter_client does for a process of its own."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel for the connection file that the command names."""
        connection_file = cmd[cmd.index("-f") + 1]
        cwd = os.fspath(kwargs.get("cwd") or os.getcwd())
        process = fork_server().Process(target=run_kernel, args=(connection_file, cwd, dict(kwargs["env"])))
        await asyncio.to_thread(process.start)  # the first one waits until everything is loaded
        self.process: Any = ForkedKernel(process)
        self.pid = self.pgid = process.pid  # `run_kernel` begins a session of its own
        self.cwd = cwd
        return self.connection_info


class ForkedKernelManager(ServerKernelManager):
    """A kernel manager of jupyter_server whose Python kernels are forked."""

    async def _async_pre_start_kernel(self, **kwargs: Any) -> Any:
        if self.provisioner is None and self.kernel_name == FORKED_KERNEL:
            self.provisioner = ForkProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**kwargs)


def fork_server() -> ForkServerContext:
    """The process that kernels are forked from; it loads what they need when it is first asked for."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([LOADED_BEFORE])
    return context


def run_kernel(connection_file: str, cwd: str, environment: dict[str, str]) -> None:
    """A forked process becomes the kernel: in the session, folder and environment that a new process would have."""
    # The fork server ignores an import that fails, and would leave every kernel slow.
    assert LOADED_BEFORE in sys.modules, f"{LOADED_BEFORE} could not be imported: try it in a Python of its own"
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment, JPY_PARENT_PID=str(os.getppid()))  # a kernel ends with the process it came from
    sys.argv = ["ipykernel_launcher", "-f", connection_file]
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if getattr(sys.modules["__main__"].__spec__, "name", None) == "jupyterlab.__main__":
    from multiprocessing.forkserver import ensure_running

    fork_server()
    ensure_running()  # it loads while JupyterLab starts
