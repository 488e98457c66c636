"""ParameterLab: hundreds of small networks start at one point of weight space, and each is trained on its own task."""

from __future__ import annotations

from typing import Any, ClassVar

from taskembed_edu.labs.session_lab import SessionLab

# With classes and words, networks differ more in the direction of their path than in its length: compare by angle.
_BY_ANGLE: dict[str, Any] = {"form": "difference", "metric": "cosine"}
_SORTS: dict[str, dict[str, Any]] = {
    "gaussians": {**_BY_ANGLE, "learning_rate": 0.1},
    "digits": {**_BY_ANGLE, "learning_rate": 0.1},
    "language_names": {**_BY_ANGLE, "learning_rate": 0.3},
    "alphabets": {**_BY_ANGLE, "learning_rate": 0.03},
    "omniglot": {**_BY_ANGLE, "learning_rate": 0.03},
    "number_words": {**_BY_ANGLE, "optimiser": "adam", "batch": 25, "frame_every": 5, "stop_at": 300},
}


class ParameterLab(SessionLab):
    """The live lab of the parameter-based embedder. One object has three uses.

    Displayed in a notebook it is a panel: every task's network moves through weight space and leaves a trail; its
    outputs are shown beside the pointer, and scores over time. If every network has its own initial weights instead
    (`start="own"`), the map is noise. In a script it is a session: `lab.session.step(300)`. And `lab.picture()` is the
    static picture.

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
        """A map by PCA, which shows paths to scale; and settings that were found to sort each family's tasks."""
        return {"projection": "pca", **_SORTS.get(family, {})}

    def about(self, values: dict[str, Any]) -> str:
        return f"{values['family']}, {values['vector']}, {values['start']} start, {values['metric']} distance"
