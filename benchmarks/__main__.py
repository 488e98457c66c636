"""`python -m benchmarks [name ...] [--markdown FILE]`: what is measured without a browser."""

from __future__ import annotations

import sys

from benchmarks.command import Command

main = Command(
    package="benchmarks",
    about="Measure what the project is to reach, without a browser.",
    modules=(
        "startup",
        "losses",
        "frames",
        "drawing",
        "live",
        "embedder",
        "parameters",
        "weights",
        "adaptation",
        "scorecard",
        "gpu",
    ),
    section="bench",
    long=("adaptation-long", "real-tasks"),
)

if __name__ == "__main__":
    sys.exit(main())
