"""The state of a LossLab: where the points lie, under which settings, and which sub-step of an update is shown."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any, Self

from taskembed_edu.base.checks import problem
from taskembed_edu.labs.loss_scenes import FARTHEST, Scene
from taskembed_edu.labs.loss_steps import PHASES, LossSettings, Point, Reading, moved, read


@dataclass(frozen=True)
class State:
    """All that the lab remembers: immutable, so that undo is a list of these."""

    scene: Scene
    points: tuple[Point, ...]
    settings: LossSettings
    phase: int = 0
    losses: tuple[float, ...] = ()  # before each update so far: there have been len(losses) updates
    before: tuple[Point, ...] | None = None  # in the sub-step "move", where the points came from

    @classmethod
    def start(cls, scene: Scene, settings: LossSettings) -> Self:
        """The scene's points where they begin, before any update."""
        return cls(scene, scene.points, settings)

    @property
    def phase_name(self) -> str:
        """The sub-step that is shown: explore, pairs, distances, violations, forces or move."""
        return PHASES[self.phase]

    @property
    def reading(self) -> Reading:
        """Terms, forces and regions of the points as they lie. Raises where a cosine distance is undefined."""
        return _read(self.points, self.scene.labels, self.scene.names, self.settings)

    def in_view(self, **changes: Any) -> Self:
        """This state with a change by hand: slow motion goes on where it was, but a finished move is over."""
        finished = self.phase_name == "move"
        return replace(self, **changes, before=None, phase=0 if finished else self.phase)

    def next_points(self) -> tuple[Point, ...]:
        """Where an update takes the points. Raises where they would fly apart."""
        points = moved(self.points, self.reading, self.settings.learning_rate)
        if max(abs(c) for point in points for c in point) > FARTHEST:
            cause = "The points fly apart: each update overshoots by more than the one before."
            raise ValueError(problem("learning_rate", self.settings.learning_rate, "a smaller one", cause))
        return points


@functools.lru_cache(maxsize=4)  # a page asks for one state's reading several times; the past need not keep its own
def _read(
    points: tuple[Point, ...], labels: tuple[int, ...], names: tuple[str, ...], settings: LossSettings
) -> Reading:
    return read(points, labels, names, settings)
