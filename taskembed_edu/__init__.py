"""taskembed_edu: learn what a task embedding is, by watching one organise itself.

Everything public is a name of this package, loaded when it is first used: so importing the package is fast.
"""

import os
import sys

import lazy_loader

from taskembed_edu.base import moved

# A torch thread that waits for work should sleep, not spin: on a laptop with few cores, where a browser needs one of
# them, spinning makes training tens of times slower. OpenMP reads this once, when torch is loaded. But a thread should
# spin for a short time first: the next product of a training step comes after microseconds, and waking takes longer.
# GOMP_SPINCOUNT is how many times GNU's OpenMP spins. With no spinning at all, two threads are slower than one
# (docs/results.md, "Weights as task vectors"; `make bench ARGS=parameters`).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
# torch uses half of the cores: small networks are not faster on all of them, and the page, the server and the kernel's
# other threads need the rest (docs/results.md). Numba must have the same number: it sets torch's number of threads to
# its own when UMAP first runs, and a run's numbers would then depend on when that happens.
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
_threads = os.environ["OMP_NUM_THREADS"].split(",")[0]  # a list says how many in each nested level
os.environ.setdefault("NUMBA_NUM_THREADS", _threads)
# If torch has been imported already, it takes no more than this number either: a run and its replay then agree,
# wherever each of them is made.
if (_torch := sys.modules.get("torch")) is not None and _threads.isdigit() and _torch.get_num_threads() > int(_threads):
    _torch.set_num_threads(int(_threads))

moved.install()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
