"""AdaptationLab: the inner loop in slow motion, and the outer loop that moves the start behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from taskembed_edu.base.checks import check_choice, check_whole, problem
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.evaluation.inner_loops import InnerLoop
from taskembed_edu.labs.session_lab import SessionLab
from taskembed_edu.networks.factory import task_learner
from taskembed_edu.session.slow_motion import LEARNED, MOST_STEPS, Asked, Seen, SlowMotion, checked_points
from taskembed_edu.session.surface import has_plane, surface_of, ways_of
from taskembed_edu.tasks import task_family
from taskembed_edu.tasks.base import TaskFamily

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from taskembed_edu.adaptation.surface import LossSurface

# Settings with which a start is learned within a minute on two cores.
_LEARNS: dict[str, dict[str, Any]] = {
    "sinusoids": {"n_shot": 10, "inner_steps": 5, "learning_rate": 3e-3},
    "gaussians": {"inner_lr": 0.5, "learning_rate": 3e-3},
    "digits": {"inner_lr": 0.1, "inner_steps": 3, "learning_rate": 3e-3},
    "alphabets": {"inner_lr": 0.1, "inner_steps": 3, "learning_rate": 3e-3},
    "omniglot": {"inner_lr": 0.1, "inner_steps": 3, "learning_rate": 3e-3},
    "language_names": {"inner_lr": 0.5, "inner_steps": 3, "learning_rate": 0.01},
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


# Two numbers learn with larger steps, and one inner step is enough to see what it changes.
_WAVE: dict[str, Any] = {"inner_lr": 0.1, "inner_steps": 1, "learning_rate": 0.02}

Found = TypeVar("Found")


class AdaptationLab(SessionLab):
    """The live lab of learning to learn. One object has three uses.

    Displayed in a notebook it is a panel: one unseen task adapts step by step, from four starts side by side (random,
    meta-learned, the network of the nearest known task, prototypes), its points to be moved by hand; and the outer loop
    trains the meta-learned start behind it, on the map of weight space. In a script it is a session:
    `lab.session.step(300)`. And `lab.picture()` is the static picture.

    With `learner="wave"`, a network of two numbers, the loss over the start is a surface, which the page shows in the
    place of the map: `lab.surface()`, `lab.ways()`.

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

    @short_errors
    def __init__(self, family: TaskFamily | str = "sinusoids", **settings: Any) -> None:
        usual = _WAVE if settings.get("learner") == "wave" else {}
        super().__init__(family, **{**usual, **settings})
        # A network that cannot read the tasks must be said here, where the user typed it.
        tasks = family if isinstance(family, TaskFamily) else task_family(family)
        task_learner(tasks, self._values["learner"], self._values["hidden"])
        self._motion = SlowMotion()

    @classmethod
    def defaults(cls, family: str) -> dict[str, Any]:
        """A map by PCA, which shows the start and the ways from it to scale; and settings that learn this family."""
        return {"projection": "pca", **_LEARNS.get(family, {})}

    def about(self, values: dict[str, Any]) -> str:
        steps = values["inner_steps"]
        counted = f"{steps} inner step{'s' if steps > 1 else ''}"
        return f"{values['family']}, {values['method']}, inner rate {values['inner_lr']:g}, {counted}"

    @short_errors
    def inner(
        self,
        steps: int = 10,
        *,
        task: int = 0,
        points: Sequence[tuple[float, float]] | None = None,
        start: str = LEARNED,
    ) -> InnerLoop:
        """The inner loop of one task from one start, as the newest frame of the run has it: losses and outputs by step.

        `task` is one of the map's; or `points` are a curve of your own, [(x, y), ...], which has no query set. `start`
        is "random", "meta-learned" or "nearest task". Nothing of the run changes. Errors: ValueError for a task, start
        or number of steps that there is not, and for points of tasks that are no curves.
        """
        check_whole("steps", steps, 0, MOST_STEPS)
        own = None if points is None else checked_points(points)
        seen = self._seen(Asked(task, own, own is not None, steps))
        return seen.ways[check_choice("start", start, seen.ways)]

    @short_errors
    def surface(self, inner_steps: Iterable[int] | int | None = None) -> LossSurface:
        """The mean query loss over the start, for a learner of two numbers: on a grid of starts, by inner steps.

        `inner_steps`: one number or several in order (None: 0, 1, 2, 5, 10, and the run's own). `surface.best(steps)`
        is the best start of the grid, `surface.at(phase, amplitude, steps)` the loss of another one. Errors: ValueError
        for a learner of more numbers, or for steps out of order.
        """
        several = () if inner_steps is None else inner_steps
        steps = tuple(several) if isinstance(several, Iterable) else (check_whole("inner_steps", several, 0, None),)
        with self.session.lock("read"):
            found = surface_of(self.session, self.session.settings, steps)
        return self._of_two(found)

    @short_errors
    def ways(self, steps: int | None = None) -> dict[str, NDArray[np.float32]]:
        """How MAML, first-order MAML and Reptile move the run's first start, on the same tasks: (steps + 1, 2) each.

        None: as many outer steps as cross the plane at the run's outer rate. Nothing of the run changes. Errors:
        ValueError for a learner of more than two numbers, or fewer than 0 steps.
        """
        n_steps = None if steps is None else check_whole("steps", steps, 0, None)
        with self.session.lock("read"):
            found = ways_of(self.session, n_steps)
        return self._of_two(found)

    def _of_two(self, found: Found | None) -> Found:
        if found is None:
            cause = "A plane shows the starts of no other: AdaptationLab(learner='wave')."
            raise ValueError(problem("learner", self.session.settings.learner, "wave, a network of two numbers", cause))
        return found

    def surface_picture(self, inner_steps: int | None = None, *, compare: bool = False) -> Figure:
        """The loss over the start as a picture, after so many inner steps (None: the run's own).

        `compare` draws the ways of the methods too. Errors: ValueError for a learner of more than two numbers.
        """
        from taskembed_edu.figures.surface import surface_figure

        ways = self.ways() if compare else None
        return surface_figure(self.session, steps=inner_steps, ways=ways)

    def _seen(self, asked: Asked) -> Seen:
        session, bench = self.session, None if self._panel is None else self._panel.bench
        motion = self._motion if bench is None else bench.motion  # its known tasks are trained already
        with session.lock("read"):
            motion.known(session).advance()
            return motion.at(session, session.frame, asked)

    def picture(self) -> Figure:
        """The inner loop of one task from each start, above the map and the curves as they are now."""
        from taskembed_edu.figures.plots import Still
        from taskembed_edu.figures.slow_motion import draw_slow_motion
        from taskembed_edu.figures.snapshots import FIGURE_HIGH, colour_column, draw_session

        bench = None if self._panel is None else self._panel.bench
        seen = self._seen(Asked() if bench is None else bench.asked(self.session))
        figure = Still(figsize=(14 if has_plane(self.session) else 10, 1.7 * FIGURE_HIGH), layout="constrained", dpi=90)
        grid = figure.add_gridspec(2, 1, height_ratios=(0.7, 1))
        above, below = (figure.add_subfigure(grid[row]) for row in range(2))
        draw_slow_motion(above, seen)
        draw_session(below, self.session, colour_column(self.session), [self.session.frame])
        return figure
