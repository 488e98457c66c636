"""umap-learn's own graph and optimiser, called for a few epochs: the numerical part of `projection.LiveUMAP`.

It uses NumPy arrays and no tensors, so that the child process that compiles it need not load torch.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Layout = NDArray[np.float32]

# Under numba's workqueue threading layer, two UMAP calls at once can abort the process: so only one runs at a time.
_ONE_AT_A_TIME = threading.Lock()

_NEGATIVE_SAMPLES = 5.0

# What `_umap` has numba keep on disk, as numba names the files.
_CACHED = (
    "umap_.smooth_knn_dist",
    "umap_.compute_membership_strengths",
    "layouts._optimize_layout_euclidean_single_epoch",
)


def optimise(
    start: Layout,
    neighbours: NDArray[np.int32],
    distances: Layout,
    epochs: int,
    rate: float,
    min_dist: float,
    random: np.random.RandomState,
) -> Layout:
    """Move the points of a layout (n, 2) for some epochs towards their neighbours; float32.

    `neighbours` and `distances` (n, k) give each point's k nearest, itself first at distance 0. The same state of
    `random` gives the same result.
    """
    with _ONE_AT_A_TIME, _torch_keeps_its_threads():
        umap = _umap()
        graph, _sigmas, _rhos = umap.umap_.fuzzy_simplicial_set(
            start, neighbours.shape[1], random, "precomputed", knn_indices=neighbours, knn_dists=distances
        )
        graph = graph.tocoo()
        # An edge weaker than this would be sampled less than once in all epochs: it is dropped, as in umap-learn.
        strong = graph.data >= graph.data.max() / epochs
        layout = start.astype(np.float32, order="C", copy=True)
        return umap.layouts.optimize_layout_euclidean(
            layout,
            layout,
            graph.row[strong],
            graph.col[strong],
            epochs,
            len(layout),
            umap.umap_.make_epochs_per_sample(graph.data[strong], epochs),
            *_curve(min_dist),
            random.randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max - 1, 3).astype(np.int64),
            initial_alpha=rate,
            negative_sample_rate=_NEGATIVE_SAMPLES,
            move_other=True,
        )


@contextlib.contextmanager
def _torch_keeps_its_threads() -> Iterator[None]:
    """Numba's own number of threads becomes torch's too, in the thread that first uses both: set it back."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    try:
        yield
    finally:
        if torch and torch.get_num_threads() != before:
            torch.set_num_threads(before)


_CURVES: dict[float, tuple[float, float]] = {}


def _curve(min_dist: float) -> tuple[float, float]:
    if min_dist not in _CURVES:
        a, b = _umap().umap_.find_ab_params(1.0, min_dist)
        _CURVES[min_dist] = (float(a), float(b))
    return _CURVES[min_dist]


@functools.cache
def _umap() -> Any:
    """umap-learn, imported late (it takes seconds); its compiled functions are cached on disk for the next kernel."""
    with warnings.catch_warnings():
        # It warns that TensorFlow is missing; nothing here needs it.
        warnings.simplefilter("ignore", ImportWarning)
        import umap
        import umap.layouts
        import umap.umap_

    for compiled in (
        umap.umap_.smooth_knn_dist,
        umap.umap_.compute_membership_strengths,
        umap.layouts._nb_optimize_layout_euclidean_single_epoch,
    ):
        if not compiled.stats.cache_path:
            compiled.enable_caching()
    return umap


def is_cached() -> bool:
    """Whether numba's cache beside umap-learn holds all that `warm_up` compiles, made with what is installed now.

    The files alone tell, in a millisecond: to ask numba is to import it. A cache in another place counts as none.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return False
    umap, numba = (Path(str(spec.origin)).parent for spec in map(find_spec, ("umap", "numba")) if spec)
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    made = [max(_dates(umap / "__pycache__", f"{name}-*.{python}.nbi"), default=0.0) for name in _CACHED]
    return min(made) > max((umap / "umap_.py").stat().st_ctime, (numba / "__init__.py").stat().st_ctime)


def _dates(folder: Path, pattern: str) -> list[float]:
    return [file.stat().st_mtime for file in folder.glob(pattern)]


def is_loaded() -> bool:
    """Whether this process has imported UMAP; the first use imports it and may have to compile it."""
    return "umap" in sys.modules


def warm_up() -> None:
    """Import umap and compile what it needs (seconds the first time, less once numba's cache holds it)."""
    n, k = 32, 5
    random = np.random.RandomState(0)
    places = random.normal(size=(n, 2)).astype(np.float32)
    apart = np.linalg.norm(places[:, None] - places, axis=2).astype(np.float32)
    neighbours = np.argsort(apart, axis=1)[:, :k].astype(np.int32)
    distances = np.take_along_axis(apart, neighbours, axis=1)
    for epochs in (200, 6):
        places = optimise(places, neighbours, distances, epochs, 1.0, 0.1, random)
