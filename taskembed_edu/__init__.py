"""taskembed_edu: learn what a task embedding is, by watching one organise itself.

Everything public is a name of this package, loaded when it is first used: the import itself costs next to nothing.
"""

import os

import lazy_loader

from taskembed_edu.base import moved

# A thread of torch that waits for work should sleep, not spin: on a laptop with few cores, and a browser that wants one
# of them, spinning makes training tens of times slower. OpenMP reads this once, when torch is loaded. But not at once:
# the next product of a training step is microseconds away, and waking takes longer. GNU's OpenMP spins so many times,
# which takes 0.7 ms where it was measured; with no spinning at all two threads are slower than one (97 ms a step in
# place of 49, forty languages).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
# And half of the cores do the arithmetic: small networks are no quicker on all of them, and the page, the server and
# the kernel's other threads need the rest (docs/results.md). Numba must be told the same: it sets torch's number of
# threads to its own when UMAP first runs, and a run's numbers would then depend on when that was.
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

moved.install()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
