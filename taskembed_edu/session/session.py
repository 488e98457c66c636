"""A run of an embedder, step by step, with its whole history. No thread, no widget, no clock.

A session combines an embedder, a family of tasks and a projection. It embeds a fixed set of validation tasks and
keeps a frame of them every few steps, by count and never by the clock. A page, a script and a test all see the same
frames, and the event log is enough to reproduce them.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from taskembed_edu.base.checks import check_choice, check_whole, problem
from taskembed_edu.base.former import Former
from taskembed_edu.base.memory import tune_malloc
from taskembed_edu.base.progress import counted
from taskembed_edu.base.settings import Settings, current_values
from taskembed_edu.base.short_errors import short_errors
from taskembed_edu.embedders import task_embedder
from taskembed_edu.embedders.base import Embedder, devices_here
from taskembed_edu.embedders.begun import check_embedder
from taskembed_edu.session.codegen import run_code
from taskembed_edu.session.events import without_setting
from taskembed_edu.session.history import Frame
from taskembed_edu.session.looking import RunView
from taskembed_edu.session.parsing import check_live, parse_settings, split_settings
from taskembed_edu.session.recordings import read_recording, recording_of
from taskembed_edu.session.run import Run
from taskembed_edu.session.setup import Setup as Setup
from taskembed_edu.tasks import FAMILIES, task_family
from taskembed_edu.tasks.base import TaskFamily


def unlocked(verb: str) -> AbstractContextManager[None]:
    """The lock of a session that no player uses: it locks nothing."""
    return nullcontext()


class Session(RunView):
    """A run with its history: `step(n)`, `set(margin=0.5)`, `reset()`, `history[k]`, `branch(at=k)`, `events`.

    Settings of the embedder and of the session (see `Setup`) are set by the same names everywhere. Those that may
    change while training runs apply before the next step; the others need `reset(name=value)`.

    >>> session = Session("metric", family="gaussians", n_tasks=20, projection="pca")
    >>> session.step(20).step, len(session.history)
    (20, 3)
    """

    @short_errors
    def __init__(
        self, embedder: Embedder[Any, Any] | str = "metric", family: TaskFamily | str | None = None, **values: Any
    ):
        self.embedder = _embedder(embedder)
        if family is not None:
            values["family"] = family
        # The user's own families, by name: a reset may name them again. The package's names mean its own families.
        self.own_families: dict[str, TaskFamily] = {}
        values = current_values(values, self.declared())
        tune_malloc()
        self.user_set: set[str] = set(values)
        # A player that steps the session on its own thread puts its lock here.
        self.lock: Callable[[str], AbstractContextManager[None]] = unlocked
        given = family if isinstance(family, TaskFamily) else None
        # All that reset, undo of a reset, rewind and branch replace: always by one assignment.
        self._run = Run.begin(self.embedder, *parse_settings(self.embedder, values), given)
        self._note_own_family()

    @staticmethod
    @short_errors
    def parse_settings(embedder: Embedder[Any, Any] | str, values: dict[str, Any]) -> tuple[Setup, Any]:
        """Checked settings from names and values: the session's own, and the embedder's.

        The family may be a name or a family of tasks; a ValueError names the nearest known name.
        """
        return parse_settings(_embedder(embedder), values)

    # ---- training and changes --------------------------------------------------------------------------------------

    @short_errors
    def step(self, n: int = 1) -> Frame:
        """Make n training steps. Returns the latest frame; one is recorded every `frame_every` steps."""
        check_whole("n", n, 0, None, "Time runs forwards; `branch(at=k)` goes back.")
        with self.lock("step"):
            try:
                for _ in counted(n):
                    self._run.step()
            except BaseException as failure:
                # The step may have stopped half-way, and steps after it could not be replayed. A run that diverged
                # stays where it is, so that the user can inspect it. After an interrupt, or an error in the user's own
                # family, the run goes back to its last frame.
                self._now.inconsistent = True
                if not isinstance(failure, FloatingPointError):
                    self._back_to_last_frame()
                raise
        return self.history[-1]

    @short_errors
    def set(self, **changes: Any) -> None:
        """Change settings before the next step, logged as one event.

        Changing the distance clamps the margin into its range, within the same event. Errors: ValueError for an
        unknown name, a value beyond its range, or a setting that only applies at reset.
        """
        with self.lock("set"):
            changes = self._live(changes)
            self._run.apply(*self._changed(changes))
            self.user_set |= set(changes)

    @short_errors
    def set_clamped(self, **changes: Any) -> None:
        """As `set`, but a value beyond its range is clamped: for sliders, which receive a new range late."""
        changes = self._live(changes)
        with self.lock("set"):
            mine, theirs = split_settings(changes, self.declared())
            self._run.apply(self.setup.clamped(**mine), self.settings.clamped(**theirs))

    set_within_range = Former("set_clamped")
    named = Former("user_set")

    @short_errors
    def embed_again(self) -> Frame:
        """Have UMAP discard its map and embed from scratch, as for a first frame: an event like any other.

        The new map differs though no vector has moved: only what both maps show may be trusted. PCA has only one
        solution, so this has no effect on it.
        """
        if self.setup.projection == "umap":
            self.set(umap_restarts=self.setup.umap_restarts + 1)
        return self.history[-1]

    @short_errors
    def undo(self) -> dict[str, Any]:
        """Undo the last change of the embedder's settings. Returns what was set; {} if there was nothing to undo.

        A second call undoes the change before it. Only settings are undone, not steps (see `rewind`), and the undo is
        an event too. The session's own settings (the map's) stay: they change the picture and not the vectors.
        """
        with self.lock("set"):
            values = self.undoable()
            if values:
                self._run.apply(self.setup, self.settings.changed(**values), undo=True)
        return values

    @short_errors
    def reset(self, **changes: Any) -> Frame:
        """Begin again from the same initial weights, with these settings changed; the old run goes to `past`."""
        changes = current_values(changes, self.declared())
        with self.lock("reset"):
            given = changes["family"] if isinstance(changes.get("family"), TaskFamily) else None
            setup, settings = self._changed(changes if given is None else {**changes, "family": given.name}, given)
            self.user_set |= set(changes)
            old = self._run
            begun = Run.begin(self.embedder, setup, settings, given or self._own_family(setup.family))
            begun.past = old.past
            if old.steps:
                begun.past, begun.ended = [*old.past, recording_of(old)], old
            self._run = begun
            self._note_own_family()
        return self.history[-1]

    @short_errors
    def undo_reset(self) -> Frame:
        """Restore the run that the last reset ended, completely, as long as the new one has made no step.

        Errors: RuntimeError if there is no such run; its recording is then in `past`, if it had made a step.
        """
        with self.lock("reset"):
            ended = self._run.ended
            if ended is None:
                cause = "Replay its recording: Session.replay(session.past[-1])."
                raise RuntimeError(
                    problem("undo_reset", f"{self.steps} steps since", "a reset and no step since", cause)
                )
            n_before = len(ended.past)  # its own recording was the next one
            self._run = dataclasses.replace(ended, past=self.past[:n_before] + self.past[n_before + 1 :])
        return self.history[-1]

    @short_errors
    def rewind(self, at: int | None = None) -> Frame:
        """Take this run back to frame `at`, exactly; the recording of the run so far goes to `past`.

        Settings go back too. Without `at` it goes back to the last stable frame (see `last_stable_frame`): use this
        after a step that failed. With at=-1 it goes back to the last frame, even if that frame is not stable.
        """
        with self.lock("reset"):
            at = self.last_stable_frame().index if at is None else self.history.position(at)
            if (self.steps, len(self.events)) != (self.history[at].step, self.history.n_events(at)):
                past = [*self.past, recording_of(self._run)]
                self._run = dataclasses.replace(self._run.at_frame(at), past=past, ended=self._run.ended)
        return self.history[-1]

    @short_errors
    def recover(self) -> Frame:
        """Leave a collapse: go back to the last healthy frame before it, and change what made the tasks collapse.

        The other settings stay as they are now. The recording of the run so far goes to `past`, and `undo_reset`
        restores it until the next step. Without a collapse nothing happens (see `recovery`).
        """
        with self.lock("reset"):
            way, old = self.recovery(), self._run
            if way is not None:
                run = old.before_collapse(way)
                run.past = [*old.past, recording_of(old)]
                self._run = run
        return self.history[-1]

    @short_errors
    def branch(self, at: int = -1) -> Session:
        """An independent session that continues from frame `at`; it shares no changing state with this one.

        It starts from the nearest checkpoint before that frame and repeats the steps between, so it is exact.
        """
        with self.lock("read"):
            at = self.history.position(at)
            until = self.history[at].step
            run, events = self._run.until(at)
            twin = self._twin(run)
        run.follow(events, until)  # without the lock: this session may train meanwhile
        return twin

    @short_errors
    def with_last_step(self) -> Session:
        """This session, if its last frame shows its last step; else a copy to look at, with one more frame.

        A frame is kept every `frame_every` steps. What is written at the end of a run should show the end.
        """
        with self.lock("read"):
            run = self._run.with_last_step()
            return self if run is self._run else self._twin(run)

    def offers(self, name: str, pending: Mapping[str, Any] | None = None) -> tuple[str, ...] | None:
        """The choices of this setting that make sense for this run; None: all that are declared.

        With `pending`: for the run that a reset with these settings would begin.
        """
        if name == "family":
            return tuple(self.families())
        if name == "device":
            return devices_here()
        mine, theirs = split_settings(pending or {}, self.declared())
        family = self._family_of(mine.get("family", self.setup.family))
        return self.embedder.offers(family, self.settings.clamped(**theirs), name)

    # ---- recording -------------------------------------------------------------------------------------------------

    def recording(self) -> dict[str, Any]:
        """Everything needed to replay this run, ready for JSON: see `recordings.save_recording`."""
        with self.lock("read"):
            return recording_of(self._run)

    def code(self) -> str:
        """The few lines of Python that repeat this run: they give the same frames, bit for bit.

        A change from PCA to UMAP that the learner did not ask for is left out: the vectors are the same, and the map
        is UMAP's from the start. The last line draws the map.
        """
        with self.lock("read"):
            run, events = self._run, self._run.events
            if "projection" not in self.user_set:  # the lab went over to UMAP by itself: the lines begin with it
                events = without_setting(events, "projection")
            unasked = {} if events is run.events else {"projection": self.setup.projection}
            begun = parse_settings(self.embedder, {**run.initial, **unasked, "family": run.whole_family})
            return run_code(self.embedder.name, self.named_family(), begun, events, run.steps)

    @staticmethod
    @short_errors
    def replay(recording: dict[str, Any], family: TaskFamily | None = None) -> Session:
        """Repeat the recorded run step by step: the same frames on the same machine.

        A run on a user's own family needs that `family`. Errors: ValueError for an outdated or broken recording (see
        `recordings.check_recording`).
        """
        recorded = read_recording(recording, family)
        session = Session(recorded.embedder, recorded.family, **recorded.initial)
        session._run.follow(recorded.events, recorded.steps)
        return session

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _twin(self, run: Run) -> Session:
        twin = copy.copy(self)
        twin._run, twin.lock, twin.user_set = run, unlocked, set(self.user_set)
        twin.own_families = dict(self.own_families)
        return twin

    def _note_own_family(self) -> None:
        family = self._run.family
        if family is not None and family.name not in FAMILIES:
            self.own_families[family.name] = family

    def _back_to_last_frame(self) -> None:
        old = self._run
        run = dataclasses.replace(old.at_frame(len(old.history) - 1), past=old.past, ended=old.ended)
        run.apply(self.setup, self.settings)
        self._run = run

    def _own_family(self, name: str) -> TaskFamily | None:
        """The user's own family of this name; None: the package's, with its defaults."""
        mine = self._run.family
        return mine if mine is not None and mine.name == name else self.own_families.get(name)

    def _family_of(self, name: str) -> TaskFamily:
        return self._own_family(name) or task_family(name)

    def _live(self, changes: dict[str, Any]) -> dict[str, Any]:
        """These changes under today's names of settings. Errors: ValueError if they need a reset."""
        changes = current_values(changes, self.declared())
        check_live(changes, self.declared(), self._run.offers)
        return changes

    def _changed(self, changes: dict[str, Any], given: TaskFamily | None = None) -> tuple[Setup, Settings]:
        mine, theirs = split_settings(changes, self.declared())
        if "family" in mine and given is None:
            check_choice("family", mine["family"], [*FAMILIES, *self.own_families])
        return self.setup.changed(**mine), self.settings.changed(**theirs)


def _embedder(given: Embedder[Any, Any] | str) -> Embedder[Any, Any]:
    return check_embedder(task_embedder(given) if isinstance(given, str) else given)
