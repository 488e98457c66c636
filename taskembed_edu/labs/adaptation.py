"""AdaptationLab: the inner loop in slow motion, and the outer loop that moves the start behind it."""

from __future__ import annotations

from typing import Any, ClassVar

from taskembed_edu.labs.session_lab import SessionLab

# Settings with which a start is learned within a minute on two cores; the inner rate is one that adapts and stays whole.
_LEARNS: dict[str, dict[str, Any]] = {
    "sinusoids": {"n_shot": 10, "inner_steps": 5, "learning_rate": 3e-3},
    "gaussians": {"inner_lr": 0.5, "learning_rate": 3e-3},
    "digits": {"inner_lr": 0.5, "learning_rate": 3e-3},
    # Through a recurrent network second order costs too much: first order, on few tasks a step.
    "number_words": {
        "method": "first_order",
        "inner_lr": 0.5,
        "inner_steps": 5,
        "learning_rate": 5e-3,
        "batch": 5,
        "frame_every": 5,
    },
}


class AdaptationLab(SessionLab):
    """The live lab of learning to learn. One object has three uses.

    Displayed in a notebook it is a panel: one unseen task adapts step by step, from four starts side by side (random,
    meta-learned, the network of the nearest known task, prototypes), its points to be moved by hand; and the outer loop
    trains the meta-learned start behind it, on the map of weight space. In a script it is a session:
    `lab.session.step(300)`. And `lab.picture()` is the static picture.

    Any setting can be given by name: `AdaptationLab(family="sinusoids", method="reptile", inner_steps=3)`.
    Source: Finn, Abbeel and Levine 2017. Errors: ValueError for an unknown setting, a value beyond its range, or a
    network that cannot read these tasks; RuntimeError for device="cuda" without one.

    >>> AdaptationLab(family="sinusoids", method="reptile")
    AdaptationLab(sinusoids, reptile, inner rate 0.01, 5 inner steps: step 0, 200 tasks)
    """

    embedder: ClassVar[str] = "adapted"
    title: ClassVar[str] = "Learning to learn: the inner and the outer loop"
    main: ClassVar[tuple[str, ...]] = (
        "family",
        "method",
        "inner_lr",
        "inner_steps",
        "n_shot",
        "learning_rate",
        "learner",
        "projection",
    )

    @classmethod
    def defaults(cls, family: str) -> dict[str, Any]:
        """A map by PCA, which shows the start and the ways from it to scale; and settings that learn this family."""
        return {"projection": "pca", **_LEARNS.get(family, {})}

    def about(self, values: dict[str, Any]) -> str:
        steps = values["inner_steps"]
        counted = f"{steps} inner step{'s' if steps > 1 else ''}"
        return f"{values['family']}, {values['method']}, inner rate {values['inner_lr']:g}, {counted}"
