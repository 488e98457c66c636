"""taskembed_edu: learn what a task embedding is, by watching one organise itself.

Everything public is a name of this package, loaded when it is first used: the import itself costs next to nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
