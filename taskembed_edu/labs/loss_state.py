"""The state of a LossLab: the points' places, the settings, and which sub-step of an update is shown."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any, Self

from taskembed_edu.base.checks import problem
from taskembed_edu.labs.loss_scenes import FARTHEST, Scene
from taskembed_edu.labs.loss_steps import PHASES, LossSettings, Point, Reading, moved, read


@dataclass(frozen=True)
class State:
    """The lab's whole state: immutable, so that the undo history is a list of states."""

    scene: Scene
    points: tuple[Point, ...]
    settings: LossSettings
    phase: int = 0
    losses: tuple[float, ...] = ()  # the loss before each update so far, so len(losses) is the number of updates
    before: tuple[Point, ...] | None = None  # in the sub-step "move", where the points came from

    @classmethod
    def start(cls, scene: Scene, settings: LossSettings) -> Self:
        """The scene's points in their initial places, before any update."""
        return cls(scene, scene.points, settings)

    @property
    def phase_name(self) -> str:
        """The sub-step that is shown: explore, pairs, distances, violations, forces or move."""
        return PHASES[self.phase]

    @property
    def reading(self) -> Reading:
        """Terms, forces and regions of the points in their present places. Raises if a cosine distance is undefined."""
        return _read(self.points, self.scene.labels, self.scene.names, self.settings)

    def in_view(self, **changes: Any) -> Self:
        """This state with a change by the user: the sub-step stays, but after "move" it goes back to "explore"."""
        finished = self.phase_name == "move"
        return replace(self, **changes, before=None, phase=0 if finished else self.phase)

    def next_points(self) -> tuple[Point, ...]:
        """The points after an update. Raises if they would diverge."""
        points = moved(self.points, self.reading, self.settings.learning_rate)
        if max(abs(c) for point in points for c in point) > FARTHEST:
            cause = "The points fly apart: each update overshoots by more than the one before."
            raise ValueError(problem("learning_rate", self.settings.learning_rate, "a smaller one", cause))
        return points


@functools.lru_cache(maxsize=4)  # a page reads one state several times; old states need no reading
def _read(
    points: tuple[Point, ...], labels: tuple[int, ...], names: tuple[str, ...], settings: LossSettings
) -> Reading:
    return read(points, labels, names, settings)
