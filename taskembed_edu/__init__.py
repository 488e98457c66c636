"""taskembed_edu: learn what a task embedding is, by watching one organise itself.

Everything public is a name of this package, loaded when it is first used: the import itself costs next to nothing.
"""

import os

import lazy_loader

# A thread of torch that waits for work should sleep, not spin: on a laptop with few cores, and a browser that wants one
# of them, spinning makes training tens of times slower. OpenMP reads this once, when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
