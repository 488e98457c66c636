"""Making UMAP ready while a learner already looks at PCA.

umap-learn compiles itself, for seconds, in every fresh kernel. Compiling in this process would make the picture
stutter, so a child process does it once and leaves the result in numba's cache on disk; this one then only reads it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

from taskembed_edu.projection import warm_up

_COMMAND = "from taskembed_edu.projection import warm_up; warm_up()"


def warm_in_background(when_ready: Callable[[], None]) -> threading.Thread:
    """Make UMAP ready without holding anyone up, then call `when_ready` (from another thread)."""
    thread = threading.Thread(target=_warm, args=(when_ready,), name="taskembed-umap-warming", daemon=True)
    thread.start()
    return thread


def _warm(when_ready: Callable[[], None]) -> None:
    quiet = subprocess.DEVNULL
    # Where the child fails (no room for a cache, say) this process compiles for itself: slower, but it works.
    subprocess.run([sys.executable, "-c", _COMMAND], stdin=quiet, stdout=quiet, stderr=quiet, check=False)
    warm_up()
    when_ready()
