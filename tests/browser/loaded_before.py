"""What every kernel of the browser tests has loaded when it begins (see forked_kernels.py): arithmetic, and no screen.

What looks round for a notebook when it is imported is missing on purpose: ipywidgets would find no kernel, and never
answer a page that asks for its widgets; matplotlib and plotly would choose to draw elsewhere. So is `umap`: a map
begins with PCA.

The package comes first: it tells OpenMP how to wait, which is read when torch is loaded.
"""

# ruff: noqa: F401, I001
import taskembed_edu

import ipykernel.kernelapp
import ipykernel.zmqshell
import numba
import psutil
import scipy.stats
import sklearn.manifold
import sklearn.neighbors
import torch._dynamo  # every optimiser loads it

NO_SCREEN = taskembed_edu.Session
