"""Compiles UMAP in the background while the map shows PCA.

umap-learn compiles itself, for seconds. Compiling in this process would make the animation stutter, so a child process
does it once and leaves the result in numba's cache on disk; this process, and every later kernel, only reads it.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable

from taskembed_edu.projection.umap_steps import is_cached, warm_up

_COMMAND = "from taskembed_edu.projection.umap_steps import warm_up; warm_up()"

# Two labs need only one compilation: the second waits for the first, and then need not compile.
_ONE_AT_A_TIME = threading.Lock()
_MOST_WAITED = 1.5
_is_ready = threading.Event()


def precompile_in_background(
    when_ready: Callable[[], None], when_failed: Callable[[Exception], None], moves: threading.Event
) -> threading.Thread:
    """Compile UMAP on another thread, which then calls `when_ready` or `when_failed`. Returns that thread.

    `moves` is set once the map moves. Loading what is compiled already keeps this process busy for two seconds, so it
    waits for that, or `_MOST_WAITED` seconds.
    """
    thread = threading.Thread(
        target=_warm, args=(when_ready, when_failed, moves), name="taskembed-umap-warming", daemon=True
    )
    thread.start()
    return thread


def _warm(when_ready: Callable[[], None], when_failed: Callable[[Exception], None], moves: threading.Event) -> None:
    try:
        with _ONE_AT_A_TIME:
            if not _is_ready.is_set():
                _compile(moves)
                _is_ready.set()
    except Exception as error:  # whatever failed in umap or numba, the learner must not wait for ever
        when_failed(error)
    else:
        when_ready()


def _compile(moves: threading.Event) -> None:
    if is_cached():
        moves.wait(_MOST_WAITED)
    else:
        quiet = subprocess.DEVNULL
        # If the child process fails (no space for a cache, say), warm_up() compiles here: slower, but it works.
        with contextlib.suppress(OSError):
            subprocess.run([sys.executable, "-c", _COMMAND], stdin=quiet, stdout=quiet, stderr=quiet, check=False)
    warm_up()
