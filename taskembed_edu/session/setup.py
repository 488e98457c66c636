"""The session's own settings, beside its embedder's hyperparameters: the tasks, the seed, the map."""

from __future__ import annotations

from dataclasses import dataclass

from taskembed_edu.base.settings import Settings, setting
from taskembed_edu.tasks import FAMILIES

# Settings that change only how the map draws the same vectors.
MAP_SETTINGS = ("projection", "n_neighbors", "min_dist")


@dataclass(frozen=True)
class Setup(Settings):
    """The session's own settings, beside the embedder's hyperparameters."""

    family: str = setting(
        "sinusoids",
        label="Tasks",
        help="Which family the tasks come from.",
        choices=FAMILIES,
        open=True,  # a user passes an own family as an object, with a name of its own
        live=False,
    )
    seed: int = setting(
        0,
        label="Seed",
        help="The start of all random numbers. The same seed gives the same run.",
        low=0,
        high=2**31 - 1,
        step=1,
        live=False,
    )
    n_tasks: int = setting(
        200,
        label="Tasks on the map",
        help="How many tasks the map shows, at most. Training never uses them: of 300 tasks of your own, MetricLab "
        "keeps 60 for the map.",
        low=5,
        high=5000,
        step=1,
        live=False,
        advanced=True,
    )
    frame_every: int = setting(
        10,
        label="Steps between pictures",
        help="After how many steps the lab keeps a picture.",
        low=1,
        high=1000,
        step=1,
        live=False,
        advanced=True,
    )
    projection: str = setting(
        "umap",
        label="Map",
        help="UMAP keeps neighbours together. Its distances and sizes mean little. PCA shows the two directions in "
        "which the vectors differ most. It is to scale.",
        choices={"umap": "UMAP", "pca": "PCA"},
        above_map=True,
    )
    n_neighbors: int = setting(
        15,
        label="Neighbours",
        help="How many nearest tasks UMAP tries to keep near.",
        low=2,
        high=100,
        step=1,
        advanced=True,
    )
    min_dist: float = setting(
        0.1,
        label="Smallest gap",
        help="How near UMAP may put two neighbours (its `min_dist`). Small: tight groups. Large: an even spread.",
        low=0.0,
        high=0.99,
        step=0.01,
        advanced=True,
    )
    umap_restarts: int = setting(
        0,
        label="Embedded again",
        help="How often UMAP was told to forget its map and to embed from scratch.",
        low=0,
        high=2**31 - 1,
        step=1,
        hidden=True,
        formerly=("refits",),
    )
