# What `taskembed_edu.projection` exposes; lazy_loader reads this file.

from .live_umap import LiveUMAP as LiveUMAP
from .pca import pca_layout as pca_layout
from .quality import jitter as jitter
from .quality import trustworthiness as trustworthiness
from .umap_steps import Layout as Layout
