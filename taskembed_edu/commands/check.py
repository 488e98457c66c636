"""`taskembed check`: the quick check for developers of the package; its code is in the checkout's tools."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from taskembed_edu.commands.checkout import NO_CHECKOUT, find_checkout


def main(argv: Sequence[str]) -> int:
    """Run `tools/check.py` with these arguments. Returns its exit code."""
    checkout = find_checkout()
    if checkout is None:
        print(NO_CHECKOUT, file=sys.stderr)
        return 1
    return subprocess.run([sys.executable, "-m", "tools.check", *argv], cwd=checkout, check=False).returncode
