"""How a scorecard grows with the number of its tasks: seconds and memory, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.table import Row

COUNTS = (1000, 10_000)
EMBEDDER, FAMILY, STEPS = "metric", "sinusoids", 100
# In MB, above what the process had when all was imported.
ASKED = 1000.0

CHILD = """
import json, time, psutil, threading
from taskembed_edu import evaluate
process = psutil.Process()
evaluate(EMBEDDER, FAMILY, steps=1, n_tasks=10)  # everything is imported, and was run once
before, peak, done = process.memory_info().rss, 0, threading.Event()
def watch():
    global peak
    while not done.wait(0.005):
        peak = max(peak, process.memory_info().rss)
watcher = threading.Thread(target=watch)
watcher.start()
begun = time.perf_counter()
card = evaluate(EMBEDDER, FAMILY, steps=STEPS, n_tasks=N_TASKS)
seconds = time.perf_counter() - begun
done.set()
watcher.join()
assert card.n_tasks == N_TASKS
print(json.dumps({"seconds": seconds, "MB": (peak - before) / 1e6}))
"""


def rows() -> Iterator[Row]:
    """Seconds and memory of one card at each number of tasks."""
    found = {n_tasks: _measured(n_tasks) for n_tasks in COUNTS}
    few, many = COUNTS
    for unit, asked, reached in (("seconds", "", None), ("MB", f"at most {ASKED:g}", found[many]["MB"] <= ASKED)):
        what = f"a scorecard of {many:,} tasks ({EMBEDDER} on {FAMILY}, {STEPS} steps)"
        what += ", memory above import" if unit == "MB" else ""
        yield Row(what, found[many][unit], unit, f"of {few:,} tasks", found[few][unit], asked, reached)


def _measured(n_tasks: int) -> dict[str, float]:
    named = {"EMBEDDER": EMBEDDER, "FAMILY": FAMILY, "STEPS": STEPS, "N_TASKS": n_tasks}
    code = "".join(f"{name} = {value!r}\n" for name, value in named.items()) + CHILD
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)
