"""`python -m benchmarks.browser [name ...] [--markdown FILE]`: what is measured in a browser."""

from __future__ import annotations

import sys

from benchmarks.command import Command

main = Command(
    package="benchmarks.browser",
    about="Measure the live lab in a real JupyterLab, in a Chromium that draws in software.",
    modules=("pictures", "sliders", "inner", "first_picture", "compiling"),
    section="bench-browser",
)

if __name__ == "__main__":
    sys.exit(main())
