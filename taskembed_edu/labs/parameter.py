"""ParameterLab: hundreds of small networks leave one point of weight space, each for where its task lives."""

from __future__ import annotations

from typing import Any, ClassVar

from taskembed_edu.labs.session_lab import SessionLab

# Classes and words differ in which way a network goes more than in how far, so their ways are compared by angle.
_BY_ANGLE: dict[str, Any] = {"form": "difference", "metric": "cosine"}
_SORTS: dict[str, dict[str, Any]] = {
    "gaussians": {**_BY_ANGLE, "learning_rate": 0.1},
    "digits": {**_BY_ANGLE, "learning_rate": 0.1},
    "number_words": {**_BY_ANGLE, "optimiser": "adam", "batch": 25, "frame_every": 5, "stop_at": 300},
}


class ParameterLab(SessionLab):
    """The live lab of the parameter-based embedder. Three doors, one room.

    Shown in a notebook it is a panel: every task's network on its way through weight space, with the trail that it
    leaves, its answers beside the pointer, and scores over time. Begin again with a start of each one's own, and the
    map is noise. In a script it is a session: `lab.session.step(300)`. And `lab.picture()` is the static picture.

    Any setting can be given by name: `ParameterLab(family="number_words", learner="lstm", form="difference")`.
    Errors: ValueError for an unknown setting, a value beyond its range, a layer or a network that these tasks do not
    have; MemoryError where the networks do not fit; RuntimeError for device="cuda" without one.

    >>> ParameterLab(family="sinusoids", start="own")
    ParameterLab(sinusoids, weights, own start, euclidean distance: step 0, 200 tasks)
    """

    embedder: ClassVar[str] = "parameters"
    title: ClassVar[str] = "Weights as task vectors"
    main: ClassVar[tuple[str, ...]] = (
        "family",
        "learner",
        "start",
        "vector",
        "form",
        "layer",
        "metric",
        "optimiser",
        "learning_rate",
        "stop_at",
        "projection",
    )

    @classmethod
    def defaults(cls, family: str) -> dict[str, Any]:
        """A map by PCA, which shows ways to scale; and what was seen to sort the tasks of each family."""
        return {"projection": "pca", **_SORTS.get(family, {})}

    def about(self, values: dict[str, Any]) -> str:
        return f"{values['family']}, {values['vector']}, {values['start']} start, {values['metric']} distance"
