"""How far something long is, for the one bar of the page: a job of the worker, a run behind another, UMAP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from taskembed_edu.base.progress import heard_by, time_left
from taskembed_edu.live.player import Player
from taskembed_edu.live.status import run_name

SKIP, CATCH_UP, CANCEL = "Skip", "Catch up", "Cancel"
UMAP_COMES = "UMAP is made ready"

# Seconds between two reports of one job, and until the first estimate of how long the rest takes.
_APART, _KNOWN_AFTER = 0.1, 0.5


class Progress(NamedTuple):
    """Words; how much of how much is done (`of` 0: nobody knows); the button beside the bar ("": none)."""

    words: str
    done: int = 0
    of: int = 0
    button: str = ""


def shown_progress(player: Player, job: Progress | None, precompiling: bool) -> Progress | None:
    """What the bar shows now: the job that the worker does, else the run that is behind, else UMAP; None: no bar."""
    if player.stopped:
        return None
    return job or behind(player) or (Progress(UMAP_COMES) if precompiling else None)


def behind(player: Player) -> Progress | None:
    """How far the run that is behind has come on its way to the other one; None if both are at the same step.

    Skip ends the waiting: both runs train on from where they are, and each map shows its own step. The other ways out
    would take something from the learner: A back at B's step is a loss of A's picture, and B's weights at A's step
    cannot be known without the steps between. The order of the steps of two runs is in no recording, so that a replay
    of each stays exact.
    """
    if not player.gap:
        return None
    steps = [session.steps for session in player.sessions]
    done, of = min(steps), max(steps)
    name = run_name(player, steps.index(done))
    if player.apart:
        return Progress(f"{name} is {of - done:,} steps behind", done, of, CATCH_UP)
    rate = min(player.steps_a_second, player.most_steps_a_second)
    left = f", {time_left(1 / rate, 1, of - done + 1)}" if player.playing and rate > 0 else ""
    return Progress(f"{name}: step {done:,} of {of:,}{left}", done, of, SKIP)


@contextmanager
def reported(words: str, tell: Callable[[Progress | None], None], button: str = "") -> Iterator[None]:
    """Tell of a job in the block: that it has begun, how far its long loops on this thread are, and that it has ended.

    A loop is told of ten times a second at most: "The run goes back: 12 of 40, about 3 s left". `button` stands beside
    the bar, where the job can be ended ("": it cannot).
    """
    tell(Progress(words, button=button))
    begun = told = time.monotonic()

    def hear(done: int, of: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _APART:
            told = now
            left = f", {time_left(now - begun, done, of)}" if now - begun >= _KNOWN_AFTER else ""
            tell(Progress(f"{words}: {done:,} of {of:,}{left}", done, of, button))

    try:
        with heard_by(hear):
            yield
    finally:
        tell(None)
