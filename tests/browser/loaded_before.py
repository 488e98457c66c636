"""What every kernel of the browser tests has loaded when it begins (see forked_kernels.py).

The package comes first: it tells OpenMP how to wait, which is read when torch is loaded. `umap` is missing on purpose.
"""

# ruff: noqa: F401, I001
import taskembed_edu

import anywidget
import ipykernel.kernelapp
import ipykernel.zmqshell
import ipywidgets
import matplotlib.figure
import numba
import psutil
import scipy.stats
import sklearn.manifold
import sklearn.neighbors
import torch._dynamo  # every optimiser loads it

LABS = (taskembed_edu.DistanceLab, taskembed_edu.LossLab, taskembed_edu.MetricLab, taskembed_edu.ParameterLab)
