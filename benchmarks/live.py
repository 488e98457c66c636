"""What being watched costs training, and what a long live run holds in memory: a real kernel, without a browser."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jupyter_client.manager import start_new_kernel

from benchmarks.table import Row

ROOT = Path(__file__).parent.parent


def rows() -> Iterator[Row]:
    """The cost in percent of bare training; resident memory and its growth."""
    with kernel() as value_of:
        seconds = value_of("frames_cost()")
    cost = 100 * (seconds["live"] / seconds["bare"] - 1)
    work = "live frames' cost to training, 200 tasks, a frame every 10 steps, all that the kernel does for the page"
    yield Row(work, cost, "%", asked="at most 25 %", reached=cost <= 25)
    with kernel() as value_of:
        memory = value_of("memory()")
    most, growth = memory["most"], memory["growth"]
    work = "resident memory, kernel and child, the most until 500 steps are made and UMAP draws, 200 tasks"
    yield Row(work, most, "MB", asked="at most 900 MB", reached=most <= 900)
    yield Row("resident memory, kernel, after 500 steps with UMAP", memory["after"], "MB")
    yield Row("its growth over 10,000 further steps", growth, "MB", asked="at most 20 MB", reached=growth <= 20)


@contextlib.contextmanager
def kernel() -> Iterator[Callable[[str], Any]]:
    """A fresh kernel; a function that gives the value of an expression over `benchmarks.headless` in it."""
    importable = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": importable}
    # What goes wrong in a cell comes back as its answer; what the kernel says beside that is about its own transport.
    manager, client = start_new_kernel(kernel_name="python3", env=environment, stderr=subprocess.DEVNULL)

    def value_of(expression: str) -> Any:
        printed: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        code = f"import json\nfrom benchmarks.headless import *\nprint(json.dumps({expression}))"
        answer = client.execute_interactive(code, timeout=900, output_hook=hear)["content"]
        if answer["status"] != "ok":
            raise RuntimeError("\n".join(answer.get("traceback", [answer["status"]])))
        return json.loads(printed[-1])

    try:
        yield value_of
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
