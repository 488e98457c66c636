"""Train what the lessons keep: `make artefacts` calls it.

python -m tools.artefacts                # those that are missing, or of other settings than their recipes'
python -m tools.artefacts letters        # this one, whatever stands there
python -m tools.artefacts --check        # is all that is kept of the recipes that stand here?
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks.table import header
from taskembed_edu.course import artefacts


def main(argv: Sequence[str] | None = None) -> int:
    """Make what is asked for; with --check only look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="artefact", help=f"one of {', '.join(artefacts.RECIPES)}")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(argv)
    if options.check:
        problems = artefacts.wrong()
        print("\n".join(problems) or "All that is kept is of the recipes that stand here.")
        return 1 if problems else 0
    for name in options.names or artefacts.stale():
        begun = time.monotonic()
        print(f"{name}: {artefacts.recipe(name).about}", flush=True)
        weights = artefacts.trained_again(name)
        where = {**header(f"make artefacts ARGS={name}"), "seconds": f"{time.monotonic() - begun:.0f}"}
        path = artefacts.keep(name, weights, where)
        print(f"{path.name}: {path.stat().st_size:,} bytes, {where['seconds']} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
