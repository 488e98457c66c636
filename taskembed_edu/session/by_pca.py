"""A frame drawn by PCA, whatever drew it in the run: for two maps of one moment, side by side."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch

from taskembed_edu.projection.pca import pca
from taskembed_edu.projection.quality import trustworthiness
from taskembed_edu.projection.umap_steps import Layout
from taskembed_edu.session.history import Frame
from taskembed_edu.session.validation import placed_with_diverged


def by_pca(frame: Frame, signs: Layout | None = None, n_neighbors: int = 15) -> Frame:
    """The same frame with its vectors drawn by PCA: `layout`, `axes` and `projection` are those of the PCA map.

    `signs` is another PCA map of these tasks: this one is mirrored so that it looks like that one. A frame that PCA has
    drawn already comes back as it is. Trustworthiness is that of the PCA map, over n_neighbors tasks, and there is no
    jitter, since the map before is unknown; all other scores are those of the vectors, and stay.
    Worked number: the vectors (0, 0) and (3, 4) lie at -2.5 and 2.5 on the first axis.
    """
    if frame.projection == "pca":
        return frame
    n_tasks = len(frame.embedding)
    kept = np.delete(np.arange(n_tasks), frame.diverged_tasks)
    before = signs[kept] if signs is not None and len(signs) == n_tasks else None
    layout, axes = pca(torch.tensor(frame.embedding[kept]), before)
    whole = placed_with_diverged(layout, n_tasks, kept)
    scores = {name: value for name, value in frame.diagnostics.items() if name != "jitter"}
    if not math.isnan(scores.get("trustworthiness", math.nan)):  # NaN: all tasks are one point
        vectors = torch.tensor(frame.embedding[kept])
        scores["trustworthiness"] = trustworthiness(vectors, layout, n_neighbors, frame.metric)
    return dataclasses.replace(frame, layout=whole, axes=axes, projection="pca", diagnostics=scores)
