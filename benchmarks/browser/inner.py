"""From a key that moves a point of the bench until the page draws the inner loops of the moved points.

The lab has its 200 waves and ten inner steps from each start; it is measured at rest, and while the outer loop trains.
The clock starts when the key goes down in the page, and stops when the page has painted what the kernel answered.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.browser.pages import laboratory, percentile
from benchmarks.table import Row
from tests.browser.notebook_page import NotebookPage

N_MOVES = 40
CELL = "from taskembed_edu import AdaptationLab\nlab = AdaptationLab()\nlab"
READY = "!!document.querySelector('.te-bench')?.__bench?.ways.some(way => way.name === 'nearest task')"
WATCH = """
() => {
  const bench = document.querySelector(".te-bench").__bench;
  window.benchTimes = [];
  bench.plane.handles[4].addEventListener("keydown", (event) => {
    const when = event.timeStamp;
    const look = () => {
      if (!bench.settled()) requestAnimationFrame(look);
      else window.benchTimes.push(bench.drawnAt - when);
    };
    setTimeout(() => requestAnimationFrame(look)); // once the key has done what it does
  }, { capture: true });
}
"""


def rows() -> Iterator[Row]:
    """The medians and the 95th percentiles, at rest and while training."""
    with laboratory() as lab, lab.notebook("inner", CELL) as page:
        page.run_all()
        page.wait_for_function(READY, timeout=60_000)
        page.evaluate(WATCH)
        for how, limit in (("at rest", 60), ("while training", 150)):
            if how != "at rest":
                page.locator(".te-play").first.click()
                page.wait_for_function("+document.querySelector('.te-panel').dataset.step > 20", timeout=60_000)
            seconds = _moved(page)
            median, worst = (percentile(seconds, share) for share in (0.5, 0.95))
            yield Row(f"point moved until it is drawn, {how}, median of {N_MOVES}", median, "ms")
            yield Row(
                f"point moved until it is drawn, {how}, p95",
                worst,
                "ms",
                "",
                None,
                f"at most {limit} ms",
                worst <= limit,
            )


def _moved(page: NotebookPage) -> list[float]:
    page.evaluate("window.benchTimes.length = 0")
    page.locator(".te-bench-point").nth(4).focus()
    pauses = random.Random(0)
    for move in range(N_MOVES):
        page.keyboard.press("ArrowUp" if move // 10 % 2 == 0 else "ArrowDown")
        page.wait_for_timeout(pauses.uniform(200, 350))
    page.wait_for_function("n => window.benchTimes.length >= n", arg=N_MOVES, timeout=30_000)
    times: list[float] = page.evaluate("window.benchTimes")
    return times
