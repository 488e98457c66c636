"""AdaptationLab: the inner loop in slow motion, and the outer loop that moves the start behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from taskembed_edu.base.checks import check_choice, check_whole
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.evaluation.bench import InnerLoop
from taskembed_edu.labs.session_lab import SessionLab
from taskembed_edu.session.slow_motion import LEARNED, MOST_STEPS, Asked, Seen, SlowMotion, checked_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from taskembed_edu.tasks.base import TaskFamily

# Settings with which a start is learned within a minute on two cores.
_LEARNS: dict[str, dict[str, Any]] = {
    "sinusoids": {"n_shot": 10, "inner_steps": 5, "learning_rate": 3e-3},
    "gaussians": {"inner_lr": 0.5, "learning_rate": 3e-3},
    "digits": {"inner_lr": 0.1, "inner_steps": 3, "learning_rate": 3e-3},
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

    def __init__(self, family: TaskFamily | str = "sinusoids", **settings: Any) -> None:
        super().__init__(family, **settings)
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
        figure = Still(figsize=(10, 1.7 * FIGURE_HIGH), layout="constrained", dpi=90)
        grid = figure.add_gridspec(2, 1, height_ratios=(0.7, 1))
        above, below = (figure.add_subfigure(grid[row]) for row in range(2))
        draw_slow_motion(above, seen)
        draw_session(below, self.session, colour_column(self.session), [self.session.frame])
        return figure
