"""What ten times as many outer steps give: minutes, so only where it is named (`make bench ARGS=adaptation-long`)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.adaptation import LEARNER, N_SHOT, OUTER_STEPS, RATE, error, one_thread, trained
from benchmarks.table import Row
from taskembed_edu.adaptation import CAVIA, MAML, MetaLearner

LONG = 50_000
# At most so much after one inner step.
METHODS: tuple[tuple[str, MetaLearner, float], ...] = (
    ("CAVIA trained for 1 inner step", CAVIA(LEARNER, 1.0, 1), 0.22),
    ("MAML, inner rate .01", MAML(LEARNER, RATE, 1), 0.38),
)


def rows() -> Iterator[Row]:
    """The error after one inner step, beside that after a tenth of the outer steps; one seed."""
    with one_thread():
        for name, method, limit in METHODS:
            short, found = (error(trained(method, 0, steps), 0, 1) for steps in (OUTER_STEPS, LONG))
            what = (
                f"{name}, after 1 inner step: squared error on 1,000 unseen waves, K = {N_SHOT}, after {LONG:,} outer"
            )
            yield Row(
                f"{what} steps, one seed",
                found,
                "",
                f"{OUTER_STEPS:,} outer steps",
                short,
                f"at most {limit:g}",
                found <= limit,
            )
