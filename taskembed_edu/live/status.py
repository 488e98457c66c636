"""The panel's texts: its status line, its buttons' labels, and a description of each run."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from taskembed_edu.base.wording import say, say_setting
from taskembed_edu.embedders.base import chosen_device, device_name
from taskembed_edu.live.packets import OTHER_RUN
from taskembed_edu.live.player import Player
from taskembed_edu.live.words import about_run, differing_settings
from taskembed_edu.session.history import Frame
from taskembed_edu.session.session import Session
from taskembed_edu.session.side_by_side import run_names
from taskembed_edu.session.slow_motion import adapts

TWO_RUNS = "Two runs are side by side, and each has its map already. Keep one of them, then choose Both."
REPLACED = "This lab was replaced, because its cell was run again. Use the newer lab below it."


class StatusMessage(NamedTuple):
    """A sentence for the status line, and its tone: "calm", "good" or "alarm"."""

    text: str
    tone: str = "calm"


def transport(
    player: Player,
    *,
    said: StatusMessage | None,
    pending: Mapping[str, Any],
    viewed_step: int | None,
    precompiling: bool,
    compare: str,
    both: bool = False,
) -> dict[str, Any]:
    """Everything about playing that the page shows: buttons, status, device, runs."""
    session = player.session
    differ = differing_settings(player.sessions)
    line = status(player, said=said, pending=pending, viewed_step=viewed_step, precompiling=precompiling)
    return {
        "playing": player.playing,
        "status": line.text,
        "tone": line.tone,
        "device": _device(getattr(session.settings, "device", "cpu")),
        "rate": float(f"{min(player.steps_a_second, player.most_steps_a_second):.2g}"),
        "most_rate": player.most_steps_a_second if math.isfinite(player.most_steps_a_second) else 0,
        "active": player.active,
        "runs": [
            {"name": run_name(player, run), "about": _about(each, viewed_step, differ), "step": each.frame.step}
            for run, each in enumerate(player.sessions)
        ],
        "undo": undo_words(session),
        "wishes": [session.declared()[name].label for name in pending],
        "recover": recover_button(player),
        "rewind": isinstance(player.failure, FloatingPointError),
        "stopped": player.stopped,
        "seed": session.setup.seed,
        "projection": session.setup.projection,
        "warming": precompiling,
        "metrics": comparisons(player),
        "compare": compare,
        "both": both,
        "paired": player.paired,
    }


def status(
    player: Player,
    *,
    said: StatusMessage | None,
    pending: Mapping[str, Any],
    viewed_step: int | None,
    precompiling: bool,
) -> StatusMessage:
    """The most important message at this moment."""
    session = player.session
    if player.stopped:
        return StatusMessage(REPLACED, "alarm")
    if player.failure is not None:
        return StatusMessage(_failure(player), "alarm")
    if said is not None:
        return said
    if pending:
        labels = ", ".join(session.declared()[name].label for name in pending)
        return StatusMessage(f"Press Reset to apply: {labels}.")
    if viewed_step is not None:
        goes_on = " Training goes on." if player.playing else ""
        return StatusMessage(f"Step {viewed_step}, trained with {_about(session, viewed_step)}.{goes_on}")
    until = " The map shows PCA until UMAP is ready." if precompiling else ""
    if session.frame.diverged_tasks:
        return StatusMessage(_diverged_words(session), "alarm")
    if player.playing:
        return StatusMessage((_behind_words(player) or "Training. Move a setting and watch what it does.") + until)
    if any(each.at_stop for each in player.sessions):
        return StatusMessage(
            f'Step {session.steps}: paused by the setting "Stop at step". Press Play to go on.' + until
        )
    comes = "the start moves, and the tasks with it" if adapts(session) else "the tasks find their places"
    return StatusMessage(("Paused." if session.steps else f"Press Play: {comes}.") + until)


def _failure(player: Player) -> str:
    """The error, and which frame Rewind goes back to, if that is not the last frame."""
    if not isinstance(player.failure, FloatingPointError):
        return str(player.failure)
    frame, why = way_back(player.failed or player.session)
    return f"{player.failure} The way back leads to step {frame.step}{why}." if why else str(player.failure)


def way_back(session: Session) -> tuple[Frame, str]:
    """The frame that a failed run goes back to, and why not to the last one: "", or ", before the loss grew"."""
    # A run that failed at its last frame would fail there again: that frame does not count.
    end = len(session.history) - (session.frame.step == session.steps)
    last = session.history[max(0, end - 1)]
    stable = session.last_stable_frame(last.index)
    if stable is last:
        return last, ""
    return stable, ", before tasks diverged" if len(last.diverged_tasks) > len(
        stable.diverged_tasks
    ) else ", before the loss grew"


def _diverged_words(session: Session) -> str:
    lost = session.frame.diverged_tasks
    named = ", ".join(session.tasks.names[task] for task in lost[:3]) + (", ..." if len(lost) > 3 else "")
    tasks = "task has" if len(lost) == 1 else "tasks have"
    rate = getattr(session.settings, "learning_rate", math.nan)
    return (
        f"{len(lost)} {tasks} diverged and left the map: {named}. The others go on. "
        f"Lower the learning rate ({rate:g} now) and reset."
    )


def _about(session: Session, viewed_step: int | None, differ: Collection[str] = ()) -> str:
    """The run's main settings now, or at the viewed step: the controls show those of now."""
    return about_run(session, None if viewed_step is None else session.history.at_step(viewed_step).settings, differ)


def _behind_words(player: Player) -> str:
    """What goes on while one run is behind the other; the bar beside the status says how far."""
    if player.apart:
        return "Both runs train, each from its own step."
    steps = [session.steps for session in player.sessions]
    name = run_name(player, steps.index(min(steps)))
    return f"{name} catches up. The other run shows its stored pictures." if player.gap else ""


def run_name(player: Player, run: int) -> str:
    """A run's name on the page."""
    return run_names(player.sessions)[run]


def undo_words(session: Session) -> str:
    """What Undo would do, such as "Margin back to 1"; "" if there is nothing to undo."""
    declared = session.declared()
    if session.recovered_from is not None and not session.undoable():
        return f"Back to the collapsed run, at step {session.recovered_from}"
    if session.ended_at is not None and not session.undoable():
        return f"Back to the run before Reset, at step {session.ended_at}"
    undoable = [(declared[name], value) for name, value in session.undoable().items()]
    return ", ".join(f"{setting.label} back to {say(setting, value)}" for setting, value in undoable)


def recover_button(player: Player) -> dict[str, Any] | None:
    """The button that leads out of the first collapsed run: which run, and the label; None if no run has collapsed."""
    for run, session in enumerate(player.sessions):
        words = recovery_words(session)
        if words:
            named = f"{run_name(player, run)}: " if len(player.sessions) > 1 else ""
            return {"run": run, "label": f"{named}{words}"}
    return None


def recovery_words(session: Session) -> str:
    """What `Session.recover` would do, such as "Back to step 40, with learning rate 0.01"; "" without a collapse."""
    way = session.recovery()
    if way is None:
        return ""
    declared = session.declared()
    changes = ", ".join(say_setting(declared[name], value) for name, value in way.changes.items())
    return f"Back to step {way.frame.step}" + (f", with {changes}" if changes else "")


def other_metrics(session: Session) -> list[dict[str, str]]:
    """The metrics that "What changed?" can compare with the session's own; none if it has no such setting."""
    declared = session.declared().get("metric")
    own = session.values().get("metric")
    if declared is None:
        return []
    return [{"value": metric, "label": say(declared, metric)} for metric in declared.choices if metric != own]


def comparisons(player: Player) -> list[dict[str, str]]:
    """What "What changed?" can compare the neighbours with: the other run's, and those under other metrics."""
    names = run_names(player.sessions)
    others = [name for run, name in enumerate(names) if run != player.active]
    beside = [{"value": OTHER_RUN, "label": name, "about": "the same tasks, the other map"} for name in others]
    return [*beside, *other_metrics(player.session)]


@functools.cache
def _device(asked: str) -> str:
    return device_name(chosen_device(asked))
