"""Maps: PCA, a stream of UMAP layouts, and scores of how far to trust them.

Names are loaded when they are first used, so that the child process that only compiles UMAP need not load torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
