"""The run in docs/exported_run.html: one beginning, two margins, side by side. It opens in any browser, from disk.

    python -m tools.exported_run

Run it again when the page's scripts have changed: the file carries them, and a test compares.
"""

from __future__ import annotations

from pathlib import Path

from taskembed_edu.live.export import export_html
from taskembed_edu.session.session import Session

FILE = Path(__file__).parent.parent / "docs" / "exported_run.html"
TITLE = "Metric-based task embedding: margin 0.5 beside margin 3"
BRANCH_AT, STEPS = 300, 1200


def main() -> None:
    """Train both runs and write the file."""
    small = Session("metric", family="sinusoids")
    small.step(BRANCH_AT)
    large = small.branch()
    for session, margin in ((small, 0.5), (large, 3.0)):
        session.set(margin=margin)
        session.step(STEPS - BRANCH_AT)
    export_html((small, large), FILE, title=TITLE)
    print(f"wrote {FILE}: {FILE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
