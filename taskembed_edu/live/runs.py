"""Operations on the runs on screen: branch, keep one, reset, rewind, undo. The player's worker calls them.

Each function changes the player's sessions and returns a message for the status line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from taskembed_edu.base.wording import say_setting
from taskembed_edu.live.defaults_for import DefaultsFor, implied_changes, no_defaults
from taskembed_edu.live.player import Player
from taskembed_edu.live.status import StatusMessage, recovery_words, run_name, undo_words, way_back
from taskembed_edu.session.session import Session
from taskembed_edu.session.setup import MAP_SETTINGS
from taskembed_edu.session.side_by_side import same_tasks
from taskembed_edu.tasks.base import TaskBatch

# Two runs are compared task by task, so settings that determine the tasks change for both.
_OF_THE_TASKS = ("family", "seed", "n_tasks")
# Two embedders stay side by side, frame by frame: so they have this in common too.
_OF_A_PAIR = (*_OF_THE_TASKS, "frame_every")
PAIRED = "The two embedders stay side by side: this lab compares them."

# The defaults that suit a run's tasks: each embedder has its own.
DefaultsOf = Callable[[Session], DefaultsFor]


def branch(player: Player, step: int) -> StatusMessage:
    """Begin a second run from the active run's frame at this step; it becomes the active one."""
    if len(player.sessions) > 1:
        return StatusMessage("Two runs stand side by side already: keep one of them first.", "alarm")
    session = player.session
    frame = session.history.at_step(step)
    twin = session.branch(at=frame.index)
    # A branch has the settings of its frame. A branch of the newest frame has the present settings, with any changes
    # since that frame. Both maps get the present map settings, whatever they were at that step.
    own, now = twin.declared(), session.values()
    kept = [name for name in own if own[name].live and (frame is session.frame or name in MAP_SETTINGS)]
    twin.set(**{name: now[name] for name in kept if now[name] != twin.values()[name]})
    twin.user_set = set(session.user_set)
    player.set_sessions(session, twin)
    player.active = 1
    goes_on = "It catches up: change a setting." if player.playing else "Change a setting, press Play."
    return StatusMessage(f"Run B begins at step {frame.step} of Run A, with the same weights. {goes_on}")


def keep(player: Player, run: int) -> StatusMessage:
    """Show only this run from now on; the other run's recording goes to its `past`."""
    if player.paired:
        return StatusMessage(PAIRED)
    if len(player.sessions) < 2 or run not in (0, 1):
        return StatusMessage("There is one run only.")
    kept, left = player.sessions[run], player.sessions[1 - run]
    if left.steps:
        kept.past.append(left.recording())
    name = run_name(player, run)
    player.set_sessions(kept)
    player.active = 0
    return StatusMessage(f"{name} goes on. The other one's recording is kept in lab.session.past.")


def reset(
    player: Player,
    active: Session,
    pending: Mapping[str, Any],
    along: Collection[str] = (),
    defaults_of: DefaultsOf = lambda _session: no_defaults,
) -> StatusMessage:
    """Begin this run again with these settings; both runs, if the tasks change.

    `along` names those of these settings that another one implied. The other run gets the defaults for its tasks.
    """
    player.failure = player.failed = None
    seed = active.setup.seed
    of_both = _OF_A_PAIR if player.paired else _OF_THE_TASKS
    of_the_tasks = {name: value for name, value in pending.items() if name in of_both}
    for session in player.sessions:
        if session is active:
            _begin_again(session, pending, along)
        elif of_the_tasks:
            others = implied_changes(session, of_the_tasks, defaults_of(session))
            _begin_again(session, {**others, **of_the_tasks}, others)
    both = len(player.sessions) > 1 and of_the_tasks
    begun = _begun_words(active, pending, both=bool(both), another=active.setup.seed != seed)
    remark = active.embedder.remark(active.settings, len(active.tasks))
    return StatusMessage(f"{begun} {remark}".rstrip())


def _begin_again(session: Session, pending: Mapping[str, Any], along: Collection[str]) -> None:
    session.reset(**pending)
    session.user_set.difference_update(along)  # the user did not choose these: with other tasks they may change again


def _begun_words(active: Session, pending: Mapping[str, Any], both: bool, another: bool) -> str:
    if another:
        of_both = "Both runs began again. " if both else ""
        return f"{of_both}New weights and new tasks: seed {active.setup.seed}."
    if both:
        return "Both runs began again, on the same tasks."
    declared, values = active.declared(), active.values()
    new = ", ".join(say_setting(declared[name], values[name]).lower() for name in pending)
    return f"Begun again with {new}." if new else "Back at the same initial weights."


def rewind(player: Player) -> StatusMessage:
    """Take the run that failed back to its last stable frame."""
    if player.failure is None:
        return StatusMessage("No run has failed: there is nothing to go back from.")
    session = player.failed or player.session
    frame, why = way_back(session)
    drawn_by = {name: session.values()[name] for name in MAP_SETTINGS}
    session.rewind(frame.index)
    session.set_clamped(**drawn_by)  # the run goes back, but the map settings stay
    player.failure = player.failed = None
    return StatusMessage(f"Back at step {session.steps}{why}. Change what made it fail, then press Play.")


def recover(player: Player, run: int) -> StatusMessage:
    """Take this run back to before its collapse, with the cause changed: see `Session.recover`."""
    session = player.sessions[min(run, len(player.sessions) - 1)]
    if session.recovery() is None:
        return StatusMessage("The tasks have not collapsed: there is nothing to go back from.")
    words = recovery_words(session)
    session.recover()
    return StatusMessage(f"{words}: done. Press Play to train on. Undo brings the collapsed run back.")


def undo(player: Player, session: Session) -> StatusMessage:
    """Undo the run's last change of settings; if there is none, undo the reset that began the run."""
    done = undo_words(session)
    if session.undoable():
        session.undo()
    elif session.recovered_from is not None:
        session.undo_reset()
    elif session.ended_at is not None:
        for each in player.sessions:
            if each.ended_at is not None:  # a reset of the tasks began both runs again
                each.undo_reset()
    return StatusMessage(f"{done}." if done else "There is nothing to undo.")


def embed_again(player: Player, session: Session) -> StatusMessage:
    """Have UMAP draw the run's map from scratch; both maps of a pair."""
    if session.setup.projection != "umap":
        return StatusMessage("PCA always gives the same map: embedding again changes nothing. Choose UMAP first.")
    for each in (session, *player.moved_with(session)):
        each.embed_again()
    return StatusMessage("Embedded again. Trust what both maps show more than what only one of them shows.")


def go_over_to_umap(player: Player) -> bool:
    """Change each run for which the user chose no projection to UMAP. Returns whether there was one."""
    waiting = [run for run in player.sessions if "projection" not in run.user_set and run.setup.projection != "umap"]
    for session in waiting:
        session.set_clamped(projection="umap")
    return bool(waiting)


def tasks_differ(player: Player) -> bool:
    """Whether there are two runs whose tasks are no longer the same: one was reset in a cell, say."""
    return len(player.sessions) > 1 and not same_tasks(*(session.tasks for session in player.sessions))


def part(player: Player) -> StatusMessage:
    """Keep only the active run: runs on different tasks cannot be compared side by side."""
    keep(player, player.active)
    return StatusMessage(
        "The runs no longer have the same tasks, so one of them left the screen: see lab.session.past."
    )


def bring_together(player: Player, shown: TaskBatch) -> StatusMessage:
    """Give a pair the same tasks again, where a cell has reset one of the two: those of that run, if both show them.

    `shown` are the tasks that both had. Where the other embedder cannot show the new ones, the run goes back to those.
    """
    moved = next((each for each in player.sessions if not same_tasks(each.tasks, shown)), player.session)
    (other,) = player.moved_with(moved)
    for leading, following in ((moved, other), (other, moved)):
        asked = {name: leading.values()[name] for name in _OF_A_PAIR} | {"family": leading.named_family()}
        try:
            following.reset(**asked)
        except ValueError:
            continue  # this embedder cannot read them
        if not tasks_differ(player):
            followed = run_name(player, player.sessions.index(following))
            return StatusMessage(f"{followed} began again too: both maps show the same tasks.")
    return StatusMessage("The two embedders have different tasks. Reset both: lab.reset(family=...).", "alarm")
