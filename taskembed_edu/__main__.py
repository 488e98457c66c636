"""`python -m taskembed_edu`: the same as the command `taskembed`, and there on every system."""

from __future__ import annotations

import sys

from taskembed_edu.cli import main

if __name__ == "__main__":
    sys.exit(main())
